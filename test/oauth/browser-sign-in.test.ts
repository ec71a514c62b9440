/** A browser that an endpoint sends to sign in, and what comes back with it. */
import { z } from 'zod';
import { type Answer, json, redirect } from '../../app/http/answer.ts';
import type { Browser, Endpoint } from '../../app/http/endpoint.ts';
import { platform } from '../../app/platforms/platform.ts';
import { createDirectory, type Directory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { type Callback, describeInBrowser, launch, startCallback } from '../support/browser.ts';
import { secret } from '../support/canaries.ts';
import { type Provider, startProvider } from '../support/provider.ts';
import { formOf, type Visitor, visitor } from '../support/visitor.ts';

const text = (value: unknown) => String(value ?? '');

/** Shows what it is told, as JSON; goes on to where it was to go, if that was kept. */
async function arrived(browser: Browser, callback: `/${string}`): Promise<Answer> {
  const arrival = await browser.arrival(callback);
  if ('problem' in arrival) return json(200, arrival);
  const { user, isNew, provider, kept } = arrival;
  if (kept['onward']) return redirect(kept['onward']);
  return json(200, { user: user.login, email: user.email, isNew, provider, kept });
}

const endpoints: readonly Endpoint[] = [
  {
    path: '/visit/begin',
    methods: ['GET'],
    answer({ parameters: { provider, callback = '/visit/back', onward, ...kept }, browser }) {
      const to = {
        provider: text(provider),
        callback: text(callback) as '/visit/back',
        kept: Object.fromEntries(Object.entries(kept).map(([name, value]) => [name, text(value)])),
      };
      const url = text(onward);
      return browser.signIn(url ? { ...to, kept: { onward: url }, onward: url } : to);
    },
  },
  {
    path: '/visit/back',
    methods: ['GET'],
    answer: ({ browser }) => arrived(browser, '/visit/back'),
  },
  {
    path: '/visit/elsewhere',
    methods: ['GET'],
    answer: ({ browser }) => arrived(browser, '/visit/elsewhere'),
  },
  { path: '/visit/posted', methods: ['POST'], answer: () => json(200, {}) },
];

const visit = platform({
  id: 'visit',
  title: 'A platform that people visit',
  docs: 'https://visit.example',
  settings: z.object({}),
  endpoints: () => endpoints,
  scenarios: [],
});

let backend: Backend;
let directory: Directory;
let provider: Provider;
let who: Visitor;

beforeAll(async () => {
  provider = await startProvider();
  backend = await startBackend(
    {
      ...provider.google(),
      ...provider.github(),
      ...provider.named('HQ'),
      UPSTREAM_HQ_ISSUER: 'https://hq.example',
    },
    [visit],
  );
  const { database, passwords } = backend.services;
  directory = createDirectory(database, passwords, 'test');
});

afterAll(async () => {
  await backend.stop();
  await provider.stop();
});

beforeEach(() => {
  who = visitor(backend);
  provider.broken.clear();
  backend.clock.now = new Date();
});

const begin = (query: Record<string, string>, by = who) =>
  by.get(`/visit/begin?${new URLSearchParams(query)}`);

/** What the callback was told. */
const told = async (path: string, by = who) => JSON.parse((await by.get(path)).text);

const ada = { '/userinfo': { sub: '1001', email: 'Ada@example.org', email_verified: true } };
const grace = { '/userinfo': { sub: '1002', preferred_username: 'grace' } };
const octocat = (verified: boolean) => ({
  '/user': { id: 583231, login: 'OctoCat', email: 'test1@example.com' },
  '/user/emails': [{ email: 'octo@example.com', primary: true, verified }],
});

const notBegunHere = { problem: 'not-begun-here' };

const cookieOf = (visitor: Visitor) => {
  const names = [...visitor.cookies.keys()].filter((name) => name.startsWith('idp_sign_in_'));
  return String(names[0]);
};

/** Where the browser would be sent back to. */
function backFrom(location: string | undefined): string {
  const back = String(new URL(String(location), backend.url).searchParams.get('return_to'));
  return back.replace(/[^=]+$/, secret);
}

const lastLine = () => backend.log.findLast(({ path }) => path === '/visit/back');

describe('at an upstream provider', () => {
  test('is sent there with a callback of the endpoint, PKCE, and nothing of what was kept', async () => {
    const { status, location, headers } = await begin({ provider: 'google', next: 'https://a.b/' });
    expect(status).toBe(303);
    expect(headers.get('cache-control')).toBe('no-store');
    const { origin, pathname, searchParams } = new URL(String(location));
    expect(`${origin}${pathname}`).toBe(`${provider.url}/authorize`);
    const { state, code_challenge, ...rest } = Object.fromEntries(searchParams);
    expect(state).toMatch(/^[\w-]{43}$/);
    expect(code_challenge).toMatch(/^[\w-]{43}$/);
    expect(rest).toEqual({
      response_type: 'code',
      client_id: 'key-of-GOOGLE',
      redirect_uri: `${backend.url}/visit/back`,
      scope: 'openid email profile',
      code_challenge_method: 'S256',
    });
    const [cookie = ''] = headers.getSetCookie();
    expect(cookie).toMatch(/^idp_sign_in_[0-9a-f]{16}=[\w.-]+; Max-Age=600; Path=\/; /);
    expect(cookie).toMatch(/; HttpOnly; SameSite=Lax$/);
    expect(cookie).not.toContain('a.b');
  });

  test('somebody new, and the same person again', async () => {
    const first = await begin({ provider: 'google', next: 'https://a.b/?c=d' });
    expect(await told(provider.approve(first.location, ada))).toEqual({
      user: 'ada',
      email: 'Ada@example.org',
      isNew: true,
      provider: 'google',
      kept: { next: 'https://a.b/?c=d' },
    });
    expect(lastLine()).toMatchObject({ status: 200, uid: expect.any(Number) });
    expect(who.cookies).toEqual(new Map());

    const again = await begin({ provider: 'google' });
    expect(await told(provider.approve(again.location, ada))).toMatchObject({
      user: 'ada',
      isNew: false,
    });
  });

  test('the same subject at another provider is somebody else', async () => {
    const first = await begin({ provider: 'google' });
    await told(provider.approve(first.location, ada));
    const { location } = await begin({ provider: 'hq' });
    const back = `${provider.approve(location, ada)}&iss=https://hq.example`;
    expect(await told(back)).toMatchObject({ user: 'ada2', isNew: true, provider: 'hq' });
  });

  test.each([
    ['verified', true, 'octo@example.com'],
    ['not verified', false, undefined],
  ])('GitHub, with an address that is %s', async (_what, verified, email) => {
    const facts = octocat(verified);
    facts['/user'].id += Number(verified);
    const { location } = await begin({ provider: 'github' });
    const arrival = await told(provider.approve(location, facts));
    expect([arrival.isNew, arrival.provider, arrival.email]).toEqual([true, 'github', email]);
  });

  test('two tabs, two providers, two endpoints: each comes back to its own', async () => {
    const atGoogle = await begin({ provider: 'google', tab: '1' });
    const atGithub = await begin({ provider: 'github', tab: '2', callback: '/visit/elsewhere' });
    const second = provider.approve(atGithub.location, octocat(true));
    expect(second).toMatch(/^\/visit\/elsewhere\?/);
    expect(await told(second)).toMatchObject({ provider: 'github', kept: { tab: '2' } });
    expect(await told(provider.approve(atGoogle.location, ada))).toMatchObject({
      provider: 'google',
      kept: { tab: '1' },
    });
  });

  test('another browser: nothing it began, and the code stays good for who did', async () => {
    const { location } = await begin({ provider: 'google' });
    const back = provider.approve(location, ada);
    expect(await told(back, visitor(backend))).toEqual(notBegunHere);
    expect(await told(back)).toMatchObject({ user: 'ada' });
  });

  test('a second time: nothing any more', async () => {
    const { location } = await begin({ provider: 'google' });
    const back = provider.approve(location, ada);
    expect(await told(back)).toMatchObject({ user: 'ada' });
    expect(await told(back)).toEqual(notBegunHere);
  });

  test.each([
    ['a second before ten minutes are over', 599, { user: 'ada' }],
    ['when ten minutes are over', 600, notBegunHere],
  ])('%s', async (_when, seconds, expected) => {
    const { location } = await begin({ provider: 'google' });
    backend.clock.now = new Date(backend.clock.now.getTime() + seconds * 1000);
    expect(await told(provider.approve(location, ada))).toMatchObject(expected);
  });

  test('a cookie that was changed, made up, or of another sign-in', async () => {
    const { location } = await begin({ provider: 'google' });
    const back = provider.approve(location, ada);
    const name = cookieOf(who);
    const good = String(who.cookies.get(name));
    const other = visitor(backend);
    await begin({ provider: 'google' }, other);
    for (const bad of [
      good.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
      good.replace(/\.[^.]+\./, '..'),
      'eyJhbGciOiJub25lIn0.e30.',
      '',
      String(other.cookies.get(cookieOf(other))),
    ]) {
      const thief = visitor(backend);
      thief.cookies.set(name, bad);
      expect(await told(back, thief)).toEqual(notBegunHere);
    }
    expect(await told(back)).toMatchObject({ user: 'ada' });
  });

  test('brought to another callback than it was begun for', async () => {
    for (const path of ['/visit/elsewhere', '/login/google/callback']) {
      const { location } = await begin({ provider: 'google' });
      const back = provider.approve(location, ada).replace('/visit/back', path);
      expect((await who.get(back)).text).toContain(
        path === '/visit/elsewhere' ? 'not-begun-here' : 'was not begun in this browser',
      );
    }
  });

  test("an answer of one provider with another's state: its code is worth nothing there", async () => {
    const atGoogle = new URL(String((await begin({ provider: 'google' })).location));
    const atGithub = new URL(String((await begin({ provider: 'github' })).location));
    const { searchParams } = new URL(provider.approve(atGoogle.href, ada), backend.url);
    searchParams.set('state', String(atGithub.searchParams.get('state')));
    expect(await told(`/visit/back?${searchParams}`)).toEqual({ problem: 'unavailable', kept: {} });
  });

  test.each([
    ['no state', 'code=x'],
    ['an empty state', 'code=x&state='],
    ['a state that nobody made', 'code=x&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['an error, and no state of ours', 'error=access_denied&state=x'],
    ['nothing', ''],
  ])('%s', async (_what, query) => {
    await begin({ provider: 'google' });
    expect(await told(`/visit/back?${query}`)).toEqual(notBegunHere);
  });

  test('a state that is there twice', async () => {
    const { location } = await begin({ provider: 'google' });
    const back = provider.approve(location, ada);
    expect(await told(`${back}&state=x`)).toEqual(notBegunHere);
  });

  test('the right state, and neither code nor error', async () => {
    const { location } = await begin({ provider: 'google' });
    const back = provider.approve(location, ada).replace(/code=[^&]+&/, '');
    expect(await told(back)).toEqual({ ...notBegunHere, kept: {} });
  });

  test.each([
    ['of another server', '&iss=https://evil.example'],
    ['of nobody', ''],
  ])('a provider with an issuer, an answer %s', async (_what, iss) => {
    const { location } = await begin({ provider: 'hq' });
    const back = `${provider.approve(location, ada)}${iss}`;
    expect(await told(back)).toEqual({ ...notBegunHere, kept: {} });
  });

  test.each([
    'access_denied',
    'login_required',
    'consent_required',
    'interaction_required',
    'account_selection_required',
  ])('the person says no (%s): denied, with what was kept, once', async (word) => {
    const { location } = await begin({ provider: 'google', next: 'here' });
    const back = provider.deny(location).replace('access_denied', word);
    const before = backend.log.length;
    expect(await told(back)).toEqual({ problem: 'denied', kept: { next: 'here' } });
    // Nothing that the operator could mend: the line of the request, and no more.
    expect(backend.log.slice(before).map(({ msg }) => msg)).toEqual([undefined]);
    expect(await told(back)).toEqual(notBegunHere);
  });

  test.each(['server_error', 'temporarily_unavailable', 'invalid_scope', 'unauthorized_client'])(
    'the provider says %s: unavailable, and the operator can see it',
    async (word) => {
      const { location } = await begin({ provider: 'google', next: 'here' });
      const back = provider.deny(location).replace('access_denied', word);
      expect(await told(back)).toEqual({ problem: 'unavailable', kept: { next: 'here' } });
      expect(backend.log.at(-2)).toMatchObject({
        msg: 'sign-in at a provider',
        err: { name: 'ProviderError', code: word },
      });
    },
  );

  const html = { type: 'text/html', text: '<html>Bad gateway</html>' };
  const jsonText = (status: number, body: unknown) => ({
    status,
    type: 'application/json',
    text: JSON.stringify(body),
  });

  test.each([
    ['no tokens: 500', '/token', jsonText(500, { error: 'server_error' })],
    ['no tokens: not for this code', '/token', jsonText(400, { error: 'invalid_grant' })],
    ['no tokens: not for us', '/token', jsonText(401, { error: 'invalid_client' })],
    ['tokens as HTML', '/token', { status: 200, ...html }],
    ['tokens as half a JSON', '/token', { status: 200, type: 'application/json', text: '{"acc' }],
    ['a token of another type', '/token', jsonText(200, { access_token: 'x', token_type: 'mac' })],
    ['a redirect', '/token', { status: 302, ...html }],
    ['nobody: 503', '/userinfo', { status: 503, ...html }],
    ['nobody: 404', '/userinfo', jsonText(404, { error: 'not_found' })],
    ['nobody: the token is not good', '/userinfo', jsonText(401, { error: 'invalid_token' })],
    ['nobody: that is not allowed', '/userinfo', { status: 403, ...html }],
    ['nobody, as HTML', '/userinfo', { status: 200, ...html }],
    ['somebody without a subject', '/userinfo', jsonText(200, { name: 'Ada' })],
  ])(
    'a provider that gives %s: unavailable, and nobody is created',
    async (_what, path, broken) => {
      const before = await backend.services.database.prisma.user.count();
      const { location } = await begin({ provider: 'google', next: 'here' });
      const back = provider.approve(location, { '/userinfo': { sub: 'nobody-yet' } });
      provider.broken.set(path, broken);
      expect(await told(back)).toEqual({ problem: 'unavailable', kept: { next: 'here' } });
      expect(await backend.services.database.prisma.user.count()).toBe(before);
      expect(backend.log.at(-2)).toMatchObject({
        msg: 'sign-in at a provider',
        err: { name: 'ProviderError' },
      });
    },
  );

  test('a provider that never answers: unavailable after five seconds', async () => {
    provider.broken.set('/token', 'silence');
    const { location } = await begin({ provider: 'google', next: 'here' });
    const back = provider.approve(location, ada);
    expect(await told(back)).toEqual({ problem: 'unavailable', kept: { next: 'here' } });
  }, 15_000);

  test('a suspended user, then one in a suspended group: refused, and the log says why', async () => {
    const { location } = await begin({ provider: 'google' });
    await told(provider.approve(location, grace));
    await directory.setUserStatus('grace', 'suspended');
    const again = await begin({ provider: 'google', next: 'here' });
    const refused = { problem: 'refused', kept: { next: 'here' } };
    expect(await told(provider.approve(again.location, grace))).toEqual(refused);
    expect(lastLine()).toMatchObject({ refused: 'user-suspended' });

    const { prisma } = backend.services.database;
    const group = await prisma.group.findFirstOrThrow({ where: { status: 'suspended' } });
    await prisma.user.update({
      where: { loginKey: 'grace' },
      data: { status: 'active', groupId: group.id },
    });
    const third = await begin({ provider: 'google', next: 'here' });
    expect(await told(provider.approve(third.location, grace))).toEqual(refused);
    expect(lastLine()).toMatchObject({ refused: 'group-suspended' });
  });

  test('many that are begun and never ended do not fill the headers of a request', async () => {
    const next = 'x'.repeat(1900);
    for (let tab = 1; tab <= 8; tab++) await begin({ provider: 'google', next });
    expect([...who.cookies.values()].join('').length).toBeLessThan(8000);
    const { location, status } = await begin({ provider: 'google', next });
    expect(status).toBe(303);
    expect(await told(provider.approve(location, ada))).toMatchObject({ user: 'ada' });
  });
});

describe("at this server's own pages", () => {
  const local = (more: Record<string, string> = {}) => begin({ provider: 'local', ...more });

  test('is sent to sign in, and back with who did', async () => {
    const { status, location } = await local({ next: 'here' });
    expect(status).toBe(303);
    expect(location).toMatch(/^\/login\?return_to=%2Fvisit%2Fback%3Fstate%3D[\w-]{43}$/);
    const page = await who.get(String(location));
    const form = { ...formOf(page.text, '/login'), login: 'test1' };
    const wrong = await who.post('/login', { ...form, password: 'test2' });
    expect(wrong.status).toBe(403);
    const right = { ...formOf(wrong.text, '/login'), login: 'test1', password: 'test1' };
    const back = String((await who.post('/login', right)).location);
    expect(back).toMatch(/^\/visit\/back\?state=/);
    expect(await told(back)).toEqual({
      user: 'test1',
      email: 'test1@example.com',
      isNew: false,
      provider: 'local',
      kept: { next: 'here' },
    });
    expect(lastLine()).toMatchObject({ uid: 1 });
    expect(await told(back)).toEqual(notBegunHere);
  });

  test('who is signed in already is not asked again', async () => {
    await who.signIn('test2');
    const { location } = await local();
    const { status, location: back } = await who.get(String(location));
    expect(status).toBe(303);
    expect(await told(String(back))).toMatchObject({ user: 'test2' });
  });

  test('comes back without having signed in: denied, once', async () => {
    const { location } = await local({ next: 'here' });
    const back = backFrom(location);
    expect(await told(back)).toEqual({ problem: 'denied', kept: { next: 'here' } });
    expect(await told(back)).toEqual(notBegunHere);
  });

  test('cancelled on the page: denied, even for somebody signed in', async () => {
    const { location } = await local({ next: 'here' });
    const { text } = await who.get(String(location));
    const cancel = /<a class="button" href="([^"]+)">Cancel<\/a>/.exec(text)?.[1];
    await who.signIn('test1');
    const back = String(cancel).replaceAll('&amp;', '&');
    expect(await told(back)).toEqual({ problem: 'denied', kept: { next: 'here' } });
  });

  test('the sign-in page has no cancel where nothing waits for it', async () => {
    expect((await who.get('/login')).text).not.toContain('Cancel');
    const { location } = await local();
    expect((await visitor(backend).get(String(location))).text).not.toContain('Cancel');
  });

  test('with an upstream provider on the sign-in page, on to the endpoint', async () => {
    const { location } = await local({ next: 'here' });
    const { text } = await who.get(String(location));
    const href = /href="(\/login\/google[^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
    const there = await who.get(String(href));
    const signedIn = await who.get(provider.approve(there.location, ada));
    expect(await told(String(signedIn.location))).toEqual({
      user: 'ada',
      email: 'Ada@example.org',
      isNew: false,
      provider: 'local',
      kept: { next: 'here' },
    });
  });

  test('created on the way there: new, and so to one of those who wait', async () => {
    const begun = [await local({ tab: '1' }), await local({ tab: '2' })];
    const there = await who.get('/login/google');
    await who.get(provider.approve(there.location, { '/userinfo': { sub: '1003' } }));
    const arrivals = [
      await told(backFrom(begun[0]?.location)),
      await told(backFrom(begun[1]?.location)),
    ];
    expect(arrivals).toMatchObject([
      { user: 'user-1003', isNew: true },
      { user: 'user-1003', isNew: false },
    ]);
  });

  test('another browser, signed in or not: nothing it began', async () => {
    const { location } = await local();
    const other = visitor(backend);
    expect(await told(backFrom(location), other)).toEqual(notBegunHere);
    await other.signIn('test1');
    expect(await told(backFrom(location), other)).toEqual(notBegunHere);
  });

  test('suspended since signing in: nobody is signed in, then nor later', async () => {
    await who.signIn('test3');
    const { location } = await local({ next: 'here' });
    const { location: another } = await local({ next: 'there' });
    await directory.setUserStatus('test3', 'suspended');
    expect(await told(backFrom(location))).toEqual({ problem: 'denied', kept: { next: 'here' } });
    await directory.setUserStatus('test3', 'active');
    expect(await told(backFrom(another))).toEqual({ problem: 'denied', kept: { next: 'there' } });
  });

  test('his group suspended since: refused, and the log says why', async () => {
    await who.signIn('test3');
    const { location } = await local({ next: 'here' });
    await directory.setGroupStatus('Dev 02', 'suspended');
    expect(await told(backFrom(location))).toEqual({ problem: 'refused', kept: { next: 'here' } });
    expect(lastLine()).toMatchObject({ refused: 'group-suspended' });
    await directory.setGroupStatus('Dev 02', 'active');
  });

  test('too late: not begun here', async () => {
    await who.signIn('test1');
    const { location } = await local();
    backend.clock.now = new Date(backend.clock.now.getTime() + 600_000);
    expect(await told(backFrom(location))).toEqual(notBegunHere);
  });
});

test.each(['google', 'local'])('from %s, five at once and one later: one', async (from) => {
  await who.signIn('test1');
  const { location } = await begin({ provider: from });
  const back = from === 'local' ? backFrom(location) : provider.approve(location, ada);
  const cookie = [...who.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const arrive = async () => {
    const response = await fetch(`${backend.url}${back}`, { headers: { cookie } });
    return response.json() as Promise<Record<string, unknown>>;
  };
  const arrivals = await Promise.all([1, 2, 3, 4, 5].map(arrive));
  expect(arrivals.filter(({ user }) => user !== undefined)).toHaveLength(1);
  const others = arrivals.filter(({ user }) => user === undefined);
  expect([...others, await arrive()]).toEqual(Array(5).fill(notBegunHere));
});

test.each([
  ['google', 'identities'],
  ['local', 'sessions'],
  ['local', 'used_states'],
])('from %s while the database fails: a fault, and no refusal', async (from, table) => {
  const { prisma } = backend.services.database;
  await who.signIn('test1');
  const { location } = await begin({ provider: from });
  const back = from === 'local' ? backFrom(location) : provider.approve(location, ada);
  await prisma.$executeRawUnsafe(`ALTER TABLE ${table} RENAME TO hidden`);
  try {
    const { status, text } = await who.get(back);
    expect([status, JSON.parse(text).error]).toEqual([500, 'server_error']);
  } finally {
    await prisma.$executeRawUnsafe(`ALTER TABLE hidden RENAME TO ${table}`);
  }
});

describe('where the sign-in page returns to', () => {
  const state = 'A'.repeat(43);

  test.each([
    ['an endpoint with a state', `/visit/back?state=${state}`, true],
    ['an endpoint without one', '/visit/back', false],
    ['a state that is none', '/visit/back?state=short', false],
    ['more than a state', `/visit/back?x=1&state=${state}`, false],
    ['something after it', `/visit/back?state=${state}&x=1`, false],
    ['an endpoint for POST', `/visit/posted?state=${state}`, false],
    ['a path that nobody answers', `/visit/nowhere?state=${state}`, false],
    ['another host', `https://evil.example/visit/back?state=${state}`, false],
    ['another host, without a scheme', `//evil.example/visit/back?state=${state}`, false],
    ['backslashes', `\\\\evil.example\\visit/back?state=${state}`, false],
    ['a line end', `/visit/back?state=${state}\n`, false],
  ])('%s', async (_what, to, returns) => {
    await who.signIn('test1');
    const { status, location } = await who.get(`/login?${new URLSearchParams({ return_to: to })}`);
    expect([status, location]).toEqual(returns ? [303, to] : [200, undefined]);
  });
});

describe('what only a mistake of ours can do', () => {
  test.each([
    ['a provider that is not there', { provider: 'facebook' }],
    ['a callback that is no endpoint', { provider: 'local', callback: '/visit/nowhere' }],
    ['a callback that takes no GET', { provider: 'local', callback: '/visit/posted' }],
  ])('%s: a fault', async (_what, query) => {
    expect((await begin(query)).status).toBe(500);
  });
});

describeInBrowser('in Chromium', () => {
  let app: Callback;

  beforeAll(async () => {
    app = await startCallback();
  });

  afterAll(() => app.close());

  test('the policy of the sign-in form lets it on to the page that waits', async () => {
    const chromium = await launch();
    try {
      const page = await chromium.newPage();
      const query = new URLSearchParams({ provider: 'local', onward: app.url });
      await page.goto(`${backend.url}/visit/begin?${query}`);
      await page.getByLabel('User name').fill('test1');
      await page.getByLabel('Password').fill('test1');
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.waitForURL(app.url);
      expect(await page.getByRole('heading').textContent()).toBe('Back in the app');
    } finally {
      await chromium.close();
    }
  }, 60_000);
});
