import cors from 'cors';
import type { Request, RequestHandler, Response } from 'express';
import { type Answer, json, writeAnswer } from './answer.ts';
import { BadRequest, parametersOf, readBody } from './body.ts';
import type { Browser, Caller, Endpoint, Incoming } from './endpoint.ts';
import { noteVerdict, requestId } from './request-log.ts';

/** Checks the caller; what it returns is sent instead of an answer. Passport does it: app/oauth/callers.ts. */
export type AuthenticateCaller = (
  caller: Caller,
  request: Request,
  response: Response,
) => Promise<Answer | undefined>;

/** Looks on: the console does. */
export type Watch = {
  /** Stands around every call of an endpoint, and hands on its answer. */
  readonly around: (
    endpoint: Endpoint,
    request: Request,
    response: Response,
    asked: () => Promise<Answer>,
  ) => Promise<Answer>;
  /** Told of a call that has the path of an endpoint, and another method. */
  readonly missed: (endpoint: Endpoint, request: Request, response: Response) => void;
};

/** What the browser that sent this request may be sent to do. */
export type BrowserOf = (request: Request, response: Response) => Browser;

const nowhere = () => Promise.reject(new Error('nobody can sign in here'));

/** For a server without sign-in pages. */
export const noBrowser: BrowserOf = () => ({ signIn: nowhere, arrival: nowhere });

const bearerToken = (authorization: string | undefined): string | undefined =>
  authorization && /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(authorization)?.[1];

const problemAnswer = (
  status: number,
  error: string,
  request: Request,
  headers?: Record<string, string>,
) => json(status, { error, request_id: requestId(request) }, headers);

/** The methods that this path answers to, as `Allow` wants them. */
const allowed = (endpoints: readonly Endpoint[]): string =>
  endpoints
    .flatMap(({ methods, head = true }) =>
      methods.flatMap((method) => (method === 'GET' && head ? ['GET', 'HEAD'] : [method])),
    )
    .join(', ');

/** An endpoint, with what tells browsers whose pages may read its answers. */
type Route = { readonly endpoint: Endpoint; readonly share?: RequestHandler };

/** Only the listed origins, to the letter, and never with cookies: where no page may read, nothing is said of CORS at all. */
function routeOf(endpoint: Endpoint): Route {
  const { origins = [] } = endpoint;
  if (origins.length === 0) return { endpoint };
  const share = cors({
    origin: [...origins],
    methods: allowed([endpoint]),
    allowedHeaders: ['auth-token', 'content-type'],
    // The answer stays ours to write.
    preflightContinue: true,
  });
  return { endpoint, share };
}

function routeFor(routes: readonly Route[], asked: string): Route | undefined {
  const isHead = asked === 'HEAD';
  const method = isHead ? 'GET' : asked;
  return routes.find(
    ({ endpoint: { methods, head = true } }) =>
      (methods as readonly string[]).includes(method) && (head || !isHead),
  );
}

/** The answer to a CORS preflight is in its headers. */
const preflight: Answer = { status: 204, headers: {}, body: '' };

const goOn = () => {};

/** The parameters of the body, when it has any: those of a form, or the top level of a JSON object. */
const bodyParameters = (body: unknown): Readonly<Record<string, unknown>> =>
  body !== null && typeof body === 'object' && !Array.isArray(body)
    ? (body as Record<string, unknown>)
    : {};

/** A name that stands in both is there twice. */
function merge(query: Record<string, unknown>, body: Readonly<Record<string, unknown>>) {
  for (const [name, value] of Object.entries(body)) {
    query[name] = query[name] === undefined ? value : [query[name], value].flat();
  }
  return query;
}

async function incoming(
  request: Request,
  response: Response,
  endpoint: Endpoint,
  browserOf: BrowserOf,
): Promise<Incoming> {
  const method = request.method === 'POST' ? 'POST' : 'GET';
  const query = request.url.indexOf('?');
  const parameters = parametersOf(query === -1 ? '' : request.url.slice(query + 1));
  const body =
    method === 'POST' ? await readBody(request, response, endpoint.accepts ?? 'any') : undefined;
  return {
    method,
    parameters: body === undefined ? parameters : merge(parameters, bodyParameters(body)),
    body,
    headers: request.headers,
    bearer: bearerToken(request.headers.authorization),
    address: request.ip ?? '',
    browser: browserOf(request, response),
  };
}

/**
 * Where endpoints meet Express: caller, body, answer. A path that is none of ours goes on to the next handler; one that
 * is, with another method, gets 405.
 */
export function mount(
  endpoints: readonly Endpoint[],
  authenticateCaller: AuthenticateCaller,
  browserOf: BrowserOf,
  watch?: Watch,
): RequestHandler {
  const byPath = new Map<string, Route[]>();
  for (const endpoint of endpoints) {
    byPath.set(endpoint.path, [...(byPath.get(endpoint.path) ?? []), routeOf(endpoint)]);
  }

  async function answer(endpoint: Endpoint, request: Request, response: Response): Promise<Answer> {
    if (endpoint.caller) {
      const denied = await authenticateCaller(endpoint.caller, request, response);
      if (denied) return denied;
    }
    try {
      return await endpoint.answer(await incoming(request, response, endpoint, browserOf));
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      const { status, message } = error;
      return (
        endpoint.badRequest?.({ status, error: message }) ?? problemAnswer(status, message, request)
      );
    }
  }

  return async (request, response, next) => {
    const here = byPath.get(request.path) ?? byPath.get(request.path.replace(/\/$/, ''));
    if (!here) return next();

    const route = routeFor(here, request.method);
    if (!route) {
      const wanted = request.method === 'OPTIONS' && request.get('Access-Control-Request-Method');
      const share = wanted ? routeFor(here, wanted)?.share : undefined;
      if (share) {
        share(request, response, goOn);
        return writeAnswer(response, preflight);
      }
      const headers = { Allow: allowed(here.map(({ endpoint }) => endpoint)) };
      const [first] = here;
      // OPTIONS is a browser's question.
      if (first && request.method !== 'OPTIONS') watch?.missed(first.endpoint, request, response);
      return writeAnswer(response, problemAnswer(405, 'Method not allowed.', request, headers));
    }

    // Before the answer: a fault is told with them, too.
    route.share?.(request, response, goOn);
    const { endpoint } = route;
    const asked = () => answer(endpoint, request, response);
    const answered = await (watch ? watch.around(endpoint, request, response, asked) : asked());
    if (answered.verdict) noteVerdict(response, answered.verdict);
    writeAnswer(response, answered);
  };
}

/** For a path that nobody answers. */
export const notFound: RequestHandler = (request, response) =>
  writeAnswer(response, problemAnswer(404, 'Not found.', request));
