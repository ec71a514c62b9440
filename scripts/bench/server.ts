/**
 * One server to be measured, in a process of its own: node-http, express, express-own-classes, or kit DATABASE-URL FOLDER.
 * Says where it is `Listening`; whatever it is asked, it answers with the CPU time that it has used.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express, { type Express } from 'express';
import { createApp } from '../../app/app.ts';
import { type Config, readConfig } from '../../app/config.ts';
import type { Lifecycle } from '../../app/health.ts';
import { gracefulStop } from '../../app/http/graceful-stop.ts';
import { createHttpServer } from '../../app/http/http-server.ts';
import { createLog } from '../../app/log.ts';
import { platforms } from '../../app/platforms/index.ts';
import { createServices } from '../../app/services.ts';
import { demoClient, seed } from '../../prisma/seed.ts';
import { serveParent } from './processes.ts';

export type Listening = {
  readonly port: number;
  /** Good tokens of simon371; the kit's only. */
  readonly tokens: readonly string[];
};

/** The baselines answer what the kit's GET /user/verify does, to the byte. */
const body = {
  user: {
    id: 2345,
    login: 'simon371',
    full_name: 'Simon Davis',
    fill_name: 'Simon Davis',
    email: 'simon371@example.com',
  },
  uid: 2345,
  login: 'simon371',
  email: 'simon371@example.com',
};

const nodeHttp = (): Server =>
  createServer((_request, response) => {
    const text = JSON.stringify(body);
    response.writeHead(200, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(text),
    });
    response.end(text);
  });

function bareExpress(): Express {
  const app = express();
  app.get('/user/verify', (_request, response) => {
    response.json(body);
  });
  return app;
}

/** The whole backend, on a database of its own, as app/server.ts starts it. */
async function kit(databaseUrl = '', folder = '') {
  const config = readConfig(
    {
      NODE_ENV: 'test',
      DATABASE_URL: databaseUrl,
      SECRETS_FILE: join(folder, 'secrets.env'),
      KEYS_FILE: join(folder, 'keys.json'),
      LOG_FORMAT: 'json',
    },
    platforms,
  );
  const services = await createServices(config);
  await seed(services.database, services.passwords);
  const tokens: string[] = [];
  while (tokens.length < 100) {
    const { token } = await services.tokens.issue({
      clientId: demoClient.id,
      uid: 2345,
      scope: demoClient.scope,
      ttl: 3600,
      actor: 'bench',
    });
    tokens.push(token);
  }
  const lifecycle: Lifecycle = { stopping: false };
  const { server, serve } = createHttpServer();
  gracefulStop(server, lifecycle);
  // As in production: there, nothing is captured for the console.
  const production: Config = { ...config, withoutConsole: true };
  serve(createApp(production, 'http://127.0.0.1', services, createLog(config), lifecycle));
  return { server, tokens };
}

async function serverOf(name: string | undefined, options: readonly string[]) {
  switch (name) {
    case 'node-http':
      return { server: nodeHttp(), tokens: [] };
    case 'express':
      return { server: createServer(bareExpress()), tokens: [] };
    case 'express-own-classes': {
      const { server, serve } = createHttpServer();
      serve(bareExpress());
      return { server, tokens: [] };
    }
    case 'kit':
      return kit(...options);
    default:
      throw new Error(`There is no server ${name}.`);
  }
}

const { server, tokens } = await serverOf(process.argv[2], process.argv.slice(3));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  serveParent({ port, tokens } satisfies Listening, () => process.cpuUsage());
});
