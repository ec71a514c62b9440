/** POST /oauth/token: authorization_code, refresh_token, client_credentials. */
import { createDirectory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import {
  allow,
  basic,
  isGood,
  oldServer,
  partner,
  pass,
  phoneApp,
  pkce,
  post,
  redeeming,
  redirectUri,
  refreshing,
  register,
  tokenRequest,
} from '../support/oauth.ts';

const invalidGrant =
  '{"error":"invalid_grant","error_description":"The code or token is unknown, expired, revoked, used, or not yours."}';

const week = 7 * 24 * 3600;

let backend: Backend;
const us = { id: partner.id, secret: '' };
const old = { id: oldServer.id, secret: '' };
const phone = { id: phoneApp.id, secret: '' };

beforeAll(async () => {
  backend = await startBackend({ REFRESH_TOKEN_TTL: String(2 * week) });
  us.secret = await register(backend, partner);
  old.secret = await register(backend, oldServer);
  await register(backend, phoneApp);
});

afterAll(() => backend.stop());

const redeem = (code: string, changed: Record<string, string> = {}) =>
  tokenRequest(backend, us, { ...redeeming(code), ...changed });

const refresh = (token: unknown, changed: Record<string, string> = {}) =>
  tokenRequest(backend, us, { ...refreshing(token), ...changed });

/** Tokens of a fresh grant. */
const tokens = async (options: Parameters<typeof allow>[1] = {}) =>
  (await redeem(await allow(backend, options))).body;

const directory = () =>
  createDirectory(backend.services.database, backend.services.passwords, 'test');

describe('authorization_code', () => {
  test('a code becomes an access and a refresh token', async () => {
    const { status, headers, body } = await redeem(await allow(backend));
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('pragma')).toBe('no-cache');
    expect(body).toEqual({
      access_token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'verify profile',
      refresh_token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    });
    expect(await isGood(backend, body['access_token'])).toBe(true);
  });

  test('a client without the refresh_token grant gets no refresh token', async () => {
    const uri = 'https://old.example/cgi-bin/login';
    const code = await allow(backend, {
      client: oldServer,
      redirectUri: uri,
      codeChallenge: undefined,
    });
    const form = { grant_type: 'authorization_code', code, redirect_uri: uri };
    const { status, body } = await tokenRequest(backend, old, form);
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'profile email',
    });
  });

  test.each([
    ['no verifier', { code_verifier: '' }],
    ['a wrong verifier', { code_verifier: 'x'.repeat(43) }],
    ['a verifier that is too short', { code_verifier: 'x'.repeat(42) }],
    ['the challenge for a verifier (plain)', { code_verifier: pkce.challenge }],
    ['no redirect URI', { redirect_uri: '' }],
    ['another redirect URI', { redirect_uri: 'https://partner.example/callback?tenant=2' }],
    ['another writing of the redirect URI', { redirect_uri: redirectUri.toUpperCase() }],
    ['an unknown code', { code: 'x'.repeat(43) }],
  ])('%s: refused, and the code is still good', async (_, wrong) => {
    const code = await allow(backend);
    const { status, text } = await redeem(code, wrong as unknown as Record<string, string>);
    expect([status, text]).toEqual([400, invalidGrant]);
    expect((await redeem(code)).status).toBe(200);
  });

  test('a verifier for a code without a challenge: refused (RFC 9700 §4.8.2)', async () => {
    const code = await allow(backend, { codeChallenge: undefined });
    expect((await redeem(code)).text).toBe(invalidGrant);
    expect((await redeem(code, { code_verifier: '' })).status).toBe(200);
  });

  test('a redirect URI that was not in the authorization request: refused', async () => {
    const code = await allow(backend, { redirectUri: undefined });
    expect((await redeem(code)).text).toBe(invalidGrant);
    expect((await redeem(code, { redirect_uri: '' })).status).toBe(200);
  });

  test("another client's code: refused, and its owner can still redeem it", async () => {
    const code = await allow(backend);
    expect((await tokenRequest(backend, phone, redeeming(code))).text).toBe(invalidGrant);
    expect((await redeem(code)).status).toBe(200);
  });

  test('expires exactly now: refused; a moment earlier it is good', async () => {
    const early = await allow(backend);
    const late = await allow(backend);
    pass(backend, 59.999);
    expect((await redeem(early)).status).toBe(200);
    pass(backend, 0.001);
    expect((await redeem(late)).text).toBe(invalidGrant);
  });

  test('used twice: refused, and everything that came of it ends', async () => {
    const code = await allow(backend);
    const first = (await redeem(code)).body;
    const second = (await refresh(first['refresh_token'])).body;
    expect(await isGood(backend, first['access_token'])).toBe(true);
    expect(await isGood(backend, second['access_token'])).toBe(true);

    expect((await redeem(code)).text).toBe(invalidGrant);
    expect(await isGood(backend, first['access_token'])).toBe(false);
    expect(await isGood(backend, second['access_token'])).toBe(false);
    expect((await refresh(second['refresh_token'])).text).toBe(invalidGrant);
  });

  test('used twice, the second time after it expired: the same', async () => {
    const code = await allow(backend);
    const { body } = await redeem(code);
    pass(backend, 61);
    expect((await redeem(code)).text).toBe(invalidGrant);
    expect(await isGood(backend, body['access_token'])).toBe(false);
  });

  test.each(['test4', 'in-suspended-group'])('a code of %s, who is shut out', async (login) => {
    expect((await redeem(await allow(backend, { login }))).text).toBe(invalidGrant);
  });

  test('a resource that was not granted', async () => {
    const code = await allow(backend, { resource: 'https://api.example/' });
    const { status, body } = await redeem(code, { resource: 'https://other.example/' });
    expect([status, body['error']]).toEqual([400, 'invalid_target']);
    expect((await redeem(code, { resource: 'https://api.example/' })).status).toBe(200);
  });
});

describe('refresh_token', () => {
  test('rotates: new tokens, and the earlier access token stays good', async () => {
    const before = await tokens();
    const { status, headers, body } = await refresh(before['refresh_token']);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      access_token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'verify profile',
      refresh_token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    });
    expect(body['refresh_token']).not.toBe(before['refresh_token']);
    expect(await isGood(backend, body['access_token'])).toBe(true);
    expect(await isGood(backend, before['access_token'])).toBe(true);
  });

  test('used twice: refused, and everything that came of it ends', async () => {
    const first = await tokens();
    const second = (await refresh(first['refresh_token'])).body;
    const third = (await refresh(second['refresh_token'])).body;
    expect((await refresh(first['refresh_token'])).text).toBe(invalidGrant);
    for (const { access_token: token } of [first, second, third]) {
      expect(await isGood(backend, token)).toBe(false);
    }
    expect((await refresh(third['refresh_token'])).text).toBe(invalidGrant);
  });

  test('the clock of another process is behind: used is used', async () => {
    const first = await tokens();
    const second = (await refresh(first['refresh_token'])).body;
    pass(backend, -5);
    expect((await refresh(first['refresh_token'])).text).toBe(invalidGrant);
    expect(await isGood(backend, second['access_token'])).toBe(false);
  });

  test('less scope for once; more is refused, and burns nothing', async () => {
    const { refresh_token: token } = await tokens();
    const refused = await refresh(token, { scope: 'verify email' });
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_scope']);

    const less = await refresh(token, { scope: 'profile' });
    expect(less.body['scope']).toBe('profile');
    expect(await isGood(backend, less.body['access_token'])).toBe(false);

    const all = await refresh(less.body['refresh_token']);
    expect(all.body['scope']).toBe('verify profile');
  });

  test('the absolute limit: rotation does not move it', async () => {
    const start = backend.clock.now;
    let { refresh_token: token } = await tokens();
    pass(backend, week);
    token = (await refresh(token)).body['refresh_token'];
    pass(backend, week - 0.001);
    token = (await refresh(token)).body['refresh_token'];
    expect(token).toEqual(expect.any(String));
    pass(backend, 0.001);
    expect(backend.clock.now.getTime() - start.getTime()).toBe(2 * week * 1000);
    expect((await refresh(token)).text).toBe(invalidGrant);
  });

  test("another client's refresh token: refused, and still good for its owner", async () => {
    const { refresh_token: token } = await tokens();
    expect((await tokenRequest(backend, phone, refreshing(token))).text).toBe(invalidGrant);
    expect((await refresh(token)).status).toBe(200);
  });

  test('an access token is no refresh token', async () => {
    const { access_token: token } = await tokens();
    expect((await refresh(token)).text).toBe(invalidGrant);
  });

  test('a resource that was not granted burns nothing', async () => {
    const { refresh_token: token } = await tokens();
    const refused = await refresh(token, { resource: 'https://api.example/' });
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_target']);
    expect((await refresh(token)).status).toBe(200);
  });

  test('a user who is suspended meanwhile, and let in again', async () => {
    const { refresh_token: token } = await tokens({ login: 'test2' });
    await directory().setUserStatus('test2', 'suspended');
    expect((await refresh(token)).text).toBe(invalidGrant);
    await directory().setUserStatus('test2', 'active');
    expect((await refresh(token)).status).toBe(200);
  });

  test("the user's group is suspended meanwhile", async () => {
    const { refresh_token: token } = await tokens({ login: 'test3' });
    await directory().setGroupStatus('Dev 02', 'suspended');
    expect((await refresh(token)).text).toBe(invalidGrant);
    await directory().setGroupStatus('Dev 02', 'active');
    expect((await refresh(token)).status).toBe(200);
  });
});

describe('refresh_token with REFRESH_TOKEN_GRACE=10', () => {
  let gracious: Backend;
  const them = { id: partner.id, secret: '' };
  beforeAll(async () => {
    gracious = await startBackend({ REFRESH_TOKEN_GRACE: '10' });
    them.secret = await register(gracious, partner);
  });
  afterAll(() => gracious.stop());

  const start = async () =>
    (await tokenRequest(gracious, them, redeeming(await allow(gracious)))).body;
  const again = (token: unknown) => tokenRequest(gracious, them, refreshing(token));

  test('an app that lost the answer asks once more', async () => {
    const { refresh_token: token } = await start();
    const lost = (await again(token)).body;
    pass(gracious, 9.999);
    const { status, body } = await again(token);
    expect(status).toBe(200);
    expect(await isGood(gracious, body['access_token'])).toBe(true);
    expect(await isGood(gracious, lost['access_token'])).toBe(true);
  });

  test('but not a third time', async () => {
    const { refresh_token: token } = await start();
    await again(token);
    const { body } = await again(token);
    expect((await again(token)).text).toBe(invalidGrant);
    expect(await isGood(gracious, body['access_token'])).toBe(false);
  });

  test('nor when the grace is over', async () => {
    const { refresh_token: token } = await start();
    const { body } = await again(token);
    pass(gracious, 10);
    expect((await again(token)).text).toBe(invalidGrant);
    expect(await isGood(gracious, body['access_token'])).toBe(false);
  });
});

describe('client_credentials', () => {
  const own = (changed: Record<string, string> = {}) =>
    tokenRequest(backend, us, { grant_type: 'client_credentials', ...changed });

  test('a token of the client itself, without a refresh token; it speaks for no user', async () => {
    const { status, body } = await own({ scope: 'verify' });
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'verify',
    });
    expect(await isGood(backend, body['access_token'])).toBe(false);
  });

  test.each([
    ['a fragment', 'https://api.example/#x'],
    ['not absolute', '/api'],
    ['a NUL', 'https://api.example/\0'],
  ])('a resource with %s', async (_, resource) => {
    const { status, body } = await own({ resource });
    expect([status, body['error']]).toEqual([400, 'invalid_target']);
  });

  test('a public client, even one that is registered for it', async () => {
    const grantTypes = { set: ['client_credentials'] };
    await backend.services.database.prisma.client.create({
      data: {
        id: 'odd',
        name: 'Odd',
        scope: 'verify',
        redirectUris: [],
        grantTypes: grantTypes.set,
      },
    });
    const { status, body } = await post(backend, '/oauth/token', {
      client_id: 'odd',
      grant_type: 'client_credentials',
    });
    expect([status, body['error']]).toEqual([400, 'unauthorized_client']);
  });
});

describe('the request', () => {
  const path = '/oauth/token';

  test.each(['password', 'implicit', 'Client_Credentials', 'constructor', '__proto__'])(
    'grant_type=%s',
    async (grant_type) => {
      const form = { grant_type, username: 'test1', password: 'test1' };
      const { status, body } = await tokenRequest(backend, us, form);
      expect([status, body['error']]).toEqual([400, 'unsupported_grant_type']);
    },
  );

  test('a grant type that the client is not registered for', async () => {
    const form = { grant_type: 'client_credentials' };
    const { status, body } = await tokenRequest(backend, old, form);
    expect([status, body['error']]).toEqual([400, 'unauthorized_client']);
  });

  test.each([
    ['none', {}],
    ['an empty one', { grant_type: '' }],
  ])('a grant type is missing: %s', async (_, form) => {
    const { status, text } = await tokenRequest(backend, us, form as Record<string, string>);
    expect(status).toBe(400);
    expect(text).toBe('{"error":"invalid_request","error_description":"grant_type is missing."}');
  });

  test.each([
    ['grant_type', 'grant_type=client_credentials&grant_type=client_credentials'],
    ['client_id', 'grant_type=client_credentials&client_id=partner&client_id=partner'],
    ['scope', 'grant_type=client_credentials&scope=verify&scope='],
    ['a name we do not know', 'grant_type=client_credentials&x=1&x=2'],
    ['__proto__', 'grant_type=client_credentials&__proto__=1&__proto__=2'],
  ])('%s occurs twice', async (_, form) => {
    const { status, body } = await post(backend, path, form, {
      authorization: basic('partner', us.secret),
    });
    expect([status, body['error']]).toEqual([400, 'invalid_request']);
  });

  test('empty parameters are absent', async () => {
    const form = `grant_type=client_credentials&client_id=partner&client_secret=${us.secret}&scope=&resource=&x=`;
    const { status, body } = await post(backend, path, form);
    expect([status, body['scope']]).toEqual([200, 'verify profile']);
  });

  test.each([
    ['application/json', JSON.stringify({ grant_type: 'client_credentials' })],
    ['text/plain', 'grant_type=client_credentials'],
    ['multipart/form-data; boundary=x', 'x'],
    ['application/x-www-form-urlencoded; charset=utf-16', 'grant_type=client_credentials'],
    ['application/x-www-form-urlencoded-not', 'grant_type=client_credentials'],
  ])('a body of %s', async (type, body) => {
    const received = await post(backend, path, body, {
      'content-type': type,
      authorization: basic('partner', us.secret),
    });
    expect([received.status, received.body['error']]).toEqual([400, 'invalid_request']);
    expect(received.headers.get('cache-control')).toBe('no-store');
  });

  test('parameters in the URL do not count', async () => {
    const { status, body } = await post(
      backend,
      `${path}?grant_type=client_credentials&client_id=partner&client_secret=${us.secret}`,
      '',
    );
    expect([status, body['error']]).toEqual([401, 'invalid_client']);
  });

  test.each(['/oauth/token', '/oauth/introspect', '/oauth/revoke', '/oauth/device_authorization'])(
    '%s: a body over 64 KiB',
    async (at) => {
      const { status, headers, body } = await post(backend, at, `code=${'x'.repeat(65 * 1024)}`);
      expect([status, body['error']]).toEqual([413, 'invalid_request']);
      expect(headers.get('cache-control')).toBe('no-store');
    },
  );

  test.each(['grant_type', 'scope', 'refresh_token', 'resource', 'client_id', 'client_secret'])(
    'odd bytes in %s are no fault',
    async (name) => {
      for (const odd of ['%00', '%FF%FE', '%ED%A0%80', '%', 'a%20b', `${'x'.repeat(5000)}`]) {
        const { status } = await post(
          backend,
          path,
          `grant_type=refresh_token&client_id=phone-app&${name}=${odd}`,
        );
        expect([400, 401]).toContain(status);
      }
    },
  );
});

test('what cannot be stored is not answered, and uses nothing up', async () => {
  const { prisma } = backend.services.database;
  const code = await allow(backend);
  await prisma.$executeRawUnsafe('ALTER TABLE refresh_tokens RENAME TO elsewhere');
  const failed = await redeem(code);
  await prisma.$executeRawUnsafe('ALTER TABLE elsewhere RENAME TO refresh_tokens');
  expect(failed.status).toBe(500);
  expect(Object.keys(failed.body)).toEqual(['error', 'request_id']);
  expect(failed.headers.get('cache-control')).toBe('no-store');
  expect((await redeem(code)).status).toBe(200);
});
