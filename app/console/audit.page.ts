import { trailPage } from '../store/audit-search.ts';
import type { Database } from '../store/database.ts';
import { idOf } from '../store/user-search.ts';
import { base, type House, type Page } from './page.ts';

/** Events on one page. */
const size = 50;

/** A page of the trail, as the views show it. */
export async function shownTrail(database: Database, asked: Parameters<typeof trailPage>[1]) {
  const { events, next } = await trailPage(database, asked);
  return {
    next,
    events: events.map(({ id, at, actor, action, target, detail }) => ({
      ...{ id, actor, action, target, detail: Object.entries(detail) },
      at: at.toISOString(),
      time: at.toISOString().slice(0, 19).replace('T', ' '),
      href: `${base}/audit?${new URLSearchParams({ target })}`,
    })),
  };
}

/** `/console/audit`: who changed what, and when. */
export const auditPages = ({ services: { database } }: House): Page[] => [
  {
    path: '/audit',
    async get(visit) {
      const target = visit.query['target']?.replaceAll('\0', '').toWellFormed() || undefined;
      const before = idOf(visit.query['before']);
      const asked = { target, limit: size, ...(before === 0 ? {} : { before }) };
      const { events, next } = await shownTrail(database, asked);
      const older = new URLSearchParams({ ...(target ? { target } : {}), before: `${next}` });
      return visit.render('audit', {
        events,
        target,
        older: next === undefined ? undefined : `${base}/audit?${older}`,
        newest: before === 0,
        tab: 'audit',
      });
    },
  },
];
