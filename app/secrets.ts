import { randomBytes } from 'node:crypto';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseEnv } from 'node:util';

const read = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/** Of a name that stands there twice, the first line counts; one without a value does not. */
const secretsIn = (text: string): Record<string, string | undefined> =>
  parseEnv(
    text
      .split('\n')
      .filter((line) => !/=\s*$/.test(line))
      .reverse()
      .join('\n'),
  );

/**
 * The secrets of these names from the file, generated into it (192 random bits, base64url) where they are missing. The
 * file is made readable for its owner alone.
 *
 * Lines are only ever appended, and the first counts: processes that start at the same moment agree without a lock.
 */
export function ensureSecrets(file: string, names: readonly string[]): Record<string, string> {
  const before = read(file);
  const known = secretsIn(before);
  const missing = names.filter((name) => known[name] === undefined);
  if (missing.length > 0) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const lines = missing.map((name) => `${name}=${randomBytes(24).toString('base64url')}\n`);
    // People edit the file, and leave the last line without an end.
    const end = before === '' || before.endsWith('\n') ? '' : '\n';
    appendFileSync(file, `${end}${lines.join('')}`, { mode: 0o600 });
    chmodSync(file, 0o600);
  }
  const secrets = secretsIn(read(file));
  return Object.fromEntries(names.map((name) => [name, secrets[name] ?? '']));
}
