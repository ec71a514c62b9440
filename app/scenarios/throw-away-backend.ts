/** The backend that the scenarios are played on when nobody names another: ours, with a database of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { generateKey } from '../oauth/keys.ts';
import { platforms } from '../platforms/index.ts';
import { secretsAmong, variableFor } from './fixture.ts';
import { playedSettings, startOwnBackend } from './own-backend.ts';
import { ownBindings } from './own-bindings.ts';
import type { Secret } from './report.ts';
import type { Bindings } from './scenario.ts';
import { postgresqlDatabase, sqliteDatabase } from './throw-away-database.ts';

export type ThrowAwayBackend = {
  readonly url: string;
  readonly bindings: Bindings;
  readonly secrets: readonly Secret[];
  /** Leaves nothing behind. */
  readonly stop: () => Promise<void>;
};

/** @param server `postgresql://…`, where a database may be created; without, an SQLite file in a temporary folder */
export async function startThrowAwayBackend(server?: string): Promise<ThrowAwayBackend> {
  const undo: (() => void | Promise<void>)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-scenarios-'));
    undo.push(() => rmSync(folder, { recursive: true }));
    const database = server
      ? await postgresqlDatabase(server, 'scenarios')
      : sqliteDatabase(folder);
    undo.push(database.drop);
    const config = readConfig(
      {
        NODE_ENV: 'test',
        DATABASE_URL: database.url,
        // What is missing is generated there: the secrets of the callers, and of the sessions.
        SECRETS_FILE: join(folder, 'secrets.env'),
        KEYS_FILE: join(folder, 'keys.json'),
        LOG_LEVEL: 'silent',
        ...playedSettings,
      },
      platforms,
    );
    await generateKey(config.KEYS_FILE, new Date());
    const backend = await startOwnBackend({ ...config, withoutConsole: true }, createLog(config));
    undo.push(backend.stop);
    const bindings = await ownBindings(backend);
    const secrets = Object.entries(bindings).map(([name, value]) => ({
      variable: variableFor(name),
      value,
    }));
    return { url: backend.url, bindings, secrets: secretsAmong(secrets), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
