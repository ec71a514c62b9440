/**
 * The other side of dgp-oauth2, played: an App on a command line, the browser that it opens, and a service that is handed a
 * permission token.
 *
 *   App      → Backend   GET /auth/check?jwt=&next=http://localhost:3000
 *   Browser  → Backend   the address of the provider, the sign-in page, and back
 *   Browser  → App       GET /?jwt=<client token>
 *   App      → Backend   GET /auth/check?jwt=…, GET /auth/authorize?service=…&jwt=…
 *   App      → Service   GET /service?jwt=<permission token>
 *   Service  → Backend   GET /auth/public-key, for the first token
 *
 * https://github.com/datopian/datahub-client, lib/login.js, is such an App.
 *
 * There is no vendor's server to play: of its own, the simulator has the service.
 *
 *   GET /service?jwt=<permission token>
 *   200 {"userid":"1","permissions":{"read":true}}
 *   403 {"error":"the token is over"}
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { type Answer, json } from '../../http/answer.ts';
import type { Endpoint } from '../../http/endpoint.ts';
import { type CallOptions, headerOf, type Reply } from '../../scenarios/call.ts';
import {
  ask,
  askPlayed,
  createRecorder,
  type Flow,
  type Recorder,
} from '../../scenarios/exchange.ts';
import { isObject, jsonIn } from '../../scenarios/json.ts';
import { type Simulator, simulator, type Visitor } from '../../scenarios/simulator.ts';

/** What Apps and services are configured with. The defaults fit this backend. */
const settings = z.object({
  provider: z.string().default('local').describe('Which of `providers` the App opens.'),
  next: z.url().default('http://localhost:3000').describe('Where the App waits for the browser.'),
  service: z.string().default('storage-service').describe('The service that the App is to use.'),
});

export type DgpOauth2Settings = z.input<typeof settings>;

/** What a service makes of a permission token. */
export type Permitted =
  | { readonly userid: string; readonly permissions: Readonly<Record<string, unknown>> }
  | { readonly error: string };

export type DgpOauth2 = Simulator & {
  /** The service's check. It asks the backend for its key once, and then nobody. */
  readonly permitted: (token: string) => Promise<Permitted>;
  /** Ends a client token. */
  readonly logOut: (token: string) => Promise<Flow>;
};

type Parsed = Readonly<Record<string, unknown>>;

const parsed = (text: string): Parsed => {
  const value = jsonIn(text);
  return isObject(value) ? value : {};
};

const decoded = (part: string | undefined) =>
  parsed(Buffer.from(part ?? '', 'base64url').toString());

const unescaped = (text: string) =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

const attribute = (tag: string, name: string): string | undefined => {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  return value === undefined ? undefined : unescaped(value);
};

type SignInForm = {
  readonly action: string;
  /** What it is filled with, by name. */
  readonly fields: Readonly<Record<string, string>>;
};

/** The form of a page that asks for a password. */
function signInForm(html: string): SignInForm | undefined {
  const form = (html.match(/<form\b.*?<\/form>/gs) ?? []).find((one) =>
    /type="password"/.test(one),
  );
  if (form === undefined) return undefined;
  const fields = (form.match(/<input\b[^>]*>/g) ?? []).map((tag): [string, string] => [
    attribute(tag, 'name') ?? '',
    attribute(tag, 'value') ?? '',
  ]);
  return { action: attribute(form, 'action') ?? '', fields: Object.fromEntries(fields) };
}

/** A browser's cookies, of one host. */
function createCookies() {
  const cookies = new Map<string, string>();
  return {
    header: (): Record<string, string> =>
      cookies.size === 0
        ? {}
        : { Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    take({ headers }: Reply) {
      for (const [header, line] of headers) {
        if (header.toLowerCase() !== 'set-cookie') continue;
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (/expires=thu, 01 jan 1970/i.test(line)) cookies.delete(name);
        else cookies.set(name, value);
      }
    },
  };
}

type Cookies = ReturnType<typeof createCookies>;

/** More redirects and pages there are in no sign-in. */
const mostSteps = 10;

/** What a check came to. */
type Checked =
  | { readonly user: { readonly id: string; readonly name: string } }
  | { readonly providers: Readonly<Record<string, { readonly url?: string } | undefined>> };

function checkedIn({ text }: Reply): Checked {
  const { authenticated, profile, providers } = parsed(text);
  if (authenticated !== true) return { providers: (providers ?? {}) as Record<string, never> };
  const { id, name } = (profile ?? {}) as Parsed;
  return { user: { id: String(id), name: String(name) } };
}

/** @param backend without a trailing slash */
export function createDgpOauth2(
  backend: string,
  given: DgpOauth2Settings = {},
  options: CallOptions = {},
): DgpOauth2 {
  const set = settings.parse(given);
  let key: KeyObject | undefined;

  const query = (path: string, parameters: Record<string, string>) =>
    `${backend}${path}?${new URLSearchParams(parameters)}`;

  // ── the service

  const publicKey = async (recorder: Recorder): Promise<KeyObject | undefined> => {
    const request = { method: 'GET', url: `${backend}/auth/public-key`, headers: {} };
    key ??= await ask(
      recorder,
      { from: 'Service', to: 'Backend', request },
      ({ status, text }) => {
        const isKey = status === 200 && /^-----BEGIN PUBLIC KEY-----/.test(text);
        return {
          value: isKey ? createPublicKey(text) : undefined,
          concluded: isKey ? 'the public key' : 'no public key',
        };
      },
      options,
    );
    return key;
  };

  async function verified(token: string, recorder: Recorder): Promise<Permitted> {
    const [header, payload, signature = ''] = token.split('.');
    if (decoded(header)['alg'] !== 'RS256') return { error: 'this is no permission token' };
    const signer = await publicKey(recorder);
    if (!signer) return { error: 'the public key cannot be had' };
    const signed = Buffer.from(`${header}.${payload}`);
    if (!verify('sha256', signed, signer, Buffer.from(signature, 'base64url'))) {
      return { error: 'somebody else has signed the token' };
    }
    const { userid, permissions, service, exp } = decoded(payload);
    if (service !== set.service) return { error: 'the token is for another service' };
    if (!(Number(exp) * 1000 > Date.now())) return { error: 'the token is over' };
    return { userid: String(userid), permissions: (permissions ?? {}) as Parsed };
  }

  async function serve(token: unknown, recorder: Recorder) {
    const made: Permitted =
      typeof token === 'string'
        ? await verified(token, recorder)
        : { error: 'this is no permission token' };
    return { made, answer: json('error' in made ? 403 : 200, made) };
  }

  const endpoints: readonly Endpoint[] = [
    {
      path: '/service',
      methods: ['GET'],
      answer: async ({ parameters }) => (await serve(parameters['jwt'], createRecorder())).answer,
    },
  ];

  // ── the browser

  /** Whether this is where the App waits, with something for it. */
  function isBack(url: string): boolean {
    const [at, waiting] = [new URL(url), new URL(set.next)];
    const same = at.origin === waiting.origin && at.pathname === waiting.pathname;
    return same && (at.searchParams.has('jwt') || at.searchParams.has('error'));
  }

  /** One request of the browser; a body is a form. */
  function visit(url: string, body: string | undefined, cookies: Cookies, recorder: Recorder) {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const request =
      body === undefined
        ? { method: 'GET', url, headers: cookies.header() }
        : { method: 'POST', url, headers: { ...cookies.header(), ...form }, body };
    const saying = { from: 'Browser', to: 'Backend', request } as const;
    return ask(recorder, saying, (value) => ({ value, concluded: seen(value) }), options);
  }

  /** From this address through the sign-in page, back to where the App waits; undefined when there is no way on. */
  async function browse(
    start: string,
    { login, password = login }: Visitor,
    recorder: Recorder,
  ): Promise<string | undefined> {
    const cookies = createCookies();
    const { origin } = new URL(start);
    let url = start;
    let body: string | undefined;
    let filled = false;
    for (let step = 0; step < mostSteps && new URL(url).origin === origin; step++) {
      const reply = await visit(url, body, cookies, recorder);
      if (!reply) return undefined;
      cookies.take(reply);
      const location = headerOf(reply, 'location');
      const form: SignInForm | undefined =
        location === undefined && !filled ? signInForm(reply.text) : undefined;
      // A page without a form, or the form once more: the password was wrong.
      if (location === undefined && !form) return undefined;
      filled ||= form !== undefined;
      body = form && new URLSearchParams({ ...form.fields, login, password }).toString();
      url = new URL(location ?? form?.action ?? '', url).href;
      if (isBack(url)) return url;
    }
    return undefined;
  }

  function seen(reply: Reply): string {
    const location = headerOf(reply, 'location');
    if (location !== undefined) return `goes on to ${location.replace(/[?#].*$/s, '')}`;
    return signInForm(reply.text) ? 'a form for login and password' : 'a page, and no way on';
  }

  // ── the App

  const appAsks = <Conclusion>(
    recorder: Recorder,
    path: string,
    parameters: Record<string, string>,
    conclude: (reply: Reply) => { value: Conclusion; concluded: string },
    method = 'GET',
  ) => {
    const request = { method, url: query(path, parameters), headers: {} };
    return ask(recorder, { from: 'App', to: 'Backend', request }, conclude, options);
  };

  const check = (jwt: string, recorder: Recorder) =>
    appAsks(recorder, '/auth/check', { jwt, next: set.next }, (reply) => {
      const value = checkedIn(reply);
      const concluded = 'user' in value ? `signed in as ${value.user.name}` : 'not signed in';
      return { value, concluded };
    });

  /** What the browser brings: everything behind the first `jwt=`, as datahub-client takes it. */
  async function hear(
    url: string,
    recorder: Recorder,
  ): Promise<{ token: string } | { error: string }> {
    const token = /[?&]jwt=(.*)/.exec(url)?.[1];
    const error = new URL(url).searchParams.get('error') ?? 'no token';
    const page: Answer = { status: 200, headers: { 'Content-Type': 'text/plain' }, body: 'Back.' };
    const request = { method: 'GET', url, headers: {} };
    await askPlayed(recorder, { from: 'Browser', to: 'App', request }, async () => ({
      answer: page,
      concluded: token === undefined ? `the App is told: ${error}` : 'the App has its token',
    }));
    return token === undefined ? { error } : { token };
  }

  /** A token by way of the browser. */
  async function signIn(visitor: Visitor, recorder: Recorder) {
    const checked = await check('', recorder);
    if (!checked) return { error: 'the backend cannot be reached' };
    const start = 'providers' in checked ? checked.providers[set.provider]?.url : undefined;
    if (start === undefined) return { error: `there is no provider ${set.provider}` };
    const end = await browse(start, visitor, recorder);
    return end === undefined ? { error: 'the sign-in page lets nobody in' } : hear(end, recorder);
  }

  const authorize = (jwt: string, recorder: Recorder) =>
    appAsks(recorder, '/auth/authorize', { service: set.service, jwt }, ({ text }) => {
      const { token } = parsed(text);
      const value = typeof token === 'string' ? token : undefined;
      return { value, concluded: value ? 'a permission token' : 'no permissions' };
    });

  async function useService(token: string, recorder: Recorder): Promise<string> {
    const url = `https://${set.service}.invalid/service?${new URLSearchParams({ jwt: token })}`;
    const request = { method: 'GET', url, headers: {} };
    const { status, body } = await askPlayed(
      recorder,
      { from: 'App', to: 'Service', request },
      async () => {
        const { answer, made } = await serve(token, recorder);
        return { answer, concluded: inWords(made) };
      },
    );
    const made = parsed(body);
    return status === 200 ? inWords(made as Permitted) : `refused: ${made['error']}`;
  }

  function inWords(made: Permitted): string {
    if ('error' in made) return made.error;
    const granted = Object.keys(made.permissions).filter((name) => made.permissions[name]);
    return granted.length === 0 ? 'may do nothing' : `may ${granted.join(', ')}`;
  }

  async function play(visitor: Visitor): Promise<Flow> {
    const recorder = createRecorder();
    const flow = (accepted: boolean, outcome: string): Flow => ({
      exchanges: recorder.exchanges(),
      accepted,
      outcome,
    });
    const signedIn =
      visitor.token === undefined ? await signIn(visitor, recorder) : { token: visitor.token };
    if ('error' in signedIn) return flow(false, `the App is not signed in: ${signedIn.error}`);
    const checked = await check(signedIn.token, recorder);
    if (!checked || !('user' in checked)) {
      return flow(false, 'the App is not signed in: the token is not good');
    }
    const { name, id } = checked.user;
    const permission = await authorize(signedIn.token, recorder);
    const said =
      permission === undefined
        ? ' gives this user no permission'
        : `: ${await useService(permission, recorder)}`;
    return flow(true, `the App is signed in as ${name} (${id}); ${set.service}${said}`);
  }

  async function logOut(token: string): Promise<Flow> {
    const recorder = createRecorder();
    const success = await appAsks(
      recorder,
      '/auth/logout',
      { jwt: token },
      ({ text }) => {
        const value = parsed(text)['success'] === true;
        return { value, concluded: value ? 'the token is over' : 'no logout' };
      },
      'POST',
    );
    const outcome = success ? 'the App is signed out' : 'the App could not sign out';
    return { exchanges: recorder.exchanges(), accepted: success === true, outcome };
  }

  return { endpoints, play, permitted: (token) => verified(token, createRecorder()), logOut };
}

export const dgpOauth2Simulator = simulator({
  settings,
  begins: { with: 'password' },
  create: createDgpOauth2,
});
