import { setTimeout as pause } from 'node:timers/promises';
import { Unavailable } from '../../verification/unavailable.ts';

/** How long the operator's own code may take, in ms: a request waits for it. */
export const usualPatience = 5000;

/**
 * What this work comes to. What it does when its time is over is nobody's concern.
 *
 * @param name what the work is of, for the log
 * @param patience ms
 * @throws {Unavailable} when it takes longer
 */
export async function inTime<T>(work: T | Promise<T>, name: string, patience: number): Promise<T> {
  const over = new AbortController();
  const late = async () => {
    await pause(patience, undefined, { signal: over.signal });
    throw new Unavailable(`${name} took longer than ${patience} ms`);
  };
  try {
    return await Promise.race([work, late()]);
  } finally {
    over.abort();
  }
}
