/**
 * For Prisma's own command line: `npx prisma migrate status`, `migrate deploy`, `studio`. It looks at the database in
 * DATABASE_URL, as the server does. The server itself needs none of this: see docs/decisions/0003-migrations-without-the-engine.md.
 */
import { defineConfig } from 'prisma/config';
import { environment, houseSettings } from './app/config.ts';
import { providerOf } from './app/store/database.ts';

// An empty variable counts as not set. A bad one must not stop `prisma generate`, which needs no database.
const given = environment()['DATABASE_URL'] || undefined;
const url = houseSettings.shape.DATABASE_URL.safeParse(given).data;
const provider = url === undefined ? 'sqlite' : providerOf(url);

export default defineConfig({
  schema: provider === 'sqlite' ? 'prisma/schema.prisma' : 'app/store/generated/postgresql.prisma',
  migrations: { path: `prisma/migrations/${provider}` },
  // Studio knows file:///… only.
  ...(url && { datasource: { url: url.replace(/^file:(?=\/)/, 'file://') } }),
});
