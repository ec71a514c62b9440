import type { ErrorRequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { Unavailable } from '../verification/unavailable.ts';
import { type Answer, json, writeAnswer } from './answer.ts';
import { requestId } from './request-log.ts';

/** How a fault is told: `error` is `server_error`, or `temporarily_unavailable` for what will pass. */
export type TellFault = (fault: {
  status: number;
  error: string;
  requestId: string;
  headers: Record<string, string>;
}) => Answer;

const asJson: TellFault = ({ status, error, requestId, headers }) =>
  json(status, { error, request_id: requestId }, headers);

/** For a request that a person made: a fault of it is told as a page. */
export function tellFaultsAs(response: Response, tell: TellFault): void {
  response.locals['tellFault'] = tell;
}

/** The router’s, of a `%ff`: nobody’s fault here, and its message has a piece of the path. */
const isUnreadablePath = (error: unknown) =>
  error instanceof URIError && 'status' in error && error.status === 400;

/**
 * The last middleware: every throw ends here, is logged once with its request id, and becomes a 5xx in our words. What will
 * pass (an outage, too much to do) is a 503 with `Retry-After`; the rest is a bug, 500.
 */
export const faults =
  (log: Logger, isOutage: (error: unknown) => boolean): ErrorRequestHandler =>
  (error, request, response, _next) => {
    const request_id = requestId(request);
    if (isUnreadablePath(error)) {
      writeAnswer(response, json(400, { error: 'The path cannot be read.', request_id }));
      return;
    }
    log.error({ requestId: request_id, err: error }, 'fault');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const tell = (response.locals['tellFault'] as TellFault | undefined) ?? asJson;
    const unavailable = error instanceof Unavailable || isOutage(error);
    const retryAfter = error instanceof Unavailable ? error.retryAfter : 1;
    writeAnswer(
      response,
      tell({
        status: unavailable ? 503 : 500,
        error: unavailable ? 'temporarily_unavailable' : 'server_error',
        requestId: request_id,
        headers: unavailable ? { 'Retry-After': String(retryAfter) } : {},
      }),
    );
  };
