/**
 * Chromium for tests: CHROMIUM_PATH, or where Linux distributions put it. Where there is none the tests say that they are
 * skipped; with CI=true that is a failure.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright-core';

const path = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

export const chromiumIsThere = existsSync(path);

/** `describe` for tests that need a browser. */
export function describeInBrowser(title: string, tests: () => void): void {
  if (chromiumIsThere) {
    describe(title, tests);
    return;
  }
  const why = `Chromium is not at ${path}: set CHROMIUM_PATH`;
  if (process.env['CI'] === 'true') {
    test(`${title}: ${why}`, () => {
      throw new Error(why);
    });
  } else {
    process.stderr.write(`SKIPPED: ${title}: ${why}\n`);
    describe.skip(`${title} (SKIPPED: ${why})`, tests);
  }
}

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: path, args: flags });

/** The script that finds what hinders people, to be run in a page: https://github.com/dequelabs/axe-core. */
export const axe = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

/** An app's redirect URI, on a port of its own: what arrives there, in order. */
export type Callback = {
  readonly url: string;
  readonly arrived: Readonly<Record<string, string>>[];
  readonly close: () => Promise<void>;
};

export async function startCallback(): Promise<Callback> {
  const arrived: Record<string, string>[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://app.invalid');
    if (url.pathname === '/callback') arrived.push(Object.fromEntries(url.searchParams));
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end('<!doctype html><html lang="en"><title>The app</title><h1>Back in the app</h1>');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/callback`,
    arrived,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
