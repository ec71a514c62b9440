/**
 * npm run migration -- NAME
 *
 * Writes what prisma/schema.prisma has and the migrations lack into a new migration for each
 * database. Read it before you commit it. PostgreSQL's needs a server: TEST_POSTGRES_URL, by
 * default the one on this machine. Without one, SQLite's is written all the same; run it again with
 * the same name where there is one.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../app/project-root.ts';
import { schemaDiff } from './schema-diff.ts';

const [name] = process.argv.slice(2);
if (!name || !/^[a-z0-9_]+$/.test(name)) {
  process.stderr.write('usage: npm run migration -- name_in_snake_case\n');
  process.exit(2);
}

const server = process.env['TEST_POSTGRES_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/postgres';
const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);

for (const provider of ['sqlite', 'postgresql'] as const) {
  try {
    const sql = await schemaDiff(provider, server);
    if (sql === '') {
      process.stdout.write(`${provider}: nothing to migrate\n`);
      continue;
    }
    const folder = join(projectRoot, 'prisma/migrations', provider, `${stamp}_${name}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'migration.sql'), `${sql}\n`);
    process.stdout.write(`${provider}: ${folder}/migration.sql\n`);
  } catch (error) {
    process.stderr.write(`${provider}: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
