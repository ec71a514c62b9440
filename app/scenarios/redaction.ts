/**
 * Takes secrets out of whatever a report is made of: by value, in every form in which a value travels, and by the name that
 * stands in front of it. What is left is a marker, `[redacted 43 characters, #a1b2c3d4]`: the same value has the same number
 * within a run, and it is keyed afresh for every run, so that nobody can try guesses on it.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { anything } from './anything.ts';
import { people, understudies } from './cast.ts';
import type { Secret } from './report.ts';

/** Hands back the same value with its secrets replaced. What it meets beneath the name of a secret it knows from then on. */
export type Redaction = <Value>(value: Value) => Value;

/** Shorter ones would be found by chance, in a uid or a word. */
const shortestSecret = 6;

/** The seed's passwords are the logins, which must stay readable as logins. */
const readable = new Set([...people, ...understudies].map(({ login }) => login));

const names = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'apikey',
  'xapikey',
  'code',
  'usercode',
  'codeverifier',
  'credential',
  'credentials',
  'sid',
  'sessionid',
  'pwd',
  'passwd',
  'passphrase',
  'privatekey',
  'csrf',
]);
const lastWord = /(?:token|jwt|secret|password|assertion)$/;

/** Whether what stands behind this name is a secret, however the name is spelt: `auth-token`, `access_token[]`, `idpToken`. */
function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return names.has(plain) || lastWord.test(plain);
}

const marked = /^\[redacted \d+ characters, #[0-9a-f]{8}\]$/;

/** Nothing to hide: a status in `code`, an empty token, what a row leaves open, a marker. */
const isTelling = (value: string) => value.length < 4 || value === anything || marked.test(value);

/** A part of a text that must not be shown. `value`: what it says, decoded. */
type Span = { readonly start: number; readonly end: number; readonly value: string };

const span = (start: number, value: string): Span => ({ start, end: start + value.length, value });

/** A text as it is, or with one kind of escape undone. `from[i]`: where its character i stands in the text that was given. */
type Layer = { readonly text: string; readonly from: Uint32Array | undefined };

type Escape = {
  readonly pattern: RegExp;
  /** What it means, in pieces, with how many characters each takes up in the text. */
  readonly meaning: (escaped: string) => readonly (readonly [meaning: string, length: number])[];
};

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function percentMeaning(run: string): [string, number][] {
  const bytes = Buffer.from(run.replaceAll('%', ''), 'hex');
  const text = utf8.decode(bytes);
  // Not UTF-8: somebody encoded ISO-8859-1.
  if (text.includes('\uFFFD')) return Array.from(bytes.toString('latin1'), (one) => [one, 3]);
  return Array.from(text, (one) => [one, Buffer.byteLength(one) * 3]);
}

const control: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

function backslashMeaning(escaped: string): [string, number][] {
  const [, letter = ''] = escaped;
  const meaning =
    escaped.length === 6
      ? String.fromCharCode(Number.parseInt(escaped.slice(2), 16))
      : (control[letter] ?? letter);
  return [[meaning, escaped.length]];
}

const entity: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function entityMeaning(escaped: string): [string, number][] {
  const name = escaped.slice(1, -1).toLowerCase();
  const point = name.startsWith('#x')
    ? Number.parseInt(name.slice(2), 16)
    : Number.parseInt(name.slice(1), 10);
  const known = entity[name];
  const meaning =
    known ?? (point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : '\uFFFD');
  return [[meaning, escaped.length]];
}

const escapes: readonly Escape[] = [
  { pattern: /(?:%[0-9a-f]{2})+/gi, meaning: percentMeaning },
  { pattern: /\\(?:u[0-9a-f]{4}|[^u])/gis, meaning: backslashMeaning },
  { pattern: /&(?:#\d{1,7}|#x[0-9a-f]{1,6}|amp|lt|gt|quot|apos);/gi, meaning: entityMeaning },
];

function undone({ text, from }: Layer, { pattern, meaning }: Escape): Layer | undefined {
  const pieces: string[] = [];
  const places = new Uint32Array(text.length + 1);
  let size = 0;
  let at = 0;
  const add = (piece: string, start: number, step: number) => {
    pieces.push(piece);
    for (let index = 0; index < piece.length; index++) {
      const place = start + index * step;
      places[size++] = from?.[place] ?? place;
    }
  };
  for (const match of text.matchAll(pattern)) {
    add(text.slice(at, match.index), at, 1);
    at = match.index;
    for (const [piece, length] of meaning(match[0])) {
      add(piece, at, 0);
      at += length;
    }
  }
  if (at === 0) return undefined;
  add(text.slice(at), at, 1);
  places[size] = from?.[text.length] ?? text.length;
  return { text: pieces.join(''), from: places.subarray(0, size + 1) };
}

/** Escapes can be nested, as in a URL within a URL, or JSON in a form. */
const deepest = 2;

/** The text, then the same with its escapes undone, one kind after the other. */
function layersOf(text: string): Layer[] {
  const layers: Layer[] = [];
  const seen = new Set<string>();
  function add(layer: Layer, depth: number): void {
    if (seen.has(layer.text)) return;
    seen.add(layer.text);
    layers.push(layer);
    if (depth === deepest) return;
    for (const kind of escapes) {
      const next = undone(layer, kind);
      if (next) add(next, depth + 1);
    }
  }
  add({ text, from: undefined }, 0);
  return layers;
}

const namesInPairs = /(?<=^|[?&#;\s"'({,<>])([\w.~%[\]-]{1,80})=/g;
const valueInPair = /\[redacted \d+ characters, #[0-9a-f]{8}\]|[^&#;\s"'<>)}\\]*/y;

/** In a query, a fragment, a form. A pair can be in the value of another one. */
function inPairs(text: string): Span[] {
  const spans: Span[] = [];
  let searched = 0;
  for (const { index, 0: whole, 1: name = '' } of text.matchAll(namesInPairs)) {
    if (index < searched || !isSecretName(name)) continue;
    valueInPair.lastIndex = index + whole.length;
    const [value = ''] = valueInPair.exec(text) ?? [];
    spans.push(span(index + whole.length, value));
    searched = index + whole.length + value.length;
  }
  return spans;
}

const keysIn = /"([^"\\]{1,80})"\s*:\s*/g;
const nextInJson =
  /\s*(?:"((?:[^"\\]|\\.)*)(?:"|$)(\s*:)?|(-?\d[\d.eE+-]*)|([[{])|([\]}])|[^\s"\]}])/sy;

/** The scalars of the JSON value that begins at this place, be the JSON whole or cut off. */
function scalarsFrom(text: string, begin: number): Span[] {
  const spans: Span[] = [];
  let depth = 0;
  nextInJson.lastIndex = begin;
  do {
    const match = nextInJson.exec(text);
    if (!match) break;
    const [whole, string, isKey, number, opening, closing] = match;
    if (opening) depth += 1;
    if (closing) depth -= 1;
    if (string !== undefined && !isKey) {
      spans.push(span(match.index + whole.indexOf('"') + 1, string));
    }
    if (number !== undefined) {
      spans.push(span(nextInJson.lastIndex - number.length, number));
    }
  } while (depth > 0);
  return spans;
}

/** In JSON, or in whatever has JSON in it. */
function inJson(text: string): Span[] {
  const spans: Span[] = [];
  let searched = 0;
  for (const { index, 0: whole, 1: name = '' } of text.matchAll(keysIn)) {
    // What is inside of a secret was taken with it.
    if (index < searched || !isSecretName(name)) continue;
    const found = scalarsFrom(text, index + whole.length);
    spans.push(...found);
    searched = found.at(-1)?.end ?? searched;
  }
  return spans;
}

/** The secret part: the scheme of an Authorization, and names and attributes of cookies stay. */
function inHeader(name: string, value: string): Span[] {
  const plain = name.toLowerCase();
  if (plain.endsWith('authorization')) {
    const scheme = /^\s*[a-z][\w-]*\s+/i.exec(value)?.[0].length ?? 0;
    return [span(scheme, value.slice(scheme))];
  }
  if (plain.endsWith('cookie')) {
    const cookies = [...value.matchAll(/(?<=^|;)(\s*[^=;]+=)([^;]*)/g)];
    return (plain === 'cookie' ? cookies : cookies.slice(0, 1)).map(
      ({ index, 1: before = '', 2: cookie = '' }) => span(index + before.length, cookie),
    );
  }
  return isSecretName(name) ? [span(0, value)] : [];
}

const headerLines =
  /^[<>\s]*((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|[\w-]+-token)[ \t]*:[ \t]*([^\r\n]+)$/gim;

const moved = (spans: readonly Span[], by: number): Span[] =>
  spans.map(({ start, end, value }) => ({ start: start + by, end: end + by, value }));

/** In the lines of a request or an answer that somebody printed. */
const inHeaderLines = (text: string): Span[] =>
  [...text.matchAll(headerLines)].flatMap(({ index, 0: line, 1: name = '', 2: value = '' }) =>
    moved(inHeader(name, value), index + line.length - value.length),
  );

const passwordsInUrls = /(?<=:\/\/[^/\s:@]{0,100}:)[^/\s@]{1,200}(?=@)/g;
const jwts = /(?<![\w-])eyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g;
const credentials = /(?<=\b(?:basic|bearer) )[\w+/.~-]{8,}=*/gi;
/** No word: `Basic authentication`, `Bearer credentials` are not meant. */
const isRandom = (text: string) => /\d|.[A-Z]|.{24}/.test(text);

/** What looks like nothing else. */
const byShape = (text: string): Span[] =>
  [
    ...text.matchAll(jwts),
    ...[...text.matchAll(credentials)].filter(
      ({ index, 0: found }) => isRandom(found) && text[index + found.length] !== '"',
    ),
  ].map(({ index, 0: found }) => span(index, found));

const byName = (text: string): Span[] => [
  ...(text.includes('=') ? inPairs(text) : []),
  ...(text.includes('"') ? inJson(text) : []),
  ...(text.includes(':') ? inHeaderLines(text) : []),
  ...[...text.matchAll(passwordsInUrls)].map(({ index, 0: found }) => span(index, found)),
  ...byShape(text),
];

/**
 * Base64 that is the same whatever stands before and after, as in `Authorization: Basic`, where the secret is the second half.
 * There are three ways for it to fall on groups of three bytes.
 */
const inBase64 = (bytes: Buffer): string[] =>
  [0, 1, 2].map((shift) => {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
    return shifted
      .toString('base64')
      .slice(Math.ceil((shift * 4) / 3), Math.floor((shifted.length * 4) / 3));
  });

type Needles = { readonly plain: readonly string[]; readonly base64: readonly string[] };

function needlesOf(value: string): Needles {
  const base64 = [Buffer.from(value), Buffer.from(value, 'latin1')].flatMap(inBase64);
  return {
    plain: [...new Set([value, value.replaceAll(' ', '+')])],
    base64: [
      ...new Set(base64.flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')])),
    ],
  };
}

function* occurrences(text: string, needle: string): Generator<number> {
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) yield at;
}

const base64Character = /[\w+/-]/;

/** All of the Base64 that these characters are in the middle of. */
function wholeBase64(text: string, at: number, length: number): Span {
  let start = at;
  let end = at + length;
  while (start > 0 && base64Character.test(text.charAt(start - 1))) start -= 1;
  while (base64Character.test(text.charAt(end))) end += 1;
  while (text.charAt(end) === '=') end += 1;
  return { start, end, value: text.slice(start, end) };
}

function byValue(text: string, known: ReadonlyMap<string, Needles>): Span[] {
  const spans: Span[] = [];
  for (const [value, { plain, base64 }] of known) {
    for (const needle of plain) {
      for (const at of occurrences(text, needle)) {
        spans.push({ start: at, end: at + needle.length, value });
      }
    }
    for (const needle of base64) {
      let searched = 0;
      for (const at of occurrences(text, needle)) {
        if (at < searched) continue;
        const found = wholeBase64(text, at, needle.length);
        searched = found.end;
        spans.push(found);
      }
    }
  }
  return spans;
}

/** In the text that was given. */
const placed = ({ from }: Layer, spans: readonly Span[]): Span[] =>
  spans.map(({ start, end, value }) => ({
    start: from?.[start] ?? start,
    end: from?.[end] ?? end,
    value,
  }));

/** Those that overlap as one. Of two in the same place the later one knows better what it says. */
function merged(text: string, spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const one of spans.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const last = result.at(-1);
    if (!last || one.start >= last.end) {
      result.push(one);
      continue;
    }
    const { start } = last;
    const end = Math.max(last.end, one.end);
    const whole = one.start === start && one.end === end ? one : last;
    const value = whole.end === end ? whole.value : text.slice(start, end);
    result[result.length - 1] = { start, end, value };
  }
  return result;
}

const isToken = (value: string) => /^(?=.*\d)(?=.*[a-z])\S{16,}$/i.test(value);
const parts = (value: string) =>
  /^[\w-]+\.[\w-]+\.[\w-]*$/.test(value) ? value.split('.').filter(isToken) : [];

type Entry = readonly [name: string, value: string];
const isEntry = (value: unknown): value is Entry =>
  Array.isArray(value) && value.length === 2 && value.every((one) => typeof one === 'string');

const lastName = (where: string) => where.split(/[ .]/).at(-1) ?? '';

export function createRedaction(secrets: readonly Secret[]): Redaction {
  const key = randomBytes(32);
  const known = new Map<string, Needles>();

  function learn(value: string): void {
    if (value.length < shortestSecret || readable.has(value)) return;
    for (const one of [value, ...parts(value)]) {
      if (!known.has(one)) known.set(one, needlesOf(one));
    }
  }
  for (const { value } of secrets) learn(value);

  function marker(value: string): string {
    const number = createHmac('sha256', key).update(value).digest('hex').slice(0, 8);
    return `[redacted ${Array.from(value).length} characters, #${number}]`;
  }

  const without = (text: string, spans: readonly Span[]): string => {
    let at = 0;
    let result = '';
    for (const { start, end, value } of merged(text, spans)) {
      result += text.slice(at, start) + marker(value);
      at = end;
    }
    return result + text.slice(at);
  };

  const named = (spans: readonly Span[]) => spans.filter(({ value }) => !isTelling(value));

  type Finding = (text: string) => readonly Span[];
  const nothing: Finding = () => [];

  function spansOf(text: string, find: Finding): Span[] {
    const layers = layersOf(text);
    const names = layers.flatMap((layer) => placed(layer, named(find(layer.text))));
    return [...names, ...layers.flatMap((layer) => placed(layer, byValue(layer.text, known)))];
  }

  const text: Transform = (value, find) => without(value, spansOf(value, find));

  /** Changes nothing, but remembers what it meets. */
  const learning: Transform = (value, find) => {
    for (const layer of layersOf(value)) {
      for (const found of named(find(layer.text))) if (isToken(found.value)) learn(found.value);
    }
    return value;
  };

  /** What to do with one string, where secrets are found by `find`. */
  type Transform = (value: string, find: Finding) => string;

  const whole: Finding = (value) => [span(0, value)];
  const inEntry =
    (name: string): Finding =>
    (value) => [...inHeader(name, value), ...byName(value)];

  function walk(value: unknown, transform: Transform, find: Finding = byName): unknown {
    if (typeof value === 'string') return transform(value, find);
    if (typeof value === 'number' && find === whole) {
      const shown = transform(String(value), whole);
      return shown === String(value) ? value : shown;
    }
    if (Array.isArray(value)) return value.map((one) => walk(one, transform, find));
    if (value === null || typeof value !== 'object' || value instanceof Date) return value;
    const entries = Object.entries(value);
    const where = 'where' in value && typeof value.where === 'string' ? lastName(value.where) : '';
    return Object.fromEntries(
      entries.map(([name, one]) => [transform(name, nothing), property(name, one, where)]),
    );

    function property(name: string, one: unknown, place: string): unknown {
      if (name === 'headers') return headers(one, transform);
      // A line that is to run: the passwords that the tables print are in it, and variables for the others.
      if (name === 'curl') return walk(one, transform, byShape);
      const isSecret =
        isSecretName(name) || (/^(?:expected|actual)$/.test(name) && isSecretName(place));
      return walk(one, transform, isSecret ? whole : find);
    }
  }

  /** As pairs, or as an object. */
  function headers(value: unknown, transform: Transform): unknown {
    const entry = ([name, one]: Entry): Entry => [
      transform(name, nothing),
      transform(one, inEntry(name)),
    ];
    if (Array.isArray(value)) {
      return value.map((one) => (isEntry(one) ? entry(one) : walk(one, transform)));
    }
    if (value === null || typeof value !== 'object') return walk(value, transform);
    const entries = Object.entries(value);
    return entries.every(isEntry)
      ? Object.fromEntries(entries.map(entry))
      : walk(entries, transform);
  }

  return <Value>(value: Value): Value => {
    walk(value, learning);
    return walk(value, text) as Value;
  };
}
