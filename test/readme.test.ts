/** The documentation is true: every command of the README gives the printed answer, every file and script it names exists. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { parseEnv } from 'node:util';
import { projectRoot } from '../app/project-root.ts';
import { groups, people } from '../app/scenarios/cast.ts';
import { logFile, secret } from './support/canaries.ts';
import { createDatabase, type TestDatabase } from './support/databases.ts';

const read = (file: string) => readFileSync(join(projectRoot, file), 'utf8');

const readme = read('README.md');
const scripts = JSON.parse(read('package.json')).scripts as Record<string, string>;

/** Where the README's reader has the server. */
const printedUrl = 'http://127.0.0.1:3000';

type Command = { readonly command: string; readonly output: string };

/** `$ command`, which goes on in the next line after a backslash; then what it prints. */
function commandsOf(block: string): Command[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [, command = '', output = ''] = /^((?:.*\\\n)*.*\n)([\s\S]*)$/.exec(part) ?? [];
      return { command: command.trimEnd(), output: output.replace(/\n$/, '') };
    });
}

/** The fenced blocks of this language, each with the heading that it stands under. */
const blocksOf = (language: string) =>
  readme
    .split(/^#+ /m)
    .flatMap((section) =>
      [...section.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
        ([, text = '']) => ({ heading: section.slice(0, section.indexOf('\n')), text }),
      ),
    );

const literally = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** The printed answer as a pattern: `…` stands for something that differs each time, without a quote or white space. */
const asPattern = (output: string) =>
  new RegExp(`^${output.split('…').map(literally).join('[^"\\s]+')}$`);

let database: TestDatabase;
let folder: string;
let environment: NodeJS.ProcessEnv;
let server: ChildProcess;
let welcome = '';
let url = '';

beforeAll(async () => {
  database = await createDatabase();
  folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-readme-'));
  environment = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    NODE_ENV: 'development',
    DATABASE_URL: database.url,
    SECRETS_FILE: join(folder, 'secrets.env'),
    KEYS_FILE: join(folder, 'keys.json'),
    FIRST_PARTY_LOGIN: 'true',
    PLATFORMS: 'all',
    PORT: '0',
  };
  server = spawn(process.execPath, ['--import', 'tsx', 'app/server.ts'], {
    cwd: projectRoot,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((listening, failed) => {
    server.stdout?.setEncoding('utf8').on('data', (text: string) => {
      appendFileSync(logFile(), text);
      if (url !== '') return;
      welcome += text;
      url = /^listening on (http:\/\/\S+)$/m.exec(welcome)?.[1] ?? '';
      if (url !== '') listening();
    });
    server.once('exit', (code) => failed(new Error(`the server ended with ${code}`)));
  });
  for (const value of Object.values(
    parseEnv(readFileSync(join(folder, 'secrets.env'), 'utf8')) as Record<string, string>,
  )) {
    secret(value);
  }
}, 60_000);

afterAll(async () => {
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  await ended;
  await database.drop();
  rmSync(folder, { recursive: true });
}, 60_000);

/** What each of these commands prints, all given to one shell. */
async function outputsOf(commands: readonly string[]): Promise<string[]> {
  const between = '\u001e';
  const script = commands
    .map((command) => `${command.replaceAll(printedUrl, url)}\nprintf '${between}'\n`)
    .join('');
  const seen = await new Promise<string>((done) => {
    // Standard error as well: the reader has one terminal for both.
    execFile(
      'bash',
      ['-c', `exec 2>&1\n${script}`],
      { cwd: projectRoot, env: environment },
      (_, stdout) => done(stdout),
    );
  });
  for (const [, token = ''] of seen.matchAll(/"access_token":"([^"]+)"/g)) secret(token);
  return seen
    .split(between)
    .slice(0, -1)
    .map((output) => output.replace(/\n$/, ''));
}

describe('the README', () => {
  const blocks = blocksOf('console').map(({ heading, text }) => ({
    heading,
    commands: commandsOf(text),
  }));

  test('has something to try for each platform', () => {
    const commands = blocks.flatMap((block) => block.commands.map(({ command }) => command));
    const platforms = [
      ...['caller authlete', '/user/verify?', '/GetUserInfo?', '/user/login'],
      ...['/userinfo', '/auth/check?', 'scenarios --'],
    ];

    expect(commands).toHaveLength(19);
    for (const platform of platforms) {
      expect(commands.filter((command) => command.includes(platform))).not.toEqual([]);
    }
  });

  test.each(blocks)(
    'is right about $heading',
    async ({ commands }) => {
      const outputs = await outputsOf(commands.map(({ command }) => command));

      expect(outputs).toHaveLength(commands.length);
      for (const [at, { output }] of commands.entries()) {
        expect(outputs[at]).toMatch(asPattern(output.replaceAll(printedUrl, url)));
      }
    },
    60_000,
  );

  test('is right about the users', () => {
    const rows = people.map(({ login, name, uid, group = '', status }) => {
      const subject = groups.find((one) => one.name === group)?.subject ?? '';
      const cells = [login, name, uid, group, subject, status];
      return `| ${cells.join(' | ')} |`.replace(/ {2,}/g, ' ');
    });
    const [, table = ''] = /\| Login .*\n\|[-|]+\n((?:\|.*\n)+)/.exec(readme) ?? [];

    expect(table.trim().split('\n')).toEqual(rows);
  });

  test('has only known commands outside of what is tried', () => {
    expect(blocksOf('sh').map(({ text }) => text)).toEqual(['npm ci && npm start\n']);
    expect(scripts['start']).toBe('node --import tsx app/server.ts');
  });
});

test('the lines that the server prints at start work when they are pasted', async () => {
  const lines = welcome.split('\n').flatMap((line) => (/^ {2}curl /.test(line) ? line.trim() : []));

  expect(await outputsOf(lines)).toEqual([
    '{"result":"OK","user":{"uid":690109944}}',
    '{"user":{"id":2345,"login":"simon371","full_name":"Simon Davis","fill_name":"Simon Davis","email":"simon371@example.com"},"uid":2345,"login":"simon371","email":"simon371@example.com"}',
    '{"authenticated":true,"subject":"dev01","displayName":"Developer Group 01"}',
    '{"user":{"userid":"2345","userid_sec":["feide:simon371@users.invalid"],"name":"Simon Davis","email":"simon371@example.com","profilephoto":null},"audience":"demo-app"}',
    `{"authenticated":false,"providers":{"local":{"url":"${url}/auth/login?provider=local&next=http%3A%2F%2Flocalhost%3A5000%2F"}}}`,
  ]);
}, 60_000);

const pages = ['.', 'app', 'docs', 'examples', 'prisma', 'scripts', 'test'].flatMap((room) =>
  readdirSync(join(projectRoot, room), { recursive: room !== '.' })
    .map((file) => join(room, String(file)))
    .filter((file) => file.endsWith('.md')),
);

/** As GitHub makes the anchor of a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (file: string) =>
  [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchor(heading));

describe.each(pages)('%s', (file) => {
  const text = read(file);

  test('names scripts that exist', () => {
    const named = [...text.matchAll(/\bnpm (?:run (?:-s )?([a-z][\w:-]*)|(start|test)\b)/g)].map(
      ([, script, short]) => script ?? short ?? '',
    );

    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  test('links to what exists', () => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z]+:/.test(link));
    const broken = links.filter((link) => {
      const [path = '', fragment] = link.split('#');
      const target =
        path === '' ? file : relative(projectRoot, join(projectRoot, dirname(file), path));
      if (!existsSync(join(projectRoot, target))) return true;
      return fragment !== undefined && !anchorsOf(target).includes(fragment);
    });

    expect(broken).toEqual([]);
  });

  test('names files that exist', () => {
    const rooms = /^(?:app|docs|examples|prisma|scripts|test|\.ci|\.github)\/[\w./-]+$/;
    const named = [...text.matchAll(/`([^`\s]+)`/g)]
      .map(([, code = '']) => code)
      .filter((code) => rooms.test(code));

    expect(named.filter((path) => !existsSync(join(projectRoot, path)))).toEqual([]);
  });
});
