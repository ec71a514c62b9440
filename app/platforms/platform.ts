import { z } from 'zod';
import type { Answer } from '../http/answer.ts';
import type { Endpoint, Incoming, Reference } from '../http/endpoint.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { SimulatorDefinition } from '../scenarios/simulator.ts';
import type { Story } from '../scenarios/story.ts';
import {
  type About,
  type Credential,
  type Issued,
  type Origin,
  type Refusal,
  refused,
  type User,
  type Verdict,
} from '../verification/verdict.ts';
import type { UserStore, Verify } from '../verification/verify.ts';

/** What a platform may ask of the house. */
export type Services = {
  readonly verify: Verify;
  readonly users: Pick<UserStore, 'findUser' | 'findUserByLogin'>;
  /** How the world reaches this server, without a trailing slash. */
  readonly issuer: string;
  readonly now: () => Date;
  /** What helps a developer at his own machine is off. */
  readonly production: boolean;
  /** Where people can sign in: these pages of ours (`local`), and the upstream providers that are configured. */
  readonly providers: readonly { readonly id: string; readonly title: string }[];
  /** RS256 with the current key of KEYS_FILE or PRIVATE_KEY, its `kid` in the header. */
  readonly sign: (claims: Readonly<Record<string, unknown>>) => Promise<string>;
  /** The current public key, PEM (SPKI). */
  readonly publicKey: () => Promise<string>;
  readonly clientTokens: ClientTokens;
  readonly usernames: Usernames;
  /** Undefined for a user of another store than ours. */
  readonly accountOf: (uid: number) => Promise<Account | undefined>;
  /** The user's roles and those of his group, each once, sorted. */
  readonly rolesOf: (uid: number) => Promise<readonly string[]>;
  /** For what must not break an answer, but be seen by the operator. */
  readonly reportFault: (error: unknown, doing: string) => void;
};

/** How somebody came to be a user here. */
export type Account = {
  readonly createdAt: Date;
  /** Who he is at the provider that he first came from; undefined: he was created here. */
  readonly identity: { readonly provider: string; readonly subject: string } | undefined;
};

/** Signed tokens that an App keeps for its user (dgp-oauth2's `jwt`): they speak for him until revoked, and only here. */
export type ClientTokens = {
  /**
   * @param ttl seconds
   * @param signInEpoch of the arrival that it comes of
   * @throws {Unavailable} when that sign-in has ended since
   */
  readonly issue: (uid: number, ttl: number, signInEpoch?: number) => Promise<string>;
  /** Whatever is wrong with it: a refusal. */
  readonly verify: (token: string) => Promise<Verdict>;
  /** From the next request on. A token that is not good is no matter. */
  readonly revoke: (token: string) => Promise<void>;
};

/** Names that users choose, once. Compared without regard to case; nobody has one that is another user's name or login. */
export type Usernames = {
  /** Undefined: not chosen yet. */
  readonly chosen: (uid: number) => Promise<string | undefined>;
  /** Who chose it; else whose login it is, while he has not chosen. */
  readonly find: (username: string) => Promise<number | undefined>;
  readonly choose: (uid: number, username: string) => Promise<'chosen' | 'already-set' | 'taken'>;
};

/** A value for the vendor's dashboard, by the vendor's name of the field. */
export type Pasted = { readonly label: string; readonly note?: string } & (
  | { readonly value: string }
  /** The name of a setting that is secret: its value is only shown when somebody asks for it. */
  | { readonly secret: string }
);

/** What the mapping in the vendor's dashboard makes of an answer. */
export type Resolved = { readonly name: string; readonly from: string; readonly found: unknown };

/** What the vendor must be told to reach this backend. */
export type ConnectCard = {
  readonly places: readonly {
    /** In the vendor's words, e.g. "Dashboard, your app, Overview, Custom Identity Provider". */
    readonly where: string;
    readonly values: readonly Pasted[];
  }[];
  /** What else is to be known, a sentence or two each. */
  readonly notes: readonly string[];
  /** @param answer the parsed body of a 2xx; undefined when it is no JSON */
  readonly resolve: (answer: unknown) => readonly Resolved[];
};

/** A third party that calls us: its settings, what it calls, and the table of what it must be answered. */
export type Platform<Settings extends z.ZodObject = z.ZodObject> = {
  /** Also its name in `PLATFORMS`. */
  readonly id: string;
  readonly title: string;
  /** The vendor's own page. */
  readonly docs: string;
  /**
   * Environment variables, by name; each with a `.describe()` that `.env.example` and the docs print. One that is the
   * platform's own name for BASE_URL says so: `.meta({ baseUrl: true })`.
   */
  readonly settings: Settings;
  /** True: its endpoints sign. The server does not start without a key. */
  readonly signs?: boolean;
  /** Done once, before anything is answered: loads what the settings name. Throws what the operator can mend. */
  readonly prepare?: (settings: z.output<Settings>) => Promise<void>;
  readonly endpoints: (settings: z.output<Settings>, services: Services) => readonly Endpoint[];
  readonly scenarios: readonly Scenario[];
  /** The platform itself, played. */
  readonly simulator?: SimulatorDefinition;
  /** What the platform makes of our answers: several steps, through the simulator. */
  readonly stories?: readonly Story[];
  /** @param baseUrl how the world reaches this server, without a trailing slash */
  readonly connect?: (settings: z.output<Settings>, baseUrl: string) => ConnectCard;
};

/** A platform to register: checked here against its own settings, and of one type for the registry. */
export const platform = <Settings extends z.ZodObject>(definition: Platform<Settings>): Platform =>
  definition as unknown as Platform;

type Verification<Request extends z.ZodType> = Omit<Endpoint, 'answer' | 'reference'> & {
  /** The form the platform documents. What does not fit is refused as malformed. */
  readonly request: Request;
  /** The rest of what the API reference says. */
  readonly reference?: Omit<Reference, 'request'>;
  /** The credential in it, or why there is none to look at. */
  readonly credential: (request: z.output<Request>, from: Origin) => Credential | Refusal;
  /** A rule of the platform's own, asked when the credential is good. */
  readonly objection?: (user: User, request: z.output<Request>) => Refusal | undefined;
  /** @param issued what the token was issued as; undefined when the credential is a password */
  readonly accept: (user: User, request: z.output<Request>, issued: Issued | undefined) => Answer;
  readonly refuse: (because: Refusal) => Answer;
};

/** An endpoint whose whole job is: parse, find the credential, verify, object, answer in the platform's words. */
export const verification = <Request extends z.ZodType>(
  { verify, issuer }: Services,
  { request, reference, credential, objection, accept, refuse, ...endpoint }: Verification<Request>,
): Endpoint => ({
  ...endpoint,
  ...(reference && { reference: { ...reference, request } }),
  async answer(incoming: Incoming) {
    const no = (because: Refusal, about?: About) => ({
      ...refuse(because),
      verdict: refused(because, about),
    });

    const parsed = request.safeParse(incoming);
    if (!parsed.success) return no('malformed');

    const from = { address: incoming.address, platform: endpoint.caller !== undefined };
    const found = credential(parsed.data, from);
    if (typeof found === 'string') return no(found);

    const resource = `${issuer}${endpoint.path}`;
    const verdict = await verify(found.kind === 'token' ? { ...found, resource } : found);
    if (!verdict.accepted) return no(verdict.because, verdict.about);

    const objected = objection?.(verdict.user, parsed.data);
    if (objected) return no(objected, verdict.user);

    return { ...accept(verdict.user, parsed.data, verdict.issued), verdict };
  },
});

/**
 * An endpoint of another kind. It is only given what its schema lets through, so that the API reference cannot leave
 * anything out; the schema must take whatever comes.
 */
export const reading = <Request extends z.ZodType>(
  reference: Reference & { readonly request: Request },
  answer: (asked: z.output<Request>, incoming: Incoming) => Answer | Promise<Answer>,
): Pick<Endpoint, 'answer' | 'reference'> => ({
  reference,
  answer: (incoming) => answer(reference.request.parse(incoming), incoming),
});

/** A token we may have issued is never longer (AURORA cuts there); what is longer was not. */
const longestToken = 4096;

/**
 * The one token among all the places where a request may carry it; an empty place does not count. None, two (even equal
 * ones, RFC 6750 §2), or something that is not a string: no credential.
 */
export function onlyToken(places: readonly unknown[], scope: string): Credential | Refusal {
  const given = places.filter((value) => value !== undefined && value !== null && value !== '');
  const [token] = given;
  if (given.length !== 1 || typeof token !== 'string') return 'no-credential';
  if (token.length > longestToken) return 'no-credential';
  return { kind: 'token', token, scope };
}

/** A place for text in the schema of a request: anything may come there, and the endpoint says what it makes of it. */
export const textPlace = (description: string) =>
  z.unknown().optional().meta({ type: 'string', description });

const pathProblem = 'must be a path such as /GetUserInfo: no query, no trailing slash';

/** The path of an endpoint, as a setting: begins with a slash; no query, and no trailing slash but the root's. */
export const path = (fallback: `/${string}`) =>
  z
    .templateLiteral(['/', z.string()], { error: pathProblem })
    .refine((value) => /^\/([\w.~-]+(\/[\w.~-]+)*)?$/.test(value), pathProblem)
    .default(fallback);

/** A secret, as a setting: generated when missing, but in production demanded, and not a guessable one. */
export const secret = () => z.string().min(1).meta({ secret: true });
