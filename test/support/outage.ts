import Libsql from 'libsql';
import pg from 'pg';
import type { Backend } from './backend.ts';

/**
 * Makes the backend's database answer no write, and no read of these tables where it locks by table, until the returned
 * function is called. The backend gives up after 2 s (SQLite) or 5 s (PostgreSQL).
 */
export async function holdDatabase({ config }: Backend): Promise<() => Promise<void>> {
  const url = config.DATABASE_URL;
  if (url.startsWith('file:')) {
    const database = new Libsql(url.slice('file:'.length));
    database.exec('BEGIN IMMEDIATE');
    return async () => {
      database.exec('ROLLBACK');
      database.close();
    };
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN');
  await client.query('LOCK TABLE rate_limits, sessions IN ACCESS EXCLUSIVE MODE');
  return async () => {
    await client.query('ROLLBACK');
    await client.end();
  };
}
