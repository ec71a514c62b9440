import type { Request, Response } from 'express';
import passport from 'passport';

/** What a strategy finds: who it is, or the challenge to answer with (the value of `WWW-Authenticate`). */
export type Authentication<Principal> =
  | { readonly principal: Principal }
  | { readonly challenge: string };

/** A Passport strategy from a function that looks at a request. What it throws is a fault. */
export function strategy<Principal extends object>(
  name: string,
  authenticate: (
    request: Request,
  ) => Authentication<Principal> | Promise<Authentication<Principal>>,
): passport.Strategy {
  return Object.assign(new passport.Strategy(), {
    name,
    // Called on an object made for the one request (see below), on which Passport puts success, fail and error.
    async authenticate(this: passport.StrategyCreated<passport.Strategy>, request: Request) {
      try {
        const found = await authenticate(request);
        if ('principal' in found) this.success(found.principal);
        else this.fail(found.challenge);
      } catch (error) {
        this.error(error);
      }
    },
  });
}

/**
 * Runs one strategy, without a session, and gives its result as a value.
 *
 * Passport makes an object for each request from a strategy that it knows by name; on one that it is handed it puts success
 * and fail directly, and requests at the same time would answer each other. So it is handed an object of its own.
 */
export const authenticate = <Principal extends object>(
  authenticator: passport.Authenticator,
  by: passport.Strategy,
  request: Request,
  response: Response,
): Promise<Authentication<Principal>> =>
  new Promise((resolve, reject) => {
    const run = authenticator.authenticate(
      Object.create(by) as passport.Strategy,
      { session: false },
      (error: unknown, principal: Principal | false, challenge: unknown) => {
        if (error) reject(error);
        else resolve(principal ? { principal } : { challenge: String(challenge) });
      },
    );
    run(request, response, reject);
  });
