/** The hints, by what people meet when they point a platform at a backend for the first time. */
import type { Reply } from '../../app/scenarios/call.ts';
import type { Difference } from '../../app/scenarios/compare.ts';
import {
  type Failure,
  type Known,
  likelyCauseOf,
  type Other,
} from '../../app/scenarios/likely-cause.ts';

type Situation = {
  readonly reply?: Partial<Reply>;
  readonly problem?: string;
  readonly differences?: readonly Difference[];
  readonly because?: string;
  readonly authorization?: string;
};

const status = (actual: number): Difference => ({ where: 'status', expected: 200, actual });
const body = (expected: unknown, actual: unknown): Difference => ({
  where: 'body',
  expected,
  actual,
});

/** A failure in which nothing was said or asked yet. */
const blank: Failure = {
  platform: 'connectycube',
  because: undefined,
  differences: [],
  checks: [],
  flows: [],
  calls: [],
};
const ours: Known = { secrets: [], fixture: undefined };

const hint = ({ reply, problem, differences = [], because, authorization }: Situation) =>
  likelyCauseOf(
    {
      ...blank,
      because,
      differences,
      calls: [
        {
          request: {
            method: 'GET',
            url: 'http://backend.example/user/verify?token=x',
            headers: authorization ? { Authorization: authorization } : {},
          },
          reply: reply && { status: 200, headers: [], text: '', ms: 1, ...reply },
          problem,
          curl: '',
        },
      ],
    },
    [],
    ours,
  );

const html: Reply['headers'] = [['content-type', 'text/html; charset=utf-8']];
const to = (location: string): Partial<Reply> => ({
  status: 301,
  headers: [['location', location]],
});
const simon = '{"user":{"id":2345,"login":"simon371"}}';

test.each<[situation: string, met: Situation, cause: RegExp]>([
  ['nobody listens', { problem: 'Nobody answers at x (ECONNREFUSED).' }, /backend running/],
  ['a certificate of somebody else', { problem: 'TLS with x failed (CERT).' }, /certificate/],
  ['too slow', { problem: 'No answer within 10 s.' }, /too slow/],
  [
    'http leads to https',
    { reply: to('https://backend.example/user/verify?token=x'), differences: [status(301)] },
    /give the https address/,
  ],
  [
    'a slash is added',
    { reply: to('/user/verify/?token=x'), differences: [status(301)] },
    /a slash behind it/,
  ],
  [
    'a sign-in page',
    { reply: to('https://sso.example/login'), differences: [status(301)] },
    /sign-in page/,
  ],
  [
    "a tunnel's warning",
    { reply: { headers: html, text: '<html>ngrok' }, differences: [body('{}', '<html>ngrok')] },
    /of a tunnel/,
  ],
  [
    'a web page, politely 200',
    { reply: { headers: html, text: '<html>' }, differences: [body('{}', '<html>')] },
    /in front of the backend/,
  ],
  [
    'API key and secret are refused',
    { reply: { status: 401 }, differences: [status(401)], authorization: 'Basic YTpi' },
    /swapped/,
  ],
  ['another wants a password', { reply: { status: 401 }, differences: [status(401)] }, /in front/],
  ['no such path', { reply: { status: 404, headers: html }, differences: [status(404)] }, /prefix/],
  ['the Content-Type', { reply: { status: 415 }, differences: [status(415)] }, /Content-Type/],
  ['a proxy', { reply: { status: 502 }, differences: [status(502)] }, /proxy/],
  ['an exception', { reply: { status: 500 }, differences: [status(500)] }, /log of the backend/],
  [
    'a suspended user is let in',
    {
      reply: { text: simon },
      differences: [{ where: 'status', expected: 422, actual: 200 }],
      because: 'user-suspended',
    },
    /active and suspended are answered alike/,
  ],
  [
    'an expired token is good',
    { reply: { text: simon }, differences: [body('{}', simon)], because: 'expired' },
    /expiry is not looked at/,
  ],
  [
    'any token is good',
    { reply: { text: simon }, differences: [body('{}', simon)], because: 'unknown' },
    /looked up at all/,
  ],
  [
    'a uid in quotes',
    { reply: {}, differences: [{ where: 'body.user.uid', expected: 1, actual: '1' }] },
    /^body\.user\.uid is a string where the platform wants a number\.$/,
  ],
  [
    'a uid in quotes, byte for byte',
    { reply: {}, differences: [body('{"uid":1}', '{"uid": "1"}')] },
    /number is a string/,
  ],
  [
    'white space, byte for byte',
    { reply: {}, differences: [body('{"uid":1}', '{"uid": 1}')] },
    /other white space/,
  ],
  [
    'snake and camel',
    {
      reply: { text: '{}' },
      differences: [
        { where: 'body.user.full_name', expected: 'S', actual: undefined },
        { where: 'body.user.fullName', expected: undefined, actual: 'S' },
      ],
    },
    /^body\.user\.fullName has to be spelt full_name\.$/,
  ],
  [
    'JSON that is called text',
    {
      reply: {},
      differences: [{ where: 'header content-type', expected: 'a', actual: 'text/plain' }],
    },
    /not called JSON/,
  ],
  [
    'right, but for our own choice',
    {
      reply: {},
      differences: [{ where: 'header cache-control', expected: 'no-store', actual: undefined }],
    },
    /--level seen does not ask for it/,
  ],
  [
    'compressed, unasked',
    { reply: { headers: [['content-encoding', 'gzip']] }, differences: [body('{}', 'x')] },
    /gzip/,
  ],
  [
    'a token of the fixture that is over',
    { reply: { status: 422 }, differences: [status(422)] },
    /good credential is refused/,
  ],
])('%s', (_, met, cause) => {
  expect(hint(met)).toMatch(cause);
});

test('says nothing where nothing comes to mind', () => {
  expect(
    hint({ reply: { text: '{}' }, differences: [{ where: 'body.a', expected: 1, actual: 2 }] }),
  ).toBeUndefined();
  expect(likelyCauseOf(blank, [], ours)).toBeUndefined();
});

describe('what the other rows of the run say', () => {
  const known: Known = {
    secrets: ['token-of-ann', 'token-of-bob', 'password-of-ann', 'a-slip-of-the-pen'].map(
      (value) => ({ variable: 'SCENARIO_TOKEN', value }),
    ),
    fixture: undefined,
  };
  const other = (
    id: string,
    url: string,
    reply: Partial<Reply> = {},
    headers: Record<string, string> = {},
    body?: string,
  ): Other => ({
    id,
    platform: 'connectycube',
    kind: 'row',
    status: 'passed',
    because: undefined,
    calls: [
      {
        request: {
          ...{ method: 'GET', url: `http://backend.example/user/verify${url}`, headers },
          ...(body === undefined ? {} : { body }),
        },
        reply: { status: 200, headers: [], text: simon, ms: 1, ...reply },
        problem: undefined,
        curl: '',
      },
    ],
  });
  const good = other('connectycube-01', '?token=token-of-ann');
  const causeOf = (failed: Other, differences: readonly Difference[], ...others: Other[]) =>
    likelyCauseOf({ ...blank, ...failed, differences }, others, known);

  test('the same credential, under another name', () => {
    const failed = other('connectycube-33', '?access_token=token-of-ann', {
      status: 400,
      text: '{}',
    });
    expect(causeOf(failed, [status(400)], good)).toBe(
      'The same credential was accepted in connectycube-01; what differs here is the parameter access_token. If yours is called otherwise, SCENARIO_CONNECTYCUBE_PARAMETERS can say so.',
    );
  });

  test('the same credential, with another Content-Type', () => {
    const failed = other(
      'connectycube-28',
      '?token=token-of-ann',
      { status: 415 },
      { 'content-type': 'application/xml' },
    );
    expect(causeOf(failed, [status(415)], good)).toBe(
      'The same credential was accepted in connectycube-01; what differs here is the Content-Type application/xml.',
    );
  });

  test('the same credential, beside a list', () => {
    const failed = other(
      'connectycube-29',
      '',
      { status: 400, text: '{}' },
      {},
      '{"token":"token-of-ann","devices":["a phone","a tablet"]}',
    );
    expect(causeOf(failed, [status(400)], good)).toBe(
      'The same credential was accepted in connectycube-01; what differs here is the parameter devices. If yours is called otherwise, SCENARIO_CONNECTYCUBE_PARAMETERS can say so.',
    );
  });

  test('a wrong password is not the credential that was accepted, whatever else is the same', () => {
    const caller = { Authorization: 'Basic a2V5OnNlY3JldA==' };
    const asked = (password: string) =>
      JSON.stringify({ id: 'a-long-login', password, serviceApiKey: 21653835348762, list: ['x'] });
    const denied = { text: '{"authenticated":false}' };
    const failed = other('authlete-01', '', denied, caller, asked('a-slip-of-the-pen'));
    const other2 = other('authlete-02', '', {}, caller, asked('password-of-ann'));
    expect(
      causeOf(failed, [{ where: 'body.authenticated', expected: true, actual: false }], other2),
    ).toBe(
      'A good credential is refused: is that of the fixture still good, and do the clocks agree?',
    );
  });

  test('a key pair that was accepted elsewhere is not to blame', () => {
    const key = { Authorization: 'Basic YTpi' };
    const failed = other('authlete-07', '', { status: 401, text: '' }, key);
    expect(causeOf(failed, [status(401)], other('authlete-01', '', {}, key))).toBe(
      'The same Authorization was accepted in authlete-01: something else is refused here.',
    );
  });

  test('everybody gets the same answer', () => {
    const bob = other('connectycube-02', '?token=token-of-bob');
    expect(causeOf(good, [{ where: 'body.user.id', expected: 1, actual: 2345 }], bob)).toBe(
      'Requests with other credentials got the very same answer (connectycube-02): is everybody answered alike?',
    );
  });

  test('an answer that others rightly got as a refusal is one here, too', () => {
    const no = { text: '{"result":"NO"}' };
    const failed = other('pango-01', '?oauth_token=a-slip-of-the-pen', no);
    const asWell = other('pango-02', '?oauth_token=token-of-ann', no);
    const rightly = { ...other('pango-03', '?oauth_token=token-of-bob', no), because: 'unknown' };
    const differing = [{ where: 'body.result', expected: 'OK', actual: 'NO' }];
    expect(causeOf(failed, differing, asWell, rightly)).toBe(
      'A good credential is refused: is that of the fixture still good, and do the clocks agree?',
    );
  });
});

describe('what must be there stands elsewhere', () => {
  const causeOf = (text: string, differences: readonly Difference[], answers?: string) =>
    likelyCauseOf(
      {
        ...blank,
        differences,
        calls: [
          {
            request: { method: 'GET', url: 'http://backend.example/', headers: {} },
            reply: { status: 200, headers: [], text, ms: 1 },
            problem: undefined,
            curl: '',
          },
        ],
      },
      [],
      {
        secrets: [],
        fixture: { values: answers ? { SCENARIO_CONNECTYCUBE_ANSWERS: answers } : {} },
      },
    );
  const noUser = {
    where: 'body.user',
    expected: { id: 102, login: 'ann', email: 'ann@people.example' },
    actual: undefined,
  };

  test.each<[situation: string, text: string, missing: Difference, answers: string, said: string]>([
    [
      'in one place',
      '{"uid":102,"name":"Ann"}',
      { where: 'body.user.id', expected: 102, actual: undefined },
      '',
      '102 stands at body.uid: SCENARIO_CONNECTYCUBE_ANSWERS=user.id=uid can say so, if the platform is set to look there.',
    ],
    [
      'two facts of an object that is not there',
      '{"data":{"uid":102,"nick":"ann","uids":[102]}}',
      noUser,
      '',
      '102 stands at body.data.uid, ann stands at body.data.nick: SCENARIO_CONNECTYCUBE_ANSWERS=user.id=data.uid,user.login=data.nick can say so, if the platform is set to look there.',
    ],
    [
      'beside what the fixture says already, and in place of what it says wrong',
      '{"uid":102,"nick":"ann"}',
      { where: 'body.nikc', expected: 'ann', actual: undefined },
      'user.id=uid,user.login=nikc',
      'ann stands at body.nick: SCENARIO_CONNECTYCUBE_ANSWERS=user.id=uid,user.login=nick can say so, if the platform is set to look there.',
    ],
  ])('%s', (_, text, missing, answers, said) => {
    expect(causeOf(text, [missing], answers)).toBe(said);
  });

  test('not when it stands in two places, or in none', () => {
    const missing = { where: 'body.user.id', expected: 102, actual: undefined };
    expect(causeOf('{"uid":102,"devices":102}', [missing])).toBeUndefined();
    expect(causeOf('{"uid":103}', [missing])).toBeUndefined();
  });
});
