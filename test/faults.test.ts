/** What goes wrong, and what the caller and the operator are told of it. */
import { request as httpRequest, METHODS, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Endpoint } from '../app/http/endpoint.ts';
import { faults } from '../app/http/faults.ts';
import { createHttpServer } from '../app/http/http-server.ts';
import { mount, noBrowser, notFound } from '../app/http/mount.ts';
import { requestLog } from '../app/http/request-log.ts';
import { createLog } from '../app/log.ts';
import { newToken } from '../app/oauth/secrets.ts';
import { isOutage } from '../app/store/outage.ts';
import { Unavailable } from '../app/verification/unavailable.ts';
import { type Backend, type LogLine, startBackend } from './support/backend.ts';
import { secret } from './support/canaries.ts';
import { exchange, rawConnection } from './support/raw-http.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

type Answered = {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
};

/** As fetch, but with any method and any path, to the letter. */
const ask = (
  url: string,
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
) =>
  new Promise<Answered>((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const sent = httpRequest({ hostname, port, path, method, headers, agent: false });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, text }),
      );
    });
    sent.end();
  });

/** The first line of the log that fits, once it is there: the server may log a moment after we have its answer. */
async function logged(log: readonly LogLine[], fits: (line: LogLine) => boolean): Promise<LogLine> {
  for (;;) {
    const line = log.find(fits);
    if (line) return line;
    await new Promise(setImmediate);
  }
}

const lineOf = (log: readonly LogLine[], requestId: unknown) =>
  logged(log, (line) => line['requestId'] === requestId && 'status' in line);

describe('an endpoint that throws', () => {
  const log: LogLine[] = [];
  let server: Server;
  let url: string;

  const thrown: Readonly<Record<string, () => unknown>> = {
    '/error': () => new Error(`SELECT * FROM users WHERE file = '/etc/shadow'`),
    '/subclass': () => new TypeError('x is not a function'),
    '/text': () => 'just a text',
    '/nothing': () => undefined,
    '/with-status': () =>
      Object.assign(new Error('of some library'), { status: 404, expose: true }),
    '/with-cause': () => new Error('outer', { cause: new Error('inner', { cause: 'innermost' }) }),
    '/unavailable': () => new Unavailable('too many of them', { retryAfter: 7 }),
    '/outage': () => Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
  };

  beforeAll(async () => {
    const endpoints = Object.entries(thrown).map(
      ([path, error]): Endpoint => ({
        path: path as `/${string}`,
        methods: ['GET'],
        async answer() {
          await Promise.resolve();
          throw error();
        },
      }),
    );
    const synchronous: Endpoint = {
      path: '/at-once',
      methods: ['GET'],
      answer() {
        throw new Error('at once');
      },
    };
    const config = { LOG_LEVEL: 'info', LOG_FORMAT: 'json', production: true } as const;
    const logger = createLog(config as Parameters<typeof createLog>[0], {
      write: (line: string) => void log.push(JSON.parse(line)),
    });
    const app = express();
    app.use(requestLog(logger));
    app.use(mount([...endpoints, synchronous], async () => undefined, noBrowser));
    app.use(notFound);
    app.use(faults(logger, isOutage));
    const http = createHttpServer();
    http.serve(app);
    server = http.server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => new Promise((closed) => server.close(closed)));

  test.each([
    ['/error', 'Error'],
    ['/subclass', 'TypeError'],
    ['/at-once', 'Error'],
    ['/with-status', 'Error'],
    ['/with-cause', 'Error'],
  ])('%s: 500 in our words; the log has it once, with its stack', async (path, name) => {
    const { status, headers, text } = await ask(url, path);
    const id = headers['x-request-id'];
    expect(id).toMatch(uuid);
    expect(status).toBe(500);
    expect(text).toBe(`{"error":"server_error","request_id":"${id}"}`);
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(await lineOf(log, id)).toMatchObject({ status: 500, path });
    const lines = log.filter((line) => line['requestId'] === id && line['msg'] === 'fault');
    expect(lines).toMatchObject([
      { level: 50, err: { name, stack: expect.stringContaining('faults.test.ts') } },
    ]);
  });

  test.each(['/text', '/nothing'])('%s is thrown, not even an error: 500', async (path) => {
    const { status, headers, text } = await ask(url, path);
    expect(status).toBe(500);
    expect(text).toBe(`{"error":"server_error","request_id":"${headers['x-request-id']}"}`);
    expect(JSON.stringify(log)).not.toContain('just a text');
  });

  test('the causes of an error are logged', async () => {
    const { headers } = await ask(url, '/with-cause');
    const line = log.find(
      (one) => one['requestId'] === headers['x-request-id'] && one['msg'] === 'fault',
    );
    expect(line).toMatchObject({ err: { message: 'outer', cause: { message: 'inner' } } });
  });

  test.each([
    ['/unavailable', '7'],
    ['/outage', '1'],
  ])('%s, which will pass: 503 with Retry-After', async (path, retryAfter) => {
    const { status, headers, text } = await ask(url, path);
    expect(status).toBe(503);
    expect(headers['retry-after']).toBe(retryAfter);
    expect(text).toBe(
      `{"error":"temporarily_unavailable","request_id":"${headers['x-request-id']}"}`,
    );
  });

  test('HEAD: the same, without a body', async () => {
    const { status, headers, text } = await ask(url, '/error', { method: 'HEAD' });
    expect({ status, text }).toEqual({ status: 500, text: '' });
    expect(headers['content-length']).toBe('76');
  });
});

describe('a whole backend', () => {
  let backend: Backend;
  let behindProxy: Backend;

  beforeAll(async () => {
    backend = await startBackend();
    behindProxy = await startBackend({ TRUST_PROXY: '1' });
  });

  afterAll(async () => {
    await backend.stop();
    await behindProxy.stop();
  });

  const noise = () =>
    backend.log.filter((line) => Number(line['level']) >= 40 || line['msg'] === 'fault');

  afterEach(() => {
    // Nothing that a client does is an error of ours.
    expect(noise()).toEqual([]);
  });

  describe('a path that is nobody’s', () => {
    test.each(METHODS.filter((method) => method !== 'CONNECT'))('%s: 404', async (method) => {
      const { status, headers, text } = await ask(backend.url, '/nowhere?token=x', { method });
      expect(status).toBe(404);
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
      expect(text).toBe(
        method === 'HEAD' ? '' : `{"error":"Not found.","request_id":"${headers['x-request-id']}"}`,
      );
    });
  });

  describe('another method than the path answers to: 405 with Allow', () => {
    const others = (...allowed: string[]) =>
      METHODS.filter((method) => method !== 'CONNECT' && !allowed.includes(method));

    test.each([
      ...others('POST').map((method) => ['/user/login', method, 'POST']),
      ...others('POST').map((method) => ['/authlete/authentication', method, 'POST']),
      ...others('GET', 'HEAD').map((method) => ['/readyz', method, 'GET, HEAD']),
      ...others('GET', 'HEAD', 'POST').map((method) => ['/user/verify', method, 'GET, HEAD, POST']),
    ])('%s %s', async (path = '', method = '', allow) => {
      const { status, headers, text } = await ask(backend.url, path, { method });
      expect(status).toBe(405);
      expect(headers['allow']).toBe(allow);
      expect(text).toBe(
        method === 'HEAD'
          ? ''
          : `{"error":"Method not allowed.","request_id":"${headers['x-request-id']}"}`,
      );
    });

    test('where two endpoints share the path, Allow has the methods of both', async () => {
      const { status, headers } = await ask(backend.url, '/', { method: 'DELETE' });
      expect(status).toBe(405);
      expect(new Set(String(headers['allow']).split(', '))).toEqual(
        new Set(['GET', 'HEAD', 'POST']),
      );
    });
  });

  describe('X-Request-Id', () => {
    test.each([
      ['a UUID', '0b5a1f9e-6f0e-4d3b-9a53-0f3f6f3c2d11'],
      ['eight characters', 'abcdefgh'],
      ['36 characters', 'a'.repeat(36)],
    ])('%s is taken over, into the log too', async (_what, id) => {
      const { headers, text } = await ask(backend.url, '/nowhere', {
        headers: { 'x-request-id': id },
      });
      expect(headers['x-request-id']).toBe(id);
      expect(JSON.parse(text).request_id).toBe(id);
      expect(await lineOf(backend.log, id)).toMatchObject({ status: 404 });
    });

    test.each([
      ['a token of ours', secret(newToken())],
      ['longer than an id', 'a'.repeat(37)],
      ['shorter than one', 'abcdefg'],
      ['of two values', 'abcdefgh, ijklmnop'],
      ['with what could break a log line', 'abcdefgh"}{"a'],
      ['with white space', 'abcd efgh'],
      ['with Base64 in it', 'dXNlcjpwYXNz='],
      ['with a letter that is not ASCII', 'åbcdefgh'],
      ['empty', ''],
    ])('%s is replaced', async (_what, id) => {
      const { headers } = await ask(backend.url, '/nowhere', { headers: { 'x-request-id': id } });
      expect(headers['x-request-id']).toMatch(uuid);
    });

    test('none: every request gets one of its own', async () => {
      const ids = [1, 2].map(async () => (await ask(backend.url, '/healthz')).headers);
      const [one, two] = await Promise.all(ids);
      expect(one?.['x-request-id']).toMatch(uuid);
      expect(two?.['x-request-id']).toMatch(uuid);
      expect(one?.['x-request-id']).not.toBe(two?.['x-request-id']);
    });
  });

  describe('a client that goes away', () => {
    test.each([
      ['/user/login', 'application/json'],
      ['/user/login', 'application/x-www-form-urlencoded'],
      ['/user/verify', 'application/json'],
      ['/GetUserInfo', 'text/plain'],
    ])('in the middle of its body, %s %s: a line of the log, no error', async (path, type) => {
      const id = `aborted-${path}-${type.slice(-4)}`.replaceAll('/', '-');
      const socket = await rawConnection(backend.url);
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\nContent-Type: ${type}\r\n` +
          'Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n',
      );
      // The server has begun to read.
      await new Promise((resolve) => socket.once('data', resolve));
      socket.write('{"login":');
      socket.destroy();
      expect(await lineOf(backend.log, id)).toMatchObject({
        method: 'POST',
        path,
        aborted: true,
        ip: '127.0.0.1',
      });
      expect((await ask(backend.url, '/healthz')).status).toBe(200);
    });
  });

  describe('an odd URL', () => {
    test.each([
      ['not percent-encoding', '/%zz', 404],
      ['half a UTF-8 sequence', '/%c3', 404],
      ['of another host, as it seems', '//evil.example/user/verify', 404],
      ['with dots', '/user/../healthz', 404],
      ['with encoded dots', '/user/%2e%2e/healthz', 404],
      ['in another case', '/HEALTHZ', 404],
      ['with a slash at the end', '/healthz/', 200],
      ['with a query that is not percent-encoding', '/healthz?%zz=%', 200],
      ['with a fragment, which no client sends', '/healthz#x', 200],
      ['of the prototype', '/hasOwnProperty', 404],
      ['with a path of 8 KB', `/${'a'.repeat(8000)}`, 404],
      ['with a query of 8 KB', `/healthz?${'a'.repeat(8000)}`, 200],
      ['absolute', 'http://127.0.0.1/healthz', 200],
      ['absolute, of another host', 'http://evil.example/healthz', 200],
      ['absolute, with a password', 'http://user:pass@evil.example/healthz', 200],
      ['absolute, of no known scheme', 'x://%zz/healthz', 404],
      ['that is an asterisk', '*', 404],
    ])('%s: %s', async (_what, path, status) => {
      const answered = await exchange(
        backend.url,
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      expect(answered).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    });

    test('a token of 8 KB is refused like any other', async () => {
      const asked = (token: string) => ask(backend.url, `/user/verify?token=${token}`);
      const [long, short] = [await asked('a'.repeat(8000)), await asked(secret(newToken()))];
      expect(long.status).toBe(short.status);
      expect(long.text).toBe(short.text);
    });
  });

  describe('what is no HTTP is answered by Node, and costs nothing else', () => {
    const get = 'GET /healthz HTTP/1.1\r\n';
    test.each([
      ['headers of more than 16 KB', `${get}Host: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
      ['something else than HTTP', 'HELLO\r\n\r\n', 400],
      ['a method that is none', 'FETCH /healthz HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      ['no Host', `${get}\r\n`, 400],
      ['a line break in a header', `${get}Host: x\r\nX: a\rb\r\n\r\n`, 400],
      [
        'two lengths',
        'POST /user/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
        400,
      ],
      [
        'a length and chunks, which proxies may understand differently',
        'POST /user/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        400,
      ],
    ])('%s', async (_what, bytes, status) => {
      expect(await exchange(backend.url, bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect((await ask(backend.url, '/healthz')).status).toBe(200);
    });
  });

  describe('the address in the log', () => {
    const address = async ({ url, log }: Backend, headers: Record<string, string>) => {
      const answered = await ask(url, '/healthz', { headers });
      return (await lineOf(log, answered.headers['x-request-id']))['ip'];
    };

    test('is that of the connection; X-Forwarded-For is anybody’s claim', async () => {
      expect(await address(backend, {})).toBe('127.0.0.1');
      expect(await address(backend, { 'x-forwarded-for': '203.0.113.7' })).toBe('127.0.0.1');
    });

    test('behind one proxy: what that proxy has seen, not what it was told', async () => {
      expect(await address(behindProxy, { 'x-forwarded-for': '203.0.113.7' })).toBe('203.0.113.7');
      expect(await address(behindProxy, { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' })).toBe(
        '203.0.113.7',
      );
      expect(await address(behindProxy, {})).toBe('127.0.0.1');
    });
  });
});

describe('a client that is slow', () => {
  const answering = express().use((request, response) => {
    request.resume().on('end', () => response.end('late'));
  });

  test.each([
    ['its head', 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: '],
    ['its body', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc'],
  ])('%s does not come to an end: 408, and the connection is closed', async (_what, bytes) => {
    const { server, serve } = createHttpServer({
      headersTimeout: 100,
      requestTimeout: 100,
      connectionsCheckingInterval: 20,
    });
    serve(answering);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await exchange(`http://127.0.0.1:${port}`, bytes)).toMatch(/^HTTP\/1.1 408 /);
    await new Promise((closed) => server.close(closed));
  });

  test('has ten seconds for its head, and half a minute for all', () => {
    const { headersTimeout, requestTimeout, keepAliveTimeout } = createHttpServer().server;
    expect({ headersTimeout, requestTimeout, keepAliveTimeout }).toEqual({
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 65_000,
    });
  });
});
