/** The admin command's checks, as a process of its own, beside a backend that is running. */
import { people, understudies } from '../app/scenarios/cast.ts';
import { createDirectory } from '../app/store/directory.ts';
import { apiKey, apiSecret, type Backend, startBackend } from './support/backend.ts';
import { startProcess } from './support/processes.ts';

import.meta.jest.setTimeout(60_000);

let backend: Backend;

const everyone = people.length + understudies.length;

beforeAll(async () => {
  backend = await startBackend();
});

afterAll(() => backend.stop());

async function check(...args: readonly string[]) {
  const { ended } = startProcess(['scripts/admin.ts', 'check', ...args], {
    NODE_ENV: 'test',
    DATABASE_URL: backend.config.DATABASE_URL,
    AUTHLETE_API_KEY: apiKey,
    AUTHLETE_API_SECRET: apiSecret,
    SESSION_SECRET: backend.config.SESSION_SECRET,
  });
  const { code, stdout, stderr } = await ended;
  return { code, stdout, stderr };
}

test('AURORA can take everybody', async () => {
  expect(await check('aurora')).toEqual({
    code: 0,
    stdout: `AURORA can take all ${everyone} accounts.\n`,
    stderr: '',
  });
  expect(await check('aurora', '--json')).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
});

test('accounts that AURORA would mangle or refuse, and why', async () => {
  const { database, passwords } = backend.services;
  const directory = createDirectory(database, passwords, 'test');
  await directory.createUser({ uid: 801, login: 'no-mail', name: 'No Mail' });
  await directory.createUser({ uid: 802, login: 'ase', name: 'Åse', email: 'åse@example.com' });
  await directory.createUser({ uid: 803, login: 'other', name: 'O', email: 'Test1@example.com' });
  await directory.createUser({ uid: 804, login: 'a@b.no', name: 'A', email: 'a@example.com' });
  await database.prisma.identity.create({
    data: { provider: 'hq', subject: '1001', userUid: 804 },
  });
  await directory.createUser({ uid: 805, login: 'c@b.no', name: 'C', email: 'c@example.com' });

  expect(await check('aurora')).toEqual({
    code: 5,
    stdout: [
      'UID  LOGIN    EMAIL              PROBLEM',
      '801  no-mail                     no e-mail address: AURORA refuses the account',
      '802  ase      åse@example.com    not ASCII: AURORA would take those characters out',
      '803  other    Test1@example.com  the e-mail address of test1, too: a conflict for AURORA',
      '804  a@b.no   a@example.com      signs in at another server, and his login is a user name of another domain: is he that person?',
      '',
    ].join('\n'),
    stderr: `AURORA would mangle or refuse 4 of ${everyone + 5} accounts:\n`,
  });

  const { code, stdout, stderr } = await check('aurora', '--json');
  expect({ code, stderr }).toEqual({ code: 5, stderr: '' });
  expect(JSON.parse(stdout)).toEqual([
    { uid: 801, login: 'no-mail', problem: 'no e-mail address: AURORA refuses the account' },
    {
      uid: 802,
      login: 'ase',
      email: 'åse@example.com',
      problem: 'not ASCII: AURORA would take those characters out',
    },
    {
      uid: 803,
      login: 'other',
      email: 'Test1@example.com',
      problem: 'the e-mail address of test1, too: a conflict for AURORA',
    },
    {
      uid: 804,
      login: 'a@b.no',
      email: 'a@example.com',
      problem:
        'signs in at another server, and his login is a user name of another domain: is he that person?',
    },
  ]);
});

test('another platform: there is no such check', async () => {
  const { code, stdout, stderr } = await check('authlete');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toBe("error: unknown command 'authlete'\n");
});
