import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../app/project-root.ts';
import { type Database, openDatabase } from '../app/store/database.ts';
import { migrate } from '../app/store/migrations.ts';
import { migratePostgresql } from '../app/store/postgresql.ts';
import { migrateSqlite } from '../app/store/sqlite.ts';
import { createDatabase, provider, type TestDatabase } from './support/databases.ts';
import { keysFile } from './support/keys.ts';
import { endProcesses, startProcess, startServer } from './support/processes.ts';

import.meta.jest.setTimeout(60_000);

const folder = join(projectRoot, 'prisma/migrations', provider);
const ours = readdirSync(folder).filter((name) => /^\d{14}_/.test(name));

let database: TestDatabase;
const opened: Database[] = [];

async function open(): Promise<Database['prisma']> {
  const one = await openDatabase(database.url, { poolSize: 1 });
  opened.push(one);
  return one.prisma;
}

beforeEach(async () => {
  database = await createDatabase();
});

afterEach(async () => {
  await endProcesses();
  for (const one of opened.splice(0)) await one.close();
  await database.drop();
});

const secretsFile = () => ({
  SECRETS_FILE: join(process.env['TEST_CANARIES'] ?? '', 'unused.env'),
  KEYS_FILE: keysFile(),
});

const start = () =>
  startServer({
    DATABASE_URL: database.url,
    FIRST_PARTY_LOGIN: 'true',
    BCRYPT_COST: '10',
    ...secretsFile(),
  });

type Row = { migration_name: string; checksum: string; [column: string]: unknown };
const applied = async () =>
  (await open()).$queryRawUnsafe<Row[]>('SELECT * FROM _prisma_migrations ORDER BY migration_name');

test('four processes that start at once on an empty database: it is migrated and seeded once, all serve', async () => {
  const servers = [1, 2, 3, 4].map(start);
  const urls = await Promise.all(servers.map(({ url }) => url));
  for (const url of urls) {
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const login = await fetch(`${url}/user/login`, {
      method: 'POST',
      body: new URLSearchParams({ login: 'simon371', password: 'simon371' }),
    });
    expect(login.status).toBe(200);
    const { access_token } = (await login.json()) as { access_token: string };
    // Any of them knows what another one has issued.
    const verified = await fetch(`${urls[0]}/user/verify?token=${access_token}`);
    expect(await verified.json()).toMatchObject({ uid: 2345 });
  }
  expect((await applied()).map(({ migration_name }) => migration_name)).toEqual(ours);
  const users = await (await open()).user.findMany({ orderBy: { uid: 'asc' } });
  expect(users.map(({ login }) => login)).toEqual([
    'test1',
    'test2',
    'test3',
    'test4',
    'simon371',
    'vpn-user',
  ]);
});

test('only one of those who migrate at once does anything; whoever comes later does nothing', async () => {
  const done = await Promise.all([1, 2, 3, 4].map(() => migrate(database.url)));
  expect(done.flat()).toEqual(ours);
  expect(await migrate(database.url)).toEqual([]);
});

test('_prisma_migrations is as Prisma makes it', async () => {
  await migrate(database.url);
  const rows = await applied();
  expect(rows.map((row) => Object.keys(row))).toEqual(
    ours.map(() => [
      'id',
      'checksum',
      'finished_at',
      'migration_name',
      'logs',
      'rolled_back_at',
      'started_at',
      'applied_steps_count',
    ]),
  );
  for (const row of rows) {
    const sql = readFileSync(join(folder, row.migration_name, 'migration.sql'));
    expect(row).toMatchObject({
      checksum: createHash('sha256').update(sql).digest('hex'),
      logs: null,
      rolled_back_at: null,
    });
    expect(row['id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(Number(row['applied_steps_count'])).toBe(1);
    expect(new Date(row['finished_at'] as string).getTime()).toBeGreaterThan(
      Date.now() - 24 * 3_600_000,
    );
  }
});

describe('a database that another version has been at', () => {
  const [first = ''] = ours;

  test.each([
    [
      'a migration was changed after it had been applied',
      `UPDATE _prisma_migrations SET checksum = 'other' WHERE migration_name = '${first}'`,
      `The migration ${first} was changed after it had been applied to this database.`,
    ],
    [
      'it has a migration that we do not know',
      "UPDATE _prisma_migrations SET migration_name = '29990101000000_of_the_future'",
      'The database has the migration 29990101000000_of_the_future, which this version does not know: it is older than the database.',
    ],
    [
      'a migration was begun and did not finish',
      `UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '${first}'`,
      `The migration ${first} was begun and did not finish; see prisma migrate resolve.`,
    ],
  ])('%s: says so and ends', async (_situation, change, message) => {
    await migrate(database.url);
    await (await open()).$executeRawUnsafe(change);
    expect(await start().ended).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: `${message}\n`,
    });
  });

  test('a migration that was rolled back by hand is as if it had never been', async () => {
    await migrate(database.url);
    const prisma = await open();
    await prisma.$executeRawUnsafe(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, rolled_back_at)
       VALUES ('1', 'other', '${first}', current_timestamp)`,
    );
    expect(await migrate(database.url)).toEqual([]);
  });
});

test('a migration that fails leaves nothing behind, and the lock is free', async () => {
  const exclusively = provider === 'sqlite' ? migrateSqlite : migratePostgresql;
  const failing = exclusively(database.url, async ({ script }) => {
    await script('CREATE TABLE half (id INTEGER); INSERT INTO half VALUES (1)');
    await script('CREATE TABLE; this is not SQL');
  });
  await expect(failing).rejects.toThrow(/syntax error/);
  expect(await migrate(database.url)).toEqual(ours);
  await expect((await open()).$queryRawUnsafe('SELECT * FROM half')).rejects.toThrow(/half/);
});

test('the migrations make what the schema says', async () => {
  const script = `
    import { schemaDiff } from './scripts/schema-diff.ts';
    process.stdout.write(await schemaDiff('${provider}', '${process.env['TEST_POSTGRES_URL']}'));
    process.exit();`;
  const { ended } = startProcess(['--input-type=module', '--eval', script]);
  expect(await ended).toMatchObject({ code: 0, stdout: '' });
});
