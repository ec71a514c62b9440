import { hash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Verdict } from '../verification/verdict.ts';

/** What we send back, as a value. */
export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** What the answer rests on: for the operator's log, never for the wire. */
  readonly verdict?: Verdict;
};

type Headers = Readonly<Record<string, string>>;

const jsonHeaders: Headers = { 'Content-Type': 'application/json; charset=utf-8' };

/** A JSON answer. The body has no insignificant white space, and the keys in the order given. */
export const json = (status: number, body: unknown, headers?: Headers): Answer => ({
  status,
  headers: headers ? { ...jsonHeaders, ...headers } : jsonHeaders,
  body: JSON.stringify(body),
});

/** The page's one style sheet, as a Content-Security-Policy names it. */
function styleSource(body: string): string {
  const style = /<style>(.*?)<\/style>/s.exec(body)?.[1];
  return style === undefined ? "'none'" : `'sha256-${hash('sha256', style, 'base64')}'`;
}

type PageOptions = {
  readonly headers?: Headers;
  /** Where its forms may lead besides here, their redirects included: sources of a Content-Security-Policy. */
  readonly formAction?: readonly string[];
};

/** An HTML page of our own: no script, no style but the one in it, nothing from another host, not to be framed. */
export const page = (
  status: number,
  body: string,
  { headers = {}, formAction = [] }: PageOptions = {},
): Answer => ({
  status,
  headers: {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src ${styleSource(body)}`,
      "base-uri 'none'",
      ["form-action 'self'", ...formAction].join(' '),
      "frame-ancestors 'none'",
    ].join('; '),
    'Referrer-Policy': 'no-referrer',
    ...headers,
  },
  body,
});

/** 303: whatever the method was, go there with GET (RFC 9110 §15.4.4). */
export const redirect = (location: string): Answer => ({
  status: 303,
  headers: { Location: location, 'Referrer-Policy': 'no-referrer' },
  body: '',
});

/**
 * The one place that writes to the socket. Never cached, never a 304, `Content-Length` in bytes; Node leaves the body out
 * on HEAD.
 */
export function writeAnswer(response: ServerResponse, { status, headers, body }: Answer): void {
  // One by one: spreading them into one object for writeHead costs some 3 % of a request.
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.end(body);
}
