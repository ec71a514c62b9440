/**
 * npm run http-files [-- --check]
 *
 * Writes http/<platform>.http, every row as a request to send from an editor (VS Code REST Client, JetBrains, httpYac); with
 * --check, says whether those that are there are up to date.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { platforms } from '../app/platforms/index.ts';
import type { Platform } from '../app/platforms/platform.ts';
import { projectRoot } from '../app/project-root.ts';
import { callers, people, tokenOf, tokens } from '../app/scenarios/cast.ts';
import { outgoingOf, placeholdersIn, type Scenario, type Send } from '../app/scenarios/scenario.ts';

const nameIn = (placeholder: string) => placeholder.slice(2, -2);

/** `token.simon371` is token_simon371. */
const variable = (name: string) =>
  name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9]+/g, '_');

const mint = 'npm run -s admin -- token mint --user test1';
const caller = 'npm run -s admin -- caller authlete';

const howToFill: Readonly<Record<string, string>> = {
  [nameIn(tokens.neverIssued)]: 'Made up.',
  [nameIn(tokens.expired)]: `${mint} --ttl 1`,
  [nameIn(tokens.revoked)]: `${mint}, then npm run admin -- token revoke`,
  [nameIn(tokens.withoutVerifyScope)]: `${mint} --scope profile`,
  [nameIn(tokens.ofAClient)]: 'POST /oauth/token with grant_type=client_credentials',
  [nameIn(callers.authlete.user)]: `${caller}: before the colon`,
  [nameIn(callers.authlete.password)]: `${caller}: behind the colon`,
  ...Object.fromEntries(
    people.map(({ login }) => [
      nameIn(tokenOf(login)),
      `npm run -s admin -- token mint --user ${login}`,
    ]),
  ),
};

const unknownToUs = (name: string) =>
  name.startsWith('token.')
    ? 'Of somebody who is not in the seed: see app/scenarios/cast.ts.'
    : `Stands for ${name} in the tables.`;

const declaration = (name: string) => {
  const value = name === nameIn(tokens.neverIssued) ? 'no-such-token' : 'paste-here';
  return `# ${howToFill[name] ?? unknownToUs(name)}\n@${variable(name)} = ${value}`;
};

const withVariables = (text: string) =>
  text.replace(/\{\{([^}]+)\}\}/g, (_, name: string) => `{{${variable(name)}}}`);

/** Text that a URL or a form encodes, but for the placeholders in it. */
const decodedPlaceholders = (text: string) =>
  text.replace(/%7B%7B(.*?)%7D%7D/g, (placeholder) => decodeURIComponent(placeholder));

/** The editors make Base64 of `Basic user password`; what has no placeholder can be said as it is. */
function authorization({ user, password, scheme = 'Basic' }: NonNullable<Send['basic']>) {
  const known = placeholdersIn({ user, password }).length === 0;
  if (known) return `${scheme} ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const isSayable = scheme.toLowerCase() === 'basic' && [user, password].every(isWord);
  return isSayable ? `${scheme} ${user} ${password}` : undefined;
}

const isWord = (text: string) => /^(\{\{[^}]+\}\}|[^\s:{}]+)$/.test(text);

/** Undefined: an editor cannot send it to the letter. */
function requestOf(send: Send): string | undefined {
  const { basic, ...rest } = send;
  const { method, url, headers, body } = outgoingOf('http://base-url.invalid', rest);
  const authorized = basic && authorization(basic);
  if (basic && !authorized) return undefined;
  if (body !== undefined && (/[\r\n]|^\s|\s$|^$|^[#<@/]/.test(body) || method === 'GET')) {
    return undefined;
  }
  const isForm = send.form !== undefined;
  const fields = Object.entries({
    ...headers,
    ...(authorized ? { Authorization: authorized } : {}),
  });
  return withVariables(
    [
      `${method} ${decodedPlaceholders(url.replace('http://base-url.invalid', '{{baseUrl}}'))}`,
      ...fields.map(([name, value]) => `${name}: ${value}`),
      ...(body === undefined ? [] : ['', isForm ? decodedPlaceholders(body) : body]),
    ].join('\n'),
  );
}

const expected = ({ expect: { status, text, json } }: Scenario) => {
  const body = text ?? (json === undefined ? '' : JSON.stringify(json));
  return `# Answer: ${status} ${body.replace(/\s+/g, ' ')}`.trimEnd();
};

function block(row: Scenario): string {
  const { id, title, requirement, mark, source, send } = row;
  const request = requestOf(send);
  return [
    `### ${id} ${title}`,
    `# ${requirement}`,
    `# ${mark}: ${source}`,
    expected(row),
    ...(request === undefined
      ? [`# An editor cannot send it to the letter: npm run scenarios -- --id ${id}`]
      : [`# @name ${variable(id)}`, request]),
  ].join('\n');
}

/** The text of one platform's file. */
export function httpFile({ id, title, scenarios }: Platform): string {
  const placeholders = [...new Set(scenarios.flatMap(({ send }) => placeholdersIn(send)))];
  return `${[
    [
      `# ${title}: every row of app/platforms/${id}/${id}.scenarios.ts, made by npm run http-files.`,
      '# For VS Code REST Client, JetBrains and httpYac. Fill in the variables that you need, or',
      '# set them in an environment of your editor; keep tokens out of version control.',
      '@baseUrl = http://127.0.0.1:3000',
    ].join('\n'),
    ...placeholders.map(declaration),
    ...scenarios.map(block),
  ].join('\n\n')}\n`;
}

/** By file name, for every platform there is. */
export const httpFiles = (): ReadonlyMap<string, string> =>
  new Map(platforms.map((platform) => [`${platform.id}.http`, httpFile(platform)]));

if (process.argv[1] === import.meta.filename) {
  const folder = join(projectRoot, 'http');
  const files = httpFiles();
  const there = existsSync(folder) ? readdirSync(folder) : [];
  const surplus = there.filter((name) => name.endsWith('.http') && !files.has(name));
  if (!process.argv.includes('--check')) {
    mkdirSync(folder, { recursive: true });
    for (const name of surplus) rmSync(join(folder, name));
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
  } else {
    const stale = [...files].filter(
      ([name, text]) => !there.includes(name) || readFileSync(join(folder, name), 'utf8') !== text,
    );
    const wrong = [...stale.map(([name]) => name), ...surplus];
    if (wrong.length > 0) {
      process.stderr.write(`Out of date: ${wrong.join(', ')} in http/: npm run http-files\n`);
      process.exit(1);
    }
  }
}
