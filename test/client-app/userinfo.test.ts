/** GET|POST /openid/userinfo: RFC 6750 to the letter. */
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
  [['openid', 'email'], { sub: '2345', email: 'simon371@example.com' }],
])('scope %j', async (scope, body) => {
  const token = await mint(backend, 'simon371', { scope });
  expect((await userinfo(`Bearer ${token}`)).body).toEqual(body);
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
