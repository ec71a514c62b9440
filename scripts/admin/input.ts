/** What a command is given: secrets on standard input, and options that are not plain text. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { InvalidArgumentError } from 'commander';
import { everyScope, parseScope } from '../../app/oauth/scopes.ts';
import { DirectoryError } from '../../app/store/directory.ts';
import type { Profile } from '../../app/verification/verdict.ts';

/** Bytes. Neither a password nor a token comes near. */
const longest = 65_536;

async function piped(what: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longest) throw new DirectoryError('invalid', `The ${what} is too long.`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new DirectoryError('invalid', `The ${what} must be UTF-8 text.`);
  }
}

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

/** One line from the terminal, not shown. */
async function typed(what: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: nowhere(), terminal: true });
  process.stderr.write(`Type or paste the ${what}, then Enter (it is not shown): `);
  terminal.once('SIGINT', () => {
    terminal.close();
    process.kill(process.pid, 'SIGINT');
  });
  const line = await new Promise<string>((resolve) => {
    terminal.once('line', resolve);
    terminal.once('close', () => resolve(''));
  });
  terminal.close();
  process.stderr.write('\n');
  return line;
}

/** A secret from standard input, never from the command line: that is in the process list and the shell's history. */
export async function readSecret(what: 'password' | 'token'): Promise<string> {
  const text = process.stdin.isTTY ? await typed(what) : await piped(what);
  const value = text.replace(/\r?\n$/, '');
  if (value === '') throw new DirectoryError('invalid', `No ${what} came on standard input.`);
  return value;
}

/** For an option that is a whole number. */
export const wholeNumber = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text) || value < least || value > most) {
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  }
  return value;
};

/** For --scope: names that there are. */
export function knownScope(text: string): readonly string[] {
  const names = parseScope(text);
  const known = `there are ${everyScope.join(', ')}.`;
  if (names.length === 0) throw new InvalidArgumentError(`It names no scope; ${known}`);
  for (const name of names) {
    if (!everyScope.includes(name)) {
      throw new InvalidArgumentError(`There is no scope ${JSON.stringify(name)}; ${known}`);
    }
  }
  return names;
}

function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `key=text`, or `key:=json` for a number, true or false; added to what came before. */
export function profileEntry(text: string, before: Profile = {}): Profile {
  const [, key = '', sign, right = ''] = /^(.+?)(:?=)(.*)$/s.exec(text) ?? [];
  const value = sign === ':=' ? jsonValue(right) : right;
  if (!sign || !['string', 'number', 'boolean'].includes(typeof value)) {
    throw new InvalidArgumentError('It must be key=text, or key:=json for a number, true, false.');
  }
  return { ...before, [key]: value as string | number | boolean };
}
