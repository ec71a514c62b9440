/**
 * Sends browsers to sign in, at an upstream provider or at this server's own pages, and says who comes back: for our own
 * `/login/<provider>` as for the endpoints of platforms.
 */
import type { Request, Response } from 'express';
import type passport from 'passport';
import {
  beginSignIn,
  finishSignIn,
  ProviderError,
  SignInStrategy,
} from '../client-app/strategy.ts';
import { redirect } from '../http/answer.ts';
import type { Arrival, ArrivalProblem } from '../http/endpoint.ts';
import type { BrowserOf } from '../http/mount.ts';
import { noteVerdict } from '../http/request-log.ts';
import type { FindOrCreate } from '../store/identities.ts';
import { decideUser } from '../verification/decide.ts';
import { refused } from '../verification/verdict.ts';
import type { UserStore } from '../verification/verify.ts';
import { formActionSource } from './authorization-request.ts';
import type { Begun, CookieSignIns } from './cookie-sign-ins.ts';
import { newToken } from './secrets.ts';
import type { Sessions } from './sessions.ts';
import type { ReturnTo } from './sign-in.ts';
import type { Upstream } from './upstream/providers.ts';

/** This server's own pages, among the providers. */
export const localProvider = 'local';

export type BrowserServices = {
  readonly issuer: string;
  readonly upstreams: readonly Upstream[];
  readonly signIns: CookieSignIns;
  readonly sessions: Sessions;
  readonly returnTo: ReturnTo;
  readonly findOrCreate: FindOrCreate;
  readonly findUser: UserStore['findUser'];
  /** How long a provider may take for one answer, in ms. */
  readonly timeout: number;
  /** For the operator: a provider that is out of order, or refuses us; not a person who says no. */
  readonly reportProblem: (error: ProviderError, request: Request) => void;
};

/** By `ProviderError.status`. */
const problems = { 400: 'not-begun-here', 403: 'denied', 502: 'unavailable' } as const;

/** A token that was given a moment ago, and is not taken now, is no word of the person's. */
const problemOf = ({ status, code }: ProviderError): ArrivalProblem =>
  code === 'invalid_token' ? 'unavailable' : problems[status];

export function createBrowserOf(
  authenticator: passport.Authenticator,
  services: BrowserServices,
): BrowserOf {
  const { issuer, upstreams, signIns, sessions, returnTo, findOrCreate, findUser } = services;

  function upstreamWith(id: string): Upstream {
    const found = upstreams.find((upstream) => upstream.id === id);
    if (!found) throw new Error(`nobody can sign in at "${id}"`);
    return found;
  }

  const strategyFor = ({ key, secret, ...provider }: Upstream, begun: Begun) =>
    new SignInStrategy(
      {
        ...provider,
        clientId: key,
        clientSecret: secret,
        callbackUrl: `${issuer}${begun.callback}`,
        timeout: services.timeout,
      },
      {
        keep: (request, state, signIn) => signIns.keep(request, state, { ...begun, ...signIn }),
        // Out of its cookie already: who the provider is stands there, too.
        take: async () => ({ verifier: begun.verifier ?? '' }),
      },
    );

  async function signInHere(request: Request, begun: Begun): Promise<string> {
    const state = newToken();
    const to = returnTo(`${begun.callback}?state=${state}`);
    if (to === undefined) throw new Error(`${begun.callback} is no endpoint to come back to`);
    await signIns.keep(request, state, begun);
    return `/login?${new URLSearchParams({ return_to: to })}`;
  }

  /** Whoever has signed in here, now or before: no other proof is asked of our own pages either. */
  async function whoIsHere(request: Request, response: Response) {
    if (request.query['error'] !== undefined) return undefined;
    await new Promise<void>((resolve, reject) => {
      sessions.open(request, response, (error?: unknown) => (error ? reject(error) : resolve()));
    });
    const { uid, signInEpoch } = request.session;
    const found = uid === undefined ? undefined : await findUser(uid);
    const ended = found?.signInEpoch !== signInEpoch;
    if (uid === undefined || ended) return undefined;
    return { uid, created: await sessions.takeIsNew(request) };
  }

  /** @throws {ProviderError} */
  async function whoWasThere(request: Request, response: Response, begun: Begun) {
    const upstream = upstreamWith(begun.provider);
    const strategy = strategyFor(upstream, begun);
    const { accessToken } = await finishSignIn(authenticator, strategy, request, response);
    const person = await upstream.person((url) => strategy.read(url, accessToken));
    return findOrCreate(upstream.id, person);
  }

  async function arrivalOf(request: Request, response: Response, begun: Begun): Promise<Arrival> {
    const { provider, kept } = begun;
    const who =
      provider === localProvider
        ? await whoIsHere(request, response)
        : await whoWasThere(request, response, begun);
    if (!who) return { problem: provider === localProvider ? 'denied' : 'refused', kept };

    const found = await findUser(who.uid);
    const verdict = found ? decideUser(found) : refused('unknown');
    noteVerdict(response, verdict);
    if (!verdict.accepted) return { problem: 'refused', kept };
    const { user } = verdict;
    return { user, signInEpoch: found?.signInEpoch, isNew: who.created, provider, kept };
  }

  const signInThere = (request: Request, response: Response, begun: Begun): Promise<string> => {
    const strategy = strategyFor(upstreamWith(begun.provider), begun);
    return beginSignIn(authenticator, strategy, request, response);
  };

  return (request, response) => ({
    async signIn({ onward, ...to }) {
      const begun = onward === undefined ? to : { ...to, formAction: formActionSource(onward) };
      return redirect(
        to.provider === localProvider
          ? await signInHere(request, begun)
          : await signInThere(request, response, begun),
      );
    },

    async arrival(callback) {
      const { state } = request.query;
      const begun = typeof state === 'string' ? await signIns.take(request, state) : undefined;
      if (begun?.callback !== callback) return { problem: 'not-begun-here', kept: undefined };
      try {
        return await arrivalOf(request, response, begun);
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        const problem = problemOf(error);
        if (problem !== 'denied') services.reportProblem(error, request);
        return { problem, kept: begun.kept };
      }
    },
  });
}
