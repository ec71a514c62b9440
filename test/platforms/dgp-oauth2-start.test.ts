/** dgp-oauth2, as the process starts with it: the operator's modules. */
import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dgpOauth2 } from '../../app/platforms/dgp-oauth2/dgp-oauth2.ts';
import { projectRoot } from '../../app/project-root.ts';
import { startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { houseOf } from '../support/client-tokens.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { endProcesses, startBuiltServer, startServer } from '../support/processes.ts';

import.meta.jest.setTimeout(60_000);

let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  database = await createDatabase();
  folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-'));
});

afterEach(async () => {
  await endProcesses();
  await database.drop();
  rmSync(folder, { recursive: true });
});

const inFolder = (environment: Record<string, string>) => ({
  PLATFORMS: 'dgp-oauth2',
  DATABASE_URL: database.url,
  SECRETS_FILE: join(folder, 'secrets.env'),
  KEYS_FILE: join(folder, 'keys.json'),
  ...environment,
});

const start = (environment: Record<string, string>) => startServer(inFolder(environment));

/** A module of the operator's, outside the project. */
function written(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

test('with the modules of examples/', async () => {
  const { url } = start({
    ALLOWED_SERVICES: 'storage-service : roles; billing: ./examples/permissions.ts',
    INSTALLED_EXTENSIONS: './examples/extension.ts',
  });

  expect((await fetch(`${await url}/auth/public-key`)).status).toBe(200);
});

test('with modules that cannot be used: one message for all of them, and no server', async () => {
  const importing = written('importing.mjs', "import 'no-such-library';");
  const text = written('text.mjs', "throw 'out of order';");
  const nothing = written('nothing.mjs', 'throw null;');
  const python = written('provider.py', 'def get_permissions(service, userid): pass');
  const { ended } = start({
    ALLOWED_SERVICES: [
      'storage:no-such-package',
      './permissions.ts',
      './examples/extension.ts',
      'a:roles,b:roles',
      ...[importing, text, nothing, python],
    ].join(';'),
    INSTALLED_EXTENSIONS: './examples/permissions.ts',
  });

  expect(await ended).toMatchObject({
    code: 1,
    stdout: '',
    stderr: [
      'The configuration is not usable:',
      '  - ALLOWED_SERVICES: "no-such-package" cannot be found: name a file of the project, or a package',
      '  - ALLOWED_SERVICES: "./permissions.ts" cannot be found: name a file of the project, or a package',
      '  - ALLOWED_SERVICES: "./examples/extension.ts" exports no function get_permissions(service, userid)',
      '  - ALLOWED_SERVICES: "roles,b:roles" cannot be found: what separates two is a semicolon',
      `  - ALLOWED_SERVICES: "${importing}" cannot be loaded: Cannot find package 'no-such-library' imported from ${importing}`,
      `  - ALLOWED_SERVICES: "${text}" cannot be loaded: it throws 'out of order'`,
      `  - ALLOWED_SERVICES: "${nothing}" cannot be loaded: it throws null`,
      `  - ALLOWED_SERVICES: "${python}" cannot be loaded: Unknown file extension ".py" for ${python}: name a .js file; in the build, a .ts file must be below app/, scripts/ or examples/, and built`,
      '  - INSTALLED_EXTENSIONS: "./examples/permissions.ts" exports none of on_new_user, on_user_login, on_user_logout',
      '',
    ].join('\n'),
  });
});

describe('the build', () => {
  let built: string;

  /** What a start of the build needs, without taking the place of a `dist` that may be there. */
  beforeAll(async () => {
    built = realpathSync(mkdtempSync(join(tmpdir(), 'partner-idp-kit-build-')));
    for (const name of ['package.json', 'node_modules', 'app', 'prisma', 'examples']) {
      symlinkSync(join(projectRoot, name), join(built, name));
    }
    const compiler = join(projectRoot, 'node_modules/.bin/tsc');
    const target = ['--outDir', join(built, 'dist')];
    await promisify(execFile)(compiler, ['-p', 'tsconfig.build.json', ...target], {
      cwd: projectRoot,
    });
  });

  afterAll(() => rmSync(built, { recursive: true }));

  test('with the modules of examples/, by their TypeScript names, an absolute one too', async () => {
    const { url } = startBuiltServer(
      built,
      inFolder({
        ALLOWED_SERVICES: `storage-service:roles;billing:./examples/permissions.ts;other:${built}/examples/permissions.ts`,
        INSTALLED_EXTENSIONS: './examples/extension.ts',
      }),
    );

    expect((await fetch(`${await url}/auth/public-key`)).status).toBe(200);
  });
});

test('a permission provider that never answers: unavailable after five seconds', async () => {
  const backend = await startBackend({ ALLOWED_SERVICES: 'stuck:./test/support/modules/stuck.ts' });
  try {
    const jwt = secret(await houseOf(backend).clientTokens.issue(1, 60));
    const response = await fetch(`${backend.url}/auth/authorize?service=stuck&jwt=${jwt}`);

    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await response.json()).toEqual({
      error: 'temporarily_unavailable',
      request_id: expect.any(String),
    });
    expect(backend.log.find(({ msg }) => msg === 'fault')).toMatchObject({
      err: { message: 'the permission provider of stuck took longer than 5000 ms' },
    });
  } finally {
    await backend.stop();
  }
});

test('no permission token lives longer than a key is published that is no longer the current one', () => {
  const problem = (DGP_PERMISSION_TOKEN_TTL: string) =>
    dgpOauth2.settings.safeParse({ DGP_PERMISSION_TOKEN_TTL }).error?.issues[0]?.message;

  // A day, and an hour: see the rotation in test/oauth/keys.test.ts.
  expect(problem('86400')).toBeUndefined();
  expect(problem('86401')).toBe('must be a whole number from 60 to 86400');
});

test('with EXTERNAL_ADDRESS of another host', async () => {
  const { ended } = start({
    BASE_URL: 'https://id.example.com',
    EXTERNAL_ADDRESS: 'auth.example.com',
  });

  expect(await ended).toMatchObject({
    code: 1,
    stderr: [
      'The configuration is not usable:',
      '  - EXTERNAL_ADDRESS: is another host than BASE_URL (https://id.example.com), and must not be: one of the two is enough',
      '',
    ].join('\n'),
  });
});
