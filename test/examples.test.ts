/** What examples/ shows works: a directory that speaks HTTP as user store, a platform more, and modules of dgp-oauth2. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { createApp } from '../app/app.ts';
import { readConfig } from '../app/config.ts';
import { createLog } from '../app/log.ts';
import { platforms } from '../app/platforms/index.ts';
import { type Bindings, bind } from '../app/scenarios/scenario.ts';
import { Unavailable } from '../app/verification/unavailable.ts';
import { createVerify, type UserStore, type Verify } from '../app/verification/verify.ts';
import { lastSeen } from '../examples/extension.ts';
import { acme } from '../examples/platform.ts';
import { createHttpUsers, tokensForUsersOf } from '../examples/user-store.ts';
import { type Backend, startBackend } from './support/backend.ts';
import { secret } from './support/canaries.ts';
import { houseOf } from './support/client-tokens.ts';
import { send } from './support/send.ts';
import { signInThrough } from './support/sign-in.ts';
import { bindings, mint, uidOf } from './support/tokens.ts';
import { visitor } from './support/visitor.ts';

const simon = {
  uid: 2345,
  login: 'simon371',
  name: 'Simon Davis',
  email: 'simon371@example.com',
  status: 'active',
};

const password = secret('his-password');
const wrong = secret('not-his-password');

/** The customer's directory; `said` is what it says next. */
let said: { status: number; body: unknown };
let asked: { url: string | undefined; body?: unknown };
let directory: Server;
let users: UserStore;

beforeAll(async () => {
  directory = createServer(async (request, response) => {
    asked = { url: request.url };
    if (request.method === 'POST') asked.body = await json(request);
    response.writeHead(said.status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(said.body));
  });
  await new Promise<void>((listening) => directory.listen(0, '127.0.0.1', listening));
  users = createHttpUsers(`http://127.0.0.1:${(directory.address() as AddressInfo).port}`);
});

afterAll(() => {
  directory.closeAllConnections();
  return new Promise((closed) => directory.close(closed));
});

describe('a user store that speaks HTTP', () => {
  test('knows the password', async () => {
    said = { status: 200, body: { matches: true, user: simon } };

    expect(await users.checkPassword('Simon371', password)).toEqual({
      passwordMatches: true,
      subject: {
        user: {
          uid: 2345,
          login: 'simon371',
          name: 'Simon Davis',
          email: 'simon371@example.com',
          group: undefined,
          profile: {},
        },
        userActive: true,
        groupActive: true,
      },
    });
    expect(asked).toEqual({
      url: '/password',
      body: { login: 'Simon371', password: 'his-password' },
    });
  });

  test('knows that the password is wrong, and that the user is locked', async () => {
    said = { status: 200, body: { matches: false, user: { ...simon, status: 'locked' } } };

    expect(await users.checkPassword('simon371', wrong)).toMatchObject({
      passwordMatches: false,
      subject: { userActive: false },
    });
  });

  test('knows nobody of that login or uid', async () => {
    said = { status: 404, body: {} };

    expect(await users.checkPassword('nobody', password)).toBeUndefined();
    expect(await users.findUser(99)).toBeUndefined();
    expect(asked.url).toBe('/users/99');
    expect(await users.findUserByLogin('no body')).toBeUndefined();
    expect(asked.url).toBe('/users?login=no%20body');
  });

  test('throws when the directory is not well, not reachable, or not understood', async () => {
    said = { status: 500, body: {} };
    await expect(users.findUser(2345)).rejects.toThrow(Unavailable);

    said = { status: 200, body: { uid: 'simon371' } };
    await expect(users.findUser(2345)).rejects.toThrow('Invalid input');

    const gone = createServer();
    await new Promise<void>((listening) => gone.listen(0, '127.0.0.1', listening));
    const { port } = gone.address() as AddressInfo;
    await new Promise((closed) => gone.close(closed));
    const away = createHttpUsers(`http://127.0.0.1:${port}`);
    await expect(away.findUser(2345)).rejects.toThrow(Unavailable);
  });
});

describe('with tokens of ours', () => {
  let backend: Backend;
  let token: string;
  let verify: Verify;

  beforeAll(async () => {
    backend = await startBackend();
    token = await mint(backend, 'simon371');
    const tokens = tokensForUsersOf(users, backend.services.tokens);
    verify = createVerify(
      users,
      tokens,
      (_who, attempt) => attempt(),
      () => backend.clock.now,
    );
  });

  afterAll(() => backend.stop());

  const credential = () => ({ kind: 'token', token, scope: 'verify' }) as const;

  test('the user of the directory is accepted', async () => {
    said = { status: 200, body: { ...simon, name: 'Simon Peter Davis' } };

    expect(await verify(credential())).toMatchObject({
      accepted: true,
      user: { uid: 2345, name: 'Simon Peter Davis' },
    });
  });

  test('the user whom the directory has locked since is refused', async () => {
    said = { status: 200, body: { ...simon, status: 'locked' } };

    expect(await verify(credential())).toEqual({
      accepted: false,
      because: 'user-suspended',
      about: { uid: 2345, login: 'simon371' },
    });
  });

  test('the user who has left the directory is refused', async () => {
    said = { status: 404, body: {} };

    expect(await verify(credential())).toEqual({ accepted: false, because: 'unknown' });
  });

  test('a directory that is away is a fault, not a refusal', async () => {
    said = { status: 503, body: {} };

    await expect(verify(credential())).rejects.toThrow(Unavailable);
  });
});

describe('a platform of your own', () => {
  let backend: Backend;
  let server: Server;
  let bound: Bindings;

  beforeAll(async () => {
    backend = await startBackend();
    bound = await bindings(backend);
    const config = readConfig({ PLATFORMS: 'acme', NODE_ENV: 'test' }, [...platforms, acme]);
    const log = createLog({ ...config, LOG_LEVEL: 'silent' });
    server = createServer(createApp(config, backend.url, backend.services, log));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  });

  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    await backend.stop();
  });

  test.each(acme.scenarios)('$title', async ({ send: request, expect: expected }) => {
    const { port } = server.address() as AddressInfo;
    const received = await send(`http://127.0.0.1:${port}`, bind(request, bound));

    expect(received.status).toBe(expected.status);
    expect(received.text).toBe(expected.text);
  });
});

describe('modules of dgp-oauth2', () => {
  let backend: Backend;

  beforeAll(async () => {
    backend = await startBackend({
      ALLOWED_SERVICES: 'billing:./examples/permissions.ts',
      INSTALLED_EXTENSIONS: './examples/extension.ts',
    });
  });

  afterAll(() => backend.stop());

  const authorize = async (login: string) => {
    const jwt = secret(await houseOf(backend).clientTokens.issue(uidOf(login), 60));
    const response = await fetch(`${backend.url}/auth/authorize?service=billing&jwt=${jwt}`);
    const { token, ...answer } = (await response.json()) as Record<string, unknown>;
    if (typeof token === 'string') secret(token);
    return answer;
  };

  test('the permission provider goes by the group', async () => {
    expect(await authorize('test3')).toEqual({
      userid: '3',
      service: 'billing',
      permissions: { read: true, write: false, folders: ['/Dev 02', '/users/3'] },
    });
  });

  test('who has no group is not for it', async () => {
    expect(await authorize('simon371')).toEqual({ permissions: {} });
  });

  test('the extension knows who is here', async () => {
    const start = '/auth/login?provider=local&next=http://localhost:3000';
    const { location } = await signInThrough(visitor(backend), start, 'test1');
    const jwt = secret(new URL(String(location)).searchParams.get('jwt') ?? '');
    expect([...lastSeen.keys()]).toEqual(['1']);

    await fetch(`${backend.url}/auth/logout?jwt=${jwt}`, { method: 'POST' });
    expect(lastSeen.size).toBe(0);
  });
});
