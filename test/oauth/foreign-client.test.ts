/** Every grant, introspection and revocation with oauth4webapi, a client that we did not write and that checks our answers. */
import * as oauth from 'oauth4webapi';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { isGood, partner, pass, phoneApp, redirectUri, register } from '../support/oauth.ts';
import { formOf, visitor } from '../support/visitor.ts';

let backend: Backend;
let server: oauth.AuthorizationServer;
let issued: string;

/** The tests' server speaks plain http. */
const insecure = { [oauth.allowInsecureRequests]: true };
const us: oauth.Client = { client_id: partner.id };

beforeAll(async () => {
  backend = await startBackend();
  issued = await register(backend, partner);
  await register(backend, phoneApp);
  const issuer = new URL(backend.url);
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
  server = await oauth.processDiscoveryResponse(issuer, response);
});

afterAll(() => backend.stop());

const noted = (tokens: oauth.TokenEndpointResponse) => {
  secret(tokens.access_token);
  if (tokens.refresh_token) secret(tokens.refresh_token);
  return tokens;
};

/** What the redirect brings, when test1 has signed in and allowed it. */
async function callback(codeVerifier: string) {
  const request = new URL(String(server.authorization_endpoint));
  request.search = new URLSearchParams({
    response_type: 'code',
    client_id: us.client_id,
    redirect_uri: redirectUri,
    scope: 'verify profile',
    state: 'the state',
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  }).toString();
  const browser = visitor(backend);
  await browser.signIn('test1');
  const consent = await browser.get(`${request.pathname}${request.search}`);
  const form = { ...formOf(consent.text, request.pathname), decision: 'allow' };
  const { location } = await browser.post(request.pathname, form);
  return oauth.validateAuthResponse(server, us, new URL(String(location)), 'the state');
}

describe.each([
  ['client_secret_basic', oauth.ClientSecretBasic],
  ['client_secret_post', oauth.ClientSecretPost],
])('%s', (_, authentication) => {
  const asUs = () => authentication(issued);

  async function signIn() {
    const verifier = secret(oauth.generateRandomCodeVerifier());
    const parameters = await callback(verifier);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      us,
      asUs(),
      parameters,
      redirectUri,
      verifier,
      insecure,
    );
    return noted(await oauth.processAuthorizationCodeResponse(server, us, response));
  }

  test('authorization code with PKCE, then refresh', async () => {
    const first = await signIn();
    expect(first.scope).toBe('verify profile');
    expect(await isGood(backend, first.access_token)).toBe(true);
    const response = await oauth.refreshTokenGrantRequest(
      server,
      us,
      asUs(),
      String(first.refresh_token),
      insecure,
    );
    const second = noted(await oauth.processRefreshTokenResponse(server, us, response));
    expect(await isGood(backend, second.access_token)).toBe(true);
  });

  test('client credentials, introspected', async () => {
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      us,
      asUs(),
      { scope: 'verify' },
      insecure,
    );
    const { access_token: token } = noted(
      await oauth.processClientCredentialsResponse(server, us, response),
    );
    const asked = await oauth.introspectionRequest(server, us, asUs(), token, insecure);
    const found = await oauth.processIntrospectionResponse(server, us, asked);
    expect(found).toMatchObject({ active: true, client_id: 'partner', scope: 'verify' });
  });

  test('revocation', async () => {
    const { access_token: token } = await signIn();
    const response = await oauth.revocationRequest(server, us, asUs(), token, insecure);
    await oauth.processRevocationResponse(response);
    const asked = await oauth.introspectionRequest(server, us, asUs(), token, insecure);
    expect(await oauth.processIntrospectionResponse(server, us, asked)).toEqual({ active: false });
  });

  test('a refusal is read as one', async () => {
    const response = await oauth.refreshTokenGrantRequest(server, us, asUs(), 'gone', insecure);
    await expect(oauth.processRefreshTokenResponse(server, us, response)).rejects.toMatchObject({
      code: oauth.RESPONSE_BODY_ERROR,
      error: 'invalid_grant',
      status: 400,
    });
  });
});

test('a wrong secret is read as a challenge', async () => {
  const wrong = oauth.ClientSecretBasic(secret('not-the-secret-of-anybody'));
  const response = await oauth.clientCredentialsGrantRequest(server, us, wrong, {}, insecure);
  await expect(oauth.processClientCredentialsResponse(server, us, response)).rejects.toMatchObject({
    code: oauth.WWW_AUTHENTICATE_CHALLENGE,
    status: 401,
  });
});

test('the device grant of a public client', async () => {
  const phone: oauth.Client = { client_id: phoneApp.id };
  const started = await oauth.deviceAuthorizationRequest(
    server,
    phone,
    oauth.None(),
    { scope: 'verify' },
    insecure,
  );
  const device = await oauth.processDeviceAuthorizationResponse(server, phone, started);
  secret(device.device_code);
  const poll = async () => {
    const response = await oauth.deviceCodeGrantRequest(
      server,
      phone,
      oauth.None(),
      device.device_code,
      insecure,
    );
    return oauth.processDeviceCodeResponse(server, phone, response);
  };
  await expect(poll()).rejects.toMatchObject({ error: 'authorization_pending' });
  const grant = { clientId: phoneApp.id, uid: 1, scope: ['verify'], resource: undefined };
  await backend.services.grants.allowDevice(secret(device.user_code), grant);
  pass(backend, device.interval ?? 0);
  const tokens = noted(await poll());
  expect(await isGood(backend, tokens.access_token)).toBe(true);
});
