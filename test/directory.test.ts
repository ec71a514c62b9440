/** Users and groups in the database: what may be created, what conflicts, which uid comes next, and what the trail says. */
import { type AuditEvent, trail } from '../app/store/audit.ts';
import { ensureClient, findClient } from '../app/store/clients.ts';
import { type Database, openDatabase } from '../app/store/database.ts';
import { createDirectory, type Directory, type NewUser } from '../app/store/directory.ts';
import { migrate } from '../app/store/migrations.ts';
import { createPasswords, type Passwords } from '../app/store/passwords.ts';
import { secret } from './support/canaries.ts';
import { createDatabase, type TestDatabase } from './support/databases.ts';

let place: TestDatabase;
let database: Database;
let passwords: Passwords;
let directory: Directory;

beforeEach(async () => {
  place = await createDatabase();
  await migrate(place.url);
  database = await openDatabase(place.url, { poolSize: 5 });
  passwords = createPasswords({ cost: 4, concurrency: 2, queue: 100 });
  directory = createDirectory(database, passwords, 'admin:tester');
});

afterEach(async () => {
  await database.close();
  await place.drop();
});

const add = (user: Partial<NewUser> & { login: string }) =>
  directory.createUser({ name: 'Some Body', ...user });

const dev01 = { name: 'Dev 01', subject: 'dev01', displayName: 'Developer Group 01' };

const uids = async () => (await directory.users()).map(({ uid }) => uid);

/** Without the moment, oldest first. */
const events = async (): Promise<Omit<AuditEvent, 'at'>[]> =>
  (await trail(database, { limit: 100 })).map(({ at: _at, ...event }) => event).reverse();

describe('logins', () => {
  test.each([
    ['another case', 'simon371', 'Simon371'],
    ['another case, not ASCII', 'åse', 'ÅSE'],
    ['the same letters from other code points', 'jose\u0301', 'jos\u00e9'],
    ['full-width letters', 'simon', 'ｓｉｍｏｎ'],
    ['a capital sharp s', 'straße', 'STRAẞE'],
  ])('%s: the same login', async (_situation, first, second) => {
    await add({ login: first });
    await expect(add({ login: second })).rejects.toMatchObject({
      code: 'conflict',
      message: `There is a user ${JSON.stringify(second)} already. Logins do not differ by case.`,
    });
    expect((await directory.user(second)).login).toBe(first);
    expect(await directory.users()).toHaveLength(1);
  });

  // Lower-cased, not folded, as RFC 8265 §3.3 has it.
  test('"Straße" and "STRASSE" are two', async () => {
    await add({ login: 'Straße' });
    await add({ login: 'STRASSE' });
    expect((await directory.user('straße')).login).toBe('Straße');
    expect((await directory.user('strasse')).login).toBe('STRASSE');
  });

  test.each([
    ['empty', ''],
    ['a space', 'simon 371'],
    ['a line end', 'simon371\n'],
    ['NUL', 'simon\x1f1'],
    ['half of a surrogate pair', 'simon\ud800'],
    ['a character that is not seen', 'simon\u200b371'],
    ['256 characters', 's'.repeat(256)],
  ])('%s: no login', async (_situation, login) => {
    await expect(add({ login })).rejects.toMatchObject({ code: 'invalid' });
    await expect(directory.user(login)).rejects.toMatchObject({ code: 'not_found' });
    await expect(directory.setUserStatus(login, 'suspended')).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test.each(['-x', "';DROP/**/TABLE/**/users;--", '%', '_', '"', '\\', '$(id)', '🦊'.repeat(127)])(
    'odd, but a login: %s',
    async (login) => {
      await add({ login });
      expect((await directory.user(login)).login).toBe(login);
      await expect(directory.user('other')).rejects.toMatchObject({ code: 'not_found' });
    },
  );
});

describe('uids', () => {
  test('one that is taken is told from a login that is taken', async () => {
    await add({ login: 'simon371', uid: 2345 });
    await expect(add({ login: 'other', uid: 2345 })).rejects.toMatchObject({
      code: 'conflict',
      message: 'There is a user with the uid 2345 already.',
    });
    await expect(add({ login: 'SIMON371', uid: 2346 })).rejects.toMatchObject({
      code: 'conflict',
      message: 'There is a user "SIMON371" already. Logins do not differ by case.',
    });
  });

  test('the next one comes after the greatest that was given', async () => {
    await add({ login: 'a', uid: 100 });
    await add({ login: 'b', uid: 50 });
    expect((await add({ login: 'c' })).uid).toBe(101);
  });

  test('one that was deleted is not given again', async () => {
    const first = await add({ login: 'a' });
    await database.prisma.user.delete({ where: { uid: first.uid } });
    expect(first.uid).toBe(1);
    expect((await add({ login: 'a' })).uid).toBe(2);
  });

  test('one that was chosen and deleted is not given again, nor by choosing a smaller one', async () => {
    await add({ login: 'a', uid: 100 });
    await database.prisma.user.delete({ where: { uid: 100 } });
    await add({ login: 'b', uid: 50 });
    expect((await add({ login: 'c' })).uid).toBe(101);
  });

  test('chosen and next ones at the same moment: the next one is never one that is taken', async () => {
    const chosen: Promise<unknown>[] = [];
    const next: Promise<{ uid: number }>[] = [];
    for (const number of [1, 2, 3, 4, 5, 6]) {
      chosen.push(add({ login: `chosen-${number}`, uid: number }));
      next.push(add({ login: `next-${number}` }));
    }
    // These may come too late.
    const outcomes = Promise.allSettled(chosen);
    expect(new Set((await Promise.all(next)).map(({ uid }) => uid)).size).toBe(6);
    for (const one of await outcomes) {
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'conflict' });
    }
    const greatest = Math.max(...(await uids()));
    expect((await add({ login: 'last' })).uid).toBeGreaterThan(greatest);
  });

  test('the greatest there is, and none after it', async () => {
    const none = { code: 'conflict', message: expect.stringContaining('2147483647') };
    await add({ login: 'greatest', uid: 2_147_483_647 });
    await expect(add({ login: 'next' })).rejects.toMatchObject(none);
    await add({ login: 'chosen', uid: 7 });
    expect(await uids()).toEqual([7, 2_147_483_647]);
  });

  test('a creation that failed uses up nothing', async () => {
    await add({ login: 'a' });
    await expect(add({ login: 'a', uid: 2_147_483_647 })).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(add({ login: 'b', uid: 900, group: 'Nobody' })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect((await add({ login: 'b' })).uid).toBeLessThan(10);
  });

  test.each([0, -1, 1.5, Number.NaN, 2_147_483_648])('%p: not a uid', async (uid) => {
    await expect(add({ login: 'a', uid })).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('groups', () => {
  beforeEach(() => directory.createGroup(dev01));

  test('a name that is taken is told from a subject that is taken', async () => {
    await expect(directory.createGroup({ ...dev01, subject: 'other' })).rejects.toMatchObject({
      code: 'conflict',
      message: 'There is a group "Dev 01" already.',
    });
    await expect(directory.createGroup({ ...dev01, name: 'Other' })).rejects.toMatchObject({
      code: 'conflict',
      message: 'There is a group with the subject dev01 already.',
    });
  });

  test('one with users cannot be deleted', async () => {
    await add({ login: 'test1', group: 'Dev 01' });
    await expect(database.prisma.group.delete({ where: { name: 'Dev 01' } })).rejects.toMatchObject(
      { code: 'P2003' },
    );
    expect((await directory.user('test1')).group).toBe('Dev 01');
  });

  test('into a group, into another, out of any', async () => {
    await directory.createGroup({ name: 'Dev 02', subject: 'dev02', displayName: 'Two' });
    await add({ login: 'test1' });
    expect((await directory.moveUser('TEST1', 'Dev 01')).group).toBe('Dev 01');
    expect((await directory.moveUser('test1', 'Dev 02')).group).toBe('Dev 02');
    expect((await directory.moveUser('test1', null)).group).toBeNull();
    await expect(directory.moveUser('test1', 'Dev 03')).rejects.toMatchObject({
      code: 'not_found',
      message: 'There is no group "Dev 03".',
    });
    await expect(directory.moveUser('test9', 'Dev 01')).rejects.toMatchObject({
      code: 'not_found',
      message: 'There is no user "test9".',
    });
  });

  test('suspended: told of its users, who stay active themselves', async () => {
    await add({ login: 'test1', group: 'Dev 01' });
    const group = await directory.setGroupStatus('Dev 01', 'suspended');
    expect(group).toMatchObject({ name: 'Dev 01', status: 'suspended', users: 1 });
    expect(await directory.user('test1')).toMatchObject({
      status: 'active',
      group: 'Dev 01',
      groupStatus: 'suspended',
    });
  });

  test.each(['Dev 02', 'dev 01', '', 'Dev\0 01', 'Dev \ud800'])(
    'there is none of the name %j',
    async (name) => {
      const notFound = { code: 'not_found' };
      await expect(directory.setGroupStatus(name, 'suspended')).rejects.toMatchObject(notFound);
      await expect(directory.users({ group: name })).rejects.toMatchObject(notFound);
      await expect(add({ login: 'test1', group: name })).rejects.toMatchObject(notFound);
      expect(await uids()).toEqual([]);
    },
  );

  test.each([
    ['a name of spaces', { name: '   ' }],
    ['NUL in a name', { name: 'Dev\0' }],
    ['no subject', { subject: '' }],
    ['a subject with a space', { subject: 'dev 01' }],
    ['a subject that is not ASCII', { subject: 'dévo' }],
    ['a subject of 101 characters', { subject: 'd'.repeat(101) }],
    ['a display name with half of a surrogate pair', { displayName: 'Dev \udc00' }],
    ['a service key that is no number', { services: ['1', '1.5'] }],
  ])('%s: refused', async (_situation, wrong) => {
    const group = { name: 'Dev 02', subject: 'dev02', displayName: 'Two', ...wrong };
    await expect(directory.createGroup(group)).rejects.toMatchObject({ code: 'invalid' });
    expect(await directory.groups()).toHaveLength(1);
  });
});

describe('the list of users', () => {
  beforeEach(async () => {
    await directory.createGroup(dev01);
    await add({ login: 'zoe', uid: 5, group: 'Dev 01' });
    await add({ login: 'adam', uid: 9 });
    await add({ login: 'eve', uid: 7, group: 'Dev 01', status: 'suspended' });
    // Nothing but "active" lets anybody in.
    await database.prisma.user.create({
      data: { uid: 3, login: 'odd', loginKey: 'odd', name: 'Odd', profile: {}, status: 'frozen' },
    });
  });

  test.each([
    ['everybody', {}, ['odd', 'zoe', 'eve', 'adam']],
    ['of a group', { group: 'Dev 01' }, ['zoe', 'eve']],
    ['active', { status: 'active' }, ['zoe', 'adam']],
    ['not active', { status: 'suspended' }, ['odd', 'eve']],
    ['active, of a group', { group: 'Dev 01', status: 'active' }, ['zoe']],
  ] as const)('%s, by uid', async (_situation, filter, logins) => {
    expect((await directory.users(filter)).map(({ login }) => login)).toEqual(logins);
  });
});

describe('what a user is made of', () => {
  test('all of it comes back as it was given', async () => {
    await directory.createGroup(dev01);
    const given = {
      uid: 77,
      login: 'Åse.Bjørnå',
      name: 'Åse "🫐" O\'Bjørnå',
      email: 'åse@example.com',
      group: 'Dev 01',
      status: 'suspended',
      profile: {
        country: 'NO',
        traffic: 9_007_199_254_740_991,
        vip: true,
        note: '',
        'a:b/c.d-e': 'ø',
      },
    } as const;
    await directory.createUser(given);
    const { createdAt, ...found } = await directory.user('åse.bjørnå');
    expect(found).toEqual({ ...given, groupStatus: 'active', username: null, roles: [] });
    expect(Math.abs(createdAt.getTime() - Date.now())).toBeLessThan(60_000);
  });

  test.each([
    ['a name of spaces', { name: ' \t ' }],
    ['NUL in the name', { name: 'No\0body' }],
    ['an escape sequence in the name', { name: '\u001b[2J' }],
    ['half of a surrogate pair in the name', { name: 'No \udfff' }],
    ['a name of 256 characters', { name: 'n'.repeat(256) }],
    ['an email without @', { email: 'nobody' }],
    ['an email with NUL', { email: 'no\0body@example.com' }],
    ['a profile with NUL', { profile: { country: 'N\0' } }],
    ['a profile with half of a surrogate pair', { profile: { country: '\ud800' } }],
    ['a profile with a number that JSON rounds', { profile: { traffic: 2 ** 53 } }],
    ['a profile with no number', { profile: { traffic: Number.POSITIVE_INFINITY } }],
    ['a profile with a name of spaces', { profile: { ' ': 'x' } }],
    ['a profile that names a prototype', { profile: JSON.parse('{"__proto__":"x"}') }],
    ['an empty password', { password: '' }],
    ['a password that bcrypt would cut', { password: 'p'.repeat(73) }],
    ['a password with NUL', { password: 'p\0q' }],
  ])('%s: refused', async (_situation, wrong) => {
    await expect(add({ login: 'nobody', ...wrong })).rejects.toMatchObject({ code: 'invalid' });
    expect(await uids()).toEqual([]);
    expect(await events()).toEqual([]);
  });
});

describe('the trail', () => {
  test('one event for each change, with who, what, whose and why', async () => {
    const [first, second] = [secret('first-password'), secret('second-password')];
    await directory.createGroup(dev01);
    await add({ login: 'Test1', password: first, group: 'Dev 01' });
    await directory.setUserStatus('test1', 'suspended', 'left the company');
    await directory.setUserStatus('test1', 'suspended');
    await directory.setUserStatus('test1', 'active');
    await directory.setPassword('TEST1', second);
    await directory.moveUser('test1', null);
    await directory.moveUser('test1', 'Dev 01');
    await directory.setGroupStatus('Dev 01', 'suspended', 'unpaid');
    await directory.setGroupStatus('Dev 01', 'active');

    const target = 'user:Test1';
    const actor = 'admin:tester';
    expect(await events()).toEqual([
      { actor, action: 'group.create', target: 'group:Dev 01', detail: { subject: 'dev01' } },
      { actor, action: 'user.create', target, detail: { uid: 1, group: 'Dev 01' } },
      { actor, action: 'user.suspend', target, detail: { reason: 'left the company' } },
      { actor, action: 'user.suspend', target, detail: {} },
      { actor, action: 'user.activate', target, detail: {} },
      { actor, action: 'user.set-password', target, detail: {} },
      { actor, action: 'user.move', target, detail: { group: null } },
      { actor, action: 'user.move', target, detail: { group: 'Dev 01' } },
      { actor, action: 'group.suspend', target: 'group:Dev 01', detail: { reason: 'unpaid' } },
      { actor, action: 'group.activate', target: 'group:Dev 01', detail: {} },
    ]);
  });

  test('nothing of a change that was refused', async () => {
    await add({ login: 'test1' });
    const reason = 'two\nlines';
    await expect(add({ login: 'TEST1' })).rejects.toMatchObject({ code: 'conflict' });
    await expect(directory.setUserStatus('test1', 'suspended', reason)).rejects.toMatchObject({
      code: 'invalid',
    });
    await expect(directory.moveUser('test1', 'Dev 01')).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await events()).toHaveLength(1);
    expect(await directory.user('test1')).toMatchObject({ status: 'active', group: null });
  });

  test('of one target, newest first, so many', async () => {
    await add({ login: 'test1' });
    await add({ login: 'test2' });
    await directory.setUserStatus('test1', 'suspended');
    await directory.setUserStatus('test1', 'active');
    const found = await trail(database, { target: 'user:test1', limit: 2 });
    expect(found.map(({ action }) => action)).toEqual(['user.activate', 'user.suspend']);
  });
});

describe('a client that must be there', () => {
  const client = { id: 'demo-app', name: 'Demo App', scope: ['verify', 'email'] };

  test('is added once, by processes that start at the same moment', async () => {
    await Promise.all([1, 2, 3].map(() => ensureClient(database, client)));
    expect(await findClient(database, 'demo-app')).toMatchObject(client);
    expect(await events()).toEqual([
      {
        actor: 'system',
        action: 'client.create',
        target: 'client:demo-app',
        detail: { confidential: false },
      },
    ]);
  });

  test('is left as it is when it is there', async () => {
    await ensureClient(database, client);
    await ensureClient(database, { ...client, name: 'Other', scope: [] });
    expect(await findClient(database, 'demo-app')).toMatchObject(client);
  });
});
