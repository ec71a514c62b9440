import { promisify, TextDecoder } from 'node:util';
import express, { type Request, type Response } from 'express';
import { parse as parseLossless } from 'lossless-json';
import type { Accepts } from './endpoint.ts';

/** Everything a platform sends us fits many times over. */
const limit = 64 * 1024;

/** A request we cannot read: 400, 413 or 415. `message` is ours, and safe to send. */
export class BadRequest extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'BadRequest';
    this.status = status;
  }
}

const readBytes = promisify(
  express.raw({ limit, type: () => true }) as (
    request: Request,
    response: Response,
    done: (error?: unknown) => void,
  ) => void,
);

const said: Readonly<Record<number, string>> = {
  413: 'The body is too large.',
  415: 'The encoding of the body is not supported.',
};

async function bytesOf(request: Request, response: Response): Promise<Buffer> {
  try {
    await readBytes(request, response);
  } catch (error) {
    const status = (error as { status?: number }).status;
    if (status === undefined || status >= 500) throw error;
    throw new BadRequest(status, said[status] ?? 'The body could not be read.');
  }
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

/** Integers that a double would round stay whole: Authlete's `serviceApiKey` is a Java long. */
export function parseNumber(digits: string): number | bigint {
  const rounded = Number(digits);
  return /^-?\d+$/.test(digits) && !Number.isSafeInteger(rounded) ? BigInt(digits) : rounded;
}

function parseJson(text: string): unknown {
  try {
    return parseLossless(text, undefined, parseNumber);
  } catch {
    // SyntaxError; RangeError where it is nested too deeply.
    throw new BadRequest(400, 'The body is not valid JSON.');
  }
}

/** Parameters by name; one that occurs twice is an array. */
export function parametersOf(query: string): Record<string, unknown> {
  const found: Record<string, unknown> = Object.create(null);
  if (query === '') return found;
  for (const [name, value] of new URLSearchParams(query)) {
    const before = found[name];
    found[name] =
      before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return found;
}

function decoderFor(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch {
    throw new BadRequest(415, 'The charset is not supported.');
  }
}

function decode(decoder: TextDecoder, bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new BadRequest(400, `The body is not ${decoder.encoding.toUpperCase()}.`);
  }
}

const isJson = (mediaType: string) =>
  mediaType === 'application/json' || /^application\/[a-z0-9.+-]+\+json$/.test(mediaType);

const attributesOf = (contentType: string | undefined) =>
  (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());

/** How that body is decoded. */
export function charsetOf(contentType: string | undefined): string {
  const found = attributesOf(contentType).find((one) => one.startsWith('charset='));
  return found?.slice(8).replaceAll('"', '') ?? 'utf-8';
}

/**
 * The body of a POST: JSON as parsed, a form as an object, undefined when there is none.
 *
 * @throws {BadRequest} 400 not parseable · 413 over 64 KiB, unpacked · 415 a type, charset or encoding we do not read
 */
export async function readBody(
  request: Request,
  response: Response,
  accepts: Accepts,
): Promise<unknown> {
  const contentType = request.headers['content-type'];
  const [mediaType = ''] = attributesOf(contentType);
  if (accepts === 'json' && !isJson(mediaType)) {
    throw new BadRequest(415, 'The Content-Type must be application/json.');
  }
  const decoder = decoderFor(charsetOf(contentType));

  const text = decode(decoder, await bytesOf(request, response)).trim();
  if (text === '') return undefined;
  if (isJson(mediaType)) return parseJson(text);
  if (mediaType === 'application/x-www-form-urlencoded') return parametersOf(text);
  // A type we were not told, or a wrong one: its first character gives JSON away.
  return /^[[{"]/.test(text) ? parseJson(text) : parametersOf(text);
}
