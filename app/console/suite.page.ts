import { redirect } from '../http/answer.ts';
import { UsageError } from '../scenarios/selection.ts';
import { createWatch, lagsBehind } from './events.ts';
import type { House, Page, Section, Visit } from './page.ts';
import { type Asked, createSuite, type SuiteRun, type Suiting } from './suite.ts';
import {
  isFailed,
  runHref,
  runLine,
  shownFailure,
  shownResult,
  shownRun,
  shownVerdict,
} from './suite-shown.ts';
import { html, views } from './views.ts';

/** Of a form: a box for each platform, and for rows and stories. */
const askedOf = (form: Visit['form'], platforms: readonly string[]): Asked => ({
  platforms: platforms.filter((id) => form[`platform-${id}`] !== undefined),
  tags: (['row', 'story'] as const).filter((tag) => form[tag] !== undefined),
  level: form['level'] === 'documented' ? 'documented' : 'all',
});

/**
 * The policy that the report has in itself: it names the one style sheet and the one script in it. What a `<meta>` cannot
 * say is added: it is shown in no frame, and as a stranger's page, which can do nothing with the console.
 */
function reportPolicy(report: string): string {
  const meta = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(report)?.[1];
  const own = meta?.replaceAll('&#39;', "'") ?? "default-src 'none'";
  return `${own}; frame-ancestors 'none'; sandbox allow-scripts`;
}

/** What came after the first `known` results, for a page that shows those. */
const newsOf = (run: SuiteRun, known: number) =>
  run.results.slice(known).map((result, index) => ({
    platform: result.platform,
    row: views.render('suite-row', shownResult(result)),
    failure: isFailed(result) ? views.render('suite-failure', shownFailure(result)) : undefined,
    played: known + index + 1,
  }));

function suitePages(house: House & Suiting): Page[] {
  const suite = createSuite(house);
  const watch = createWatch(house.lifecycle);
  const platforms = house.platforms.map(({ platform: { id, title } }) => ({ id, title }));
  const titles = new Map(platforms.map(({ id, title }) => [id, title]));

  function choose(visit: Visit, asked: Asked, problem?: string) {
    const running = suite.underWay();
    const it = {
      asked,
      problem,
      running: running && runLine(running, titles),
      runs: suite.runs().map((run) => runLine(run, titles)),
      platforms: platforms.map(({ id, title }) => ({
        id,
        title,
        count: suite.entries.filter(({ platform }) => platform.id === id).length,
      })),
      count: suite.entries.length,
    };
    return visit.render('suite', it, problem === undefined ? {} : { status: 422 });
  }

  const ids = platforms.map(({ id }) => id);

  const withRun =
    <Result>(handle: (run: SuiteRun, visit: Visit) => Result) =>
    (visit: Visit) => {
      const { id } = visit.params;
      const run = suite.runs().find((one) => String(one.id) === id);
      return run ? handle(run, visit) : visit.render('suite-gone', {}, { status: 404 });
    };

  return [
    {
      path: '/suite',
      get: (visit) => choose(visit, askedOf(visit.query, ids)),
      async post(visit) {
        const asked = askedOf(visit.form, ids);
        const running = suite.underWay();
        if (running) return redirect(`${runHref(running)}?done=suite-busy`);
        try {
          const run = suite.start(asked);
          await visit.audit('console.suite', `run:${run.id}`, {
            platforms: asked.platforms.join(' ') || 'all',
            level: asked.level,
            selected: run.entries.length,
          });
          return redirect(runHref(run));
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
          return choose(visit, asked, 'Nothing is like that: choose more.');
        }
      },
    },
    {
      path: '/suite/runs/:id',
      get: withRun((run, visit) => visit.render('suite-run', shownRun(run, titles))),
    },
    {
      path: '/suite/runs/:id/cancel',
      post: withRun(async (run, visit) => {
        if (run.ended !== undefined) return redirect(runHref(run));
        await visit.audit('console.cancel', `run:${run.id}`, { played: run.results.length });
        await run.cancel();
        return redirect(`${runHref(run)}?done=suite-cancelled`);
      }),
    },
    {
      path: '/suite/runs/:id/events',
      get: withRun((run, visit) =>
        watch(visit, (session) => {
          let known = Math.min(Number(session.lastId) || 0, run.results.length);
          const tell = () => {
            if (lagsBehind(visit)) {
              visit.response.end();
              return;
            }
            for (const { played, ...news } of newsOf(run, known)) {
              known = played;
              session.push({ ...news, verdict: shownVerdict(run).text }, 'result', String(played));
            }
            if (run.ended === undefined) return;
            session.push({}, 'over', String(known));
            visit.response.end();
          };
          tell();
          return run.listen(tell);
        }),
      ),
    },
    {
      path: '/suite/runs/:id/report',
      get: withRun(({ ended }, visit) => {
        if (ended === undefined || ended === 'fault') {
          return visit.render('suite-gone', {}, { status: 404 });
        }
        const { report } = ended;
        return html(200, report, { 'Content-Security-Policy': reportPolicy(report) });
      }),
    },
  ];
}

/** Where it cannot be started. */
const explanation = ({ config: { production } }: House): Page => ({
  path: '/suite',
  get: (visit) => visit.render('suite-elsewhere', { production }),
});

/** `/console/suite`: every rule of the platforms' contracts, played. */
export const suiteSection: Section = {
  title: 'Suite',
  path: '/suite',
  icon: 'suite',
  pages: (house) => {
    const { startBackend } = house;
    return startBackend ? suitePages({ ...house, startBackend }) : [explanation(house)];
  },
};
