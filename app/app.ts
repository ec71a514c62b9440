import express, { type Express } from 'express';
import passport from 'passport';
import type { Logger } from 'pino';
import { clientAppRouter } from './client-app/kit.ts';
import type { Config } from './config.ts';
import { ConfigError } from './config-error.ts';
import { consoleRules } from './console/access.ts';
import { createCallLog } from './console/calls.ts';
import { createChaos } from './console/chaos.ts';
import { consoleRouter } from './console/console.ts';
import { docsAssets, docsEndpoints } from './console/docs.ts';
import { landingPage } from './console/landing.ts';
import type { AnsweredPlatform, House } from './console/page.ts';
import { healthEndpoints, type Lifecycle } from './health.ts';
import type { Endpoint } from './http/endpoint.ts';
import { faults } from './http/faults.ts';
import { mount, notFound } from './http/mount.ts';
import { requestId, requestLog } from './http/request-log.ts';
import { limitUserCodeAttempts } from './oauth/attempts.ts';
import { createBrowserOf } from './oauth/browser-sign-in.ts';
import { createAuthenticateCaller } from './oauth/callers.ts';
import { cookieSignIns } from './oauth/cookie-sign-ins.ts';
import { firstPartyLogin } from './oauth/first-party-login.ts';
import { pagesRouter } from './oauth/pages.ts';
import { oauthRouter } from './oauth/router.ts';
import { createSessions } from './oauth/sessions.ts';
import { createPresets, createReturnTo } from './oauth/sign-in.ts';
import { upstreamRouter } from './oauth/upstream/upstream.ts';
import { userinfoRouter } from './openid/userinfo.ts';
import { platformServices } from './platform-services.ts';
import { auroraUserIds } from './platforms/aurora/aurora.ts';
import type { Services } from './services.ts';
import { createIdentities, isOnlyKnownElsewhere } from './store/identities.ts';
import { foldedLogins } from './store/login.ts';
import { createSessionStore } from './store/sessions.ts';
import { createUseState } from './store/used-states.ts';

/** Two endpoints on one method and path: only one of them would ever be asked. */
function conflicts(endpoints: readonly Endpoint[]): string[] {
  const taken = new Set<string>();
  return endpoints
    .flatMap(({ methods, path }) => methods.map((method) => `${method} ${path}`))
    .filter((route) => taken.has(route) || !taken.add(route))
    .map((route) => `two endpoints are on ${route}: change a path`);
}

/** The platforms of this configuration, with what answers them. */
function answeredPlatforms(
  config: Config,
  issuer: string,
  services: Services,
  log: Pick<Logger, 'error'>,
): AnsweredPlatform[] {
  const house = platformServices(config, issuer, services, log);
  return config.platforms.map(({ platform, settings }) => ({
    platform,
    settings,
    endpoints: platform.endpoints(settings, house),
  }));
}

/** Every endpoint of this configuration. @throws {ConfigError} when two are on one method and path */
export function endpointsOf(
  config: Config,
  issuer: string,
  services: Services,
  log: Pick<Logger, 'error'>,
  lifecycle: Lifecycle,
  platforms = answeredPlatforms(config, issuer, services, log),
): Endpoint[] {
  const { verify, tokens, ping, version } = services;
  const hasConsole = consoleRules(config) !== undefined;
  const house = [
    ...(config.FIRST_PARTY_LOGIN
      ? [firstPartyLogin(verify, tokens.issue, config.ACCESS_TOKEN_TTL)]
      : []),
    ...healthEndpoints(lifecycle, ping, version),
    landingPage({
      platforms,
      baseUrl: config.BASE_URL,
      production: config.production,
      console: hasConsole,
      version,
    }),
  ];
  const { upstreams } = config;
  const endpoints = [
    ...platforms.flatMap((one) => one.endpoints),
    ...house,
    ...(hasConsole ? docsEndpoints({ issuer, version, platforms, upstreams, house }) : []),
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

/** What the console shows of the platforms' calls, and does to them. */
function watchPlatforms(platforms: readonly AnsweredPlatform[], now: () => Date) {
  const shown = platforms.map(({ platform: { id, title }, settings, endpoints }) => ({
    platform: { id, title },
    endpoints,
    // PANGO_TOKEN_PARAMETER, for one: what the vendor's dashboard was told to call the token.
    names: Object.entries(settings).flatMap(([name, value]) =>
      name.endsWith('_TOKEN_PARAMETER') ? [String(value)] : [],
    ),
  }));
  const calls = createCallLog();
  const chaos = createChaos(new Map(shown.map(({ platform: { id, title } }) => [id, title])));
  const platformOf = new Map(
    shown.flatMap(({ platform, endpoints }) => endpoints.map((one) => [one, platform] as const)),
  );
  const names = shown.flatMap((one) => one.names);
  return { calls, chaos, lookouts: calls.lookouts(platformOf, chaos, { names, now }) };
}

/** @param issuer how the world reaches this server, without a trailing slash: BASE_URL, or where it listens */
export function createApp(
  config: Config,
  issuer: string,
  services: Services,
  log: Logger,
  lifecycle: Lifecycle = { stopping: false },
  startBackend?: House['startBackend'],
): Express {
  const authenticator = new passport.Passport();
  const platforms = answeredPlatforms(config, issuer, services, log);
  const endpoints = endpointsOf(config, issuer, services, log, lifecycle, platforms);
  const sessions = browserSessions(config, issuer, services);
  const signIns = cookieSignIns(
    { secret: config.SESSION_SECRET, https: issuer.startsWith('https:') },
    createUseState(services.database),
    services.now,
  );
  const returnTo = createReturnTo(endpoints);
  const browserOf = createBrowserOf(authenticator, {
    issuer,
    upstreams: config.upstreams,
    signIns,
    sessions,
    returnTo,
    findOrCreate: createIdentities(services.database, {
      linkByEmail: config.UPSTREAM_LINK_BY_EMAIL,
      createUsers: config.UPSTREAM_CREATE_USERS,
      reserved: foldedLogins(config.CONSOLE_ADMINS),
    }),
    findUser: services.users.findUser,
    timeout: 5000,
    reportProblem: (error, request) =>
      log.warn({ requestId: requestId(request), err: error }, 'sign-in at a provider'),
  });
  const presets = config.production
    ? async () => []
    : createPresets(services.database, services.passwords, services.users.findUser);
  const rules = consoleRules(config);
  const watch = rules && watchPlatforms(platforms, services.now);
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', config.TRUST_PROXY);
  app.use(requestLog(log));
  app.use(
    mount(endpoints, createAuthenticateCaller(authenticator), browserOf, watch?.lookouts.endpoints),
  );
  if (watch) app.use(watch.lookouts.pages);
  app.use(
    oauthRouter(authenticator, {
      issuer,
      grants: services.grants,
      findUser: services.users.findUser,
      findToken: services.tokens.findToken,
      lifetimes: services.lifetimes,
      publicKeys: services.keys.publicKeys,
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
      returnTo,
      signIns,
      limitUserCodes: limitUserCodeAttempts(services.database),
      presets,
      upstreams: config.upstreams,
      codeLifetime: services.lifetimes.code,
      now: services.now,
    }),
  );
  app.use(upstreamRouter({ upstreams: config.upstreams, browserOf, sessions, returnTo }));
  app.use(
    userinfoRouter(authenticator, {
      findToken: services.tokens.findToken,
      now: services.now,
      issuer,
      userIds: auroraUserIds(config.platforms),
    }),
  );
  app.use(clientAppRouter(config, issuer, services.database));
  if (rules && watch) {
    app.use(docsAssets());
    app.use(
      consoleRouter({
        ...watch,
        config,
        issuer,
        services,
        platforms,
        lifecycle,
        log,
        startBackend,
        rules,
        sessions,
        localSessions: browserSessions(config, 'http://localhost', services),
        publicLogins: async () => (await presets()).map(({ login }) => login),
        isOnlyKnownElsewhere: ({ uid }) => isOnlyKnownElsewhere(services.database, uid),
      }),
    );
  }
  if (watch) app.use(watch.lookouts.strays);
  app.use(notFound);
  app.use(faults(log, services.isOutage));
  return app;
}
