/**
 * The only reader of the environment. Every variable is declared here or in its platform's folder, with a description;
 * `.env.example` is made from these declarations.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { signingKeyProblems, signingKeySettings } from './oauth/keys.ts';
import { tokenSourceProblems, tokenSourceSettings } from './oauth/token-source.ts';
import { readUpstreams, type Upstream, upstreamSettings } from './oauth/upstream/providers.ts';
import type { Platform } from './platforms/platform.ts';
import { projectRoot } from './project-root.ts';
import { ensureSecrets } from './secrets.ts';
import { wholeNumber } from './whole-number.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A file named in the environment is meant from the project's folder, wherever the process was started. */
const fromProjectRoot = (file: string) => resolve(projectRoot, file);

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Never plain `true`: that would let any client write its own address. */
function trustProxy(value: string, context: z.core.$RefinementCtx<string>): number | string[] {
  if (/^\d+$/.test(value)) return Number(value);
  const entries = value.split(',').flatMap((entry) => entry.trim() || []);
  const known = ['loopback', 'linklocal', 'uniquelocal'];
  const good = entries.every((entry) => {
    const [address = '', bits = '32', ...more] = entry.split('/');
    const most = { 4: 32, 6: 128 }[isIP(address)] ?? 0;
    const good = /^\d{1,3}$/.test(bits) && Number(bits) > 0 && Number(bits) <= most;
    return known.includes(entry) || (good && more.length === 0);
  });
  if (!good) {
    context.addIssue('must be a number of proxies, or their addresses or subnets, with commas');
  }
  return entries;
}

/** `file:` URLs become absolute; a query (`?mode=…`) is refused, as it would be ignored. */
function databaseUrl(value: string, context: z.core.$RefinementCtx<string>): string {
  if (/^postgres(ql)?:\/\/./.test(value) && URL.canParse(value)) return value;
  if (/^file:[^?#]+$/.test(value) && !value.includes(':memory:')) {
    return `file:${fromProjectRoot(value.slice('file:'.length).replace(/^\/\/(?=\/)/, ''))}`;
  }
  context.addIssue('must be file:<path> or postgresql://user:password@host:port/database');
  return value;
}

export const houseSettings = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('development, test or production. In production: no seed, no generated secrets.'),
  PORT: wholeNumber(0, 65_535).default(3000).describe('Port to listen on; 0 for any free one.'),
  HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address to listen on; 0.0.0.0 for all, as in a container.'),
  BASE_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .regex(/^[^?#@]*$/, 'must have no query, fragment or user')
    .transform((url) => url.replace(/\/+$/, ''))
    .optional()
    .describe('How the world reaches this server. Empty: where it listens.'),
  DATABASE_URL: z
    .string()
    .default('file:data/partner-idp-kit.db')
    .transform(databaseUrl)
    .describe('file:<path> for the embedded SQLite, or postgresql://user:password@host:port/name.'),
  DATABASE_POOL_SIZE: wholeNumber(1, 1000)
    .default(10)
    .describe('PostgreSQL connections that one process may hold.'),
  PLATFORMS: z
    .string()
    .default('all')
    .describe('Which platforms to answer: ids separated by commas, or all.'),
  FIRST_PARTY_LOGIN: z
    .stringbool()
    .default(false)
    .describe('true: POST /user/login gives your own app a token for a login and password.'),
  ACCESS_TOKEN_TTL: wholeNumber(60, 86_400)
    .default(3600)
    .describe('How long an access token is good, in seconds.'),
  AUTHORIZATION_CODE_TTL: wholeNumber(10, 600)
    .default(60)
    .describe('How long an authorization code is good, in seconds.'),
  REFRESH_TOKEN_TTL: wholeNumber(60, 31_536_000)
    .default(2_592_000)
    .describe('How long a grant can be refreshed in all, in seconds, however often it is.'),
  REFRESH_TOKEN_GRACE: wholeNumber(0, 60)
    .default(0)
    .describe(
      'Seconds in which a used refresh token works once more, for apps that lose an answer. 0: never.',
    ),
  DEVICE_CODE_TTL: wholeNumber(60, 3600)
    .default(600)
    .describe('How long a device code waits for its user, in seconds.'),
  SESSION_TTL: wholeNumber(60, 2_592_000)
    .default(28_800)
    .describe('How long a browser stays signed in without being used, in seconds.'),
  SESSION_SECRET: z
    .string()
    .min(16)
    .meta({ secret: true })
    .describe('Signs the session cookies of the sign-in pages.'),
  CLIENT_TOKEN_SECRET: z
    .string()
    .min(16)
    .meta({ secret: true })
    .describe('Signs the tokens that an app keeps for its user (dgp-oauth2).'),
  LOGIN_ATTEMPTS: wholeNumber(1, 1000)
    .default(10)
    .describe('Wrong passwords for one login from one address, before it has to wait.'),
  LOGIN_ATTEMPTS_PER_ADDRESS: wholeNumber(1, 1_000_000)
    .default(100)
    .describe(
      'Wrong passwords from one address, for whatever logins; not counted for calling platforms.',
    ),
  LOGIN_ATTEMPTS_WINDOW: wholeNumber(1, 86_400)
    .default(900)
    .describe('In how many seconds that is, and how long the wait.'),
  ...tokenSourceSettings,
  ...upstreamSettings,
  CONSOLE_ENABLED: z
    .stringbool()
    .default(false)
    .describe(
      'true: /console is open to CONSOLE_ADMINS, from anywhere. Else on this machine only, and neither in production nor with TRUST_PROXY.',
    ),
  CONSOLE_ADMINS: z
    .string()
    .default('')
    .transform((list) => list.split(',').flatMap((login) => login.trim() || []))
    .describe('Logins of those who may open it, separated by commas.'),
  TRUST_PROXY: z
    .string()
    .default('0')
    .transform(trustProxy)
    .describe(
      'Proxies whose X-Forwarded-For counts: how many, or their addresses or subnets. 0: none.',
    ),
  BCRYPT_COST: wholeNumber(10, 16)
    .default(10)
    .describe('bcrypt cost factor of new password hashes; one more doubles the time.'),
  PASSWORD_CONCURRENCY: wholeNumber(1, 64)
    .optional()
    .transform((given) => given ?? Math.min(availableParallelism(), 64))
    .describe('Passwords compared at the same time. Empty: as many as there are cores.'),
  PASSWORD_QUEUE: wholeNumber(0, 100_000)
    .default(200)
    .describe('Passwords that may wait for that; beyond, 503 with Retry-After.'),
  LOG_LEVEL: z
    .enum(logLevels)
    .default('info')
    .describe(`The least that is logged: ${logLevels.join(', ')}.`),
  LOG_FORMAT: z
    .enum(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('json, pretty, or auto: pretty on a terminal outside production.'),
  SECRETS_FILE: z
    .string()
    .default('data/secrets.env')
    .transform(fromProjectRoot)
    .describe('Where missing secrets are generated (not in production), readable by you alone.'),
  KEYS_FILE: z
    .string()
    .default('data/keys.json')
    .transform(fromProjectRoot)
    .describe('The keys that npm run admin -- key makes to sign with, readable by you alone.'),
  ...signingKeySettings,
  STOP_DELAY: wholeNumber(0, 300)
    .default(0)
    .describe(
      'Seconds from SIGTERM (/readyz says 503) to closing the port, for a load balancer to notice.',
    ),
});

type House = z.output<typeof houseSettings>;

/** A platform to answer, with its settings. */
export type ConfiguredPlatform = {
  readonly platform: Platform;
  readonly settings: z.output<Platform['settings']>;
};

export type Config = Readonly<House> & {
  readonly production: boolean;
  /** No setting: a backend that is only played on has none, whatever they are. */
  readonly withoutConsole?: true;
  readonly platforms: readonly ConfiguredPlatform[];
  /** Where people can sign in besides here. */
  readonly upstreams: readonly Upstream[];
};

/** A value that a person could guess, or that stands in some documentation. */
const guessable = (value: string) =>
  value.length < 16 || new Set(value).size < 8 || /example|change.?me|secret|password/i.test(value);

const makeOne = 'make one: openssl rand -hex 24';

export const isSecret = (setting: z.ZodType): boolean => setting.meta()?.['secret'] === true;

const secretsOf = ({ shape }: z.ZodObject): string[] =>
  Object.entries(shape).flatMap(([name, setting]) =>
    isSecret(setting as z.ZodType) ? [name] : [],
  );

type Problem = { readonly name: string; readonly text: string };

/** The settings, and what is wrong with them. The first is only to be used when there is none of the second. */
function read<Settings extends z.ZodObject>(settings: Settings, env: Environment) {
  const result = settings.safeParse(env);
  const problems = (result.error?.issues ?? []).map((issue): Problem => {
    const name = issue.path.join('.');
    return { name, text: env[name] === undefined ? 'is missing' : issue.message };
  });
  return { value: result.data as z.output<Settings>, problems };
}

/** The ids in PLATFORMS that are not of the registry, and those platforms that are chosen. */
function choose(list: string, registry: readonly Platform[]) {
  const ids = list.split(',').flatMap((id) => id.trim() || []);
  const all = ids.includes('all');
  const unknown = ids.filter((id) => id !== 'all' && !registry.some((one) => one.id === id));
  const chosen = registry.filter(({ id }) => all || ids.includes(id));
  return { chosen, unknown };
}

const isSet = ([, value]: readonly [string, string | undefined]) =>
  value !== undefined && value.trim() !== '';

/** Puts what is missing into `env`, from SECRETS_FILE. Says why it could not. */
function fillIn(env: Record<string, string | undefined>, missing: readonly string[], file: string) {
  try {
    Object.assign(env, ensureSecrets(file, missing));
    return [];
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return [`SECRETS_FILE: cannot be read and written (${code}); or set ${missing.join(', ')}`];
  }
}

/** A platform's own name for BASE_URL, which its operators may have set already: it stands in for it. */
function addressIn(platforms: readonly ConfiguredPlatform[]): string | undefined {
  const addresses = platforms.flatMap(({ platform: { settings: declared }, settings }) =>
    Object.entries(declared.shape).flatMap(([name, setting]) =>
      (setting as z.ZodType).meta()?.['baseUrl'] === true ? String(settings[name]) : [],
    ),
  );
  return addresses.find((address) => address !== '');
}

/**
 * The configuration in these variables; an empty one counts as not set. Outside production, missing secrets are taken from
 * SECRETS_FILE, and generated into it.
 *
 * @throws {ConfigError} with all problems at once
 */
export function readConfig(environment: Environment, registry: readonly Platform[]): Config {
  const env = Object.fromEntries(Object.entries(environment).filter(isSet));
  const production = env['NODE_ENV'] === 'production';
  const { chosen, unknown } = choose(env['PLATFORMS'] ?? 'all', registry);
  const secrets = [houseSettings, ...chosen.map(({ settings }) => settings)].flatMap(secretsOf);
  const missing = secrets.filter((name) => env[name] === undefined);
  // A secret that is missing is spoken of below.
  const spoken = ({ name }: Problem) => !missing.includes(name);

  const first = read(houseSettings, env).problems.filter(spoken);
  const { upstreams, problems: inUpstreams } = readUpstreams(env);
  const known = registry.map(({ id }) => id).join(', ');
  const problems = [
    ...first.map(({ name, text }) => `${name}: ${text}`),
    ...unknown.map((id) => `PLATFORMS: there is no platform "${id}"; there are ${known}`),
    ...tokenSourceProblems(env),
    ...signingKeyProblems(env),
    ...inUpstreams,
  ];

  if (production) {
    const guessed = secrets.filter((name) => env[name] !== undefined && guessable(env[name]));
    problems.push(
      ...missing.map((name) => `${name}: is missing; ${makeOne}`),
      ...guessed.map((name) => `${name}: can be guessed; ${makeOne}`),
    );
  } else if (first.length === 0) {
    const file = houseSettings.shape.SECRETS_FILE.parse(env['SECRETS_FILE']);
    problems.push(...fillIn(env, missing, file));
  }

  if (env['CONSOLE_ENABLED'] !== undefined && first.length === 0) {
    const { CONSOLE_ENABLED, CONSOLE_ADMINS } = houseSettings
      .pick({ CONSOLE_ENABLED: true, CONSOLE_ADMINS: true })
      .parse(env);
    if (CONSOLE_ENABLED && CONSOLE_ADMINS.length === 0) {
      problems.push('CONSOLE_ADMINS: is missing; name who may open /console');
    }
  }

  const platforms = chosen.map((platform) => {
    const { value, problems: found } = read(platform.settings, env);
    problems.push(
      ...found.filter(spoken).map(({ name, text }) => `${name}: ${text} (${platform.title})`),
    );
    return { platform, settings: value };
  });

  if (problems.length > 0) throw new ConfigError(problems);
  const house = read(houseSettings, env).value;
  return {
    ...house,
    BASE_URL: house.BASE_URL ?? addressIn(platforms),
    production,
    platforms,
    upstreams,
  };
}

/** The process's environment, over what stands in the project's `.env`. */
export function environment(
  variables: Environment = process.env,
  file = fromProjectRoot('.env'),
): Environment {
  const inFile = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
  return { ...inFile, ...Object.fromEntries(Object.entries(variables).filter(isSet)) };
}
