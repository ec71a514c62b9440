/** What a user may do: his own roles, and those of his group. */
import { trail } from '../app/store/audit.ts';
import { createDirectory, type Directory } from '../app/store/directory.ts';
import { rolesOf } from '../app/store/roles.ts';
import { type Backend, startBackend } from './support/backend.ts';

let backend: Backend;
let directory: Directory;

beforeAll(async () => {
  backend = await startBackend();
  directory = createDirectory(backend.services.database, backend.services.passwords, 'test');
  const named = (name: string) => ({ name, subject: name, displayName: name });
  await directory.createGroup(named('editors'));
  await directory.createGroup(named('readers'));
});

afterAll(() => backend.stop());

let count = 0;
async function someone(group?: string) {
  count += 1;
  const creation = { login: `user${count}`, name: 'Some One' };
  return directory.createUser(group === undefined ? creation : { ...creation, group });
}

const roles = (uid: number) => rolesOf(backend.services.database, uid);

test('of one who has none, and of nobody: none', async () => {
  const { uid } = await someone();
  expect(await roles(uid)).toEqual([]);
  expect(await roles(2_000_000_000)).toEqual([]);
});

test('his own and those of his group, each once, in the order of their characters', async () => {
  const { uid, login } = await someone('editors');
  for (const role of ['write', 'Zoo', 'admin']) await directory.addUserRole(login, role);
  for (const role of ['write', 'read']) await directory.addGroupRole('editors', role);
  expect(await roles(uid)).toEqual(['Zoo', 'admin', 'read', 'write']);
  // Apart, where they are managed.
  expect((await directory.user(login)).roles).toEqual(['Zoo', 'admin', 'write']);
  const groups = await directory.groups();
  expect(groups.find(({ name }) => name === 'editors')?.roles).toEqual(['read', 'write']);

  expect((await directory.removeUserRole(login, 'write')).roles).toEqual(['Zoo', 'admin']);
  expect(await roles(uid)).toEqual(['Zoo', 'admin', 'read', 'write']);
  await directory.removeGroupRole('editors', 'write');
  expect(await roles(uid)).toEqual(['Zoo', 'admin', 'read']);
  await directory.moveUser(login, null);
  expect(await roles(uid)).toEqual(['Zoo', 'admin']);
});

test('not those of others, nor of other groups', async () => {
  const [one, other] = [await someone('readers'), await someone()];
  await directory.addUserRole(other.login, 'own');
  await directory.addGroupRole('editors', 'edit');
  expect(await roles(one.uid)).toEqual([]);
  expect(await roles(other.uid)).toEqual(['own']);
});

test('given twice, it is there once; given at the same moment, too', async () => {
  const { uid, login } = await someone('readers');
  await directory.addUserRole(login, 'read');
  await directory.addUserRole(login, 'read');
  await Promise.all(['a', 'a', 'a'].map((role) => directory.addUserRole(login, role)));
  await Promise.all(['b', 'b', 'b'].map((role) => directory.addGroupRole('readers', role)));
  expect(await roles(uid)).toEqual(['a', 'b', 'read']);
});

test('a role that is not there cannot be taken away: perhaps it was misspelt', async () => {
  const { login } = await someone();
  await expect(directory.removeUserRole(login, 'wriet')).rejects.toMatchObject({
    code: 'not_found',
    message: `${login} does not have the role wriet.`,
  });
  await expect(directory.removeGroupRole('readers', 'wriet')).rejects.toMatchObject({
    code: 'not_found',
    message: 'readers does not have the role wriet.',
  });
});

test('of a user or a group that is not there', async () => {
  const noUser = { code: 'not_found', message: 'There is no user "nobody".' };
  const noGroup = { code: 'not_found', message: 'There is no group "none".' };
  await expect(directory.addUserRole('nobody', 'read')).rejects.toMatchObject(noUser);
  await expect(directory.removeUserRole('nobody', 'read')).rejects.toMatchObject(noUser);
  await expect(directory.addGroupRole('none', 'read')).rejects.toMatchObject(noGroup);
  await expect(directory.removeGroupRole('none', 'read')).rejects.toMatchObject(noGroup);
});

test.each([
  ['nothing', ''],
  ['a space in it', 'data sets'],
  ['a comma', 'read,write'],
  ['NUL', 'read\0'],
  ['a line end', 'read\n'],
  ['no letter or digit first', '-read'],
  ['101 characters', 'x'.repeat(101)],
  ['a letter that is not ASCII', 'blåbær'],
])('no role: %s', async (_what, role) => {
  const { login } = await someone();
  const invalid = {
    code: 'invalid',
    message:
      'A role has 1 to 100 ASCII letters, digits and . : / _ -, and begins with a letter or digit.',
  };
  await expect(directory.addUserRole(login, role)).rejects.toMatchObject(invalid);
  await expect(directory.addGroupRole('readers', role)).rejects.toMatchObject(invalid);
});

test('a role of the greatest length, with every kind of character', async () => {
  const { uid, login } = await someone();
  const role = `Az09:_./-${'x'.repeat(91)}`;
  await directory.addUserRole(login, role);
  expect(await roles(uid)).toEqual([role]);
});

test('who gave and took it is in the trail', async () => {
  const { login } = await someone();
  await directory.addUserRole(login, 'read');
  await directory.removeUserRole(login, 'read');
  await directory.addGroupRole('readers', 'audit');
  await directory.removeGroupRole('readers', 'audit');
  const of = async (target: string) =>
    (await trail(backend.services.database, { target, limit: 2 })).map(
      ({ actor, action, detail }) => [actor, action, detail],
    );
  expect(await of(`user:${login}`)).toEqual([
    ['test', 'user.remove-role', { role: 'read' }],
    ['test', 'user.add-role', { role: 'read' }],
  ]);
  expect(await of('group:readers')).toEqual([
    ['test', 'group.remove-role', { role: 'audit' }],
    ['test', 'group.add-role', { role: 'audit' }],
  ]);
});
