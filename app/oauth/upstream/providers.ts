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
import type { UpstreamPerson } from '../../store/identities.ts';

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
  readonly person: (read: Read) => Promise<UpstreamPerson>;
};

const isUrl = (value: string) => URL.canParse(value) && /^https?:/.test(value);

const urlProblem = 'must be an http or https URL';

const url = (usual: string) => z.string().refine(isUrl, urlProblem).default(usual);

export const upstreamSettings = {
  GOOGLE_KEY: z.string().default('').describe('Client ID at Google, for "Sign in with Google".'),
  GOOGLE_SECRET: z.string().default('').describe('Client secret at Google.'),
  GOOGLE_AUTHORIZATION_URL: url('https://accounts.google.com/o/oauth2/v2/auth').describe(
    'Where Google asks people; this and the next two change only for a test.',
  ),
  GOOGLE_TOKEN_URL: url('https://oauth2.googleapis.com/token').describe(
    'Where Google gives its tokens.',
  ),
  GOOGLE_USERINFO_URL: url('https://openidconnect.googleapis.com/v1/userinfo').describe(
    'Where Google says who it is.',
  ),
  GITHUB_KEY: z.string().default('').describe('Client ID at GitHub, for "Sign in with GitHub".'),
  GITHUB_SECRET: z.string().default('').describe('Client secret at GitHub.'),
  GITHUB_AUTHORIZATION_URL: url('https://github.com/login/oauth/authorize').describe(
    'Where GitHub asks people; this and the next two are others at a GitHub Enterprise Server.',
  ),
  GITHUB_TOKEN_URL: url('https://github.com/login/oauth/access_token').describe(
    'Where GitHub gives its tokens.',
  ),
  GITHUB_API_URL: url('https://api.github.com').describe(
    'Where GitHub says who it is, without /user.',
  ),
  UPSTREAM_LINK_BY_EMAIL: z
    .stringbool()
    .default(false)
    .describe('true: a verified e-mail of a provider signs in the user who has it here.'),
  UPSTREAM_CREATE_USERS: z
    .stringbool()
    .default(true)
    .describe('false: people of a provider who are not users here yet are not let in.'),
};

const upstreamObject = z.object(upstreamSettings);

type Settings = z.output<typeof upstreamObject>;

type Env = Readonly<Record<string, string | undefined>>;

function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ProviderError(502, 'the provider did not say who it is');
}

/** As it came, or not at all: what a database changes or refuses could make one of two, or a fault of a sign-in. */
const isExact = (text: string) =>
  text !== '' && text.length <= 255 && text.isWellFormed() && !/\p{Cc}/u.test(text);

const exact = (text: string | undefined) => (text && isExact(text) ? text : undefined);
/** Other people's pages show it. What is no https URL, or too long for one, counts as none. */
const picture = z
  .url({ protocol: /^https$/ })
  .regex(/^[!-~]+$/)
  .max(2048)
  .optional()
  .catch(undefined);

/** OpenID Connect Core §5.1, of which other servers have the more usual part. */
const userinfo = z.object({
  sub: z.union([z.string().refine(isExact), z.number().int().transform(String)]),
  name: z.string().optional(),
  preferred_username: z.string().optional(),
  email: z.string().optional(),
  email_verified: z.boolean().optional(),
  picture,
});

const localPart = (email: string | undefined) => email?.split('@', 1)[0];

const readUserinfo =
  (url: string) =>
  async (read: Read): Promise<UpstreamPerson> => {
    const said = parsed(userinfo, await read(url));
    const { sub, name, preferred_username, email, email_verified } = said;
    const login = preferred_username ?? localPart(email) ?? `user-${sub}`;
    return {
      subject: sub,
      login,
      name: name ?? login,
      email: email_verified === true ? exact(email) : undefined,
      picture: said.picture,
    };
  };

const githubUser = z.object({
  id: z.number().int(),
  login: z.string(),
  name: z.string().nullish(),
  avatar_url: picture,
});

const githubEmails = z.array(
  z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }),
);

const readGithub =
  (api: string) =>
  async (read: Read): Promise<UpstreamPerson> => {
    const { id, login, name, avatar_url } = parsed(githubUser, await read(`${api}/user`));
    const emails = parsed(githubEmails, await read(`${api}/user/emails`));
    const email = emails.find(({ primary, verified }) => primary && verified)?.email;
    return {
      subject: String(id),
      login,
      name: name || login,
      email: exact(email),
      picture: avatar_url,
    };
  };

const google = (settings: Settings): Upstream => ({
  id: 'google',
  title: 'Google',
  key: settings.GOOGLE_KEY,
  secret: settings.GOOGLE_SECRET,
  authorizationUrl: settings.GOOGLE_AUTHORIZATION_URL,
  tokenUrl: settings.GOOGLE_TOKEN_URL,
  scope: ['openid', 'email', 'profile'],
  issuer: undefined,
  // Google sends no login: the e-mail's local part is one.
  person: readUserinfo(settings.GOOGLE_USERINFO_URL),
});

const github = (settings: Settings): Upstream => ({
  id: 'github',
  title: 'GitHub',
  key: settings.GITHUB_KEY,
  secret: settings.GITHUB_SECRET,
  authorizationUrl: settings.GITHUB_AUTHORIZATION_URL,
  tokenUrl: settings.GITHUB_TOKEN_URL,
  scope: ['read:user', 'user:email'],
  issuer: undefined,
  person: readGithub(settings.GITHUB_API_URL),
});

/** `UPSTREAM_<NAME>_…` in the environment, and what is wrong with them. */
function named(env: Env, name: string, problems: string[]): Upstream {
  const setting = (what: string) => env[`UPSTREAM_${name}_${what}`];
  const needed = (what: string, good = (value: string) => value !== '') => {
    const value = setting(what);
    if (value === undefined) problems.push(`UPSTREAM_${name}_${what} is missing`);
    else if (!good(value)) problems.push(`UPSTREAM_${name}_${what}: ${urlProblem}`);
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

/** Names that mean something else. */
const reserved: Readonly<Record<string, string>> = {
  GOOGLE: 'it is called GOOGLE_KEY',
  GITHUB: 'it is called GITHUB_KEY',
  LOCAL: 'local is this server itself; call it something else',
};

/** The providers in these variables, and what is wrong with them, but for what the declared ones say of themselves. */
export function readUpstreams(env: Env): { upstreams: Upstream[]; problems: string[] } {
  const problems: string[] = [];
  const upstreams: Upstream[] = [];
  const { data } = upstreamObject.safeParse(env);
  for (const upstream of data ? [google(data), github(data)] : []) {
    const { id, key, secret } = upstream;
    if (key !== '' && secret !== '') upstreams.push(upstream);
    else if (key !== '') problems.push(`${id.toUpperCase()}_SECRET is missing`);
    else if (secret !== '') problems.push(`${id.toUpperCase()}_KEY is missing`);
  }
  const names = Object.keys(env).map((name) => /^UPSTREAM_([A-Z0-9]+)_KEY$/.exec(name)?.[1]);
  for (const name of names) {
    if (name === undefined) continue;
    const problem = reserved[name];
    if (problem === undefined) upstreams.push(named(env, name, problems));
    else problems.push(`UPSTREAM_${name}_KEY: ${problem}`);
  }
  return { upstreams, problems };
}
