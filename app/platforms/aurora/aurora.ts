/**
 * AURORA (NTNU), `Authenticator::OAuthAccessToken`: its REST-server trusts an access token of ours, and asks whose it is.
 *
 *   GET /userinfo
 *   Connection: close
 *   charset: UTF-8
 *   Authorization: Bearer <token>
 *
 *   200 {"user":{"userid":"2345","userid_sec":["feide:simon371@users.invalid"],"name":"Simon Davis",
 *        "email":"simon371@example.com","profilephoto":null},"audience":"demo-app"}
 *   401 {"error":"invalid_token"}
 *
 * https://github.com/janfrodej/Aurora, server/lib/Authenticator/OAuthAccessToken.pm. The form is that of the /userinfo that
 * Feide once had, and AURORA was written against.
 *
 * AURORA ignores the status and looks at the body only, so that no other answer has `user` or `audience`, and each is a JSON
 * object. It undoes `\uXXXX` before it reads the JSON, and drops raw UTF-8: everything beyond ASCII is escaped, nothing else.
 *
 * Where the vendor is silent, we chose:
 * - The token needs the scope `userid-feide`; `name` and `profilephoto` need `profile`, `email` needs `email`. Without an
 *   e-mail address AURORA lets nobody in, so that a token for AURORA has all of them.
 * - `userid` is our uid, as text. `profilephoto` is `picture` of the user's profile, else null.
 * - `userid_sec` is the login where it has the form of an address, else the login at AURORA_USERID_DOMAIN; the uid stands
 *   in for a login that AURORA would turn into another user's. It never changes.
 * - An e-mail address that AURORA would change is left out: it might be somebody else's when AURORA is done with it.
 *   `npm run admin -- check aurora` lists such accounts.
 * - `Authorization: Bearer` only. A token in the query is a bad request, also beside a good one in the header.
 */
import { z } from 'zod';
import { type Answer, json } from '../../http/answer.ts';
import type { Credential, Refusal, User } from '../../verification/verdict.ts';
import { onlyToken, path, platform, verification } from '../platform.ts';
import { emailProblem, userIds } from './aurora.accounts.ts';
import { connect } from './aurora.connect.ts';
import { scenarios } from './aurora.scenarios.ts';
import { auroraSimulator } from './aurora.simulator.ts';
import { stories } from './aurora.stories.ts';

const settings = z.object({
  AURORA_PATH: path('/userinfo').describe('Path of the user information that AURORA asks for.'),
  AURORA_USERID_PREFIX: z
    .string()
    .regex(/^[\w.-]+$/, 'must be letters, digits, dot, dash, underscore')
    .default('feide')
    .describe('What stands before the colon in userid_sec; AURORA cuts it off.'),
  AURORA_USERID_DOMAIN: z
    .string()
    .regex(/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/, 'must be a domain name')
    .default('users.invalid')
    .describe(
      'Domain in userid_sec of users whose login is no address. Never to be changed once AURORA knows somebody.',
    ),
});

type Settings = z.output<typeof settings>;

const request = z.object({
  parameters: z.object({ access_token: z.never().optional() }),
  headers: z.object({ authorization: z.string().optional() }),
  bearer: z.string().optional(),
});

const scope = 'userid-feide';

const accepted = z.object({
  user: z.object({
    userid: z.string().describe('Our uid.'),
    userid_sec: z.array(z.string()).readonly(),
    name: z.string().optional().describe('With the scope profile.'),
    email: z.string().optional().describe('With the scope email.'),
    profilephoto: z.string().nullish().describe('With the scope profile.'),
  }),
  audience: z.string().optional().describe('The client that the token was issued to.'),
});

const refusal = z.object({ error: z.string() });

/** RFC 6750 §2.1. */
function credential({ headers, bearer }: z.output<typeof request>): Credential | Refusal {
  const broken = bearer === undefined && /^Bearer\b/i.test(headers.authorization ?? '');
  return broken ? 'malformed' : onlyToken([bearer], scope);
}

/**
 * What AURORA can read of a text: Unicode, no control characters, and nothing that it would take for an escape of ours,
 * as it undoes those without regard to the backslash before.
 */
const readable = (text: string) =>
  text
    .toWellFormed()
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/\\+(?=u[0-9a-f]{4})/gi, '');

/** The same JSON in ASCII: beyond it, each UTF-16 code unit is written as `\uXXXX`. */
const inAscii = (answer: Answer): Answer => ({
  ...answer,
  body: answer.body.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  ),
});

const userIdsOf = (user: User, { AURORA_USERID_PREFIX, AURORA_USERID_DOMAIN }: Settings) =>
  userIds(user, { prefix: AURORA_USERID_PREFIX, domain: AURORA_USERID_DOMAIN });

/** The user, as far as a token of this scope may tell of him. */
function userOf(user: User, scopes: readonly string[], configured: Settings) {
  const { uid, name, email, profile } = user;
  const { picture } = profile;
  const photo = typeof picture === 'string' ? readable(picture) : null;
  const seesProfile = scopes.includes('profile');
  const seesEmail = scopes.includes('email') && emailProblem(email) === undefined;
  return {
    userid: String(uid),
    userid_sec: userIdsOf(user, configured),
    name: seesProfile ? readable(name) : undefined,
    email: seesEmail ? email : undefined,
    profilephoto: seesProfile ? photo : undefined,
  };
}

/** RFC 6750 §3: without any credential, nothing is said of what is wrong. */
function refuse(because: Refusal): Answer {
  const no = (status: number, error: string, challenge: string) =>
    json(status, { error }, { 'WWW-Authenticate': `Bearer realm="partner-idp-kit"${challenge}` });
  if (because === 'no-credential') return no(401, 'invalid_token', '');
  if (because === 'malformed') return no(400, 'invalid_request', ', error="invalid_request"');
  if (because === 'insufficient-scope') {
    const challenge = `, error="insufficient_scope", scope="${scope}"`;
    return no(403, 'insufficient_scope', challenge);
  }
  return no(401, 'invalid_token', ', error="invalid_token"');
}

export const aurora = platform({
  id: 'aurora',
  title: 'AURORA',
  docs: 'https://github.com/janfrodej/Aurora',
  settings,
  scenarios,
  simulator: auroraSimulator,
  stories,
  connect,
  endpoints: (configured, services) => [
    verification(services, {
      path: configured.AURORA_PATH,
      methods: ['GET'],
      request,
      credential,
      reference: {
        summary: 'Whose token is this?',
        text: 'In the `Authorization` header only. The answer is ASCII: all else is escaped.',
        security: [{ bearer: [] }, { oauth2: [scope] }],
        answers: {
          200: { text: 'The token is good: the user.', body: accepted },
          400: { text: 'The token is in the query, or the header is broken.', body: refusal },
          401: { text: 'There is no token, or it is not good.', body: refusal },
          403: { text: `The token has not the scope ${scope}.`, body: refusal },
        },
      },
      accept: (user, _request, issued) =>
        inAscii(
          json(200, {
            user: userOf(user, issued?.scope ?? [], configured),
            audience: issued?.clientId,
          }),
        ),
      refuse,
    }),
  ],
});

/** `userid_sec` of a user, for /openid/userinfo; undefined where this backend does not answer AURORA. */
export function auroraUserIds(
  platforms: readonly { readonly platform: { readonly id: string }; readonly settings: unknown }[],
): ((user: User) => readonly string[]) | undefined {
  const found = platforms.find(({ platform: { id } }) => id === aurora.id);
  return found && ((user) => userIdsOf(user, found.settings as Settings));
}
