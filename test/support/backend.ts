import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { createApp } from '../../app/app.ts';
import { type Config, readConfig } from '../../app/config.ts';
import type { Lifecycle } from '../../app/health.ts';
import { createHttpServer } from '../../app/http/http-server.ts';
import { createLog } from '../../app/log.ts';
import { platforms } from '../../app/platforms/index.ts';
import { groups, people, understudies, understudyGroups } from '../../app/scenarios/cast.ts';
import { createServices, type Services } from '../../app/services.ts';
import { addCast } from '../../prisma/seed.ts';
import { logFile, secret } from './canaries.ts';
import { createDatabase } from './databases.ts';

export type LogLine = Readonly<Record<string, unknown>>;

/** A whole backend on a database of its own, listening on a free port. */
export type Backend = {
  readonly url: string;
  readonly config: Config;
  readonly services: Services;
  readonly lifecycle: Lifecycle;
  /** What it logged so far, parsed. */
  readonly log: readonly LogLine[];
  /** The moment that the backend takes for now; tests move it. */
  readonly clock: { now: Date };
  readonly stop: () => Promise<void>;
};

export const apiKey = 'authlete-api-key-of-the-tests';
export const apiSecret = 'blåbær:secret/of+the=tests';

/** The lowest cost bcrypt has. Only tests use it. */
const bcryptCost = 4;

export async function startBackend(environment: Record<string, string> = {}): Promise<Backend> {
  const database = await createDatabase();
  const config = readConfig(
    {
      NODE_ENV: 'test',
      DATABASE_URL: database.url,
      AUTHLETE_API_KEY: secret(apiKey),
      AUTHLETE_API_SECRET: secret(apiSecret),
      SESSION_SECRET: secret('session-secret-of-the-tests'),
      FIRST_PARTY_LOGIN: 'true',
      LOG_LEVEL: 'trace',
      LOG_FORMAT: 'json',
      ...environment,
    },
    platforms,
  );
  const clock = { now: new Date() };
  const services = await createServices(config, { now: () => clock.now, bcryptCost });
  const cast = { groups: [...groups, ...understudyGroups], people: [...people, ...understudies] };
  for (const { password, login } of cast.people) if (password !== login) secret(password);
  await addCast(services.database, services.passwords, cast);

  const log: LogLine[] = [];
  const file = pino.destination({ dest: logFile(), sync: true, append: true });
  const lifecycle = { stopping: false };
  const logger = createLog(config, {
    write(line: string) {
      log.push(JSON.parse(line));
      file.write(line);
    },
  });
  const { server, serve } = createHttpServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  serve(createApp(config, config.BASE_URL ?? url, services, logger, lifecycle));

  return {
    url,
    config,
    services,
    lifecycle,
    log,
    clock,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await services.close();
      await database.drop();
    },
  };
}
