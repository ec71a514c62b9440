/** Users and groups in the console: found, made, switched, and who is told what. */
import { jest } from '@jest/globals';
import { mintToken, uidOf } from '../../app/scenarios/own-bindings.ts';
import { trail } from '../../app/store/audit.ts';
import { createDirectory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { act } from '../support/console.ts';
import { formOf, visitor } from '../support/visitor.ts';

jest.setTimeout(30_000);

/** As a person could be called who wishes us ill. */
const hostileName = '</title><script>alert(1)</script>"><img src=x onerror=alert(2)> & <%= 7*7 %>';
const escapedName =
  '&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&gt;&lt;img src=x onerror=alert(2)&gt; &amp; &lt;%= 7*7 %&gt;';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const directory = () =>
  createDirectory(backend.services.database, backend.services.passwords, 'test');
const page = async (path: string) => (await visitor(backend).get(path)).text;
const eventsOf = (target: string, limit = 1) => trail(backend.services.database, { target, limit });

/** What ConnectyCube would be told of this token. */
const verified = async (token: string) =>
  (await fetch(`${backend.url}/user/verify?token=${token}`)).status;

/** Logins on a page of the list, in its order. */
const listed = (html: string) =>
  [...html.matchAll(/<a href="\/console\/users\/\d+"><code>(.*?)<\/code>/g)].map(([, one]) => one);

/** The problem at a field, as text; undefined when the field has none. */
const problemAt = (html: string, id: string) =>
  new RegExp(`id="${id}-problem">.*?<span>(.*?)</span>`, 's').exec(html)?.[1];

const found = async (text: string, query = '') =>
  listed(await page(`/console/users?text=${encodeURIComponent(text)}${query}`));

describe('finding users', () => {
  test.each([
    ['the whole login', 'simon371', ['simon371']],
    ['a part of it, in other letters', 'SIMON3', ['simon371']],
    ['a part of the name', 'davis', ['simon371']],
    ['a part of the e-mail address', 'vpn-user@exa', ['vpn-user']],
    ['the uid', '2345', ['simon371']],
    ['a part of the uid', '234', []],
    ['a login beyond ASCII, in other letters', 'åse.BJØRNÅ', ['Åse.Bjørnå']],
    ['white space around it', '  simon371 ', ['simon371']],
    ['a per cent sign, which is no wildcard', '%', []],
    ['an underscore, which is none', 'simon_71', []],
    ['the escape itself', '!', []],
    ['an uid beyond any', '99999999999999', []],
    ['an uid beyond the database’s', '4294967296', []],
    ['SQL', "' OR 1=1 --", []],
    ['a NUL', 'simon\u0000371', ['simon371']],
  ])('by %s', async (_what, text, logins) => {
    expect(await found(text)).toEqual(logins);
  });

  test('half of a surrogate pair, and a text that is longer than any', async () => {
    expect((await visitor(backend).get('/console/users?text=%ED%A0%80')).status).toBe(200);
    expect(await found('x'.repeat(3000))).toEqual([]);
  });

  test('by status, and within a group', async () => {
    expect(await found('', '&status=suspended')).toEqual(['test4']);
    const { id } = await backend.services.database.prisma.group.findUniqueOrThrow({
      where: { name: 'Dev 02' },
    });
    expect(await found('', `&group=${id}`)).toEqual(['test3', 'test4']);
    expect(await found('', `&group=${id}&status=active`)).toEqual(['test3']);
    expect(await found('', '&group=no-such')).toEqual([]);
  });

  test('25 on a page, in the order of their uids', async () => {
    for (let n = 0; n < 30; n += 1) {
      await directory().createUser({ login: `crowd-${n}`, name: `In the crowd ${n}` });
    }
    const first = await page('/console/users?text=crowd');
    expect(listed(first)).toHaveLength(25);
    expect(listed(first)[0]).toBe('crowd-0');
    expect(first).toContain('30 are like that');
    const next = /rel="next" href="([^"]*)"/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect(next).toBe('/console/users?text=crowd&page=2');
    const second = await page(next);
    expect(listed(second)).toEqual(['crowd-25', 'crowd-26', 'crowd-27', 'crowd-28', 'crowd-29']);
    expect(second).not.toContain('rel="next"');
    expect(second).toContain('rel="prev" href="/console/users?text=crowd&amp;page=1"');
  });

  test.each(['0', '-1', 'x', '99', '1e3', '2147483648'])('page %s is the first', async (number) => {
    expect(listed(await page(`/console/users?text=crowd&page=${number}`))[0]).toBe('crowd-0');
  });

  test('what was searched for is shown as text', async () => {
    const html = await page(`/console/users?text=${encodeURIComponent(hostileName)}`);
    expect(html).toContain(`value="${escapedName}"`);
    expect(html).not.toContain('<script>alert');
  });
});

describe('a new user', () => {
  const create = (fields: Record<string, string>) =>
    act(backend, '/console/users/new', '/console/users/new', { kind: 'none', ...fields });

  test('is made as it was filled in, and is in the audit trail under who made it', async () => {
    const password = secret('typed-in-the-console-1');
    const one = visitor(backend);
    await one.signIn('test2');
    const form = formOf((await one.get('/console/users/new')).text, '/console/users/new');
    const fields = {
      login: 'grace',
      name: 'Grace Hopper',
      email: 'grace@example.com',
      group: 'Dev 01',
      uid: '4711',
      kind: 'typed',
      password,
    };
    const seen = await one.post('/console/users/new', { ...form, ...fields });
    expect([seen.status, seen.location]).toEqual([303, '/console/users/4711?done=user-created']);
    expect(await directory().user('grace')).toMatchObject({
      uid: 4711,
      name: 'Grace Hopper',
      email: 'grace@example.com',
      group: 'Dev 01',
      status: 'active',
    });
    const [event] = await eventsOf('user:grace');
    expect(event).toMatchObject({
      actor: 'user:test2',
      action: 'user.create',
      detail: { uid: 4711, group: 'Dev 01' },
    });
    await visitor(backend).signIn('grace', password);
    const html = await page('/console/users/4711');
    expect(html).toContain('<h1>grace</h1>');
    expect(html).not.toContain(password);
  });

  test('a generated password is shown in that answer, and nowhere else', async () => {
    const seen = await create({ login: 'generated', name: 'Generated', kind: 'generated' });
    expect(seen.status).toBe(200);
    expect(seen.headers.get('cache-control')).toBe('no-store');
    const password = secret(
      /<code id="password"[^>]*>([a-z2-9]{20})<\/code>/.exec(seen.text)?.[1] ?? '',
    );
    expect(password).toHaveLength(20);
    await visitor(backend).signIn('generated', password);
    const { uid } = await directory().user('generated');
    for (const path of ['/console/users/new', `/console/users/${uid}`, '/console/audit']) {
      expect(await page(path)).not.toContain(password);
    }
    const stored = await backend.services.database.prisma.session.findMany();
    const events = await backend.services.database.prisma.auditEvent.findMany();
    expect(JSON.stringify([stored, events])).not.toContain(password);
  });

  test.each([
    [
      'login',
      { login: 'with space' },
      'A login has 1 to 255 characters, and no spaces or control characters.',
    ],
    [
      'login',
      { login: '' },
      'A login has 1 to 255 characters, and no spaces or control characters.',
    ],
    [
      'login',
      { login: 'SIMON371' },
      'There is a user &quot;SIMON371&quot; already. Logins do not differ by case.',
    ],
    ['name', { name: ' ' }, 'A name has 1 to 255 characters, and no control characters.'],
    ['email', { email: 'no address' }, '&quot;no address&quot; is not an email address.'],
    ['uid', { uid: '0' }, 'A uid is a whole number from 1 to 2147483647.'],
    ['uid', { uid: '12.5' }, 'A uid is a whole number from 1 to 2147483647.'],
    ['uid', { uid: '2345' }, 'There is a user with the uid 2345 already.'],
    ['group', { group: 'Dev 99' }, 'There is no group &quot;Dev 99&quot;.'],
    ['password', { kind: 'typed', password: '' }, 'A password must not be empty.'],
    [
      'password',
      { kind: 'typed', password: 'blåbær'.repeat(12) },
      'A password must not be longer than 72 bytes: bcrypt ignores the rest.',
    ],
  ])('with a bad %s: is told at that field', async (field, wrong, problem) => {
    const seen = await create({ login: 'not.made', name: 'Not Made', ...wrong });
    expect(seen.status).toBe(422);
    expect(problemAt(seen.text, field)).toBe(problem);
    expect(seen.text.match(/class="field-problem"/g)).toHaveLength(1);
    await expect(directory().user('not.made')).rejects.toThrow('There is no user');
  });

  test('nothing of the form is lost, but for the password', async () => {
    const password = secret('typed-and-not-repeated');
    const fields = {
      login: 'simon371',
      name: hostileName,
      email: 'kept@example.com',
      uid: '77',
      group: 'Dev 02',
      kind: 'typed',
      password,
    };
    const { text } = await create(fields);
    const form = formOf(text, '/console/users/new');
    expect(form).toMatchObject({
      login: 'simon371',
      name: hostileName,
      email: 'kept@example.com',
      uid: '77',
    });
    expect(text).toContain('<option value="Dev 02" selected>');
    expect(text).toMatch(/value="typed" checked/);
    expect(text).not.toContain(password);
    expect(text).not.toContain('<script>alert');
  });

  test('with a hostile name: it is text wherever it is shown', async () => {
    await create({ login: 'mallory<script>', name: hostileName });
    const { uid } = await directory().user('mallory<script>');
    for (const path of ['/console/users?text=mallory', `/console/users/${uid}`, '/console/audit']) {
      const html = await page(path);
      expect(html).toContain('mallory&lt;script&gt;');
      expect(html).not.toMatch(/<script>|<img/);
    }
  });
});

describe('a user', () => {
  const simon = '/console/users/2345';
  const onSimon = (name: string, fields: Record<string, string> = {}) =>
    act(backend, simon, `${simon}/${name}`, fields);

  test.each([
    '/console/users/99',
    '/console/users/0',
    '/console/users/abc',
    '/console/users/4294967297',
  ])('%s: there is none', async (path) => {
    expect((await visitor(backend).get(path)).status).toBe(404);
  });

  test('is suspended with a reason, and activated by undo: platforms follow at once', async () => {
    const token = secret(await mintToken(backend.services, 'simon371'));
    const suspended = await onSimon('suspend', { reason: 'lost his phone' });
    expect([suspended.status, suspended.location]).toEqual([303, `${simon}?done=user-suspended`]);
    expect(await verified(token)).toBe(422);
    const [event] = await eventsOf('user:simon371');
    expect(event).toMatchObject({
      actor: 'console',
      action: 'user.suspend',
      detail: { reason: 'lost his phone' },
    });
    const undone = await act(backend, `${simon}?done=user-suspended`, `${simon}/activate`);
    expect(undone.location).toBe(`${simon}?done=user-activated`);
    expect(await verified(token)).toBe(200);
    expect((await eventsOf('user:simon371'))[0]).toMatchObject({ action: 'user.activate' });
  });

  test('a reason that cannot be kept: is told at the field, and he stays as he is', async () => {
    const { status, text } = await onSimon('suspend', { reason: 'x'.repeat(256) });
    expect(status).toBe(422);
    expect(problemAt(text, 'reason')).toBe(
      'A reason has 1 to 255 characters, and no control characters.',
    );
    expect(formOf(text, `${simon}/suspend`)['reason']).toBe('x'.repeat(256));
    expect((await directory().user('simon371')).status).toBe('active');
  });

  test('is moved into a group, and out of it', async () => {
    expect((await onSimon('move', { group: 'Dev 01' })).location).toBe(`${simon}?done=user-moved`);
    expect((await directory().user('simon371')).group).toBe('Dev 01');
    await onSimon('move', { group: '' });
    expect((await directory().user('simon371')).group).toBeNull();
    const missing = await onSimon('move', { group: 'Dev 99' });
    expect([missing.status, problemAt(missing.text, 'group')]).toEqual([
      422,
      'There is no group &quot;Dev 99&quot;.',
    ]);
  });

  test('gets a generated password, shown once; tokens end', async () => {
    const token = secret(await mintToken(backend.services, 'test3'));
    const test3 = `/console/users/${uidOf('test3')}`;
    const { status, text } = await act(backend, test3, `${test3}/password`, { kind: 'generated' });
    const password = secret(/<code id="password"[^>]*>([^<]*)<\/code>/.exec(text)?.[1] ?? '');
    expect([status, password.length]).toEqual([200, 20]);
    await visitor(backend).signIn('test3', password);
    expect(await verified(token)).toBe(422);
    expect(await page(test3)).not.toContain(password);
    const typed = secret('typed-by-an-admin');
    const set = await act(backend, test3, `${test3}/password`, { kind: 'typed', password: typed });
    expect(set.location).toBe(`${test3}?done=password-set`);
    await visitor(backend).signIn('test3', typed);
  });

  test.each([
    ['typed, and empty', { kind: 'typed', password: '' }],
    ['of no kind', { kind: 'none' }],
  ])('a password that is %s: stays as it was', async (_how, fields) => {
    const { status, text } = await onSimon('password', fields);
    expect([status, problemAt(text, 'password')]).toEqual([422, 'A password must not be empty.']);
    await visitor(backend).signIn('simon371');
  });

  test('his tokens: how many are live; one expired now; then all; none is on the page', async () => {
    await onSimon('revoke');
    const tokens = await Promise.all(
      [1, 2, 3].map(async () => secret(await mintToken(backend.services, 'simon371'))),
    );
    const html = await page(simon);
    expect(html).toContain('3 live tokens');
    for (const token of tokens) expect(html).not.toContain(token);

    // Of the two forms that lead there, the second is that of the newest token.
    const one = visitor(backend);
    const { text } = await one.get(simon);
    const expired = await one.post(`${simon}/expire`, formOf(text, `${simon}/expire`, 1));
    expect(expired.location).toBe(`${simon}?done=tokens-expired`);
    const statuses = await Promise.all(tokens.map(verified));
    expect(statuses.toSorted()).toEqual([200, 200, 422]);
    expect(await eventsOf('user:simon371')).toMatchObject([
      { action: 'token.expire', actor: 'console', detail: { tokens: 1 } },
    ]);

    await onSimon('expire');
    expect(await Promise.all(tokens.map(verified))).toEqual([422, 422, 422]);
    expect((await eventsOf('user:simon371'))[0]?.detail).toEqual({ tokens: 2 });
    expect(await page(simon)).toContain('0 live tokens');
  });

  test('a token of another user is not expired from his page', async () => {
    const token = secret(await mintToken(backend.services, 'test1'));
    await mintToken(backend.services, 'simon371');
    const row = await backend.services.database.prisma.accessToken.findFirstOrThrow({
      where: { userUid: uidOf('test1') },
      orderBy: { createdAt: 'desc' },
    });
    const seen = await onSimon('expire', { digest: row.tokenHash });
    expect(seen.location).toBe(`${simon}?done=nothing-live`);
    expect(await verified(token)).toBe(200);
  });

  test('a grant of his is revoked, with its token', async () => {
    await onSimon('revoke');
    const token = secret(await mintToken(backend.services, 'simon371'));
    const one = visitor(backend);
    const { text } = await one.get(simon);
    const form = formOf(text, `${simon}/revoke`, 1);
    expect(form['grant']).toMatch(/^[0-9a-f-]{36}$/);
    await one.post(`${simon}/revoke`, form);
    expect(await verified(token)).toBe(422);
    expect((await eventsOf('user:simon371'))[0]).toMatchObject({ action: 'grant.revoke' });
    expect(await page(simon)).not.toContain(`action="${simon}/revoke"`);
  });
});

describe('groups', () => {
  const create = (fields: Record<string, string>) =>
    act(backend, '/console/groups', '/console/groups', fields);

  test('a group is made, suspended, activated by undo', async () => {
    const made = await create({
      name: 'Ørn & <Co>',
      subject: 'orn',
      display_name: 'Ørn & Co',
      services: '1234, 5678',
    });
    expect(made.location).toMatch(/^\/console\/groups\/\d+\?done=group-created$/);
    const path = made.location?.replace(/\?.*/, '') ?? '';
    await directory().createUser({ login: 'orn.1', name: 'Ørn One', group: 'Ørn & <Co>' });
    const html = await page(path);
    expect(html).toContain('<h1>Ørn &amp; &lt;Co&gt;</h1>');
    expect(html).toContain('1234, 5678');
    expect(listed(html)).toEqual(['orn.1']);

    await act(backend, path, `${path}/suspend`, { reason: 'not paid' });
    expect((await directory().user('orn.1')).groupStatus).toBe('suspended');
    expect(await eventsOf('group:Ørn & <Co>')).toMatchObject([
      { action: 'group.suspend', actor: 'console', detail: { reason: 'not paid' } },
    ]);
    const undone = await act(backend, `${path}?done=group-suspended`, `${path}/activate`);
    expect(undone.location).toBe(`${path}?done=group-activated`);
    expect((await directory().user('orn.1')).groupStatus).toBe('active');
  });

  test.each([
    ['name', { name: 'Dev 01' }, 'There is a group &quot;Dev 01&quot; already.'],
    ['name', { name: '' }, 'A group name has 1 to 255 characters, and no control characters.'],
    ['subject', { subject: 'dev01' }, 'There is a group with the subject dev01 already.'],
    ['subject', { subject: 'två ord' }, 'A subject has 1 to 100 ASCII characters, and no spaces.'],
    [
      'display_name',
      { display_name: '' },
      'A display name has 1 to 255 characters, and no control characters.',
    ],
    ['services', { services: '12x' }, 'A service API key is a whole number of up to 19 digits.'],
  ])('with a bad %s: is told at that field, and nothing is lost', async (field, wrong, problem) => {
    const fields = { name: 'New', subject: 'new', display_name: 'New one', services: '', ...wrong };
    const { status, text } = await create(fields);
    expect([status, problemAt(text, field)]).toEqual([422, problem]);
    expect(formOf(text, '/console/groups')).toMatchObject(fields);
  });

  test('there is no such group', async () => {
    for (const path of ['/console/groups/999', '/console/groups/x']) {
      expect((await visitor(backend).get(path)).status).toBe(404);
    }
  });
});

describe('the audit trail', () => {
  test('whole, and of one target; older events on the next page', async () => {
    const all = await page('/console/audit');
    expect(all.match(/<tr role="row"><td class="when/g)).toHaveLength(50);
    const older = /rel="next" href="([^"]*)"/.exec(all)?.[1] ?? '';
    expect(older).toMatch(/^\/console\/audit\?before=\d+$/);
    const next = await page(older);
    expect(next).toContain('>Newest</a>');
    expect(next.slice(next.indexOf('<tbody'))).not.toBe(all.slice(all.indexOf('<tbody')));

    const own = await page('/console/audit?target=user%3Agrace');
    expect(own.match(/<tr role="row"><td class="when/g)).toHaveLength(1);
    expect(own).toContain('user.create');
  });

  test('of a target that is no text', async () => {
    const html = await page(`/console/audit?target=${encodeURIComponent(hostileName)}%00%ED%A0%80`);
    expect(html).toContain('Nothing yet.');
    expect(html).not.toContain('<script>alert');
  });
});

describe('a form that is not ours', () => {
  const actions: [string, Record<string, string>][] = [
    ['/console/users/new', { login: 'forged', name: 'Forged', kind: 'none' }],
    ['/console/users/1/suspend', {}],
    ['/console/users/4/activate', {}],
    ['/console/users/1/move', { group: '' }],
    ['/console/users/1/password', { kind: 'typed', password: 'forged' }],
    ['/console/users/1/expire', {}],
    ['/console/users/1/revoke', {}],
    ['/console/groups', { name: 'Forged', subject: 'forged', display_name: 'Forged' }],
    ['/console/groups/1/suspend', {}],
    ['/console/groups/1/activate', {}],
  ];
  test.each(actions)('POST %s: nothing is done', async (action, fields) => {
    const events = () => backend.services.database.prisma.auditEvent.count();
    const before = await events();
    const one = visitor(backend);
    await one.get('/console/users/new');
    expect((await one.post(action, fields)).status).toBe(403);
    expect((await one.post(action, { ...fields, csrf: 'f'.repeat(64) })).status).toBe(403);
    expect(await events()).toBe(before);
  });

  test('GET does nothing where only POST does', async () => {
    for (const name of ['suspend', 'activate', 'move', 'password', 'expire', 'revoke']) {
      const { status, headers } = await visitor(backend).get(`/console/users/1/${name}`);
      expect([status, headers.get('allow')]).toEqual([405, 'POST']);
    }
  });
});
