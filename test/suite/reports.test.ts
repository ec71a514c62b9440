/** Each report, read by somebody else's parser, with the worst a server can answer in it; and no secret in any of them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { jest } from '@jest/globals';
import { DOMParser } from '@xmldom/xmldom';
import { marked } from 'marked';
import { type DefaultTreeAdapterTypes, parse as parseHtml } from 'parse5';
import type { Browser } from 'playwright-core';
import { Parser as TapParser, type Result as TapResult } from 'tap-parser';
import { z } from 'zod';
import { platforms } from '../../app/platforms/index.ts';
import type { Preflight, Result, Run } from '../../app/scenarios/report.ts';
import { onGitHub } from '../../app/scenarios/reporters/github.ts';
import { reporters } from '../../app/scenarios/reporters/reporters.ts';
import { runScenarios } from '../../app/scenarios/runner.ts';
import { entriesOf, needsOf } from '../../app/scenarios/selection.ts';
import { describeInBrowser, launch } from '../support/browser.ts';
import { leaks } from '../support/canaries.ts';
import { overflow, violations } from '../support/pages.ts';

// A browser on a busy machine.
jest.setTimeout(60_000);

const hostile = [
  '</script><script>fetch("http://evil.invalid/")</script><img src=http://evil.invalid/x onerror=alert(1)>',
  ']]> & <![CDATA[ "quotes" \'and\' `ticks` ```` | pipes | @everyone #1',
  '\u001b[2J\u001b]0;title\u0007\u009b31m\u0000\u0008\u202egpj.exe\u2028\ufffe\ud800 end',
  '\n::error title=x::forged\n  ::add-mask::x\n##[error]forged\r\n::stop-commands::x',
  '\n1..0\nok 99 - forged # SKIP\nBail out! forged\n...\n---\n  key: value\n# comment',
  '![x](http://evil.invalid/y) [link](javascript:alert(1)) <b>bold</b> *stars* _lines_ $(id) `id`',
].join(' ');

const failed: Result = {
  id: 'pango-03',
  platform: 'pango',
  platformTitle: 'Pango',
  kind: 'row',
  title: 'unknown token',
  requirement: 'A token that does not verify is answered with Not found.',
  mark: 'documented',
  source: 'Auth Plugin requirements, https://pango.example/requirements, step 6',
  because: 'unknown',
  status: 'failed',
  reason: undefined,
  expectedFailure: false,
  ms: 12.4,
  calls: [
    {
      request: {
        method: 'GET',
        url: 'http://backend.example/GetUserInfo?oauth_token=x',
        headers: { 'X-Request-Id': 'scenario-pango-03' },
      },
      reply: { status: 500, headers: [['x-hostile', hostile]], text: hostile, ms: 11 },
      problem: undefined,
      curl: `curl -sS -i "http://backend.example/GetUserInfo?oauth_token=$SCENARIO_TOKEN"`,
    },
  ],
  differences: [
    { where: 'status', expected: 200, actual: 500 },
    { where: `body.${hostile}`, expected: '{"result":"Not found"}', actual: hostile },
    { where: 'body.user', expected: { id: 1, name: 'a' }, actual: { id: '1', name: 'a' } },
  ],
  checks: [],
  flows: [],
  likelyCause: 'An error was thrown where an answer was meant: look at the log of the backend.',
  again: 'npm run scenarios -- --id pango-03 --target http://backend.example',
};

const passed: Result = {
  ...failed,
  id: 'pango-01',
  title: "the vendor's example",
  because: undefined,
  status: 'passed',
  differences: [],
  likelyCause: undefined,
};

const skipped: Result = {
  ...passed,
  id: 'connectycube-02',
  platform: 'connectycube',
  platformTitle: 'ConnectyCube',
  title: `a hostile title ${hostile}`,
  status: 'skipped',
  reason: `needs SCENARIO_TOKEN_TEST1 ${hostile}`,
  calls: [],
};

const unanswered: Result = {
  ...failed,
  id: 'connectycube-03',
  platform: 'connectycube',
  platformTitle: 'ConnectyCube',
  reason: 'No answer within 10 s.',
  calls: failed.calls.map((call) => ({
    ...call,
    reply: undefined,
    problem: 'No answer within 10 s.',
  })),
  differences: [],
};

const excused: Result = {
  ...failed,
  id: 'pango-05',
  status: 'passed',
  expectedFailure: true,
  reason: `ticket 7 ${hostile}`,
};

const story: Result = {
  ...failed,
  id: 'pango-story',
  kind: 'story',
  title: `<img src=x onerror=alert(1) ${hostile}`,
  calls: failed.calls.map((call) => ({
    ...call,
    curl: "curl --data-raw 'a\n::error::forged\n```\n<b>x</b>' 'http://backend.example/'",
  })),
  differences: [],
  checks: [{ what: `test2 sees the app ${hostile}`, flow: 0, expected: ['a'], actual: hostile }],
  flows: [
    {
      accepted: false,
      outcome: `Pango denies ${hostile}`,
      exchanges: [
        {
          from: 'Platform',
          to: 'Backend',
          request: { method: 'GET', url: 'http://backend.example/GetUserInfo', headers: {} },
          reply: { status: 200, headers: [], text: hostile, ms: 3 },
          problem: undefined,
          concluded: hostile,
          order: { request: 0, reply: 1 },
        },
      ],
    },
  ],
};

const preflight: Preflight = {
  url: 'http://backend.example',
  tls: false,
  version: hostile,
  clockSkew: 0,
  ms: 4,
};

const run: Run = {
  target: 'http://backend.example',
  own: false,
  startedAt: new Date('2026-01-02T03:04:05.000Z'),
  endedAt: new Date('2026-01-02T03:04:06.500Z'),
  version: '0.1.0',
  preflight,
  level: 'all',
  leftOut: { count: 0, unchecked: [] },
  strict: false,
  selected: 6,
  results: [passed, failed, excused, story, skipped, unanswered],
  warnings: [
    { text: `Active and suspended users are answered alike. ${hostile}`, ids: ['pango-06'] },
  ],
  stale: [{ id: 'pango-09', reason: `ticket 8 ${hostile}`, because: 'passed' }],
  interrupted: false,
  problem: undefined,
  exitCode: 1,
};

/** Nothing that was not said by us. */
const allGood: Run = {
  ...run,
  results: [passed],
  warnings: [],
  stale: [],
  selected: 1,
  exitCode: 0,
};

function reportOf(name: string, of: Run = run, sink = { terminal: false, colours: false }): string {
  const definition = reporters.find((one) => one.name === name);
  if (!definition) throw new Error(`There is no ${name}`);
  const { begin, result, end } = definition.create(sink);
  const { results: _results, ...header } = of;
  return [begin?.(header), ...of.results.map((one) => result?.(one)), end(of)].join('');
}

/** What steers a terminal, what XML 1.0 does not allow, what turns the direction of writing. */
const dangerous = [
  ...Array.from({ length: 0xa0 }, (_, code) => code).filter((code) => code < 0x20 || code > 0x7e),
  ...[0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2028, 0x2029, 0xfffe, 0xffff, 0xd800],
]
  .map((code) => String.fromCharCode(code))
  .filter((character) => character !== '\n' && character !== '\t');

test.each(['pretty', 'junit', 'tap', 'html', 'markdown', 'github'])(
  '%s: control characters of a server are shown, not obeyed',
  (name) => {
    const report = reportOf(name);

    expect(dangerous.filter((character) => report.includes(character))).toEqual([]);
    expect(report.isWellFormed()).toBe(true);
    expect(report).toMatch(/\\+u001b/);
  },
);

test.each(['pretty', 'tap', 'github'])(
  '%s: no line of a server is a command to the runner of a GitHub workflow',
  (name) => {
    const commands = reportOf(name)
      .split('\n')
      .filter((line) => /^\s*::/.test(line) || line.includes('##['));

    for (const command of commands) expect(command).toMatch(/^::(error|warning) title=[^:,]*::/);
    expect(commands.length).toBe(name === 'github' ? 5 : 0);
  },
);

describe('pretty', () => {
  test('says what failed, which requirement that is, what was expected, why, and how to see it again', () => {
    const plain = reportOf('pretty', {
      ...run,
      results: [
        passed,
        {
          ...failed,
          calls: [],
          differences: [
            { where: 'status', expected: 200, actual: 500 },
            {
              where: 'body',
              expected: '{"user":{"id":1,"name":"a"}}',
              actual: '{"user":{"id":"1","name":"a"}}',
            },
            { where: 'body', expected: '{"a": 1}', actual: '{"a":1}' },
          ],
        },
      ],
      warnings: [],
      stale: [],
      preflight: { ...preflight, version: '2.0' },
    });

    expect(plain).toBe(`6 scenarios, played on http://backend.example

✗ pango-03 unknown token
    A token that does not verify is answered with Not found. (documented: Auth Plugin requirements, https://pango.example/requirements, step 6)

    - expected  + came

    status
    - 200
    + 500

    body
      {
        "user": {
    -     "id": 1,
    +     "id": "1",
          "name": "a"
        }
      }

    body
      {"a":[- -]1}

    Likely cause: An error was thrown where an answer was meant: look at the log of the backend.

    Again: npm run scenarios -- --id pango-03 --target http://backend.example

  Pango: 1 passed, 1 failed

Failed
  pango-03 unknown token
target http://backend.example · target version 2.0 · duration 1.5 s · no retries
`);
  });

  test('a forbidden answer in words, one scenario as one, and passing only with something of each platform', () => {
    const oneFailed = {
      ...failed,
      calls: [],
      differences: [
        {
          where: 'body',
          expected: { not: { authenticated: true } },
          actual: { authenticated: true },
        },
      ],
    };
    const one = reportOf('pretty', { ...allGood, selected: 1, results: [oneFailed] });
    expect(one).toContain('1 scenario, played on');
    expect(one).toContain('- anything but authenticated: true');

    const left = { ...skipped, platform: 'authlete', platformTitle: 'Authlete' };
    const some = reportOf('pretty', { ...allGood, results: [passed, left] });
    expect(some).toContain('Nothing failed, but of Authlete nothing was played');
    expect(some).not.toContain('Passed');
    expect(reportOf('pretty', allGood)).toContain('\nPassed\n');
  });

  test('a story says its steps', () => {
    const report = reportOf('pretty', {
      ...allGood,
      results: [
        {
          ...story,
          flows: [
            {
              accepted: false,
              outcome: 'Pango denies the login',
              exchanges: [
                {
                  from: 'Platform',
                  to: 'Backend',
                  request: {
                    method: 'GET',
                    url: 'http://backend.example/GetUserInfo?oauth_token=x',
                    headers: {},
                  },
                  reply: { status: 200, headers: [], text: '{}', ms: 3 },
                  problem: undefined,
                  concluded: 'no user in it',
                  order: { request: 0, reply: 1 },
                },
              ],
            },
          ],
        },
      ],
    });
    expect(report).toContain('1. Platform → Backend: GET /GetUserInfo, 200: no user in it');
    expect(report).toContain('→ Pango denies the login');
  });

  test('what the level leaves out is said before anything is played', () => {
    const leftOut = { count: 21, unchecked: [] };
    expect(reportOf('pretty', { ...allGood, level: 'documented', leftOut })).toContain(
      '1 scenario (--level documented leaves 21 out), played on',
    );
  });

  test('has colours where they are wanted, and progress where somebody looks on', () => {
    const bold = '\u001b[1m';

    expect(reportOf('pretty')).not.toContain(bold);
    expect(reportOf('pretty', run, { terminal: true, colours: true })).toContain(bold);
    expect(reportOf('pretty', allGood, { terminal: false, colours: false })).not.toContain('✓');
    expect(reportOf('pretty', allGood, { terminal: true, colours: false })).toContain('Pango ✓');
  });

  test('warnings come before the results', () => {
    const report = reportOf('pretty');

    expect(report.indexOf('Warnings')).toBeGreaterThan(0);
    expect(report.indexOf('Warnings')).toBeLessThan(report.indexOf('✗'));
  });
});

test('json: everything, for a reader who checks', () => {
  const schema = z.object({
    format: z.literal(1),
    counts: z.object({ passed: z.literal(2), failed: z.literal(3), skipped: z.literal(1) }),
    target: z.url(),
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime(),
    exitCode: z.literal(1),
    warnings: z.array(z.object({ text: z.string(), ids: z.array(z.string()) })).length(1),
    stale: z.array(z.object({ id: z.string(), reason: z.string(), because: z.string() })).length(1),
    results: z
      .array(
        z.object({
          id: z.string(),
          platform: z.string(),
          title: z.string(),
          requirement: z.string(),
          mark: z.string(),
          source: z.string(),
          status: z.enum(['passed', 'failed', 'skipped']),
          ms: z.number(),
          calls: z.array(z.object({ curl: z.string() })),
          again: z.string(),
        }),
      )
      .length(6),
  });
  const report = JSON.parse(reportOf('json'));

  expect(schema.parse(report).results[1]?.id).toBe('pango-03');
  expect(report.results[1].calls[0].reply.text).toBe(hostile);
});

describe('junit', () => {
  const parsed = (of: Run = run) => {
    const problems: string[] = [];
    const document = new DOMParser({
      onError: (_level, message) => problems.push(message),
    }).parseFromString(reportOf('junit', of), 'text/xml');
    expect(problems).toEqual([]);
    return document;
  };
  const elements = (of: Run, name: string) => [...parsed(of).getElementsByTagName(name)];

  test('a suite for each platform, with the numbers that CI servers show', () => {
    const numbers = elements(run, 'testsuite').map((suite) =>
      ['name', 'tests', 'failures', 'errors', 'skipped'].map((name) => suite.getAttribute(name)),
    );

    expect(numbers).toEqual([
      ['Pango', '4', '2', '0', '0'],
      ['ConnectyCube', '2', '0', '1', '1'],
      ['Scenarios', '1', '1', '0', '0'],
    ]);
  });

  test('failure, error and skipped are told apart, and say why', () => {
    const [difference, check, stale] = elements(run, 'failure');
    const [error] = elements(run, 'error');
    const [left] = elements(run, 'skipped');

    expect(difference?.getAttribute('message')).toBe('status: expected 200, got 500');
    expect(difference?.textContent).toContain('documented: Auth Plugin requirements');
    expect(check?.getAttribute('message')).toContain('test2 sees the app');
    expect(stale?.getAttribute('message')).toContain('take it out of the file');
    expect(error?.getAttribute('message')).toBe('No answer within 10 s.');
    expect(left?.getAttribute('message')).toContain('needs SCENARIO_TOKEN_TEST1');
  });

  test('a case has its class, its time, and the exchange', () => {
    const [, second] = elements(run, 'testcase');

    expect(second?.getAttribute('classname')).toBe('pango');
    expect(second?.getAttribute('name')).toBe('pango-03 unknown token');
    expect(second?.getAttribute('time')).toBe('0.012');
    expect(second?.getElementsByTagName('system-out')[0]?.textContent).toContain(
      '> GET http://backend.example/GetUserInfo',
    );
  });

  test('what was broken off, or interrupted, is not green: it is an error', () => {
    const broken = { ...allGood, problem: 'Every answer is an HTML page.', exitCode: 3 } as const;
    const interrupted = { ...allGood, interrupted: true, exitCode: 130 } as const;
    const messages = (of: Run) =>
      elements(of, 'error').map((error) => error.getAttribute('message'));

    expect(messages(broken)).toEqual(['Broken off: Every answer is an HTML page.']);
    expect(messages(interrupted)).toEqual(['Interrupted after 1 of 1']);
    expect(messages(allGood)).toEqual([]);
    expect(elements(allGood, 'failure')).toHaveLength(0);
  });
});

describe('tap', () => {
  const parsed = (of: Run = run) => {
    const points: TapResult[] = [];
    const extra: string[] = [];
    const parser = new TapParser({ strict: true });
    parser.on('assert', (point: TapResult) => points.push(point));
    parser.on('extra', (text: string) => extra.push(text));
    parser.end(reportOf('tap', of));
    return { points, extra, ok: parser.ok, results: parser.results };
  };

  test('what passed, failed, was skipped and was expected to fail', () => {
    const { points, extra, ok, results } = parsed();

    expect(extra).toEqual([]);
    expect(ok).toBe(false);
    expect(results?.plan.end).toBe(7);
    expect(points.map((point) => [point.id, point.ok])).toEqual([
      [1, true],
      [2, false],
      [3, false],
      [4, false],
      [5, true],
      [6, false],
      [7, false],
    ]);
    expect(points[2]?.todo).toContain('ticket 7');
    expect(points[4]?.skip).toContain('needs SCENARIO_TOKEN_TEST1');
    expect(points[1]?.diag).toMatchObject({
      message: 'status: expected 200, got 500',
      mark: 'documented',
      again: 'npm run scenarios -- --id pango-03 --target http://backend.example',
    });
    expect(points[1]?.time).toBe(12);
    expect(points[1]?.diag.diff).toContain('- 200\n+ 500');
    expect(points[1]?.diag.curl).toBe(failed.calls[0]?.curl);
  });

  test('a good run is good, a broken-off one bails out', () => {
    expect(parsed(allGood).ok).toBe(true);

    const broken = parsed({ ...allGood, interrupted: true, exitCode: 130 });
    expect(broken.ok).toBe(false);
    expect(broken.results?.bailout).toBe('Interrupted after 1 of 1: 1 passed, 0 failed, 0 skipped');
  });
});

type Node = DefaultTreeAdapterTypes.Node;

function elementsIn(node: Node): DefaultTreeAdapterTypes.Element[] {
  const children = 'childNodes' in node ? node.childNodes.flatMap(elementsIn) : [];
  return 'tagName' in node ? [node, ...children] : children;
}

const tagsIn = (html: string) => [
  ...new Set(elementsIn(parseHtml(html)).map(({ tagName }) => tagName)),
];

describe('markdown', () => {
  test('the verdict first, then the warnings; nothing of a server is markup or a link', () => {
    const report = reportOf('markdown');
    const html = marked.parse(report, { async: false });
    const links = elementsIn(parseHtml(html)).filter(({ tagName }) =>
      /^(a|img|script|b)$/.test(tagName),
    );

    expect(report.startsWith('## ❌ Scenarios: Failed')).toBe(true);
    expect(report.indexOf('Warnings')).toBeLessThan(report.indexOf('| Platform |'));
    expect(links).toEqual([]);
    expect(tagsIn(html).toSorted()).toEqual([
      'body',
      'code',
      'details',
      'h2',
      'h3',
      'head',
      'html',
      'li',
      'p',
      'pre',
      'strong',
      'summary',
      'table',
      'tbody',
      'td',
      'th',
      'thead',
      'tr',
      'ul',
    ]);
  });

  test('what Markdown does not read stays as it is', () => {
    const title = 'a user_id that only begins, e.g. 1-2: (no) "token"!';
    const report = reportOf('markdown', { ...run, results: [{ ...failed, title }] });
    expect(report).toContain(
      '❌ pango-03 a user&#95;id that only begins, e.g. 1-2: (no) "token"!</summary>',
    );
  });

  test('of a thousand failures of a talkative server as many as fit into a comment, the others by name', () => {
    const text = `${hostile} ${'x`'.repeat(400_000)}`;
    const many = Array.from({ length: 1000 }, (_, index) => ({
      ...failed,
      id: `pango-${index}`,
      differences: [{ where: 'body', expected: 'y'.repeat(100_000), actual: text }],
      likelyCause: undefined,
    }));
    const report = reportOf('markdown', { ...run, results: many });

    expect(report.length).toBeLessThan(65_536);
    expect(report).toContain('Failed, too');
  });
});

describe('github', () => {
  test('an annotation for each failure, with what is special escaped', () => {
    const report = reportOf('github', {
      ...run,
      results: [{ ...failed, title: 'a: b, 100 %', differences: failed.differences.slice(0, 1) }],
      warnings: [],
      stale: [],
    });

    expect(report).toBe(
      '::error title=pango-03 a%3A b%2C 100 %25::status: expected 200, got 500%0AA token that does not verify is answered with Not found. (documented: Auth Plugin requirements, https://pango.example/requirements, step 6)%0ALikely cause: An error was thrown where an answer was meant: look at the log of the backend.%0AAgain: npm run scenarios -- --id pango-03 --target http://backend.example\n',
    );
  });

  test('never more than ten, the last of which counts the others', () => {
    const results = Array.from({ length: 25 }, () => failed);
    const lines = reportOf('github', { ...run, results, warnings: [], stale: [] })
      .trim()
      .split('\n');

    expect(lines).toHaveLength(10);
    expect(lines.at(-1)).toBe('::error title=Scenarios::16 more: see the summary.');
  });

  test('is on by itself in a workflow, with the summary', () => {
    expect(onGitHub({})).toEqual([]);
    expect(onGitHub({ GITHUB_ACTIONS: 'true' })).toEqual([{ name: 'github' }]);
    expect(onGitHub({ GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: '/s' })).toEqual([
      { name: 'github' },
      { name: 'markdown', file: '/s' },
    ]);
  });
});

describe('html', () => {
  test('the verdict, the warnings, then the results; no element but ours', () => {
    const report = reportOf('html');
    const elements = elementsIn(parseHtml(report));
    const addresses = elements.flatMap(({ attrs }) =>
      attrs
        .filter(({ name }) => /^(href|src|on.*|style|action)$/.test(name))
        .map(({ value }) => value),
    );

    expect(elements.filter(({ tagName }) => tagName === 'script')).toHaveLength(1);
    expect(
      elements.filter(({ tagName }) => /^(img|b|link|iframe|object|base)$/.test(tagName)),
    ).toEqual([]);
    // The warning leads to its row.
    expect(new Set(addresses)).toEqual(
      new Set(['https://pango.example/requirements', '#pango-06']),
    );
    const header = report.slice(report.indexOf('<header'), report.indexOf('</header>'));
    expect(header).toContain('target http://backend.example');
    expect(header).toContain('started 2026-01-02T03:04:05.000Z');
    expect(header).toContain('level all');
    expect(report.indexOf('<h1>')).toBeLessThan(report.indexOf('id="warnings"'));
    expect(report.indexOf('id="warnings"')).toBeLessThan(report.indexOf('<details'));
  });

  test('of many failures the first three are open', () => {
    const results = ['1', '2', '3', '4', '5'].map((id) => ({ ...failed, id }));
    const report = reportOf('html', { ...run, results });
    const open = elementsIn(parseHtml(report)).filter(
      ({ tagName, attrs }) => tagName === 'details' && attrs.some(({ name }) => name === 'open'),
    );
    expect(open.map(({ attrs }) => attrs.find(({ name }) => name === 'id')?.value)).toEqual([
      '1',
      '2',
      '3',
    ]);
  });

  describeInBrowser('in Chromium', () => {
    let browser: Browser;
    const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-report-'));
    const file = join(folder, 'report.html');
    beforeAll(async () => {
      writeFileSync(file, reportOf('html'));
      browser = await launch();
    });

    afterAll(async () => {
      await browser.close();
      rmSync(folder, { recursive: true });
    });

    test.each(['light', 'dark'] as const)(
      'opens from a file without a request, filters, fits a phone, and axe finds nothing: %s',
      async (colorScheme) => {
        const context = await browser.newContext({ colorScheme });
        const page = await context.newPage();
        const requests: string[] = [];
        const complaints: string[] = [];
        page.on('request', (request) => requests.push(request.url()));
        page.on('console', (message) => complaints.push(message.text()));
        page.on('pageerror', (error) => complaints.push(error.message));
        await page.goto(pathToFileURL(file).href);
        const left = () => page.locator('.result:visible').count();

        expect(await left()).toBe(6);
        await page.selectOption('select[name=status]', 'failed');
        expect(await left()).toBe(3);
        await page.selectOption('select[name=platform]', 'connectycube');
        expect(await left()).toBe(1);
        expect(await page.locator('output').textContent()).toBe('1 of 6');
        await page.selectOption('select[name=status]', '');
        await page.selectOption('select[name=platform]', '');
        expect(await left()).toBe(6);

        await page.setViewportSize({ width: 360, height: 800 });
        expect(await overflow(page)).toBe(0);
        expect(await violations(page)).toEqual([]);
        expect(requests).toEqual([pathToFileURL(file).href]);
        expect(complaints).toEqual([]);
        await context.close();
      },
    );
  });
});

describe('of a target that is not there', () => {
  const sentence = 'Nobody answers at backend.example (ECONNREFUSED).';
  const unplayed: Run = {
    ...allGood,
    preflight: undefined,
    results: [
      { ...passed, status: 'skipped', reason: 'not played: no backend was found', calls: [] },
    ],
    problem: sentence,
    exitCode: 3,
  };

  test('JUnit has an error that says so, and what was selected as skipped', () => {
    const document = new DOMParser().parseFromString(reportOf('junit', unplayed), 'text/xml');
    const [suites] = document.getElementsByTagName('testsuites');
    const numbers = ['tests', 'failures', 'errors', 'skipped'].map((name) =>
      suites?.getAttribute(name),
    );
    const [error] = document.getElementsByTagName('error');

    expect(numbers).toEqual(['2', '0', '1', '1']);
    expect(error?.getAttribute('message')).toBe(`Not played: ${sentence}`);
  });

  test.each([
    ['pretty', `\nNot played: ${sentence}\n`],
    ['tap', `Bail out! Not played: ${sentence}\n`],
    ['html', `</span> Not played: ${sentence}</h1>`],
    ['markdown', `## ❌ Scenarios: Not played: ${sentence}`],
    ['github', `::error title=Scenarios::Not played: ${sentence}\n`],
    ['json', `"problem": "${sentence}"`],
  ])('%s says so', (name, said) => {
    expect(reportOf(name, unplayed)).toContain(said);
  });
});

describe('a whole run with secrets that nobody may see', () => {
  const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-canaries-'));

  afterAll(() => rmSync(folder, { recursive: true }));

  /** Says no to everything, and repeats what it was sent in every way it can. */
  async function startEcho() {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const said = JSON.stringify({ url: request.url, headers: request.headers, body });
        const decoded = decodeURIComponent((request.url ?? '').replaceAll('+', ' '));
        const [, basic = ''] = /^\w+ (.*)$/.exec(request.headers.authorization ?? '') ?? [];
        const answer = [
          said,
          JSON.stringify(said),
          encodeURIComponent(said),
          Buffer.from(said).toString('base64'),
          Buffer.from(said).toString('base64url'),
          decoded,
          Buffer.from(basic, 'base64').toString(),
          `<p title="${said.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}">`,
          JSON.stringify({ access_token: 'obtained-at-run-time-0123456789' }),
          'obtained-at-run-time-0123456789',
        ].join('\n');
        response.writeHead(500, {
          'Content-Type': 'text/plain',
          'Set-Cookie': 'sid=a-session-of-the-canaries-42; HttpOnly',
          Location: `/elsewhere#${encodeURIComponent(decoded)}`,
        });
        response.end(answer);
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const stop = async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    };
    return { url: `http://127.0.0.1:${port}`, stop };
  }

  test('every row fails, and neither a report nor the terminal has one, in any form', async () => {
    const entries = entriesOf(platforms).filter(({ kind }) => kind === 'row');
    const names = [...new Set(entries.flatMap(needsOf))];
    const bound = Object.fromEntries(
      names.map((name, index) => [name, `canary~${index}/+= &%'(x)-${Math.sin(index)}`]),
    );
    const secrets = Object.values(bound).map((value, index) => ({
      variable: `CANARY_${index}`,
      value,
    }));
    const echo = await startEcho();
    const outputs = reporters.map(({ name, create }) => ({
      name,
      reporter: create({ terminal: true, colours: true }),
      text: '',
    }));
    const played = await runScenarios({
      target: { url: echo.url, bindings: bound, secrets, fixture: undefined },
      preflight: { url: echo.url, tls: false, version: undefined, clockSkew: 0, ms: 1 },
      entries,
      known: entries.map((entry) => entry.played.id),
      level: 'all',
      leftOut: { count: 0, unchecked: [] },
      strict: false,
      bail: false,
      allowMutating: true,
      expectedFailures: new Map(),
      call: {},
      delay: 0,
      version: '0.1.0',
      again: (id) => `npm run scenarios -- --id ${id}`,
      warnings: [],
      signal: new AbortController().signal,
      onBegin(header) {
        for (const one of outputs) one.text += one.reporter.begin?.(header) ?? '';
      },
      onResult(result) {
        for (const one of outputs) one.text += one.reporter.result?.(result) ?? '';
      },
    });
    await echo.stop();

    expect(played.results.filter(({ status }) => status === 'failed')).toHaveLength(entries.length);
    mkdirSync(folder, { recursive: true });
    const canaries = [
      ...Object.values(bound),
      'obtained-at-run-time-0123456789',
      'a-session-of-the-canaries-42',
    ];
    writeFileSync(
      join(folder, 'secrets-1'),
      canaries.map((value) => `${JSON.stringify(value)}\n`).join(''),
    );
    for (const { name, reporter, text } of outputs) {
      writeFileSync(join(folder, `log-${name}`), text + reporter.end(played));
    }
    expect(leaks(folder)).toEqual([]);

    // The proof that they would be found.
    writeFileSync(join(folder, 'log-proof'), `…${encodeURIComponent(canaries[0] ?? '')}…`);
    expect(leaks(folder)).toHaveLength(1);
  });
});
