/** ConnectyCube: what a row of its table cannot show. */
import { get, post } from '../../app/scenarios/scenario.ts';
import { createDirectory, type Directory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { send } from '../support/send.ts';
import { mint } from '../support/tokens.ts';

let backend: Backend;
let directory: Directory;

beforeAll(async () => {
  backend = await startBackend();
  const { database, passwords } = backend.services;
  directory = createDirectory(database, passwords, 'test');
});

afterAll(() => backend.stop());

/** A token of somebody who is not of the cast. */
async function mintFor(uid: number) {
  const { token } = await backend.services.tokens.issue({
    clientId: 'demo-app',
    uid,
    scope: ['verify'],
    ttl: 3600,
    actor: 'test',
  });
  return secret(token);
}

test('a user without an email: the key is left out, not null', async () => {
  await directory.createUser({ uid: 71, login: 'no-email', name: 'No Email' });
  const { status, text } = await send(
    backend.url,
    get('/user/verify', { token: await mintFor(71) }),
  );
  expect(status).toBe(200);
  expect(text).toBe(
    '{"user":{"id":71,"login":"no-email","full_name":"No Email","fill_name":"No Email"},"uid":71,"login":"no-email"}',
  );
});

test('the greatest uid is a number, to the last digit', async () => {
  await directory.createUser({ uid: 2_147_483_647, login: 'last', name: 'Last One' });
  const token = await mintFor(2_147_483_647);
  const { text } = await send(backend.url, get('/user/verify', { token, user_id: '2147483647' }));
  expect(text).toBe(
    '{"user":{"id":2147483647,"login":"last","full_name":"Last One","fill_name":"Last One"},"uid":2147483647,"login":"last"}',
  );
});

test('a name with quotes, markup and a line separator arrives as it is', async () => {
  const name = `"Bobby" </script> \u2028 \\`;
  await directory.createUser({ uid: 72, login: 'bobby', name });
  const { text } = await send(backend.url, get('/user/verify', { token: await mintFor(72) }));
  expect(JSON.parse(text).user.full_name).toBe('"Bobby" </script> \u2028 \\');
});

test.each([
  ['a great integer', '9007199254740993'],
  ['a fraction', '2345.5'],
  ['true', 'true'],
  ['null', 'null'],
  ['an array', '[2345]'],
  ['an object', '{"id":2345}'],
])('user_id in JSON: %s', async (_title, userId) => {
  const token = await mint(backend, 'simon371');
  const { status, text } = await send(
    backend.url,
    post('/user/verify', {
      headers: { 'content-type': 'application/json' },
      text: `{"access_token":"${token}","user_id":${userId}}`,
    }),
  );
  expect({ status, text }).toEqual({ status: 422, text: '{"error":"User token is invalid"}' });
});

test.each(['/user/verify/2345', '/user', '/User/Verify', '/user/verify.json'])(
  '%s is no path of ours: 404, with a short error in JSON',
  async (path) => {
    const token = await mint(backend, 'simon371');
    const { status, headers, text } = await send(backend.url, get(path, { token }));
    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(JSON.parse(text)).toEqual({ error: 'Not found.', request_id: expect.any(String) });
  },
);

test('a slash behind the path, as dashboards add one', async () => {
  const token = await mint(backend, 'simon371');
  expect((await send(backend.url, get('/user/verify/', { token }))).status).toBe(200);
});

test('PLATFORMS without connectycube: nobody answers', async () => {
  const other = await startBackend({ PLATFORMS: 'pango, authlete' });
  try {
    const token = await mint(other, 'simon371');
    expect((await send(other.url, get('/user/verify', { token }))).status).toBe(404);
  } finally {
    await other.stop();
  }
});
