/**
 * Takes secrets out of what was sent, when it is captured: nothing downstream can show what it never had. By name (of a
 * parameter, member, element, header), by shape (a token looks like one wherever it stands), and by value (what was found
 * once is taken out everywhere). A secret is replaced by a placeholder, of the very characters it was sent as: putting it back is
 * putting text back, whatever the syntax around it.
 */
import { createHmac, randomBytes } from 'node:crypto';

export type Headers = readonly (readonly [name: string, value: string])[];

/** One exchange: every text in it that came from outside, or went there. */
export type Wire = {
  /** Path and query. */
  readonly url: string;
  readonly requestHeaders: Headers;
  readonly requestBody: string;
  readonly responseHeaders: Headers;
  readonly responseBody: string;
};

/**
 * What may be known of a secret. Of a short one, and of a text with one in it, nothing: who may make calls, and see them here,
 * would find out passwords by trying until the marks are the same.
 */
export type Hidden = {
  readonly placeholder: string;
  readonly characters?: number;
  /** The same for the same value, as long as the process lives, and of no use to find it. */
  readonly mark?: string;
  /** It stands for a text with more secrets than are kept: there is nothing to be put back. */
  readonly cut?: true;
};

export type Redacted = {
  readonly wire: Wire;
  readonly hidden: readonly Hidden[];
  /** By placeholder, as they were sent. Never to be shown, stored or sent but to where they came from. */
  readonly secrets: ReadonlyMap<string, string>;
};

export type RedactOptions = {
  /** Names of parameters that carry a token here, besides those that everybody gives them. */
  readonly names?: readonly string[];
  /** Values that are secrets, whatever they look like and wherever they stand. */
  readonly values?: readonly string[];
};

/** Splits a text at its placeholders: those are at the odd places. */
export const splitAtPlaceholders = (text: string): string[] => text.split(/(«secret \d+»)/);

const key = randomBytes(32);
const markOf = (value: string) => createHmac('sha256', key).update(value).digest('hex').slice(0, 6);

/** Of tokens, and of what is drawn at random; passwords are shorter. */
const shortestMarked = 20;

const secretName =
  /token|jwt|passw|passphrase|passcode|passkey|pwd|secret|authorization|cookie|assertion|credential|verifier|signature|hmac|csrf|apikey|accesskey|privatekey|sess(ion|id)|ticket|(user|device|auth|onetime)code|otp$|^saml|^x(auth|access)|^(code|pin|pass|pw|mfa|auth|key|sid|sig|bearer)$/;

/** Says what kind of token it is, or when it ends; names a service (Authlete); counts sessions (Pango). */
const harmlessName = /tokentype|expires|^serviceapikey$|^activesessions$/;

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** JWTs; and what is longer than a word can be, as the tokens of this house are. */
const tokenShape = /eyJ[\w-]*\.[\w-]+(\.[\w-]*)*|[\w-]{32,}={0,2}/g;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const publicKey = /(-----BEGIN PUBLIC KEY-----[\w+/=\s\\]{1,4096}-----END PUBLIC KEY-----)/;

/** What a list of names and values calls the names. */
const namingName = /^(name|key|field|param|parameter|property|attribute|header|label|id|n|k)$/;

/** A name and what it is given, as most syntaxes have it. Not what is hidden already. */
const assignment = /(?<![\w.[\]-])([\w.[\]-]+)["']?\]?\s*[:=]\s*(?!«secret \d+»)\S/g;

/** The last of more: then the whole text is hidden. Nobody means so many, and each costs time and memory. */
const mostSecrets = 128;

/** Shorter ones are only taken out where a name gives them away: they would be found by chance, in a word or a uid. */
const shortestByValue = 8;

/** Each is looked for in every spelling, everywhere. */
const mostByValue = 64;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

function unescaped(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}

/** With what escapes letters read: what else is wrong with the text is no matter. */
const readable = (text: string) =>
  text
    .replace(/(?:%|\\x|\\u00|&#x)([0-7][0-9a-f]);?/gi, (_all, hex) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    .replace(/&#(\d{2,3});?/g, (_all, digits) => String.fromCharCode(Number(digits)));

/** Every spelling in which this value may be met again. */
const spellings = (raw: string) => {
  const values = [raw, decoded(raw), unescaped(raw)];
  return [
    ...values,
    ...values.map((value) => encodeURIComponent(value.toWellFormed())),
    ...values.map((value) => JSON.stringify(value).slice(1, -1)),
  ];
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text.trim());
    return true;
  } catch {
    return false;
  }
}

/** As programs write one: nothing in it could be read in two ways. */
const isForm = (text: string) =>
  /^[^\s"'<>{}]*$/.test(text) && text.split('&').every((pair) => pair === '' || pair.includes('='));

export function redact(wire: Wire, { names = [], values = [] }: RedactOptions = {}): Redacted {
  const own = new Set(names.map(plain));
  const placeholders = new Map<string, string>();

  /** Where one is hidden with what stands around it. */
  const mixed = new Set<string>();
  /** Stands for every text that has too many. */
  let cut: string | undefined;
  const nextPlaceholder = () => `«secret ${placeholders.size + (cut === undefined ? 1 : 2)}»`;

  const isSecretName = (name: string) => {
    const one = plain(name);
    return own.has(one) || (secretName.test(one) && !harmlessName.test(one));
  };

  /** Also `user[pin]` and `user.pin`. */
  const isSecret = (name: string) =>
    isSecretName(name) || (/[[.]/.test(name) && name.split(/[[\].]+/).some(isSecretName));

  /** Whether a secret's name is anywhere in it. */
  const mentions = (text: string) =>
    [...new Set(readable(text).split(/[^\w.[\]-]+/))].some(isSecret);

  /** Whether it is an address, a form, JSON or the like of its own, with a secret in it. */
  const conceals = (value: string) =>
    (/^\s*[[{"<]/.test(value) && mentions(value)) ||
    [...value.matchAll(assignment)].some(([, name = '']) => isSecret(name));

  /** What stands for it from now on. */
  function hide(raw: string): string {
    if (raw === '') return raw;
    const known = placeholders.get(raw);
    if (known !== undefined) return known;
    const placeholder = nextPlaceholder();
    placeholders.set(raw, placeholder);
    return placeholder;
  }

  /** Where it is not secret as a whole. */
  function hideAll(raw: string): string {
    mixed.add(raw);
    return hide(raw);
  }

  /** As it is changed; or all of it cut, when there are too many secrets in it. */
  function bounded(text: string, change: (text: string) => string): string {
    const before = placeholders.size;
    const changed = change(text);
    if (placeholders.size <= mostSecrets) return changed;
    for (const raw of [...placeholders.keys()].slice(before)) placeholders.delete(raw);
    cut ??= nextPlaceholder();
    return cut;
  }

  const byShape = (text: string): string =>
    text
      .split(publicKey)
      .map((part, index) =>
        index % 2 === 1
          ? part
          : part.replace(tokenShape, (found) => (uuid.test(found) ? found : hide(found))),
      )
      .join('');

  /** A query, or a form. */
  const parameters = (text: string): string =>
    text
      .split('&')
      .map((pair) => {
        const equals = pair.indexOf('=');
        if (equals === -1) return conceals(decoded(pair)) ? hideAll(pair) : pair;
        const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
        if (isSecret(decoded(name))) return `${name}=${hide(value)}`;
        return `${name}=${conceals(decoded(value)) ? hideAll(value) : value}`;
      })
      .join('&');

  function url(text: string): string {
    const [, path = '', query, fragment] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text) ?? [];
    return [
      conceals(decoded(path))
        ? hideAll(path)
        : path.replace(/\/\/[^/@]*@/, (userinfo) => `//${hide(userinfo.slice(2, -1))}@`),
      query === undefined ? '' : `?${parameters(query)}`,
      fragment === undefined ? '' : `#${parameters(fragment)}`,
    ].join('');
  }

  /** Places of the brackets around a name and its value: `{"name":"pin","value":1}`, `[["pin",1]]`. */
  function namingBrackets(tokens: readonly RegExpMatchArray[]): Set<number> {
    const found = new Set<number>();
    const open: { readonly at: number; readonly first: number }[] = [];
    let name: string | undefined;
    for (const [place, [, string, colon, mark]] of tokens.entries()) {
      const inner = open.at(-1);
      if (mark === '{' || mark === '[') {
        const inMember = name !== undefined;
        open.push({ at: place, first: mark === '[' && !inMember ? place + 1 : -1 });
      }
      if (mark === '}' || mark === ']') open.pop();
      if (mark !== undefined) name = undefined;
      if (string === undefined) continue;
      const content = unescaped(string.slice(1, -1));
      if (colon !== undefined) name = content;
      else if (inner && (inner.first === place || namingName.test(plain(name ?? '')))) {
        if (isSecret(content)) found.add(inner.at);
      }
    }
    return found;
  }

  /** JSON: what follows a secret name is hidden, all of it. */
  function json(text: string): string {
    const token = /("(?:[^"\\]|\\.)*")(\s*:)?|([{}[\],])|([^\s{}[\],:"]+)/gs;
    const naming = namingBrackets([...text.matchAll(token)]);
    let name: string | undefined;
    let place = -1;
    /** For each open bracket, whether everything in it is secret. */
    const within: boolean[] = [];
    return text.replace(
      token,
      (all, string: string | undefined, colon: string | undefined, mark, word) => {
        place += 1;
        if (string !== undefined && colon !== undefined) {
          name = unescaped(string.slice(1, -1));
          return all;
        }
        const secret = within.at(-1) === true || (name !== undefined && isSecret(name));
        if (mark === '{' || mark === '[') within.push(secret || naming.has(place));
        if (mark === '}' || mark === ']') within.pop();
        if (mark !== undefined) {
          name = undefined;
          return all;
        }
        if (word !== undefined) return !secret || word === 'null' ? all : hide(word);
        const content = all.slice(1, -1);
        if (secret) return `"${hide(content)}"`;
        return conceals(unescaped(content)) ? `"${hideAll(content)}"` : all;
      },
    );
  }

  const xml = (text: string): string =>
    text
      .replace(
        /(<(?:\w{1,32}:)?([\w.-]{1,64})(?:\s[^<>]*)?>)([^<]+)(?=<\/)/g,
        (all, tag, name, content) => (isSecret(name) ? `${tag}${hide(content)}` : all),
      )
      .replace(/<input\b[^<>]*>/gi, (tag) =>
        isSecret(/\bname="([^"]*)"/i.exec(tag)?.[1] ?? '')
          ? tag.replace(/(\bvalue=")([^"]*)/i, (_all, before, value) => `${before}${hide(value)}`)
          : tag,
      );

  /** What nobody understands is hidden as a whole when a secret's name is in it. */
  function body(text: string): string {
    if (isJson(text)) return json(text);
    if (isForm(text)) return parameters(text);
    const besidesKeys = text.split(publicKey).filter((_part, index) => index % 2 === 0);
    return besidesKeys.some(mentions) ? hideAll(text) : text;
  }

  /** Pages are ours, or a simulator's: known well enough to be shown in part. */
  const answer = (text: string) => (text.trimStart().startsWith('<') ? xml(text) : body(text));

  function header(name: string, value: string): string {
    if (name.toLowerCase() === 'authorization') {
      const [, scheme = '', rest = ''] = /^(\s*[A-Za-z]+ +)?(.*)$/s.exec(value) ?? [];
      // Basic has a password in it.
      return scheme + (/bearer/i.test(scheme) ? hide(rest) : hideAll(rest));
    }
    if (isSecret(name)) return hide(value);
    const shown = /^([\w.+-]+:|\/)/.test(value) ? url(value) : value;
    return conceals(shown) ? hideAll(value) : shown;
  }

  /** @param change what is known of each by its place */
  function each(
    from: Wire,
    change: Readonly<Record<'url' | 'request' | 'response', (text: string) => string>> & {
      readonly header: (value: string, name: string) => string;
    },
  ): Wire {
    const headers = (all: Headers): Headers =>
      all.map(([name, value]) => [name, bounded(value, (text) => change.header(text, name))]);
    return {
      url: bounded(from.url, change.url),
      requestHeaders: headers(from.requestHeaders),
      requestBody: bounded(from.requestBody, change.request),
      responseHeaders: headers(from.responseHeaders),
      responseBody: bounded(from.responseBody, change.response),
    };
  }

  const shaped = each(wire, {
    url: (text) => byShape(url(text)),
    header: (text, name) => byShape(header(name, text)),
    request: (text) => byShape(body(text)),
    response: (text) => byShape(answer(text)),
  });

  const found = [
    ...[...placeholders.keys()]
      .filter((raw) => raw.length >= shortestByValue)
      .slice(0, mostByValue),
    ...values.filter((value) => value !== '').slice(0, mostSecrets),
  ];
  const forms = new Map<string, string>();
  for (const raw of found) {
    for (const form of spellings(raw)) if (!forms.has(form)) forms.set(form, raw);
  }
  const longestFirst = [...forms.keys()].toSorted((a, b) => b.length - a.length);

  const byValue = (text: string): string =>
    longestFirst.reduce(
      (left, form) =>
        left.includes(form)
          ? splitAtPlaceholders(left)
              .map((part, index) =>
                index % 2 === 1 ? part : part.replaceAll(form, () => hide(form)),
              )
              .join('')
          : left,
      text,
    );

  const clean = each(shaped, {
    url: byValue,
    header: byValue,
    request: byValue,
    response: byValue,
  });
  const entries = [...placeholders];
  const told = (raw: string) => {
    const value = decoded(raw);
    return mixed.has(raw) || value.length < shortestMarked
      ? {}
      : { characters: value.length, mark: markOf(value) };
  };
  return {
    wire: clean,
    hidden: [
      ...entries.map(([raw, placeholder]) => ({ placeholder, ...told(raw) })),
      ...(cut === undefined ? [] : [{ placeholder: cut, cut: true } as const]),
    ],
    secrets: new Map(entries.map(([raw, placeholder]) => [placeholder, raw])),
  };
}
