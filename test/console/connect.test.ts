/** What is to be pasted into the vendors' dashboards, secrets on demand, and the check that really calls. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import { reachProblem } from '../../app/console/connect.ts';
import { platforms } from '../../app/platforms/index.ts';
import { trail } from '../../app/store/audit.ts';
import { apiKey, apiSecret, type Backend, startBackend } from '../support/backend.ts';
import { act } from '../support/console.ts';
import { formOf, visitor } from '../support/visitor.ts';

jest.setTimeout(30_000);

const decoded = (html: string) =>
  html
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');

/** What stands beside each label of the page, as it would be copied. */
const pasted = (html: string): Record<string, string> =>
  Object.fromEntries(
    [...html.replaceAll('<wbr>', '').matchAll(/<dt>([^<]*?) ?<.*?<\/dd>/gs)].flatMap(
      ([row, label = '']) => {
        const value = /<code id="value-\d+">(.*?)<\/code>/s.exec(row)?.[1];
        return value === undefined ? [] : [[decoded(label), decoded(value)]];
      },
    ),
  );

const ids = ['pango', 'connectycube', 'authlete', 'dgp-oauth2', 'aurora'];

describe('at a public address', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await startBackend({ BASE_URL: 'https://idp.acme.com/sso' });
  });
  afterAll(() => backend.stop());
  const page = async (path: string) => (await visitor(backend).get(path)).text;

  test('every platform has its card, and a link to it', async () => {
    expect(platforms.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    const html = await page('/console/connect');
    expect(html).toContain('looks public');
    expect(html).not.toContain('cloudflared');
    for (const { id } of platforms) {
      expect(html).toContain(`href="/console/connect/${id}"`);
      expect((await visitor(backend).get(`/console/connect/${id}`)).status).toBe(200);
    }
  });

  test('Pango', async () => {
    expect(pasted(await page('/console/connect/pango'))).toMatchObject({
      'URL of GetUserInfo': 'https://idp.acme.com/sso/GetUserInfo',
      'Parameter with the token': 'oauth_token',
      Method: 'GET',
    });
  });

  test('ConnectyCube', async () => {
    expect(pasted(await page('/console/connect/connectycube'))).toMatchObject({
      'API URL': 'https://idp.acme.com/sso/user/verify',
      'Request params': '{"token":"#{login}"}',
      'Response params':
        '{"uid":"#{user.id}","login":"#{user.login}","email":"#{user.email}","full_name":"#{user.full_name}","external_user_id":"#{user.id}"}',
    });
  });

  test('Authlete: the two endpoints; of key and secret nothing', async () => {
    const html = await page('/console/connect/authlete');
    expect(pasted(html)).toEqual({
      'Developer Authentication Callback Endpoint': 'https://idp.acme.com/sso/',
      'Authentication Callback Endpoint': 'https://idp.acme.com/sso/authlete/authentication',
    });
    expect(html).not.toContain(apiKey);
    expect(html).not.toContain(apiSecret);
  });

  test('AURORA', async () => {
    expect(pasted(await page('/console/connect/aurora'))).toMatchObject({
      // A shell takes it as it stands.
      Command:
        "npm run admin -- client create --id aurora --name AURORA --confidential --no-pkce --grant-type authorization_code --redirect-uri https://aurora.example.org/feide.cgi --scope 'email userid-feide profile openid'",
      'oauth.redirecturi': 'https://aurora.example.org/feide.cgi',
      'system.auth.oauthaccesstoken.audience': 'aurora',
      'system.auth.oauthaccesstoken.host': 'idp.acme.com',
      'system.auth.oauthaccesstoken.endpoint': '/sso/userinfo',
      'system.auth.oauthaccesstoken.emailfield': '["user","email"]',
      'system.auth.oauthaccesstoken.namefield': '["user","name"]',
      'system.auth.oauthaccesstoken.userfield': '["user","userid_sec"]',
      'oauth.site': 'https://idp.acme.com',
      'oauth.tokenpath': '/sso/oauth/token',
    });
  });

  test('dgp-oauth2', async () => {
    expect(pasted(await page('/console/connect/dgp-oauth2'))).toMatchObject({
      'Address of the auth server': 'https://idp.acme.com/sso',
      'Public key of the permission tokens': 'https://idp.acme.com/sso/auth/public-key',
      EXTERNAL_ADDRESS: 'https://idp.acme.com/sso',
      'For Apps': 'https://idp.acme.com/sso/auth/oauth_callback',
      'For the sign-in page': 'https://idp.acme.com/sso/login/google/callback',
    });
  });

  test('a platform that there is not', async () => {
    for (const id of ['nobody', '__proto__', 'constructor']) {
      expect((await visitor(backend).get(`/console/connect/${id}`)).status).toBe(404);
    }
  });
});

describe('a secret', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await startBackend({ PANGO_PATH: '/who/is/it', PANGO_TOKEN_PARAMETER: 'vpn_token' });
  });
  afterAll(() => backend.stop());

  const authlete = '/console/connect/authlete';
  const reveal = `${authlete}/secret`;
  const shown = (html: string) => pasted(html)['Developer Authentication Callback API Secret'];

  test('is shown when it is asked for, in that answer alone, and the trail says by whom', async () => {
    const one = visitor(backend);
    await one.signIn('test2');
    const { text } = await one.get(authlete);
    const form = formOf(text, reveal, 1);
    expect(form['setting']).toBe('AUTHLETE_API_SECRET');
    const seen = await one.post(reveal, form);
    expect(seen.status).toBe(200);
    expect(seen.headers.get('cache-control')).toBe('no-store');
    expect(shown(seen.text)).toBe(apiSecret);
    expect(seen.text).not.toContain(apiKey);
    expect((await one.get(authlete)).text).not.toContain(apiSecret);
    const [event] = await trail(backend.services.database, { limit: 1 });
    expect(event).toMatchObject({
      actor: 'user:test2',
      action: 'console.reveal',
      target: 'platform:authlete',
      detail: { setting: 'AUTHLETE_API_SECRET' },
    });
  });

  test('is not shown to a form without our secret, nor from another site', async () => {
    const one = visitor(backend);
    const form = formOf((await one.get(authlete)).text, reveal, 1);
    const forged = await one.post(reveal, { ...form, csrf: 'f'.repeat(64) });
    const elsewhere = await one.post(reveal, form, { 'sec-fetch-site': 'cross-site' });
    expect([forged.status, elsewhere.status]).toEqual([403, 403]);
    expect(`${forged.text}${elsewhere.text}`).not.toContain(apiSecret);
    expect((await one.get(reveal)).status).toBe(405);
  });

  test.each(['SESSION_SECRET', 'AUTHLETE_CALLBACK_PATH', 'constructor', ''])(
    'only those of the card: not %s',
    async (setting) => {
      const before = await backend.services.database.prisma.auditEvent.count();
      const { status, text } = await act(backend, authlete, reveal, { setting });
      expect(status).toBe(422);
      expect(text).not.toContain('session-secret-of-the-tests');
      expect(await backend.services.database.prisma.auditEvent.count()).toBe(before);
    },
  );

  test('without BASE_URL: how to be reached through a tunnel, and what stays closed', async () => {
    const { text } = await visitor(backend).get('/console/connect');
    const { port } = new URL(backend.url);
    expect(text).toContain('127.0.0.1 is only known on this machine or in its network');
    expect(text).toContain(`cloudflared tunnel --url http://localhost:${port}</code>`);
    expect(text).toContain(`ngrok http ${port}</code>`);
    expect(text).toContain(
      'BASE_URL=https://&lt;the tunnel’s host&gt;\nTRUST_PROXY=loopback\nCONSOLE_ENABLED=true\nCONSOLE_ADMINS=your.login',
    );
    expect(text).toContain('Behind a tunnel this console is for <code>CONSOLE_ADMINS</code> alone');
  });

  // ── The check

  const check = (id: string, fields: Record<string, string>) =>
    act(backend, `/console/connect/${id}`, `/console/connect/${id}/check#check`, fields);
  const resolutions = (html: string) =>
    [
      ...html.matchAll(/<strong>([^<]*)<\/strong>: <code>(.*?)<\/code> resolves to (.*?)<\/span>/g),
    ].map(([, name, from = '', found = '']) => [
      name,
      decoded(from),
      decoded(found.replace(/<[^>]*>/g, '')),
    ]);

  test('ConnectyCube: what the mapping resolves to; the token is shown nowhere, and is over', async () => {
    const { status, text } = await check('connectycube', { login: 'simon371' });
    expect(status).toBe(200);
    expect(text).toContain('it works');
    expect(text).toContain('ConnectyCube creates user 1 for uid 2345');
    expect(resolutions(text)).toEqual([
      ['uid', '#{user.id}', '2345'],
      ['login', '#{user.login}', '"simon371"'],
      ['email', '#{user.email}', '"simon371@example.com"'],
      ['full_name', '#{user.full_name}', '"Simon Davis"'],
      ['external_user_id', '#{user.id}', '2345'],
    ]);
    expect(text).toMatch(/\/user\/verify\?token=<span class="secret"/);
    expect(await backend.services.tokens.countLive(2345)).toBe(0);
    const events = await trail(backend.services.database, { limit: 3 });
    expect(events.map(({ action, actor }) => [action, actor])).toEqual([
      ['token.revoke', 'console'],
      ['token.issue', 'console'],
      ['console.check', 'console'],
    ]);
  });

  test('Pango: with the path and parameter of the settings', async () => {
    const { text } = await check('pango', { login: 'vpn-user' });
    expect(resolutions(text)).toEqual([
      ['result', 'result', '"OK"'],
      ['user', 'user.uid', '690109944'],
    ]);
    expect(text).toContain('/who/is/it?vpn_token=');
  });

  test('Authlete: with the password of the seed, or one that is typed; neither is shown', async () => {
    const { text } = await check('authlete', { login: 'test1' });
    expect(resolutions(text)).toEqual([
      ['authenticated', 'authenticated', 'true'],
      ['subject', 'subject', '"dev01"'],
      ['displayName', 'displayName', '"Developer Group 01"'],
    ]);
    expect(text).not.toContain(apiSecret);
    const typed = await check('authlete', {
      login: 'test1',
      password: 'not-the-password-of-test1',
    });
    expect(typed.text).toContain('it does not');
    expect(typed.text).not.toContain('not-the-password-of-test1');
    expect(resolutions(typed.text)[0]).toEqual(['authenticated', 'authenticated', 'false']);
  });

  test.each(ids)('%s: a good user is let in', async (id) => {
    const { text } = await check(id, { login: 'test1' });
    expect(text).toContain('it works</span>');
  });

  test('AURORA and dgp-oauth2', async () => {
    const aurora = await check('aurora', { login: 'test1' });
    expect(resolutions(aurora.text)).toContainEqual(['audience', 'audience', '"demo-app"']);
    const dgp = await check('dgp-oauth2', { login: 'simon371' });
    expect(resolutions(dgp.text)).toContainEqual(['profile', 'profile.id', '"2345"']);
  });

  test('a suspended user: it does not work, and what the vendor would see is shown', async () => {
    const { text } = await check('connectycube', { login: 'test4' });
    expect(text).toContain('it does not');
    expect(text).toContain('Answered 422');
  });

  test.each(['nobody', '', '<script>alert(1)</script>'])('a user who is not: %s', async (login) => {
    const { status, text } = await check('connectycube', { login });
    expect(status).toBe(200);
    expect(text).toContain('class="problem"');
    expect(text).not.toContain('<script>alert');
  });

  test('without our secret: nothing is called', async () => {
    const one = visitor(backend);
    await one.get(authlete);
    const seen = await one.post('/console/connect/connectycube/check', { login: 'simon371' });
    expect(seen.status).toBe(403);
  });
});

describe('when BASE_URL leads', () => {
  test('nowhere: the check says so', async () => {
    const backend = await startBackend({ BASE_URL: 'http://127.0.0.1:1' });
    const action = '/console/connect/connectycube/check#check';
    const { text } = await act(backend, '/console/connect/connectycube', action, {
      login: 'test1',
    });
    expect(text).toContain('it does not');
    expect(text).toContain('Nobody answers at 127.0.0.1:1 (ECONNREFUSED).');
    await backend.stop();
  });

  test('to somebody else: what he answers is text, and resolves to nothing', async () => {
    const other = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<script>alert(1)</script>');
    });
    await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
    const { port } = other.address() as AddressInfo;
    const backend = await startBackend({ BASE_URL: `http://127.0.0.1:${port}` });
    const action = '/console/connect/connectycube/check#check';
    const { text } = await act(backend, '/console/connect/connectycube', action, {
      login: 'test1',
    });
    expect(text).toContain('resolves to nothing');
    expect(text).not.toContain('<script>alert');
    await backend.stop();
    await new Promise((closed) => other.close(closed));
  });
});

test.each([
  ['https://idp.acme.com', undefined],
  ['https://tidy-fox.trycloudflare.com', undefined],
  ['https://203.0.113.7', undefined],
  ['http://idp.acme.com', 'It is plain http'],
  ['http://localhost:3000', 'localhost is only known on this machine'],
  ['https://127.0.0.1:3000', '127.0.0.1 is only known'],
  ['https://10.1.2.3', '10.1.2.3 is only known'],
  ['https://172.20.0.2', '172.20.0.2 is only known'],
  ['https://172.32.0.2', undefined],
  ['https://192.168.1.4', '192.168.1.4 is only known'],
  ['https://[::1]:3000', 'is only known'],
  ['https://[fd00::1]', 'is only known'],
  ['https://[2001:db8::1]', undefined],
  ['https://backend', 'backend is only known'],
  ['https://idp.internal', 'idp.internal is only known'],
  ['https://fd-labs.com', undefined],
])('%s', (url, problem) => {
  const said = reachProblem(url);
  if (problem === undefined) expect(said).toBeUndefined();
  else expect(said).toContain(problem);
});
