/**
 * One HTTP request to the letter: the headers that are given, `Host` and what frames the body, and an `X-Request-Id` where
 * one is wanted; no redirect followed, nothing decoded. The one way in which simulators and rows call a backend.
 */
import { type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';

export type Outgoing = {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** As they are to be spelt. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent with `Content-Length`. */
  readonly body?: string;
};

export type Reply = {
  readonly status: number;
  /** In the order and spelling of the other side; one that comes twice is there twice. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly text: string;
  /** From the request to the last byte. */
  readonly ms: number;
};

/** Why there was no reply. `kind` is for programs, `message` for people. */
export class CallError extends Error {
  readonly kind:
    | 'unreachable'
    | 'not-found'
    | 'tls'
    | 'timeout'
    | 'too-large'
    | 'broken'
    | 'interrupted';

  constructor(kind: CallError['kind'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'CallError';
    this.kind = kind;
  }
}

export type CallOptions = {
  /** For the whole exchange, in ms. */
  readonly timeout?: number;
  /** Of the reply's body. */
  readonly maxBytes?: number;
  /** More certificates to trust, PEM. */
  readonly ca?: string;
  /** Ends the exchange at once. */
  readonly signal?: AbortSignal;
  /** A new one for each request, for the other side to know it by. */
  readonly requestId?: () => string;
};

/** The first value of this header, undefined when it is not there. */
export const headerOf = ({ headers }: Pick<Reply, 'headers'>, name: string): string | undefined =>
  headers.find(([one]) => one.toLowerCase() === name.toLowerCase())?.[1];

function problemOf(error: unknown, { url }: Outgoing): CallError {
  if (error instanceof CallError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const { host, hostname } = new URL(url);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new CallError('not-found', `The name ${hostname} cannot be resolved.`, error);
  }
  if (['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'].includes(code)) {
    return new CallError('unreachable', `Nobody answers at ${host} (${code}).`, error);
  }
  if (/CERT|SSL|TLS|EPROTO|SELF_SIGNED|UNABLE_TO/.test(code)) {
    return new CallError('tls', `TLS with ${host} failed (${code}).`, error);
  }
  return new CallError('broken', `${host} broke the connection off (${code || message}).`, error);
}

async function textOf(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new CallError('too-large', `The answer is longer than ${maxBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const pairs = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : []));

/** @throws {CallError} when there was no whole reply */
export async function call(
  outgoing: Outgoing,
  {
    timeout = 10_000,
    maxBytes = 1024 * 1024,
    ca,
    signal: interruption,
    requestId,
  }: CallOptions = {},
): Promise<Reply> {
  const { method, url, headers, body } = outgoing;
  const begun = performance.now();
  const send = url.startsWith('https:') ? overHttps : overHttp;
  const late = AbortSignal.timeout(timeout);
  const signal = interruption ? AbortSignal.any([late, interruption]) : late;
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      // A connection of its own: a platform calls from another machine, too.
      const request = send(url, { method, agent: false, signal, ...(ca ? { ca } : {}) }, resolve);
      for (const [name, value] of Object.entries(headers)) request.setHeader(name, value);
      if (requestId) request.setHeader('X-Request-Id', requestId());
      if (body !== undefined) request.setHeader('Content-Length', Buffer.byteLength(body));
      request.on('error', reject);
      request.end(body);
    });
    const text = await textOf(response, maxBytes);
    // A body without a length ends with its connection, also when it is we who end that.
    signal.throwIfAborted();
    return {
      status: response.statusCode ?? 0,
      headers: pairs(response.rawHeaders),
      text,
      ms: performance.now() - begun,
    };
  } catch (error) {
    if (late.aborted) {
      throw new CallError('timeout', `No answer within ${timeout / 1000} s.`, error);
    }
    if (signal.aborted) throw new CallError('interrupted', 'Interrupted.', error);
    throw problemOf(error, outgoing);
  }
}
