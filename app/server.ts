/** The process: configuration, store, listen, graceful stop. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import { publicPasswords, seed } from '../prisma/seed.ts';
import { createApp } from './app.ts';
import { type Config, ConfigError, environment, readConfig } from './config.ts';
import type { Lifecycle } from './health.ts';
import { createLog } from './log.ts';
import { platforms } from './platforms/index.ts';
import { createServices, type Services } from './services.ts';
import { welcome } from './welcome.ts';

/** How long requests under way may take after SIGTERM, in ms, before the process ends all the same. */
const grace = 10_000;

/** In production, the seed's users must not be there with the passwords that everybody can read. */
async function refusePublicPasswords({ database, passwords }: Services) {
  const logins = await publicPasswords(database, passwords);
  if (logins.length === 0) return;
  throw new ConfigError([
    `the database has users of the seed with their public passwords (${logins.join(', ')}): ` +
      'use a database of your own, or give them other passwords with npm run admin -- user set-password',
  ]);
}

/** Where the server listens, as a URL that this machine can open. */
function listeningUrl({ address, port, family }: AddressInfo): string {
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : address;
  return `http://${family === 'IPv6' && host !== 'localhost' ? `[${host}]` : host}:${port}`;
}

async function start(config: Config) {
  const log = createLog(config);
  const services = await createServices(config);
  if (config.production) await refusePublicPasswords(services);
  else await seed(services.database, services.passwords);

  const lifecycle: Lifecycle = { stopping: false };
  const server = createServer(createApp(config, services, log, lifecycle));

  const underWay = new Set<object>();
  server.on('request', (request, response) => {
    underWay.add(request);
    if (lifecycle.stopping) response.setHeader('Connection', 'close');
    response.on('close', () => underWay.delete(request));
  });

  closeWithGrace(
    { delay: config.STOP_DELAY * 1000 + grace, logger: false },
    async ({ signal, err }) => {
      if (err) log.fatal({ err }, 'stopping after an error');
      else log.info({ signal }, 'stopping');
      lifecycle.stopping = true;
      await pause(config.STOP_DELAY * 1000);
      // Whoever comes while earlier requests end is still answered: /readyz with 503.
      const until = Date.now() + grace / 2;
      while (underWay.size > 0 && Date.now() < until) await pause(20);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      await closed;
      await services.close();
      log.info('stopped');
    },
  );

  server.listen(config.PORT, config.HOST, () => {
    const url = listeningUrl(server.address() as AddressInfo);
    process.stdout.write(`${welcome(config, url)}listening on ${url}\n`);
  });
}

try {
  await start(readConfig(environment(), platforms));
} catch (error) {
  const known = error instanceof Error && ['ConfigError', 'MigrationError'].includes(error.name);
  process.stderr.write(`${known ? error.message : `partner-idp-kit could not start: ${error}`}\n`);
  process.exit(1);
}
