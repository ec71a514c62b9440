/** What the configuration accepts, what it refuses, and in which words. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
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
import { environment, readConfig } from '../app/config.ts';
import { allUsable, ConfigError } from '../app/config-error.ts';
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
  CLIENT_TOKEN_SECRET: secret('d9e02b6f7c1843a5b0f4e2a8917c6d35'),
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
      'PLATFORMS: there is no platform "conectycube"; there are pango, connectycube, authlete, aurora, dgp-oauth2',
      'PANGO_PATH: must be a path such as /GetUserInfo: no query, no trailing slash (Pango)',
    ]);
  });

  test('is said once of each variable', () => {
    expect(problems({ PORT: '-1.5', STOP_DELAY: 'NaN' })).toEqual([
      'PORT: must be a whole number from 0 to 65535',
      'STOP_DELAY: must be a whole number from 0 to 300',
    ]);
  });

  test('in several places at once is one message; a fault goes before it', async () => {
    const wrong = (...texts: readonly string[]) => Promise.reject(new ConfigError(texts));

    await expect(
      allUsable([wrong('ONE: is missing'), undefined, wrong('TWO: is bad', 'THREE: is worse')]),
    ).rejects.toMatchObject({
      problems: ['ONE: is missing', 'TWO: is bad', 'THREE: is worse'],
    });
    const fault = new Error('a bug');
    await expect(allUsable([wrong('ONE: is missing'), Promise.reject(fault)])).rejects.toBe(fault);
    await expect(allUsable([Promise.resolve(), undefined])).resolves.toBeUndefined();
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
      'aurora',
      'dgp-oauth2',
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

describe('EXTERNAL_ADDRESS', () => {
  test.each([
    ['id.example.com', 'https://id.example.com'],
    ['http://id.example.com:8000/', 'http://id.example.com:8000'],
    [' id.example.com/ ', 'https://id.example.com'],
  ])('%s stands in for BASE_URL', (EXTERNAL_ADDRESS, url) => {
    expect(read({ EXTERNAL_ADDRESS }).BASE_URL).toBe(url);
  });

  test('does not go before it', () => {
    const BASE_URL = 'https://id.example.com';
    expect(read({ BASE_URL, EXTERNAL_ADDRESS: 'http://id.example.com' }).BASE_URL).toBe(BASE_URL);
  });

  test('is nothing to the other platforms', () => {
    const PLATFORMS = 'pango';
    expect(read({ PLATFORMS, EXTERNAL_ADDRESS: 'id.example.com' }).BASE_URL).toBeUndefined();
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
    const { SESSION_SECRET, CLIENT_TOKEN_SECRET } = production;
    const ours = { SESSION_SECRET, CLIENT_TOKEN_SECRET };
    const env = { NODE_ENV: 'production', PLATFORMS: 'pango', ...ours };
    expect(read(env).production).toBe(true);
  });

  test('of an unknown id is refused, with those that there are', () => {
    expect(problems({ PLATFORMS: 'pangoo' })).toEqual([
      'PLATFORMS: there is no platform "pangoo"; there are pango, connectycube, authlete, aurora, dgp-oauth2',
    ]);
  });
});

describe('PRIVATE_KEY', () => {
  const pairOf = (modulusLength: number) => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength });
    return {
      PRIVATE_KEY: secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
      PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    };
  };
  const pair = pairOf(2048);
  const pkcs1 = (text: string) =>
    createPublicKey(text).export({ type: 'pkcs1', format: 'pem' }).toString();

  test('with its public half, in every writing of a PEM', () => {
    const oneLine = Object.fromEntries(
      Object.entries(pair).map(([name, text]) => [name, text.replaceAll('\n', '\\n')]),
    );
    const writings = [
      pair,
      oneLine,
      { ...pair, PUBLIC_KEY: pkcs1(pair.PUBLIC_KEY) },
      { PRIVATE_KEY: pair.PRIVATE_KEY, PUBLIC_KEY: '' },
    ];
    for (const writing of writings) {
      expect(read(writing).PRIVATE_KEY?.asymmetricKeyDetails?.modulusLength).toBe(2048);
    }
    expect(read({}).PRIVATE_KEY).toBeUndefined();
  });

  const noPrivateKey = 'PRIVATE_KEY: must be an RSA private key of 2048 bits or more, as PEM';
  const noPublicKey = 'PUBLIC_KEY: must be an RSA public key of 2048 bits or more, as PEM';
  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  const encrypted = createPrivateKey(pair.PRIVATE_KEY)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString();

  test.each([
    ['cut short', { PRIVATE_KEY: pair.PRIVATE_KEY.slice(0, 400) }, noPrivateKey],
    ['a public key', { PRIVATE_KEY: pair.PUBLIC_KEY }, noPrivateKey],
    ['of 1024 bits', { PRIVATE_KEY: pairOf(1024).PRIVATE_KEY }, noPrivateKey],
    ['of an elliptic curve', { PRIVATE_KEY: secret(elliptic) }, noPrivateKey],
    ['encrypted', { PRIVATE_KEY: secret(encrypted) }, noPrivateKey],
    ['the name of a file', { PRIVATE_KEY: '/run/secrets/private.pem' }, noPrivateKey],
    [
      'of another pair than PUBLIC_KEY',
      { ...pair, PUBLIC_KEY: pairOf(2048).PUBLIC_KEY },
      'PUBLIC_KEY: is not the public half of PRIVATE_KEY',
    ],
    ['twice', { ...pair, PUBLIC_KEY: pair.PRIVATE_KEY }, noPublicKey],
    ['missing', { PUBLIC_KEY: pair.PUBLIC_KEY }, 'PUBLIC_KEY: is set, and PRIVATE_KEY is not'],
  ])('%s: refused, and not shown', (_what, variables, problem) => {
    expect(problems(variables)).toEqual([problem]);
  });
});

describe('FORMER_PUBLIC_KEYS', () => {
  const pemOf = (modulusLength = 2048) =>
    generateKeyPairSync('rsa', { modulusLength })
      .publicKey.export({ type: 'spki', format: 'pem' })
      .toString();
  const [one, other] = [pemOf(), pemOf()];
  const kept = (FORMER_PUBLIC_KEYS: string) =>
    read({ FORMER_PUBLIC_KEYS }).FORMER_PUBLIC_KEYS.map((key) =>
      key.export({ type: 'spki', format: 'pem' }),
    );

  test('one or more, on several lines or in one', () => {
    expect(kept('')).toEqual([]);
    expect(kept(one)).toEqual([one]);
    expect(kept(`${one}\n${other}`)).toEqual([one, other]);
    expect(kept(`${one}${other}`.replaceAll('\n', '\\n'))).toEqual([one, other]);
  });

  test.each([
    ['no PEM', 'id.pem'],
    ['cut short', one.slice(0, 200)],
    ['something after it', `${one}and more`],
    ['too small', `${one}${pemOf(1024)}`],
    [
      'a private key',
      secret(
        generateKeyPairSync('rsa', { modulusLength: 2048 })
          .privateKey.export({ type: 'pkcs8', format: 'pem' })
          .toString(),
      ),
    ],
  ])('%s: refused, and not shown', (_what, FORMER_PUBLIC_KEYS) => {
    expect(problems({ FORMER_PUBLIC_KEYS })).toEqual([
      'FORMER_PUBLIC_KEYS: must be RSA public keys of 2048 bits or more, as PEM, one after the other',
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
      'CLIENT_TOKEN_SECRET: is missing; make one: openssl rand -hex 24',
      'AUTHLETE_API_KEY: is missing; make one: openssl rand -hex 24',
      'AUTHLETE_API_SECRET: is missing; make one: openssl rand -hex 24',
    ]);
    expect(() => statSync(SECRETS_FILE)).toThrow('ENOENT');
  });

  test('generated secrets of an earlier run are not taken', () => {
    read({});

    expect(problems({ NODE_ENV: 'production' })).toHaveLength(4);
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
      const { SESSION_SECRET, CLIENT_TOKEN_SECRET, platforms: chosen } = read({});
      const authlete = chosen.find(({ platform }) => platform.id === 'authlete');
      return { SESSION_SECRET, CLIENT_TOKEN_SECRET, ...authlete?.settings };
    };
    const first = settingsOf();

    expect(first).toMatchObject(parseEnv(readFileSync(SECRETS_FILE, 'utf8')));
    expect(settingsOf()).toEqual(first);
  });

  test('are not made where the variable is set', () => {
    const { SESSION_SECRET, CLIENT_TOKEN_SECRET } = production;
    const ours = { SESSION_SECRET, CLIENT_TOKEN_SECRET };
    read({ AUTHLETE_API_KEY: 'own-key', AUTHLETE_API_SECRET: 'own', ...ours });

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
      'SECRETS_FILE: cannot be read and written (EISDIR); or set SESSION_SECRET, CLIENT_TOKEN_SECRET, AUTHLETE_API_KEY, AUTHLETE_API_SECRET',
    ]);
  });
});
