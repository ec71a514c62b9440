/** What holds for every platform, and takes more than one request, or a moment, or bytes that a table cannot hold. */
import { gzipSync } from 'node:zlib';
import { digest } from '../../app/oauth/secrets.ts';
import { get, post, type Send } from '../../app/scenarios/scenario.ts';
import { createDirectory, type Directory } from '../../app/store/directory.ts';
import { apiKey, apiSecret, type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { type Received, send } from '../support/send.ts';
import { bindings, mint } from '../support/tokens.ts';

let backend: Backend;
let directory: Directory;

beforeAll(async () => {
  backend = await startBackend();
  const { database, passwords } = backend.services;
  directory = createDirectory(database, passwords, 'test');
});

afterAll(() => backend.stop());

const basic = { user: apiKey, password: apiSecret };

/** Both proofs of one user; a platform sends the one or the other. */
type Proof = { readonly token: string; readonly login: string; readonly password: string };

const prove = async (login: string): Promise<Proof> => ({
  token: await mint(backend, login),
  login,
  password: login,
});

type Asked = {
  readonly title: string;
  readonly path: string;
  /** The request as the vendor documents it. */
  readonly request: (proof: Proof) => Send;
  /** The answers about test3. */
  readonly yes: string;
  readonly no: { readonly status: number; readonly text: string };
};

/** A platform that sends the credential in a body, or may. */
type InBody = Asked & {
  /** The JSON object of the credential. */
  readonly json: (proof: Proof) => string;
  /** What a bad request is told. */
  readonly bad: (error: unknown) => unknown;
};

const tokenIn =
  (name: string) =>
  ({ token }: Proof) =>
    JSON.stringify({ [name]: token });
const idAndPassword = ({ login, password }: Proof) => JSON.stringify({ id: login, password });
const errorAndRequest = (error: unknown) => ({ error, request_id: expect.any(String) });

const pango: InBody = {
  title: 'Pango',
  path: '/GetUserInfo',
  request: ({ token }) => get('/GetUserInfo', { oauth_token: token }),
  json: tokenIn('oauth_token'),
  yes: '{"result":"OK","user":{"uid":3}}',
  no: { status: 200, text: '{"result":"Not found"}' },
  bad: (result) => ({ result }),
};

const connectycube: InBody = {
  title: 'ConnectyCube',
  path: '/user/verify',
  request: ({ token }) => get('/user/verify', { token }),
  json: tokenIn('token'),
  yes: '{"user":{"id":3,"login":"test3","full_name":"Test Three","fill_name":"Test Three","email":"test3@example.com"},"uid":3,"login":"test3","email":"test3@example.com"}',
  no: { status: 422, text: '{"error":"User token is invalid"}' },
  bad: errorAndRequest,
};

const authlete: InBody = {
  title: 'Authlete',
  path: '/',
  request: (proof) =>
    post('/', {
      basic,
      headers: { 'content-type': 'application/json' },
      text: idAndPassword(proof),
    }),
  json: idAndPassword,
  yes: '{"authenticated":true,"subject":"dev02","displayName":"Developer Group 02"}',
  no: { status: 200, text: '{"authenticated":false}' },
  bad: errorAndRequest,
};

const authleteEndUser: InBody = {
  ...authlete,
  title: "Authlete's end-user callback",
  path: '/authlete/authentication',
  request: (proof) => ({ ...authlete.request(proof), path: '/authlete/authentication' }),
  yes: '{"authenticated":true,"subject":"3","claims":"{}"}',
};

const aurora: Asked = {
  title: 'AURORA',
  path: '/userinfo',
  request: ({ token }) => get('/userinfo', {}, { headers: { Authorization: `Bearer ${token}` } }),
  yes: '{"user":{"userid":"3","userid_sec":["feide:test3@users.invalid"],"name":"Test Three","email":"test3@example.com","profilephoto":null},"audience":"demo-app"}',
  no: { status: 401, text: '{"error":"invalid_token"}' },
};

const inBody = [pango, connectycube, authlete, authleteEndUser];
const everyone = [...inBody, aurora];
const byTokenInBody = [pango, connectycube];
const byToken = [...byTokenInBody, aurora];

async function ask(request: Send, { url } = backend) {
  const { status, text } = await send(url, request);
  return { status, text };
}

/** All that an answer tells, but for what differs from answer to answer. */
const told = ({ status, headers, text }: Received) =>
  JSON.stringify([
    status,
    [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id'),
    text,
  ]);

const accepted = ({ yes }: Asked) => ({ status: 200, text: yes });

/** A body of any bytes. */
async function sendBytes(
  { path }: InBody,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  const authorization = `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')}`;
  const response = await fetch(new URL(path, backend.url), {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: response.status, text: await response.text() };
}

describe.each(everyone)('$title', (platform) => {
  test('asked five times about one credential, says yes five times', async () => {
    const request = platform.request(await prove('test3'));
    for (let time = 1; time <= 5; time++) expect(await ask(request)).toEqual(accepted(platform));
  });

  test('asked twenty times at once, says yes to all', async () => {
    const request = platform.request(await prove('test3'));
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(request)));
    expect(answers).toEqual(Array(20).fill(accepted(platform)));
  });

  test('a user suspended between two requests is refused at the second, and activated again accepted', async () => {
    const request = platform.request(await prove('test3'));
    expect(await ask(request)).toEqual(accepted(platform));
    await directory.setUserStatus('test3', 'suspended');
    expect(await ask(request)).toEqual(platform.no);
    await directory.setUserStatus('test3', 'active');
    expect(await ask(request)).toEqual(accepted(platform));
  });

  test('a group suspended between two requests shuts its users out, and lets them in again', async () => {
    const request = platform.request(await prove('test3'));
    expect(await ask(request)).toEqual(accepted(platform));
    await directory.setGroupStatus('Dev 02', 'suspended');
    expect(await ask(request)).toEqual(platform.no);
    await directory.setGroupStatus('Dev 02', 'active');
    expect(await ask(request)).toEqual(accepted(platform));
  });

  test('activating the group of a suspended user does not let him in', async () => {
    const request = platform.request(await prove('test4'));
    await directory.setGroupStatus('Dev 02', 'active');
    expect(await ask(request)).toEqual(platform.no);
  });

  test('a suspension in one process counts in another at once', async () => {
    const { DATABASE_URL } = backend.config;
    const other = await startBackend({ DATABASE_URL });
    try {
      const request = platform.request(await prove('test3'));
      expect(await ask(request, other)).toEqual(accepted(platform));
      await directory.setUserStatus('test3', 'suspended');
      expect(await ask(request, other)).toEqual(platform.no);
      await directory.setUserStatus('test3', 'active');
      expect(await ask(request, other)).toEqual(accepted(platform));
    } finally {
      await other.stop();
    }
  });

  test('nothing in an answer invites a cache to keep it', async () => {
    const request = platform.request(await prove('test3'));
    const tomorrow = new Date(Date.now() + 86_400_000).toUTCString();
    const { status, headers } = await send(backend.url, request, {
      'If-None-Match': '*',
      'If-Modified-Since': tomorrow,
    });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('etag')).toBeNull();
    expect(headers.get('last-modified')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
  });
});

describe.each(inBody)('$title, body', (platform) => {
  test('JSON that is compressed with gzip', async () => {
    const body = gzipSync(platform.json(await prove('test3')));
    const answer = await sendBytes(platform, body, { 'content-encoding': 'gzip' });
    expect(answer).toEqual(accepted(platform));
  });

  test.each([
    ['over 64 KiB', `"${'x'.repeat(64 * 1024)}"`, {}],
    [
      'over 64 KiB when unpacked',
      gzipSync(`"${'x'.repeat(1024 * 1024)}"`),
      { 'content-encoding': 'gzip' },
    ],
  ])('a body %s is refused unread', async (_title, body, headers) => {
    const { status, text } = await sendBytes(platform, body, headers);
    expect(status).toBe(413);
    expect(JSON.parse(text)).toEqual(platform.bad('The body is too large.'));
  });

  test.each([
    [415, 'an encoding that we do not know', { 'content-encoding': 'zip' }],
    [400, 'not gzip, though it says so', { 'content-encoding': 'gzip' }],
    [415, 'a charset that nobody knows', { 'content-type': 'application/json; charset=klingon' }],
  ])('%d for a body in %s', async (status, _title, headers) => {
    const body = platform.json(await prove('test3'));
    expect((await sendBytes(platform, body, headers)).status).toBe(status);
  });

  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  /** What stands between the braces. */
  const inside = (object: string) => object.slice(1, -1);

  test.each<[string, (good: string) => string]>([
    ['a byte order mark before it', (good) => `\ufeff${good}`],
    ['white space around it', (good) => `\r\n\t ${good} \n`],
    ['keys of Object.prototype beside it', (good) => `{"toString":1,"valueOf":{},${inside(good)}}`],
    [
      'constructor and prototype beside it',
      (good) => `{"constructor":{"prototype":1},${inside(good)}}`,
    ],
    ['__proto__ beside it', (good) => `{"__proto__":{"admin":true},${inside(good)}}`],
    ['the same key twice, with the same value', (good) => `{${inside(good)},${inside(good)}}`],
    [
      'a number of 20,000 digits beside it',
      (good) => `{"n":${'9'.repeat(20_000)},${inside(good)}}`,
    ],
    ['an infinite number beside it', (good) => `{"n":-1e999,${inside(good)}}`],
    ['500 arrays in each other beside it', (good) => `{"n":${nested(500)},${inside(good)}}`],
    ['an empty key beside it', (good) => `{"":"","\\u0000":"\\ud800",${inside(good)}}`],
  ])('good JSON with %s is understood', async (_title, body) => {
    const good = platform.json(await prove('test3'));
    expect(await sendBytes(platform, body(good))).toEqual(accepted(platform));
  });

  test.each<[string, (good: string, other: string) => string | Uint8Array<ArrayBuffer>]>([
    ['the same key twice, with two values', (good, other) => `{${inside(good)},${inside(other)}}`],
    ['two objects', (good) => good + good],
    ['a NUL behind it', (good) => `${good}\0`],
    ['a comma too many', (good) => `{${inside(good)},}`],
    ['a comment', (good) => `{/* */${inside(good)}}`],
    ['NaN', (good) => `{"n":NaN,${inside(good)}}`],
    ['a half escape', (good) => `{"n":"\\ud8",${inside(good)}}`],
    ['30,000 arrays in each other', (good) => `{"n":${nested(30_000)},${inside(good)}}`],
    ['an open bracket 60,000 times', () => '['.repeat(60_000)],
    ['bytes that are not UTF-8', (good) => Buffer.from(`{"n":"\xff",${inside(good)}}`, 'latin1')],
    ['a surrogate in UTF-8', () => Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ])('JSON with %s is a bad request', async (_title, body) => {
    const good = platform.json(await prove('test3'));
    const other = platform.json(await prove('test1'));
    const { status, text } = await sendBytes(platform, body(good, other));
    expect({ status, body: JSON.parse(text) }).toEqual({
      status: 400,
      body: platform.bad(expect.stringMatching(/^The body is not (valid JSON|UTF-8)\.$/)),
    });
  });

  test.each([1000, 2000, 4000, 6000, 8000, 10_000])(
    'an object %d objects deep is a bad request or no credential, never a fault',
    async (depth) => {
      const good = platform.json(await prove('test3'));
      const body = '{"n":'.repeat(depth) + good + '}'.repeat(depth);
      expect([platform.no.status, 400]).toContain((await sendBytes(platform, body)).status);
    },
  );

  test.each<[string, (good: string) => string]>([
    ['under __proto__', (good) => `{"__proto__":${good}}`],
    ['under constructor.prototype', (good) => `{"constructor":{"prototype":${good}}}`],
    ['one level too deep', (good) => `{"body":${good}}`],
    ['under keys with a NUL', (good) => good.replaceAll('":', '\\u0000":')],
    ['in another case', (good) => good.replace(/"\w+":/g, (key) => key.toUpperCase())],
  ])('a good credential %s is none', async (_title, body) => {
    const good = platform.json(await prove('test3'));
    expect(await sendBytes(platform, body(good))).toEqual(platform.no);
  });
});

/** Strings that break stores, parsers and logs. */
const nasty: readonly (readonly [string, string])[] = [
  ['NUL', '\0'],
  ['NUL behind a good one', 'GOOD\0'],
  ['NUL in the middle', 'te\0st3'],
  ['half a surrogate pair', '\ud83e'],
  ['the other half behind a good one', 'GOOD\udd70'],
  ['a space behind a good one', 'GOOD '],
  ['a line break behind a good one', 'GOOD\r\n'],
  ['a zero-width space behind a good one', 'GOOD\u200b'],
  ['SQL', "' OR '1'='1"],
  ['a LIKE pattern', '%'],
  ['a key of Object.prototype', '__proto__'],
  ['a method of Object.prototype', 'constructor'],
  ['a placeholder of PostgreSQL', '$1'],
  ['a template', '#{login}'],
  ['a shell command', '$(id)'],
  ['right to left', '\u202e3tset'],
  ['five thousand characters', 'x'.repeat(5000)],
  ['one letter that folds into three', '\ufb03'],
  ['a dotted capital I', 'İ'],
];

/** More than fits into a URL. */
const nineThousandBytes: readonly [string, string] = ['nine thousand bytes', '🫐'.repeat(2250)];

describe.each(byTokenInBody)('$title, token in a parameter', (platform) => {
  const [name] = Object.keys(JSON.parse(platform.json({ token: 'x', login: '', password: '' })));
  const parameter = name as string;

  test.each(nasty)('%s', async (_title, pattern) => {
    const token = pattern.replace('GOOD', await mint(backend, 'test3'));
    expect(await ask(get(platform.path, { [parameter]: token }))).toEqual(platform.no);
    const form = { [parameter]: token };
    expect(await ask(post(platform.path, { form }))).toEqual(platform.no);
    expect(await ask(post(platform.path, { json: form }))).toEqual(platform.no);
  });

  test(nineThousandBytes[0], async () => {
    const form = { [parameter]: secret(nineThousandBytes[1]) };
    expect(await ask(post(platform.path, { form }))).toEqual(platform.no);
    expect(await ask(post(platform.path, { json: form }))).toEqual(platform.no);
  });

  test.each([
    ['keys of Object.prototype', 'constructor=1&__proto__=2&toString=3&hasOwnProperty=4&'],
    ['parameters without a name', '&&=&=x&'],
    ['percent signs that encode nothing', '%=%&%zz=%u0041&%00=%ED%A0%80&'],
  ])('%s in the query beside a good one', async (_title, before) => {
    const token = await mint(backend, 'test3');
    const url = `${backend.url}${platform.path}?${before}${parameter}=${token}`;
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(platform.yes);
  });

  test.each([
    ['nothing but the scheme', 'Bearer'],
    ['two', 'Bearer GOOD GOOD'],
    ['a list', 'Bearer GOOD, Bearer GOOD'],
    ['letters beyond ASCII', 'Bearer blåbær'],
    ['in quotes', 'Bearer "GOOD"'],
    ['without the scheme', 'GOOD'],
  ])('Authorization: %s', async (_title, pattern) => {
    const token = await mint(backend, 'test3');
    const authorization = pattern.replaceAll('GOOD', token);
    expect(await ask(get(platform.path, {}, { headers: { authorization } }))).toEqual(platform.no);
  });
});

describe.each(byToken)('$title, token', (platform) => {
  test('expires exactly now, and a millisecond before', async () => {
    const token = await mint(backend, 'test3', { ttl: 60 });
    const request = platform.request({ token, login: '', password: '' });
    const issued = backend.clock.now;
    try {
      backend.clock.now = new Date(issued.getTime() + 59_999);
      expect(await ask(request)).toEqual(accepted(platform));
      backend.clock.now = new Date(issued.getTime() + 60_000);
      expect(await ask(request)).toEqual(platform.no);
    } finally {
      backend.clock.now = issued;
    }
  });

  test('revoked between two requests', async () => {
    const proof = await prove('test3');
    const other = await prove('test3');
    expect(await ask(platform.request(proof))).toEqual(accepted(platform));
    await backend.services.tokens.revoke(proof.token, 'test');
    expect(await ask(platform.request(proof))).toEqual(platform.no);
    expect(await ask(platform.request(other))).toEqual(accepted(platform));
  });

  test('two tokens of one user say the same of him', async () => {
    for (const proof of [await prove('test3'), await prove('test3')]) {
      expect(await ask(platform.request(proof))).toEqual(accepted(platform));
    }
  });

  test('every refusal has the same status, headers and bytes', async () => {
    const bound = await bindings(backend);
    const refused = [
      'token:never-issued',
      'token:expired',
      'token:revoked',
      'token:of-a-client',
      'token:for-another-resource',
      'token.test4',
      'token.in-suspended-group',
      // AURORA is told, in the words of RFC 6750 §3.1, what another token or request would mend.
      ...(platform === aurora ? [] : ['token:without-verify-scope', 'none']),
    ].map((placeholder) => bound[placeholder] ?? '');
    const answers = await Promise.all(
      refused.map((token) =>
        send(backend.url, platform.request({ token, login: '', password: '' })),
      ),
    );
    expect(answers).toHaveLength(platform === aurora ? 7 : 9);
    expect(new Set(answers.map(told)).size).toBe(1);
  });

  test('a token that was issued for this URL, and one for another path of this server', async () => {
    const { accessToken, grant } = backend.services.database.prisma;
    const { token, ...proof } = await prove('test3');
    const { grantId } = await accessToken.findUniqueOrThrow({
      where: { tokenHash: digest(token) },
    });
    const issueFor = (resource: string) =>
      grant.update({ where: { id: grantId }, data: { resource } });
    await issueFor(`${backend.url}${platform.path}`);
    expect(await ask(platform.request({ token, ...proof }))).toEqual(accepted(platform));
    await issueFor(`${backend.url}${platform.path}/other`);
    expect(await ask(platform.request({ token, ...proof }))).toEqual(platform.no);
  });
});

describe.each([authlete, authleteEndUser])('$title, id and password', (platform) => {
  test.each([...nasty, nineThousandBytes])('%s', async (_title, pattern) => {
    const evil = pattern.replace('GOOD', 'test3');
    const proof = { token: '', login: 'test3', password: 'test3' };
    expect(await ask(platform.request({ ...proof, login: evil }))).toEqual(platform.no);
    expect(await ask(platform.request({ ...proof, password: evil }))).toEqual(platform.no);
    expect(await ask(platform.request({ ...proof, login: evil, password: evil }))).toEqual(
      platform.no,
    );
  });

  test('every refusal has the same status, headers and bytes', async () => {
    const answers = await Promise.all(
      [
        { login: 'test3', password: 'test1' },
        { login: 'test5', password: 'test5' },
        { login: 'test4', password: 'test4' },
        { login: 'test4', password: 'test1' },
        { login: 'in-suspended-group', password: 'a group can be suspended' },
        { login: 'one-service-only', password: 'only one service' },
        { login: '', password: '' },
      ].map((proof) => send(backend.url, platform.request({ ...proof, token: '' }))),
    );
    expect(answers).toHaveLength(7);
    expect(new Set(answers.map(told)).size).toBe(1);
  });
});
