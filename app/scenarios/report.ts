/**
 * What a run of the scenarios found, and who tells it.
 *
 * The runner (runner.ts) makes a `Run`. Before a reporter sees any of it, it has been through `createRedaction(secrets)`
 * (redaction.ts), which hands back the same value with its secrets replaced; `curl` is of `curlOf(request, secrets)`
 * (curl.ts), and `likelyCause` of `likelyCauseOf(result)` (likely-cause.ts). A reporter can print whatever it is given.
 *
 * A reporter is three functions over one sink: `begin` when it is known what will be played, `result` after each row and
 * story, `end` when all is over, also when it was interrupted, or nobody was there to play on (then without any `result`).
 * What they return is the text to add to the sink, with its line ends; a report that must be whole to be valid (JSON, JUnit,
 * HTML) says all of it in `end`. A file is written when `end` has spoken, in one piece. The last line, `N passed, N failed,
 * N skipped`, is the command's: no reporter prints it.
 */
import type { Outgoing, Reply } from './call.ts';
import type { Difference } from './compare.ts';
import type { Flow } from './exchange.ts';
import type { Mark } from './scenario.ts';
import type { LeftOut, Level } from './selection.ts';

/** A value that no report may show, and the environment variable that stands for it, e.g. `SCENARIO_TOKEN_SIMON371`. */
export type Secret = { readonly variable: string; readonly value: string };

/** What was sent and what came. */
export type Call = {
  readonly request: Outgoing;
  /** Undefined: there was none, `problem` says why. */
  readonly reply: Reply | undefined;
  readonly problem: string | undefined;
  /** One that does the same in a shell in which the variables of the secrets are set; a comment where there can be none. */
  readonly curl: string;
};

/** A statement of a story that did not hold. */
export type FailedCheck = {
  /** In plain words, e.g. "test2 sees the app of test1". */
  readonly what: string;
  /** The last of `flows` that was played before it, from 0; -1: none was. */
  readonly flow: number;
  readonly expected: unknown;
  readonly actual: unknown;
};

export type Status = 'passed' | 'failed' | 'skipped';

export type Result = {
  readonly id: string;
  /** Its id. */
  readonly platform: string;
  readonly platformTitle: string;
  readonly kind: 'row' | 'story';
  readonly title: string;
  readonly requirement: string;
  readonly mark: Mark;
  readonly source: string;
  /** Why the backend had to say no, where it had to. */
  readonly because: string | undefined;
  readonly status: Status;
  /**
   * Skipped: why, by name. Passed although it failed: why that was expected. Failed without a difference or a failed check:
   * what broke.
   */
  readonly reason: string | undefined;
  /** It failed, as the file of expected failures says it does: it counts as passed. `differences` and `checks` are kept. */
  readonly expectedFailure: boolean;
  readonly ms: number;
  /** Of a row: one. Of a story: those to the backend, in the order of their requests. None when skipped. */
  readonly calls: readonly Call[];
  /** Of a row. */
  readonly differences: readonly Difference[];
  /** Of a story. */
  readonly checks: readonly FailedCheck[];
  /** Of a story. */
  readonly flows: readonly Flow[];
  /** Of a failure, in plain words, e.g. "HTML came: is this a tunnel's page?". Known when all is over. */
  readonly likelyCause: string | undefined;
  /** The command that plays just this one again. */
  readonly again: string;
};

/** Something that makes a pass mean less than it seems. */
export type Warning = {
  /** In plain words, whole sentences. */
  readonly text: string;
  /** The rows and stories that it is about. */
  readonly ids: readonly string[];
};

/** An entry of the file of expected failures that did not come true: it fails the run. */
export type StaleEntry = {
  readonly id: string;
  readonly reason: string;
  /** `passed`: what was expected to fail did not · `unknown`: there is no such row or story. */
  readonly because: 'passed' | 'unknown';
};

/** What the first look at the target found. */
export type Preflight = {
  readonly url: string;
  readonly tls: boolean;
  /** Of its /healthz, when that is ours. */
  readonly version: string | undefined;
  /** Of its clock ahead of ours, in seconds, by the Date header; undefined without one. */
  readonly clockSkew: number | undefined;
  /** How long its answer took. */
  readonly ms: number;
};

/** What is known before anything is played. */
export type RunHeader = {
  /** The backend's URL. */
  readonly target: string;
  /** Started by the runner itself, with a throw-away database. */
  readonly own: boolean;
  readonly startedAt: Date;
  /** Of this kit. */
  readonly version: string;
  /** Undefined: it found no backend, or was interrupted. Nothing is played then. */
  readonly preflight: Preflight | undefined;
  readonly level: Level;
  readonly leftOut: LeftOut;
  readonly strict: boolean;
  /** How many rows and stories were selected. */
  readonly selected: number;
};

export type Run = RunHeader & {
  readonly endedAt: Date;
  /**
   * In the order in which they were played; interrupted or bailed out: without those that were not. Without a `preflight`:
   * all that were selected, as skipped.
   */
  readonly results: readonly Result[];
  readonly warnings: readonly Warning[];
  readonly stale: readonly StaleEntry[];
  readonly interrupted: boolean;
  /** Why it was broken off or not begun, in a sentence: nobody answers, or it is not the backend. */
  readonly problem: string | undefined;
  /** Of the process: 0 passed · 1 failures · 3 broken off or not begun · 4 all skipped · 130 interrupted. */
  readonly exitCode: 0 | 1 | 3 | 4 | 130;
};

export type Counts = Readonly<Record<Status, number>>;

export function countsOf(results: readonly Result[]): Counts {
  const count = (status: Status) => results.filter((one) => one.status === status).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
}

/** What a reporter may ask of where its text goes. */
export type Sink = {
  /** Somebody looks on: progress is shown. */
  readonly terminal: boolean;
  /** A terminal, with colours wanted. */
  readonly colours: boolean;
};

export type Reporter = {
  readonly begin?: (header: RunHeader) => string;
  readonly result?: (result: Result) => string;
  readonly end: (run: Run) => string;
};

/** By name, for `--reporter name[:file]`: `reporters` in reporters/reporters.ts has one entry of each. */
export type ReporterDefinition = {
  readonly name: string;
  /** In a sentence, for --help. */
  readonly description: string;
  /** What its file is called under `--out`. */
  readonly file: string;
  readonly create: (sink: Sink) => Reporter;
};
