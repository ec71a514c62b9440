/** The process that `npm start` makes: how it starts, what it says when it cannot, how it stops. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { Agent, type ClientRequest, createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gracefulStop } from '../app/http/graceful-stop.ts';
import { openDatabase } from '../app/store/database.ts';
import { secret } from './support/canaries.ts';
import { createDatabase, provider, type TestDatabase } from './support/databases.ts';
import { keysFile } from './support/keys.ts';
import { endProcesses, type Started, startServer } from './support/processes.ts';

import.meta.jest.setTimeout(60_000);

let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  database = await createDatabase();
  folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-'));
});

afterEach(async () => {
  await endProcesses();
  await database.drop();
  rmSync(folder, { recursive: true });
});

const start = (environment: Record<string, string> = {}, nodeOptions: readonly string[] = []) =>
  startServer(
    {
      DATABASE_URL: database.url,
      SECRETS_FILE: join(folder, 'secrets.env'),
      KEYS_FILE: join(folder, 'keys.json'),
      FIRST_PARTY_LOGIN: 'true',
      LOG_FORMAT: 'json',
      ...environment,
    },
    nodeOptions,
  );

const production = {
  NODE_ENV: 'production',
  AUTHLETE_API_KEY: secret('6d0bf3a5c97e42f1'),
  AUTHLETE_API_SECRET: secret('b7e19c04f8d2436a95e0'),
  SESSION_SECRET: secret('e4a86f0bd7c14c2f93a1'),
  CLIENT_TOKEN_SECRET: secret('c05d7be2f1a94836b0e7'),
  KEYS_FILE: keysFile(),
};

const answerTo = (sent: ClientRequest) =>
  new Promise<{ status?: number; connection?: string; text: string }>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status, headers } = response;
        resolve({ status, connection: headers.connection, text } as never);
      });
    });
  });

/** A login of which the server has the headers and half the body. */
async function halfALogin(url: string) {
  const body = JSON.stringify({ login: 'test1', password: 'test1' });
  const sent = request(`${url}/user/login`, {
    method: 'POST',
    agent: new Agent({ keepAlive: true }),
    headers: {
      'content-type': 'application/json',
      'content-length': body.length,
      expect: '100-continue',
    },
  });
  const answer = answerTo(sent);
  answer.catch(() => {});
  sent.flushHeaders();
  await new Promise<void>((resolve) => sent.on('continue', resolve));
  sent.write(body.slice(0, 10));
  return { answer, finish: () => sent.end(body.slice(10)) };
}

/** Until its log says that it is stopping. */
async function signal({ child, said }: Started, name: NodeJS.Signals = 'SIGTERM') {
  child.kill(name);
  await said(/"msg":"stopping"/);
}

describe('starts', () => {
  test('says once where it listens, and answers there', async () => {
    const server = start();
    const url = await server.url;
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d{4,5}$/);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await signal(server);
    const { stdout, stderr } = await server.ended;
    expect(stdout.match(/listening on/g)).toHaveLength(1);
    expect(stderr).toBe('');
  });

  test('on an IPv6 address: the URL can be opened', async () => {
    const url = await start({ HOST: '::1' }).url;
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test.each(['0.0.0.0', '::'])(
    'on every address (%s): the URL is one of this machine',
    async (HOST) => {
      const url = await start({ HOST }).url;
      expect(url).toMatch(/^http:\/\/localhost:\d+$/);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
    },
  );

  test('makes the folder of its data for its owner alone, and the files in it', async () => {
    const data = join(folder, 'new');
    await start({
      ...(provider === 'sqlite' ? { DATABASE_URL: `file:${data}/kit.db` } : {}),
      SECRETS_FILE: join(data, 'secrets.env'),
      KEYS_FILE: join(data, 'keys.json'),
    }).url;
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(statSync(join(data, 'secrets.env')).mode & 0o777).toBe(0o600);
    expect(statSync(join(data, 'keys.json')).mode & 0o777).toBe(0o600);
    const files = readdirSync(data).filter((name) => name.startsWith('kit.db'));
    expect(files.sort()).toEqual(
      provider === 'sqlite' ? ['kit.db', 'kit.db-shm', 'kit.db-wal'] : [],
    );
    for (const name of files) expect(statSync(join(data, name)).mode & 0o777).toBe(0o600);
  });

  test('in production, with secrets of its own: seeds nobody, says nothing of users', async () => {
    const server = start(production);
    const url = await server.url;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await signal(server);
    expect((await server.ended).stdout).not.toMatch(/test1|simon371|curl/);
    expect(existsSync(join(folder, 'secrets.env'))).toBe(false);

    const opened = await openDatabase(database.url, { poolSize: 1 });
    expect(await opened.prisma.user.count()).toBe(0);
    await opened.close();
  });
});

describe('does not start', () => {
  test('the port is taken: one line, no stack', async () => {
    const url = await start().url;
    const { port } = new URL(url);
    expect(await start({ PORT: port }).ended).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: `Cannot listen on 127.0.0.1, port ${port}: another process does. Set PORT.\n`,
    });
  });

  test('the address is not of this machine: one line, no stack', async () => {
    expect(await start({ HOST: '192.0.2.1', PORT: '3999' }).ended).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'Cannot listen on 192.0.2.1, port 3999: EADDRNOTAVAIL. Set HOST, PORT.\n',
    });
  });

  test('several things are wrong with the configuration: all of them at once, without values', async () => {
    const password = secret('hunter2-hunter2');
    const { code, stdout, stderr } = await start({
      PORT: 'eighty',
      LOG_LEVEL: 'loud',
      PLATFORMS: 'pango,nobody',
      DATABASE_URL: `mysql://root:${password}@localhost/x`,
    }).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('PORT');
    expect(stderr).toContain('LOG_LEVEL');
    expect(stderr).toContain('PLATFORMS');
    expect(stderr).toContain('"nobody"');
    expect(stderr).toContain('DATABASE_URL');
    expect(stderr).not.toMatch(/hunter2|eighty|\bat .*:\d+/);
  });

  test('in production, without secrets', async () => {
    const { code, stdout, stderr } = await start({ NODE_ENV: 'production' }).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('AUTHLETE_API_KEY');
    expect(stderr).toContain('AUTHLETE_API_SECRET');
    expect(existsSync(join(folder, 'secrets.env'))).toBe(false);
  });

  test('in production, without a key to sign with: says how to make one', async () => {
    const KEYS_FILE = join(folder, 'none.json');
    const { code, stdout, stderr } = await start({ ...production, KEYS_FILE }).ended;
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'The configuration is not usable:\n' +
        `  - KEYS_FILE: dgp-oauth2 signs, and there is no key in ${KEYS_FILE}; make one: npm run admin -- key generate\n`,
    });
    expect(existsSync(KEYS_FILE)).toBe(false);
  });

  test('in production, on a seeded database: names the users whose passwords are public', async () => {
    const seeding = start();
    await seeding.url;
    await signal(seeding);
    await seeding.ended;
    // With little room for passwords, too.
    const few = { PASSWORD_CONCURRENCY: '1', PASSWORD_QUEUE: '0' };
    const { code, stdout, stderr } = await start({ ...production, ...few }).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    for (const login of ['test1', 'test2', 'test3', 'test4', 'simon371', 'vpn-user']) {
      expect(stderr).toContain(login);
    }
    expect(stderr).toContain('set-password');
    expect(stderr).toContain('client delete demo-app');
  });

  test.each(['127.0.0.1', 'localhost'])(
    'no database answers on %s: one line, no password',
    async (host) => {
      const password = secret('hunter2-hunter2');
      const DATABASE_URL = `postgresql://kit:${password}@${host}:1/kit`;
      const { code, stdout, stderr } = await start({ DATABASE_URL }).ended;
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^partner-idp-kit could not start: .*ECONNREFUSED.*\n$/);
    },
  );
});

describe('stops', () => {
  test.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])(
    '%s, nothing to do: at once, with 0',
    async (name) => {
      const server = start();
      const url = await server.url;
      // An idle connection, as a load balancer keeps it.
      const agent = new Agent({ keepAlive: true });
      await answerTo(request(`${url}/healthz`, { agent }).end());
      await signal(server, name);
      const { code, stdout } = await server.ended;
      expect(code).toBe(0);
      expect(stdout).toMatch(/"msg":"stopped"\}\n$/);
    },
  );

  test('a request is under way: it ends with its answer; meanwhile /readyz says so', async () => {
    const server = start();
    const url = await server.url;
    const { answer, finish } = await halfALogin(url);
    await signal(server);

    const agent = new Agent({ keepAlive: true });
    expect(await answerTo(request(`${url}/readyz`, { agent }).end())).toEqual({
      status: 503,
      connection: 'close',
      text: '{"status":"stopping","database":"ok"}',
    });
    finish();
    expect(await answer).toMatchObject({
      status: 200,
      connection: 'close',
      text: expect.stringContaining('"access_token"'),
    });
    expect(await server.ended).toMatchObject({ code: 0, stderr: '' });
    // The last one out closes the database: SQLite's journal is empty then, or gone.
    const journal = `${database.url.slice('file:'.length)}-wal`;
    expect(existsSync(journal) ? statSync(journal).size : 0).toBe(0);
  });

  test('STOP_DELAY: the port stays open for so long, and everything is answered', async () => {
    const server = start({ STOP_DELAY: '1' });
    const url = await server.url;
    const started = Date.now();
    await signal(server);
    const ready = await fetch(`${url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ status: 'stopping', database: 'ok' });
    const body = new URLSearchParams({ login: 'test1', password: 'test1' });
    expect((await fetch(`${url}/user/login`, { method: 'POST', body })).status).toBe(200);
    expect(await server.ended).toMatchObject({ code: 0 });
    expect(Date.now() - started).toBeGreaterThanOrEqual(1000);
  });

  test('a second signal: at once', async () => {
    const server = start();
    const { answer } = await halfALogin(await server.url);
    await signal(server);
    server.child.kill('SIGTERM');
    const { code, stdout } = await server.ended;
    expect(code).toBe(1);
    expect(stdout).toContain('second SIGTERM, exiting');
    expect(stdout).not.toContain('"msg":"stopped"');
    await expect(answer).rejects.toThrow();
  });

  test.each([
    ['a rejection that nobody handles', 'Promise.reject(new Error("unforeseen"))'],
    ['an exception that nobody catches', 'setImmediate(() => { throw new Error("unforeseen") })'],
  ])('%s: logged, and the process ends with 1', async (_what, bug) => {
    const planted = `data:text/javascript,process.on('message',()=>{${bug}})`;
    const server = start({}, ['--import', planted]);
    await server.url;
    server.child.send('now');
    const { code, stdout } = await server.ended;
    expect(code).toBe(1);
    const line = stdout.split('\n').find((one) => one.includes('stopping after an error')) ?? '';
    expect(JSON.parse(line)).toMatchObject({
      level: 60,
      err: { name: 'Error', message: 'unforeseen', stack: expect.stringMatching(/^ +at /) },
    });
    expect(stdout).toContain('"msg":"stopped"');
  });
});

describe('graceful stop', () => {
  /** A server that never answers. */
  async function stalling() {
    const server = createServer(() => {});
    const lifecycle = { stopping: false };
    const stop = gracefulStop(server, lifecycle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { server, stop, port, lifecycle };
  }

  const closed = (socket: ReturnType<typeof connect>) =>
    new Promise<void>((resolve) => {
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });

  test('a request that stalls is cut off when its time is over', async () => {
    const { server, stop, port, lifecycle } = await stalling();
    const socket = connect(port, '127.0.0.1');
    const gone = closed(socket);
    const arrived = new Promise((resolve) => server.once('request', resolve));
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await arrived;
    expect(await stop(50)).toBe(1);
    await gone;
    expect(lifecycle.stopping).toBe(true);
    expect(server.listening).toBe(false);
  });

  test('half a request head does not count as a request', async () => {
    const { server, stop, port } = await stalling();
    const socket = connect(port, '127.0.0.1');
    const gone = closed(socket);
    await new Promise((resolve) => server.once('connection', resolve));
    socket.write('GET / HTT');
    expect(await stop(60_000)).toBe(0);
    await gone;
  });
});
