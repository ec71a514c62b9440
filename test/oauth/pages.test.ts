/** The pages over HTTP, rule by rule. What only a browser can tell is in test/browser. */
import { jest } from '@jest/globals';
import bcrypt from 'bcrypt';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { addClient, askFor, formOf, pkce, visitor } from '../support/visitor.ts';

let backend: Backend;

beforeAll(async () => {
  // Guessing is limited in attempts.test.ts.
  backend = await startBackend({
    LOGIN_ATTEMPTS: '1000',
    LOGIN_ATTEMPTS_PER_ADDRESS: '10000',
  });
  await addClient(backend);
  await addClient(backend, { id: 'own', name: 'Our App', firstParty: true });
  await addClient(backend, {
    id: 'aurora-cgi',
    name: 'AURORA',
    secretHash: 'x',
    pkceRequired: false,
  });
  await addClient(backend, {
    id: 'phone',
    name: 'The Phone App',
    redirectUris: ['com.example.phone:/callback'],
  });
  await addClient(backend, {
    id: 'two-places',
    name: 'Two Places',
    redirectUris: ['https://a.example/cb?tenant=1', 'http://127.0.0.1:8400/cb'],
  });
  await addClient(backend, { id: 'robot', name: 'Robot', grantTypes: ['client_credentials'] });
});

afterAll(() => backend.stop());

/** The parameters of a redirect, and where it goes. */
const answered = (location: string | undefined) => {
  const [to, query = ''] = (location ?? '').split('?');
  return { to, ...Object.fromEntries(new URLSearchParams(query)) };
};

const signedIn = async (login = 'test1') => {
  const one = visitor(backend);
  await one.signIn(login);
  return one;
};

describe('an authorization request', () => {
  test('of somebody who is not signed in shows the sign-in page', async () => {
    const { status, text } = await visitor(backend).get(askFor());
    expect(status).toBe(200);
    expect(text).toContain('<h1>Sign in to The Shop</h1>');
    expect(formOf(text, '/login')).toMatchObject({ return_to: askFor() });
  });

  test('goes on after signing in, asks, and answers with code, iss and state', async () => {
    const one = visitor(backend);
    const { text } = await one.get(askFor());
    const entered = { ...formOf(text, '/login'), login: 'test1', password: 'test1' };
    const { status, location } = await one.post('/login', entered);
    expect([status, location]).toEqual([303, askFor()]);

    const consent = await one.get(location ?? '');
    expect(consent.text).toContain('<h1>Allow The Shop?</h1>');
    expect(consent.text).toContain('Sign you in at the services it works with');
    expect(consent.text).toContain('Test One');
    const allowed = await one.post('/oauth/authorize', {
      ...formOf(consent.text, '/oauth/authorize'),
      decision: 'allow',
    });
    expect(allowed.status).toBe(303);
    expect(allowed.headers.get('cache-control')).toBe('no-store');
    expect(answered(allowed.location)).toEqual({
      to: 'https://shop.example/callback',
      code: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      iss: backend.url,
      state: 'af0ifjsldkj',
    });

    const redeemed = await fetch(`${backend.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: 'shop',
        redirect_uri: 'https://shop.example/callback',
        code: new URLSearchParams(allowed.location?.split('?')[1]).get('code') ?? '',
        code_verifier: pkce.verifier,
      }),
    });
    const tokens = (await redeemed.json()) as { access_token: string };
    secret(tokens.access_token);
    expect(tokens).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'verify',
    });
    const found = await backend.services.tokens.findToken(tokens.access_token);
    expect(found?.subject?.user.login).toBe('test1');
  });

  test('that is denied answers access_denied', async () => {
    const one = await signedIn();
    const { text } = await one.get(askFor());
    const { status, location } = await one.post('/oauth/authorize', {
      ...formOf(text, '/oauth/authorize'),
      decision: 'deny',
    });
    expect(status).toBe(303);
    expect(answered(location)).toEqual({
      to: 'https://shop.example/callback',
      error: 'access_denied',
      error_description: 'The user has denied it.',
      iss: backend.url,
      state: 'af0ifjsldkj',
    });
  });

  test('of our own app is not asked about', async () => {
    const one = await signedIn();
    const { status, location } = await one.get(askFor({ client_id: 'own' }));
    expect(status).toBe(303);
    expect(answered(location)).toMatchObject({
      to: 'https://shop.example/callback',
      code: expect.any(String),
      state: 'af0ifjsldkj',
    });
  });

  test('without a redirect URI goes to the only one registered, and a later one must be absent too', async () => {
    const one = await signedIn();
    const asked = askFor({ client_id: 'own', redirect_uri: undefined });
    const { location } = await one.get(asked);
    const { to, code } = answered(location) as unknown as { to: string; code: string };
    expect(to).toBe('https://shop.example/callback');
    const found = await backend.services.grants.findCode(code);
    expect(found?.redirectUri).toBeUndefined();
  });

  const nowhere = [
    ['no client', { client_id: undefined }],
    ['an unknown client', { client_id: 'nobody' }],
    ['another redirect URI', { redirect_uri: 'https://evil.example/callback' }],
    ['a redirect URI that goes on', { redirect_uri: 'https://shop.example/callback/x' }],
    ['a redirect URI in other case', { redirect_uri: 'https://shop.example/Callback' }],
    ['a query added', { redirect_uri: 'https://shop.example/callback?x=1' }],
    ['one of two redirect URIs left open', { client_id: 'two-places', redirect_uri: undefined }],
    ['another port', { client_id: 'two-places', redirect_uri: 'http://127.0.0.1:8401/cb' }],
  ] as const;

  test.each(nowhere)('with %s is a page of ours, and goes nowhere', async (_, changes) => {
    const one = await signedIn();
    const { status, location, text, headers } = await one.get(askFor(changes));
    expect([status, location]).toEqual([400, undefined]);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(text).toContain('<h1>This app cannot sign you in</h1>');
    expect(text).not.toContain('evil.example');
  });

  test('with two client ids, or two redirect URIs, goes nowhere', async () => {
    const one = visitor(backend);
    for (const more of ['&client_id=shop', '&redirect_uri=https%3A%2F%2Fshop.example%2Fcallback']) {
      const { status, location } = await one.get(`${askFor()}${more}`);
      expect([status, location]).toEqual([400, undefined]);
    }
  });

  const refused = [
    ['no response type', { response_type: undefined }, 'invalid_request'],
    ['response_type=token', { response_type: 'token' }, 'unsupported_response_type'],
    ['response_mode=fragment', { response_mode: 'fragment' }, 'invalid_request'],
    ['a scope that is not the client’s', { scope: 'verify email' }, 'invalid_scope'],
    [
      'no code challenge',
      { code_challenge: undefined, code_challenge_method: undefined },
      'invalid_request',
    ],
    ['PKCE plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['PKCE plain by default', { code_challenge_method: undefined }, 'invalid_request'],
    ['a short code challenge', { code_challenge: 'abc' }, 'invalid_request'],
    ['a relative resource', { resource: '/api' }, 'invalid_target'],
    ['a resource with a fragment', { resource: 'https://api.example/#x' }, 'invalid_target'],
    ['a client without this grant', { client_id: 'robot' }, 'unauthorized_client'],
  ] as const;

  test.each(refused)(
    'with %s is refused to the client, before anybody signs in',
    async (_, changes, error) => {
      const { status, location } = await visitor(backend).get(askFor(changes));
      expect(status).toBe(303);
      expect(answered(location)).toEqual({
        to: 'https://shop.example/callback',
        error,
        error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
        iss: backend.url,
        state: 'af0ifjsldkj',
      });
    },
  );

  test('with a parameter twice is refused to the client', async () => {
    const { location } = await visitor(backend).get(`${askFor()}&scope=verify`);
    expect(answered(location)).toMatchObject({ error: 'invalid_request', state: 'af0ifjsldkj' });
  });

  test('with two states is refused, and none is repeated', async () => {
    const { location } = await visitor(backend).get(`${askFor()}&state=other`);
    expect(answered(location)).not.toHaveProperty('state');
    expect(answered(location)).toMatchObject({ error: 'invalid_request' });
  });

  test('of a confidential client that cannot do PKCE is let through without', async () => {
    const changes = {
      client_id: 'aurora-cgi',
      code_challenge: undefined,
      code_challenge_method: undefined,
    };
    const { status, text } = await visitor(backend).get(askFor(changes));
    expect(status).toBe(200);
    expect(text).toContain('Sign in to AURORA');
  });

  const states = [
    ['a space as +', 'a+b'],
    ['a space as %20', 'a%20b'],
    ['lower-case escapes', '%c3%a6%2f%3d'],
    ['what need not be escaped', 'its(1)~!*:@/?,;='],
    ['bytes that are not UTF-8', '%ff%fe'],
    ['4000 characters', 'x'.repeat(4000)],
  ] as const;

  test.each(states)('with %s in its state gets it back byte for byte', async (_, state) => {
    const one = visitor(backend);
    const asked = `${askFor({ client_id: 'own', state: undefined })}&state=${state}`;
    const { text } = await one.get(asked);
    const entered = { ...formOf(text, '/login'), login: 'test1', password: 'test1' };
    const { location: back } = await one.post('/login', entered);
    const { location } = await one.get(back ?? '');
    expect(location?.endsWith(`&state=${state}`)).toBe(true);
  });

  test('with an empty state gets none back', async () => {
    const { location } = await visitor(backend).get(askFor({ state: '', response_type: 'x' }));
    expect(location).not.toContain('state=');
  });

  test('to a redirect URI with a query adds to it', async () => {
    const { location } = await visitor(backend).get(
      askFor({
        client_id: 'two-places',
        redirect_uri: 'https://a.example/cb?tenant=1',
        scope: 'x',
      }),
    );
    expect(location).toMatch(/^https:\/\/a\.example\/cb\?tenant=1&error=invalid_scope&/);
  });

  test('with any other method is answered 405', async () => {
    const response = await fetch(`${backend.url}${askFor()}`, { method: 'PUT' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
  });
});

describe('consent', () => {
  test('without the token of the form is not given', async () => {
    const one = await signedIn();
    const { text } = await one.get(askFor());
    const form = formOf(text, '/oauth/authorize');
    for (const csrf of [
      '',
      'x',
      formOf((await (await signedIn()).get('/login')).text, '/logout')['csrf'] ?? '',
    ]) {
      const { status, location } = await one.post('/oauth/authorize', {
        ...form,
        csrf,
        decision: 'allow',
      });
      expect([status, location]).toEqual([403, undefined]);
    }
  });

  test('is checked again: a form cannot ask for more than the client may', async () => {
    const one = await signedIn();
    const { text } = await one.get(askFor());
    const { csrf = '' } = formOf(text, '/oauth/authorize');
    const send = (request: string) =>
      one.post('/oauth/authorize', { csrf, request, decision: 'allow' });
    const query = (changes: Record<string, string>) => askFor(changes).split('?')[1] ?? '';

    expect((await send(query({ redirect_uri: 'https://evil.example/' }))).status).toBe(400);
    expect((await send('')).status).toBe(400);
    const { location } = await send(query({ scope: 'email' }));
    expect(answered(location)).toMatchObject({ error: 'invalid_scope' });
  });

  test('of somebody whose session is over needs a new sign-in', async () => {
    const one = await signedIn();
    const { text } = await one.get(askFor());
    one.cookies.clear();
    const form = { ...formOf(text, '/oauth/authorize'), decision: 'allow' };
    const seen = await one.post('/oauth/authorize', form);
    expect([seen.status, seen.location]).toEqual([200, undefined]);
    expect(formOf(seen.text, '/login')['return_to']).toBe(askFor());
  });

  test('with a line break smuggled into the state is no header of ours', async () => {
    const one = await signedIn();
    const { text } = await one.get(askFor());
    const { csrf = '' } = formOf(text, '/oauth/authorize');
    const request = `${askFor({ state: undefined }).split('?')[1]}&state=a\r\nSet-Cookie: x=y`;
    const seen = await one.post('/oauth/authorize', { csrf, request, decision: 'deny' });
    expect(seen.status).toBe(303);
    expect(seen.location?.endsWith('&state=a%0D%0ASet-Cookie%3A%20x%3Dy')).toBe(true);
  });
});

describe('signing in', () => {
  const wrong = [
    ['an unknown user', 'nobody', 'test1'],
    ['a wrong password', 'test1', 'wrong'],
    ['a suspended user', 'test4', 'test4'],
    ['a user of a suspended group', 'in-suspended-group', 'a group can be suspended'],
    ['a password of 73 bytes', 'test1', 'x'.repeat(73)],
    ['an empty password', 'test1', ''],
    ['an empty login', '', 'test1'],
    ['a login with a NUL', 'test1\0', 'test1'],
    ['a login of 10 000 characters', 'x'.repeat(10_000), 'test1'],
  ] as const;

  const pageOf = async (login: string, password: string) => {
    const one = visitor(backend);
    const form = formOf((await one.get('/login')).text, '/login');
    const seen = await one.post('/login', { ...form, login, password });
    // What differs between any two visits: the token, and the login that is kept in the form.
    const page = seen.text
      .replaceAll(/name="csrf" value="[0-9a-f]{64}"/g, 'name="csrf"')
      .replaceAll(/(id="login" name="login" value=")[^"]*/g, '$1')
      .replaceAll(' autofocus', '');
    return { status: seen.status, page, text: seen.text };
  };

  test.each(wrong)('as %s: the same page and status', async (_, login, password) => {
    const { status, page, text } = await pageOf(login, password);
    const other = await pageOf('somebody-else', 'something else');
    expect(status).toBe(403);
    expect(page).toBe(other.page);
    expect(text).toContain(
      '<div class="problem" role="alert" id="problem">The user name or the password is wrong.</div>',
    );
    expect(formOf(text, '/login')).toMatchObject({ login, password: '' });
  });

  test.each([...wrong, ['who he is', 'test1', 'test1']] as const)(
    'as %s costs one comparison, as any',
    async (_, login, password) => {
      const compare = jest.spyOn(bcrypt, 'compare');
      await pageOf(login, password);
      expect(compare).toHaveBeenCalledTimes(1);
      compare.mockRestore();
    },
  );

  test('with a field twice is signing in without it', async () => {
    const one = visitor(backend);
    const form = new URLSearchParams(formOf((await one.get('/login')).text, '/login'));
    form.set('login', 'test1');
    form.set('password', 'test1');
    form.append('password', 'test1');
    expect((await one.post('/login', form.toString())).status).toBe(403);
  });

  test('sets one HttpOnly, SameSite cookie of a name of its own, under a new id', async () => {
    const one = visitor(backend);
    const { text } = await one.get('/login');
    const planted = one.cookies.get('idp_session');
    const form = { ...formOf(text, '/login'), login: 'test1', password: 'test1' };
    const { headers } = await one.post('/login', form);
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(/^idp_session=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/),
    ]);
    expect(one.cookies.get('idp_session')).not.toBe(planted);

    const other = visitor(backend);
    other.cookies.set('idp_session', planted ?? '');
    expect((await other.get('/login')).text).not.toContain('You are signed in');
  });

  test('without the token of the form is refused, with a cookie or without', async () => {
    const one = visitor(backend);
    const fields = { login: 'test1', password: 'test1' };
    expect((await one.post('/login', fields)).status).toBe(403);
    const { text } = await one.get('/login');
    expect((await one.post('/login', { ...fields, csrf: '' })).status).toBe(403);
    const { csrf = '' } = formOf(text, '/login');
    expect((await visitor(backend).post('/login', { ...fields, csrf })).status).toBe(403);
    expect((await one.get('/login')).text).not.toContain('You are signed in');
  });

  test('as JSON is not read, nor more than a form can have', async () => {
    const one = visitor(backend);
    const json = { 'content-type': 'application/json' };
    expect((await one.post('/login', '{"login":"test1"}', json)).status).toBe(415);
    expect((await one.post('/login', { login: 'x'.repeat(70_000) })).status).toBe(413);
  });

  const elsewhere = [
    'https://evil.example/',
    '//evil.example/oauth/authorize',
    '/\\evil.example',
    '\\/evil.example',
    '/oauth/authorize/../../evil',
    '/oauth/authorize@evil.example',
    '/oauth/authorize.evil.example?x',
    '/%2f/evil.example',
    '/device/../x',
    '/devices',
    ' /device',
    '/device\t',
    '/device?x=\\',
    '/device?x=\r\nLocation: https://evil.example',
    '/login',
    'javascript:alert(1)',
    'device',
  ];

  test.each(elsewhere)('with return_to=%j stays here', async (return_to) => {
    const one = visitor(backend);
    const query = new URLSearchParams({ return_to });
    const { text } = await one.get(`/login?${query}`);
    const form = formOf(text, '/login');
    expect(form).not.toHaveProperty('return_to');
    const entered = { ...form, login: 'test1', password: 'test1', return_to };
    expect((await one.post('/login', entered)).location).toBe('/login');
    expect((await one.get(`/login?${query}`)).location).toBeUndefined();
    const signOut = { ...formOf((await one.get('/login')).text, '/logout'), return_to };
    expect((await one.post('/logout', signOut)).location).toBe('/login?signed_out=1');
  });

  test('with return_to=/device goes there', async () => {
    const one = visitor(backend);
    const { text } = await one.get('/login?return_to=/device?user_code=WDJB-MJHT');
    const entered = { ...formOf(text, '/login'), login: 'test1', password: 'test1' };
    expect((await one.post('/login', entered)).location).toBe('/device?user_code=WDJB-MJHT');
  });

  test('in a second tab whose form is out of date goes on, as one is signed in', async () => {
    const one = visitor(backend);
    const first = formOf((await one.get(askFor())).text, '/login');
    const second = formOf((await one.get(askFor({ state: 'second' }))).text, '/login');
    const entered = { login: 'test1', password: 'test1' };
    expect((await one.post('/login', { ...first, ...entered })).location).toBe(askFor());
    const { status, location } = await one.post('/login', { ...second, ...entered });
    expect([status, location]).toEqual([303, askFor({ state: 'second' })]);
  });
});

describe('presets', () => {
  test('are there for the people of the seed, the suspended one marked', async () => {
    const { text } = await visitor(backend).get('/login');
    expect(text.match(/Sign in as <strong>[^<]+/g)).toEqual([
      'Sign in as <strong>test1',
      'Sign in as <strong>test2',
      'Sign in as <strong>test3',
      'Sign in as <strong>test4',
      'Sign in as <strong>simon371',
      'Sign in as <strong>vpn-user',
    ]);
    expect(text.match(/class="suspended"/g)).toHaveLength(1);
    expect(text).toMatch(/<strong>test4<\/strong><\/span> <span class="suspended">suspended/);
  });

  test('sign in with one click', async () => {
    const one = visitor(backend);
    const { text } = await one.get(askFor());
    const { location } = await one.post('/login', formOf(text, '/login', 1));
    expect(location).toBe(askFor());
    expect((await one.get('/login')).text).toContain('Test One');
  });

  test('are not there for a password that is no longer the public one', async () => {
    const { prisma } = backend.services.database;
    const passwordHash = await backend.services.passwords.hash(secret('another password'));
    await prisma.user.update({ where: { uid: 2 }, data: { passwordHash } });
    const { text } = await visitor(backend).get('/login');
    expect(text).toContain('Sign in as <strong>test1');
    expect(text).not.toContain('Sign in as <strong>test2');
  });
});

describe('a session', () => {
  test('of a user who is suspended ends with the next request, and does not come back', async () => {
    const one = await signedIn('test3');
    const { prisma } = backend.services.database;
    const set = (status: string) => prisma.user.update({ where: { uid: 3 }, data: { status } });
    await set('suspended');
    expect((await one.get(askFor({ client_id: 'own' }))).text).toContain('Sign in to Our App');
    await set('active');
    expect((await one.get(askFor({ client_id: 'own' }))).text).toContain('Sign in to Our App');
  });

  test('ends with signing out, in the database too', async () => {
    const one = await signedIn();
    const cookie = one.cookies.get('idp_session') ?? '';
    const { text } = await one.get('/login');
    expect(text).toContain('<h1>You are signed in</h1>');
    const { status, location, headers } = await one.post('/logout', formOf(text, '/logout'));
    expect([status, location]).toEqual([303, '/login?signed_out=1']);
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(/^idp_session=; Path=\/; Expires=Thu, 01 Jan 1970/),
    ]);
    expect((await one.get('/login?signed_out=1')).text).toContain('You are signed out.');

    const thief = visitor(backend);
    thief.cookies.set('idp_session', cookie);
    expect((await thief.get('/login')).text).not.toContain('You are signed in');
  });

  test('is not ended by a form of somebody else’s', async () => {
    const one = await signedIn();
    expect((await one.post('/logout', {})).status).toBe(403);
    expect((await one.get('/login')).text).toContain('Test One');
  });
});

describe('every page', () => {
  const sources = [
    ['/login', "form-action 'self'"],
    [askFor(), "form-action 'self' https://shop.example"],
    [
      askFor({ client_id: 'phone', redirect_uri: 'com.example.phone:/callback' }),
      "form-action 'self' com.example.phone:",
    ],
    [
      askFor({ client_id: 'two-places', redirect_uri: 'http://127.0.0.1:8400/cb' }),
      "form-action 'self' http://127.0.0.1:8400",
    ],
    [askFor({ client_id: 'nobody' }), "form-action 'self'"],
    ['/device', "form-action 'self'"],
  ] as const;

  test.each(sources)(
    '%s: a strict policy, its forms go where they must',
    async (path, formAction) => {
      for (const one of [visitor(backend), await signedIn()]) {
        const { headers, text } = await one.get(path);
        const [defaults, style, base, forms, frames, ...more] = (
          headers.get('content-security-policy') ?? ''
        ).split('; ');
        expect(defaults).toBe("default-src 'none'");
        expect(style).toMatch(/^style-src 'sha256-[A-Za-z0-9+/]{43}='$/);
        expect(base).toBe("base-uri 'none'");
        expect(forms).toBe(formAction);
        expect(frames).toBe("frame-ancestors 'none'");
        expect(more).toEqual([]);
        expect(headers.get('referrer-policy')).toBe('no-referrer');
        expect(headers.get('cache-control')).toBe('no-store');
        expect(text).not.toMatch(/<script|<link|<img|style="|\son\w+=|https?:\/\//);
      }
    },
  );

  test('escapes what a client is called and what a visitor typed', async () => {
    await addClient(backend, { id: 'xss', name: '"><script>alert(1)</script>' });
    const one = visitor(backend);
    const { text } = await one.get(askFor({ client_id: 'xss', state: '"><b>' }));
    expect(text).not.toContain('<script');
    const form = { ...formOf(text, '/login'), login: '"><script>', password: 'x' };
    expect((await one.post('/login', form)).text).not.toContain('<script');
  });
});

describe('behind https', () => {
  let https: Backend;
  beforeAll(async () => {
    https = await startBackend({ BASE_URL: 'https://id.example' });
  });
  afterAll(() => https.stop());

  test('the cookie is Secure, and can be of this host only', async () => {
    const { headers } = await visitor(https).get('/login');
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-idp_session=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ]);
  });

  test('iss is what the world knows us by', async () => {
    await addClient(https);
    const { location } = await visitor(https).get(askFor({ scope: 'x' }));
    expect(answered(location)).toMatchObject({ iss: 'https://id.example' });
  });
});
