/**
 * Small backends, each written by one page of a vendor's documentation and by nothing else: nobody can hold them to more, so
 * that every row and story passes, or is skipped with the reason.
 */
import type { IncomingMessage } from 'node:http';
import type { Run } from '../../app/scenarios/report.ts';
import type { Level } from '../../app/scenarios/selection.ts';
import { secret } from '../support/canaries.ts';
import { type Listening, listenWith } from './bad-backends.ts';
import { foreign, idsOf, play } from './playing.ts';

let backend: Listening;
afterEach(() => backend.close());

type User = { readonly id: number; readonly login: string; readonly name: string };

const [ann, bob] = [secret('token-of-ann-51c0'), secret('token-of-bob-7e2f')] as const;

const users: ReadonlyMap<string, User> = new Map([
  [ann, { id: 11, login: 'ann', name: 'Ann Ames' }],
  [bob, { id: 12, login: 'bob', name: 'Bob Byrd' }],
]);

/** Over, revoked, and of a suspended user: what is not among the users is nobody's. */
const overs = ['EXPIRED', 'REVOKED', 'TEST4'].map(
  (name) => `SCENARIO_TOKEN_${name}=${secret(`token-${name.toLowerCase()}-9d`)}`,
);

const tokensAndUids = [
  `SCENARIO_TOKEN_SIMON371=${ann}`,
  `SCENARIO_TOKEN_TEST1=${bob}`,
  'SCENARIO_SIMON371_UID=11',
  'SCENARIO_TEST1_UID=12',
  ...overs,
];
const logins = ['SCENARIO_SIMON371_LOGIN=ann', 'SCENARIO_TEST1_LOGIN=bob'];

/** `GET https://yourserver.co/user/verify?token={token}`, with this answer for a user. */
async function connectycube(answerOf: (user: User) => unknown): Promise<void> {
  backend = await listenWith(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://127.0.0.1');
    const user = pathname === '/user/verify' && users.get(searchParams.get('token') ?? '');
    response.writeHead(user ? 200 : 401, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(user ? answerOf(user) : { message: 'Who is that?' }));
  });
}

const playConnectycube = (fixture: readonly string[], level: Level) =>
  play(foreign(backend.url, fixture.join('\n')), { level, platforms: ['connectycube'] });

const skipped = (run: Run, ...ids: readonly string[]) =>
  Object.fromEntries(
    run.results
      .filter(({ id, status }) => status === 'skipped' && ids.includes(id))
      .map(({ id, reason }) => [id, reason]),
  );

const story = (number: number) => `connectycube-story-0${number}`;

describe("ConnectyCube: the guide's example", () => {
  const example = ({ id, login, name }: User) => ({ user: { id, login, fill_name: name } });

  test('passes what is documented', async () => {
    await connectycube(example);
    const run = await playConnectycube([...tokensAndUids, ...logins], 'documented');

    expect(idsOf(run, 'failed')).toEqual([]);
    expect(idsOf(run, 'passed')).toEqual(['connectycube-01', story(1), story(2), story(3)]);
    expect(skipped(run, 'connectycube-24', 'connectycube-33')).toEqual({
      'connectycube-24':
        'sent with POST: the method is GET, unless SCENARIO_CONNECTYCUBE_DASHBOARD says another',
      'connectycube-33':
        'another form of the request, with user_id: played with SCENARIO_CONNECTYCUBE_PARAMETERS=user_id=user_id, or your name for it',
    });
  });

  test('passes what was seen of them, too', async () => {
    await connectycube(example);
    const run = await playConnectycube([...tokensAndUids, ...logins], 'seen');

    expect(idsOf(run, 'failed')).toEqual([]);
    expect(idsOf(run, 'passed')).toEqual([
      ...['connectycube-01', 'connectycube-03', 'connectycube-04', 'connectycube-05'],
      ...['connectycube-06', 'connectycube-28'],
      ...[1, 2, 3, 4, 5].map(story),
    ]);
  });

  test('without a name', async () => {
    await connectycube(({ id, login }) => ({ user: { id, login } }));
    const run = await playConnectycube([...tokensAndUids, ...logins], 'seen');

    expect(idsOf(run, 'failed')).toEqual([]);
    expect(idsOf(run, 'passed')).toContain(story(3));
  });

  test('whose login is of somebody else does not pass', async () => {
    await connectycube(({ id, name }) => ({ user: { id, login: 'carl', fill_name: name } }));
    const run = await playConnectycube([...tokensAndUids, ...logins], 'documented');

    expect(idsOf(run, 'failed')).toEqual(['connectycube-01', story(1), story(2), story(3)]);
  });

  test('whose uid is of everybody does not pass', async () => {
    await connectycube(({ login }) => ({ user: { id: 11, login } }));
    const run = await playConnectycube([...tokensAndUids, ...logins], 'documented');

    expect(idsOf(run, 'failed')).toEqual([story(1), story(2), story(3)]);
  });
});

describe('ConnectyCube: the flat answer of the starter kit', () => {
  test('passes when its tester says where things are', async () => {
    await connectycube(({ id, login }) => ({ uid: id, login, email: `${login}@people.example` }));
    const fixture = [
      ...[...tokensAndUids, ...logins],
      'SCENARIO_SIMON371_EMAIL=ann@people.example',
      'SCENARIO_TEST1_EMAIL=bob@people.example',
      'SCENARIO_CONNECTYCUBE_ANSWERS=user.id=uid,user.login=login',
      `SCENARIO_CONNECTYCUBE_DASHBOARD='{"responseParams":{"uid":"#{uid}","login":"#{login}","email":"#{email}","full_name":"#{full_name}"}}'`,
    ];
    const run = await playConnectycube(fixture, 'seen');

    expect(idsOf(run, 'failed')).toEqual([]);
    expect(idsOf(run, 'passed')).toEqual(
      expect.arrayContaining(['connectycube-01', ...[1, 2, 3, 4, 5].map(story)]),
    );
  });
});

describe('ConnectyCube: a uid and nothing else', () => {
  const noLogin = 'there is no login in the answer, or Response params do not map it';

  test.each<readonly [told: string, answerOf: (user: User) => unknown, lines: readonly string[]]>([
    ['where it is usual', ({ id }) => ({ user: { id } }), []],
    [
      'that there is no login',
      ({ id }) => ({ user: { id } }),
      ['SCENARIO_CONNECTYCUBE_ANSWERS=user.login=none'],
    ],
    [
      'elsewhere',
      ({ id }) => ({ uid: id }),
      [
        'SCENARIO_CONNECTYCUBE_ANSWERS=user.id=uid,user.login=none',
        `SCENARIO_CONNECTYCUBE_DASHBOARD='{"responseParams":{"uid":"#{uid}"}}'`,
      ],
    ],
  ])('passes, told %s; two stories need an equal login', async (_, answerOf, lines) => {
    await connectycube(answerOf);
    const run = await playConnectycube([...tokensAndUids, ...lines], 'seen');

    expect(idsOf(run, 'failed')).toEqual([]);
    expect(idsOf(run, 'passed')).toEqual(
      expect.arrayContaining(['connectycube-01', story(1), story(4), story(5)]),
    );
    expect(skipped(run, ...[1, 2, 3, 4, 5].map(story))).toEqual({
      [story(2)]: noLogin,
      [story(3)]: noLogin,
    });
  });
});

describe('ConnectyCube: another form of the request', () => {
  async function valuesOf(request: IncomingMessage): Promise<Record<string, unknown>> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const { searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
    const body = text.startsWith('{')
      ? (JSON.parse(text) as Record<string, unknown>)
      : Object.fromEntries(new URLSearchParams(text));
    return { ...Object.fromEntries(searchParams), ...body };
  }

  /** One that answers this method alone. */
  async function listen(
    method: string,
    userOf: (values: Record<string, unknown>) => User | undefined,
  ): Promise<void> {
    backend = await listenWith((request, response) => {
      void valuesOf(request).then((values) => {
        const user = request.method === method ? userOf(values) : undefined;
        response.writeHead(user ? 200 : 422, { 'Content-Type': 'application/json' });
        const { id, login } = user ?? {};
        response.end(JSON.stringify(user ? { user: { id, login } } : { error: 'no' }));
      });
    });
  }

  test('POST alone: the rows of the usual form come as POST, too', async () => {
    await listen('POST', ({ token }) => users.get(String(token)));
    const fixture = [
      ...[...tokensAndUids, ...logins],
      `SCENARIO_CONNECTYCUBE_DASHBOARD='{"method":"POST"}'`,
    ];
    const run = await playConnectycube(fixture, 'seen');

    expect(idsOf(run, 'failed')).toEqual([]);
    expect(idsOf(run, 'passed')).toEqual([
      ...['connectycube-01', 'connectycube-03', 'connectycube-04', 'connectycube-05'],
      ...['connectycube-06', 'connectycube-24', 'connectycube-25', 'connectycube-26'],
      ...['connectycube-29', 'connectycube-30', 'connectycube-31', 'connectycube-32'],
      ...[1, 2, 3, 4, 5].map(story),
    ]);
    expect(skipped(run, 'connectycube-28')).toEqual({
      'connectycube-28':
        'sent with GET: the method is POST, unless SCENARIO_CONNECTYCUBE_DASHBOARD says another',
    });
  });

  test('with two values', async () => {
    await listen('GET', ({ token, user_id, access_token }) => {
      const user = users.get(String(token ?? access_token));
      return user_id === undefined || user_id === String(user?.id) ? user : undefined;
    });
    const fixture = [...tokensAndUids, 'SCENARIO_CONNECTYCUBE_PARAMETERS=user_id=user_id'];
    const run = await playConnectycube(fixture, 'documented');

    expect(idsOf(run, 'failed')).toEqual([]);
    expect(idsOf(run, 'passed')).toEqual(
      expect.arrayContaining([
        ...['connectycube-33', 'connectycube-34', 'connectycube-38', 'connectycube-40'],
      ]),
    );
  });

  test('what is said not to be read is not sent', async () => {
    await listen('GET', ({ token }) => users.get(String(token)));
    const fixture = [...tokensAndUids, 'SCENARIO_CONNECTYCUBE_PARAMETERS=user_id=none'];
    const run = await playConnectycube(fixture, 'all');

    const ids = run.results
      .filter(({ reason }) =>
        reason?.startsWith('not read there: SCENARIO_CONNECTYCUBE_PARAMETERS has user_id=none'),
      )
      .map(({ id }) => id);
    expect(ids).toEqual([
      ...['connectycube-33', 'connectycube-34', 'connectycube-35', 'connectycube-38'],
      ...['connectycube-39', 'connectycube-40', 'connectycube-41', 'connectycube-50'],
    ]);
    const sent = run.results.flatMap(({ calls }) => calls.map(({ request }) => request.url));
    expect(sent.filter((url) => /none=|user_id/.test(url))).toEqual([]);
  });
});

test('a server that answers 404 and {} to everything fails what AURORA documents', async () => {
  backend = await listenWith((_request, response) => {
    response.writeHead(404, { 'Content-Type': 'application/json' });
    response.end('{}');
  });
  const fixture = [
    ...tokensAndUids,
    `SCENARIO_AURORA_DASHBOARD='{"audience":"my-app"}'`,
    'SCENARIO_TEST1_EMAIL=bob@people.example',
  ];
  const target = foreign(backend.url, fixture.join('\n'));
  const run = await play(target, { level: 'documented', platforms: ['aurora'] });

  expect(idsOf(run, 'passed')).toEqual([]);
  expect(idsOf(run, 'failed')).toEqual(['aurora-story-04', 'aurora-story-07']);
  expect(skipped(run, 'aurora-story-08')).toEqual({
    'aurora-story-08': 'the platform decides it without the backend',
  });
});
