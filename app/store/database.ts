import type { Prisma, PrismaClient } from './generated/sqlite/client.ts';

export type Provider = 'sqlite' | 'postgresql';

/** What both `prisma` and the `tx` of its transactions are. */
export type Db = Prisma.TransactionClient;

export type Database = {
  readonly provider: Provider;
  readonly prisma: PrismaClient;
  /**
   * A read that every verification makes: prepared once, one parameter (`$1`), the first row as an array in the order of
   * the columns. Costs a small part of what a Prisma query does. Sees every commit before the call, of any process.
   *
   * Dates are ISO 8601 text with an offset, JSON is text or parsed, as the driver has it.
   */
  prepareRead<Row>(sql: string): (parameter: string | number) => Promise<Row | undefined>;
  close(): Promise<void>;
};

export type OpenDatabase = (url: string, options: { poolSize: number }) => Promise<Database>;

export const providerOf = (url: string): Provider =>
  url.startsWith('file:') ? 'sqlite' : 'postgresql';

/** Opens a database that `migrate` has brought up to date. Only the client in use is loaded. */
export const openDatabase: OpenDatabase = async (url, options) =>
  providerOf(url) === 'sqlite'
    ? (await import('./sqlite.ts')).openSqlite(url, options)
    : (await import('./postgresql.ts')).openPostgresql(url, options);
