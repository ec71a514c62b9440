/** AURORA: the CGI's sign-in to the letter, what its settings change, and what a table cannot hold. */
import {
  accountProblems,
  cleanAddress,
  userIds,
} from '../../app/platforms/aurora/aurora.accounts.ts';
import { get, type Send } from '../../app/scenarios/scenario.ts';
import { createDirectory, type NewUser } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { basic, post, register } from '../support/oauth.ts';
import { exchange } from '../support/raw-http.ts';
import { send } from '../support/send.ts';
import { mint } from '../support/tokens.ts';
import { formOf, visitor } from '../support/visitor.ts';

let backend: Backend;

/** One backend for the tests of a `describe`. */
function withSettings(settings: Record<string, string> = {}) {
  beforeAll(async () => {
    backend = await startBackend(settings);
  });
  afterAll(() => backend.stop());
}

const asking = (token: string, path = '/userinfo'): Send =>
  get(path, {}, { headers: { Authorization: `Bearer ${token}` } });

async function ask(request: Send) {
  const { status, text } = await send(backend.url, request);
  return { status, body: JSON.parse(text) };
}

/** A new user, and a token of his with these scopes. */
async function tokenOfNew(user: NewUser, scope = ['userid-feide', 'profile', 'email']) {
  const { database, passwords, tokens } = backend.services;
  const { uid } = await createDirectory(database, passwords, 'test').createUser(user);
  const request = { clientId: 'demo-app', uid, scope, ttl: 60, actor: 'test' };
  return { uid, token: secret((await tokens.issue(request)).token) };
}

describe("the CGI's sign-in", () => {
  withSettings();

  const cgi = {
    id: 'aurora-cgi',
    name: 'AURORA',
    scope: ['email', 'userid-feide', 'profile', 'openid'],
    confidential: true,
    redirectUris: ['https://aurora.example/feide.cgi'],
    grantTypes: ['authorization_code'],
    pkceRequired: false,
  } as const;

  /** What Net::OAuth2::Profile::WebServer puts into the address of the sign-in page. */
  const authorization = new URLSearchParams({
    client_id: 'aurora-cgi',
    redirect_uri: 'https://aurora.example/feide.cgi',
    response_type: 'code',
    scope: 'email userid-feide profile openid',
    state: 'kP3vXo9QhZ7TnB1yWm5LcR8sJdA2uEfG',
  });

  async function codeFor(login: string): Promise<string> {
    const browser = visitor(backend);
    await browser.signIn(login);
    const consent = await browser.get(`/oauth/authorize?${authorization}`);
    expect(consent.text).toContain('See your user name in the form name@domain');
    const form = { ...formOf(consent.text, '/oauth/authorize'), decision: 'allow' };
    const { status, location } = await browser.post('/oauth/authorize', form);
    expect(status).toBe(303);
    const back = new URL(String(location));
    expect(back.origin + back.pathname).toBe('https://aurora.example/feide.cgi');
    expect(back.searchParams.get('state')).toBe('kP3vXo9QhZ7TnB1yWm5LcR8sJdA2uEfG');
    return String(back.searchParams.get('code'));
  }

  let given: string;
  const redeeming = (code: string) => ({
    client_id: 'aurora-cgi',
    client_secret: given,
    code,
    grant_type: 'authorization_code',
    redirect_uri: 'https://aurora.example/feide.cgi',
  });

  beforeAll(async () => {
    given = await register(backend, cgi);
  });

  test('id and secret in the form, no PKCE: a token, and then the user', async () => {
    const { status, body } = await post(backend, '/oauth/token', redeeming(await codeFor('test1')));
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        access_token: expect.stringMatching(/^[\w-]{43}$/),
        token_type: 'Bearer',
        expires_in: 3600,
        scope: 'email userid-feide profile openid',
      },
    });
    expect(await ask(asking(String(body['access_token'])))).toEqual({
      status: 200,
      body: {
        user: {
          userid: '1',
          userid_sec: ['feide:test1@users.invalid'],
          name: 'Test One',
          email: 'test1@example.com',
          profilephoto: null,
        },
        audience: 'aurora-cgi',
      },
    });
  });

  test('id and secret in the form, and the same as Basic, as Net::OAuth2 0.66 sends them', async () => {
    const authorization = basic('aurora-cgi', given);
    const form = redeeming(await codeFor('test3'));
    const { status, body } = await post(backend, '/oauth/token', form, { authorization });
    expect(status).toBe(200);
    expect((await ask(asking(String(body['access_token'])))).body.audience).toBe('aurora-cgi');
  });
});

describe('what AURORA is told', () => {
  withSettings();

  test.each<[string, Partial<NewUser>, Record<string, unknown>]>([
    [
      'a login that is an address is the user name',
      { login: 'Kari.Nordmann@ntnu.example' },
      { userid_sec: ['feide:Kari.Nordmann@ntnu.example'] },
    ],
    [
      'a quotation mark, a backslash and a solidus in a name',
      { login: 'quotes', name: String.raw`Ola "O\K" Nordmann/Hansen` },
      { name: String.raw`Ola "O\K" Nordmann/Hansen` },
    ],
    [
      'what looks like an escape in a name loses its backslash',
      { login: 'escapes', name: String.raw`Ola \u0022 \\u000a \u00` },
      { name: String.raw`Ola u0022 u000a \u00` },
    ],
    [
      "a picture in the user's profile",
      { login: 'pictured', profile: { picture: 'https://cdn.example/å.png' } },
      { profilephoto: 'https://cdn.example/å.png' },
    ],
    ['an e-mail address beyond ASCII', { login: 'beyond', email: 'åse@example.com' }, {}],
    [
      'an e-mail address that begins with a digit',
      { login: 'digit', email: '4ever@example.com' },
      {},
    ],
    ['an e-mail address at localhost', { login: 'local', email: 'ola@LOCALHOST' }, {}],
    ['no e-mail address', { login: 'without' }, {}],
  ])('%s', async (_title, user, expected) => {
    const { uid, token } = await tokenOfNew({ login: '', name: 'Kari', ...user });
    expect(await ask(asking(token))).toEqual({
      status: 200,
      body: {
        user: {
          userid: String(uid),
          userid_sec: [`feide:${user.login}@users.invalid`],
          name: 'Kari',
          profilephoto: null,
          ...expected,
        },
        audience: 'demo-app',
      },
    });
  });

  test('control characters that another user store let through', async () => {
    const { uid, token } = await tokenOfNew({ login: 'bell', name: 'Bell' });
    await backend.services.database.prisma.user.update({
      where: { uid },
      data: { name: 'Kari\u0007\tBell\u009f\u007f Hansen' },
    });
    const { text } = await send(backend.url, asking(token));
    expect(text).toContain('"name":"Kari Bell  Hansen"');
  });

  test.each([
    [['userid-feide'], ['userid', 'userid_sec']],
    [
      ['userid-feide', 'email'],
      ['userid', 'userid_sec', 'email'],
    ],
    [
      ['userid-feide', 'profile'],
      ['userid', 'userid_sec', 'name', 'profilephoto'],
    ],
  ])('scope %j', async (scope, keys) => {
    const token = await mint(backend, 'test1', { scope });
    expect(Object.keys((await ask(asking(token))).body.user)).toEqual(keys);
  });

  test('every token that we issue has the characters and the length that AURORA takes', async () => {
    for (let time = 0; time < 50; time++) {
      expect(await mint(backend, 'test1')).toMatch(/^[A-Za-z0-9\-._~+/]{1,4096}=*$/);
    }
  });

  test.each<[string, number, string]>([
    ['another path below', 404, 'GET /userinfo/1 HTTP/1.1\r\nHost: x\r\n'],
    ['POST with 100 KB', 405, 'POST /userinfo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n'],
    ['TRACE', 405, 'TRACE /userinfo HTTP/1.1\r\nHost: x\r\n'],
    ['two tokens', 400, 'GET /userinfo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a b\r\n'],
    ['no token', 401, 'GET /userinfo HTTP/1.1\r\nHost: x\r\n'],
  ])('%s: a JSON object without user and audience', async (_title, status, head) => {
    const reply = await exchange(backend.url, `${head}Connection: close\r\n\r\n`);
    const [headers = '', body = ''] = reply.split('\r\n\r\n');
    expect(headers).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(headers).toMatch(/^content-type: application\/json/im);
    expect(body).toMatch(/^\{.*\}$/s);
    expect(JSON.parse(body)).not.toHaveProperty('user');
    expect(JSON.parse(body)).not.toHaveProperty('audience');
  });
});

test('a table that is gone is a fault of ours: 5xx, an object without user and audience', async () => {
  backend = await startBackend();
  const token = await mint(backend, 'test1');
  const { prisma } = backend.services.database;
  await prisma.$executeRaw`ALTER TABLE access_tokens RENAME TO gone`;
  try {
    const { status, body } = await ask(asking(token));
    expect(status).toBe(500);
    expect(body).toEqual({ error: 'server_error', request_id: expect.any(String) });
  } finally {
    await backend.stop();
  }
});

describe('with other settings', () => {
  withSettings({
    AURORA_PATH: '/feide/userinfo',
    AURORA_USERID_PREFIX: 'idp',
    AURORA_USERID_DOMAIN: 'ntnu.example',
  });

  test('AURORA_PATH, AURORA_USERID_PREFIX, AURORA_USERID_DOMAIN', async () => {
    const token = await mint(backend, 'test1');
    const { status, body } = await ask(asking(token, '/feide/userinfo'));
    expect([status, body.user.userid_sec]).toEqual([200, ['idp:test1@ntnu.example']]);
    expect((await ask(asking(token))).status).toBe(404);
  });

  test('an address at our own domain is not the name of the user whose login is its first part', async () => {
    const { uid, token } = await tokenOfNew({ login: 'Test1@NTNU.example', name: 'Another' });
    const { body } = await ask(asking(token, '/feide/userinfo'));
    expect(body.user.userid_sec).toEqual([`idp:uid.${uid}@ntnu.example`]);
  });
});

describe('user names', () => {
  const settings = { prefix: 'feide', domain: 'users.invalid' };

  test.each([
    ['simon371', 'simon371@users.invalid'],
    ['simon@stud.example', 'simon@stud.example'],
    ["o'hara+x", "o'hara+x@users.invalid"],
    ['4ever', 'uid.7@users.invalid'],
    ['Åse', 'uid.7@users.invalid'],
    ['UID.8', 'uid.7@users.invalid'],
    ['uid.8@users.invalid', 'uid.7@users.invalid'],
    ['two@signs@x', 'uid.7@users.invalid'],
    ['feide:simon', 'uid.7@users.invalid'],
    ['with space', 'uid.7@users.invalid'],
    ['x'.repeat(255), 'uid.7@users.invalid'],
  ])('of %s', (login, name) => {
    expect(userIds({ uid: 7, login }, settings)).toEqual([`feide:${name}`]);
  });
});

describe("AURORA's own cleaning of an address", () => {
  test.each([
    ['ola@example.com', 'ola@example.com'],
    ['øla@example.com', 'la@example.com'],
    ['ola nordmann@example.com', 'olanordmann@example.com'],
    ['4ever@example.com', undefined],
    ['ola@exa_mple.com', undefined],
    ['ola', undefined],
    [`${'x'.repeat(250)}@example.com`, `${'x'.repeat(250)}@exam`],
  ])('%s', (address, cleaned) => {
    expect(cleanAddress(address)).toBe(cleaned);
  });
});

test('a login of another domain: a name there only if an operator gave it', () => {
  const account = { uid: 7, login: 'prof@ntnu.no', email: 'prof@example.com' };
  expect(accountProblems([{ ...account, fromElsewhere: false }])).toEqual([]);
  expect(accountProblems([{ ...account, fromElsewhere: true }])).toEqual([
    {
      ...account,
      problem:
        'signs in at another server, and his login is a user name of another domain: is he that person?',
    },
  ]);
});

test('accounts that AURORA would mangle or refuse, and why', () => {
  const emails: readonly (string | undefined)[] = [
    'ola@example.com',
    undefined,
    '4ever@example.com',
    'åse@example.com',
    `${'x'.repeat(244)}@example.com`,
    `${'x'.repeat(243)}@example.com`,
    'root@localhost',
    'ola@example_com',
    'ola(at)@example.com',
    '_ola@example.com',
    'OLA@example.com',
  ];
  const accounts = emails.map((email, index) => ({ uid: index + 1, login: `user${index}`, email }));
  expect(accountProblems(accounts).map(({ uid, problem }) => [uid, problem])).toEqual([
    [2, 'no e-mail address: AURORA refuses the account'],
    [3, 'begins with a digit: AURORA wants a letter'],
    [4, 'not ASCII: AURORA would take those characters out'],
    [5, 'longer than 255 characters: AURORA would cut it'],
    [7, 'ends in @localhost: AURORA keeps that for itself'],
    [8, 'not of the form that AURORA knows'],
    [9, 'not of the form that AURORA knows'],
    [10, 'not of the form that AURORA knows'],
    [11, 'the e-mail address of user0, too: a conflict for AURORA'],
  ]);
});
