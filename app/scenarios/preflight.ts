/** The first look at a backend: whether anybody is there, before a hundred rows say so. */
import { setTimeout as pause } from 'node:timers/promises';
import { CallError, type CallOptions, call, headerOf, type Reply } from './call.ts';
import { isObject, jsonIn, text } from './json.ts';
import type { Preflight } from './report.ts';

/** Nobody is there, or it cannot be talked to: exit code 3. */
export class PreflightError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PreflightError';
  }
}

type Kind = Exclude<CallError['kind'], 'interrupted'>;

const advice: Readonly<Record<Kind, string>> = {
  unreachable: 'Is the backend running, and the port right? --wait 30 gives it time to start.',
  'not-found': 'Is the host spelt right?',
  tls: 'Does it speak TLS there, 1.2 or later?',
  timeout: '--timeout allows more; --wait 30 gives it time to start.',
  'too-large': 'Is this the backend?',
  broken: 'Is it https instead of http, or the other way round?',
};

/** By the code of the TLS error. */
const tlsAdvice: readonly (readonly [code: RegExp, advice: string])[] = [
  [
    /ALTNAME_INVALID$/,
    'Its certificate is of another name: is the host spelt as in the certificate?',
  ],
  [/^CERT_HAS_EXPIRED$/, 'Its certificate has expired.'],
  [
    /^CERT_NOT_YET_VALID$/,
    'Its certificate is not valid yet: is it a new one, or the clock of this machine slow?',
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY|GET)/,
    'Its certificate is signed by nobody who is trusted here: --ca FILE trusts those in the file, too. Or does it not send the whole chain?',
  ],
];

const codeOf = ({ cause }: CallError) => String((cause as NodeJS.ErrnoException | undefined)?.code);

/** A gateway that says so when the backend behind it is away. */
const awayStatuses = [502, 503, 504];

const health = (url: string) => ({ method: 'GET', url: `${url}/healthz`, headers: {} });

/** Whether somebody speaks HTTP where TLS was tried. */
async function speaksPlainly(url: string, options: CallOptions): Promise<boolean> {
  try {
    await call(health(url), options);
    return true;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return false;
  }
}

async function adviceOn(kind: Kind, code: string, url: string, options: CallOptions) {
  const known = kind === 'tls' && tlsAdvice.find(([pattern]) => pattern.test(code));
  if (known) return known[1];
  const plain = url.replace(/^https:/, 'http:');
  const isPlain = plain !== url && ['tls', 'broken'].includes(kind);
  return isPlain && (await speaksPlainly(plain, options))
    ? `It speaks HTTP without TLS there: --target ${plain}`
    : advice[kind];
}

async function look(url: string, options: CallOptions): Promise<Reply> {
  try {
    const reply = await call(health(url), options);
    if (!awayStatuses.includes(reply.status)) return reply;
    throw new PreflightError(
      `${url} answers ${reply.status}: a gateway is there, the backend behind it is not.`,
    );
  } catch (error) {
    if (!(error instanceof CallError) || error.kind === 'interrupted') throw error;
    const said = await adviceOn(error.kind, codeOf(error), url, options);
    throw new PreflightError(`${error.message} ${said}`);
  }
}

/** By the Date header (RFC 9110 §6.6.1), which knows seconds. */
function skewOf(reply: Reply): number | undefined {
  const date = Date.parse(headerOf(reply, 'date') ?? '');
  if (Number.isNaN(date)) return undefined;
  const difference = (date - (Date.now() - reply.ms / 2)) / 1000;
  return Math.abs(difference) < 2 ? 0 : Math.round(difference);
}

/**
 * @param wait for how long to try again while nobody is there, in ms
 * @throws {PreflightError}; what else is thrown once `options.signal` is aborted means nothing
 */
export async function preflight(
  url: string,
  wait: number,
  options: CallOptions,
): Promise<Preflight> {
  const { signal } = options;
  const until = Date.now() + wait;
  for (;;) {
    try {
      const reply = await look(url, options);
      const said = jsonIn(reply.text);
      return {
        url,
        tls: url.startsWith('https:'),
        version: isObject(said) ? text(said['version']) : undefined,
        clockSkew: skewOf(reply),
        ms: reply.ms,
      };
    } catch (error) {
      if (!(error instanceof PreflightError) || Date.now() >= until) throw error;
      await pause(Math.min(250, until - Date.now()), undefined, signal ? { signal } : {});
    }
  }
}
