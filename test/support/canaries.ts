/**
 * Proof that no secret reaches a log: every token, password and secret that the tests use is written down here, every line
 * that a server under test logs goes into a file, and when all tests are through the one is searched for the other
 * (global-teardown.ts).
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = () => {
  const path = process.env['TEST_CANARIES'];
  if (!path) throw new Error('TEST_CANARIES is not set: run the tests with npm test');
  mkdirSync(path, { recursive: true });
  return path;
};

/** Shorter values would be found by chance, in a uid or a word. */
const shortest = 8;

/** Remembers values that must never be logged. */
export function secret<Value extends string>(value: Value): Value {
  // Of `String()` of what is not there: any log may have that word.
  if (value === 'undefined' || value === 'null') throw new Error(`no secret: ${value}`);
  if (value.length >= shortest) {
    appendFileSync(join(folder(), `secrets-${process.pid}`), `${JSON.stringify(value)}\n`);
  }
  return value;
}

/** Where a server under test logs to. */
export const logFile = (): string => join(folder(), `log-${process.pid}`);

/**
 * Base64 that is the same whatever stands before and after: as in `Authorization: Basic`, where the secret is the second
 * half. There are three ways for it to fall on groups of three bytes.
 */
const inBase64 = (value: string): string[] =>
  [0, 1, 2].map((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)]);
    return bytes
      .toString('base64')
      .slice(Math.ceil((shift * 4) / 3), Math.floor((bytes.length * 4) / 3));
  });

/** The log lines with a secret in them: in the clear, as in a URL or a form, in Base64 or base64url, JSON-escaped. */
export function leaks(path: string): string[] {
  const read = (prefix: string) =>
    readdirSync(path)
      .filter((name) => name.startsWith(prefix))
      .flatMap((name) => readFileSync(join(path, name), 'utf8').split('\n'));
  const secrets = new Set(
    read('secrets-').flatMap((line) => (line ? [JSON.parse(line) as string] : [])),
  );
  const forms = [...secrets].flatMap((value) => [
    value,
    encodeURIComponent(value.toWellFormed()),
    new URLSearchParams([['', value]]).toString().slice(1),
    ...inBase64(value),
    ...inBase64(value).map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    JSON.stringify(value).slice(1, -1),
  ]);
  return read('log-').filter((line) => forms.some((form) => line.includes(form)));
}
