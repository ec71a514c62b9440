/**
 * npm run bench -- [--postgres] [--json]
 * npm run build && node dist/scripts/bench.js
 *
 * What a verification costs, beside a bare Express app and a bare node:http server that answer the same JSON without
 * asking anybody. See docs/benchmarks.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { newToken } from '../app/oauth/secrets.ts';
import { postgresqlDatabase, sqliteDatabase } from '../app/scenarios/throw-away-database.ts';
import type { Load, Order } from './bench/load.ts';
import { type Process, startProcess } from './bench/processes.ts';
import type { Listening } from './bench/server.ts';

type Options = {
  readonly postgres?: true;
  readonly duration: number;
  readonly connections: number;
  readonly rounds: number;
  readonly json?: true;
  readonly profile?: string;
};

/** What is measured: one server, asked for these paths. */
type Target = Pick<Order, 'paths' | 'expected'> & {
  readonly title: string;
  readonly server: Process;
};

/** CPU time of the server's process, all its threads, in µs per answer; and as `Load` has it. */
type Sample = Pick<Load, 'perSecond' | 'p50' | 'p99'> & { readonly cpu: number };

type Row = Sample & {
  readonly title: string;
  /** CPU, as a multiple. */
  readonly ofNodeHttp: number;
  readonly ofExpress: number;
};

const from = (least: number, most: number) => (text: string) => {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new InvalidArgumentError(`A whole number from ${least} to ${most}.`);
};

const { postgres, duration, connections, rounds, json, profile } = new Command('npm run bench --')
  .description('What a verification costs, beside bare Express and bare node:http. On loopback.')
  .option('--postgres', 'on PostgreSQL (TEST_POSTGRES_URL) instead of SQLite')
  .option('--duration <seconds>', 'of one measurement', from(1, 60), 3)
  .option('--connections <number>', 'that ask at the same time', from(1, 200), 20)
  .option('--rounds <number>', 'in which everything is measured once', from(1, 20), 3)
  .option('--profile <folder>', 'write a CPU profile of the backend there; makes it slower')
  .option('--json', 'print JSON')
  .parse()
  .opts<Options>();

const verified =
  '{"user":{"id":2345,"login":"simon371","full_name":"Simon Davis","fill_name":"Simon Davis","email":"simon371@example.com"},"uid":2345,"login":"simon371","email":"simon371@example.com"}';

/** What to undo at the end, the last first. */
const cleanUps: (() => unknown)[] = [];

const interrupted = new AbortController();
// Ctrl-C comes more than once, from the terminal and through npm and tsx.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());

async function start(...[program, options, nodeOptions]: Parameters<typeof startProcess>) {
  const started = await startProcess(program, options, nodeOptions);
  cleanUps.push(started.stop);
  interrupted.signal.throwIfAborted();
  return started;
}

async function targets(): Promise<Target[]> {
  const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-bench-'));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  const database = postgres
    ? await postgresqlDatabase(
        process.env['TEST_POSTGRES_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/postgres',
        'bench',
      )
    : sqliteDatabase(folder);
  cleanUps.push(database.drop);

  const profiling = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
  const kit = await start('server', ['kit', database.url, folder], profiling);
  const { tokens } = kit.hello as Listening;
  const good = tokens.map((token) => `/user/verify?token=${token}`);
  const unknown = tokens.map(() => `/user/verify?token=${newToken()}`);
  const pango = tokens.map((token) => `/GetUserInfo?oauth_token=${token}`);
  const ok = { status: 200, body: verified };
  return [
    { title: 'node:http', server: await start('server', ['node-http']), paths: good, expected: ok },
    { title: 'Express', server: await start('server', ['express']), paths: good, expected: ok },
    {
      title: 'Express, on our http-server.ts',
      server: await start('server', ['express-own-classes']),
      paths: good,
      expected: ok,
    },
    { title: 'GET /user/verify', server: kit, paths: good, expected: ok },
    {
      title: 'GET /GetUserInfo',
      server: kit,
      paths: pango,
      expected: { status: 200, body: '{"result":"OK","user":{"uid":2345}}' },
    },
    {
      title: 'GET /user/verify, unknown token',
      server: kit,
      paths: unknown,
      expected: { status: 422, body: '{"error":"User token is invalid"}' },
    },
  ];
}

/** @throws Error when it does not answer what it must */
async function check({ title, server, paths, expected }: Target): Promise<void> {
  const { port } = server.hello as Listening;
  const response = await fetch(`http://127.0.0.1:${port}${paths[0]}`);
  const body = await response.text();
  if (response.status !== expected.status || body !== expected.body) {
    throw new Error(`${title} answers ${response.status} ${body}`);
  }
}

async function measure({ title, server, paths, expected }: Target, load: Process): Promise<Sample> {
  const used = async () => {
    const { user, system } = (await server.ask({})) as NodeJS.CpuUsage;
    return user + system;
  };
  const { port } = server.hello as Listening;
  const before = await used();
  const order: Order = { port, paths, expected, connections, duration };
  const { answers, wrong, ...rest } = (await load.ask(order)) as Load;
  const cpu = (await used()) - before;
  if (wrong > 0) throw new Error(`${title}: ${wrong} answers were wrong or missing.`);
  return { cpu: cpu / answers, ...rest };
}

/** Of an even number, the upper one of the two in the middle. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** In rounds, as a machine has slower and faster minutes. The first is to warm up, and does not count. */
async function compare(all: readonly Target[]): Promise<Row[]> {
  const load = await start('load');
  interrupted.signal.onabort = () => load.stop();
  const samples = new Map<Target, Sample[]>(all.map((target) => [target, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const target of all) {
      const sample = await measure(target, load);
      interrupted.signal.throwIfAborted();
      if (round > 0) samples.get(target)?.push(sample);
    }
  }
  const rows = all.map((target) => {
    const of = (figure: keyof Sample) =>
      median((samples.get(target) ?? []).map((sample) => sample[figure]));
    const { title } = target;
    return { title, cpu: of('cpu'), perSecond: of('perSecond'), p50: of('p50'), p99: of('p99') };
  });
  const cpuOf = (title: string) => rows.find((row) => row.title === title)?.cpu ?? Number.NaN;
  return rows.map((row) => ({
    ...row,
    ofNodeHttp: row.cpu / cpuOf('node:http'),
    ofExpress: row.cpu / cpuOf('Express'),
  }));
}

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ title, cpu, ofExpress, ofNodeHttp, perSecond, p50, p99 }) => [
    title,
    cpu.toFixed(0),
    ofExpress.toFixed(2),
    ofNodeHttp.toFixed(1),
    perSecond.toFixed(0),
    p50.toFixed(2),
    p99.toFixed(2),
  ]);
  const heads = ['', 'CPU µs', '× Express', '× node:http', 'requests/s', 'p50 ms', 'p99 ms'];
  const lines = [heads, ...cells].map(([title = '', ...figures]) =>
    [title.padEnd(33), ...figures.map((figure) => figure.padStart(12))].join(''),
  );
  return `${lines.join('\n')}\n`;
}

async function bench() {
  const all = await targets();
  for (const target of all) await check(target);
  const seconds = all.length * (rounds + 1) * duration;
  process.stderr.write(
    `Measuring for ${seconds} s. Other work on this machine makes all of it wrong.\n`,
  );
  const rows = await compare(all);
  const about = {
    database: postgres ? 'postgresql' : 'sqlite',
    node: process.version,
    cores: availableParallelism(),
    /** The build is what production runs; tsx costs some more. */
    code: extname(import.meta.filename) === '.js' ? 'build' : 'tsx',
    connections,
    duration,
    rounds,
  };
  const facts = Object.entries(about).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(
    json
      ? `${JSON.stringify({ ...about, rows }, null, 2)}\n`
      : `${facts.join(', ')}\n\n${table(rows)}`,
  );
}

try {
  await bench();
} catch (error) {
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
  if (!interrupted.signal.aborted) process.stderr.write(`${error}\n`);
} finally {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
}
