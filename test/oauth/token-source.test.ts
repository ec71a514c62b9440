/** Bring your own authorization server: its tokens verified here, and what happens when it is away. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { base64url, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { OAuth2Server } from 'oauth2-mock-server';
import { readConfig } from '../../app/config.ts';
import { digest } from '../../app/oauth/secrets.ts';
import { platforms } from '../../app/platforms/index.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { mint } from '../support/tokens.ts';

const stops: (() => Promise<unknown>)[] = [];

const running: Backend[] = [];

// Tokens of other servers are of this moment, which a backend's clock does not follow by itself.
beforeEach(() => {
  for (const { clock } of running) clock.now = new Date();
});

const stopAll = async (of: typeof stops) => {
  for (const stop of of.splice(0).reverse()) await stop();
};

afterEach(() => stopAll(stops));

/** What the tests of one `describe` share: ends with the last of them. */
function shared<Started>(start: () => Promise<Started>): { readonly it: Started } {
  const held: { it?: Started } = {};
  const own: typeof stops = [];
  beforeAll(async () => {
    held.it = await start();
    own.push(...stops.splice(0));
  });
  afterAll(() => stopAll(own));
  return held as { it: Started };
}

async function backend(environment: Record<string, string> = {}): Promise<Backend> {
  const started = await startBackend({ TOKEN_SOURCE_TIMEOUT: '300', ...environment });
  stops.push(started.stop);
  started.clock.now = new Date();
  running.push(started);
  return started;
}

async function mock() {
  const server = new OAuth2Server();
  await server.issuer.keys.generate('RS256', { kid: 'first' });
  await server.start(0, '127.0.0.1');
  stops.push(async () => server.listening && server.stop());
  return server;
}

/** A server of theirs that is not in order. */
async function broken(listener: RequestListener) {
  const server: Server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** As `broken`, in a way that can be changed. */
async function replaceable() {
  const server = { url: '', listener: (() => {}) as RequestListener };
  server.url = await broken((request, response) => server.listener(request, response));
  return server;
}

/** What Pango is told: status and body. */
async function pango({ url }: Backend, token: string) {
  const response = await fetch(`${url}/GetUserInfo`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  return { status: response.status, body: await response.json() };
}

const ok = (uid: number) => ({ status: 200, body: { result: 'OK', user: { uid } } });
const notFound = { status: 200, body: { result: 'Not found' } };

const because = ({ log }: Backend) =>
  log.flatMap((line) => ('refused' in line ? [line['refused']] : [])).at(-1);

describe('configuration', () => {
  const problems = (environment: Record<string, string>) => {
    try {
      readConfig({ NODE_ENV: 'production', PLATFORMS: 'pango', ...environment }, platforms);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  test('introspection without any of its settings names them all at once', () => {
    const said = problems({ TOKEN_SOURCE: 'introspection' });
    expect(said).toContain('INTROSPECTION_URL is missing (TOKEN_SOURCE=introspection)');
    expect(said).toContain('INTROSPECTION_CLIENT_ID is missing (TOKEN_SOURCE=introspection)');
    expect(said).toContain('INTROSPECTION_CLIENT_SECRET is missing (TOKEN_SOURCE=introspection)');
    expect(said).toContain('TOKEN_VERIFY_SCOPE is missing (TOKEN_SOURCE=introspection)');
    expect(said).not.toContain('JWT_');
  });

  test('jwt without an issuer', () => {
    const said = problems({ TOKEN_SOURCE: 'jwt' });
    expect(said).toContain('JWT_ISSUER is missing (TOKEN_SOURCE=jwt)');
    // In production: a token that was issued for somebody else is good for nothing here.
    expect(said).toContain('JWT_AUDIENCE is missing (TOKEN_SOURCE=jwt)');
    expect(said).not.toContain('INTROSPECTION_');
  });

  test('local needs none of it', () => {
    expect(problems({})).not.toMatch(/JWT_|INTROSPECTION_/);
  });

  test('an unknown source, and an address that is none', () => {
    const said = problems({ TOKEN_SOURCE: 'saml', JWT_JWKS_URL: 'keys.example.com' });
    expect(said).toContain('TOKEN_SOURCE: ');
    expect(said).toContain('JWT_JWKS_URL: must be an http or https URL');
  });
});

describe('jwt', () => {
  type Change = { payload?: Record<string, unknown>; header?: Record<string, unknown> };

  async function tokenOf(server: OAuth2Server, { payload = {}, header = {} }: Change = {}) {
    const token = await server.issuer.buildToken({
      scopesOrTransform: (head, body) => {
        Object.assign(head, { typ: 'at+jwt' }, header);
        Object.assign(body, { sub: '1', client_id: 'their-app', aud: 'https://api' }, payload);
      },
    });
    return secret(token);
  }

  const settings = ({ issuer }: OAuth2Server, more: Record<string, string> = {}) => ({
    TOKEN_SOURCE: 'jwt',
    JWT_ISSUER: String(issuer.url),
    ...more,
  });

  const withAudience = shared(async () => {
    const theirs = await mock();
    return { theirs, strict: await backend(settings(theirs, { JWT_AUDIENCE: 'https://api' })) };
  });

  const withoutKeys = shared(async () => {
    const theirs = await mock();
    const keys = await replaceable();
    return { theirs, keys, ours: await backend(settings(theirs, { JWT_JWKS_URL: keys.url })) };
  });

  const both = shared(async () => {
    const theirs = await mock();
    return { theirs, ours: await backend(settings(theirs)) };
  });

  test('a good token, its keys found through the metadata of the issuer', async () => {
    const { theirs, ours } = both.it;
    expect(await pango(ours, await tokenOf(theirs))).toEqual(ok(1));
  });

  test('a good token, the address of the keys given', async () => {
    const theirs = await mock();
    const ours = await backend(settings(theirs, { JWT_JWKS_URL: `${theirs.issuer.url}/jwks` }));
    expect(await pango(ours, await tokenOf(theirs))).toEqual(ok(1));
  });

  test('one of our own tokens is no longer good', async () => {
    const ours = await backend(settings(await mock()));
    expect(await pango(ours, await mint(ours, 'test1'))).toEqual(notFound);
  });

  test('the subject is a login, in another case', async () => {
    const { theirs, ours } = both.it;
    expect(await pango(ours, await tokenOf(theirs, { payload: { sub: 'Simon371' } }))).toEqual(
      ok(2345),
    );
  });

  test('another claim is the subject, and a name that looks like the uid of somebody else', async () => {
    const theirs = await mock();
    const ours = await backend(settings(theirs, { SUBJECT_CLAIM: 'preferred_username' }));
    const token = await tokenOf(theirs, { payload: { preferred_username: '690109944' } });
    expect(await pango(ours, token)).toEqual(notFound);
  });

  test('another claim is the subject, and it is a number', async () => {
    const theirs = await mock();
    const ours = await backend(settings(theirs, { SUBJECT_CLAIM: 'employee' }));
    const token = await tokenOf(theirs, { payload: { sub: '1', employee: 690109944 } });
    expect(await pango(ours, token)).toEqual(ok(690109944));
    // `sub` alone is nobody now.
    expect(await pango(ours, await tokenOf(theirs))).toEqual(notFound);
  });

  test.each([
    ['unknown to us', { sub: 'nobody' }],
    ['greater than any uid', { sub: '9999999999' }],
    ['missing', { sub: undefined }],
    ['an object', { sub: { uid: 1 } }],
    ['the client itself, called as a user is', { sub: 'test1', client_id: 'test1' }],
    ['the client itself, in azp', { sub: 'test1', client_id: undefined, azp: 'test1' }],
  ])('the subject is %s', async (_what, payload) => {
    const { theirs, ours } = both.it;
    expect(await pango(ours, await tokenOf(theirs, { payload }))).toEqual(notFound);
    expect(because(ours)).toBe('unknown');
  });

  test('the user is suspended here, however good the token is there', async () => {
    const { theirs, ours } = both.it;
    expect(await pango(ours, await tokenOf(theirs, { payload: { sub: 'test4' } }))).toEqual(
      notFound,
    );
    expect(because(ours)).toBe('user-suspended');
  });

  test('the token has expired', async () => {
    const { theirs, ours } = both.it;
    const exp = Math.floor(Date.now() / 1000) - 1;
    expect(await pango(ours, await tokenOf(theirs, { payload: { exp } }))).toEqual(notFound);
    expect(because(ours)).toBe('expired');
  });

  test.each([
    ['another issuer', { payload: { iss: 'https://elsewhere.example.com' } }],
    ['no issuer', { payload: { iss: undefined } }],
    ['another audience', { payload: { aud: 'https://other-api' } }],
    ['no audience', { payload: { aud: undefined } }],
    ['no end', { payload: { exp: undefined } }],
    ['a beginning in the future', { payload: { nbf: Math.floor(Date.now() / 1000) + 600 } }],
    ['another type: a logout token', { header: { typ: 'logout+jwt' } }],
    ['a key it is bound to', { payload: { cnf: { jkt: 'thumbprint' } } }],
    ['a key that the issuer does not have', { header: { kid: 'unknown' } }],
  ])('the token has %s', async (_what, change) => {
    const { theirs, strict: ours } = withAudience.it;
    expect(await pango(ours, await tokenOf(theirs, change))).toEqual(notFound);
    expect(because(ours)).toBe('unknown');
    expect(await pango(ours, await tokenOf(theirs))).toEqual(ok(1));
  });

  test('nobody has signed it (alg none)', async () => {
    const { theirs, ours } = both.it;
    const token = new UnsecuredJWT({ sub: '1' }).setIssuer(String(theirs.issuer.url));
    expect(await pango(ours, secret(token.setExpirationTime('1h').encode()))).toEqual(notFound);
  });

  test('the public key is the secret of an HS256', async () => {
    const { theirs, ours } = both.it;
    const published = (await (await fetch(`${theirs.issuer.url}/jwks`)).json()) as {
      keys: object[];
    };
    const token = await new SignJWT({ sub: '1' })
      .setProtectedHeader({ alg: 'HS256', kid: 'first' })
      .setIssuer(String(theirs.issuer.url))
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(JSON.stringify(published.keys[0])));
    expect(await pango(ours, secret(token))).toEqual(notFound);
  });

  test('somebody else has signed it', async () => {
    const { theirs, ours } = both.it;
    const { privateKey } = await generateKeyPair('RS256');
    const token = await new SignJWT({ sub: '1' })
      .setProtectedHeader({ alg: 'RS256', kid: 'first' })
      .setIssuer(String(theirs.issuer.url))
      .setExpirationTime('1h')
      .sign(privateKey);
    expect(await pango(ours, secret(token))).toEqual(notFound);
  });

  test('its payload was changed', async () => {
    const { theirs, ours } = both.it;
    const [head, payload, signature] = (await tokenOf(theirs)).split('.');
    const claims = JSON.parse(Buffer.from(String(payload), 'base64url').toString());
    const changed = base64url.encode(JSON.stringify({ ...claims, sub: '2345' }));
    expect(await pango(ours, `${head}.${changed}.${signature}`)).toEqual(notFound);
  });

  test.each(['PS256', 'ES256', 'EdDSA'])('signed with %s', async (alg) => {
    const theirs = new OAuth2Server();
    await theirs.issuer.keys.generate(alg);
    await theirs.start(0, '127.0.0.1');
    stops.push(() => theirs.stop());
    const ours = await backend(settings(theirs));
    expect(await pango(ours, await tokenOf(theirs))).toEqual(ok(1));
  });

  test('it names no key, and the issuer has two of the kind', async () => {
    const theirs = await mock();
    await theirs.issuer.keys.generate('RS256', { kid: 'second' });
    const ours = await backend(settings(theirs));
    const header = { kid: undefined };
    expect(await pango(ours, await tokenOf(theirs, { header }))).toEqual(ok(1));
    expect(await pango(ours, await tokenOf(theirs, { header }))).toEqual(ok(1));
    const { privateKey } = await generateKeyPair('RS256');
    const forged = await new SignJWT({ sub: '1' })
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuer(String(theirs.issuer.url))
      .setExpirationTime('1h')
      .sign(privateKey);
    expect(await pango(ours, secret(forged))).toEqual(notFound);
  });

  test('only a scope of theirs lets platforms verify', async () => {
    const theirs = await mock();
    const ours = await backend(settings(theirs, { TOKEN_VERIFY_SCOPE: 'accounts.read' }));
    const withScope = async (scope: unknown) =>
      pango(ours, await tokenOf(theirs, { payload: { scope } }));
    expect(await withScope('email accounts.read')).toEqual(ok(1));
    expect(await withScope(['accounts.read'])).toEqual(ok(1));
    expect(await withScope('accounts.read.all')).toEqual(notFound);
    // What they call verify is not what we call so.
    expect(await withScope('verify')).toEqual(notFound);
    expect(because(ours)).toBe('insufficient-scope');
    expect(await withScope(undefined)).toEqual(notFound);
  });

  test('it is away: 503, and all is well when it is back', async () => {
    const theirs = await mock();
    const token = await tokenOf(theirs);
    const { port } = theirs.address();
    await theirs.stop();
    const ours = await backend({ TOKEN_SOURCE: 'jwt', JWT_ISSUER: `http://localhost:${port}` });
    const response = await fetch(`${ours.url}/GetUserInfo?oauth_token=${token}`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toEqual({
      error: 'temporarily_unavailable',
      request_id: expect.any(String),
    });
    await theirs.start(port, '127.0.0.1');
    expect(await pango(ours, token)).toEqual(ok(1));
  });

  test.each<[string, RequestListener]>([
    ['hangs', () => {}],
    ['has a bug (500)', (_request, response) => response.writeHead(500).end('{}')],
    ['sends a page', (_request, response) => response.end('<!doctype html><title>Hi</title>')],
    ['has no keys in what it calls keys', (_request, response) => response.end('{"keys":5}')],
  ])('the server of the keys %s: 503', async (_what, listener) => {
    const { theirs, ours, keys } = withoutKeys.it;
    keys.listener = listener;
    expect((await pango(ours, await tokenOf(theirs))).status).toBe(503);
  });

  test.each<[string, (issuer: string) => object]>([
    ['of another issuer', () => ({ issuer: 'https://evil.example.com', jwks_uri: 'https://a.b/' })],
    ['without keys', (issuer) => ({ issuer })],
  ])('the metadata is %s: 503', async (_what, document) => {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const key = await exportJWK(publicKey);
    let issuer = '';
    issuer = await broken((request, response) =>
      response.end(JSON.stringify(request.url === '/jwks' ? { keys: [key] } : document(issuer))),
    );
    const ours = await backend({ TOKEN_SOURCE: 'jwt', JWT_ISSUER: issuer });
    const token = await new SignJWT({ sub: '1' })
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuer(issuer)
      .setExpirationTime('1h')
      .sign(privateKey);
    expect((await pango(ours, secret(token))).status).toBe(503);
  });
});

describe('introspection', () => {
  const client = { id: 'resource-server', secret: 'a+secret/with:colon & more' };

  /** A second backend of ours is their authorization server. */
  async function theirServer() {
    const theirs = await backend();
    await theirs.services.database.prisma.client.create({
      data: {
        id: client.id,
        name: 'Their resource server',
        secretHash: digest(secret(client.secret)),
        redirectUris: [],
        grantTypes: [],
        scope: 'verify',
      },
    });
    return theirs;
  }

  const settings = (url: string, more: Record<string, string> = {}) => ({
    TOKEN_SOURCE: 'introspection',
    INTROSPECTION_URL: url,
    INTROSPECTION_CLIENT_ID: client.id,
    INTROSPECTION_CLIENT_SECRET: client.secret,
    ...more,
  });

  const both = async (more?: Record<string, string>) => {
    const theirs = await theirServer();
    return { theirs, ours: await backend(settings(`${theirs.url}/oauth/introspect`, more)) };
  };

  test('their token is good here, by its subject', async () => {
    const { theirs, ours } = await both();
    expect(await pango(ours, await mint(theirs, 'simon371'))).toEqual(ok(2345));
  });

  test('our own token is not', async () => {
    const { ours } = await both();
    expect(await pango(ours, await mint(ours, 'simon371'))).toEqual(notFound);
    expect(because(ours)).toBe('unknown');
  });

  test('by another member of the answer', async () => {
    const { theirs, ours } = await both({ SUBJECT_CLAIM: 'username' });
    expect(await pango(ours, await mint(theirs, 'vpn-user'))).toEqual(ok(690109944));
  });

  test('revoked there, and suspended here, counts at the next request', async () => {
    const { theirs, ours } = await both();
    const token = await mint(theirs, 'test1');
    expect(await pango(ours, token)).toEqual(ok(1));
    await ours.services.database.prisma.user.update({
      where: { uid: 1 },
      data: { status: 'suspended' },
    });
    expect(await pango(ours, token)).toEqual(notFound);
    expect(because(ours)).toBe('user-suspended');
    const other = await mint(theirs, 'test2');
    expect(await pango(ours, other)).toEqual(ok(2));
    await theirs.services.tokens.revoke(other, 'test');
    expect(await pango(ours, other)).toEqual(notFound);
    expect(because(ours)).toBe('unknown');
  });

  test('a cache believes "active" for its seconds, and the user is still read afresh', async () => {
    const { theirs, ours } = await both({ INTROSPECTION_CACHE: '10' });
    const token = await mint(theirs, 'test1');
    expect(await pango(ours, token)).toEqual(ok(1));
    await theirs.services.tokens.revoke(token, 'test');
    const start = ours.clock.now.getTime();
    ours.clock.now = new Date(start + 9_999);
    expect(await pango(ours, token)).toEqual(ok(1));
    await ours.services.database.prisma.user.update({
      where: { uid: 1 },
      data: { status: 'suspended' },
    });
    expect(await pango(ours, token)).toEqual(notFound);
    expect(because(ours)).toBe('user-suspended');
    ours.clock.now = new Date(start + 10_000);
    expect(await pango(ours, token)).toEqual(notFound);
    expect(because(ours)).toBe('unknown');
  });

  test('a cached token ends when it expires', async () => {
    const { theirs, ours } = await both({ INTROSPECTION_CACHE: '300' });
    const token = await mint(theirs, 'test1', { ttl: 60 });
    expect(await pango(ours, token)).toEqual(ok(1));
    ours.clock.now = new Date(ours.clock.now.getTime() + 61_000);
    expect(await pango(ours, token)).toEqual(notFound);
    expect(because(ours)).toBe('expired');
  });

  test('only a scope of theirs lets platforms verify', async () => {
    const { theirs, ours } = await both({ TOKEN_VERIFY_SCOPE: 'profile' });
    expect(await pango(ours, await mint(theirs, 'test1', { scope: ['profile'] }))).toEqual(ok(1));
    expect(await pango(ours, await mint(theirs, 'test1', { scope: ['verify'] }))).toEqual(notFound);
    expect(because(ours)).toBe('insufficient-scope');
  });

  test('a password is still checked here', async () => {
    const { ours } = await both();
    const response = await fetch(`${ours.url}/user/login`, {
      method: 'POST',
      body: new URLSearchParams({ login: 'test1', password: 'test1' }),
    });
    expect(response.status).toBe(200);
    secret(((await response.json()) as { access_token: string }).access_token);
  });

  test('the secret is wrong: a fault of ours, not a refusal', async () => {
    const theirs = await theirServer();
    const ours = await backend(
      settings(`${theirs.url}/oauth/introspect`, { INTROSPECTION_CLIENT_SECRET: 'wrong' }),
    );
    expect((await pango(ours, await mint(theirs, 'test1'))).status).toBe(503);
  });

  const elsewhere = shared(async () => {
    const server = await replaceable();
    return { server, ours: await backend(settings(server.url)) };
  });

  const answering =
    (body: string, status = 200): RequestListener =>
    (_request, response) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);

  test.each<[string, RequestListener]>([
    ['hangs', () => {}],
    [
      'hangs in the middle of its answer',
      (_request, response) => response.writeHead(200).write('{'),
    ],
    ['has a bug (500)', answering('{"active":true,"sub":"1"}', 500)],
    ['is down for maintenance (503)', answering('{"active":false}', 503)],
    ['sends a page', answering('<!doctype html><title>Welcome</title>')],
    ['sends nothing', answering('')],
    ['sends a list', answering('[]')],
    ['does not say whether', answering('{"sub":"1"}')],
    ['says so in a string', answering('{"active":"true","sub":"1"}')],
    ['gives an end that is none', answering('{"active":true,"sub":"1","exp":"tomorrow"}')],
    ['hangs up', (request) => request.socket.destroy()],
    [
      'redirects, to where the secret does not belong',
      (_request, response) => response.writeHead(307, { Location: 'http://127.0.0.1:9/' }).end(),
    ],
  ])('their server %s: 503', async (_what, listener) => {
    const { ours, server } = elsewhere.it;
    server.listener = listener;
    const answer = await pango(ours, secret('a-token-of-theirs'));
    expect(answer).toEqual({
      status: 503,
      body: { error: 'temporarily_unavailable', request_id: expect.any(String) },
    });
  });

  test.each([
    ['without an end', { active: true, sub: '1' }, ok(1)],
    ['with an end beyond all dates', { active: true, sub: '1', exp: 1e300 }, ok(1)],
    ['that has ended all the same', { active: true, sub: '1', exp: 1 }, notFound],
    ['of nobody', { active: true }, notFound],
    ['of a client', { active: true, sub: 'test1', client_id: 'test1' }, notFound],
    ['that is bound to a key', { active: true, sub: '1', cnf: { jkt: 'thumbprint' } }, notFound],
    ['that is not active', { active: false, sub: '1' }, notFound],
  ])('a token %s', async (_what, answer, expected) => {
    const { ours, server } = elsewhere.it;
    server.listener = answering(JSON.stringify(answer));
    expect(await pango(ours, secret('a-token-of-theirs'))).toEqual(expected);
  });

  test('what is asked, to the letter', async () => {
    const asked: string[] = [];
    const url = await broken(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      asked.push(String(request.method), String(request.headers.authorization), body);
      response.end('{"active":false}');
    });
    const ours = await backend(settings(url, { INTROSPECTION_CLIENT_ID: 'resource server' }));
    await pango(ours, secret('a-token~of/theirs=='));
    expect(asked).toEqual([
      'POST',
      `Basic ${btoa('resource+server:a%2Bsecret%2Fwith%3Acolon+%26+more')}`,
      'token=a-token%7Eof%2Ftheirs%3D%3D&token_type_hint=access_token',
    ]);
  });
});
