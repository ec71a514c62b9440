import { redirect } from '../http/answer.ts';
import { BadRequest } from '../http/body.ts';
import { createPresets, type Preset } from '../oauth/sign-in.ts';
import { createDirectory, DirectoryError, type Status } from '../store/directory.ts';
import { playable } from './flows.ts';
import { type Cell, createMatrix, type MatrixUser, pageSize, usersOn } from './matrix.ts';
import { base, type House, type Page, type Section, type Visit } from './page.ts';
import { outcomeClass, outcomeIcon } from './why.ts';

/** What is on the page. */
type View = { readonly search: string; readonly page: number };

const longestSearch = 255;

const viewOf = ({ search = '', page = '' }: Visit['query']): View => ({
  search: search.trim().slice(0, longestSearch),
  page: /^[1-9]\d{0,5}$/.test(page) ? Number(page) : 1,
});

const addressOf = ({ search, page }: View, more: Readonly<Record<string, string>> = {}) => {
  const query = new URLSearchParams({
    ...(search === '' ? {} : { search }),
    ...(page === 1 ? {} : { page: String(page) }),
    ...more,
  });
  return `${base}/matrix${query.size > 0 ? `?${query}` : ''}`;
};

function shownCell(cell: Cell | undefined) {
  const nobody = { tone: '', icon: 'other', word: 'not asked' };
  if (!cell) return nobody;
  if (cell.outcome === 'not-asked') return { ...nobody, more: cell.label, why: cell.why };
  const { outcome, label, why, ms, call } = cell;
  return {
    tone: outcomeClass[outcome],
    icon: outcomeIcon[outcome],
    word: outcome,
    more: label === outcome ? undefined : label,
    took: ms === undefined ? undefined : `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`,
    why,
    href: call === undefined ? undefined : `${base}/calls/${call}`,
  };
}

const opposite = (status: string): Status => (status === 'active' ? 'suspended' : 'active');

/** Named groups by their names, then those who are in none. */
function grouped(users: readonly MatrixUser[]) {
  const names = [...new Set(users.map(({ group }) => group?.name ?? ''))].toSorted(
    (a, b) => Number(a === '') - Number(b === '') || a.localeCompare(b),
  );
  return names.map((name) => {
    const members = users.filter(({ group }) => (group?.name ?? '') === name);
    const [{ group = null } = {}] = members;
    return { name, group, members };
  });
}

function matrixPages(house: House): Page[] {
  const { services, config } = house;
  const platforms = playable(house.platforms);
  const matrix = createMatrix(house, platforms);
  const presets: () => Promise<readonly Preset[]> = config.production
    ? async () => []
    : createPresets(services.database, services.passwords, services.users.findUser);

  const ask = async (users: readonly MatrixUser[], { actor, request }: Visit) =>
    matrix.ask(users, await presets(), { actor, socket: request.socket });

  /** What was just switched, as it is now: the address of the page names it. */
  function changedOf(changed: string | undefined, users: readonly MatrixUser[]) {
    const [, kind = '', name = ''] = /^(user|group):(.+)$/s.exec(changed ?? '') ?? [];
    const user = users.find(({ login }) => kind === 'user' && login === name);
    const group = users.find((one) => kind === 'group' && one.group?.name === name)?.group;
    const status = user?.status ?? group?.status;
    return status === undefined ? undefined : { kind, name, status, to: opposite(status) };
  }

  return [
    {
      path: '/matrix',
      async get(visit) {
        const view = viewOf(visit.query);
        const { users, count } = await usersOn(house, view.search, view.page);
        const pages = Math.max(1, Math.ceil(count / pageSize));
        const cells = users.flatMap((user) =>
          platforms.map(({ platform }) => matrix.cell(user, platform.id)),
        );
        const times = cells.flatMap((cell) => (cell && 'at' in cell ? cell.at.getTime() : []));
        const asked = times.length > 0 ? new Date(Math.max(...times)) : undefined;
        return visit.render('matrix', {
          ...view,
          count,
          pages,
          previous: view.page > 1 ? addressOf({ ...view, page: view.page - 1 }) : undefined,
          next: view.page < pages ? addressOf({ ...view, page: view.page + 1 }) : undefined,
          platforms: platforms.map(({ platform: { id, title } }) => ({
            id,
            title,
            href: `${base}/flows/${id}`,
          })),
          unasked: cells.includes(undefined),
          asked: asked && { at: asked.toISOString(), time: asked.toLocaleTimeString('en-GB') },
          changed: changedOf(visit.query['changed'], users),
          groups: grouped(users).map(({ name, group, members }) => ({
            name,
            group: group && { ...group, to: opposite(group.status) },
            members: members.map((user) => ({
              ...user,
              to: opposite(user.status),
              cells: platforms.map(({ platform: { id, title } }) => ({
                platform: title,
                key: `${user.uid}-${id}`,
                ...shownCell(matrix.cell(user, id)),
              })),
            })),
          })),
        });
      },
    },
    {
      path: '/matrix/ask',
      async post(visit) {
        const view = viewOf(visit.form);
        const { users } = await usersOn(house, view.search, view.page);
        await visit.audit('console.ask', 'matrix', { users: users.length });
        await ask(users, visit);
        return redirect(addressOf(view));
      },
    },
    {
      path: '/matrix/status',
      async post(visit) {
        const { kind = '', name = '', to = '' } = visit.form;
        if (!['user', 'group'].includes(kind) || (to !== 'active' && to !== 'suspended')) {
          throw new BadRequest(400, 'Say whom to switch, and to what.');
        }
        const directory = createDirectory(services.database, services.passwords, visit.actor);
        try {
          await (kind === 'user'
            ? directory.setUserStatus(name, to)
            : directory.setGroupStatus(name, to));
        } catch (error) {
          if (!(error instanceof DirectoryError)) throw error;
          throw new BadRequest(404, error.message);
        }
        const view = viewOf(visit.form);
        const { users } = await usersOn(house, view.search, view.page);
        const affected = users.filter(({ login, group }) =>
          kind === 'user' ? login === name : group?.name === name,
        );
        await ask(affected, visit);
        return redirect(addressOf(view, { changed: `${kind}:${name}` }));
      },
    },
  ];
}

/** `/console/matrix`: every user at every platform. */
export const matrixSection: Section = {
  title: 'Matrix',
  path: '/matrix',
  icon: 'matrix',
  pages: matrixPages,
};
