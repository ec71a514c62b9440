/** A call as the pages show it. */
import { STATUS_CODES } from 'node:http';
import { parse, stringify } from 'lossless-json';
import type { Body, Call } from './calls.ts';
import { faultText } from './chaos.ts';
import { type Headers, type Hidden, splitAtPlaceholders } from './redaction.ts';
import { outcomeClass, outcomeIcon, outcomeLabel, why } from './why.ts';

/** A piece of text, or what stands for a secret. */
export type Part = { readonly text: string } | { readonly hidden: Hidden };

/** What looks like a placeholder, but is none of this call, is text: somebody sent it. */
export function partsOf(text: string, hidden: readonly Hidden[]): Part[] {
  const known = new Map(hidden.map((one) => [one.placeholder, one]));
  return splitAtPlaceholders(text)
    .filter((piece) => piece !== '')
    .map((piece) => {
      const found = known.get(piece);
      return found ? { hidden: found } : { text: piece };
    });
}

/** JSON with line breaks, its numbers untouched; undefined for what is none, or would look the same. */
function indented(text: string): string | undefined {
  try {
    const pretty = stringify(parse(text), undefined, 2);
    return pretty === text ? undefined : pretty;
  } catch {
    return undefined;
  }
}

export const headerText = (headers: Headers) =>
  headers.map(([name, value]) => `${name}: ${value}`).join('\n');

const time = (at: Date) => at.toLocaleTimeString('en-GB');

/** What a row needs. */
export function shownRow(call: Call) {
  const {
    id,
    at,
    platform,
    request,
    response,
    ms,
    outcome,
    user,
    hidden,
    chaos,
    played,
    replayOf,
  } = call;
  return {
    id,
    at: at.toISOString(),
    time: time(at),
    platform: platform.title,
    method: request.method,
    url: partsOf(request.url, hidden),
    status: response.status,
    ms: ms < 10 ? ms.toFixed(1) : ms.toFixed(0),
    outcome,
    label: outcomeLabel(call),
    icon: outcomeIcon[outcome],
    tone: outcomeClass[outcome],
    user,
    chaos: chaos !== undefined,
    played,
    replayOf,
  };
}

export function shownBody({ text, bytes, truncated, lossy }: Body, hidden: readonly Hidden[]) {
  const pretty = truncated ? undefined : indented(text);
  return {
    bytes,
    truncated,
    lossy,
    parts: partsOf(pretty ?? text, hidden),
    raw: pretty === undefined ? undefined : partsOf(text, hidden),
  };
}

/** What its own page needs. */
export function shownCall(call: Call) {
  const { request, response, hidden, chaos } = call;
  return {
    ...shownRow(call),
    requestId: call.requestId,
    address: call.address,
    why: why(call),
    aborted: call.aborted,
    meddled: chaos === undefined ? undefined : faultText(chaos),
    request: {
      line: partsOf(`${request.method} ${request.url} HTTP/1.1`, hidden),
      headers: partsOf(headerText(request.headers), hidden),
      body: shownBody(request.body, hidden),
    },
    response: {
      line: `${response.status} ${STATUS_CODES[response.status] ?? ''}`.trim(),
      headers: partsOf(headerText(response.headers), hidden),
      body: shownBody(response.body, hidden),
    },
    hidden,
    curl: curlOf(call),
  };
}

/** Said by whoever sends it, and not worth repeating; or true of that one connection only. */
const ofTheConnection =
  /^(host|connection|content-length|transfer-encoding|content-encoding|accept-encoding|expect|upgrade|keep-alive|te|trailer|proxy-.*|x-request-id)$/i;

/** The headers that a repetition has as well. */
export const ownHeaders = (headers: Headers): Headers =>
  headers.filter(([name]) => !ofTheConnection.test(name));

const variable = ({ placeholder }: Hidden) => `SECRET_${/\d+/.exec(placeholder)?.[0]}`;

/** As a word of a POSIX shell: secrets are variables to be filled in. */
const shellWord = (text: string, hidden: readonly Hidden[]): string =>
  partsOf(text, hidden)
    .map((part) =>
      'hidden' in part ? `"$${variable(part.hidden)}"` : `'${part.text.replaceAll("'", "'\\''")}'`,
    )
    .join('');

/** The call as a command; `$BASE_URL` is this server, as is `$SECRET_1` … what is not shown. */
export function curlOf(
  { request, hidden }: Pick<Call, 'request' | 'hidden'>,
  origin = '"$BASE_URL"',
): string {
  const { method, url, headers, body } = request;
  const word = (text: string) => shellWord(text, hidden);
  return [
    `curl -i${method === 'GET' ? '' : method === 'HEAD' ? ' -I' : ` -X ${method}`} ${origin}${word(url)}`,
    ...ownHeaders(headers).map(([name, value]) => `-H ${word(`${name}: ${value}`)}`),
    ...(body.text === '' ? [] : [`--data-binary ${word(body.text)}`]),
  ].join(' \\\n  ');
}
