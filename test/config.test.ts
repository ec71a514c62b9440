/** What the configuration accepts, what it refuses, and in which words. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseEnv, promisify } from 'node:util';
import { ConfigError, environment, readConfig } from '../app/config.ts';
import { platforms } from '../app/platforms/index.ts';
import { projectRoot } from '../app/project-root.ts';
import { ensureSecrets } from '../app/secrets.ts';
import { secret } from './support/canaries.ts';

let folder: string;
let SECRETS_FILE: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-config-'));
  SECRETS_FILE = join(folder, 'secrets.env');
});

afterEach(() => rmSync(folder, { recursive: true }));

const read = (variables: Record<string, string>) =>
  readConfig({ SECRETS_FILE, ...variables }, platforms);

/** The lines of the one message, without its heading. */
function problems(variables: Record<string, string>): string[] {
  try {
    read(variables);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [heading, ...lines] = error.message.split('\n');
    expect(heading).toBe('The configuration is not usable:');
    return lines.map((line) => line.replace(/^ {2}- /, ''));
  }
  return [];
}

const production = {
  NODE_ENV: 'production',
  AUTHLETE_API_KEY: secret('9f86d081884c7d659a2feaa0c55ad015'),
  AUTHLETE_API_SECRET: secret('a3bf4f1b2b0b822cd15d6c15b0f00a08'),
  SESSION_SECRET: secret('5c1b94c0de7a4b7cb5c0c1f2a6a1d3e8'),
};

describe('what is wrong', () => {
  test('is said all at once, in one message', () => {
    expect(
      problems({
        PORT: '65536',
        BASE_URL: 'ftp://example.com',
        DATABASE_URL: 'mysql://root@localhost/users',
        PLATFORMS: 'pango,conectycube',
        PANGO_PATH: 'GetUserInfo',
        LOG_LEVEL: 'loud',
      }),
    ).toEqual([
      'PORT: must be a whole number from 0 to 65535',
      'BASE_URL: must be an http or https URL',
      'DATABASE_URL: must be file:<path> or postgresql://user:password@host:port/database',
      'LOG_LEVEL: Invalid option: expected one of "trace"|"debug"|"info"|"warn"|"error"|"fatal"|"silent"',
      'PLATFORMS: there is no platform "conectycube"; there are pango, connectycube, authlete',
      'PANGO_PATH: must be a path such as /GetUserInfo: no query, no trailing slash (Pango)',
    ]);
  });

  test('is said once of each variable', () => {
    expect(problems({ PORT: '-1.5', STOP_DELAY: 'NaN' })).toEqual([
      'PORT: must be a whole number from 0 to 65535',
      'STOP_DELAY: must be a whole number from 0 to 300',
    ]);
  });

  test('never has the value of a secret in it', () => {
    const key = secret('key:with-colon-1234567890');
    const password = secret('hunter2-of-the-database');
    const message = problems({
      ...production,
      AUTHLETE_API_KEY: key,
      AUTHLETE_API_SECRET: 'shortish',
      DATABASE_URL: `postgres//admin:${password}@db/users`,
    }).join('\n');

    expect(message).toContain('AUTHLETE_API_KEY: must not contain a colon');
    expect(message).toContain('AUTHLETE_API_SECRET: can be guessed');
    expect(message).toContain('DATABASE_URL: must be');
    expect(message).not.toContain(key);
    expect(message).not.toContain('shortish');
    expect(message).not.toContain(password);
  });

  test('does not include secrets that would have been generated', () => {
    expect(problems({ PORT: 'http' })).toEqual(['PORT: must be a whole number from 0 to 65535']);
  });

  test('ends the process with 1, on stderr, before it listens', async () => {
    const server = promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', join(projectRoot, 'app/server.ts')],
      { env: { PATH: process.env['PATH'], SECRETS_FILE, PORT: 'http', BCRYPT_COST: '9' } },
    );

    await expect(server).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr:
        'The configuration is not usable:\n' +
        '  - PORT: must be a whole number from 0 to 65535\n' +
        '  - BCRYPT_COST: must be a whole number from 10 to 16\n',
    });
  });
});

describe('a variable', () => {
  test('that is empty or blank counts as not set', () => {
    const config = read({ PORT: '', HOST: '  ', BASE_URL: '', PLATFORMS: '', TRUST_PROXY: '' });

    expect(config.PORT).toBe(3000);
    expect(config.HOST).toBe('127.0.0.1');
    expect(config.BASE_URL).toBeUndefined();
    expect(config.platforms.map(({ platform }) => platform.id)).toEqual([
      'pango',
      'connectycube',
      'authlete',
    ]);
    expect(config.TRUST_PROXY).toBe(0);
  });

  test('of the environment goes before .env, an empty one does not', () => {
    const file = join(folder, '.env');
    writeFileSync(file, 'PORT=4000\nHOST=0.0.0.0\nLOG_LEVEL=warn\n');

    expect(environment({ PORT: '5000', HOST: '' }, file)).toEqual({
      PORT: '5000',
      HOST: '0.0.0.0',
      LOG_LEVEL: 'warn',
    });
  });

  test('needs no .env', () => {
    expect(environment({ PORT: '5000' }, join(folder, 'none'))).toEqual({ PORT: '5000' });
  });
});

describe('PORT', () => {
  test.each([
    ['0', 0],
    ['1', 1],
    ['65535', 65_535],
  ])('%s is good', (PORT, port) => {
    expect(read({ PORT }).PORT).toBe(port);
  });

  test.each(['65536', '-1', '3000.5', '0x50', '3e3', '3000abc'])('%s is refused', (PORT) => {
    expect(problems({ PORT })).toEqual(['PORT: must be a whole number from 0 to 65535']);
  });
});

describe('BCRYPT_COST', () => {
  test('10 is the least', () => {
    expect(read({ BCRYPT_COST: '10' }).BCRYPT_COST).toBe(10);
    expect(problems({ BCRYPT_COST: '9' })).toEqual([
      'BCRYPT_COST: must be a whole number from 10 to 16',
    ]);
  });
});

describe('BASE_URL', () => {
  test.each([
    ['https://id.example.com', 'https://id.example.com'],
    ['https://id.example.com/', 'https://id.example.com'],
    ['https://example.com/id//', 'https://example.com/id'],
  ])('%s is %s', (BASE_URL, without) => {
    expect(read({ BASE_URL }).BASE_URL).toBe(without);
  });

  test.each([
    ['id.example.com', 'must be an http or https URL'],
    ['javascript:alert(1)', 'must be an http or https URL'],
    ['https://id.example.com/?a=1', 'must have no query, fragment or user'],
    ['https://user:pw@id.example.com', 'must have no query, fragment or user'],
  ])('%s is refused', (BASE_URL, why) => {
    expect(problems({ BASE_URL })).toEqual([`BASE_URL: ${why}`]);
  });
});

describe('DATABASE_URL', () => {
  test.each([
    ['file:data/users.db', `file:${join(projectRoot, 'data/users.db')}`],
    ['file:./data/users.db', `file:${join(projectRoot, 'data/users.db')}`],
    ['file:/var/lib/kit/users.db', 'file:/var/lib/kit/users.db'],
    ['file:///var/lib/kit/users.db', 'file:/var/lib/kit/users.db'],
    ['postgresql://kit@db:5432/kit', 'postgresql://kit@db:5432/kit'],
    ['postgres://kit@db/kit?sslmode=require', 'postgres://kit@db/kit?sslmode=require'],
  ])('%s is good', (DATABASE_URL, url) => {
    expect(read({ DATABASE_URL }).DATABASE_URL).toBe(url);
  });

  test.each([
    'data/users.db',
    'file:',
    'file::memory:',
    'file:users.db?mode=ro',
    'sqlite:users.db',
    'postgresql://',
    'libsql://users.example.com',
  ])('%s is refused', (DATABASE_URL) => {
    expect(problems({ DATABASE_URL })).toEqual([
      'DATABASE_URL: must be file:<path> or postgresql://user:password@host:port/database',
    ]);
  });
});

describe('TRUST_PROXY', () => {
  test.each([
    ['0', 0],
    ['2', 2],
    ['loopback', ['loopback']],
    ['10.0.0.0/8, uniquelocal', ['10.0.0.0/8', 'uniquelocal']],
    ['2001:db8::/32,::1', ['2001:db8::/32', '::1']],
  ])('%s is good', (TRUST_PROXY, trusted) => {
    expect(read({ TRUST_PROXY }).TRUST_PROXY).toEqual(trusted);
  });

  // `true` would let any client write its own address; the others would stop Express.
  test.each([
    'true',
    '-1',
    'proxy.example.com',
    '10.0.0.0/33',
    '10.0.0.0/0',
    '10.0.0.0/8/8',
    '::1/',
  ])('%s is refused', (TRUST_PROXY) => {
    expect(problems({ TRUST_PROXY })).toEqual([
      'TRUST_PROXY: must be a number of proxies, or their addresses or subnets, with commas',
    ]);
  });
});

describe('PLATFORMS', () => {
  test('chooses, and leaves the variables of the others alone', () => {
    const config = read({ PLATFORMS: 'connectycube, pango', AUTHLETE_CALLBACK_PATH: 'no path' });

    expect(config.platforms.map(({ platform }) => platform.id)).toEqual(['pango', 'connectycube']);
  });

  test('asks for no secret of a platform that is not chosen', () => {
    const { SESSION_SECRET } = production;
    const env = { NODE_ENV: 'production', PLATFORMS: 'pango', SESSION_SECRET };
    expect(read(env).production).toBe(true);
  });

  test('of an unknown id is refused, with those that there are', () => {
    expect(problems({ PLATFORMS: 'pangoo' })).toEqual([
      'PLATFORMS: there is no platform "pangoo"; there are pango, connectycube, authlete',
    ]);
  });
});

describe('in production', () => {
  test('secrets of our own are taken, and no file is made', () => {
    expect(read(production).production).toBe(true);
    expect(() => statSync(SECRETS_FILE)).toThrow('ENOENT');
  });

  test('missing secrets are refused, and it is said how to make one', () => {
    expect(problems({ NODE_ENV: 'production' })).toEqual([
      'SESSION_SECRET: is missing; make one: openssl rand -hex 24',
      'AUTHLETE_API_KEY: is missing; make one: openssl rand -hex 24',
      'AUTHLETE_API_SECRET: is missing; make one: openssl rand -hex 24',
    ]);
    expect(() => statSync(SECRETS_FILE)).toThrow('ENOENT');
  });

  test('generated secrets of an earlier run are not taken', () => {
    read({});

    expect(problems({ NODE_ENV: 'production' })).toHaveLength(3);
  });

  test.each([
    ['short', '3f9a0c7d51e2b84'],
    ['of one character', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
    ['from an example', 'authlete-example-key-0123456789'],
    ['to be changed', 'change-me-0123456789-abcdef'],
    ['called secret', 'my-very-own-super-Secret-0123'],
  ])('a secret that is %s is refused', (_kind, AUTHLETE_API_SECRET) => {
    expect(problems({ ...production, AUTHLETE_API_SECRET })).toEqual([
      'AUTHLETE_API_SECRET: can be guessed; make one: openssl rand -hex 24',
    ]);
  });
});

describe('generated secrets', () => {
  const names = ['AUTHLETE_API_KEY', 'AUTHLETE_API_SECRET'];

  function ensure() {
    const secrets = ensureSecrets(SECRETS_FILE, names);
    for (const value of Object.values(secrets)) secret(value);
    return secrets;
  }

  test('are 192 random bits each, in a file that only its owner can read', () => {
    const { AUTHLETE_API_KEY, AUTHLETE_API_SECRET } = ensure();

    expect(AUTHLETE_API_KEY).toMatch(/^[\w-]{32}$/);
    expect(AUTHLETE_API_SECRET).toMatch(/^[\w-]{32}$/);
    expect(AUTHLETE_API_KEY).not.toBe(AUTHLETE_API_SECRET);
    expect(statSync(SECRETS_FILE).mode & 0o777).toBe(0o600);
  });

  test('reach the house and the platform, and are the same at the second start', () => {
    const settingsOf = () => {
      const { SESSION_SECRET, platforms: chosen } = read({});
      const authlete = chosen.find(({ platform }) => platform.id === 'authlete');
      return { SESSION_SECRET, ...authlete?.settings };
    };
    const first = settingsOf();

    expect(first).toMatchObject(parseEnv(readFileSync(SECRETS_FILE, 'utf8')));
    expect(settingsOf()).toEqual(first);
  });

  test('are not made where the variable is set', () => {
    const { SESSION_SECRET } = production;
    read({ AUTHLETE_API_KEY: 'own-key', AUTHLETE_API_SECRET: 'own', SESSION_SECRET });

    expect(() => statSync(SECRETS_FILE)).toThrow('ENOENT');
  });

  test('stand in a folder that is made, and that nobody else can enter', () => {
    SECRETS_FILE = join(folder, 'new/folder/secrets.env');
    ensure();

    expect(statSync(join(folder, 'new/folder')).mode & 0o777).toBe(0o700);
  });

  test('are added to a file without a last line end, whose mode is put right', () => {
    writeFileSync(SECRETS_FILE, 'AUTHLETE_API_KEY=mine-alone', { mode: 0o644 });
    chmodSync(SECRETS_FILE, 0o644);

    expect(ensure()['AUTHLETE_API_KEY']).toBe('mine-alone');
    expect(ensure()['AUTHLETE_API_SECRET']).toMatch(/^[\w-]{32}$/);
    expect(statSync(SECRETS_FILE).mode & 0o777).toBe(0o600);
  });

  test('take the place of a line without a value', () => {
    writeFileSync(SECRETS_FILE, 'AUTHLETE_API_KEY=\nAUTHLETE_API_SECRET=\n');
    const first = ensure();

    expect(first['AUTHLETE_API_KEY']).toMatch(/^[\w-]{32}$/);
    expect(ensure()).toEqual(first);
  });

  test('that stand there twice: the first line counts', () => {
    writeFileSync(SECRETS_FILE, 'AUTHLETE_API_KEY=first\nAUTHLETE_API_KEY=second\n');

    expect(ensureSecrets(SECRETS_FILE, ['AUTHLETE_API_KEY'])).toEqual({
      AUTHLETE_API_KEY: 'first',
    });
  });

  test('are the same in processes that start at the same moment', async () => {
    // Many files: two processes must meet at one of them for a difference to show.
    const script = `
      import { ensureSecrets } from './app/secrets.ts';
      process.stdin.once('data', () => {
        const all = [];
        for (let file = 0; file < 300; file++) {
          all.push(ensureSecrets(${JSON.stringify(folder)} + '/' + file, ${JSON.stringify(names)}));
        }
        process.stdout.write(JSON.stringify(all));
        process.stdin.destroy();
      });
      process.stderr.write('ready');`;
    const start = (): ChildProcess =>
      spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
        cwd: projectRoot,
      });
    const all = Array.from({ length: 4 }, start);
    await Promise.all(all.map((one) => new Promise((ready) => one.stderr?.once('data', ready))));
    const outputs = all.map((one) => text(one.stdout as NonNullable<typeof one.stdout>));
    for (const one of all) one.stdin?.write('\n');
    const [first, ...others] = (await Promise.all(outputs)).map((output) => JSON.parse(output));

    expect(first).toHaveLength(300);
    for (const other of others) expect(other).toEqual(first);
  });

  test('that cannot be kept are said so, with what to set instead', () => {
    mkdirSync(SECRETS_FILE);

    expect(problems({})).toEqual([
      'SECRETS_FILE: cannot be read and written (EISDIR); or set SESSION_SECRET, AUTHLETE_API_KEY, AUTHLETE_API_SECRET',
    ]);
  });
});
