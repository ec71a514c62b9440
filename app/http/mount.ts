import type { Request, RequestHandler, Response } from 'express';
import { type Answer, json, writeAnswer } from './answer.ts';
import { BadRequest, parametersOf, readBody } from './body.ts';
import type { Caller, Endpoint, Incoming } from './endpoint.ts';
import { noteVerdict, requestId } from './request-log.ts';

/** Checks the caller; what it returns is sent instead of an answer. Passport does it: app/oauth/callers.ts. */
export type AuthenticateCaller = (
  caller: Caller,
  request: Request,
  response: Response,
) => Promise<Answer | undefined>;

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
    .flatMap(({ methods }) => methods)
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ');

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
  };
}

/**
 * Where endpoints meet Express: caller, body, answer. A path that is none of ours goes on to the next handler; one that
 * is, with another method, gets 405.
 */
export function mount(
  endpoints: readonly Endpoint[],
  authenticateCaller: AuthenticateCaller,
): RequestHandler {
  const byPath = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) {
    byPath.set(endpoint.path, [...(byPath.get(endpoint.path) ?? []), endpoint]);
  }

  async function answer(endpoint: Endpoint, request: Request, response: Response): Promise<Answer> {
    if (endpoint.caller) {
      const denied = await authenticateCaller(endpoint.caller, request, response);
      if (denied) return denied;
    }
    try {
      return await endpoint.answer(await incoming(request, response, endpoint));
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

    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const endpoint = here.find(({ methods }) => (methods as readonly string[]).includes(method));
    if (!endpoint) {
      const headers = { Allow: allowed(here) };
      return writeAnswer(response, problemAnswer(405, 'Method not allowed.', request, headers));
    }

    const answered = await answer(endpoint, request, response);
    if (answered.verdict) noteVerdict(response, answered.verdict);
    writeAnswer(response, answered);
  };
}

/** For a path that nobody answers. */
export const notFound: RequestHandler = (request, response) =>
  writeAnswer(response, problemAnswer(404, 'Not found.', request));
