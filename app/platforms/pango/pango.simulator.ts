/**
 * Pango's side of the auth plugin, played: `POST /user/login` as an app's SDK calls it, GetUserInfo as the platform calls
 * your backend, and what it registers of the answer.
 *
 *   POST /user/login   carrier_id=…&device_id=…&device_name=…&device_type=…&auth_method=…&access_token=…
 *   200 {"result":"OK","access_token":"…","subscriber":{"id":1,"extref":"690109944",…,"activated_devices":1,…}}
 *   200 {"result":"OAUTH_ERROR","error":"failed login"}
 *
 * Where the vendor is silent, we chose:
 * - Everything that is not a 2xx with a JSON object whose `result` is OK and that has a `user.uid` is OAUTH_ERROR: a
 *   time-out, a redirect, HTML, OK without a uid.
 * - `uid` is a number, as documented, or a text; one beyond 2^53 is refused rather than rounded.
 * - `extref`, `description` or `name`, `country`, `traffic`, `license` and `status` beside `uid` are registered anew at each
 *   login, as far as they are there and of the right type; without `extref` it is the uid, without `license` the project's.
 *   No number in a licence: no limit.
 * - A device is counted once per user, whatever it calls itself. It is not registered when the licence is used up.
 * - The words behind BAD_REQUEST, DEVICES_EXCEED and USER_SUSPENDED. Another `auth_method` than the plugin's is BAD_REQUEST.
 * - The SDK is said to retry up to 3 times, not on what: not played. A login more of a known device changes nothing.
 * - Traffic is noted, never used up: no TRAFFIC_EXCEED, no SESSIONS_EXCEED.
 */
import { randomBytes } from 'node:crypto';
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
import { outgoingOf, post, type Send } from '../../scenarios/scenario.ts';
import { type Simulator, simulator, type Visitor } from '../../scenarios/simulator.ts';
import { path } from '../platform.ts';

/** https://backend.northghost.com/doc/user/index.html */
const api = 'https://backend.northghost.com';

const settings = z.object({
  carrier_id: z.string().default('partner').describe('Id of the project.'),
  auth_method: z.string().default('partner').describe('Name of the plugin.'),
  GetUserInfo: path('/GetUserInfo')
    .meta({ variable: 'PANGO_PATH' })
    .describe('Path of GetUserInfo at the backend.'),
  parameter: z
    .string()
    .default('oauth_token')
    .meta({ variable: 'PANGO_TOKEN_PARAMETER' })
    .describe('Name of the parameter that carries the token.'),
  place: z
    .enum(['query', 'form', 'json', 'bearer'])
    .default('query')
    .describe('Where the token is put: GET with a query, POST with a form or JSON, or a header.'),
  License: z
    .string()
    .default('5')
    .describe('Of users of whom the backend does not say; its first number is the device limit.'),
});

export type PangoSettings = z.input<typeof settings>;

const statuses = ['Invited', 'Active', 'Disabled'] as const;
type Status = (typeof statuses)[number];

/** A user of the project, as on the vendor's User page. */
export type PangoUser = {
  readonly id: number;
  readonly Extref: string;
  readonly Description: string;
  readonly Country: string;
  /** Daily limit, in bytes. */
  readonly Traffic: number | undefined;
  readonly License: string;
  readonly Status: Status;
  /** Their `device_id`. */
  readonly devices: readonly string[];
};

type Field =
  | 'carrier_id'
  | 'device_id'
  | 'device_name'
  | 'device_type'
  | 'auth_method'
  | 'access_token';
/** As the SDK sends it. */
export type PangoLogin = Readonly<Partial<Record<Field, string>>>;

type Result = 'OAUTH_ERROR' | 'BAD_REQUEST' | 'DEVICES_EXCEED' | 'USER_SUSPENDED';

/** The body of the answer; its status is always 200. */
export type PangoAnswer =
  | {
      readonly result: 'OK';
      readonly access_token: string;
      readonly subscriber: ReturnType<typeof subscriber>;
    }
  | { readonly result: Result; readonly error: string };

export type Pango = {
  /** `POST /user/login`. The recorder notes what the platform says to the backend. */
  readonly login: (form: PangoLogin, recorder?: Recorder) => Promise<PangoAnswer>;
  /** The vendor's console: the users of the project, oldest first. */
  readonly users: () => readonly PangoUser[];
  /** The same: changes the Status of the user with this Extref. */
  readonly setStatus: (extref: string, status: Status) => void;
  /** A login from this device, by default the visitor's first. */
  readonly play: (visitor: Visitor, deviceId?: string) => Promise<Flow>;
};

type UserInfo = { readonly uid: string; readonly user: Readonly<Record<string, unknown>> };

/** What the platform makes of an answer to GetUserInfo. */
function understood({ status, text: body }: Reply): {
  readonly value: UserInfo | undefined;
  readonly concluded: string;
} {
  const no = (concluded: string) => ({ value: undefined, concluded });
  if (status < 200 || status > 299) return no(`HTTP ${status} is no answer to GetUserInfo`);
  const answer = jsonIn(body);
  if (!isObject(answer)) return no('the answer is not a JSON object');
  const { result, user } = answer;
  if (result !== 'OK') return no(`the token is not good: result is ${JSON.stringify(result)}`);
  const uid = isObject(user) ? user['uid'] : undefined;
  const known = Number.isSafeInteger(uid) ? String(uid) : text(uid);
  if (!isObject(user) || known === undefined) return no('result is OK, but there is no usable uid');
  return { value: { uid: known, user }, concluded: `the token is of the user with uid ${known}` };
}

/** The parameters of registration that the backend set. */
function registration({ user, uid }: UserInfo) {
  const given = text(user['status'])?.toLowerCase();
  const Status = statuses.find((one) => one.toLowerCase() === given);
  const Description = text(user['description']) ?? text(user['name']);
  const Country = text(user['country']);
  const { license, traffic } = user;
  const License = typeof license === 'number' ? String(license) : text(license);
  return {
    Extref: text(user['extref']) ?? uid,
    ...(Description && { Description }),
    ...(Country && { Country }),
    ...(typeof traffic === 'number' && { Traffic: traffic }),
    ...(License && { License }),
    ...(Status && { Status }),
  };
}

/** The device limit of a licence. */
const limitOf = (license: string): number => Number(/\d+/.exec(license)?.[0] ?? Infinity);

const subscriber = (
  carrier_id: string,
  { id, Extref, Description, Country, devices }: PangoUser,
) => ({
  id,
  name: Description,
  email: '',
  extref: Extref,
  country: Country,
  carrier_id,
  bundle: null,
  activated_devices: devices.length,
  active_sessions: 0,
});

/** @param backend without a trailing slash */
export function createPango(
  backend: string,
  given: PangoSettings = {},
  options: CallOptions = {},
): Pango {
  const project = settings.parse(given);
  /** By uid. */
  const users = new Map<string, PangoUser>();

  function getUserInfo(token: string): Send {
    const { GetUserInfo: at, parameter, place } = project;
    const headers = { Accept: 'application/json' };
    const named = { [parameter]: token };
    if (place === 'form') return post(at, { headers, form: named });
    if (place === 'json') return post(at, { headers, json: named });
    if (place === 'query') return { method: 'GET', path: at, headers, query: named };
    return { method: 'GET', path: at, headers: { ...headers, Authorization: `Bearer ${token}` } };
  }

  /** What is wrong with the form, as far as the platform can say without the backend. */
  function badRequest({ carrier_id, auth_method, device_id, access_token }: PangoLogin) {
    if (carrier_id !== project.carrier_id) return 'carrier_id is unknown';
    if (auth_method !== project.auth_method) return 'auth_method is unknown';
    if (!device_id) return 'device_id is missing';
    if (!access_token) return 'access_token is missing';
    return undefined;
  }

  async function decide(form: PangoLogin, recorder: Recorder) {
    const no = (result: Result, error: string, outcome: string) => ({
      answer: { result, error } satisfies PangoAnswer,
      outcome,
    });

    const bad = badRequest(form);
    if (bad) return no('BAD_REQUEST', bad, `Pango does not read the login: ${bad}`);

    const request = outgoingOf(backend, getUserInfo(form.access_token ?? ''));
    const saying = { from: 'Platform', to: 'Backend', request } as const;
    const info = await ask(recorder, saying, understood, options);
    if (!info) return no('OAUTH_ERROR', 'failed login', 'Pango returns OAUTH_ERROR to the app');

    const { uid } = info;
    const before = users.get(uid);
    const user: PangoUser = {
      id: users.size + 1,
      Description: '',
      Country: '',
      Traffic: undefined,
      License: project.License,
      Status: 'Active',
      devices: [],
      ...before,
      ...registration(info),
    };
    users.set(uid, user);
    if (user.Status === 'Disabled') {
      const outcome = `Pango knows the user ${uid} as disabled: USER_SUSPENDED`;
      return no('USER_SUSPENDED', 'user is suspended', outcome);
    }

    const device = form.device_id ?? '';
    const isKnown = user.devices.includes(device);
    if (!isKnown && user.devices.length >= limitOf(user.License)) {
      const outcome = `Pango does not register the device ${device}: the licence of the user ${uid} is for ${limitOf(user.License)}`;
      return no('DEVICES_EXCEED', 'devices limit is exceeded', outcome);
    }
    const registered = isKnown ? user : { ...user, devices: [...user.devices, device] };
    users.set(uid, registered);
    const answer: PangoAnswer = {
      result: 'OK',
      access_token: randomBytes(20).toString('hex'),
      subscriber: subscriber(project.carrier_id, registered),
    };
    const outcome = isKnown
      ? `Pango lets the user ${uid} in; the device ${device} was registered before`
      : before
        ? `Pango knows the user ${uid} and registers the device ${device}`
        : `Pango registers the user ${uid} and the device ${device}`;
    return { answer, outcome };
  }

  return {
    login: async (form, recorder = createRecorder()) => (await decide(form, recorder)).answer,

    users: () => [...users.values()],

    setStatus(extref, Status) {
      for (const [uid, user] of users)
        if (user.Extref === extref) users.set(uid, { ...user, Status });
    },

    async play({ login, token = '' }, deviceId = `phone-of-${login}`) {
      const form = {
        carrier_id: project.carrier_id,
        device_id: deviceId,
        device_name: 'Phone',
        device_type: 'android',
        auth_method: project.auth_method,
        access_token: token,
      };
      const recorder = createRecorder();
      const request = outgoingOf(api, post('/user/login', { form }));
      let played = { accepted: false, outcome: '' };
      await askPlayed(recorder, { from: 'App', to: 'Platform', request }, async () => {
        const { answer, outcome } = await decide(form, recorder);
        const accepted = answer.result === 'OK';
        played = { accepted, outcome };
        const concluded = accepted ? 'the user is in' : `the SDK reports ${answer.result}`;
        return { answer: jsonAnswer(200, answer), concluded };
      });
      return { exchanges: recorder.exchanges(), ...played };
    },
  };
}

export const pangoSimulator = simulator({
  settings,
  begins: { with: 'token', scope: ['verify'] },
  create(backend, project, options): Simulator {
    const pango = createPango(backend, project, options);
    return {
      play: (visitor) => pango.play(visitor),
      endpoints: [
        {
          path: '/user/login',
          methods: ['POST'],
          accepts: 'any',
          badRequest: ({ error }) => jsonAnswer(200, { result: 'BAD_REQUEST', error }),
          async answer({ parameters }) {
            const form = Object.fromEntries(
              Object.entries(parameters).filter(
                (one): one is [string, string] => typeof one[1] === 'string',
              ),
            );
            return jsonAnswer(200, await pango.login(form));
          },
        },
      ],
    };
  },
});
