/**
 * Runs of the scenarios, started from the console: one at a time, on a backend that is started for it in this process, with a
 * database of its own. Users, tokens and the log of this server are not touched, and nothing is left behind.
 */
import { preflight } from '../scenarios/preflight.ts';
import type { Result, Run } from '../scenarios/report.ts';
import { html } from '../scenarios/reporters/html.ts';
import { runScenarios } from '../scenarios/runner.ts';
import { type Choice, type Entry, entriesOf, leftOutOf, select } from '../scenarios/selection.ts';
import type { House } from './page.ts';

/** Runs that are kept, with their reports of half a megabyte each. */
const mostRuns = 5;

/** In ms: for a run, and for an answer; and between two rows, so that this server has its turn. */
const times = { run: 180_000, answer: 10_000, between: 10 };

export type Asked = Pick<Choice, 'platforms' | 'level'> & {
  /** None: both. */
  readonly tags: readonly ('row' | 'story')[];
};

export type Ended =
  | { readonly run: Run; readonly report: string }
  /** It could not be played, by a fault of ours that the server's log has. */
  | 'fault';

export type SuiteRun = {
  readonly id: number;
  readonly at: Date;
  readonly asked: Asked;
  /** What is played, in this order. */
  readonly entries: readonly Entry[];
  /** So far. */
  readonly results: readonly Result[];
  /** Undefined: it is under way. */
  readonly ended: Ended | undefined;
  /** Why it was interrupted, if it was. */
  readonly interruption: 'cancelled' | 'time' | undefined;
  /** Resolves when it has ended, and everything is tidied up. */
  readonly cancel: () => Promise<void>;
  /** Told of each result, and of the end. @returns to be called when that is enough */
  readonly listen: (listener: () => void) => () => void;
};

export type Suite = {
  /** Everything there is. */
  readonly entries: readonly Entry[];
  /** Newest first. */
  readonly runs: () => readonly SuiteRun[];
  readonly underWay: () => SuiteRun | undefined;
  /**
   * Only as long as none is under way: they would share the processor with each other, and with this server.
   *
   * @throws {UsageError} when nothing is like that
   */
  readonly start: (asked: Asked) => SuiteRun;
};

export type Suiting = Pick<House, 'platforms' | 'log'> & {
  readonly startBackend: NonNullable<House['startBackend']>;
  readonly services: Pick<House['services'], 'version' | 'now' | 'beforeClose'>;
};

const choiceOf = (asked: Asked): Choice => ({ ...asked, ids: [] });

/** @param limit in ms, for a run */
export function createSuite(
  { platforms, services, log, startBackend }: Suiting,
  limit = times.run,
): Suite {
  const entries = entriesOf(platforms.map(({ platform }) => platform));
  let runs: readonly SuiteRun[] = [];
  let last = 0;
  const underWay = () => runs.find(({ ended }) => ended === undefined);

  async function play(
    { asked, entries: selected }: SuiteRun,
    signal: AbortSignal,
    onResult: (result: Result) => void,
  ): Promise<Run> {
    const { level } = asked;
    const { stop, ...backend } = await startBackend();
    try {
      const call = { timeout: times.answer };
      return await runScenarios({
        target: { ...backend, fixture: undefined },
        preflight: await preflight(backend.url, 0, call),
        entries: selected,
        known: entries.map(({ played: { id } }) => id),
        level,
        leftOut: leftOutOf(entries, choiceOf(asked), selected),
        strict: false,
        bail: false,
        allowMutating: true,
        expectedFailures: new Map(),
        call,
        delay: times.between,
        version: services.version,
        again: (id) =>
          `npm run scenarios -- --id ${id}${level === 'documented' ? ' --level documented' : ''}`,
        warnings: [],
        signal,
        onBegin() {},
        onResult,
      });
    } finally {
      await stop();
    }
  }

  function start(asked: Asked): SuiteRun {
    const selected = select(entries, choiceOf(asked));
    const cancelled = new AbortController();
    const late = AbortSignal.timeout(limit);
    const signal = AbortSignal.any([cancelled.signal, late]);
    const listeners = new Set<() => void>();
    const tell = () => {
      for (const listener of listeners) listener();
    };
    const results: Result[] = [];
    let ended: Ended | undefined;
    last += 1;
    const run: SuiteRun = {
      id: last,
      at: services.now(),
      asked,
      entries: selected,
      results,
      get ended() {
        return ended;
      },
      get interruption() {
        if (ended === undefined || ended === 'fault' || !ended.run.interrupted) return undefined;
        return cancelled.signal.aborted ? 'cancelled' : 'time';
      },
      async cancel() {
        cancelled.abort();
        await over;
      },
      listen(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    const over = play(run, signal, (result) => {
      results.push(result);
      tell();
    })
      .then((done): Ended => {
        const report = html.create({ terminal: false, colours: false }).end(done);
        return { run: done, report };
      })
      .catch((error: unknown): Ended => {
        log.error({ err: error }, 'scenario suite');
        return 'fault';
      })
      .then((end) => {
        ended = end;
        tell();
      });
    runs = [run, ...runs].slice(0, mostRuns);
    return run;
  }

  services.beforeClose(async () => underWay()?.cancel());
  return { entries, runs: () => runs, underWay, start };
}
