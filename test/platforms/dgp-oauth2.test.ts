/** dgp-oauth2, where one request is not enough to show it. */
import { createHmac, generateKeyPairSync, verify } from 'node:crypto';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rotateKey } from '../../app/oauth/keys.ts';
import { dgpOauth2 } from '../../app/platforms/dgp-oauth2/dgp-oauth2.ts';
import { tell } from '../../app/platforms/dgp-oauth2/extensions.ts';
import { allowedNext, withOutcome } from '../../app/platforms/dgp-oauth2/next.ts';
import type { UserInfo } from '../../app/platforms/dgp-oauth2/profile.ts';
import { clientTokenOf, clientTokens } from '../../app/scenarios/cast.ts';
import type { Bindings } from '../../app/scenarios/scenario.ts';
import { createDirectory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { claimsOf, clientTokenBindings, forge, houseOf, nameIn } from '../support/client-tokens.ts';
import { keysFile } from '../support/keys.ts';
import { told } from '../support/modules/recording.ts';
import { pass } from '../support/oauth.ts';
import { type Provider, startProvider } from '../support/provider.ts';
import { signInThrough } from '../support/sign-in.ts';
import { type Seen, type Visitor, visitor } from '../support/visitor.ts';

const app = 'http://localhost:3000';

const ada = {
  '/userinfo': { sub: '1001', name: 'Ada L.', email: 'ada@example.org', email_verified: true },
};
const octocat = (verified: boolean) => ({
  '/user': { id: 583231, login: 'OctoCat', name: 'Octo', email: 'test1@example.com' },
  '/user/emails': [{ email: 'test1@example.com', primary: true, verified }],
});

const stops: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

async function start(environment: Record<string, string> = {}): Promise<Backend> {
  const started = await startBackend(environment);
  stops.push(started.stop);
  return started;
}

let provider: Provider;
let backend: Backend;
let bound: Bindings;

beforeAll(async () => {
  provider = await startProvider();
  stops.push(provider.stop);
  backend = await start({
    ...provider.google(),
    ...provider.github(),
    ALLOWED_SERVICES: [
      'storage-service:roles',
      'asking:./test/support/modules/asking.ts',
      'closed:./test/support/modules/closed.ts',
      'wrong:./test/support/modules/wrong.ts',
      'failing:./test/support/modules/failing.ts',
    ].join(';'),
    INSTALLED_EXTENSIONS: './test/support/modules/failing.ts;./test/support/modules/recording.ts',
    DGP_NEXT_ORIGINS: `${app}, https://app.example.com`,
    DGP_CORS_ORIGINS: app,
    UPSTREAM_LINK_BY_EMAIL: 'true',
  });
  bound = await clientTokenBindings(backend);
});

beforeEach(() => {
  told.length = 0;
});

type Body = Readonly<Record<string, unknown>>;

async function ask(path: string, init: RequestInit = {}, of = backend) {
  const response = await fetch(`${of.url}${path}`, { redirect: 'manual', ...init });
  const text = await response.text();
  const body = (text.startsWith('{') ? JSON.parse(text) : {}) as Body;
  if (typeof body['token'] === 'string') secret(body['token']);
  return { status: response.status, headers: response.headers, text, body };
}

const query = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString();

const check = async (jwt: string, of = backend) =>
  (await ask(`/auth/check?${query({ jwt })}`, {}, of)).body;

const authorize = (jwt: string, service: string, of = backend) =>
  ask(`/auth/authorize?${query({ jwt, service })}`, {}, of);

const post = async (path: string, form: Record<string, string>, of = backend) =>
  (await ask(path, { method: 'POST', body: new URLSearchParams(form) }, of)).body;

const startUrl = (next: string | undefined, at = 'local') =>
  `/auth/login?${query({ provider: at, ...(next === undefined ? {} : { next }) })}`;

const signInHere = (who: Visitor, next: string | undefined, login: string): Promise<Seen> =>
  signInThrough(who, startUrl(next), login);

type Facts = Parameters<Provider['approve']>[1];

async function signInThere(who: Visitor, at: string, facts: Facts, next = app): Promise<Seen> {
  const begun = await who.get(startUrl(next, at));
  return who.get(provider.approve(begun.location, facts));
}

const jwtIn = ({ location }: Seen): string =>
  secret(new URL(String(location)).searchParams.get('jwt') ?? '');

const good = async (login: string, of = backend) =>
  jwtIn(await signInHere(visitor(of), app, login));

const directory = () =>
  createDirectory(backend.services.database, backend.services.passwords, 'test');

describe('a whole sign-in', () => {
  test('at this backend itself: the token comes to the App, and is good', async () => {
    const back = await signInHere(visitor(backend), app, 'simon371');

    expect(back.status).toBe(302);
    expect(back.location).toMatch(/^http:\/\/localhost:3000\/\?jwt=[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(back.headers.get('referrer-policy')).toBe('no-referrer');
    expect(back.headers.get('cache-control')).toBe('no-store');
    const { authenticated, profile } = await check(jwtIn(back));
    expect(authenticated).toBe(true);
    expect(profile).toMatchObject({ id: '2345', name: 'Simon Davis', provider_id: 'local:2345' });
  });

  test('the client token has what the original documents, and two weeks', async () => {
    const { userid, iat, exp, jti } = claimsOf(await good('test1'));

    expect({ userid, jti }).toEqual({ userid: '1', jti: expect.any(String) });
    expect(Number(exp) - Number(iat)).toBe(14 * 24 * 60 * 60);
  });

  test('at Google: somebody new, who is found by a generated name', async () => {
    const back = await signInThere(visitor(backend), 'google', ada);

    const { profile } = await check(jwtIn(back));
    expect(profile).toEqual({
      id: expect.stringMatching(/^\d+$/),
      provider_id: 'google:1001',
      name: 'Ada L.',
      email: 'ada@example.org',
      avatar_url: null,
      idhash: expect.stringMatching(/^[0-9a-f]{32}$/),
      join_date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    const { id } = profile as UserInfo;
    expect((await ask('/auth/resolve?username=ADA')).body).toEqual({ userid: id });
  });

  test('at GitHub: the login is the name, in lower case', async () => {
    const facts = {
      '/user': {
        id: 42,
        login: 'HubBer',
        name: null,
        avatar_url: 'https://avatars.example/u/42?v=4',
      },
      '/user/emails': [{ email: 'hubber@example.org', primary: true, verified: true }],
    };
    const back = await signInThere(visitor(backend), 'github', facts);

    const { profile } = await check(jwtIn(back));
    expect(profile).toMatchObject({
      provider_id: 'github:42',
      email: 'hubber@example.org',
      avatar_url: 'https://avatars.example/u/42?v=4',
    });
    const { id } = profile as UserInfo;
    expect((await ask('/auth/resolve?username=hubber')).body).toEqual({ userid: id });
  });

  test('without next: a page, and no token', async () => {
    const { prisma } = backend.services.database;
    const before = await prisma.clientToken.count();
    const back = await signInHere(visitor(backend), undefined, 'test1');

    expect([back.status, /<h1>(.*?)<\/h1>/.exec(back.text)?.[1]]).toEqual([
      200,
      'You are signed in',
    ]);
    expect(await prisma.clientToken.count()).toBe(before);
  });

  test('of who has signed in before: at once', async () => {
    const who = visitor(backend);
    await who.signIn('test2');
    const begun = await who.get(startUrl(app));
    const page = await who.get(String(begun.location));

    expect(await check(jwtIn(await who.get(String(page.location))))).toMatchObject({
      profile: { id: '2' },
    });
  });

  test('EXTERNAL_ADDRESS without a scheme: https', async () => {
    const secure = await start({
      BASE_URL: 'https://id.example.com',
      EXTERNAL_ADDRESS: 'id.example.com',
    });

    expect((await ask('/auth/check', {}, secure)).body).toEqual({
      authenticated: false,
      providers: { local: { url: 'https://id.example.com/auth/login?provider=local' } },
    });
  });
});

describe('a provider of the partner’s own', () => {
  test('comes back to an address that no other provider has', async () => {
    const own = await start({ ...provider.named('HQ'), ...provider.google() });
    const who = visitor(own);
    const approved = async () =>
      provider.approve((await who.get(startUrl(app, 'hq'))).location, ada);
    // Its answer at the address of Google's: what a mix-up would lead to.
    const elsewhere = await who.get((await approved()).replace('/hq?', '?'));
    expect(elsewhere.status).toBe(400);
    expect(elsewhere.location).toBeUndefined();
    const back = await approved();
    expect(back.split('?', 1)).toEqual(['/auth/oauth_callback/hq']);
    const arrived = await who.get(back);
    expect(arrived.location).toMatch(/^http:\/\/localhost:3000\/\?jwt=./);
    secret(jwtIn(arrived));
  });
});

describe('a sign-in that fails goes back to next, with an error and no token', () => {
  test('the person says no', async () => {
    const who = visitor(backend);
    const begun = await who.get(startUrl(`${app}/?a=1&jwt=old`, 'google'));
    const back = await who.get(provider.deny(begun.location));

    expect([back.status, back.location]).toEqual([302, `${app}/?a=1&error=access_denied`]);
  });

  test('the provider is out of order', async () => {
    const who = visitor(backend);
    const begun = await who.get(startUrl(app, 'google'));
    provider.broken.set('/token', { status: 500, type: 'text/plain', text: 'no' });
    const back = await who.get(provider.approve(begun.location, ada));
    provider.broken.clear();

    expect([back.status, back.location]).toEqual([302, `${app}/?error=temporarily_unavailable`]);
  });

  test('the provider reports an error, or refuses our code', async () => {
    const who = visitor(backend);
    const begun = await who.get(startUrl(app, 'google'));
    const back = provider.deny(begun.location).replace('access_denied', 'server_error');
    const again = await who.get(startUrl(app, 'google'));
    const wrongCode = provider.approve(again.location, ada).replace(/code=[^&]+/, 'code=x');
    const seen = [await who.get(back), await who.get(wrongCode)];

    expect(seen.map(({ location }) => location)).toEqual(
      Array(2).fill(`${app}/?error=temporarily_unavailable`),
    );
  });

  test('the provider sends neither a code nor an error', async () => {
    const who = visitor(backend);
    const begun = await who.get(startUrl(app, 'google'));
    const back = await who.get(provider.approve(begun.location, ada).replace(/code=[^&]+&/, ''));

    expect([back.status, back.location]).toEqual([302, `${app}/?error=invalid_request`]);
  });

  test('the user is suspended', async () => {
    const facts = { '/userinfo': { sub: '1002', name: 'Eve', email: 'eve@example.org' } };
    await signInThere(visitor(backend), 'google', facts);
    await directory().setUserStatus('eve', 'suspended');
    const back = await signInThere(visitor(backend), 'google', facts);

    expect([back.status, back.location]).toEqual([302, `${app}/?error=access_denied`]);
  });

  test('without next: a page', async () => {
    const who = visitor(backend);
    const begun = await who.get(startUrl(undefined, 'google'));
    const back = await who.get(provider.deny(begun.location));

    expect([back.status, back.location]).toEqual([403, undefined]);
    expect(back.text).toContain('The sign-in was cancelled.');
  });
});

describe('the state', () => {
  const begin = async () => {
    const who = visitor(backend);
    const begun = await who.get(startUrl(app, 'google'));
    return { who, back: provider.approve(begun.location, ada) };
  };

  test('in another browser', async () => {
    const { back } = await begin();
    const seen = await visitor(backend).get(back);

    expect([seen.status, seen.location]).toEqual([400, undefined]);
  });

  test('a second time', async () => {
    const { who, back } = await begin();

    expect((await who.get(back)).status).toBe(302);
    expect((await who.get(back)).status).toBe(400);
  });

  test('from a copy of the cookie: at once with the browser or later, one token', async () => {
    const who = visitor(backend);
    await who.signIn('test1');
    const begun = await who.get(startUrl(app));
    const { location: back } = await who.get(String(begun.location));
    const cookie = [...who.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const arrive = () => ask(String(back), { headers: { cookie } });
    const seen = [...(await Promise.all([1, 2, 3, 4, 5].map(arrive))), await arrive()];
    for (const { headers } of seen) secret(headers.get('location')?.split('jwt=')[1] ?? '');

    expect(seen.map(({ status }) => status).toSorted()).toEqual([302, 400, 400, 400, 400, 400]);
  });

  test('HEAD uses nothing up', async () => {
    const { who, back } = await begin();
    const cookie = [...who.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const { status, headers } = await ask(back, { method: 'HEAD', headers: { cookie } });

    expect([status, headers.get('allow'), headers.getSetCookie()]).toEqual([405, 'GET', []]);
    const arrived = await who.get(back);
    expect(arrived.status).toBe(302);
    jwtIn(arrived);
  });

  test('after ten minutes', async () => {
    const late = await start(provider.google());
    const who = visitor(late);
    const begun = await who.get(startUrl(app, 'google'));
    pass(late, 601);

    expect((await who.get(provider.approve(begun.location, ada))).status).toBe(400);
  });

  test('of two tabs: both arrive', async () => {
    const who = visitor(backend);
    const one = await who.get(startUrl(`${app}/one`, 'google'));
    const two = await who.get(startUrl(`${app}/two`, 'google'));

    const second = await who.get(provider.approve(two.location, ada));
    const first = await who.get(provider.approve(one.location, ada));
    expect(first.location).toContain(`${app}/one?jwt=`);
    expect(second.location).toContain(`${app}/two?jwt=`);
    jwtIn(first);
    jwtIn(second);
  });
});

describe('next', () => {
  const origins = ['http://localhost:*', 'http://127.0.0.1:*', 'https://app.example.com'];

  test.each([
    'http://localhost:3000',
    'http://localhost',
    'http://localhost:80/',
    'HTTP://LOCALHOST:3000/',
    'http://127.0.0.1:65535/a/b?c=d#e',
    'https://app.example.com',
    'https://app.example.com:443/path',
    'https://app.example.com?x',
    'https://app.example.com/#/route?jwt=1',
    'https://app.example.com/@me',
  ])('allowed: %s', (next) => {
    expect(allowedNext(next, origins)).toBe(next);
  });

  test.each([
    ['a foreign host', 'https://evil.example/'],
    ['another scheme of a listed host', 'http://app.example.com/'],
    ['another port of a listed host', 'https://app.example.com:8443/'],
    ['a subdomain', 'https://x.app.example.com/'],
    ['a host that begins like a listed one', 'https://app.example.com.evil.example/'],
    ['localhost as a subdomain', 'http://localhost.evil.example:3000/'],
    ['no scheme', '//localhost:3000/'],
    ['a path', '/auth/check'],
    ['a script', 'javascript:alert(1)//http://localhost:3000'],
    ['data', 'data:text/html,x'],
    ['a file', 'file:///etc/passwd'],
    ['a socket', 'ws://localhost:3000/'],
    ['a listed host as user name', 'http://localhost:3000@evil.example/'],
    ['a user name', 'http://me@localhost:3000/'],
    ['a user name and a password', 'http://me:secret@localhost:3000/'],
    ['a backslash before the host', 'http:\\\\localhost:3000/'],
    ['a backslash behind the host', 'http://localhost:3000\\@evil.example/'],
    ['a backslash in the path', 'http://localhost:3000/\\evil.example'],
    ['one slash', 'http:/localhost:3000/'],
    ['three slashes', 'http:///localhost:3000/'],
    ['a tab in the scheme', 'java\tscript:alert(1)'],
    ['a tab in the host', 'http://local\thost:3000/'],
    ['a line feed', 'http://localhost:3000/\n'],
    ['a space', ' http://localhost:3000/'],
    ['a null character', 'http://localhost:3000/\0'],
    ['full-width letters', 'http://ｌocalhost:3000/'],
    ['an ideographic full stop', 'https://app。example.com/'],
    ['a path that is not ASCII', 'http://localhost:3000/å'],
    ['a host with an encoded letter', 'http://%6cocalhost:3000/'],
    ['127.0.0.1 as one number', 'http://2130706433:3000/'],
    ['127.0.0.1 in two parts', 'http://127.1:3000/'],
    ['127.0.0.1 in octal', 'http://0177.0.0.1:3000/'],
    ['loopback of IPv6', 'http://[::1]:3000/'],
    ['a dot behind the host', 'http://localhost.:3000/'],
    ['no port behind the colon', 'http://localhost:/'],
    ['a port that there is not', 'http://localhost:99999/'],
    ['nothing', ''],
    ['the origin null', 'null'],
    ['too long', `http://localhost:3000/${'a'.repeat(2000)}`],
    ['two', ['http://localhost:3000/', 'http://localhost:3000/']],
    ['none', undefined],
  ])('refused: %s', (_what, next) => {
    expect(allowedNext(next, origins)).toBeUndefined();
  });

  test.each([
    ['http://localhost:3000', 'http://localhost:3000/?jwt=T'],
    ['http://localhost:3000/', 'http://localhost:3000/?jwt=T'],
    ['http://localhost:3000/?', 'http://localhost:3000/?jwt=T'],
    ['http://localhost:3000?a=1', 'http://localhost:3000/?a=1&jwt=T'],
    ['http://localhost:3000/x?a=1&b=%2f+%20&&c', 'http://localhost:3000/x?a=1&b=%2f+%20&&c&jwt=T'],
    ['http://localhost:3000/?jwt=old', 'http://localhost:3000/?jwt=T'],
    ['http://localhost:3000/?jwt=old&a=1&jwt=older', 'http://localhost:3000/?a=1&jwt=T'],
    ['http://localhost:3000/?j%77t=old&jwt2=kept', 'http://localhost:3000/?jwt2=kept&jwt=T'],
    ['http://localhost:3000/?error=access_denied', 'http://localhost:3000/?jwt=T'],
    ['http://localhost:3000/#/route?x=1', 'http://localhost:3000/?jwt=T#/route?x=1'],
    ['http://localhost:3000#top', 'http://localhost:3000/?jwt=T#top'],
    ['http://localhost:3000/a?b=c#d', 'http://localhost:3000/a?b=c&jwt=T#d'],
  ])('%s becomes %s', (next, expected) => {
    expect(withOutcome(next, 'jwt', 'T')).toBe(expected);
  });

  test('in production: no address, unless it is listed', async () => {
    const { settings, endpoints } = dgpOauth2;
    const pageFor = async (production: boolean, DGP_NEXT_ORIGINS = '') => {
      const house = { ...houseOf(backend), production };
      const [begin] = endpoints(settings.parse({ DGP_NEXT_ORIGINS }), house).filter(
        ({ path }) => path === '/auth/login',
      );
      const signIn = async () => ({ status: 303, headers: {}, body: '' });
      const incoming = { parameters: { provider: 'local', next: app }, browser: { signIn } };
      return (await begin?.answer(incoming as never))?.status;
    };

    expect(await pageFor(false)).toBe(303);
    expect(await pageFor(true)).toBe(400);
    expect(await pageFor(true, 'http://localhost:*')).toBe(303);
  });
});

describe('the username', () => {
  test('is chosen once; check, resolve and get_profile know it from then on', async () => {
    const jwt = await good('test3');
    expect((await check(jwt))['profile']).not.toHaveProperty('username');

    expect(await post('/auth/update', { jwt, username: 'Trude' })).toEqual({ success: true });
    expect((await check(jwt))['profile']).toMatchObject({ username: 'Trude' });
    expect((await ask('/auth/resolve?username=tRUDE')).body).toEqual({ userid: '3' });
    expect((await ask('/auth/resolve?username=test3')).body).toEqual({ userid: null });
    expect(await post('/auth/update', { jwt, username: 'Other' })).toEqual({
      success: false,
      error: 'Cannot modify username, already set',
    });
    expect((await check(jwt))['profile']).toMatchObject({ username: 'Trude' });
  });

  test.each(['undefined', 'null'])('%s is none, and leaves him his choice', async (username) => {
    const jwt = await good('test2');

    expect(await post('/auth/update', { jwt, username })).toEqual({ success: true });
    expect((await check(jwt))['profile']).not.toHaveProperty('username');
  });

  test('of an admin of the console: taken', async () => {
    const guarded = await start({ CONSOLE_ENABLED: 'true', CONSOLE_ADMINS: 'Ops' });
    const jwt = await good('test2', guarded);

    expect(await post('/auth/update', { jwt, username: 'OPS' }, guarded)).toEqual({
      success: false,
      error: 'Username already taken',
    });
  });

  test('of two requests at once, one wins', async () => {
    const jwt = bound[nameIn(clientTokenOf('vpn-user'))] as string;
    const answers = await Promise.all(
      ['first', 'second'].map((username) => post('/auth/update', { jwt, username })),
    );

    expect(answers.filter(({ success }) => success === true)).toHaveLength(1);
  });

  test('an e-mail that is sent along changes nothing', async () => {
    const jwt = await good('test1');
    const { profile: before } = await check(jwt);

    expect(await post('/auth/update', { jwt, email: 'new@example.com' })).toEqual({
      success: true,
    });
    expect((await check(jwt))['profile']).toEqual(before);
  });
});

describe('a client token is over', () => {
  test('after a logout, and only that one', async () => {
    const [one, other] = [await good('test1'), await good('test1')];

    expect(await post('/auth/logout', { jwt: one })).toEqual({ success: true });
    expect(await check(one)).toMatchObject({ authenticated: false });
    expect(await check(other)).toMatchObject({ authenticated: true });
  });

  test('after a logout while his group was suspended, and for good', async () => {
    const jwt = await good('test3');
    await directory().setGroupStatus('Dev 02', 'suspended');
    expect(await post('/auth/logout', { jwt })).toEqual({ success: true });
    await directory().setGroupStatus('Dev 02', 'active');
    expect(await check(jwt)).toMatchObject({ authenticated: false });
  });

  test('from the moment on that the user is suspended, and for good', async () => {
    const jwt = bound[nameIn(clientTokenOf('one-service-only'))] as string;
    expect(await check(jwt)).toMatchObject({ authenticated: true });

    await directory().setUserStatus('one-service-only', 'suspended');
    expect(await check(jwt)).toMatchObject({ authenticated: false });
    expect((await authorize(jwt, 'storage-service')).text).toBe('{"permissions":{}}');
    await directory().setUserStatus('one-service-only', 'active');
    expect(await check(jwt)).toMatchObject({ authenticated: false });
  });

  test('after two weeks', async () => {
    const old = await start();
    const jwt = await good('test1', old);

    pass(old, 14 * 24 * 60 * 60 - 10);
    expect(await check(jwt, old)).toMatchObject({ authenticated: true });
    pass(old, 10);
    expect(await check(jwt, old)).toMatchObject({ authenticated: false });
  });
});

/** Whether this key signed it. */
function isSignedBy(key: string, token: string): boolean {
  const [header, payload, signature = ''] = token.split('.');
  const signed = Buffer.from(`${header}.${payload}`);
  return verify('sha256', signed, key, Buffer.from(signature, 'base64url'));
}

describe('a permission token', () => {
  test('says who may do what where, for ten minutes, and public-key verifies it', async () => {
    const jwt = bound[nameIn(clientTokenOf('kari.nordmann@example.com'))] as string;
    const { body } = await authorize(jwt, 'storage-service');
    const { text: key } = await ask('/auth/public-key');
    const token = String(body['token']);

    expect(isSignedBy(key, token)).toBe(true);
    const { iat, exp, ...claims } = claimsOf(token);
    expect(claims).toEqual({
      userid: '34',
      permissions: { editor: true, read: true },
      service: 'storage-service',
      iss: backend.url,
      aud: 'storage-service',
    });
    expect(Number(exp) - Number(iat)).toBe(600);
  });

  test('is good beyond a rotation: its key is still published', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'partner-idp-kit-keys-')), 'keys.json');
    copyFileSync(keysFile(), file);
    const rotating = await start({ KEYS_FILE: file });
    const jwt = await good('test1', rotating);
    const tokenNow = async () =>
      String((await authorize(jwt, 'storage-service', rotating)).body['token']);
    const keyNow = async () => (await ask('/auth/public-key', {}, rotating)).text;
    const [before, key] = [await tokenNow(), await keyNow()];

    for (const made of (await rotateKey(file, undefined, new Date()))?.keys ?? []) secret(made.d);
    const [after, newKey] = [await tokenNow(), await keyNow()];
    const { keys } = (await ask('/.well-known/jwks.json', {}, rotating)).body as {
      keys: { kid: string }[];
    };
    const kidOf = (token: string) =>
      JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;
    expect(keys.map(({ kid }) => kid)).toEqual([kidOf(after), kidOf(before)]);
    expect([isSignedBy(newKey, after), isSignedBy(newKey, before)]).toEqual([true, false]);
    expect(isSignedBy(key, before)).toBe(true);
    // And the sign-in goes on.
    expect(await check(jwt, rotating)).toMatchObject({ authenticated: true });
  });

  test('the roles count as they are at this moment', async () => {
    const jwt = await good('test2');
    const permissions = async () => (await authorize(jwt, 'storage-service')).body['permissions'];

    expect(await permissions()).toEqual({});
    await directory().addUserRole('test2', 'storage-service:write');
    await directory().addGroupRole('Dev 01', 'member');
    expect(await permissions()).toEqual({ member: true, write: true });
    await directory().removeUserRole('test2', 'storage-service:write');
    await directory().removeGroupRole('Dev 01', 'member');
    expect(await permissions()).toEqual({});
  });
});

describe('a permission provider', () => {
  const token = () => bound[nameIn(clientTokenOf('kari.nordmann@example.com'))] as string;

  test('is called with the alias, the id, and what we know of the user', async () => {
    expect((await authorize(token(), 'asking')).body['permissions']).toEqual({
      service: 'asking',
      userid: '34',
      about: {
        login: 'kari.nordmann@example.com',
        group: 'Dev 01',
        roles: ['billing:pay', 'editor', 'storage-service:read'],
      },
    });
  });

  test('that returns nothing: no permissions, and no token', async () => {
    expect((await authorize(token(), 'closed')).text).toBe('{"permissions":{}}');
  });

  test.each(['failing', 'wrong'])('that is %s: a fault, never permissions', async (service) => {
    const { status, body } = await authorize(token(), service);

    expect([status, body]).toEqual([
      500,
      { error: 'server_error', request_id: expect.any(String) },
    ]);
  });
});

describe('extensions', () => {
  const hooks = () => told.map(([hook]) => hook);

  test('are told of a new user and his login, then of logins only, then of the logout', async () => {
    const facts = { '/userinfo': { sub: '1003', name: 'Grace', email: 'grace@example.org' } };
    const jwt = jwtIn(await signInThere(visitor(backend), 'google', facts));
    expect(hooks()).toEqual(['on_new_user', 'on_user_login']);
    const { profile } = await check(jwt);
    expect(told.map(([, user_info]) => user_info)).toEqual([profile, profile]);

    jwtIn(await signInThere(visitor(backend), 'google', facts));
    expect(hooks()).toEqual(['on_new_user', 'on_user_login', 'on_user_login']);

    await post('/auth/logout', { jwt });
    expect(hooks().at(-1)).toBe('on_user_logout');
    await post('/auth/logout', { jwt });
    expect(hooks()).toHaveLength(4);
  });

  test('are told of a new user who comes through our own page, once', async () => {
    const facts = { '/userinfo': { sub: '1004', name: 'Heidi', email: 'heidi@example.org' } };
    const who = visitor(backend);
    const begun = await who.get(startUrl(app));
    const page = await who.get(String(begun.location));
    const link = /href="(\/login\/google[^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&');
    const there = await who.get(String(link));
    const signedIn = await who.get(provider.approve(there.location, facts));
    const { profile } = await check(jwtIn(await who.get(String(signedIn.location))));
    expect(told).toEqual([
      ['on_new_user', profile],
      ['on_user_login', profile],
    ]);

    const again = await who.get(String((await who.get(startUrl(app))).location));
    jwtIn(await who.get(String(again.location)));
    expect(hooks()).toEqual(['on_new_user', 'on_user_login', 'on_user_login']);
  });

  test('that fail are reported, and break nothing', async () => {
    const before = backend.log.length;
    const jwt = await good('test1');
    await post('/auth/logout', { jwt });

    const faults = backend.log.slice(before).filter(({ msg }) => msg === 'fault');
    expect(faults.map(({ doing, err }) => [doing, (err as Error).message])).toEqual([
      ['on_user_login of ./test/support/modules/failing.ts', 'out of order'],
      ['on_user_logout of ./test/support/modules/failing.ts', 'out of order'],
    ]);
    expect(hooks()).toEqual(['on_user_login', 'on_user_logout']);
  });

  test('that never end are not waited for', async () => {
    const reported: unknown[] = [];
    const stuck = { name: 'stuck', extension: { on_user_login: () => new Promise(() => {}) } };
    const report = (error: unknown, doing: string) => reported.push([doing, String(error)]);
    await tell([stuck], 'on_user_login', {} as UserInfo, report, 1);

    expect(reported).toEqual([
      ['on_user_login of stuck', 'Unavailable: stuck took longer than 1 ms'],
    ]);
  });
});

describe('what the operator can mend is said at the start', () => {
  const prepare = (environment: Record<string, string>) =>
    dgpOauth2.prepare?.(dgpOauth2.settings.parse(environment));

  test.each([
    ['./test/nowhere.ts', '"./test/nowhere.ts" cannot be found'],
    ['no-such-package', '"no-such-package" cannot be found'],
    ['roles;roles', 'two providers are called "roles"'],
    ['a b:roles', '"a b" is no alias'],
    [':roles', '"" is no alias'],
    ['./test/support/modules/recording.ts', 'exports no function get_permissions'],
  ])('ALLOWED_SERVICES=%s', async (ALLOWED_SERVICES, problem) => {
    await expect(prepare({ ALLOWED_SERVICES })).rejects.toThrow(problem);
    await expect(prepare({ ALLOWED_SERVICES })).rejects.toThrow('ALLOWED_SERVICES: ');
  });

  test.each([
    ['./test/nowhere.ts', '"./test/nowhere.ts" cannot be found'],
    [
      './test/support/modules/wrong.ts',
      'exports none of on_new_user, on_user_login, on_user_logout',
    ],
    ['./examples/extension.ts;./examples/extension.ts', '"./examples/extension.ts" is there twice'],
  ])('INSTALLED_EXTENSIONS=%s', async (INSTALLED_EXTENSIONS, problem) => {
    await expect(prepare({ INSTALLED_EXTENSIONS })).rejects.toThrow(problem);
    await expect(prepare({ INSTALLED_EXTENSIONS })).rejects.toThrow('INSTALLED_EXTENSIONS: ');
  });

  test.each([
    ['DGP_NEXT_ORIGINS', 'app.example.com'],
    ['DGP_NEXT_ORIGINS', 'https://*.example.com'],
    ['DGP_NEXT_ORIGINS', 'https://app.example.com/path'],
    ['DGP_CORS_ORIGINS', '*'],
    ['DGP_CORS_ORIGINS', 'http://localhost:*'],
    ['EXTERNAL_ADDRESS', 'https://me@id.example.com'],
    ['DGP_CLIENT_TOKEN_TTL', '0'],
  ])('%s=%s', (name, value) => {
    expect(dgpOauth2.settings.safeParse({ [name]: value }).error?.issues).toMatchObject([
      { path: [name] },
    ]);
  });

  test('EXTERNAL_ADDRESS of another host than BASE_URL', () => {
    const settings = dgpOauth2.settings.parse({ EXTERNAL_ADDRESS: 'https://auth.example.com' });

    expect(() => dgpOauth2.endpoints(settings, houseOf(backend))).toThrow(
      'EXTERNAL_ADDRESS: is another host than BASE_URL',
    );
  });
});

test('a database that is out of order is a fault, never "not signed in"', async () => {
  const broken = await start();
  const jwt = await good('test1', broken);
  const { prisma } = broken.services.database;
  await prisma.$executeRawUnsafe('ALTER TABLE client_tokens RENAME TO client_tokens_away');

  for (const { status, body } of [
    await ask(`/auth/check?${query({ jwt })}`, {}, broken),
    await authorize(jwt, 'storage-service', broken),
    await ask(`/auth/logout?${query({ jwt })}`, { method: 'POST' }, broken),
  ]) {
    expect(status).toBeGreaterThanOrEqual(500);
    expect(body).toEqual({ error: expect.any(String), request_id: expect.any(String) });
  }
});

describe('what the original does wrong', () => {
  test('redirects anywhere with a token: here nobody is sent to an address that is not listed', async () => {
    const who = visitor(backend);
    await who.signIn('test1');
    const seen = await who.get(startUrl('https://evil.example/'));

    expect([seen.status, seen.location]).toEqual([400, undefined]);
    expect(seen.headers.getSetCookie()).toEqual([]);
  });

  test('answers JSONP: here callback= is ignored', async () => {
    const { headers, text } = await ask('/auth/check?callback=steal');

    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(text).toMatch(/^\{/);
  });

  test('lets any origin read, with cookies: here only those that are listed, without', async () => {
    const asked = async (origin: string, init: RequestInit = {}) => {
      const { status, headers } = await ask('/auth/check', {
        ...init,
        headers: { ...init.headers, origin },
      });
      return [
        status,
        headers.get('access-control-allow-origin'),
        headers.get('access-control-allow-credentials'),
      ];
    };
    const preflight = {
      method: 'OPTIONS',
      headers: {
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'auth-token',
      },
    };

    expect(await asked(app)).toEqual([200, app, null]);
    expect(await asked(app, preflight)).toEqual([204, app, null]);
    const [, allowed] = await asked('https://evil.example');
    expect(allowed).not.toBe('https://evil.example');
    expect(allowed).not.toBe('*');
  });

  test('breaks with 500 on RS256 and alg none: here they are not signed in', async () => {
    for (const name of [clientTokens.anotherAlgorithm, clientTokens.unsigned]) {
      const { status, body } = await ask(
        `/auth/check?${query({ jwt: String(bound[nameIn(name)]) })}`,
      );
      expect([status, body['authenticated']]).toEqual([200, false]);
    }
  });

  test("takes the private key's text for an HMAC secret: here that is no secret", async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const keyed = await start({ PRIVATE_KEY: pem });
    const forged = forge(
      { alg: 'HS256', typ: 'JWT' },
      claimsOf(await good('test1', keyed)),
      (signed) => createHmac('sha256', pem).update(signed).digest(),
    );

    expect(await check(forged, keyed)).toMatchObject({ authenticated: false });
  });

  test('signs permissions that never expire, for anybody and anything: here they do, for who is asked', async () => {
    const { body } = await authorize(await good('test1'), 'storage-service');
    expect(claimsOf(String(body['token']))).toHaveProperty('exp');

    const gone = String(bound[nameIn(clientTokens.userGone)]);
    expect((await authorize(gone, 'storage-service')).text).toBe('{"permissions":{}}');
    expect((await authorize(await good('test1'), 'unheard-of')).text).toBe('{"permissions":{}}');
  });

  test("takes GitHub's word for an unverified e-mail: here it identifies nobody", async () => {
    const back = await signInThere(visitor(backend), 'github', octocat(false));
    const { profile } = await check(jwtIn(back));

    expect(profile).toMatchObject({ provider_id: 'github:583231', email: null });
    expect(profile).not.toMatchObject({ id: '1' });
  });

  test('fakes a login when keys are missing: here there is no such provider', async () => {
    const bare = await start();
    const { body } = await ask('/auth/check', {}, bare);

    expect(Object.keys(body['providers'] as Body)).toEqual(['local']);
    expect((await ask(startUrl(app, 'google'), {}, bare)).status).toBe(404);
  });

  test('logs tokens: here no line has one', async () => {
    const jwt = await good('test1');
    const { body } = await authorize(jwt, 'storage-service');

    const lines = JSON.stringify(backend.log);
    for (const token of [jwt, String(body['token'])]) {
      expect(lines).not.toContain(token.split('.')[2]);
    }
  });

  test('keeps a session for every request: here a check leaves nothing behind', async () => {
    const { prisma } = backend.services.database;
    const before = await prisma.session.count();
    const { headers } = await ask('/auth/check');

    expect(headers.getSetCookie()).toEqual([]);
    expect(await prisma.session.count()).toBe(before);
  });

  test('says errors in HTML: here in JSON', async () => {
    for (const [path, init] of [
      ['/auth/update', {}],
      ['/auth/nothing', {}],
      [
        '/auth/update',
        { method: 'POST', body: '{"', headers: { 'content-type': 'application/json' } },
      ],
    ] as const) {
      const { status, headers } = await ask(path, init);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    }
  });

  test('makes ids and gravatars of the e-mail: here neither leads to it', async () => {
    const { body } = await ask('/auth/get_profile?username=simon371');

    expect(body).toEqual({
      found: true,
      profile: {
        id: '2345',
        name: 'Simon Davis',
        join_date: expect.any(String),
        avatar_url: null,
        gravatar: 'b4045f616392e56c370708b8289f5fba',
      },
    });
  });
});
