/**
 * `GET|POST /openid/userinfo`: who the token is of, flat (OpenID Connect Core §5.3). `Authorization: Bearer` only.
 *
 *   200 {"sub":"1","name":"Test One","preferred_username":"test1","email":"test1@example.com","email_verified":false,
 *        "https://n.feide.no/claims/userid_sec":["feide:test1@users.invalid"]}
 *
 * `sub` for scope openid; `name`, `preferred_username` and `picture` for profile, `email` and `email_verified` for email
 * (§5.4); Feide's claim for userid-feide, where this backend answers AURORA. `picture` and `email_verified` are those of the
 * user's profile: nobody is verified unless it says so.
 */
import { type Request, type Response, Router } from 'express';
import type passport from 'passport';
import { z } from 'zod';
import { type Answer, json } from '../http/answer.ts';
import type { Described } from '../http/endpoint.ts';
import { noteVerdict } from '../http/request-log.ts';
import { answering, onlyMethods } from '../oauth/router.ts';
import { scopes } from '../oauth/scopes.ts';
import { authenticate, strategy } from '../oauth/strategy.ts';
import { decideToken } from '../verification/decide.ts';
import type { User } from '../verification/verdict.ts';
import type { TokenStore } from '../verification/verify.ts';

export type UserinfoServices = {
  readonly findToken: TokenStore['findToken'];
  readonly now: () => Date;
  /** How the world reaches this server, without a trailing slash. */
  readonly issuer: string;
  /** The user names that AURORA is told; undefined where it is not answered. */
  readonly userIds: ((user: User) => readonly string[]) | undefined;
};

const path = '/openid/userinfo';

const realm = 'Bearer realm="partner-idp-kit"';

/** RFC 6750 §3. */
const challenge = (error: string, description: string) =>
  `${realm}, error="${error}", error_description="${description}"`;

type Bearer = { readonly user: User; readonly scope: readonly string[] };

/** RFC 6750 §2.1. A token in the query or in a form is not looked at. */
const bearer = ({ findToken, now, issuer }: UserinfoServices, response: Response) =>
  strategy<Bearer>('bearer', async ({ headers: { authorization } }) => {
    if (authorization === undefined || !/^Bearer( |$)/i.test(authorization)) {
      return { challenge: realm };
    }
    const token = /^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization)?.[1];
    if (token === undefined) {
      return { challenge: challenge('invalid_request', 'The header has no well-formed token.') };
    }
    const asked = { scope: scopes.openid, resource: `${issuer}${path}` };
    const verdict = decideToken(await findToken(token), asked, now());
    noteVerdict(response, verdict);
    if (verdict.accepted) {
      return { principal: { user: verdict.user, scope: verdict.issued?.scope ?? [] } };
    }
    return {
      challenge:
        verdict.because === 'insufficient-scope'
          ? `${challenge('insufficient_scope', 'The token has not the scope for this.')}, scope="${scopes.openid}"`
          : challenge('invalid_token', 'The token is not good, or not any more.'),
    };
  });

/** RFC 6750 §3.1. Without any token, nothing is said of what is wrong. */
const statuses: Readonly<Record<string, number>> = {
  invalid_request: 400,
  insufficient_scope: 403,
};

function refusal(said: string): Answer {
  const [, error, description] = /error="([^"]+)", error_description="([^"]+)"/.exec(said) ?? [];
  return json(
    statuses[String(error)] ?? 401,
    { error: error ?? 'invalid_token', error_description: description ?? 'Send a bearer token.' },
    { 'WWW-Authenticate': said },
  );
}

function claims(user: User, scope: readonly string[], userIds: UserinfoServices['userIds']) {
  const { uid, login, name, email, profile } = user;
  const { picture, email_verified } = profile;
  return {
    sub: String(uid),
    ...(scope.includes(scopes.profile) && {
      name,
      preferred_username: login,
      picture: typeof picture === 'string' ? picture : undefined,
    }),
    ...(scope.includes(scopes.email) &&
      email !== undefined && { email, email_verified: email_verified === true }),
    ...(scope.includes(scopes.useridFeide) &&
      userIds && { 'https://n.feide.no/claims/userid_sec': userIds(user) }),
  };
}

const refused = z.object({ error: z.string(), error_description: z.string() });

export const userinfoReference: Described = {
  path,
  methods: ['GET', 'POST'],
  accepts: 'form',
  reference: {
    summary: 'Who is the token of? (OpenID Connect Core §5.3)',
    text: 'In the `Authorization` header only.',
    security: [{ bearer: [] }, { oauth2: [scopes.openid] }],
    answers: {
      200: {
        text: 'The claims that the scope of the token allows.',
        body: z.object({
          sub: z.string().describe('Our uid.'),
          name: z.string().optional(),
          preferred_username: z.string().optional(),
          picture: z.string().optional(),
          email: z.string().optional(),
          email_verified: z.boolean().optional(),
          'https://n.feide.no/claims/userid_sec': z.array(z.string()).optional(),
        }),
      },
      400: { text: 'The header is broken.', body: refused },
      401: { text: 'There is no token, or it is not good.', body: refused },
      403: { text: `The token has not the scope ${scopes.openid}.`, body: refused },
    },
  },
};

export function userinfoRouter(
  authenticator: passport.Authenticator,
  services: UserinfoServices,
): Router {
  const userinfo = async (request: Request, response: Response) => {
    const by = bearer(services, response);
    const found = await authenticate<Bearer>(authenticator, by, request, response);
    if ('challenge' in found) return refusal(found.challenge);
    const { user, scope } = found.principal;
    return json(200, claims(user, scope, services.userIds));
  };
  const router = Router({ caseSensitive: true, strict: true });
  router
    .route(path)
    .get(answering(userinfo))
    .post(answering(userinfo))
    .all(onlyMethods('GET, HEAD, POST'));
  return router;
}
