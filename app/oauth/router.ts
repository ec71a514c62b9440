/** The authorization server's own routes: forms in, JSON out. The pages are in app/oauth/pages.ts. */
import { type Request, type RequestHandler, type Response, Router } from 'express';
import type passport from 'passport';
import { type Answer, json, writeAnswer } from '../http/answer.ts';
import { BadRequest, readBody } from '../http/body.ts';
import { clientAuthentication, type FormRequest } from './client-authentication.ts';
import { authorizeDevice } from './device-authorization.ts';
import { errorAnswer, OAuthError } from './errors.ts';
import { type Client, grantTypes } from './grants.ts';
import { introspect, revoke, type TokenDesk } from './introspection.ts';
import type { PublicKeys } from './keys.ts';
import { type Parameters, singleParameters } from './parameters.ts';
import { everyScope } from './scopes.ts';
import { authenticate } from './strategy.ts';
import { type TokenServices, token } from './token-endpoint.ts';

export const paths = {
  authorize: '/oauth/authorize',
  token: '/oauth/token',
  introspect: '/oauth/introspect',
  revoke: '/oauth/revoke',
  deviceAuthorization: '/oauth/device_authorization',
  device: '/device',
  jwks: '/.well-known/jwks.json',
  metadata: '/.well-known/oauth-authorization-server',
} as const;

/** RFC 8414. Says what is so. */
export const metadata = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}${paths.authorize}`,
  token_endpoint: `${issuer}${paths.token}`,
  introspection_endpoint: `${issuer}${paths.introspect}`,
  revocation_endpoint: `${issuer}${paths.revoke}`,
  device_authorization_endpoint: `${issuer}${paths.deviceAuthorization}`,
  jwks_uri: `${issuer}${paths.jwks}`,
  scopes_supported: everyScope,
  response_types_supported: ['code'],
  response_modes_supported: ['query'],
  grant_types_supported: grantTypes,
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
  introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  revocation_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
});

/** The form of the request; any other body is invalid_request (RFC 6749 §3.2). */
async function formOf(request: Request, response: Response): Promise<Parameters> {
  const mediaType = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType !== 'application/x-www-form-urlencoded') {
    throw new OAuthError('invalid_request', 'Send application/x-www-form-urlencoded.');
  }
  try {
    const body = await readBody(request, response, 'any');
    return singleParameters((body ?? {}) as Record<string, unknown>);
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    const status = error.status === 413 ? 413 : 400;
    throw new OAuthError('invalid_request', error.message, undefined, status);
  }
}

/** Writes the answer, or the OAuth error that was thrown; anything else goes to the fault handler. */
export const answering =
  (handle: (request: Request, response: Response) => Answer | Promise<Answer>): RequestHandler =>
  async (request, response) => {
    try {
      writeAnswer(response, await handle(request, response));
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      writeAnswer(response, errorAnswer(error));
    }
  };

/** For a path that is ours, with another method. */
export const onlyMethods = (allow: string): RequestHandler =>
  answering(() =>
    json(405, { error: 'invalid_request', error_description: `Use ${allow}.` }, { Allow: allow }),
  );

export type OAuthServices = TokenServices &
  TokenDesk & { readonly publicKeys: () => Promise<PublicKeys> };

export function oauthRouter(
  authenticator: passport.Authenticator,
  services: OAuthServices,
): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const { findClient } = services.grants;

  /** An endpoint that a client calls with a form. */
  const forClients = (
    path: string,
    handle: (client: Client, parameters: Parameters) => Promise<Answer>,
    { publicClients = true } = {},
  ) => {
    const byClient = clientAuthentication(findClient, { publicClients });
    const endpoint = answering(async (request, response) => {
      const form = await formOf(request, response);
      Object.assign(request, { form } satisfies Partial<FormRequest>);
      const found = await authenticate<Client>(authenticator, byClient, request, response);
      if ('challenge' in found) {
        throw new OAuthError('invalid_client', 'Client authentication failed.', found.challenge);
      }
      return handle(found.principal, form);
    });
    router.route(path).post(endpoint).all(onlyMethods('POST'));
  };

  forClients(paths.token, (client, form) => token(client, form, services));
  forClients(paths.introspect, (_client, form) => introspect(form, services), {
    publicClients: false,
  });
  forClients(paths.revoke, (client, form) => revoke(client, form, services));
  const verificationUri = `${services.issuer}${paths.device}`;
  forClients(paths.deviceAuthorization, (client, form) =>
    authorizeDevice(client, form, { ...services, verificationUri }),
  );

  router
    .route(paths.metadata)
    .get(answering(() => json(200, metadata(services.issuer))))
    .all(onlyMethods('GET, HEAD'));

  router
    .route(paths.jwks)
    .get(answering(async () => json(200, await services.publicKeys())))
    .all(onlyMethods('GET, HEAD'));

  return router;
}
