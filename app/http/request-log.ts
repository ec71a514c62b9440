import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { Verdict } from '../verification/verdict.ts';

/** What we take over from a proxy: nothing that could break a log line or be a token. */
const acceptable = /^[A-Za-z0-9-]{8,36}$/;

const ids = new WeakMap<IncomingMessage, string>();

/** The caller's `X-Request-Id` if it looks like one (8-36 letters, digits, dashes), else a new UUID. */
export function requestId(request: IncomingMessage): string {
  const known = ids.get(request);
  if (known !== undefined) return known;
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && acceptable.test(given) ? given : randomUUID();
  ids.set(request, id);
  return id;
}

/** The path without the query, and with whatever in it is too long or too odd for a word taken out: it may be a token. */
export function loggablePath(url: string): string {
  const [path = ''] = url.split('?', 1);
  return path
    .slice(0, 2048)
    .split('/')
    .map((part) => (/^[A-Za-z0-9._-]{0,24}$/.test(part) ? part : `[${part.length} characters]`))
    .join('/');
}

/** Notes for the log line of this request what its answer rests on. */
export function noteVerdict(response: Response, verdict: Verdict): void {
  response.locals['verdict'] = verdict;
}

/**
 * One line a request, when it ends. It is made of what may be known, rather than cleaned of what may not: no query, no
 * headers, no body; of a user, the uid.
 */
export const requestLog =
  (log: Logger): RequestHandler =>
  (request, response, next) => {
    const started = process.hrtime.bigint();
    const id = requestId(request);
    // A connection that is gone has no address any more.
    const { ip } = request;
    response.setHeader('X-Request-Id', id);
    response.on('close', () => {
      const verdict = response.locals['verdict'] as Verdict | undefined;
      log.info({
        requestId: id,
        method: request.method,
        path: loggablePath(request.originalUrl),
        status: response.statusCode,
        ms: Number(process.hrtime.bigint() - started) / 1e6,
        ip,
        ...(response.writableFinished ? undefined : { aborted: true }),
        ...(verdict &&
          (verdict.accepted ? { uid: verdict.user.uid } : { refused: verdict.because })),
      });
    });
    next();
  };
