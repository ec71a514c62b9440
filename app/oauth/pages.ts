/**
 * The pages that people see: sign in, consent, device. Plain HTML forms: they work without JavaScript, carry a CSRF token
 * each, and load nothing from anywhere.
 */
import { type Request, type RequestHandler, type Response, Router } from 'express';
import type passport from 'passport';
import { type Answer, page, redirect, writeAnswer } from '../http/answer.ts';
import { BadRequest, parametersOf, readBody } from '../http/body.ts';
import { tellFaultsAs } from '../http/faults.ts';
import { noteVerdict } from '../http/request-log.ts';
import type { User } from '../verification/verdict.ts';
import type { UserStore, Verify } from '../verification/verify.ts';
import type { LimitUserCodes } from './attempts.ts';
import {
  type AuthorizationRequest,
  authorizationRequest,
  destination,
  formActionSource,
  redirectTo,
} from './authorization-request.ts';
import type { FormRequest } from './client-authentication.ts';
import type { CookieSignIns } from './cookie-sign-ins.ts';
import { csrfField, csrfToken, isOurForm } from './csrf.ts';
import { OAuthError } from './errors.ts';
import type { Client, DeviceState, Grants } from './grants.ts';
import { onlyMethods, paths } from './router.ts';
import { newToken, plainUserCode } from './secrets.ts';
import type { Sessions } from './sessions.ts';
import { checkSignIn, here, type Preset, type ReturnTo, signedIn, stateIn } from './sign-in.ts';
import { later } from './tokens.ts';
import { views } from './views.ts';

export const pagePaths = { login: '/login', logout: '/logout' } as const;

export type PageServices = {
  readonly issuer: string;
  readonly grants: Grants;
  readonly findUser: UserStore['findUser'];
  readonly verify: Verify;
  readonly sessions: Sessions;
  readonly returnTo: ReturnTo;
  readonly signIns: CookieSignIns;
  readonly limitUserCodes: LimitUserCodes;
  readonly presets: () => Promise<readonly Preset[]>;
  /** Where else people can sign in: each at `/login/<id>`. */
  readonly upstreams: readonly { readonly id: string; readonly title: string }[];
  /** Seconds. */
  readonly codeLifetime: number;
  readonly now: () => Date;
};

/** What a scope lets a client do, for people. One that is not here is shown by its name. */
const scopeMeanings: Readonly<Record<string, string>> = {
  verify: 'Sign you in at the services it works with',
  openid: 'Know that it is you who signed in',
  profile: 'See your name and your user name',
  email: 'See your e-mail address',
  'userid-feide': 'See your user name in the form name@domain',
};

const meanings = (scope: readonly string[]) =>
  scope.map((name) => scopeMeanings[name] ?? `Use the permission “${name}”`);

const queryOf = ({ url }: Pick<Request, 'url'>): string => {
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start + 1);
};

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** The fields of the form; one that is there twice is not there. */
async function formOf(request: Request, response: Response): Promise<FormRequest['form']> {
  if (request.method !== 'POST') return {};
  if (!request.is('application/x-www-form-urlencoded')) {
    throw new BadRequest(415, 'Only forms are read here.');
  }
  const body = (await readBody(request, response, 'any')) ?? {};
  return Object.fromEntries(
    Object.entries(body).filter((field): field is [string, string] => typeof field[1] === 'string'),
  );
}

const minutes = (seconds: number) =>
  seconds <= 60 ? 'a minute' : `${Math.ceil(seconds / 60)} minutes`;

const stale = 'This page was out of date. Please try again.';

export function pagesRouter(authenticator: passport.Authenticator, services: PageServices): Router {
  const { issuer, grants, findUser, verify, sessions, returnTo, presets, now } = services;

  type Handle = (request: FormRequest, response: Response) => Promise<Answer>;
  type Extra = { status?: number; headers?: Record<string, string>; formAction?: string[] };

  const render = (view: string, it: object, { status = 200, ...options }: Extra = {}) =>
    page(status, views.render(view, { csrfField, ...it }), options);

  /** A page that only says something. */
  type Message = { title: string; text: string; link?: { href: string; text: string } };
  const message = (status: number, it: Message) => render('message', it, { status });

  /** The user who is signed in. A session whose user is suspended or gone is over. */
  async function current(request: Request): Promise<User | undefined> {
    const user = await signedIn(request, findUser);
    if (!user && request.session.uid !== undefined) await sessions.restart(request);
    return user;
  }

  /** The address that signs in there, and then goes on to the same page as the form would. */
  const upstreamLinks = (to: string | undefined) =>
    services.upstreams.map(({ id, title }) => {
      const query = to === undefined ? '' : `?${new URLSearchParams({ return_to: to })}`;
      return { title, href: `${pagePaths.login}/${id}${query}` };
    });

  type SignIn = { to: string | undefined; login?: string; problem?: string; notice?: string };

  /** Where the browser may go on to from this server, once the form has signed it in; and how to call that off. */
  async function waiting(request: Request, to: string | undefined) {
    if (to?.startsWith(`${paths.authorize}?`)) {
      const asking = await destination(queryOf({ url: to }), grants.findClient);
      return (
        asking && { app: asking.client.name, formAction: formActionSource(asking.redirectUri) }
      );
    }
    const state = stateIn(to);
    const begun = state === undefined ? undefined : await services.signIns.find(request, state);
    return begun && { formAction: begun.formAction, cancel: `${to}&error=access_denied` };
  }

  async function signInPage(request: Request, { to, ...it }: SignIn, extra: Extra = {}) {
    const asking = await waiting(request, to);
    return render(
      'sign-in',
      {
        ...it,
        action: pagePaths.login,
        ...asking,
        returnTo: to,
        upstreams: upstreamLinks(to),
        presets: await presets(),
        csrf: csrfToken(request),
      },
      { ...extra, formAction: asking?.formAction ? [asking.formAction] : [] },
    );
  }

  // ── /login, /logout

  const showSignIn: Handle = async (request) => {
    const { return_to, signed_out } = parametersOf(queryOf(request));
    const to = returnTo(text(return_to));
    const user = await current(request);
    if (!user) {
      const notice = signed_out === undefined ? {} : { notice: 'You are signed out.' };
      return signInPage(request, { to, ...notice });
    }
    if (to) return redirect(to);
    const it = { user, logout: pagePaths.logout, csrf: csrfToken(request) };
    return render('signed-in', it);
  };

  const signIn: Handle = async (request, response) => {
    const { form } = request;
    const to = returnTo(form['return_to']);
    const again = (problem: string, extra: Extra) =>
      signInPage(request, { to, login: form['login'] ?? '', problem }, extra);

    if (!isOurForm(request)) {
      // Most likely another tab has signed in since.
      if (await current(request)) return redirect(to ?? pagePaths.login);
      return again(stale, { status: 403 });
    }
    const verdict = await checkSignIn(authenticator, verify, request, response);
    if (verdict.accepted) {
      const { user, signInEpoch } = verdict;
      await sessions.signIn(request, { uid: user.uid, signInEpoch });
      return { ...redirect(to ?? pagePaths.login), verdict };
    }
    const { because, retryAfter = 60 } = verdict;
    const answer =
      because === 'too-many-attempts'
        ? await again(`Too many attempts. Please try again in ${minutes(retryAfter)}.`, {
            status: 429,
            headers: { 'Retry-After': String(retryAfter) },
          })
        : await again('The user name or the password is wrong.', { status: 403 });
    return { ...answer, verdict };
  };

  const signOut: Handle = async (request, response) => {
    const to = returnTo(request.form['return_to']);
    if (request.session.uid !== undefined) {
      if (!isOurForm(request)) return outOfDate(pagePaths.login);
      await sessions.end(request, response);
    }
    return redirect(to ?? `${pagePaths.login}?signed_out=1`);
  };

  const outOfDate = (href: string) =>
    message(403, { title: 'Please try again', text: stale, link: { href, text: 'Try again' } });

  // ── /oauth/authorize

  /** Steps of an authorization request: errors go to the client, but for those where it is not known who that is. */
  async function forClient(
    query: string,
    answer: (asked: AuthorizationRequest) => Promise<Answer>,
  ): Promise<Answer> {
    const to = await destination(query, grants.findClient);
    if (!to) {
      return message(400, {
        title: 'This app cannot sign you in',
        text: 'It is not registered here, or it asked to send you to an address that is not registered for it. Tell the people who make the app.',
      });
    }
    try {
      return await answer(authorizationRequest(to, query));
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      const { code, description } = error;
      return redirect(redirectTo(to, issuer, { error: code, error_description: description }));
    }
  }

  async function allow(asked: AuthorizationRequest, { session }: Request, { uid }: User) {
    const { client, scope, resource, givenRedirectUri, codeChallenge } = asked;
    const code = newToken();
    await grants.authorize(
      { clientId: client.id, uid, signInEpoch: session.signInEpoch, scope, resource },
      {
        code,
        redirectUri: givenRedirectUri,
        codeChallenge,
        expiresAt: later(now(), services.codeLifetime),
      },
    );
    return redirect(redirectTo(asked, issuer, { code }));
  }

  const authorize: Handle = (request) => {
    const query = queryOf(request);
    return forClient(query, async (asked) => {
      const user = await current(request);
      if (!user) return signInPage(request, { to: here(request) });
      const { client, scope, redirectUri } = asked;
      if (client.firstParty) return allow(asked, request, user);
      const { host, protocol } = new URL(redirectUri);
      const it = {
        action: paths.authorize,
        app: client.name,
        meanings: meanings(scope),
        // An app's own scheme has no host to show.
        goesTo: /^https?:$/.test(protocol) ? host : undefined,
        user,
        query,
        logout: pagePaths.logout,
        returnTo: here(request),
        csrf: csrfToken(request),
      };
      return render('consent', it, { formAction: [formActionSource(redirectUri)] });
    });
  };

  const decide: Handle = (request) => {
    const { request: query = '', decision } = request.form;
    const again = returnTo(here({ originalUrl: `${paths.authorize}?${query}` }));
    return forClient(query, async (asked) => {
      const user = await current(request);
      if (!user) return signInPage(request, { to: again });
      if (!isOurForm(request)) return outOfDate(again ?? pagePaths.login);
      if (decision === 'allow') return allow(asked, request, user);
      throw new OAuthError('access_denied', 'The user has denied it.');
    });
  };

  // ── /device (RFC 8628 §3.3)

  type Pending = { readonly device: DeviceState; readonly client: Client };

  async function pending(userCode: string): Promise<Pending | undefined> {
    const device = await grants.findDevice({ userCode });
    if (!device || device.grant || device.denied || device.used) return undefined;
    const client = device.expiresAt > now() ? await grants.findClient(device.clientId) : undefined;
    return client && { device, client };
  }

  type EnterCode = { userCode?: string; problem?: string };
  const codePage = (request: Request, it: EnterCode, extra?: Extra) =>
    render('device', { ...it, action: paths.device, csrf: csrfToken(request) }, extra);

  const askForCode: Handle = async (request) => {
    if (!(await current(request))) return signInPage(request, { to: here(request) });
    const userCode = text(parametersOf(queryOf(request))['user_code'])?.slice(0, 20) ?? '';
    return codePage(request, { userCode });
  };

  const takeCode: Handle = async (request) => {
    const { user_code: typed = '', decision } = request.form;
    const user = await current(request);
    if (!user) return signInPage(request, { to: paths.device });
    if (!isOurForm(request)) return outOfDate(paths.device);

    const userCode = plainUserCode(typed.slice(0, 40));
    const by = { uid: user.uid, address: request.ip ?? '' };
    const looked = await services.limitUserCodes(by, () => pending(userCode));
    if ('retryAfter' in looked) {
      const problem = `Too many wrong codes. Please try again in ${minutes(looked.retryAfter)}.`;
      const headers = { 'Retry-After': String(looked.retryAfter) };
      return codePage(request, { problem }, { status: 429, headers });
    }
    const wrong = () => {
      const problem = 'This code is wrong, used, or too old. Look at your device again.';
      return codePage(request, { userCode: typed.slice(0, 20), problem }, { status: 400 });
    };
    if (!looked.found) return wrong();

    const { device, client } = looked.found;
    if (decision === undefined) {
      const it = {
        action: paths.device,
        app: client.name,
        meanings: meanings(device.scope),
        userCode: `${userCode.slice(0, 4)}-${userCode.slice(4)}`,
        user,
        logout: pagePaths.logout,
        csrf: csrfToken(request),
      };
      return render('device-consent', it);
    }
    if (decision === 'allow') {
      const { uid } = user;
      const { scope } = device;
      const { signInEpoch } = request.session;
      const grant = { clientId: client.id, uid, signInEpoch, scope, resource: undefined };
      if (!(await grants.allowDevice(userCode, grant))) return wrong();
      return message(200, {
        title: 'Your device is connected',
        text: `${client.name} can go on now. You can close this page and return to your device.`,
      });
    }
    if (!(await grants.denyDevice(userCode))) return wrong();
    return message(200, {
      title: 'Your device is not connected',
      text: `You have denied it to ${client.name}. You can close this page.`,
    });
  };

  // ── where they meet Express

  const faultsAsPages: RequestHandler = (_request, response, next) => {
    tellFaultsAs(response, ({ status, requestId, headers }) =>
      render(
        'message',
        {
          title: status === 503 ? 'Please try again in a moment' : 'Something went wrong',
          text: `This is our fault, not yours. If it stays like this, tell us this number: ${requestId}`,
        },
        { status, headers },
      ),
    );
    next();
  };

  const answering =
    (handle: Handle): RequestHandler =>
    async (request, response) => {
      const before = request.session.csrfToken;
      let answer: Answer;
      try {
        const form = await formOf(request, response);
        answer = await handle(Object.assign(request, { form }), response);
      } catch (error) {
        if (!(error instanceof BadRequest)) throw error;
        answer = message(error.status, {
          title: 'This did not work',
          text: error.message,
        });
      }
      // Before the answer: what cannot be stored is a fault that can still be told.
      const token = request.session?.csrfToken;
      if (token !== undefined && token !== before) await sessions.save(request);
      if (answer.verdict) noteVerdict(response, answer.verdict);
      writeAnswer(response, answer);
    };

  const router = Router({ caseSensitive: true, strict: true });
  const route = (path: string, handles: { get?: Handle; post: Handle }) => {
    const { get, post } = handles;
    const methods = router.route(path);
    const opened = [faultsAsPages, sessions.open];
    if (get) methods.get(opened, answering(get));
    methods.post(opened, answering(post));
    methods.all(onlyMethods(get ? 'GET, HEAD, POST' : 'POST'));
  };
  route(pagePaths.login, { get: showSignIn, post: signIn });
  route(pagePaths.logout, { post: signOut });
  route(paths.authorize, { get: authorize, post: decide });
  route(paths.device, { get: askForCode, post: takeCode });
  return router;
}
