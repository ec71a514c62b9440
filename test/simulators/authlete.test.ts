/** Authlete, played: against this backend, and against ones that answer badly. */
import {
  type AuthleteSettings,
  createAuthlete,
} from '../../app/platforms/authlete/authlete.simulator.ts';
import type { CallOptions } from '../../app/scenarios/call.ts';
import { createRecorder } from '../../app/scenarios/exchange.ts';
import type { Bindings } from '../../app/scenarios/scenario.ts';
import { apiKey, apiSecret, type Backend, startBackend } from '../support/backend.ts';
import { bindings } from '../support/tokens.ts';
import { type Case, type FakeBackend, startFakeBackend, unusable } from './fake-backend.ts';
import { expectStory, holds, storiesOf, tell } from './stories.ts';

const secrets = {
  developerAuthenticationCallbackApiKey: apiKey,
  developerAuthenticationCallbackApiSecret: apiSecret,
};

const dev01 = '{"authenticated":true,"subject":"dev01","displayName":"Developer Group 01"}';

describe('against this backend', () => {
  let backend: Backend;
  let bound: Bindings;

  beforeAll(async () => {
    backend = await startBackend();
    bound = await bindings(backend);
  });
  afterAll(() => backend.stop());

  test.each(storiesOf('authlete'))('$id $title', async (story) => {
    await expectStory(story, backend.url, bound);
  });

  test('somebody else plays test1', async () => {
    const [tour] = storiesOf('authlete');
    if (!tour) throw new Error('there is no tour');
    const { checks } = await tell(tour, backend.url, { ...bound, 'test1.password': 'forgotten' });

    expect(checks.find(({ what }) => what === 'test1 is let in as his group')?.actual).toBe(
      undefined,
    );
  });

  test('one flow, as it was said', async () => {
    const authlete = createAuthlete(backend.url, secrets);
    const { flow } = await authlete.play({ login: 'test1', password: 'test1' });

    expect(flow.outcome).toBe('Authlete lets test1 in as Developer Group 01 (dev01)');
    expect(flow.accepted).toBe(true);
    expect(flow.exchanges).toMatchObject([
      {
        from: 'Browser',
        to: 'Platform',
        request: {
          method: 'POST',
          url: 'https://cd.authlete.com/21653835348762/login',
          body: 'id=test1&password=test1',
        },
        reply: { status: 303 },
        concluded: 'the console shows Your Apps',
        order: { request: 0, reply: 3 },
      },
      {
        from: 'Platform',
        to: 'Backend',
        request: {
          method: 'POST',
          url: `${backend.url}/`,
          headers: {
            Accept: 'application/json',
            'Content-Type': 'application/json',
            Authorization: `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')}`,
          },
          body: '{"expiresIn":0,"id":"test1","password":"test1","serviceApiKey":21653835348762}',
        },
        reply: { status: 200, text: dev01 },
        concluded: 'the developer is Developer Group 01 (dev01)',
        order: { request: 1, reply: 2 },
      },
    ]);
  });

  test('a suspended user, as it was said', async () => {
    const authlete = createAuthlete(backend.url, secrets);
    const { flow, session } = await authlete.play({ login: 'test4', password: 'test4' });

    expect(session).toBe(undefined);
    expect(flow.accepted).toBe(false);
    expect(flow.outcome).toBe('Authlete denies the login');
    expect(flow.exchanges.map(({ concluded }) => concluded)).toEqual([
      'the login page again',
      'the developer is not authenticated',
    ]);
    expect(flow.exchanges[1]?.reply?.text).toBe('{"authenticated":false}');
  });

  test('the service API key is sent to the last digit', async () => {
    const login = (key: string) =>
      createAuthlete(backend.url, { ...secrets, apiKey: key }).login(
        'one-service-only',
        'only one service',
      );

    expect(await login('9007199254740993')).toEqual(expect.any(String));
    expect(await login('9007199254740992')).toBe(undefined);
  });
});

describe('against another backend', () => {
  let backend: FakeBackend;
  const create = (settings: Partial<AuthleteSettings> = {}, options: CallOptions = {}) =>
    createAuthlete(backend.url, { ...secrets, ...settings }, options);

  beforeAll(async () => {
    backend = await startFakeBackend();
  });
  afterAll(() => backend.stop());

  test.each(storiesOf('authlete'))('$id fails when everybody is let in', async (story) => {
    backend.says({ body: dev01 });
    const { checks } = await tell(story, backend.url, {
      'authlete.apiKey': 'key',
      'authlete.apiSecret': 'secret',
    });

    expect(checks.every(holds)).toBe(false);
  });

  test.each<Case>([
    ...unusable,
    ['authenticated false', { body: '{"authenticated":false,"subject":"dev01"}' }],
    ['authenticated is a number', { body: '{"authenticated":1,"subject":"dev01"}' }],
    ['authenticated is another text', { body: '{"authenticated":"yes","subject":"dev01"}' }],
    ['authenticated is null', { body: '{"authenticated":null,"subject":"dev01"}' }],
    ['authenticated is an object', { body: '{"authenticated":{},"subject":"dev01"}' }],
    ['a key in another case', { body: '{"Authenticated":true,"subject":"dev01"}' }],
    [
      'the last of two keys counts',
      { body: '{"authenticated":true,"subject":"d","authenticated":false}' },
    ],
    ['no subject', { body: '{"authenticated":true}' }],
    ['an empty subject', { body: '{"authenticated":true,"subject":""}' }],
    ['a subject that is a list', { body: '{"authenticated":true,"subject":["dev01"]}' }],
    [
      'a display name that is an object',
      { body: '{"authenticated":true,"subject":"d","displayName":{}}' },
    ],
    ['201', { status: 201, body: dev01 }],
    ['401', { status: 401, body: dev01 }],
    ['500 with a good body', { status: 500, body: dev01 }],
    ['a redirect', { status: 302, headers: { Location: '/' }, body: dev01 }],
  ])('%s: denied', async (_title, said) => {
    backend.says(said);

    expect(await create().login('test1', 'test1')).toBe(undefined);
    expect(backend.asked).toHaveLength(1);
  });

  test.each([
    ['true', dev01, 'dev01', 'Developer Group 01'],
    ['"true"', '{"authenticated":"true","subject":"d","displayName":"D"}', 'd', 'D'],
    ['"TRUE"', '{"authenticated":"TRUE","subject":"d","displayName":"D"}', 'd', 'D'],
    ['a key more', '{"x":[{}],"authenticated":true,"subject":"d","displayName":"D"}', 'd', 'D'],
    [
      'a subject that is a number',
      '{"authenticated":true,"subject":7,"displayName":"D"}',
      '7',
      'D',
    ],
    ['no display name', '{"authenticated":true,"subject":"d"}', 'd', 'd'],
    ['a misspelt one', '{"authenticated":true,"subject":"d","displayNam":"D"}', 'd', 'd'],
  ])('%s: let in', async (_title, body, subject, displayName) => {
    backend.says({ body });
    const authlete = create();
    const session = (await authlete.login('test1', 'test1')) ?? '';

    expect(authlete.developer(session)).toEqual({ subject, displayName });
  });

  test('no answer in time: denied', async () => {
    backend.says('nothing');
    const recorder = createRecorder();

    expect(await create({}, { timeout: 200 }).login('test1', 'test1', recorder)).toBe(undefined);
    expect(recorder.exchanges()).toMatchObject([
      { reply: undefined, problem: 'No answer within 0.2 s.' },
    ]);
  });

  test('id and password with what JSON must escape', async () => {
    backend.says({ body: dev01 });
    await create({ developerAuthenticationCallbackEndpoint: '/authlete/developer' }).login(
      'a"b\\c',
      'blåbær\n🫐',
    );

    expect(backend.asked).toMatchObject([
      {
        method: 'POST',
        url: '/authlete/developer',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: '{"expiresIn":0,"id":"a\\"b\\\\c","password":"blåbær\\n🫐","serviceApiKey":21653835348762}',
      },
    ]);
  });

  test.each(['9223372036854775808', '-1', '1.5', '1e9', ''])(
    'the service API key %p is no Java long',
    (key) => {
      expect(() => create({ apiKey: key })).toThrow();
    },
  );

  test('the greatest long', async () => {
    backend.says({ body: dev01 });
    await create({ apiKey: '9223372036854775807' }).login('test1', 'test1');

    expect(backend.asked[0]?.body).toMatch(/"serviceApiKey":9223372036854775807}$/);
  });

  test('apps belong to the subject, and to nobody without a session', async () => {
    const authlete = create();
    backend.says({ body: dev01 });
    const session = (await authlete.login('test1', 'test1')) ?? '';
    const app = authlete.createApp(session, 'Test Client 01');
    backend.says({ body: '{"authenticated":true,"subject":"dev02"}' });
    const other = (await authlete.login('test3', 'test3')) ?? '';

    expect(app).toEqual({
      clientId: expect.any(Number),
      name: 'Test Client 01',
      developer: 'dev01',
    });
    expect(authlete.apps(session)).toEqual([app]);
    expect(authlete.apps(other)).toEqual([]);
    expect(authlete.apps('')).toEqual([]);
    expect(authlete.createApp('', 'x')).toBe(undefined);
    authlete.logout(session);
    expect(authlete.apps(session)).toEqual([]);
    expect(authlete.createApp(session, 'x')).toBe(undefined);
  });
});
