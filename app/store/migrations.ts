/**
 * Applies prisma/migrations without Prisma's schema engine, which is a download from outside the npm registry. Keeps
 * Prisma's own `_prisma_migrations` table, so that `prisma migrate status` and `deploy` agree where the engine can be had.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../project-root.ts';
import { type Provider, providerOf } from './database.ts';

/** A connection that no other migrating process has at the same time, in one transaction. */
export type MigrationConnection = {
  rows(sql: string, parameters?: readonly string[]): Promise<unknown[][]>;
  /** Several statements. */
  script(sql: string): Promise<void>;
};

export class MigrationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MigrationError';
  }
}

export type Migration = { readonly name: string; readonly sql: string; readonly checksum: string };

/** Those of this provider, in the order of their names. */
export function migrationsFor(provider: Provider): Migration[] {
  const folder = join(projectRoot, 'prisma/migrations', provider);
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'migration.sql')))
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

/** As Prisma's schema engine makes it. */
const table: Record<Provider, string> = {
  sqlite: `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)`,
  postgresql: `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum"              VARCHAR(64) NOT NULL,
    "finished_at"           TIMESTAMPTZ,
    "migration_name"        VARCHAR(255) NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        TIMESTAMPTZ,
    "started_at"            TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count"   INTEGER NOT NULL DEFAULT 0
)`,
};

/** What is still to be applied. Refuses a database that another version of the software has been at. */
export function pending(
  migrations: readonly Migration[],
  applied: readonly { name: string; checksum: string; finished: boolean }[],
): readonly Migration[] {
  for (const { name, checksum, finished } of applied) {
    const known = migrations.find((migration) => migration.name === name);
    if (!known) {
      throw new MigrationError(
        `The database has the migration ${name}, which this version does not know: it is older than the database.`,
      );
    }
    if (!finished) {
      throw new MigrationError(
        `The migration ${name} was begun and did not finish; see prisma migrate resolve.`,
      );
    }
    if (known.checksum !== checksum) {
      throw new MigrationError(
        `The migration ${name} was changed after it had been applied to this database.`,
      );
    }
  }
  return migrations.filter(({ name }) => !applied.some((one) => one.name === name));
}

/** Brings the database up to date. Processes that start at the same moment do it once. */
export async function migrate(url: string): Promise<readonly string[]> {
  const provider = providerOf(url);
  const exclusively =
    provider === 'sqlite'
      ? (await import('./sqlite.ts')).migrateSqlite
      : (await import('./postgresql.ts')).migratePostgresql;

  const done: string[] = [];
  await exclusively(url, async ({ rows, script }) => {
    await script(table[provider]);
    const applied = await rows(
      'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
    );
    const todo = pending(
      migrationsFor(provider),
      applied.map(([name, checksum, finishedAt]) => ({
        name: String(name),
        checksum: String(checksum),
        finished: finishedAt !== null,
      })),
    );
    for (const { name, sql, checksum } of todo) {
      await script(sql);
      await rows(
        `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
         VALUES ($1, $2, $3, current_timestamp, 1) RETURNING id`,
        [randomUUID(), checksum, name],
      );
      done.push(name);
    }
  });
  return done;
}
