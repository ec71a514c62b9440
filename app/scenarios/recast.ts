/**
 * A row with other people in it. Rows say what they send and expect to the letter, of the people in cast.ts; on another
 * backend somebody else plays them, and paths and names may be other ones (fixture.ts).
 */
import { type CastPerson, groups, people, understudies, understudyGroups } from './cast.ts';
import {
  answersVariable,
  dashboardVariable,
  type Fixture,
  facts,
  factsOfBackends,
  fieldsOf,
  groupVariable,
  notServed,
  pairsIn,
  parametersVariable,
  pathVariable,
  personVariable,
  variableFor,
} from './fixture.ts';
import { isObject } from './json.ts';
import {
  type Bindings,
  type Expect,
  placeholdersIn,
  type Scenario,
  type Send,
} from './scenario.ts';
import type { Entry } from './selection.ts';
import { Unplayable } from './story.ts';

/** A value of somebody in the cast, or of the backend itself, and the variable that has the one to take instead. */
type Role = { readonly field: string; readonly ours: string; readonly variable: string };

const roles: readonly Role[] = [
  ...[...people, ...understudies].flatMap((person: CastPerson) =>
    Object.entries(fieldsOf(person)).map(([field, value]) => ({
      field,
      ours: String(value),
      variable: personVariable(person.login, field),
    })),
  ),
  ...[...groups, ...understudyGroups].flatMap(({ subject, displayName }) => [
    { field: 'subject', ours: subject, variable: groupVariable(subject, 'subject') },
    { field: 'displayName', ours: displayName, variable: groupVariable(subject, 'displayName') },
  ]),
  ...factsOfBackends.map(({ setting, ours, variable }) => ({ field: setting, ours, variable })),
];

/** Under which keys a value of this kind stands; the others can be told by themselves. */
const keys: Readonly<Record<string, RegExp>> = {
  uid: /^(uid|id|user_?id|sub|subject|external_user_id)$/i,
  login: /^(?!password$)/i,
  password: /^password$/i,
  username: /^username$/,
  name: /./,
  email: /./,
  subject: /^sub(ject)?$/,
  displayName: /./,
};

const standsUnder = ({ field }: Role, key: string) => keys[field]?.test(key) ?? field === key;

/** The ways in which rows write a value that is not quite the right one, or the right one in other letters. */
const spellings: readonly ((value: string) => string)[] = [
  (value) => value,
  (value) => value.toUpperCase(),
  (value) => value.toLowerCase(),
  (value) => value.normalize('NFD'),
  (value) => `${value} `,
  (value) => `${value} OR 1=1`,
];

export type Recast = { readonly row: Scenario } | { readonly unplayable: string };

/**
 * Looks through all that a row says. Collects in `missing` what the fixture does not have.
 *
 * @returns the same with the fixture's values
 */
function replacement({ values }: Pick<Fixture, 'values'>, missing: Set<string>) {
  function leaf(key: string, written: string): string {
    for (const role of roles) {
      if (!standsUnder(role, key)) continue;
      const spelling = spellings.find((spell) => spell(role.ours) === written);
      if (!spelling) continue;
      const theirs = values[role.variable];
      if (theirs === undefined) {
        missing.add(role.variable);
        return written;
      }
      const spelt = spelling(theirs);
      if (spelt === theirs && written !== role.ours) {
        throw new Unplayable(`${role.variable} is the same in the other spelling of this row`);
      }
      return spelt;
    }
    return written;
  }

  /** Every `"key": value` in text that looks like JSON: the rest stays as it was written, wrong JSON too. */
  const inJsonText = (text: string) =>
    text.replace(
      /"([^"\\]+)"(\s*:\s*)("(?:[^"\\]|\\.)*"|-?\d+)/g,
      (whole, key: string, colon: string, value: string) => {
        if (!value.startsWith('"')) return `"${key}"${colon}${leaf(key, value)}`;
        const before = JSON.parse(value) as string;
        const after = walk(key, before) as string;
        if (after === before) return whole;
        return `"${key}"${colon}${value.includes('\\u') ? escaped(after) : JSON.stringify(after)}`;
      },
    );

  function walk(key: string, part: unknown): unknown {
    if (typeof part === 'string') return /^\s*[{[]/.test(part) ? inJsonText(part) : leaf(key, part);
    if (typeof part === 'number') return Number(leaf(key, String(part)));
    if (Array.isArray(part)) return part.map((one) => walk(key, one));
    if (part !== null && typeof part === 'object') {
      return Object.fromEntries(Object.entries(part).map(([name, one]) => [name, walk(name, one)]));
    }
    return part;
  }
  return walk;
}

/** As in a row that is about escapes in JSON: every letter as `\u…`. */
const escaped = (text: string) =>
  `"${Array.from({ length: text.length }, (_, index) => `\\u${text.charCodeAt(index).toString(16).padStart(4, '0')}`).join('')}"`;

const renameKeys = <Value>(
  object: Readonly<Record<string, Value>>,
  nameOf: (name: string) => string,
): Record<string, Value> =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [nameOf(name), value]));

/** Parameters of the query, the form and the top level of JSON, and headers. */
function renameParameters(send: Send, nameOf: (name: string) => string): Send {
  const { query, form, json, text, headers } = send;
  const inText = (before: string) =>
    before
      .replace(/"([^"\\]+)"(?=\s*:)/g, (whole, name: string) => whole.replace(name, nameOf(name)))
      .replace(
        /(^|&)([^=&{]+)(?==)/g,
        (_, start: string, name: string) => `${start}${nameOf(name)}`,
      );
  return {
    ...send,
    ...(query ? { query: renameKeys(query, nameOf) } : {}),
    ...(form ? { form: renameKeys(form, nameOf) } : {}),
    ...(isObject(json) ? { json: renameKeys(json, nameOf) } : {}),
    ...(text === undefined ? {} : { text: inText(text) }),
    ...(headers ? { headers: renameKeys(headers, nameOf) } : {}),
  };
}

/** As the platform's dashboard has it: what is in the query of a GET is the form of a POST. */
function withMethod(send: Send, { methods }: Pick<Fixture, 'methods'>, platform: string): Send {
  const { method, query = {}, headers, basic, ...rest } = send;
  const set = methods[platform];
  if (set === undefined || method === set || !['GET', 'POST'].includes(method)) return send;
  const form = Object.entries(query).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
  const isPlain = form.length === Object.keys(query).length && !headers && !basic;
  if (set === 'POST' && isPlain) return { ...rest, method: set, form: Object.fromEntries(form) };
  throw new Unplayable(
    `sent with ${method}: the method is ${set}, unless ${dashboardVariable(platform)} says another`,
  );
}

type Names = ReadonlyMap<string, string>;

type Tree = { [key: string]: unknown };

function put(tree: Tree, [first = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    tree[first] = value;
    return;
  }
  const inner = (tree[first] ?? {}) as Tree;
  tree[first] = inner;
  put(inner, rest, value);
}

/** The leaves of JSON by their dotted paths. */
function leavesOf(value: unknown, path: readonly string[] = []): [readonly string[], unknown][] {
  const isTree = value !== null && typeof value === 'object' && !Array.isArray(value);
  if (!isTree || Object.keys(value).length === 0) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}

/** Those that are named none are left out. */
function moved(json: unknown, names: Names): unknown {
  const tree: Tree = {};
  for (const [path, value] of leavesOf(json)) {
    if (path.length === 0) return value;
    const name = path.join('.');
    const theirs = names.get(name) ?? name;
    if (theirs !== notServed) put(tree, theirs.split('.'), value);
  }
  return tree;
}

/** Where the answer names things in another way, it can only be looked at for what must be in it. */
function moveAnswers(
  expect: Expect,
  parts: readonly ('atLeast' | 'ifThere' | 'never')[],
  names: Names,
): Expect {
  const { elsewhere } = expect;
  if (names.size === 0 || elsewhere === undefined) return expect;
  const changed = parts.flatMap((part) =>
    elsewhere[part] === undefined ? [] : [[part, moved(elsewhere[part], names)]],
  );
  return { ...expect, elsewhere: { ...elsewhere, ...Object.fromEntries(changed) } };
}

/** What may be in the answer, as far as the fixture knows it. */
function knownOf(json: unknown, fixture: Pick<Fixture, 'values'>, key = ''): unknown {
  if (isObject(json)) {
    const entries = Object.entries(json).map(([name, one]) => [name, knownOf(one, fixture, name)]);
    return Object.fromEntries(entries.filter(([, one]) => one !== undefined));
  }
  const missing = new Set<string>();
  const theirs = replacement(fixture, missing)(key, json);
  return missing.size === 0 ? theirs : undefined;
}

/**
 * All that a row says, as this walk has it. A backend that is not ours is held to `elsewhere`, where there is one; but for
 * what it may leave out.
 */
function spokenBy({ send, expect }: Scenario, walk: ReturnType<typeof replacement>) {
  const { path: _path, method: _method, basic, ...spoken } = send;
  const { status, elsewhere } = expect;
  const { ifThere: _ifThere, ...demanded } = elsewhere ?? {};
  return {
    send: walk('', spoken) as Omit<Send, 'path' | 'method' | 'basic'>,
    expect: walk('', elsewhere ? { status, elsewhere: demanded } : expect) as Expect,
    caller: basic && {
      ...basic,
      user: walk('login', basic.user) as string,
      password: walk('password', basic.password) as string,
    },
  };
}

/** The variables of a fixture without which the row cannot be played. */
export function wantedBy(row: Scenario): readonly string[] {
  const missing = new Set(placeholdersIn(row).map(variableFor));
  spokenBy(row, replacement({ values: {} }, missing));
  return [...missing];
}

/** What the backend calls the parameters of a row. Throws when it has none of the kind. */
function namesOfParameters({ alternative }: Scenario, { values }: Fixture, platform: string) {
  const variable = parametersVariable(platform);
  const names = pairsIn(values[variable]);
  if (alternative !== undefined && !names.has(alternative)) {
    throw new Unplayable(
      `another form of the request, with ${alternative}: played with ${variable}=${alternative}=${alternative}, or your name for it`,
    );
  }
  return (name: string): string => {
    const theirs = names.get(name) ?? name;
    if (theirs === notServed) throw new Unplayable(`not read there: ${variable} has ${name}=none`);
    return theirs;
  };
}

/** The row as it is to be played on the backend that this fixture is of; or why it cannot be. */
export function recast(row: Scenario, platform: string, fixture: Fixture): Recast {
  const { values } = fixture;
  const { path, method } = row.send;
  const place = values[pathVariable(path)] ?? path;
  if (place === notServed) return { unplayable: `not served there: ${pathVariable(path)} is none` };
  const missing = new Set(
    placeholdersIn(row)
      .filter((name) => fixture.bindings[name] === undefined)
      .map(variableFor),
  );
  const answers = [...pairsIn(values[answersVariable(platform)])];
  const unanswered = new Map(answers.filter(([, theirs]) => theirs === notServed));
  const elsewhere = new Map(answers.filter(([, theirs]) => theirs !== notServed));
  try {
    const nameOf = namesOfParameters(row, fixture, platform);
    // Whose it is, nobody has to know of what is not answered.
    const answered = moveAnswers(row.expect, ['atLeast', 'ifThere'], unanswered);
    const { send, expect, caller } = spokenBy(
      { ...row, expect: answered },
      replacement(fixture, missing),
    );
    const { ifThere } = answered.elsewhere ?? {};
    const optional = ifThere === undefined ? {} : { ifThere: knownOf(ifThere, fixture) };
    const sent = { method, path: place, ...send, ...(caller ? { basic: caller } : {}) };
    const asked = renameParameters(withMethod(sent, fixture, platform), nameOf);
    if (missing.size > 0) return { unplayable: `needs ${[...missing].join(', ')}` };
    return {
      row: {
        ...row,
        send: asked,
        expect: moveAnswers(
          expect.elsewhere
            ? { ...expect, elsewhere: { ...expect.elsewhere, ...optional } }
            : expect,
          ['atLeast', 'ifThere', 'never'],
          elsewhere,
        ),
      },
    };
  } catch (error) {
    if (error instanceof Unplayable) return { unplayable: error.message };
    throw error;
  }
}

/** Why a row or story cannot be played there; undefined: as far as one can tell beforehand, it can. */
export function unplayableThere(
  { kind, played, platform }: Entry,
  fixture: Fixture,
): string | undefined {
  if (kind === 'row') {
    const there = recast(played, platform.id, fixture);
    return 'unplayable' in there ? there.unplayable : undefined;
  }
  if (played.asksNobody) return 'the platform decides it without the backend';
  const missing = played.needs.filter((name) => fixture.bindings[name] === undefined);
  if (missing.length > 0) return `needs ${missing.map(variableFor).join(', ')}`;
  return fixture.withoutStories.get(platform.id);
}

/** The same, but whoever asks for somebody of the cast gets who plays him there, or the story cannot be played. */
export const strictBindings = (bindings: Bindings): Bindings =>
  new Proxy(bindings, {
    get(values, name: string) {
      const value = values[name];
      if (value === undefined && facts.has(name))
        throw new Unplayable(`needs ${variableFor(name)}`);
      return value;
    },
  });
