/**
 * What all reports say of a failure, as text. It comes from a server that may be anybody's: characters that steer a terminal, that
 * XML does not allow or that turn the direction of writing are shown as escapes. What the format itself gives a meaning to is
 * escaped by each reporter.
 */
import { diffLines, diffWordsWithSpace } from 'diff';
import { anything } from '../anything.ts';
import { isObject, jsonIn } from '../json.ts';
import type { Call, Result, Run, RunHeader } from '../report.ts';
import { countsOf } from '../report.ts';

/** Other than tab and line feed: controls, separators, direction, invisible ones, halves of a pair. */
const unseen = new RegExp(
  [
    '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]',
    '[\\u00ad\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\uffff]',
    '\\p{Surrogate}',
  ].join('|'),
  'gu',
);

const asEscape = (character: string) =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Several lines, every character of which can be seen. */
export const visible = (text: string): string =>
  text.replaceAll('\r\n', '\n').replace(unseen, asEscape);

/** The same on one line. */
export const line = (text: string): string =>
  visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');

/** Of a body or a value. */
const longest = 4000;

export function clipped(text: string, length = longest): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length).toWellFormed()}… (${text.length - length} more characters)`;
}

/** `{"authenticated":true}` as `authenticated: true`, other JSON as it is. */
const members = (value: unknown): string =>
  isObject(value)
    ? Object.entries(value)
        .map(([name, one]) => `${name}: ${JSON.stringify(one)}`)
        .join(', ')
    : JSON.stringify(value);

/** Undefined is not there, `{{*}}` whatever is there, and `not` whatever is not this. */
function inWords(value: unknown): string | undefined {
  if (value === undefined) return 'nothing';
  if (value === anything) return 'anything';
  const isNegated = isObject(value) && Object.keys(value).join() === 'not';
  return isNegated ? `anything but ${members(value['not'])}` : undefined;
}

const asText = (value: unknown): string =>
  inWords(value) ?? (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

/** JSON with a line for each member; other text as it is. */
function spread(value: unknown): string {
  const words = inWords(value);
  if (words !== undefined) return words;
  const parsed = typeof value === 'string' ? jsonIn(value) : value;
  return isObject(parsed) || Array.isArray(parsed)
    ? JSON.stringify(parsed, null, 2)
    : asText(value);
}

export type DiffLine = { readonly mark: ' ' | '-' | '+'; readonly text: string };

const linesOf = (mark: DiffLine['mark'], text: string): DiffLine[] =>
  text
    .replace(/\n$/, '')
    .split('\n')
    .map((one) => ({ mark, text: visible(one) }));

const markOf = ({ added, removed }: { readonly added: boolean; readonly removed: boolean }) =>
  added ? '+' : removed ? '-' : ' ';

/** What only differs within one long line: the words of it, `[-expected-]{+actual+}`. */
const wordByWord = (expected: string, actual: string): DiffLine[] => {
  const words = diffWordsWithSpace(expected, actual).map(({ added, removed, value }) =>
    removed ? `[-${value}-]` : added ? `{+${value}+}` : value,
  );
  return linesOf(' ', words.join(''));
};

/** The lines that go are marked `-`, those that came instead `+`. */
export function diffOf(expected: unknown, actual: unknown): DiffLine[] {
  const [before, after] = [spread(expected), spread(actual)].map((text) => clipped(text));
  const whole = [...linesOf('-', before ?? ''), ...linesOf('+', after ?? '')];
  if (before === undefined || after === undefined) return whole;
  if (before === after) {
    const [raw, came] = [asText(expected), asText(actual)];
    return raw === came ? whole : wordByWord(clipped(raw), clipped(came));
  }
  if (!before.includes('\n') && !after.includes('\n')) return whole;
  return diffLines(`${before}\n`, `${after}\n`).flatMap((change) =>
    linesOf(markOf(change), change.value),
  );
}

/** A place that is not as it has to be: of a row's answer, or a statement of a story. */
export type Finding = { readonly what: string; readonly lines: readonly DiffLine[] };

export const findingsOf = ({ differences, checks }: Result): Finding[] => [
  ...differences.map(({ where, expected, actual }) => ({
    what: line(where),
    lines: diffOf(expected, actual),
  })),
  ...checks.map(({ what, expected, actual }) => ({
    what: line(what),
    lines: diffOf(expected, actual),
  })),
];

/** On one line, for where there is no more room. */
export function summaryOf(result: Result): string {
  const [difference] = result.differences;
  const [check] = result.checks;
  if (difference) {
    const { where, expected, actual } = difference;
    const short = (value: unknown) => clipped(line(inWords(value) ?? JSON.stringify(value)), 120);
    return line(`${where}: expected ${short(expected)}, got ${short(actual)}`);
  }
  return line(check?.what ?? result.reason ?? 'failed');
}

export const requirementOf = ({ requirement, mark, source }: Result): string =>
  line(`${requirement} (${mark}: ${source})`);

export const nameOf = ({ id, title }: Pick<Result, 'id' | 'title'>): string =>
  line(`${id} ${title}`);

const prefixed = (prefix: string, text: string) =>
  text
    .split('\n')
    .map((one) => `${prefix}${one}`.trimEnd())
    .join('\n');

/** As it went over the wire, `>` there and `<` back. */
export function exchangeOf({ request, reply, problem }: Omit<Call, 'curl'>): string {
  const { method, url, headers, body } = request;
  const fields = (pairs: readonly (readonly [string, string])[]) =>
    pairs.map(([name, value]) => line(`${name}: ${value}`));
  const asked = [
    line(`${method} ${url}`),
    ...fields(Object.entries(headers)),
    ...(body ? ['', visible(clipped(body))] : []),
  ];
  const answered = reply
    ? [
        `${reply.status} (${Math.round(reply.ms)} ms)`,
        ...fields(reply.headers),
        ...(reply.text ? ['', visible(clipped(reply.text))] : []),
      ]
    : [line(problem ?? 'no answer')];
  return `${prefixed('> ', asked.join('\n'))}\n${prefixed('< ', answered.join('\n'))}`;
}

export type Steps = { readonly steps: readonly string[]; readonly outcome: string };

/** What was done in a story, in the order of the requests; whose answer was understood how. */
export const stepsOf = ({ flows }: Result): readonly Steps[] =>
  flows.map(({ exchanges, outcome }) => ({
    outcome: line(outcome),
    steps: exchanges.map(({ from, to, request, reply, problem, concluded }) => {
      const { pathname } = new URL(request.url);
      return line(
        `${from} → ${to}: ${request.method} ${pathname}, ${reply?.status ?? problem ?? 'no answer'}: ${concluded}`,
      );
    }),
  }));

/** Those of a failure worth showing: of a story, the last few. */
export const callsShown = ({ calls }: Result): readonly Call[] => calls.slice(-3);

export const isFailure = ({ status }: Result): boolean => status === 'failed';

/** The whole of it in a few words, without the counts. */
export function conclusionOf(run: Run): string {
  const { passed, failed, skipped } = countsOf(run.results);
  const begun = run.preflight !== undefined;
  if (run.interrupted) {
    return `Interrupted after ${begun ? run.results.length : 0} of ${run.selected}`;
  }
  if (run.problem !== undefined) {
    return line(`${begun ? 'Broken off' : 'Not played'}: ${run.problem}`);
  }
  if (failed > 0) return 'Failed';
  if (run.stale.length > 0) return 'Failed: expected failures that did not come true';
  if (run.strict && skipped > 0) return 'Failed, because nothing may be skipped (--strict)';
  if (passed === 0) return 'Nothing was played';
  const left = byPlatform(run.results).filter(({ results }) =>
    results.every(({ status }) => status === 'skipped'),
  );
  return left.length > 0
    ? `Nothing failed, but of ${left.map(({ title }) => title).join(', ')} nothing was played`
    : 'Passed';
}

/** The same with the counts, in a sentence. */
export function verdictOf(run: Run): string {
  const { passed, failed, skipped } = countsOf(run.results);
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  return run.problem === undefined || run.interrupted
    ? `${conclusionOf(run)}: ${counts}`
    : conclusionOf(run);
}

export const isGood = ({ exitCode }: Run): boolean => exitCode === 0;

const counted = (count: number): string => `${count} ${count === 1 ? 'scenario' : 'scenarios'}`;

/** Said before anything is played. */
export function headerOf({ target, own, selected, level, leftOut, preflight }: RunHeader): string {
  const left = leftOut.count > 0 ? ` (--level ${level} leaves ${leftOut.count} out)` : '';
  return line(
    `${counted(selected)}${left}, ${preflight ? '' : 'to be '}played on ${target}${own ? ', started for this run' : ''}`,
  );
}

/** What the run was of, as label and value. */
export function aboutOf(run: Run): readonly (readonly [label: string, value: string])[] {
  const { target, own, preflight, startedAt, endedAt, version, level, leftOut, strict } = run;
  const seconds = ((endedAt.getTime() - startedAt.getTime()) / 1000).toFixed(1);
  return [
    ['target', line(own ? `${target} (started for this run)` : target)],
    ['target version', line(preflight?.version ?? 'unknown')],
    ['scenarios version', line(version)],
    ['started', startedAt.toISOString()],
    ['duration', `${seconds} s`],
    ['level', leftOut.count > 0 ? `${level}, which leaves ${leftOut.count} out` : level],
    ['strict', strict ? 'yes' : 'no'],
    ['retries', 'none: each is played once'],
  ];
}

export const staleLines = ({ stale }: Run): string[] =>
  stale.map(({ id, reason, because }) =>
    line(
      because === 'passed'
        ? `${id} was expected to fail (${reason}), and passed: take it out of the file`
        : `${id} was expected to fail (${reason}), but there is no such scenario`,
    ),
  );

/** So many that one sees what they are. */
export function someOf(ids: readonly string[], shown = 8): string {
  const more = ids.length > shown ? ` and ${ids.length - shown} more` : '';
  return `${ids.slice(0, shown).join(', ')}${more}`;
}

export const warningLines = ({ warnings }: Run): string[] =>
  warnings.map(({ text, ids }) => line(ids.length > 0 ? `${text} (${someOf(ids)})` : text));

export type PlatformResults = {
  readonly id: string;
  readonly title: string;
  readonly results: readonly Result[];
};

/** In the order in which they were played. */
export function byPlatform(results: readonly Result[]): PlatformResults[] {
  const ids = [...new Set(results.map(({ platform }) => platform))];
  return ids.map((id) => {
    const own = results.filter(({ platform }) => platform === id);
    return { id, title: line(own[0]?.platformTitle ?? id), results: own };
  });
}
