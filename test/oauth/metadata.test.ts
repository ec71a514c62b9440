/** RFC 8414: what the server says of itself, and that it is so. And the methods that its paths answer to. */
import { type Backend, startBackend } from '../support/backend.ts';
import {
  allow,
  basic,
  partner,
  phoneApp,
  pkce,
  post,
  receive,
  redeeming,
  register,
} from '../support/oauth.ts';
import { mint } from '../support/tokens.ts';

let backend: Backend;
let issued: string;
let metadata: Record<string, unknown>;

beforeAll(async () => {
  backend = await startBackend();
  issued = await register(backend, partner);
  await register(backend, phoneApp);
  const url = `${backend.url}/.well-known/oauth-authorization-server`;
  metadata = (await receive(fetch(url))).body;
});

afterAll(() => backend.stop());

test('the document', () => {
  const issuer = backend.url;
  expect(metadata).toEqual({
    issuer,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    token_endpoint: `${issuer}/oauth/token`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    device_authorization_endpoint: `${issuer}/oauth/device_authorization`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    scopes_supported: ['verify', 'openid', 'profile', 'email', 'userid-feide'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: [
      'authorization_code',
      'refresh_token',
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:device_code',
    ],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    revocation_endpoint_auth_methods_supported: [
      'client_secret_basic',
      'client_secret_post',
      'none',
    ],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  });
});

/** How a client can authenticate, and the status that the endpoint answers with. */
const methods = {
  client_secret_basic: (path: string, form: Record<string, string>) =>
    post(backend, path, form, { authorization: basic('partner', issued) }),
  client_secret_post: (path: string, form: Record<string, string>) =>
    post(backend, path, { ...form, client_id: 'partner', client_secret: issued }),
  none: (path: string, form: Record<string, string>) =>
    post(backend, path, { ...form, client_id: 'phone-app' }),
};

test.each([
  ['token', 'client_secret_basic', 200],
  ['token', 'client_secret_post', 200],
  ['token', 'none', 200],
  ['introspection', 'client_secret_basic', 200],
  ['introspection', 'client_secret_post', 200],
  ['introspection', 'none', 401],
  ['revocation', 'client_secret_basic', 200],
  ['revocation', 'client_secret_post', 200],
  ['revocation', 'none', 200],
] as const)('%s endpoint, %s: %i', async (endpoint, method, expected) => {
  const url = new URL(String(metadata[`${endpoint}_endpoint`]));
  const advertised = metadata[`${endpoint}_endpoint_auth_methods_supported`] as string[];
  expect(advertised.includes(method)).toBe(expected === 200);

  const client = method === 'none' ? phoneApp : partner;
  const code = redeeming(await allow(backend, { client }));
  const form = endpoint === 'token' ? code : { token: await mint(backend, 'test1') };
  expect((await methods[method](url.pathname, form)).status).toBe(expected);
});

test('every grant type is known, others are not', async () => {
  const errorOf = async (grant_type: string) =>
    (await methods.client_secret_basic('/oauth/token', { grant_type })).body['error'];
  for (const grantType of metadata['grant_types_supported'] as string[]) {
    // Known; what else it needs is missing, or nothing is.
    expect([undefined, 'invalid_request']).toContain(await errorOf(grantType));
  }
  for (const other of [
    'password',
    'implicit',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'urn:ietf:params:oauth:grant-type:token-exchange',
    'urn:openid:params:grant-type:ciba',
  ]) {
    expect(await errorOf(other)).toBe('unsupported_grant_type');
  }
});

test('a JWT or a certificate authenticates nobody', async () => {
  const { status } = await post(backend, '/oauth/token', {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: 'e30.e30.',
  });
  expect(status).toBe(401);
});

test('S256 is the only challenge method: the verifier is hashed', async () => {
  const code = await allow(backend, { codeChallenge: pkce.verifier });
  const { body } = await methods.client_secret_basic('/oauth/token', redeeming(code));
  expect(body['error']).toBe('invalid_grant');
});

const send = (method: string, path: string) => receive(fetch(`${backend.url}${path}`, { method }));

test.each(['/oauth/token', '/oauth/introspect', '/oauth/revoke', '/oauth/device_authorization'])(
  '%s is for POST',
  async (path) => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const { status, headers, text } = await send(method, path);
      expect([method, status, headers.get('allow')]).toEqual([method, 405, 'POST']);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-length')).toBe('59');
      if (method !== 'HEAD') {
        expect(text).toBe('{"error":"invalid_request","error_description":"Use POST."}');
      }
    }
  },
);

test('the document is for GET and HEAD', async () => {
  const path = '/.well-known/oauth-authorization-server';
  const head = await send('HEAD', path);
  const got = await send('GET', path);
  expect([head.status, head.text]).toEqual([200, '']);
  expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(got.text)));
  expect(got.headers.get('cache-control')).toBe('no-store');
  expect(got.headers.get('content-type')).toBe('application/json; charset=utf-8');
  const posted = await send('POST', path);
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test.each(['/oauth/token/', '/OAuth/token', '/oauth', '/oauth/Token'])(
  '%s is not there',
  async (path) => {
    expect((await send('POST', path)).status).toBe(404);
  },
);
