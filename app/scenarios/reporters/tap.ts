/** TAP 14, https://testanything.org/tap-version-14-specification.html, with YAML below what failed. */
import type { ReporterDefinition, Result, Run } from '../report.ts';
import { withoutCommands } from './github.ts';
import {
  aboutOf,
  callsShown,
  exchangeOf,
  findingsOf,
  line,
  nameOf,
  requirementOf,
  staleLines,
  summaryOf,
  verdictOf,
  visible,
  warningLines,
} from './plain-text.ts';

/** `#` would begin a directive. */
const description = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('#', '\\#');

/** A double-quoted scalar of YAML is a string of JSON. */
const scalar = (name: string, text: string) => `  ${name}: ${JSON.stringify(text)}`;

/** A literal block; with its indentation said, lines of it may begin with spaces. */
const block = (name: string, text: string) =>
  [`  ${name}: |2-`, ...text.split('\n').map((one) => `    ${one}`)].join('\n');

function diagnostics(result: Result): string {
  const { mark, source, likelyCause, again, ms } = result;
  const diff = findingsOf(result).map(
    ({ what, lines }) =>
      `${what}\n${lines.map(({ mark: sign, text }) => `${sign} ${text}`).join('\n')}`,
  );
  const calls = callsShown(result);
  return [
    '  ---',
    scalar('message', summaryOf(result)),
    scalar('severity', result.status === 'failed' ? 'fail' : 'todo'),
    scalar('requirement', requirementOf(result)),
    scalar('mark', mark),
    scalar('source', line(source)),
    ...(diff.length > 0 ? [block('diff', diff.join('\n\n'))] : []),
    ...(likelyCause ? [scalar('likely_cause', line(likelyCause))] : []),
    ...(calls.length > 0
      ? [
          block('exchange', calls.map(exchangeOf).join('\n\n')),
          block('curl', calls.map(({ curl }) => visible(curl)).join('\n')),
        ]
      : []),
    scalar('again', line(again)),
    `  duration_ms: ${Math.round(ms)}`,
    '  ...',
  ].join('\n');
}

function point(result: Result, number: number): string {
  const { status, reason, expectedFailure } = result;
  const name = `${number} - ${description(nameOf(result))}`;
  if (status === 'skipped') return `ok ${name} # SKIP ${description(line(reason ?? ''))}`;
  if (expectedFailure) {
    return `not ok ${name} # TODO ${description(line(reason ?? ''))}\n${diagnostics(result)}`;
  }
  return status === 'passed' ? `ok ${name}` : `not ok ${name}\n${diagnostics(result)}`;
}

function tapOf(run: Run): string {
  const { results, selected, interrupted, problem } = run;
  const stale = staleLines(run);
  const brokenOff = interrupted || problem !== undefined;
  const points = results.length + stale.length;
  return [
    'TAP version 14',
    `1..${brokenOff ? selected + stale.length : points}`,
    ...aboutOf(run).map(([label, value]) => `# ${label}: ${value}`),
    ...warningLines(run).map((text) => `# Warning: ${text}`),
    ...results.map((result, index) => point(result, index + 1)),
    ...stale.map((text, index) => `not ok ${results.length + index + 1} - ${description(text)}`),
    ...(brokenOff ? [`Bail out! ${verdictOf(run)}`] : []),
  ].join('\n');
}

export const tap: ReporterDefinition = {
  name: 'tap',
  description: 'TAP 14',
  file: 'report.tap',
  create: () => ({ end: (run) => `${withoutCommands(tapOf(run))}\n` }),
};
