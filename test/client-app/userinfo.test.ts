/** GET|POST /openid/userinfo: RFC 6750 to the letter. */
import { createDirectory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { bindings, mint } from '../support/tokens.ts';

let backend: Backend;

beforeAll(async () => {
  backend = await startBackend();
});

afterAll(() => backend.stop());

async function userinfo(authorization?: string, init: RequestInit = {}) {
  const response = await fetch(`${backend.url}/openid/userinfo`, {
    ...init,
    headers: authorization === undefined ? {} : { authorization },
  });
  expect(response.headers.get('cache-control')).toBe('no-store');
  const challenge = response.headers.get('www-authenticate');
  return { status: response.status, challenge, body: await response.json() };
}

test('every scope', async () => {
  const token = await mint(backend, 'test1');
  const expected = {
    sub: '1',
    name: 'Test One',
    preferred_username: 'test1',
    email: 'test1@example.com',
    email_verified: false,
    'https://n.feide.no/claims/userid_sec': ['feide:test1@users.invalid'],
  };
  expect(await userinfo(`Bearer ${token}`)).toEqual({
    status: 200,
    challenge: null,
    body: expected,
  });
  expect((await userinfo(`bearer ${token}`)).body).toEqual(expected);
  expect((await userinfo(`Bearer ${token}`, { method: 'POST' })).body).toEqual(expected);
});

test.each([
  [['openid'], { sub: '2345' }],
  [['openid', 'profile'], { sub: '2345', name: 'Simon Davis', preferred_username: 'simon371' }],
  [['openid', 'email'], { sub: '2345', email: 'simon371@example.com', email_verified: false }],
  [
    ['openid', 'userid-feide'],
    {
      sub: '2345',
      'https://n.feide.no/claims/userid_sec': ['feide:simon371@users.invalid'],
    },
  ],
])('scope %j', async (scope, body) => {
  const token = await mint(backend, 'simon371', { scope });
  expect((await userinfo(`Bearer ${token}`)).body).toEqual(body);
});

test.each([
  [
    'his profile says that the address is his, and has a picture',
    { email_verified: true, picture: 'https://cdn.example/kari.png' },
    { email_verified: true, picture: 'https://cdn.example/kari.png' },
  ],
  [
    'his profile says it in words',
    { email_verified: 'true', picture: 7 },
    { email_verified: false },
  ],
])('%s', async (title, profile, expected) => {
  const { database, passwords } = backend.services;
  const directory = createDirectory(database, passwords, 'test');
  const login = `user-${title.length}`;
  const { uid } = await directory.createUser({
    login,
    name: 'Kari',
    email: 'kari@example.com',
    profile,
  });
  const { token } = await backend.services.tokens.issue({
    clientId: 'demo-app',
    uid,
    scope: ['openid', 'profile', 'email'],
    ttl: 60,
    actor: 'test',
  });
  expect((await userinfo(`Bearer ${secret(token)}`)).body).toEqual({
    sub: String(uid),
    name: 'Kari',
    preferred_username: login,
    email: 'kari@example.com',
    ...expected,
  });
});

test('a user without an e-mail address: no word of it', async () => {
  const { database, passwords } = backend.services;
  const directory = createDirectory(database, passwords, 'test');
  const { uid } = await directory.createUser({ login: 'no-mail', name: 'No Mail' });
  const { token } = await backend.services.tokens.issue({
    clientId: 'demo-app',
    uid,
    scope: ['openid', 'email'],
    ttl: 60,
    actor: 'test',
  });
  expect((await userinfo(`Bearer ${secret(token)}`)).body).toEqual({ sub: String(uid) });
});

test('where AURORA is not answered, nobody has a user name for it', async () => {
  const other = await startBackend({ PLATFORMS: 'pango' });
  try {
    const token = await mint(other, 'test1', { scope: ['openid', 'userid-feide'] });
    const response = await fetch(`${other.url}/openid/userinfo`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await response.json()).toEqual({ sub: '1' });
  } finally {
    await other.stop();
  }
});

test('a token that was issued for another resource, and one that was issued for AURORA', async () => {
  const bound = await bindings(backend);
  for (const name of ['token:for-another-resource', 'token:for-aurora']) {
    expect((await userinfo(`Bearer ${bound[name]}`)).status).toBe(401);
  }
});

test('a token for a chat vendor (scope verify) reads nothing', async () => {
  const token = await mint(backend, 'test1', { scope: ['verify', 'profile'] });
  expect(await userinfo(`Bearer ${token}`)).toEqual({
    status: 403,
    challenge:
      'Bearer realm="partner-idp-kit", error="insufficient_scope", error_description="The token has not the scope for this.", scope="openid"',
    body: {
      error: 'insufficient_scope',
      error_description: 'The token has not the scope for this.',
    },
  });
});

test.each([[undefined], ['Basic dGVzdDE6dGVzdDE=']])('no token (%s)', async (authorization) => {
  expect(await userinfo(authorization)).toEqual({
    status: 401,
    challenge: 'Bearer realm="partner-idp-kit"',
    body: { error: 'invalid_token', error_description: 'Send a bearer token.' },
  });
});

test.each(['Bearer', 'Bearer ', 'Bearer a b', 'Bearer "quoted"', 'Bearer ä'])(
  'malformed: %s',
  async (authorization) => {
    const answer = await userinfo(Buffer.from(authorization).toString('latin1'));
    expect(answer.status).toBe(400);
    expect(answer.challenge).toContain('error="invalid_request"');
  },
);

test('a token in the query, or in the form, is not looked at', async () => {
  const token = await mint(backend, 'test1');
  const inQuery = await fetch(`${backend.url}/openid/userinfo?access_token=${token}`);
  expect(inQuery.status).toBe(401);
  const body = new URLSearchParams({ access_token: token });
  expect((await userinfo(undefined, { method: 'POST', body })).status).toBe(401);
});

test('unknown, expired, revoked, suspended, of a client: the same bytes', async () => {
  const bound = await bindings(backend);
  const tokens = [
    secret('never-issued-by-anybody'),
    await mint(backend, 'test1', { ttl: -1 }),
    await mint(backend, 'test4'),
    await mint(backend, 'in-suspended-group'),
    String(bound['token:revoked']),
  ];
  for (const token of tokens) {
    expect(await userinfo(`Bearer ${token}`)).toEqual({
      status: 401,
      challenge:
        'Bearer realm="partner-idp-kit", error="invalid_token", error_description="The token is not good, or not any more."',
      body: {
        error: 'invalid_token',
        error_description: 'The token is not good, or not any more.',
      },
    });
  }
});

test('another method', async () => {
  const response = await fetch(`${backend.url}/openid/userinfo`, { method: 'DELETE' });
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
});
