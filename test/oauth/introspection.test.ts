/** POST /oauth/introspect (RFC 7662) and POST /oauth/revoke (RFC 7009). */
import { createDirectory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import {
  allow,
  basic,
  isGood,
  partner,
  pass,
  phoneApp,
  pkce,
  post,
  redeeming,
  refreshing,
  register,
  tokenRequest,
} from '../support/oauth.ts';
import { mint } from '../support/tokens.ts';

let backend: Backend;
const us = { id: partner.id, secret: '' };
const vendor = { id: 'vendor', secret: '' };

beforeAll(async () => {
  backend = await startBackend();
  us.secret = await register(backend, partner);
  vendor.secret = await register(backend, { ...partner, id: 'vendor', name: 'Vendor' });
  await register(backend, phoneApp);
});

afterAll(() => backend.stop());

const introspect = (token: unknown, by = us) =>
  post(
    backend,
    '/oauth/introspect',
    { token: String(token) },
    { authorization: basic(by.id, by.secret) },
  );

const revoke = (token: unknown, by = us, more: Record<string, string> = {}) =>
  post(
    backend,
    '/oauth/revoke',
    { token: String(token), ...more },
    { authorization: basic(by.id, by.secret) },
  );

const tokens = async (options: Parameters<typeof allow>[1] = {}) =>
  (await tokenRequest(backend, us, redeeming(await allow(backend, options)))).body;

const inactive = '{"active":false}';

describe('introspection', () => {
  test("a user's token", async () => {
    backend.clock.now = new Date('2026-11-22T10:00:00.500Z');
    const { access_token: token } = await tokens({
      scope: ['verify'],
      resource: 'https://api.example/',
    });
    const { status, headers, body } = await introspect(token, vendor);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      active: true,
      scope: 'verify',
      client_id: 'partner',
      username: 'test1',
      sub: '1',
      token_type: 'Bearer',
      exp: 1795345200,
      iat: 1795341600,
      iss: backend.url,
      aud: 'https://api.example/',
    });
  });

  test("a client's own token", async () => {
    const form = { grant_type: 'client_credentials', scope: 'profile' };
    const { body } = await tokenRequest(backend, us, form);
    expect((await introspect(body['access_token'])).body).toMatchObject({
      active: true,
      scope: 'profile',
      client_id: 'partner',
      sub: 'partner',
    });
    expect((await introspect(body['access_token'])).body).not.toHaveProperty('username');
  });

  test('expires exactly now', async () => {
    const { access_token: token } = await tokens();
    pass(backend, 3599.999);
    expect((await introspect(token)).body['active']).toBe(true);
    pass(backend, 0.001);
    expect((await introspect(token)).text).toBe(inactive);
  });

  test('a user who is suspended, and let in again', async () => {
    const { database, passwords } = backend.services;
    const directory = createDirectory(database, passwords, 'test');
    const { access_token: token } = await tokens({ login: 'test2' });
    await directory.setUserStatus('test2', 'suspended');
    expect((await introspect(token)).text).toBe(inactive);
    await directory.setUserStatus('test2', 'active');
    await directory.setGroupStatus('Dev 01', 'suspended');
    expect((await introspect(token)).text).toBe(inactive);
    await directory.setGroupStatus('Dev 01', 'active');
    expect((await introspect(token)).body['active']).toBe(true);
  });

  test.each(['never-issued', 'x'.repeat(5000), 'a b', '\0'])('unknown: %j', async (token) => {
    const { status, text } = await introspect(token);
    expect([status, text]).toEqual([200, inactive]);
  });

  test('a refresh token, a code: nothing is said of them', async () => {
    const { refresh_token: token } = await tokens();
    expect((await introspect(token)).text).toBe(inactive);
    expect((await introspect(await allow(backend))).text).toBe(inactive);
  });

  test('no token', async () => {
    const { status, text } = await introspect('');
    expect(status).toBe(400);
    expect(text).toBe('{"error":"invalid_request","error_description":"token is missing."}');
  });

  test('a public client is as an unknown one', async () => {
    const token = await mint(backend, 'test1');
    const known = await post(backend, '/oauth/introspect', { client_id: 'phone-app', token });
    const unknown = await post(backend, '/oauth/introspect', { client_id: 'nobody', token });
    expect(known.status).toBe(401);
    expect(known.text).toBe(
      '{"error":"invalid_client","error_description":"Client authentication failed."}',
    );
    expect(known.text).toBe(unknown.text);
    expect(known.headers.get('www-authenticate')).toBe('Basic realm="oauth", charset="UTF-8"');
    expect(unknown.headers.get('www-authenticate')).toBe('Basic realm="oauth", charset="UTF-8"');
  });
});

describe('revocation', () => {
  test('of an access token: it ends, the rest goes on', async () => {
    const { access_token, refresh_token } = await tokens();
    const { status, text, headers } = await revoke(access_token);
    expect([status, text]).toEqual([200, '{}']);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(await isGood(backend, access_token)).toBe(false);
    expect((await introspect(access_token)).text).toBe(inactive);
    const next = await tokenRequest(backend, us, refreshing(refresh_token));
    expect(await isGood(backend, next.body['access_token'])).toBe(true);
  });

  test('of a refresh token: everything that came of the grant ends', async () => {
    const first = await tokens();
    const second = (await tokenRequest(backend, us, refreshing(first['refresh_token']))).body;
    expect((await revoke(second['refresh_token'])).status).toBe(200);
    expect(await isGood(backend, first['access_token'])).toBe(false);
    expect(await isGood(backend, second['access_token'])).toBe(false);
    const { status } = await tokenRequest(backend, us, refreshing(second['refresh_token']));
    expect(status).toBe(400);
  });

  test('of a refresh token that was rotated: the same', async () => {
    const first = await tokens();
    const second = (await tokenRequest(backend, us, refreshing(first['refresh_token']))).body;
    expect((await revoke(first['refresh_token'])).status).toBe(200);
    expect(await isGood(backend, second['access_token'])).toBe(false);
  });

  test('by another client: 200, and nothing ends', async () => {
    const { access_token, refresh_token } = await tokens();
    expect((await revoke(access_token, vendor)).status).toBe(200);
    expect((await revoke(refresh_token, vendor)).status).toBe(200);
    expect(await isGood(backend, access_token)).toBe(true);
    expect((await tokenRequest(backend, us, refreshing(refresh_token))).status).toBe(200);
  });

  test('by a public client, of its own', async () => {
    const code = await allow(backend, {
      client: phoneApp,
      redirectUri: 'com.example.phone:/callback',
      codeChallenge: pkce.challenge,
    });
    const { body } = await post(backend, '/oauth/token', {
      ...redeeming(code),
      client_id: 'phone-app',
      redirect_uri: 'com.example.phone:/callback',
    });
    expect(await isGood(backend, body['access_token'])).toBe(true);
    const token = String(body['access_token']);
    const { status } = await post(backend, '/oauth/revoke', { client_id: 'phone-app', token });
    expect(status).toBe(200);
    expect(await isGood(backend, token)).toBe(false);
  });

  test('with a wrong hint, or one that nobody knows', async () => {
    for (const token_type_hint of ['refresh_token', 'pink']) {
      const { access_token } = await tokens();
      expect((await revoke(access_token, us, { token_type_hint })).status).toBe(200);
      expect(await isGood(backend, access_token)).toBe(false);
    }
  });

  test.each(['never-issued', '\0'])('unknown: %j', async (token) => {
    const { status, text } = await revoke(token);
    expect([status, text]).toEqual([200, '{}']);
  });

  test('no token', async () => {
    const { status, body } = await revoke('');
    expect([status, body['error']]).toEqual([400, 'invalid_request']);
  });

  test('without authentication nothing ends', async () => {
    const { access_token } = await tokens();
    const form = { token: String(access_token), client_id: 'partner' };
    expect((await post(backend, '/oauth/revoke', form)).status).toBe(401);
    const wrong = { ...form, client_secret: secret('not-the-secret-of-anybody') };
    expect((await post(backend, '/oauth/revoke', wrong)).status).toBe(401);
    expect(await isGood(backend, access_token)).toBe(true);
  });
});
