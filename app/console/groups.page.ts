import { redirect } from '../http/answer.ts';
import { createDirectory, type Status } from '../store/directory.ts';
import {
  type FoundGroup,
  groupDetails,
  groupPage,
  idOf,
  searchUsers,
} from '../store/user-search.ts';
import { shownTrail } from './audit.page.ts';
import { attempt, noProblem } from './directory-problem.ts';
import { base, type Handle, type House, type Page, type Visit } from './page.ts';
import { pageOf, pager } from './pager.ts';

/** What is shown of each on one page. */
const most = { groups: 50, users: 50, events: 8 };

/** `/console/groups`: users who share one subject at a platform, and one switch. */
export function groupPages(house: House): Page[] {
  const { database, passwords } = house.services;
  const directoryFor = ({ actor }: Visit) => createDirectory(database, passwords, actor);

  async function list(visit: Visit, problem = noProblem) {
    const page = pageOf(visit.query);
    const { groups, total } = await groupPage(database, { page, size: most.groups });
    const it = {
      groups,
      total,
      values: visit.form,
      problem,
      pager: pager('/groups', visit.query, page, Math.ceil(total / most.groups)),
      tab: 'groups',
    };
    return visit.render('groups', it, { status: problem === noProblem ? 200 : 422 });
  }

  const create: Handle = (visit) =>
    attempt(
      async () => {
        const { name = '', subject = '', display_name: displayName = '', services } = visit.form;
        const keys = (services ?? '').split(/[\s,]+/).filter((key) => key !== '');
        const group = await directoryFor(visit).createGroup({
          name: name.trim(),
          subject: subject.trim(),
          displayName: displayName.trim(),
          services: keys,
        });
        const { id } = await database.prisma.group.findUniqueOrThrow({
          where: { name: group.name },
        });
        return redirect(`${base}/groups/${id}?done=group-created`);
      },
      (problem) => list(visit, problem),
    );

  async function show(visit: Visit, group: FoundGroup, problem = noProblem) {
    const target = `group:${group.name}`;
    const asked = { group: group.id, page: pageOf(visit.query), size: most.users };
    const [{ users, total, page }, { events }] = await Promise.all([
      searchUsers(database, asked),
      shownTrail(database, { target, limit: most.events }),
    ]);
    const it = {
      group,
      users,
      total,
      trail: events,
      target,
      values: visit.form,
      problem,
      pager: pager(`/groups/${group.id}`, visit.query, page, Math.ceil(total / most.users)),
      tab: 'groups',
    };
    return visit.render('group', it, { status: problem === noProblem ? 200 : 422 });
  }

  const withGroup =
    (handle: (visit: Visit, group: FoundGroup) => ReturnType<Handle>): Handle =>
    async (visit) => {
      const group = await groupDetails(database, idOf(visit.params['id']));
      return group ? handle(visit, group) : visit.render('not-found', {}, { status: 404 });
    };

  const turn = (verb: string, status: Status): Page => ({
    path: `/groups/:id/${verb}`,
    post: withGroup((visit, group) =>
      attempt(
        async () => {
          const reason = visit.form['reason']?.trim() || undefined;
          await directoryFor(visit).setGroupStatus(group.name, status, reason);
          const word = status === 'active' ? 'group-activated' : 'group-suspended';
          return redirect(`${base}/groups/${group.id}?done=${word}`);
        },
        (problem) => show(visit, group, problem),
      ),
    ),
  });

  return [
    { path: '/groups', get: (visit) => list(visit), post: create },
    { path: '/groups/:id', get: withGroup((visit, group) => show(visit, group)) },
    turn('suspend', 'suspended'),
    turn('activate', 'active'),
  ];
}
