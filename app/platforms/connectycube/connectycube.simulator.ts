/**
 * ConnectyCube's side of the Custom Identity Provider, played: sessions and `POST /login` as an app's SDK calls them, the
 * call to your backend that the dashboard describes, and the user that ConnectyCube makes of the answer.
 *
 *   POST /session                                     201 {"session":{"token":"…","user_id":0,…}}
 *   POST /login   CB-Token: …   login=<token>&password=<anything but blank>
 *   202 {"user":{"id":1,"login":"simon371","full_name":"Simon Davis",…,"external_user_id":2345},"session":{…}}
 *   422 {"errors":{"base":["Custom Identity Provider responded with an error = \"User token is invalid\". Status code = 422"]}}
 *
 * https://developers.connectycube.com/guides/custom-identity-provider
 * https://developers.connectycube.com/server/auth — a session token is good for 2 hours after the last request with it
 * https://developers.connectycube.com/server/users — the fields of a user
 *
 * Where the vendor is silent, we chose:
 * - `POST /session` asks for no application, key or signature, and gives the application session. A login makes it the
 *   user's: the token stays, and is shown once more beside the user.
 * - With the identity provider switched on, every `POST /login` is for your backend, also of users made in the ordinary way.
 * - A POST to your backend is a form. A variable of a request template without a value, or another than login, password
 *   and email, stays as it is written.
 * - A response template of one `#{path}` keeps the type of what it finds; with text around it, it becomes text. One that
 *   does not resolve leaves the field out.
 * - Any 2xx is read; without JSON nothing resolves, so that the uid is required. Any other answer is an error with the text
 *   of its `error`, else of its status. No answer: `Custom Identity Provider does not respond`.
 * - A user belongs to the `uid` that made him. What is mapped is taken over at each login. A login that another user has
 *   is a conflict, in the words of a sign-up; "Allow reuse" gives away only users made in the ordinary way.
 * - `external_user_id` is checked before anything is stored: an integer, not the text of one.
 */
import { randomBytes } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { json as jsonAnswer } from '../../http/answer.ts';
import type { CallOptions, Reply } from '../../scenarios/call.ts';
import {
  ask,
  askPlayed,
  createRecorder,
  type Flow,
  type Recorder,
} from '../../scenarios/exchange.ts';
import { isObject, jsonIn, text } from '../../scenarios/json.ts';
import { get, outgoingOf, post } from '../../scenarios/scenario.ts';
import { type Simulator, simulator, type Visitor } from '../../scenarios/simulator.ts';
import { path } from '../platform.ts';

const api = 'https://api.connectycube.com';

/** How long a session is good after the last request with it, in ms. */
const sessionLifetime = 2 * 3_600_000;

const templates = z.record(z.string(), z.string());

/** What the dashboard is set to, to ask this backend and to read its answer. */
export const requestParams = { token: '#{login}' };
export const responseParams = {
  uid: '#{user.id}',
  login: '#{user.login}',
  email: '#{user.email}',
  full_name: '#{user.full_name}',
  external_user_id: '#{user.id}',
};

const settings = z.object({
  apiUrl: path('/user/verify').describe('API URL: its path at the backend.'),
  method: z.enum(['GET', 'POST']).default('GET').describe('Of the call to the API URL.'),
  requestHeaders: templates
    .default({})
    .describe('Request headers: templates with #{login}, #{password}, #{email}.'),
  requestParams: templates
    .default(requestParams)
    .describe('Request params: the same, for the query or the form.'),
  responseParams: templates
    .default(responseParams)
    .describe('Response params: templates with paths into the answer, such as #{users.0.id}.'),
  allowReuse: z
    .boolean()
    .default(false)
    .describe('Allow reuse ConnectyCube user: users with an equal login are merged.'),
});

export type ConnectyCubeSettings = z.input<typeof settings>;

export type ConnectyCubeUser = {
  readonly id: number;
  readonly login: string | null;
  readonly full_name: string | null;
  readonly email: string | null;
  readonly external_user_id: number | null;
  /** ISO 8601, as the others. */
  readonly created_at: string;
  readonly updated_at: string;
  readonly last_request_at: string | null;
};

type Session = {
  readonly token: string;
  /** 0: of the application. */
  readonly user_id: number;
  readonly created_at: string;
  readonly updated_at: string;
};

type Errors = { readonly errors: readonly string[] | Readonly<Record<string, readonly string[]>> };

/** An answer of ConnectyCube's API: the body is `Body` when the status is 2xx, else errors. */
export type ConnectyCubeAnswer<Body> =
  | { readonly status: 200 | 201 | 202; readonly body: Body }
  | { readonly status: 401 | 403 | 422; readonly body: Errors };

type Login = { readonly login?: string; readonly email?: string; readonly password?: string };

export type ConnectyCube = {
  /** `POST /session`: an application session. */
  readonly createSession: () => ConnectyCubeAnswer<{ session: Session }>;
  /** `GET /session`: the session of this token, for 2 hours more. */
  readonly session: (cbToken?: string) => ConnectyCubeAnswer<{ session: Session }>;
  /** `POST /users`: a user made in the ordinary way. */
  readonly createUser: (
    cbToken: string | undefined,
    user: Login & { readonly full_name?: string },
  ) => ConnectyCubeAnswer<{ user: ConnectyCubeUser }>;
  /** `POST /login`. The recorder notes what ConnectyCube says to the backend. */
  readonly login: (
    cbToken: string | undefined,
    login: Login,
    recorder?: Recorder,
  ) => Promise<ConnectyCubeAnswer<{ user: ConnectyCubeUser; session: Session }>>;
  /** A session of the application, and the visitor's login with it. */
  readonly play: (visitor: Visitor) => Promise<Flow>;
};

const fails = (status: 401 | 403 | 422, errors: Errors['errors']) =>
  ({ status, body: { errors } }) as const;
const failsFor = (field: string, problem: string, status: 401 | 422 = 422) =>
  fails(status, { [field]: [problem] });

const isBlank = (value: string | undefined) => value === undefined || value.trim() === '';

// ── Templates

const variables = /#\{([^{}]*)\}/g;

/** A request template, filled with what the app sent. */
const filled = (template: string, login: Login): string =>
  template.replaceAll(variables, (variable, name: string) =>
    name === 'login' || name === 'password' || name === 'email'
      ? (login[name] ?? variable)
      : variable,
  );

const allFilled = (all: Readonly<Record<string, string>>, login: Login) =>
  Object.fromEntries(Object.entries(all).map(([name, one]) => [name, filled(one, login)]));

/** What stands there, e.g. at `users.0.uid`. Undefined: nothing. */
const at = (path: string, answer: unknown): unknown =>
  path.split('.').reduce((place: unknown, key) => {
    if (Array.isArray(place)) return /^\d+$/.test(key) ? place[Number(key)] : undefined;
    return isObject(place) && Object.hasOwn(place, key) ? place[key] : undefined;
  }, answer);

/** A response template. Undefined: it does not resolve. */
export function resolved(template: string, answer: unknown): unknown {
  const [whole] = [...template.matchAll(variables)];
  if (whole?.[0] === template) return at(whole[1] ?? '', answer);
  const found = [...template.matchAll(variables)].map(([, path = '']) => at(path, answer));
  if (found.some((one) => one === undefined || one === null)) return undefined;
  return template.replaceAll(variables, () => String(found.shift()));
}

// ── What the backend said

type Mapped = {
  readonly uid: string;
  readonly fields: Partial<
    Pick<ConnectyCubeUser, 'login' | 'full_name' | 'email' | 'external_user_id'>
  >;
};
type Understood = Mapped | { readonly problem: ReturnType<typeof fails> };

const uidRequired = failsFor('base', 'Custom Identity Provider uid is required');

function mapped(answer: unknown, responseParams: Readonly<Record<string, string>>): Understood {
  const of = (name: string) => {
    const template = responseParams[name];
    return template === undefined ? undefined : resolved(template, answer);
  };
  const uid = of('uid');
  const known = typeof uid === 'number' ? String(uid) : text(uid);
  if (known === undefined) return { problem: uidRequired };
  const external = of('external_user_id');
  if (external !== undefined && external !== null && !Number.isSafeInteger(external)) {
    return { problem: failsFor('external_user_id', 'must be an integer') };
  }
  const texts = ['login', 'full_name', 'email'].flatMap((name) => {
    const value = text(of(name));
    return value === undefined ? [] : [[name, value]];
  });
  return {
    uid: known,
    fields: {
      ...Object.fromEntries(texts),
      ...(typeof external === 'number' && { external_user_id: external }),
    },
  };
}

const understood =
  (responseParams: Readonly<Record<string, string>>) =>
  ({ status, text: body }: Reply): { value: Understood; concluded: string } => {
    const answer = jsonIn(body);
    if (status < 200 || status > 299) {
      const error = (isObject(answer) && text(answer['error'])) || STATUS_CODES[status] || '';
      const problem = failsFor(
        'base',
        `Custom Identity Provider responded with an error = "${error}". Status code = ${status}`,
      );
      return { value: { problem }, concluded: `the backend says no: ${error}` };
    }
    const value = mapped(answer, responseParams);
    if (!('problem' in value)) return { value, concluded: `the token is of uid ${value.uid}` };
    const concluded =
      value.problem === uidRequired
        ? `uid (${responseParams['uid'] ?? 'not mapped'}) is not in the answer`
        : 'external_user_id is not an integer';
    return { value, concluded };
  };

/** @param backend without a trailing slash */
export function createConnectyCube(
  backend: string,
  given: ConnectyCubeSettings = {},
  { now = () => new Date(), ...options }: CallOptions & { readonly now?: () => Date } = {},
): ConnectyCube {
  const app = settings.parse(given);
  const users = new Map<number, ConnectyCubeUser>();
  /** Whom the backend's uid is of; who is not in it was made in the ordinary way. */
  const linked = new Map<string, number>();
  const sessions = new Map<string, Session & { readonly expires: number }>();

  const timestamp = () => now().toISOString();

  function keep(session: Session): Session {
    const kept = { ...session, updated_at: timestamp() };
    sessions.set(kept.token, { ...kept, expires: now().getTime() + sessionLifetime });
    return kept;
  }

  function sessionOf(cbToken: string | undefined) {
    if (!cbToken) return { problem: fails(403, ['Token is required']) };
    const found = sessions.get(cbToken);
    if (!found || found.expires <= now().getTime()) {
      sessions.delete(cbToken);
      return { problem: failsFor('base', 'Required session does not exist', 401) };
    }
    const { expires: _, ...session } = found;
    return { session: keep(session) };
  }

  function add(fields: Partial<ConnectyCubeUser>): ConnectyCubeUser {
    const user = {
      id: users.size + 1,
      login: null,
      full_name: null,
      email: null,
      external_user_id: null,
      last_request_at: null,
      ...fields,
      created_at: timestamp(),
      updated_at: timestamp(),
    };
    users.set(user.id, user);
    return user;
  }

  const withLogin = (login: string | null | undefined) =>
    [...users.values()].find(
      (user) => login !== undefined && login !== null && user.login === login,
    );

  const taken = failsFor('login', 'has already been taken');

  /** The user of this uid, made or taken over. */
  function link({ uid, fields }: Mapped) {
    const known = linked.get(uid);
    const holder = withLogin(fields.login);
    const isOrdinary = holder && ![...linked.values()].includes(holder.id);
    const reused = known === undefined && isOrdinary && app.allowReuse;
    if (holder && holder.id !== known && !reused) {
      const outcome = `ConnectyCube has another user with the login ${fields.login}: the login fails`;
      return { problem: taken, outcome };
    }
    const before = users.get(known ?? holder?.id ?? 0);
    const user = before ? { ...before, ...fields, updated_at: timestamp() } : add(fields);
    const seen = { ...user, last_request_at: timestamp() };
    users.set(seen.id, seen);
    linked.set(uid, seen.id);
    const outcome = !before
      ? `ConnectyCube creates user ${seen.id} for uid ${uid}`
      : reused
        ? `ConnectyCube links its user ${seen.id}, who has the same login, to uid ${uid}`
        : `ConnectyCube knows uid ${uid} as its user ${seen.id}`;
    return { user: seen, outcome };
  }

  async function decide(cbToken: string | undefined, login: Login, recorder: Recorder) {
    const no = (answer: ReturnType<typeof fails>, outcome = 'ConnectyCube refuses the login') => ({
      answer,
      outcome,
    });

    const { session, problem } = sessionOf(cbToken);
    if (!session) return no(problem);
    if (isBlank(login.login) && isBlank(login.email))
      return no(failsFor('login', 'cannot be blank'));
    if (isBlank(login.password)) return no(failsFor('password', 'cannot be blank'));

    const headers = allFilled(app.requestHeaders, login);
    const params = allFilled(app.requestParams, login);
    const request = outgoingOf(
      backend,
      app.method === 'GET'
        ? get(app.apiUrl, params, { headers })
        : post(app.apiUrl, { headers, form: params }),
    );
    const said = await ask(
      recorder,
      { from: 'Platform', to: 'Backend', request },
      understood(app.responseParams),
      options,
    );
    if (!said) return no(failsFor('base', 'Custom Identity Provider does not respond'));
    if ('problem' in said) return no(said.problem);
    const { user, problem: conflict, outcome } = link(said);
    if (!user) return no(conflict, outcome);
    const body = { user, session: keep({ ...session, user_id: user.id }) };
    return { answer: { status: 202, body } as const, outcome };
  }

  const createSession = () => {
    const token = randomBytes(20).toString('hex');
    const session = { token, user_id: 0, created_at: timestamp(), updated_at: timestamp() };
    return { status: 201, body: { session: keep(session) } } as const;
  };

  return {
    createSession,

    session(cbToken) {
      const { session, problem } = sessionOf(cbToken);
      return session ? { status: 200, body: { session } } : problem;
    },

    createUser(cbToken, { login, email, full_name, password }) {
      const { session, problem } = sessionOf(cbToken);
      if (!session) return problem;
      if (isBlank(login)) return failsFor('login', 'cannot be blank');
      if (isBlank(password)) return failsFor('password', 'cannot be blank');
      if (withLogin(login)) return taken;
      const user = add({
        login: login ?? null,
        email: email ?? null,
        full_name: full_name ?? null,
      });
      return { status: 201, body: { user } };
    },

    login: async (cbToken, login, recorder = createRecorder()) =>
      (await decide(cbToken, login, recorder)).answer,

    async play({ token = '' }) {
      const recorder = createRecorder();
      const fromApp = (path: string, send: object) =>
        ({ from: 'App', to: 'Platform', request: outgoingOf(api, post(path, send)) }) as const;

      const opened = createSession();
      const cbToken = opened.body.session.token;
      await askPlayed(recorder, fromApp('/session', {}), async () => ({
        answer: jsonAnswer(opened.status, opened.body),
        concluded: 'the app has a session of its own',
      }));

      const form = { login: token, password: 'any' };
      const send = { headers: { 'CB-Token': cbToken }, form };
      let played = { accepted: false, outcome: '' };
      await askPlayed(recorder, fromApp('/login', send), async () => {
        const { answer, outcome } = await decide(cbToken, form, recorder);
        const accepted = answer.status === 202;
        played = { accepted, outcome };
        const concluded = accepted
          ? 'the session is of the user now'
          : 'the app shows its user the error';
        return { answer: jsonAnswer(answer.status, answer.body), concluded };
      });
      return { exchanges: recorder.exchanges(), ...played };
    },
  };
}

export const connectycubeSimulator = simulator({
  settings,
  begins: { with: 'token', scope: ['verify'] },
  create(backend, app, options): Simulator {
    const connectycube = createConnectyCube(backend, app, options);
    const answered = ({ status, body }: ConnectyCubeAnswer<unknown>) => jsonAnswer(status, body);
    const cbToken = (headers: Readonly<Record<string, unknown>>) => text(headers['cb-token']);
    return {
      play: connectycube.play,
      endpoints: [
        {
          path: '/session',
          methods: ['POST'],
          answer: () => answered(connectycube.createSession()),
        },
        {
          path: '/session',
          methods: ['GET'],
          answer: ({ headers }) => answered(connectycube.session(cbToken(headers))),
        },
        {
          path: '/users',
          methods: ['POST'],
          answer({ headers, parameters, body }) {
            const nested = isObject(body) && isObject(body['user']) ? body['user'] : {};
            const of = (name: string) => text(nested[name]) ?? text(parameters[`user[${name}]`]);
            return answered(connectycube.createUser(cbToken(headers), fieldsOf(of)));
          },
        },
        {
          path: '/login',
          methods: ['POST'],
          async answer({ headers, parameters }) {
            const login = fieldsOf((name) => text(parameters[name]));
            return answered(await connectycube.login(cbToken(headers), login));
          },
        },
      ],
    };
  },
});

/** Those that are there. */
function fieldsOf(of: (name: string) => string | undefined): Login & { full_name?: string } {
  const fields = ['login', 'email', 'password', 'full_name'].flatMap((name) => {
    const value = of(name);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(fields);
}
