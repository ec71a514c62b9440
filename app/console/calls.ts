/**
 * The calls that reached a platform's endpoint, or missed it, as the console shows them: the newest, in memory only, gone
 * with the process.
 * What is kept has been redacted; the secrets themselves stay apart, for a replay, as long as their call is kept.
 */
import { randomBytes } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { charsetOf } from '../http/body.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { Watch } from '../http/mount.ts';
import { requestId } from '../http/request-log.ts';
import { nearest } from '../scenarios/selection.ts';
import type { About, Refusal, Verdict } from '../verification/verdict.ts';
import type { Chaos, FaultName } from './chaos.ts';
import { type Headers, type Hidden, redact } from './redaction.ts';

/** Calls that are kept. */
export const mostCalls = 500;

/** Of them, those to paths that nobody answers: whoever tries addresses must not push the others out. */
export const mostStrays = 50;

/** Of one body, in bytes. */
export const mostBytes = 64 * 1024;

export type Body = {
  readonly text: string;
  /** As many as there were. */
  readonly bytes: number;
  /** Not all of them are in `text`. */
  readonly truncated: boolean;
  /** They are no UTF-8: `text` is not the same, or empty where it cannot be read as ASCII at all. */
  readonly lossy: boolean;
};

export type Outcome = 'accepted' | 'refused' | 'fault' | 'other';

export type Call = {
  /** From 1; never given twice in a process. */
  readonly id: number;
  readonly at: Date;
  readonly requestId: string;
  /** `nobody`, when there is nothing at the path. */
  readonly platform: { readonly id: string; readonly title: string };
  readonly address: string;
  readonly request: {
    readonly method: string;
    /** Path and query. */
    readonly url: string;
    readonly headers: Headers;
    readonly body: Body;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Headers;
    readonly body: Body;
  };
  /** From the first step of ours to the answer. */
  readonly ms: number;
  /** other: an answer about something else than a user. */
  readonly outcome: Outcome;
  /** Of the verdict. Undefined also for what was refused before there was one: 400, 401, 404, 405, 413, 415. */
  readonly because: Refusal | undefined;
  /** Whom it was about, let in or not. */
  readonly user: About | undefined;
  /** Of a path where nothing is: the paths that there are, in words. */
  readonly nearest: string | undefined;
  /** The connection was gone before the answer was. */
  readonly aborted: boolean;
  readonly chaos: FaultName | undefined;
  /** The console has sent it, playing a platform. */
  readonly played: boolean;
  /** The call that it repeats. */
  readonly replayOf: number | undefined;
  readonly hidden: readonly Hidden[];
};

/** An answer that is no call of a platform: of a page of ours, where a flow can end. */
type PageSeen = { readonly requestId: string; readonly because: Refusal | undefined };

type Listener = (
  event: { readonly call: Call } | { readonly reset: true } | { readonly page: PageSeen },
) => void;

/** What looks on, at the places where requests come by. */
type Lookouts = {
  /** For the calls of endpoints: captures those of platforms, and lets chaos at them. */
  readonly endpoints: Watch;
  /** Behind the endpoints: tells what became of the pages. */
  readonly pages: RequestHandler;
  /** Behind everything: captures what looks like a platform’s call and came to a path where nothing is. */
  readonly strays: RequestHandler;
};

export type CallLog = {
  /** Newest first. */
  readonly all: () => readonly Call[];
  readonly find: (id: number) => Call | undefined;
  readonly latest: () => Call | undefined;
  /** By placeholder. Only for sending the call again, to ourselves. */
  readonly secretsOf: (call: Call) => ReadonlyMap<string, string>;
  /** Puts what is there aside, for `restore`, for a minute. */
  readonly clear: () => number;
  readonly restore: () => number;
  /** Told of every call, and when the list is another one. @returns ends it */
  readonly listen: (listener: Listener) => () => void;
  /** Waits for the call with this request id: a replay. Its secrets are hidden in it wherever they stand. */
  readonly expect: (requestId: string, replay: Replay) => Expected;
  readonly lookouts: (
    platformOf: ReadonlyMap<Endpoint, Call['platform']>,
    chaos: Chaos,
    options: { readonly names: readonly string[]; readonly now: () => Date },
  ) => Lookouts;
};

/** Of a call, what only its answer tells. */
type Seen = { content?: string; ms?: number; fault?: FaultName | undefined };

type Replay = { readonly of: Call; readonly secrets: readonly string[] };

type Expected = { readonly arrived: Promise<Call>; readonly end: () => void };

/** How long a cleared log can be brought back, in ms. */
const undoTime = 60_000;

/** Stands for a platform where a path is none of any. */
export const nobody = { id: 'nobody', title: 'nobody' } as const;

/** Begins the request id of what the console plays, and nobody else knows it. */
const ownPrefix = `${randomBytes(6).toString('hex')}-`;

/** A new id for a request of the console's own. */
export const playedRequestId = (): string => `${ownPrefix}${randomBytes(8).toString('hex')}`;

const nothing: Body = { text: '', bytes: 0, truncated: false, lossy: false };

/** Where an ASCII character is one byte, and that byte nothing else. */
const likeAscii = /^(utf-8|iso-8859-\d+|windows-125\d)$/;

/** What an ASCII character is written as elsewhere would hide a secret’s name from who looks for it. */
function isReadable(bytes: Buffer, charset: string): boolean {
  try {
    return likeAscii.test(new TextDecoder(charset).encoding) && !bytes.includes(0);
  } catch {
    return false;
  }
}

export function bodyOf(content: Buffer | string | undefined, charset = 'utf-8'): Body {
  if (content === undefined || content.length === 0) return nothing;
  const all = typeof content === 'string' ? Buffer.from(content) : content;
  if (!isReadable(all, charset))
    return { text: '', bytes: all.length, truncated: false, lossy: true };
  const text = all.subarray(0, mostBytes).toString('utf8');
  const truncated = all.length > mostBytes;
  // A character that is cut in two at the end is no fault of the sender.
  const lossy = (truncated ? text.slice(0, -1) : text).includes('\ufffd');
  return { text, bytes: all.length, truncated, lossy };
}

const pairs = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : []));

/** Node keeps those of a response in lower case. */
const usualSpelling = (name: string) =>
  name.replace(/(^|-)[a-z]/g, (found) => found.toUpperCase()).replace(/^Www-/, 'WWW-');

const sentHeaders = (response: Response): [string, string][] =>
  Object.entries(response.getHeaders()).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [usualSpelling(name), String(one)]),
  );

const verdictOf = ({ locals }: Response) => locals['verdict'] as Verdict | undefined;

function whom(verdict: Verdict | undefined): About | undefined {
  const user = verdict?.accepted ? verdict.user : verdict?.about;
  return user && { uid: user.uid, login: user.login };
}

const becauseOf = (verdict: Verdict | undefined): Refusal | undefined =>
  verdict && !verdict.accepted ? verdict.because : undefined;

function outcomeOf(verdict: Verdict | undefined, status: number): Outcome {
  if (status >= 500) return 'fault';
  if (verdict?.accepted) return 'accepted';
  if (verdict) return verdict.inquiry ? 'other' : 'refused';
  return status >= 400 ? 'refused' : 'other';
}

/** Not what browsers and crawlers ask for unasked: files, and paths that begin with a dot. */
const looksLikeCall = ({ method, path, headers }: Request) =>
  method !== 'OPTIONS' && headers['sec-fetch-site'] === undefined && !/\/\.|\.\w+$/.test(path);

const isStray = ({ platform }: Call) => platform === nobody;

export function createCallLog(): CallLog {
  const secrets = new WeakMap<Call, ReadonlyMap<string, string>>();
  const listeners = new Set<Listener>();
  const awaited = new Map<string, Replay & { arrive: (call: Call) => void }>();
  /** Oldest first. */
  let calls: Call[] = [];
  let aside: Call[] = [];
  let forget: NodeJS.Timeout | undefined;
  let lastId = 0;

  const tell: Listener = (event) => {
    for (const listener of listeners) listener(event);
  };

  function keep(call: Call, values: ReadonlyMap<string, string>) {
    secrets.set(call, values);
    calls.push(call);
    if (isStray(call) && calls.filter(isStray).length > mostStrays) {
      calls.splice(calls.findIndex(isStray), 1);
    }
    if (calls.length > mostCalls) calls.shift();
    tell({ call });
    awaited.get(call.requestId)?.arrive(call);
  }

  return {
    all: () => calls.toReversed(),
    find: (id) => calls.find((call) => call.id === id),
    latest: () => calls.at(-1),
    secretsOf: (call) => secrets.get(call) ?? new Map(),

    clear() {
      aside = calls;
      calls = [];
      clearTimeout(forget);
      forget = setTimeout(() => {
        aside = [];
      }, undoTime).unref();
      tell({ reset: true });
      return aside.length;
    },

    restore() {
      const back = aside.length;
      calls = [...aside, ...calls].slice(-mostCalls);
      aside = [];
      clearTimeout(forget);
      tell({ reset: true });
      return back;
    },

    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    expect(id, replay) {
      const arrived = new Promise<Call>((arrive) => {
        awaited.set(id, { ...replay, arrive });
      });
      return { arrived, end: () => awaited.delete(id) };
    },

    lookouts(platformOf, chaos, { names, now }) {
      const paths = [...new Set([...platformOf.keys()].map(({ path }) => path))];

      /** Keeps the call, when it is over: its answer does not wait for this. */
      function capture(request: Request, response: Response, platform: Call['platform']) {
        const at = now();
        const begun = performance.now();
        const { ip = '' } = request;
        const id = requestId(request);
        const replayed = awaited.get(id);
        const seen: Seen = {};

        response.on('close', () => {
          const body = bodyOf(readBytesOf(request), charsetOf(request.headers['content-type']));
          const answered = bodyOf(request.method === 'HEAD' ? undefined : seen.content);
          const { wire, hidden, secrets } = redact(
            {
              url: request.originalUrl,
              requestHeaders: pairs(request.rawHeaders),
              requestBody: body.text,
              responseHeaders: sentHeaders(response),
              responseBody: answered.text,
            },
            { names, values: replayed?.secrets ?? [] },
          );
          const verdict = verdictOf(response);
          lastId += 1;
          keep(
            {
              id: lastId,
              at,
              requestId: id,
              platform,
              address: ip,
              request: {
                method: request.method,
                url: wire.url,
                headers: wire.requestHeaders,
                body: { ...body, text: wire.requestBody },
              },
              response: {
                status: response.statusCode,
                headers: wire.responseHeaders,
                body: { ...answered, text: wire.responseBody },
              },
              ms: seen.ms ?? performance.now() - begun,
              outcome: outcomeOf(verdict, response.statusCode),
              because: becauseOf(verdict),
              user: whom(verdict),
              nearest: platform === nobody ? nearest(request.path.slice(0, 100), paths) : undefined,
              aborted: !response.writableFinished,
              chaos: seen.fault,
              played: id.startsWith(ownPrefix),
              replayOf: replayed?.of.id,
              hidden,
            },
            secrets,
          );
        });
        return seen;
      }

      function captureAsSent(request: Request, response: Response, platform: Call['platform']) {
        noteBody(response, capture(request, response, platform));
      }

      return {
        endpoints: {
          async around(endpoint, request, response, asked) {
            const platform = platformOf.get(endpoint);
            if (!platform) return asked();

            const begun = performance.now();
            const seen = capture(request, response, platform);
            const { fault, answer } = chaos.meddle(platform.id, asked);
            seen.fault = fault;
            try {
              const given = await answer;
              seen.content = given.body;
              return given;
            } catch (error) {
              noteBody(response, seen);
              throw error;
            } finally {
              seen.ms = performance.now() - begun;
            }
          },

          missed(endpoint, request, response) {
            const platform = platformOf.get(endpoint);
            if (platform) captureAsSent(request, response, platform);
          },
        },

        pages(request, response, next) {
          response.on('close', () => {
            const because = becauseOf(verdictOf(response));
            tell({ page: { requestId: requestId(request), because } });
          });
          next();
        },

        strays(request, response, next) {
          if (looksLikeCall(request)) captureAsSent(request, response, nobody);
          next();
        },
      };
    },
  };
}

/** What app/http/body.ts has read, if it has. */
const readBytesOf = ({ body }: Request): Buffer | undefined =>
  Buffer.isBuffer(body) ? body : undefined;

/** Of an answer that is made elsewhere, as that to a fault: what it is, is only known when it is sent. */
function noteBody(response: Response, seen: Seen): void {
  const end = response.end.bind(response) as (...given: unknown[]) => Response;
  Object.assign(response, {
    end(...given: unknown[]) {
      if (typeof given[0] === 'string') seen.content = given[0];
      return end(...given);
    },
  });
}
