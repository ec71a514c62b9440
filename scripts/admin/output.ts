/** What a command says, and to whom. */

/** Whatever is in the database must not steer the terminal. */
const cell = (value: unknown) => String(value ?? '').replace(/\p{Cc}/gu, '\u{fffd}');

/** Columns side by side, the first row being their names. */
export function table(rows: readonly (readonly unknown[])[]): string {
  const cells = rows.map((row) => row.map(cell));
  const width = (column: number) => Math.max(...cells.map((row) => row[column]?.length ?? 0));
  return cells
    .map((row) =>
      row
        .map((text, column) => text.padEnd(width(column)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** One name and value per line; those without a value are left out. */
export const fields = (values: Readonly<Record<string, unknown>>): string =>
  table(Object.entries(values).filter(([, value]) => value !== null && value !== ''));

/** `key=value` pairs, in the order of the keys: PostgreSQL keeps no other. */
export const pairs = (values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => `${key}=${value ?? 'none'}`)
    .join(' ');

/** To the second, UTC. */
export const moment = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z');

export type Output = {
  /** What was asked for, on standard output: the value with --json, else the text. */
  result(value: unknown, text: string): void;
  /** For a person, on standard error: nothing with --json. */
  note(text: string): void;
  warning(message: string): void;
  error(code: string, message: string): void;
};

export function createOutput(isJson: () => boolean): Output {
  const aside = (kind: string, text: string, value: object) =>
    process.stderr.write(isJson() ? `${JSON.stringify({ [kind]: value })}\n` : `${text}\n`);
  return {
    result: (value, text) =>
      void process.stdout.write(`${isJson() ? JSON.stringify(value) : text}\n`),
    note: (text) => void (isJson() || process.stderr.write(`${text}\n`)),
    warning: (message) => void aside('warning', `warning: ${message}`, { message }),
    error: (code, message) => void aside('error', `error: ${message}`, { code, message }),
  };
}
