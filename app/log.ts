import pino, { type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.ts';

type ErrorFields = {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: unknown;
  readonly cause?: unknown;
};

/** Of an error, what helps; of what hangs on it (queries, parameters, connection settings), nothing. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: typeof error };
  const { name, message, stack, code, cause } = error as ErrorFields;
  return { name, message, code, stack, ...(cause ? { cause: serializeError(cause) } : {}) };
}

/** JSON lines on stdout; on a terminal, lines to read. */
export function createLog(
  { LOG_LEVEL, LOG_FORMAT, production }: Config,
  destination: DestinationStream = pino.destination({ fd: 1, sync: true }),
): Logger {
  const readable =
    LOG_FORMAT === 'pretty' || (LOG_FORMAT === 'auto' && !production && process.stdout.isTTY);
  return pino(
    {
      level: LOG_LEVEL,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: serializeError },
    },
    readable ? pretty({ colorize: true, ignore: 'time', destination }) : destination,
  );
}
