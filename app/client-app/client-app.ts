/**
 * The customer's own App: signs its user in at the authorization server (authorization code with PKCE, through
 * passport-oauth2), shows who that is and what it got, refreshes, signs out. Mount it where the callback URL says:
 *
 *   app.use('/app', createClientApp({ issuer, clientId, callbackUrl: 'https://www.example.com/app/callback' }));
 *
 * Tokens never reach the browser: it has a session cookie, and they lie in the session.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { csrfSync } from 'csrf-sync';
import { Eta } from 'eta';
import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  Router,
} from 'express';
import session from 'express-session';
import passport from 'passport';
import { memorySessions } from './session-store.ts';
import {
  beginSignIn,
  finishSignIn,
  ProviderError,
  SignInStrategy,
  send,
  type Tokens,
} from './strategy.ts';

export type ClientAppSettings = {
  /** The authorization server, as its metadata spells it: `https://id.example.com`, no trailing slash. */
  readonly issuer: string;
  /** What this app is registered as there: a public client. */
  readonly clientId: string;
  /** Absolute, registered there to the letter: where this app is mounted, and `/callback`. */
  readonly callbackUrl: string;

  /** Paths or URLs at another authorization server than this kit. */
  readonly endpoints?: Partial<typeof defaultEndpoints>;
  readonly scope?: readonly string[];
  /** Signs the session cookie. Needed with a `store` that outlives the process. */
  readonly secret?: string;
  readonly store?: session.Store;
  /** How long the authorization server may take, in ms. */
  readonly timeout?: number;
  /** Shown to a user who is signed in; `$TOKEN` stands for his token. */
  readonly commands?: readonly { readonly title: string; readonly command: string }[];
  /** The folder of the templates. */
  readonly views?: string;
};

const defaultEndpoints = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  revocation: '/oauth/revoke',
  userinfo: '/openid/userinfo',
};

declare module 'express-session' {
  interface SessionData {
    tokens?: Tokens;
  }
}

/** Ours at this host: cookies ignore ports, and the authorization server has one, too. */
const cookieName = 'customer_app';

const sessionLifetime = 8 * 3_600_000;

/** Tokens are refreshed this long before they expire, in ms: they are still to be sent somewhere. */
const margin = 10_000;

const done = (run: (callback: (error?: unknown) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    run((error) => (error ? reject(error) : resolve()));
  });

const protection = csrfSync({
  size: 32,
  getTokenFromRequest: (request) => (request.body as { csrf?: string } | undefined)?.csrf,
});

/**
 * Refreshes one refresh token once, however many requests want it at the same time: a second use looks like a theft, and
 * ends the grant. The result is kept for a moment, for requests whose session was read before it was stored.
 */
function createRefresh(strategy: SignInStrategy) {
  const underWay = new Map<string, Promise<Tokens>>();
  return (refreshToken: string): Promise<Tokens> => {
    const known = underWay.get(refreshToken);
    if (known !== undefined) return known;
    const refreshed = strategy.refresh(refreshToken);
    underWay.set(refreshToken, refreshed);
    refreshed.then(
      () => setTimeout(() => underWay.delete(refreshToken), 10_000).unref(),
      () => underWay.delete(refreshToken),
    );
    return refreshed;
  };
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** What is wrong, in words for the user. */
const explanations = {
  400: 'This sign-in could not be finished: it was not begun in this browser, or too long ago, or the answer is not of our sign-in server.',
  403: 'The sign-in server said no.',
  502: 'The sign-in server could not be reached, or gave no usable answer. Try again in a moment.',
} as const;

export function createClientApp(settings: ClientAppSettings): Router {
  const { issuer, clientId, callbackUrl, timeout = 5000, commands = [] } = settings;
  const endpoint = (name: keyof typeof defaultEndpoints) => {
    const where = settings.endpoints?.[name] ?? defaultEndpoints[name];
    return where.startsWith('/') ? `${issuer}${where}` : where;
  };
  const { protocol, pathname } = new URL(callbackUrl);
  const home = pathname.replace(/\/[^/]*$/, '') || '/';
  const at = (path: string) => `${home === '/' ? '' : home}/${path}`;
  const https = protocol === 'https:';

  const strategy = new SignInStrategy({
    issuer,
    authorizationUrl: endpoint('authorization'),
    tokenUrl: endpoint('token'),
    clientId,
    callbackUrl,
    scope: settings.scope ?? ['openid', 'profile', 'email', 'verify'],
    timeout,
  });
  const refreshOnce = createRefresh(strategy);
  const authenticator = new passport.Passport();
  const eta = new Eta({ views: settings.views ?? join(import.meta.dirname, 'views'), cache: true });

  function show(response: Response, status: number, view: string, shown: object) {
    response.status(status).set({
      'Content-Security-Policy':
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    });
    response.type('html').send(eta.render(view, { issuer, clientId, home, at, ...shown }));
  }

  const showProblem = (response: Response, { status, code }: ProviderError) =>
    show(response, status, 'problem', {
      title: code === 'access_denied' ? 'Not signed in' : 'Sign-in did not work',
      explanation:
        code === 'access_denied'
          ? 'You did not allow this app to sign you in. Nothing was shared with it.'
          : explanations[status],
      code,
    });

  /** Good for a moment longer, refreshed where that is needed and possible. Undefined: nobody is signed in (any more). */
  async function tokensOf(request: Request, now = Date.now()): Promise<Tokens | undefined> {
    const { tokens } = request.session;
    const expires = tokens?.expiresAt !== undefined && tokens.expiresAt <= now + margin;
    return expires && tokens?.refreshToken ? refresh(request, tokens.refreshToken) : tokens;
  }

  async function refresh(request: Request, refreshToken: string): Promise<Tokens | undefined> {
    try {
      request.session.tokens = await refreshOnce(refreshToken);
    } catch (error) {
      if (!(error instanceof ProviderError) || error.status !== 403) throw error;
      delete request.session.tokens;
    }
    await done((callback) => request.session.save(callback));
    return request.session.tokens;
  }

  /** Who the token is of, or why that cannot be said. */
  async function whoIs({ accessToken }: Tokens) {
    try {
      const claims = await strategy.read(endpoint('userinfo'), accessToken);
      const { sub, name, email, preferred_username } = Object(claims) as Record<string, unknown>;
      const user = { sub: text(sub), name: text(name), email: text(email) };
      return { user: { ...user, login: text(preferred_username) }, problem: undefined };
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const problem =
        error.status === 403
          ? 'The server does not accept this token any more: it was revoked, or the user is suspended.'
          : explanations[502];
      return { user: undefined, problem };
    }
  }

  async function showApp(request: Request, response: Response, withToken: boolean) {
    const before = request.session.tokens;
    const tokens = await tokensOf(request);
    if (!tokens) {
      const notice =
        before !== undefined
          ? 'Your sign-in has ended: it was revoked, or is too old. Sign in again.'
          : request.query['signed-out'] === ''
            ? 'You are signed out, and the token is revoked.'
            : undefined;
      return show(response, 200, 'signed-out', { notice });
    }
    return show(response, 200, 'signed-in', {
      ...(await whoIs(tokens)),
      csrf: protection.generateToken(request),
      scope: tokens.scope,
      expiresAt: tokens.expiresAt === undefined ? undefined : new Date(tokens.expiresAt),
      minutes: Math.ceil(((tokens.expiresAt ?? 0) - Date.now()) / 60_000),
      refreshable: tokens.refreshToken !== undefined,
      token: withToken ? tokens.accessToken : undefined,
      commands,
    });
  }

  /** Under a new session id, so that one which somebody planted before is worth nothing. Other tabs can finish, too. */
  async function signIn(request: Request, tokens: Tokens) {
    await done((callback) => request.session.reload(callback)).catch(() => undefined);
    const { signIns } = request.session;
    await done((callback) => request.session.regenerate(callback));
    Object.assign(request.session, { tokens }, signIns && { signIns });
    await done((callback) => request.session.save(callback));
  }

  /** RFC 7009. The refresh token takes everything along that came of the sign-in. */
  async function revoke({ refreshToken, accessToken }: Tokens): Promise<boolean> {
    const form = new URLSearchParams({ token: refreshToken ?? accessToken, client_id: clientId });
    const init = { method: 'POST', body: form };
    const answer = await send(endpoint('revocation'), init, timeout).catch(() => undefined);
    return answer?.status === 200;
  }

  const router = Router({ caseSensitive: true });

  const openSession = session({
    name: cookieName,
    secret: settings.secret ?? randomBytes(32).toString('base64url'),
    store: settings.store ?? memorySessions(10_000, sessionLifetime),
    resave: false,
    saveUninitialized: false,
    cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure: https },
  });
  const withSession: RequestHandler = (request, response, next) => {
    // The callback URL says so, whether or not whoever ends TLS in front of us sends X-Forwarded-Proto.
    if (https) Object.defineProperty(request, 'secure', { value: true, configurable: true });
    openSession(request, response, next);
  };
  const form: RequestHandler[] = [
    express.urlencoded({ extended: false, limit: '4kb' }),
    withSession,
    protection.csrfSynchronisedProtection,
  ];

  router.get('/', withSession, (request, response) => showApp(request, response, false));

  router.get('/sign-in', withSession, async (request, response) => {
    response.redirect(303, await beginSignIn(authenticator, strategy, request, response));
  });

  // Express would take it for GET, and the sign-in would be over before the browser comes.
  router.head('/callback', (_request, response) => {
    response.set('Allow', 'GET').status(405).end();
  });

  router.get('/callback', withSession, async (request, response) => {
    await signIn(request, await finishSignIn(authenticator, strategy, request, response));
    response.redirect(303, home);
  });

  router.post('/token', form, (request: Request, response: Response) =>
    showApp(request, response, true),
  );

  router.post('/refresh', form, async (request: Request, response: Response) => {
    const refreshToken = request.session.tokens?.refreshToken;
    if (refreshToken !== undefined && !(await refresh(request, refreshToken))) {
      show(response, 200, 'signed-out', {
        notice: 'Your sign-in has ended: it was revoked, or is too old. Sign in again.',
      });
    } else {
      response.redirect(303, home);
    }
  });

  router.post('/sign-out', form, async (request: Request, response: Response) => {
    const { tokens } = request.session;
    await done((callback) => request.session.destroy(callback));
    response.clearCookie(cookieName, { path: '/', httpOnly: true, sameSite: 'lax', secure: https });
    if (tokens && !(await revoke(tokens))) {
      show(response, 502, 'problem', {
        title: 'Signed out here only',
        explanation:
          'The sign-in server could not be told, so the token that this app had stays good until it expires.',
      });
    } else {
      response.redirect(303, `${home}?signed-out`);
    }
  });

  const problems: ErrorRequestHandler = (error, _request, response, next) => {
    if (error instanceof ProviderError && !response.headersSent) showProblem(response, error);
    else if (error?.code === 'EBADCSRFTOKEN') {
      show(response, 403, 'problem', {
        title: 'That did not work',
        explanation: 'The form was not of this page, or too old. Go back and try again.',
      });
    } else next(error);
  };
  router.use(problems);
  return router;
}
