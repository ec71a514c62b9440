/** The keys to sign with: a file of private ones, or PRIVATE_KEY; the server publishes the public halves. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  calculateJwkThumbprint,
  createRemoteJWKSet,
  decodeProtectedHeader,
  importSPKI,
  type JWK,
  jwtVerify,
} from 'jose';
import { generateKey, readKeys, rotateKey, type SigningKey } from '../../app/oauth/keys.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { receive } from '../support/oauth.ts';

let backend: Backend;
const folder = mkdtempSync(join(tmpdir(), 'keys-'));
const file = join(folder, 'made', 'keys.json');
const now = new Date('2026-03-01T12:00:00Z');

beforeAll(async () => {
  backend = await startBackend({ KEYS_FILE: file });
});

beforeEach(() => rmSync(file, { recursive: true, force: true }));

afterAll(async () => {
  await backend.stop();
  rmSync(folder, { recursive: true });
});

const publish = (method = 'GET') =>
  receive(fetch(`${backend.url}/.well-known/jwks.json`, { method }));
const published = async () => (await publish()).body['keys'] as JWK[];

/** What must not be logged, nor be on the wire. */
const privateMembers = ({ d, p, q, dp, dq, qi }: SigningKey) => [d, p, q, dp, dq, qi].map(secret);

async function generate(): Promise<SigningKey> {
  const key = await generateKey(file, now);
  if (!key) throw new Error('there was a key');
  privateMembers(key);
  return key;
}

async function rotate(keep?: number, at = now): Promise<readonly SigningKey[]> {
  const keys = (await rotateKey(file, keep, at))?.keys ?? [];
  keys.forEach(privateMembers);
  return keys;
}

const hour = 60 * 60 * 1000;
const later = (hours: number) => new Date(now.getTime() + hours * hour);

test('without a file there are no keys, and none is made', async () => {
  const { status, text, headers } = await publish();
  expect([status, text]).toEqual([200, '{"keys":[]}']);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(() => statSync(file)).toThrow('ENOENT');
});

test('the public half, and nothing that is private', async () => {
  const key = await generate();
  await rotate();
  const { body, text } = await publish();
  const keys = body['keys'] as JWK[];
  expect(keys).toHaveLength(2);
  for (const one of keys) {
    expect(Object.keys(one).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    expect(one).toMatchObject({ kty: 'RSA', alg: 'RS256', use: 'sig', e: 'AQAB' });
    // 2048 bits.
    expect(Buffer.from(one.n ?? '', 'base64url')).toHaveLength(256);
    expect(one.kid).toBe(await calculateJwkThumbprint(one, 'sha256'));
  }
  expect(privateMembers(key).filter((value) => text.includes(value))).toEqual([]);
});

describe('what is signed', () => {
  const sign = async (by = backend) =>
    secret(await by.services.keys.sign({ userid: '1', service: 'os.datastore' }));

  /** As another program checks it, that has the address of the keys and no more. */
  const check = (token: string, by = backend) =>
    jwtVerify(token, createRemoteJWKSet(new URL(`${by.url}/.well-known/jwks.json`)), {
      algorithms: ['RS256'],
    });

  test('is good by what is published, and by the PEM', async () => {
    const { kid } = await generate();
    const token = await sign();
    const { payload, protectedHeader } = await check(token);
    expect(payload).toEqual({ userid: '1', service: 'os.datastore' });
    expect(protectedHeader).toEqual({ alg: 'RS256', kid, typ: 'JWT' });
    const pem = await backend.services.keys.publicKey();
    expect(pem).toMatch(/^-----BEGIN PUBLIC KEY-----\n[^-]+\n-----END PUBLIC KEY-----\n$/);
    expect((await jwtVerify(token, await importSPKI(pem, 'RS256'))).payload).toEqual(payload);
  });

  test('with the key that is current at that moment; the former still vouches for its own', async () => {
    const first = await generate();
    const early = await sign();
    const pem = await backend.services.keys.publicKey();
    const [second] = await rotate();
    const late = await sign();
    expect([early, late].map((token) => decodeProtectedHeader(token).kid)).toEqual([
      first.kid,
      second?.kid,
    ]);
    expect((await check(early)).payload['userid']).toBe('1');
    expect((await check(late)).payload['userid']).toBe('1');
    expect(await backend.services.keys.publicKey()).not.toBe(pem);
    // At the same moment still, and with all that was signed before.
    await rotate();
    expect((await check(early)).payload['userid']).toBe('1');
    expect((await check(late)).payload['userid']).toBe('1');
    await rotate(2);
    await expect(check(early)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  test('by nobody else is not good', async () => {
    await generate();
    const token = await sign();
    rmSync(file);
    await generate();
    await expect(check(token)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  test('where there is no key, nothing is: it says how to make one', async () => {
    const said = 'there is no key to sign with: npm run admin -- key generate';
    await expect(sign()).rejects.toThrow(said);
    await expect(backend.services.keys.publicKey()).rejects.toThrow(said);
    const { kid } = await generate();
    expect(decodeProtectedHeader(await sign()).kid).toBe(kid);
  });

  describe('with PRIVATE_KEY', () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = {
      pkcs1: pair.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      pkcs8: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      spki: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    };

    test.each([
      ['PKCS#1', pem.pkcs1],
      ['PKCS#8', pem.pkcs8],
      ['in one line', pem.pkcs8.replaceAll('\n', '\\n')],
    ])('%s: that one signs, those of the file stay published', async (_form, PRIVATE_KEY) => {
      const { kid } = await generate();
      const early = await sign();
      const configured = await startBackend({
        KEYS_FILE: file,
        PRIVATE_KEY: secret(PRIVATE_KEY),
        PUBLIC_KEY: pem.spki,
      });
      try {
        const token = await sign(configured);
        expect((await check(token, configured)).payload['userid']).toBe('1');
        expect((await check(early, configured)).payload['userid']).toBe('1');
        expect(await configured.services.keys.publicKey()).toBe(pem.spki);
        const { keys } = await configured.services.keys.publicKeys();
        expect(keys).toEqual([
          {
            ...{ kty: 'RSA', use: 'sig', alg: 'RS256', e: 'AQAB' },
            n: createPublicKey(pem.spki).export({ format: 'jwk' }).n,
            kid: decodeProtectedHeader(token).kid,
          },
          expect.objectContaining({ kid }),
        ]);
        expect(keys[0]?.kid).toBe(await calculateJwkThumbprint(keys[0] as JWK, 'sha256'));
      } finally {
        await configured.stop();
      }
    });

    test('that was another before: what that one signed is good by FORMER_PUBLIC_KEYS', async () => {
      const next = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const before = await startBackend({ KEYS_FILE: file, PRIVATE_KEY: secret(pem.pkcs8) });
      const early = await sign(before);
      await before.stop();
      const after = await startBackend({
        KEYS_FILE: file,
        PRIVATE_KEY: secret(next.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
        FORMER_PUBLIC_KEYS: pem.spki,
      });
      try {
        const late = await sign(after);
        expect((await check(early, after)).payload['userid']).toBe('1');
        expect((await check(late, after)).payload['userid']).toBe('1');
        const { keys } = await after.services.keys.publicKeys();
        expect(keys.map(({ kid }) => kid)).toEqual(
          [late, early].map((token) => decodeProtectedHeader(token).kid),
        );
      } finally {
        await after.stop();
      }
    });

    test('that stands in the file and in FORMER_PUBLIC_KEYS, too: it is published once', async () => {
      const key = await generate();
      const PRIVATE_KEY = createPrivateKey({ key: { ...key }, format: 'jwk' })
        .export({ type: 'pkcs8', format: 'pem' })
        .toString();
      const configured = await startBackend({
        KEYS_FILE: file,
        PRIVATE_KEY: secret(PRIVATE_KEY),
        FORMER_PUBLIC_KEYS: createPublicKey(PRIVATE_KEY)
          .export({ type: 'spki', format: 'pem' })
          .toString(),
      });
      const { keys } = await configured.services.keys.publicKeys();
      await configured.stop();
      expect(keys.map(({ kid }) => kid)).toEqual([key.kid]);
    });
  });
});

test('a rotation is seen on the next request', async () => {
  const first = await generate();
  expect((await published()).map(({ kid }) => kid)).toEqual([first.kid]);
  const [second] = await rotate();
  expect((await published()).map(({ kid }) => kid)).toEqual([second?.kid, first.kid]);
  expect(second?.kid).not.toBe(first.kid);
});

test('a key is kept until a day and an hour after another took its place, however often', async () => {
  const kids = async (at: Date) => (await rotate(undefined, at)).map(({ kid }) => kid);
  const first = await generate();
  const [second] = await kids(later(1));
  const [third, ...former] = await kids(later(2));
  expect(former).toEqual([second, first.kid]);
  // The first one's time is over exactly now; the second's, in an hour.
  const [fourth, ...kept] = await kids(later(26));
  expect(kept).toEqual([third, second]);
  expect((await kids(later(100))).slice(1)).toEqual([fourth]);
});

test('with a number, so many are kept; what that cuts short is said', async () => {
  const first = await generate();
  const [second] = await rotate(undefined, later(1));
  const rotation = await rotateKey(file, 1, later(2));
  expect(rotation?.keys).toHaveLength(1);
  rotation?.keys.forEach(privateMembers);
  expect(rotation?.cutShort).toEqual([
    { kid: second?.kid, until: new Date('2026-03-02T15:00:00Z') },
    { kid: first.kid, until: new Date('2026-03-02T14:00:00Z') },
  ]);
  const more = await rotateKey(file, 2, later(100));
  more?.keys.forEach(privateMembers);
  expect(more?.keys).toHaveLength(2);
  expect(more?.cutShort).toEqual([]);
});

test('the file is for its owner alone, whatever it was; nothing is left beside it', async () => {
  await generate();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  chmodSync(file, 0o644);
  await rotate();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, 'made'))).toEqual(['keys.json']);
});

test('a key that is there is not replaced by a first one', async () => {
  const { kid } = await generate();
  expect(await generateKey(file, now)).toBeUndefined();
  expect((await readKeys(file)).map((one) => one.kid)).toEqual([kid]);
  expect(readdirSync(join(folder, 'made'))).toEqual(['keys.json']);
});

test('two processes make the first key at the same moment: one does', async () => {
  const made = await Promise.all([generateKey(file, now), generateKey(file, now)]);
  const kids = made.flatMap((key) => key?.kid ?? []);
  expect(kids).toHaveLength(1);
  expect((await readKeys(file)).map(({ kid }) => kid)).toEqual(kids);
});

test('several processes rotate at the same moment: no key is lost', async () => {
  const first = await generate();
  const made = await Promise.all([rotate(9), rotate(9), rotate(9), rotate(9)]);
  const kids = made.flatMap(([newest]) => newest?.kid ?? []);
  expect(new Set(kids).size).toBe(4);
  const kept = (await readKeys(file)).map(({ kid }) => kid);
  expect(kept.toSorted()).toEqual([...kids, first.kid].toSorted());
  expect(kept.at(-1)).toBe(first.kid);
  expect(readdirSync(join(folder, 'made'))).toEqual(['keys.json']);
});

test('while another process changes the file, a rotation waits for it', async () => {
  const first = await generate();
  const theirs = join(folder, 'theirs.json');
  const second = await generateKey(theirs, now);
  writeFileSync(`${file}.lock`, '');
  const rotation = rotate(9);
  // As long as the rotation takes by itself, and longer.
  await generateKey(join(folder, 'some.json'), now);
  await generateKey(join(folder, 'more.json'), now);
  writeFileSync(file, JSON.stringify({ keys: [second, first] }));
  rmSync(`${file}.lock`);
  const [third] = await rotation;
  const kept = (await readKeys(file)).map(({ kid }) => kid);
  expect(kept).toEqual([third?.kid, second?.kid, first.kid]);
});

test('nothing is rotated where there is no key', async () => {
  expect(await rotateKey(file, 2, now)).toBeUndefined();
  expect(() => statSync(file)).toThrow('ENOENT');
});

test.each([
  ['cut short', (text: string) => text.slice(0, -20)],
  // JSON.parse would quote it.
  ['with something else before it', (text: string) => text.slice(text.indexOf('"d"') + 6)],
  [
    'without its private half',
    (text: string) => text.replace(/"(d|p|q|dp|dq|qi)": "[^"]*",?/g, ''),
  ],
  ['without a key', () => '{"keys":[]}'],
  ['empty', () => ''],
])('a broken file, %s, is a fault, and stays as it is', async (_case, broken) => {
  await generate();
  expect(await published()).toHaveLength(1);
  const text = broken(readFileSync(file, 'utf8'));
  writeFileSync(file, text);

  const { status, body } = await publish();
  expect(status).toBe(500);
  expect(body).toEqual({ error: 'server_error', request_id: expect.any(String) });
  const fault = backend.log.findLast(({ msg }) => msg === 'fault');
  expect(fault).toMatchObject({
    err: { message: `KEYS_FILE ${file} is not a JWK Set of signing keys` },
  });
  await expect(rotateKey(file, 2, now)).rejects.toThrow('is not a JWK Set of signing keys');
  expect(await generateKey(file, now)).toBeUndefined();
  expect(readFileSync(file, 'utf8')).toBe(text);

  // Mended, without a restart.
  rmSync(file);
  const { kid } = await generate();
  expect((await published()).map((one) => one.kid)).toEqual([kid]);
});

test('for GET and HEAD', async () => {
  expect(await publish('HEAD')).toMatchObject({ status: 200, text: '' });
  const { status, headers } = await publish('POST');
  expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});
