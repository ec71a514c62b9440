import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';

/** A database for one run, empty at first. */
export type ThrowAwayDatabase = { readonly url: string; readonly drop: () => Promise<void> };

/** A file in this folder; it goes with the folder. */
export const sqliteDatabase = (folder: string): ThrowAwayDatabase => ({
  url: `file:${join(folder, 'throw-away.db')}`,
  drop: async () => {},
});

/** SQL on the server itself, outside any database of ours. */
export async function onServer(server: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server, connectionTimeoutMillis: 3000 });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/**
 * A new database on this server.
 *
 * @param purpose goes into its name
 */
export async function postgresqlDatabase(
  server: string,
  purpose: string,
): Promise<ThrowAwayDatabase> {
  const name = `pik_${purpose}_${randomBytes(6).toString('hex')}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}
