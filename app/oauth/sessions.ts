/** The browser's session on our own pages: who is signed in, and the secret of its forms. */
import type { Request, RequestHandler, Response } from 'express';
import session from 'express-session';
import type { SignedIn } from '../verification/verdict.ts';
import { newToken } from './secrets.ts';

export type SessionSettings = {
  readonly store: session.Store;
  readonly secret: string;
  /** Seconds. */
  readonly ttl: number;
  /** Whether the world reaches us by https. */
  readonly https: boolean;
};

/** `__Host-`: no other host, a subdomain neither, can set it (RFC 6265bis §4.1.3). Cookies ignore ports: a name of our own. */
export const cookieName = (https: boolean): string =>
  https ? '__Host-idp_session' : 'idp_session';

const cookieOptions = (https: boolean) =>
  ({ httpOnly: true, sameSite: 'lax', secure: https, path: '/' }) as const;

export type Sessions = {
  /** Puts the session on the request. */
  readonly open: RequestHandler;
  /** Under a new id, so that an id somebody planted before is worth nothing. Stored when it resolves. */
  readonly signIn: (
    request: Request,
    who: SignedIn & { readonly isNew?: boolean },
  ) => Promise<void>;
  /**
   * Whether this session's sign-in created its user. Yes is said once: whoever asks first is to tell others. Two who ask at
   * the same moment may both be first.
   */
  readonly takeIsNew: (request: Request) => Promise<boolean>;
  /** A new session for the same browser, with nobody signed in. */
  readonly restart: (request: Request) => Promise<void>;
  /** In the database, too. */
  readonly end: (request: Request, response: Response) => Promise<void>;
  /** Stores what was put into it: before the answer, so that a fault can still be told. */
  readonly save: (request: Request) => Promise<void>;
};

const done = (run: (callback: (error?: unknown) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    run((error) => (error ? reject(error) : resolve()));
  });

export function createSessions({ store, secret, ttl, https }: SessionSettings): Sessions {
  const name = cookieName(https);
  const middleware = session({
    name,
    secret,
    store,
    genid: newToken,
    resave: false,
    saveUninitialized: false,
    rolling: true,
    cookie: { ...cookieOptions(https), maxAge: ttl * 1000 },
  });

  async function save(request: Request) {
    try {
      await done((callback) => request.session.save(callback));
    } catch (error) {
      // No cookie for a session that is not there.
      Reflect.deleteProperty(request, 'session');
      throw error;
    }
  }

  return {
    open(request, response, next) {
      // BASE_URL says so, whether or not whoever ends TLS in front of us sends X-Forwarded-Proto.
      if (https) Object.defineProperty(request, 'secure', { value: true });
      middleware(request, response, next);
    },

    async signIn(request, { uid, signInEpoch, isNew = false }) {
      await done((callback) => request.session.regenerate(callback));
      Object.assign(request.session, { uid, signInEpoch }, isNew && { isNew });
      await save(request);
    },

    async takeIsNew(request) {
      const { isNew = false } = request.session;
      if (isNew) {
        delete request.session.isNew;
        await save(request);
      }
      return isNew;
    },

    restart: (request) => done((callback) => request.session.regenerate(callback)),

    async end(request, response) {
      await done((callback) => request.session.destroy(callback));
      response.clearCookie(name, cookieOptions(https));
    },

    save,
  };
}
