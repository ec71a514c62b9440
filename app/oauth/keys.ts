/**
 * The keys that this server signs with: RSA, RS256, in a file of their own that is a JWK Set (RFC 7517 §5) with the private
 * members in it, the current key first. Nothing signs with them yet; their public halves are published.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';

const number = z.string().regex(/^[\w-]+$/);

/** RFC 7518 §6.3. What no signer of ours wrote is not taken for a key. */
const signingKey = z.strictObject({
  kty: z.literal('RSA'),
  use: z.literal('sig'),
  alg: z.literal('RS256'),
  /** The RFC 7638 thumbprint. */
  kid: number,
  /** When it was made, in seconds since 1970. */
  iat: z.int().nonnegative(),
  n: number,
  e: number,
  ...{ d: number, p: number, q: number, dp: number, dq: number, qi: number },
});

const signingKeys = z.strictObject({ keys: z.array(signingKey).min(1) });

export type SigningKey = Readonly<z.output<typeof signingKey>>;

/** Member by member: whatever else a key comes to have is not published by an oversight. */
const publicHalf = ({ kty, use, alg, kid, n, e }: SigningKey) => ({ kty, use, alg, kid, n, e });

export type PublicKeys = { readonly keys: readonly ReturnType<typeof publicHalf>[] };

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

/** Undefined where there is no file. */
async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string, file: string): readonly SigningKey[] {
  try {
    return signingKeys.parse(JSON.parse(text)).keys;
  } catch {
    // What JSON.parse and zod say may quote the file, and faults are logged.
    throw new Error(`KEYS_FILE ${file} is not a JWK Set of signing keys`);
  }
}

/** The current key first, then those before it; none where there is no file. */
export async function readKeys(file: string): Promise<readonly SigningKey[]> {
  const text = await unlessMissing(readFile(file, 'utf8'));
  return text === undefined ? [] : parse(text, file);
}

async function newKey(now: Date): Promise<SigningKey> {
  const pair = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
  const jwk = await exportJWK(pair.privateKey);
  const kid = await calculateJwkThumbprint(jwk, 'sha256');
  const iat = Math.floor(now.getTime() / 1000);
  return signingKey.parse({ ...jwk, use: 'sig', alg: 'RS256', kid, iat });
}

/** Whole or not at all, also for who reads at this moment; `put` gives the written file its name. */
async function write(
  file: string,
  keys: readonly SigningKey[],
  put: (temporary: string, file: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomUUID()}`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify({ keys }, undefined, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await put(temporary, file);
  } finally {
    await unlessMissing(unlink(temporary));
  }
}

/** The first key; undefined when there is a file already, which stays as it is. */
export async function generateKey(file: string, now: Date): Promise<SigningKey | undefined> {
  const key = await newKey(now);
  try {
    // Unlike a renamed file, a link never takes the place of another.
    await write(file, [key], link);
    return key;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
}

/**
 * A new current key. Those before it stay published, `keep` keys in all, for what they signed to be checked; undefined when
 * there is no key yet.
 */
export async function rotateKey(
  file: string,
  keep: number,
  now: Date,
): Promise<readonly SigningKey[] | undefined> {
  const before = await readKeys(file);
  if (before.length === 0) return undefined;
  const keys = [await newKey(now), ...before].slice(0, keep);
  await write(file, keys, rename);
  return keys;
}

/** The public halves, read again whenever the file is another one: a rotation counts from the next request on. */
export function createPublicKeys(file: string): () => Promise<PublicKeys> {
  let known: { readonly version: string; readonly keys: PublicKeys } | undefined;
  return async () => {
    const found = await unlessMissing(stat(file, { bigint: true }));
    if (!found) return { keys: [] };
    const version = `${found.ino} ${found.mtimeNs} ${found.size}`;
    if (known?.version !== version) {
      known = { version, keys: { keys: (await readKeys(file)).map(publicHalf) } };
    }
    return known.keys;
  };
}
