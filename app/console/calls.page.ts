import { type Answer, json, redirect } from '../http/answer.ts';
import { loggablePath } from '../http/request-log.ts';
import type { Call } from './calls.ts';
import { base, type House, type Page, type Visit } from './page.ts';
import { editable, methods, replay } from './replay.ts';
import { curlOf, shownCall } from './shown-call.ts';
import { protectiveHeaders } from './views.ts';

const pageOf = ({ id }: Call) => `${base}/calls/${id}`;

/** Browsers send every line break of a form as CRLF, whatever it was. */
function bodyFrom(field: string, { request: { body } }: Call): string {
  const plain = (text: string) => text.replaceAll('\r\n', '\n');
  return plain(field) === plain(body.text) ? body.text : plain(field);
}

/** `/console/calls/:id`: one call, why it was answered so, and the same again. */
export function callPages({ calls }: House): Page[] {
  /** The call that the path names. One that has left the log is not there any more. */
  const withCall =
    (handle: (call: Call, visit: Visit) => Answer | Promise<Answer>) =>
    (visit: Visit): Answer | Promise<Answer> => {
      const { id = '' } = visit.params;
      const call = /^\d{1,15}$/.test(id) ? calls.find(Number(id)) : undefined;
      return call ? handle(call, visit) : visit.render('not-found', {}, { status: 404 });
    };

  function show(call: Call, visit: Visit, problem?: string): Answer {
    const beside = visit.query['part'] !== undefined;
    const it = { call: shownCall(call), beside, problem };
    const status = problem === undefined ? 200 : 422;
    return visit.render(beside ? 'call-part' : 'call', it, { status });
  }

  const note = (
    { id, platform, request }: Call,
    { audit }: Visit,
    { method, url }: { readonly method: string; readonly url: string } = request,
  ) =>
    audit('console.replay', `call:${id}`, {
      platform: platform.id,
      request: `${method} ${loggablePath(url)}`,
    });

  return [
    {
      path: '/latest',
      get() {
        const latest = calls.latest();
        return redirect(latest ? pageOf(latest) : `${base}/log`);
      },
    },
    { path: '/calls/:id', get: withCall((call, visit) => show(call, visit)) },
    {
      path: '/calls/:id/curl',
      get: withCall((call) => ({
        status: 200,
        headers: { 'Content-Type': 'text/plain; charset=utf-8', ...protectiveHeaders },
        body: curlOf(call),
      })),
    },
    {
      path: '/calls/:id/replay',
      post: withCall(async (call, visit) => {
        await note(call, visit);
        const replayed = await replay(calls, call, undefined, visit.request.socket);
        return 'call' in replayed
          ? redirect(pageOf(replayed.call))
          : show(call, visit, replayed.problem);
      }),
    },
    {
      path: '/calls/:id/edit',
      get: withCall((call, visit) =>
        visit.render('call-edit', { call: shownCall(call), edited: editable(call), methods }),
      ),
      post: withCall(async (call, visit) => {
        const { method = call.request.method, url = '', headers = '', body = '' } = visit.form;
        const edited = { method, url: url.trim(), headers, body: bodyFrom(body, call) };
        await note(call, visit, edited);
        const replayed = await replay(calls, call, edited, visit.request.socket);
        if ('call' in replayed) return redirect(pageOf(replayed.call));
        const it = { call: shownCall(call), edited, methods, problem: replayed.problem };
        return visit.render('call-edit', it, { status: 422 });
      }),
    },
    {
      path: '/api/calls/:id',
      get: ({ params: { id } }) => {
        const call = calls.find(Number(id));
        return call
          ? json(200, call, protectiveHeaders)
          : json(404, { error: 'There is no such call, or not any more.' }, protectiveHeaders);
      },
    },
  ];
}
