/** `GET /login/<provider>`, and where the browser comes back: `GET /login/<provider>/callback`. */
import { type RequestHandler, Router } from 'express';
import { page, redirect } from '../../http/answer.ts';
import type { ArrivalProblem } from '../../http/endpoint.ts';
import type { BrowserOf } from '../../http/mount.ts';
import { answering, onlyMethods } from '../router.ts';
import type { Sessions } from '../sessions.ts';
import type { ReturnTo } from '../sign-in.ts';
import { views } from '../views.ts';
import type { Upstream } from './providers.ts';

export type UpstreamServices = {
  readonly upstreams: readonly Upstream[];
  readonly browserOf: BrowserOf;
  readonly sessions: Sessions;
  readonly returnTo: ReturnTo;
};

const explanations = {
  'not-begun-here': [400, 'This sign-in was not begun in this browser, or too long ago.'],
  denied: [403, 'You were not signed in there.'],
  unavailable: [
    502,
    'The other side could not be reached, or gave no usable answer. Try again in a moment.',
  ],
  refused: [403, 'Your account cannot be used here.'],
} as const satisfies Record<ArrivalProblem, readonly [status: number, text: string]>;

function tell(problem: ArrivalProblem, provider: string) {
  const [status, text] = explanations[problem];
  const title = problem === 'refused' ? 'Not signed in' : `Not signed in with ${provider}`;
  const link = { href: '/login', text: 'Sign in' };
  return page(status, views.render('message', { title, text, link }));
}

/** Characters of an address to go on to: it is kept in a cookie, and a browser drops one of more than 4096 bytes. */
const longest = 2000;

/** In two steps it works: at the second, nobody is asked to sign in. */
function tooLong(id: string, provider: string) {
  const title = 'Sign in first, then go back to the app';
  const text = `The app's request is too long to be taken along to ${provider}. Sign in here, then begin again in the app.`;
  const link = { href: `/login/${id}`, text: `Sign in with ${provider}` };
  return page(400, views.render('message', { title, text, link }));
}

/** Not HEAD either, which Express takes for GET: the sign-in would be over before the browser comes. */
const onlyGet: RequestHandler = (request, response, next) =>
  request.method === 'GET' ? next() : onlyMethods('GET')(request, response, next);

export function upstreamRouter({
  upstreams,
  browserOf,
  sessions,
  returnTo,
}: UpstreamServices): Router {
  const router = Router({ caseSensitive: true, strict: true });

  for (const { id, title } of upstreams) {
    const callback = `/login/${id}/callback` as const;

    const begin = answering((request, response) => {
      const { return_to } = request.query;
      const to = returnTo(typeof return_to === 'string' ? return_to : undefined);
      if (to !== undefined && to.length > longest) return tooLong(id, title);
      const kept = to === undefined ? {} : { to };
      return browserOf(request, response).signIn({ provider: id, callback, kept });
    });

    const finish = answering(async (request, response) => {
      const arrival = await browserOf(request, response).arrival(callback);
      if ('problem' in arrival) return tell(arrival.problem, title);
      const { user, signInEpoch, isNew } = arrival;
      await sessions.signIn(request, { uid: user.uid, signInEpoch, isNew });
      return redirect(returnTo(arrival.kept['to']) ?? '/login');
    });

    router.get(`/login/${id}`, begin);
    router.route(callback).all(onlyGet).get(sessions.open, finish);
  }
  return router;
}
