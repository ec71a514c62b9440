import { jsonIn } from '../scenarios/json.ts';
import type { Scenario } from '../scenarios/scenario.ts';

/** A row of a platform's table, as an example of a request and its answer. */
export type Example = {
  readonly id: string;
  readonly title: string;
  /** Undefined: what it sends is not as it should be, and not to be copied. */
  readonly sent:
    | {
        readonly query: Readonly<Record<string, string | readonly string[]>>;
        readonly form?: Readonly<Record<string, string>>;
        readonly json?: unknown;
      }
    | undefined;
  readonly status: number;
  /** The JSON that comes back; undefined when it is none. */
  readonly answered: unknown;
};

/** `{{token.test1}}` is `<token of test1>`, `{{token:never-issued}}` is `<token never-issued>`. Nothing real is ever shown. */
const readable = (text: string) =>
  text
    .replaceAll('{{*}}', '…')
    .replace(/\{\{(token|jwt)\.([^}]+)\}\}/g, '<$1 of $2>')
    .replace(/\{\{(\w+)[:.]([^}]+)\}\}/g, '<$1 $2>');

/** The same with readable texts in place of `{{…}}`, anywhere in it. */
function withoutPlaceholders<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value), (_key, part) =>
    typeof part === 'string' ? readable(part) : part,
  ) as Value;
}

/** Said of requests that do not have the form that is asked for. */
const illFormed: readonly unknown[] = ['malformed', 'no-credential'];

const isAccepted = ({ because, expect }: Scenario) => because === undefined && expect.status < 400;

function exampleOf({ id, title, because, send, expect }: Scenario): Example {
  const { query = {}, form, json, text } = send;
  const { status, json: body, text: literal = '' } = expect;
  const copyable = text === undefined && expect.status < 400 && !illFormed.includes(because);
  return {
    id,
    title,
    sent: copyable
      ? withoutPlaceholders({
          query,
          ...(form && { form }),
          ...(json === undefined ? {} : { json }),
        })
      : undefined,
    status,
    answered: body === undefined ? jsonIn(readable(literal)) : withoutPlaceholders(body),
  };
}

/** What a row shows that no other does: why it is refused; else the status, and where the request has its parameters. */
const kindOf = ({ because, expect, send }: Scenario) =>
  because ?? `${expect.status} ${send.form ? 'form' : send.json === undefined ? '' : 'json'}`;

/** The first row of each kind, an accepted one before all others. */
export function examplesOf(rows: readonly Scenario[]): Example[] {
  const kinds = new Set<string>();
  return [...rows.filter(isAccepted), ...rows]
    .filter((row) => !kinds.has(kindOf(row)) && kinds.add(kindOf(row)))
    .map(exampleOf);
}
