/** Plays the tables in a test, without the command. */
import { platforms } from '../../app/platforms/index.ts';
import type { CallOptions } from '../../app/scenarios/call.ts';
import { readFixture } from '../../app/scenarios/fixture.ts';
import { preflight } from '../../app/scenarios/preflight.ts';
import type { Result, Run } from '../../app/scenarios/report.ts';
import { type RunOptions, runScenarios, type Target } from '../../app/scenarios/runner.ts';
import { type Choice, entriesOf, leftOutOf, select } from '../../app/scenarios/selection.ts';

export const entries = entriesOf(platforms);

const everything: Choice = { platforms: [], tags: [], ids: [], level: 'all' };

/** A backend that is not ours, with this fixture. */
export function foreign(url: string, text = ''): Target {
  const fixture = readFixture(entries, {}, { name: 'scenarios.env', text });
  return { url, bindings: fixture.bindings, secrets: fixture.secrets, fixture };
}

export async function play(
  target: Target,
  choice: Partial<Choice> = {},
  options: Partial<RunOptions> = {},
): Promise<Run> {
  const chosen = { ...everything, ...choice };
  const call: CallOptions = options.call ?? {};
  const selected = select(entries, chosen);
  return runScenarios({
    target,
    preflight: await preflight(target.url, 0, call),
    entries: selected,
    known: entries.map(({ played }) => played.id),
    level: chosen.level,
    leftOut: leftOutOf(entries, chosen, selected),
    strict: false,
    bail: false,
    allowMutating: false,
    expectedFailures: new Map(),
    call,
    delay: 0,
    version: '0.0.0',
    again: (id) => `npm run scenarios -- --id ${id}`,
    warnings: [],
    signal: new AbortController().signal,
    onBegin: () => {},
    onResult: () => {},
    ...options,
  });
}

export const idsOf = (run: Run, status: Result['status']): readonly string[] =>
  run.results.filter((one) => one.status === status).map(({ id }) => id);

export function resultOf(run: Run, id: string): Result {
  const found = run.results.find((one) => one.id === id);
  if (!found) throw new Error(`${id} was not played`);
  return found;
}
