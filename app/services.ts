import type { Config } from './config.ts';
import { limitPasswordAttempts } from './oauth/attempts.ts';
import { firstPartyClient } from './oauth/first-party-login.ts';
import type { Grants } from './oauth/grants.ts';
import { createSigningKeys, type SigningKeys } from './oauth/keys.ts';
import { createTokenSource } from './oauth/token-source.ts';
import type { Lifetimes } from './oauth/tokens.ts';
import { ensureClient } from './store/clients.ts';
import { type Database, openDatabase } from './store/database.ts';
import { createGrants } from './store/grants.ts';
import { migrate } from './store/migrations.ts';
import { isOutage } from './store/outage.ts';
import { createPasswords, type Passwords } from './store/passwords.ts';
import { createTokens, type OwnTokens } from './store/tokens.ts';
import { createUsers } from './store/users.ts';
import { createVerify, type UserStore, type Verify } from './verification/verify.ts';
import { version } from './version.ts';

/** Everything that answers a request, wired. To put your own user store in, replace `createUsers` here. */
export type Services = {
  readonly version: string;
  readonly database: Database;
  readonly passwords: Passwords;
  readonly users: UserStore;
  readonly tokens: OwnTokens;
  readonly grants: Grants;
  readonly lifetimes: Lifetimes;
  readonly now: () => Date;
  readonly verify: Verify;
  readonly keys: SigningKeys;
  /** Reads a row that is always there. */
  readonly ping: () => Promise<unknown>;
  readonly isOutage: (error: unknown) => boolean;
  /** For work that no request waits for: what ends it, before the database closes. */
  readonly beforeClose: (end: () => Promise<void>) => void;
  readonly close: () => Promise<void>;
};

/** What only tests change. */
export type Overrides = {
  readonly now?: () => Date;
  readonly bcryptCost?: number;
};

/** Migrates the database, opens it, and wires everything to it. */
export async function createServices(
  config: Config,
  { now = () => new Date(), bcryptCost = config.BCRYPT_COST }: Overrides = {},
): Promise<Services> {
  await migrate(config.DATABASE_URL);
  const database = await openDatabase(config.DATABASE_URL, { poolSize: config.DATABASE_POOL_SIZE });
  const passwords = createPasswords({
    cost: bcryptCost,
    concurrency: config.PASSWORD_CONCURRENCY,
    queue: config.PASSWORD_QUEUE,
  });
  const users = createUsers(database, passwords);
  const tokens = createTokens(database, now);
  if (config.FIRST_PARTY_LOGIN) await ensureClient(database, firstPartyClient);
  const ends: (() => Promise<void>)[] = [];
  return {
    version,
    database,
    passwords,
    users,
    tokens,
    grants: createGrants(database, now),
    lifetimes: {
      accessToken: config.ACCESS_TOKEN_TTL,
      refreshToken: config.REFRESH_TOKEN_TTL,
      refreshGrace: config.REFRESH_TOKEN_GRACE,
      code: config.AUTHORIZATION_CODE_TTL,
      deviceCode: config.DEVICE_CODE_TTL,
    },
    now,
    verify: createVerify(
      users,
      createTokenSource(config, users, tokens, now),
      limitPasswordAttempts(database, config),
      now,
    ),
    keys: createSigningKeys(config.KEYS_FILE, config.PRIVATE_KEY, config.FORMER_PUBLIC_KEYS),
    ping: () => database.prisma.$queryRaw`SELECT id FROM _prisma_migrations LIMIT 1`,
    isOutage,
    beforeClose: (end) => void ends.push(end),
    async close() {
      await Promise.all(ends.map((end) => end()));
      await database.close();
    },
  };
}
