/**
 * npm run scenarios -- [options]
 *
 * Plays the platforms' rows and stories on a backend: one of ours that is started for it, or any other. See --help and
 * docs/scenario-suite.md.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { Command, CommanderError, Option } from 'commander';
import { platforms } from '../app/platforms/index.ts';
import type { CallOptions } from '../app/scenarios/call.ts';
import { readExpectedFailures } from '../app/scenarios/expected-failures.ts';
import { type Fixture, readFixture, variableFor } from '../app/scenarios/fixture.ts';
import { fixtureTemplate } from '../app/scenarios/fixture-template.ts';
import { PreflightError, preflight } from '../app/scenarios/preflight.ts';
import { unplayableThere } from '../app/scenarios/recast.ts';
import type { Warning } from '../app/scenarios/report.ts';
import { reporters } from '../app/scenarios/reporters/reporters.ts';
import { runScenarios, type Target } from '../app/scenarios/runner.ts';
import {
  type Choice,
  type Entry,
  entriesOf,
  type Level,
  leftOutOf,
  levels,
  needsOf,
  select,
  tagNames,
  tagsOf,
  UsageError,
  unknown,
} from '../app/scenarios/selection.ts';
import { version } from '../app/version.ts';
import { wholeNumber } from './admin/input.ts';
import { createOutputs } from './scenarios/outputs.ts';
import { targetProblems, targetUrl } from './target.ts';

type Options = {
  readonly target?: string;
  readonly fixture?: string;
  readonly database?: string;
  readonly init?: string | true;
  readonly platform?: readonly string[];
  readonly tag?: readonly string[];
  readonly id?: readonly string[];
  readonly grep?: string;
  readonly level?: Level;
  readonly list?: true;
  readonly json?: true;
  readonly reporter?: readonly string[];
  readonly out?: string;
  readonly expectedFailures?: string;
  readonly allowMutating?: true;
  readonly bail?: true;
  readonly strict?: true;
  readonly timeout: number;
  readonly wait: number;
  readonly delay: number;
  readonly ca?: string;
  readonly color: boolean;
  readonly progress?: true;
};

const exitCodes = { usage: 2, interrupted: 130 } as const;

const listed = (text: string, before: readonly string[] = []): string[] => [
  ...before,
  ...text.split(',').flatMap((one) => one.trim() || []),
];

const repeated = (text: string, before: readonly string[] = []): string[] => [...before, text];

const help = `
Reports:
${reporters.map(({ name, description }) => `  ${name.padEnd(10)}${description}`).join('\n')}

Another backend's users, tokens and secrets are SCENARIO_… variables, in a file (--init writes one) or in the environment;
none is ever an argument. A row that needs one that is not set is skipped, by name.

Examples:
  npm run scenarios
  npm run scenarios -- --platform pango --tag negative
  npm run scenarios -- --init --platform connectycube
  npm run scenarios -- --list --fixture scenarios.env
  npm run scenarios -- --target https://backend.example --fixture scenarios.env
  npm run scenarios -- --reporter junit:reports/junit.xml --reporter html:reports/report.html
  npm run -s scenarios -- --list --json

Every row is played once: nothing is tried again but the first look at the target (--wait).

Exit codes: 0 all passed, and at least one was played; 1 failures; 2 wrong usage, or nothing selected; 3 the target cannot be
reached, or is not the backend; 4 everything was skipped; 130 interrupted (the reports say what was played until then).`;

const program = new Command('npm run scenarios --')
  .description("Plays the platforms' rows and stories on a backend.")
  .addOption(
    new Option(
      '--target <url>',
      'the backend to play on; without, one of ours is started for it',
    ).env('SCENARIO_TARGET'),
  )
  .option('--fixture <file>', 'what to know of the target: SCENARIO_… variables')
  .option(
    '--init [file]',
    'write such a file, each variable explained; with --platform, only theirs',
  )
  .option('--database <url>', 'postgresql://… where our own backend gets a database of its own')
  .option('--platform <ids>', 'of these platforms only, separated by commas', listed)
  .option('--tag <tags>', `any of: ${tagNames.join(', ')}`, listed)
  .option('--grep <expression>', 'whose id, title or requirement matches')
  .option('--id <ids>', 'these only, separated by commas', listed)
  .addOption(
    new Option(
      '--level <level>',
      'documented: by the vendors; seen: also what was seen or reported of them, as by default with a --target; all: our own choices, too, as by default without',
    ).choices(levels),
  )
  .option('--list', 'say what would be played; no request is made')
  .option('--json', 'with --list: as JSON')
  .option('--reporter <name[:file]>', 'a report besides the one for people', repeated)
  .option('--out <folder>', 'write every report there')
  .option('--expected-failures <file>', 'lines of <id>: <reason>; one that does not fail fails')
  .option('--allow-mutating', 'on another machine, play what leaves something behind, too')
  .option('--bail', 'stop at the first failure')
  .option('--strict', 'what is skipped fails the run')
  .option('--timeout <ms>', 'for each answer', wholeNumber(1, 600_000), 10_000)
  .option('--wait <seconds>', 'for the target to be there', wholeNumber(0, 3600), 0)
  .option('--delay <ms>', 'between two rows', wholeNumber(0, 60_000), 0)
  .option('--ca <file>', 'PEM certificates to trust besides the public authorities')
  .option(
    '--progress',
    'say how far it is, every 5 s; by default where there is no terminal, and no CI',
  )
  .option('--no-color', 'no colours; NO_COLOR and FORCE_COLOR are heeded, too')
  .addHelpText('after', help)
  .allowExcessArguments(false)
  .exitOverride();

/** @throws {UsageError} */
function textOf(file: string, option: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError([`${option}: ${file} cannot be read (${code})`]);
  }
}

const quoted = (word: string) =>
  /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

function init(file: string, entries: readonly Entry[], ids: readonly string[]): void {
  const known = [...new Set(entries.map(({ platform }) => platform.id))];
  const problems = unknown('--platform', ids, known);
  if (existsSync(file)) {
    problems.push(
      `--init: ${file} is there already, and is left as it is; --init other.env writes another one`,
    );
  }
  if (problems.length > 0) throw new UsageError(problems);
  writeFileSync(file, fixtureTemplate(entries, ids), { mode: 0o600, flag: 'wx' });
  process.stdout.write(
    `${file} is written, readable by you alone. Fill in what you have, then:\n` +
      `npm run scenarios -- --target https://your.backend --fixture ${quoted(file)}\n`,
  );
}

/** Lines of at most so many characters, cut at spaces. */
const wrapped = (text: string, width: number, indent: string): string[] =>
  (
    text.match(
      new RegExp(`\\S.{0,${Math.max(width - indent.length, 20) - 2}}(?=\\s|$)|\\S+`, 'g'),
    ) ?? []
  ).map((part) => `${indent}${part}`);

/** @param fixture what of it would be skipped on the backend that this is of; undefined: what each needs */
function list(entries: readonly Entry[], json: boolean, fixture: Fixture | undefined): void {
  const rows = entries.map((entry) => {
    const { id, title, mark, requirement, source } = entry.played;
    const needs = needsOf(entry).map(variableFor);
    const { platform, kind } = entry;
    const skipped = fixture && unplayableThere(entry, fixture);
    const row = { id, platform: platform.id, kind, mark, needs, title, requirement, source };
    return fixture ? { ...row, skipped: skipped ?? null } : { ...row, skipped: undefined };
  });
  if (json) {
    const tagged = rows.map((row, index) => ({ ...row, tags: tagsOf(entries[index] as Entry) }));
    process.stdout.write(`${JSON.stringify(tagged, undefined, 2)}\n`);
    return;
  }
  const width = process.stdout.columns ?? 80;
  const lines = rows.flatMap(({ id, mark, title, needs, skipped }) => {
    const notes = needs.length > 0 ? `needs ${needs.join(' ')}` : '';
    const note = fixture ? (skipped ? `skipped: ${skipped}` : '') : notes;
    return [...wrapped(`${id} (${mark}) ${title}`, width, ''), ...wrapped(note, width, '    ')];
  });
  const left = rows.filter(({ skipped }) => skipped).length;
  const sum = fixture ? [`${rows.length - left} would be played, ${left} skipped`] : [];
  process.stdout.write(`${[...lines, ...sum].join('\n')}\n`);
}

/** The options that make sense together. */
function optionProblems({ target, fixture, database, json, list: listing }: Options): string[] {
  return [
    ...(target === undefined ? [] : targetProblems(target)),
    ...(fixture && !target && !listing ? ['--fixture: is of a --target, which is missing'] : []),
    ...(database && target ? ['--database: our own backend is not started with a --target'] : []),
    ...(database && !/^postgres(ql)?:\/\//.test(database)
      ? ['--database: must be postgresql://user:password@host:port/database']
      : []),
    ...(json && !listing ? ['--json: goes with --list; for results, --reporter json'] : []),
  ];
}

function fixtureWarnings(file: string | undefined): Warning[] {
  const othersMayRead = file && process.platform !== 'win32' && statSync(file).mode & 0o077;
  return othersMayRead
    ? [{ text: `Others on this machine can read ${file}: chmod 600 ${file}`, ids: [] }]
    : [];
}

/** Another backend is not held to our own choices, unless that is asked for. */
const levelOf = ({ level, target, fixture }: Options): Level =>
  level ?? (target || fixture ? 'seen' : 'all');

/** The command that plays one again as it was played. */
const againWith =
  ({ target, fixture, ca, level, allowMutating }: Options) =>
  (id: string): string =>
    [
      'npm run scenarios --',
      `--id ${id}`,
      ...(target ? [`--target ${quoted(target)}`] : []),
      ...(fixture ? [`--fixture ${quoted(fixture)}`] : []),
      ...(ca ? [`--ca ${quoted(ca)}`] : []),
      ...(level ? [`--level ${level}`] : []),
      ...(allowMutating ? ['--allow-mutating'] : []),
    ].join(' ');

/** @throws {UsageError} */
function fixtureOf(entries: readonly Entry[], file: string | undefined): Fixture {
  const named = file === undefined ? undefined : { name: file, text: textOf(file, '--fixture') };
  return readFixture(entries, process.env, named);
}

/** The backend to play on; to be left by `leave`. */
async function targetOf(
  options: Options,
  entries: readonly Entry[],
): Promise<Target & { readonly leave: () => Promise<void> }> {
  const { target, fixture: file, database } = options;
  if (target === undefined) {
    // Not needed for another's backend, and slow to load.
    const { startThrowAwayBackend } = await import('../app/scenarios/throw-away-backend.ts');
    const { stop, ...backend } = await startThrowAwayBackend(database);
    return { ...backend, fixture: undefined, leave: stop };
  }
  const fixture = fixtureOf(entries, file);
  const { bindings, secrets } = fixture;
  return { url: targetUrl(target), bindings, secrets, fixture, leave: async () => {} };
}

/** What the first look found, or why it found nothing. */
async function firstLook(url: string, wait: number, call: CallOptions) {
  try {
    return await preflight(url, wait, call);
  } catch (error) {
    if (call.signal?.aborted)
      return { problem: 'It was interrupted before the backend had answered.' };
    if (error instanceof PreflightError) return { problem: error.message };
    throw error;
  }
}

/** @returns the exit code */
async function run(options: Options, signal: AbortSignal): Promise<number> {
  const entries = entriesOf(platforms);
  if (options.init) {
    init(options.init === true ? 'scenarios.env' : options.init, entries, options.platform ?? []);
    return 0;
  }
  const problems = optionProblems(options);
  if (problems.length > 0) throw new UsageError(problems);
  const choice: Choice = {
    platforms: options.platform ?? [],
    tags: options.tag ?? [],
    ids: options.id ?? [],
    grep: options.grep,
    level: levelOf(options),
  };
  const selected = select(entries, choice);
  if (options.list) {
    const fixture = options.fixture ? fixtureOf(entries, options.fixture) : undefined;
    list(selected, options.json === true, fixture);
    return 0;
  }

  const { expectedFailures: file } = options;
  const expectedFailures = file
    ? readExpectedFailures(textOf(file, '--expected-failures'), file)
    : new Map<string, string>();
  const call: CallOptions = {
    timeout: options.timeout,
    ...(options.ca ? { ca: [...rootCertificates, textOf(options.ca, '--ca')].join('\n') } : {}),
  };
  const outputs = createOutputs(options);
  const { leave, ...target } = await targetOf(options, entries);
  try {
    const played = await runScenarios({
      target,
      preflight: await firstLook(target.url, options.wait * 1000, { ...call, signal }),
      entries: selected,
      known: entries.map(({ played: { id } }) => id),
      level: choice.level,
      leftOut: leftOutOf(entries, choice, selected),
      strict: options.strict === true,
      bail: options.bail === true,
      allowMutating: options.allowMutating === true,
      expectedFailures,
      call,
      delay: options.delay,
      version,
      again: againWith(options),
      warnings: fixtureWarnings(options.fixture),
      signal,
      onBegin: outputs.begin,
      onResult: outputs.result,
    });
    outputs.end(played);
    return played.exitCode;
  } finally {
    await leave();
  }
}

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  // The second one ends the process at once.
  process.once(name, () => interruption.abort());
}

/** Whoever reads our output may stop early: `… | head -1`. What we started is still to be stopped. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    interruption.abort();
  });
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  if (interruption.signal.aborted) return exitCodes.interrupted;
  if (error instanceof UsageError) return exitCodes.usage;
  throw error;
}

try {
  program.parse();
  process.exitCode = await run(program.opts<Options>(), interruption.signal);
} catch (error) {
  process.exitCode = exitCodeOf(error);
  // Commander has said what was wrong.
  if (!(error instanceof CommanderError)) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}
