/** npm run scenarios, as a process: its exit codes, and what it says where. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provider } from '../support/databases.ts';
import { endProcesses, startProcess } from '../support/processes.ts';
import { fixtureText, type Listening, listenWith, startBadBackend } from './bad-backends.ts';

const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-command-'));
const inFolder = (name: string) => join(folder, name);

let backend: Listening;
beforeAll(async () => {
  backend = await startBadBackend();
  writeFileSync(inFolder('scenarios.env'), fixtureText, { mode: 0o644 });
});
afterEach(endProcesses);
afterAll(async () => {
  await backend.close();
  rmSync(folder, { recursive: true });
});

const start = (options: readonly string[], environment: Record<string, string> = {}) =>
  startProcess(['scripts/scenarios.ts', ...options], { TMPDIR: folder, ...environment });

const scenarios = (options: readonly string[], environment?: Record<string, string>) =>
  start(options, environment).ended;

const lastLine = (text: string) => text.trimEnd().split('\n').at(-1);

test('0: our own backend, started for it and gone afterwards, on either database', async () => {
  const server = process.env['TEST_POSTGRES_URL'] as string;
  const database = provider === 'postgresql' ? ['--database', server] : [];
  const out = inFolder('reports');
  const { code, stdout, stderr } = await scenarios([
    ...['--platform', 'pango,authlete', '--tag', 'story', '--id', 'pango-story-01'],
    ...['--out', out, '--reporter', `tap:${inFolder('extra/run.tap')}`, ...database],
  ]);
  expect({ code, stderr, last: lastLine(stdout) }).toEqual({
    code: 0,
    stderr: '',
    last: '1 passed, 0 failed, 0 skipped',
  });
  expect(stdout).toContain('started for this run');
  expect(readdirSync(out).toSorted()).toEqual([
    ...['github.txt', 'junit.xml', 'report.html', 'report.tap', 'report.txt'],
    ...['results.json', 'summary.md'],
  ]);
  expect(readFileSync(inFolder('extra/run.tap'), 'utf8')).toContain('ok 1 - pango-story-01');
  expect(readdirSync(folder).filter((name) => name.includes('idp-kit-scenarios'))).toEqual([]);
});

test('1: a backend that fails; JSON goes to standard output, the report for people beside it', async () => {
  const environment = { SCENARIO_TARGET: backend.url };
  const { code, stdout, stderr } = await scenarios(
    [
      ...['--fixture', inFolder('scenarios.env'), '--id', 'pango-12,pango-01,pango-07'],
      ...['--level', 'all', '--reporter', 'json', '--no-color'],
    ],
    environment,
  );
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ counts: { passed: 1, failed: 1, skipped: 1 } });
  expect(lastLine(stderr)).toBe('1 passed, 1 failed, 1 skipped');
  expect(stderr).toContain(
    `npm run scenarios -- --id pango-12 --target ${backend.url} --fixture ${inFolder('scenarios.env')}`,
  );
  expect(stderr).toContain(`Others on this machine can read ${inFolder('scenarios.env')}: chmod`);
  expect(stderr).toContain('$SCENARIO_TOKEN_VPN_USER');
  expect(stderr).toContain('needs SCENARIO_TOKEN_IN_SUSPENDED_GROUP');
});

test('1: an expected failure that does not come true', async () => {
  writeFileSync(inFolder('known.txt'), 'pango-01: was once so\n');
  const { code, stdout } = await scenarios([
    ...['--target', backend.url, '--fixture', inFolder('scenarios.env'), '--id', 'pango-01'],
    ...['--expected-failures', inFolder('known.txt')],
  ]);
  expect(code).toBe(1);
  expect(stdout).toContain('pango-01 was expected to fail (was once so), and passed');
});

describe('2: wrong usage', () => {
  test.each([
    [['--bogus'], "error: unknown option '--bogus'\n"],
    [
      ['--target', 'http://bob:word@127.0.0.1', '--json', '--database', 'mysql://x'],
      [
        '--target: must be a URL without user, query or fragment',
        '--database: our own backend is not started with a --target',
        '--database: must be postgresql://user:password@host:port/database',
        '--json: goes with --list; for results, --reporter json\n',
      ].join('\n'),
    ],
    [
      ['--reporter', 'jsn:x'],
      '--reporter: there is no "jsn"; there are pretty, json, junit, tap, html, markdown, github\n',
    ],
  ])('%j', async (options, said) => {
    const { code, stdout, stderr } = await scenarios(options);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: said });
  });
});

test('3: a target that is not there; every report says so', async () => {
  const gone = await listenWith(() => {});
  await gone.close();
  const out = inFolder('not-played');
  const { code, stdout, stderr } = await scenarios([
    ...['--target', gone.url, '--wait', '1', '--id', 'pango-01,pango-03', '--out', out],
  ]);
  const sentence = /^Not played: Nobody answers at 127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. .+$/m;
  expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
  expect(stdout).toMatch(sentence);
  expect(lastLine(stdout)).toBe('0 passed, 0 failed, 2 skipped');
  expect(readFileSync(join(out, 'report.txt'), 'utf8')).toMatch(sentence);
  expect(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'))).toMatchObject({
    counts: { passed: 0, failed: 0, skipped: 2 },
    exitCode: 3,
  });
  expect(readdirSync(out)).toHaveLength(7);
});

test('4: a backend of which nothing is known', async () => {
  const { code, stdout } = await scenarios(['--target', backend.url, '--id', 'pango-01']);
  expect(code).toBe(4);
  expect(lastLine(stdout)).toBe('0 passed, 0 failed, 1 skipped');
});

test.each([
  ['while a row is played', '/GetUserInfo', '0 passed, 0 failed, 0 skipped'],
  ['in the first look', '/healthz', '0 passed, 0 failed, 1 skipped'],
])('130: interrupted %s, at once, with a report of what was played', async (_, during, last) => {
  const slow = await listenWith((request, response) => {
    if (request.url?.startsWith(during)) started.child.kill('SIGINT');
    else response.end('{}');
  });
  const report = inFolder(`interrupted${during.replace('/', '-')}.json`);
  const started = start([
    ...['--target', slow.url, '--id', 'pango-03', '--timeout', '600000'],
    ...['--reporter', `json:${report}`],
  ]);
  const { code, stdout, stderr } = await started.ended;
  await slow.close();
  expect({ code, stderr, last: lastLine(stdout) }).toEqual({ code: 130, stderr: '', last });
  expect(stdout).toContain('\nInterrupted after 0 of 1\n');
  expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({ interrupted: true });
});

test('--list says what there is, and asks nobody', async () => {
  const { code, stdout } = await scenarios([
    ...['--list', '--json', '--id', 'pango-06', '--target', 'http://127.0.0.1:9'],
  ]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual([
    {
      id: 'pango-06',
      platform: 'pango',
      kind: 'row',
      mark: 'documented',
      tags: ['row', 'negative', 'documented'],
      needs: ['SCENARIO_TOKEN_TEST4'],
      title: 'suspended user',
      requirement: 'A token that does not verify is answered with {"result": "Not found"}.',
      source:
        'Auth Plugin requirements, https://pango.gitbook.io/paas/console-details/project-settings/user-authentification-methods/auth-plugin-requirements, step 6',
    },
  ]);
});

test('--list with a fixture and without a target says what would be skipped, in 80 columns', async () => {
  const options = ['--list', '--fixture', inFolder('scenarios.env'), '--id', 'pango-01,pango-07'];
  const { code, stdout } = await scenarios(options);
  expect(code).toBe(0);
  expect(stdout).toContain('    skipped: needs SCENARIO_TOKEN_IN_SUSPENDED_GROUP\n');
  expect(lastLine(stdout)).toBe('1 would be played, 1 skipped');
  const all = await scenarios(['--list']);
  expect(all.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

test('another backend is not held to our own choices, unless that is asked for', async () => {
  const listed = async (...options: readonly string[]) => {
    const { stdout } = await scenarios(['--list', '--id', 'pango-09,pango-10', ...options]);
    return stdout.match(/^pango-\d\d/gm);
  };
  const target = ['--target', 'http://127.0.0.1:9'];
  expect(await listed(...target)).toEqual(['pango-09']);
  expect(await listed(...target, '--level', 'all')).toEqual(['pango-09', 'pango-10']);
  expect(await listed()).toEqual(['pango-09', 'pango-10']);
});

test('--init writes a file for its reader alone, once', async () => {
  const file = inFolder('mine.env');
  const first = await scenarios(['--init', file]);
  expect(first.code).toBe(0);
  expect(existsSync(file) && statSync(file).mode & 0o777).toBe(0o600);
  const second = await scenarios(['--init', file]);
  expect([second.code, second.stderr]).toEqual([
    2,
    `--init: ${file} is there already, and is left as it is; --init other.env writes another one\n`,
  ]);
});
