/**
 * GitHub's workflow commands: a failure is an annotation. It shows ten of a kind for a step; the rest is in the summary.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
import type { ReporterDefinition, Result } from '../report.ts';
import {
  isFailure,
  line,
  nameOf,
  requirementOf,
  staleLines,
  summaryOf,
  verdictOf,
  warningLines,
} from './plain-text.ts';

/** What a runner would take for a command, at the beginning of a line or (the old form) anywhere, is none any more. */
export const withoutCommands = (text: string): string =>
  text.replace(/^(\s*):(?=:)/gm, '$1\\u003a').replaceAll('##[', '#\\u0023[');

const data = (text: string) =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

const shown = 10;

const annotation = (kind: 'error' | 'warning', title: string, message: string) =>
  `::${kind} title=${property(title)}::${data(message)}\n`;

function failure(result: Result): string {
  const { likelyCause, again } = result;
  const lines = [
    summaryOf(result),
    requirementOf(result),
    ...(likelyCause ? [`Likely cause: ${line(likelyCause)}`] : []),
    `Again: ${line(again)}`,
  ];
  return annotation('error', nameOf(result), lines.join('\n'));
}

export const github: ReporterDefinition = {
  name: 'github',
  description: "annotations of a GitHub workflow; the summary is markdown's",
  file: 'github.txt',
  create: () => ({
    end(run) {
      const failures = run.results.filter(isFailure).map(failure);
      const stale = staleLines(run).map((text) => annotation('error', 'Expected failures', text));
      const broken =
        run.problem === undefined ? [] : [annotation('error', 'Scenarios', verdictOf(run))];
      const errors = [...broken, ...failures, ...stale];
      const more = errors.length > shown;
      return [
        ...(more ? errors.slice(0, shown - 1) : errors),
        ...(more
          ? [
              annotation(
                'error',
                'Scenarios',
                `${errors.length - shown + 1} more: see the summary.`,
              ),
            ]
          : []),
        ...warningLines(run)
          .slice(0, shown)
          .map((text) => annotation('warning', 'Scenarios', text)),
      ].join('');
    },
  }),
};

/** What is on by itself in a GitHub workflow. */
export const onGitHub = (
  environment: Readonly<Record<string, string | undefined>>,
): readonly { readonly name: string; readonly file?: string }[] => {
  const { GITHUB_ACTIONS, GITHUB_STEP_SUMMARY } = environment;
  if (GITHUB_ACTIONS !== 'true') return [];
  return [
    { name: 'github' },
    ...(GITHUB_STEP_SUMMARY ? [{ name: 'markdown', file: GITHUB_STEP_SUMMARY }] : []),
  ];
};
