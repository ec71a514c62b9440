import { json, redirect } from '../http/answer.ts';
import { callPages } from './calls.page.ts';
import { type Call, nobody } from './calls.ts';
import { createWatch, lagsBehind } from './events.ts';
import { base, type House, type Page, type Section, type Visit } from './page.ts';
import { shownRow } from './shown-call.ts';
import { protectiveHeaders, views } from './views.ts';

const outcomes = ['accepted', 'refused', 'fault', 'other'] as const;

/** What the query asks for. Empty: all. */
type Filter = {
  readonly platform: string;
  readonly outcome: string;
  /** Part of a login, or a uid. */
  readonly user: string;
  /** `console`: what was played or sent again here. `others`: all else. */
  readonly from: string;
  readonly text: string;
};

const filterOf = ({
  platform = '',
  outcome = '',
  user = '',
  from = '',
  text = '',
}: Visit['query']): Filter => ({
  platform,
  outcome,
  user: user.trim().toLowerCase(),
  from,
  text: text.trim().toLowerCase(),
});

/** Everything that the pages show of a call, to be searched. */
const textOf = ({ requestId, because, request, response, address }: Call) =>
  [
    requestId,
    because ?? '',
    address,
    `${request.method} ${request.url}`,
    request.body.text,
    String(response.status),
    response.body.text,
    ...[...request.headers, ...response.headers].map(([name, value]) => `${name}: ${value}`),
  ]
    .join('\n')
    .toLowerCase();

/** Digits are a uid, and not a part of one. */
const isUser = ({ uid, login }: NonNullable<Call['user']>, asked: string): boolean =>
  /^\d+$/.test(asked) ? [String(uid), login].includes(asked) : login.toLowerCase().includes(asked);

const isFrom = ({ played, replayOf }: Call, from: string): boolean =>
  (from === 'console') === (played || replayOf !== undefined);

const matches = (call: Call, { platform, outcome, user, from, text }: Filter): boolean =>
  (platform === '' || call.platform.id === platform) &&
  (outcome === '' || call.outcome === outcome) &&
  (user === '' || (call.user !== undefined && isUser(call.user, user))) &&
  (from === '' || isFrom(call, from)) &&
  (text === '' || textOf(call).includes(text));

/** Of this process: the ids of its calls say nothing to the next one. */
const run = Date.now().toString(36);

const eventId = (call: Call | undefined) => `${run}-${call?.id ?? 0}`;

const row = (call: Call) => views.render('log-row', { call: shownRow(call), base });

function logPages(house: House): Page[] {
  const { calls, chaos, platforms } = house;
  const watch = createWatch(house.lifecycle);

  const found = (filter: Filter) => calls.all().filter((call) => matches(call, filter));

  const follow = (visit: Visit) =>
    watch(visit, (session) => {
      const filter = filterOf(visit.query);
      const push = (call: Call) => {
        if (matches(call, filter))
          session.push({ id: call.id, row: row(call) }, 'call', eventId(call));
      };
      const [knownRun, last] = session.lastId.split('-');
      if (knownRun === run) {
        for (const call of calls.all().toReversed()) if (call.id > Number(last)) push(call);
      } else {
        session.push({}, 'reset', eventId(calls.latest()));
      }
      const endCalls = calls.listen((event) => {
        if (lagsBehind(visit)) visit.response.end();
        else if ('call' in event) push(event.call);
        else if ('reset' in event) session.push({}, 'reset', eventId(calls.latest()));
      });
      const endChaos = chaos.listen(() => session.push({}, 'armed', eventId(calls.latest())));
      return () => {
        endCalls();
        endChaos();
      };
    });

  return [
    {
      path: '/log',
      get(visit) {
        const filter = filterOf(visit.query);
        return visit.render('log', {
          platforms: [...platforms.map(({ platform: { id, title } }) => ({ id, title })), nobody],
          outcomes,
          filter: visit.query,
          filtered: Object.values(filter).some((value) => value !== ''),
          calls: found(filter).map(shownRow),
          last: eventId(calls.latest()),
        });
      },
    },
    {
      path: '/log/rows',
      get: (visit) =>
        visit.render('log-rows', { calls: found(filterOf(visit.query)).map(shownRow), base }),
    },
    { path: '/log/events', get: follow },
    {
      path: '/log/clear',
      async post(visit) {
        await visit.audit('console.clear', 'log', { calls: calls.all().length });
        calls.clear();
        return redirect(`${base}/log?done=cleared`);
      },
    },
    {
      path: '/log/restore',
      async post(visit) {
        await visit.audit('console.restore', 'log');
        calls.restore();
        return redirect(`${base}/log?done=restored`);
      },
    },
    {
      path: '/api/calls',
      get: (visit) => json(200, { calls: found(filterOf(visit.query)) }, protectiveHeaders),
    },
  ];
}

/** `/console/log`: the calls as they come. */
export const logSection: Section = {
  title: 'Live log',
  path: '/log',
  icon: 'log',
  pages: (house) => [...logPages(house), ...callPages(house)],
};
