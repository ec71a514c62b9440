import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';

export type ThrowAwayDatabase = { readonly url: string; readonly drop: () => Promise<void> };

/** A file in this folder; it goes with the folder. */
export const sqliteDatabase = async (folder: string): Promise<ThrowAwayDatabase> => ({
  url: `file:${join(folder, 'bench.db')}`,
  drop: async () => {},
});

/** A new database on this server. */
export async function postgresqlDatabase(server: string): Promise<ThrowAwayDatabase> {
  async function onServer(sql: string) {
    const client = new pg.Client({ connectionString: server, connectionTimeoutMillis: 3000 });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  }
  const name = `pik_bench_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}
