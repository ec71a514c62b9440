import express, { type Express } from 'express';
import passport from 'passport';
import type { Logger } from 'pino';
import { clientAppRouter } from './client-app/kit.ts';
import { type Config, ConfigError } from './config.ts';
import { landingPage } from './console/landing.ts';
import { healthEndpoints, type Lifecycle } from './health.ts';
import type { Endpoint } from './http/endpoint.ts';
import { faults } from './http/faults.ts';
import { mount, notFound } from './http/mount.ts';
import { requestLog } from './http/request-log.ts';
import { limitUserCodeAttempts } from './oauth/attempts.ts';
import { createAuthenticateCaller } from './oauth/callers.ts';
import { firstPartyLogin } from './oauth/first-party-login.ts';
import { createPublicKeys } from './oauth/keys.ts';
import { pagesRouter } from './oauth/pages.ts';
import { oauthRouter } from './oauth/router.ts';
import { createSessions } from './oauth/sessions.ts';
import { createPresets } from './oauth/sign-in.ts';
import { upstreamRouter } from './oauth/upstream/upstream.ts';
import { userinfoRouter } from './openid/userinfo.ts';
import type { Services } from './services.ts';
import { createIdentities } from './store/identities.ts';
import { createSessionStore } from './store/sessions.ts';

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

/** How long a browser that has not signed in may leave a form of ours open, in seconds. */
const anonymousTtl = 3600;

const browserSessions = (config: Config, issuer: string, { database, now }: Services) =>
  createSessions({
    store: createSessionStore(
      database,
      { signedIn: config.SESSION_TTL, anonymous: Math.min(anonymousTtl, config.SESSION_TTL) },
      now,
    ),
    secret: config.SESSION_SECRET,
    ttl: config.SESSION_TTL,
    https: issuer.startsWith('https:'),
  });

/** @param issuer how the world reaches this server, without a trailing slash: BASE_URL, or where it listens */
export function createApp(
  config: Config,
  issuer: string,
  services: Services,
  log: Logger,
  lifecycle: Lifecycle = { stopping: false },
): Express {
  const authenticator = new passport.Passport();
  const sessions = browserSessions(config, issuer, services);
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', config.TRUST_PROXY);
  app.use(requestLog(log));
  app.use(mount(endpointsOf(config, services, lifecycle), createAuthenticateCaller(authenticator)));
  app.use(
    oauthRouter(authenticator, {
      issuer,
      grants: services.grants,
      findUser: services.users.findUser,
      findToken: services.tokens.findToken,
      lifetimes: services.lifetimes,
      publicKeys: createPublicKeys(config.KEYS_FILE),
      now: services.now,
    }),
  );
  app.use(
    pagesRouter(authenticator, {
      issuer,
      grants: services.grants,
      findUser: services.users.findUser,
      verify: services.verify,
      sessions,
      limitUserCodes: limitUserCodeAttempts(services.database),
      presets: config.production
        ? async () => []
        : createPresets(services.database, services.passwords, services.users.findUser),
      upstreams: config.upstreams,
      codeLifetime: services.lifetimes.code,
      now: services.now,
    }),
  );
  app.use(
    upstreamRouter(authenticator, {
      issuer,
      upstreams: config.upstreams,
      findOrCreate: createIdentities(services.database, {
        linkByEmail: config.UPSTREAM_LINK_BY_EMAIL,
      }),
      findUser: services.users.findUser,
      sessions,
      secret: config.SESSION_SECRET,
      timeout: 5000,
      now: services.now,
    }),
  );
  app.use(
    userinfoRouter(authenticator, { findToken: services.tokens.findToken, now: services.now }),
  );
  app.use(clientAppRouter(config, issuer, services.database));
  app.use(notFound);
  app.use(faults(log, services.isOutage));
  return app;
}
