/** What is taken out of a call, and what stays. */
import { redact, splitAtPlaceholders, type Wire } from '../../app/console/redaction.ts';
import { secret } from '../support/canaries.ts';

const token = secret('dG9rZW4tb2YtdGhlLXRlc3RzLW5vdC1yZWFs_0-x9Zk');
const jwt = secret('eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMiJ9.c2lnbmF0dXJlLW9mLW5vYm9keQ');

const empty: Wire = {
  url: '/',
  requestHeaders: [],
  requestBody: '',
  responseHeaders: [],
  responseBody: '',
};

const inUrl = (url: string) => redact({ ...empty, url }).wire.url;
const inBody = (requestBody: string) => redact({ ...empty, requestBody }).wire.requestBody;
const inHeader = (name: string, value: string) =>
  redact({ ...empty, requestHeaders: [[name, value]] }).wire.requestHeaders[0]?.[1];

describe('in a URL', () => {
  test.each([
    ['/user/verify?token=abc', '/user/verify?token=«secret 1»'],
    [
      '/user/verify?user_id=12&access_token=abc&x=y',
      '/user/verify?user_id=12&access_token=«secret 1»&x=y',
    ],
    ['/GetUserInfo?oauth_token=', '/GetUserInfo?oauth_token='],
    ['/v?TOKEN=abc', '/v?TOKEN=«secret 1»'],
    ['/v?to%6ben=abc', '/v?to%6ben=«secret 1»'],
    ['/v?token=abc&token=def&token=abc', '/v?token=«secret 1»&token=«secret 2»&token=«secret 1»'],
    ['/v?token[]=abc', '/v?token[]=«secret 1»'],
    ['/v?code=abc&state=xyz', '/v?code=«secret 1»&state=xyz'],
    ['/v?jwt=a.b.c', '/v?jwt=«secret 1»'],
    ['/v?idp-token=abc&auth-token=def', '/v?idp-token=«secret 1»&auth-token=«secret 2»'],
    ['/v?next=https%3A%2F%2Fapp.example%2F%3Ftoken%3Dabc', '/v?next=«secret 1»'],
    ['/v#access_token=abc', '/v#access_token=«secret 1»'],
    [`/v?x=${token}`, '/v?x=«secret 1»'],
    [`/v/${token}/y`, '/v/«secret 1»/y'],
    [`/v?x=${jwt}`, '/v?x=«secret 1»'],
    ['/v?token', '/v?token'],
    ['/v?', '/v?'],
  ])('%s becomes %s', (url, expected) => {
    expect(inUrl(url)).toBe(expected);
  });

  test.each([
    '/user/verify?user_id=690109944&lang=en',
    '/v?token_type=Bearer&expires_in=3600',
    '/v?id=0f8fad5b-d9cb-469f-a165-70867728950e',
    '/v?redirect=https%3A%2F%2Fapp.example%2Fcallback%3Fstate%3D1',
    '/v?serviceApiKey=21653835348762',
  ])('%s stays', (url) => {
    expect(inUrl(url)).toBe(url);
  });
});

describe('in a body', () => {
  test.each([
    ['token=abc&x=y', 'token=«secret 1»&x=y'],
    ['login=test1&password=p%26w', 'login=test1&password=«secret 1»'],
    [
      '{"id":"test1","password":"a\\"b","expiresIn":0}',
      '{"id":"test1","password":"«secret 1»","expiresIn":0}',
    ],
    ['{"password":12345}', '{"password":«secret 1»}'],
    ['{"password":null}', '{"password":null}'],
    ['{"to\\u006ben" : "abc"}', '{"to\\u006ben" : "«secret 1»"}'],
    [
      '{"token":{"value":"abc","n":[1,"de"]},"x":"y"}',
      '{"token":{"value":"«secret 1»","n":[«secret 2»,"«secret 3»"]},"x":"y"}',
    ],
    ['[{"access_token":"abc"},{"x":"y"}]', '[{"access_token":"«secret 1»"},{"x":"y"}]'],
    ['{"token":"abc', '«secret 1»'],
    ['{"token":', '«secret 1»'],
    ["{'password':'x'}", '«secret 1»'],
    ['{password:"x"}', '«secret 1»'],
    ['{"password"/**/:"x"}', '«secret 1»'],
    ['{"pass\\u0077ord":"x"', '«secret 1»'],
    ['password: x', '«secret 1»'],
    ['a=1&password:x', '«secret 1»'],
    ['login=a&password=a b', '«secret 1»'],
    ['--b\r\nContent-Disposition: form-data; name="pin"\r\n\r\n1234\r\n--b--\r\n', '«secret 1»'],
    ['<a><password><![CDATA[x]]></password></a>', '«secret 1»'],
    ['<user password="x"/>', '«secret 1»'],
    ['{"data":"{\\"password\\":\\"x\\"}"}', '{"data":"«secret 1»"}'],
    ['{"data":"[[\\"pin\\",1]]"}', '{"data":"«secret 1»"}'],
    ['{"data":"a=1&pin=1234"}', '{"data":"«secret 1»"}'],
    ['data=%7B%22pin%22%3A1%7D&x=y', 'data=«secret 1»&x=y'],
    ['user[pin]=1234&user.pw=abc', 'user[pin]=«secret 1»&user.pw=«secret 2»'],
    [
      '[{"name":"password","value":"x"},{"name":"login","value":"y"}]',
      '[{"name":"«secret 1»","value":"«secret 2»"},{"name":"login","value":"y"}]',
    ],
    ['{"value":{"a":["x"]},"key":"pin"}', '{"value":{"a":["«secret 1»"]},"key":"«secret 2»"}'],
    ['[["password","x"],["login","y"]]', '[["«secret 1»","«secret 2»"],["login","y"]]'],
    [' {"client_secret":"abc"}', ' {"client_secret":"«secret 1»"}'],
    ['{"active_session":"abc"}', '{"active_session":"«secret 1»"}'],
    [`it is ${token}.`, 'it is «secret 1».'],
    [`the token is ${token}.`, '«secret 1»'],
    [`{"x":"${jwt}"}`, '{"x":"«secret 1»"}'],
  ])('%s becomes %s', (body, expected) => {
    expect(inBody(body)).toBe(expected);
  });

  test.each([
    '{"user":{"id":2345,"login":"simon371"},"uid":2345}',
    '{"authenticated":true,"subject":"dev01","displayName":"Developer Group 01"}',
    '{"token_type":"Bearer","expires_in":3600}',
    '{"result":"OK","active_sessions":0}',
    '{"a":"b:\\"token\\":","c":"d"}',
    'plain words, no more',
    '-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo\n-----END PUBLIC KEY-----\n',
  ])('%s stays', (body) => {
    expect(inBody(body)).toBe(body);
  });
});

test.each([
  ['<a><token>abc</token><x>y</x></a>', '<a><token>«secret 1»</token><x>y</x></a>'],
  [
    '<input type="hidden" name="token" value="abc">',
    '<input type="hidden" name="token" value="«secret 1»">',
  ],
])('in a page that was answered, %s becomes %s', (responseBody, expected) => {
  expect(redact({ ...empty, responseBody }).wire.responseBody).toBe(expected);
});

test.each([
  'pass',
  'pw',
  'passcode',
  'passkey',
  'mfa',
  'totp',
  'OTP',
  'one-time-code',
  'auth_code',
  'accessKey',
  'sessid',
  'PHPSESSID',
  'sig',
  'hmac',
  'SAMLResponse',
  'saml_request',
  'x-auth',
  'X-Auth-Key',
  'X-Access-Key',
  'X-CSRF',
])('%s names a secret', (name) => {
  expect(inUrl(`/v?${name}=abc`)).toBe(`/v?${name}=«secret 1»`);
  expect(inHeader(name, 'abc')).toBe('«secret 1»');
});

describe('in a header', () => {
  test.each([
    ['Authorization', `Bearer ${token}`, 'Bearer «secret 1»'],
    ['authorization', 'Basic dGVzdDE6dGVzdDE=', 'Basic «secret 1»'],
    ['Authorization', 'whatever', '«secret 1»'],
    ['Cookie', 'a=b; session=c', '«secret 1»'],
    ['Set-Cookie', 'session=c; Path=/', '«secret 1»'],
    ['IdP-Token', 'abc', '«secret 1»'],
    ['auth-token', 'abc', '«secret 1»'],
    ['X-Api-Key', 'abc', '«secret 1»'],
    [
      'Location',
      'https://app.example/cb?code=abc&state=s',
      'https://app.example/cb?code=«secret 1»&state=s',
    ],
    ['Referer', '/v?token=abc', '/v?token=«secret 1»'],
    ['X-Anything', token, '«secret 1»'],
    ['X-Next', 'com.example.app://cb?code=abc', 'com.example.app://cb?code=«secret 1»'],
    ['Link', '<https://app.example/?token=abc>; rel="next"', '«secret 1»'],
    ['Refresh', '0; url=https://app.example/?pin=1234', '«secret 1»'],
    ['X-Data', '{"pin":1234}', '«secret 1»'],
  ])('%s: %s becomes %s', (name, value, expected) => {
    expect(inHeader(name, value)).toBe(expected);
  });

  test.each([
    ['Content-Type', 'application/json; charset=utf-8'],
    ['WWW-Authenticate', 'Basic realm="authlete", charset="UTF-8"'],
    ['X-Request-Id', '0f8fad5b-d9cb-469f-a165-70867728950e'],
    ['User-Agent', 'okhttp/4.12.0'],
  ])('%s: %s stays', (name, value) => {
    expect(inHeader(name, value)).toBe(value);
  });
});

test('a value that a name gave away is taken out wherever else it stands, however it is written there', () => {
  const { wire, secrets } = redact({
    url: '/v?password=bl%C3%A5b%C3%A6r%2B1%22',
    requestHeaders: [['X-Note', 'blåbær+1"']],
    requestBody: '{"note":"blåbær+1\\"!"}',
    responseHeaders: [],
    responseBody: 'no such thing as blåbær+1"',
  });
  expect(wire.url).toBe('/v?password=«secret 1»');
  expect(JSON.stringify(wire)).not.toContain('blåbær');
  expect(secrets.get('«secret 1»')).toBe('bl%C3%A5b%C3%A6r%2B1%22');
});

test('a short one is not: it would be found in other words', () => {
  const { wire } = redact({ ...empty, requestBody: '{"id":"test1","password":"test1"}' });
  expect(wire.requestBody).toBe('{"id":"test1","password":"«secret 1»"}');
});

test('values that are known to be secrets are taken out, short ones as well', () => {
  const { wire } = redact({ ...empty, url: '/v?x=test1' }, { values: ['test1'] });
  expect(wire.url).toBe('/v?x=«secret 1»');
});

test('the name that a vendor’s dashboard was told to send', () => {
  const url = '/GetUserInfo?T-k=abc';
  expect(redact({ ...empty, url }, { names: ['t-k'] }).wire.url).toBe(
    '/GetUserInfo?T-k=«secret 1»',
  );
});

test('the same secret has the same mark, another one another, and neither tells it', () => {
  const of = (value: string) => redact({ ...empty, url: `/v?token=${value}` }).hidden[0];
  expect(of(token)).toEqual({
    placeholder: '«secret 1»',
    characters: 43,
    mark: expect.stringMatching(/^[0-9a-f]{6}$/),
  });
  expect(of(token)?.mark).toBe(of(token)?.mark);
  expect(of(token)?.mark).not.toBe(of(jwt)?.mark);
});

test.each([
  ['a short one', { url: '/v?password=nineteen-characters' }],
  [
    'a login with its password',
    { requestHeaders: [['Authorization', 'Basic dGVzdDE6dGVzdDEtaXQtaXM=']] },
  ],
  ['a text with one in it', { requestBody: "{'login':'somebody','password':'test1'}" }],
  ['an address with one in it', { url: '/v?next=https%3A%2F%2Fapp.example%2F%3Fpin%3D1234' }],
] as const)('of %s nothing is told: trying others would find it', (_what, sent) => {
  expect(redact({ ...empty, ...sent }).hidden).toEqual([{ placeholder: '«secret 1»' }]);
});

test.each([
  ['a body', (many: string[]) => ({ requestBody: JSON.stringify({ pin: many }) })],
  ['an answer', (many: string[]) => ({ responseBody: JSON.stringify({ pin: many }) })],
  ['a query', (many: string[]) => ({ url: `/v?${many.map((one) => `pin=${one}`).join('&')}` })],
])('%s with 11,000 secrets is one, of which nothing is kept', (_what, sent) => {
  const many = Array.from({ length: 11_000 }, (_, index) => String(index));
  const { wire, hidden, secrets } = redact({
    ...empty,
    requestHeaders: [['IdP-Token', 'abc']],
    ...sent(many),
  });
  expect([wire.url, wire.requestBody, wire.responseBody].join('')).toMatch(/^\/?«secret \d»\/?$/);
  expect(hidden).toHaveLength(2);
  expect(hidden[1]).toEqual({ placeholder: expect.any(String), cut: true });
  expect([...secrets.values()]).toEqual(['abc']);
});

test('thousands of values that are looked for take no time', () => {
  const values = Array.from({ length: 11_000 }, (_, index) => `value-${index}`);
  const begun = performance.now();
  redact(
    { ...empty, requestBody: 'value'.repeat(13_000), responseBody: 'x'.repeat(65_536) },
    { values },
  );
  expect(performance.now() - begun).toBeLessThan(1000);
});

test('putting the secrets back gives what was sent, to the letter', () => {
  const sent: Wire = {
    url: `/v?token=${token}&x=1`,
    requestHeaders: [['Authorization', 'Basic dGVzdDE6dGVzdDE=']],
    requestBody: '{"password":"a\\"b\\u00e5","n":[1, 2.50,{"token":12345678901234567890}]}',
    responseHeaders: [['Set-Cookie', 'a=b; Path=/']],
    responseBody: `{"access_token":"${jwt}"}`,
  };
  const { wire, secrets } = redact(sent);
  const fill = (text: string) =>
    splitAtPlaceholders(text)
      .map((piece) => secrets.get(piece) ?? piece)
      .join('');
  expect(JSON.parse(fill(JSON.stringify(wire.url)))).toBe(sent.url);
  expect(fill(wire.requestBody)).toBe(sent.requestBody);
  expect(wire.requestHeaders.map(([name, value]) => [name, fill(value)])).toEqual(
    sent.requestHeaders,
  );
  expect(wire.responseHeaders.map(([name, value]) => [name, fill(value)])).toEqual(
    sent.responseHeaders,
  );
  expect(fill(wire.responseBody)).toBe(sent.responseBody);
});

test('hostile bodies take no time: 64 KiB of each', () => {
  const hostile = [
    '"',
    '\\',
    '{"a":',
    '[',
    '<a',
    '<token>',
    '&=',
    '"token":"',
    'eyJ.',
    '%',
    '<input name="',
    '«secret 1»',
    'a-',
    '<token',
    '?&#;=',
    '-----BEGIN PUBLIC KEY-----',
    'password',
    'password ',
    'a]',
    '["pin",',
    'pin: ',
    '%70',
  ];
  const many = Array.from({ length: 4000 }, (_, index) => `token=secret-${index}&`).join('');
  for (const piece of [...hostile, many]) {
    const text = piece.repeat(Math.ceil(65_536 / piece.length));
    for (const begin of ['', '{', '<', '"']) {
      const begun = performance.now();
      redact({
        ...empty,
        url: `/${text.slice(0, 8000)}`,
        requestBody: begin + text,
        responseBody: text,
      });
      expect([piece.slice(0, 20), begin, performance.now() - begun < 1000]).toEqual([
        piece.slice(0, 20),
        begin,
        true,
      ]);
    }
  }
});
