/** A backend that answers what a test says: badly, mostly. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Asked = {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

type Said = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export type FakeBackend = {
  readonly url: string;
  /** What it was asked, oldest first. */
  readonly asked: readonly Asked[];
  /** What it says from now on; a function is asked each time; 'nothing': it never answers. */
  readonly says: (said: Said | ((asked: Asked) => Said) | 'nothing') => void;
  readonly stop: () => Promise<void>;
};

export async function startFakeBackend(): Promise<FakeBackend> {
  const asked: Asked[] = [];
  let says: Parameters<FakeBackend['says']>[0] = {};
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    const one = { method, url, headers, body: await text(request) };
    asked.push(one);
    if (says === 'nothing') return;
    const said = typeof says === 'function' ? says(one) : says;
    response.writeHead(said.status ?? 200, {
      'Content-Type': 'application/json',
      ...said.headers,
    });
    response.end(said.body ?? '');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    says(said) {
      asked.length = 0;
      says = said;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

export type Case = readonly [title: string, said: Said];

/** Answers that no platform can use. */
export const unusable: readonly Case[] = [
  ['500', { status: 500, body: '{"error":"server_error"}' }],
  [
    '503',
    { status: 503, headers: { 'Retry-After': '1' }, body: '{"error":"temporarily_unavailable"}' },
  ],
  ['HTML', { headers: { 'Content-Type': 'text/html' }, body: '<!doctype html><h1>Welcome</h1>' }],
  ['nothing in the body', { body: '' }],
  ['JSON that ends too early', { body: '{"result":' }],
  ['a JSON array', { body: '[]' }],
  ['a JSON string', { body: '"OK"' }],
  ['JSON null', { body: 'null' }],
  ['an empty object', { body: '{}' }],
];
