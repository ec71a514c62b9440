import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Provider } from '../../app/store/database.ts';

/** The database that this run is about: `npm test` or `npm run test:postgres`. */
export const provider: Provider =
  process.env['TEST_DATABASE'] === 'postgresql' ? 'postgresql' : 'sqlite';

/** For tests that are about PostgreSQL whatever the run is about. */
export const postgresIsThere = process.env['TEST_WITHOUT_POSTGRES'] !== 'true';

export type TestDatabase = { readonly url: string; readonly drop: () => Promise<void> };

const server = () => process.env['TEST_POSTGRES_URL'] as string;

/** SQL on the server itself, outside any test's database. */
export async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server() });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

async function postgresqlDatabase(): Promise<TestDatabase> {
  const name = `pik_test_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name}`);
  const url = new URL(server());
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

function sqliteDatabase(): TestDatabase {
  const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-'));
  const drop = async () => rmSync(folder, { recursive: true });
  return { url: `file:${join(folder, 'test.db')}`, drop };
}

/** An empty database of its own. */
export const createDatabase = async (of: Provider = provider): Promise<TestDatabase> =>
  of === 'sqlite' ? sqliteDatabase() : postgresqlDatabase();
