/**
 * The sign-ins that a browser has begun, in its session, each under its own `state`: passport-oauth2's own stores keep one
 * per host, so that a second tab breaks the first. Single use, ten minutes, the latest ten.
 */
import { randomBytes } from 'node:crypto';
import type { Request } from 'express';

export type SignIn = {
  /** RFC 7636 `code_verifier`. */
  readonly verifier: string;
};

/** Where sign-ins that were begun are kept until the browser comes back. */
export type SignIns = {
  keep(request: Request, state: string, signIn: SignIn): Promise<void>;
  /** Once, and only for the browser that began it. */
  take(request: Request, state: string): Promise<SignIn | undefined>;
};

type Begun = SignIn & { /** ms since 1970. */ readonly until: number };

declare module 'express-session' {
  interface SessionData {
    signIns?: [state: string, begun: Begun][];
  }
}

const most = 10;

/** How long a sign-in may take, in ms. */
export const signInLifetime = 10 * 60_000;

export const sessionSignIns: SignIns = {
  async keep({ session }, state, signIn) {
    const begun: Begun = { ...signIn, until: Date.now() + signInLifetime };
    session.signIns = [...(session.signIns ?? []).slice(1 - most), [state, begun]];
  },

  /** Out of the session at once, in its store too: another request with this state finds nothing. */
  async take({ session }, state) {
    const begun = session.signIns ?? [];
    const found = begun.find(([name]) => name === state);
    if (!found) return undefined;
    session.signIns = begun.filter((one) => one !== found);
    await new Promise<void>((resolve, reject) => {
      session.save((error) => (error ? reject(error) : resolve()));
    });
    return found[1].until > Date.now() ? found[1] : undefined;
  },
};

type Stored = (error: unknown, state?: string) => void;
type Taken = (error: unknown, verifier?: string | false) => void;

/** As passport-oauth2 calls a store when `pkce` is on: it counts the parameters. */
export const stateStore = (signIns: SignIns) => ({
  store(request: Request, verifier: string, _kept: unknown, _meta: unknown, done: Stored) {
    const state = randomBytes(32).toString('base64url');
    signIns.keep(request, state, { verifier }).then(() => done(null, state), done);
  },

  verify(request: Request, state: string, _meta: unknown, done: Taken) {
    signIns.take(request, state).then((found) => done(null, found?.verifier ?? false), done);
  },
});
