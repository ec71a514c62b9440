/** Sign-in at somebody else's: Google's and GitHub's shapes by the mock, any other server by a second backend of ours. */
import type { RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import { OAuth2Server } from 'oauth2-mock-server';
import { readConfig } from '../../app/config.ts';
import { digest } from '../../app/oauth/secrets.ts';
import { platforms } from '../../app/platforms/index.ts';
import { trail } from '../../app/store/audit.ts';
import { createIdentities } from '../../app/store/identities.ts';
import { browser, type Page } from '../client-app/browser.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { listen } from '../support/provider.ts';

const stops: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function serve(listener: RequestListener): Promise<string> {
  const { url, stop } = await listen(listener);
  stops.push(stop);
  return url;
}

async function backend(environment: Record<string, string> = {}): Promise<Backend> {
  const started = await startBackend(environment);
  stops.push(started.stop);
  return started;
}

/** The mock as Google, saying this of who signs in. */
async function google(claims: Record<string, unknown>, more: Record<string, string> = {}) {
  const server = new OAuth2Server();
  await server.issuer.keys.generate('RS256');
  await server.start(0, '127.0.0.1');
  stops.push(() => server.stop());
  server.service.on('beforeUserinfo', (answer) => {
    answer.body = claims;
  });
  const url = String(server.issuer.url);
  const ours = await backend({
    GOOGLE_KEY: 'key',
    GOOGLE_SECRET: secret('google-client-secret'),
    GOOGLE_AUTHORIZATION_URL: `${url}/authorize`,
    GOOGLE_TOKEN_URL: `${url}/token`,
    GOOGLE_USERINFO_URL: `${url}/userinfo`,
    ...more,
  });
  return { server, ours, claims };
}

const heading = (page: Page) => /<h1>(.*?)<\/h1>/.exec(page.text)?.[1];

const identities = ({ services }: Backend) =>
  services.database.prisma.identity.findMany({
    select: { provider: true, subject: true, user: { select: { login: true, email: true } } },
    orderBy: { user: { uid: 'asc' } },
  });

const ada = { sub: '1001', name: 'Ada L.', email: 'Ada@Example.org', email_verified: true };

test('the link to begin with takes no answer, whatever stands in it', async () => {
  const { ours } = await google(ada);
  for (const query of [
    'error=boom',
    'code=x&state=y',
    'error=boom&error_description=a&error_description=b',
  ]) {
    const begun = await fetch(`${ours.url}/login/google?${query}`, { redirect: 'manual' });
    expect(begun.status).toBe(303);
    expect(begun.headers.get('location')).toContain('response_type=code');
  }
});

test('somebody new: a user, with the local part as login', async () => {
  const { ours } = await google(ada);
  const who = browser();
  const page = await who.open(`${ours.url}/login/google`);
  expect(page.url).toBe(`${ours.url}/login`);
  expect(page.text).toContain('Ada L.');
  expect(await identities(ours)).toEqual([
    { provider: 'google', subject: '1001', user: { login: 'ada', email: 'Ada@Example.org' } },
  ]);
  // No password lets anybody in.
  const response = await fetch(`${ours.url}/user/login`, {
    method: 'POST',
    body: new URLSearchParams({ login: 'ada', password: '' }),
  });
  expect(response.status).not.toBe(200);
});

test('the same person again, with another address: the same user, unchanged', async () => {
  const { ours, claims } = await google({ ...ada });
  await browser().open(`${ours.url}/login/google`);
  Object.assign(claims, { email: 'new@example.org', name: 'Other' });
  await browser().open(`${ours.url}/login/google`);
  expect(await identities(ours)).toEqual([
    { provider: 'google', subject: '1001', user: { login: 'ada', email: 'Ada@Example.org' } },
  ]);
});

const profileOfAda = async ({ services }: Backend) =>
  (await services.database.prisma.user.findUniqueOrThrow({ where: { loginKey: 'ada' } })).profile;

test('the picture at the provider is kept for somebody new', async () => {
  const picture = 'https://lh3.example/a/ada=s96-c';
  const { ours, claims } = await google({ ...ada, picture });
  await browser().open(`${ours.url}/login/google`);
  Object.assign(claims, { picture: 'https://lh3.example/a/other' });
  await browser().open(`${ours.url}/login/google`);
  expect(await profileOfAda(ours)).toEqual({ picture });
});

test.each([
  ['plain http', 'http://lh3.example/ada.png'],
  ['a script', 'javascript:alert(1)'],
  ['no URL', 'ada.png'],
  ['not ASCII', 'https://lh3.example/blåbær.png'],
  ['longer than 2048 characters', `https://lh3.example/${'a'.repeat(2029)}`],
  ['no text', 7],
])('a picture that is %s is left out, and the person comes in', async (_what, picture) => {
  const { ours } = await google({ ...ada, picture });
  expect((await browser().open(`${ours.url}/login/google`)).status).toBe(200);
  expect(await profileOfAda(ours)).toEqual({});
});

test('another person with the same address: another user, the login numbered', async () => {
  const { ours, claims } = await google({ ...ada });
  await browser().open(`${ours.url}/login/google`);
  Object.assign(claims, { sub: '1002' });
  await browser().open(`${ours.url}/login/google`);
  expect((await identities(ours)).map(({ subject, user }) => [subject, user.login])).toEqual([
    ['1001', 'ada'],
    ['1002', 'ada2'],
  ]);
});

describe('an address that another user here has is not kept, and the audit trail says so', () => {
  const simon = { sub: '1001', name: 'S.', email_verified: true };

  test.each([
    ['to the letter', 'simon371@example.com'],
    ['in another case', 'Simon371@EXAMPLE.com'],
  ])('%s', async (_what, email) => {
    const { ours } = await google({ ...simon, email });
    expect((await browser().open(`${ours.url}/login/google`)).status).toBe(200);
    expect(await identities(ours)).toMatchObject([{ user: { login: 'simon3712', email: null } }]);
    const [event] = await trail(ours.services.database, { target: 'user:simon3712', limit: 1 });
    expect(event).toMatchObject({
      action: 'user.create',
      detail: { provider: 'google', email: 'not kept: uid 2345 has it' },
    });
  });

  test('two who come with one address at the same moment: one of them has it', async () => {
    const { ours } = await google(simon);
    const findOrCreate = createIdentities(ours.services.database, {
      linkByEmail: false,
      createUsers: true,
      reserved: [],
    });
    const person = { name: 'Ada', email: 'ada@example.org', picture: undefined };
    await Promise.all(
      ['1', '2', '3', '4', '5'].map((subject) =>
        findOrCreate('google', { ...person, subject, login: `ada-${subject}` }),
      ),
    );
    const emails = (await identities(ours)).map(({ user }) => user.email);
    expect(emails.toSorted()).toEqual(['ada@example.org', null, null, null, null]);
  });
});

test('three browsers of somebody new at the same moment: one user', async () => {
  const { ours } = await google(ada);
  await Promise.all([1, 2, 3].map(() => browser().open(`${ours.url}/login/google`)));
  expect(await identities(ours)).toHaveLength(1);
});

describe('the address of test1', () => {
  const test1 = { ...ada, email: 'test1@example.com' };

  test.each([
    ['verified, but linking is off', test1, {}, 'test12'],
    ['linking is on, but not verified', { ...test1, email_verified: false }, on(), 'test12'],
    ['linking is on, and nothing is said', { ...test1, email_verified: undefined }, on(), 'test12'],
    ['linking is on, and it is verified', test1, on(), 'test1'],
    ['the same in another case', { ...test1, email: 'Test1@Example.com' }, on(), 'test1'],
  ])('%s', async (_what, claims, environment, login) => {
    const { ours } = await google(claims, environment);
    await browser().open(`${ours.url}/login/google`);
    const [found] = await identities(ours);
    expect(found?.user.login).toBe(login);
    // An address that nobody has verified is not kept.
    if (claims.email_verified !== true) expect(found?.user.email).toBeNull();
  });

  test('two users have it: neither is linked', async () => {
    const { ours } = await google(test1, on());
    const { prisma } = ours.services.database;
    await prisma.user.update({ where: { uid: 2 }, data: { email: 'test1@example.com' } });
    await browser().open(`${ours.url}/login/google`);
    expect((await identities(ours))[0]?.user.login).toBe('test12');
  });

  function on() {
    return { UPSTREAM_LINK_BY_EMAIL: 'true' };
  }
});

describe('what he calls himself there', () => {
  const person = { sub: '1001', name: 'Mallory', email: 'm@example.org', email_verified: true };

  test.each([
    ['another domain’s name', 'prof@ntnu.no', 'prof'],
    ['one in wide characters', 'prof＠ntnu.no', 'prof'],
    ['nothing but a domain', '@ntnu.no', 'user-1001'],
    ['a login of an admin of the console', 'OPS', 'ops2'],
    ['one that folds to it', 'ｏｐｓ@example.org', 'ops2'],
    ['controls, spaces and halves of pairs', 'a\0d\ud83d a\u200b', 'ada'],
  ])('%s', async (_what, preferred_username, login) => {
    const { ours } = await google(
      { ...person, preferred_username },
      { CONSOLE_ENABLED: 'true', CONSOLE_ADMINS: 'Ops, other.admin' },
    );
    expect((await browser().open(`${ours.url}/login/google`)).status).toBe(200);
    expect(await identities(ours)).toMatchObject([{ subject: '1001', user: { login } }]);
  });

  test.each([
    ['controls', 'A\0da\n', 'A da'],
    ['half of a pair', 'Ada \ud83d', 'Ada \ufffd'],
    ['a pair at the end of what fits', `${'x'.repeat(254)}🦊`, `${'x'.repeat(254)}\ufffd`],
    ['nothing that is seen', ' \0', 'mallory'],
  ])('his name, %s: is cleaned', async (_what, name, kept) => {
    const { ours } = await google({ ...person, preferred_username: 'mallory', name });
    expect((await browser().open(`${ours.url}/login/google`)).status).toBe(200);
    const { prisma } = ours.services.database;
    expect((await prisma.user.findUnique({ where: { loginKey: 'mallory' } }))?.name).toBe(kept);
  });

  test.each([
    ['a NUL', 'a\0@example.org'],
    ['half of a pair', '\ud83d@example.org'],
    ['256 characters', `${'x'.repeat(244)}@example.org`],
  ])('an address with %s: is not kept', async (_what, email) => {
    const { ours } = await google({ ...person, preferred_username: 'mallory', email });
    expect((await browser().open(`${ours.url}/login/google`)).status).toBe(200);
    expect(await identities(ours)).toMatchObject([{ user: { login: 'mallory', email: null } }]);
  });

  test.each([
    ['a NUL', '10\x0001'],
    ['half of a pair', '\ud83d'],
    ['256 characters', '1'.repeat(256)],
    ['nothing', ''],
  ])('a subject with %s: 502, and nobody is created', async (_what, sub) => {
    const { ours } = await google({ ...person, sub });
    expect((await browser().open(`${ours.url}/login/google`)).status).toBe(502);
    expect(await identities(ours)).toEqual([]);
  });
});

test('UPSTREAM_CREATE_USERS=false: only who is known here, or is linked, is let in', async () => {
  const off = { UPSTREAM_CREATE_USERS: 'false', UPSTREAM_LINK_BY_EMAIL: 'true' };
  const { ours, claims } = await google({ ...ada }, off);
  const users = () => ours.services.database.prisma.user.count();
  const before = await users();
  const page = await browser().open(`${ours.url}/login/google`);
  expect(page.status).toBe(403);
  expect(heading(page)).toBe('Not signed in');
  expect(page.text).toContain('Your account cannot be used here.');
  expect([await users(), await identities(ours)]).toEqual([before, []]);

  claims['email'] = 'test1@example.com';
  for (let time = 1; time <= 2; time += 1) {
    expect((await browser().open(`${ours.url}/login/google`)).status).toBe(200);
  }
  expect(await identities(ours)).toMatchObject([{ user: { login: 'test1' } }]);
});

test('an App’s request that no cookie can carry: how to go on, at once', async () => {
  const { ours } = await google(ada);
  const who = browser();
  const begin = (length: number) => {
    const to = `/oauth/authorize?state=${'x'.repeat(length - 23)}`;
    return who.open(`${ours.url}/login/google?return_to=${encodeURIComponent(to)}`, '/authorize');
  };
  const page = await begin(2001);
  expect(page.status).toBe(400);
  expect(heading(page)).toBe('Sign in first, then go back to the app');
  expect(page.text).toContain('href="/login/google"');
  expect(who.cookies).toEqual(new Map());

  await begin(2000);
  const [[name, value] = ['', '']] = [...who.cookies];
  expect(`${name}=${value}; Max-Age=600; Path=/; HttpOnly; SameSite=Lax`.length).toBeLessThan(4000);
});

test('a suspended user: a page, and no session', async () => {
  const { ours } = await google(ada);
  await browser().open(`${ours.url}/login/google`);
  await ours.services.database.prisma.user.updateMany({
    where: { login: 'ada' },
    data: { status: 'suspended' },
  });
  const who = browser();
  const page = await who.open(`${ours.url}/login/google`);
  expect(page.status).toBe(403);
  expect(heading(page)).toBe('Not signed in');
  expect((await who.open(`${ours.url}/login`)).text).toContain('name="password"');
});

describe('the state', () => {
  const begin = async () => {
    const { ours } = await google(ada);
    const who = browser();
    return { ours, who, begun: await who.open(`${ours.url}/login/google`, '/callback') };
  };

  test('of another browser', async () => {
    const { begun, ours } = await begin();
    expect((await browser().open(begun.url)).status).toBe(400);
    expect(await identities(ours)).toEqual([]);
  });

  test('twice', async () => {
    const { begun, who } = await begin();
    expect((await who.open(begun.url)).status).toBe(200);
    expect((await who.open(begun.url)).status).toBe(400);
  });

  test.each(['HEAD', 'POST'])('%s: 405, and the sign-in is still to come', async (method) => {
    const { begun, who } = await begin();
    const cookie = [...who.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const { status, headers } = await fetch(begun.url, { method, headers: { cookie } });
    expect([status, headers.get('allow'), headers.getSetCookie()]).toEqual([405, 'GET', []]);
    expect((await who.open(begun.url)).status).toBe(200);
  });

  test('after ten minutes', async () => {
    const { begun, who, ours } = await begin();
    ours.clock.now = new Date(ours.clock.now.getTime() + 601_000);
    expect((await who.open(begun.url)).status).toBe(400);
  });

  test('in a cookie that somebody made', async () => {
    const { begun, who } = await begin();
    const [name] = [...who.cookies.keys()].filter((one) => one.startsWith('idp_sign_in_'));
    who.cookies.set(String(name), 'eyJhbGciOiJub25lIn0.e30.');
    expect((await who.open(begun.url)).status).toBe(400);
  });

  test('of two tabs: both arrive', async () => {
    const { begun, who, ours } = await begin();
    const second = await who.open(`${ours.url}/login/google`, '/callback');
    expect((await who.open(second.url)).status).toBe(200);
    expect((await who.open(begun.url)).status).toBe(200);
  });
});

test('the provider says no: a page', async () => {
  const { ours, server } = await google(ada);
  server.service.once('beforeAuthorizeRedirect', ({ url }) => {
    url.searchParams.delete('code');
    url.searchParams.set('error', 'access_denied');
  });
  const page = await browser().open(`${ours.url}/login/google`);
  expect(page.status).toBe(403);
  expect(heading(page)).toBe('Not signed in with Google');
});

test.each([
  ['fails', 500, { error: 'server_error' }],
  ['does not say who it is', 200, { name: 'Ada' }],
])('userinfo %s: 502, and nobody is created', async (_what, statusCode, body) => {
  const { ours, server } = await google({});
  server.service.on('beforeUserinfo', (answer) => Object.assign(answer, { statusCode, body }));
  expect((await browser().open(`${ours.url}/login/google`)).status).toBe(502);
  expect(await identities(ours)).toEqual([]);
});

test.each([
  ['primary and verified', [true, true], 'octo@example.com'],
  ['primary, not verified', [true, false], null],
  ['verified, not primary', [false, true], null],
])('GitHub: the address is %s', async (_what, [primary, verified], email) => {
  const mock = new OAuth2Server();
  await mock.issuer.keys.generate('RS256');
  await mock.start(0, '127.0.0.1');
  stops.push(() => mock.stop());
  const api = await serve((request, response) => {
    const answers: Record<string, unknown> = {
      '/user': { id: 583231, login: 'OctoCat', name: null, email: 'test1@example.com' },
      '/user/emails': [{ email: 'octo@example.com', primary, verified }],
    };
    const allowed = request.headers.authorization?.startsWith('Bearer ');
    response.writeHead(allowed ? 200 : 401).end(JSON.stringify(answers[String(request.url)]));
  });
  const ours = await backend({
    GITHUB_KEY: 'key',
    GITHUB_SECRET: secret('github-client-secret'),
    GITHUB_AUTHORIZATION_URL: `${mock.issuer.url}/authorize`,
    GITHUB_TOKEN_URL: `${mock.issuer.url}/token`,
    GITHUB_API_URL: api,
    UPSTREAM_LINK_BY_EMAIL: 'true',
  });
  expect((await browser().open(`${ours.url}/login/github`)).status).toBe(200);
  expect(await identities(ours)).toEqual([
    { provider: 'github', subject: '583231', user: { login: 'octocat', email } },
  ]);
});

test('a second backend of ours, and on to the App that had asked', async () => {
  const theirs = await backend();
  const clientSecret = secret('upstream-client-secret');
  const ours = await backend({
    UPSTREAM_HQ_KEY: 'branch',
    UPSTREAM_HQ_SECRET: clientSecret,
    UPSTREAM_HQ_AUTHORIZATION_URL: `${theirs.url}/oauth/authorize`,
    UPSTREAM_HQ_TOKEN_URL: `${theirs.url}/oauth/token`,
    UPSTREAM_HQ_USERINFO_URL: `${theirs.url}/openid/userinfo`,
    UPSTREAM_HQ_ISSUER: theirs.url,
  });
  await theirs.services.database.prisma.client.create({
    data: {
      id: 'branch',
      name: 'Branch',
      secretHash: digest(clientSecret),
      redirectUris: [`${ours.url}/login/hq/callback`],
      grantTypes: ['authorization_code'],
      scope: 'openid profile email',
      firstParty: true,
    },
  });
  // Each server has a browser of its own here: on one host their cookies would meet, as two instances of one product do.
  const who = browser();
  const asking = await who.open(`${ours.url}/app/sign-in`);
  const to = /name="return_to" value="([^"]+)"/.exec(asking.text)?.[1]?.replaceAll('&amp;', '&');
  const start = `${ours.url}/login/hq?${new URLSearchParams({ return_to: String(to) })}`;
  const there = await who.open(start, theirs.url);

  const atTheirs = browser();
  const form = await atTheirs.open(there.url);
  const signedIn = await atTheirs.submit(form, '/login', {
    login: 'simon371',
    password: 'simon371',
  });
  const back = String(
    signedIn.visited.find((url) => url.startsWith(`${ours.url}/login/hq/callback`)),
  );
  // Their browser followed it already, where it was refused: it had begun nothing here.
  expect(signedIn.status).toBe(400);

  const again = await atTheirs.open(there.url, '/login/hq/callback');
  expect(again.url).not.toBe(back);
  const page = await who.open(again.url);
  expect(page.url).toBe(`${ours.url}/app`);
  expect(heading(page)).toBe('Hello, Simon Davis');
  expect(await identities(ours)).toEqual([
    {
      provider: 'hq',
      subject: '2345',
      // simon371 is somebody else here, whatever his address.
      user: { login: 'simon3712', email: null },
    },
  ]);
});

/** Knows whoever the code names, and answers no token request before there are so many of them. */
async function slowServer(together: number): Promise<string> {
  const waiting: (() => void)[] = [];
  return serve(async (request, response) => {
    response.setHeader('Content-Type', 'application/json');
    if (request.url === '/userinfo') {
      const login = request.headers.authorization?.replace('Bearer token-of-', '');
      response.end(JSON.stringify({ sub: `${login}`, preferred_username: login }));
      return;
    }
    const form = new URLSearchParams(await text(request));
    const access_token = secret(`token-of-${form.get('code')}`);
    waiting.push(() => response.end(JSON.stringify({ access_token, token_type: 'Bearer' })));
    if (waiting.length === together) for (const answer of waiting) answer();
  });
}

const atSlowServer = (url: string) => ({
  UPSTREAM_SLOW_KEY: 'key',
  UPSTREAM_SLOW_SECRET: secret('slow-client-secret'),
  UPSTREAM_SLOW_AUTHORIZATION_URL: `${url}/authorize`,
  UPSTREAM_SLOW_TOKEN_URL: `${url}/token`,
  UPSTREAM_SLOW_USERINFO_URL: `${url}/userinfo`,
  UPSTREAM_SLOW_TITLE: 'Slow & Sons',
});

test('two sign in at the same moment: each gets his own state, token and session', async () => {
  const ours = await backend(atSlowServer(await slowServer(2)));
  const people = ['adele', 'bertha'].map((login) => ({ login, who: browser() }));
  const begun = await Promise.all(
    people.map(({ who }) => who.open(`${ours.url}/login/slow`, '/authorize')),
  );
  const pages = await Promise.all(
    people.map(({ login, who }, at) => {
      const state = String(new URL(String(begun[at]?.url)).searchParams.get('state'));
      const answer = new URLSearchParams({ code: login, state });
      return who.open(`${ours.url}/login/slow/callback?${answer}`);
    }),
  );
  expect(pages.map(({ status, url }) => [status, url])).toEqual([
    [200, `${ours.url}/login`],
    [200, `${ours.url}/login`],
  ]);
  expect(pages.map((page) => /<strong>(.*?)<\/strong>/.exec(page.text)?.[1])).toEqual([
    'adele',
    'bertha',
  ]);
});

describe('the sign-in page', () => {
  const links = (page: Page) =>
    [...page.text.matchAll(/<a class="button" href="(.*?)">(.*?)<\/a>/g)].map(([, href, title]) => [
      href?.replaceAll('&amp;', '&'),
      title,
    ]);

  test('links to whoever else can say who one is', async () => {
    const ours = await backend({
      GOOGLE_KEY: 'key',
      GOOGLE_SECRET: secret('google-client-secret'),
      ...atSlowServer('http://127.0.0.1:9'),
    });
    expect(links(await browser().open(`${ours.url}/login`))).toEqual([
      ['/login/google', 'Sign in with Google'],
      ['/login/slow', 'Sign in with Slow &amp; Sons'],
    ]);
  });

  test('a link goes on to the App that had asked', async () => {
    const ours = await backend(atSlowServer(await slowServer(1)));
    const who = browser();
    const asking = await who.open(`${ours.url}/app/sign-in`);
    const [[href] = []] = links(asking);
    expect(href).toMatch(
      /^\/login\/slow\?return_to=%2Foauth%2Fauthorize%3Fresponse_type%3Dcode%26/,
    );
    const there = await who.open(`${ours.url}${href}`, '/authorize');
    const state = String(new URL(there.url).searchParams.get('state'));
    const answer = new URLSearchParams({ code: 'adele', state });
    const page = await who.open(`${ours.url}/login/slow/callback?${answer}`);
    expect(page.url).toBe(`${ours.url}/app`);
    expect(heading(page)).toBe('Hello, adele');
  });

  test('without any of them: no link', async () => {
    const ours = await backend();
    expect((await browser().open(`${ours.url}/login`)).text).not.toContain('Sign in with');
  });
});

test('what is wrong with the settings, all at once', () => {
  const read = () =>
    readConfig(
      {
        NODE_ENV: 'production',
        PLATFORMS: 'pango',
        GOOGLE_KEY: 'key',
        GITHUB_SECRET: 'secret',
        UPSTREAM_HQ_KEY: 'key',
        UPSTREAM_HQ_TOKEN_URL: 'token.example.com',
        UPSTREAM_GITHUB_KEY: 'key',
        UPSTREAM_LOCAL_KEY: 'key',
      },
      platforms,
    );
  for (const problem of [
    'GOOGLE_SECRET is missing',
    'GITHUB_KEY is missing',
    'UPSTREAM_HQ_SECRET is missing',
    'UPSTREAM_HQ_AUTHORIZATION_URL is missing',
    'UPSTREAM_HQ_TOKEN_URL: must be an http or https URL',
    'UPSTREAM_HQ_USERINFO_URL is missing',
    'UPSTREAM_GITHUB_KEY: it is called GITHUB_KEY',
    'UPSTREAM_LOCAL_KEY: local is this server itself; call it something else',
  ]) {
    expect(read).toThrow(problem);
  }
});

test('an address of Google or GitHub that is none', () => {
  const read = () =>
    readConfig({ GOOGLE_TOKEN_URL: 'token.example.com', GITHUB_API_URL: 'ftp://x' }, platforms);
  for (const name of ['GOOGLE_TOKEN_URL', 'GITHUB_API_URL']) {
    expect(read).toThrow(`${name}: must be an http or https URL`);
  }
});
