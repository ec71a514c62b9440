import { z } from 'zod';
import { json } from './http/answer.ts';
import type { Endpoint } from './http/endpoint.ts';

/** The state of the process that /readyz tells a load balancer. */
export type Lifecycle = { stopping: boolean };

/** How long /readyz waits for the database, in ms. */
const patience = 3000;

async function answers(ping: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, patience, false);
  });
  const pong = ping().then(
    () => true,
    () => false,
  );
  return Promise.race([pong, late]).finally(() => clearTimeout(timer));
}

const readiness = z.object({
  status: z.enum(['ready', 'not ready', 'stopping']),
  database: z.enum(['ok', 'unavailable']),
});

/**
 * `GET /healthz`: 200 while the process lives. `GET /readyz`: 200 when it can do its work; 503 while the database is away,
 * and from the signal to stop on.
 */
export const healthEndpoints = (
  lifecycle: Lifecycle,
  ping: () => Promise<unknown>,
  version: string,
): Endpoint[] => [
  {
    path: '/healthz',
    methods: ['GET'],
    answer: () => json(200, { status: 'ok', version }),
    reference: {
      summary: 'Does the process live?',
      answers: {
        200: {
          text: 'It does.',
          body: z.object({ status: z.literal('ok'), version: z.string() }),
        },
      },
    },
  },
  {
    path: '/readyz',
    methods: ['GET'],
    reference: {
      summary: 'Can it do its work?',
      text: 'For a load balancer.',
      answers: {
        200: { text: 'It can.', body: readiness },
        503: { text: 'The database is away, or the server is stopping.', body: readiness },
      },
    },
    async answer() {
      const database = await answers(ping);
      const ready = database && !lifecycle.stopping;
      return json(ready ? 200 : 503, {
        status: ready ? 'ready' : lifecycle.stopping ? 'stopping' : 'not ready',
        database: database ? 'ok' : 'unavailable',
      });
    },
  },
];
