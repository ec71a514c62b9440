import type { UserFacts } from '../verification/decide.ts';
import type { Profile } from '../verification/verdict.ts';
import type { UserStore } from '../verification/verify.ts';
import type { Database } from './database.ts';
import { loginKey } from './login.ts';
import type { Passwords } from './passwords.ts';

/** What a platform may need to know of a user and his group (`users u LEFT JOIN groups o`), in the order of `UserRow`. */
export const userColumns = `u.uid, u.login, u.name, u.email, u.status, u.profile,
    o.name, o.subject, o.display_name, o.status, o.services, u.sign_in_epoch`;

export type UserRow = readonly [
  uid: number | null,
  login: string,
  name: string,
  email: string | null,
  status: string,
  profile: unknown,
  groupName: string | null,
  groupSubject: string,
  groupDisplayName: string,
  groupStatus: string,
  groupServices: unknown,
  signInEpoch: number,
];

/** JSON comes as text or parsed, as the driver has it. */
const fromJson = (value: unknown): unknown =>
  typeof value === 'string' ? JSON.parse(value) : value;

/** The only status that is. Anything else, a misspelling too, shuts out. */
const isActive = (status: string) => status === 'active';

export function factsOf(row: UserRow): UserFacts | undefined {
  const [uid, login, name, email, status, profile, groupName, subject, displayName, groupStatus] =
    row;
  if (uid === null) return undefined;
  return {
    user: {
      uid,
      login,
      name,
      email: email ?? undefined,
      profile: fromJson(profile) as Profile,
      group:
        groupName === null
          ? undefined
          : { name: groupName, subject, displayName, services: fromJson(row[10]) as string[] },
    },
    userActive: isActive(status),
    groupActive: groupName === null || isActive(groupStatus),
    signInEpoch: row[11],
  };
}

const byUid = `SELECT ${userColumns} FROM users u LEFT JOIN groups o ON o.id = u.group_id WHERE u.uid = $1`;
const byLogin = `SELECT u.password_hash, ${userColumns}
  FROM users u LEFT JOIN groups o ON o.id = u.group_id WHERE u.login_key = $1`;

/** Users in our own database, passwords as bcrypt hashes. */
export function createUsers({ prisma, prepareRead }: Database, passwords: Passwords): UserStore {
  const readByUid = prepareRead<UserRow>(byUid);
  const readByLogin = prepareRead<readonly [passwordHash: string | null, ...UserRow]>(byLogin);

  /** A good login is the only moment at which a better hash can be made. */
  async function renew(uid: number, password: string, outdated: string) {
    const passwordHash = await passwords.hash(password);
    await prisma.user.updateMany({
      where: { uid, passwordHash: outdated },
      data: { passwordHash },
    });
  }

  return {
    async findUser(uid) {
      const row = await readByUid(uid);
      return row && factsOf(row);
    },

    async findUserByLogin(login) {
      const key = loginKey(login);
      const row = key === undefined ? undefined : await readByLogin(key);
      if (!row) return undefined;
      const [, ...user] = row;
      return factsOf(user as unknown as UserRow);
    },

    async checkPassword(login, password) {
      const key = loginKey(login);
      const row = key === undefined ? undefined : await readByLogin(key);
      const [passwordHash = null, ...user] = row ?? [];
      const passwordMatches = await passwords.matches(password, passwordHash);
      const subject = row && factsOf(user as unknown as UserRow);
      if (!subject) return undefined;
      if (passwordMatches && passwordHash && passwords.isOutdated(passwordHash)) {
        await renew(subject.user.uid, password, passwordHash);
      }
      return { passwordMatches, subject };
    },
  };
}
