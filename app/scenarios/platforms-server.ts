/**
 * The platforms, played, on one port: each beneath `/<id>` with the vendor's own paths, for an app whose SDK is pointed
 * there. For development and tests: it keeps everything in memory, and lets everybody in who can reach it.
 */
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import cors from 'cors';
import { Eta } from 'eta';
import express, { type Express } from 'express';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { isSecret } from '../config.ts';
import { ConfigError } from '../config-error.ts';
import { json, page } from '../http/answer.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { faults } from '../http/faults.ts';
import { gracefulStop } from '../http/graceful-stop.ts';
import { createHttpServer, listeningUrl } from '../http/http-server.ts';
import { mount, noBrowser, notFound } from '../http/mount.ts';
import { requestLog } from '../http/request-log.ts';
import type { Platform } from '../platforms/platform.ts';
import { projectRoot } from '../project-root.ts';
import type { AskOptions } from './exchange.ts';
import { isObject } from './json.ts';
import { nearest } from './selection.ts';
import { type Simulator, variableOf } from './simulator.ts';

/** A platform with its simulator, set up. */
export type PlayedPlatform = Pick<Platform, 'id' | 'title' | 'docs'> & {
  /** As they are in effect. A secret is among them. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly simulator: Simulator;
};

type Sources = {
  /** Without a trailing slash. */
  readonly backend: string;
  /** Of those to set up; default: all. */
  readonly ids?: readonly string[];
  /** What each platform's dashboard is set to, by id: the contents of `--config`. */
  readonly file?: unknown;
  /** What the backend is set to, by its variables, for those settings that name one. */
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly options?: AskOptions;
};

/** Names settings and variables, never their values: one may be a secret. */
function problemOf({ id, simulator }: Platform, issue: z.core.$ZodIssue, isThere: boolean): string {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(simulator?.settings.shape ?? {});
    return issue.keys
      .map((key) => `${id}: there is no "${key}"; ${nearest(key, known)}`)
      .join('; ');
  }
  const setting = issue.path.join('.');
  const schema = simulator?.settings.shape[String(issue.path[0])] as z.ZodType | undefined;
  const variable = schema && variableOf(schema);
  const hint = !isThere && variable ? `is missing; set ${variable}` : issue.message;
  return `${[id, setting].filter((part) => part !== '').join('.')}: ${hint}`;
}

/** Platforms that cannot be set up for want of a secret, which nobody can make up, and the variables to set. */
export const withoutSecrets = (
  registry: readonly Platform[],
  { file = {}, variables = {} }: Pick<Sources, 'file' | 'variables'>,
): readonly {
  readonly id: string;
  readonly title: string;
  readonly variables: readonly string[];
}[] =>
  registry
    .map(({ id, title, simulator }) => {
      const given = isObject(file) && isObject(file[id]) ? file[id] : {};
      const missing = Object.entries(simulator?.settings.shape ?? {}).flatMap(([name, setting]) => {
        const variable = variableOf(setting as z.ZodType);
        const isThere = given[name] !== undefined || variables[variable ?? ''] !== undefined;
        return isSecret(setting) && variable && !isThere ? [variable] : [];
      });
      return { id, title, variables: missing };
    })
    .filter((one) => one.variables.length > 0);

/**
 * The simulators of this registry, set up. What the file says goes before what the backend's variables say.
 *
 * @throws {ConfigError} with all problems at once
 */
export function setUp(
  registry: readonly Platform[],
  { backend, ids: chosen, file = {}, variables = {}, options = {} }: Sources,
): PlayedPlatform[] {
  const problems: string[] = [];
  if (!isObject(file)) throw new ConfigError(['the file is not a JSON object']);
  const strangers = Object.keys(file).filter((id) => !registry.some((one) => one.id === id));
  const ids = registry.map(({ id }) => id);
  problems.push(...strangers.map((id) => `${id}: there is no such platform; ${nearest(id, ids)}`));

  const played = registry.flatMap((platform): PlayedPlatform[] => {
    const { id, title, docs, simulator } = platform;
    if (!simulator || (chosen && !chosen.includes(id))) return [];
    const ofBackend = Object.entries(simulator.settings.shape).flatMap(([name, setting]) => {
      const value = variables[variableOf(setting as z.ZodType) ?? ''];
      return value === undefined ? [] : [[name, value] as const];
    });
    const given = file[id] ?? {};
    const all = isObject(given) ? { ...Object.fromEntries(ofBackend), ...given } : given;
    const parsed = simulator.settings.strict().safeParse(all);
    if (!parsed.success) {
      const there = (issue: z.core.$ZodIssue) =>
        issue.path.length === 0 || (isObject(all) && Object.hasOwn(all, String(issue.path[0])));
      problems.push(
        ...parsed.error.issues.map((issue) => problemOf(platform, issue, there(issue))),
      );
      return [];
    }
    const settings = parsed.data;
    return [{ id, title, docs, settings, simulator: simulator.create(backend, settings, options) }];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return played;
}

// Escapes whatever it prints.
const eta = new Eta({ views: join(projectRoot, 'app/scenarios/views'), cache: true });

/** What is played here, and the base URLs to paste into an app; JSON for who asks for it. */
function list(
  path: Endpoint['path'],
  played: readonly PlayedPlatform[],
  backend: string,
  url: string,
): Endpoint {
  const platforms = played.map(({ id, title, docs, simulator }) => ({
    id,
    title,
    base_url: `${url}/${id}`,
    calls: simulator.endpoints.map(({ methods, path: called }) => ({
      text: `${methods.join(' or ')} ${called}`,
      href: methods.includes('GET') ? `${url}/${id}${called}` : undefined,
    })),
    docs,
  }));
  const body = eta.render('platforms', { backend, platforms });
  const shown = platforms.map(({ calls, ...one }) => ({
    ...one,
    calls: calls.map(({ text }) => text),
  }));
  return {
    path,
    methods: ['GET'],
    answer: ({ headers }) =>
      headers.accept?.includes('application/json')
        ? json(200, { backend, platforms: shown })
        : page(200, body),
  };
}

const beneath = (id: string, { path, ...endpoint }: Endpoint): Endpoint => ({
  ...endpoint,
  path: path === '/' ? `/${id}` : `/${id}${path}`,
});

type Served = {
  readonly backend: string;
  readonly log: Logger;
  /** Whose pages may read the answers: vendors let any, but this server asks your backend. */
  readonly origins?: readonly string[];
};

/** @param url where it listens, without a trailing slash */
function createPlatformsApp(
  played: readonly PlayedPlatform[],
  url: string,
  { backend, log, origins = [] }: Served,
): Express {
  const endpoints = played.flatMap(({ id, simulator }) =>
    simulator.endpoints.map((endpoint) => beneath(id, endpoint)),
  );
  const lists = [
    list('/', played, backend, url),
    ...played.map((one) => list(`/${one.id}`, [one], backend, url)),
  ];
  const app = express();
  app.disable('x-powered-by');
  app.use(requestLog(log));
  if (origins.length > 0) app.use(cors({ origin: [...origins] }));
  app.use(mount([...endpoints, ...lists], async () => undefined, noBrowser));
  app.use(notFound);
  app.use(faults(log, () => false));
  return app;
}

/** What the operator can mend. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

export type PlatformsServer = {
  /** Without a trailing slash. */
  readonly url: string;
  /** Waits for the requests under way, so many ms at most. */
  readonly stop: (grace?: number) => Promise<void>;
};

/**
 * Listens when it resolves. `port` 0: any free one.
 *
 * @throws {ListenError}
 */
export async function startPlatforms(
  played: readonly PlayedPlatform[],
  { port, host = '127.0.0.1', ...served }: Served & { port: number; host?: string },
): Promise<PlatformsServer> {
  const { server, serve } = createHttpServer();
  const stop = gracefulStop(server, { stopping: false });
  await new Promise<void>((listening, failed) => {
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      const why =
        code === 'EADDRINUSE' ? 'another process does. Set --port' : `${code}. Set --host, --port`;
      failed(new ListenError(`Cannot listen on ${host}, port ${port}: ${why}.`));
    });
    server.listen(port, host, listening);
  });
  const url = listeningUrl(server.address() as AddressInfo);
  serve(createPlatformsApp(played, url, served));
  return {
    url,
    async stop(grace = 10_000) {
      await stop(grace);
    },
  };
}
