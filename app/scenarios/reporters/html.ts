/** One page that needs nothing else: it opens from a file, without a network, and runs no script but the few lines in it. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Eta } from 'eta';
import { projectRoot } from '../../project-root.ts';
import type { ReporterDefinition, Result, Run } from '../report.ts';
import {
  aboutOf,
  byPlatform,
  callsShown,
  exchangeOf,
  findingsOf,
  isGood,
  line,
  nameOf,
  requirementOf,
  staleLines,
  stepsOf,
  verdictOf,
  visible,
} from './plain-text.ts';

const folder = join(projectRoot, 'app/scenarios/reporters');

/** Escapes whatever it prints, but for the style sheet and the script. */
const views = new Eta({ views: folder, cache: true });

const read = (name: string) => readFileSync(join(folder, name), 'utf8');

const source = (text: string) => `'sha256-${hash('sha256', text, 'base64')}'`;

/** Text in pieces, those that are addresses by themselves. */
const linked = (text: string) =>
  text
    .split(/(https?:\/\/[^\s,;]+)/)
    .map((piece, index) => ({ text: piece, href: index % 2 === 1 ? piece : undefined }));

/** Failures that are open from the beginning. */
const openAtFirst = 3;

const shown = (result: Result, index: number) => ({
  id: line(result.id),
  open: result.status === 'failed' && index < openAtFirst,
  platform: result.platform,
  status: result.status,
  label: result.expectedFailure ? 'failed, as expected' : result.status,
  name: nameOf(result),
  ms: Math.round(result.ms),
  requirement: linked(requirementOf(result)),
  reason: result.reason === undefined ? undefined : line(result.reason),
  findings: findingsOf(result),
  likelyCause: result.likelyCause === undefined ? undefined : line(result.likelyCause),
  flows: stepsOf(result),
  exchanges: callsShown(result).map(exchangeOf),
  curls: callsShown(result).map(({ curl }) => visible(curl)),
  again: line(result.again),
});

const places = { failed: 0, skipped: 1, passed: 2 } as const;

function htmlOf(run: Run): string {
  const style = read('report.css');
  const script = read('report-filter.js');
  return views.render('report', {
    style,
    script,
    policy: `default-src 'none'; style-src ${source(style)}; script-src ${source(script)}; base-uri 'none'; form-action 'none'`,
    good: isGood(run),
    verdict: verdictOf(run),
    top: aboutOf(run).filter(([label]) => ['target', 'started', 'level'].includes(label)),
    about: aboutOf(run),
    warnings: run.warnings.map(({ text, ids }) => ({ text: line(text), ids: ids.map(line) })),
    stale: staleLines(run),
    platforms: byPlatform(run.results).map(({ id, title, results }) => ({
      id,
      title,
      counts: (['passed', 'failed', 'skipped'] as const).map(
        (status) => results.filter((one) => one.status === status).length,
      ),
    })),
    results: run.results.toSorted((a, b) => places[a.status] - places[b.status]).map(shown),
  });
}

export const html: ReporterDefinition = {
  name: 'html',
  description: 'one page that opens offline',
  file: 'report.html',
  create: () => ({ end: htmlOf }),
};
