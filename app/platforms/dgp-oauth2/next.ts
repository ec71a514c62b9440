/**
 * `next`: the address that a browser is sent to with a token in it. Only origins on a list, and only as a browser would read
 * the address, too: everything that two parsers could read in two ways is refused.
 */

import { isOrigin } from '../../http/origin.ts';

/** `https://app.example.com`; or with any port, `http://localhost:*`. */
const listed = /^https?:\/\/[a-z0-9.-]+(:(\d{1,5}|\*))?$/;

/** What is for developers' machines: nobody else's pages are there. */
const loopback = ['http://localhost:*', 'http://127.0.0.1:*'];

/** A cookie carries it through the sign-in, and has 4 KB. */
const longest = 2000;

const entriesOf = (list: string): string[] => list.split(',').flatMap((one) => one.trim() || []);

/** The origins in a list with commas; undefined when one of them is none. */
export function originsIn(list: string, { anyPort }: { anyPort: boolean }): string[] | undefined {
  const entries = entriesOf(list);
  const good = entries.every(
    (entry) => listed.test(entry) && (entry.endsWith(':*') ? anyPort : isOrigin(entry)),
  );
  return good ? entries : undefined;
}

/** Those that `next` may be of: the list; without one, a developer's own machine, but not in production. */
export const nextOrigins = (list: readonly string[], production: boolean): readonly string[] =>
  list.length > 0 || production ? list : loopback;

/** Scheme, `//`, host and port, then a path, query or fragment; of printable ASCII, without a backslash. */
const shape = /^https?:\/\/([a-z0-9.-]+(?::\d{1,5})?)(?:[/?#][!-[\]-~]*)?$/i;

/** `next` as it came, when it is of one of these origins. */
export function allowedNext(next: unknown, origins: readonly string[]): string | undefined {
  if (typeof next !== 'string' || next.length > longest) return undefined;
  const authority = shape.exec(next)?.[1]?.toLowerCase();
  if (authority === undefined || !URL.canParse(next)) return undefined;
  const { protocol, hostname, host, origin, port } = new URL(next);
  const usual = `${hostname}:${protocol === 'https:' ? 443 : 80}`;
  // Not the numeric and other spellings of a host that a URL parser rewrites.
  if (authority !== host && !(port === '' && authority === usual)) return undefined;
  const anyPort = `${protocol}//${hostname}:*`;
  return origins.includes(origin) || origins.includes(anyPort) ? next : undefined;
}

/** What we add to `next`, one of them at a time: an earlier one of either is not to be believed. */
const ours = ['jwt', 'error'] as const;

/** As a form parser reads it: a name can be encoded. */
const isOurs = (pair: string) => ours.some((name) => new URLSearchParams(pair).has(name));

/**
 * The same address with what came of the sign-in: as the first parameter where there is no other (clients take all that is
 * behind `?jwt=`), else as the last, in either case before a fragment. All else stays, byte for byte.
 */
export function withOutcome(next: string, name: (typeof ours)[number], value: string): string {
  const [, address = '', query = '', fragment = ''] = /^([^?#]*)\??([^#]*)(#.*)?$/.exec(next) ?? [];
  const others = query === '' ? [] : query.split('&').filter((pair) => !isOurs(pair));
  const path = /^\w+:\/\/[^/]*$/.test(address) ? `${address}/` : address;
  return `${path}?${[...others, `${name}=${encodeURIComponent(value)}`].join('&')}${fragment}`;
}
