/**
 * Sends a captured call again, changed or not: to this very server and nobody else. Secrets are put back here, and nowhere
 * before; what comes of it is captured like any other call.
 */
import { randomUUID } from 'node:crypto';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { CallError, call as send } from '../scenarios/call.ts';
import type { Call, CallLog } from './calls.ts';
import { base } from './page.ts';
import { type Headers, splitAtPlaceholders } from './redaction.ts';
import { ownHeaders } from './shown-call.ts';

/** As it can be edited: text, with placeholders. */
export type Edited = {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** One a line. */
  readonly headers: string;
  readonly body: string;
};

export const editable = ({ request: { method, url, headers, body } }: Call): Edited => ({
  method,
  url,
  headers: ownHeaders(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n'),
  body: body.text,
});

/** What came of it: the new call, or why there is none. */
export type Replayed = { readonly call: Call } | { readonly problem: string };

/** In ms: for the answer, chaos included; and then for it to be in the log. */
const patience = { answer: 30_000, log: 2_000 };

/** Of those that the log captures, what an App or a platform could mean. */
export const methods: readonly string[] = ['GET', 'POST', 'HEAD', 'PUT', 'PATCH', 'DELETE'];

const mostHeaders = 100;

class NotSendable extends Error {
  override readonly name = 'NotSendable';
}

/** Where this request of the console arrived: whatever anybody calls us, that is us. */
export function ownOrigin({ localAddress = '', localPort }: Socket): string {
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/, '');
  return `http://${address.includes(':') ? `[${address}]` : address}:${localPort}`;
}

/** The address on this server. @throws {NotSendable} for what could be taken for another one, or for the console itself */
function target(origin: string, url: string): string {
  if (!/^\/(?![/\\])[!$-[\]-~]*$/.test(url)) {
    throw new NotSendable(
      'The path begins with one slash, and has no spaces, backslashes or fragments: it stays on this server.',
    );
  }
  const address = new URL(`${origin}${url}`);
  if (address.origin !== origin) throw new NotSendable('The path must stay on this server.');
  if (address.pathname === base || address.pathname.startsWith(`${base}/`)) {
    throw new NotSendable('The console does not call itself.');
  }
  return address.href;
}

/** @throws {NotSendable} */
function headersOf(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length > mostHeaders) throw new NotSendable(`No more than ${mostHeaders} headers.`);
  const parsed: Headers = lines.map((line) => {
    const [, name = '', value = ''] = /^([^:]*):[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new NotSendable(
        `“${line.slice(0, 80)}” is no header: a name, a colon, a value, one a line.`,
      );
    }
    return [name, value];
  });
  const headers: Record<string, string> = {};
  for (const [name, value] of ownHeaders(parsed)) {
    const same = Object.keys(headers).find((one) => one.toLowerCase() === name.toLowerCase());
    const before = same === undefined ? undefined : headers[same];
    headers[same ?? name] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}

/**
 * @param edited undefined: as it was
 * @param socket of the request to the console
 */
export async function replay(
  calls: CallLog,
  of: Call,
  edited: Edited | undefined,
  socket: Socket,
): Promise<Replayed> {
  const secrets = calls.secretsOf(of);
  const cut = of.hidden.find((one) => one.cut)?.placeholder;
  const fill = (text: string) =>
    splitAtPlaceholders(text)
      .map((piece) => {
        if (piece === cut) {
          throw new NotSendable(
            `What stood as ${cut} had too many secrets in it to be kept. Edit it: write something else there.`,
          );
        }
        return secrets.get(piece) ?? piece;
      })
      .join('');
  const { method, url, headers, body } = edited ?? editable(of);
  if (!methods.includes(method)) return { problem: 'This method is not sent from here.' };
  if (!edited && of.request.body.lossy) {
    return { problem: 'Its body was no text, and cannot be sent again as it was.' };
  }

  const id = randomUUID();
  const expected = calls.expect(id, { of, secrets: [...secrets.values()] });
  try {
    const outgoing = {
      method,
      url: target(ownOrigin(socket), fill(url)),
      headers: { ...headersOf(fill(headers)), 'X-Request-Id': id },
      ...(['GET', 'HEAD'].includes(method) ? {} : { body: fill(body) }),
    };
    const { status } = await send(outgoing, { timeout: patience.answer });
    const call = await Promise.race([
      expected.arrived,
      pause(patience.log, undefined, { ref: false }),
    ]);
    return call
      ? { call }
      : {
          problem: `It was answered with ${status}, but not by a platform’s endpoint: the log has nothing of it.`,
        };
  } catch (error) {
    if (error instanceof NotSendable || error instanceof CallError)
      return { problem: error.message };
    throw error;
  } finally {
    expected.end();
  }
}
