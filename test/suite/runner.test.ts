/** What a run says of one of our backends, and of what is no backend at all. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { readExpectedFailures } from '../../app/scenarios/expected-failures.ts';
import { secretsAmong, variableFor } from '../../app/scenarios/fixture.ts';
import { preflight } from '../../app/scenarios/preflight.ts';
import type { Run } from '../../app/scenarios/report.ts';
import type { Target } from '../../app/scenarios/runner.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { bindings } from '../support/tokens.ts';
import { fixtureText, type Listening, listenWith, startBadBackend } from './bad-backends.ts';
import { entries, foreign, idsOf, play, resultOf } from './playing.ts';

let backend: Backend;
let target: Target;

beforeAll(async () => {
  backend = await startBackend();
  const bound = await bindings(backend);
  const secrets = secretsAmong(
    Object.entries(bound).map(([name, value]) => ({ variable: variableFor(name), value })),
  );
  target = { url: backend.url, bindings: bound, secrets, fixture: undefined };
});

afterAll(() => backend.stop());

const stale = ({ stale: entries }: Run) => entries.map(({ id, because }) => [id, because]);

describe('on our own backend', () => {
  test('every row and every story passes', async () => {
    const run = await play(target);
    expect(idsOf(run, 'passed')).toEqual(entries.map(({ played }) => played.id));
    expect(run).toMatchObject({
      exitCode: 0,
      own: true,
      warnings: [],
      interrupted: false,
      preflight: { tls: false, version: '0.1.0', clockSkew: 0 },
    });
  });

  test('a result says what was required, sent and answered', async () => {
    const run = await play(target, { ids: ['pango-03'] });
    const result = resultOf(run, 'pango-03');
    expect(result).toMatchObject({
      platform: 'pango',
      platformTitle: 'Pango',
      kind: 'row',
      title: 'unknown token',
      requirement: 'A token that does not verify is answered with {"result": "Not found"}.',
      mark: 'documented',
      because: 'unknown',
      status: 'passed',
      expectedFailure: false,
      again: 'npm run scenarios -- --id pango-03',
    });
    const [call] = result.calls;
    expect(call?.request).toMatchObject({
      method: 'GET',
      headers: { 'X-Request-Id': 'scenario-pango-03' },
    });
    expect(call?.reply).toMatchObject({ status: 200, text: '{"result":"Not found"}' });
  });

  test('a result of a story has its flows, and the calls to the backend', async () => {
    const result = resultOf(
      await play(target, { ids: ['authlete-story-02'] }),
      'authlete-story-02',
    );
    expect(result.flows.map(({ accepted }) => accepted)).toEqual([false, true]);
    expect(result.calls.map(({ reply }) => reply?.text)).toEqual([
      '{"authenticated":false}',
      '{"authenticated":true,"subject":"dev01","displayName":"Developer Group 01"}',
    ]);
  });
});

test('a curl line has variables or values that are no secret, else there is none', async () => {
  const run = await play(target, { tags: ['story'] });
  const curls = run.results.flatMap(({ calls }) => calls.map(({ curl }) => curl));
  const noLine =
    '# no curl line: there is a value in this request that came up during the run only';
  expect(curls.filter((curl) => curl.includes('[redacted'))).toEqual([]);
  expect(curls.filter((curl) => !curl.startsWith('curl ') && curl !== noLine)).toEqual([]);
  const signIn = resultOf(run, 'dgp-oauth2-story-01').calls.map(({ curl }) => curl);
  expect(signIn[0]).toMatch(/^curl .*\/auth\/check\?jwt=&next=/);
  expect(signIn).toContain(noLine);
  const known = resultOf(run, 'dgp-oauth2-story-02').calls.map(({ curl }) => curl);
  expect(known[0]).toContain('?jwt=$SCENARIO_JWT_KARI_NORDMANN_EXAMPLE_COM&');
});

describe('a run', () => {
  /** Without a token that is good: what must be accepted is refused. */
  const broken = (): Target => ({
    ...target,
    bindings: { ...target.bindings, 'token.vpn-user': 'not a token' },
  });
  const some = { ids: ['pango-01', 'pango-02', 'pango-03', 'pango-23'] };

  test('with failures', async () => {
    const run = await play(broken(), some);
    expect(run.exitCode).toBe(1);
    expect(idsOf(run, 'failed')).toEqual(['pango-01', 'pango-23']);
    expect(resultOf(run, 'pango-01').differences).toEqual([
      {
        where: 'body',
        expected: '{"result":"OK","user":{"uid":690109944}}',
        actual: '{"result":"Not found"}',
      },
    ]);
  });

  test('that is to stop at the first', async () => {
    const run = await play(broken(), some, { bail: true });
    expect(run.exitCode).toBe(1);
    expect(run.results.map(({ id }) => id)).toEqual(['pango-01']);
  });

  test('whose failures are all expected', async () => {
    const expectedFailures = readExpectedFailures(
      'pango-01: known\n# that too\npango-23: bug 7\n',
      'known.txt',
    );
    const run = await play(broken(), some, { expectedFailures });
    expect(run.exitCode).toBe(0);
    expect(stale(run)).toEqual([]);
    expect(resultOf(run, 'pango-23')).toMatchObject({
      status: 'passed',
      expectedFailure: true,
      reason: 'bug 7',
    });
  });

  test('with an expected failure that passes, one that does not exist, and one that is not played', async () => {
    const expectedFailures = new Map([
      ['pango-02', 'was once so'],
      ['pango-99', 'a slip of the pen'],
      ['pango-04', 'not selected'],
    ]);
    const run = await play(target, some, { expectedFailures });
    expect(idsOf(run, 'failed')).toEqual([]);
    expect(stale(run)).toEqual([
      ['pango-02', 'passed'],
      ['pango-99', 'unknown'],
    ]);
    expect(run.exitCode).toBe(1);
  });

  test('of which all is skipped, and the same where nothing may be', async () => {
    const nobody = foreign(backend.url);
    const run = await play(nobody, { ids: ['pango-01'] });
    expect([idsOf(run, 'skipped'), run.exitCode]).toEqual([['pango-01'], 4]);
    expect((await play(nobody, { ids: ['pango-01'] }, { strict: true })).exitCode).toBe(1);
  });

  test('of which all that must be accepted is skipped', async () => {
    const run = await play(foreign(backend.url), { ids: ['pango-01', 'pango-03'] });
    expect(run.exitCode).toBe(0);
    expect(run.warnings).toEqual([
      {
        text: 'Pango: nothing was played in which somebody must be let in. A backend that refuses everybody would pass, too.',
        ids: ['pango-01'],
      },
    ]);
  });

  test('of stories of which only one without an accepted login could be played', async () => {
    const nobody = await listenWith((_request, response) => {
      response.writeHead(404, { 'Content-Type': 'application/json' }).end('{}');
    });
    const run = await play(foreign(nobody.url), { platforms: ['pango'], tags: ['story'] });
    await nobody.close();
    expect([idsOf(run, 'passed'), run.exitCode]).toEqual([['pango-story-04'], 0]);
    expect(run.warnings).toEqual([
      {
        text: 'Pango: nothing was played in which somebody must be let in. A backend that refuses everybody would pass, too.',
        ids: ['pango-story-01', 'pango-story-02', 'pango-story-03', 'pango-story-05'],
      },
    ]);
  });

  test('that is interrupted', async () => {
    const interruption = new AbortController();
    const run = await play(target, some, {
      signal: interruption.signal,
      onResult: () => interruption.abort(),
    });
    expect(run.results.map(({ id }) => id)).toEqual(['pango-01']);
    expect([run.interrupted, run.exitCode]).toEqual([true, 130]);
  });

  test('that is interrupted before anything but a skipped row: nothing is said of the rest', async () => {
    const interruption = new AbortController();
    const run = await play(foreign(backend.url), some, {
      signal: interruption.signal,
      onResult: () => interruption.abort(),
    });
    expect(idsOf(run, 'skipped')).toEqual(['pango-01']);
    expect(run.warnings).toEqual([]);
  });

  test.each(['pango-03', 'pango-story-04'])(
    'that is interrupted while the backend is thinking about %s: the request ends at once',
    async (id) => {
      const interruption = new AbortController();
      let gone = () => {};
      const connectionIsGone = new Promise<void>((resolve) => {
        gone = resolve;
      });
      const slow = await listenWith((request, response) => {
        if (request.url === '/healthz') {
          response.end('{}');
          return;
        }
        response.on('close', gone);
        interruption.abort();
      });
      const run = await play(
        { ...target, url: slow.url },
        { ids: [id] },
        { call: { timeout: 600_000 }, signal: interruption.signal },
      );
      await connectionIsGone;
      await slow.close();
      expect([run.results, run.interrupted, run.exitCode]).toEqual([[], true, 130]);
    },
  );

  test('of a target that was not found: all is skipped, nobody is asked', async () => {
    const told: string[] = [];
    const run = await play(target, some, {
      preflight: { problem: 'Nobody answers.' },
      onBegin: ({ selected }) => told.push(`${selected} selected`),
      onResult: ({ id }) => told.push(id),
    });
    expect(told).toEqual(['4 selected']);
    expect(idsOf(run, 'skipped')).toEqual(some.ids);
    expect(resultOf(run, 'pango-01').reason).toBe('not played: no backend was found');
    expect(run).toMatchObject({ problem: 'Nobody answers.', warnings: [], exitCode: 3 });
  });
});

describe('an answer that does not end', () => {
  /** A good one for pango-02 but for its end: neither its length is said, nor is the connection closed. */
  const startEndless = (endless: string) =>
    listenWith((request, response) => {
      if (request.url !== endless && !request.url?.startsWith(`${endless}?`)) {
        response.end('{}');
        return;
      }
      const head = ['HTTP/1.1 200 OK', 'Content-Type: application/json; charset=utf-8'];
      const body = '{"result":"OK","user":{"uid":1}}';
      response.socket?.write([...head, 'Cache-Control: no-store', '', body].join('\r\n'));
    });

  test('is none: the row fails', async () => {
    const endless = await startEndless('/GetUserInfo');
    const call = { timeout: 1000 };
    const run = await play({ ...target, url: endless.url }, { ids: ['pango-02'] }, { call });
    await endless.close();
    expect(resultOf(run, 'pango-02')).toMatchObject({
      status: 'failed',
      reason: 'No answer within 1 s.',
      calls: [{ reply: undefined }],
    });
  });

  test('is none: there is no backend', async () => {
    const endless = await startEndless('/healthz');
    await expect(preflight(endless.url, 0, { timeout: 1000 })).rejects.toThrow(
      'No answer within 1 s. --timeout allows more',
    );
    await endless.close();
  });
});

describe('rows that leave something behind', () => {
  const [first] = entries;
  const mutating = first && first.kind === 'row' ? [first] : [];
  const changed = mutating.map((entry) => ({
    ...entry,
    played: { ...entry.played, mutating: true as const },
  }));

  test('are played on this machine', async () => {
    const run = await play(target, {}, { entries: changed });
    expect(idsOf(run, 'passed')).toEqual(['pango-01']);
  });

  test('are not played on another one unless that is asked for', async () => {
    // A name that leads here, and looks like somebody else's.
    const elsewhere = { ...target, url: backend.url.replace('127.0.0.1', '0.0.0.0') };
    const run = await play(elsewhere, {}, { entries: changed });
    expect(resultOf(run, 'pango-01').reason).toBe(
      'leaves something behind: played with --allow-mutating',
    );
    // No secret left this machine.
    expect(run.warnings.map(({ text }) => text)).toEqual([
      'Pango: nothing was played, everything was skipped.',
    ]);
    const asked = await play(elsewhere, {}, { entries: changed, allowMutating: true });
    expect(idsOf(asked, 'passed')).toEqual(['pango-01']);
    expect(asked.warnings.map(({ text }) => text)).toEqual([
      'Tokens and passwords went over plain HTTP.',
    ]);
  });
});

describe('the first look finds', () => {
  let listening: Listening | undefined;
  afterEach(async () => {
    await listening?.close();
    listening = undefined;
  });

  test('nobody', async () => {
    const gone = await listenWith(() => {});
    await gone.close();
    await expect(preflight(gone.url, 0, {})).rejects.toThrow(
      `Nobody answers at ${new URL(gone.url).host} (ECONNREFUSED). Is the backend running, and the port right? --wait 30 gives it time to start.`,
    );
  });

  test('a host that has no address', async () => {
    await expect(preflight('http://backend.invalid', 0, {})).rejects.toThrow(
      'The name backend.invalid cannot be resolved. Is the host spelt right?',
    );
  });

  test('https where http is spoken', async () => {
    listening = await listenWith((_request, response) => response.end());
    const { host } = new URL(listening.url);
    await expect(preflight(`https://${host}`, 0, {})).rejects.toThrow(
      `TLS with ${host} failed (EPROTO). It speaks HTTP without TLS there: --target http://${host}`,
    );
  });

  test('a server that is too slow', async () => {
    listening = await listenWith(() => {});
    await expect(preflight(listening.url, 0, { timeout: 50 })).rejects.toThrow(
      'No answer within 0.05 s. --timeout allows more; --wait 30 gives it time to start.',
    );
  });

  test('a gateway without its backend, which then comes', async () => {
    let times = 0;
    listening = await listenWith((_request, response) => {
      times += 1;
      response.writeHead(times < 3 ? 502 : 200).end();
    });
    await expect(preflight(listening.url, 0, {})).rejects.toThrow(
      `${listening.url} answers 502: a gateway is there, the backend behind it is not.`,
    );
    expect(await preflight(listening.url, 10_000, {})).toMatchObject({ version: undefined });
  });

  test('another clock', async () => {
    listening = await listenWith((_request, response) => {
      const date = new Date(Date.now() + 120_000).toUTCString();
      response.writeHead(200, { Date: date }).end();
    });
    const { clockSkew = 0 } = await preflight(listening.url, 0, {});
    expect(Math.abs(clockSkew - 120)).toBeLessThan(3);
  });
});

test('a clock that is off is warned of', async () => {
  const found = await preflight(target.url, 0, {});
  const run = await play(
    target,
    { ids: ['pango-01'] },
    { preflight: { ...found, clockSkew: -90 } },
  );
  expect(run.warnings.map(({ text }) => text)).toEqual([
    'The clock of the backend is 90 s behind ours: what is said of expired tokens may be wrong.',
  ]);
});

test('what answers is the page of a tunnel', async () => {
  const tunnel = await listenWith((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end('<!doctype html><title>You are about to visit…</title><p>Visit Site');
  });
  try {
    const run = await play(foreign(tunnel.url, fixtureText));
    expect(run.exitCode).toBe(3);
    expect(run.problem).toBe(
      'Every answer is an HTML page (“You are about to visit…”): this is not the backend, but maybe a proxy or a tunnel in front of it; or its paths are other ones (SCENARIO_PATH_… in the fixture).',
    );
    expect(run.results).toHaveLength(3);
  } finally {
    await tunnel.close();
  }
});

test('a backend that goes away between two rows', async () => {
  const bad = await startBadBackend();
  const run = await play(
    foreign(bad.url, fixtureText),
    { ids: ['pango-01', 'pango-03'] },
    { onResult: ({ id }) => void (id === 'pango-01' && bad.close()) },
  );
  expect(run.exitCode).toBe(1);
  expect(resultOf(run, 'pango-03').reason).toBe(
    `Nobody answers at ${new URL(bad.url).host} (ECONNREFUSED).`,
  );
});

describe('TLS with a certificate of our own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-tls-'));
  const inFolder = (name: string) => join(folder, name);
  const server = createServer((_request, response) => response.end('{}'));
  const url = () => `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const openssl = (...argv: readonly string[]) =>
    execFileSync('openssl', argv, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });

  const yesterday = new Date(Date.now() - 86_400_000);
  const tomorrow = new Date(Date.now() + 86_400_000);
  const later = new Date(tomorrow.getTime() + 86_400_000);
  const before = new Date(yesterday.getTime() - 86_400_000);
  /** YYYYMMDDHHMMSSZ */
  const moment = (date: Date) => `${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;

  /** The server has a new certificate, signed with its own key. @returns it, PEM */
  function certify(name = 'IP:127.0.0.1', from = yesterday, until = tomorrow): string {
    openssl(
      ...['req', '-new', '-key', 'key.pem', '-subj', '/CN=kit', '-out', 'request.pem'],
      ...['-addext', `subjectAltName=${name}`],
    );
    const signing = ['ca', '-batch', '-notext', '-config', 'ca.conf', '-name', 'ca', '-selfsign'];
    const validity = ['-startdate', moment(from), '-enddate', moment(until)];
    const files = ['-keyfile', 'key.pem', '-in', 'request.pem', '-out', 'certificate.pem'];
    openssl(...signing, ...validity, ...files);
    const cert = readFileSync(inFolder('certificate.pem'), 'utf8');
    server.setSecureContext({ key: readFileSync(inFolder('key.pem')), cert });
    return cert;
  }
  const trusting = (certificate: string) => ({
    ca: [...rootCertificates, certificate].join('\n'),
  });

  beforeAll(async () => {
    openssl('ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', 'key.pem');
    writeFileSync(inFolder('index.txt'), '');
    writeFileSync(
      inFolder('ca.conf'),
      [
        ...[
          '[ca]',
          'database=index.txt',
          'unique_subject=no',
          'new_certs_dir=.',
          'rand_serial=yes',
        ],
        ...['default_md=sha256', 'copy_extensions=copy', 'policy=any', '[any]'],
        'commonName=supplied',
      ].join('\n'),
    );
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  });

  afterAll(async () => {
    await new Promise((closed) => server.close(closed));
    rmSync(folder, { recursive: true });
  });

  test('is not trusted', async () => {
    certify();
    await expect(preflight(url(), 0, {})).rejects.toThrow(
      `TLS with ${new URL(url()).host} failed (DEPTH_ZERO_SELF_SIGNED_CERT). Its certificate is signed by nobody who is trusted here: --ca FILE trusts those in the file, too. Or does it not send the whole chain?`,
    );
  });

  test('is trusted when it is given', async () => {
    expect(await preflight(url(), 0, trusting(certify()))).toMatchObject({ tls: true });
  });

  test.each<[situation: string, made: () => string, said: string]>([
    [
      'is of another name',
      () => certify('DNS:backend.example'),
      'failed (ERR_TLS_CERT_ALTNAME_INVALID). Its certificate is of another name: is the host spelt as in the certificate?',
    ],
    [
      'has expired',
      () => certify('IP:127.0.0.1', before, yesterday),
      'failed (CERT_HAS_EXPIRED). Its certificate has expired.',
    ],
    [
      'is not valid yet',
      () => certify('IP:127.0.0.1', tomorrow, later),
      'failed (CERT_NOT_YET_VALID). Its certificate is not valid yet: is it a new one, or the clock of this machine slow?',
    ],
  ])('%s, though it is given', async (_, made, said) => {
    await expect(preflight(url(), 0, trusting(made()))).rejects.toThrow(
      `TLS with ${new URL(url()).host} ${said}`,
    );
  });

  test('is asked in plain HTTP', async () => {
    await expect(preflight(url().replace('https', 'http'), 0, {})).rejects.toThrow(
      'Is it https instead of http, or the other way round?',
    );
  });
});
