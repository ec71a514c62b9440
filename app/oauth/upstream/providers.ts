/**
 * Who else can say who somebody is: Google, GitHub, and any OAuth 2.0 server by configuration. Each says how a person is read
 * with the token that a sign-in there gives.
 *
 *   https://developers.google.com/identity/openid-connect/openid-connect
 *   https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
 *
 * GitHub's `/user` may show an address that nobody has verified: only the primary one of `/user/emails` counts, and only if
 * verified.
 */
import { z } from 'zod';
import { ProviderError } from '../../client-app/strategy.ts';

/** Who it is, in the provider's words. */
export type Person = {
  /** The same for ever, at this provider. */
  readonly subject: string;
  /** What he might be called here. */
  readonly login: string;
  readonly name: string;
  /** Only a verified one. */
  readonly email: string | undefined;
};

/** Reads a URL with the token of the sign-in. */
export type Read = (url: string) => Promise<unknown>;

export type Upstream = {
  /** In `/login/<id>` and in the identities: never change it. */
  readonly id: string;
  readonly title: string;
  readonly key: string;
  readonly secret: string;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly scope: readonly string[];
  readonly issuer: string | undefined;
  readonly person: (read: Read) => Promise<Person>;
};

export const upstreamSettings = {
  GOOGLE_KEY: z.string().default('').describe('Client ID at Google, for "Sign in with Google".'),
  GOOGLE_SECRET: z.string().default('').describe('Client secret at Google.'),
  GITHUB_KEY: z.string().default('').describe('Client ID at GitHub, for "Sign in with GitHub".'),
  GITHUB_SECRET: z.string().default('').describe('Client secret at GitHub.'),
  UPSTREAM_LINK_BY_EMAIL: z
    .stringbool()
    .default(false)
    .describe('true: a verified e-mail of a provider signs in the user who has it here.'),
};

type Env = Readonly<Record<string, string | undefined>>;

function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ProviderError(502, 'the provider did not say who it is');
}

/** OpenID Connect Core §5.1, of which other servers have the more usual part. */
const userinfo = z.object({
  sub: z.union([z.string().min(1).max(255), z.number().int().transform(String)]),
  name: z.string().optional(),
  preferred_username: z.string().optional(),
  email: z.string().optional(),
  email_verified: z.boolean().optional(),
});

const localPart = (email: string | undefined) => email?.split('@', 1)[0];

const readUserinfo =
  (url: string) =>
  async (read: Read): Promise<Person> => {
    const { sub, name, preferred_username, email, email_verified } = parsed(
      userinfo,
      await read(url),
    );
    const login = preferred_username ?? localPart(email) ?? `user-${sub}`;
    return {
      subject: sub,
      login,
      name: name ?? login,
      email: email_verified === true ? email : undefined,
    };
  };

const githubUser = z.object({
  id: z.number().int(),
  login: z.string(),
  name: z.string().nullish(),
});

const githubEmails = z.array(
  z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }),
);

const readGithub =
  (api: string) =>
  async (read: Read): Promise<Person> => {
    const { id, login, name } = parsed(githubUser, await read(`${api}/user`));
    const emails = parsed(githubEmails, await read(`${api}/user/emails`));
    const email = emails.find(({ primary, verified }) => primary && verified)?.email;
    return { subject: String(id), login, name: name || login, email };
  };

const google = (env: Env): Omit<Upstream, 'key' | 'secret'> => ({
  id: 'google',
  title: 'Google',
  authorizationUrl:
    env['GOOGLE_AUTHORIZATION_URL'] ?? 'https://accounts.google.com/o/oauth2/v2/auth',
  tokenUrl: env['GOOGLE_TOKEN_URL'] ?? 'https://oauth2.googleapis.com/token',
  scope: ['openid', 'email', 'profile'],
  issuer: undefined,
  // Google sends no login: the e-mail's local part is one.
  person: readUserinfo(
    env['GOOGLE_USERINFO_URL'] ?? 'https://openidconnect.googleapis.com/v1/userinfo',
  ),
});

const github = (env: Env): Omit<Upstream, 'key' | 'secret'> => ({
  id: 'github',
  title: 'GitHub',
  authorizationUrl: env['GITHUB_AUTHORIZATION_URL'] ?? 'https://github.com/login/oauth/authorize',
  tokenUrl: env['GITHUB_TOKEN_URL'] ?? 'https://github.com/login/oauth/access_token',
  scope: ['read:user', 'user:email'],
  issuer: undefined,
  person: readGithub(env['GITHUB_API_URL'] ?? 'https://api.github.com'),
});

const isUrl = (value: string) => URL.canParse(value) && /^https?:/.test(value);

/** `UPSTREAM_<NAME>_…` in the environment, and what is wrong with them. */
function named(env: Env, name: string, problems: string[]): Upstream {
  const setting = (what: string) => env[`UPSTREAM_${name}_${what}`];
  const needed = (what: string, good = (value: string) => value !== '') => {
    const value = setting(what);
    if (value === undefined) problems.push(`UPSTREAM_${name}_${what} is missing`);
    else if (!good(value)) problems.push(`UPSTREAM_${name}_${what}: must be an http or https URL`);
    return value ?? '';
  };
  return {
    id: name.toLowerCase(),
    title: setting('TITLE') ?? name.charAt(0) + name.slice(1).toLowerCase(),
    key: needed('KEY'),
    secret: needed('SECRET'),
    authorizationUrl: needed('AUTHORIZATION_URL', isUrl),
    tokenUrl: needed('TOKEN_URL', isUrl),
    scope: (setting('SCOPE') ?? 'openid profile email').split(' '),
    issuer: setting('ISSUER'),
    person: readUserinfo(needed('USERINFO_URL', isUrl)),
  };
}

/** The providers in these variables, and all that is wrong with them. */
export function readUpstreams(env: Env): { upstreams: Upstream[]; problems: string[] } {
  const problems: string[] = [];
  const upstreams: Upstream[] = [];
  for (const [prefix, provider] of [
    ['GOOGLE', google(env)],
    ['GITHUB', github(env)],
  ] as const) {
    const [key, secret] = [env[`${prefix}_KEY`], env[`${prefix}_SECRET`]];
    if (key !== undefined && secret !== undefined) upstreams.push({ ...provider, key, secret });
    else if (key !== undefined) problems.push(`${prefix}_SECRET is missing`);
    else if (secret !== undefined) problems.push(`${prefix}_KEY is missing`);
  }
  const names = Object.keys(env).map((name) => /^UPSTREAM_([A-Z0-9]+)_KEY$/.exec(name)?.[1]);
  for (const name of names) {
    if (name === undefined) continue;
    if (name === 'GOOGLE' || name === 'GITHUB') {
      problems.push(`UPSTREAM_${name}_KEY: it is called ${name}_KEY`);
    } else upstreams.push(named(env, name, problems));
  }
  return { upstreams, problems };
}
