/** The customer's own App, against our own server, against one that is not ours, and against some that are out of order. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { OAuth2Server } from 'oauth2-mock-server';
import { type ClientAppSettings, createClientApp } from '../../app/client-app/client-app.ts';
import { ProviderError } from '../../app/client-app/strategy.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { type Browser, browser, type Page } from './browser.ts';

const stops: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The folder as a partner copies it: three settings, in an Express app of his own. */
async function partnersApp(issuer: string, more: Partial<ClientAppSettings> = {}) {
  const app = express();
  const url = await listen(app);
  const callbackUrl = `${url}/app/callback`;
  app.use('/app', createClientApp({ issuer, clientId: 'customer-app', callbackUrl, ...more }));
  app.use(((error, _request, response, _next) => {
    response.status(500).send(error instanceof ProviderError ? 'not answered' : 'fault');
  }) as express.ErrorRequestHandler);
  return `${url}/app`;
}

const heading = ({ text }: Page) => /<h1>(.*?)<\/h1>/.exec(text)?.[1];

/** Of a list of facts. */
const fact = ({ text }: Page, name: string) =>
  new RegExp(`<dt>${name}</dt><dd>(.*?)</dd>`, 's').exec(text)?.[1]?.replace(/<[^>]+>/g, '');

describe('at our own server', () => {
  let backend: Backend;
  let app: string;

  beforeEach(async () => {
    backend = await startBackend();
    stops.push(backend.stop);
    app = `${backend.url}/app`;
  });

  async function signIn(who: Browser, login = 'test1'): Promise<Page> {
    const asked = await who.open(`${app}/sign-in`);
    return who.submit(asked, '/login', { login, password: login });
  }

  const tokens = () => backend.services.database.prisma.accessToken.findMany();

  test('nobody is signed in', async () => {
    const page = await browser().open(app);
    expect(page.status).toBe(200);
    expect(heading(page)).toBe('Customer App');
    expect(page.text).toContain('<a class="button" href="/app/sign-in">Sign in</a>');
    expect(page.headers.get('set-cookie')).toBeNull();
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });

  test('the page at / leads to it', async () => {
    expect((await browser().open(backend.url)).text).toContain('<a href="/app">');
  });

  test('the whole way of test1', async () => {
    const who = browser();
    const page = await signIn(who);
    expect(page.url).toBe(app);
    expect(heading(page)).toBe('Hello, Test One');
    expect(fact(page, 'Login')).toBe('test1');
    expect(fact(page, 'E-mail')).toBe('test1@example.com');
    expect(fact(page, 'Subject')).toBe('1');
    expect(fact(page, 'Scope')).toBe('openid profile email verify');
    expect(fact(page, 'Client')).toBe('customer-app');
    expect(fact(page, 'Expires')).toMatch(/^in 60 min, 20/);
    expect(fact(page, 'Value')).toBe('kept on the server');
    // Two cookies for one host: neither is the other's.
    expect([...who.cookies.keys()].sort()).toEqual(['customer_app', 'idp_session']);
  });

  test('what is asked of the server', async () => {
    const { url } = await browser().open(`${app}/sign-in`, '/oauth/authorize');
    const { origin, pathname, searchParams } = new URL(url);
    expect(`${origin}${pathname}`).toBe(`${backend.url}/oauth/authorize`);
    expect(Object.fromEntries(searchParams)).toEqual({
      response_type: 'code',
      client_id: 'customer-app',
      redirect_uri: `${app}/callback`,
      scope: 'openid profile email verify',
      state: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
  });

  test('the cookie is for this app, and not for scripts', async () => {
    const response = await fetch(`${app}/sign-in`, { redirect: 'manual' });
    expect(response.headers.get('set-cookie')).toMatch(
      /^customer_app=\S+; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  test('the token is shown on demand, and platforms take it', async () => {
    const who = browser();
    const page = await signIn(who);
    expect(page.text).not.toContain("TOKEN='");
    expect(page.text).toContain(`curl -s &quot;${backend.url}/user/verify?token=$TOKEN&quot;`);
    const shown = await who.submit(page, '/app/token');
    const token = secret(String(/TOKEN='([\w-]{43})'/.exec(shown.text)?.[1]));
    expect(fact(shown, 'Value')).toBe(token);
    const verified = await fetch(`${backend.url}/user/verify?token=${token}`);
    expect(await verified.json()).toMatchObject({ uid: 1, login: 'test1' });
    // Not by a link that somebody sends.
    expect((await who.open(`${app}/token`)).status).toBe(404);
    expect((await who.open(app)).text).not.toContain(token);
  });

  test('two tabs sign in at the same time, and both arrive', async () => {
    const who = browser();
    const first = await who.open(`${app}/sign-in`);
    const second = await who.open(`${app}/sign-in`);
    const one = await who.submit(second, '/login', { login: 'test1', password: 'test1' });
    expect(heading(one)).toBe('Hello, Test One');
    // The first tab's form is out of date; the server sends it on, as it knows the browser by now.
    const other = await who.submit(first, '/login', { login: 'test1', password: 'test1' });
    expect(other.url).toBe(app);
    expect(heading(other)).toBe('Hello, Test One');
  });

  test('two people come back at the same moment: each is himself', async () => {
    const come = async (login: string) => {
      const who = browser();
      await signIn(who, login);
      return { who, back: (await who.open(`${app}/sign-in`, '/app/callback')).url };
    };
    const people = [await come('test1'), await come('test2'), await come('simon371')];
    const pages = await Promise.all(people.map(({ who, back }) => who.open(back)));
    expect(pages.map(heading)).toEqual([
      'Hello, Test One',
      'Hello, Test Two',
      'Hello, Simon Davis',
    ]);
  });

  test('test4 is suspended, and stays outside', async () => {
    const page = await signIn(browser(), 'test4');
    expect(page.status).toBe(403);
    expect(page.url).toBe(`${backend.url}/login`);
    expect(await tokens()).toEqual([]);
  });

  test('suspended while signed in: the next page says so', async () => {
    const who = browser();
    await signIn(who);
    const { prisma } = backend.services.database;
    await prisma.user.update({ where: { uid: 1 }, data: { status: 'suspended' } });
    const page = await who.open(app);
    expect(page.status).toBe(200);
    expect(heading(page)).toBe('Customer App');
    expect(page.text).toContain('The server does not accept this token any more');
  });

  test('refresh: another token for the same user', async () => {
    const who = browser();
    const page = await signIn(who);
    const again = await who.submit(page, '/app/refresh');
    expect(heading(again)).toBe('Hello, Test One');
    expect(await tokens()).toHaveLength(2);
    const third = await who.submit(again, '/app/refresh');
    expect(heading(third)).toBe('Hello, Test One');
  });

  test('three tabs refresh at the same moment: nothing is taken for a theft', async () => {
    const who = browser();
    const page = await signIn(who);
    const both = await Promise.all([1, 2, 3].map(() => who.submit(page, '/app/refresh')));
    expect(both.map(heading)).toEqual(['Hello, Test One', 'Hello, Test One', 'Hello, Test One']);
    expect(heading(await who.open(app))).toBe('Hello, Test One');
    const { prisma } = backend.services.database;
    expect(await prisma.grant.count({ where: { revokedAt: { not: null } } })).toBe(0);
  });

  test('the token has expired: it is refreshed without being asked', async () => {
    const who = browser();
    await signIn(who);
    const now = Date.now;
    Date.now = () => now() + 3_595_000;
    try {
      expect(heading(await who.open(app))).toBe('Hello, Test One');
    } finally {
      Date.now = now;
    }
    expect(await tokens()).toHaveLength(2);
  });

  test('the grant is revoked: refreshing ends the sign-in, and the app says so', async () => {
    const who = browser();
    const page = await signIn(who);
    const { prisma } = backend.services.database;
    await prisma.grant.updateMany({ data: { revokedAt: new Date() } });
    const again = await who.submit(page, '/app/refresh');
    expect(again.text).toContain('Your sign-in has ended');
    expect((await who.open(app)).text).toContain('>Sign in</a>');
  });

  test('sign out: revoked there, and gone here', async () => {
    const who = browser();
    const page = await signIn(who);
    const shown = await who.submit(page, '/app/token');
    const token = secret(String(/TOKEN='([\w-]{43})'/.exec(shown.text)?.[1]));
    const before = who.cookies.get('customer_app');
    const out = await who.submit(shown, '/app/sign-out');
    expect(out.status).toBe(200);
    expect(out.text).toContain('You are signed out, and the token is revoked.');
    expect(who.cookies.has('customer_app')).toBe(false);
    const verified = await fetch(`${backend.url}/user/verify?token=${token}`);
    expect(verified.status).toBe(422);
    // The cookie is worth nothing to whoever kept it.
    who.cookies.set('customer_app', String(before));
    expect((await who.open(app)).text).toContain('>Sign in</a>');
  });

  test.each(['refresh', 'token', 'sign-out'])('POST /app/%s from elsewhere', async (path) => {
    const who = browser();
    const page = await signIn(who);
    const forged = await who.submit(page, `/app/${path}`, { csrf: 'guessed' });
    expect(forged.status).toBe(403);
    expect(heading(forged)).toBe('That did not work');
    expect(heading(await who.open(app))).toBe('Hello, Test One');
    expect(await tokens()).toHaveLength(1);
  });

  test('a new session id at sign-in: one that was planted is worth nothing', async () => {
    const who = browser();
    const asked = await who.open(`${app}/sign-in`);
    const planted = String(who.cookies.get('customer_app'));
    await who.submit(asked, '/login', { login: 'test1', password: 'test1' });
    expect(who.cookies.get('customer_app')).not.toBe(planted);
    const attacker = browser();
    attacker.cookies.set('customer_app', planted);
    expect((await attacker.open(app)).text).toContain('>Sign in</a>');
  });

  test('production has no such app', async () => {
    const production = await startBackend({
      NODE_ENV: 'production',
      SESSION_SECRET: secret('hT9vQz4mK1xP7rWc2LbN'),
      CLIENT_TOKEN_SECRET: secret('q3Jx8fTn6mWz1RkC5yPd'),
      AUTHLETE_API_KEY: secret('w8Rk2mVx5tQz9LcJ1pHs'),
      AUTHLETE_API_SECRET: secret('n4Gd7yBf3sKe6uZa0vMq'),
    });
    stops.push(production.stop);
    expect((await fetch(`${production.url}/app`)).status).toBe(404);
    expect(await production.services.grants.findClient('customer-app')).toBeUndefined();
  });
});

describe('what comes back', () => {
  /** A server that is not ours, with `iss` added to its answers as ours does. */
  async function mock(iss: (issuer: string) => string | undefined = (issuer) => issuer) {
    const server = new OAuth2Server();
    await server.issuer.keys.generate('RS256');
    await server.start(0, '127.0.0.1');
    stops.push(() => server.stop());
    const issuer = String(server.issuer.url);
    server.service.on('beforeAuthorizeRedirect', ({ url }) => {
      const value = iss(issuer);
      if (value !== undefined) url.searchParams.set('iss', value);
    });
    const endpoints = {
      authorization: '/authorize',
      token: '/token',
      revocation: '/revoke',
      userinfo: '/userinfo',
    };
    const app = await partnersApp(issuer, { endpoints, timeout: 300 });
    return { server, app };
  }

  test('everything is right, at a server that is not ours', async () => {
    const { app, server } = await mock();
    const asked: (string | undefined)[] = [];
    const forms: Record<string, unknown>[] = [];
    server.service.on('beforeUserinfo', (answer, request) => {
      asked.push(request.url, request.headers.authorization?.slice(0, 9));
      answer.body = { sub: 'johndoe', name: '<b>John</b>', preferred_username: 'john' };
    });
    server.service.on('beforeTokenSigning', (_token, { body }) => forms.push({ ...body }));
    const who = browser();
    const page = await who.open(`${app}/sign-in`);
    expect(page.url).toBe(app);
    expect(heading(page)).toBe('Hello, &lt;b&gt;John&lt;/b&gt;');
    // The token in the header, never in the query; no empty client_secret of a public client.
    expect(asked).toEqual(['/userinfo', 'Bearer ey']);
    expect(forms[0]).toEqual({
      grant_type: 'authorization_code',
      redirect_uri: `${app}/callback`,
      client_id: 'customer-app',
      code: expect.any(String),
      code_verifier: expect.stringMatching(/^[\w-]{43}$/),
    });
    const out = await who.submit(page, '/app/sign-out');
    expect(out.text).toContain('You are signed out');
  });

  test.each([
    ['of another server', () => 'https://evil.example.com'],
    ['missing', () => undefined],
  ])('iss is %s: the code is sent nowhere', async (_what, iss) => {
    const { app, server } = await mock(iss);
    let redeemed = false;
    server.service.on('beforeResponse', () => {
      redeemed = true;
    });
    const page = await browser().open(`${app}/sign-in`);
    expect(page.status).toBe(400);
    expect(heading(page)).toBe('Sign-in did not work');
    expect(redeemed).toBe(false);
  });

  test.each([
    ['access_denied', 403, 'Not signed in'],
    ['login_required', 403, 'Sign-in did not work'],
    ['invalid_scope', 502, 'Sign-in did not work'],
    ['server_error', 502, 'Sign-in did not work'],
    ['<script>alert(1)</script>', 502, 'Sign-in did not work'],
  ])('the error is %s: a page', async (error, status, title) => {
    const { app, server } = await mock();
    server.service.once('beforeAuthorizeRedirect', ({ url }) => {
      url.searchParams.delete('code');
      url.searchParams.set('error', error);
      url.searchParams.set('error_description', 'Call 555-0100 for help');
    });
    const page = await browser().open(`${app}/sign-in`);
    expect(page.status).toBe(status);
    expect(heading(page)).toBe(title);
    expect(page.text).not.toMatch(/<script|555-0100/);
  });

  test('an error that answers no sign-in of this browser is not repeated', async () => {
    const { app, server } = await mock();
    const query = new URLSearchParams({
      error: 'access_denied',
      state: 'x',
      iss: String(server.issuer.url),
    });
    const page = await browser().open(`${app}/callback?${query}`);
    expect(page.status).toBe(400);
    expect(page.text).not.toContain('access_denied');
  });

  test('a callback that another browser had begun (login CSRF)', async () => {
    const { app } = await mock();
    const begun = await browser().open(`${app}/sign-in`, '/app/callback');
    const page = await browser().open(begun.url);
    expect(page.status).toBe(400);
    expect(heading(page)).toBe('Sign-in did not work');
  });

  test('the same callback twice', async () => {
    const { app } = await mock();
    const who = browser();
    const begun = await who.open(`${app}/sign-in`, '/app/callback');
    expect((await who.open(begun.url)).status).toBe(200);
    expect((await who.open(begun.url)).status).toBe(400);
  });

  test('HEAD uses nothing up', async () => {
    const { app } = await mock();
    const who = browser();
    const begun = await who.open(`${app}/sign-in`, '/app/callback');
    const cookie = [...who.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const looked = await fetch(begun.url, { method: 'HEAD', headers: { cookie } });
    expect(looked.status).toBe(405);
    expect(looked.headers.get('allow')).toBe('GET');
    expect((await who.open(begun.url)).status).toBe(200);
  });

  test('a callback after ten minutes', async () => {
    const { app } = await mock();
    const who = browser();
    const begun = await who.open(`${app}/sign-in`, '/app/callback');
    const now = Date.now;
    Date.now = () => now() + 600_001;
    try {
      expect((await who.open(begun.url)).status).toBe(400);
    } finally {
      Date.now = now;
    }
  });

  test('three tabs, in any order; the eleventh pushes the first out', async () => {
    const { app } = await mock();
    const who = browser();
    const tabs: string[] = [];
    for (let tab = 0; tab < 11; tab += 1) {
      tabs.push((await who.open(`${app}/sign-in`, '/app/callback')).url);
    }
    expect((await who.open(String(tabs[10]))).status).toBe(200);
    expect((await who.open(String(tabs[1]))).status).toBe(200);
    expect((await who.open(String(tabs[5]))).status).toBe(200);
    expect((await who.open(String(tabs[0]))).status).toBe(400);
  });

  test.each(['', '?code=x', '?code=a&code=b&state=x', '?state=x', '?error=a&error=b&state=x'])(
    'GET /app/callback%s',
    async (query) => {
      const { app, server } = await mock();
      const iss = encodeURIComponent(String(server.issuer.url));
      const page = await browser().open(`${app}/callback${query || '?'}&iss=${iss}`);
      expect(page.status).toBe(400);
      expect(heading(page)).toBe('Sign-in did not work');
    },
  );

  test('the code is refused: a page, and no 500', async () => {
    const { app, server } = await mock();
    server.service.once('beforeResponse', (answer) => {
      answer.statusCode = 400;
      answer.body = { error: 'invalid_grant' };
    });
    const page = await browser().open(`${app}/sign-in`);
    expect(page.status).toBe(502);
    expect(page.text).toContain('<code>invalid_grant</code>');
  });

  test.each([
    ['fails', 500, { error: 'server_error' }],
    ['fails, with a word for something else', 500, { error: 'access_denied' }],
    ['is away', 503, { error: 'temporarily_unavailable' }],
    ['sends no token', 200, { token_type: 'Bearer' }],
    ['sends a token of another type', 200, { access_token: 'abc', token_type: 'mac' }],
    ['sends something that is no token', 200, { access_token: "a'; rm", token_type: 'Bearer' }],
  ])('the token endpoint %s: 502', async (_what, statusCode, body) => {
    const { app, server } = await mock();
    server.service.once('beforeResponse', (answer) => Object.assign(answer, { statusCode, body }));
    const page = await browser().open(`${app}/sign-in`);
    expect(page.status).toBe(502);
    expect(page.text).toContain('could not be reached, or gave no usable answer');
  });

  test('userinfo fails: still signed in, and the page says what it lacks', async () => {
    const { app, server } = await mock();
    server.service.once('beforeUserinfo', (answer) => {
      answer.statusCode = 500;
    });
    const page = await browser().open(`${app}/sign-in`);
    expect(page.status).toBe(200);
    expect(page.text).toContain('could not be reached');
    expect(fact(page, 'Client')).toBe('customer-app');
  });

  test('revocation fails: signed out here, and that is said', async () => {
    const { app, server } = await mock();
    const who = browser();
    const page = await who.open(`${app}/sign-in`);
    server.service.once('beforeRevoke', (answer) => {
      answer.statusCode = 503;
    });
    const out = await who.submit(page, '/app/sign-out');
    expect(out.status).toBe(502);
    expect(heading(out)).toBe('Signed out here only');
    expect((await who.open(app)).text).toContain('>Sign in</a>');
  });

  test.each<[string, RequestListener]>([
    ['hangs', () => {}],
    ['hangs in the middle of its answer', (_request, response) => response.write('{"access_')],
    ['hangs up', (request) => request.socket.destroy()],
    ['sends a page', (_request, response) => response.end('<!doctype html>')],
    [
      'redirects the code elsewhere',
      (_request, response) => response.writeHead(307, { Location: '/elsewhere' }).end(),
    ],
  ])('the token endpoint %s: 502, in bounded time', async (_what, listener) => {
    const { server } = await mock();
    const issuer = String(server.issuer.url);
    const endpoints = { authorization: '/authorize', token: `${await listen(listener)}/token` };
    const app = await partnersApp(issuer, { endpoints, timeout: 300 });
    const page = await browser().open(`${app}/sign-in`);
    expect(page.url).toContain('/app/callback');
    expect(page.status).toBe(502);
  });
});
