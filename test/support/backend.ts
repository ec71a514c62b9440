import pino from 'pino';
import { type Config, readConfig } from '../../app/config.ts';
import { createLog } from '../../app/log.ts';
import { platforms } from '../../app/platforms/index.ts';
import type { Platform } from '../../app/platforms/platform.ts';
import { people, understudies } from '../../app/scenarios/cast.ts';
import {
  type OwnBackend,
  type OwnBackendOptions,
  playedSettings,
  startOwnBackend,
} from '../../app/scenarios/own-backend.ts';
import { logFile, secret } from './canaries.ts';
import { createDatabase } from './databases.ts';
import { keysFile } from './keys.ts';

export type LogLine = Readonly<Record<string, unknown>>;

/** A whole backend on a database of its own, listening on a free port. */
export type Backend = OwnBackend & {
  readonly config: Config;
  /** What it logged so far, parsed. */
  readonly log: readonly LogLine[];
  /** The moment that the backend takes for now; tests move it. */
  readonly clock: { now: Date };
};

export const apiKey = 'authlete-api-key-of-the-tests';
export const apiSecret = 'blåbær:secret/of+the=tests';

export async function startBackend(
  environment: Record<string, string> = {},
  registry: readonly Platform[] = platforms,
  suite: Pick<OwnBackendOptions, 'startBackend'> = {},
): Promise<Backend> {
  const database = await createDatabase();
  const config = readConfig(
    {
      NODE_ENV: 'test',
      DATABASE_URL: database.url,
      AUTHLETE_API_KEY: secret(apiKey),
      AUTHLETE_API_SECRET: secret(apiSecret),
      SESSION_SECRET: secret('session-secret-of-the-tests'),
      CLIENT_TOKEN_SECRET: secret('client-token-secret-of-the-tests'),
      KEYS_FILE: keysFile(),
      ...playedSettings,
      LOG_LEVEL: 'trace',
      LOG_FORMAT: 'json',
      ...environment,
    },
    registry,
  );
  const log: LogLine[] = [];
  const file = pino.destination({ dest: logFile(), sync: true, append: true });
  const logger = createLog(config, {
    write(line: string) {
      log.push(JSON.parse(line));
      file.write(line);
    },
  });
  const clock = { now: new Date() };
  const cast = [...people, ...understudies];
  for (const { password, login } of cast) if (password !== login) secret(password);
  const backend = await startOwnBackend(config, logger, { now: () => clock.now, ...suite });

  return {
    ...backend,
    config,
    log,
    clock,
    async stop() {
      await backend.stop();
      await database.drop();
    },
  };
}
