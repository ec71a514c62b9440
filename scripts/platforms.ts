/**
 * npm run platforms -- [OPTIONS]
 *
 * The platforms, played, on one port: point an app's SDK at them, and they ask your backend. See docs/simulators.md.
 */
import { readFileSync } from 'node:fs';
import closeWithGrace from 'close-with-grace';
import { Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { type Config, environment, isSecret, readConfig } from '../app/config.ts';
import { ConfigError } from '../app/config-error.ts';
import { isOrigin } from '../app/http/origin.ts';
import { createLog } from '../app/log.ts';
import { platforms } from '../app/platforms/index.ts';
import type { AskOptions } from '../app/scenarios/exchange.ts';
import { jsonIn } from '../app/scenarios/json.ts';
import {
  ListenError,
  setUp,
  startPlatforms,
  withoutSecrets,
} from '../app/scenarios/platforms-server.ts';
import { createRedaction } from '../app/scenarios/redaction.ts';
import { exchangeOf, line } from '../app/scenarios/reporters/plain-text.ts';
import { variableOf } from '../app/scenarios/simulator.ts';
import { wholeNumber } from './admin/input.ts';
import { targetProblems, targetUrl } from './target.ts';

/** As those of the other commands. */
const exitCodes = { fault: 1, usage: 2 } as const;

const known = platforms.filter(({ simulator }) => simulator !== undefined);

function originsIn(list: string): readonly string[] {
  const origins = list.split(',').map((one) => one.trim());
  const stranger = origins.find((one) => !isOrigin(one));
  if (stranger === undefined) return origins;
  throw new InvalidArgumentError(`${JSON.stringify(stranger)} is none: http://localhost:5173 is.`);
}

function idsIn(list: string): readonly string[] {
  const ids = list.split(',').map((id) => id.trim());
  const stranger = ids.find((id) => !known.some((one) => one.id === id));
  if (stranger === undefined) return ids;
  const all = known.map(({ id }) => id).join(', ');
  throw new InvalidArgumentError(`There is no ${JSON.stringify(stranger)}; there are ${all}.`);
}

function contents(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new InvalidArgumentError(`It cannot be read (${code}).`);
  }
  const value = jsonIn(text);
  if (value === undefined) throw new InvalidArgumentError('It is not JSON.');
  return value;
}

type Options = {
  readonly target?: string;
  readonly port: number;
  readonly host: string;
  readonly origins?: readonly string[];
  readonly platform?: readonly string[];
  readonly config?: unknown;
  readonly verbose?: true;
  readonly settings?: true;
};

const {
  target,
  port,
  host,
  origins,
  platform: ids,
  config,
  verbose,
  settings,
} = new Command('npm run platforms --')
  .description(
    "The platforms, played, on one port: point an app's SDK at them, and they ask your backend.",
  )
  .option('--target <url>', 'the backend; by default the one of npm start, with its settings')
  .option('--port <number>', 'to listen on; 0 for any free one', wholeNumber(0, 65_535), 4000)
  .option('--host <address>', 'to listen on; everybody who reaches it is let in', '127.0.0.1')
  .option('--origins <list>', 'of apps in a browser, which may read the answers', originsIn)
  .option('--platform <ids>', 'which ones, separated by commas; default: all', idsIn)
  .option('--config <file>', 'JSON: what the dashboards are set to, by platform', contents)
  .option('--verbose', 'print each exchange with the backend, without its secrets')
  .option('--settings', 'print what can be set there, and end')
  .addHelpText(
    'after',
    `
Secrets are never on the command line: AUTHLETE_API_KEY and AUTHLETE_API_SECRET are those of the backend, else of the
environment where --target says another, else of the file.`,
  )
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitCodes.usage))
  .parse()
  .opts<Options>();

/** One line for each setting of each platform, as the file may have it. */
const settingLines = () =>
  known.flatMap(({ id, simulator }) =>
    Object.entries(simulator?.settings.shape ?? {}).map(([name, one]) => {
      const setting = one as z.ZodType;
      const fallback = setting.safeParse(undefined);
      const variable = variableOf(setting);
      const notes = [
        ...(isSecret(setting) ? ['secret'] : []),
        ...(fallback.success ? [`default ${JSON.stringify(fallback.data)}`] : []),
        ...(variable === undefined ? [] : [`the backend's ${variable}`]),
      ];
      return `${id}.${name}  ${setting.description ?? ''} (${notes.join('; ')})\n`;
    }),
  );

/** What our own backend is set to, by variable. */
const variablesOf = ({ platforms }: Config) =>
  Object.assign({}, ...platforms.map((one) => one.settings)) as Record<string, unknown>;

/** The secrets of the callers; tokens and passwords are found by their names. */
function telling(variables: Readonly<Record<string, unknown>>): AskOptions {
  const names = known.flatMap(({ simulator }) =>
    Object.values(simulator?.settings.shape ?? {}).flatMap((one) =>
      isSecret(one) ? (variableOf(one as z.ZodType) ?? []) : [],
    ),
  );
  const redact = createRedaction(
    names.flatMap((variable) => {
      const value = variables[variable];
      return typeof value === 'string' ? [{ variable, value }] : [];
    }),
  );
  return {
    watch(exchange) {
      const { concluded, ...said } = redact(exchange);
      process.stdout.write(`\n${exchangeOf(said)}\n= ${line(concluded)}\n`);
    },
  };
}

async function start() {
  const problems = target === undefined ? [] : targetProblems(target);
  if (problems.length > 0) throw new ConfigError(problems);
  const ours = readConfig(environment(), platforms);
  const own = ours.BASE_URL ?? `http://127.0.0.1:${ours.PORT}`;
  const backend = target === undefined ? own : targetUrl(target);
  // What our backend generated for itself is nobody else's business.
  const variables = target === undefined ? variablesOf(ours) : environment();
  const off = ids ? [] : withoutSecrets(known, { variables, file: config });
  const on = ids ?? known.map(({ id }) => id).filter((id) => !off.some((one) => one.id === id));
  const options = verbose ? telling(variables) : {};
  const played = setUp(known, { backend, variables, ids: on, file: config, options });
  const log = createLog(ours);
  const server = await startPlatforms(played, {
    backend,
    log,
    port,
    host,
    ...(origins && { origins }),
  });
  closeWithGrace(
    { delay: 15_000, logger: { error: (error: unknown) => log.error(String(error)) } },
    async ({ err }) => {
      if (err) log.fatal({ err }, 'stopping after an error');
      await server.stop();
    },
  );
  const lines = played.map(({ id, title }) => `  ${title.padEnd(14)} ${server.url}/${id}\n`);
  const missing = off.map(
    ({ title, variables: names }) => `  ${title.padEnd(14)} off: set ${names.join(', ')}\n`,
  );
  process.stdout.write(
    `The backend is ${backend}\n${[...lines, ...missing].join('')}listening on ${server.url}\n`,
  );
}

if (settings) {
  process.stdout.write(settingLines().join(''));
} else {
  try {
    await start();
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof ListenError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error instanceof ConfigError ? exitCodes.usage : exitCodes.fault;
  }
}
