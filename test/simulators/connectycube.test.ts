/** ConnectyCube, played: against this backend, and against ones that answer badly. */
import {
  type ConnectyCube,
  type ConnectyCubeSettings,
  createConnectyCube,
} from '../../app/platforms/connectycube/connectycube.simulator.ts';
import type { CallOptions } from '../../app/scenarios/call.ts';
import type { Bindings } from '../../app/scenarios/scenario.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { bindings, mint } from '../support/tokens.ts';
import { type Case, type FakeBackend, startFakeBackend, unusable } from './fake-backend.ts';
import { expectStory, holds, storiesOf, tell } from './stories.ts';

const open = ({ createSession }: ConnectyCube): string => {
  const { body } = createSession();
  return 'session' in body ? body.session.token : '';
};

const uidRequired = {
  status: 422,
  body: { errors: { base: ['Custom Identity Provider uid is required'] } },
};
const responded = (error: string, code: number) => ({
  status: 422,
  body: {
    errors: {
      base: [
        `Custom Identity Provider responded with an error = "${error}". Status code = ${code}`,
      ],
    },
  },
});

describe('against this backend', () => {
  let backend: Backend;
  let bound: Bindings;

  beforeAll(async () => {
    backend = await startBackend();
    bound = await bindings(backend);
  });
  afterAll(() => backend.stop());

  test.each(storiesOf('connectycube'))('$id $title', async (story) => {
    await expectStory(story, backend.url, bound);
  });

  test('one flow, as it was said', async () => {
    const token = await mint(backend, 'simon371');
    const flow = await createConnectyCube(backend.url).play({ login: 'simon371', token });

    expect(flow.outcome).toBe('ConnectyCube creates user 1 for uid 2345');
    expect(flow.accepted).toBe(true);
    expect(flow.exchanges).toMatchObject([
      {
        from: 'App',
        to: 'Platform',
        request: { method: 'POST', url: 'https://api.connectycube.com/session', headers: {} },
        reply: { status: 201 },
        concluded: 'the app has a session of its own',
        order: { request: 0, reply: 1 },
      },
      {
        from: 'App',
        to: 'Platform',
        request: {
          method: 'POST',
          url: 'https://api.connectycube.com/login',
          headers: { 'CB-Token': expect.stringMatching(/^[0-9a-f]{40}$/) },
          body: `login=${token}&password=any`,
        },
        reply: { status: 202 },
        concluded: 'the session is of the user now',
        order: { request: 2, reply: 5 },
      },
      {
        from: 'Platform',
        to: 'Backend',
        request: { method: 'GET', url: `${backend.url}/user/verify?token=${token}`, headers: {} },
        reply: { status: 200 },
        concluded: 'the token is of uid 2345',
        order: { request: 3, reply: 4 },
      },
    ]);
  });

  test('what the app gets for a good token', async () => {
    const now = () => new Date('2026-01-02T03:04:05Z');
    const connectycube = createConnectyCube(backend.url, {}, { now });
    const session = open(connectycube);
    const login = { login: await mint(backend, 'simon371'), password: 'any' };

    expect(await connectycube.login(session, login)).toEqual({
      status: 202,
      body: {
        user: {
          id: 1,
          login: 'simon371',
          full_name: 'Simon Davis',
          email: 'simon371@example.com',
          external_user_id: 2345,
          created_at: '2026-01-02T03:04:05.000Z',
          updated_at: '2026-01-02T03:04:05.000Z',
          last_request_at: '2026-01-02T03:04:05.000Z',
        },
        session: {
          token: session,
          user_id: 1,
          created_at: '2026-01-02T03:04:05.000Z',
          updated_at: '2026-01-02T03:04:05.000Z',
        },
      },
    });
  });

  test.each<readonly [string, ConnectyCubeSettings]>([
    ["the guide's example", { responseParams: { uid: '#{user.id}' } }],
    ["the starter kit's", { responseParams: { uid: '#{uid}', login: '#{login}' } }],
    ['POST', { method: 'POST' }],
    [
      'a header of its own, and no parameter',
      { requestParams: {}, requestHeaders: { 'IdP-Token': '#{login}' } },
    ],
    [
      'a Bearer header',
      { requestParams: {}, requestHeaders: { Authorization: 'Bearer #{login}' } },
    ],
  ])('the dashboard is set up as in %s', async (_title, dashboard) => {
    const connectycube = createConnectyCube(backend.url, dashboard);
    const login = { login: await mint(backend, 'simon371'), password: 'any' };

    expect((await connectycube.login(open(connectycube), login)).status).toBe(202);
  });

  test('a request template names what ConnectyCube does not know: the backend refuses it', async () => {
    const connectycube = createConnectyCube(backend.url, { requestParams: { token: '#{token}' } });
    const login = { login: await mint(backend, 'simon371'), password: 'any' };

    expect(await connectycube.login(open(connectycube), login)).toEqual(
      responded('User token is invalid', 422),
    );
  });
});

describe('against another backend', () => {
  let backend: FakeBackend;
  beforeAll(async () => {
    backend = await startFakeBackend();
  });
  afterAll(() => backend.stop());

  const create = (settings: ConnectyCubeSettings = {}, options: CallOptions = {}) =>
    createConnectyCube(backend.url, settings, options);
  const good = { login: 'some-token', password: 'any' };
  const loginTo = (connectycube: ConnectyCube, login = good) =>
    connectycube.login(open(connectycube), login);
  const user = (id: number, login = 'simon371') => ({
    body: JSON.stringify({ user: { id, login } }),
  });

  test.each(storiesOf('connectycube'))('$id fails when every token is good', async (story) => {
    backend.says({
      body: '{"user":{"id":2345,"login":"simon371","full_name":"Simon Davis","email":"simon371@example.com"}}',
    });
    const never = Object.fromEntries(story.needs.map((name) => [name, 'any-token']));
    const { checks } = await tell(story, backend.url, never);

    expect(checks.every(holds)).toBe(false);
  });

  test.each<Case>([
    ...unusable.filter(([, { status = 200 }]) => status === 200),
    ['a user without an id', { body: '{"user":{"login":"simon371"}}' }],
    ['an id that is null', { body: '{"user":{"id":null}}' }],
    ['an empty id', { body: '{"user":{"id":""}}' }],
    ['an id that is an object', { body: '{"user":{"id":{}}}' }],
  ])('%s: the uid is required', async (_title, said) => {
    backend.says(said);

    expect(await loginTo(create())).toEqual(uidRequired);
    expect(backend.asked).toHaveLength(1);
  });

  test.each<readonly [string, Case[1], string, number]>([
    [
      'a refusal',
      { status: 422, body: '{"error":"User token is invalid"}' },
      'User token is invalid',
      422,
    ],
    ['a fault', { status: 500, body: '{"error":"server_error"}' }, 'server_error', 500],
    ['HTML', { status: 404, body: '<h1>Not found</h1>' }, 'Not Found', 404],
    ['an error that is not a text', { status: 400, body: '{"error":{"a":1}}' }, 'Bad Request', 400],
    ['a redirect', { status: 302, headers: { Location: '/' }, body: '' }, 'Found', 302],
  ])('%s is told to the app', async (_title, said, error, code) => {
    backend.says(said);

    expect(await loginTo(create())).toEqual(responded(error, code));
    expect(backend.asked).toHaveLength(1);
  });

  test('no answer in time', async () => {
    backend.says('nothing');
    const flow = await create({}, { timeout: 200 }).play({
      login: 'simon371',
      token: 'some-token',
    });

    expect(flow.accepted).toBe(false);
    expect(flow.outcome).toBe('ConnectyCube refuses the login');
    expect(flow.exchanges[1]?.reply?.text).toBe(
      '{"errors":{"base":["Custom Identity Provider does not respond"]}}',
    );
    expect(flow.exchanges[2]?.problem).toBe('No answer within 0.2 s.');
  });

  test.each([
    ['no session token', undefined, good, 403, ['Token is required']],
    ['an unknown one', 'unknown', good, 401, { base: ['Required session does not exist'] }],
  ])('%s: the backend is not asked', async (_title, token, login, status, errors) => {
    backend.says(user(2345));

    expect(await create().login(token, login)).toEqual({ status, body: { errors } });
    expect(backend.asked).toEqual([]);
  });

  test.each([
    ['no password', { login: 'some-token' }, { password: ['cannot be blank'] }],
    ['a blank one', { login: 'some-token', password: ' ' }, { password: ['cannot be blank'] }],
    ['no login', { password: 'any' }, { login: ['cannot be blank'] }],
  ])('%s: the backend is not asked', async (_title, login, errors) => {
    backend.says(user(2345));
    const connectycube = create();

    expect(await connectycube.login(open(connectycube), login)).toEqual({
      status: 422,
      body: { errors },
    });
    expect(backend.asked).toEqual([]);
  });

  test.each([
    ['the text of a number', '"2345"'],
    ['a fraction', '2.5'],
    ['beyond 2^53', '9007199254740993'],
    ['true', 'true'],
  ])('external_user_id is %s: not an integer', async (_title, id) => {
    backend.says({ body: `{"uid":"u-1","id":${id}}` });
    const connectycube = create({ responseParams: { uid: '#{uid}', external_user_id: '#{id}' } });

    expect(await loginTo(connectycube)).toEqual({
      status: 422,
      body: { errors: { external_user_id: ['must be an integer'] } },
    });
  });

  test('paths with indexes, and text around them', async () => {
    backend.says({ body: '{"users":[{"uid":7,"first":"Kari","last":"Nordmann","names":["k"]}]}' });
    const connectycube = create({
      responseParams: {
        uid: '#{users.0.uid}',
        full_name: '#{users.0.first} #{users.0.last}',
        login: 'idp-#{users.0.names.0}',
        email: '#{users.0.email}@example.com',
      },
    });

    expect(await loginTo(connectycube)).toMatchObject({
      status: 202,
      body: {
        user: { login: 'idp-k', full_name: 'Kari Nordmann', email: null, external_user_id: null },
      },
    });
  });

  test.each([
    '#{users.length}',
    '#{users.-1.uid}',
    '#{users.__proto__.uid}',
    '#{}',
    '#{users.1.uid}',
    '#{users..uid}',
    'idp-#{constructor}',
  ])('the path %s does not resolve', async (uid) => {
    backend.says({ body: '{"users":[{"uid":7}]}' });

    expect(await loginTo(create({ responseParams: { uid } }))).toEqual(uidRequired);
  });

  test('the call, as the dashboard has it', async () => {
    backend.says(user(2345));
    const requestParams = { access_token: '#{login}', mail: '#{email}', x: 'a #{password}' };
    const requestHeaders = { 'X-App': 'chat' };
    await loginTo(create({ apiUrl: '/check', requestParams, requestHeaders }));
    await loginTo(create({ method: 'POST', apiUrl: '/check', requestParams, requestHeaders }));

    expect(backend.asked).toMatchObject([
      {
        method: 'GET',
        url: '/check?access_token=some-token&mail=%23%7Bemail%7D&x=a+any',
        headers: { 'x-app': 'chat' },
        body: '',
      },
      {
        method: 'POST',
        url: '/check',
        headers: { 'x-app': 'chat', 'content-type': 'application/x-www-form-urlencoded' },
        body: 'access_token=some-token&mail=%23%7Bemail%7D&x=a+any',
      },
    ]);
  });

  test('a session is good for 2 hours after the last request with it', async () => {
    const clock = { now: new Date('2026-01-02T00:00:00Z') };
    const connectycube = createConnectyCube(backend.url, {}, { now: () => clock.now });
    const token = open(connectycube);
    const at = (moment: string) => {
      clock.now = new Date(moment);
      return connectycube.session(token).status;
    };

    expect(at('2026-01-02T01:59:59Z')).toBe(200);
    expect(at('2026-01-02T03:59:58Z')).toBe(200);
    expect(at('2026-01-02T05:59:58Z')).toBe(401);
    expect(at('2026-01-02T05:59:59Z')).toBe(401);
  });

  describe('a user that is there already', () => {
    const opened = (allowReuse: boolean) => {
      const connectycube = create({ allowReuse });
      const token = open(connectycube);
      const made = connectycube.createUser(token, { login: 'simon371', password: 'his-own' });
      expect(made).toMatchObject({
        status: 201,
        body: { user: { id: 1, external_user_id: null } },
      });
      return connectycube;
    };
    const taken = { status: 422, body: { errors: { login: ['has already been taken'] } } };

    test('made in the ordinary way, Allow reuse off: a conflict, again and again', async () => {
      backend.says(user(2345));
      const connectycube = opened(false);

      expect(await loginTo(connectycube)).toEqual(taken);
      expect(await loginTo(connectycube)).toEqual(taken);
    });

    test('made in the ordinary way, Allow reuse on: updated and linked', async () => {
      backend.says(user(2345));
      const connectycube = opened(true);
      const linked = { status: 202, body: { user: { id: 1, external_user_id: 2345 } } };

      expect(await loginTo(connectycube)).toMatchObject(linked);
      expect(await loginTo(connectycube)).toMatchObject(linked);
    });

    test('of another uid, Allow reuse on: a conflict', async () => {
      const connectycube = create({ allowReuse: true });
      backend.says(user(2345));
      await loginTo(connectycube);
      backend.says(user(2346));

      expect(await loginTo(connectycube)).toEqual(taken);
    });

    test('his login changes at the backend: the same user', async () => {
      const connectycube = create();
      backend.says(user(2345));
      await loginTo(connectycube);
      backend.says(user(2345, 'simon'));

      expect(await loginTo(connectycube)).toMatchObject({
        status: 202,
        body: { user: { id: 1, login: 'simon' } },
      });
    });

    test('signs up again: a conflict', () => {
      const connectycube = opened(false);
      const again = { login: 'simon371', password: 'another' };

      expect(connectycube.createUser(open(connectycube), again)).toEqual(taken);
    });
  });
});
