/** The origins whose pages may read an endpoint's answers. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { json } from '../app/http/answer.ts';
import type { Endpoint } from '../app/http/endpoint.ts';
import { platform } from '../app/platforms/platform.ts';
import { Unavailable } from '../app/verification/unavailable.ts';
import { type Backend, startBackend } from './support/backend.ts';
import { describeInBrowser, launch } from './support/browser.ts';

const app = 'https://app.example';
const other = 'http://localhost:4200';

/** An origin that is only known once a page is served from it. */
const pages: string[] = [];

const endpoints = (): readonly Endpoint[] => [
  {
    path: '/shared',
    methods: ['GET', 'POST'],
    origins: [app, other, ...pages],
    accepts: 'json',
    answer: ({ method, parameters }) => {
      if (parameters['fault'] !== undefined) throw new Unavailable('down for the test');
      return json(200, { method });
    },
  },
  { path: '/halves', methods: ['GET'], origins: [app], answer: () => json(200, {}) },
  { path: '/halves', methods: ['POST'], answer: () => json(200, {}) },
  { path: '/nobodys', methods: ['GET'], origins: [], answer: () => json(200, {}) },
  { path: '/starred', methods: ['GET'], origins: ['*'], answer: () => json(200, {}) },
  { path: '/own', methods: ['GET'], answer: () => json(200, {}) },
];

const shared = platform({
  id: 'shared',
  title: 'A platform with pages',
  docs: 'https://shared.example',
  settings: z.object({}),
  endpoints,
  scenarios: [],
});

let backend: Backend;

async function start() {
  backend = await startBackend({}, [shared]);
}

beforeAll(start);
afterAll(() => backend.stop());

/** What the answer says of CORS. */
const said = ({ headers }: Response) =>
  Object.fromEntries(
    [...headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary'),
  );

const ask = (path: string, init: RequestInit = {}) => fetch(`${backend.url}${path}`, init);
const from = (origin: string, more: Record<string, string> = {}) => ({
  headers: { origin, ...more },
});
const preflight = (path: string, method: string, origin = app) =>
  ask(path, { method: 'OPTIONS', ...from(origin, { 'access-control-request-method': method }) });

const granted = { 'access-control-allow-origin': app, vary: 'Origin' };
const nobody = { vary: 'Origin' };

test.each([app, other])('a page of %s may read', async (origin) => {
  const response = await ask('/shared', from(origin));
  expect(response.status).toBe(200);
  expect(said(response)).toEqual({ 'access-control-allow-origin': origin, vary: 'Origin' });
});

test.each([
  'https://evil.example',
  'https://app.example.evil.example',
  'https://evil-app.example',
  'http://app.example',
  'https://app.example:8443',
  'https://app.example/',
  'HTTPS://APP.EXAMPLE',
  'http://localhost:4201',
  'null',
  '*',
  '',
])('a page of %j may not', async (origin) => {
  expect(said(await ask('/shared', from(origin)))).toEqual(nobody);
  const { 'access-control-allow-origin': allowed } = said(
    await preflight('/shared', 'GET', origin),
  );
  expect(allowed).toBeUndefined();
});

test('without an origin, an answer like any other', async () => {
  const response = await ask('/shared');
  expect([response.status, said(response)]).toEqual([200, nobody]);
});

test('a star in the list is no origin', async () => {
  expect(said(await ask('/starred', from(app)))).toEqual(nobody);
});

test('a preflight is told the methods and the headers', async () => {
  const response = await preflight('/shared', 'POST');
  expect(response.status).toBe(204);
  expect(await response.text()).toBe('');
  expect(said(response)).toEqual({
    ...granted,
    'access-control-allow-methods': 'GET, HEAD, POST',
    'access-control-allow-headers': 'auth-token,content-type',
  });
});

test.each(['GET', 'HEAD'])('a preflight for %s, which has a header of its own', async (method) => {
  expect((await preflight('/halves', method)).status).toBe(204);
});

test.each([
  ['POST', '/halves'],
  ['DELETE', '/shared'],
  ['GET', '/own'],
  ['GET', '/nobodys'],
])('a preflight for %s %s, which nobody may: 405', async (method, path) => {
  const response = await preflight(path, method);
  expect([response.status, said(response)]).toEqual([405, {}]);
});

test('OPTIONS that is no preflight: 405', async () => {
  const response = await ask('/shared', { method: 'OPTIONS', ...from(app) });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
});

test.each([
  ['a bad request', '/shared', { method: 'POST', body: 'x' }, 415],
  ['a fault', '/shared?fault', {}, 503],
])('%s can be read, too', async (_what, path, init, status) => {
  const response = await ask(path, { ...init, ...from(app) });
  expect([response.status, said(response)]).toEqual([status, granted]);
});

test.each(['/own', '/nobodys'])('%s says nothing of origins', async (path) => {
  const response = await ask(path, from(app));
  expect([response.status, said(response)]).toEqual([200, {}]);
});

test('the other endpoint of the path says nothing of origins', async () => {
  const response = await ask('/halves', { method: 'POST', ...from(app) });
  expect([response.status, said(response)]).toEqual([200, {}]);
});

describeInBrowser('in Chromium', () => {
  test('a page of a listed origin reads with a token in a header; another page does not', async () => {
    const site = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Page</title>');
    });
    await new Promise<void>((listening) => site.listen(0, '127.0.0.1', listening));
    const { port } = site.address() as AddressInfo;
    pages.push(`http://localhost:${port}`);
    await backend.stop();
    await start();
    const chromium = await launch();
    try {
      const read = async (origin: string) => {
        const page = await chromium.newPage();
        await page.goto(origin);
        return page.evaluate(async (url) => {
          const headers = { 'auth-token': 'x', 'content-type': 'application/json' };
          try {
            return await (await fetch(url, { method: 'POST', headers, body: '{}' })).text();
          } catch (error) {
            return (error as Error).name;
          }
        }, `${backend.url}/shared`);
      };
      expect(await read(`http://localhost:${port}`)).toBe('{"method":"POST"}');
      expect(await read(`http://127.0.0.1:${port}`)).toBe('TypeError');
    } finally {
      await chromium.close();
      site.closeAllConnections();
      await new Promise((closed) => site.close(closed));
    }
  }, 60_000);
});
