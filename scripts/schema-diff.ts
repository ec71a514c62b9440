/**
 * What must still be migrated: the SQL between prisma/migrations and prisma/schema.prisma, by
 * Prisma's own schema engine in its WebAssembly form (a development dependency; the native one is
 * a download from outside the npm registry).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg';
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

/** What the package's main module does, where `import` of WebAssembly does not need a flag. */
async function loadEngine() {
  const file = 'node_modules/@prisma/schema-engine-wasm/schema_engine_bg.wasm';
  const { instance } = await WebAssembly.instantiate(readFileSync(join(projectRoot, file)), {
    './schema_engine_bg.js': engine,
  });
  engine.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}

let loaded: Promise<void> | undefined;

class ShadowSqlite extends PrismaLibSql {
  /** The engine has whole migrations run by executeRaw, which is for one statement here. */
  override async connectToShadowDb() {
    const adapter = await super.connectToShadowDb();
    adapter.executeRaw = async ({ sql }) => {
      await adapter.executeScript(sql);
      return 0;
    };
    return adapter;
  }
}

class ShadowPostgresql extends PrismaPg {
  /** The adapter does not know "char", PostgreSQL's one-byte type, which these columns have. */
  override async connectToShadowDb() {
    const adapter = await super.connectToShadowDb();
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = (query) => {
      const sql = query.sql.replace(/\.(contype|confdeltype|confupdtype)\b/g, '$&::text');
      return queryRaw({ ...query, sql });
    };
    return adapter;
  }
}

/** prisma/schema.prisma as this provider reads it. */
export function schemaFor(provider: Provider): string {
  const schema = readFileSync(join(projectRoot, 'prisma/schema.prisma'), 'utf8');
  return provider === 'sqlite' ? schema : postgresqlSchema(schema);
}

/**
 * The SQL that the migrations of this provider lack; empty when they make just what the schema
 * says.
 *
 * @param postgresqlUrl a server on which shadow databases may be created; for `postgresql` only
 */
export async function schemaDiff(provider: Provider, postgresqlUrl: string): Promise<string> {
  loaded ??= loadEngine();
  await loaded;
  const schema = { path: 'schema.prisma', content: schemaFor(provider) };
  const { exitCode, stdout } = await (
    await engine.SchemaEngine.new(
      { datamodels: [[schema.path, schema.content]] },
      () => {},
      bindMigrationAwareSqlAdapterFactory(
        provider === 'sqlite'
          ? new ShadowSqlite({ url: ':memory:' })
          : new ShadowPostgresql({ connectionString: postgresqlUrl, allowExitOnIdle: true }),
      ),
    )
  ).diff({
    from: {
      tag: 'migrations',
      baseDir: join(projectRoot, 'prisma/migrations', provider),
      lockfile: { path: 'migration_lock.toml', content: `provider = "${provider}"\n` },
      shadowDbInitScript: '',
      migrationDirectories: migrationsFor(provider).map(({ name, sql }) => ({
        path: name,
        migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
      })),
    },
    to: { tag: 'schemaDatamodel', files: [schema] },
    script: true,
    exitCode: true,
    filters: { externalTables: [], externalEnums: [] },
  });
  return exitCode === 0 ? '' : (stdout ?? '').trim();
}
