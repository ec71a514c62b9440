/**
 * The file of `--expected-failures`: what is known to fail, and why. A line is `<id>: <reason>`; empty lines and those that
 * begin with # are none. An entry that does not come true fails the run, so that the file cannot grow old.
 */
import type { Result, StaleEntry } from './report.ts';
import { UsageError } from './selection.ts';

/** Reasons by id. */
export type ExpectedFailures = ReadonlyMap<string, string>;

/**
 * @param name of the file, for the problems
 * @throws {UsageError} with all problems at once
 */
export function readExpectedFailures(text: string, name: string): ExpectedFailures {
  const entries = new Map<string, string>();
  const problems: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const at = `${name}, line ${index + 1}`;
    const [, id = '', reason = ''] = /^\s*([\w-]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (id === '') problems.push(`${at}: must be <id>: <reason>`);
    else if (reason === '') problems.push(`${at}: ${id} needs a reason`);
    else if (entries.has(id)) problems.push(`${at}: ${id} stands there twice`);
    entries.set(id, reason);
  }
  if (problems.length > 0) throw new UsageError(problems);
  return entries;
}

/** A failure that is expected counts as passed, and says why. */
export function excused(result: Result, expected: ExpectedFailures): Result {
  const reason = expected.get(result.id);
  if (result.status !== 'failed' || reason === undefined) return result;
  return { ...result, status: 'passed', expectedFailure: true, reason };
}

/** The entries that did not come true. What was not played, or skipped, says nothing about its entry. */
export function staleEntries(
  expected: ExpectedFailures,
  known: readonly string[],
  results: readonly Result[],
): readonly StaleEntry[] {
  return [...expected].flatMap(([id, reason]): StaleEntry[] => {
    if (!known.includes(id)) return [{ id, reason, because: 'unknown' }];
    const result = results.find((one) => one.id === id);
    const stale = result?.status === 'passed' && !result.expectedFailure;
    return stale ? [{ id, reason, because: 'passed' }] : [];
  });
}
