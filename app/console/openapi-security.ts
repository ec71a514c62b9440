import type { SecurityScheme } from '../http/endpoint.ts';
import { metadata } from '../oauth/router.ts';
import { everyScope } from '../oauth/scopes.ts';

type Scheme = Readonly<Record<string, unknown>> & {
  readonly type: 'http' | 'apiKey' | 'oauth2';
  /** Of an `apiKey`. */
  readonly in?: 'header' | 'query';
  readonly name?: string;
};

/** How a request can show who sends it. @param issuer how the world reaches this server */
export function securitySchemes(issuer: string): Record<SecurityScheme, Scheme> {
  const {
    authorization_endpoint: authorizationUrl,
    token_endpoint: tokenUrl,
    device_authorization_endpoint: deviceAuthorizationUrl,
  } = metadata(issuer);
  const scopes = Object.fromEntries(everyScope.map((name) => [name, `The scope ${name}.`]));
  return {
    bearer: {
      type: 'http',
      scheme: 'bearer',
      description: 'An access token of ours, in the header (RFC 6750 §2.1).',
    },
    oauth2: {
      type: 'oauth2',
      description: `An access token of ours, asked for first. Devices without a browser begin at \`${deviceAuthorizationUrl}\` (RFC 8628).`,
      flows: {
        authorizationCode: { authorizationUrl, tokenUrl, refreshUrl: tokenUrl, scopes },
        clientCredentials: { tokenUrl, scopes },
      },
      // A flow from OpenAPI 3.2 on.
      'x-deviceAuthorization': { deviceAuthorizationUrl, tokenUrl, scopes },
    },
    client: {
      type: 'http',
      scheme: 'basic',
      description:
        'An OAuth client: its id and secret, form-encoded (RFC 6749 §2.3.1). They may stand in the form instead.',
    },
    caller: {
      type: 'http',
      scheme: 'basic',
      description: 'The platform itself: the API key and secret that its dashboard was given.',
    },
    authToken: {
      type: 'apiKey',
      in: 'header',
      name: 'auth-token',
      description: 'A client token, as /auth/oauth_callback gives it to an App. Goes before `jwt`.',
    },
    jwt: {
      type: 'apiKey',
      in: 'query',
      name: 'jwt',
      description: 'The same, in the query.',
    },
  };
}
