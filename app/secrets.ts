import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseEnv } from 'node:util';

/** Of a name that stands there twice, the first line counts. */
function readSecrets(file: string): Record<string, string | undefined> {
  if (!existsSync(file)) return {};
  const lines = readFileSync(file, 'utf8').split('\n');
  return parseEnv(lines.reverse().join('\n'));
}

/**
 * The secrets of these names from the file, generated into it (192 random bits, base64url) where they are missing. The
 * file is made readable for its owner alone.
 *
 * Lines are only ever appended, and the first counts: processes that start at the same moment agree without a lock.
 */
export function ensureSecrets(file: string, names: readonly string[]): Record<string, string> {
  const missing = names.filter((name) => readSecrets(file)[name] === undefined);
  if (missing.length > 0) {
    mkdirSync(dirname(file), { recursive: true });
    const lines = missing.map((name) => `${name}=${randomBytes(24).toString('base64url')}\n`);
    appendFileSync(file, lines.join(''), { mode: 0o600 });
  }
  const secrets = readSecrets(file);
  return Object.fromEntries(names.map((name) => [name, secrets[name] ?? '']));
}
