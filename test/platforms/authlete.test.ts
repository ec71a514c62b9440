/** Authlete: what a row of its table cannot show. */
import { get, post, type Send } from '../../app/scenarios/scenario.ts';
import { createDirectory, type Directory } from '../../app/store/directory.ts';
import { apiKey, apiSecret, type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { send } from '../support/send.ts';

let backend: Backend;
let directory: Directory;

/** One backend for the tests of a `describe`. */
function withSettings(settings: Record<string, string>) {
  beforeAll(async () => {
    backend = await startBackend(settings);
    const { database, passwords } = backend.services;
    directory = createDirectory(database, passwords, 'test');
  });
  afterAll(() => backend.stop());
}

const basic = { user: apiKey, password: apiSecret };
const json = { 'content-type': 'application/json' };

/** `rest` goes into the JSON to the letter. */
const login = (id: string, password: string, rest = '') =>
  post('/', {
    basic,
    headers: json,
    text: `{"id":${JSON.stringify(id)},"password":${JSON.stringify(password)}${rest}}`,
  });

async function ask(request: Send) {
  const { status, text } = await send(backend.url, request);
  return { status, text };
}

const dev01 = {
  status: 200,
  text: '{"authenticated":true,"subject":"dev01","displayName":"Developer Group 01"}',
};
const dev04 = {
  status: 200,
  text: '{"authenticated":true,"subject":"dev04","displayName":"Developer Group 04"}',
};
const denied = { status: 200, text: '{"authenticated":false}' };

describe('AUTHLETE_SERVICE_API_KEYS', () => {
  withSettings({ AUTHLETE_SERVICE_API_KEYS: '21653835348762, 9007199254740993' });

  test.each(['21653835348762', '9007199254740993'])(
    'the service is %s, of the list',
    async (key) => {
      expect(await ask(login('test1', 'test1', `,"serviceApiKey":${key}`))).toEqual(dev01);
    },
  );

  test.each([
    ['another', ',"serviceApiKey":21653835348763'],
    ['one that a double cannot tell from one of the list', ',"serviceApiKey":9007199254740992'],
    ['one that begins like one of the list', ',"serviceApiKey":2165383534876'],
    ['none', ''],
    ['null', ',"serviceApiKey":null'],
  ])('the service is %s: refused', async (_title, serviceApiKey) => {
    const request = login('test1', 'test1', serviceApiKey);
    expect(await ask(request)).toEqual(denied);
    expect(await ask({ ...request, path: '/authlete/authentication' })).toEqual(denied);
  });

  test("the group's own list counts as well", async () => {
    const by = (key: string) =>
      login('one-service-only', 'only one service', `,"serviceApiKey":${key}`);
    expect(await ask(by('9007199254740993'))).toEqual(dev04);
    expect(await ask(by('21653835348762'))).toEqual(denied);
  });
});

describe('the paths', () => {
  withSettings({
    AUTHLETE_CALLBACK_PATH: '/authlete/developer',
    AUTHLETE_AUTHENTICATION_PATH: '/end-user',
  });

  test('AUTHLETE_CALLBACK_PATH: the callback is there, and no longer at /', async () => {
    const request = login('test1', 'test1');
    expect(await ask({ ...request, path: '/authlete/developer' })).toEqual(dev01);
    const { status, headers, text } = await send(backend.url, request);
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe('GET, HEAD');
    expect(text).not.toContain('authenticated');
  });

  test('AUTHLETE_AUTHENTICATION_PATH: the end-user callback is there', async () => {
    const request = login('test1', 'test1');
    expect(await ask({ ...request, path: '/end-user' })).toEqual({
      status: 200,
      text: '{"authenticated":true,"subject":"1","claims":"{}"}',
    });
    expect((await ask({ ...request, path: '/authlete/authentication' })).status).toBe(404);
  });
});

describe('PLATFORMS without authlete', () => {
  withSettings({ PLATFORMS: 'pango,connectycube' });

  test('nobody answers, and / is only a page', async () => {
    const request = login('test1', 'test1');
    expect((await ask({ ...request, path: '/authlete/authentication' })).status).toBe(404);
    expect((await ask(request)).status).toBe(405);
  });
});

describe('a secret with colons, and letters beyond ASCII', () => {
  withSettings({ AUTHLETE_API_KEY: 'kk', AUTHLETE_API_SECRET: secret('å:b:ø::') });

  test.each([
    ['in UTF-8, split at the first colon', 'a2s6w6U6YjrDuDo6', 200],
    ['in ISO-8859-1', 'a2s65TpiOvg6Og==', 401],
    ['without its last colon', 'a2s6w6U6YjrDuDo=', 401],
  ])('%s', async (_title, base64, status) => {
    const request = post('/', {
      headers: { authorization: `Basic ${base64}` },
      json: { id: 'test1', password: 'test1' },
    });
    expect((await ask(request)).status).toBe(status);
  });
});

describe('as it stands', () => {
  withSettings({});

  /** How many passwords the backend has compared since. They are compared all the same. */
  function countComparisons(): () => number {
    const { passwords } = backend.services;
    const { matches } = passwords;
    let count = 0;
    Object.assign(passwords, {
      matches(...given: Parameters<typeof matches>) {
        count++;
        return matches(...given);
      },
    });
    return () => count;
  }

  test('a stranger with a body of 100 KiB is a stranger first', async () => {
    const text = `"${'x'.repeat(100 * 1024)}"`;
    const answer = await ask(post('/', { headers: json, text }));
    expect(answer).toEqual({ status: 401, text: '{"error":"unauthorized"}' });
  });

  test('no password is compared for a stranger', async () => {
    const comparisons = countComparisons();
    await ask({ ...login('test1', 'test1'), basic: { user: apiKey, password: 'wrong' } });
    expect(comparisons()).toBe(0);
    await ask(login('test1', 'test1'));
    expect(comparisons()).toBe(1);
  });

  test.each([
    ['an unknown id', 'test5', 'test5'],
    ['a suspended user', 'test4', 'test4'],
    ['a user without a group', 'simon371', 'simon371'],
    ['a service that is not allowed', 'one-service-only', 'only one service'],
  ])('a password is compared for %s too: the time tells nothing', async (_title, id, password) => {
    const comparisons = countComparisons();
    expect(await ask(login(id, password))).toEqual(denied);
    expect(comparisons()).toBe(1);
  });

  test.each(['GET', 'HEAD'])('%s / is a page, whoever asks', async (method) => {
    const request = get('/', { id: 'test1', password: 'test1' }, { basic });
    const { status, headers, text } = await send(backend.url, { ...request, method });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(text).not.toContain('authenticated');
  });

  test('72 bytes of a password that are right, and one more', async () => {
    // 72 bytes are all that bcrypt looks at.
    const longest = secret('ø'.repeat(36));
    await directory.createUser({
      login: 'long',
      name: 'Long Password',
      password: longest,
      group: 'Dev 01',
    });
    expect(await ask(login('long', longest))).toEqual(dev01);
    expect(await ask(login('long', `${longest}x`))).toEqual(denied);
    expect(await ask(login('long', `${longest}ø`))).toEqual(denied);
    expect(await ask(login('long', longest.slice(1)))).toEqual(denied);
  });

  test('a new password counts from the next request on, and the old one no more', async () => {
    await directory.createUser({
      login: 'changes',
      name: 'Changes Password',
      password: secret('the first password'),
      group: 'Dev 01',
    });
    expect(await ask(login('changes', 'the first password'))).toEqual(dev01);
    await directory.setPassword('changes', secret('the second password'));
    expect(await ask(login('changes', 'the first password'))).toEqual(denied);
    expect(await ask(login('changes', 'the second password'))).toEqual(dev01);
  });

  test.each(['', 'null', 'undefined', 'no-password', '\0'])(
    'a user who has no password, and the guess %j',
    async (guess) => {
      const user = { login: 'no-password', name: 'No Password', group: 'Dev 01' };
      await directory.user('no-password').catch(() => directory.createUser(user));
      expect(await ask(login('no-password', guess))).toEqual(denied);
    },
  );

  test('the longest subject, and a display name beyond ASCII', async () => {
    await directory.createGroup({
      name: 'Übersetzer',
      subject: `a${'~'.repeat(99)}`,
      displayName: 'Übersetzer & "Söhne" 🫐',
    });
    await directory.createUser({
      login: 'ueber',
      name: 'Über Setzer',
      password: secret('übersetzt'),
      group: 'Übersetzer',
    });
    const { text, headers } = await send(backend.url, login('ueber', 'übersetzt'));
    expect(JSON.parse(text)).toEqual({
      authenticated: true,
      subject: `a${'~'.repeat(99)}`,
      displayName: 'Übersetzer & "Söhne" 🫐',
    });
    // Of the 176 characters, two take two bytes in UTF-8 and one takes four.
    expect(headers.get('content-length')).toBe('181');
  });

  test('an end user without an email: no such claim', async () => {
    await directory.createUser({
      uid: 71,
      login: 'no-email',
      name: 'No Email',
      password: secret('has no email'),
    });
    const request = login('no-email', 'has no email', ',"claims":["email","name","sub"]');
    expect(await ask({ ...request, path: '/authlete/authentication' })).toEqual({
      status: 200,
      text: '{"authenticated":true,"subject":"71","claims":"{\\"name\\":\\"No Email\\"}"}',
    });
  });
});
