import type { Server, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Lifecycle } from '../health.ts';

/** How long connections may take to end when every answer is out, in ms. */
const lastBytes = 500;

/** Does not keep the process from ending by itself. */
const timeUp = (ms: number) => pause(ms, undefined, { ref: false });

const isEvents = (response: ServerResponse) =>
  response.getHeader('content-type') === 'text/event-stream';

/**
 * Prepares this server for being stopped. What is returned stops it: it waits for the requests under way, `grace` ms at
 * most, then closes the port and all connections. Who comes meanwhile is still answered: /readyz with 503. It returns how
 * many requests took longer and were cut off.
 */
export function gracefulStop(
  server: Server,
  lifecycle: Lifecycle,
): (grace: number) => Promise<number> {
  const underWay = new Set<ServerResponse>();
  let whenIdle = () => {};

  // Before the app: it may answer at once.
  server.prependListener('request', (_request, response) => {
    underWay.add(response);
    response.on('close', () => {
      underWay.delete(response);
      if (underWay.size === 0) whenIdle();
    });
    if (lifecycle.stopping) response.setHeader('Connection', 'close');
  });

  return async (grace) => {
    lifecycle.stopping = true;
    for (const response of underWay) {
      if (!response.headersSent) response.setHeader('Connection', 'close');
      // Events have no end of their own.
      else if (isEvents(response)) response.end();
    }
    const idle = new Promise<void>((resolve) => {
      whenIdle = resolve;
      if (underWay.size === 0) resolve();
    });
    await Promise.race([idle, timeUp(grace)]);
    const cutOff = underWay.size;
    const closed = new Promise((resolve) => server.close(resolve));
    await Promise.race([closed, timeUp(cutOff > 0 ? 0 : lastBytes)]);
    server.closeAllConnections();
    await closed;
    return cutOff;
  };
}
