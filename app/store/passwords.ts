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
  /** How many may wait. */
  readonly queue: number;
};

export type Passwords = {
  /** A bcrypt hash. @throws {Error} on a password that `passwordProblem` objects to */
  hash(password: string): Promise<string>;
  /**
   * Whether the password is the one of this hash. Without a hash, or with a password that cannot match, as much is computed
   * for nothing, and the answer is no. @throws {Unavailable} when too many are waiting
   */
  matches(password: string, hash: string | null | undefined): Promise<boolean>;
  /** Whether the hash is of a lower cost than new ones are. */
  isOutdated(hash: string): boolean;
};

/** `$2y$` is what PHP and htpasswd call `$2b$`. */
const asNode = (hash: string) => hash.replace(/^\$2y\$/, '$2b$');

/**
 * Passwords behind a bounded queue: bcrypt takes 50 ms of a core at cost 10, and token verification must keep its latency
 * while logins pile up.
 */
export function createPasswords({ cost, concurrency, queue }: PasswordSettings): Passwords {
  const waiting = new PQueue({ concurrency });
  // Of no password: 72 bytes of which one is a NUL are refused when set.
  const nobodys = bcrypt.hash('\0', cost);

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    if (waiting.size >= queue && waiting.pending >= concurrency) {
      throw new Unavailable('too many passwords are waiting to be compared', { retryAfter: 2 });
    }
    return waiting.add(work);
  };

  return {
    async hash(password) {
      const problem = passwordProblem(password);
      if (problem) throw new Error(problem);
      return inTurn(() => bcrypt.hash(password, cost));
    },

    async matches(password, hash) {
      const possible = hash && passwordProblem(password) === undefined;
      const against = possible ? asNode(hash) : await nobodys;
      const matches = await inTurn(() => bcrypt.compare(password, against));
      return Boolean(possible) && matches;
    },

    isOutdated: (hash) => bcrypt.getRounds(hash) < cost,
  };
}
