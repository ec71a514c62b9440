import { z } from 'zod';
import type { Answer } from '../http/answer.ts';
import type { Endpoint, Incoming } from '../http/endpoint.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import {
  type Credential,
  type Origin,
  type Refusal,
  refused,
  type User,
} from '../verification/verdict.ts';
import type { Verify } from '../verification/verify.ts';

/** What a platform may ask of the house. */
export type Services = {
  readonly verify: Verify;
};

/** A third party that calls us: its settings, what it calls, and the table of what it must be answered. */
export type Platform<Settings extends z.ZodObject = z.ZodObject> = {
  /** Also its name in `PLATFORMS`. */
  readonly id: string;
  readonly title: string;
  /** The vendor's own page. */
  readonly docs: string;
  /** Environment variables, by name; each with a `.describe()` that `.env.example` and the docs print. */
  readonly settings: Settings;
  readonly endpoints: (settings: z.output<Settings>, services: Services) => readonly Endpoint[];
  readonly scenarios: readonly Scenario[];
};

/** A platform to register: checked here against its own settings, and of one type for the registry. */
export const platform = <Settings extends z.ZodObject>(definition: Platform<Settings>): Platform =>
  definition as unknown as Platform;

type Verification<Request extends z.ZodType> = Omit<Endpoint, 'answer'> & {
  /** The form the platform documents. What does not fit is refused as malformed. */
  readonly request: Request;
  /** The credential in it, or why there is none to look at. */
  readonly credential: (request: z.output<Request>, from: Origin) => Credential | Refusal;
  /** A rule of the platform's own, asked when the credential is good. */
  readonly objection?: (user: User, request: z.output<Request>) => Refusal | undefined;
  readonly accept: (user: User, request: z.output<Request>) => Answer;
  readonly refuse: (because: Refusal) => Answer;
};

/** An endpoint whose whole job is: parse, find the credential, verify, object, answer in the platform's words. */
export const verification = <Request extends z.ZodType>(
  { verify }: Services,
  { request, credential, objection, accept, refuse, ...endpoint }: Verification<Request>,
): Endpoint => ({
  ...endpoint,
  async answer(incoming: Incoming) {
    const no = (because: Refusal) => ({ ...refuse(because), verdict: refused(because) });

    const parsed = request.safeParse(incoming);
    if (!parsed.success) return no('malformed');

    const from = { address: incoming.address, platform: endpoint.caller !== undefined };
    const found = credential(parsed.data, from);
    if (typeof found === 'string') return no(found);

    const verdict = await verify(found);
    if (!verdict.accepted) return no(verdict.because);

    const objected = objection?.(verdict.user, parsed.data);
    if (objected) return no(objected);

    return { ...accept(verdict.user, parsed.data), verdict };
  },
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

const pathProblem = 'must be a path such as /GetUserInfo: no query, no trailing slash';

/** The path of an endpoint, as a setting: begins with a slash; no query, and no trailing slash but the root's. */
export const path = (fallback: `/${string}`) =>
  z
    .templateLiteral(['/', z.string()], { error: pathProblem })
    .refine((value) => /^\/([\w.~-]+(\/[\w.~-]+)*)?$/.test(value), pathProblem)
    .default(fallback);

/** A secret, as a setting: generated when missing, but in production demanded, and not a guessable one. */
export const secret = () => z.string().min(1).meta({ secret: true });
