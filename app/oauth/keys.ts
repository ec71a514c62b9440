/**
 * The keys that this server signs with: RSA, RS256, in a file of their own that is a JWK Set (RFC 7517 §5) with the private
 * members in it, the current key first. With PRIVATE_KEY, that one is the current key, and those of the file are former ones.
 * The public halves of all are published, and with them FORMER_PUBLIC_KEYS.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { z } from 'zod';

/** Bits. RFC 7518 §3.3. */
const leastModulus = 2048;

/** PEM as one line has it: with `\n` for its ends, as many a secret store wants it. */
const pem = (text: string) => text.replaceAll('\\n', '\n');

/** A key that can sign or check RS256, or undefined: what the parser throws might quote it. */
function rsaKey(read: (text: string) => KeyObject, text: string): KeyObject | undefined {
  try {
    const key = read(pem(text));
    const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
    return key.asymmetricKeyType === 'rsa' && modulusLength >= leastModulus ? key : undefined;
  } catch {
    return undefined;
  }
}

function rsaSetting(read: (text: string) => KeyObject, kind: string) {
  return z
    .string()
    .optional()
    .transform((text, context) => {
      const key = text === undefined ? undefined : rsaKey(read, text);
      if (text !== undefined && !key) {
        context.addIssue(`must be an RSA ${kind} key of ${leastModulus} bits or more, as PEM`);
      }
      return key;
    });
}

const publicKeyIn = (text: string) => {
  // From a private key too, Node would make a public one.
  if (/PRIVATE KEY/.test(text)) throw new Error('a private key');
  return createPublicKey(text);
};

/** PEMs, one after the other; undefined when one of them is no such key. */
function publicKeysIn(text: string): readonly KeyObject[] | undefined {
  const parts = pem(text).split(/(?<=-----END [^-]*-----)/);
  const keys = parts.filter((part) => part.trim() !== '').map((part) => rsaKey(publicKeyIn, part));
  return keys.every((key) => key !== undefined) ? keys : undefined;
}

export const signingKeySettings = {
  PRIVATE_KEY: rsaSetting(createPrivateKey, 'private').describe(
    'A key to sign with (RSA, PEM; \\n may stand for a line end), in place of the current one of KEYS_FILE.',
  ),
  PUBLIC_KEY: rsaSetting(publicKeyIn, 'public').describe(
    'Its public half, PEM. Not needed; when it is another key, the server does not start.',
  ),
  FORMER_PUBLIC_KEYS: z
    .string()
    .default('')
    .transform((text, context) => {
      const keys = publicKeysIn(text);
      const problem = `must be RSA public keys of ${leastModulus} bits or more, as PEM, one after the other`;
      if (!keys) context.addIssue(problem);
      return keys ?? [];
    })
    .describe(
      'Public halves of what PRIVATE_KEY was before, PEM, one after the other: published while what they signed may live.',
    ),
};

/** Whether the two settings are one pair. */
export function signingKeyProblems(env: Readonly<Record<string, string | undefined>>): string[] {
  const { PRIVATE_KEY, PUBLIC_KEY } = env;
  if (PUBLIC_KEY === undefined) return [];
  if (PRIVATE_KEY === undefined) return ['PUBLIC_KEY: is set, and PRIVATE_KEY is not'];
  const privateKey = rsaKey(createPrivateKey, PRIVATE_KEY);
  const publicKey = rsaKey(publicKeyIn, PUBLIC_KEY);
  // What is wrong with one of them alone is said elsewhere.
  if (!privateKey || !publicKey || createPublicKey(privateKey).equals(publicKey)) return [];
  return ['PUBLIC_KEY: is not the public half of PRIVATE_KEY'];
}

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

export type PublicKey = Readonly<ReturnType<typeof publicHalf>>;

export type PublicKeys = { readonly keys: readonly PublicKey[] };

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

/** How long one change of the file waits for another's, in ms. */
const lockPatience = 10_000;

/** Changes of the file one after the other: what is read within is what is replaced. */
async function alone<T>(file: string, change: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`;
  const until = Date.now() + lockPatience;
  for (;;) {
    try {
      await (await open(lock, 'wx', 0o600)).close();
      break;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      if (Date.now() > until) {
        throw new Error(`Another process is changing ${file}. If none is, delete ${lock}.`);
      }
      await pause(20);
    }
  }
  try {
    return await change();
  } finally {
    await unlink(lock);
  }
}

/**
 * How long a key stays published when another has taken its place, in seconds: a day, which is the longest that anything
 * lives that is signed with one (DGP_PERMISSION_TOKEN_TTL), and an hour for clocks that differ.
 */
const overlap = 25 * 60 * 60;

export type Rotation = {
  /** The current key first. */
  readonly keys: readonly SigningKey[];
  /** Those that were dropped while what they signed may still be in use. */
  readonly cutShort: readonly { readonly kid: string; readonly until: Date }[];
};

/**
 * A new current key. Those before it stay published for as long as what they signed may be in use; with `keep`, that many
 * keys are there in all, whatever they signed. Undefined when there is no key yet.
 */
export async function rotateKey(
  file: string,
  keep: number | undefined,
  now: Date,
): Promise<Rotation | undefined> {
  if ((await readKeys(file)).length === 0) return undefined;
  const key = await newKey(now);
  return alone(file, async () => {
    const before = await readKeys(file);
    const former = before.map((one, place) => {
      const successor = before[place - 1] ?? key;
      return { one, until: new Date((successor.iat + overlap) * 1000) };
    });
    const kept = former.filter(({ until }, place) =>
      keep === undefined ? until > now : place < keep - 1,
    );
    const keys = [key, ...kept.map(({ one }) => one)];
    await write(file, keys, rename);
    const dropped = former.filter((one) => !kept.includes(one));
    const cutShort = dropped.flatMap(({ one: { kid }, until }) =>
      until > now ? [{ kid, until }] : [],
    );
    return { keys, cutShort };
  });
}

/** A key in use: of the file, or PRIVATE_KEY. */
type Loaded = { readonly key: KeyObject; readonly published: PublicKey };

const fromFile = (key: SigningKey): Loaded => ({
  key: createPrivateKey({ key: { ...key }, format: 'jwk' }),
  published: publicHalf(key),
});

/** Of either half, as `SigningKey` has it, with the RFC 7638 thumbprint for its `kid`. */
export async function publicHalfOf(key: KeyObject): Promise<PublicKey> {
  const half = key.type === 'public' ? key : createPublicKey(key);
  const { n = '', e = '' } = half.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint({ kty: 'RSA', n, e }, 'sha256');
  return { kty: 'RSA', use: 'sig', alg: 'RS256', kid, n, e };
}

export type SigningKeys = {
  /** All of them, the current key first. */
  readonly publicKeys: () => Promise<PublicKeys>;
  /** The current one, PEM (SPKI). */
  readonly publicKey: () => Promise<string>;
  /** RS256 with the current one, its `kid` in the header. */
  readonly sign: (claims: Readonly<Record<string, unknown>>) => Promise<string>;
};

/**
 * The file is read again whenever it is another one: a rotation counts from the next request on.
 *
 * @param formerKeys public ones, that are published and no more
 */
export function createSigningKeys(
  file: string,
  privateKey: KeyObject | undefined,
  formerKeys: readonly KeyObject[],
): SigningKeys {
  let known: { readonly version: string; readonly keys: readonly Loaded[] } | undefined;

  async function inFile(): Promise<readonly Loaded[]> {
    const found = await unlessMissing(stat(file, { bigint: true }));
    if (!found) return [];
    const version = `${found.ino} ${found.mtimeNs} ${found.size}`;
    if (known?.version !== version) {
      known = { version, keys: (await readKeys(file)).map(fromFile) };
    }
    return known.keys;
  }

  const configured = async (key: KeyObject): Promise<Loaded> => ({
    key,
    published: await publicHalfOf(key),
  });
  const first = privateKey && configured(privateKey);
  const former = Promise.all(formerKeys.map(publicHalfOf));

  async function allPublic(): Promise<readonly PublicKey[]> {
    const current = await first;
    const loaded = [...(current ? [current] : []), ...(await inFile())];
    const all = [...loaded.map(({ published }) => published), ...(await former)];
    // One key may stand in several places.
    return [...new Map(all.map((one) => [one.kid, one])).values()];
  }

  async function currentKey(): Promise<Loaded> {
    const current = (await first) ?? (await inFile())[0];
    if (!current) throw new Error('there is no key to sign with: npm run admin -- key generate');
    return current;
  }

  return {
    publicKeys: async () => ({ keys: await allPublic() }),

    async publicKey() {
      const { key } = await currentKey();
      return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
    },

    async sign(claims) {
      const { key, published } = await currentKey();
      return new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: published.kid, typ: 'JWT' })
        .sign(key);
    },
  };
}
