/** Pango: what its settings change. */
import { type Bindings, bind, get, post, type Send } from '../../app/scenarios/scenario.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { send } from '../support/send.ts';
import { bindings } from '../support/tokens.ts';

let backend: Backend;
let bound: Bindings;

/** One backend for the tests of a `describe`. */
function withSettings(settings: Record<string, string>) {
  beforeAll(async () => {
    backend = await startBackend(settings);
    bound = await bindings(backend);
  });
  afterAll(() => backend.stop());
}

const good = '{{token.vpn-user}}';

async function ask(request: Send) {
  const { status, text } = await send(backend.url, bind(request, bound));
  return { status, text };
}

const ok = { status: 200, text: '{"result":"OK","user":{"uid":690109944}}' };

describe('with other names', () => {
  withSettings({
    PANGO_PATH: '/v1/user-info',
    PANGO_TOKEN_PARAMETER: 'session.id',
    PANGO_NOT_FOUND_TEXT: 'Ingen å finne',
  });

  const notFound = { status: 200, text: '{"result":"Ingen å finne"}' };

  test('PANGO_PATH: nobody answers at the usual one', async () => {
    expect((await ask(get('/GetUserInfo', { oauth_token: good }))).status).toBe(404);
  });

  test('PANGO_TOKEN_PARAMETER: read in the query, a form and JSON', async () => {
    expect(await ask(get('/v1/user-info', { 'session.id': good }))).toEqual(ok);
    expect(await ask(post('/v1/user-info', { form: { 'session.id': good } }))).toEqual(ok);
    expect(await ask(post('/v1/user-info', { json: { 'session.id': good } }))).toEqual(ok);
  });

  test.each(['oauth_token', 'access_token', 'token'])('%s is still read', async (name) => {
    expect(await ask(get('/v1/user-info', { [name]: good }))).toEqual(ok);
  });

  test('a good token under the new name and the usual one', async () => {
    const both = { 'session.id': good, oauth_token: good };
    expect(await ask(get('/v1/user-info', both))).toEqual(notFound);
  });

  test.each(['{{token:never-issued}}', '{{token:expired}}', '{{token.test4}}', ''])(
    'PANGO_NOT_FOUND_TEXT, the token is %s',
    async (token) => {
      expect(await ask(get('/v1/user-info', { oauth_token: token }))).toEqual(notFound);
    },
  );

  test('PANGO_NOT_FOUND_TEXT: its length is counted in bytes', async () => {
    const { headers } = await send(backend.url, get('/v1/user-info'));
    expect(headers.get('content-length')).toBe('27');
  });
});

describe('PANGO_USER_DETAILS', () => {
  withSettings({ PANGO_USER_DETAILS: 'true' });

  test("what the user's profile says, by the names of the vendor's User page", async () => {
    expect(await ask(get('/GetUserInfo', { oauth_token: good }))).toEqual({
      status: 200,
      text: '{"result":"OK","user":{"uid":690109944,"extref":"690109944","description":"VPN User","country":"NO","traffic":1073741824,"license":"2"}}',
    });
  });

  test('a user without a profile', async () => {
    expect(await ask(get('/GetUserInfo', { oauth_token: '{{token.Åse.Bjørnå}}' }))).toEqual({
      status: 200,
      text: '{"result":"OK","user":{"uid":33,"extref":"33","description":"Åse Bjørnå 🫐"}}',
    });
  });

  test('nothing is told of a refused user', async () => {
    expect(await ask(get('/GetUserInfo', { oauth_token: '{{token.test4}}' }))).toEqual({
      status: 200,
      text: '{"result":"Not found"}',
    });
  });
});

describe('PLATFORMS without pango', () => {
  withSettings({ PLATFORMS: 'connectycube,authlete' });

  test('nobody answers', async () => {
    const request = bind(get('/GetUserInfo', { oauth_token: good }), bound);
    const { status, headers, text } = await send(backend.url, request);
    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(JSON.parse(text)).toEqual({ error: 'Not found.', request_id: expect.any(String) });
  });
});
