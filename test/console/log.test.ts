/** What the console keeps of the calls that platforms make, shows of it, and never shows. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newToken } from '../../app/oauth/secrets.ts';
import { platforms } from '../../app/platforms/index.ts';
import { bind } from '../../app/scenarios/scenario.ts';
import { apiKey, apiSecret, type Backend, startBackend } from '../support/backend.ts';
import { leaks, secret } from '../support/canaries.ts';
import { houseOf } from '../support/client-tokens.ts';
import { act, captured, newest, watch } from '../support/console.ts';
import { basic } from '../support/oauth.ts';
import { holdDatabase } from '../support/outage.ts';
import { exchange } from '../support/raw-http.ts';
import { send } from '../support/send.ts';
import { bindings, mint } from '../support/tokens.ts';
import { visitor } from '../support/visitor.ts';

let backend: Backend;

beforeAll(async () => {
  backend = await startBackend({ PANGO_TOKEN_PARAMETER: 'tk' });
});

beforeEach(() => act(backend, '/console/log', '/console/log/clear'));

afterAll(() => backend.stop());

const call = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(`${backend.url}${path}`, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

const json = { 'content-type': 'application/json' };

const developerLogin = (id: string, password: string) => ({
  method: 'POST',
  headers: { ...json, authorization: basic(apiKey, apiSecret) },
  body: JSON.stringify({ serviceApiKey: 1, id, password, expiresIn: 0 }),
});

describe('a call', () => {
  test('that is accepted: what was sent, what was answered, and to whom it was about', async () => {
    const token = await mint(backend, 'simon371');
    const { headers } = await call(`/user/verify?token=${token}`, { headers: { 'X-App': 'chat' } });
    expect(await newest(backend)).toMatchObject({
      requestId: headers.get('x-request-id'),
      platform: { id: 'connectycube', title: 'ConnectyCube' },
      address: '127.0.0.1',
      request: {
        method: 'GET',
        url: '/user/verify?token=«secret 1»',
        headers: expect.arrayContaining([['X-App', 'chat']]),
        body: { text: '', bytes: 0, truncated: false, lossy: false },
      },
      response: {
        status: 200,
        headers: expect.arrayContaining([
          ['Content-Type', 'application/json; charset=utf-8'],
          ['Cache-Control', 'no-store'],
        ]),
        body: {
          text: '{"user":{"id":2345,"login":"simon371","full_name":"Simon Davis","fill_name":"Simon Davis","email":"simon371@example.com"},"uid":2345,"login":"simon371","email":"simon371@example.com"}',
        },
      },
      outcome: 'accepted',
      user: { uid: 2345, login: 'simon371' },
      aborted: false,
      hidden: [
        { placeholder: '«secret 1»', characters: 43, mark: expect.stringMatching(/^[0-9a-f]{6}$/) },
      ],
    });
  });

  const refused: [string, () => Promise<unknown>, object, string][] = [
    [
      'an unknown token',
      () => call(`/user/verify?token=${secret(newToken())}`),
      { outcome: 'refused', because: 'unknown', response: { status: 422 } },
      'There is no such token, or no such login.',
    ],
    [
      'an expired token',
      async () => call(`/user/verify?token=${await mint(backend, 'test1', { ttl: -1 })}`),
      { outcome: 'refused', because: 'expired', user: { uid: 1, login: 'test1' } },
      'The token was good, and is over.',
    ],
    [
      'the token of another user than the request names',
      async () => call(`/user/verify?user_id=1&token=${await mint(backend, 'simon371')}`),
      { outcome: 'refused', because: 'another-user', user: { uid: 2345, login: 'simon371' } },
      'The credential is good, but belongs to another user than the request names.',
    ],
    [
      'a client token that was revoked',
      async () => {
        const { clientTokens } = houseOf(backend);
        const jwt = secret(await clientTokens.issue(2345, 600));
        await clientTokens.revoke(jwt);
        await call(`/auth/check?jwt=${jwt}`);
      },
      { outcome: 'refused', because: 'revoked', user: { uid: 2345, login: 'simon371' } },
      'The token was revoked.',
    ],
    [
      'a service that is not allowed',
      async () => {
        const jwt = secret(await houseOf(backend).clientTokens.issue(2345, 600));
        await call(`/auth/authorize?service=another&jwt=${jwt}`);
      },
      {
        outcome: 'refused',
        because: 'service-not-allowed',
        user: { uid: 2345, login: 'simon371' },
      },
      'does not serve the service that asks',
    ],
    [
      'a suspended user, answered with 200',
      () => call('/', developerLogin('test4', 'test4')),
      {
        outcome: 'refused',
        because: 'user-suspended',
        user: { uid: 4, login: 'test4' },
        response: { status: 200 },
      },
      'The credential is good, but its user is suspended.',
    ],
    [
      'a wrong password',
      () => call('/', developerLogin('test1', secret('not-the-password-of-test1'))),
      { outcome: 'refused', because: 'wrong-password', user: { uid: 1, login: 'test1' } },
      'The login exists; the password is another one.',
    ],
    [
      'a caller that is not the platform, whose body is not read',
      () => call('/', { method: 'POST', headers: json, body: '{"id":"test1","password":"test1"}' }),
      { outcome: 'refused', response: { status: 401 }, request: { body: { bytes: 0 } } },
      'The caller did not prove to be the platform',
    ],
    [
      'a body that is no JSON',
      () => call('/', { ...developerLogin('a', 'b'), body: '{"id":' }),
      { outcome: 'refused', response: { status: 400 }, request: { body: { text: '{"id":' } } },
      'The request could not be read.',
    ],
    [
      'a body that is too large',
      () => call('/user/verify', { method: 'POST', body: `token=${'x'.repeat(70_000)}` }),
      { outcome: 'refused', response: { status: 413 }, request: { body: { bytes: 0 } } },
      'The body is longer than any that a platform sends.',
    ],
    [
      'a method that its path has not',
      () => call('/user/verify?token=none', { method: 'PUT', body: 'token=none' }),
      {
        platform: { id: 'connectycube' },
        outcome: 'refused',
        request: { method: 'PUT', url: '/user/verify?token=«secret 1»', body: { bytes: 0 } },
        response: {
          status: 405,
          headers: expect.arrayContaining([['Allow', 'GET, HEAD, POST']]),
          body: { text: expect.stringContaining('Method not allowed.') },
        },
      },
      'The path is right, the method is not: `Allow` in the response names those that are answered.',
    ],
    [
      'a path that is mistyped',
      () => call('/user/verfy?token=none'),
      {
        platform: { id: 'nobody' },
        outcome: 'refused',
        request: { url: '/user/verfy?token=«secret 1»' },
        response: { status: 404, body: { text: expect.stringContaining('Not found.') } },
      },
      'No platform’s endpoint is at this path; did you mean /user/verify, ',
    ],
  ];
  test.each(refused)('refused for %s: the page says why', async (_what, send, expected, why) => {
    await send();
    const found = await newest(backend);
    expect(found).toMatchObject(expected);
    expect((await visitor(backend).get(`/console/calls/${found.id}`)).text).toContain(why);
  });

  test('that we fail: a fault, with the answer that was sent', async () => {
    const release = await holdDatabase(backend);
    // Whose tries are counted, which is a write.
    const login = developerLogin('test1', secret('not-the-password-of-test1'));
    const { status, text } = await call('/', login).finally(release);
    expect(status).toBe(503);
    expect(await newest(backend)).toMatchObject({
      outcome: 'fault',
      response: { status: 503, body: { text } },
    });
  }, 20_000);

  test('without a token, of an App that asks where to sign in: nobody was refused', async () => {
    await call('/auth/check');
    const found = await newest(backend);
    expect(found).toMatchObject({ outcome: 'other', because: 'no-credential' });
    const { text } = await visitor(backend).get(`/console/calls/${found.id}`);
    expect(text).toMatch(/<span class="badge ">\s*<svg[^>]*>.*?<\/svg>\s*no credential</s);
  });

  test('that is none of a platform is not there', async () => {
    for (const path of ['/', '/healthz', '/readyz', '/login', '/console', '/console/nothing'])
      await call(path);
    await call('/healthz', { method: 'PUT' });
    await call('/user/verify', { method: 'OPTIONS' });
    expect(await captured(backend)).toEqual([]);
  });

  test('to a path where nothing is, as browsers and crawlers send many: is not there', async () => {
    for (const path of ['/favicon.ico', '/robots.txt', '/wp-login.php', '/.env', '/.well-known/x'])
      await call(path);
    await call('/nothing', { headers: { 'sec-fetch-site': 'none' } });
    await call('/nothing', { method: 'OPTIONS' });
    expect(await captured(backend)).toEqual([]);
  });

  test('to paths where nothing is: the newest 50, and they push no other out', async () => {
    await call('/user/verify?token=none');
    for (let sent = 0; sent < 60; sent += 1) await call(`/nothing/${sent}`);
    const urls = (await captured(backend)).map(({ request: { url } }) => url);
    expect(urls).toHaveLength(51);
    expect([urls[0], urls[49], urls[50]]).toEqual([
      '/nothing/59',
      '/nothing/10',
      '/user/verify?token=«secret 1»',
    ]);
    expect(await captured(backend, '?platform=nobody')).toHaveLength(50);
  });

  test('HEAD has no body in its answer', async () => {
    await call(`/user/verify?token=${await mint(backend, 'test1')}`, { method: 'HEAD' });
    expect(await newest(backend)).toMatchObject({
      request: { method: 'HEAD' },
      response: { status: 200, body: { bytes: 0 } },
    });
  });

  test('of 600 the newest 500 are kept', async () => {
    const first = 600;
    for (let sent = 0; sent < first; sent += 50) {
      await Promise.all(Array.from({ length: 50 }, () => call('/user/verify?token=none')));
    }
    const all = await captured(backend);
    expect(all).toHaveLength(500);
    const [last] = all;
    expect(all.map(({ id }) => id)).toEqual(
      Array.from({ length: 500 }, (_, index) => (last?.id ?? 0) - index),
    );
    const gone = (last?.id ?? 0) - 500;
    expect((await visitor(backend).get(`/console/calls/${gone}`)).status).toBe(404);
  });
});

describe('no secret', () => {
  const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-console-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is on any page, in JSON, in events or in a command', async () => {
    const secrets: string[] = [];
    const canary = (value = newToken()) => {
      secrets.push(secret(value));
      return value;
    };
    const events = await watch(backend);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const good = canary(await mint(backend, 'simon371'));
    const password = canary('blåbær "syltetøy"/+& 1');
    secrets.push(apiSecret);

    await call(`/user/verify?token=${good}`);
    await call(`/user/verify?token=${canary()}&access_token=${canary()}`);
    await call(`/user/verify?user_id=${canary()}&anything=${good}`);
    await call('/user/verify', { headers: { authorization: `Bearer ${canary()}` } });
    await call('/user/verify', {
      headers: {
        'idp-token': canary(),
        'auth-token': canary('short-auth'),
        cookie: `a=${canary('a-cookie')}`,
      },
    });
    await call('/user/verify', {
      method: 'POST',
      headers: form,
      body: `token=${canary()}&jwt=${canary('a.jwt.of-sorts')}`,
    });
    await call('/user/verify', {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ token: { deep: [canary()] } }),
    });
    await call('/user/verify', {
      method: 'POST',
      body: `{"client_secret":"${canary('cut-off-secret')}`,
    });
    for (const body of [
      `{'password':'${canary('in-single-quotes')}'}`,
      `{password:"${canary('without-quotes')}"}`,
      `{"password"/**/:"${canary('after-a-comment')}"}`,
      `password: ${canary('in-a-header-of-sorts')}`,
      `--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n${canary('in-a-part')}\r\n--b--`,
      JSON.stringify({ data: JSON.stringify({ password: canary('json-in-json') }) }),
      `data=${encodeURIComponent(JSON.stringify({ password: canary('json-in-a-form') }))}`,
      JSON.stringify({ name: 'password', value: canary('named-and-valued') }),
      JSON.stringify([['password', canary('in-a-pair')]]),
      `<a><password><![CDATA[${canary('in-cdata')}]]></password></a>`,
      `<user password="${canary('in-an-attribute')}"/>`,
    ]) {
      await call('/user/verify', { method: 'POST', body });
    }
    const wide = canary('in-two-bytes-each');
    await call('/user/verify', {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-16le' },
      body: Buffer.from(JSON.stringify({ password: wide }), 'utf16le'),
    });
    await call(`/GetUserInfo?tk=${canary('pango-short')}`);
    await call('/', developerLogin('simon371', password));
    await call('/', {
      ...developerLogin('a', 'b'),
      headers: { ...json, authorization: basic('key', canary('not-the-secret')) },
    });
    await call(`/user/verify?${new URLSearchParams({ password, note: `so ${password} it is` })}`);
    await call(
      `/user/verify?next=${encodeURIComponent(`https://app.example/?code=${canary('a-code-in-a-url')}`)}`,
    );

    const calls = await captured(backend);
    expect(calls).toHaveLength(25);
    await events.until(new RegExp(`"id":${calls[0]?.id},`));
    events.close();

    const one = visitor(backend);
    const pages = ['/console', '/console/log', '/console/log/rows', '/console/api/calls'];
    for (const { id } of calls) {
      pages.push(
        `/console/calls/${id}`,
        `/console/calls/${id}?part=1`,
        `/console/calls/${id}/edit`,
        `/console/calls/${id}/curl`,
        `/console/api/calls/${id}`,
      );
    }
    const shown = [events.text()];
    for (const page of pages) {
      const { status, text } = await one.get(page);
      expect(status).toBe(200);
      shown.push(text);
    }
    writeFileSync(
      join(folder, 'secrets-1'),
      secrets.map((one) => `${JSON.stringify(one)}\n`).join(''),
    );
    writeFileSync(
      join(folder, 'log-1'),
      shown
        .join('\n')
        .replaceAll(
          /&#39;|&quot;|&amp;/g,
          (one) => ({ '&#39;': "'", '&quot;': '"', '&amp;': '&' })[one] ?? one,
        ),
    );
    expect(leaks(folder)).toEqual([]);
    // And that the search would find one:
    writeFileSync(join(folder, 'log-2'), `${shown.join('\n')}${good}`);
    expect(leaks(folder)).toHaveLength(1);
  });

  test('is there after every row of every platform', async () => {
    const bound = await bindings(backend);
    for (const { scenarios } of platforms) {
      for (const row of scenarios)
        await send(backend.url, bind(row, { ...bound, 'request.id': 'any' }).send);
    }
    const calls = await captured(backend);
    expect(calls.length).toBeGreaterThan(80);
    const secrets = Object.values(bound).filter((value) => value.length >= 8);
    expect(secrets.length).toBeGreaterThan(20);
    writeFileSync(
      join(folder, 'secrets-1'),
      secrets.map((value) => `${JSON.stringify(value)}\n`).join(''),
    );
    writeFileSync(join(folder, 'log-1'), calls.map((one) => JSON.stringify(one)).join('\n'));
    rmSync(join(folder, 'log-2'), { force: true });
    expect(leaks(folder)).toEqual([]);
  });

  test('is found by searching for it', async () => {
    const token = secret(newToken());
    await call(`/user/verify?token=${token}`);
    expect(await captured(backend, `?text=${token.slice(0, 8)}`)).toEqual([]);
    expect(await captured(backend, '?text=user/verify')).toHaveLength(1);
  });
});

describe('what hostile callers send', () => {
  const bad = `<script>alert(1)</script><img src=x onerror=alert(1)>"'\`</textarea></pre></title>`;

  test('is text on every page', async () => {
    const encoded = encodeURIComponent(bad);
    await call(`/user/verify?x=${encoded}&token=${encoded}`, {
      method: 'POST',
      headers: { 'user-agent': bad, 'content-type': `text/html;${bad.replace(/"/g, '')}` },
      body: `x=${bad}`,
    });
    await exchange(
      backend.url,
      `GET /user/verify?x=${bad.replaceAll(' ', '')}&«secret_1»=«secret 9» HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Bad: ${bad}\r\n\r\n`,
    );
    const one = visitor(backend);
    const [last] = await captured(backend);
    const pages = [
      '/console',
      '/console/log',
      `/console/log?text=${encoded}&user=${encoded}&platform=${encoded}&outcome=${encoded}&scripts=${encoded}&title=${encoded}`,
      `/console/log?done=${encoded}`,
      `/console/calls/${last?.id}`,
      `/console/calls/${last?.id}/edit`,
      `/console/${encoded}`,
      `/console/calls/${encoded}`,
    ];
    for (const page of pages) {
      const { text } = await one.get(page);
      expect(text).not.toMatch(/<script>|<img|onerror=alert\(1\)>/);
      expect(text.match(/<script\b/g)?.length).toBeLessThan(5);
    }
    const { text } = await one.get(`/console/calls/${last?.id}`);
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  test('is no line break in an event', async () => {
    const events = await watch(backend);
    await call('/user/verify?x=%0A%0Adata:%20forged&token=a', {
      headers: { 'user-agent': 'x data: y' },
    });
    const text = await events.until(/event: ?call[\s\S]*\n\n/);
    events.close();
    expect(text).not.toMatch(/^data: forged/m);
    expect(text.match(/^event: ?call$/gm)).toHaveLength(1);
  });

  test('bytes that are no text are said to be none', async () => {
    await call('/user/verify', { method: 'POST', body: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) });
    const found = await newest(backend);
    expect(found.request.body).toMatchObject({ bytes: 4, lossy: true });
    expect((await visitor(backend).get(`/console/calls/${found.id}`)).text).toContain(
      'This is not UTF-8',
    );
  });
});

test.each([
  ['UTF-16', 'application/json; charset=utf-16le', Buffer.from('{"a":1}', 'utf16le')],
  ['an encoding with other letters in the place of ours', 'text/plain; charset=iso-2022-jp', 'a=1'],
  ['a charset that nobody knows', 'text/plain; charset=klingon', 'a=1'],
  ['NUL', 'text/plain', 'a=\0'],
])('of a body in %s no text is kept', async (_what, type, body) => {
  await call('/user/verify', { method: 'POST', headers: { 'content-type': type }, body });
  const found = await newest(backend);
  expect(found.request.body).toMatchObject({ text: '', truncated: false });
  if (found.request.body.bytes > 0) {
    expect(found.request.body.lossy).toBe(true);
    expect((await visitor(backend).get(`/console/calls/${found.id}`)).text).toContain(
      'This is no text that can be shown',
    );
  }
});

test('a password told by trying: the marks do not say when it is the same', async () => {
  await call('/', developerLogin('test1', 'test1'));
  await call('/', developerLogin('test1', 'test2'));
  const [second, first] = await captured(backend);
  expect(second?.hidden).toEqual(first?.hidden);
  expect(second?.hidden).toEqual([{ placeholder: '«secret 1»' }, { placeholder: '«secret 2»' }]);
});

describe('the log', () => {
  test('is filtered by platform, verdict, user and text', async () => {
    await call(`/user/verify?token=${await mint(backend, 'simon371')}`);
    await call(`/GetUserInfo?tk=${await mint(backend, 'vpn-user')}`);
    await call('/user/verify?token=none', { headers: { 'x-app': 'Chat-42' } });
    const ids = async (query: string) =>
      (await captured(backend, query)).map(({ request }) => request.url.split('?')[0]);
    expect(await ids('')).toEqual(['/user/verify', '/GetUserInfo', '/user/verify']);
    expect(await ids('?platform=pango')).toEqual(['/GetUserInfo']);
    expect(await ids('?outcome=refused')).toEqual(['/user/verify']);
    expect(await ids('?user=simon')).toEqual(['/user/verify']);
    expect(await ids('?user=690109944')).toEqual(['/GetUserInfo']);
    expect(await ids('?user=69010994')).toEqual([]);
    // In a login, a digit is a letter like any other; alone it is no part of one.
    expect(await ids('?user=simon3')).toEqual(['/user/verify']);
    expect(await ids('?user=3')).toEqual([]);
    expect(await ids('?text=chat-42')).toEqual(['/user/verify']);
    expect(await ids('?platform=pango&outcome=refused')).toEqual([]);
    const { text } = await visitor(backend).get('/console/log?platform=pango&user=VPN');
    expect(text.match(/<tr class="call"/g)).toHaveLength(1);
    expect(text).toContain('<option value="pango" selected>');
    expect(text).toContain('value="VPN"');
  });

  test('tells what this console has played and sent again from the calls of others', async () => {
    await call('/user/verify?token=none');
    const { id } = await newest(backend);
    const page = '/console/flows/pango';
    await act(backend, page, page, { user: 'test1', variant: 'good' });
    await act(backend, `/console/calls/${id}`, `/console/calls/${id}/replay`);
    const from = async (who: string) =>
      (await captured(backend, `?from=${who}`)).map(({ request, played, replayOf }) => [
        request.url.split('?')[0],
        played,
        replayOf,
      ]);
    expect(await from('others')).toEqual([['/user/verify', false, undefined]]);
    expect(await from('console')).toEqual([
      ['/user/verify', false, id],
      ['/GetUserInfo', true, undefined],
    ]);
    const { text } = await visitor(backend).get('/console/log');
    expect(text.match(/played here/g)).toHaveLength(1);
  });

  test('latest leads to the newest call, or to the empty log', async () => {
    expect((await visitor(backend).get('/console/latest')).location).toBe('/console/log');
    await call('/user/verify?token=none');
    const { id } = await newest(backend);
    expect((await visitor(backend).get('/console/latest')).location).toBe(`/console/calls/${id}`);
  });

  test('is cleared without a question, and brought back', async () => {
    await call('/user/verify?token=before');
    const one = await act(backend, '/console/log', '/console/log/clear');
    expect(one.location).toBe('/console/log?done=cleared');
    expect(await captured(backend)).toEqual([]);
    await call('/user/verify?token=after');
    const undone = await act(backend, '/console/log?done=cleared', '/console/log/restore');
    expect(undone.location).toBe('/console/log?done=restored');
    expect(await captured(backend)).toHaveLength(2);
  });
});

describe('events', () => {
  const idsIn = (text: string) => [...text.matchAll(/"id":(\d+),/g)].map(([, id]) => Number(id));

  test('tell of each call, with its row', async () => {
    const events = await watch(backend);
    expect(events.headers.get('content-type')).toContain('text/event-stream');
    await call('/user/verify?token=none');
    const text = await events.until(/event: ?call[\s\S]*\n\n/);
    events.close();
    const { id } = await newest(backend);
    expect(idsIn(text)).toEqual([id]);
    expect(text).toContain(`href=\\"/console/calls/${id}\\"`);
  });

  test('only of those that the filter lets through', async () => {
    const events = await watch(backend, '?platform=pango');
    await call('/user/verify?token=none');
    await call('/GetUserInfo?tk=none');
    const text = await events.until(/event: ?call[\s\S]*\n\n/);
    events.close();
    expect(idsIn(text)).toEqual([(await newest(backend)).id]);
  });

  test('go on where they broke off', async () => {
    await call('/user/verify?token=one');
    const first = await watch(backend);
    await call('/user/verify?token=two');
    const seen = await first.until(/event: ?call[\s\S]*\n\n/);
    const id = [...seen.matchAll(/^id: ?(.+)$/gm)].at(-1)?.[1] ?? '';
    first.close();
    await call('/user/verify?token=three');
    await call('/user/verify?token=four');
    const second = await watch(backend, '', { 'last-event-id': id });
    const text = await second.until(/(event: ?call[\s\S]*){2}\n\n/);
    second.close();
    const [four, three] = await captured(backend);
    expect(idsIn(text)).toEqual([three?.id, four?.id]);
  });

  test('of another run of the server begin anew', async () => {
    const events = await watch(backend, '', { 'last-event-id': 'another-7' });
    expect(await events.until(/event: ?reset/)).toMatch(/event: ?reset/);
    events.close();
  });

  test('say that the log was cleared', async () => {
    const events = await watch(backend, '?lastEventId=x');
    await events.until(/event: ?reset[\s\S]*\n\n/);
    await act(backend, '/console/log', '/console/log/clear');
    expect(await events.until(/(event: ?reset[\s\S]*){2}/)).toMatch(/(event: ?reset[\s\S]*){2}/);
    events.close();
  });

  test('say that a fault was armed, and that it is spent', async () => {
    const events = await watch(backend);
    const armed = async () => (await visitor(backend).get('/console/chaos/armed')).text;
    await act(backend, '/console/chaos', '/console/chaos', {
      platform: 'pango',
      fault: 'server-error',
    });
    await events.until(/event: ?armed[\s\S]*\n\n/);
    expect(await armed()).toContain('The next call of Pango gets: 500');
    await call('/GetUserInfo', { method: 'PUT' });
    await call('/GetUserInfo?tk=none');
    const text = await events.until(/(event: ?armed[\s\S]*){2}\n\n/);
    events.close();
    expect(text.match(/event: ?armed/g)).toHaveLength(2);
    expect(await armed()).not.toContain('Chaos is armed');
    expect((await captured(backend)).map(({ chaos }) => chaos)).toEqual([
      'server-error',
      undefined,
    ]);
  });

  test('are for 20 at a time, also of those that come at once', async () => {
    const all = await Promise.all(Array.from({ length: 40 }, () => watch(backend)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(20);
    for (const one of all) one.close();
    await captured(backend);
  });

  test('are for 20 at a time; who leaves makes room', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => watch(backend)));
    expect(all.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const late = await watch(backend);
    expect([late.status, late.headers.get('retry-after')]).toEqual([503, '10']);
    for (const one of all) one.close();
    let status = 503;
    for (let tries = 0; tries < 200 && status !== 200; tries += 1) {
      const one = await watch(backend);
      status = one.status;
      one.close();
    }
    expect(status).toBe(200);
  });
});
