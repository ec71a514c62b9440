/** For people at a terminal. */
import { styleText } from 'node:util';
import type { ReporterDefinition, Result, Run, Sink } from '../report.ts';
import { withoutCommands } from './github.ts';
import {
  aboutOf,
  byPlatform,
  callsShown,
  conclusionOf,
  type DiffLine,
  exchangeOf,
  findingsOf,
  headerOf,
  isFailure,
  isGood,
  line,
  nameOf,
  requirementOf,
  type Steps,
  someOf,
  staleLines,
  stepsOf,
  visible,
  warningLines,
} from './plain-text.ts';

type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold' | 'cyan';
type Paint = (colour: Colour, text: string) => string;

/** The sink knows of NO_COLOR and whether this is a terminal: asking again would ask about stdout. */
const painting =
  ({ colours }: Sink): Paint =>
  (colour, text) =>
    colours ? styleText(colour, text, { validateStream: false }) : text;

const indented = (text: string, by = '    ') => text.replace(/^(?=.)/gm, by);

const diffColour = { '-': 'red', '+': 'green', ' ': 'dim' } as const;

const diffText = (lines: readonly DiffLine[], paint: Paint) =>
  lines.map(({ mark, text }) => paint(diffColour[mark], `${mark} ${text}`)).join('\n');

const stepsText = ({ steps, outcome }: Steps) =>
  [...steps.map((step, index) => `${index + 1}. ${step}`), `→ ${outcome}`].join('\n');

function failureText(result: Result, paint: Paint): string {
  const { reason, likelyCause, again } = result;
  const findings = findingsOf(result);
  const calls = callsShown(result);
  const blocks = [
    requirementOf(result),
    ...(findings.length === 0 || result.kind === 'story' ? [line(reason ?? '')] : []),
    ...(findings.length > 0 ? [`${paint('red', '- expected')}  ${paint('green', '+ came')}`] : []),
    ...findings.map(({ what, lines }) => `${paint('bold', what)}\n${diffText(lines, paint)}`),
    ...stepsOf(result).map(stepsText),
    ...(likelyCause ? [`${paint('yellow', 'Likely cause:')} ${line(likelyCause)}`] : []),
    ...calls.map((call) => paint('dim', exchangeOf(call))),
    ...calls.map(({ curl }) => visible(curl)),
    `${paint('cyan', 'Again:')} ${line(again)}`,
  ];
  const title = `${paint('red', '✗')} ${paint('bold', nameOf(result))}`;
  return `${title}\n${indented(blocks.filter(Boolean).join('\n\n'))}\n`;
}

const symbols = { passed: '✓', failed: '✗', skipped: '–' } as const;
const colours = { passed: 'green', failed: 'red', skipped: 'yellow' } as const;

const symbolOf = ({ status, expectedFailure }: Result, paint: Paint) =>
  expectedFailure ? paint('yellow', '~') : paint(colours[status], symbols[status]);

function platformLine(results: readonly Result[], title: string, paint: Paint): string {
  const of = (status: Result['status']) => results.filter((one) => one.status === status).length;
  const counts = (['passed', 'failed', 'skipped'] as const)
    .filter((status) => of(status) > 0)
    .map((status) => paint(colours[status], `${of(status)} ${status}`));
  return `  ${title}: ${counts.join(', ')}`;
}

/** With the rows and stories that it is true of, so that one missing variable is one line. */
function skippedLines(results: readonly Result[]): string[] {
  const skipped = results.filter(({ status }) => status === 'skipped');
  return [...new Set(skipped.map(({ reason }) => reason))].map((reason) => {
    const ids = skipped.filter((one) => one.reason === reason).map(({ id }) => id);
    return line(`  ${someOf(ids)}: ${reason ?? ''}`);
  });
}

function section(title: string, lines: readonly string[]): string {
  return lines.length > 0 ? `\n${title}\n${lines.join('\n')}\n` : '';
}

function endText(run: Run, paint: Paint): string {
  const { results } = run;
  const failures = results.filter(isFailure);
  const expected = results.filter(({ expectedFailure }) => expectedFailure);
  const about = aboutOf(run)
    .filter(([label]) => /^(target|target version|duration)$/.test(label))
    .map(([label, value]) => `${label} ${value}`);
  return [
    section(
      paint('yellow', 'Warnings: a pass means less than it seems'),
      warningLines(run).map((one) => `  ${paint('yellow', '!')} ${one}`),
    ),
    failures.length > 0 ? '\n' : '',
    failures.map((one) => failureText(one, paint)).join('\n'),
    section(
      'Failed, as expected',
      expected.map((one) => `  ~ ${nameOf(one)}: ${line(one.reason ?? '')}`),
    ),
    section(
      paint('red', 'Expected failures that did not come true'),
      staleLines(run).map((one) => `  ${one}`),
    ),
    section('Skipped', skippedLines(results)),
    '\n',
    byPlatform(results)
      .map(({ title, results: own }) => `${platformLine(own, title, paint)}\n`)
      .join(''),
    `\n${paint(isGood(run) ? 'green' : 'red', conclusionOf(run))}\n`,
    failures.map((one) => `  ${nameOf(one)}\n`).join(''),
    paint('dim', `${about.join(' · ')} · no retries\n`),
  ].join('');
}

export const pretty: ReporterDefinition = {
  name: 'pretty',
  description: 'for people: progress, then what failed and why',
  file: 'report.txt',
  create(sink) {
    const paint = painting(sink);
    let platform: string | undefined;
    return {
      begin: (header) => withoutCommands(`${headerOf(header)}\n`),
      result(result) {
        if (!sink.terminal) return '';
        const heading = platform === result.platform ? '' : `\n  ${line(result.platformTitle)} `;
        platform = result.platform;
        return `${heading}${symbolOf(result, paint)}`;
      },
      end: (run) => `${sink.terminal ? '\n' : ''}${withoutCommands(endText(run, paint))}`,
    };
  },
};
