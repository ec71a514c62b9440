/** Names that users choose: once, and nobody has one that is another user's name or login. */
import { trail } from '../app/store/audit.ts';
import { openDatabase } from '../app/store/database.ts';
import { createDirectory, type Directory } from '../app/store/directory.ts';
import { createIdentities } from '../app/store/identities.ts';
import { createUsernames, type Usernames } from '../app/store/usernames.ts';
import { type Backend, startBackend } from './support/backend.ts';

let backend: Backend;
let directory: Directory;
let usernames: Usernames;
/** Another process: a connection of its own. */
let others: Usernames;
let stopOthers: () => Promise<void>;

beforeAll(async () => {
  backend = await startBackend();
  const { database, passwords } = backend.services;
  directory = createDirectory(database, passwords, 'test');
  usernames = createUsernames(database, ['ops']);

  const opened = await openDatabase(backend.config.DATABASE_URL, { poolSize: 4 });
  others = createUsernames(opened, ['ops']);
  stopOthers = opened.close;
});

afterAll(async () => {
  await stopOthers();
  await backend.stop();
});

let count = 0;

/** A new user, called so and a number. */
async function someone(login = 'someone'): Promise<{ uid: number; login: string }> {
  count += 1;
  return directory.createUser({ login: `${login}${count}`, name: 'Some One' });
}

const create = (login: string) => directory.createUser({ login, name: 'New' });

test('who has not chosen has no username, and is found by his login', async () => {
  const { uid, login } = await someone('Late');
  expect(await usernames.chosen(uid)).toBeUndefined();
  expect(await usernames.find(login.toUpperCase())).toBe(uid);
  expect(await usernames.find('nobody-at-all')).toBeUndefined();
});

test('chosen: as it was typed; found in any case, and no longer by the login', async () => {
  const { uid, login } = await someone();
  expect(await usernames.choose(uid, 'Blåbær')).toBe('chosen');
  expect(await usernames.chosen(uid)).toBe('Blåbær');
  expect(await usernames.find('BLÅBÆR')).toBe(uid);
  expect(await usernames.find(login)).toBeUndefined();
  const [event] = await trail(backend.services.database, { target: `user:${login}`, limit: 1 });
  expect(event).toMatchObject({
    actor: `user:${login}`,
    action: 'user.choose-username',
    detail: { username: 'Blåbær' },
  });
});

test('only once, also the same name', async () => {
  const { uid } = await someone();
  expect(await usernames.choose(uid, 'once')).toBe('chosen');
  expect(await usernames.choose(uid, 'twice')).toBe('already-set');
  expect(await usernames.choose(uid, 'once')).toBe('already-set');
  expect(await usernames.chosen(uid)).toBe('once');
  expect(await usernames.find('twice')).toBeUndefined();
});

test('who has chosen is told so before he is told that the other name is taken', async () => {
  const { uid } = await someone();
  await usernames.choose(uid, 'content');
  expect(await usernames.choose(uid, 'test1')).toBe('already-set');
});

test.each([
  ['a name that another has chosen, in another case', 'sOUGHT-after'],
  ['a name that is the same by Unicode (NFKC)', 'ｓought-after'],
  ['the login of another, in another case', 'SIMON371'],
  ['what no login can be: nothing', ''],
  ['what no login can be: NUL', 'a\0b'],
  ['what no login can be: 256 characters', 'x'.repeat(256)],
])('taken: %s', async (_what, name) => {
  const first = await someone();
  await usernames.choose(first.uid, 'Sought-After');
  const { uid } = await someone();
  expect(await usernames.choose(uid, name)).toBe('taken');
  expect(await usernames.chosen(uid)).toBeUndefined();
  expect(await usernames.choose(uid, `free-${uid}`)).toBe('chosen');
});

test('a name that gives a right is for whoever has it as his login', async () => {
  const { uid } = await someone();
  expect(await usernames.choose(uid, 'Ｏps')).toBe('taken');
  const ops = await create('Ops');
  expect(await usernames.choose(ops.uid, 'OPS')).toBe('chosen');
});

test('his own login is his to choose', async () => {
  const { uid, login } = await someone();
  expect(await usernames.choose(uid, login)).toBe('chosen');
  expect(await usernames.find(login)).toBe(uid);
});

test('the login of one who has chosen another name stays his', async () => {
  const { uid, login } = await someone();
  await usernames.choose(uid, 'moved-on');
  const other = await someone();
  expect(await usernames.choose(other.uid, login)).toBe('taken');
});

test('no user is created with a login that somebody has chosen', async () => {
  const { uid } = await someone();
  await usernames.choose(uid, 'Reserved');
  await expect(create('reserveD')).rejects.toMatchObject({
    code: 'conflict',
    message: '"reserveD" is a name that another user has chosen.',
  });
});

test('who comes from elsewhere with such a login gets a number', async () => {
  const { uid } = await someone();
  await usernames.choose(uid, 'octocat');
  const { database } = backend.services;
  const findOrCreate = createIdentities(database, {
    linkByEmail: false,
    createUsers: true,
    reserved: [],
  });
  const person = {
    subject: '583231',
    login: 'octocat',
    name: 'Octo',
    email: undefined,
    picture: undefined,
  };
  const first = await findOrCreate('github', person);
  expect(first).toEqual({ uid: expect.any(Number), created: true });
  expect(first?.uid).not.toBe(uid);
  expect(await findOrCreate('github', person)).toEqual({ uid: first?.uid, created: false });
  const users = await directory.users();
  expect(users.find((one) => one.uid === first?.uid)?.login).toBe('octocat2');
});

describe('at the same moment, from two processes', () => {
  const rounds = Array.from({ length: 10 }, (_, round) => round);

  test('one user chooses two names: one of them is his', async () => {
    for (const round of rounds) {
      const { uid } = await someone();
      const names = [`left-${round}`, `right-${round}`] as const;
      const told = await Promise.all([
        usernames.choose(uid, names[0]),
        others.choose(uid, names[1]),
      ]);
      expect(told.toSorted()).toEqual(['already-set', 'chosen']);
      const his = names[told.indexOf('chosen')];
      expect(await usernames.chosen(uid)).toBe(his);
    }
  });

  test('two users choose one name: one gets it', async () => {
    for (const round of rounds) {
      const [one, two] = [await someone(), await someone()];
      const told = await Promise.all([
        usernames.choose(one.uid, `Wanted-${round}`),
        others.choose(two.uid, `wanted-${round}`),
      ]);
      expect(told.toSorted()).toEqual(['chosen', 'taken']);
      const winner = [one, two][told.indexOf('chosen')];
      expect(await usernames.find(`WANTED-${round}`)).toBe(winner?.uid);
    }
  });

  test('one chooses a name, another user is created with it as his login: one of the two', async () => {
    for (const round of rounds) {
      const { uid } = await someone();
      const name = `meeting-${round}`;
      const [told, created] = await Promise.all([
        others.choose(uid, name),
        create(name).then(
          () => 'created',
          ({ code }) => code,
        ),
      ]);
      expect([
        ['chosen', 'conflict'],
        ['taken', 'created'],
      ]).toContainEqual([told, created]);
    }
  });

  test('with a uid of our choosing, too, nobody waits for ever', async () => {
    for (const round of rounds) {
      const { uid } = await someone();
      const name = `knot-${round}`;
      const outcomes = await Promise.allSettled([
        others.choose(uid, name),
        directory.createUser({ uid: 500_000 + round, login: name, name: 'New' }),
        directory.createUser({ uid: 600_000 + round, login: `${name}-other`, name: 'New' }),
      ]);
      const won = outcomes.map(({ status }) => status);
      expect(won[0]).toBe('fulfilled');
      expect(won[2]).toBe('fulfilled');
    }
  });
});
