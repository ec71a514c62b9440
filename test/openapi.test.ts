/** The API reference: whether it is OpenAPI, whole, and true. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Router } from 'express';
import pino from 'pino';
import { createApp, endpointsOf } from '../app/app.ts';
import { platforms } from '../app/platforms/index.ts';
import type { Scenario } from '../app/scenarios/scenario.ts';
import { type Backend, startBackend } from './support/backend.ts';
import { secret } from './support/canaries.ts';
import { basic, deviceGrant, partner, post as postForm, register } from './support/oauth.ts';
import { startProvider } from './support/provider.ts';
import { mint } from './support/tokens.ts';

type Schema = Readonly<Record<string, unknown>>;
type Examples = Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
type Content = Readonly<Record<string, { readonly schema: Schema; readonly examples?: Examples }>>;
type Parameter = {
  readonly name: string;
  readonly in: 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
  readonly examples?: Examples;
};
type Operation = {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
};
type Document = {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly securitySchemes: Readonly<Record<string, Schema>> };
};

const documentOf = async ({ url }: { url: string }): Promise<Document> =>
  (await fetch(`${url}/openapi.json`)).json() as Promise<Document>;

const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });

/** What is wrong with the value, by this schema. */
function misfits(schema: Schema, value: unknown): string[] {
  const fits = ajv.compile(schema);
  return fits(value)
    ? []
    : (fits.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** The operations, by `GET /user/verify`. */
const operationsOf = ({ paths }: Document) =>
  new Map(
    Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(
        ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
      ),
    ),
  );

/** Every content of a request and its answers. */
const contentsOf = ({ requestBody, responses }: Operation) =>
  [requestBody, ...Object.values(responses)].flatMap((one) => Object.values(one?.content ?? {}));

const responseTo = ({ responses }: Operation, status: number) =>
  responses[status] ?? responses[`${Math.floor(status / 100)}XX`];

/** What of an answer is not as described: its status, its type, its body. */
function unlike(
  operation: Operation,
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  text: string,
): string[] {
  const described = responseTo(operation, status);
  if (!described) return [`${status} is not described`];
  const [wanted] = Object.entries(described.content ?? {});
  const type = headers.get('content-type')?.split(';', 1)[0];
  if (!wanted) return text === '' ? [] : [`${status} has a body`];
  if (type !== wanted[0]) return [`${status} is ${type}, not ${wanted[0]}`];
  return type === 'application/json' ? misfits(wanted[1].schema, JSON.parse(text)) : [];
}

let backend: Backend;
let document: Document;
let operations: ReadonlyMap<string, Operation>;

const operationOf = (name: string): Operation => {
  const found = operations.get(name);
  if (!found) throw new Error(`${name} is not described`);
  return found;
};

beforeAll(async () => {
  const provider = await startProvider();
  await provider.stop();
  backend = await startBackend({ UPSTREAMS: 'campus', ...provider.named('CAMPUS') });
  document = await documentOf(backend);
  operations = operationsOf(document);
});

afterAll(() => backend.stop());

describe('the document', () => {
  test('is OpenAPI 3.1, as an independent validator sees it', async () => {
    const validator = new Validator();
    // The validator works on what it is given.
    expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  test('says which server and version it is of', () => {
    expect(document.openapi).toBe('3.1.1');
    expect(document.info.version).toBe(backend.services.version);
    expect(document.servers).toEqual([{ url: backend.url }]);
  });

  test('is never cached, as it changes with the configuration', async () => {
    const { headers } = await fetch(`${backend.url}/openapi.json`);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  test('has a name for each operation, and no name twice', () => {
    const ids = [...operations.values()].map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('get_user_verify');
    expect(ids).toContain('post_oauth_token');
  });

  test('groups every operation under a tag that is explained', () => {
    const tags = document.tags.map(({ name }) => name);
    expect(tags).toEqual([
      ...platforms.map(({ title }) => title),
      'Tokens',
      'Pages',
      'This server',
    ]);
    for (const operation of operations.values()) {
      expect(tags).toEqual(expect.arrayContaining([...operation.tags]));
    }
  });

  test('has only schemas that compile strictly', () => {
    for (const operation of operations.values()) {
      const described = [...(operation.parameters ?? []), ...contentsOf(operation)];
      for (const { schema } of described) expect(() => ajv.compile(schema)).not.toThrow();
    }
  });
});

/** What lives here with pages or files of its own, and is no part of the reference. */
const apart = ['/app', '/console', '/docs/assets'];

/** Every route of a router, and of those in it. */
function routesOf({ stack }: Pick<Router, 'stack'>): string[] {
  return stack.flatMap((layer) => {
    const { route, handle } = layer;
    // A layer that does not begin at the root can only be asked for a path.
    const asked = layer as unknown as { slash: boolean; match: (path: string) => boolean };
    if (route) {
      const { methods } = route as unknown as { methods: Record<string, boolean> };
      return Object.keys(methods)
        .filter((method) => method !== '_all')
        .map((method) => `${method.toUpperCase()} ${route.path}`);
    }
    if (!asked.slash) return apart.some((path) => asked.match(path)) ? [] : ['some other place'];
    return 'stack' in handle ? routesOf(handle as unknown as Router) : [];
  });
}

describe('what answers and what is described are the same', () => {
  test('route by route', () => {
    const { config, url, services, lifecycle } = backend;
    const log = pino({ enabled: false });
    const app = createApp(config, url, services, log, lifecycle);
    const endpoints = endpointsOf(config, url, services, log, lifecycle).flatMap(
      ({ methods, path }) => methods.map((method) => `${method} ${path}`),
    );
    const routed = routesOf(app.router as unknown as Router).filter(
      (route) => !/^\w+ \/console(\/|$)/.test(route),
    );
    expect([...operations.keys()].toSorted()).toEqual([...endpoints, ...routed].toSorted());
  });

  test('every endpoint says what it is', () => {
    const { config, url, services, lifecycle } = backend;
    const endpoints = endpointsOf(config, url, services, { error() {} }, lifecycle);
    expect(endpoints.filter(({ reference }) => !reference).map(({ path }) => path)).toEqual([]);
  });

  test('each answers a bare request as described', async () => {
    for (const [name, operation] of operations) {
      const [method = '', path] = name.split(' ');
      const response = await fetch(`${backend.url}${path}`, { method, redirect: 'manual' });
      const text = await response.text();
      expect({ name, nobody: text.includes('"Not found."') }).toEqual({ name, nobody: false });
      expect({ name, found: unlike(operation, response, text) }).toEqual({ name, found: [] });
      expect({ name, status: response.status }).not.toEqual({ name, status: 405 });
    }
  });

  test('follows the configuration', async () => {
    const other = await startBackend({
      PLATFORMS: 'pango',
      PANGO_PATH: '/whoami',
      PANGO_TOKEN_PARAMETER: 'ticket',
      FIRST_PARTY_LOGIN: 'false',
    });
    try {
      const { paths } = await documentOf(other);
      expect(Object.keys(paths)).toContain('/whoami');
      expect(Object.keys(paths)).not.toContain('/user/verify');
      expect(Object.keys(paths)).not.toContain('/user/login');
      expect(paths['/whoami']?.['get']?.parameters?.map(({ name }) => name)).toEqual([
        'ticket',
        'oauth_token',
        'access_token',
        'token',
      ]);
    } finally {
      await other.stop();
    }
  });
});

describe('examples', () => {
  test('fit the schemas that they stand at', () => {
    let seen = 0;
    const check = (schema: Schema, examples: Examples = {}) => {
      for (const [id, { value }] of Object.entries(examples)) {
        seen += 1;
        expect({ id, misfits: misfits(schema, value) }).toEqual({ id, misfits: [] });
      }
    };
    for (const operation of operations.values()) {
      const described = [...(operation.parameters ?? []), ...contentsOf(operation)];
      for (const { schema, examples } of described) check(schema, examples);
    }
    expect(seen).toBeGreaterThan(80);
  });

  test('of a platform begin with a row that is accepted', () => {
    const verify = operationOf('GET /user/verify');
    expect(verify.parameters?.[0]).toMatchObject({
      name: 'token',
      in: 'query',
      required: false,
      schema: { type: 'string' },
    });
    expect(Object.entries(verify.parameters?.[0]?.examples ?? {})[0]).toEqual([
      'connectycube-01',
      { summary: "the guide's example", value: '<token of simon371>' },
    ]);
    const answers = verify.responses['200']?.content?.['application/json']?.examples ?? {};
    expect(answers['connectycube-01']?.value).toMatchObject({ uid: 2345, login: 'simon371' });
    const refused = verify.responses['422']?.content?.['application/json']?.examples ?? {};
    expect(refused['connectycube-03']?.value).toEqual({ error: 'User token is invalid' });
  });

  test('are there for every platform, of what is accepted and what is refused', () => {
    for (const { title, endpoints } of platforms.map((one) => ({
      title: one.title,
      endpoints: [...operations.values()].filter(({ tags }) => tags.includes(one.title)),
    }))) {
      const ids = endpoints.flatMap(({ responses }) =>
        Object.values(responses).flatMap(({ content }) =>
          Object.values(content ?? {}).flatMap(({ examples = {} }) => Object.keys(examples)),
        ),
      );
      expect({ title, some: ids.length > 3 }).toEqual({ title, some: true });
    }
  });

  test('have no placeholder, token or secret in them', () => {
    const text = JSON.stringify(document);
    expect(text).not.toContain('{{');
    const { config } = backend;
    for (const { settings, platform } of config.platforms) {
      for (const [name, schema] of Object.entries(platform.settings.shape)) {
        if (schema.meta()?.['secret'] === true) expect(text).not.toContain(String(settings[name]));
      }
    }
    expect(text).not.toContain(config.SESSION_SECRET);
    expect(text).not.toContain(config.CLIENT_TOKEN_SECRET);
  });
});

/** Rows that are about what is not described: it is ignored, or told to be wrong in a 200. */
const beside: Readonly<Record<string, readonly string[]>> = {
  pango: [
    'pango-35: nocache is no parameter of the query',
    'pango-35: device_id is no parameter of the query',
    'pango-35: device_type is no parameter of the query',
  ],
  'dgp-oauth2': [
    'dgp-oauth2-55: email is no parameter of the query',
    'dgp-oauth2-61: username must be string',
    'dgp-oauth2-90: callback is no parameter of the query',
  ],
  aurora: [
    'aurora-21: token is no parameter of the query',
    'aurora-21: lang is no parameter of the query',
  ],
};

describe.each(platforms)('the rows of $title', ({ id, scenarios }) => {
  const described = (row: Scenario) => operations.get(`${row.send.method} ${row.send.path}`);

  const bodySchema = ({ requestBody }: Operation, type: string) =>
    requestBody?.content[type]?.schema;

  /** What of this request is not described, or does not fit. */
  function undescribed({ send }: Scenario, operation: Operation): string[] {
    const schemes = operation.security
      .flatMap((one) => Object.keys(one))
      .map((name) => document.components.securitySchemes[name]);
    const secured = schemes.map((scheme) => scheme?.['name']);
    const { query = {}, form, json } = send;
    const inQuery = Object.entries(query).flatMap(([name, value]) => {
      if (secured.includes(name)) return [];
      const parameter = operation.parameters?.find((one) => one.name === name);
      if (!parameter) return [`${name} is no parameter of the query`];
      return misfits(parameter.schema, value).map((text) => `${name}${text}`);
    });
    const open = (type: string, body: Readonly<Record<string, unknown>>) => {
      const schema = bodySchema(operation, type);
      if (!schema) return Object.keys(body).length === 0 ? [] : [`${type} is not described`];
      const rest = Object.entries(body).filter(([name]) => !secured.includes(name));
      return misfits(schema, Object.fromEntries(rest));
    };
    return [
      ...inQuery,
      ...(form ? open('application/x-www-form-urlencoded', form) : []),
      ...(json === undefined ? [] : open('application/json', json as Record<string, unknown>)),
    ];
  }

  test('that are accepted fit what is described of the request', () => {
    const accepted = scenarios.filter(
      (row) => row.because === undefined && row.expect.status < 400 && described(row),
    );
    const found = accepted.flatMap((row) =>
      undescribed(row, described(row) as Operation).map((text) => `${row.id}: ${text}`),
    );
    expect(accepted.length).toBeGreaterThan(0);
    expect(found).toEqual(beside[id] ?? []);
  });

  test('expect no answer but those that are described', () => {
    for (const row of scenarios) {
      const operation = described(row);
      if (!operation) continue;
      const { status, json, text = '', headers = {} } = row.expect;
      const response = responseTo(operation, status);
      expect({ id: row.id, described: response !== undefined }).toEqual({
        id: row.id,
        described: true,
      });
      const schema = response?.content?.['application/json']?.schema;
      const type = headers['content-type'] ?? 'application/json';
      if (!schema) {
        expect({ id: row.id, type }).toEqual({
          id: row.id,
          type: Object.keys(response?.content ?? {})[0]
            ? expect.stringContaining(Object.keys(response?.content ?? {})[0] as string)
            : type,
        });
        continue;
      }
      const body = json ?? JSON.parse(text);
      expect({ id: row.id, misfits: misfits(schema, body) }).toEqual({ id: row.id, misfits: [] });
    }
  });
});

describe('what the authorization server gives is as described', () => {
  let partnerSecret: string;

  beforeAll(async () => {
    partnerSecret = await register(backend, partner);
  });

  /** Sends a form, which must be as described as well as the answer. */
  async function post(
    path: string,
    fields: Record<string, string>,
    authorization = basic(partner.id, partnerSecret),
  ) {
    const operation = operationOf(`POST ${path}`);
    const sent = operation.requestBody?.content['application/x-www-form-urlencoded']?.schema ?? {};
    expect(misfits({ ...sent, additionalProperties: false }, fields)).toEqual([]);
    const received = await postForm(backend, path, fields, { authorization });
    expect(unlike(operation, received, received.text)).toEqual([]);
    return { status: received.status, body: received.body };
  }

  test('a token for the client itself, looked at, revoked, looked at', async () => {
    const { status, body } = await post('/oauth/token', { grant_type: 'client_credentials' });
    expect(status).toBe(200);
    const token = String(body['access_token']);
    expect(await post('/oauth/introspect', { token })).toMatchObject({ body: { active: true } });
    expect(await post('/oauth/revoke', { token })).toEqual({ status: 200, body: {} });
    expect(await post('/oauth/introspect', { token })).toEqual({
      status: 200,
      body: { active: false },
    });
  });

  test("a user's token, looked at", async () => {
    const token = await mint(backend, 'test1');
    const { body } = await post('/oauth/introspect', { token });
    expect(body).toMatchObject({ active: true, username: 'test1', sub: '1' });
  });

  test('a device that begins, and asks too early', async () => {
    const begun = await post('/oauth/device_authorization', { scope: 'verify' });
    expect(begun.status).toBe(200);
    const device_code = String(begun.body['device_code']);
    expect(await post('/oauth/token', { grant_type: deviceGrant, device_code })).toMatchObject({
      status: 400,
      body: { error: 'authorization_pending' },
    });
  });

  test('a refusal, and a client that is not who it says', async () => {
    const wrong = { grant_type: 'authorization_code', code: 'made-up' };
    expect(await post('/oauth/token', wrong)).toMatchObject({ body: { error: 'invalid_grant' } });
    expect(await post('/oauth/token', wrong, basic('nobody', 'nothing'))).toMatchObject({
      status: 401,
    });
  });

  test.each(['GET', 'POST'])(
    '%s /openid/userinfo, with every scope and with one',
    async (method) => {
      const operation = operationOf(`${method} /openid/userinfo`);
      for (const scope of [undefined, ['openid'], ['verify']]) {
        const token = await mint(backend, 'test1', scope && { scope });
        const headers = { authorization: `Bearer ${token}` };
        const response = await fetch(`${backend.url}/openid/userinfo`, { method, headers });
        expect(unlike(operation, response, await response.text())).toEqual([]);
        expect(response.status).toBe(scope?.[0] === 'verify' ? 403 : 200);
      }
    },
  );

  test.each([
    ['a good login', { login: 'test1', password: 'test1' }, 200],
    ['a wrong password', { login: 'test1', password: 'test2' }, 401],
    ['no password', { login: 'test1' }, 400],
    ['a scope that there is not', { login: 'test1', password: 'test1', scope: 'root' }, 400],
  ])('POST /user/login with %s', async (_title, fields, status) => {
    const operation = operationOf('POST /user/login');
    const response = await fetch(`${backend.url}/user/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fields),
    });
    const text = await response.text();
    expect(response.status).toBe(status);
    expect(unlike(operation, response, text)).toEqual([]);
    if (status === 200) secret(String(JSON.parse(text).access_token));
    const asked = operation.requestBody?.content['application/json']?.schema ?? {};
    expect(misfits(asked, fields)).toEqual(
      'password' in fields ? [] : [" must have required property 'password'"],
    );
  });
});

describe('who says who he is, and how', () => {
  test.each([
    ['POST /', [{ caller: [] }]],
    ['GET /user/verify', [{}, { bearer: [] }, { oauth2: ['verify'] }]],
    ['GET /userinfo', [{ bearer: [] }, { oauth2: ['userid-feide'] }]],
    ['GET /auth/authorize', [{ authToken: [] }, { jwt: [] }]],
    ['POST /oauth/token', [{ client: [] }, {}]],
    ['GET /openid/userinfo', [{ bearer: [] }, { oauth2: ['openid'] }]],
    ['GET /healthz', []],
  ])('%s', (name, security) => {
    expect(operationOf(name).security).toEqual(security);
  });

  test('at the addresses of this server', () => {
    expect(document.components.securitySchemes['oauth2']).toMatchObject({
      flows: {
        authorizationCode: {
          authorizationUrl: `${backend.url}/oauth/authorize`,
          tokenUrl: `${backend.url}/oauth/token`,
        },
        clientCredentials: { tokenUrl: `${backend.url}/oauth/token` },
      },
      'x-deviceAuthorization': {
        deviceAuthorizationUrl: `${backend.url}/oauth/device_authorization`,
      },
    });
  });

  test('a token that a scheme carries is no parameter besides', () => {
    const { parameters = [] } = operationOf('GET /auth/authorize');
    expect(parameters.map(({ name }) => name)).toEqual(['service']);
  });
});

describe('the reference is there where the console is', () => {
  const places = ['/openapi.json', '/docs', '/docs/assets/swagger-ui.css'];
  const production = {
    NODE_ENV: 'production',
    BASE_URL: 'https://idp.example.com',
    SESSION_SECRET: secret('f7b1c2a94e8d4c0b9a55d1e3'),
    CLIENT_TOKEN_SECRET: secret('a1f09c3de77b41c2b8e4d6f0'),
    AUTHLETE_API_SECRET: secret('c90be1d2474f4f7a8de1b3a5'),
    AUTHLETE_API_KEY: secret('b2d4f6a8c0e1436587a9cbed'),
  };
  const statuses = (url: string) =>
    Promise.all(places.map(async (path) => (await fetch(`${url}${path}`)).status));

  test('outside production', async () => {
    expect(await statuses(backend.url)).toEqual([200, 200, 200]);
  });

  test('not in production', async () => {
    const other = await startBackend(production);
    try {
      expect(await statuses(other.url)).toEqual([404, 404, 404]);
      expect(await (await fetch(`${other.url}/`)).text()).not.toContain('/docs');
    } finally {
      await other.stop();
    }
  });

  test('in production with a console, for everybody', async () => {
    const admins = { CONSOLE_ENABLED: 'true', CONSOLE_ADMINS: 'olav' };
    const other = await startBackend({ ...production, ...admins });
    try {
      expect(await statuses(other.url)).toEqual([200, 200, 200]);
      expect((await documentOf(other)).servers).toEqual([{ url: 'https://idp.example.com' }]);
    } finally {
      await other.stop();
    }
  });

  test('no other file of Swagger UI is, its page with a foreign document least of all', async () => {
    for (const name of ['index.html', 'swagger-initializer.js', 'package.json', '']) {
      const response = await fetch(`${backend.url}/docs/assets/${name}`);
      expect({ name, status: response.status }).toEqual({ name, status: 404 });
    }
  });

  test('without JavaScript, the page leads to the document', async () => {
    const text = await (await fetch(`${backend.url}/docs`)).text();
    expect(text).toMatch(/<noscript>.*href="\/openapi\.json".*<\/noscript>/);
    expect(text).toContain('<a href="/console">');
    expect(text).toContain('<a href="/">');
  });
});
