/** The simulators on one port: their server, its settings, its process, and the page about them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { createLog } from '../../app/log.ts';
import { platforms } from '../../app/platforms/index.ts';
import { projectRoot } from '../../app/project-root.ts';
import {
  type PlatformsServer,
  setUp,
  startPlatforms,
} from '../../app/scenarios/platforms-server.ts';
import { apiKey, apiSecret, type Backend, startBackend } from '../support/backend.ts';
import { logFile, secret } from '../support/canaries.ts';
import { endProcesses, startProcess } from '../support/processes.ts';
import { mint } from '../support/tokens.ts';
import { formOf } from '../support/visitor.ts';

const known = platforms.filter(({ id }) => ['pango', 'connectycube', 'authlete'].includes(id));
const variables = { AUTHLETE_API_KEY: apiKey, AUTHLETE_API_SECRET: apiSecret };

let backend: Backend;
let server: PlatformsServer;
const lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  backend = await startBackend();
  const file = pino.destination({ dest: logFile(), sync: true, append: true });
  const log = createLog(backend.config, {
    write(line: string) {
      lines.push(JSON.parse(line));
      file.write(line);
    },
  });
  const played = setUp(known, { backend: backend.url, variables });
  server = await startPlatforms(played, { backend: backend.url, log, port: 0 });
});

afterAll(async () => {
  await server.stop();
  await backend.stop();
});
afterEach(endProcesses);

const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${path}`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(form),
    redirect: 'manual',
  });

/** The server may log a moment after we have its answer. */
async function until<Value>(found: () => Value | undefined): Promise<Value> {
  for (let turn = 0; turn < 10_000; turn++) {
    const value = found();
    if (value !== undefined) return value;
    await new Promise(setImmediate);
  }
  throw new Error('it did not come');
}

describe('over HTTP', () => {
  test('Pango', async () => {
    const access_token = await mint(backend, 'vpn-user');
    const form = { carrier_id: 'partner', auth_method: 'partner', device_id: 'a', access_token };
    const response = await post('/pango/user/login', form);

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toMatchObject({
      result: 'OK',
      subscriber: { extref: '690109944', activated_devices: 1 },
    });
    const refused = await post('/pango/user/login', { ...form, access_token: 'unknown' });
    expect(await refused.text()).toBe('{"result":"OAUTH_ERROR","error":"failed login"}');
    const unread = await fetch(`${server.url}/pango/user/login`, { method: 'POST', body: '{"a":' });
    expect(await unread.text()).toBe(
      '{"result":"BAD_REQUEST","error":"The body is not valid JSON."}',
    );
  });

  test('ConnectyCube', async () => {
    const opened = await post('/connectycube/session', { application_id: '1' });
    expect(opened.status).toBe(201);
    const { session } = (await opened.json()) as { session: { token: string } };
    const headers = { 'CB-Token': session.token };

    const signUp = { 'user[login]': 'ordinary', 'user[password]': 'of his own' };
    const made = await post('/connectycube/users', signUp, headers);
    expect(made.status).toBe(201);
    expect(await made.json()).toMatchObject({ user: { id: 1, login: 'ordinary' } });

    const login = { login: await mint(backend, 'simon371'), password: 'any' };
    const signedIn = await post('/connectycube/login', login, headers);
    expect(signedIn.status).toBe(202);
    expect(await signedIn.json()).toMatchObject({
      user: { id: 2, login: 'simon371', external_user_id: 2345 },
      session: { token: session.token, user_id: 2 },
    });
    const current = await fetch(`${server.url}/connectycube/session`, { headers });
    expect(await current.json()).toMatchObject({ session: { user_id: 2 } });

    const without = await post('/connectycube/login', login);
    expect(without.status).toBe(403);
    expect(await without.text()).toBe('{"errors":["Token is required"]}');
    const blank = await post('/connectycube/login', { ...login, password: '' }, headers);
    expect(blank.status).toBe(422);
    expect(await blank.text()).toBe('{"errors":{"password":["cannot be blank"]}}');
    const refused = await post('/connectycube/login', { ...login, login: 'unknown' }, headers);
    expect(refused.status).toBe(422);
    expect(await refused.text()).toBe(
      '{"errors":{"base":["Custom Identity Provider responded with an error = \\"User token is invalid\\". Status code = 422"]}}',
    );
  });

  test('what nobody plays, and another method', async () => {
    expect((await fetch(`${server.url}/pango/nothing`)).status).toBe(404);
    expect((await fetch(`${server.url}/user/login`)).status).toBe(404);
    const wrong = await fetch(`${server.url}/connectycube/session`, { method: 'PUT' });
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('POST, GET, HEAD');
  });

  test('the list, as JSON and as a page', async () => {
    const json = await fetch(`${server.url}/`, { headers: { accept: 'application/json' } });
    expect(await json.json()).toEqual({
      backend: backend.url,
      platforms: [
        {
          id: 'pango',
          title: 'Pango',
          base_url: `${server.url}/pango`,
          calls: ['POST /user/login'],
          docs: expect.stringMatching(/^https:/),
        },
        {
          id: 'connectycube',
          title: 'ConnectyCube',
          base_url: `${server.url}/connectycube`,
          calls: ['POST /session', 'GET /session', 'POST /users', 'POST /login'],
          docs: expect.stringMatching(/^https:/),
        },
        {
          id: 'authlete',
          title: 'Authlete',
          base_url: `${server.url}/authlete`,
          calls: ['GET /login', 'POST /login', 'GET /apps', 'POST /apps', 'POST /logout'],
          docs: expect.stringMatching(/^https:/),
        },
      ],
    });
    const page = await fetch(`${server.url}/`);
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha/,
    );
    const text = await page.text();
    expect(text).toContain(`<code>${server.url}/connectycube</code>`);
    expect(text).toContain(`<a href="${server.url}/authlete/login">`);
  });

  test('what is beneath an id', async () => {
    const accept = { headers: { accept: 'application/json' } };
    const response = await fetch(`${server.url}/pango`, accept);
    expect(await response.json()).toMatchObject({
      platforms: [{ id: 'pango', calls: ['POST /user/login'] }],
    });
  });
});

describe("Authlete's Developer Console", () => {
  /** A browser, as far as this console needs one. */
  function browser() {
    const cookies = new Map<string, string>();
    async function send(path: string, init: RequestInit = {}) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(`${server.url}/authlete/${path}`, {
        ...init,
        headers: { ...init.headers, cookie },
        redirect: 'manual',
      });
      for (const line of response.headers.getSetCookie()) {
        expect(line).toMatch(/; HttpOnly; SameSite=Strict/);
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (line.includes('Max-Age=0')) cookies.delete(name);
        else cookies.set(name, secret(value));
      }
      const text = await response.text();
      return { status: response.status, location: response.headers.get('location'), text };
    }
    /** Fills in the form of the page that this one came with. */
    const submit = (html: string, action: string, fields: Record<string, string> = {}) =>
      send(action, {
        method: 'POST',
        body: new URLSearchParams({ ...formOf(html, action), ...fields }),
      });
    return {
      cookies,
      send,
      submit,
      async login(id: string, password = id) {
        return submit((await send('login')).text, 'login', { id, password });
      },
    };
  }

  test("the vendor's tour, in one browser", async () => {
    const { send, submit, login } = browser();

    expect(await login('test1')).toMatchObject({ status: 303, location: 'apps' });
    const empty = await send('apps');
    expect(empty.text).toContain('<h1>Developer Group 01</h1>');
    expect(empty.text).toContain('There are none yet.');
    const name = 'Test Client 01 <&">';
    expect(await submit(empty.text, 'apps', { name })).toMatchObject({ status: 303 });
    const shown = 'Test Client 01 &lt;&amp;&quot;&gt;';
    const full = await send('apps');
    expect(full.text).toContain(shown);
    expect(full.text).not.toContain(name);
    expect(await submit(full.text, 'logout')).toMatchObject({ status: 303, location: 'login' });
    expect(await send('apps')).toMatchObject({ status: 303, location: 'login' });

    await login('test2');
    expect((await send('apps')).text).toContain(shown);

    await login('test3');
    const other = (await send('apps')).text;
    expect(other).toContain('<h1>Developer Group 02</h1>');
    expect(other).not.toContain('Test Client 01');

    const denied = await login('test4');
    expect(denied.status).toBe(403);
    expect(denied.text).toContain('The login ID or the password is wrong.');
  });

  test('a form of another site: no login, no app, no log out', async () => {
    const { send, cookies, login } = browser();
    const foreign = (path: string, fields: Record<string, string>) =>
      send(path, { method: 'POST', body: new URLSearchParams(fields) });

    const credentials = { id: 'test1', password: 'test1' };
    expect((await foreign('login', { ...credentials, form_token: '' })).status).toBe(403);
    expect((await foreign('login', credentials)).status).toBe(403);
    expect([...cookies.keys()]).toEqual(['authlete_console_form']);

    await login('test3');
    expect((await foreign('apps', { name: 'Planted' })).status).toBe(403);
    expect((await foreign('apps', { name: 'Planted', form_token: 'x' })).status).toBe(403);
    expect((await foreign('logout', {})).status).toBe(403);
    const page = await send('apps');
    expect(page.status).toBe(200);
    expect(page.text).not.toContain('Planted');
  });

  test('an app without a name, and one without a session', async () => {
    const { send, submit, login, cookies } = browser();
    await login('test3');
    const page = await send('apps');
    expect((await submit(page.text, 'apps', { name: '' })).status).toBe(400);
    cookies.delete('authlete_console');
    expect(await submit(page.text, 'apps', { name: 'x' })).toMatchObject({
      status: 303,
      location: 'login',
    });
  });
});

test('the log has each request, and no query, body or header of it', async () => {
  const response = await fetch(
    `${server.url}/pango/user/login?access_token=${secret('token-in-a-query')}`,
  );
  const requestId = response.headers.get('x-request-id');
  const line = await until(() => lines.find((one) => one['requestId'] === requestId));

  expect(line).toMatchObject({ method: 'GET', path: '/pango/user/login', status: 405 });
  expect(JSON.stringify(line)).not.toContain('access_token');
});

describe('the settings', () => {
  const problems = (file: unknown, given: Record<string, unknown> = variables) => {
    try {
      setUp(known, { backend: 'http://127.0.0.1:9', file, variables: given });
      return [];
    } catch (error) {
      return (error as Error).message.split('\n').slice(1);
    }
  };

  test('all problems at once, and no value of a secret', () => {
    const file = {
      pango: { place: 'cookie' },
      connectycube: { allowreuse: true },
      authlete: { apiKey: 21653835348762, developerAuthenticationCallbackApiKey: ['hush-hush'] },
      telegraph: {},
    };

    expect(problems(file, {})).toEqual([
      '  - telegraph: there is no such platform; there are pango, connectycube, authlete',
      '  - pango.place: Invalid option: expected one of "query"|"form"|"json"|"bearer"',
      '  - connectycube: there is no "allowreuse"; there are apiUrl, method, requestHeaders, requestParams, responseParams, allowReuse',
      '  - authlete.apiKey: Invalid input: expected string, received number',
      '  - authlete.developerAuthenticationCallbackApiKey: Invalid input: expected string, received array',
      '  - authlete.developerAuthenticationCallbackApiSecret: is missing; set AUTHLETE_API_SECRET',
    ]);
  });

  test.each([
    ['a list', []],
    ['a text', 'pango'],
    ['null', null],
  ])('%s', (_title, file) => {
    expect(problems(file)).toEqual(['  - the file is not a JSON object']);
  });

  test("a platform's settings are a list", () => {
    expect(problems({ pango: [] })).toEqual([
      '  - pango: Invalid input: expected object, received array',
    ]);
  });

  test('a platform that is left out may be in the file, and lack its secrets', () => {
    const file = { authlete: { apiKey: 1 } };
    const played = setUp(known, { backend: 'http://127.0.0.1:9', ids: ['pango'], file });

    expect(played.map(({ id }) => id)).toEqual(['pango']);
  });
});

describe('npm run platforms', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-platforms-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const start = (argv: readonly string[], environment: Record<string, string> = {}) =>
    startProcess(['scripts/platforms.ts', ...argv], {
      SECRETS_FILE: join(folder, 'secrets.env'),
      LOG_FORMAT: 'json',
      ...environment,
    });

  test('asks another backend, with a file, and stops at SIGINT', async () => {
    const file = join(folder, 'platforms.json');
    writeFileSync(file, '{"pango":{"carrier_id":"of-the-file"}}');
    const argv = ['--target', `${backend.url}/`, '--port', '0', '--config', file];
    const { child, said, ended } = start(argv, variables);
    const [, url = ''] = await said(/^listening on (http:\/\/127\.0\.0\.1:\d+)$/m);

    const form = { carrier_id: 'of-the-file', auth_method: 'partner', device_id: 'a' };
    const access_token = await mint(backend, 'test1');
    const response = await fetch(`${url}/pango/user/login`, {
      method: 'POST',
      body: new URLSearchParams({ ...form, access_token }),
    });
    expect(await response.json()).toMatchObject({ result: 'OK', subscriber: { extref: '1' } });
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(stdout).toContain(`The backend is ${backend.url}\n  Pango          ${url}/pango\n`);
  });

  test("asks our own backend with the server's own secrets", async () => {
    const argv = ['--port', '0', '--platform', 'authlete'];
    const { child, said, ended } = start(argv, { ...variables, BASE_URL: backend.url });
    const [, url = ''] = await said(/^listening on (\S+)$/m);

    const page = await fetch(`${url}/authlete/login`);
    const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
    const form = { ...formOf(await page.text(), 'login'), id: 'test1', password: 'test1' };
    const response = await fetch(`${url}/authlete/login`, {
      method: 'POST',
      headers: { cookie },
      body: new URLSearchParams(form),
      redirect: 'manual',
    });
    expect(response.headers.get('location')).toBe('apps');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  });

  test('another backend does not get the secrets that ours generated: Authlete is off, the others are on', async () => {
    const { child, said, ended } = start(['--target', backend.url, '--port', '0']);
    const [, url = ''] = await said(/^listening on (\S+)$/m);
    child.kill('SIGINT');
    const { code, stdout } = await ended;

    expect(code).toBe(0);
    expect(stdout).toContain(`  Pango          ${url}/pango\n`);
    expect(stdout).toContain('  Authlete       off: set AUTHLETE_API_KEY, AUTHLETE_API_SECRET\n');
  });

  test('who asks for Authlete is told what is missing', async () => {
    const { ended } = start(['--target', backend.url, '--port', '0', '--platform', 'authlete']);
    const { code, stderr } = await ended;

    expect(code).toBe(2);
    expect(stderr).toBe(
      [
        'The configuration is not usable:',
        '  - authlete.developerAuthenticationCallbackApiKey: is missing; set AUTHLETE_API_KEY',
        '  - authlete.developerAuthenticationCallbackApiSecret: is missing; set AUTHLETE_API_SECRET\n',
      ].join('\n'),
    );
  });

  test('--verbose prints what was asked and what the platform made of it, without the token', async () => {
    const argv = ['--target', backend.url, '--platform', 'pango', '--port', '0', '--verbose'];
    const { child, said, ended } = start(argv);
    const [, url = ''] = await said(/^listening on (\S+)$/m);
    const access_token = await mint(backend, 'test1');
    const form = { carrier_id: 'partner', auth_method: 'partner', device_id: 'a', access_token };
    await fetch(`${url}/pango/user/login`, { method: 'POST', body: new URLSearchParams(form) });
    child.kill('SIGINT');
    const { stdout } = await ended;

    expect(stdout).toContain(`> GET ${backend.url}/GetUserInfo?oauth_token=`);
    expect(stdout).toMatch(/^< 200 \(\d+ ms\)$/m);
    expect(stdout).toMatch(/^= .+$/m);
    expect(stdout).not.toContain(access_token);
  });

  test.each([
    [['--platform', 'pango,telegraph'], /There is no "telegraph"; there are /],
    [['--target', 'ftp://127.0.0.1'], /--target: must be an http or https URL/],
    [['--origins', 'http://localhost:5173/'], /"http:\/\/localhost:5173\/" is none/],
    [['--origins', '*'], /"\*" is none/],
    [['--config', '/nowhere.json'], /It cannot be read \(ENOENT\)/],
    [['--bogus'], /unknown option '--bogus'/],
  ])('%j', async (argv, message) => {
    const { code, stderr } = await start(argv).ended;

    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('only pages of --origins may read the answers', async () => {
    const origin = 'http://localhost:5173';
    const argv = ['--target', backend.url, '--platform', 'connectycube', '--port', '0'];
    const { child, said, ended } = start([...argv, '--origins', `${origin}, https://app.example`]);
    const [, url = ''] = await said(/^listening on (\S+)$/m);
    const readers = async (page: string, method: string, headers: Record<string, string> = {}) => {
      const sent = { method, headers: { Origin: page, ...headers } };
      const response = await fetch(`${url}/connectycube/session`, sent);
      return response.headers.get('access-control-allow-origin');
    };
    const asks = {
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'cb-token',
    };

    expect(await readers(origin, 'POST')).toBe(origin);
    expect(await readers(origin, 'OPTIONS', asks)).toBe(origin);
    expect(await readers('https://app.example', 'POST')).toBe('https://app.example');
    expect(await readers('http://localhost:5174', 'POST')).toBeNull();
    expect(await readers('http://localhost:5174', 'OPTIONS', asks)).toBeNull();
    child.kill('SIGINT');
    expect((await ended).code).toBe(0);
  });

  test('a password in --target is refused, and not printed', async () => {
    const password = secret('in-the-url-by-mistake');
    const { code, stdout, stderr } = await start(['--target', `http://me:${password}@127.0.0.1`])
      .ended;

    expect(code).toBe(2);
    expect(stderr).toBe(
      'The configuration is not usable:\n  - --target: must be a URL without user, query or fragment\n',
    );
    expect(stdout).not.toContain(password);
  });

  test('on every address: the URL is one that this machine can open', async () => {
    const argv = ['--target', backend.url, '--platform', 'pango', '--port', '0'];
    const { child, said, ended } = start([...argv, '--host', '0.0.0.0']);
    const [, url = ''] = await said(/^listening on (http:\/\/localhost:\d+)$/m);
    const response = await fetch(url, { headers: { accept: 'application/json' } });
    expect(await response.json()).toMatchObject({ platforms: [{ base_url: `${url}/pango` }] });
    child.kill('SIGINT');
    expect((await ended).code).toBe(0);
  });

  test('the port is taken', async () => {
    const argv = ['--target', backend.url, '--platform', 'pango', '--port'];
    const { code, stderr } = await start([...argv, new URL(server.url).port]).ended;

    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^Cannot listen on 127\.0\.0\.1, port \d+: another process does\. Set --port\.\n$/m,
    );
  });

  test('--settings', async () => {
    const { code, stdout } = await start(['--settings']).ended;

    expect(code).toBe(0);
    expect(stdout).toContain(
      "authlete.developerAuthenticationCallbackApiSecret  Developer Authentication Callback API Secret. (secret; the backend's AUTHLETE_API_SECRET)\n",
    );
    expect(stdout).toContain('connectycube.method  Of the call to the API URL. (default "GET")\n');
  });
});

describe('docs/simulators.md', () => {
  const doc = readFileSync(join(projectRoot, 'docs/simulators.md'), 'utf8');
  const block = (language: string) =>
    new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(doc)?.[1] ?? '';

  test('its tests pass', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-example-'));
    const file = join(folder, 'simulators.test.ts');
    writeFileSync(file, block('ts').replaceAll("'../app/", `'${projectRoot}/app/`));
    const env = {
      PATH: process.env['PATH'],
      BACKEND: backend.url,
      TOKEN: await mint(backend, 'vpn-user'),
    };
    const argv = ['--import', 'tsx', '--test', '--test-reporter', 'tap', file];
    const said = await new Promise<string>((resolve) => {
      execFile(process.execPath, argv, { cwd: projectRoot, env }, (_, stdout) => resolve(stdout));
    });
    rmSync(folder, { recursive: true });

    expect(said).toMatch(/^# pass 2$/m);
    expect(said).toMatch(/^# fail 0$/m);
  });

  test('it speaks of every platform that is played, also of how to point an app at it', () => {
    const ids = platforms.filter(({ simulator }) => simulator).map(({ id }) => id);
    const titles = platforms.filter(({ simulator }) => simulator).map(({ title }) => title);
    const table = [...doc.matchAll(/^\| ([^|]+) \| [^|]+ \| [^|]+ \|$/gm)].map(
      ([, first]) => first,
    );
    const inYourApp = doc.slice(doc.indexOf('Then, in your app'));

    expect(table).toEqual(expect.arrayContaining(titles));
    expect(ids.filter((id) => !inYourApp.includes(`http://127.0.0.1:4000/${id}`))).toEqual([]);
  });

  test('its settings are usable', () => {
    const file = JSON.parse(block('json'));

    expect(setUp(known, { backend: backend.url, variables, file })).toHaveLength(3);
  });
});
