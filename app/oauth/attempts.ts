/**
 * Brute force: what was tried in vain is counted in the database, so that several processes count together. The counters
 * are rate-limiter-flexible's; their keys are digests, as people type passwords into the wrong field.
 */
import { isIPv4, isIPv6 } from 'node:net';
import PQueue from 'p-queue';
import { RateLimiterPrisma, RateLimiterRes } from 'rate-limiter-flexible';
import { record } from '../store/audit.ts';
import type { Database } from '../store/database.ts';
import { loginKey } from '../store/login.ts';
import { refuseWhenFull } from '../store/passwords.ts';
import type { Origin } from '../verification/verdict.ts';
import type { LimitAttempts } from '../verification/verify.ts';
import { digest } from './secrets.ts';

/** What is counted for one attempt. */
type Count = {
  readonly limiter: RateLimiterPrisma;
  readonly key: string;
  /** What a success does to it: forgets all failures, or only does not count as one. */
  readonly success: 'forgets' | 'does not count';
};

type Over = {
  /** Seconds. */
  readonly retryAfter: number;
  /** Whether this attempt is the one that went over: true once per lockout. */
  readonly first: boolean;
};

/**
 * Who is at an address: for IPv4 the address, for IPv6 its /64 network, of which one customer has every address.
 * `::ffff:192.0.2.1` is IPv4. The port that some proxies write into X-Forwarded-For does not count, and all that is no
 * address is one: else each connection would have a counter of its own.
 */
export function network(address: string): string {
  const plain = address
    .replace(/^\[(.+)\](:\d+)?$/, '$1')
    .replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1')
    .replace(/^::ffff:(?=\d+\.)/i, '')
    .replace(/%.*$/, '');
  if (isIPv4(plain)) return plain;
  if (!isIPv6(plain)) return 'no address';
  const [head = [], tail = []] = plain
    .toLowerCase()
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''));
  const left = plain.includes('::') ? Array(8 - head.length - tail.length).fill('0') : [];
  const groups = [...head, ...left, ...tail].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** Counts one. Undefined: it may go on. */
async function countOne({ limiter, key }: Count): Promise<Over | undefined> {
  try {
    await limiter.consume(key);
    return undefined;
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    return {
      retryAfter: Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)),
      first: refusal.consumedPoints === limiter.points + 1,
    };
  }
}

/** Counts one everywhere, or nowhere when it is over the limit somewhere. */
async function countAll(counts: readonly Count[]): Promise<(Over & { at: Count }) | undefined> {
  for (const [index, at] of counts.entries()) {
    const over = await countOne(at);
    if (!over) continue;
    await Promise.all(counts.slice(0, index).map(({ limiter, key }) => limiter.reward(key)));
    return { ...over, at };
  }
  return undefined;
}

const succeeded = (counts: readonly Count[]) =>
  Promise.all(
    counts.map(({ limiter, key, success }) =>
      success === 'forgets' ? limiter.delete(key) : limiter.reward(key),
    ),
  );

/**
 * Does the work unless the limit is reached. It is counted *before*, and taken back when the work went well: so a hundred
 * attempts at the same moment are a hundred. A fault of the work is nobody's failure.
 */
async function limited<Result>(
  counts: readonly Count[],
  work: () => Promise<Result>,
  wentWell: (result: Result) => boolean,
): Promise<{ readonly result: Result } | { readonly over: Over & { readonly at: Count } }> {
  const over = await countAll(counts);
  if (over) return { over };
  let result: Result;
  try {
    result = await work();
  } catch (fault) {
    await Promise.allSettled(counts.map(({ limiter, key }) => limiter.reward(key)));
    throw fault;
  }
  if (wentWell(result)) await succeeded(counts);
  return { result };
}

export type AttemptSettings = {
  readonly LOGIN_ATTEMPTS: number;
  readonly LOGIN_ATTEMPTS_PER_ADDRESS: number;
  readonly LOGIN_ATTEMPTS_WINDOW: number;
  readonly PASSWORD_CONCURRENCY: number;
  readonly PASSWORD_QUEUE: number;
};

const limiters =
  ({ prisma }: Database, seconds: number) =>
  (keyPrefix: string, points: number) =>
    new RateLimiterPrisma({
      storeClient: prisma,
      tableName: 'rateLimiterFlexible',
      keyPrefix,
      points,
      duration: seconds,
      blockDuration: seconds,
      // Expired rows are purged with all others.
      clearExpiredByTimeout: false,
    });

/**
 * The limit on passwords: so many failures per login and address, so that nobody can lock another one out who sits
 * elsewhere; and per address, for whoever tries one password on many logins. A platform's address is everybody's, and is
 * not counted alone. Every lockout is one audit event.
 *
 * As many attempts are under way as passwords can be compared at the same time, the others wait their turn before they are
 * counted: a burst of good ones does not look like a burst of bad ones.
 *
 * @throws {Unavailable} when too many wait
 */
export function limitPasswordAttempts(
  database: Database,
  {
    LOGIN_ATTEMPTS,
    LOGIN_ATTEMPTS_PER_ADDRESS,
    LOGIN_ATTEMPTS_WINDOW,
    PASSWORD_CONCURRENCY,
    PASSWORD_QUEUE,
  }: AttemptSettings,
): LimitAttempts {
  const turns = new PQueue({ concurrency: PASSWORD_CONCURRENCY });
  const limiter = limiters(database, LOGIN_ATTEMPTS_WINDOW);
  const perLogin = limiter('login', LOGIN_ATTEMPTS);
  const perAddress = limiter('login-address', LOGIN_ATTEMPTS_PER_ADDRESS);

  const countsOf = (login: string, { address, platform }: Origin): Count[] => {
    const from = network(address);
    const pair = digest(JSON.stringify([loginKey(login) ?? '', from]));
    return [
      { limiter: perLogin, key: pair, success: 'forgets' },
      ...(platform
        ? []
        : [{ limiter: perAddress, key: digest(from), success: 'does not count' } as const]),
    ];
  };

  async function recordLockout(login: string, { address }: Origin, at: Count) {
    const { prisma } = database;
    const user = await prisma.user.findUnique({ where: { loginKey: loginKey(login) ?? '' } });
    await record(prisma, {
      actor: 'system',
      action: 'login.lockout',
      // What was typed is only repeated when it is a login: it might be a password.
      target: at.limiter === perLogin ? `user:${user?.login ?? '(unknown)'}` : `address:${address}`,
      detail: { address, seconds: LOGIN_ATTEMPTS_WINDOW },
    });
  }

  return async ({ login, from }, check) => {
    refuseWhenFull(turns, PASSWORD_QUEUE);
    const done = await turns.add(() =>
      limited(countsOf(login, from), check, ({ accepted }) => accepted),
    );
    if ('result' in done) return done.result;
    const { retryAfter, first, at } = done.over;
    if (first) await recordLockout(login, from, at);
    return { accepted: false, because: 'too-many-attempts', retryAfter };
  };
}

/** Looks a user code up, unless this user or address has typed too many wrong ones (RFC 8628 §5.1). */
export type LimitUserCodes = <Found>(
  by: { readonly uid: number; readonly address: string },
  lookUp: () => Promise<Found | undefined>,
) => Promise<{ readonly found: Found | undefined } | { readonly retryAfter: number }>;

/** A user code has 34 bits: after ten wrong ones there is a pause. */
const userCodeAttempts = { perUser: 10, perAddress: 50, seconds: 900 };

export function limitUserCodeAttempts(database: Database): LimitUserCodes {
  const limiter = limiters(database, userCodeAttempts.seconds);
  const perUser = limiter('user-code', userCodeAttempts.perUser);
  const perAddress = limiter('user-code-address', userCodeAttempts.perAddress);
  return async ({ uid, address }, lookUp) => {
    // A right one makes nothing forgotten: everyone can get right ones of his own.
    const counts = [
      { limiter: perUser, key: String(uid), success: 'does not count' },
      { limiter: perAddress, key: digest(network(address)), success: 'does not count' },
    ] as const;
    const done = await limited(counts, lookUp, (found) => found !== undefined);
    return 'result' in done ? { found: done.result } : { retryAfter: done.over.retryAfter };
  };
}
