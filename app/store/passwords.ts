import bcrypt from 'bcrypt';
import PQueue from 'p-queue';
import { Unavailable } from '../verification/unavailable.ts';

/** bcrypt looks at this many bytes and silently ignores the rest. */
const longest = 72;

/** What is wrong with a new password, or undefined. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'A password must not be empty.';
  if (password.includes('\0')) return 'A password must not contain a NUL character.';
  if (!password.isWellFormed()) return 'A password must be well-formed Unicode.';
  if (Buffer.byteLength(password) > longest) {
    return `A password must not be longer than ${longest} bytes: bcrypt ignores the rest.`;
  }
  return undefined;
}

export type PasswordSettings = {
  /** bcrypt cost factor of new hashes. */
  readonly cost: number;
  /** How many are computed at the same time. */
  readonly concurrency: number;
  /** How many comparisons may wait. */
  readonly queue: number;
};

export type Passwords = {
  /**
   * A bcrypt hash. Never too many: operators ask for one, or a good login that was let in. @throws {Error} on a password that
   * `passwordProblem` objects to
   */
  hash(password: string): Promise<string>;
  /**
   * Whether the password is the one of this hash. Without a hash, with one that is not bcrypt's, or with a password that
   * cannot match, as much is computed for nothing, and the answer is no. @throws {Unavailable} when too many are waiting
   */
  matches(password: string, hash: string | null | undefined): Promise<boolean>;
  /** Whether the hash is of a lower cost than new ones are. */
  isOutdated(hash: string): boolean;
};

const bcryptHash = /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;

/** @throws {Unavailable} when all places are taken and as many wait as may */
export function refuseWhenFull(waiting: PQueue, queue: number): void {
  if (waiting.size < queue || waiting.pending < waiting.concurrency) return;
  throw new Unavailable('too many passwords are waiting to be compared', { retryAfter: 2 });
}

/** `$2y$` is what PHP and htpasswd call `$2b$`. */
const asNode = (hash: string) => hash.replace(/^\$2y\$/, '$2b$');

/**
 * Passwords behind a bounded queue: bcrypt takes 50 ms of a core at cost 10, and token verification must keep its latency
 * while logins pile up.
 */
export function createPasswords({ cost, concurrency, queue }: PasswordSettings): Passwords {
  const waiting = new PQueue({ concurrency });
  // Of what nobody has for a password: NUL is refused when one is set.
  const nobodys = bcrypt.hash('\0', cost);

  return {
    async hash(password) {
      const problem = passwordProblem(password);
      if (problem) throw new Error(problem);
      return waiting.add(() => bcrypt.hash(password, cost), { priority: 1 });
    },

    async matches(password, hash) {
      const possible = hash && bcryptHash.test(hash) && passwordProblem(password) === undefined;
      const against = possible ? asNode(hash) : await nobodys;
      refuseWhenFull(waiting, queue);
      const matches = await waiting.add(() => bcrypt.compare(password, against));
      return Boolean(possible) && matches;
    },

    isOutdated: (hash) => Number(bcryptHash.exec(hash)?.[1] ?? 0) < cost,
  };
}
