/**
 * What must still be migrated: the SQL between prisma/migrations and prisma/schema.prisma, by
 * Prisma's own schema engine in its WebAssembly form (a development dependency; the native one is
 * a download from outside the npm registry).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';
import { projectRoot } from '../app/project-root.ts';
import type { Provider } from '../app/store/database.ts';
import { migrationsFor } from '../app/store/migrations.ts';
import { postgresqlSchema } from '../prisma/schemas.ts';

/** Node has it; its types come with the DOM's only. */
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
    imports: object,
  ): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
};

// As the package's main module does, which Node 20 loads behind a flag only.
const wasm = 'node_modules/@prisma/schema-engine-wasm/schema_engine_bg.wasm';
const { instance } = await WebAssembly.instantiate(readFileSync(join(projectRoot, wasm)), {
  './schema_engine_bg.js': engine,
});
engine.__wbg_set_wasm(instance.exports);
instance.exports.__wbindgen_start();

class Sqlite extends PrismaLibSql {
  override async connectToShadowDb() {
    const adapter = await super.connectToShadowDb();
    // The engine has it run a whole migration; its own runs the first statement and says nothing.
    adapter.executeRaw = async ({ sql }) => {
      await adapter.executeScript(sql);
      return 0;
    };
    return adapter;
  }
}

class Postgresql extends PrismaPg {
  constructor(url: string) {
    // Not the URL itself: its database would win over the shadow's, and be migrated in its stead.
    // The adapter drops the shadow before it ends the pool: connections must not stay idle.
    const { host, port, user, password, database, ssl } = new pg.Client(url);
    super({ host, port, user, password, database, ssl, idleTimeoutMillis: 1 });
  }

  override async connectToShadowDb() {
    const adapter = await super.connectToShadowDb();
    // Its own splits at every semicolon, also in comments and strings.
    adapter.executeScript = async (sql) => {
      await adapter.executeRaw({ sql, args: [], argTypes: [] });
    };
    // It does not know "char", the one-byte type of some columns of PostgreSQL's catalog.
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (query) => {
      const sql = query.sql.replace(/\.(contype|confdeltype|confupdtype)\b/g, '$&::text');
      const { columnNames, columnTypes, rows } = await queryRaw({ ...query, sql });
      for (const name of ['constraint_type', 'confdeltype', 'confupdtype']) {
        const column = columnNames.indexOf(name);
        if (column >= 0) columnTypes[column] = ColumnTypeEnum.Character;
      }
      return { columnNames, columnTypes, rows };
    };
    return adapter;
  }
}

/**
 * The SQL that this provider's migrations lack; empty when they make just what the schema says.
 *
 * @param postgresqlUrl a server on which shadow databases may be created; for `postgresql` only
 */
export async function schemaDiff(provider: Provider, postgresqlUrl: string): Promise<string> {
  const models = readFileSync(join(projectRoot, 'prisma/schema.prisma'), 'utf8');
  const schema = provider === 'sqlite' ? models : postgresqlSchema(models);
  const folder = join(projectRoot, 'prisma/migrations', provider);
  const adapter =
    provider === 'sqlite' ? new Sqlite({ url: ':memory:' }) : new Postgresql(postgresqlUrl);
  const schemaEngine = await engine.SchemaEngine.new(
    { datamodels: [['schema.prisma', schema]] },
    () => {},
    bindMigrationAwareSqlAdapterFactory(adapter),
  );
  const { stdout, exitCode } = await schemaEngine.diff({
    from: {
      tag: 'migrations',
      baseDir: folder,
      lockfile: {
        path: 'migration_lock.toml',
        content: readFileSync(join(folder, 'migration_lock.toml'), 'utf8'),
      },
      shadowDbInitScript: '',
      migrationDirectories: migrationsFor(provider).map(({ name, sql }) => ({
        path: name,
        migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
      })),
    },
    to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: schema }] },
    script: true,
    exitCode: true,
    filters: { externalTables: [], externalEnums: [] },
  });
  return exitCode === 0 || stdout === null ? '' : stdout.trim();
}
