/**
 * Whose tokens are verified: our own, or those of an authorization server that you have already. It then says whether a
 * token is good and for whom; who that is, and whether he is let in, still is read from the UserStore at every request.
 */
import { z } from 'zod';
import type { TokenFacts, UserFacts } from '../verification/decide.ts';
import type { TokenStore, UserStore } from '../verification/verify.ts';
import { introspectionSource } from './introspection-source.ts';
import { jwtSource } from './jwt-source.ts';
import { parseScope, scopes } from './scopes.ts';

const url = () =>
  z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).default('');

export const tokenSourceSettings = {
  TOKEN_SOURCE: z
    .enum(['local', 'introspection', 'jwt'])
    .default('local')
    .describe('Whose tokens are verified: local, or your own server by introspection or as jwt.'),
  TOKEN_SOURCE_TIMEOUT: z.coerce
    .number()
    .int()
    .min(50)
    .max(30_000)
    .default(3000)
    .describe('How long that server may take to answer, in ms; then the platform gets a 503.'),
  TOKEN_VERIFY_SCOPE: z
    .string()
    .default('')
    .describe(
      'Scope of that server that lets platforms verify a token. Empty: any good token will do.',
    ),
  SUBJECT_CLAIM: z
    .string()
    .default('sub')
    .describe(
      'Claim of that server that is our user. A number (in `sub`, as text too) is a uid, else it is a login.',
    ),
  INTROSPECTION_URL: url().describe('RFC 7662 endpoint, for TOKEN_SOURCE=introspection.'),
  INTROSPECTION_CLIENT_ID: z.string().default('').describe('What we are called there.'),
  INTROSPECTION_CLIENT_SECRET: z
    .string()
    .default('')
    .describe('Our secret there (client_secret_basic).'),
  INTROSPECTION_CACHE: z.coerce
    .number()
    .int()
    .min(0)
    .max(300)
    .default(0)
    .describe('Seconds for which "active" is believed without asking again. 0: ask every time.'),
  JWT_ISSUER: url().describe('`iss` of the tokens, to the letter, for TOKEN_SOURCE=jwt.'),
  JWT_AUDIENCE: z
    .string()
    .default('')
    .describe('`aud` that they must have. Empty: any, ID tokens too, so better set it.'),
  JWT_JWKS_URL: url().describe('Where its keys are. Empty: as its metadata says.'),
};

export type TokenSourceSettings = Readonly<z.output<z.ZodObject<typeof tokenSourceSettings>>>;

const needed: Readonly<Record<string, readonly (keyof TokenSourceSettings)[]>> = {
  introspection: ['INTROSPECTION_URL', 'INTROSPECTION_CLIENT_ID', 'INTROSPECTION_CLIENT_SECRET'],
  jwt: ['JWT_ISSUER'],
};

/** Without which every good token of that server would do, whomever it was issued for. */
const neededInProduction: typeof needed = {
  introspection: ['TOKEN_VERIFY_SCOPE'],
  jwt: ['JWT_AUDIENCE'],
};

/** The settings without which the chosen source cannot work, or would be too trusting. */
export function tokenSourceProblems(env: Readonly<Record<string, string | undefined>>): string[] {
  const source = env['TOKEN_SOURCE'] ?? '';
  const inProduction = env['NODE_ENV'] === 'production' ? neededInProduction[source] : undefined;
  return [...(needed[source] ?? []), ...(inProduction ?? [])]
    .filter((name) => env[name] === undefined)
    .map((name) => `${name} is missing (TOKEN_SOURCE=${source})`);
}

/** What the other server says of a token that is good. */
type Claims = Readonly<Record<string, unknown>>;

/** A platform's uid is a positive 32-bit integer. */
const uidIn = (subject: string) =>
  /^[1-9]\d{0,9}$/.test(subject) && Number(subject) < 2 ** 31 ? Number(subject) : undefined;

async function findSubject(
  claims: Claims,
  claim: string,
  users: Pick<UserStore, 'findUser' | 'findUserByLogin'>,
): Promise<UserFacts | undefined> {
  const subject = typeof claims[claim] === 'number' ? String(claims[claim]) : claims[claim];
  if (typeof subject !== 'string') return undefined;
  // A client's own token has the client as its subject (RFC 9068 §2.2), which may be called as some user is.
  const client = claims['client_id'] ?? claims['azp'];
  if (client !== undefined && (subject === client || claims['sub'] === client)) return undefined;
  // Digits as text in another claim may be a name that somebody chose.
  const isNumber = claim === 'sub' || typeof claims[claim] === 'number';
  const uid = isNumber ? uidIn(subject) : undefined;
  return uid === undefined ? users.findUserByLogin(subject) : users.findUser(uid);
}

/** `scope` as RFC 7662 and RFC 9068 write it; some servers send a list, or call it `scp`. */
function scopeIn({ scope, scp }: Claims): string[] {
  const given = scope ?? scp;
  if (typeof given === 'string') return parseScope(given);
  return Array.isArray(given) ? given.filter((one) => typeof one === 'string') : [];
}

/** Their words for what a token is good for, in ours: theirs may have a `verify` that means something else. */
function scopeFor(claims: Claims, verifyScope: string): string[] {
  const theirs = scopeIn(claims);
  const others = theirs.filter((name) => name !== scopes.verify);
  return verifyScope === '' || theirs.includes(verifyScope) ? [...others, scopes.verify] : others;
}

/** The last moment that a Date can hold, in seconds. */
const endOfTime = 8.64e12;

const moment = (seconds: unknown) =>
  typeof seconds === 'number' ? new Date(Math.min(seconds, endOfTime) * 1000) : undefined;

/** The TokenStore that `verify` asks. @param local our own tokens */
export function createTokenSource(
  settings: TokenSourceSettings,
  users: Pick<UserStore, 'findUser' | 'findUserByLogin'>,
  local: TokenStore,
  now: () => Date,
): TokenStore {
  const { TOKEN_SOURCE, TOKEN_VERIFY_SCOPE, SUBJECT_CLAIM } = settings;
  if (TOKEN_SOURCE === 'local') return local;
  const claimsOf =
    TOKEN_SOURCE === 'jwt' ? jwtSource(settings, now) : introspectionSource(settings, now);

  return {
    async findToken(token): Promise<TokenFacts | undefined> {
      const claims = await claimsOf(token);
      // Bound to a key of its client (RFC 7800, RFC 8705, RFC 9449): whoever sends it on cannot show that key.
      if (!claims || claims['cnf'] !== undefined) return undefined;
      const client = claims['client_id'] ?? claims['azp'];
      return {
        expiresAt: moment(claims['exp'] ?? endOfTime) ?? new Date(0),
        revokedAt: undefined,
        scope: scopeFor(claims, TOKEN_VERIFY_SCOPE),
        clientId: typeof client === 'string' ? client : '',
        issuedAt: moment(claims['iat']) ?? now(),
        // In their words, `aud` may be us by any name: JWT_AUDIENCE and TOKEN_VERIFY_SCOPE say which tokens are for us.
        resource: undefined,
        subject: await findSubject(claims, SUBJECT_CLAIM, users),
      };
    },
  };
}
