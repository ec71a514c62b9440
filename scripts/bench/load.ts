/** Puts load on a server, in a process of its own; a message to it is an `Order`, its answer a `Load`. */
import autocannon from 'autocannon';
import { serveParent } from './processes.ts';

export type Order = {
  readonly port: number;
  /** Asked in turn, on every connection. */
  readonly paths: readonly string[];
  readonly expected: { readonly status: number; readonly body: string };
  /** Each asks again as soon as it is answered. */
  readonly connections: number;
  /** Seconds. */
  readonly duration: number;
};

export type Load = {
  readonly answers: number;
  /** Of other status or body than expected, or none at all. */
  readonly wrong: number;
  readonly perSecond: number;
  /** Latency, in ms. */
  readonly p50: number;
  readonly p99: number;
};

async function put({ port, paths, expected, connections, duration }: Order): Promise<Load> {
  // Our own, as autocannon's histogram has whole milliseconds.
  const latencies: number[] = [];
  let wrong = 0;

  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    const run = autocannon(
      {
        url: `http://127.0.0.1:${port}`,
        requests: paths.map((path) => ({ path })),
        connections,
        duration,
        sampleInt: 100,
        verifyBody(body) {
          if (body !== expected.body) wrong += 1;
          return true;
        },
      },
      (error, result) => {
        if (error) return reject(error);
        wrong += result.errors;
        resolve();
      },
    );
    run.on('response', (_client, status, _bytes, latency) => {
      latencies.push(latency);
      if (status !== expected.status) wrong += 1;
    });
  });
  const seconds = (performance.now() - started) / 1000;

  const sorted = Float64Array.from(latencies).sort();
  const percentile = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return {
    answers: sorted.length,
    wrong,
    perSecond: sorted.length / seconds,
    p50: percentile(0.5),
    p99: percentile(0.99),
  };
}

serveParent({}, put);
