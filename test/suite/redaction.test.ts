/** No form in which a secret travels gets through; what is no secret stays. */
import { createHash } from 'node:crypto';
import { createRedaction } from '../../app/scenarios/redaction.ts';

const marker = /\[redacted \d+ characters, #[0-9a-f]{8}\]/g;

const redactionOf = (...values: string[]) =>
  createRedaction(values.map((value, index) => ({ variable: `SECRET_${index}`, value })));

/** The same ones at every run, and no two alike. */
function random(seed: string) {
  let count = 0;
  return (below: number): number => {
    count += 1;
    const bytes = createHash('sha256').update(`${seed} ${count}`).digest();
    return bytes.readUInt32BE() % below;
  };
}

const letters = 'ABCxyz0189-_.~+/=:&?%#"\\\'<>{}[]()!$@ ,;|åøæé€🫐';

function made(next: (below: number) => number): string {
  const alphabet = Array.from(letters);
  // Not at the ends: what trims does not know secrets.
  const inner = Array.from({ length: 10 + next(30) }, () => alphabet[next(alphabet.length)]);
  return `Q${inner.join('')}7`;
}

const inUrl = (text: string) => new URLSearchParams([['', text]]).toString().slice(1);
const inEntities = (text: string) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
const inAscii = (text: string) =>
  text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
const quoted = (text: string) => JSON.stringify(text).slice(1, -1);
const base64 = (text: string) => Buffer.from(text).toString('base64');

const forms: readonly (readonly [name: string, form: (value: string) => string])[] = [
  ['as it is', (value) => value],
  ['percent-encoded', encodeURIComponent],
  [
    'percent-encoded in lower case',
    (value) => encodeURIComponent(value).replace(/%../g, (one) => one.toLowerCase()),
  ],
  [
    'every byte percent-encoded',
    (value) => Buffer.from(value).toString('hex').replace(/../g, '%$&'),
  ],
  ['as in a form', inUrl],
  ['percent-encoded twice', (value) => encodeURIComponent(encodeURIComponent(value))],
  ['JSON-escaped', quoted],
  ['JSON-escaped to ASCII', (value) => inAscii(quoted(value))],
  ['with escaped slashes', (value) => quoted(value).replaceAll('/', '\\/')],
  ['JSON in JSON', (value) => quoted(quoted(value))],
  ['JSON in a URL', (value) => encodeURIComponent(quoted(value))],
  ['HTML entities', inEntities],
  ['Base64', base64],
  ['Base64 behind an id', (value) => base64(`id:${value}`)],
  ['Base64 behind a longer id', (value) => base64(`caller:${value}`)],
  ['Base64 before something', (value) => base64(`${value}:id`)],
  ['base64url', (value) => Buffer.from(`user:${value}`).toString('base64url')],
  ['Base64 in a URL', (value) => encodeURIComponent(base64(`user:${value}`))],
];

test.each(forms)('a configured secret, %s, in any text', (name, form) => {
  const next = random(name);
  for (let time = 0; time < 60; time++) {
    const value = made(next);
    const redacted = redactionOf(value)(`before ${form(value)} after`);

    expect(redacted.replace(marker, '•')).toBe('before • after');
  }
});

test('secrets that overlap, and secrets within secrets, are gone to the last character', () => {
  const redact = redactionOf('abcdefghij', 'hijklmnopq', 'defghi', 'zzzzzzzz');

  expect(redact('<abcdefghijklmnopq>').replace(marker, '•')).toBe('<•>');
  expect(redact('<defghi> <abcdefghij>').replace(marker, '•')).toBe('<•> <•>');
  expect(redact('<zzzzzzzzzzzz>').replace(marker, '•')).toBe('<•>');
});

test('two values can be told apart, one and the same is the same in every form, and another run has other numbers', () => {
  const [one, other] = ['first-secret/1', 'other-secret/2'];
  const redact = redactionOf(one, other);

  expect(redact(one)).toMatch(/^\[redacted 14 characters, #[0-9a-f]{8}\]$/);
  expect(redact(one)).not.toBe(redact(other));
  expect(redact(inUrl(one))).toBe(redact(one));
  expect(redact(`token=${inUrl(one)}`)).toBe(`token=${redact(one)}`);
  expect(redactionOf(one)(one)).not.toBe(redact(one));
});

test('a JWT, whole and in parts, also one that nobody announced', () => {
  const part = (claims: object) => Buffer.from(JSON.stringify(claims)).toString('base64url');
  const known = `${part({ alg: 'RS256', kid: '1' })}.${part({ sub: '2345', n: 1 })}.c2lnbmF0dXJlMTIzNDU2`;
  const foreign = `${part({ alg: 'HS256' })}.${part({ sub: '1' })}.c2ln`;
  const redact = redactionOf(known);
  const [header = '', claims = '', signature = ''] = known.split('.');

  expect(redact(`a ${known} b`).replace(marker, '•')).toBe('a • b');
  expect(redact(`a ${claims} b ${signature} c ${header}`).replace(marker, '•')).toBe('a • b • c •');
  expect(redact(`<p>${foreign}</p>`).replace(marker, '•')).toBe('<p>•</p>');
});

describe('by name', () => {
  const redact = (value: unknown) => redactionOf()(value);
  const shown = (value: unknown) => JSON.parse(JSON.stringify(redact(value)).replace(marker, '•'));

  test.each([
    [
      '/user/verify?token=s3cr3t&app=1#access_token=an0ther',
      '/user/verify?token=•&app=1#access_token=•',
    ],
    ['/cb?code=abcd&state=xyz', '/cb?code=•&state=xyz'],
    [
      'grant_type=password&login=test1&password=test1',
      'grant_type=password&login=test1&password=•',
    ],
    ['oauth_token%5B%5D=s3cr3t&token[]=an0ther', 'oauth_token%5B%5D=•&token[]=•'],
    ['next=%2Fa%3Fjwt%3Ds3cr3t%26b%3D1', 'next=%2Fa%3Fjwt%3D•%26b%3D1'],
    ['{"id":"test1","password":"test1"}', '{"id":"test1","password":"•"}'],
    [
      '{"token" : ["s3cr3t", {"value":"an0ther"}, 123456], "user":{"id":2345}}',
      '{"token" : ["•", {"value":"•"}, •], "user":{"id":2345}}',
    ],
    ['{"code":404,"error":"unknown"}', '{"code":404,"error":"unknown"}'],
    ['{"access_token":"cut off in the mi', '{"access_token":"•'],
    ['5" wide {"client_secret":"s3cr3t"}', '5" wide {"client_secret":"•"}'],
    ['{"echo":"{\\"refresh_token\\":\\"s3cr3t\\"}"}', '{"echo":"{\\"refresh_token\\":\\"•\\"}"}'],
    ['{"echo":"{\\"url\\":\\"/x?token=s3cr3t\\"}"}', '{"echo":"{\\"url\\":\\"/x?token=•\\"}"}'],
    ['password=s3\\cr3t&a=b', 'password=•&a=b'],
    ['{"token":null,"password":""}', '{"token":null,"password":""}'],
    ['{"token_type":"Bearer","expires_in":3600}', '{"token_type":"Bearer","expires_in":3600}'],
    ['Authorization: Bearer s3cr3t\nHost: x', 'Authorization: Bearer •\nHost: x'],
    ['you sent Basic dGVzdDE6dGVzdDE=', 'you sent Basic •'],
    [
      'Bearer realm="authlete", error="invalid_token"',
      'Bearer realm="authlete", error="invalid_token"',
    ],
    ['Basic authentication and Bearer credentials', 'Basic authentication and Bearer credentials'],
    ['https://user:s3cr3t@backend.example/', 'https://user:•@backend.example/'],
  ])('%s', (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test('in headers, as an object and as pairs', () => {
    expect(
      shown({
        headers: {
          Authorization: 'Basic YTpi',
          'IdP-Token': 's3cr3t',
          'auth-token': 's3cr3t',
          accept: 'x',
        },
      }),
    ).toEqual({
      headers: { Authorization: 'Basic •', 'IdP-Token': '•', 'auth-token': '•', accept: 'x' },
    });
    expect(
      shown({
        headers: [
          ['set-cookie', 'sid=s3cr3t; Path=/; HttpOnly'],
          ['Cookie', 'a=s3cr3t; b=an0ther'],
          ['location', '/cb#id_token=s3cr3t'],
        ],
      }),
    ).toEqual({
      headers: [
        ['set-cookie', 'sid=•; Path=/; HttpOnly'],
        ['Cookie', 'a=•; b=•'],
        ['location', '/cb#id_token=•'],
      ],
    });
  });

  test('in the expected and the actual value of a place that has the name of a secret', () => {
    expect(shown([{ where: 'body.access_token', expected: '{{*}}', actual: 's3cr3t' }])).toEqual([
      { where: 'body.access_token', expected: '{{*}}', actual: '•' },
    ]);
    expect(shown([{ where: 'header set-cookie', expected: 'a', actual: 's3cr3t' }])).toEqual([
      { where: 'header set-cookie', expected: 'a', actual: '•' },
    ]);
  });

  test('what was met beneath such a name is known everywhere, whichever came first', () => {
    const token = 'k3Jd81mQ0aZx77Lw';
    expect(
      shown({
        curl: `curl '/x/${token}'`,
        text: `echo ${token}`,
        body: `{"access_token":"${token}"}`,
      }),
    ).toEqual({ curl: "curl '/x/•'", text: 'echo •', body: '{"access_token":"•"}' });
  });
});

test('a login stays readable, though it is the password as well', () => {
  const redact = redactionOf('test1', 'simon371', 'vpn-user');

  expect(redact('simon371 is vpn-user, not test1').replace(marker, '•')).toBe(
    'simon371 is vpn-user, not test1',
  );
  expect(redact('{"login":"simon371","password":"simon371"}').replace(marker, '•')).toBe(
    '{"login":"simon371","password":"•"}',
  );
});

test('a curl line keeps its variables and what the tables print', () => {
  const value = {
    curl: `curl -u "$SCENARIO_KEY:$SCENARIO_SECRET" --data-raw '{"id":"test1","password":"test1"}' 'http://x/?token='"$SCENARIO_TOKEN"`,
  };

  expect(redactionOf('something-else')(value)).toEqual(value);
});

test('to redact once more changes nothing', () => {
  const redact = redactionOf('a-secret-of-the-house');
  const once = redact({
    url: '/x?token=a-secret-of-the-house&code=12345678',
    headers: { authorization: 'Bearer k3Jd81mQ0aZx77Lw' },
    body: '{"password":"test1","token":["abcd1234"]}',
  });

  expect(redact(once)).toEqual(once);
});

test('dates, numbers and what is undefined stay as they are', () => {
  const value = {
    at: new Date(0),
    ms: 12.5,
    none: undefined,
    list: [null, true],
    because: 'expired',
  };

  expect(redactionOf('a-secret-of-the-house')(value)).toEqual(value);
});

test.each([
  ['JSON', (secret: string) => `{"echo":"${'\\"x\\" & %41 &amp; '.repeat(60_000)}${secret}"}`],
  ['Base64', (secret: string) => `${'A'.repeat(1_000_000)} ${secret}`],
  ['the beginnings of JWTs', (secret: string) => `${'-eyJabcdef'.repeat(100_000)} ${secret}`],
  ['pairs', (secret: string) => `${'a&token=b'.repeat(110_000)} ${secret}`],
  ['names of secrets', (secret: string) => `${'"token":['.repeat(110_000)} ${secret}`],
  ['colons', (secret: string) => `${'://'.repeat(330_000)} ${secret}`],
  ['a repeated secret', (secret: string) => secret.repeat(30_000)],
])(
  '1 MiB of %s does not hang it',
  (_, bodyWith) => {
    const secrets = Array.from(
      { length: 30 },
      (_unused, index) => `secret-of-the-tests-number-${index}`,
    );
    const secret = 'secret-of-the-tests-number-29';

    expect(redactionOf(...secrets)(bodyWith(secret))).not.toContain(secret);
    // Seconds; hours where the work grows with the square of the length.
  },
  300_000,
);
