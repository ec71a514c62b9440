/** What the two databases do when others use them too, when they are locked, and when they are away. */
import { readdirSync } from 'node:fs';
import Libsql from 'libsql';
import { platforms } from '../app/platforms/index.ts';
import { tokens as cast } from '../app/scenarios/cast.ts';
import { bind, get, post, type Send } from '../app/scenarios/scenario.ts';
import { type Database, openDatabase } from '../app/store/database.ts';
import { migrate } from '../app/store/migrations.ts';
import { isOutage } from '../app/store/outage.ts';
import { openSqlite } from '../app/store/sqlite.ts';
import type { Refusal } from '../app/verification/verdict.ts';
import { type Backend, startBackend } from './support/backend.ts';
import {
  createDatabase,
  onServer,
  postgresIsThere,
  provider,
  type TestDatabase,
} from './support/databases.ts';
import { endProcesses, startProcess } from './support/processes.ts';
import { send } from './support/send.ts';
import { startTcpProxy, type TcpProxy } from './support/tcp-proxy.ts';
import { bindings } from './support/tokens.ts';

/** No test waits longer than this for a database that does not answer, in ms. */
const bound = 15_000;

import.meta.jest.setTimeout(2 * bound);

const opened: Database[] = [];
const created: TestDatabase[] = [];

async function migrated(of = provider): Promise<TestDatabase> {
  const database = await createDatabase(of);
  created.push(database);
  await migrate(database.url);
  return database;
}

async function open(url: string, patience?: number): Promise<Database> {
  const database =
    patience === undefined
      ? await openDatabase(url, { poolSize: 2 })
      : await openSqlite(url, {}, patience);
  opened.push(database);
  return database;
}

afterEach(async () => {
  await endProcesses();
  for (const database of opened.splice(0)) await database.close();
  for (const database of created.splice(0)) await database.drop();
});

const group = (name: string) => ({ name, subject: name, displayName: '0', services: [] });
const nameBySubject = 'SELECT name FROM groups WHERE subject = $1';

const onLinux = process.platform === 'linux' ? test : test.skip;

describe('one database, several connections', () => {
  test("another connection's commit is there for the next prepared read", async () => {
    const { url } = await migrated();
    const [writing, reading] = [await open(url), await open(url)];
    const read = reading.prepareRead<[name: string]>(nameBySubject);

    expect(await read('one')).toBeUndefined();
    await writing.prisma.group.create({ data: group('one') });
    expect(await read('one')).toEqual(['one']);
    await writing.prisma.group.update({ where: { name: 'one' }, data: { name: 'renamed' } });
    expect(await read('one')).toEqual(['renamed']);
    await writing.prisma.group.delete({ where: { name: 'renamed' } });
    expect(await read('one')).toBeUndefined();
  });

  test('a transaction that fails leaves nothing behind, and the next one is none the worse', async () => {
    const { url } = await migrated();
    const [{ prisma }, other] = [await open(url), await open(url)];
    const failing = prisma.$transaction(async (db) => {
      await db.group.create({ data: group('half') });
      throw new Error('half way');
    });
    await expect(failing).rejects.toThrow('half way');
    await prisma.$transaction((db) => db.group.create({ data: group('whole') }));
    expect(await other.prisma.group.findMany({ select: { name: true } })).toEqual([
      { name: 'whole' },
    ]);
  });

  test('foreign keys count', async () => {
    const { prisma } = await open((await migrated()).url);
    const grant = { clientId: 'nobody', scope: 'verify' };
    await expect(prisma.grant.create({ data: grant })).rejects.toMatchObject({ code: 'P2003' });

    await prisma.group.create({ data: { ...group('one'), id: 1 } });
    const user = { login: 'a', loginKey: 'a', name: 'A', profile: {}, groupId: 1 };
    await prisma.user.create({ data: user });
    await expect(prisma.group.delete({ where: { id: 1 } })).rejects.toMatchObject({
      code: 'P2003',
    });
  });

  test('a process that is killed while it writes: every commit it was told of is there', async () => {
    const { url } = await migrated();
    const database = await open(url);
    await database.prisma.group.create({ data: group('counter') });
    const { child, ended, said } = startProcess(['test/support/writes.ts', url, '1000000']);
    await said(/(committed .*\n){20}/);
    child.kill('SIGKILL');
    const { stdout, signal } = await ended;
    expect(signal).toBe('SIGKILL');

    const acknowledged = [...stdout.matchAll(/^committed (\S+)$/gm)].map(([, name]) => name);
    expect(acknowledged.length).toBeGreaterThanOrEqual(20);
    const rows = await database.prisma.group.findMany({ select: { name: true } });
    expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(acknowledged));
    // Each transaction is there as a whole or not at all.
    const counter = rows.length - 1;
    expect(await database.prisma.group.findUnique({ where: { name: 'counter' } })).toMatchObject({
      displayName: String(counter),
    });
    if (provider === 'sqlite') {
      expect(await database.prisma.$queryRaw`PRAGMA integrity_check`).toEqual([
        { integrity_check: 'ok' },
      ]);
    }
    await database.prisma.group.create({ data: group('afterwards') });
  });
});

describe('SQLite', () => {
  /** Another connection, as another process's would be, that holds the write lock until `release`. */
  function holdWriteLock(url: string) {
    const other = new Libsql(url.slice('file:'.length));
    other.exec('BEGIN IMMEDIATE');
    return {
      release() {
        other.exec('COMMIT');
        other.close();
      },
    };
  }

  test('two processes whose transactions read first and write later: all succeed', async () => {
    const { url } = await migrated('sqlite');
    const { prisma } = await open(url);
    await prisma.group.create({ data: group('counter') });
    const processes = [1, 2].map(() => startProcess(['test/support/writes.ts', url, '40']));
    for (const { ended } of processes) expect(await ended).toMatchObject({ code: 0, stderr: '' });
    // None has lost the update of another.
    expect(await prisma.group.findUnique({ where: { name: 'counter' } })).toMatchObject({
      displayName: '80',
    });
    expect(await prisma.group.count()).toBe(81);
  });

  test.each([
    ['a single statement', (db: Database) => db.prisma.group.create({ data: group('locked out') })],
    [
      'a raw statement',
      (db: Database) => db.prisma.$executeRaw`UPDATE groups SET display_name = 'x'`,
    ],
    [
      'a transaction',
      (db: Database) =>
        db.prisma.$transaction((tx) => tx.group.create({ data: group('locked out') })),
    ],
  ])('%s that finds the database locked for too long', async (_what, write) => {
    const { url } = await migrated('sqlite');
    const [impatient, other] = [await open(url, 50), await open(url)];

    const { release } = holdWriteLock(url);
    const failure = await write(impatient).catch((error: unknown) => error);
    expect(isOutage(failure)).toBe(true);
    release();

    // What is acknowledged afterwards is really there, for others too.
    await impatient.prisma.group.create({ data: group('single') });
    await impatient.prisma.$transaction(async (db) => {
      await db.group.count();
      await db.group.create({ data: group('in a transaction') });
    });
    const names = await other.prisma.group.findMany({
      select: { name: true },
      orderBy: { id: 'asc' },
    });
    expect(names).toEqual([{ name: 'single' }, { name: 'in a transaction' }]);
  });

  test('many who find it locked give up together, not one after the other', async () => {
    const { url } = await migrated('sqlite');
    const impatient = await open(url, 1000);
    const { release } = holdWriteLock(url);
    const started = Date.now();
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        impatient.prisma.group.create({ data: group(String(n)) }),
      ),
    );
    const took = Date.now() - started;
    release();
    expect(all.every(({ status }) => status === 'rejected')).toBe(true);
    expect(took).toBeLessThan(5000);
  });

  test.each([
    ['a transaction', (db: Database) => db.prisma.group.create({ data: group('patient') })],
    [
      'a single statement',
      (db: Database) => db.prisma.$executeRaw`UPDATE groups SET display_name = 'patient'`,
    ],
  ])('%s that finds it locked for a while only has to wait', async (_what, write) => {
    const { url } = await migrated('sqlite');
    const { release } = holdWriteLock(url);
    // Prisma begins when it is waited for.
    const waiting = write(await open(url, 60_000)).then(() => 'written');
    // The wait is not in SQLite, which would stop the whole process: others go on, and can give the lock back.
    const other = await open(url);
    for (let n = 1; n <= 20; n++) expect(await other.prisma.group.count()).toBe(0);
    release();
    expect(await waiting).toBe('written');
  });

  onLinux(
    '300 transactions, and as many that fail: no more files are open than before',
    async () => {
      const { url } = await migrated('sqlite');
      const { prisma } = await open(url, 0);
      const openFiles = () => readdirSync('/proc/self/fd').length;
      const write = (n: number) =>
        prisma.$transaction(async (db) => {
          await db.group.count();
          await db.group.create({ data: group(String(n)) });
        });
      await write(0);
      const before = openFiles();
      for (let n = 1; n <= 300; n++) await write(n);
      for (let n = 1; n <= 300; n++)
        await expect(write(n)).rejects.toMatchObject({ code: 'P2002' });
      const { release } = holdWriteLock(url);
      for (let n = 1; n <= 300; n++) {
        await expect(write(-n)).rejects.toThrow();
        await expect(prisma.group.deleteMany()).rejects.toThrow();
      }
      release();
      expect(openFiles()).toBeLessThanOrEqual(before + 5);
      expect(await prisma.group.count()).toBe(301);
    },
  );

  test('after an error that a connection may not survive there is a new one, with foreign keys', async () => {
    const { url } = await migrated('sqlite');
    const { prisma } = await open(url);
    await prisma.$executeRawUnsafe('PRAGMA query_only = ON');
    await expect(prisma.group.create({ data: group('refused') })).rejects.toThrow();
    await prisma.group.create({ data: group('there') });
    expect(await (await open(url)).prisma.group.count()).toBe(1);
    const grant = { clientId: 'nobody', scope: 'verify' };
    await expect(prisma.grant.create({ data: grant })).rejects.toMatchObject({ code: 'P2003' });
  });

  test('closed while a transaction is open: it fails, the process goes on', async () => {
    const { url } = await migrated('sqlite');
    const { prisma, close } = await openSqlite(url);
    let closed = () => {};
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    let began = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      began = resolve;
    });
    const transaction = prisma.$transaction(async (db) => {
      await db.group.create({ data: group('half') });
      began();
      await isClosed;
      await db.group.create({ data: group('other half') });
    });
    await hasBegun;
    await close();
    closed();
    await expect(transaction).rejects.toThrow();
    expect(await (await open(url)).prisma.group.count()).toBe(0);
  });

  test('closed while it waits for the lock: the write fails as an outage', async () => {
    const { url } = await migrated('sqlite');
    const { prisma, close } = await openSqlite(url);
    const { release } = holdWriteLock(url);
    const write = prisma.group.create({ data: group('late') }).catch((error: unknown) => error);
    await new Promise(setImmediate);
    await close();
    expect(isOutage(await write)).toBe(true);
    release();
  });

  test('prepared reads cannot write', async () => {
    const { url } = await migrated('sqlite');
    const { prepareRead } = await open(url);
    const write = prepareRead(
      "INSERT INTO groups (name, subject, display_name, services) VALUES ($1, 's', '', '[]') RETURNING name",
    );
    await expect(write('x')).rejects.toMatchObject({ code: 'SQLITE_READONLY' });
  });
});

/** What a row needs the database for; it must be neither accepted nor refused without. */
const knownFromTheDatabase: readonly (Refusal | undefined)[] = [
  'expired',
  'revoked',
  'insufficient-scope',
  'wrong-password',
  'user-suspended',
  'group-suspended',
  'no-group',
];

/** They need no database: the public key, a token that says itself that it is over, and what nobody can be called. */
const needsNone = ({ path, query = {} }: Send) =>
  path === '/auth/public-key' ||
  query['jwt'] === '{{jwt:expired}}' ||
  (path === '/auth/resolve' && [undefined, '\u0000'].includes(query['username'] as string));

const rows = platforms
  .flatMap(({ scenarios }) => scenarios)
  .filter(({ send: request }) => !needsNone(request))
  .filter(({ because, expect: { status } }) =>
    because === undefined ? status === 200 : knownFromTheDatabase.includes(because),
  );

const json = { 'content-type': 'application/json' };
const login = post('/user/login', { headers: json, text: '{"login":"test1","password":"test1"}' });
const neverIssued = get('/user/verify', { token: cast.neverIssued });
const verifySimon = get('/user/verify', { token: '{{token.simon371}}' });

/** 503 in our own words; nothing of what went wrong. */
function expectUnavailable(
  { status, headers, text }: Awaited<ReturnType<typeof send>>,
  method: string,
) {
  expect(status).toBe(503);
  expect(headers.get('retry-after')).toBe('1');
  expect(headers.get('cache-control')).toBe('no-store');
  if (method !== 'HEAD') {
    expect(JSON.parse(text)).toEqual({
      error: 'temporarily_unavailable',
      request_id: headers.get('x-request-id'),
    });
  }
}

const whenPostgresIsThere = postgresIsThere ? describe : describe.skip;

whenPostgresIsThere('PostgreSQL', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let backend: Backend;
  let bound_: Awaited<ReturnType<typeof bindings>>;

  beforeEach(async () => {
    database = await createDatabase('postgresql');
    proxy = await startTcpProxy(database.url);
    backend = await startBackend({ DATABASE_URL: proxy.url });
    bound_ = await bindings(backend);
  });

  afterEach(async () => {
    await backend.stop();
    await proxy.close();
    await database.drop();
  });

  const play = (request: Send) => send(backend.url, bind(request, bound_));
  const ready = () => play(get('/readyz'));

  async function expectAllIsWell() {
    expect((await play(verifySimon)).status).toBe(200);
    expect((await play(login)).status).toBe(200);
    expect((await ready()).text).toBe('{"status":"ready","database":"ok"}');
  }

  test('cut off: 503 from every endpoint, never a refusal; back: all is well without a restart', async () => {
    expect(rows.length).toBeGreaterThan(30);
    await expectAllIsWell();
    await proxy.cut();
    const started = Date.now();
    for (const { send: request } of [
      ...rows,
      { send: login },
      { send: neverIssued },
      { send: verifySimon },
    ]) {
      expectUnavailable(await play(request), request.method);
    }
    expect(await ready()).toMatchObject({
      status: 503,
      text: '{"status":"not ready","database":"unavailable"}',
    });
    expect((await play(get('/healthz'))).status).toBe(200);
    expect(Date.now() - started).toBeLessThan(bound);

    await proxy.back();
    await expectAllIsWell();
  });

  test('does not answer: 503 within a bounded time, and all is well when it answers again', async () => {
    await expectAllIsWell();
    proxy.hang();
    const started = Date.now();
    const requests = [login, neverIssued, verifySimon, ...rows.slice(0, 20).map((r) => r.send)];
    const answers = await Promise.all(requests.map(play));
    answers.forEach((answer, n) => {
      expectUnavailable(answer, requests[n]?.method ?? '');
    });
    expect((await ready()).status).toBe(503);
    expect(Date.now() - started).toBeLessThan(bound);

    await proxy.back();
    await expectAllIsWell();
  });

  test('its connections are terminated: no refusal, and all is well soon', async () => {
    await expectAllIsWell();
    const name = new URL(database.url).pathname.slice(1);
    await onServer(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
    );
    const statuses: number[] = [];
    while (statuses.at(-1) !== 200 && statuses.length < 20) {
      statuses.push((await play(verifySimon)).status);
    }
    expect(statuses.slice(0, -1).every((status) => status === 503)).toBe(true);
    await expectAllIsWell();
  });

  test('a deadlock: one of the two wins, the other may try again', async () => {
    const { prisma } = backend.services.database;
    const both = [1, 2].map(() => {
      let arrived = () => {};
      const arrival = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      return { arrived, arrival };
    });
    const rename = (uids: readonly [number, number], n: 0 | 1) =>
      prisma.$transaction(async (db) => {
        await db.user.updateMany({ where: { uid: uids[0] }, data: { name: `by ${n}` } });
        both[n]?.arrived();
        await both[1 - n]?.arrival;
        await db.user.updateMany({ where: { uid: uids[1] }, data: { name: `by ${n}` } });
      });
    const results = await Promise.allSettled([rename([1, 2], 0), rename([2, 1], 1)]);
    const failures = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(failures.map((error) => isOutage(error))).toEqual([true]);
  });

  test('the database is dropped: 503, never a refusal', async () => {
    await database.drop();
    for (const request of [verifySimon, neverIssued, login]) {
      expectUnavailable(await play(request), request.method);
    }
    expect((await ready()).status).toBe(503);
  });
});

describe('a whole backend', () => {
  let backend: Backend;

  beforeEach(async () => {
    backend = await startBackend();
  });

  afterEach(() => backend.stop());

  test('a table is missing: 500, as that will not pass, and nothing of the SQL', async () => {
    const bound = await bindings(backend);
    const { prisma } = backend.services.database;
    await prisma.$executeRawUnsafe('ALTER TABLE access_tokens RENAME TO hidden');
    for (const request of [verifySimon, neverIssued, login]) {
      const { status, text, headers } = await send(backend.url, bind(request, bound));
      expect(status).toBe(500);
      expect(JSON.parse(text)).toEqual({
        error: 'server_error',
        request_id: headers.get('x-request-id'),
      });
    }
    await prisma.$executeRawUnsafe('ALTER TABLE hidden RENAME TO access_tokens');
    expect((await send(backend.url, bind(verifySimon, bound))).status).toBe(200);
  });

  // Not skipped in the run that is about PostgreSQL: there is nothing of it there.
  const onSqlite: typeof test | (() => void) = provider === 'sqlite' ? test : () => {};

  onSqlite('SQLite is locked: 503 for a login, while tokens are verified as ever', async () => {
    const bound = await bindings(backend);
    const locking = new Libsql(backend.config.DATABASE_URL.slice('file:'.length));
    locking.exec('BEGIN IMMEDIATE');
    let answered = false;
    const signingIn = send(backend.url, bind(login, bound)).finally(() => {
      answered = true;
    });
    for (let n = 0; n < 50; n++) {
      expect((await send(backend.url, bind(verifySimon, bound))).status).toBe(200);
    }
    expect(answered).toBe(false);
    expectUnavailable(await signingIn, 'POST');
    locking.exec('ROLLBACK');
    locking.close();
    expect((await send(backend.url, bind(login, bound))).status).toBe(200);
  });
});
