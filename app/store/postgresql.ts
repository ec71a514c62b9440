import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Database, OpenDatabase } from './database.ts';
import { PrismaClient } from './generated/postgresql/client.ts';
import type { MigrationConnection } from './migrations.ts';
import { transactionOptions } from './transactions.ts';

/** Everything waits for a bounded time, in ms: a database that does not answer is a fault, at once or soon. */
const patience = { connect: 3000, statement: 5000, answer: 6000 };

/** Prisma's own advisory lock, so that `prisma migrate deploy` and we keep out of each other's way. */
const migrationLock = 72_707_369;

/** Prisma writes the schema into the URL (`?schema=x`); pg does not know that parameter. */
function connection(url: string) {
  const parsed = new URL(url);
  const schema = parsed.searchParams.get('schema') ?? undefined;
  parsed.searchParams.delete('schema');
  return {
    schema,
    options: {
      connectionString: parsed.href,
      connectionTimeoutMillis: patience.connect,
      ...(schema === undefined ? undefined : { options: `-c search_path=${schema}` }),
    },
  };
}

export const openPostgresql: OpenDatabase = async (url, { poolSize }) => {
  const { options, schema } = connection(url);
  const pool = new pg.Pool({
    ...options,
    max: poolSize,
    statement_timeout: patience.statement,
    query_timeout: patience.answer,
    keepAlive: true,
  });
  // A connection that dies while idle is no fault: the pool opens another one when it is needed.
  pool.on('error', () => {});

  // Prepared statements only for the reads below: their texts are few and fixed.
  const names = new Map<string, string>();
  const adapter = new PrismaPg(pool, {
    ...(schema === undefined ? undefined : { schema }),
    statementNameGenerator: ({ sql }) => names.get(sql) as string,
  });
  const prisma = new PrismaClient({ adapter, errorFormat: 'minimal', transactionOptions });
  const reader = await adapter.connect();

  return {
    provider: 'postgresql',
    // The two generated clients are made from the same models; their types differ in name only.
    prisma: prisma as unknown as Database['prisma'],
    prepareRead<Row>(sql: string) {
      if (!names.has(sql)) names.set(sql, `read_${names.size}`);
      return async (parameter: string | number) => {
        const scalarType = typeof parameter === 'number' ? 'int' : 'string';
        const { rows } = await reader.queryRaw({
          sql,
          args: [parameter],
          argTypes: [{ scalarType, arity: 'scalar' }],
        });
        return rows[0] as Row | undefined;
      };
    },
    async close() {
      await prisma.$disconnect();
      if (!pool.ended) await pool.end();
    },
  };
};

/** A connection that holds Prisma's migration lock, inside one transaction. */
export async function migratePostgresql(
  url: string,
  migrate: (connection: MigrationConnection) => Promise<void>,
): Promise<void> {
  const { options, schema } = connection(url);
  const client = new pg.Client({ ...options, lock_timeout: 60_000 });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    await client.query('BEGIN');
    if (schema !== undefined) {
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${client.escapeIdentifier(schema)}`);
    }
    await migrate({
      rows: async (sql, parameters = []) =>
        (await client.query<unknown[]>({ text: sql, values: [...parameters], rowMode: 'array' }))
          .rows,
      script: async (sql) => void (await client.query(sql)),
    });
    await client.query('COMMIT');
  } finally {
    // Ends the transaction and gives the lock back, whatever happened.
    await client.end();
  }
}
