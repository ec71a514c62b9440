/**
 * A request as a line for a shell (bash, zsh, sh): it sends the same, once the variables of the secrets are exported. What curl
 * would add by itself is switched off.
 */
import type { Outgoing } from './call.ts';
import type { Secret } from './report.ts';

/** Text, or a variable that has it. */
type Part = { readonly text: string } | { readonly variable: string };

const isVariable = (part: Part): part is { readonly variable: string } => 'variable' in part;

type Form = (value: string) => string;
const asItIs: Form = (value) => value;
const inForm: Form = (value) => new URLSearchParams([['', value]]).toString().slice(1);

/** Taken apart where one of the secrets stands in it, in this form. The longest first: one can be in another. */
function partsOf(text: string, secrets: readonly Secret[], form: Form = asItIs): Part[] {
  const [secret, ...rest] = secrets.toSorted((a, b) => b.value.length - a.value.length);
  if (!secret) return text === '' ? [] : [{ text }];
  return text
    .split(form(secret.value))
    .flatMap((piece, index) => [
      ...(index === 0 ? [] : [{ variable: secret.variable }]),
      ...partsOf(piece, rest, form),
    ]);
}

const single = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** Where nothing has a meaning of its own between double quotes. */
const isPlain = (text: string) => /^[\w :./?=&%@,+#;()[\]{}<>*~|-]*$/.test(text);

function quoted(parts: readonly Part[]): string {
  if (!parts.some(isVariable))
    return single(parts.map((part) => ('text' in part ? part.text : '')).join(''));
  if (parts.every((part) => isVariable(part) || isPlain(part.text))) {
    const inside = parts.map((part, index) => {
      if (!isVariable(part)) return part.text;
      const next = parts[index + 1];
      const runsOn = next && !isVariable(next) && /^\w/.test(next.text);
      return runsOn ? `\${${part.variable}}` : `$${part.variable}`;
    });
    return `"${inside.join('')}"`;
  }
  return parts
    .map((part) => (isVariable(part) ? `"$${part.variable}"` : single(part.text)))
    .join('');
}

type Pair = { readonly parts: readonly Part[]; readonly encodedBy: 'us' | 'curl' };

/** `name=value&…`. A pair with a secret that has to be encoded is left to curl, which can. */
const pairsOf = (text: string, secrets: readonly Secret[]): Pair[] =>
  text.split('&').map((pair) => {
    const mustBeEncoded = secrets.some(
      ({ value }) => inForm(value) !== value && pair.includes(inForm(value)),
    );
    if (!mustBeEncoded) return { parts: partsOf(pair, secrets), encodedBy: 'us' };
    const [[name, value] = ['', '']] = new URLSearchParams(pair);
    return { parts: [{ text: `${inForm(name)}=` }, ...partsOf(value, secrets)], encodedBy: 'curl' };
  });

const joined = (pairs: readonly Pair[]): Part[] =>
  pairs.flatMap(({ parts }, index) => [...(index === 0 ? [] : [{ text: '&' }]), ...parts]);

function urlArguments(url: string, secrets: readonly Secret[]): string[] {
  const [path = '', query] = url.split(/\?(.*)/s, 2);
  const pairs = query === undefined ? [] : pairsOf(query, secrets);
  const ours = pairs.filter(({ encodedBy }) => encodedBy === 'us');
  const whole = [
    ...partsOf(path, secrets),
    ...(ours.length > 0 ? [{ text: '?' }] : []),
    ...joined(ours),
  ];
  return [
    ...pairs
      .filter(({ encodedBy }) => encodedBy === 'curl')
      .map(({ parts }) => `--url-query ${quoted(parts)}`),
    quoted(whole),
  ];
}

function bodyArguments(body: string, isForm: boolean, secrets: readonly Secret[]): string[] {
  const pairs = isForm ? pairsOf(body, secrets) : [];
  if (pairs.every(({ encodedBy }) => encodedBy === 'us')) {
    return [`--data-raw ${quoted(partsOf(body, secrets))}`];
  }
  return pairs.map(({ parts, encodedBy }) =>
    encodedBy === 'us' ? `--data-raw ${quoted(parts)}` : `--data-urlencode ${quoted(parts)}`,
  );
}

/** The user and password in an Authorization, when they can be said in text; curl asks when there is no colon. */
function pairIn(authorization: string): { scheme: string; pair: string } | undefined {
  const [, scheme = '', encoded = ''] = /^(\w+) +(\S+)$/.exec(authorization) ?? [];
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const isSame = Buffer.from(pair).toString('base64') === encoded;
  return isSame && pair.includes(':') ? { scheme, pair } : undefined;
}

function authorizationArgument(name: string, value: string, secrets: readonly Secret[]): string {
  const found = pairIn(value);
  if (!found) return `-H ${quoted(partsOf(`${name}: ${value}`, secrets))}`;
  const pair = quoted(partsOf(found.pair, secrets));
  // curl itself spells it so, and no other scheme.
  if (found.scheme === 'Basic') return `-u ${pair}`;
  return `-H "${name}: ${found.scheme} $(printf %s ${pair} | base64 | tr -d '\\n')"`;
}

function headerArgument(name: string, value: string, secrets: readonly Secret[]): string {
  if (name.toLowerCase() === 'authorization') return authorizationArgument(name, value, secrets);
  // An empty one is only sent when it ends in a semicolon.
  if (value === '') return `-H ${single(`${name};`)}`;
  return `-H ${quoted(partsOf(`${name}: ${value}`, secrets))}`;
}

/** Headers that curl adds when they are not said. */
const added = (hasBody: boolean) => ['Accept', 'User-Agent', ...(hasBody ? ['Content-Type'] : [])];

const usualMethod = (hasBody: boolean) => (hasBody ? 'POST' : 'GET');

/** The variables are those of the secrets; `-i` shows status and headers. */
export function curlOf(
  { method, url, headers, body }: Outgoing,
  secrets: readonly Secret[],
): string {
  const hasBody = body !== undefined;
  const said = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const isForm = said.get('content-type')?.startsWith('application/x-www-form-urlencoded') ?? false;
  const isHead = method === 'HEAD' && !hasBody;
  return [
    `curl -sS ${isHead ? '-I' : '-i'}`,
    ...(isHead || method === usualMethod(hasBody) ? [] : [`-X ${single(method)}`]),
    ...(/[[\]{}]/.test(url) ? ['--globoff'] : []),
    ...Object.entries(headers)
      .filter(([name, value]) => !(name.toLowerCase() === 'host' && value === new URL(url).host))
      .map(([name, value]) => headerArgument(name, value, secrets)),
    ...added(hasBody)
      .filter((name) => !said.has(name.toLowerCase()))
      .map((name) => `-H '${name}:'`),
    ...(hasBody ? bodyArguments(body, isForm, secrets) : []),
    ...urlArguments(url, secrets),
  ].join(' ');
}
