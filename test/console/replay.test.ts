/** Sending a call again: the same or changed, to this server and to nobody else. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newToken } from '../../app/oauth/secrets.ts';
import { trail } from '../../app/store/audit.ts';
import { apiKey, apiSecret, type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { act, captured, newest } from '../support/console.ts';
import { basic } from '../support/oauth.ts';
import { mint } from '../support/tokens.ts';
import { formOf, visitor } from '../support/visitor.ts';

let backend: Backend;
/** Another server, where nothing may arrive. */
const elsewhere = createServer((request, response) => {
  strayed.push(`${request.method} ${request.url}`);
  response.end();
});
const strayed: string[] = [];
let port: number;

beforeAll(async () => {
  backend = await startBackend();
  await new Promise<void>((listening) => elsewhere.listen(0, '127.0.0.1', listening));
  port = (elsewhere.address() as AddressInfo).port;
});

beforeEach(() => act(backend, '/console/log', '/console/log/clear'));

afterAll(async () => {
  expect(strayed).toEqual([]);
  elsewhere.close();
  await backend.stop();
});

const paths = async () => {
  const { id } = await newest(backend);
  return {
    page: `/console/calls/${id}`,
    replay: `/console/calls/${id}/replay`,
    edit: `/console/calls/${id}/edit`,
  };
};

/** Fills the form for editing the newest call, and sends it. */
async function edit(fields: Record<string, string>) {
  const { edit: page } = await paths();
  const one = visitor(backend);
  const { text } = await one.get(page);
  const { url, headers, body } = textsOf(text);
  return one.post(page, { ...formOf(text, page), url, headers, body, ...fields });
}

const decoded = (html: string) =>
  html
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

/** What the editor shows. */
const textsOf = (html: string) => ({
  url: decoded(/name="url" value="([^"]*)"/.exec(html)?.[1] ?? ''),
  headers: decoded(/<textarea id="headers"[^>]*>\n?([^<]*)/.exec(html)?.[1] ?? ''),
  body: decoded(/<textarea id="body"[^>]*>\n?([^<]*)/.exec(html)?.[1] ?? ''),
});

const alertOf = (html: string) => decoded(/role="alert"[^>]*>([^<]*)/.exec(html)?.[1] ?? '');

const developerLogin = (id: string, password: string) =>
  fetch(`${backend.url}/`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: basic(apiKey, apiSecret),
      'x-app': 'one',
    },
    body: JSON.stringify({ serviceApiKey: 21653835348762, id, password, expiresIn: 0 }),
  });

test('as it was, secrets and all: a new call that says what it repeats', async () => {
  await developerLogin('test1', 'test1');
  const { id } = await newest(backend);
  const { page, replay } = await paths();
  const { status, location } = await act(backend, page, replay);
  const again = await newest(backend);
  expect([status, location]).toEqual([303, `/console/calls/${again.id}`]);
  expect(again).toMatchObject({
    replayOf: id,
    outcome: 'accepted',
    user: { uid: 1, login: 'test1' },
    request: { method: 'POST', url: '/', headers: expect.arrayContaining([['x-app', 'one']]) },
  });
  expect(again.id).not.toBe(id);
  expect((await visitor(backend).get(location ?? '')).text).toContain(
    `<a href="/console/calls/${id}">call ${id}</a>`,
  );
});

test('with more secrets than are kept: not as it was, but edited; and nobody waits for it', async () => {
  const pin = Array.from({ length: 11_000 }, (_, index) => index % 10_000);
  await fetch(`${backend.url}/user/verify`, { method: 'POST', body: JSON.stringify({ pin }) });
  const call = await newest(backend);
  expect(call).toMatchObject({
    request: { body: { text: '«secret 1»' } },
    hidden: [{ placeholder: '«secret 1»', cut: true }],
  });
  const { page, replay } = await paths();
  const { status, text } = await act(backend, page, replay);
  expect([status, alertOf(text)]).toEqual([
    422,
    'What stood as «secret 1» had too many secrets in it to be kept. Edit it: write something else there.',
  ]);
  expect((await newest(backend)).id).toBe(call.id);
  expect((await edit({ body: 'token=none' })).status).toBe(303);
});

test('changed: the editor shows placeholders, and they are filled in on the way', async () => {
  const token = await mint(backend, 'simon371');
  await fetch(`${backend.url}/user/verify?token=${token}`);
  const { edit: page } = await paths();
  expect(textsOf((await visitor(backend).get(page)).text).url).toBe(
    '/user/verify?token=«secret 1»',
  );
  const { status } = await edit({
    url: '/user/verify?user_id=2345&token=«secret 1»',
    headers: 'X-Who: me',
  });
  expect(status).toBe(303);
  expect(await newest(backend)).toMatchObject({
    outcome: 'accepted',
    request: {
      url: '/user/verify?user_id=2345&token=«secret 1»',
      headers: expect.arrayContaining([['X-Who', 'me']]),
    },
  });
  await edit({ url: '/user/verify?token=something-else' });
  expect(await newest(backend)).toMatchObject({ outcome: 'refused', because: 'unknown' });
});

test('with another method: GET and HEAD have no body', async () => {
  await fetch(`${backend.url}/user/verify?token=none`);
  for (const [method, bytes] of [
    ['POST', 8],
    ['HEAD', 0],
    ['PUT', 0],
    ['GET', 0],
  ] as const) {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const headers = Object.entries(form).map(([name, value]) => `${name}: ${value}`);
    const { status } = await edit({ method, headers: headers.join('\n'), body: 'user_id=' });
    expect(status).toBe(303);
    const { request, response } = await newest(backend);
    // PUT is not read.
    expect([request.method, request.body.bytes]).toEqual([method, bytes]);
    expect(response.status).toBe(method === 'PUT' ? 405 : 422);
    const [event] = await trail(backend.services.database, { limit: 1 });
    expect(event?.detail).toEqual({ platform: 'connectycube', request: `${method} /user/verify` });
  }
});

test.each(['TRACE', 'CONNECT', 'get', 'GET / HTTP/1.1\r\nX: y', ''])(
  'with the method %j: it is not sent',
  async (method) => {
    await fetch(`${backend.url}/user/verify?token=none`);
    const { status, text } = await edit({ method });
    expect([status, alertOf(text)]).toEqual([422, 'This method is not sent from here.']);
    expect(await captured(backend)).toHaveLength(1);
  },
);

test('a changed body', async () => {
  await developerLogin('test1', 'test1');
  await edit({ body: '{"id":"test4","password":"test4"}' });
  expect(await newest(backend)).toMatchObject({
    outcome: 'refused',
    because: 'user-suspended',
    request: { body: { text: '{"id":"test4","password":"«secret 2»"}' } },
  });
});

test('line breaks stay what they were, though forms make them CRLF', async () => {
  const send = (body: string) => fetch(`${backend.url}/user/verify`, { method: 'POST', body });
  for (const [sent, typed, expected] of [
    ['{"a":1,\n"b":2}', '{"a":1,\r\n"b":2}', '{"a":1,\n"b":2}'],
    ['{"a":1,\r\n"b":2}', '{"a":1,\r\n"b":2}', '{"a":1,\r\n"b":2}'],
    ['{"a":1}', '{"a":1,\r\n"b":2}', '{"a":1,\n"b":2}'],
  ] as const) {
    await send(sent);
    await edit({ body: typed });
    expect((await newest(backend)).request.body.text).toBe(expected);
  }
});

test('a secret that is put where nobody would look for one is hidden there, too', async () => {
  await developerLogin('test1', secret('kat&hund'));
  await edit({
    url: '/?innocent=«secret 2»',
    headers: 'Authorization: Basic «secret 1»\nX-Note: «secret 2»',
    body: '{"note":"«secret 2»"}',
  });
  const again = JSON.stringify(await newest(backend));
  expect(again).not.toContain('kat&hund');
  expect(again).toContain('/?innocent=«secret');
});

test('a placeholder that somebody sent is no secret of another call', async () => {
  await fetch(`${backend.url}/user/verify?token=${secret(newToken())}`);
  await fetch(`${backend.url}/user/verify?x=%C2%ABsecret%201%C2%BB&y=«secret 1»`);
  const { page, replay } = await paths();
  await act(backend, page, replay);
  const [again, sent] = await captured(backend);
  expect(again?.request.url).toBe(sent?.request.url);
});

describe('stays on this server', () => {
  const targets = () => [
    `http://127.0.0.1:${port}/`,
    `//127.0.0.1:${port}/`,
    `/\\127.0.0.1:${port}/`,
    `\\\\127.0.0.1:${port}/`,
    `@127.0.0.1:${port}/`,
    `:${port}/`,
    `/ HTTP/1.1\r\nHost: 127.0.0.1:${port}`,
    `/\nX: y`,
    '/\tx',
    '/ x',
    '/x#y',
    '/ø',
    '',
    ' ',
    'user/verify',
  ];

  test('the path cannot lead away', async () => {
    await fetch(`${backend.url}/user/verify?token=none`);
    for (const url of targets()) {
      const { status, text } = await edit({ url });
      expect([url, status]).toEqual([url, 422]);
      expect([url, alertOf(text)]).toEqual([
        url,
        'The path begins with one slash, and has no spaces, backslashes or fragments: it stays on this server.',
      ]);
    }
    expect(await captured(backend)).toHaveLength(1);
  });

  test.each([
    '/console',
    '/console/log/clear',
    '/x/../console/log',
    '/x/%2e%2e/console',
    '/x/./../console?y',
  ])('nor to the console: %s', async (url) => {
    await fetch(`${backend.url}/user/verify?token=none`);
    const { status, text } = await edit({ url });
    expect(status).toBe(422);
    expect(alertOf(text)).toBe('The console does not call itself.');
  });

  test.each([
    'X-A: b\rX-C: d',
    'X-A\r\n : b',
    'no header',
    ': b',
    'X A: b',
    'X-A: \u0001',
    'X-A: 🫐',
    'X-A: a\u0000b',
  ])('headers that are none, such as %j, are not sent', async (headers) => {
    await fetch(`${backend.url}/user/verify?token=none`);
    const { status, text } = await edit({ headers });
    expect(status).toBe(422);
    expect(alertOf(text)).toContain('is no header: a name, a colon, a value, one a line.');
    expect(await captured(backend)).toHaveLength(1);
  });

  test('headers of the connection, and a Host, are not sent', async () => {
    await fetch(`${backend.url}/user/verify?token=none`);
    const headers = [
      `Host: 127.0.0.1:${port}`,
      'Connection: upgrade',
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
      'Expect: 100-continue',
      'X-Request-Id: 12345678-forged',
      'X-Kept: yes',
    ].join('\n');
    expect((await edit({ headers })).status).toBe(303);
    const again = await newest(backend);
    expect(again.requestId).not.toContain('forged');
    expect(again.request.headers).toContainEqual(['X-Kept', 'yes']);
    expect(again.request.headers).toContainEqual(['Host', new URL(backend.url).host]);
    expect(again.request.headers.map(([name]) => name)).not.toContain('Transfer-Encoding');
  });

  test('more than 100 headers are not sent', async () => {
    await fetch(`${backend.url}/user/verify?token=none`);
    const headers = Array.from({ length: 101 }, (_, index) => `X-${index}: y`).join('\n');
    expect((await edit({ headers })).status).toBe(422);
  });

  test('a path that is none of a platform’s is said to have left nothing', async () => {
    await fetch(`${backend.url}/user/verify?token=none`);
    const { status, text } = await edit({ url: '/healthz' });
    expect(status).toBe(422);
    expect(text).toContain('It was answered with 200');
  });

  test('a redirect is not followed', async () => {
    await fetch(`${backend.url}/user/verify?token=none`);
    expect((await edit({ url: '/auth/login?provider=local' })).status).toBe(303);
    expect(await newest(backend)).toMatchObject({ response: { status: 303 } });
    expect(await captured(backend)).toHaveLength(2);
  });
});

test('a body that was no text is not sent as another one', async () => {
  await fetch(`${backend.url}/user/verify`, { method: 'POST', body: Buffer.from([0xff, 0xfe]) });
  const { page, replay } = await paths();
  const { status, text } = await act(backend, page, replay);
  expect(status).toBe(422);
  expect(text).toContain('Its body was no text');
});

test('a call that has left the log cannot be sent again', async () => {
  await fetch(`${backend.url}/user/verify?token=none`);
  const { page, replay } = await paths();
  const one = visitor(backend);
  const form = formOf((await one.get(page)).text, replay);
  await act(backend, '/console/log', '/console/log/clear');
  expect((await one.post(replay, form)).status).toBe(404);
});

test('the audit trail has it, without what was sent', async () => {
  const token = await mint(backend, 'simon371');
  await fetch(`${backend.url}/user/verify?token=${token}`);
  const { id } = await newest(backend);
  const { page, replay } = await paths();
  await act(backend, page, replay);
  const [event] = await trail(backend.services.database, { limit: 1 });
  expect(event).toMatchObject({
    actor: 'console',
    action: 'console.replay',
    target: `call:${id}`,
    detail: { platform: 'connectycube', request: 'GET /user/verify' },
  });
});

test('as curl: a command for a shell, the secrets variables to fill in', async () => {
  await fetch(`${backend.url}/user/verify?token=${secret(newToken())}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-app': "it's" },
    body: "note=it's $HOME `date`",
  });
  const { page } = await paths();
  const { text } = await visitor(backend).get(`${page}/curl`);
  expect(text).toContain(`curl -i -X POST "$BASE_URL"'/user/verify?token='"$SECRET_1"`);
  expect(text).toContain(`-H 'x-app: it'\\''s'`);
  expect(text).toContain(`--data-binary 'note=it'\\''s $HOME \`date\`'`);
});
