/**
 * The embedded database: SQLite through libsql, which carries its binaries inside npm packages. What is worked around here,
 * and why libsql all the same: docs/decisions/0002-sqlite-through-libsql.md.
 */
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, type Config, type InStatement, LibsqlError } from '@libsql/client';
import { Sqlite3Client } from '@libsql/client/sqlite3';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import Libsql from 'libsql';
import type { Database } from './database.ts';
import { PrismaClient } from './generated/sqlite/client.ts';
import type { MigrationConnection } from './migrations.ts';
import { transactionOptions } from './transactions.ts';

/** How long a write waits for another process's, in ms. */
const writePatience = 2000;

/** How long a process that starts waits for others that migrate, in ms. */
const migrationPatience = 30_000;

/** How long a read does, in ms: only while another process recovers from a crash. This wait blocks our process. */
const readPatience = 100;

const pathOf = (url: string) => url.slice('file:'.length);

// libsql reads `timeout`, its types do not name it. It has foreign keys on by default.
const open = (path: string, timeout: number) => new Libsql(path, { timeout } as Libsql.Options);

/** Also SQLITE_BUSY_RECOVERY and the like. */
const isBusy = (error: unknown) => /^SQLITE_BUSY/.test(String((error as { code?: unknown }).code));

/** Takes a lock. The wait is out here: in SQLite it would block the whole process, as libsql is synchronous. */
async function whenFree(take: () => void, tooLong: () => boolean) {
  for (;;) {
    try {
      return take();
    } catch (error) {
      if (!isBusy(error) || tooLong()) throw error;
    }
    await pause(10);
  }
}

/** Errors after which a connection is still fit for use. */
const harmless = new Set(['SQLITE_CONSTRAINT', 'SQLITE_ERROR', 'SQLITE_MISMATCH', 'SQLITE_TOOBIG']);

const isRead = (statement: InStatement) =>
  /^\s*(SELECT|PRAGMA)\b/i.test(typeof statement === 'string' ? statement : statement.sql);

/**
 * One connection for all of Prisma's statements; the adapter's own mutex keeps everyone else out of an open transaction.
 *
 * - Every write is in a transaction that begins IMMEDIATE: a deferred one that reads first and writes later fails at once
 *   when another process writes in between.
 * - It begins with `exec`: a prepared statement that fails with SQLITE_BUSY is left open by libsql, and what is written on
 *   that connection afterwards is acknowledged but never committed. Should one fail so all the same, the connection is
 *   replaced.
 * - Transactions run on the one connection: the stock client gives each a connection that nobody closes.
 */
function oneConnection(path: string, patience: number) {
  let database: Libsql.Database;
  let client: Sqlite3Client;
  let current: { open: boolean } | undefined;
  const busy = { since: 0, last: 0 };

  function connect() {
    database = open(path, 0);
    client = new Sqlite3Client(path, {}, database, 'number');
  }

  // Asked of a closed database, `inTransaction` ends the process.
  function rollBack() {
    if (database.open && database.inTransaction) database.exec('ROLLBACK');
  }

  function replaceConnection() {
    if (!database.open) return;
    if (current) current.open = false;
    rollBack();
    client.close();
    connect();
  }

  /** Writes that queue up behind one lock give up together, not each after a patience of its own. */
  function tooLong() {
    const now = Date.now();
    if (now - busy.last > 100) busy.since = now;
    busy.last = now;
    return now - busy.since > patience;
  }

  async function begin() {
    try {
      await whenFree(() => {
        if (!database.open) throw new LibsqlError('The client is closed', 'CLIENT_CLOSED');
        database.exec('BEGIN IMMEDIATE');
      }, tooLong);
    } catch (error) {
      if (!isBusy(error)) replaceConnection();
      throw error;
    }
  }

  async function run(statement: InStatement) {
    try {
      return await client.execute(statement);
    } catch (error) {
      if (error instanceof LibsqlError && !harmless.has(error.code)) replaceConnection();
      throw error;
    }
  }

  async function transaction() {
    await begin();
    const mine = { open: true };
    current = mine;
    const whileOpen = () => {
      if (!mine.open) throw new LibsqlError('The transaction is closed', 'TRANSACTION_CLOSED');
    };
    return {
      async execute(statement: InStatement) {
        whileOpen();
        return run(statement);
      },
      async commit() {
        whileOpen();
        try {
          database.exec('COMMIT');
          mine.open = false;
        } catch (error) {
          replaceConnection();
          throw error;
        }
      },
      async rollback() {
        if (!mine.open) return;
        mine.open = false;
        rollBack();
      },
    };
  }

  async function write(statement: InStatement) {
    const { execute, commit, rollback } = await transaction();
    try {
      const result = await execute(statement);
      await commit();
      return result;
    } finally {
      await rollback();
    }
  }

  connect();
  return {
    execute: (statement: InStatement) => (isRead(statement) ? run(statement) : write(statement)),
    transaction,
    close() {
      if (!database.open) return;
      try {
        rollBack();
        // Statements that libsql leaves open keep SQLite from doing so when its last connection closes.
        database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      } finally {
        client.close();
      }
    },
  };
}

/** Prisma's libsql adapter, on one connection. It calls nothing of the client but those methods. */
class OneConnectionLibSql extends PrismaLibSql {
  readonly #patience: number;

  constructor(config: Config, patience: number) {
    super(config);
    this.#patience = patience;
  }

  override createClient({ url }: Config): Client {
    return oneConnection(pathOf(url), this.#patience) as unknown as Client;
  }
}

export async function openSqlite(
  url: string,
  _options: object = {},
  patience = writePatience,
): Promise<Database> {
  const prisma = new PrismaClient({
    adapter: new OneConnectionLibSql({ url }, patience),
    errorFormat: 'minimal',
    transactionOptions,
  });
  const reader = open(pathOf(url), readPatience);
  reader.exec('PRAGMA query_only = ON');

  return {
    provider: 'sqlite',
    prisma,
    prepareRead<Row>(sql: string) {
      const statement = reader.prepare(sql).raw(true);
      return async (parameter: string | number) => statement.get(parameter) as Row | undefined;
    },
    async close() {
      await prisma.$disconnect();
      reader.close();
    },
  };
}

/** A connection that holds the write lock from start to end: whoever else wants to migrate waits. */
export async function migrateSqlite(
  url: string,
  migrate: (connection: MigrationConnection) => Promise<void>,
): Promise<void> {
  mkdirSync(dirname(pathOf(url)), { recursive: true, mode: 0o700 });
  // For its owner alone; SQLite gives the files beside it the same mode.
  if (!existsSync(pathOf(url))) closeSync(openSync(pathOf(url), 'a', 0o600));
  const database = open(pathOf(url), 0);
  const until = Date.now() + migrationPatience;
  const tooLate = () => Date.now() > until;
  try {
    // So that readers and a writer do not wait for each other. A property of the file.
    await whenFree(() => database.exec('PRAGMA journal_mode = WAL'), tooLate);
    // Rebuilding a table drops it, and dropping it would cascade. Cannot be switched inside a transaction.
    database.exec('PRAGMA foreign_keys = OFF');
    await whenFree(() => database.exec('BEGIN IMMEDIATE'), tooLate);
    await migrate({
      rows: async (sql, parameters = []) =>
        database
          .prepare(sql)
          .raw(true)
          .all(...parameters) as unknown[][],
      script: async (sql) => void database.exec(sql),
    });
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}
