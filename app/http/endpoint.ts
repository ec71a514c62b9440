import type { IncomingHttpHeaders } from 'node:http';
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

export type Endpoint = {
  readonly path: `/${string}`;
  /** GET includes HEAD. */
  readonly methods: readonly ('GET' | 'POST')[];
  readonly caller?: Caller;
  /** How a POST body is read. */
  readonly accepts?: Accepts;
  /** How this platform is told of a bad request (400, 413, 415). By default `{"error": …, "request_id": …}`. */
  readonly badRequest?: (problem: { status: number; error: string }) => Answer;
  readonly answer: (incoming: Incoming) => Answer | Promise<Answer>;
};
