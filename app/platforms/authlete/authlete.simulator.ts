/**
 * Authlete's side of the developer authentication callback, played: a Developer Console that asks your backend who may log
 * in, and whose apps belong to the subject that your backend answers.
 *
 *   POST / HTTP/1.1
 *   Accept: application/json
 *   Authorization: Basic base64(<API key>:<API secret>)
 *   Content-Type: application/json
 *   {"expiresIn":0,"id":"test1","password":"test1","serviceApiKey":21653835348762}
 *
 * https://kb.authlete.com/en/s/deployment/a/multiple-developer-accounts — the tour with test1 to test4
 * https://github.com/authlete/authlete-java-common — DeveloperAuthenticationCallbackResponse; Authlete reads it with Gson
 *
 * As Gson reads: `"true"` is as good as true, another text is false, a number for `authenticated` is a parse error; keys are
 * case-sensitive, unknown ones are skipped, `{}` means false; a number or a boolean for a text becomes one.
 *
 * Where the vendor is silent, we chose:
 * - Only a 200 with such a body can let somebody in; a redirect is not followed. `authenticated` without a subject does not.
 * - Gson's leniency about what is not JSON (single quotes, comments) is not played: such a body is a parse error.
 * - The console's paths, its looks and its words. Sessions last until log out, apps as long as the process.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { Eta } from 'eta';
import { z } from 'zod';
import { type Answer, page, redirect } from '../../http/answer.ts';
import type { Endpoint, Incoming } from '../../http/endpoint.ts';
import { projectRoot } from '../../project-root.ts';
import type { CallOptions, Reply } from '../../scenarios/call.ts';
import {
  ask,
  askPlayed,
  createRecorder,
  type Flow,
  type Recorder,
} from '../../scenarios/exchange.ts';
import { isObject, jsonIn, text } from '../../scenarios/json.ts';
import { outgoingOf, post } from '../../scenarios/scenario.ts';
import { type Simulator, simulator, type Visitor } from '../../scenarios/simulator.ts';
import { path } from '../platform.ts';

const greatestLong = 2n ** 63n - 1n;

const settings = z.object({
  apiKey: z
    .string()
    .regex(/^\d{1,19}$/, 'must be a whole number, as a string')
    .refine(
      (digits) => !/^\d+$/.test(digits) || BigInt(digits) <= greatestLong,
      'must fit a Java long',
    )
    .default('21653835348762')
    .describe('API key of the service: a Java long, sent as serviceApiKey to the last digit.'),
  developerAuthenticationCallbackEndpoint: path('/')
    .meta({ variable: 'AUTHLETE_CALLBACK_PATH' })
    .describe('Developer Authentication Callback Endpoint: its path at the backend.'),
  developerAuthenticationCallbackApiKey: z
    .string()
    .min(1)
    .meta({ secret: true, variable: 'AUTHLETE_API_KEY' })
    .describe('Developer Authentication Callback API Key.'),
  developerAuthenticationCallbackApiSecret: z
    .string()
    .min(1)
    .meta({ secret: true, variable: 'AUTHLETE_API_SECRET' })
    .describe('Developer Authentication Callback API Secret.'),
});

export type AuthleteSettings = z.input<typeof settings>;

export type AuthleteApp = {
  readonly clientId: number;
  readonly name: string;
  /** Whose it is: the subject. */
  readonly developer: string;
};

/** Who is at the console. */
export type AuthleteDeveloper = { readonly subject: string; readonly displayName: string };

export type Authlete = {
  /** The id of a session of the console; undefined when the login is denied. The recorder notes the callback. */
  readonly login: (
    id: string,
    password: string,
    recorder?: Recorder,
  ) => Promise<string | undefined>;
  /** Undefined: this session is over, or never was. */
  readonly developer: (session: string) => AuthleteDeveloper | undefined;
  /** What "Your Apps" shows; nothing without a session. */
  readonly apps: (session: string) => readonly AuthleteApp[];
  /** The button "Create App". Undefined without a session. */
  readonly createApp: (session: string, name: string) => AuthleteApp | undefined;
  readonly logout: (session: string) => void;
  /** A login at the console, and the session that it gave. */
  readonly play: (
    visitor: Visitor,
  ) => Promise<{ readonly flow: Flow; readonly session: string | undefined }>;
};

/** Thrown where Gson throws a JsonSyntaxException. */
class GsonError extends Error {
  override readonly name = 'GsonError';
}

function gsonBoolean(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'string') return value.toLowerCase() === 'true';
  if (typeof value === 'boolean') return value;
  throw new GsonError('authenticated is not a boolean');
}

function gsonString(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') throw new GsonError(`${name} is not a string`);
  return String(value);
}

/** @throws {GsonError} */
function gson(body: string) {
  const answer = jsonIn(body);
  if (!isObject(answer)) throw new GsonError('the body is not a JSON object');
  return {
    authenticated: gsonBoolean(answer['authenticated']),
    subject: gsonString('subject', answer['subject']),
    displayName: gsonString('displayName', answer['displayName']),
  };
}

/** What Authlete makes of an answer of the callback. */
function understood({ status, text: body }: Reply): {
  readonly value: AuthleteDeveloper | undefined;
  readonly concluded: string;
} {
  const no = (concluded: string) => ({ value: undefined, concluded });
  if (status !== 200) return no(`HTTP ${status} is not an answer of the callback`);
  try {
    const { authenticated, subject, displayName } = gson(body);
    if (!authenticated) return no('the developer is not authenticated');
    if (!subject) return no('authenticated, but there is no subject');
    const value = { subject, displayName: displayName || subject };
    return { value, concluded: `the developer is ${value.displayName} (${subject})` };
  } catch (error) {
    if (!(error instanceof GsonError)) throw error;
    return no(`Gson cannot read the answer: ${error.message}`);
  }
}

/** @param backend without a trailing slash */
export function createAuthlete(
  backend: string,
  given: AuthleteSettings,
  options: CallOptions = {},
): Authlete {
  const service = settings.parse(given);
  const sessions = new Map<string, AuthleteDeveloper>();
  const apps: AuthleteApp[] = [];

  /** As in the vendor's example; JSON.stringify would round a key beyond 2^53. */
  const bodyFor = (id: string, password: string) =>
    `{"expiresIn":0,"id":${JSON.stringify(id)},"password":${JSON.stringify(password)},"serviceApiKey":${BigInt(service.apiKey)}}`;

  const authenticate = (id: string, password: string, recorder: Recorder) => {
    const request = outgoingOf(
      backend,
      post(service.developerAuthenticationCallbackEndpoint, {
        headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
        basic: {
          user: service.developerAuthenticationCallbackApiKey,
          password: service.developerAuthenticationCallbackApiSecret,
        },
        text: bodyFor(id, password),
      }),
    );
    return ask(recorder, { from: 'Platform', to: 'Backend', request }, understood, options);
  };

  function open(developer: AuthleteDeveloper): string {
    const session = randomBytes(24).toString('base64url');
    sessions.set(session, developer);
    return session;
  }

  return {
    async login(id, password, recorder = createRecorder()) {
      const developer = await authenticate(id, password, recorder);
      return developer && open(developer);
    },

    developer: (session) => sessions.get(session),

    apps(session) {
      const subject = sessions.get(session)?.subject;
      return apps.filter(({ developer }) => developer === subject);
    },

    createApp(session, name) {
      const developer = sessions.get(session)?.subject;
      if (developer === undefined) return undefined;
      const app = { clientId: randomInt(10 ** 9, 10 ** 10), name, developer };
      apps.push(app);
      return app;
    },

    logout(session) {
      sessions.delete(session);
    },

    async play({ login, password = '' }) {
      const recorder = createRecorder();
      const request = outgoingOf(
        `https://cd.authlete.com/${service.apiKey}`,
        post('/login', { form: { id: login, password } }),
      );
      let session: string | undefined;
      let played = { accepted: false, outcome: 'Authlete denies the login' };
      await askPlayed(recorder, { from: 'Browser', to: 'Platform', request }, async () => {
        const developer = await authenticate(login, password, recorder);
        if (!developer) {
          return { answer: showLogin('', denied), concluded: 'the login page again' };
        }
        session = open(developer);
        const { displayName, subject } = developer;
        const outcome = `Authlete lets ${login} in as ${displayName} (${subject})`;
        played = { accepted: true, outcome };
        return { answer: redirect(paths.apps), concluded: 'the console shows Your Apps' };
      });
      return { flow: { exchanges: recorder.exchanges(), ...played }, session };
    },
  };
}

// ── The console's pages. Their links are relative: beneath whatever they are mounted, all are neighbours.

const paths = { login: 'login', apps: 'apps', logout: 'logout' } as const;
const denied = { status: 403, problem: 'The login ID or the password is wrong.' } as const;
const stale = { status: 403, problem: 'This page was out of date. Please try again.' } as const;
const sessionCookie = 'authlete_console';
const formCookie = 'authlete_console_form';

// Escapes whatever it prints.
const eta = new Eta({ views: join(projectRoot, 'app/platforms/authlete/console'), cache: true });

const setCookie = (name: string, value: string, rest = '') => ({
  'Set-Cookie': `${name}=${value}; HttpOnly; SameSite=Strict${rest}`,
});

type Trouble = { readonly status: number; readonly problem: string };

const showLogin = (formToken: string, trouble?: Trouble): Answer =>
  page(
    trouble?.status ?? 200,
    eta.render('login', { paths, formToken, problem: trouble?.problem }),
    {
      headers: formToken === '' ? {} : setCookie(formCookie, formToken),
    },
  );

function cookie({ headers }: Incoming, name: string): string {
  const pairs = (headers.cookie ?? '').split(/; */);
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
}

/** Whether the form is one that we showed this browser: it holds the same token as a cookie that other sites cannot set. */
function isOurForm(incoming: Incoming): boolean {
  const token = cookie(incoming, formCookie);
  return token !== '' && incoming.parameters['form_token'] === token;
}

function consoleEndpoints(authlete: Authlete): Endpoint[] {
  const loginPage = (trouble?: Trouble) =>
    showLogin(randomBytes(24).toString('base64url'), trouble);

  const appsPage = (incoming: Incoming, trouble?: Trouble): Answer => {
    const session = cookie(incoming, sessionCookie);
    const developer = authlete.developer(session);
    if (!developer) return redirect(paths.login);
    const formToken = cookie(incoming, formCookie);
    const shown = { paths, formToken, developer, apps: authlete.apps(session) };
    const body = eta.render('apps', { ...shown, problem: trouble?.problem });
    return page(trouble?.status ?? 200, body);
  };

  return [
    { path: '/login', methods: ['GET'], answer: () => loginPage() },
    {
      path: '/login',
      methods: ['POST'],
      async answer(incoming) {
        if (!isOurForm(incoming)) return loginPage(stale);
        const { id, password } = incoming.parameters;
        const session = await authlete.login(text(id) ?? '', text(password) ?? '');
        if (!session) return loginPage(denied);
        authlete.logout(cookie(incoming, sessionCookie));
        const to = redirect(paths.apps);
        return { ...to, headers: { ...to.headers, ...setCookie(sessionCookie, session) } };
      },
    },
    { path: '/apps', methods: ['GET'], answer: (incoming) => appsPage(incoming) },
    {
      path: '/apps',
      methods: ['POST'],
      answer(incoming) {
        if (!isOurForm(incoming)) return appsPage(incoming, stale);
        const name = text(incoming.parameters['name']);
        if (!name) return appsPage(incoming, { status: 400, problem: 'An app needs a name.' });
        const app = authlete.createApp(cookie(incoming, sessionCookie), name);
        return redirect(app ? paths.apps : paths.login);
      },
    },
    {
      path: '/logout',
      methods: ['POST'],
      answer(incoming) {
        if (!isOurForm(incoming)) return appsPage(incoming, stale);
        authlete.logout(cookie(incoming, sessionCookie));
        const to = redirect(paths.login);
        return {
          ...to,
          headers: { ...to.headers, ...setCookie(sessionCookie, '', '; Max-Age=0') },
        };
      },
    },
  ];
}

export const authleteSimulator = simulator({
  settings,
  begins: { with: 'password' },
  create(backend, service, options): Simulator {
    const authlete = createAuthlete(backend, service, options);
    return {
      play: async (visitor) => (await authlete.play(visitor)).flow,
      endpoints: consoleEndpoints(authlete),
    };
  },
});
