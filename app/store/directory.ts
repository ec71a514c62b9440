/**
 * Changes to users and groups, for the admin CLI and the seed. Each is one transaction with its audit event; each refuses
 * bad input with a `DirectoryError` that says what to do.
 */
import type { Profile } from '../verification/verdict.ts';
import { type Detail, record } from './audit.ts';
import { endClientTokensOf } from './client-tokens.ts';
import type { Database, Db } from './database.ts';
import type { Prisma } from './generated/sqlite/client.ts';
import { loginKey, loginProblem } from './login.ts';
import { type Passwords, passwordProblem } from './passwords.ts';
import { roleNames, roleProblem } from './roles.ts';
import { endSignInsOf } from './sign-in-epoch.ts';
import { isChosen, reserveName } from './usernames.ts';

/** Something the operator can mend. `code` is for programs. */
export class DirectoryError extends Error {
  readonly code: 'invalid' | 'not_found' | 'conflict';

  constructor(code: DirectoryError['code'], message: string) {
    super(message);
    this.name = 'DirectoryError';
    this.code = code;
  }
}

export type Status = 'active' | 'suspended';

export type NewUser = {
  /** Chosen by the database unless given. */
  readonly uid?: number;
  readonly login: string;
  readonly name: string;
  readonly email?: string;
  /** None: the user cannot sign in with a password. */
  readonly password?: string;
  readonly group?: string;
  readonly status?: Status;
  readonly profile?: Profile;
};

export type NewGroup = {
  readonly name: string;
  readonly subject: string;
  readonly displayName: string;
  readonly status?: Status;
  readonly services?: readonly string[];
};

export type UserRecord = {
  readonly uid: number;
  readonly login: string;
  /** As he chose it; null: not yet. */
  readonly username: string | null;
  readonly name: string;
  readonly email: string | null;
  readonly status: string;
  readonly group: string | null;
  /** Null without a group. */
  readonly groupStatus: string | null;
  /** His own, sorted; those of his group are not among them. */
  readonly roles: readonly string[];
  readonly profile: unknown;
  readonly createdAt: Date;
};

export type GroupRecord = {
  readonly name: string;
  readonly subject: string;
  readonly displayName: string;
  readonly status: string;
  readonly services: unknown;
  /** Sorted. */
  readonly roles: readonly string[];
  readonly users: number;
};

export type Directory = {
  createUser(user: NewUser): Promise<UserRecord>;
  /** In the order of their uids. `suspended` is everybody who is not active. */
  users(filter?: { group?: string; status?: Status }): Promise<UserRecord[]>;
  user(login: string): Promise<UserRecord>;
  /**
   * Also when that is the status already: the reason is new. A suspension ends his browser sessions and client tokens for good.
   */
  setUserStatus(login: string, status: Status, reason?: string): Promise<UserRecord>;
  /** Null: out of the group, into none. */
  moveUser(login: string, group: string | null): Promise<UserRecord>;
  /** Ends his browser sessions, grants and client tokens, too. */
  setPassword(login: string, password: string): Promise<UserRecord>;
  /** Also when he has it already. */
  addUserRole(login: string, role: string): Promise<UserRecord>;
  removeUserRole(login: string, role: string): Promise<UserRecord>;
  createGroup(group: NewGroup): Promise<GroupRecord>;
  /** In the order of their creation. */
  groups(): Promise<GroupRecord[]>;
  setGroupStatus(name: string, status: Status, reason?: string): Promise<GroupRecord>;
  /** Also when it has it already. Every user of the group has it from then on. */
  addGroupRole(name: string, role: string): Promise<GroupRecord>;
  removeGroupRole(name: string, role: string): Promise<GroupRecord>;
};

/** The greatest uid that both databases keep: a signed 32-bit integer. */
const greatestUid = 2_147_483_647;

const roles = { select: { role: true } } as const;
const ofUser = { group: { select: { name: true, status: true } }, roles } as const;
const ofGroup = { _count: { select: { users: true } }, roles } as const;

type RoleRows = readonly { readonly role: string }[];

type UserRow = Omit<UserRecord, 'group' | 'groupStatus' | 'roles'> & {
  group: { name: string; status: string } | null;
  roles: RoleRows;
};

type GroupRow = Omit<GroupRecord, 'users' | 'roles'> & {
  _count: { users: number };
  roles: RoleRows;
};

const userRecord = ({
  uid,
  login,
  username,
  name,
  email,
  status,
  group,
  roles,
  profile,
  createdAt,
}: UserRow): UserRecord => ({
  uid,
  login,
  username,
  name,
  email,
  status,
  group: group?.name ?? null,
  groupStatus: group?.status ?? null,
  roles: roleNames(roles),
  profile,
  createdAt,
});

const groupRecord = ({
  name,
  subject,
  displayName,
  status,
  services,
  roles,
  _count,
}: GroupRow): GroupRecord => ({
  name,
  subject,
  displayName,
  status,
  services,
  roles: roleNames(roles),
  users: _count.users,
});

const noUser = (login: string) =>
  new DirectoryError('not_found', `There is no user ${JSON.stringify(login)}.`);
const noGroup = (name: string) =>
  new DirectoryError('not_found', `There is no group ${JSON.stringify(name)}.`);

const nameIsTaken = (login: string) =>
  new DirectoryError(
    'conflict',
    `${JSON.stringify(login)} is a name that another user has chosen.`,
  );

const invalid = (problem: string | undefined) => {
  if (problem) throw new DirectoryError('invalid', problem);
};

/** Authlete's rule for a subject: ASCII, at most 100 characters. */
const subjectProblem = (subject: string) =>
  /^[\x21-\x7e]{1,100}$/.test(subject)
    ? undefined
    : 'A subject has 1 to 100 ASCII characters, and no spaces.';

/** Text for people: something visible, no control characters, at most 255 characters. */
const textProblem = (what: string, text: string) =>
  text.trim() === '' || text.length > 255 || /\p{Cc}/u.test(text) || !text.isWellFormed()
    ? `A ${what} has 1 to 255 characters, and no control characters.`
    : undefined;

const emailProblem = (email: string) =>
  /^[^\s@]+@[^\s@]+$/.test(email) && textProblem('email', email) === undefined
    ? undefined
    : `${JSON.stringify(email)} is not an email address.`;

/** The operator's reason, as detail of an audit event. */
function because(reason: string | undefined): Detail {
  if (reason === undefined) return {};
  invalid(textProblem('reason', reason));
  return { reason };
}

const switched = (status: Status) => (status === 'active' ? 'activate' : 'suspend');

/** What no database could hand on to a platform: odd names, text that is not Unicode, numbers that JSON would round. */
function profileProblem(profile: Profile): string | undefined {
  const bad = Object.entries(profile).find(
    ([key, value]) =>
      !/^[a-z][\w.:/-]{0,63}$/i.test(key) ||
      (typeof value === 'number' && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) ||
      (typeof value === 'string' && value !== '' && textProblem('value', value) !== undefined),
  );
  return (
    bad &&
    `${JSON.stringify(bad[0])} cannot be in a profile: its name begins with a letter and has no spaces, its value has at most 255 characters.`
  );
}

/** What the driver adapter told Prisma. */
const causeOf = (error: unknown) =>
  (error as { meta?: { driverAdapterError?: { cause?: AdapterCause } } }).meta?.driverAdapterError
    ?.cause;

type AdapterCause = {
  readonly kind: string;
  readonly code?: string;
  readonly constraint?: { readonly fields?: readonly string[]; readonly index?: string };
};

/**
 * The unique index that was hit: SQLite tells its columns (`login_key`, `uid`), PostgreSQL its name (`users_login_key_key`,
 * `users_pkey`). Undefined for any other error.
 */
function violatedIndex(error: unknown): string | undefined {
  const cause = causeOf(error);
  if (cause?.kind !== 'UniqueConstraintViolation') return undefined;
  return cause.constraint?.index ?? String(cause.constraint?.fields);
}

/** SQLSTATE of a sequence at its end. SQLite has none, and goes on to numbers that Prisma cannot read back. */
const isSequenceAtEnd = (error: unknown) => causeOf(error)?.code === '2200H';

const uidsUsedUp = () =>
  new DirectoryError(
    'conflict',
    `The greatest uid, ${greatestUid}, is taken: none comes after it. Give one.`,
  );

type UserColumns = Prisma.UserUncheckedUpdateInput;
type GroupColumns = Prisma.GroupUncheckedUpdateInput;

/** @param removed how many rows were */
const noRole = (who: string, role: string, { count: removed }: { count: number }) => {
  if (removed === 0)
    throw new DirectoryError('not_found', `${who} does not have the role ${role}.`);
};

export function createDirectory(
  database: Database,
  passwords: Passwords,
  actor: string,
): Directory {
  const { prisma, provider } = database;

  async function groupId(db: Db, name: string): Promise<number> {
    const group =
      textProblem('group name', name) === undefined &&
      (await db.group.findUnique({ where: { name }, select: { id: true } }));
    if (!group) throw noGroup(name);
    return group.id;
  }

  /**
   * Of creations with a uid of our choosing there is one at a time, and none of the others meanwhile: they move
   * PostgreSQL's sequence, which does not see such rows by itself. SQLite's does, and has one writer anyway.
   */
  async function lockUsers(db: Db) {
    if (provider === 'sqlite') return;
    await db.$executeRaw`LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE`;
  }

  /** Forward only: a uid that was once given to somebody is never given to somebody else. */
  async function moveSequence(db: Db, uid: number) {
    if (provider === 'sqlite') return;
    await db.$executeRaw`
      SELECT setval(uids, GREATEST(${uid}::bigint, pg_sequence_last_value(uids)))
      FROM (SELECT pg_get_serial_sequence('users', 'uid')::regclass AS uids) AS sequence`;
  }

  /** @param change what else goes with it, in the same transaction; returns the new columns */
  async function changeUser(
    login: string,
    action: string,
    change: (db: Db, before: { uid: number; status: string }) => Promise<UserColumns>,
    detail: Detail = {},
  ) {
    return prisma.$transaction(async (db) => {
      const where = { loginKey: loginKey(login) ?? '' };
      // A write first: changes of one user are made one after the other.
      await db.user.updateMany({ where, data: { updatedAt: new Date() } });
      const before = await db.user.findUnique({ where });
      if (!before) throw noUser(login);
      const data = await change(db, before);
      const user = await db.user.update({ where: { uid: before.uid }, data, include: ofUser });
      await record(db, { actor, action, target: `user:${user.login}`, detail });
      return userRecord(user);
    });
  }

  async function changeGroup(
    name: string,
    action: string,
    change: (db: Db, id: number) => Promise<GroupColumns>,
    detail: Detail,
  ) {
    return prisma.$transaction(async (db) => {
      const id = await groupId(db, name);
      await db.group.updateMany({ where: { id }, data: { updatedAt: new Date() } });
      const data = await change(db, id);
      const group = await db.group.update({ where: { id }, data, include: ofGroup });
      await record(db, { actor, action, target: `group:${name}`, detail });
      return groupRecord(group);
    });
  }

  return {
    async createUser({
      uid,
      login,
      name,
      email,
      password,
      group,
      status = 'active',
      profile = {},
    }) {
      invalid(loginProblem(login));
      invalid(textProblem('name', name));
      if (email !== undefined) invalid(emailProblem(email));
      if (password !== undefined) invalid(passwordProblem(password));
      if (uid !== undefined && !(Number.isInteger(uid) && uid > 0 && uid <= greatestUid)) {
        invalid(`A uid is a whole number from 1 to ${greatestUid}.`);
      }
      invalid(profileProblem(profile));
      const passwordHash = password === undefined ? null : await passwords.hash(password);
      const key = loginKey(login) ?? '';
      const data = { login, loginKey: key, name, passwordHash, status, profile };
      try {
        return await prisma.$transaction(async (db) => {
          await reserveName(database, db, key);
          if (await isChosen(db, key)) throw nameIsTaken(login);
          if (uid !== undefined) await lockUsers(db);
          const user = await db.user.create({
            data: {
              ...data,
              ...(uid === undefined ? {} : { uid }),
              email: email ?? null,
              groupId: group === undefined ? null : await groupId(db, group),
            },
            include: ofUser,
          });
          if (user.uid > greatestUid) throw uidsUsedUp();
          if (uid !== undefined) await moveSequence(db, uid);
          const detail = { uid: user.uid, group: group ?? null };
          await record(db, { actor, action: 'user.create', target: `user:${login}`, detail });
          return userRecord(user);
        });
      } catch (error) {
        if (isSequenceAtEnd(error)) throw uidsUsedUp();
        const index = violatedIndex(error);
        if (index?.includes('login_key')) {
          throw new DirectoryError(
            'conflict',
            `There is a user ${JSON.stringify(login)} already. Logins do not differ by case.`,
          );
        }
        if (index === undefined || uid === undefined) throw error;
        throw new DirectoryError('conflict', `There is a user with the uid ${uid} already.`);
      }
    },

    async users({ group, status } = {}) {
      const rows = await prisma.user.findMany({
        where: {
          ...(group === undefined ? {} : { groupId: await groupId(prisma, group) }),
          ...(status === 'active' ? { status } : {}),
          ...(status === 'suspended' ? { status: { not: 'active' } } : {}),
        },
        include: ofUser,
        orderBy: { uid: 'asc' },
      });
      return rows.map(userRecord);
    },

    async user(login) {
      const row = await prisma.user.findUnique({
        where: { loginKey: loginKey(login) ?? '' },
        include: ofUser,
      });
      if (!row) throw noUser(login);
      return userRecord(row);
    },

    async setUserStatus(login, status, reason) {
      const action = `user.${switched(status)}`;
      return changeUser(
        login,
        action,
        async (db, before) => {
          // At its end once more: a sign-in that was under way when it began may have come after.
          const stays = status === 'active' && before.status === status;
          if (!stays) await endClientTokensOf(db, before.uid);
          return status === 'active'
            ? { status }
            : { status, ...(await endSignInsOf(db, before.uid)) };
        },
        because(reason),
      );
    },

    moveUser: (login, group) =>
      changeUser(
        login,
        'user.move',
        async (db) => ({ groupId: group === null ? null : await groupId(db, group) }),
        { group },
      ),

    async setPassword(login, password) {
      invalid(passwordProblem(password));
      const passwordHash = await passwords.hash(password);
      return changeUser(login, 'user.set-password', async (db, { uid }) => {
        // Whoever got in with the old one is out: in every browser, and with every token.
        const ended = await endSignInsOf(db, uid);
        await endClientTokensOf(db, uid);
        await db.grant.updateMany({
          where: { userUid: uid, revokedAt: null },
          data: { revokedAt: new Date() },
        });
        return { passwordHash, ...ended };
      });
    },

    async addUserRole(login, role) {
      invalid(roleProblem(role));
      const add = async (db: Db, { uid: userUid }: { uid: number }) => {
        const data = { userUid, role };
        await db.userRole.upsert({ where: { userUid_role: data }, create: data, update: {} });
        return {};
      };
      return changeUser(login, 'user.add-role', add, { role });
    },

    async removeUserRole(login, role) {
      const remove = async (db: Db, { uid: userUid }: { uid: number }) => {
        noRole(login, role, await db.userRole.deleteMany({ where: { userUid, role } }));
        return {};
      };
      return changeUser(login, 'user.remove-role', remove, { role });
    },

    async createGroup({ name, subject, displayName, status = 'active', services = [] }) {
      invalid(textProblem('group name', name));
      invalid(textProblem('display name', displayName));
      invalid(subjectProblem(subject));
      if (!services.every((key) => /^\d{1,19}$/.test(key))) {
        invalid('A service API key is a whole number of up to 19 digits.');
      }
      try {
        return await prisma.$transaction(async (db) => {
          const group = await db.group.create({
            data: { name, subject, displayName, status, services: [...services] },
            include: ofGroup,
          });
          const detail = { subject };
          await record(db, { actor, action: 'group.create', target: `group:${name}`, detail });
          return groupRecord(group);
        });
      } catch (error) {
        const index = violatedIndex(error);
        if (index === undefined) throw error;
        const which = index.includes('subject')
          ? `with the subject ${subject}`
          : JSON.stringify(name);
        throw new DirectoryError('conflict', `There is a group ${which} already.`);
      }
    },

    async groups() {
      const rows = await prisma.group.findMany({ include: ofGroup, orderBy: { id: 'asc' } });
      return rows.map(groupRecord);
    },

    async setGroupStatus(name, status, reason) {
      const action = `group.${switched(status)}`;
      return changeGroup(name, action, async () => ({ status }), because(reason));
    },

    async addGroupRole(name, role) {
      invalid(roleProblem(role));
      const add = async (db: Db, groupId: number) => {
        const data = { groupId, role };
        await db.groupRole.upsert({ where: { groupId_role: data }, create: data, update: {} });
        return {};
      };
      return changeGroup(name, 'group.add-role', add, { role });
    },

    async removeGroupRole(name, role) {
      const remove = async (db: Db, groupId: number) => {
        noRole(name, role, await db.groupRole.deleteMany({ where: { groupId, role } }));
        return {};
      };
      return changeGroup(name, 'group.remove-role', remove, { role });
    },
  };
}
