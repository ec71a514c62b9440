/** What happens, told to those who watch a page: server-sent events. */
import { createSession, type Session } from 'better-sse';
import type { Lifecycle } from '../health.ts';
import { type Answer, json } from '../http/answer.ts';
import type { Visit } from './page.ts';
import { protectiveHeaders } from './views.ts';

/** People who can watch at the same time; and, of one of them, bytes that may wait and ms until he has to ask again: he may have signed out. */
const limits = { watchers: 20, waiting: 1024 * 1024, time: 60_000 };

export type Watch = (
  visit: Visit,
  /** Tells what he has missed, and goes on telling; what it returns is called when he is gone. */
  tell: (session: Session) => () => void,
) => Promise<Answer | undefined>;

/** One count of watchers: of one page. */
export function createWatch(lifecycle: Lifecycle): Watch {
  let watchers = 0;

  return async ({ request, response }, tell) => {
    if (watchers >= limits.watchers || lifecycle.stopping) {
      const problem = { error: 'Too many people are watching.' };
      return json(503, problem, { 'Retry-After': '10' });
    }
    watchers += 1;
    let end: (() => void) | undefined;
    // Whoever may not watch any more is noticed when he asks again.
    const timer = setTimeout(() => response.end(), limits.time);
    response.on('close', () => {
      watchers -= 1;
      clearTimeout(timer);
      end?.();
    });
    // The graceful stop knows it by this.
    response.setHeader('Content-Type', 'text/event-stream');
    for (const [name, value] of Object.entries(protectiveHeaders)) response.setHeader(name, value);
    const session = await createSession(request, response, {
      keepAlive: 15_000,
      retry: 2000,
      headers: { 'X-Accel-Buffering': 'no' },
    });
    if (!response.destroyed) end = tell(session);
    return undefined;
  };
}

/** Whether he reads slower than things happen: let go, he asks again. */
export const lagsBehind = ({ response }: Pick<Visit, 'response'>): boolean =>
  response.writableLength > limits.waiting;
