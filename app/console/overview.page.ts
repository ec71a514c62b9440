import { base, type Section } from './page.ts';
import { shownRow } from './shown-call.ts';

/** Calls that are shown here; the log has all. */
const newest = 6;

/** `/console`: what this backend is, whom it answers, and what came last. */
export const overviewSection: Section = {
  title: 'Overview',
  path: '/',
  icon: 'overview',
  pages: ({ platforms, services, calls, config, issuer }) => [
    {
      path: '/',
      async get(visit) {
        const { prisma, provider } = services.database;
        const [users, suspended, groups] = await Promise.all([
          prisma.user.count(),
          prisma.user.count({ where: { status: 'suspended' } }),
          prisma.group.count(),
        ]);
        const all = calls.all();
        return visit.render('overview', {
          issuer,
          users,
          suspended,
          groups,
          database: provider === 'sqlite' ? 'SQLite' : 'PostgreSQL',
          demonstration: !config.production,
          calls: all.slice(0, newest).map(shownRow),
          more: all.length - newest,
          platforms: platforms.map(({ platform: { id, title, docs }, endpoints }) => {
            const own = all.filter(({ platform }) => platform.id === id);
            const [last] = own;
            return {
              title,
              docs,
              log: `${base}/log?platform=${id}`,
              endpoints: endpoints.map(({ methods, path }) => ({
                methods: methods.join(', '),
                path,
              })),
              calls: own.length,
              last: last && shownRow(last),
            };
          }),
        });
      },
    },
  ],
};
