import type { Refusal } from '../verification/verdict.ts';

/**
 * Where a requirement comes from: the vendor documents it; it was seen in the vendor's published code, or when it ran;
 * someone reported it in a public issue; or the vendor is silent, and this is what we do.
 */
export type Mark = 'documented' | 'seen' | 'reported' | 'our choice';

/** A request as a platform would send it. `{{…}}` in any string is a placeholder: see cast.ts. */
export type Send = {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** `Authorization: Basic …`, with the scheme spelt `Basic` unless it says otherwise. */
  readonly basic?: { readonly user: string; readonly password: string; readonly scheme?: string };
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** A body to the letter, for what `json` and `form` cannot say. Goes with a Content-Type in `headers`. */
  readonly text?: string;
};

/** What must come back. `{{request.id}}` is the X-Request-Id that the row was sent with. */
export type Expect = {
  readonly status: number;
  /** Compared exactly; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The body, byte for byte. */
  readonly text?: string;
  /** The body as JSON, compared deeply. */
  readonly json?: unknown;
};

/** One row of a platform's table: what it sends, what it must get back, and which requirement that proves. */
export type Scenario = {
  /** Stable, e.g. `authlete-04`. */
  readonly id: string;
  /** The situation. */
  readonly title: string;
  /** The rule, in a sentence. */
  readonly requirement: string;
  readonly mark: Mark;
  readonly source: string;
  /** Why the backend says no in this row; checked against our own log, as the wire does not tell. */
  readonly because?: Refusal;
  readonly send: Send;
  readonly expect: Expect;
};

type Row = Omit<Scenario, 'requirement' | 'mark' | 'source'>;

/** The rows that show one requirement. */
export const rule = (
  requirement: string,
  mark: Mark,
  source: string,
  ...rows: readonly Row[]
): readonly Scenario[] => rows.map((row) => ({ ...row, requirement, mark, source }));

export const get = (path: string, query: Send['query'] = {}, rest: Partial<Send> = {}): Send => ({
  method: 'GET',
  path,
  query,
  ...rest,
});

export const post = (path: string, rest: Partial<Send>): Send => ({
  method: 'POST',
  path,
  ...rest,
});

export type Bindings = Readonly<Record<string, string>>;

/** The same row with real values in place of `{{…}}`. Throws on a placeholder without a value. */
export function bind<Value>(value: Value, bindings: Bindings): Value {
  const fill = (text: string) =>
    text.replace(/\{\{([^}]+)\}\}/g, (placeholder, name: string) => {
      const bound = bindings[name];
      if (bound === undefined) throw new Error(`No value for ${placeholder} in this scenario`);
      return bound;
    });
  const walk = (part: unknown): unknown => {
    if (typeof part === 'string') return fill(part);
    if (Array.isArray(part)) return part.map(walk);
    if (part !== null && typeof part === 'object') {
      return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, walk(inner)]));
    }
    return part;
  };
  return walk(value) as Value;
}

export type Received = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
};

/** Sends a bound row to a backend, as the platform would: no redirects followed, nothing added. */
export async function send(baseUrl: string, request: Send, extra: Record<string, string> = {}) {
  const url = new URL(request.path, baseUrl);
  for (const [name, values] of Object.entries(request.query ?? {})) {
    for (const value of [values].flat()) url.searchParams.append(name, value);
  }
  const headers = new Headers({ ...request.headers, ...extra });
  if (request.basic) {
    const { user, password, scheme = 'Basic' } = request.basic;
    const credentials = Buffer.from(`${user}:${password}`).toString('base64');
    headers.set('authorization', `${scheme} ${credentials}`);
  }
  if (request.json !== undefined) headers.set('content-type', 'application/json');
  const body = request.form
    ? new URLSearchParams(request.form)
    : (request.text ?? (request.json === undefined ? null : JSON.stringify(request.json)));
  const response = await fetch(url, {
    method: request.method,
    headers,
    // A string body would be given a Content-Type of fetch's own.
    body: typeof body === 'string' ? Buffer.from(body) : body,
    redirect: 'manual',
  });
  const received: Received = {
    status: response.status,
    headers: response.headers,
    text: await response.text(),
  };
  return received;
}
