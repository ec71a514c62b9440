/** What the pages show of a run. Secrets were taken out by the runner. */
import type { Result } from '../scenarios/report.ts';
import { countsOf } from '../scenarios/report.ts';
import {
  callsShown,
  exchangeOf,
  findingsOf,
  isGood,
  line,
  requirementOf,
  verdictOf,
  visible,
  warningLines,
} from '../scenarios/reporters/plain-text.ts';
import { base } from './page.ts';
import type { Asked, SuiteRun } from './suite.ts';

const tones = { passed: 'good', failed: 'bad', skipped: 'warn' } as const;
const icons = { passed: 'ok', failed: 'no', skipped: 'other' } as const;

export const shownResult = ({ id, title, status, ms, reason }: Result) => ({
  id: line(id),
  title: line(title),
  status,
  tone: tones[status],
  icon: icons[status],
  ms: Math.round(ms),
  reason: status === 'skipped' && reason !== undefined ? line(reason) : undefined,
});

export const shownFailure = (result: Result) => ({
  ...shownResult(result),
  platform: line(result.platformTitle),
  requirement: requirementOf(result),
  findings: findingsOf(result),
  reason: result.reason === undefined ? undefined : line(result.reason),
  likelyCause: result.likelyCause === undefined ? undefined : line(result.likelyCause),
  exchanges: callsShown(result).map(exchangeOf),
  curls: callsShown(result).map(({ curl }) => visible(curl)),
  again: line(result.again),
});

export const isFailed = ({ status }: Result): boolean => status === 'failed';

const kinds = { row: 'rows', story: 'stories' } as const;

/** What was chosen, e.g. "Pango, Authlete · rows · what vendors document". */
export const choiceInWords = (
  { platforms, tags, level }: Asked,
  titles: ReadonlyMap<string, string>,
): string =>
  [
    platforms.map((id) => titles.get(id) ?? id).join(', ') || 'all platforms',
    (tags.length === 1 ? tags : (['row', 'story'] as const)).map((tag) => kinds[tag]).join(' and '),
    level === 'documented' ? 'only what the vendors document' : 'everything',
  ].join(' · ');

export type Shown = { readonly text: string; readonly tone: string; readonly icon: string };

/** The whole of it in a sentence, also while it is under way. */
export function shownVerdict({ entries, results, ended, interruption }: SuiteRun): Shown {
  if (ended === 'fault') {
    const text = 'It could not be played. The server’s log says why.';
    return { text, tone: 'bad', icon: 'fault' };
  }
  if (ended === undefined) {
    const { failed } = countsOf(results);
    if (results.length === 0) return { text: 'Starting a backend for it', tone: '', icon: 'suite' };
    const text = `Playing: ${results.length} of ${entries.length}, ${failed === 0 ? 'none' : failed} failed`;
    return { text, tone: failed > 0 ? 'bad' : '', icon: 'suite' };
  }
  const text = verdictOf(ended.run);
  if (interruption === 'time') {
    return { text: `It took too long. ${text}`, tone: 'warn', icon: 'fault' };
  }
  if (interruption === 'cancelled') return { text, tone: 'warn', icon: 'other' };
  return isGood(ended.run) ? { text, tone: 'good', icon: 'ok' } : { text, tone: 'bad', icon: 'no' };
}

export const runHref = ({ id }: Pick<SuiteRun, 'id'>): string => `${base}/suite/runs/${id}`;

/** A line of the list of runs. */
export const runLine = (run: SuiteRun, titles: ReadonlyMap<string, string>) => ({
  href: runHref(run),
  at: run.at.toISOString(),
  time: run.at.toLocaleTimeString('en-GB'),
  choice: choiceInWords(run.asked, titles),
  underWay: run.ended === undefined,
  verdict: shownVerdict(run),
});

export function shownRun(run: SuiteRun, titles: ReadonlyMap<string, string>) {
  const { id, asked, entries, results, ended } = run;
  const report = ended !== undefined && ended !== 'fault';
  return {
    ...runLine(run, titles),
    id,
    asked,
    selected: entries.length,
    played: results.length,
    report: report ? `${runHref(run)}/report` : undefined,
    file: `scenarios-${run.at.toISOString().slice(0, 19).replaceAll(':', '')}.html`,
    warnings: report ? warningLines(ended.run) : [],
    failures: results.filter(isFailed).map(shownFailure),
    platforms: [...new Set(entries.map(({ platform }) => platform.id))].map((platform) => {
      const own = results.filter((one) => one.platform === platform);
      return {
        id: platform,
        title: titles.get(platform) ?? platform,
        selected: entries.filter((one) => one.platform.id === platform).length,
        played: own.length,
        failed: countsOf(own).failed,
        results: own.map(shownResult),
      };
    }),
  };
}
