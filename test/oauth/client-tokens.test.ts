/** Signed tokens that an App keeps for its user: what they are, and everything that is none. */
import { createPublicKey, hash } from 'node:crypto';
import { base64url, decodeJwt, decodeProtectedHeader, SignJWT, UnsecuredJWT } from 'jose';
import { platformServices } from '../../app/platform-services.ts';
import type { ClientTokens } from '../../app/platforms/platform.ts';
import { createServices } from '../../app/services.ts';
import { trail } from '../../app/store/audit.ts';
import { createDirectory, type Directory } from '../../app/store/directory.ts';
import type { Verdict } from '../../app/verification/verdict.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { pass } from '../support/oauth.ts';
import { uidOf } from '../support/tokens.ts';

let backend: Backend;
let tokens: ClientTokens;
let directory: Directory;

const quiet = { error() {} };
const day = 86_400;

beforeAll(async () => {
  backend = await startBackend();
  const { config, services, url } = backend;
  tokens = platformServices(config, url, services, quiet).clientTokens;
  directory = createDirectory(services.database, services.passwords, 'admin:tester');
});

afterAll(() => backend.stop());

beforeEach(() => {
  backend.clock.now = new Date('2026-03-01T12:00:00Z');
});

const issue = async (login = 'test1', ttl = 14 * day) =>
  secret(await tokens.issue(uidOf(login), ttl));

const outcome = (verdict: Verdict) => (verdict.accepted ? verdict.user.login : verdict.because);
const ask = async (token: string, by = tokens) => outcome(await by.verify(token));

/** As the house derives it. */
const keyOf = (text: string) => hash('sha256', `client token ${text}`, 'buffer');

type Forgery = {
  readonly claims?: Record<string, unknown>;
  readonly header?: { alg: string; [name: string]: unknown };
  readonly key?: Uint8Array;
};

/** A good token of test1, as the house would make it, but for this. */
function forge(good: string, { claims = {}, header = { alg: 'HS256' }, key }: Forgery) {
  return new SignJWT({ ...decodeJwt(good), ...claims })
    .setProtectedHeader(header)
    .sign(key ?? keyOf(backend.config.CLIENT_TOKEN_SECRET));
}

test('what is in it, and what is stored of it', async () => {
  const token = await issue();
  const { jti, iat, ...claims } = decodeJwt(token);
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT' });
  expect(iat).toBe(1_772_366_400);
  expect(claims).toEqual({
    userid: String(uidOf('test1')),
    iss: backend.url,
    aud: backend.url,
    exp: 1_773_576_000,
  });
  const where = { id: String(jti) };
  expect(await backend.services.database.prisma.clientToken.findMany({ where })).toEqual([
    {
      id: jti,
      userUid: uidOf('test1'),
      createdAt: new Date('2026-03-01T12:00:00Z'),
      expiresAt: new Date('2026-03-15T12:00:00Z'),
      revokedAt: null,
    },
  ]);
  expect(await ask(token)).toBe('test1');
  // Made again from its parts, it is good as well: the forgeries below fail for what they change.
  expect(await ask(await forge(token, {}))).toBe('test1');
});

test('two sign-ins: two tokens; the end of one is not that of the other', async () => {
  const [one, two] = [await issue(), await issue()];
  expect(one).not.toBe(two);
  await tokens.revoke(one);
  expect([await ask(one), await ask(two)]).toEqual(['revoked', 'test1']);
});

describe('its time', () => {
  test('good until the second it expires in, and not in it', async () => {
    const token = await issue('test1', 60);
    pass(backend, 59.999);
    expect(await ask(token)).toBe('test1');
    pass(backend, 0.001);
    expect(await ask(token)).toBe('expired');
  });

  test('who signs a later end into it gains nothing: the stored one counts', async () => {
    const token = await issue('test1', 60);
    const longer = await forge(token, { claims: { exp: (decodeJwt(token).exp ?? 0) + day } });
    expect(await ask(longer)).toBe('test1');
    pass(backend, 61);
    expect(await ask(longer)).toBe('expired');
  });
});

describe('its end', () => {
  test('revoked: at once, in every process, with a trace; twice is once', async () => {
    const token = await issue('test2');
    const otherServices = await createServices(backend.config, { now: () => backend.clock.now });
    const other = platformServices(backend.config, backend.url, otherServices, quiet).clientTokens;
    expect(await ask(token, other)).toBe('test2');
    await tokens.revoke(token);
    await tokens.revoke(token);
    expect([await ask(token), await ask(token, other)]).toEqual(['revoked', 'revoked']);
    await otherServices.close();
    const events = await trail(backend.services.database, { target: 'user:test2', limit: 2 });
    expect(events.map(({ actor, action }) => [actor, action])).toEqual([
      ['user:test2', 'client-token.revoke'],
      ['user:test2', 'client-token.issue'],
    ]);
  });

  test('the user is suspended: at once, and for good', async () => {
    const [token, others] = [await issue(), await issue('test2')];
    await directory.setUserStatus('test1', 'suspended');
    expect(await ask(token)).toBe('revoked');
    await directory.setUserStatus('test1', 'active');
    expect([await ask(token), await ask(others)]).toEqual(['revoked', 'test2']);
    expect(await ask(await issue())).toBe('test1');
  });

  test('one that is issued while the user is suspended is not good then, nor later', async () => {
    await directory.setUserStatus('test1', 'suspended');
    const token = await issue();
    expect(await ask(token)).toBe('user-suspended');
    await directory.setUserStatus('test1', 'active');
    expect(await ask(token)).toBe('revoked');
  });

  test('an activation of one who is active ends nothing', async () => {
    const token = await issue();
    await directory.setUserStatus('test1', 'active', 'to be sure');
    expect(await ask(token)).toBe('test1');
  });

  test('the group is suspended: for as long as that lasts', async () => {
    const token = await issue();
    await directory.setGroupStatus('Dev 01', 'suspended');
    expect(await ask(token)).toBe('group-suspended');
    await directory.setGroupStatus('Dev 01', 'active');
    expect(await ask(token)).toBe('test1');
  });

  test('another password ends it', async () => {
    const token = await issue();
    await directory.setPassword('test1', secret('another password of his'));
    expect(await ask(token)).toBe('revoked');
  });

  test('the user is deleted, and his tokens with him', async () => {
    const { prisma } = backend.services.database;
    const { uid } = await directory.createUser({ login: 'leaver', name: 'Leaver' });
    const token = secret(await tokens.issue(uid, 60));
    expect(await ask(token)).toBe('leaver');
    const rows = () => prisma.clientToken.count({ where: { userUid: uid } });
    expect(await rows()).toBe(1);
    await prisma.user.delete({ where: { uid } });
    expect(await ask(token)).toBe('user-gone');
    expect(await rows()).toBe(0);
  });

  test('signed by us, and never issued', async () => {
    const jti = '7d4a2a52-9b0e-4f3b-8a57-0d1f6b1c2e3d';
    expect(await ask(await forge(await issue(), { claims: { jti } }))).toBe('user-gone');
  });
});

describe('not a token of ours', () => {
  test.each<[string, (good: string) => string | Promise<string>]>([
    ['nothing', () => ''],
    ['the text undefined', () => 'undefined'],
    ['the text null', () => 'null'],
    ['garbage', () => 'a.b.c'],
    ['dots', () => '..'],
    ['NUL and more', () => '\0\u{d800}.\n.\u{10ffff}'],
    ['100 kB', () => 'x'.repeat(100_000)],
    ['100 kB with a good token in front', (good) => good + 'x'.repeat(100_000)],
    ['cut short', (good) => good.slice(0, -1)],
    ['without a signature', (good) => good.replace(/[^.]+$/, '')],
    ['with spaces around it', (good) => ` ${good} `],
    [
      'with another payload under the same signature',
      (good) => {
        const [head, , signature] = good.split('.');
        const claims = { ...decodeJwt(good), userid: String(uidOf('test2')) };
        return `${head}.${base64url.encode(JSON.stringify(claims))}.${signature}`;
      },
    ],
    ['alg: none', (good) => new UnsecuredJWT(decodeJwt(good)).encode()],
    [
      'alg: none with a signature',
      (good) => good.replace(/^[^.]+/, base64url.encode('{"alg":"none"}')),
    ],
    ['a header that is not JSON', (good) => good.replace(/^[^.]+/, base64url.encode('alg'))],
    ['HS512 with the right key', (good) => forge(good, { header: { alg: 'HS512' } })],
    ['another secret', (good) => forge(good, { key: keyOf('another secret altogether') })],
    [
      'the secret itself for the key',
      (good) => forge(good, { key: new TextEncoder().encode(backend.config.CLIENT_TOKEN_SECRET) }),
    ],
    ['the session secret', (good) => forge(good, { key: keyOf(backend.config.SESSION_SECRET) })],
    [
      'HS256 with the text of the RSA public key',
      async (good) =>
        forge(good, { key: new TextEncoder().encode(await backend.services.keys.publicKey()) }),
    ],
    [
      'HS256 with the bytes of the RSA public key',
      async (good) =>
        forge(good, {
          key: createPublicKey(await backend.services.keys.publicKey()).export({
            type: 'spki',
            format: 'der',
          }),
        }),
    ],
    [
      'RS256 with our own key, the same claims',
      (good) => backend.services.keys.sign(decodeJwt(good)),
    ],
    [
      'a permission token',
      () => backend.services.keys.sign({ userid: '1', permissions: {}, service: 'os.datastore' }),
    ],
    ['another issuer', (good) => forge(good, { claims: { iss: 'https://other.example' } })],
    ['another audience', (good) => forge(good, { claims: { aud: 'https://other.example' } })],
    ['no audience', (good) => forge(good, { claims: { aud: undefined } })],
    ['no end', (good) => forge(good, { claims: { exp: undefined } })],
    ['an end that is text', (good) => forge(good, { claims: { exp: '4102444800' as never } })],
    ['no jti', (good) => forge(good, { claims: { jti: undefined } })],
    ['no userid', (good) => forge(good, { claims: { userid: undefined } })],
    ['a jti that is no text', (good) => forge(good, { claims: { jti: { $ne: null } } })],
    ['a jti with NUL', (good) => forge(good, { claims: { jti: 'a\0b' } })],
    ['a jti that is half a character', (good) => forge(good, { claims: { jti: '\ud800' } })],
    ['for another time', (good) => forge(good, { claims: { nbf: 4_102_444_800 } })],
  ])('%s: refused, and its revocation changes nothing', async (_what, made) => {
    const good = await issue();
    const token = await made(good);
    if (token.length > 20) secret(token);
    expect(await ask(token)).toBe('unknown');
    await tokens.revoke(token);
    expect(await ask(good)).toBe('test1');
  });

  test('whom the token names is nothing to go by: the row says who it is', async () => {
    const forged = await forge(await issue(), { claims: { userid: String(uidOf('test2')) } });
    expect(await ask(forged)).not.toBe('test2');
  });

  test('no access token is one, nor the other way round', async () => {
    const access = await backend.services.tokens.issue({
      ...{ clientId: 'demo-app', uid: uidOf('test1'), scope: ['verify'], ttl: 60, actor: 'test' },
    });
    expect(await ask(secret(access.token))).toBe('unknown');
    const token = await issue();
    const credential = { kind: 'token', token, scope: 'verify' } as const;
    expect(await backend.services.verify(credential)).toMatchObject({ because: 'unknown' });
  });
});

test('the database does not answer: a fault, not a refusal', async () => {
  const token = await issue();
  await backend.services.database.prisma.$executeRaw`DROP TABLE client_tokens`;
  await expect(tokens.verify(token)).rejects.toThrow(/client_tokens|TableDoesNotExist/);
  await expect(tokens.revoke(token)).rejects.toThrow(/client_tokens|TableDoesNotExist/);
});
