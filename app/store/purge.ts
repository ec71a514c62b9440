/**
 * Deletes what has expired: codes, tokens, sessions, used states, rate limits, and grants of which nothing is left. In small
 * batches, each a transaction of its own, so that nobody waits for it.
 *
 * What is used or revoked stays until it has expired, and an hour longer: a code or refresh token that comes a second time
 * must be recognised, and a device that asks too late is told so. The audit trail stays for ever.
 */
import type { Logger } from 'pino';
import type { Database, Db } from './database.ts';

/** How long rows stay after they expired, in ms. */
const kept = 3_600_000;

/** Deletes one batch of what expired before then; returns the grant of each row deleted. */
type DeleteBatch = (db: Db, before: Date, batch: number) => Promise<(string | null)[]>;

const oldest = (before: Date, take: number) =>
  ({ where: { expiresAt: { lt: before } }, orderBy: { expiresAt: 'asc' }, take }) as const;

/** Rows that belong to no grant. */
const noGrants = async (deletion: Promise<{ readonly count: number }>) =>
  Array<null>((await deletion).count).fill(null);

const tables: Readonly<Record<string, DeleteBatch>> = {
  async authorization_codes({ authorizationCode }, before, batch) {
    const rows = await authorizationCode.findMany(oldest(before, batch));
    const codeHash = { in: rows.map((row) => row.codeHash) };
    await authorizationCode.deleteMany({ where: { codeHash } });
    return rows.map(({ grantId }) => grantId);
  },
  async access_tokens({ accessToken }, before, batch) {
    const rows = await accessToken.findMany(oldest(before, batch));
    const tokenHash = { in: rows.map((row) => row.tokenHash) };
    await accessToken.deleteMany({ where: { tokenHash } });
    return rows.map(({ grantId }) => grantId);
  },
  async refresh_tokens({ refreshToken }, before, batch) {
    const rows = await refreshToken.findMany(oldest(before, batch));
    const tokenHash = { in: rows.map((row) => row.tokenHash) };
    await refreshToken.deleteMany({ where: { tokenHash } });
    return rows.map(({ grantId }) => grantId);
  },
  async device_codes({ deviceCode }, before, batch) {
    const rows = await deviceCode.findMany(oldest(before, batch));
    const deviceCodeHash = { in: rows.map((row) => row.deviceCodeHash) };
    await deviceCode.deleteMany({ where: { deviceCodeHash } });
    return rows.map(({ grantId }) => grantId);
  },
  client_tokens: ({ clientToken }, before, limit) =>
    noGrants(clientToken.deleteMany({ where: { expiresAt: { lt: before } }, limit })),
  sessions: ({ session }, before, limit) =>
    noGrants(session.deleteMany({ where: { expiresAt: { lt: before } }, limit })),
  used_states: ({ usedState }, before, limit) =>
    noGrants(usedState.deleteMany({ where: { expiresAt: { lt: before } }, limit })),
  rate_limits: ({ rateLimiterFlexible }, before, limit) =>
    noGrants(rateLimiterFlexible.deleteMany({ where: { expire: { lt: before } }, limit })),
};

/** A grant without codes and tokens can neither be used nor be seen to be misused. */
const deleteDeadGrants = (db: Db, grantIds: readonly (string | null)[]) =>
  db.grant.deleteMany({
    where: {
      id: { in: [...new Set(grantIds)].filter((id) => id !== null) },
      authorizationCodes: { none: {} },
      accessTokens: { none: {} },
      refreshTokens: { none: {} },
      deviceCodes: { none: {} },
    },
  });

export type PurgeOptions = {
  /** Rows in one transaction. */
  readonly batch?: number;
  /** Asked before every batch; true: enough for now. */
  readonly stopped?: () => boolean;
};

/** How many rows were deleted, by table; tables without any are left out. */
export type Purged = Readonly<Record<string, number>>;

/** One round through the tables, until nothing is left to delete. Several processes may be at it at the same time. */
export async function purge(
  { prisma }: Database,
  now: Date,
  { batch = 500, stopped = () => false }: PurgeOptions = {},
): Promise<Purged> {
  const before = new Date(now.getTime() - kept);
  const purged: Record<string, number> = {};
  const count = (table: string, rows: number) => {
    if (rows > 0) purged[table] = (purged[table] ?? 0) + rows;
  };

  for (const [table, deleteBatch] of Object.entries(tables)) {
    let full = true;
    while (full && !stopped()) {
      // Together: a grant whose last token is gone would never be found again.
      const [rows, grants] = await prisma.$transaction(async (db) => {
        const deleted = await deleteBatch(db, before, batch);
        return [deleted.length, (await deleteDeadGrants(db, deleted)).count] as const;
      });
      count(table, rows);
      count('grants', grants);
      full = rows === batch;
    }
  }
  return purged;
}

/** In ms. */
export type PurgeTimes = {
  readonly first?: number;
  readonly every?: number;
};

/**
 * Purges from time to time, and keeps no process alive for it. Nobody's request fails when it does: that is logged, and the
 * next round tries again. The intervals vary, so that processes which started together do not purge together.
 *
 * @returns stops it, and waits for the batch under way
 */
export function schedulePurge(
  database: Database,
  now: () => Date,
  log: Pick<Logger, 'info' | 'error'>,
  { first = 60_000, every = 600_000 }: PurgeTimes = {},
): () => Promise<void> {
  let stopping = false;
  let underWay: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout;

  async function round() {
    try {
      const purged = await purge(database, now(), { stopped: () => stopping });
      if (Object.keys(purged).length > 0) log.info({ purged }, 'purged');
    } catch (err) {
      log.error({ err }, 'purge failed');
    }
    if (!stopping) next(every);
  }

  function next(delay: number) {
    timer = setTimeout(
      () => {
        underWay = round();
      },
      delay * (1 + Math.random() / 4),
    ).unref();
  }

  next(first);
  return async () => {
    stopping = true;
    clearTimeout(timer);
    await underWay;
  };
}
