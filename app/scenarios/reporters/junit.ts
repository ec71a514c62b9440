/**
 * JUnit's XML, as GitLab, Jenkins and others read it: https://github.com/testmoapp/junitxml. A suite for each platform; a `failure`
 * is an answer that is not the expected one, an `error` is when there was none, or the run was not played to its end.
 */
import { create } from 'xmlbuilder2';
import type { ReporterDefinition, Result, Run } from '../report.ts';
import {
  aboutOf,
  byPlatform,
  callsShown,
  conclusionOf,
  exchangeOf,
  findingsOf,
  line,
  nameOf,
  type PlatformResults,
  requirementOf,
  staleLines,
  summaryOf,
  visible,
  warningLines,
} from './plain-text.ts';

type Xml = ReturnType<typeof create>;

const seconds = (ms: number) => (ms / 1000).toFixed(3);

/** Nobody answered, or the story broke: nothing was compared. */
const isError = ({ status, differences, checks }: Result) =>
  status === 'failed' && differences.length === 0 && checks.length === 0;

/** What fails the run without being a failed row: it must not look green here. */
type Further = { readonly kind: 'failure' | 'error'; readonly message: string };

const furtherOf = (run: Run): readonly Further[] => [
  ...staleLines(run).map((message): Further => ({ kind: 'failure', message })),
  ...(run.interrupted || run.problem !== undefined
    ? [{ kind: 'error', message: conclusionOf(run) } as const]
    : []),
];

function totals(results: readonly Result[], further: readonly Further[] = []) {
  const count = (is: (result: Result) => boolean) => results.filter(is).length;
  const more = (wanted: Further['kind']) => further.filter(({ kind }) => kind === wanted).length;
  const errors = count(isError);
  return {
    tests: results.length + further.length,
    failures: count(({ status }) => status === 'failed') - errors + more('failure'),
    errors: errors + more('error'),
    skipped: count(({ status }) => status === 'skipped'),
    time: seconds(results.reduce((sum, { ms }) => sum + ms, 0)),
  };
}

function failureText(result: Result): string {
  const { reason, likelyCause, again } = result;
  const blocks = [
    requirementOf(result),
    ...(reason === undefined ? [] : [line(reason)]),
    ...findingsOf(result).map(
      ({ what, lines }) =>
        `${what}\n${lines.map(({ mark, text }) => `${mark} ${text}`).join('\n')}`,
    ),
    ...(likelyCause ? [`Likely cause: ${line(likelyCause)}`] : []),
    ...callsShown(result).map(({ curl }) => visible(curl)),
    `Again: ${line(again)}`,
  ];
  return blocks.join('\n\n');
}

function addCase(suite: Xml, result: Result): void {
  const { platform, platformTitle, status, ms, reason, expectedFailure } = result;
  const testcase = suite.ele('testcase', {
    classname: line(platform),
    name: nameOf(result),
    time: seconds(ms),
  });
  if (status === 'failed') {
    testcase
      .ele(isError(result) ? 'error' : 'failure', {
        message: summaryOf(result),
        type: line(`${platformTitle}: ${result.mark}`),
      })
      .txt(failureText(result));
  }
  if (status === 'skipped') testcase.ele('skipped', { message: line(reason ?? '') });
  if (status === 'failed' || expectedFailure) {
    const note = expectedFailure ? [line(`Failed as expected: ${reason ?? ''}`)] : [];
    testcase.ele('system-out').txt([...note, ...callsShown(result).map(exchangeOf)].join('\n\n'));
  }
}

function addSuite(suites: Xml, { title, results }: PlatformResults, run: Run): void {
  const suite = suites.ele('testsuite', {
    name: title,
    timestamp: run.startedAt.toISOString(),
    ...totals(results),
  });
  const properties = suite.ele('properties');
  for (const [name, value] of aboutOf(run)) properties.ele('property', { name, value });
  for (const value of warningLines(run)) properties.ele('property', { name: 'warning', value });
  for (const result of results) addCase(suite, result);
}

function addFurther(suites: Xml, further: readonly Further[]): void {
  if (further.length === 0) return;
  const suite = suites.ele('testsuite', { name: 'Scenarios', ...totals([], further) });
  for (const { kind, message } of further) {
    suite
      .ele('testcase', { classname: 'scenarios', name: message, time: seconds(0) })
      .ele(kind, { message, type: 'run' });
  }
}

export const junit: ReporterDefinition = {
  name: 'junit',
  description: "JUnit's XML, for CI servers",
  file: 'junit.xml',
  create: () => ({
    end(run) {
      const document = create({ version: '1.0', encoding: 'UTF-8' });
      const further = furtherOf(run);
      const suites = document.ele('testsuites', {
        name: 'scenarios',
        ...totals(run.results, further),
      });
      for (const suite of byPlatform(run.results)) addSuite(suites, suite, run);
      addFurther(suites, further);
      return `${document.end({ prettyPrint: true })}\n`;
    },
  }),
};
