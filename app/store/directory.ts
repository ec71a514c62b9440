/**
 * Changes to users and groups, for the admin CLI and the seed. Each is one transaction with its audit event; each refuses
 * bad input with a `DirectoryError` that says what to do.
 */
import type { Profile } from '../verification/verdict.ts';
import { record } from './audit.ts';
import type { Database, Db } from './database.ts';
import { loginKey, loginProblem } from './login.ts';
import { type Passwords, passwordProblem } from './passwords.ts';

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
  readonly name: string;
  readonly email: string | null;
  readonly status: string;
  readonly group: string | null;
  readonly profile: unknown;
  readonly createdAt: Date;
};

export type GroupRecord = {
  readonly name: string;
  readonly subject: string;
  readonly displayName: string;
  readonly status: string;
  readonly services: unknown;
  readonly users: number;
};

export type Directory = {
  createUser(user: NewUser): Promise<UserRecord>;
  users(filter?: { group?: string; status?: string }): Promise<UserRecord[]>;
  user(login: string): Promise<UserRecord>;
  setUserStatus(login: string, status: Status, reason?: string): Promise<UserRecord>;
  setPassword(login: string, password: string): Promise<UserRecord>;
  createGroup(group: NewGroup): Promise<GroupRecord>;
  groups(): Promise<GroupRecord[]>;
  setGroupStatus(name: string, status: Status, reason?: string): Promise<GroupRecord>;
};

/** The greatest uid that both databases keep: a signed 32-bit integer. */
const greatestUid = 2_147_483_647;

const withGroup = { group: { select: { name: true } } } as const;
const withUsers = { _count: { select: { users: true } } } as const;

type UserWithGroup = Omit<UserRecord, 'group'> & { group: { name: string } | null };

const userRecord = ({
  uid,
  login,
  name,
  email,
  status,
  group,
  profile,
  createdAt,
}: UserWithGroup): UserRecord => ({
  uid,
  login,
  name,
  email,
  status,
  group: group?.name ?? null,
  profile,
  createdAt,
});

const groupRecord = ({
  name,
  subject,
  displayName,
  status,
  services,
  _count,
}: Omit<GroupRecord, 'users'> & { _count: { users: number } }): GroupRecord => ({
  name,
  subject,
  displayName,
  status,
  services,
  users: _count.users,
});

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

const isUniqueViolation = (error: unknown) => (error as { code?: string }).code === 'P2002';

export function createDirectory(
  { prisma, provider }: Database,
  passwords: Passwords,
  actor: string,
): Directory {
  async function groupId(db: Db, name: string): Promise<number> {
    const group = await db.group.findUnique({ where: { name }, select: { id: true } });
    if (!group) throw new DirectoryError('not_found', `There is no group ${JSON.stringify(name)}.`);
    return group.id;
  }

  /** Rows with a uid of our choosing do not move PostgreSQL's sequence; SQLite looks at the greatest by itself. */
  async function moveSequence(db: Db) {
    if (provider === 'sqlite') return;
    await db.$executeRaw`SELECT setval(pg_get_serial_sequence('users', 'uid'), (SELECT max(uid) FROM users))`;
  }

  async function changeUser(login: string, action: string, data: object, detail = {}) {
    const key = loginKey(login) ?? '';
    return prisma.$transaction(async (db) => {
      const { count } = await db.user.updateMany({ where: { loginKey: key }, data });
      if (count === 0) {
        throw new DirectoryError('not_found', `There is no user ${JSON.stringify(login)}.`);
      }
      const user = await db.user.findUniqueOrThrow({
        where: { loginKey: key },
        include: withGroup,
      });
      await record(db, { actor, action, target: `user:${user.login}`, detail });
      return userRecord(user);
    });
  }

  const because = (reason: string | undefined) => (reason === undefined ? {} : { reason });
  const switched = (status: Status) => (status === 'active' ? 'activate' : 'suspend');

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
      const passwordHash = password === undefined ? null : await passwords.hash(password);
      const data = { login, loginKey: loginKey(login) ?? '', name, passwordHash, status, profile };
      try {
        return await prisma.$transaction(async (db) => {
          const user = await db.user.create({
            data: {
              ...data,
              ...(uid === undefined ? {} : { uid }),
              email: email ?? null,
              groupId: group === undefined ? null : await groupId(db, group),
            },
            include: withGroup,
          });
          if (uid !== undefined) await moveSequence(db);
          await record(db, { actor, action: 'user.create', target: `user:${login}` });
          return userRecord(user);
        });
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw new DirectoryError(
          'conflict',
          `There is a user ${JSON.stringify(login)}${uid === undefined ? '' : ` or uid ${uid}`} already. Logins do not differ by case.`,
        );
      }
    },

    async users({ group, status } = {}) {
      const rows = await prisma.user.findMany({
        where: {
          ...(group === undefined ? {} : { group: { name: group } }),
          ...(status === undefined ? {} : { status }),
        },
        include: withGroup,
        orderBy: { uid: 'asc' },
      });
      return rows.map(userRecord);
    },

    async user(login) {
      const row = await prisma.user.findUnique({
        where: { loginKey: loginKey(login) ?? '' },
        include: withGroup,
      });
      if (!row) throw new DirectoryError('not_found', `There is no user ${JSON.stringify(login)}.`);
      return userRecord(row);
    },

    setUserStatus: (login, status, reason) =>
      changeUser(login, `user.${switched(status)}`, { status }, because(reason)),

    async setPassword(login, password) {
      invalid(passwordProblem(password));
      const passwordHash = await passwords.hash(password);
      return changeUser(login, 'user.set-password', { passwordHash });
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
            include: withUsers,
          });
          await record(db, { actor, action: 'group.create', target: `group:${name}` });
          return groupRecord(group);
        });
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw new DirectoryError(
          'conflict',
          `There is a group ${JSON.stringify(name)}, or one with the subject ${subject}, already.`,
        );
      }
    },

    async groups() {
      const rows = await prisma.group.findMany({ include: withUsers, orderBy: { name: 'asc' } });
      return rows.map(groupRecord);
    },

    async setGroupStatus(name, status, reason) {
      return prisma.$transaction(async (db) => {
        const { count } = await db.group.updateMany({ where: { name }, data: { status } });
        if (count === 0) {
          throw new DirectoryError('not_found', `There is no group ${JSON.stringify(name)}.`);
        }
        const group = await db.group.findUniqueOrThrow({ where: { name }, include: withUsers });
        const action = `group.${switched(status)}`;
        await record(db, { actor, action, target: `group:${name}`, detail: because(reason) });
        return groupRecord(group);
      });
    },
  };
}
