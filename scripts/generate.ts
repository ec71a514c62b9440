/**
 * Makes a Prisma client for each database from the one prisma/schema.prisma.
 *
 * `prisma generate` is told that a schema engine is already there: it does not need one, and would otherwise download it
 * from a host outside the npm registry. Never run `prisma migrate` or `db push` that way; they would do nothing and say
 * that all went well.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { projectRoot } from '../app/project-root.ts';
import { postgresqlSchema } from '../prisma/schemas.ts';

const generated = join(projectRoot, 'app/store/generated');
const models = readFileSync(join(projectRoot, 'prisma/schema.prisma'), 'utf8');
const derived = join(generated, 'postgresql.prisma');

mkdirSync(generated, { recursive: true });
writeFileSync(derived, postgresqlSchema(models));

const require = createRequire(import.meta.url);
const prisma = join(dirname(require.resolve('prisma/package.json')), 'build/index.js');

for (const schema of [join(projectRoot, 'prisma/schema.prisma'), derived]) {
  const run = spawnSync(process.execPath, [prisma, 'generate', '--schema', schema, '--no-hints'], {
    cwd: projectRoot,
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: 'true',
      CHECKPOINT_DISABLE: '1',
    },
    encoding: 'utf8',
  });
  if (run.status !== 0) {
    process.stderr.write(`${run.stdout}${run.stderr}\nprisma generate failed for ${schema}\n`);
    process.exit(1);
  }
}
