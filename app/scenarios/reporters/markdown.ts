/** For a comment at a pull request, and for GITHUB_STEP_SUMMARY: short enough for the one and for the other. */
import type { ReporterDefinition, Result, Run } from '../report.ts';
import {
  aboutOf,
  byPlatform,
  callsShown,
  clipped,
  exchangeOf,
  findingsOf,
  isFailure,
  isGood,
  line,
  nameOf,
  requirementOf,
  staleLines,
  verdictOf,
  visible,
  warningLines,
} from './plain-text.ts';

/** Of a comment, in characters (a step's summary may have 1 MiB); what stands below the failures needs some of it. */
const longest = 65_536 - 6000;

/** Of one failure, so that a few always have room. */
const longestFailure = 8000;

/**
 * What means something wherever it stands; at the beginning: a list, a quotation, a heading's line; between words: addresses,
 * smileys, and @ and #, which notify somebody or link.
 */
const meaningful =
  /[\\`*_[\]|~<@#]|&(?=#?\w+;)|^\s*[-+=>]|^\s*\d+[.)]|:(?=\/\/|[\w+-]+:)|(?<=\bwww)\./gi;

/** Text in which no character means anything, not for Markdown nor for HTML. */
const plain = (text: string) =>
  line(text).replace(meaningful, (found) => {
    const sign = found.at(-1) ?? '';
    return `${found.slice(0, -1)}&#${sign.charCodeAt(0)};`;
  });

/** A fence longer than any in the text. */
function fenced(text: string, language = ''): string {
  const longestRun = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longestRun + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

function failureText(result: Result): string {
  const { likelyCause, again, reason } = result;
  const findings = findingsOf(result);
  const calls = callsShown(result);
  const diff = findings
    .map(({ what, lines }) =>
      [`# ${what}`, ...lines.map(({ mark, text }) => `${mark} ${text}`)].join('\n'),
    )
    .join('\n');
  return [
    `<details><summary>❌ ${plain(nameOf(result))}</summary>`,
    plain(requirementOf(result)),
    ...(reason === undefined ? [] : [plain(reason)]),
    ...(diff ? [fenced(clipped(diff, longestFailure / 2), 'diff')] : []),
    ...(likelyCause ? [`**Likely cause:** ${plain(likelyCause)}`] : []),
    ...calls.slice(-1).map((call) => fenced(clipped(exchangeOf(call), longestFailure / 4))),
    ...calls.slice(-1).map(({ curl }) => fenced(clipped(visible(curl), longestFailure / 4), 'sh')),
    fenced(line(again), 'sh'),
    '</details>',
  ].join('\n\n');
}

/** As many as there is room for. */
function failuresText(failures: readonly Result[]): string[] {
  const texts: string[] = [];
  let size = 0;
  for (const one of failures) {
    const text = failureText(one);
    size += text.length + 2;
    if (size > longest) break;
    texts.push(text);
  }
  const left = failures.slice(texts.length).map(({ id }) => id);
  if (left.length === 0) return texts;
  return [...texts, plain(clipped(`Failed, too: ${left.join(', ')}`, 2000))];
}

const list = (title: string, items: readonly string[], shown = 20): string[] =>
  items.length === 0
    ? []
    : [
        `### ${title}`,
        [
          ...items.slice(0, shown).map((item) => `- ${plain(clipped(item, 400))}`),
          ...(items.length > shown ? [`- … and ${items.length - shown} more`] : []),
        ].join('\n'),
      ];

function table(run: Run): string {
  const rows = byPlatform(run.results).map(({ title, results }) => {
    const of = (status: Result['status']) => results.filter((one) => one.status === status).length;
    return `| ${plain(title)} | ${of('passed')} | ${of('failed')} | ${of('skipped')} |`;
  });
  return ['| Platform | Passed | Failed | Skipped |', '|---|--:|--:|--:|', ...rows].join('\n');
}

const markdownOf = (run: Run): string =>
  [
    `## ${isGood(run) ? '✅' : '❌'} Scenarios: ${plain(clipped(verdictOf(run), 500))}`,
    ...list('Warnings: a pass means less than it seems', warningLines(run), 5),
    table(run),
    ...failuresText(run.results.filter(isFailure)),
    ...list('Expected failures that did not come true', staleLines(run), 5),
    ...list(
      'Failed, as expected',
      run.results
        .filter(({ expectedFailure }) => expectedFailure)
        .map((one) => `${nameOf(one)}: ${one.reason ?? ''}`),
      5,
    ),
    aboutOf(run)
      .map(([label, value]) => `${label}: ${plain(clipped(value, 200))}`)
      .join(' · '),
  ].join('\n\n');

export const markdown: ReporterDefinition = {
  name: 'markdown',
  description: 'for a comment at a pull request, and for GITHUB_STEP_SUMMARY',
  file: 'summary.md',
  create: () => ({ end: (run) => `${markdownOf(run)}\n` }),
};
