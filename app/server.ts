/** The process: configuration, store, listen, graceful stop. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import { demoClient, publicPasswords, seed } from '../prisma/seed.ts';
import { createApp } from './app.ts';
import { customerAppId } from './client-app/kit.ts';
import { type Config, environment, readConfig } from './config.ts';
import { allUsable, ConfigError } from './config-error.ts';
import type { Lifecycle } from './health.ts';
import { gracefulStop } from './http/graceful-stop.ts';
import { createHttpServer, listeningUrl } from './http/http-server.ts';
import { createLog, loggable } from './log.ts';
import { generateKey, readKeys } from './oauth/keys.ts';
import { platforms } from './platforms/index.ts';
import { createServices, type Services } from './services.ts';
import { findClient } from './store/clients.ts';
import { isOutage } from './store/outage.ts';
import { schedulePurge } from './store/purge.ts';
import { welcome } from './welcome.ts';

const demoClientIds = [demoClient.id, customerAppId];

/** How long after SIGTERM requests under way may take, and after them the database to close, in ms. */
const grace = { requests: 10_000, database: 5_000 };

/**
 * In production, the seed's users must not be there with the passwords that everybody can read, nor the clients of the
 * demonstration, which are trusted with everything.
 */
async function refuseDemonstration({ database, passwords }: Services) {
  const logins = await publicPasswords(database, passwords);
  const clients = await Promise.all(demoClientIds.map((id) => findClient(database, id)));
  const ids = clients.flatMap((client) => client?.id ?? []);
  const problems = [
    ...(logins.length > 0
      ? [
          `the database has users of the seed with their public passwords (${logins.join(', ')}): ` +
            'use a database of your own, or give them other passwords with npm run admin -- user set-password',
        ]
      : []),
    ...ids.map(
      (id) =>
        `the database has the demonstration's client ${id}: npm run admin -- client delete ${id}`,
    ),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
}

/** Before a platform is to sign: outside production, the first key is made. */
async function ensureSigningKey({ platforms: chosen, production, PRIVATE_KEY, KEYS_FILE }: Config) {
  const signing = chosen.find(({ platform }) => platform.signs)?.platform;
  if (!signing || PRIVATE_KEY || (await readKeys(KEYS_FILE)).length > 0) return;
  if (production) {
    throw new ConfigError([
      `KEYS_FILE: ${signing.title} signs, and there is no key in ${KEYS_FILE}; make one: npm run admin -- key generate`,
    ]);
  }
  await generateKey(KEYS_FILE, new Date());
}

class ListenError extends Error {
  override readonly name = 'ListenError';
}

function listen(server: Server, { PORT, HOST }: Config): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      const why =
        code === 'EADDRINUSE' ? 'another process does. Set PORT' : `${code}. Set HOST, PORT`;
      reject(new ListenError(`Cannot listen on ${HOST}, port ${PORT}: ${why}.`));
    });
    server.listen(PORT, HOST, () => resolve(listeningUrl(server.address() as AddressInfo)));
  });
}

/** For the console's suite. It takes a while to load, and no request needs it. */
async function startAnother() {
  const { startThrowAwayBackend } = await import('./scenarios/throw-away-backend.ts');
  return startThrowAwayBackend();
}

async function start(config: Config) {
  const log = createLog(config);
  await allUsable(config.platforms.map(({ platform, settings }) => platform.prepare?.(settings)));
  await ensureSigningKey(config);
  const services = await createServices(config);
  if (config.production) await refuseDemonstration(services);
  else await seed(services.database, services.passwords);

  const lifecycle: Lifecycle = { stopping: false };
  const { server, serve } = createHttpServer();
  const stop = gracefulStop(server, lifecycle);
  const url = await listen(server, config);
  const startBackend = config.production ? undefined : startAnother;
  serve(createApp(config, config.BASE_URL ?? url, services, log, lifecycle, startBackend));
  const stopPurging = schedulePurge(services.database, services.now, log);

  const stopDelay = config.STOP_DELAY * 1000;
  closeWithGrace(
    {
      delay: stopDelay + grace.requests + grace.database,
      // Of a second signal, or too long a delay: a text. Of what the function below throws: the error.
      logger: { error: (err: unknown) => log.error(err instanceof Error ? { err } : String(err)) },
    },
    async ({ signal, err }) => {
      if (err) log.fatal({ err }, 'stopping after an error');
      else log.info({ signal }, 'stopping');
      lifecycle.stopping = true;
      await pause(stopDelay);
      const cutOff = await stop(grace.requests);
      if (cutOff > 0) log.warn({ cutOff }, 'requests took too long and were cut off');
      await stopPurging();
      await services.close();
      log.info('stopped');
    },
  );

  process.stdout.write(`${welcome(config, url)}listening on ${url}\n`);
}

/** What an operator can mend is said in a line; where it is our bug, the stack helps. */
function problemOf(error: unknown): string {
  const { name, message, stack } = loggable(error);
  if (['ConfigError', 'MigrationError', 'ListenError'].includes(name)) return message;
  const all =
    error instanceof AggregateError ? error.errors.map((one) => loggable(one).message) : [];
  const said = [message, ...all].filter((text) => text !== '').join('; ');
  const hint = isOutage(error) ? '' : `\n${stack}`;
  return `partner-idp-kit could not start: ${name}: ${said}${hint}`;
}

try {
  await start(readConfig(environment(), platforms));
} catch (error) {
  process.stderr.write(`${problemOf(error)}\n`);
  process.exit(1);
}
