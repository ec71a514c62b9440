import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  onServer as onServerAt,
  postgresqlDatabase,
  sqliteDatabase,
  type ThrowAwayDatabase as TestDatabase,
} from '../../app/scenarios/throw-away-database.ts';
import type { Provider } from '../../app/store/database.ts';

export type { TestDatabase };

/** The database that this run is about: `npm test` or `npm run test:postgres`. */
export const provider: Provider =
  process.env['TEST_DATABASE'] === 'postgresql' ? 'postgresql' : 'sqlite';

/** For tests that are about PostgreSQL whatever the run is about. */
export const postgresIsThere = process.env['TEST_WITHOUT_POSTGRES'] !== 'true';

const server = () => process.env['TEST_POSTGRES_URL'] as string;

/** SQL on the server itself, outside any test's database. */
export const onServer = (sql: string): Promise<void> => onServerAt(server(), sql);

function sqliteInFolder(): TestDatabase {
  const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-'));
  return { ...sqliteDatabase(folder), drop: async () => rmSync(folder, { recursive: true }) };
}

/** An empty database of its own. */
export const createDatabase = async (of: Provider = provider): Promise<TestDatabase> =>
  of === 'sqlite' ? sqliteInFolder() : postgresqlDatabase(server(), 'test');
