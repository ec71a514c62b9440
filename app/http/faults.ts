import type { ErrorRequestHandler } from 'express';
import type { Logger } from 'pino';
import { Unavailable } from '../verification/unavailable.ts';
import { json, writeAnswer } from './answer.ts';
import { requestId } from './request-log.ts';

/**
 * The last middleware: every throw ends here, is logged once with its request id, and becomes a 5xx in our words. What will
 * pass (an outage, too much to do) is a 503 with `Retry-After`; the rest is a bug, 500.
 */
export const faults =
  (log: Logger, isOutage: (error: unknown) => boolean): ErrorRequestHandler =>
  (error, request, response, _next) => {
    const request_id = requestId(request);
    log.error({ requestId: request_id, err: error }, 'fault');
    if (response.headersSent) {
      response.destroy();
    } else if (error instanceof Unavailable || isOutage(error)) {
      const retryAfter = error instanceof Unavailable ? error.retryAfter : 1;
      const headers = { 'Retry-After': String(retryAfter) };
      writeAnswer(response, json(503, { error: 'temporarily_unavailable', request_id }, headers));
    } else {
      writeAnswer(response, json(500, { error: 'server_error', request_id }));
    }
  };
