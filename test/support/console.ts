/** What the tests of the console share: a browser's view of it, and what it has captured. */
import type { Call } from '../../app/console/calls.ts';
import { call } from '../../app/scenarios/call.ts';
import type { Backend } from './backend.ts';
import { formOf, type Seen, visitor } from './visitor.ts';

/** A call as JSON has it. */
export type CapturedCall = Omit<Call, 'at'> & { readonly at: string };

/** What is in the log, newest first. */
export async function captured({ url }: Backend, query = ''): Promise<CapturedCall[]> {
  const response = await fetch(`${url}/console/api/calls${query}`);
  return ((await response.json()) as { calls: CapturedCall[] }).calls;
}

/** The newest call. */
export async function newest(backend: Backend): Promise<CapturedCall> {
  const [found] = await captured(backend);
  if (!found) throw new Error('no call was captured');
  return found;
}

/** Opens that page, and sends the form on it that goes there. */
export async function act(
  backend: Backend,
  page: string,
  action: string,
  fields: Record<string, string> = {},
): Promise<Seen> {
  const one = visitor(backend);
  const { text } = await one.get(page);
  return one.post(action, { ...formOf(text, action), ...fields });
}

/** As it stands on the wire: `fetch` would not let `Host` be another one. */
export async function getWith(
  { url }: Backend,
  path: string,
  headers: Readonly<Record<string, string>> = {},
) {
  const { status, text } = await call({ method: 'GET', url: `${url}${path}`, headers });
  return { status, text };
}

/** Events of the log, as they come: name, id and data. */
export type Events = {
  readonly status: number;
  readonly headers: Headers;
  /** All that came so far, to the letter. */
  readonly text: () => string;
  /** Resolves when that is in it, or the stream ended. */
  readonly until: (pattern: RegExp) => Promise<string>;
  readonly close: () => void;
};

export async function watch(
  { url }: Backend,
  query = '',
  headers: Record<string, string> = {},
): Promise<Events> {
  const aborted = new AbortController();
  const response = await fetch(`${url}/console/log/events${query}`, {
    headers,
    signal: aborted.signal,
  });
  let text = '';
  const waiting = new Set<() => void>();
  let ended = false;
  const tell = () => {
    for (const look of waiting) look();
  };
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      tell();
    }
  })();
  reading
    .catch(() => {})
    .finally(() => {
      ended = true;
      tell();
    });
  return {
    status: response.status,
    headers: response.headers,
    text: () => text,
    until: (pattern) =>
      new Promise((resolve) => {
        const look = () => {
          if (!ended && !pattern.test(text)) return;
          waiting.delete(look);
          resolve(text);
        };
        waiting.add(look);
        look();
      }),
    close: () => aborted.abort(),
  };
}
