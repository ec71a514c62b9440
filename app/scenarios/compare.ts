/** What a row expects, against what came: one comparison for Jest, the runner and the console. */
import { isDeepStrictEqual } from 'node:util';
import { anything } from './anything.ts';
import { headerOf, type Reply } from './call.ts';
import { isObject, jsonIn } from './json.ts';
import type { Expect } from './scenario.ts';

export type Difference = {
  /** `status`, `header location`, `body` or a path in it, e.g. `body.user.id`. */
  readonly where: string;
  /** Undefined: nothing was to be there. */
  readonly expected: unknown;
  /** Undefined: nothing is there. */
  readonly actual: unknown;
};

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Whether the text is the expected one; `{{*}}` in it stands for anything. */
function matches(expected: string, actual: string): boolean {
  if (!expected.includes(anything)) return expected === actual;
  return new RegExp(`^${expected.split(anything).map(escaped).join('.+')}$`, 's').test(actual);
}

/** @param more whether objects may have keys that are not expected */
function inJson(where: string, expected: unknown, actual: unknown, more = false): Difference[] {
  if (isObject(expected) && isObject(actual)) {
    const keys = new Set([...Object.keys(expected), ...(more ? [] : Object.keys(actual))]);
    return [...keys].flatMap((key) => inJson(`${where}.${key}`, expected[key], actual[key], more));
  }
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    return expected.flatMap((one, index) => inJson(`${where}[${index}]`, one, actual[index], more));
  }
  if (more && typeof expected === 'string' && typeof actual === 'string') {
    // A string that holds JSON, as in Authlete's claims.
    const [inner, found] = [jsonIn(expected), jsonIn(actual)];
    if (isObject(inner) && isObject(found)) return inJson(where, inner, found, more);
  }
  const same =
    typeof expected === 'string' && typeof actual === 'string'
      ? matches(expected, actual)
      : isDeepStrictEqual(expected, actual);
  return same ? [] : [{ where, expected, actual }];
}

function inJsonBody(expected: unknown, received: string, more = false): Difference[] {
  const actual = jsonIn(received);
  return actual === undefined
    ? [{ where: 'body', expected, actual: received }]
    : inJson('body', expected, actual, more);
}

/** The expected, without what the answer does not have; null is as good as absent. */
function whatIsThere(expected: unknown, actual: unknown): unknown {
  if (!isObject(expected) || !isObject(actual)) return expected;
  return Object.fromEntries(
    Object.entries(expected).flatMap(([key, one]) =>
      (actual[key] ?? null) === null ? [] : [[key, whatIsThere(one, actual[key])]],
    ),
  );
}

const inText = (expected: string, received: string): Difference[] =>
  matches(expected, received) ? [] : [{ where: 'body', expected, actual: received }];

const inBody = ({ text, json }: Expect, received: string): Difference[] => [
  ...(text === undefined ? [] : inText(text, received)),
  ...(json === undefined ? [] : inJsonBody(json, received)),
];

const inHeaders = (expected: Readonly<Record<string, string>>, reply: Reply): Difference[] =>
  Object.entries(expected).flatMap(([name, value]) => {
    const actual = headerOf(reply, name);
    const same = actual !== undefined && matches(value, actual);
    return same ? [] : [{ where: `header ${name}`, expected: value, actual }];
  });

const inStatus = (expected: readonly number[], { status }: Reply): Difference[] =>
  expected.includes(status)
    ? []
    : [
        {
          where: 'status',
          expected: expected.length === 1 ? expected[0] : expected.join(' or '),
          actual: status,
        },
      ];

const json = 'application/json; charset=utf-8';

/** Without a body. */
const isRedirect = ({ status }: Expect) => status >= 300 && status < 400;

const usualHeaders = (expected: Expect): Readonly<Record<string, string>> =>
  isRedirect(expected) ? {} : { 'content-type': json };

/** Empty: the reply is as expected. */
export function differences(expected: Expect, reply: Reply): Difference[] {
  return [
    ...inStatus([expected.status], reply),
    ...inHeaders({ ...usualHeaders(expected), ...expected.headers }, reply),
    ...inBody(expected, reply.text),
  ];
}

/** JSON, whatever it calls its charset, and `application/problem+json` too. */
function inContentType(reply: Reply): Difference[] {
  const actual = headerOf(reply, 'content-type');
  return /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(actual ?? '')
    ? []
    : [{ where: 'header content-type', expected: 'application/json', actual }];
}

/**
 * The same of a backend that is not ours: where the row says what another one is held to (`elsewhere`), that; else the row
 * itself, with JSON compared as JSON, and without the length of our own bytes.
 */
export function differencesElsewhere(expected: Expect, reply: Reply): Difference[] {
  const { elsewhere } = expected;
  if (elsewhere) {
    const { statuses, headers = {}, text, atLeast, ifThere, never } = elsewhere;
    const actual = jsonIn(reply.text);
    const forbidden = never !== undefined && inJson('body', never, actual, true).length === 0;
    return [
      ...inStatus(statuses, reply),
      ...(atLeast === undefined ? [] : inContentType(reply)),
      ...inHeaders(headers, reply),
      ...(text === undefined ? [] : inText(text, reply.text)),
      ...(atLeast === undefined ? [] : inJsonBody(atLeast, reply.text, true)),
      ...(ifThere === undefined || !isObject(actual)
        ? []
        : inJson('body', whatIsThere(ifThere, actual), actual, true)),
      ...(forbidden ? [{ where: 'body', expected: { not: never }, actual }] : []),
    ];
  }
  const { 'content-length': _ours, 'content-type': type, ...headers } = expected.headers ?? {};
  const unsaid = isRedirect(expected) ? [] : inContentType(reply);
  const inType = type === undefined ? unsaid : inHeaders({ 'content-type': type }, reply);
  const asJson = expected.text === undefined ? undefined : jsonIn(expected.text);
  return [
    ...inStatus([expected.status], reply),
    ...inType,
    ...inHeaders(headers, reply),
    ...(asJson === undefined ? inBody(expected, reply.text) : inJsonBody(asJson, reply.text)),
  ];
}
