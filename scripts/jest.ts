/**
 * Runs Jest in native ESM: npm test [-- jest options], npm run test:postgres.
 *
 * `--postgres` runs the same suite on PostgreSQL (TEST_POSTGRES_URL, by default the one on this machine). Where there is
 * none, it says so and runs nothing; with CI=true that is a failure.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import pg from 'pg';

const [postgres, ...options] =
  process.argv[2] === '--postgres'
    ? [true, ...process.argv.slice(3)]
    : [false, ...process.argv.slice(2)];

const server = process.env['TEST_POSTGRES_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/postgres';

async function postgresAnswers(): Promise<boolean> {
  const client = new pg.Client({ connectionString: server, connectionTimeoutMillis: 3000 });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

if (!(await postgresAnswers())) {
  if (process.env['CI'] === 'true') {
    process.stderr.write('No PostgreSQL answers (TEST_POSTGRES_URL), and CI must not skip.\n');
    process.exit(1);
  }
  if (postgres) {
    process.stdout.write(
      'SKIPPED: no PostgreSQL answers; set TEST_POSTGRES_URL to run these tests.\n',
    );
    process.exit(0);
  }
  process.stdout.write('No PostgreSQL answers: the tests that need one are skipped.\n');
  process.env['TEST_WITHOUT_POSTGRES'] = 'true';
}

const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const run = spawnSync(
  process.execPath,
  ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, ...options],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      TEST_DATABASE: postgres ? 'postgresql' : 'sqlite',
      TEST_POSTGRES_URL: server,
    },
  },
);
process.exit(run.status ?? 1);
