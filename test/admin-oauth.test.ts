/** The admin command's clients, grants and keys, as a process of its own, beside a backend that is running. */
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { readKeys } from '../app/oauth/keys.ts';
import { projectRoot } from '../app/project-root.ts';
import { trail } from '../app/store/audit.ts';
import { apiKey, apiSecret, type Backend, startBackend } from './support/backend.ts';
import { logFile, secret } from './support/canaries.ts';
import {
  allow,
  isGood,
  phoneApp,
  receive,
  redeeming,
  refreshing,
  register,
  tokenRequest,
} from './support/oauth.ts';
import { mint } from './support/tokens.ts';

import.meta.jest.setTimeout(60_000);

let backend: Backend;
const folder = mkdtempSync(join(tmpdir(), 'admin-oauth-'));
const keysFile = join(folder, 'keys.json');
const actor = `admin:${userInfo().username}`;

beforeAll(async () => {
  backend = await startBackend({ KEYS_FILE: keysFile });
});

afterAll(async () => {
  await backend.stop();
  rmSync(folder, { recursive: true });
});

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

const admin = (...args: readonly string[]) => adminWith({}, ...args);

function adminWith(
  environment: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/admin.ts', ...args], {
    cwd: projectRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NODE_ENV: 'test',
      DATABASE_URL: backend.config.DATABASE_URL,
      AUTHLETE_API_KEY: apiKey,
      AUTHLETE_API_SECRET: apiSecret,
      SESSION_SECRET: backend.config.SESSION_SECRET,
      CLIENT_TOKEN_SECRET: backend.config.CLIENT_TOKEN_SECRET,
      KEYS_FILE: keysFile,
      ...environment,
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    // Searched for secrets when all tests are through. Standard output is where a new one belongs.
    appendFileSync(logFile(), text);
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Where all went well and nothing was to be said beside. */
async function json(...args: readonly string[]) {
  const { code, stdout, stderr } = await admin(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

const trailOf = async (target: string, limit: number) =>
  (await trail(backend.services.database, { target, limit })).map(({ at: _, ...event }) => event);

describe('client', () => {
  const asks = async (id: string, given: string) =>
    (await tokenRequest(backend, { id, secret: given }, { grant_type: 'client_credentials' }))
      .status;

  test('from its creation to its end', async () => {
    const uris = ['https://shop.example/callback', 'https://shop.example/other'];
    const created = await admin(
      ...['client', 'create', '--id', 'shop', '--name', 'Shop', '--confidential', '--no-pkce'],
      ...['--redirect-uri', ...uris, '--scope', 'verify profile', '--first-party'],
      ...['--grant-type', 'authorization_code', '--grant-type', 'client_credentials'],
    );
    expect(created).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^[\w-]{43}\n$/),
      stderr: 'Created the client shop. The secret is shown this once:\n',
    });
    const first = secret(created.stdout.trim());
    expect(await asks('shop', first)).toBe(200);

    const shop = {
      id: 'shop',
      name: 'Shop',
      scope: ['verify', 'profile'],
      confidential: true,
      redirectUris: uris,
      grantTypes: ['authorization_code', 'client_credentials'],
      pkceRequired: false,
      firstParty: true,
      createdAt: expect.any(String),
    };
    const list: { id: string }[] = await json('client', 'list');
    expect(list.filter(({ id }) => id === 'shop')).toEqual([shop]);

    const rotated = await json('client', 'rotate-secret', 'shop');
    expect(rotated).toEqual({ id: 'shop', secret: expect.stringMatching(/^[\w-]{43}$/) });
    expect(await asks('shop', first)).toBe(401);
    expect(await asks('shop', secret(rotated.secret))).toBe(200);

    expect(await admin('client', 'delete', 'shop')).toEqual({
      ...{ code: 0, stdout: 'Deleted the client shop.\n', stderr: '' },
    });
    expect(await asks('shop', rotated.secret)).toBe(401);
    expect(await trailOf('client:shop', 9)).toEqual([
      { actor, action: 'client.delete', target: 'client:shop', detail: {} },
      { actor, action: 'client.rotate-secret', target: 'client:shop', detail: {} },
      { actor, action: 'client.create', target: 'client:shop', detail: { confidential: true } },
    ]);
  });

  test('an app: no secret, and what is not said is the least', async () => {
    const uri = ['--redirect-uri', 'com.example.app:/callback'];
    expect(await json('client', 'create', '--id', 'app', '--name', 'App', ...uri)).toEqual({
      id: 'app',
      name: 'App',
      scope: ['verify'],
      confidential: false,
      redirectUris: ['com.example.app:/callback'],
      grantTypes: ['authorization_code', 'refresh_token'],
      pkceRequired: true,
      firstParty: false,
      createdAt: expect.any(String),
    });
    const { code, stdout } = await admin('client', 'list');
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toContainEqual([
      ...['app', 'public', 'required', 'verify', 'authorization_code refresh_token'],
      ...['com.example.app:/callback', 'App'],
    ]);
  });

  test.each([
    [
      ['create', '--id', 'demo-app', '--name', 'Another'],
      ...[4, 'conflict', 'There is a client "demo-app" already.'],
    ],
    [
      ['create', '--id', 'bad', '--name', 'Bad', '--redirect-uri', 'http://bad.example/'],
      ...[2, 'invalid', expect.stringContaining('"http://bad.example/" is not https')],
    ],
    [
      ['create', '--id', 'bad', '--name', 'Bad', '--scope', 'verify admin'],
      ...[2, 'invalid', expect.stringContaining('There is no scope "admin"')],
    ],
    [['delete', 'nobody'], 3, 'not_found', 'There is no client "nobody".'],
  ] as const)('%j: refused', async (args, code, error, message) => {
    const ended = await admin('client', ...args, '--json');
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    expect(JSON.parse(ended.stderr)).toEqual({ error: { code: error, message } });
  });
});

describe('grant', () => {
  const app = { id: phoneApp.id, secret: '' };

  /** The tokens of a user who allowed the phone app. */
  async function signIn(login: string) {
    const options = { client: phoneApp, login, redirectUri: phoneApp.redirectUris[0] };
    const form = redeeming(await allow(backend, options));
    const redirected = { ...form, redirect_uri: phoneApp.redirectUris[0] ?? '' };
    const { status, body } = await tokenRequest(backend, app, redirected);
    expect(status).toBe(200);
    return body;
  }

  beforeAll(() => register(backend, phoneApp));

  test('one is revoked, with its tokens; the others live', async () => {
    const body = await signIn('test2');
    const minted = await mint(backend, 'test2', { scope: ['verify'] });
    const before: { id: string; clientId: string }[] = await json(
      'grant',
      'list',
      '--user',
      'TEST2',
    );
    expect(before).toHaveLength(2);
    const ofPhone = before.find(({ clientId }) => clientId === 'phone-app');
    const id = String(ofPhone?.id);
    expect(ofPhone).toEqual({
      id,
      clientId: 'phone-app',
      scope: ['verify', 'profile'],
      createdAt: backend.clock.now.toISOString(),
      // REFRESH_TOKEN_TTL: 30 days.
      expiresAt: new Date(backend.clock.now.getTime() + 2_592_000_000).toISOString(),
      revokedAt: null,
    });
    expect(before.find(({ clientId }) => clientId === 'demo-app')).toMatchObject({
      ...{ scope: ['verify'], expiresAt: null, revokedAt: null },
    });

    expect(await isGood(backend, body['access_token'])).toBe(true);
    expect(await admin('grant', 'revoke', id)).toEqual({
      ...{ code: 0, stdout: `The grant ${id} is revoked.\n`, stderr: '' },
    });
    expect(await isGood(backend, body['access_token'])).toBe(false);
    const refreshed = await tokenRequest(backend, app, refreshing(body['refresh_token']));
    expect(refreshed.body['error']).toBe('invalid_grant');
    expect(await isGood(backend, minted)).toBe(true);

    const { revokedAt } = (await json('grant', 'list', '--user', 'test2')).find(
      (one: { id: string }) => one.id === id,
    );
    expect(Date.parse(revokedAt)).toBeGreaterThanOrEqual(backend.clock.now.getTime());

    // Twice is no mistake, and no second event.
    expect(await json('grant', 'revoke', id)).toEqual({ id, revoked: true });
    const detail = { grant: id, client: 'phone-app' };
    const events = (await trailOf('user:test2', 9)).filter(({ actor: by }) => by === actor);
    expect(events).toEqual([{ actor, action: 'grant.revoke', target: 'user:test2', detail }]);
  });

  test('all of a user are revoked; nobody else loses anything', async () => {
    const { access_token } = await signIn('test3');
    const minted = await mint(backend, 'test3');
    const another = await mint(backend, 'test1');
    expect(await admin('grant', 'revoke', '--user', 'TEST3')).toEqual({
      ...{ code: 0, stdout: 'Revoked 2 grants of test3.\n', stderr: '' },
    });
    expect(await isGood(backend, access_token)).toBe(false);
    expect(await isGood(backend, minted)).toBe(false);
    expect(await isGood(backend, another)).toBe(true);

    expect(await json('grant', 'revoke', '--user', 'test3')).toEqual({ user: 'test3', revoked: 0 });
    const events = (await trailOf('user:test3', 9)).filter(({ actor: by }) => by === actor);
    expect(events).toEqual([
      { actor, action: 'grant.revoke-all', target: 'user:test3', detail: { grants: 2 } },
    ]);

    const { stdout } = await admin('grant', 'list', '--user', 'test3');
    const [names = '', ...rows] = stdout.trimEnd().split('\n');
    expect(names.split(/ {2,}/)).toEqual([
      ...['ID', 'CLIENT', 'SCOPE', 'CREATED', 'EXPIRES', 'REVOKED'],
    ]);
    expect(rows).toHaveLength(2);
    for (const row of rows) expect(row).toMatch(/ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  test.each([
    [['revoke', 'nothing'], 3, 'There is no grant "nothing".'],
    [['revoke'], 2, 'Give the ID of a grant, or --user LOGIN.'],
    [['revoke', 'x', '--user', 'test1'], 2, 'Give the ID of a grant, or --user LOGIN.'],
    [['list', '--user', 'nobody'], 3, 'There is no user "nobody".'],
  ] as const)('%j: refused', async (args, code, message) => {
    expect(await admin('grant', ...args)).toEqual({
      ...{ code, stdout: '', stderr: `error: ${message}\n` },
    });
  });
});

test('key: made once, rotated, published by the server that runs; never printed', async () => {
  const printed: string[] = [];
  const key = async (...args: readonly string[]) => {
    const ended = await admin('key', ...args, '--json');
    printed.push(ended.stdout, ended.stderr);
    for (const { d, p, q, dp, dq, qi } of await readKeys(keysFile)) {
      for (const member of [d, p, q, dp, dq, qi]) {
        secret(member);
        expect(printed.join('\n')).not.toContain(member);
      }
    }
    return { code: ended.code, ...JSON.parse(`{"said":${ended.stdout || ended.stderr}}`) };
  };
  const published = async () => {
    const { body } = await receive(fetch(`${backend.url}/.well-known/jwks.json`));
    return (body['keys'] as { kid: string }[]).map(({ kid }) => kid);
  };

  const message = `There is no ${keysFile} yet; for the first key: key generate.`;
  expect(await key('rotate')).toEqual({ code: 3, said: { error: { code: 'not_found', message } } });
  expect(existsSync(keysFile)).toBe(false);
  expect(await key('list')).toEqual({ code: 0, said: [] });
  expect(await published()).toEqual([]);

  const { code, said: first } = await key('generate');
  expect(code).toBe(0);
  expect(first).toEqual({
    kid: expect.stringMatching(/^[\w-]{43}$/),
    ...{ alg: 'RS256', createdAt: expect.any(String), current: true },
  });
  expect(statSync(keysFile).mode & 0o777).toBe(0o600);
  expect(await published()).toEqual([first.kid]);

  const again = await key('generate');
  expect([again.code, again.said.error.code]).toEqual([4, 'conflict']);
  expect(await published()).toEqual([first.kid]);

  const { said: both } = await key('rotate');
  expect(both).toEqual([expect.objectContaining({ current: true }), { ...first, current: false }]);
  expect(await published()).toEqual([both[0].kid, first.kid]);

  const { said: three } = await key('rotate');
  expect(await published()).toEqual([three[0].kid, both[0].kid, first.kid]);
  expect(printed.at(-1)).toBe('');

  const { said: alone } = await key('rotate', '--keep', '1');
  const dropped = (kid: string) =>
    expect.stringMatching(
      `^The key ${kid} is dropped: what it signed may live until [-\\d]+T[:\\d]+Z, and is not good from now on\\.$`,
    );
  const warnings = printed.at(-1)?.trimEnd().split('\n') ?? [];
  expect(warnings.map((line) => JSON.parse(line).warning.message)).toEqual(
    [three[0].kid, both[0].kid, first.kid].map(dropped),
  );
  expect(await published()).toEqual([alone[0].kid]);
  expect((await key('list')).said).toEqual(alone);
});

test('key, with PRIVATE_KEY: that one is current, whatever is in the file', async () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const PRIVATE_KEY = secret(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const KEYS_FILE = join(folder, 'beside.json');
  const jwk = pair.publicKey.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint(jwk as JWK, 'sha256');

  const made = await adminWith({ PRIVATE_KEY, KEYS_FILE }, 'key', 'generate');
  const [key] = await readKeys(KEYS_FILE);
  expect(made).toEqual({
    code: 0,
    stdout: `Made the key ${key?.kid}.\n`,
    stderr: 'warning: PRIVATE_KEY is set: that key signs, not one of KEYS_FILE.\n',
  });
  const { stdout } = await adminWith({ PRIVATE_KEY, KEYS_FILE }, 'key', 'list', '--json');
  expect(JSON.parse(stdout)).toEqual([
    { kid, alg: 'RS256', createdAt: null, current: true },
    { kid: key?.kid, alg: 'RS256', createdAt: expect.any(String), current: false },
  ]);

  const FORMER_PUBLIC_KEYS = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const former = await adminWith({ FORMER_PUBLIC_KEYS, KEYS_FILE }, 'key', 'list', '--json');
  expect(JSON.parse(former.stdout)).toEqual([
    { kid: key?.kid, alg: 'RS256', createdAt: expect.any(String), current: true },
    { kid, alg: 'RS256', createdAt: null, current: false },
  ]);
});
