/**
 * passport-oauth2 1.8 with what it leaves open closed: the issuer of an answer (RFC 9207), errors of the provider, its own
 * HTTP without a time-out, the access token in a query. Signs in, refreshes, and reads what a token gives access to.
 */
import type { Request, Response } from 'express';
import type passport from 'passport';
import OAuth2Strategy from 'passport-oauth2';
import { type SignIns, sessionSignIns, stateStore } from './sign-ins.ts';

export type Provider = {
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  /** None: a public client. */
  readonly clientSecret?: string | undefined;
  /** Absolute, and registered there to the letter. */
  readonly callbackUrl: string;
  readonly scope: readonly string[];
  /**
   * What `iss` must be in every answer (RFC 9207). None: the provider sends none, and has a callback URL of its own, or shares
   * it only with providers that are trusted as much (RFC 9700 §4.4).
   */
  readonly issuer?: string | undefined;
  /** How long one answer may take, in ms. */
  readonly timeout: number;
};

export type Tokens = {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly scope: string | undefined;
  /** ms since 1970. */
  readonly expiresAt: number | undefined;
};

/**
 * Why a sign-in or a call came to nothing. `status` is for our own page: 400 the browser brought something wrong, 403 the person
 * said no or the token is not good (any more), 502 the provider is out of order or refuses us. `code` is the provider's, if it is
 * one word of OAuth.
 */
export class ProviderError extends Error {
  readonly status: 400 | 403 | 502;
  readonly code: string | undefined;

  constructor(status: 400 | 403 | 502, message: string, code?: unknown, cause?: unknown) {
    super(message, { cause });
    this.name = 'ProviderError';
    this.status = status;
    this.code = typeof code === 'string' && /^[a-z_]{1,40}$/.test(code) ? code : undefined;
  }
}

type Answer = { readonly status: number; readonly text: string };

/** Follows no redirect: a secret would go along. @throws when there is no answer in time */
export async function send(url: string, init: RequestInit, timeout: number): Promise<Answer> {
  const signal = AbortSignal.timeout(timeout);
  const response = await fetch(url, { ...init, redirect: 'manual', signal });
  return { status: response.status, text: await response.text() };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The `error` of an error answer (RFC 6749 §5.2). */
const errorIn = (text: string): unknown => (parsed(text) as { error?: unknown } | null)?.error;

/** RFC 6749 §5.1. @throws {ProviderError} */
function tokensOf(given: Readonly<Record<string, unknown>>): Tokens {
  const { access_token, refresh_token, token_type, scope, expires_in } = given;
  // RFC 6750 §2.1: nothing that would mean more in a header, or in a shell.
  const usable = typeof access_token === 'string' && /^[\w.~+/-]+=*$/.test(access_token);
  if (!usable || !/^bearer$/i.test(String(token_type))) {
    throw new ProviderError(502, 'the provider sent no bearer token');
  }
  const seconds = Number(expires_in);
  return {
    accessToken: access_token,
    refreshToken: typeof refresh_token === 'string' ? refresh_token : undefined,
    scope: typeof scope === 'string' ? scope : undefined,
    expiresAt: seconds > 0 && seconds < 1e9 ? Date.now() + seconds * 1000 : undefined,
  };
}

/** What a person says, or would have to be asked (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6). */
const noes: readonly unknown[] = [
  'access_denied',
  'login_required',
  'consent_required',
  'interaction_required',
  'account_selection_required',
];

/** Of an error in OAuth's words. With all others, something is out of order, there or here. */
const told = (message: string, code: unknown) =>
  new ProviderError(noes.includes(code) ? 403 : 502, message, code);

/** What an answer other than the one that was hoped for means. A 5xx says nothing of the code or token. */
const refusal = (status: number, text: string): ProviderError =>
  told(`the provider answered ${status}`, status < 500 ? errorIn(text) : undefined);

const noAnswer = (cause: unknown) =>
  new ProviderError(502, 'the provider gave no usable answer', undefined, cause);

/** What node-oauth's own `_request` does, but in bounded time. */
type Exchange = (
  method: string,
  url: string,
  headers: Record<string, string> | null,
  body: string,
  accessToken: string | null,
  callback: (error: unknown, text?: string) => void,
) => void;

const exchange =
  (timeout: number): Exchange =>
  (method, url, headers, body, _accessToken, callback) => {
    const form = new URLSearchParams(body);
    // node-oauth sends `client_secret=` for a client without one.
    if (form.get('client_secret') === '') form.delete('client_secret');
    const init = {
      method,
      headers: { ...headers, Accept: 'application/json' },
      ...(method === 'POST' ? { body: form.toString() } : {}),
    };
    send(url, init, timeout).then(({ status, text }) => {
      // GitHub says 200 for an error, too.
      const failed = status !== 200 || (method === 'POST' && errorIn(text) !== undefined);
      if (failed) callback({ statusCode: status, data: text });
      else callback(null, text);
    }, callback);
  };

/** What node-oauth hands over as an error: an answer, or what fetch threw. */
function failure(error: unknown): ProviderError {
  const { statusCode, data } = error as { statusCode?: number; data?: string };
  return statusCode === undefined ? noAnswer(error) : refusal(statusCode, String(data));
}

/** Whatever the word for it (RFC 6749 §5.2), we get no more tokens for this one. */
const refreshProblem = (problem: ProviderError) =>
  problem.code === undefined
    ? problem
    : new ProviderError(403, 'the provider refused the refresh token', problem.code);

type Options = { readonly comingBack?: boolean };

type Sent = { readonly location: string };

const notBegunHere = () =>
  new ProviderError(400, 'no such sign-in was begun in this browser, or too long ago');

export class SignInStrategy extends OAuth2Strategy {
  // Not #private: Passport runs each request on an object that inherits from this one.
  protected readonly provider: Provider;
  protected readonly signIns: SignIns;

  constructor(provider: Provider, signIns: SignIns = sessionSignIns) {
    super(
      {
        authorizationURL: provider.authorizationUrl,
        tokenURL: provider.tokenUrl,
        clientID: provider.clientId,
        clientSecret: provider.clientSecret ?? '',
        callbackURL: provider.callbackUrl,
        scope: [...provider.scope],
        pkce: true,
        store: stateStore(signIns) as unknown as OAuth2Strategy.StateStore,
        skipUserProfile: true,
      },
      (
        access_token: string,
        refresh_token: string,
        results: Record<string, unknown>,
        _profile: unknown,
        done: OAuth2Strategy.VerifyCallback,
      ) => {
        try {
          done(null, tokensOf({ ...results, access_token, refresh_token }));
        } catch (error) {
          done(error);
        }
      },
    );
    this.provider = provider;
    this.signIns = signIns;
    // In the query, node-oauth's default, tokens end up in logs (RFC 9700 §4.3.2).
    this._oauth2.useAuthorizationHeaderforGET(true);
    Object.assign(this._oauth2, { _request: exchange(provider.timeout) });
  }

  override authenticate(request: Request, options: Options = {}): void {
    if (!options.comingBack) {
      // Passport's own would write to the response: where to go is a result like any other.
      this.redirect = (location) => this.success({ location } satisfies Sent);
      // passport-oauth2 would take a `code` or `error` in any query for an answer.
      super.authenticate(Object.create(request, { query: { value: {} } }), options);
      return;
    }
    const problem = this.problemOf(request);
    const { error, state } = request.query;
    if (problem) {
      this.error(problem);
    } else if (error === undefined) {
      super.authenticate(request, options);
    } else {
      // Only an error that answers a sign-in of this browser is told: anybody can make a link with one.
      this.signIns.take(request, String(state)).then(
        (begun) => this.error(begun ? told('the provider sent an error', error) : notBegunHere()),
        (fault) => this.error(fault),
      );
    }
  }

  /** What is wrong with an authorization response, whatever it says. */
  protected problemOf({ query: { code, error, iss, state } }: Request): ProviderError | undefined {
    const { issuer } = this.provider;
    if (issuer !== undefined && iss !== issuer) {
      return new ProviderError(400, 'the answer is not of the server that was asked');
    }
    if (typeof state !== 'string' || typeof (error ?? code) !== 'string') {
      return new ProviderError(400, 'this is not an answer to a sign-in');
    }
    return undefined;
  }

  override parseErrorResponse(body: string, status: number): Error {
    return refusal(status, body);
  }

  /** @throws {ProviderError} 403 the refresh token is no longer good · 502 */
  refresh(refreshToken: string): Promise<Tokens> {
    return new Promise((resolve, reject) => {
      this._oauth2.getOAuthAccessToken(
        refreshToken,
        { grant_type: 'refresh_token' },
        (error, access_token, next, results) => {
          if (error) return reject(refreshProblem(failure(error)));
          try {
            // RFC 6749 §6: without a new one, the old one stays.
            resolve(tokensOf({ ...results, access_token, refresh_token: next ?? refreshToken }));
          } catch (problem) {
            reject(problem);
          }
        },
      );
    });
  }

  /** What the token gives access to, as parsed JSON. @throws {ProviderError} 403 it gives none · 502 */
  read(url: string, accessToken: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this._oauth2.get(url, accessToken, (error, text) => {
        const value = parsed(String(text));
        if (error?.statusCode === 401 || error?.statusCode === 403) {
          reject(new ProviderError(403, 'the token gives no access', 'invalid_token'));
        } else if (error) reject(failure(error));
        else if (value === undefined) reject(new ProviderError(502, 'the provider sent no JSON'));
        else resolve(value);
      });
    });
  }
}

/**
 * For one request. Passport makes such an object from a strategy that it knows by name; on one that it is handed it puts
 * success and fail directly, and two requests at the same time would get each other's tokens.
 */
const forOneRequest = (strategy: SignInStrategy) => Object.create(strategy) as SignInStrategy;

/** What comes of it; undefined when the strategy fails. */
const run = <Result extends object>(
  authenticator: passport.Authenticator,
  strategy: SignInStrategy,
  request: Request,
  response: Response,
  options: Options,
): Promise<Result | undefined> =>
  new Promise((resolve, reject) => {
    const handler = authenticator.authenticate(
      forOneRequest(strategy),
      { session: false, ...options },
      (error: unknown, result: Result | false) => {
        if (error) reject(error);
        else resolve(result || undefined);
      },
    );
    handler(request, response, reject);
  });

/** The address at the provider to send the browser to. */
export async function beginSignIn(
  authenticator: passport.Authenticator,
  strategy: SignInStrategy,
  request: Request,
  response: Response,
): Promise<string> {
  const sent = await run<Sent>(authenticator, strategy, request, response, {});
  if (!sent) throw new Error('the strategy led nowhere');
  return sent.location;
}

/** passport-oauth2's words for it. What else is thrown (by the session's store, say) is no matter of the provider's. */
const isOfTheProvider = (error: unknown) =>
  error instanceof OAuth2Strategy.InternalOAuthError ||
  (error instanceof Error && error.message === 'Failed to obtain access token');

/** Where the browser comes back. @throws {ProviderError} */
export async function finishSignIn(
  authenticator: passport.Authenticator,
  strategy: SignInStrategy,
  request: Request,
  response: Response,
): Promise<Tokens> {
  try {
    const comingBack = { comingBack: true };
    const tokens = await run<Tokens>(authenticator, strategy, request, response, comingBack);
    if (tokens) return tokens;
  } catch (error) {
    throw isOfTheProvider(error) ? noAnswer(error) : error;
  }
  throw notBegunHere();
}
