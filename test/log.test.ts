/** What gets into the log, and that the search for secrets in it would find one. */
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { loggablePath } from '../app/http/request-log.ts';
import { createLog } from '../app/log.ts';
import { newToken } from '../app/oauth/secrets.ts';
import { openDatabase } from '../app/store/database.ts';
import { migrate } from '../app/store/migrations.ts';
import { leaks, logFile, secret } from './support/canaries.ts';
import { createDatabase, postgresIsThere, type TestDatabase } from './support/databases.ts';

/** A log, and what it wrote. */
function logging(settings: object = {}) {
  const config = { LOG_LEVEL: 'info', LOG_FORMAT: 'json', production: true, ...settings };
  let written = '';
  const log = createLog(config as Parameters<typeof createLog>[0], {
    write(line: string) {
      written += line;
      appendFileSync(logFile(), line);
    },
  });
  return { log, written: () => written };
}

describe('the search for secrets in the log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const value = 'blåbær "syltetøy"/+& 1';

  test.each([
    ['in the clear', 'msg: blåbær "syltetøy"/+& 1!'],
    ['in JSON', '{"msg":"blåbær \\"syltetøy\\"/+& 1"}'],
    ['in a URL', '/user/verify?token=bl%C3%A5b%C3%A6r%20%22syltet%C3%B8y%22%2F%2B%26%201'],
    ['in a form', 'token=bl%C3%A5b%C3%A6r+%22syltet%C3%B8y%22%2F%2B%26+1&x=y'],
    ['in Base64, alone', 'YmzDpWLDpnIgInN5bHRldMO4eSIvKyYgMQ=='],
    ['in base64url, alone', 'YmzDpWLDpnIgInN5bHRldMO4eSIvKyYgMQ'],
    // printf 'a:blåbær "syltetøy"/+& 1' | base64, and with other user names.
    ['as the password of Basic', 'Basic YTpibMOlYsOmciAic3lsdGV0w7h5Ii8rJiAx'],
    ['as the password of Basic, one byte on', 'Basic YWI6YmzDpWLDpnIgInN5bHRldMO4eSIvKyYgMQ=='],
    ['as the password of Basic, two bytes on', 'Basic YWJjOmJsw6Viw6ZyICJzeWx0ZXTDuHkiLysmIDE='],
    ['as the user of Basic', 'Basic YmzDpWLDpnIgInN5bHRldMO4eSIvKyYgMTpwYXNz'],
  ])('finds it %s', (_form, line) => {
    writeFileSync(join(folder, 'secrets-1'), `${JSON.stringify(value)}\n`);
    writeFileSync(join(folder, 'log-2'), `harmless\n${line}\nharmless\n`);
    expect(leaks(folder)).toEqual([line]);
  });

  test('finds nothing where there is nothing', () => {
    writeFileSync(join(folder, 'secrets-1'), `${JSON.stringify(value)}\n`);
    writeFileSync(join(folder, 'log-2'), 'blåbær\nsyltetøy\n');
    expect(leaks(folder)).toEqual([]);
  });
});

describe('the path in the log', () => {
  const token = secret(newToken());

  test.each([
    ['/user/verify', '/user/verify'],
    [`/user/verify?token=${token}`, '/user/verify'],
    [`/GetUserInfo?a=b?oauth_token=${token}`, '/GetUserInfo'],
    ['/?', '/'],
    ['/', '/'],
    ['', ''],
    ['/.well-known/a_b-c.json', '/.well-known/a_b-c.json'],
    [`/user/verify/${token}`, '/user/verify/[43 characters]'],
    [`/${token}/info`, '/[43 characters]/info'],
    [`/user/verify&token=${token}`, '/user/[56 characters]'],
    [`/user/verify;token=${token}`, '/user/[56 characters]'],
    [`/user/verify%3Ftoken=${token}`, '/user/[58 characters]'],
    ['/abcdefghijklmnopqrstuvwx', '/abcdefghijklmnopqrstuvwx'],
    ['/abcdefghijklmnopqrstuvwxy', '/[25 characters]'],
    ['/a b', '/[3 characters]'],
    ['/a\u2028b', '/[3 characters]'],
    ['/"},{"', '/[5 characters]'],
    ['//evil.example/x', '//evil.example/x'],
    ['http://user:pass@host/x', '[5 characters]//[14 characters]/x'],
    [`/${'a'.repeat(9000)}`, '/[2047 characters]'],
  ])('%s', (url, path) => {
    expect(loggablePath(url)).toBe(path);
  });
});

describe('an error in the log', () => {
  const logged = (error: unknown) => {
    const { log, written } = logging();
    log.error({ err: error }, 'fault');
    return JSON.parse(written());
  };

  test('has its name, message, code and stack, and so do its causes', () => {
    const inner = Object.assign(new TypeError('inner'), { code: 'E_INNER' });
    const outer = new Error('outer', { cause: inner });
    expect(logged(outer)).toEqual({
      level: 50,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      msg: 'fault',
      err: {
        name: 'Error',
        message: 'outer',
        stack: expect.stringContaining('log.test.ts'),
        cause: {
          name: 'TypeError',
          message: 'inner',
          code: 'E_INNER',
          stack: expect.stringContaining('log.test.ts'),
        },
      },
    });
  });

  test('has nothing of what else hangs on it', () => {
    const hash = secret('$2b$04$abcdefghijklmnopqrstuOj3L2kuLWjRvhTrkxrs8EKVd.JV0Ih5.');
    const error = Object.assign(new Error('failed'), {
      query: `UPDATE users SET password_hash = '${hash}'`,
      parameters: [hash],
      config: { connectionString: hash },
      cause: { message: hash },
    });
    const { err } = logged(error);
    expect(Object.keys(err).sort()).toEqual(['cause', 'message', 'name', 'stack']);
    expect(JSON.stringify(err)).not.toContain(hash);
  });

  test.each([
    ['text', secret('a secret that is thrown')],
    ['null', null],
    ['an object', { password: secret('another that is thrown') }],
  ])('that is none, but %s: only its type', (_what, thrown) => {
    const line = logged(thrown);
    expect(JSON.stringify(line)).not.toMatch(/secret|another/);
    expect(line.err.message).toBe('something was thrown that is no error');
  });

  test('to read on a terminal has no more in it', async () => {
    const terminal = new PassThrough().setEncoding('utf8');
    const config = { LOG_LEVEL: 'info', LOG_FORMAT: 'pretty', production: false };
    const log = createLog(config as Parameters<typeof createLog>[0], terminal);
    log.error({ err: Object.assign(new Error('failed'), { query: 'SELECT 1' }) }, 'fault');
    const [text] = await once(terminal, 'data');
    expect(text).toContain('failed');
    expect(text).not.toContain('SELECT');
  });
});

describe("a database's error in the log", () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createDatabase();
    await migrate(database.url);
  });

  afterEach(() => database.drop());

  const passwordHash = secret('$2b$04$abcdefghijklmnopqrstuOj3L2kuLWjRvhTrkxrs8EKVd.JV0Ih6.');

  async function loggedFailure(failing: (prisma: Prisma) => Promise<unknown>): Promise<string> {
    const { prisma, close } = await openDatabase(database.url, { poolSize: 1 });
    const error = await failing(prisma).catch((thrown: unknown) => thrown);
    await close();
    expect(error).toBeInstanceOf(Error);
    const { log, written } = logging();
    log.error({ err: error }, 'fault');
    expect(written()).toContain('"stack":"    at ');
    return written();
  }

  type Prisma = Awaited<ReturnType<typeof openDatabase>>['prisma'];
  const user = { login: 'a', loginKey: 'a', name: 'A', profile: {}, passwordHash };

  test.each<[situation: string, failing: (prisma: Prisma) => Promise<unknown>]>([
    ['unique', async (prisma) => prisma.user.createMany({ data: [user, user] })],
    ['foreign key', (prisma) => prisma.user.create({ data: { ...user, groupId: 77 } })],
    ['not found', (prisma) => prisma.user.update({ where: { uid: 77 }, data: { passwordHash } })],
    [
      'wrong argument',
      (prisma) => prisma.user.create({ data: { ...user, name: 1 as unknown as string } }),
    ],
    [
      'wrong field',
      (prisma) => prisma.user.findMany({ where: { passwordHash, nickname: 'x' } as object }),
    ],
    [
      'bad SQL',
      (prisma) =>
        prisma.$queryRaw`SELECT nonsense FROM users WHERE password_hash = ${passwordHash}`,
    ],
    [
      'missing table',
      async (prisma) => {
        await prisma.$executeRawUnsafe('ALTER TABLE users RENAME TO hidden');
        return prisma.user.create({ data: user });
      },
    ],
  ])('%s: no arguments of the query', async (_situation, failing) => {
    const line = await loggedFailure(failing);
    expect(line).not.toContain(passwordHash);
    expect(line).not.toContain(JSON.stringify(passwordHash).slice(1, -1));
  });

  const whenPostgresIsThere = postgresIsThere ? test : test.skip;

  whenPostgresIsThere.each([
    ['nobody listens', '127.0.0.1:1/kit'],
    ['no such host', 'nowhere.invalid/kit'],
    [
      'no such database',
      `${new URL(process.env['TEST_POSTGRES_URL'] ?? 'x://h').host}/no_such_database`,
    ],
  ])('PostgreSQL, %s: no password of the connection', async (_situation, where) => {
    const password = secret('hunter2-of-the-database');
    const { prisma, prepareRead, close } = await openDatabase(
      `postgresql://postgres:${password}@${where}`,
      { poolSize: 1 },
    );
    const read = prepareRead('SELECT 1 WHERE $1 = 1');
    for (const fail of [
      () => prisma.user.count(),
      () => prisma.$transaction((db) => db.user.count()),
      () => read(1),
    ]) {
      const error = await (fail() as Promise<unknown>).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      const { log, written } = logging();
      log.error({ err: error }, 'fault');
      expect(written()).not.toContain('hunter2');
    }
    await close();
  });
});
