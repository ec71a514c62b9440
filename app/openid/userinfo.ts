/**
 * `GET|POST /openid/userinfo`: who the token is of, flat (OpenID Connect Core §5.3). `Authorization: Bearer` only.
 *
 *   200 {"sub":"1","name":"Test One","preferred_username":"test1","email":"test1@example.com"}
 *
 * `sub` for scope openid; name and preferred_username for profile, email for email (§5.4).
 */
import { type Request, type Response, Router } from 'express';
import type passport from 'passport';
import { type Answer, json } from '../http/answer.ts';
import { noteVerdict } from '../http/request-log.ts';
import { answering, onlyMethods } from '../oauth/router.ts';
import { scopes } from '../oauth/scopes.ts';
import { authenticate, strategy } from '../oauth/strategy.ts';
import { decideToken, type TokenFacts } from '../verification/decide.ts';
import type { User } from '../verification/verdict.ts';
import type { TokenStore } from '../verification/verify.ts';

export type UserinfoServices = {
  readonly findToken: TokenStore['findToken'];
  readonly now: () => Date;
};

const realm = 'Bearer realm="partner-idp-kit"';

/** RFC 6750 §3. */
const challenge = (error: string, description: string) =>
  `${realm}, error="${error}", error_description="${description}"`;

type Bearer = { readonly user: User; readonly scope: readonly string[] };

/** RFC 6750 §2.1. A token in the query or in a form is not looked at. */
const bearer = ({ findToken, now }: UserinfoServices, response: Response) =>
  strategy<Bearer>('bearer', async ({ headers: { authorization } }) => {
    if (authorization === undefined || !/^Bearer( |$)/i.test(authorization)) {
      return { challenge: realm };
    }
    const token = /^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization)?.[1];
    if (token === undefined) {
      return { challenge: challenge('invalid_request', 'The header has no well-formed token.') };
    }
    const found: TokenFacts | undefined = await findToken(token);
    const verdict = decideToken(found, scopes.openid, now());
    noteVerdict(response, verdict);
    if (verdict.accepted) return { principal: { user: verdict.user, scope: found?.scope ?? [] } };
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

const claims = ({ uid, login, name, email }: User, scope: readonly string[]) => ({
  sub: String(uid),
  ...(scope.includes(scopes.profile) ? { name, preferred_username: login } : {}),
  ...(scope.includes(scopes.email) ? { email } : {}),
});

export function userinfoRouter(
  authenticator: passport.Authenticator,
  services: UserinfoServices,
): Router {
  const userinfo = async (request: Request, response: Response) => {
    const by = bearer(services, response);
    const found = await authenticate<Bearer>(authenticator, by, request, response);
    if ('challenge' in found) return refusal(found.challenge);
    return json(200, claims(found.principal.user, found.principal.scope));
  };
  const router = Router({ caseSensitive: true, strict: true });
  router
    .route('/openid/userinfo')
    .get(answering(userinfo))
    .post(answering(userinfo))
    .all(onlyMethods('GET, HEAD, POST'));
  return router;
}
