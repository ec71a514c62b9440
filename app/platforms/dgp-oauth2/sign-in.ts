/** The addresses that people's browsers come to: where a sign-in begins, and where it ends. */
import { type Answer, page } from '../../http/answer.ts';
import type { Arrival, ArrivalProblem, Browser, Endpoint } from '../../http/endpoint.ts';
import { accepted } from '../../verification/verdict.ts';
import { reading, type Services } from '../platform.ts';
import { tell } from './extensions.ts';
import type { NamedExtension } from './modules.ts';
import { allowedNext, withOutcome } from './next.ts';
import { userInfo } from './profile.ts';
import { references } from './reference.ts';

export const paths = { login: '/auth/login', callback: '/auth/oauth_callback' } as const;

/** Those that come back to the original's address. */
const originals = ['local', 'google', 'github'];

/**
 * Where the provider sends the browser back. Providers that share an address must trust each other: one could pass off the
 * answer of another as its own (RFC 9700 §4.4). So the partner's own ones have one each.
 */
const callbackOf = (provider: string): `/${string}` =>
  originals.includes(provider) ? paths.callback : `${paths.callback}/${provider}`;

const style =
  'body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem;color:#1c2330;background:#fff}h1{font-size:1.5rem}';

/** A page that only says something. Both texts are ours, and plain. */
const message = (status: number, title: string, text: string): Answer =>
  page(
    status,
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${style}</style></head><body><main><h1>${title}</h1><p>${text}</p></main></body></html>`,
  );

const nextRefused = message(
  400,
  'You cannot be sent there',
  'The app asked to send you, once signed in, to an address that is not on the list of this server. Tell the people who make the app: its origin belongs into DGP_NEXT_ORIGINS.',
);

/** Nobody waits for a token, so there is none. */
const done = message(200, 'You are signed in', 'You can close this page and go back to the app.');

/** 302: the original's; to an address that may have a token in it. */
const sendTo = (location: string): Answer => ({
  status: 302,
  headers: { Location: location, 'Referrer-Policy': 'no-referrer' },
  body: '',
});

/** What the app is told (RFC 6749 §4.1.2.1), and what the person is where there is no app to go back to. */
const problems: Readonly<Record<ArrivalProblem, { error: string; status: number; text: string }>> =
  {
    'not-begun-here': {
      error: 'invalid_request',
      status: 400,
      text: 'This sign-in was not begun in this browser, or too long ago. Go back to the app and try again.',
    },
    denied: {
      error: 'access_denied',
      status: 403,
      text: 'The sign-in was cancelled. Go back to the app to try again.',
    },
    unavailable: {
      error: 'temporarily_unavailable',
      status: 502,
      text: 'The other side could not be reached, or gave no usable answer. Try again in a moment.',
    },
    refused: { error: 'access_denied', status: 403, text: 'Your account cannot be used here.' },
  };

type Options = {
  readonly origins: readonly string[];
  /** Of a client token, in seconds. */
  readonly ttl: number;
  readonly extensions: () => Promise<readonly NamedExtension[]>;
};

export function signInEndpoints(
  services: Services,
  { origins, ttl, extensions }: Options,
): readonly Endpoint[] {
  const { clientTokens, providers, reportFault } = services;

  async function tellExtensions({ user, isNew }: Extract<Arrival, { user: unknown }>) {
    const listeners = await extensions();
    const user_info = await userInfo(user, services);
    if (isNew) await tell(listeners, 'on_new_user', user_info, reportFault);
    await tell(listeners, 'on_user_login', user_info, reportFault);
  }

  async function arrive(browser: Browser, path: `/${string}`): Promise<Answer> {
    const arrival = await browser.arrival(path);
    const next = arrival.kept?.['next'];
    if ('problem' in arrival) {
      const { error, status, text } = problems[arrival.problem];
      if (next === undefined) return message(status, 'You are not signed in', text);
      return sendTo(withOutcome(next, 'error', error));
    }
    const { user, signInEpoch } = arrival;
    const answer =
      next === undefined
        ? done
        : sendTo(withOutcome(next, 'jwt', await clientTokens.issue(user.uid, ttl, signInEpoch)));
    await tellExtensions(arrival);
    return { ...answer, verdict: accepted(user) };
  }

  return [
    {
      path: paths.login,
      methods: ['GET'],
      ...reading(references.login, ({ parameters: { provider, next = '' } }, { browser }) => {
        const known = providers.find(({ id }) => id === provider);
        if (!known) {
          return message(404, 'Nobody can sign in there', 'Go back to the app and try again.');
        }
        const to = { provider: known.id, callback: callbackOf(known.id) };
        if (next === '') return browser.signIn({ ...to, kept: {} });
        const onward = allowedNext(next, origins);
        if (onward === undefined) return nextRefused;
        return browser.signIn({ ...to, kept: { next: onward }, onward });
      }),
    },
    ...[...new Set([paths.callback, ...providers.map(({ id }) => callbackOf(id))])].map(
      (path): Endpoint => ({
        path,
        methods: ['GET'],
        head: false,
        reference: references.callback,
        answer: ({ browser }) => arrive(browser, path),
      }),
    ),
  ];
}
