/** Plays what was selected on one backend, one after the other, each once: a row that is only sometimes right is wrong. */
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { CallError, type CallOptions, call, headerOf, type Outgoing, type Reply } from './call.ts';
import { type Difference, differences, differencesElsewhere } from './compare.ts';
import { curlOf } from './curl.ts';
import type { Flow } from './exchange.ts';
import { type ExpectedFailures, excused, staleEntries } from './expected-failures.ts';
import { type Fixture, variableFor } from './fixture.ts';
import { jsonIn } from './json.ts';
import { likelyCauseOf } from './likely-cause.ts';
import { recast, strictBindings, unplayableThere } from './recast.ts';
import { createRedaction, type Redaction } from './redaction.ts';
import {
  type Call,
  countsOf,
  type FailedCheck,
  type Preflight,
  type Result,
  type Run,
  type RunHeader,
  type Secret,
  type Warning,
} from './report.ts';
import { type Bindings, bind, outgoingOf, type Scenario } from './scenario.ts';
import { type Entry, needsOf } from './selection.ts';
import { type Story, Unplayable } from './story.ts';
import { isLoopback, warningsOf } from './warnings.ts';

export type Target = {
  /** Without a trailing slash. */
  readonly url: string;
  readonly bindings: Bindings;
  readonly secrets: readonly Secret[];
  /** Of a backend that somebody else runs; undefined: our own, on which every row holds to the letter. */
  readonly fixture: Fixture | undefined;
};

export type RunOptions = {
  readonly target: Target;
  /** What the first look found; or a problem, in a sentence: then nothing is played. */
  readonly preflight: Preflight | { readonly problem: string };
  /** What was selected. */
  readonly entries: readonly Entry[];
  /** Every id there is. */
  readonly known: readonly string[];
  readonly level: RunHeader['level'];
  readonly leftOut: RunHeader['leftOut'];
  readonly strict: boolean;
  /** Whether to stop at the first failure. */
  readonly bail: boolean;
  /** Whether rows that leave something behind are played on another machine's backend, too. */
  readonly allowMutating: boolean;
  readonly expectedFailures: ExpectedFailures;
  readonly call: CallOptions;
  /** Between two rows, in ms. */
  readonly delay: number;
  /** Of this kit. */
  readonly version: string;
  /** The command that plays just this one again. */
  readonly again: (id: string) => string;
  /** Found before anything was played. */
  readonly warnings: readonly Warning[];
  readonly signal: AbortSignal;
  readonly onBegin: (header: RunHeader) => void;
  readonly onResult: (result: Result) => void;
};

/** What came of one, before anybody has looked at it from the outside. */
type Outcome = Pick<Result, 'status' | 'reason' | 'calls' | 'differences' | 'checks' | 'flows'>;

const nothing = { calls: [], differences: [], checks: [], flows: [] } as const;

const skipped = (reason: string): Outcome => ({ ...nothing, status: 'skipped', reason });

const needs = (names: readonly string[]) => skipped(`needs ${names.map(variableFor).join(', ')}`);

const stackTrace =
  /(\\n|\n)\s*at \S.*:\d+|Traceback \(most recent call last\)|\bat [\w.$]+\([\w.]+\.java:\d+\)/;

/** What holds for every answer of a verification endpoint, whatever the row. */
function inEveryAnswer(
  sent: Outgoing,
  reply: Reply,
  { level, target }: RunOptions,
): readonly Difference[] {
  const request = JSON.stringify(sent);
  const echoed = target.secrets.some(
    ({ value }) => request.includes(value) && reply.text.includes(value),
  );
  const caching = headerOf(reply, 'cache-control');
  return [
    ...(stackTrace.test(reply.text)
      ? [{ where: 'body', expected: 'no stack trace', actual: reply.text }]
      : []),
    ...(echoed
      ? [{ where: 'body', expected: 'nothing of the token that was sent', actual: reply.text }]
      : []),
    ...(level !== 'all' || /\bno-store\b/i.test(caching ?? '')
      ? []
      : [{ where: 'header cache-control', expected: 'no-store', actual: caching }]),
  ];
}

async function playRow(row: Scenario, options: RunOptions): Promise<Outcome> {
  const { target } = options;
  const requestId = `scenario-${row.id}`;
  const { send, expect } = bind(row, { ...target.bindings, 'request.id': requestId });
  const request = outgoingOf(target.url, send, { 'X-Request-Id': requestId });
  const curl = curlOf(request, target.secrets);
  try {
    const reply = await call(request, options.call);
    const compare = target.fixture ? differencesElsewhere : differences;
    const found = [...compare(expect, reply), ...inEveryAnswer(request, reply, options)];
    return {
      ...nothing,
      status: found.length === 0 ? 'passed' : 'failed',
      reason: undefined,
      calls: [{ request, reply, problem: undefined, curl }],
      differences: found,
    };
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    const { message } = error;
    return {
      ...nothing,
      status: 'failed',
      reason: message,
      calls: [{ request, reply: undefined, problem: message, curl }],
    };
  }
}

async function playStory(story: Story, platform: string, options: RunOptions): Promise<Outcome> {
  const { target } = options;
  const flows: Flow[] = [];
  const checks: FailedCheck[] = [];
  let reason: string | undefined;
  try {
    await story.play({
      backend: target.url,
      own: target.fixture === undefined,
      bindings: target.fixture ? strictBindings(target.bindings) : target.bindings,
      settings: target.fixture?.dashboards[platform] ?? {},
      options: options.call,
      show(flow) {
        flows.push(flow);
        return flow;
      },
      check(what, actual, expected) {
        const flow = flows.length - 1;
        if (!isDeepStrictEqual(actual, expected)) checks.push({ what, flow, expected, actual });
      },
    });
  } catch (error) {
    if (error instanceof Unplayable) return skipped(error.message);
    reason = error instanceof Error ? error.message : String(error);
  }
  const calls = flows
    .flatMap(({ exchanges }) => exchanges)
    .filter(({ to }) => to === 'Backend')
    .map(({ request, reply, problem }): Call => {
      return { request, reply, problem, curl: curlOf(request, target.secrets) };
    });
  const failed = checks.length > 0 || reason !== undefined;
  return { ...nothing, status: failed ? 'failed' : 'passed', reason, calls, checks, flows };
}

async function play(entry: Entry, options: RunOptions): Promise<Outcome> {
  const { target, allowMutating } = options;
  const { played, kind, platform } = entry;
  if (played.mutating && !allowMutating && !isLoopback(target.url)) {
    return skipped('leaves something behind: played with --allow-mutating');
  }
  if (kind === 'row' && target.fixture) {
    const there = recast(played, platform.id, target.fixture);
    return 'unplayable' in there ? skipped(there.unplayable) : playRow(there.row, options);
  }
  const reason = target.fixture && unplayableThere(entry, target.fixture);
  if (reason !== undefined) return skipped(reason);
  const missing = needsOf(entry).filter((name) => target.bindings[name] === undefined);
  if (missing.length > 0) return needs(missing);
  return kind === 'row' ? playRow(played, options) : playStory(played, platform.id, options);
}

/** Enough to know that whoever answers is not the backend. */
const enough = 3;

/** Why nothing that came so far can be from the backend, if that is so. */
function strangeness(results: readonly Result[]): string | undefined {
  const calls = results.flatMap((result) => result.calls);
  if (calls.length === 0) return undefined;
  const isPage = ({ reply }: Call) =>
    reply !== undefined &&
    /^\s*text\/html/i.test(headerOf(reply, 'content-type') ?? '') &&
    jsonIn(reply.text) === undefined;
  if (calls.every(isPage)) {
    const title = /<title>([^<]*)<\/title>/i.exec(calls[0]?.reply?.text ?? '')?.[1]?.trim();
    return `Every answer is an HTML page${title ? ` (“${title}”)` : ''}: this is not the backend, but maybe a proxy or a tunnel in front of it; or its paths are other ones (SCENARIO_PATH_… in the fixture).`;
  }
  return calls.every(({ reply }) => reply === undefined)
    ? `No answer came: ${calls[0]?.problem}`
    : undefined;
}

function exitCodeOf(run: Omit<Run, 'exitCode'>): Run['exitCode'] {
  const { passed, failed, skipped: left } = countsOf(run.results);
  if (run.interrupted) return 130;
  if (run.problem !== undefined) return 3;
  if (failed > 0 || run.stale.length > 0 || (run.strict && left > 0)) return 1;
  return passed > 0 ? 0 : 4;
}

/** Told when all is played: the others say what it was not. */
function causeAmong(results: readonly Result[], index: number, target: Target): string | undefined {
  const found = results[index];
  if (found?.status !== 'failed') return undefined;
  const others = results.filter((one) => one !== found && one.platform === found.platform);
  return likelyCauseOf(found, others, target);
}

const resultOf = (
  { played, kind, platform }: Entry,
  outcome: Outcome,
  ms: number,
  again: RunOptions['again'],
): Result => ({
  id: played.id,
  platform: platform.id,
  platformTitle: platform.title,
  kind,
  title: played.title,
  requirement: played.requirement,
  mark: played.mark,
  source: played.source,
  because: kind === 'row' ? played.because : undefined,
  expectedFailure: false,
  ms,
  again: again(played.id),
  likelyCause: undefined,
  ...outcome,
});

/** Whatever came up during the run has no variable. */
const withoutLine =
  '# no curl line: there is a value in this request that came up during the run only';

/** Only those lines run that are as `curlOf` made them. */
const runnable = (said: readonly Call[], raw: readonly Call[]): readonly Call[] =>
  said.map((call, index) =>
    call.curl === raw[index]?.curl ? call : { ...call, curl: withoutLine },
  );

type Played = {
  readonly results: readonly Result[];
  /** The same, before anything is taken out of them. */
  readonly raw: readonly Result[];
  readonly problem: string | undefined;
};

async function playAll(options: RunOptions, redact: Redaction): Promise<Played> {
  const { entries, expectedFailures, signal } = options;
  const interrupted = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const results: Result[] = [];
  const raw: Result[] = [];
  let problem: string | undefined;
  for (const entry of entries) {
    if (signal.aborted) break;
    const begun = performance.now();
    const outcome = await Promise.race([play(entry, options), interrupted]);
    if (!outcome) break;
    const found = resultOf(entry, outcome, performance.now() - begun, options.again);
    const { status, reason, calls, flows, checks, differences: differing } = found;
    const said = redact({ calls, flows, checks, differences: differing });
    const result = excused(
      {
        ...found,
        ...said,
        calls: runnable(said.calls, calls),
        // Why it was skipped are our own words: names of variables, an example.
        reason: status === 'skipped' ? reason : redact(reason),
      },
      expectedFailures,
    );
    raw.push(found);
    results.push(result);
    options.onResult(result);
    if (results.flatMap((one) => one.calls).length >= enough) problem = strangeness(results);
    if (problem !== undefined || (options.bail && result.status === 'failed')) break;
    // An interruption ends it early, and nothing else does.
    if (options.delay > 0) await pause(options.delay, undefined, { signal }).catch(() => {});
  }
  return { results, raw, problem: problem ?? strangeness(results) };
}

/** Everything as skipped. */
function playNothing({ entries, again }: RunOptions, problem: string): Played {
  const results = entries.map((entry) =>
    resultOf(entry, skipped('not played: no backend was found'), 0, again),
  );
  return { results, raw: results, problem };
}

/** @returns also when it was interrupted: with what was played until then */
export async function runScenarios(given: RunOptions): Promise<Run> {
  const { target, entries, expectedFailures, signal, preflight } = given;
  const options = { ...given, call: { ...given.call, signal } };
  const redact = createRedaction(target.secrets);
  const nobody = 'problem' in preflight ? preflight.problem : undefined;
  const header: RunHeader = {
    target: target.url,
    own: target.fixture === undefined,
    startedAt: new Date(),
    version: options.version,
    preflight: 'problem' in preflight ? undefined : preflight,
    level: options.level,
    leftOut: options.leftOut,
    strict: options.strict,
    selected: entries.length,
  };
  options.onBegin(header);
  const { results, raw, problem } =
    nobody === undefined ? await playAll(options, redact) : playNothing(options, nobody);
  const run = {
    ...header,
    endedAt: new Date(),
    results: results.map((result, index) => ({
      ...result,
      likelyCause: redact(causeAmong(raw, index, target)),
    })),
    warnings: [
      ...options.warnings,
      ...(nobody === undefined ? warningsOf(header, entries, results) : []),
    ],
    stale: staleEntries(expectedFailures, options.known, results),
    interrupted: signal.aborted,
    problem,
  };
  return { ...run, exitCode: exitCodeOf(run) };
}
