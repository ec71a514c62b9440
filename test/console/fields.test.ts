/** A user of another store, pasted: how he is read, and what each platform would be answered about him. */
import { type Backend, startBackend } from '../support/backend.ts';
import { act } from '../support/console.ts';
import { visitor } from '../support/visitor.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const decoded = (html: string) =>
  html
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

async function paste(user: unknown, mapping: Record<string, string> = {}) {
  const json = typeof user === 'string' ? user : JSON.stringify(user);
  const { status, text } = await act(backend, '/console/fields', '/console/fields', {
    json,
    ...mapping,
  });
  /** The body that this platform would be sent, parsed. */
  const answered = (title: string): unknown => {
    const body = new RegExp(`What ${title} is answered">.*?</span>\n(.*?)</pre>`, 's').exec(text);
    return body && JSON.parse(decoded(body[1] ?? ''));
  };
  /** Everything that is said of this fact. */
  const said = (title: string) =>
    decoded(new RegExp(`<dt>${title}.*?</dd>`, 's').exec(text)?.[0] ?? '')
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();
  return { status, text, answered, said };
}

const ada = {
  user_id: 48151,
  username: 'ada',
  displayName: 'Ada Lovelace',
  mail: 'ada@example.com',
  org: { id: 'acme-01', name: 'Acme Ltd.' },
};

test('a user with usual names: nothing is to be mapped, and every platform is answered', async () => {
  const { status, answered } = await paste(ada);
  expect(status).toBe(200);
  expect(answered('Pango')).toEqual({ result: 'OK', user: { uid: 48151 } });
  expect(answered('ConnectyCube')).toEqual({
    user: {
      id: 48151,
      login: 'ada',
      full_name: 'Ada Lovelace',
      fill_name: 'Ada Lovelace',
      email: 'ada@example.com',
    },
    uid: 48151,
    login: 'ada',
    email: 'ada@example.com',
  });
  expect(answered('Authlete')).toEqual({
    authenticated: true,
    subject: 'acme-01',
    displayName: 'Acme Ltd.',
  });
  expect(answered('AURORA')).toEqual({
    user: {
      userid: '48151',
      userid_sec: ['feide:ada@users.invalid'],
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      profilephoto: null,
    },
    audience: 'demo-app',
  });
  expect(answered('dgp-oauth2')).toMatchObject({
    authenticated: true,
    profile: { id: '48151', name: 'Ada Lovelace', email: 'ada@example.com', join_date: null },
  });
});

test('the same uid as a user here: nothing is told of that user', async () => {
  const { answered, text } = await paste({ ...ada, user_id: 2345 });
  expect(answered('dgp-oauth2')).toMatchObject({ profile: { id: '2345', join_date: null } });
  expect(text).not.toContain('Simon Davis');
});

test.each([
  [
    'OpenID Connect',
    { sub: 7, preferred_username: 'kim', given_name: 'Kim', family_name: 'Li' },
    'Kim Li',
  ],
  ['SCIM', { id: 7, userName: 'kim', name: { givenName: 'Kim', familyName: 'Li' } }, 'Kim Li'],
  ['Active Directory', { employeeId: 1, uid: 7, sAMAccountName: 'kim', cn: 'Kim Li' }, 'Kim Li'],
  ['nested', { user: { id: 7, login: 'kim', full_name: 'Kim Li' }, team: { id: 9 } }, 'Kim Li'],
])('guessed as %s names it', async (_whose, user, name) => {
  const { answered } = await paste(user);
  expect(answered('ConnectyCube')).toMatchObject({
    user: { id: 7, login: 'kim', full_name: name },
  });
});

test('what is mapped goes before what is guessed; - is nowhere; two are put together', async () => {
  const user = { ...ada, numbers: [{ no: 5 }], first: 'A.', last: 'Byron' };
  const { answered } = await paste(user, {
    uid: 'numbers.0.no',
    name: 'first last',
    email: '-',
    subject: 'org.name.0',
  });
  expect(answered('ConnectyCube')).toEqual({
    user: { id: 5, login: 'ada', full_name: 'A. Byron', fill_name: 'A. Byron' },
    uid: 5,
    login: 'ada',
  });
});

test('a path that leads nowhere is said', async () => {
  const { said } = await paste(ada, { email: 'contact.mail', uid: 'constructor' });
  expect(said('e-mail')).toContain('Nothing stands there. There is none. AURORA lets nobody in');
  expect(said('uid')).toContain('Nothing stands there. Every platform needs one');
});

test.each([
  ['a text that is a number', '"2345"', 2345, 'It is a text. Platforms are told a number'],
  [
    'a UUID',
    '"7c9e6679-7425-40de-944b-e07fc1f90ae7"',
    1,
    'and this is not one: keep a number beside it',
  ],
  ['zero', '0', 1, 'and this is not one'],
  ['negative', '-4', 1, 'and this is not one'],
  ['a fraction', '1.5', 1, 'and this is not one'],
  ['true', 'true', 1, 'and this is not one'],
  ['an object', '{"a":1}', 1, 'and this is not one'],
  ['null', 'null', 1, 'Every platform needs one'],
  [
    'beyond 2^53',
    '9007199254740993',
    1,
    'It is beyond 2^53: whoever reads the JSON would round it.',
  ],
  [
    'beyond this database',
    '9007199254740991',
    9007199254740991,
    'the database here ends at 2147483647',
  ],
])('a uid that is %s', async (_what, uid, told, words) => {
  const { said, answered } = await paste(`{"id":${uid},"login":"x"}`, { uid: 'id' });
  expect(said('uid')).toContain(words);
  expect(answered('Pango')).toEqual({ result: 'OK', user: { uid: told } });
});

test('without a group: Authlete refuses, and it is said why', async () => {
  const { text, answered, said } = await paste({ id: 3, login: 'x' });
  expect(answered('Authlete')).toEqual({ authenticated: false });
  expect(text).toContain('The user has no group, and this platform only knows groups.');
  expect(said('group: subject')).toContain('lets in nobody without');
  expect(said('full name')).toContain('The login stands in.');
});

test('a subject, a login and an e-mail address that cannot be', async () => {
  const { said, answered } = await paste({
    id: 3,
    login: 'a b',
    email: 'nobody',
    group: 'två ord',
  });
  expect(said('group: subject')).toContain('no spaces. It is left out.');
  expect(said('login')).toContain('The uid stands in.');
  expect(said('e-mail')).toContain('It is not an e-mail address, and is left out.');
  expect(answered('ConnectyCube')).toEqual({
    user: { id: 3, login: '3', full_name: '3', fill_name: '3' },
    uid: 3,
    login: '3',
  });
});

test('AURORA: letters beyond ASCII are shown as they are sent', async () => {
  const { text } = await paste({ id: 3, login: 'ase', name: 'Åse', email: 'ase@example.com' });
  expect(text).toContain('&quot;name&quot;:&quot;\\u00c5se&quot;');
});

test.each([
  ['broken', '{"id": 1,', 'It is not JSON: '],
  ['empty', '', 'It is not JSON: '],
  ['a list', '[1]', 'It must be one JSON object: { … }.'],
  ['a number', '5', 'It must be one JSON object: { … }.'],
])(
  'JSON that is %s: is said at the field, and what was typed stays',
  async (_what, json, problem) => {
    const { status, text } = await paste(json, { uid: 'id' });
    expect(status).toBe(422);
    expect(decoded(/id="json-problem">.*?<span>(.*?)<\/span>/s.exec(text)?.[1] ?? '')).toContain(
      problem,
    );
    expect(decoded(/<textarea[^>]*>(.*?)<\/textarea>/s.exec(text)?.[1] ?? 'none')).toBe(json);
    expect(text).toMatch(/id="fact-uid" name="uid" value="id"/);
  },
);

test('a hostile user is text: in the field, in what is said, in the answers', async () => {
  const { status, text, answered } = await paste({
    id: 3,
    login: '</textarea><script>alert(1)</script>',
    name: '<img src=x onerror=alert(1)>',
    __proto__: { polluted: true },
    constructor: { prototype: 1 },
  });
  expect(status).toBe(200);
  expect(text).not.toMatch(/<script>|<img/);
  expect(answered('ConnectyCube')).toMatchObject({
    user: { full_name: '<img src=x onerror=alert(1)>' },
  });
});

test('keys that are of every object, and nesting without end', async () => {
  const own = await paste('{"id":1,"__proto__":{"login":"x"},"hasOwnProperty":5}');
  expect(own.status).toBe(200);
  expect(({} as Record<string, unknown>)['login']).toBeUndefined();
  const deep = await paste(`${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`);
  expect([200, 422]).toContain(deep.status);
});

test('nothing of it is kept, and it goes in no log', async () => {
  const marker = 'nobody-is-called-so';
  await paste({ ...ada, username: marker });
  const { prisma } = backend.services.database;
  const kept = JSON.stringify([
    await prisma.auditEvent.findMany(),
    await prisma.session.findMany(),
  ]);
  expect(kept).not.toContain(marker);
  expect(JSON.stringify(backend.log)).not.toContain(marker);
  expect((await visitor(backend).get('/console/fields')).text).not.toContain(marker);
  expect(await prisma.user.count({ where: { login: marker } })).toBe(0);
});

test('without our secret in the form: 403', async () => {
  const seen = await visitor(backend).post('/console/fields', { json: '{"id":1}' });
  expect(seen.status).toBe(403);
});
