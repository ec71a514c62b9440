/** Who may open the console, and who may act in it. */

import { readConfig } from '../../app/config.ts';
import { isLocal } from '../../app/console/access.ts';
import { platforms } from '../../app/platforms/index.ts';
import { trail } from '../../app/store/audit.ts';
import { createDirectory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { act, getWith } from '../support/console.ts';
import { exchange } from '../support/raw-http.ts';
import { formOf, visitor } from '../support/visitor.ts';

const pages = [
  '/console',
  '/console/log',
  '/console/log/rows',
  '/console/log/events',
  '/console/calls/1',
  '/console/latest',
  '/console/chaos',
  '/console/api/calls',
  '/console/nothing-here',
];

const production = {
  NODE_ENV: 'production',
  SESSION_SECRET: secret('kG8vT2-production-only-9sLq1'),
  CLIENT_TOKEN_SECRET: secret('mF2cK8-production-only-7vTz4'),
  AUTHLETE_API_KEY: secret('zR4wP7-production-only-1mXc9'),
  AUTHLETE_API_SECRET: secret('qB6yN3-production-only-5dHj2'),
};

const admins = { CONSOLE_ENABLED: 'true', CONSOLE_ADMINS: 'Ada.Admin, other.admin, test1' };

/** A user of our own, as the admin CLI would make him. */
async function addUser({ services: { database, passwords } }: Backend, login: string) {
  const password = secret(`password-of-${login}`);
  await createDirectory(database, passwords, 'test').createUser({
    login,
    name: login,
    password,
  });
  return password;
}

describe('on this machine, outside production', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await startBackend();
  });
  afterAll(() => backend.stop());

  test.each(['localhost', '127.0.0.1', '127.0.0.1:3000', 'LOCALHOST:1', '[::1]', '[::1]:3000'])(
    'opened as %s: is shown',
    async (Host) => {
      const { status, text } = await getWith(backend, '/console/log', { Host });
      expect(status).toBe(200);
      expect(text).toContain('<h1>Live log</h1>');
    },
  );

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    'localhost:3000@evil.example',
    'my-tunnel.ngrok-free.app',
    '10.0.0.5',
    '0.0.0.0',
    '[::ffff:7f00:1]',
    'localhost.',
  ])('opened as %s, a name that somebody else can point here: is not', async (Host) => {
    for (const page of pages) {
      expect(await getWith(backend, page, { Host })).toMatchObject({ status: 403 });
    }
  });

  test.each([
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'Forwarded',
    'Via',
    'X-Real-IP',
    'CF-Connecting-IP',
    'True-Client-IP',
    'X-Original-Host',
    'X-Client-IP',
    'X-Cluster-Client-IP',
    'X-ProxyUser-Ip',
    'X-Envoy-External-Address',
    'Fastly-Client-IP',
    'X-Azure-ClientIP',
    'X-ARR-LOG-ID',
    'X-Amzn-Trace-Id',
    'CDN-Loop',
    'Tailscale-User-Login',
    'X-DevTunnel-Id',
  ])('through a tunnel or proxy that adds %s: is not', async (name) => {
    for (const page of pages) {
      const headers = { Host: 'localhost', [name]: '127.0.0.1', Accept: 'text/html' };
      const { status, text } = await getWith(backend, page, headers);
      expect(status).toBe(403);
      expect(text).not.toContain('Live log');
    }
  });

  test.each([
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['172.17.0.1', false],
    ['192.168.1.20', false],
    ['::ffff:10.0.0.1', false],
    ['fe80::1', false],
    ['127.0.0.1.evil.example', false],
    [undefined, false],
  ])('a connection from %s: local is %s', (remoteAddress, expected) => {
    const headers = { host: 'localhost:3000' };
    expect(isLocal({ socket: { remoteAddress }, headers, httpVersion: '1.1' })).toBe(expected);
  });

  test('the refusal says how to open it', async () => {
    const { text } = await getWith(backend, '/console', {
      'X-Forwarded-For': '203.0.113.5',
      Accept: 'text/html',
    });
    expect(text).toContain('The console is only open on the machine it runs on');
    expect(text).toContain('CONSOLE_ENABLED=true\nCONSOLE_ADMINS=your.login');
  });

  test('a request without Host, as HTTP/1.0 has them: is not', async () => {
    expect(await exchange(backend.url, 'GET /console HTTP/1.0\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 403 /,
    );
  });

  test('HTTP/1.0, as nginx speaks to what is behind it: is not', async () => {
    expect(await exchange(backend.url, 'GET /console HTTP/1.0\r\nHost: localhost\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 403 /,
    );
  });

  test('a path that cannot be decoded: 400, and no word of it in the log', async () => {
    const odd = secret('piece-of-a-path');
    const { status, text } = await getWith(backend, `/console/users/%ff${odd}`);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ error: 'The path cannot be read.' });
    expect(JSON.stringify(backend.log)).not.toContain(odd);
    expect(backend.log.filter(({ msg }) => msg === 'fault')).toEqual([]);
  });

  test('a refused visitor leaves no session', async () => {
    const before = await backend.services.database.prisma.session.count();
    await getWith(backend, '/console', { 'X-Forwarded-For': '203.0.113.5' });
    expect(await backend.services.database.prisma.session.count()).toBe(before);
  });

  test.each([
    ['a page of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }],
    ['one of a sibling host', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }],
  ])('%s cannot load events, nor anything else', async (_who, headers) => {
    for (const page of pages) {
      expect((await getWith(backend, page, headers)).status).toBe(403);
    }
  });

  test('a link on another site leads here', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await getWith(backend, '/console', headers)).status).toBe(200);
  });

  test('every page has the policy, and is not kept', async () => {
    for (const page of ['/console', '/console/log', '/console/chaos', '/console/nothing-here']) {
      const { headers } = await fetch(`${backend.url}${page}`);
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types console",
      );
      expect(headers.get('referrer-policy')).toBe('same-origin');
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  test('the assets of a page are there, with their types, to be kept for ever', async () => {
    const { text } = await visitor(backend).get('/console/log');
    const paths = [...text.matchAll(/(?:href|src)="(\/console\/assets\/[^"]+)"/g)].map(
      ([, path]) => path ?? '',
    );
    expect(paths.length).toBeGreaterThan(5);
    for (const path of paths) {
      const { status, headers } = await fetch(`${backend.url}${path}`);
      expect(status).toBe(200);
      expect(headers.get('content-type')).toMatch(
        /^(text\/css; charset=utf-8|text\/javascript; charset=utf-8|image\/svg\+xml)$/,
      );
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    }
  });

  test.each(['nothing', 'constructor', '__proto__'])('?done=%s says nothing', async (done) => {
    const { text } = await visitor(backend).get(`/console?done=${done}`);
    expect(text).not.toContain('class="banner"');
  });

  // ── Acting

  const arm = { platform: 'pango', fault: 'malformed' };
  const armed = async () =>
    (await visitor(backend).get('/console')).text.includes('Chaos is armed');

  test('a form of ours, sent from here: is done, and in the audit trail', async () => {
    const seen = await act(backend, '/console/chaos', '/console/chaos', arm);
    expect([seen.status, seen.location]).toEqual([303, '/console/chaos']);
    expect(await armed()).toBe(true);
    const undone = await act(backend, '/console', '/console/chaos/disarm');
    expect(undone.location).toBe('/console/chaos?done=disarmed');
    expect(await armed()).toBe(false);
    const [second, first] = await trail(backend.services.database, { limit: 2 });
    expect(first).toMatchObject({
      actor: 'console',
      action: 'console.chaos',
      target: 'platform:pango',
      detail: { fault: 'malformed' },
    });
    expect(second).toMatchObject({ target: 'platform:pango', detail: { fault: null } });
  });

  test('of somebody who is signed in, the trail has the login', async () => {
    const one = visitor(backend);
    await one.signIn('test2');
    const { text } = await one.get('/console/chaos');
    expect(text).toContain('Signed in as <strong>test2</strong>');
    await one.post('/console/chaos', { ...formOf(text, '/console/chaos'), ...arm });
    const [event] = await trail(backend.services.database, { limit: 1 });
    expect(event?.actor).toBe('user:test2');
    await act(backend, '/console', '/console/chaos/disarm');
  });

  const forgeries: [string, Record<string, string>, Record<string, string>][] = [
    ['without its secret', { csrf: '' }, {}],
    ['with a made-up secret', { csrf: 'f'.repeat(64) }, {}],
    ['from another site', {}, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
    ['from a sibling host', {}, { 'sec-fetch-site': 'same-site' }],
    ['with the Origin of another site', {}, { origin: 'https://evil.example' }],
    ['with no Origin to speak of', {}, { origin: 'null' }],
    ['with another port’s Origin', {}, { origin: 'http://127.0.0.1:1' }],
    ['as plain text', {}, { 'content-type': 'text/plain' }],
    ['as JSON', {}, { 'content-type': 'application/json' }],
    ['through a tunnel', {}, { 'x-forwarded-for': '203.0.113.5' }],
  ];
  test.each(forgeries)('a form %s: nothing is done', async (_how, fields, headers) => {
    const one = visitor(backend);
    const form = formOf((await one.get('/console/chaos')).text, '/console/chaos');
    for (const action of ['/console/chaos', '/console/log/clear', '/console/log/restore']) {
      const seen = await one.post(action, { ...form, ...arm, ...fields }, headers);
      expect([400, 403, 415]).toContain(seen.status);
    }
    expect(await armed()).toBe(false);
  });

  test('a form with the secret of another browser: nothing is done', async () => {
    const theirs = formOf((await visitor(backend).get('/console/chaos')).text, '/console/chaos');
    const one = visitor(backend);
    await one.get('/console/chaos');
    expect((await one.post('/console/chaos', { ...theirs, ...arm })).status).toBe(403);
    expect(await armed()).toBe(false);
  });

  test('a form that is too large: 413', async () => {
    const one = visitor(backend);
    const form = formOf((await one.get('/console/chaos')).text, '/console/chaos');
    const seen = await one.post('/console/chaos', { ...form, padding: 'x'.repeat(70_000) });
    expect(seen.status).toBe(413);
  });

  test('GET does nothing where POST does', async () => {
    for (const action of ['/console/log/clear', '/console/log/restore', '/console/chaos/disarm']) {
      const { status, headers } = await visitor(backend).get(action);
      expect([status, headers.get('allow')]).toEqual([405, 'POST']);
    }
  });
});

test('a browser on this machine can act while the world reaches us by https', async () => {
  const backend = await startBackend({ BASE_URL: 'https://idp.example' });
  const one = visitor(backend);
  const form = formOf((await one.get('/console/chaos')).text, '/console/chaos');
  const { origin } = new URL(backend.url);
  const headers = { origin, 'sec-fetch-site': 'same-origin' };
  const seen = await one.post('/console/chaos', { ...form, fault: 'malformed' }, headers);
  expect(seen.location).toBe('/console/chaos');
  await backend.stop();
});

describe('for admins, from anywhere', () => {
  let backend: Backend;
  let password: string;
  const away = { 'x-forwarded-for': '203.0.113.5' };

  beforeAll(async () => {
    backend = await startBackend(admins);
    password = await addUser(backend, 'ada.admin');
    await addUser(backend, 'somebody');
  });
  afterAll(() => backend.stop());

  test('who is not signed in is sent to sign in, and back', async () => {
    const one = visitor(backend);
    const { status, location } = await one.get('/console/log?text=a%20b', {
      ...away,
      accept: 'text/html',
    });
    expect([status, location]).toEqual([303, '/login?return_to=%2Fconsole%2Flog%3Ftext%3Da%2520b']);
    const form = formOf((await one.get(location ?? '')).text, '/login');
    const entered = { ...form, login: 'ada.admin', password };
    expect((await one.post('/login', entered)).location).toBe('/console/log?text=a%20b');
    expect((await one.get('/console/log', away)).status).toBe(200);
  });

  test('events and JSON are not redirected: 401', async () => {
    for (const page of ['/console/log/events', '/console/api/calls']) {
      const { status, text } = await getWith(backend, page, away);
      expect(status).toBe(401);
      expect(JSON.parse(text)).toMatchObject({ error: 'signed-out' });
    }
  });

  test('what an admin does is in the trail under the login', async () => {
    const one = visitor(backend);
    await one.signIn('ada.admin', password);
    const form = formOf((await one.get('/console/log', away)).text, '/console/log/clear');
    const { status } = await one.post('/console/log/clear', form, away);
    expect(status).toBe(303);
    const [event] = await trail(backend.services.database, { limit: 1 });
    expect(event).toMatchObject({ actor: 'user:ada.admin', action: 'console.clear' });
  });

  test('who is signed in and not one of them: 403', async () => {
    const one = visitor(backend);
    await one.signIn('somebody', 'password-of-somebody');
    const { status, text } = await one.get('/console', { ...away, accept: 'text/html' });
    expect(status).toBe(403);
    expect(text).toContain('<strong>somebody</strong> is not one of <code>CONSOLE_ADMINS</code>');
  });

  test('one of them with a password that everybody knows: 403, and what to do', async () => {
    const one = visitor(backend);
    await one.signIn('test1');
    const { status, text } = await one.get('/console', { ...away, accept: 'text/html' });
    expect(status).toBe(403);
    expect(text).toContain('npm run admin -- user set-password test1');
  });

  test('one of them who is suspended since: is out', async () => {
    const { database, passwords } = backend.services;
    const others = await addUser(backend, 'other.admin');
    const one = visitor(backend);
    await one.signIn('other.admin', others);
    expect((await one.get('/console', away)).status).toBe(200);
    await createDirectory(database, passwords, 'test').setUserStatus(
      'other.admin',
      'suspended',
      'left',
    );
    expect((await one.get('/console/api/calls', away)).status).toBe(401);
  });

  test('one of them for whom another server alone vouches: 403, and what to do', async () => {
    const one = visitor(backend);
    await one.signIn('ada.admin', password);
    const { user } = backend.services.database.prisma;
    const where = { loginKey: 'ada.admin' };
    const identities = { create: { provider: 'google', subject: '1001' } };
    // Linked: he has his password all the same.
    await user.update({ where, data: { identities } });
    expect((await one.get('/console', away)).status).toBe(200);
    await user.update({ where, data: { passwordHash: null } });
    const { status, text } = await one.get('/console', { ...away, accept: 'text/html' });
    expect(status).toBe(403);
    expect(text).toContain('You have no password here');
    expect(text).toContain('npm run admin -- user set-password ada.admin');
  });

  test('on this machine they have to sign in as well', async () => {
    expect(await getWith(backend, '/console')).toMatchObject({ status: 401 });
  });
});

test('behind a proxy that is trusted, without CONSOLE_ENABLED: there is none', async () => {
  const backend = await startBackend({ TRUST_PROXY: 'loopback' });
  for (const page of [...pages, '/docs', '/openapi.json']) {
    expect(await getWith(backend, page)).toMatchObject({ status: 404 });
  }
  expect((await getWith(backend, '/')).text).not.toContain('href="/console"');
  await backend.stop();
});

describe('in production', () => {
  test('off: its paths are not there, and nothing is captured', async () => {
    const backend = await startBackend(production);
    for (const page of [...pages, '/console/assets/x/base.css']) {
      expect(await getWith(backend, page)).toMatchObject({ status: 404 });
    }
    expect((await getWith(backend, '/')).text).not.toContain('href="/console"');
    await backend.stop();
  });

  test('CONSOLE_ENABLED=true: only for admins, on this machine, too', async () => {
    const backend = await startBackend({ ...production, ...admins });
    const password = await addUser(backend, 'ada.admin');
    const one = visitor(backend);
    expect(await getWith(backend, '/console/api/calls')).toMatchObject({ status: 401 });
    await one.signIn('ada.admin', password);
    expect((await one.get('/console')).status).toBe(200);
    expect((await getWith(backend, '/')).text).toContain('href="/console"');
    await backend.stop();
  });

  test.each([
    [{ CONSOLE_ENABLED: 'true' }, 'CONSOLE_ADMINS: is missing; name who may open /console'],
    [
      { CONSOLE_ENABLED: 'true', CONSOLE_ADMINS: ' , ' },
      'CONSOLE_ADMINS: is missing; name who may open /console',
    ],
    [{ CONSOLE_ENABLED: 'perhaps' }, 'CONSOLE_ENABLED: '],
  ])('%j is refused at the start', (settings, problem) => {
    expect(() => readConfig({ ...production, ...settings }, platforms)).toThrow(problem);
  });
});
