/** The suite, played from the console: on a backend beside this one, which is gone afterwards. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { createSuite } from '../../app/console/suite.ts';
import { csrfField } from '../../app/oauth/csrf.ts';
import { startThrowAwayBackend } from '../../app/scenarios/throw-away-backend.ts';
import { trail } from '../../app/store/audit.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { act } from '../support/console.ts';
import { createDatabase } from '../support/databases.ts';
import { endProcesses, startServer } from '../support/processes.ts';
import { failing, few, type SuiteBackend, startSuite } from '../support/suite.ts';
import { formOf, visitor } from '../support/visitor.ts';

/** Fills the form in; a box that is not in `fields` is not ticked. */
async function send(backend: Pick<Backend, 'url'>, fields: Record<string, string>) {
  const one = visitor(backend as Backend);
  const { text } = await one.get('/console/suite');
  const { [csrfField]: token = '' } = formOf(text, '/console/suite');
  return one.post('/console/suite', { [csrfField]: token, ...fields });
}

const start = async (backend: Pick<Backend, 'url'>, fields: Record<string, string> = {}) =>
  (await send(backend, fields)).location ?? '';

const read = async ({ url }: Backend, path: string) => {
  const response = await fetch(`${url}${path}`);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

/** All that is told of a run, to its end. */
const events = async (backend: Backend, run: string, query = '') =>
  (await read(backend, `${run}/events${query}`)).text;

/** The next backends to be played on wait. @returns what lets them start */
function close(backend: SuiteBackend): () => void {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  backend.gate = () => gate;
  return open;
}

const idsIn = (told: string) => [...told.matchAll(/^id: ?(.*)$/gm)].map(([, id]) => id);

describe('rows that pass', () => {
  let backend: SuiteBackend;

  beforeAll(async () => {
    backend = await startSuite(few);
  });

  afterAll(() => backend.stop());

  test('a run: each result as it comes, the verdict, and the backend that was started is gone', async () => {
    const run = await start(backend);
    expect(run).toMatch(/^\/console\/suite\/runs\/\d+$/);

    const told = await events(backend, run);
    expect(idsIn(told)).toEqual(['1', '2', '3', '3']);
    expect(told.match(/^event: ?.*$/gm)?.map((line) => line.replace(/^event: ?/, ''))).toEqual([
      'result',
      'result',
      'result',
      'over',
    ]);
    const { text } = await read(backend, run);
    expect(text).toContain('<span id="verdict">Passed: 3 passed, 0 failed, 0 skipped</span>');
    expect(text).toContain('<code>pango-01</code> the vendor&#39;s example');
    expect(text).toContain('all platforms · rows and stories · everything');
    const { url = '' } = backend.played.at(-1) ?? {};
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  test('nothing of it is in this server’s log of calls', async () => {
    await events(backend, await start(backend));
    expect(await (await fetch(`${backend.url}/console/api/calls`)).json()).toEqual({ calls: [] });
  });

  test('who comes late is told what he has missed', async () => {
    const run = await start(backend);
    await events(backend, run);
    const told = await events(backend, run, '?lastEventId=2');
    expect(idsIn(told)).toEqual(['3', '3']);
    expect(told).toContain('pango-03');
    expect(told).not.toContain('pango-02');
  });

  test('the audit trail has who started it', async () => {
    const run = await start(backend, { level: 'documented', 'platform-pango': 'on' });
    await events(backend, run);
    const [newest] = await trail(backend.services.database, { limit: 1 });
    expect(newest).toMatchObject({
      actor: 'console',
      action: 'console.suite',
      target: `run:${run.split('/').at(-1)}`,
      detail: { platforms: 'pango', level: 'documented', selected: 3 },
    });
  });

  test('stories where there are none: nothing is started', async () => {
    const before = backend.played.length;
    const seen = await send(backend, { story: 'on' });
    expect(seen.status).toBe(422);
    expect(seen.text).toContain('Nothing is like that: choose more.');
    expect(backend.played).toHaveLength(before);
  });

  test('the report: opens under the policy that it brings, as a page that can do nothing here', async () => {
    const run = await start(backend);
    await events(backend, run);
    const { status, headers, text } = await read(backend, `${run}/report`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; script-src 'sha256-[\w+/]{43}='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts$/,
    );
    expect(headers.get('cache-control')).toBe('no-store');
    expect(text).toContain('<title>Passed: 3 passed, 0 failed, 0 skipped</title>');
  });

  test('while it is under way: no report, no second run; without scripts the page reloads', async () => {
    const open = close(backend);
    const run = await start(backend);
    expect((await read(backend, `${run}/report`)).status).toBe(404);
    const { text } = await read(backend, run);
    expect(text).toContain('<noscript><meta http-equiv="refresh" content="2"></noscript>');
    expect(text).toContain('<span id="verdict">Starting a backend for it</span>');

    const page = await read(backend, '/console/suite');
    expect(page.text).toContain('A run is under way.');
    // Somebody who opened the page before.
    const one = visitor(backend);
    const form = formOf((await one.get(run)).text, `${run}/cancel`);
    const second = await one.post('/console/suite', form);
    expect([second.status, second.location]).toEqual([303, `${run}?done=suite-busy`]);

    open();
    await events(backend, run);
    expect((await read(backend, run)).text).not.toContain('http-equiv="refresh"');
  });

  test('cancelled: the verdict says so, and the backend that was started is gone', async () => {
    const open = close(backend);
    const run = await start(backend);
    const before = backend.played.length;
    const cancelling = act(backend, run, `${run}/cancel`);
    open();
    expect((await cancelling).location).toBe(`${run}?done=suite-cancelled`);
    expect((await read(backend, run)).text).toContain(
      '<span id="verdict">Interrupted after 0 of 3: 0 passed, 0 failed, 0 skipped</span>',
    );
    expect(backend.played).toHaveLength(before + 1);
    await expect(fetch(backend.played.at(-1)?.url ?? '')).rejects.toThrow('fetch failed');
    const again = await start(backend);
    await events(backend, again);
    expect((await read(backend, again)).text).toContain('Passed: 3 passed');
  });

  test('it cannot be started: the page says so, the log says why, and the next one can', async () => {
    backend.gate = () => Promise.reject(new Error('no room on this disk'));
    const run = await start(backend);
    await events(backend, run);
    expect((await read(backend, run)).text).toContain(
      'It could not be played. The server’s log says why.',
    );
    expect(backend.log.find(({ msg }) => msg === 'scenario suite')).toMatchObject({
      err: { message: 'no room on this disk' },
    });
    backend.gate = async () => {};
    const next = await start(backend);
    await events(backend, next);
    expect((await read(backend, next)).text).toContain('Passed: 3 passed');
  });

  test('the last five are kept', async () => {
    backend.gate = () => Promise.reject(new Error('not today'));
    const runs: string[] = [];
    for (let count = 0; count < 6; count += 1) {
      const run = await start(backend);
      await events(backend, run);
      runs.push(run);
    }
    backend.gate = async () => {};
    const statuses = await Promise.all(runs.map(async (run) => (await read(backend, run)).status));
    expect(statuses).toEqual([404, 200, 200, 200, 200, 200]);
  });

  test.each(['/console/suite/runs/0', '/console/suite/runs/4711/report', '/console/suite/runs/x'])(
    '%s is not there',
    async (path) => {
      expect((await read(backend, path)).status).toBe(404);
    },
  );

  test('what it is played on has no console', async () => {
    const { url, stop } = await startThrowAwayBackend();
    for (const path of ['/console', '/console/log', '/docs']) {
      expect((await fetch(`${url}${path}`)).status).toBe(404);
    }
    await stop();
  });

  test('it takes too long: it is stopped, and says so', async () => {
    const { services } = backend;
    const suite = createSuite(
      {
        platforms: few.map((platform) => ({ platform, settings: {}, endpoints: [] })),
        log: pino({ level: 'silent' }),
        services,
        startBackend: startThrowAwayBackend,
      },
      1,
    );
    const run = suite.start({ platforms: [], tags: [], level: 'all' });
    await new Promise<void>((over) => run.listen(() => run.ended && over()));
    expect(run.interruption).toBe('time');
  });
});

describe('a row that fails', () => {
  let backend: SuiteBackend;
  let run: string;

  beforeAll(async () => {
    backend = await startSuite(failing);
    run = await start(backend);
    await events(backend, run);
  });

  afterAll(() => backend.stop());

  test('the verdict first, then what was to come and what came, and the line for a shell', async () => {
    const { text } = await read(backend, run);
    expect(text).toContain('<span id="verdict">Failed: 7 passed, 1 failed, 0 skipped</span>');
    const failure = /<article class="card wire suite-failure".*?<\/article>/s.exec(text)?.[0] ?? '';
    expect(failure).toContain(
      'A good token is answered with result OK and the uid of the user on your side, a number.',
    );
    expect(failure).toContain('-     &quot;uid&quot;: 1</del>');
    expect(failure).toContain('+     &quot;uid&quot;: 690109944</ins>');
    expect(failure).toContain('SCENARIO_TOKEN_VPN_USER');
    expect(failure).toContain('npm run scenarios -- --id pango-01');
  });

  test('no secret of the backend that was played on: not in the page, nor the events, nor the report', async () => {
    const { secrets = [] } = backend.played.at(-1) ?? {};
    expect(secrets.length).toBeGreaterThan(20);
    const texts = [
      (await read(backend, run)).text,
      await events(backend, run),
      (await read(backend, `${run}/report`)).text,
    ];
    const shown = secrets.filter(({ value }) => texts.some((text) => text.includes(value)));
    expect(shown.map(({ variable }) => variable)).toEqual([]);
  });

  test('only stories of one platform', async () => {
    const chosen = await start(backend, { 'platform-authlete': 'on', story: 'on' });
    expect(idsIn(await events(backend, chosen))).toEqual(['1', '1']);
    const { text } = await read(backend, chosen);
    expect(text).toContain('Authlete · stories · everything');
    expect(text).toContain('Passed: 1 passed, 0 failed, 0 skipped');
  });
});

test('a backend that was itself started for a run does not start another', async () => {
  const backend = await startBackend();
  const { text } = await read(backend, '/console/suite');
  expect(text).toContain('this backend was itself started for a run');
  const { status } = await fetch(`${backend.url}/console/suite`, { method: 'POST' });
  expect(status).toBe(405);
  await backend.stop();
});

test('the server is stopped in the middle of a run: it stops at once, and leaves nothing behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-'));
  const temporary = join(folder, 'tmp');
  const database = await createDatabase();
  try {
    mkdirSync(temporary);
    const server = startServer({
      DATABASE_URL: database.url,
      SECRETS_FILE: join(folder, 'secrets.env'),
      KEYS_FILE: join(folder, 'keys.json'),
      TMPDIR: temporary,
    });
    const url = await server.url;
    const run = await start({ url });
    const told = await fetch(`${url}${run}/events`);
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of told.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      if (text.includes('pango-01')) break;
    }
    const left = () => readdirSync(temporary).filter((name) => name.includes('scenarios'));
    expect(left()).toHaveLength(1);

    server.child.kill('SIGTERM');
    const { code, stdout } = await server.ended;
    expect(code).toBe(0);
    expect(stdout).not.toContain('"level":"error"');
    expect(left()).toEqual([]);
  } finally {
    await endProcesses();
    await database.drop();
    rmSync(folder, { recursive: true });
  }
}, 60_000);
