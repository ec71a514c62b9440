import type { Refusal } from '../verification/verdict.ts';
import { anything } from './anything.ts';
import type { Outgoing } from './call.ts';

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

/**
 * What must come back. `{{request.id}}` is the X-Request-Id that the row was sent with; `{{*}}` is whatever is there, one
 * character or more.
 */
export type Expect = {
  readonly status: number;
  /** Compared exactly; names in lower case. `content-type` is JSON unless it says otherwise, or the status redirects. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The body, byte for byte. */
  readonly text?: string;
  /** The body as JSON, compared deeply. */
  readonly json?: unknown;
  /** What another backend is held to instead of all of this, where the requirement leaves it more room than we use. */
  readonly elsewhere?: ExpectElsewhere;
};

/** What a backend that is not ours must answer. */
export type ExpectElsewhere = {
  /** One of these. */
  readonly statuses: readonly number[];
  readonly headers?: Readonly<Record<string, string>>;
  /** The body, with `{{*}}` for what it may say as it likes. */
  readonly text?: string;
  /** JSON that must be in the body; there may be more. */
  readonly atLeast?: unknown;
  /** JSON of which the body may leave out what it likes; what is there must be so. */
  readonly ifThere?: unknown;
  /** JSON that must not be in the body. */
  readonly never?: unknown;
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
  /** Playing it leaves something behind: a foreign backend is only asked with `--allow-mutating`. */
  readonly mutating?: true;
  /**
   * A parameter of another form of the request than the usual one. Which form is used is for the dashboard to say: a foreign
   * backend is only asked so when its fixture names the parameter.
   */
  readonly alternative?: string;
  readonly send: Send;
  readonly expect: Expect;
};

type Row = Omit<Scenario, 'requirement' | 'mark' | 'source'> &
  Partial<Pick<Scenario, 'mark' | 'source'>>;

/** The rows that show one requirement. One that goes further than its source has a mark and a source of its own. */
export const rule = (
  requirement: string,
  mark: Mark,
  source: string,
  ...rows: readonly Row[]
): readonly Scenario[] => rows.map((row) => ({ requirement, mark, source, ...row }));

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

/** The names of the placeholders anywhere in it, each once; those that the runner itself fills are not among them. */
export function placeholdersIn(value: unknown): readonly string[] {
  const found = JSON.stringify(value).matchAll(/\{\{([^}]+)\}\}/g);
  const names = [...found].flatMap(([placeholder, name = '']) =>
    placeholder === anything || name === 'request.id' ? [] : [name],
  );
  return [...new Set(names)];
}

/** The same row with real values in place of `{{…}}`. Throws on a placeholder without a value. */
export function bind<Value>(value: Value, bindings: Bindings): Value {
  const fill = (text: string) =>
    text.replace(/\{\{([^}]+)\}\}/g, (placeholder, name: string) => {
      if (placeholder === anything) return placeholder;
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

const encodedForm = (form: Readonly<Record<string, string>>) =>
  new URLSearchParams(form).toString();

/** A bound row as a platform would send it to this backend, nothing added. */
export function outgoingOf(
  baseUrl: string,
  { method, path, query = {}, basic, form, json, text, ...request }: Send,
  extra: Readonly<Record<string, string>> = {},
): Outgoing {
  const url = new URL(`${baseUrl.replace(/\/$/, '')}${path}`);
  for (const [name, values] of Object.entries(query)) {
    for (const value of [values].flat()) url.searchParams.append(name, value);
  }
  const headers: Record<string, string> = { ...request.headers, ...extra };
  if (basic) {
    const credentials = Buffer.from(`${basic.user}:${basic.password}`).toString('base64');
    headers['Authorization'] = `${basic.scheme ?? 'Basic'} ${credentials}`;
  }
  if (form) headers['Content-Type'] = 'application/x-www-form-urlencoded';
  if (json !== undefined) headers['Content-Type'] = 'application/json';
  const body = form
    ? encodedForm(form)
    : (text ?? (json === undefined ? undefined : JSON.stringify(json)));
  return { method, url: url.href, headers, ...(body === undefined ? {} : { body }) };
}
