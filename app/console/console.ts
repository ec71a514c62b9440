/**
 * The console: what people open in front of a customer. Pages are rendered here, and work without JavaScript where they
 * only show; scripts of our own origin add what is live. Who may open it: access.ts.
 *
 * To add a page:
 *
 * 1. `app/console/<name>.ts` exports a `Section`: its title and icon in the navigation, and its pages. A page is a path
 *    beneath /console with `get`, and `post` for what it does. Copy chaos.page.ts, the smallest that has both.
 *    - `get` returns `visit.render('<name>', { … })`.
 *    - `post` is only called for a form of ours by somebody who may act. It does its work with `visit.actor` as the actor,
 *      calls `visit.audit()` unless what it called does, and returns `redirect(…)` to a page that shows the result. Say what
 *      was done with `?done=<word>` and a sentence in `notices`, below.
 *    - What it shows of calls comes from `house.calls`, where secrets are placeholders. Show no token, password or secret
 *      from anywhere else.
 * 2. `app/console/views/<name>.eta` begins with `<% layout('./layout', { title: '…' }) %>`. In forms:
 *    `<%~ include('./csrf', it) %>`. `<%= %>` escapes; `<%~ %>` does not, and is for `include` alone. There are no inline
 *    styles and scripts: the policy stops them. The classes there are: assets/base.css and assets/console.css. More:
 *    `layout('./layout', { title, styles: ['<name>.css'], scripts: ['<name>.js'] })`, files of app/console/assets.
 * 3. A line in `sections`, below.
 *
 * Ready to use in any view (assets/console.js, which does nothing where they are not there):
 * - `<button data-copy="#id">` copies the text of that element; `data-copy-text="…"` that text. Without JavaScript it is hidden.
 * - `<time data-ago datetime="ISO">` keeps saying how long ago.
 * - `import { say } from './say.js'` announces and shows a short message; `fragmentOf` of './fragment.js' fetches a part of a
 *   page; `submit` of './submit.js' sends a form and returns the page it led to; `onKey` of './keys.js' adds a key, and its line in the help.
 */
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { type Answer, json, redirect, writeAnswer } from '../http/answer.ts';
import { BadRequest, parametersOf, readBody } from '../http/body.ts';
import { tellFaultsAs } from '../http/faults.ts';
import type { FormRequest } from '../oauth/client-authentication.ts';
import { csrfField, csrfToken, isOurForm } from '../oauth/csrf.ts';
import { pagePaths } from '../oauth/pages.ts';
import type { Sessions } from '../oauth/sessions.ts';
import { here, signedIn } from '../oauth/sign-in.ts';
import { record } from '../store/audit.ts';
import { type Access, access, isFromElsewhere, isLocal, type Rules } from './access.ts';
import { consoleAssets } from './assets.ts';
import { chaosSection } from './chaos.page.ts';
import { connectSection } from './connect.page.ts';
import { flowsSection } from './flows.page.ts';
import { logSection } from './log.page.ts';
import { matrixSection } from './matrix.page.ts';
import { overviewSection } from './overview.page.ts';
import { base, type Handle, type House, type Page, type Section, type Visit } from './page.ts';
import { suiteSection } from './suite.page.ts';
import { userNotices, usersSection } from './users.page.ts';
import { html, views } from './views.ts';

/** The navigation, in its order. */
const sections: readonly Section[] = [
  overviewSection,
  flowsSection,
  matrixSection,
  logSection,
  suiteSection,
  chaosSection,
  usersSection,
  connectSection,
];

/** What `?done=<word>` says; in `undo`, `:name` is what it is in the path of the page. */
const notices: Readonly<Record<string, { readonly text: string; readonly undo?: string }>> = {
  'platform-reset': { text: 'The platform is as new: it knows no users, devices and apps.' },
  cleared: { text: 'The log is cleared.', undo: '/log/restore' },
  restored: { text: 'The calls are back.' },
  ...userNotices,
  disarmed: { text: 'Disarmed.' },
  'suite-busy': { text: 'One run at a time: this one is under way.' },
  'suite-cancelled': { text: 'Cancelled. Its backend is gone.' },
};

export type ConsoleServices = House & {
  readonly rules: Rules;
  readonly sessions: Sessions;
  /** For browsers on this machine, which reach us by http whatever the world does. */
  readonly localSessions: Sessions;
  /** Logins of users with a password that everybody can read. */
  readonly publicLogins: () => Promise<readonly string[]>;
  readonly isOnlyKnownElsewhere: (user: { readonly uid: number }) => Promise<boolean>;
};

const noticeOf = (done: string | undefined, params: Visit['params']) => {
  const notice = done !== undefined && Object.hasOwn(notices, done) ? notices[done] : undefined;
  const undo = notice?.undo?.replace(/:(\w+)/g, (_all, name: string) =>
    encodeURIComponent(params[name] ?? ''),
  );
  return notice && { text: notice.text, undo };
};

type Asked = {
  readonly request: Request;
  readonly response: Response;
  /** Undefined: none of them. */
  readonly section: Section | undefined;
};

const single = (parameters: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(parameters).filter((one): one is [string, string] => typeof one[1] === 'string'),
  );

const queryOf = ({ url }: Request) => {
  const start = url.indexOf('?');
  return single(parametersOf(start === -1 ? '' : url.slice(start + 1)));
};

async function formOf(request: Request, response: Response): Promise<Record<string, string>> {
  if (!request.is('application/x-www-form-urlencoded')) {
    throw new BadRequest(415, 'Only forms are read here.');
  }
  return single(((await readBody(request, response, 'any')) ?? {}) as Record<string, unknown>);
}

const refusals = {
  'not-here': { status: 403, title: 'The console is only open on the machine it runs on' },
  'signed-out': { status: 401, title: 'Sign in to open the console' },
  'not-an-admin': { status: 403, title: 'You may not open the console' },
  'public-password': { status: 403, title: 'Your password is public' },
  'no-password': { status: 403, title: 'You have no password here' },
} as const;

/** `/console` and what is beneath it. */
export function consoleRouter(services: ConsoleServices): Router {
  const { issuer, rules, services: house, sessions, localSessions } = services;
  const assets = consoleAssets(base);

  const sessionsFor = (request: Request) =>
    rules.local && isLocal(request) ? localSessions : sessions;

  const alone = (view: string, status: number, it: object, headers = {}) =>
    html(status, views.render(view, { ...it, assets: assets.path }), headers);

  const message = (status: number, title: string, text: string, headers = {}) =>
    alone('message', status, { title, text }, headers);

  function refuse(request: Request, found: Extract<Access, { open: false }>): Answer {
    const { status, title } = refusals[found.because];
    const signIn = `${pagePaths.login}?${new URLSearchParams({ return_to: here(request) })}`;
    const asksForPage = request.method === 'GET' && /text\/html/.test(request.headers.accept ?? '');
    if (!asksForPage) return json(status, { error: found.because, message: title });
    if (found.because === 'signed-out') return redirect(signIn);
    return alone('refused', status, {
      title,
      because: found.because,
      user: found.user,
      logout: pagePaths.logout,
      returnTo: base,
      ...(found.user ? { csrf: csrfToken(request), csrfField } : {}),
    });
  }

  function visitOf(
    { request, response, section }: Asked,
    user: Visit['user'],
    form: Visit['form'] = {},
  ): Visit {
    const actor = user ? `user:${user.login}` : 'console';
    const query = queryOf(request);
    const given = (it: object) => ({
      ...it,
      csrf: csrfToken(request),
      csrfField,
      chrome: {
        base,
        assets: assets.path,
        version: house.version,
        issuer,
        nav: sections.map((one) => ({
          title: one.title,
          icon: one.icon,
          href: one.path === '/' ? base : `${base}${one.path}`,
          current: one === section,
        })),
        user,
        logout: pagePaths.logout,
        armed: services.chaos.armed(),
        notice: noticeOf(query['done'], single(request.params)),
      },
    });
    return {
      request,
      response,
      params: single(request.params),
      query,
      form,
      user,
      actor,
      audit: (action, target, detail = {}) =>
        record(house.database.prisma, { actor, action, target, detail }),
      render: (view, it, { status = 200, headers } = {}) =>
        html(status, views.render(view, given(it)), headers),
    };
  }

  /** The visit, or what is sent instead of one. */
  async function admit(asked: Asked): Promise<{ visit: Visit } | { answer: Answer }> {
    const { request, response } = asked;
    if (isFromElsewhere(request, issuer)) {
      return { answer: message(403, 'Not from here', 'A page of another site has sent this.') };
    }
    const user = await signedIn(request, house.users.findUser);
    const { publicLogins, isOnlyKnownElsewhere } = services;
    const found = await access(rules, request, user, publicLogins, isOnlyKnownElsewhere);
    if (!found.open) return { answer: refuse(request, found) };
    if (request.method !== 'POST') return { visit: visitOf(asked, user) };

    const form = await formOf(request, response);
    Object.assign(request, { form } satisfies Partial<FormRequest>);
    if (!isOurForm(request)) {
      const text = 'The page was out of date. Go back, reload it, and try again.';
      return { answer: message(403, 'Please try again', text) };
    }
    return { visit: visitOf(asked, user, form) };
  }

  const answering =
    (handle: Handle, section?: Section): RequestHandler =>
    async (request, response) => {
      const before = request.session.csrfToken;
      let answer: Answer | undefined;
      try {
        const admitted = await admit({ request, response, section });
        answer = 'answer' in admitted ? admitted.answer : await handle(admitted.visit);
      } catch (error) {
        if (!(error instanceof BadRequest)) throw error;
        answer = message(error.status, 'This did not work', error.message);
      }
      if (answer === undefined) return;
      const token = request.session.csrfToken;
      if (token !== undefined && token !== before) await sessionsFor(request).save(request);
      writeAnswer(response, answer);
    };

  const open: RequestHandler = (request, response, next) => {
    tellFaultsAs(response, ({ status, requestId, headers }) => {
      const text = `The server’s log has it, under the number ${requestId}.`;
      return message(status, 'Something went wrong', text, headers);
    });
    sessionsFor(request).open(request, response, next);
  };

  const router = Router({ caseSensitive: true, strict: true });
  router.use(assets.router);
  const route = (section: Section, { path, get, post }: Page) => {
    const methods = router.route(path === '/' ? base : `${base}${path}`);
    if (get) methods.get(open, answering(get, section));
    if (post) methods.post(open, answering(post, section));
    const Allow = [...(get ? ['GET', 'HEAD'] : []), ...(post ? ['POST'] : [])].join(', ');
    methods.all((_request, response) =>
      writeAnswer(response, message(405, 'Not so', `Here only ${Allow} is answered.`, { Allow })),
    );
  };
  for (const section of sections) for (const page of section.pages(services)) route(section, page);
  router.use(
    base,
    open,
    answering((visit) => visit.render('not-found', {}, { status: 404 })),
  );
  return router;
}
