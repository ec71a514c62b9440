import { join } from 'node:path';
import { Eta } from 'eta';
import type { Answer } from '../http/answer.ts';
import { projectRoot } from '../project-root.ts';

/** The console's pages, and the one at `/`. Escapes whatever it prints. */
export const views = new Eta({ views: join(projectRoot, 'app/console/views'), cache: true });

/** No inline script or style, nothing from another host, not to be framed; DOM sinks take no strings but through assets/fragment.js. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types console',
].join('; ');

/** `same-origin`: with `no-referrer`, browsers would send our own forms with `Origin: null`. */
export const protectiveHeaders = {
  'Content-Security-Policy': policy,
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** An HTML page of the console, or a part of one. */
export const html = (
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Answer => ({
  status,
  headers: { 'Content-Type': 'text/html; charset=utf-8', ...protectiveHeaders, ...headers },
  body,
});
