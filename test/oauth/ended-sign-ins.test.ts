/** What was begun with a password, or in a session, that has ended meanwhile: nothing comes of it. */
import { createClientTokenStore } from '../../app/store/client-tokens.ts';
import { createDirectory, type Directory } from '../../app/store/directory.ts';
import { Unavailable } from '../../app/verification/unavailable.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { mint } from '../support/tokens.ts';
import { formOf, visitor } from '../support/visitor.ts';

const another = secret('another-password-of-the-tests');

let backend: Backend;
let directory: Directory;

beforeEach(async () => {
  backend = await startBackend({ FIRST_PARTY_LOGIN: 'true' });
  const { database, passwords } = backend.services;
  directory = createDirectory(database, passwords, 'test');
});

afterEach(() => backend.stop());

/** `meanwhile` happens once, after the next comparison of a password and before anything comes of it. */
function whenCompared(meanwhile: () => Promise<unknown>) {
  const { passwords } = backend.services;
  const { matches } = passwords;
  const held: typeof matches = async (password, hash) => {
    Object.assign(passwords, { matches });
    const answer = await matches(password, hash);
    await meanwhile();
    return answer;
  };
  Object.assign(passwords, { matches: held });
}

const login = (password: string) =>
  fetch(`${backend.url}/user/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: 'test1', password }),
  });

const ends = [
  ['another password', () => directory.setPassword('test1', another)],
  [
    'a suspension that is over again',
    async () => {
      await directory.setUserStatus('test1', 'suspended');
      await directory.setUserStatus('test1', 'active');
    },
  ],
] as const;

describe.each(ends)('%s, while the old one is compared', (_what, end) => {
  test('POST /user/login: no token', async () => {
    whenCompared(end);
    const answer = await login('test1');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await backend.services.tokens.countLive(1)).toBe(0);
    expect(await backend.services.database.prisma.grant.count({ where: { userUid: 1 } })).toBe(0);
  });

  test('the sign-in page: nobody is signed in', async () => {
    const who = visitor(backend);
    const { text } = await who.get('/login');
    whenCompared(end);
    await who.post('/login', { ...formOf(text, '/login'), login: 'test1', password: 'test1' });
    expect((await who.get('/login')).text).not.toContain('You are signed in');
  });
});

test('afterwards the old password is refused, and the new one is good', async () => {
  whenCompared(() => directory.setPassword('test1', another));
  await login('test1');
  expect((await login('test1')).status).toBe(401);
  const answer = await login(another);
  expect(answer.status).toBe(200);
  secret(((await answer.json()) as { access_token: string }).access_token);
});

describe('a request that read its session just before', () => {
  const stale = { uid: 1, signInEpoch: 0 };
  const grant = { ...stale, clientId: 'demo-app', scope: ['verify'], resource: undefined };
  const expiresAt = new Date('2100-01-01');

  type Issue = () => Promise<unknown>;
  const issues: [what: string, issue: Issue][] = [
    [
      'an authorization code',
      () =>
        backend.services.grants.authorize(grant, {
          code: secret('code-of-a-sign-in-that-ended'),
          redirectUri: undefined,
          codeChallenge: undefined,
          expiresAt,
        }),
    ],
    ["a device's grant", () => backend.services.grants.allowDevice('WDJB-MJHT', grant)],
    [
      'an access token',
      () => backend.services.tokens.issue({ ...grant, ttl: 3600, actor: 'uid:1' }),
    ],
    [
      'a client token',
      () =>
        createClientTokenStore(backend.services.database, () => new Date()).add('some-id', {
          ...stale,
          expiresAt,
        }),
    ],
  ];

  const issued = async () => {
    const { grant, clientToken } = backend.services.database.prisma;
    const where = { userUid: 1 };
    return (await grant.count({ where })) + (await clientToken.count({ where }));
  };

  test.each(issues)('%s: is not issued', async (_what, issue) => {
    await directory.setPassword('test1', another);
    await expect(issue()).rejects.toThrow(Unavailable);
    expect(await issued()).toBe(0);
  });

  test.each(issues)('%s: waits for a change that is under way', async (_what, issue) => {
    let answer: Promise<unknown> | undefined;
    await backend.services.database.prisma.$transaction(async (db) => {
      await db.user.update({ where: { uid: 1 }, data: { signInEpoch: { increment: 1 } } });
      answer = issue().catch((error: unknown) => error);
      // Another connection's turn: that of the issue, where it does not wait.
      for (let turn = 0; turn < 10; turn += 1) await db.user.count();
    });
    expect(await answer).toBeInstanceOf(Unavailable);
    expect(await issued()).toBe(0);
  });
});

test('a session that a late request has stored again is nobody’s', async () => {
  const who = visitor(backend);
  await who.signIn('test1');
  const { session } = backend.services.database.prisma;
  const [row] = await session.findMany({ where: { data: { contains: '"uid":1' } } });
  await directory.setPassword('test1', another);
  expect(await session.count({ where: { data: { contains: '"uid":1' } } })).toBe(0);
  if (row) await session.create({ data: row });
  expect((await who.get('/login')).text).not.toContain('You are signed in');
});

test('a suspension ends the sessions for good, and the access tokens while it lasts', async () => {
  const token = await mint(backend, 'test1');
  const who = visitor(backend);
  const other = visitor(backend);
  await who.signIn('test1');
  await other.signIn('test2');
  const verified = async () => (await fetch(`${backend.url}/user/verify?token=${token}`)).status;

  await directory.setUserStatus('test1', 'suspended');
  expect(await verified()).toBe(422);
  await directory.setUserStatus('test1', 'active');
  expect(await verified()).toBe(200);
  expect((await who.get('/login')).text).not.toContain('You are signed in');
  expect((await other.get('/login')).text).toContain('You are signed in');
});
