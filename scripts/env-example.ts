/**
 * npm run env-example [-- --check]
 *
 * Writes .env.example from the declarations in app/config.ts and in each platform's folder; with --check, says whether the
 * one that is there is up to date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { houseSettings, isSecret } from '../app/config.ts';
import { platforms } from '../app/platforms/index.ts';
import { projectRoot } from '../app/project-root.ts';

/** Where the example is not the default, and why. */
const different: Readonly<Record<string, { value: string; why: string }>> = {
  FIRST_PARTY_LOGIN: {
    value: 'true',
    why: 'On here, so that you can get a token with curl. Leave it off unless your own app needs it.',
  },
};

/** What the declaration itself does not know. */
const more: Readonly<Record<string, string>> = {
  PLATFORMS: `There are ${platforms.map(({ id }) => id).join(', ')}.`,
};

/** The default as it is written, before any transformation. */
function defaultOf(setting: z.ZodType): string {
  if (setting instanceof z.ZodDefault) return String(setting.def.defaultValue);
  if (setting instanceof z.ZodPipe) return defaultOf(setting.def.in as z.ZodType);
  if (setting instanceof z.ZodOptional) return defaultOf(setting.def.innerType as z.ZodType);
  return '';
}

/** Lines of at most 100 characters, cut at spaces. */
const comment = (text: string): string[] =>
  (text.match(/\S.{0,96}(?=\s|$)/g) ?? []).map((line) => `# ${line}`);

function variable(name: string, setting: z.ZodType): string {
  const usual = defaultOf(setting);
  const example = different[name];
  const lines = [
    [setting.description, more[name]].filter(Boolean).join(' '),
    ...(isSecret(setting)
      ? ['Secret. Empty: generated into SECRETS_FILE; not in production.']
      : []),
    ...(example ? [example.why, `Default: ${usual}`] : []),
  ];
  return [...lines.flatMap(comment), `${name}=${example?.value ?? usual}`].join('\n');
}

function block(title: string, settings: z.ZodObject): string[] {
  const variables = Object.entries(settings.shape).map(([name, setting]) =>
    variable(name, setting as z.ZodType),
  );
  return [`# ---- ${title} ----`, ...(variables.length > 0 ? variables : ['# It has none.'])];
}

/** The text of .env.example. */
export const envExample = (): string =>
  [
    [
      '# Every variable there is, with its default. It works as it stands: cp .env.example .env',
      '# The environment goes before .env. An empty variable counts as not set.',
      '# npm run env-example makes this file from app/config.ts and app/platforms.',
    ].join('\n'),
    ...block('The house', houseSettings),
    ...platforms.flatMap(({ title, settings }) => block(title, settings)),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');

if (process.argv[1] === import.meta.filename) {
  const file = join(projectRoot, '.env.example');
  if (!process.argv.includes('--check')) {
    writeFileSync(file, envExample());
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== envExample()) {
    process.stderr.write('.env.example is out of date: npm run env-example\n');
    process.exit(1);
  }
}
