import pino, { type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.ts';

export type LoggedError = {
  readonly name: string;
  readonly message: string;
  readonly code?: unknown;
  readonly stack: string;
  readonly cause?: LoggedError;
};

/** Prisma puts all arguments of a call that it finds invalid into the message, also with `errorFormat: 'minimal'`. */
const withoutArguments = (message: string) => message.replace(/^\{$[\s\S]*^\}$/m, '{…}');

/** Where it was thrown: without the message, which V8 repeats in front. */
const frames = (stack: string) => stack.split('\n').filter((line) => /^ +at /.test(line));

/** Of an error, what helps; of what hangs on it (queries, parameters, connection settings), nothing. */
export function loggable(error: unknown): LoggedError {
  if (!(error instanceof Error)) {
    return { name: typeof error, message: 'something was thrown that is no error', stack: '' };
  }
  const { name, message, stack = '', code, cause } = error as Error & { code?: unknown };
  return {
    name,
    // Some libraries throw errors whose message is not a string.
    message: withoutArguments(String(message)),
    ...(code === undefined ? {} : { code }),
    stack: frames(stack).join('\n'),
    ...(cause ? { cause: loggable(cause) } : {}),
  };
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
      serializers: { err: loggable },
    },
    readable ? pretty({ colorize: true, ignore: 'time', destination }) : destination,
  );
}
