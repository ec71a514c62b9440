/** Sessions in the database. */
import { createApp } from '../../app/app.ts';
import { createLog } from '../../app/log.ts';
import { digest } from '../../app/oauth/secrets.ts';
import { createServices } from '../../app/services.ts';
import { createDirectory } from '../../app/store/directory.ts';
import { createSessionStore } from '../../app/store/sessions.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { holdDatabase } from '../support/outage.ts';
import { mint } from '../support/tokens.ts';
import { visitor } from '../support/visitor.ts';

let backend: Backend;

beforeAll(async () => {
  backend = await startBackend({ SESSION_TTL: '7200' });
});

beforeEach(async () => {
  backend.clock.now = new Date('2026-01-01T12:00:00Z');
  await backend.services.database.prisma.session.deleteMany();
});

afterAll(() => backend.stop());

const sessions = () => backend.services.database.prisma.session;

/** The session id in a cookie `s:<id>.<signature>`. */
const idIn = (cookie: string) => decodeURIComponent(cookie).slice(2).split('.')[0] ?? '';

const isSignedIn = async (one: ReturnType<typeof visitor>) =>
  (await one.get('/login')).text.includes('You are signed in');

const forward = (seconds: number) => {
  backend.clock.now = new Date(backend.clock.now.getTime() + seconds * 1000);
};

test('the id is stored as its digest, and the row holds a uid, its epoch and a token', async () => {
  const one = visitor(backend);
  await one.signIn('test1');
  await one.get('/login');
  const id = idIn(one.cookies.get('idp_session') ?? '');
  expect(id).toMatch(/^[A-Za-z0-9_-]{43}$/);
  const [row, ...more] = await sessions().findMany();
  expect(more).toEqual([]);
  expect(row?.idHash).toBe(digest(id));
  expect(JSON.parse(row?.data ?? '')).toEqual({
    cookie: expect.any(Object),
    uid: 1,
    signInEpoch: 0,
    csrfToken: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test('signing in leaves no row of the session before', async () => {
  const one = visitor(backend);
  await one.get('/login');
  const before = digest(idIn(one.cookies.get('idp_session') ?? ''));
  expect(await sessions().count()).toBe(1);
  await one.signIn('test1');
  expect(await sessions().count()).toBe(1);
  expect(await sessions().count({ where: { idHash: before } })).toBe(0);
});

test('it lives as long as it is used, and ends exactly at its end', async () => {
  const one = visitor(backend);
  await one.signIn('test1');
  for (let hours = 0; hours < 5; hours++) {
    forward(7199);
    expect(await isSignedIn(one)).toBe(true);
  }
  forward(7200);
  expect(await isSignedIn(one)).toBe(false);
});

test('of somebody who only saw a form it ends after an hour', async () => {
  const one = visitor(backend);
  await one.get('/login');
  const [row] = await sessions().findMany();
  expect(row?.expiresAt).toEqual(new Date('2026-01-01T13:00:00Z'));
});

test('is written again only when that makes a difference', async () => {
  const one = visitor(backend);
  await one.signIn('test1');
  await one.get('/login');
  const expiry = async () => (await sessions().findFirstOrThrow()).expiresAt.toISOString();
  forward(60);
  await one.get('/login');
  expect(await expiry()).toBe('2026-01-01T14:00:00.000Z');
  forward(600);
  await one.get('/login');
  expect(await expiry()).toBe('2026-01-01T14:11:00.000Z');
});

test('other paths make none, and read none', async () => {
  const one = visitor(backend);
  for (const path of [
    '/',
    '/healthz',
    '/no-such-page',
    '/.well-known/oauth-authorization-server',
  ]) {
    expect((await one.get(path)).headers.getSetCookie()).toEqual([]);
  }
  expect(await sessions().count()).toBe(0);
});

test('another password ends it in each of his browsers, and in no other; his tokens too', async () => {
  const stolen = await mint(backend, 'test1');
  const others = await mint(backend, 'test3');
  const [laptop, phone, other] = [visitor(backend), visitor(backend), visitor(backend)];
  await laptop.signIn('test1');
  await laptop.get('/login');
  await phone.signIn('TEST1', 'test1');
  // A uid that begins as his does, which is 1.
  await backend.services.database.prisma.user.update({ where: { uid: 2 }, data: { uid: 12 } });
  await other.signIn('test2');
  const { database, passwords } = backend.services;
  const directory = createDirectory(database, passwords, 'test');
  await directory.setPassword('Test1', secret('another-password-of-test1'));
  expect(await isSignedIn(laptop)).toBe(false);
  expect(await isSignedIn(phone)).toBe(false);
  expect(await isSignedIn(other)).toBe(true);
  const verified = async (token: string) =>
    (await fetch(`${backend.url}/user/verify?token=${token}`)).status;
  expect(await verified(stolen)).toBe(422);
  expect(await verified(others)).toBe(200);
  await directory.setPassword('test1', 'test1');
  await database.prisma.user.update({ where: { uid: 12 }, data: { uid: 2 } });
});

test('a cookie that we did not sign is none', async () => {
  const one = visitor(backend);
  await one.signIn('test1');
  const id = idIn(one.cookies.get('idp_session') ?? '');
  for (const cookie of [id, `s:${id}`, `s%3A${id}.${'A'.repeat(43)}`, 'x', '%']) {
    const other = visitor(backend);
    other.cookies.set('idp_session', cookie);
    expect(await isSignedIn(other)).toBe(false);
  }
});

test('another process knows it', async () => {
  const { config, log } = backend;
  const one = visitor(backend);
  await one.signIn('test1');
  const services = await createServices(config, { now: () => backend.clock.now });
  const app = createApp(config, backend.url, services, createLog(config, { write: () => log }));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as { port: number };
  const response = await fetch(`http://127.0.0.1:${port}/login`, {
    headers: { cookie: `idp_session=${one.cookies.get('idp_session')}` },
  });
  expect(await response.text()).toContain('You are signed in');
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await services.close();
});

test('more than a session can have is refused', async () => {
  const { services } = backend;
  const store = createSessionStore(
    services.database,
    { signedIn: 60, anonymous: 60 },
    services.now,
  );
  const content = { cookie: { originalMaxAge: null }, csrfToken: 'x'.repeat(5000) };
  const error = await new Promise((resolve) => store.set('an-id', content, resolve));
  expect(error).toBeInstanceOf(Error);
  expect(await sessions().count()).toBe(0);
});

test('while the database is away: 503, and no session is made up', async () => {
  const one = visitor(backend);
  const release = await holdDatabase(backend);
  const { status, headers, text } = await one.get('/login').finally(release);
  expect(status).toBe(503);
  expect(text).toContain('<h1>Please try again in a moment</h1>');
  expect(text).toContain(headers.get('x-request-id'));
  expect(headers.get('retry-after')).toBe('1');
  expect(headers.getSetCookie()).toEqual([]);
  expect((await one.get('/login')).status).toBe(200);
}, 20_000);
