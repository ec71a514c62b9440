import { redirect } from '../http/answer.ts';
import { createDirectory, type Directory, type Status } from '../store/directory.ts';
import { generatePassword } from '../store/generated-password.ts';
import { listGrants, revokeAllOf, revokeOne } from '../store/grant-list.ts';
import {
  groupDetails,
  groupNames,
  idOf,
  searchUsers,
  type UserDetails,
  userDetails,
} from '../store/user-search.ts';
import { expireTokens, tokensOf } from '../store/user-tokens.ts';
import { auditPages, shownTrail } from './audit.page.ts';
import { attempt, noProblem } from './directory-problem.ts';
import { fieldPages } from './fields.page.ts';
import { groupPages } from './groups.page.ts';
import { base, type Handle, type House, type Page, type Section, type Visit } from './page.ts';
import { pageOf, pager } from './pager.ts';

/** What is shown of each on one page. */
const most = { users: 25, groups: 500, tokens: 20, grants: 20, events: 8 };

const statusOf = ({ status }: Visit['query']): Status | undefined =>
  status === 'active' || status === 'suspended' ? status : undefined;

/** Undefined: not filled in. */
const filled = (text: string | undefined) => (text?.trim() ? text.trim() : undefined);

/** The password of the form; for `generated` a new one, which nobody knows yet. */
function passwordOf({ kind, password = '' }: Visit['form']): string | undefined {
  if (kind === 'generated') return generatePassword();
  return kind === 'typed' ? password : undefined;
}

const moment = (at: Date) => ({ iso: at.toISOString(), text: `${at.toISOString().slice(0, 19)}Z` });

function userPages(house: House): Page[] {
  const { database, passwords, tokens, now } = house.services;
  const directoryFor = ({ actor }: Visit): Directory => createDirectory(database, passwords, actor);

  async function list(visit: Visit) {
    const { text = '', group } = visit.query;
    const groupId = group === undefined || group === '' ? undefined : idOf(group);
    const status = statusOf(visit.query);
    const asked = { text, status, group: groupId, page: pageOf(visit.query), size: most.users };
    const { users, total, page } = await searchUsers(database, asked);
    const inGroup = groupId === undefined ? undefined : await groupDetails(database, groupId);
    return visit.render('users', {
      users,
      total,
      text,
      status: status ?? '',
      group: groupId === undefined ? undefined : { id: groupId, name: inGroup?.name },
      filtered: text !== '' || status !== undefined || groupId !== undefined,
      pager: pager('/users', visit.query, page, Math.ceil(total / most.users)),
      tab: 'users',
    });
  }

  async function newUser(visit: Visit, problem = noProblem) {
    const groups = await groupNames(database, most.groups);
    // What was typed comes back, but for the password: a page shows none.
    const { password: _, ...values } = visit.form;
    const status = problem === noProblem ? 200 : 422;
    return visit.render('user-new', { groups, values, problem, tab: 'users' }, { status });
  }

  /** The one time that a generated password is seen: it is in this answer, and nowhere else. */
  const showPassword = (
    visit: Visit,
    { uid, login }: { uid: number; login: string },
    password: string,
    isNew: boolean,
  ) => visit.render('user-password', { uid, login, password, isNew, tab: 'users' });

  const create: Handle = (visit) =>
    attempt(
      async () => {
        const { login = '', name = '', kind, uid: typedUid } = visit.form;
        const [email, group, uid] = [
          filled(visit.form['email']),
          filled(visit.form['group']),
          filled(typedUid),
        ];
        const password = passwordOf(visit.form);
        const user = await directoryFor(visit).createUser({
          login: login.trim(),
          name: name.trim(),
          ...(email === undefined ? {} : { email }),
          ...(group === undefined ? {} : { group }),
          ...(uid === undefined ? {} : { uid: idOf(uid) }),
          ...(password === undefined ? {} : { password }),
        });
        return kind === 'generated' && password !== undefined
          ? showPassword(visit, user, password, true)
          : redirect(`${base}/users/${user.uid}?done=user-created`);
      },
      (problem) => newUser(visit, problem),
    );

  async function show(visit: Visit, user: UserDetails, problem = noProblem, form = '') {
    const target = `user:${user.login}`;
    const { uid } = user;
    const [groups, live, newestTokens, grants, trail] = await Promise.all([
      groupNames(database, most.groups),
      tokens.countLive(uid),
      tokensOf(database, { uid, limit: most.tokens }, now()),
      listGrants(database, uid, { limit: most.grants }),
      shownTrail(database, { target, limit: most.events }),
    ]);
    const { password: _, ...values } = visit.form;
    const status = problem === noProblem ? 200 : 422;
    const shown = {
      user,
      created: moment(user.createdAt),
      profile: Object.entries(user.profile as Record<string, unknown>),
      groups,
      live,
      tokens: newestTokens.map((one) => ({
        ...one,
        created: moment(one.createdAt),
        expires: moment(one.expiresAt),
      })),
      grants: grants.map((one) => ({
        ...one,
        created: moment(one.createdAt),
        revoked: one.revokedAt !== null,
      })),
      mostTokens: most.tokens,
      mostGrants: most.grants,
      trail: trail.events,
      target,
      values,
      problem,
      /** Which of the forms the problem is of. */
      form,
      tab: 'users',
    };
    return visit.render('user', shown, { status });
  }

  /** The user that the path names. */
  const withUser =
    (handle: (visit: Visit, user: UserDetails) => ReturnType<Handle>): Handle =>
    async (visit) => {
      const user = await userDetails(database, idOf(visit.params['uid']));
      return user ? handle(visit, user) : visit.render('not-found', {}, { status: 404 });
    };

  /** A change of that user: back to his page, with a notice or with what is wrong. */
  const change = (
    name: string,
    work: (visit: Visit, user: UserDetails) => Promise<ReturnType<typeof redirect>>,
  ): Page => ({
    path: `/users/:uid/${name}`,
    post: withUser((visit, user) =>
      attempt(
        () => work(visit, user),
        (problem) => show(visit, user, problem, name),
      ),
    ),
  });

  const done = ({ uid }: UserDetails, word: string) =>
    redirect(`${base}/users/${uid}?done=${word}`);

  return [
    { path: '/users', get: list },
    { path: '/users/new', get: (visit) => newUser(visit), post: create },
    { path: '/users/:uid', get: withUser((visit, user) => show(visit, user)) },
    change('suspend', async (visit, user) => {
      const reason = filled(visit.form['reason']);
      await directoryFor(visit).setUserStatus(user.login, 'suspended', reason);
      return done(user, 'user-suspended');
    }),
    change('activate', async (visit, user) => {
      const reason = filled(visit.form['reason']);
      await directoryFor(visit).setUserStatus(user.login, 'active', reason);
      return done(user, 'user-activated');
    }),
    change('move', async (visit, user) => {
      await directoryFor(visit).moveUser(user.login, filled(visit.form['group']) ?? null);
      return done(user, 'user-moved');
    }),
    change('password', async (visit, user) => {
      const password = passwordOf(visit.form) ?? '';
      await directoryFor(visit).setPassword(user.login, password);
      return visit.form['kind'] === 'generated'
        ? showPassword(visit, user, password, false)
        : done(user, 'password-set');
    }),
    change('expire', async (visit, user) => {
      const { digest } = visit.form;
      const count = await expireTokens(database, user, digest, visit.actor, now());
      return done(user, count > 0 ? 'tokens-expired' : 'nothing-live');
    }),
    change('revoke', async (visit, user) => {
      const { grant } = visit.form;
      if (grant === undefined) await revokeAllOf(database, user, visit.actor, now());
      else await revokeOne(database, grant, visit.actor, now());
      return done(user, 'grants-revoked');
    }),
  ];
}

/** What `?done=` says of users and groups; `:uid` and `:id` are those of the page. */
export const userNotices = {
  'user-created': { text: 'Created.' },
  'user-suspended': {
    text: 'Suspended: every platform refuses this user, from its next request on.',
    undo: '/users/:uid/activate',
  },
  'user-activated': { text: 'Active again.', undo: '/users/:uid/suspend' },
  'user-moved': { text: 'Moved.' },
  'password-set': { text: 'There is a new password. Sessions and tokens of this user have ended.' },
  'tokens-expired': { text: 'Expired: the next platform that asks is told so.' },
  'nothing-live': { text: 'There was no live token to expire.' },
  'grants-revoked': { text: 'Revoked, with the tokens that came of it.' },
  'group-created': { text: 'Created. Users are moved into it on their own pages.' },
  'group-suspended': {
    text: 'Suspended: every platform refuses all users of this group, from the next request on.',
    undo: '/groups/:id/activate',
  },
  'group-activated': { text: 'The group is active again.', undo: '/groups/:id/suspend' },
} as const;

/** `/console/users`, `/console/groups`, `/console/fields`, `/console/audit`. */
export const usersSection: Section = {
  title: 'Users and groups',
  path: '/users',
  icon: 'users',
  pages: (house) => [
    ...userPages(house),
    ...groupPages(house),
    ...fieldPages(house),
    ...auditPages(house),
  ],
};
