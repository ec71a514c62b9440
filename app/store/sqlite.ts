/**
 * The embedded database: SQLite through libsql, which carries its binaries inside npm packages. What is worked around here,
 * and why libsql all the same: docs/decisions/0002-sqlite-through-libsql.md.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Client,
  type Config,
  createClient,
  type InStatement,
  LibsqlError,
} from '@libsql/client';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import Libsql from 'libsql';
import type { OpenDatabase } from './database.ts';
import { PrismaClient } from './generated/sqlite/client.ts';
import type { MigrationConnection } from './migrations.ts';

/** How long a statement waits for another process's write, in ms. The wait blocks this process: libsql is synchronous. */
const patience = 2000;

const pathOf = (url: string) => url.slice('file:'.length);

// libsql reads `timeout`, its types do not name it.
const open = (path: string, timeout: number) => new Libsql(path, { timeout } as Libsql.Options);

/** Errors after which a connection is still fit for use. */
const harmless = new Set(['SQLITE_CONSTRAINT', 'SQLITE_ERROR', 'SQLITE_MISMATCH', 'SQLITE_TOOBIG']);

/**
 * One connection for all of Prisma's statements; the adapter's own mutex keeps everyone else out of an open transaction.
 *
 * - Transactions begin IMMEDIATE: a deferred one that reads first and writes later fails at once when another process
 *   writes in between.
 * - They run on the one connection: the stock client gives each a connection that nobody closes.
 * - After SQLITE_BUSY the connection is replaced: libsql leaves the failed statement open, and what is written on that
 *   connection afterwards is acknowledged but never committed.
 */
function oneConnection(client: Client) {
  let current: { open: boolean } | undefined;

  async function replaceConnection() {
    if (current?.open) {
      current.open = false;
      await client.execute('ROLLBACK').catch(() => {});
    }
    await client.reconnect();
  }

  async function execute(statement: InStatement) {
    try {
      return await client.execute(statement);
    } catch (error) {
      if (error instanceof LibsqlError && !harmless.has(error.code)) await replaceConnection();
      throw error;
    }
  }

  async function transaction() {
    await execute('BEGIN IMMEDIATE');
    const mine = { open: true };
    current = mine;
    const whileOpen = () => {
      if (!mine.open) throw new LibsqlError('The transaction is closed', 'TRANSACTION_CLOSED');
    };
    return {
      execute(statement: InStatement) {
        whileOpen();
        return execute(statement);
      },
      async commit() {
        whileOpen();
        await execute('COMMIT');
        mine.open = false;
      },
      async rollback() {
        if (!mine.open) return;
        mine.open = false;
        await execute('ROLLBACK');
      },
    };
  }

  return {
    execute,
    transaction,
    executeMultiple: (script: string) => client.executeMultiple(script),
    close: () => client.close(),
  };
}

/** Prisma's libsql adapter, on one connection. It calls nothing of the client but those four methods. */
class OneConnectionLibSql extends PrismaLibSql {
  override createClient(config: Config): Client {
    return oneConnection(createClient(config)) as unknown as Client;
  }
}

export const openSqlite: OpenDatabase = async (url) => {
  const prisma = new PrismaClient({
    adapter: new OneConnectionLibSql({ url, timeout: patience } as Config),
    errorFormat: 'minimal',
  });
  const reader = open(pathOf(url), patience);
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
};

/** Write-ahead logging, so that readers and a writer do not wait for each other. A property of the file. */
async function enableWriteAheadLog(database: Libsql.Database) {
  // Two processes that do this at once get SQLITE_BUSY whatever the time-out.
  for (let attempts = 200; ; attempts--) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_BUSY' || attempts === 0) throw error;
      await pause(5);
    }
  }
}

/** A connection that holds the write lock from start to end: whoever else wants to migrate waits. */
export async function migrateSqlite(
  url: string,
  migrate: (connection: MigrationConnection) => Promise<void>,
): Promise<void> {
  mkdirSync(dirname(pathOf(url)), { recursive: true, mode: 0o700 });
  const database = open(pathOf(url), 30_000);
  try {
    await enableWriteAheadLog(database);
    // Rebuilding a table drops it, and dropping it would cascade. Cannot be switched inside a transaction.
    database.exec('PRAGMA foreign_keys = OFF');
    database.exec('BEGIN IMMEDIATE');
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
