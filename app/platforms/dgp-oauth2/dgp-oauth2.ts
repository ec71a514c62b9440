/**
 * dgp-oauth2: an OAuth2 authentication service and user permission manager. Here this backend takes the service's place:
 * Apps and services that speak to it come to us, unchanged.
 *
 *   GET  /auth/check?jwt=…&next=…         200 {"authenticated":false,"providers":{"local":{"url":"…/auth/login?…"}}}
 *                                         200 {"authenticated":true,"profile":{"id":"2345","name":"…", …}}
 *   GET  /auth/oauth_callback             302 <next>?jwt=…
 *   GET  /auth/authorize?jwt=…&service=…  200 {"token":"…","userid":"2345","permissions":{"read":true},"service":"…"}
 *                                         200 {"permissions":{}}
 *   POST /auth/update?jwt=…&username=…    200 {"success":true} or {"success":false,"error":"…"}
 *   GET  /auth/public-key                 200 -----BEGIN PUBLIC KEY----- …
 *   GET  /auth/resolve?username=…         200 {"userid":"2345"} or {"userid":null}
 *   GET  /auth/get_profile?username=…     200 {"found":true,"profile":{"id":"2345", …}} or {"found":false,"profile":null}
 *   POST /auth/logout?jwt=…               200 {"success":true}
 *
 * https://pypi.org/project/dgp-oauth2/
 * https://github.com/dataspot/dgp-oauth2
 *
 * Where the vendor is silent, or does what should not be copied, we chose:
 * - `providers.x.url` is an address of ours, GET /auth/login: what ties a sign-in to a browser must be set where it is opened.
 * - `next` must be of a listed origin; another one is refused with a page where the sign-in would begin. Without `next` one
 *   can sign in, and is told so by a page; there is no token then.
 * - A `jwt` or `error` that was in `next` is taken out. A sign-in that fails goes back to `next` with `error`, and no `jwt`.
 * - Ids are uids, as text. `idhash` and `gravatar` are of the id, not of the e-mail. Missing facts are null.
 * - `auth-token` goes before `jwt`; two `jwt`, and the texts `undefined` and `null` that clients send, are no token.
 * - A suspended user cannot sign in or be authorized; his public profile stays, as what he has made does.
 * - Logging out always succeeds, as with RFC 7009 §2.2. It ends the client token; the browser stays signed in here.
 * - A username that is missing, or the text `undefined` or `null`, chooses nothing, and that is a success; an empty one is
 *   malformed. Names in CONSOLE_ADMINS are taken.
 * - The callback answers no HEAD: each state is good once, and who only looks must not use it up.
 * - "Always 200" holds for what can be read: a body that is no JSON is 400, one of more than 64 KiB 413.
 * - JSONP (`callback=…`) is ignored.
 */
import { z } from 'zod';
import { allUsable, ConfigError } from '../../config-error.ts';
import { type Answer, json } from '../../http/answer.ts';
import type { Endpoint } from '../../http/endpoint.ts';
import { type Refusal, refused, type User, type Verdict } from '../../verification/verdict.ts';
import { wholeNumber } from '../../whole-number.ts';
import { platform, reading, type Services } from '../platform.ts';
import { connect } from './dgp-oauth2.connect.ts';
import { scenarios } from './dgp-oauth2.scenarios.ts';
import { dgpOauth2Simulator } from './dgp-oauth2.simulator.ts';
import { stories } from './dgp-oauth2.stories.ts';
import { tell } from './extensions.ts';
import { loadExtensions, loadProviders } from './modules.ts';
import { nextOrigins, originsIn } from './next.ts';
import { publicProfile, userInfo } from './profile.ts';
import { type Asked, type Asking, references } from './reference.ts';
import { paths, signInEndpoints } from './sign-in.ts';

const addressProblem = 'must be a host or an http or https URL, without user, query and fragment';

const isAddress = (value: string) =>
  value === '' || (/^https?:\/\/[^?#@]+$/.test(value) && URL.canParse(value));

const originsProblem = 'must be origins such as https://app.example.com, separated by commas';

/** Origins, as a setting. */
const origins = (options: { anyPort: boolean }) =>
  z
    .string()
    .default('')
    .transform((list, context) => {
      const found = originsIn(list, options);
      if (!found) context.addIssue(originsProblem);
      return found ?? [];
    });

const settings = z.object({
  EXTERNAL_ADDRESS: z
    .string()
    .trim()
    .default('')
    .transform((address) => address.replace(/\/+$/, ''))
    // The original says https for those who do not.
    .transform((address) => (/^$|^\w+:\/\//.test(address) ? address : `https://${address}`))
    .refine(isAddress, addressProblem)
    .describe(
      'BASE_URL in the words of dgp-oauth2, with or without https://. Stands in for it; with both, the same host.',
    )
    .meta({ baseUrl: true }),
  ALLOWED_SERVICES: z
    .string()
    .default('')
    .describe(
      'Who says what a user may do: [alias:]provider, separated by semicolons. roles, a package, or a file of the project.',
    ),
  INSTALLED_EXTENSIONS: z
    .string()
    .default('')
    .describe('Told of new users, logins and logouts: packages or files, separated by semicolons.'),
  DGP_NEXT_ORIGINS: origins({ anyPort: true }).describe(
    'Origins that `next` may be of, separated by commas; any port: http://localhost:*. Empty: loopback, in production none.',
  ),
  DGP_CORS_ORIGINS: origins({ anyPort: false }).describe(
    'Origins whose pages may call /auth from a browser, separated by commas. Empty: none.',
  ),
  DGP_CLIENT_TOKEN_TTL: wholeNumber(60, 31_536_000)
    .default(1_209_600)
    .describe('How long a sign-in lasts (jwt), in seconds.'),
  DGP_PERMISSION_TOKEN_TTL: wholeNumber(60, 86_400)
    .default(600)
    .describe('How long a permission token is good, in seconds: no service asks us again before.'),
});

/** What clients in JavaScript send for nothing. */
const nothing: readonly unknown[] = [undefined, null, 'undefined', 'null'];

/** The one token of the request. The header goes before the query, unless it is empty. */
function tokenOf({ headers, parameters }: Asking): string | undefined {
  const token = headers['auth-token'] || parameters.jwt;
  return typeof token === 'string' && token !== '' && !nothing.includes(token) ? token : undefined;
}

const usernameProblem =
  'Username must have 1 to 64 letters (a-z), digits, dots, dashes or underscores, and begin with a letter or digit';

/** It will stand in URLs. */
const isUsername = (name: unknown): name is string =>
  typeof name === 'string' && /^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name);

/** What `update` says when it does not. */
const updateErrors: Readonly<Partial<Record<Refusal, string>>> = {
  'no-credential': 'No token',
  'user-gone': 'Unknown User',
};

/** Where clients and browsers come to: EXTERNAL_ADDRESS, or what the house says. */
function addressOf(external: string, { issuer }: Services): string {
  if (external === '') return issuer;
  // A sign-in that begins at one host, where its cookie is, cannot end at another.
  if (new URL(external).host !== new URL(issuer).host) {
    throw new ConfigError([
      `EXTERNAL_ADDRESS: is another host than BASE_URL (${issuer}), and must not be: one of the two is enough`,
    ]);
  }
  return external;
}

/** Runs once, when it is first asked. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

const load = ({ ALLOWED_SERVICES, INSTALLED_EXTENSIONS }: z.output<typeof settings>) => ({
  providers: once(() => loadProviders(ALLOWED_SERVICES)),
  extensions: once(() => loadExtensions(INSTALLED_EXTENSIONS)),
});

function endpoints(configured: z.output<typeof settings>, services: Services): Endpoint[] {
  const { clientTokens, usernames, users, rolesOf, sign, publicKey, issuer, now } = services;
  const address = addressOf(configured.EXTERNAL_ADDRESS, services);
  const { providers, extensions } = load(configured);

  async function whose(incoming: Asking): Promise<Verdict> {
    const token = tokenOf(incoming);
    return token === undefined ? refused('no-credential') : clientTokens.verify(token);
  }

  function providerUrls(next: unknown) {
    const urls = services.providers.map(({ id }) => {
      const query = new URLSearchParams({ provider: id });
      for (const value of [next ?? []].flat()) query.append('next', String(value));
      return [id, { url: `${address}${paths.login}?${query}` }];
    });
    return Object.fromEntries(urls);
  }

  async function check(incoming: Asked<'check'>): Promise<Answer> {
    const verdict = await whose(incoming);
    if (verdict.accepted) {
      const profile = await userInfo(verdict.user, services);
      return { ...json(200, { authenticated: true, profile }), verdict };
    }
    const body = { authenticated: false, providers: providerUrls(incoming.parameters.next) };
    const asks = verdict.because === 'no-credential';
    return { ...json(200, body), verdict: asks ? { ...verdict, inquiry: true } : verdict };
  }

  const noPermissions = (verdict: Verdict): Answer => ({
    ...json(200, { permissions: {} }),
    verdict,
  });

  async function permissionsOf({ uid, login, group }: User, service: string) {
    const provide = (await providers()).get(service);
    const roles = provide && (await rolesOf(uid));
    const permissions =
      roles && (await provide(service, String(uid), { login, group: group?.name, roles }));
    if (permissions === undefined || permissions === null) return undefined;
    if (typeof permissions === 'object' && !Array.isArray(permissions)) return permissions;
    throw new Error(`the permission provider of ${service} gave something else than an object`);
  }

  async function authorize(incoming: Asked<'authorize'>): Promise<Answer> {
    const { service } = incoming.parameters;
    const verdict = await whose(incoming);
    if (!verdict.accepted) return noPermissions(verdict);
    if (typeof service !== 'string' || service === '') {
      return noPermissions(refused('malformed'));
    }
    const permissions = await permissionsOf(verdict.user, service);
    if (!permissions) return noPermissions(refused('service-not-allowed', verdict.user));
    const userid = String(verdict.user.uid);
    const iat = Math.floor(now().getTime() / 1000);
    const exp = iat + configured.DGP_PERMISSION_TOKEN_TTL;
    const token = await sign({ userid, permissions, service, iss: issuer, aud: service, iat, exp });
    return { ...json(200, { token, userid, permissions, service }), verdict };
  }

  /** What hinders the change of name, in the original's words. */
  async function updateProblem({ uid }: User, username: unknown): Promise<string | undefined> {
    if (nothing.includes(username)) return undefined;
    const alreadySet = 'Cannot modify username, already set';
    if (!isUsername(username)) {
      return (await usernames.chosen(uid)) === undefined ? usernameProblem : alreadySet;
    }
    const outcome = await usernames.choose(uid, username);
    const said = { chosen: undefined, 'already-set': alreadySet, taken: 'Username already taken' };
    return said[outcome];
  }

  async function update(incoming: Asked<'update'>): Promise<Answer> {
    const verdict = await whose(incoming);
    const error = verdict.accepted
      ? await updateProblem(verdict.user, incoming.parameters.username)
      : (updateErrors[verdict.because] ?? 'Not authenticated');
    const body = error === undefined ? { success: true } : { success: false, error };
    return { ...json(200, body), verdict };
  }

  async function find({ parameters: { username } }: Asked<'resolve'>): Promise<User | undefined> {
    const uid = typeof username === 'string' ? await usernames.find(username) : undefined;
    return uid === undefined ? undefined : (await users.findUser(uid))?.user;
  }

  async function resolve(incoming: Asked<'resolve'>): Promise<Answer> {
    const user = await find(incoming);
    return json(200, { userid: user ? String(user.uid) : null });
  }

  async function getProfile(incoming: Asked<'resolve'>): Promise<Answer> {
    const user = await find(incoming);
    const profile = user ? await publicProfile(user, services) : null;
    return json(200, { found: profile !== null, profile });
  }

  async function logout(incoming: Asking): Promise<Answer> {
    const verdict = await whose(incoming);
    const token = tokenOf(incoming);
    // Of a suspended user, too: he may be let in again.
    if (token !== undefined) await clientTokens.revoke(token);
    if (verdict.accepted) {
      const user_info = await userInfo(verdict.user, services);
      await tell(await extensions(), 'on_user_logout', user_info, services.reportFault);
    }
    return { ...json(200, { success: true }), verdict };
  }

  const pem = async (): Promise<Answer> => ({
    status: 200,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    body: await publicKey(),
  });

  const shared = { origins: configured.DGP_CORS_ORIGINS };
  return [
    { path: '/auth/check', methods: ['GET'], ...reading(references.check, check), ...shared },
    {
      path: '/auth/authorize',
      methods: ['GET'],
      ...reading(references.authorize, authorize),
      ...shared,
    },
    { path: '/auth/update', methods: ['POST'], ...reading(references.update, update), ...shared },
    {
      path: '/auth/public-key',
      methods: ['GET'],
      ...reading(references.publicKey, pem),
      ...shared,
    },
    { path: '/auth/resolve', methods: ['GET'], ...reading(references.resolve, resolve), ...shared },
    {
      path: '/auth/get_profile',
      methods: ['GET'],
      ...reading(references.getProfile, getProfile),
      ...shared,
    },
    { path: '/auth/logout', methods: ['POST'], ...reading(references.logout, logout), ...shared },
    ...signInEndpoints(services, {
      origins: nextOrigins(configured.DGP_NEXT_ORIGINS, services.production),
      ttl: configured.DGP_CLIENT_TOKEN_TTL,
      extensions,
    }),
  ];
}

export const dgpOauth2 = platform({
  id: 'dgp-oauth2',
  title: 'dgp-oauth2',
  docs: 'https://pypi.org/project/dgp-oauth2/',
  settings,
  signs: true,
  async prepare(configured) {
    const { providers, extensions } = load(configured);
    await allUsable([providers(), extensions()]);
  },
  endpoints,
  scenarios,
  simulator: dgpOauth2Simulator,
  stories,
  connect,
});
