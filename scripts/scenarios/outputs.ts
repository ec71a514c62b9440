/** Where the reports of one run go: the terminal, files, and what GitHub shows. */
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  countsOf,
  type Reporter,
  type ReporterDefinition,
  type Result,
  type Run,
  type RunHeader,
} from '../../app/scenarios/report.ts';
import { onGitHub } from '../../app/scenarios/reporters/github.ts';
import { reporters } from '../../app/scenarios/reporters/reporters.ts';
import { nearest, UsageError } from '../../app/scenarios/selection.ts';

type Stream = NodeJS.WriteStream;

type Output = {
  readonly reporter: Reporter;
  readonly write: (text: string) => void;
  readonly end: () => void;
};

/** Undefined: no file, but the terminal. */
type Asked = { readonly definition: ReporterDefinition; readonly file: string | undefined };

type Put = (file: string, text: string) => void;

export type Outputs = {
  readonly begin: (header: RunHeader) => void;
  readonly result: (result: Result) => void;
  readonly end: (run: Run) => void;
};

export type OutputOptions = {
  /** `name` or `name:file`, as often as wanted. */
  readonly reporter?: readonly string[];
  /** A folder for every report there is. */
  readonly out?: string;
  readonly color: boolean;
  /** Say how far it is where nobody sees marks come one by one; undefined: but not in CI. */
  readonly progress?: true;
};

/** What stands on the terminal beside the report for people, line by line. */
const lineByLine = ['github'];

/** In ms. */
const progressEvery = 5000;

const names = reporters.map(({ name }) => name);

function definitionOf(name: string): ReporterDefinition {
  const found = reporters.find((one) => one.name === name);
  if (!found) throw new UsageError([`--reporter: there is no "${name}"; ${nearest(name, names)}`]);
  return found;
}

/** The whole of it, or what was there before. */
function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}.unfinished`;
  writeFileSync(unfinished, text, { mode: 0o644 });
  renameSync(unfinished, file);
}

const coloursOn = (stream: Stream, wanted: boolean) =>
  wanted &&
  !process.env['NO_COLOR'] &&
  (stream.isTTY || Boolean(Number(process.env['FORCE_COLOR'] ?? 0)));

function toFile({ create }: ReporterDefinition, file: string, put: Put = writeWhole): Output {
  let text = '';
  return {
    reporter: create({ terminal: false, colours: false }),
    write(piece) {
      text += piece;
    },
    end: () => put(file, text),
  };
}

const toStream = ({ create }: ReporterDefinition, stream: Stream, color: boolean): Output => ({
  reporter: create({
    terminal: stream.isTTY && process.env['CI'] === undefined,
    colours: coloursOn(stream, color),
  }),
  write: (text) => void stream.write(text),
  end: () => {},
});

/**
 * The report for people is always there: on standard output, or on standard error when another one was sent there.
 *
 * @throws {UsageError}
 */
export function createOutputs({ reporter = [], out, color, progress }: OutputOptions): Outputs {
  const chosen = reporter.map((text): Asked => {
    const [, name = '', file] = /^([^:]*)(?::(.+))?$/s.exec(text) ?? [];
    return { definition: definitionOf(name), file };
  });
  // What GitHub shows of itself; its summary may have been begun by an earlier step.
  const shown = onGitHub(process.env).map(({ name, file }) => ({
    definition: definitionOf(name),
    file,
  }));
  const onStdout = [...chosen, ...shown].filter(({ file }) => file === undefined);
  const documents = onStdout.filter(
    ({ definition: { name } }) => name !== 'pretty' && !lineByLine.includes(name),
  );
  if (documents.length > 1) {
    const [first] = documents.map(({ definition }) => definition);
    throw new UsageError([
      `--reporter: only one report can go to standard output; give the others a file, e.g. ${first?.name}:${first?.file}`,
    ]);
  }
  const people: Stream = documents.length > 0 ? process.stderr : process.stdout;
  const lines = new Set(
    onStdout.map(({ definition }) => definition).filter(({ name }) => lineByLine.includes(name)),
  );
  const filesOf = (some: readonly Asked[], put?: Put) =>
    some.flatMap(({ definition, file }) =>
      file === undefined ? [] : [toFile(definition, file, put)],
    );
  const outputs: readonly Output[] = [
    toStream(definitionOf('pretty'), people, color),
    ...documents.map(({ definition }) => toStream(definition, process.stdout, false)),
    ...[...lines].map((definition) => toStream(definition, people, false)),
    ...filesOf(chosen),
    ...filesOf(shown, appendFileSync),
    ...(out ? reporters.map((definition) => toFile(definition, join(out, definition.file))) : []),
  ];
  const say = (text: (reporter: Reporter) => string | undefined) => {
    for (const { reporter: one, write } of outputs) {
      const said = text(one);
      if (said) write(said);
    }
  };
  const shows = progress ?? (!people.isTTY && process.env['CI'] === undefined);
  let [selected, played, said] = [0, 0, Date.now()];
  const sayHowFar = () => {
    played += 1;
    if (!shows || Date.now() - said < progressEvery) return;
    said = Date.now();
    process.stderr.write(`${played} of ${selected}\n`);
  };
  return {
    begin(header) {
      ({ selected } = header);
      said = Date.now();
      say((one) => one.begin?.(header));
    },
    result(result) {
      say((one) => one.result?.(result));
      sayHowFar();
    },
    end(run) {
      say((one) => one.end(run));
      for (const { end } of outputs) end();
      const { passed, failed, skipped } = countsOf(run.results);
      people.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    },
  };
}
