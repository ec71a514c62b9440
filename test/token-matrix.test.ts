/** Every kind of credential, shown at every place that takes one: good where it belongs, and nowhere else. */
import { everyScope } from '../app/oauth/scopes.ts';
import { newToken, newUserCode } from '../app/oauth/secrets.ts';
import { createDirectory } from '../app/store/directory.ts';
import { apiKey, apiSecret, type Backend, startBackend } from './support/backend.ts';
import { secret } from './support/canaries.ts';
import { houseOf } from './support/client-tokens.ts';
import {
  allow,
  basic,
  deviceGrant,
  partner,
  post,
  redeeming,
  refreshing,
  register,
  tokenRequest,
} from './support/oauth.ts';
import { mint } from './support/tokens.ts';
import { formOf, type Visitor, visitor } from './support/visitor.ts';

const client = { ...partner, scope: [...everyScope] };

let backend: Backend;
const us = { id: client.id, secret: '' };
let somebody: Visitor;

beforeAll(async () => {
  // Most of what is shown for a password is none.
  backend = await startBackend({ LOGIN_ATTEMPTS: '1000', LOGIN_ATTEMPTS_PER_ADDRESS: '1000' });
  us.secret = await register(backend, client);
  somebody = visitor(backend);
  await somebody.signIn('test2');
});

afterAll(() => backend.stop());

const json = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(`${backend.url}${path}`, { redirect: 'manual', ...init });
  const text = await response.text();
  const body = (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>;
  if (typeof body['token'] === 'string') secret(body['token']);
  return { status: response.status, text, body };
};

const encoded = encodeURIComponent;
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

const authleteAnswer = (path: string, password: string, authorization: string, id = 'test1') =>
  json(path, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ serviceApiKey: 1, id, password, expiresIn: 0 }),
  });

const byUs = (path: string, token: string) =>
  post(backend, path, { token }, { authorization: basic(us.id, us.secret) });

type Place = (
  credential: string,
  goesOn: (credential: string) => Promise<boolean>,
) => Promise<boolean>;

type Places = Readonly<Record<string, Place>>;

/** Authlete's callback for developers, and the one for end users. */
const authletePlaces = (callback: string, path: string): Places => ({
  [`${callback}, as the password`]: async (password) => {
    const { body } = await authleteAnswer(path, password, basic(apiKey, apiSecret));
    return body['authenticated'] === true;
  },
  [`${callback}, as the caller`]: async (given) => {
    const pair = given.includes(':') ? given : `${apiKey}:${given}`;
    const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    return (await authleteAnswer(path, 'test1', authorization)).status === 200;
  },
});

/** Where a client must say its secret. */
const asTheClient = (path: string, form: Record<string, string>): Places => ({
  [`${path}, as the client's secret`]: async (given) =>
    (await post(backend, path, form, { authorization: basic(us.id, given) })).status === 200,
});

/** How dgp-oauth2's clients send a token. */
const dgpPlaces = (
  way: string,
  send: (jwt: string) => { query?: string; headers?: Record<string, string> },
): Places => {
  const ask = (path: string, jwt: string, method = 'GET') => {
    const { query = '', headers = {} } = send(jwt);
    return json(`${path}${path.includes('?') ? '&' : '?'}${query}`, { method, headers });
  };
  return {
    [`/auth/check, ${way}`]: async (jwt) =>
      (await ask('/auth/check', jwt)).body['authenticated'] === true,
    [`/auth/authorize, ${way}`]: async (jwt) =>
      (await ask('/auth/authorize?service=storage-service', jwt)).body['token'] !== undefined,
    [`/auth/update, ${way}`]: async (jwt) =>
      (await ask('/auth/update', jwt, 'POST')).body['success'] === true,
    [`/auth/logout, ${way}`]: async (jwt, goesOn) => {
      await ask('/auth/logout', jwt, 'POST');
      return !(await goesOn(jwt));
    },
  };
};

/** Where credentials are taken, and whether one is: a place that ends them takes what does not go on afterwards. */
const places: Places = {
  Pango: async (token) =>
    (await json(`/GetUserInfo?oauth_token=${encoded(token)}`)).body['result'] === 'OK',
  ConnectyCube: async (token) =>
    (await json(`/user/verify?token=${encoded(token)}`)).status === 200,
  ...authletePlaces('Authlete for developers', '/'),
  ...authletePlaces('Authlete for end users', '/authlete/authentication'),
  AURORA: async (token) => (await json('/userinfo', bearer(token))).status === 200,
  userinfo: async (token) => (await json('/openid/userinfo', bearer(token))).status === 200,
  introspection: async (token) => (await byUs('/oauth/introspect', token)).body['active'] === true,
  revocation: async (token, goesOn) => {
    await byUs('/oauth/revoke', token);
    return !(await goesOn(token));
  },
  'token, as a code': async (code) =>
    (await tokenRequest(backend, us, redeeming(code))).status === 200,
  'token, as a refresh token': async (token) =>
    (await tokenRequest(backend, us, refreshing(token))).status === 200,
  'token, as a device code': async (device_code) =>
    (await tokenRequest(backend, us, { grant_type: deviceGrant, device_code })).status === 200,
  ...asTheClient('/oauth/token', { grant_type: 'client_credentials' }),
  ...asTheClient('/oauth/introspect', { token: 'x' }),
  ...asTheClient('/oauth/revoke', { token: 'x' }),
  ...asTheClient('/oauth/device_authorization', {}),
  ...dgpPlaces('jwt', (jwt) => ({ query: `jwt=${encoded(jwt)}` })),
  ...dgpPlaces('auth-token', (jwt) => ({ headers: { 'auth-token': jwt } })),
  'first-party login': async (password) =>
    (await post(backend, '/user/login', { login: 'test1', password })).status === 200,
  'the sign-in page': async (password) => {
    const who = visitor(backend);
    const form = formOf((await who.get('/login')).text, '/login');
    return (await who.post('/login', { ...form, login: 'test1', password })).status === 303;
  },
  'the device page': async (user_code) => {
    // After ten wrong ones there is a pause.
    await backend.services.database.prisma.rateLimiterFlexible.deleteMany();
    const form = formOf((await somebody.get('/device')).text, '/device');
    const { text } = await somebody.post('/device', { ...form, user_code });
    return text.includes('<h1>Allow Partner?</h1>');
  },
  'the session cookie': async (value) => {
    const headers = { cookie: `${sessionCookie}=${value}` };
    return (await json('/login', { headers })).text.includes('Test One</strong>');
  },
  'the sign-in cookie': async (value) => {
    const { who, cookie, callback } = begun.get(value) ?? (await beginSignIn());
    who.cookies.set(cookie, value);
    const { location = '' } = await who.get(callback);
    const given = /[?&]jwt=([^&]+)/.exec(location)?.[1];
    if (given !== undefined) secret(given);
    return given !== undefined;
  },
};

/** A sign-in of dgp-oauth2 that lacks its last step. */
type Begun = { readonly who: Visitor; readonly cookie: string; readonly callback: string };

/** By the value of the cookie. */
const begun = new Map<string, Begun>();

async function beginSignIn(): Promise<Begun & { readonly value: string }> {
  const who = visitor(backend);
  const next = encoded('http://localhost:3000');
  const { location = '' } = await who.get(`/auth/login?provider=local&next=${next}`);
  const form = formOf((await who.get(location)).text, '/login');
  const sent = await who.post('/login', { ...form, login: 'test1', password: 'test1' });
  const [cookie = '', value = ''] =
    [...who.cookies].find(([name]) => name.startsWith('idp_sign_in_')) ?? [];
  return { who, cookie, value, callback: String(sent.location) };
}

const sessionCookie = 'idp_session';

const at = (place: string) => (credential: string) =>
  (places[place] as Place)(credential, async () => true);

const issued = async (scope: readonly string[]) =>
  (await tokenRequest(backend, us, redeeming(await allow(backend, { client, scope })))).body;

const accessToken = (...scope: string[]) => ({
  make: async () => String((await issued(scope))['access_token']),
  goesOn: at('introspection'),
});

async function startDevice() {
  const codes = { deviceCode: secret(newToken()), userCode: secret(newUserCode()) };
  const scope = ['verify'];
  await backend.services.grants.startDevice({
    ...codes,
    ...{ clientId: client.id, scope, interval: 5 },
    expiresAt: new Date(backend.clock.now.getTime() + 600_000),
  });
  return { ...codes, scope };
}

async function deviceCode() {
  const { deviceCode: code, userCode, scope } = await startDevice();
  const granted = { clientId: client.id, uid: 1, scope, resource: undefined };
  await backend.services.grants.allowDevice(userCode, granted);
  return code;
}

type Kind = {
  readonly make: () => Promise<string>;
  /** Whether it is still good where it belongs. */
  readonly goesOn: (credential: string) => Promise<boolean>;
  readonly takenBy: readonly string[];
};

const jwt = async () => secret(await houseOf(backend).clientTokens.issue(1, 60));

async function permissionToken() {
  const path = `/auth/authorize?service=storage-service&jwt=${await jwt()}`;
  return String((await json(path)).body['token']);
}

async function sessionValue() {
  const who = visitor(backend);
  await who.signIn('test1');
  return String(who.cookies.get(sessionCookie));
}

const kinds: Readonly<Record<string, Kind>> = {
  'access token, verify': {
    ...accessToken('verify'),
    takenBy: ['Pango', 'ConnectyCube', 'introspection', 'revocation'],
  },
  'access token, openid': {
    ...accessToken('openid'),
    takenBy: ['userinfo', 'introspection', 'revocation'],
  },
  'access token, profile': {
    ...accessToken('profile'),
    takenBy: ['introspection', 'revocation'],
  },
  'access token, email': {
    ...accessToken('email'),
    takenBy: ['introspection', 'revocation'],
  },
  'access token, userid-feide': {
    ...accessToken('userid-feide'),
    takenBy: ['AURORA', 'introspection', 'revocation'],
  },
  'access token, every scope': {
    ...accessToken(...everyScope),
    takenBy: ['Pango', 'ConnectyCube', 'AURORA', 'userinfo', 'introspection', 'revocation'],
  },
  'access token of a client, every scope': {
    make: async () => {
      const form = { grant_type: 'client_credentials', scope: everyScope.join(' ') };
      return String((await tokenRequest(backend, us, form)).body['access_token']);
    },
    goesOn: at('introspection'),
    takenBy: ['introspection', 'revocation'],
  },
  'refresh token': {
    make: async () => String((await issued(everyScope))['refresh_token']),
    goesOn: at('token, as a refresh token'),
    takenBy: ['revocation', 'token, as a refresh token'],
  },
  'authorization code': {
    make: () => allow(backend, { client }),
    goesOn: at('token, as a code'),
    takenBy: ['token, as a code'],
  },
  'device code': {
    make: deviceCode,
    goesOn: at('token, as a device code'),
    takenBy: ['token, as a device code'],
  },
  'user code': {
    make: async () => (await startDevice()).userCode,
    goesOn: at('the device page'),
    takenBy: ['the device page'],
  },
  "client's secret": {
    make: async () => us.secret,
    goesOn: at("/oauth/token, as the client's secret"),
    takenBy: ['token', 'introspect', 'revoke', 'device_authorization'].map(
      (route) => `/oauth/${route}, as the client's secret`,
    ),
  },
  'client token': {
    make: jwt,
    goesOn: at('/auth/check, jwt'),
    takenBy: ['check', 'authorize', 'update', 'logout'].flatMap((route) => [
      `/auth/${route}, jwt`,
      `/auth/${route}, auth-token`,
    ]),
  },
  'permission token': {
    make: permissionToken,
    // Nothing ends one but its time.
    goesOn: async () => true,
    takenBy: [],
  },
  'session cookie': {
    make: sessionValue,
    goesOn: at('the session cookie'),
    takenBy: ['the session cookie'],
  },
  'sign-in cookie': {
    make: async () => {
      const { value, ...rest } = await beginSignIn();
      begun.set(value, rest);
      return value;
    },
    goesOn: at('the sign-in cookie'),
    takenBy: ['the sign-in cookie'],
  },
  'API key and secret': {
    make: async () => `${apiKey}:${apiSecret}`,
    goesOn: at('Authlete for developers, as the caller'),
    takenBy: ['Authlete for developers, as the caller', 'Authlete for end users, as the caller'],
  },
  password: {
    make: async () => 'test1',
    goesOn: at('Authlete for developers, as the password'),
    takenBy: [
      'Authlete for developers, as the password',
      'Authlete for end users, as the password',
      'first-party login',
      'the sign-in page',
    ],
  },
};

describe.each(Object.entries(kinds))('%s', (_name, { make, goesOn, takenBy }) => {
  test.each(Object.entries(places))('%s', async (place, takes) => {
    expect(await takes(await make(), goesOn)).toBe(takenBy.includes(place));
  });
});

test('every place takes something', () => {
  const taking = new Set(Object.values(kinds).flatMap(({ takenBy }) => takenBy));
  expect([...taking].sort()).toEqual(Object.keys(places).sort());
});

test('a suspended user is refused by each of the five at the next request', async () => {
  const { database, passwords } = backend.services;
  const login = 'test3';
  const token = await mint(backend, login);
  const clientToken = secret(await houseOf(backend).clientTokens.issue(3, 60));
  const asked = async () => {
    const [authlete, { body: dgp }] = await Promise.all([
      authleteAnswer('/', login, basic(apiKey, apiSecret), login),
      json(`/auth/check?jwt=${clientToken}`),
    ]);
    return {
      Pango: await at('Pango')(token),
      ConnectyCube: await at('ConnectyCube')(token),
      Authlete: authlete.body['authenticated'],
      AURORA: await at('AURORA')(token),
      'dgp-oauth2': dgp['authenticated'],
    };
  };

  expect(Object.values(await asked())).toEqual([true, true, true, true, true]);
  await createDirectory(database, passwords, 'test').setUserStatus(login, 'suspended');
  expect(Object.values(await asked())).toEqual([false, false, false, false, false]);
});
