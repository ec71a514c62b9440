/**
 * Tells "the database is away, locked or overloaded" (it will pass: 503) from a bug (500). Errors reach us as Prisma's, as
 * the driver adapter's, and plain from the drivers; the tables were made by producing each outage on both databases.
 */

/** Prisma: not reachable, no such database, refused, time-out, closed, no connection or transaction to be had, deadlock. */
const prismaCodes = new Set([
  ...[
    'P1000',
    'P1001',
    'P1002',
    'P1003',
    'P1008',
    'P1010',
    'P1011',
    'P1017',
    'P2024',
    'P2028',
    'P2034',
    'P2037',
  ],
]);

const adapterKinds = new Set([
  'AuthenticationFailed',
  'ConnectionClosed',
  'DatabaseAccessDenied',
  'DatabaseDoesNotExist',
  'DatabaseNotReachable',
  'SocketTimeout',
  'TlsConnectionError',
  'TooManyConnections',
  'TransactionWriteConflict',
]);

const socketCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['EMFILE', 'EPIPE', 'ETIMEDOUT'],
]);

/** SQLSTATE: connection exceptions, resources, shutdown, I/O, no such database, cancelled, locked, deadlock, read-only, corrupt. */
const sqlStates = /^(08...|40...|28...|53...|57P..|58...|3D000|57014|55P03|25006|XX00[12])$/;

/** SQLite: PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB. */
const sqliteCodes = new Set([3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 26]);

/** What pg and libsql only say in words. */
const words =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|Query read timeout|timeout expired|Cannot use a pool after|ConnectionFailed\(|(CLIENT|TRANSACTION)_CLOSED|SQLITE_(BUSY|IOERR|FULL|CORRUPT|NOTADB|READONLY|CANTOPEN))/;

type Fields = {
  readonly name?: unknown;
  readonly kind?: unknown;
  readonly code?: unknown;
  readonly originalCode?: unknown;
  readonly rawCode?: unknown;
  readonly extendedCode?: unknown;
  readonly message?: unknown;
  readonly meta?: { readonly driverAdapterError?: unknown };
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
};

/** Whether this error, or one that it wraps, says that the database cannot answer now. */
export function isOutage(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > 6) return false;
  const { name, kind, code, originalCode, rawCode, extendedCode, message, meta, cause, errors } =
    error as Fields;
  const state = typeof code === 'string' ? code : originalCode;
  const sqlite = rawCode ?? (kind === 'sqlite' ? extendedCode : undefined);
  return (
    name === 'PrismaClientInitializationError' ||
    (typeof kind === 'string' && adapterKinds.has(kind)) ||
    (typeof sqlite === 'number' && sqliteCodes.has(sqlite & 0xff)) ||
    (typeof state === 'string' &&
      (prismaCodes.has(state) || socketCodes.has(state) || sqlStates.test(state))) ||
    (typeof message === 'string' && words.test(message)) ||
    [meta?.driverAdapterError, cause, ...(errors ?? [])].some((inner) => isOutage(inner, depth + 1))
  );
}
