import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { addCast } from '../../prisma/seed.ts';
import { createApp } from '../app.ts';
import type { Config } from '../config.ts';
import type { House } from '../console/page.ts';
import type { Lifecycle } from '../health.ts';
import { createHttpServer } from '../http/http-server.ts';
import { createServices, type Overrides, type Services } from '../services.ts';
import { groups, people, understudies, understudyGroups } from './cast.ts';

/** A whole backend with the whole cast, listening on a free port of this machine. */
export type OwnBackend = {
  readonly url: string;
  readonly config: Config;
  readonly services: Services;
  readonly lifecycle: Lifecycle;
  readonly stop: () => Promise<void>;
};

export type OwnBackendOptions = Pick<Overrides, 'now'> & {
  /** For the console of this one. */
  readonly startBackend?: House['startBackend'];
};

/** What the tables take for granted besides the defaults. */
export const playedSettings = {
  FIRST_PARTY_LOGIN: 'true',
  ALLOWED_SERVICES: 'storage-service:roles',
} as const;

/** The lowest cost bcrypt has: the cast's passwords are public. */
const bcryptCost = 4;

export async function startOwnBackend(
  config: Config,
  log: Logger,
  { startBackend, ...overrides }: OwnBackendOptions = {},
): Promise<OwnBackend> {
  const services = await createServices(config, { ...overrides, bcryptCost });
  await addCast(services.database, services.passwords, {
    groups: [...groups, ...understudyGroups],
    people: [...people, ...understudies],
  });
  const lifecycle = { stopping: false };
  const { server, serve } = createHttpServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  serve(createApp(config, config.BASE_URL ?? url, services, log, lifecycle, startBackend));
  return {
    url,
    config,
    services,
    lifecycle,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await services.close();
    },
  };
}
