/** `GET /login/<provider>`, and where the browser comes back: `GET /login/<provider>/callback`. */
import { type Request, type Response, Router } from 'express';
import type passport from 'passport';
import {
  beginSignIn,
  finishSignIn,
  ProviderError,
  SignInStrategy,
} from '../../client-app/strategy.ts';
import { type Answer, page, redirect, writeAnswer } from '../../http/answer.ts';
import { noteVerdict } from '../../http/request-log.ts';
import type { FindOrCreate } from '../../store/identities.ts';
import { decideUser } from '../../verification/decide.ts';
import { refused } from '../../verification/verdict.ts';
import type { UserStore } from '../../verification/verify.ts';
import type { Sessions } from '../sessions.ts';
import { returnTo } from '../sign-in.ts';
import { views } from '../views.ts';
import { cookieSignIns } from './cookie-sign-ins.ts';
import type { Upstream } from './providers.ts';

export type UpstreamServices = {
  readonly issuer: string;
  readonly upstreams: readonly Upstream[];
  readonly findOrCreate: FindOrCreate;
  readonly findUser: UserStore['findUser'];
  readonly sessions: Sessions;
  /** SESSION_SECRET. */
  readonly secret: string;
  readonly now: () => Date;
  /** How long a provider may take for one answer, in ms. */
  readonly timeout: number;
};

const explanations = {
  400: 'This sign-in was not begun in this browser, or too long ago.',
  403: 'You were not signed in there.',
  502: 'The other side could not be reached, or gave no usable answer. Try again in a moment.',
} as const;

export function upstreamRouter(
  authenticator: passport.Authenticator,
  services: UpstreamServices,
): Router {
  const { issuer, findOrCreate, findUser, sessions, secret, now, timeout } = services;
  const router = Router({ caseSensitive: true, strict: true });
  const https = issuer.startsWith('https:');

  const tell = (status: number, title: string, text: string): Answer =>
    page(
      status,
      views.render('message', { title, text, link: { href: '/login', text: 'Sign in' } }),
    );

  for (const { id, title, key, person, ...provider } of services.upstreams) {
    const strategy = new SignInStrategy(
      {
        ...provider,
        clientId: key,
        clientSecret: provider.secret,
        callbackUrl: `${issuer}/login/${id}/callback`,
        timeout,
      },
      cookieSignIns(id, { secret, https }, now),
    );

    router.get(`/login/${id}`, (request, response, next) => {
      const { return_to } = request.query;
      const to = returnTo(typeof return_to === 'string' ? return_to : undefined);
      response.setHeader('Cache-Control', 'no-store');
      beginSignIn(authenticator, strategy, { to })(request, response, next);
    });

    const signIn = async (request: Request, response: Response) => {
      const { tokens, kept } = await finishSignIn(authenticator, strategy, request, response);
      const who = await person((url) => strategy.read(url, tokens.accessToken));
      const found = await findUser(await findOrCreate(id, who));
      const verdict = found ? decideUser(found) : refused('unknown');
      noteVerdict(response, verdict);
      if (!verdict.accepted) return tell(403, 'Not signed in', 'Your account cannot be used here.');
      await sessions.signIn(request, verdict.user.uid);
      return redirect(returnTo((kept as { to?: string }).to) ?? '/login');
    };

    router.get(`/login/${id}/callback`, sessions.open, async (request, response) => {
      try {
        writeAnswer(response, await signIn(request, response));
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        const { status } = error;
        writeAnswer(response, tell(status, `Not signed in with ${title}`, explanations[status]));
      }
    });
  }
  return router;
}
