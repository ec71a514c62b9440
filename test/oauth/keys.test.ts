/** The keys to sign with: a file of private ones, of which the server publishes the public halves. */
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
import { calculateJwkThumbprint, importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
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

async function rotate(keep = 2): Promise<readonly SigningKey[]> {
  const keys = (await rotateKey(file, keep, now)) ?? [];
  keys.forEach(privateMembers);
  return keys;
}

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

test('what the key signs is good by what is published', async () => {
  const key = await generate();
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'RS256', kid: key.kid })
    .sign(await importJWK(key, 'RS256'));
  const [jwk] = await published();
  const { protectedHeader } = await jwtVerify(secret(token), await importJWK(jwk as JWK, 'RS256'));
  expect(protectedHeader.kid).toBe(jwk?.kid);
});

test('a rotation is seen on the next request; the former key is kept, the one before it not', async () => {
  const first = await generate();
  expect((await published()).map(({ kid }) => kid)).toEqual([first.kid]);
  const [second] = await rotate();
  expect((await published()).map(({ kid }) => kid)).toEqual([second?.kid, first.kid]);
  const [third] = await rotate();
  expect((await published()).map(({ kid }) => kid)).toEqual([third?.kid, second?.kid]);
  expect(new Set([first.kid, second?.kid, third?.kid]).size).toBe(3);
  const [fourth] = await rotate(1);
  expect((await published()).map(({ kid }) => kid)).toEqual([fourth?.kid]);
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
