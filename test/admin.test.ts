/** The admin command, as a process of its own, on the database of a backend that is running. */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { projectRoot } from '../app/project-root.ts';
import { apiKey, apiSecret, type Backend, startBackend } from './support/backend.ts';
import { logFile, secret } from './support/canaries.ts';
import { createDatabase } from './support/databases.ts';
import { mint } from './support/tokens.ts';

import.meta.jest.setTimeout(60_000);

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

let backend: Backend;
let environment: Record<string, string>;

beforeAll(async () => {
  backend = await startBackend();
  environment = {
    NODE_ENV: 'test',
    DATABASE_URL: backend.config.DATABASE_URL,
    AUTHLETE_API_KEY: apiKey,
    AUTHLETE_API_SECRET: apiSecret,
    ACCESS_TOKEN_TTL: '1800',
  };
});

afterAll(() => backend.stop());

type Given = {
  readonly stdin?: string | Buffer;
  readonly env?: Record<string, string>;
  /** Who reads what it prints goes away at once. */
  readonly unread?: boolean;
};

function run(script: string, args: readonly string[], { stdin = '', env, unread }: Given = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    cwd: projectRoot,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment, ...env },
  });
  child.stdin.on('error', () => {}).end(stdin);
  if (unread) child.stdout.destroy();
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    // Searched for secrets when all tests are through.
    appendFileSync(logFile(), text);
  });
  return new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const admin = (args: readonly string[], given?: Given) => run('scripts/admin.ts', args, given);

/** What it printed, where all went well and nothing was to be said beside. */
async function printed(args: readonly string[], given?: Given): Promise<string> {
  const { code, stdout, stderr } = await admin(args, given);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const json = async (args: readonly string[], given?: Given) =>
  JSON.parse(await printed([...args, '--json'], given));

/** ConnectyCube's call. */
async function verify(token: string) {
  const response = await fetch(`${backend.url}/user/verify?token=${token}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Whether the login and password are good at POST /user/login. */
async function signsIn(login: string, password: string): Promise<boolean> {
  const response = await fetch(`${backend.url}/user/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ login, password }),
  });
  expect([200, 401]).toContain(response.status);
  return response.status === 200;
}

describe('beside a running backend', () => {
  test('a user who is suspended is refused from the next request on, and again let in', async () => {
    const token = await mint(backend, 'simon371');
    expect((await verify(token)).status).toBe(200);

    const reason = ['--reason', 'left the company'];
    expect(await printed(['user', 'suspend', 'SIMON371', ...reason])).toBe(
      'simon371 is suspended.\n',
    );
    expect(await verify(token)).toEqual({ status: 422, body: { error: 'User token is invalid' } });

    // Twice is no mistake.
    expect(await json(['user', 'suspend', 'simon371'])).toMatchObject({ status: 'suspended' });
    expect((await verify(token)).status).toBe(422);

    expect(await printed(['user', 'activate', 'simon371'])).toBe('simon371 is active.\n');
    expect((await verify(token)).status).toBe(200);

    const actor = `admin:${userInfo().username}`;
    const target = 'user:simon371';
    const trail = await json(['audit', 'list', '--target', 'user:Simon371', '--limit', '3']);
    expect(trail).toEqual([
      { at: expect.any(String), actor, action: 'user.activate', target, detail: {} },
      { at: expect.any(String), actor, action: 'user.suspend', target, detail: {} },
      {
        ...{ at: expect.any(String), actor, action: 'user.suspend', target },
        detail: { reason: 'left the company' },
      },
    ]);
  });

  test('a group that is suspended shuts out its users', async () => {
    const token = await mint(backend, 'test3');
    expect(await printed(['group', 'suspend', 'Dev 02'])).toBe('The group Dev 02 is suspended.\n');
    expect((await verify(token)).status).toBe(422);

    const { stdout, stderr } = await admin(['user', 'activate', 'test3']);
    expect(stdout).toBe('test3 is active.\n');
    expect(stderr).toBe('warning: test3 is still refused: the group Dev 02 is suspended.\n');

    expect(await json(['group', 'activate', 'Dev 02'])).toMatchObject({ status: 'active' });
    expect((await verify(token)).status).toBe(200);
  });

  test('both write at the same moment', async () => {
    let underWay = true;
    const created = json(['user', 'create', '--login', 'moment', '--name', 'Moment']).finally(
      () => {
        underWay = false;
      },
    );
    // Each is a token issued.
    while (underWay) expect(await signsIn('test1', 'test1')).toBe(true);
    expect(await created).toMatchObject({ login: 'moment', status: 'active' });
  });
});

describe('token', () => {
  test('mint prints the token alone, and platforms accept it', async () => {
    const token = await printed(['token', 'mint', '--user', 'SIMON371']);
    expect(token).toMatch(/^[\w-]{43}\n$/);
    expect(await verify(secret(token.trim()))).toMatchObject({
      status: 200,
      body: { uid: 2345 },
    });
  });

  test('mint --json says what the token is good for', async () => {
    const args = ['token', 'mint', '--user', 'test2', '--scope', 'profile email', '--ttl', '90'];
    const before = Date.now();
    const { access_token, expires_at, ...rest } = await json([...args, '--client', 'demo-app']);
    expect(secret(access_token)).toMatch(/^[\w-]{43}$/);
    expect(rest).toEqual({
      token_type: 'Bearer',
      expires_in: 90,
      scope: 'profile email',
      client_id: 'demo-app',
      user: 'test2',
    });
    const life = Date.parse(expires_at) - before;
    expect(life).toBeGreaterThanOrEqual(90_000);
    expect(life).toBeLessThan(150_000);

    // Not good for verification.
    expect((await verify(access_token)).status).toBe(422);
    expect(await json(['token', 'inspect'], { stdin: `${access_token}\n` })).toMatchObject({
      accepted: false,
      because: 'insufficient-scope',
    });
  });

  test('mint for someone suspended works, and warns', async () => {
    const { code, stdout, stderr } = await admin(['token', 'mint', '--user', 'test4']);
    secret(stdout.trim());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[\w-]{43}\n$/);
    expect(stderr).toBe('warning: the token will be refused: test4 is suspended.\n');
  });

  test.each([
    [['--client', 'nobody'], 3, 'There is no client "nobody".'],
    [['--client', 'narrow'], 2, 'narrow may not ask for email, only for verify.'],
  ])('mint %j: exit code %p', async (args, code, message) => {
    await backend.services.database.prisma.client.upsert({
      where: { id: 'narrow' },
      create: { id: 'narrow', name: 'N', scope: 'verify', redirectUris: [], grantTypes: [] },
      update: {},
    });
    const tokens = () => backend.services.database.prisma.accessToken.count();
    const before = await tokens();
    expect(await admin(['token', 'mint', '--user', 'test1', '--scope', 'email', ...args])).toEqual({
      code,
      stdout: '',
      stderr: `error: ${message}\n`,
    });
    expect(await tokens()).toBe(before);
  });

  test('in production, the client is demanded', async () => {
    const env = {
      NODE_ENV: 'production',
      AUTHLETE_API_KEY: secret('4cf1f4c1f8e04dbb9a5d'),
      AUTHLETE_API_SECRET: secret('9d0c46cbd1b24b7a8f3e'),
      SESSION_SECRET: secret('0b7d2e6c91f84a35ae21'),
      CLIENT_TOKEN_SECRET: secret('f61c8a3e07d94b52ac18'),
    };
    expect(await admin(['token', 'mint', '--user', 'test1'], { env })).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: In production, say which --client the token is for.\n',
    });
  });

  test('inspect and revoke read it from standard input', async () => {
    const token = await mint(backend, 'vpn-user');
    await mint(backend, 'vpn-user', { ttl: -1 });
    await mint(backend, 'vpn-user');

    expect(await json(['token', 'inspect'], { stdin: `  ${token}\r\n` })).toEqual({
      user: 'vpn-user',
      uid: 690109944,
      client_id: 'demo-app',
      scope: 'verify openid profile email userid-feide',
      resource: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      revoked_at: null,
      accepted: true,
      because: null,
    });
    expect(await printed(['token', 'revoke'], { stdin: token })).toBe('The token is revoked.\n');
    expect((await verify(token)).status).toBe(422);
    // Neither the revoked one nor the expired one.
    expect(await json(['user', 'show', 'VPN-user'])).toMatchObject({
      uid: 690109944,
      liveTokens: 1,
    });
    expect(await printed(['token', 'inspect'], { stdin: token })).toMatch(
      /^user {6}vpn-user \(uid 690109944\)\nclient {4}demo-app\n[\s\S]*^revoked {3}20.*Z\naccepted {2}no: revoked\n$/m,
    );
  });

  test.each([
    [[], 'never-issued', 3, 'This token is not known.'],
    [
      ['on-the-command-line'],
      '',
      2,
      "too many arguments for 'inspect'. Expected 0 arguments but got 1.",
    ],
  ])('inspect %j with %j on standard input: exit code %p', async (args, stdin, code, message) => {
    expect(await admin(['token', 'inspect', ...args], { stdin })).toEqual({
      code,
      stdout: '',
      stderr: `error: ${message}\n`,
    });
  });
});

describe('passwords', () => {
  test('from standard input: exactly one line end is not part of it', async () => {
    const password = secret(' blåbær 🫐 \n');
    const args = ['user', 'set-password', 'TEST2', '--password-stdin'];
    expect(await printed(args, { stdin: `${password}\n` })).toBe('test2 has a new password.\n');
    expect(await signsIn('test2', password)).toBe(true);
    expect(await signsIn('test2', password.trim())).toBe(false);
    expect(await signsIn('test2', 'test2')).toBe(false);
  });

  test('generated: printed alone', async () => {
    const { code, stdout, stderr } = await admin(['user', 'set-password', 'test3', '--generate']);
    const password = secret(stdout.trim());
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'test3 has a new password. The password is shown this once:\n',
    });
    expect(stdout).toMatch(/^[a-z2-9]{20}\n$/);
    expect(await signsIn('test3', password)).toBe(true);
  });

  test.each([
    ['nothing but a line end', '\n', 'No password came on standard input.'],
    ['what is not UTF-8', Buffer.from([0xc3, 0x28]), 'The password must be UTF-8 text.'],
    [
      'more than bcrypt looks at',
      'p'.repeat(73),
      'A password must not be longer than 72 bytes: bcrypt ignores the rest.',
    ],
  ])('%s on standard input: refused', async (_situation, stdin, message) => {
    expect(await admin(['user', 'set-password', 'test1', '--password-stdin'], { stdin })).toEqual({
      code: 2,
      stdout: '',
      stderr: `error: ${message}\n`,
    });
    expect(await signsIn('test1', 'test1')).toBe(true);
  });
});

describe('users and groups', () => {
  test('whatever the names begin with', async () => {
    const group = ['--name', '-- Åse', '--subject', '-åse'.replace('å', 'a')];
    expect(
      await json(['group', 'create', ...group, '--display-name', '"$HOME"', '--service', '1', '2']),
    ).toEqual({
      name: '-- Åse',
      subject: '-ase',
      displayName: '"$HOME"',
      status: 'active',
      services: ['1', '2'],
      roles: [],
      users: 0,
    });

    const user = ['--login', '-Åse', '--name', '=🫐', '--group', '-- Åse', '--uid', '4711'];
    const profile = ['--profile', 'country=NO', 'note=a=b:=c', '--profile', 'traffic:=5'];
    const { password, createdAt, ...created } = await json([
      ...['user', 'create', ...user, ...profile, '--email', 'å@example.com'],
      '--generate-password',
    ]);
    expect(created).toEqual({
      uid: 4711,
      login: '-Åse',
      username: null,
      name: '=🫐',
      email: 'å@example.com',
      status: 'active',
      group: '-- Åse',
      groupStatus: 'active',
      roles: [],
      profile: { country: 'NO', note: 'a=b:=c', traffic: 5 },
    });
    expect(await signsIn('-åse', secret(password))).toBe(true);

    expect(await printed(['user', 'list', '--group', '-- Åse'])).toBe(
      'UID   LOGIN  STATUS  GROUP   NAME\n4711  -Åse   active  -- Åse  =🫐\n',
    );
    expect(await printed(['user', 'move', '--no-group', '--', '-åse'])).toBe(
      '-Åse is in no group.\n',
    );
    expect(await printed(['user', 'show', '--', '-åse'])).toBe(
      [
        'login        -Åse',
        'uid          4711',
        'name         =🫐',
        'email        å@example.com',
        'status       active',
        'profile      country=NO note=a=b:=c traffic=5',
        'live tokens  1',
        `created      ${createdAt.replace(/\.\d+Z$/, 'Z')}`,
        '',
      ].join('\n'),
    );
    expect(await printed(['group', 'list'])).toMatch(
      /^NAME +SUBJECT +STATUS +USERS +SERVICES +ROLES +DISPLAY NAME\n[\s\S]*^-- Åse +-ase +active +0 +1, 2 +"\$HOME"\n$/m,
    );
  });

  test('roles: given, shown, taken away', async () => {
    const roles = async () => {
      const [user, groups] = await Promise.all([
        json(['user', 'show', 'test2']),
        json(['group', 'list']),
      ]);
      return [user.roles, groups.find(({ name }: { name: string }) => name === 'Dev 01').roles];
    };
    expect(await printed(['user', 'add-role', 'TEST2', 'datasets:write'])).toBe(
      'test2 has the roles datasets:write.\n',
    );
    expect(await printed(['group', 'add-role', 'Dev 01', 'read'])).toBe(
      'The group Dev 01 has the roles read.\n',
    );
    expect(await json(['user', 'add-role', 'test2', 'admin'])).toMatchObject({
      login: 'test2',
      roles: ['admin', 'datasets:write'],
    });
    expect(await roles()).toEqual([['admin', 'datasets:write'], ['read']]);
    expect(await printed(['user', 'show', 'test2'])).toMatch(/^roles +admin, datasets:write$/m);
    expect(await printed(['group', 'list'])).toMatch(/^Dev 01 .* any +read +/m);

    for (const role of ['admin', 'datasets:write']) {
      await printed(['user', 'remove-role', 'test2', role]);
    }
    expect(await printed(['group', 'remove-role', 'Dev 01', 'read'])).toBe(
      'The group Dev 01 has no roles.\n',
    );
    expect(await roles()).toEqual([[], []]);
    expect(await admin(['user', 'remove-role', 'test2', 'admin'])).toEqual({
      code: 3,
      stdout: '',
      stderr: 'error: test2 does not have the role admin.\n',
    });
    expect((await admin(['user', 'add-role', 'test2', 'two words'])).code).toBe(2);
  });

  test('one that is there already: exit code 4', async () => {
    const args = ['user', 'create', '--login', 'TEST1', '--name', 'Other', '--json'];
    expect(await admin(args)).toEqual({
      code: 4,
      stdout: '',
      stderr:
        '{"error":{"code":"conflict","message":"There is a user \\"TEST1\\" already. Logins do not differ by case."}}\n',
    });
  });
});

describe('caller', () => {
  test('prints what the platform sends in Basic', async () => {
    const pair = await printed(['caller', 'authlete']);
    expect(pair).toBe('authlete-api-key-of-the-tests:blåbær:secret/of+the=tests\n');
    const response = await fetch(backend.url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Basic ${Buffer.from(pair.trim()).toString('base64')}`,
      },
      body: '{"serviceApiKey":1,"id":"test1","password":"test1"}',
    });
    expect(await response.json()).toMatchObject({ authenticated: true, subject: 'dev01' });
  });

  test('of a platform that calls without one', async () => {
    const { code, stdout, stderr } = await admin(['caller', 'pango']);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(
      /^error: No platform "pango" calls with a key and secret; those that do: .*authlete.*\.\n$/,
    );
  });
});

describe('what is wrong with a command line is said without a database', () => {
  const env = { DATABASE_URL: 'postgresql://nobody:in-the-url@127.0.0.1:1/nothing' };

  test.each([
    [['user', 'sho'], "unknown command 'sho' (Did you mean show?)"],
    [['user', 'set-password', 'test1'], 'Give --password-stdin or --generate.'],
    [
      ['token', 'mint', '--user', 'test1', '--ttl', '2592001'],
      "option '--ttl <seconds>' argument '2592001' is invalid. It must be a whole number from 1 to 2592000.",
    ],
    [
      ['token', 'mint', '--user', 'test1', '--scope', 'verify everything'],
      "option '--scope <names>' argument 'verify everything' is invalid. There is no scope \"everything\"; there are verify, openid, profile, email, userid-feide.",
    ],
    [
      ['user', 'create', '--login', 'x', '--name', 'X', '--profile', 'traffic:=[]'],
      "option '--profile <key=value...>' argument 'traffic:=[]' is invalid. It must be key=text, or key:=json for a number, true, false.",
    ],
  ])('%j', async (args, message) => {
    expect(await admin([...args, '--json'], { env })).toEqual({
      code: 2,
      stdout: '',
      stderr: `${JSON.stringify({ error: { code: 'invalid', message } })}\n`,
    });
  });

  test('--help tells the exit codes, with examples', async () => {
    const help = await printed(['--help'], { env });
    expect(help).toMatch(/^Usage: npm run admin -- /);
    expect(help).toContain('Examples:\n  npm run admin -- ');
    expect(help).toContain(
      'Exit codes: 0 done, 1 fault (the database is away …), 2 wrong usage or input, 3 not found, 4 conflict, 5 a check found something.',
    );
  });

  test('the database is away: one line, exit code 1', async () => {
    secret('in-the-url');
    expect(await admin(['user', 'list'], { env })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: The database does not answer: connect ECONNREFUSED 127.0.0.1:1\n',
    });
  });
});

test('whoever reads the output stops early', async () => {
  const { code, stderr } = await admin(['audit', 'list'], { unread: true });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

describe('npm run seed', () => {
  test('an empty database, one with users, production', async () => {
    const database = await createDatabase();
    const env = { DATABASE_URL: database.url };
    const production = {
      NODE_ENV: 'production',
      AUTHLETE_API_KEY: secret('4cf1f4c1f8e04dbb9a5d'),
      AUTHLETE_API_SECRET: secret('9d0c46cbd1b24b7a8f3e'),
      SESSION_SECRET: secret('0b7d2e6c91f84a35ae21'),
      CLIENT_TOKEN_SECRET: secret('f61c8a3e07d94b52ac18'),
    };
    try {
      expect(await run('scripts/seed.ts', [], { env: { ...env, ...production } })).toEqual({
        code: 1,
        stdout: '',
        stderr: 'The seed is not for production: everybody can read its passwords.\n',
      });
      expect(await run('scripts/seed.ts', [], { env })).toEqual({
        code: 0,
        stdout: expect.stringMatching(
          /^Applied \d+_\w+.*\.\nAdded 6 users and 2 groups; each one's password is the login\.\n$/,
        ),
        stderr: '',
      });
      expect(await run('scripts/seed.ts', [], { env })).toEqual({
        code: 0,
        stdout: 'The database is up to date.\nThere are users already: added nobody.\n',
        stderr: '',
      });
    } finally {
      await database.drop();
    }
  });
});

test('neither the trail nor a table holds a token or a password', async () => {
  const { prisma } = backend.services.database;
  const password = secret('hemmelig-passord');
  const args = ['user', 'create', '--login', 'confidant', '--name', 'C', '--password-stdin'];
  expect(await json(args, { stdin: `${password}\n` })).not.toHaveProperty('password');
  expect(await signsIn('confidant', password)).toBe(true);
  const token = secret((await printed(['token', 'mint', '--user', 'confidant'])).trim());
  const dump = JSON.stringify([
    await prisma.auditEvent.findMany({ where: { target: 'user:confidant' } }),
    await prisma.user.findMany({ where: { login: 'confidant' } }),
    await prisma.accessToken.findMany(),
    await prisma.grant.findMany(),
  ]);
  expect(dump).toContain('"action":"user.create"');
  expect(dump).toContain('"action":"token.issue"');
  expect(dump).not.toContain(password);
  expect(dump).not.toContain(token);
});
