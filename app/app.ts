import express, { type Express } from 'express';
import passport from 'passport';
import type { Logger } from 'pino';
import { type Config, ConfigError } from './config.ts';
import { landingPage } from './console/landing.ts';
import { healthEndpoints, type Lifecycle } from './health.ts';
import type { Endpoint } from './http/endpoint.ts';
import { faults } from './http/faults.ts';
import { mount, notFound } from './http/mount.ts';
import { requestLog } from './http/request-log.ts';
import { createAuthenticateCaller } from './oauth/callers.ts';
import { firstPartyLogin } from './oauth/first-party-login.ts';
import type { Services } from './services.ts';

/** Two endpoints on one method and path: only one of them would ever be asked. */
function conflicts(endpoints: readonly Endpoint[]): string[] {
  const taken = new Set<string>();
  return endpoints
    .flatMap(({ methods, path }) => methods.map((method) => `${method} ${path}`))
    .filter((route) => taken.has(route) || !taken.add(route))
    .map((route) => `two endpoints are on ${route}: change a path`);
}

/** Every endpoint of this configuration. @throws {ConfigError} when two are on one method and path */
export function endpointsOf(config: Config, services: Services, lifecycle: Lifecycle): Endpoint[] {
  const { verify, tokens, ping, version } = services;
  const platforms = config.platforms.map(({ platform, settings }) => ({
    platform,
    settings,
    endpoints: platform.endpoints(settings, { verify }),
  }));
  const endpoints = [
    ...platforms.flatMap((one) => one.endpoints),
    ...(config.FIRST_PARTY_LOGIN
      ? [firstPartyLogin(verify, tokens.issue, config.ACCESS_TOKEN_TTL)]
      : []),
    ...healthEndpoints(lifecycle, ping, version),
    landingPage({ platforms, baseUrl: config.BASE_URL, production: config.production, version }),
  ];
  const problems = conflicts(endpoints);
  if (problems.length > 0) throw new ConfigError(problems);
  return endpoints;
}

export function createApp(
  config: Config,
  services: Services,
  log: Logger,
  lifecycle: Lifecycle = { stopping: false },
): Express {
  const authenticator = new passport.Passport();
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', config.TRUST_PROXY);
  app.use(requestLog(log));
  app.use(mount(endpointsOf(config, services, lifecycle), createAuthenticateCaller(authenticator)));
  app.use(notFound);
  app.use(faults(log, services.isOutage));
  return app;
}
