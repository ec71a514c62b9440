import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import type { SignedIn, User } from '../verification/verdict.ts';
import type { Answer } from './answer.ts';

/** The parts of an HTTP request that an endpoint's contract can mention. */
export type Incoming = {
  readonly method: 'GET' | 'POST';
  /** Query parameters and, on POST, those of the form or of the top level of the JSON object. One that occurs twice is an array. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The parsed body: JSON of any type, a form as an object, undefined without one. Integers beyond 2^53 are bigints. */
  readonly body: unknown;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The token of `Authorization: Bearer …` (RFC 6750 §2.1). */
  readonly bearer: string | undefined;
  /** The IP address of the caller; behind a proxy in TRUST_PROXY, the one that the proxy names. */
  readonly address: string;
  readonly browser: Browser;
};

/** Strings that a browser carries through a sign-in, sealed. In a cookie: 2000 characters in all are safe. */
export type Kept = Readonly<Record<string, string>>;

/**
 * The browser at the other end, for endpoints that people come to by links and redirects. A sign-in is bound to the browser
 * that began it, is good for 10 minutes, and for one return.
 */
export type Browser = {
  /** Sends it to sign in at this provider of the house (`Services.providers`), and from there to `callback`, with `state`. */
  readonly signIn: (to: {
    readonly provider: string;
    /**
     * The path of an endpoint that answers GET, registered at the provider with our origin in front. Providers that share
     * one, and do not name themselves in their answers (`iss`), must trust each other (RFC 9700 §4.4).
     */
    readonly callback: `/${string}`;
    readonly kept: Kept;
    /** The URL that the callback redirects to, where that is of another origin: else the policy of our sign-in form forbids it. */
    readonly onward?: string;
  }) => Promise<Answer>;
  /** What it brings back to that callback. A fault of ours is thrown. */
  readonly arrival: (callback: `/${string}`) => Promise<Arrival>;
};

/**
 * Why nobody arrives. not-begun-here: another browser, a second time, too late, or made up · denied: the person said no ·
 * unavailable: the provider gave no usable answer, or refused us · refused: the user may not be let in.
 */
export type ArrivalProblem = 'not-begun-here' | 'denied' | 'unavailable' | 'refused';

export type Arrival =
  | {
      readonly user: User;
      /** For what is issued after it. */
      readonly signInEpoch?: SignedIn['signInEpoch'];
      /** Whether this sign-in created the user. */
      readonly isNew: boolean;
      readonly provider: string;
      readonly kept: Kept;
    }
  | {
      readonly problem: ArrivalProblem;
      /** Undefined when there is nothing that this browser began. */
      readonly kept: Kept | undefined;
    };

/**
 * Who must be calling: a platform with an API key and secret in `Authorization: Basic` (RFC 7617). Authenticated before
 * the body is read.
 */
export type Caller = {
  readonly realm: string;
  readonly key: string;
  readonly secret: string;
};

/** `json`: application/json, else 415. `any`: JSON or a form, whatever the Content-Type calls it. */
export type Accepts = 'json' | 'any';

/** The ways in which a request can show who sends it: app/console/openapi-security.ts says what each is. */
export type SecurityScheme = 'bearer' | 'oauth2' | 'client' | 'caller' | 'authToken' | 'jwt';

/** What comes back with one status. */
export type DescribedAnswer = {
  readonly text: string;
  /** Of a JSON body. Tests hold every row of the tables, and what the server really answers, to it. */
  readonly body?: z.ZodType;
  /** Of a body that is no JSON. */
  readonly type?: 'text/html' | 'text/plain';
};

/** What the API reference says of an endpoint: app/console/openapi.ts makes OpenAPI of it. */
export type Reference = {
  readonly summary: string;
  /** What else is to be known, in Markdown. */
  readonly text?: string;
  /** The parts of `Incoming` that are looked at: the very schema that the endpoint parses with. */
  readonly request?: z.ZodType;
  readonly answers: Readonly<Record<number, DescribedAnswer>>;
  /** One of these, each with the scope that it must have; `{}`: or none. What `caller` says need not be said again. */
  readonly security?: readonly Readonly<Partial<Record<SecurityScheme, readonly string[]>>>[];
};

export type Endpoint = {
  readonly path: `/${string}`;
  /** GET includes HEAD. */
  readonly methods: readonly ('GET' | 'POST')[];
  /** False where a GET uses something up: HEAD is then a method that is not answered. */
  readonly head?: false;
  readonly caller?: Caller;
  /** Origins whose pages may read the answers (CORS); none by default. */
  readonly origins?: readonly string[];
  /** How a POST body is read. */
  readonly accepts?: Accepts;
  /** How this platform is told of a bad request (400, 413, 415). By default `{"error": …, "request_id": …}`. */
  readonly badRequest?: (problem: { status: number; error: string }) => Answer;
  readonly answer: (incoming: Incoming) => Answer | Promise<Answer>;
  /** Without it, the API reference has nothing but the path. */
  readonly reference?: Reference;
};

/** What the API reference must know of a route, whoever answers it. */
export type Described = Pick<Endpoint, 'path' | 'methods' | 'caller' | 'reference'> & {
  readonly accepts?: Accepts | 'form';
};
