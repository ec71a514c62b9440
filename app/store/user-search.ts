/** Finding users and groups, for the console: a page at a time, however many there are. */
import type { Database } from './database.ts';
import { loginKey } from './login.ts';
import { roleNames } from './roles.ts';

export type FoundUser = {
  readonly uid: number;
  readonly login: string;
  readonly name: string;
  readonly email: string | null;
  readonly status: string;
  readonly groupName: string | null;
  readonly groupStatus: string | null;
};

export type UserSearch = {
  /** Part of a login, name or e-mail address, or a uid. Empty: everybody. */
  readonly text?: string;
  /** `suspended` is everybody who is not active. */
  readonly status?: 'active' | 'suspended' | undefined;
  /** The id of a group. */
  readonly group?: number | undefined;
  /** From 1 on. Beyond the last one there is the first. */
  readonly page: number;
  readonly size: number;
};

export type FoundUsers = {
  /** In the order of their uids. */
  readonly users: readonly FoundUser[];
  readonly total: number;
  readonly page: number;
};

/** The greatest that both databases have a uid or a group's id of. */
const greatestId = 2_147_483_647;

/** Longer than whatever it could be found in. */
const longest = 255;

/** For LIKE … ESCAPE '!': the text anywhere, and `%` and `_` as nothing special. */
const anywhere = (text: string) => `%${text.replace(/[!%_]/g, '!$&')}%`;

/** An id as it is typed; 0, which nobody has, when it is none. */
export function idOf(text: string | undefined): number {
  const id = /^[1-9]\d{0,9}$/.test(text ?? '') ? Number(text) : 0;
  return id <= greatestId ? id : 0;
}

/** Without regard to case: of a login in whatever script, of names and addresses as the database folds them (SQLite: ASCII). */
export async function searchUsers(
  database: Database,
  { text = '', status, group, page, size }: UserSearch,
): Promise<FoundUsers> {
  const wanted = text.replaceAll('\0', '').toWellFormed().trim().slice(0, longest);
  const [like, likeLogin] = [anywhere(wanted), anywhere(loginKey(wanted) ?? wanted)];
  const offset = (page - 1) * size;
  const rows = await database.prisma.$queryRaw<(FoundUser & { total: bigint | number })[]>`
    WITH found AS (
      SELECT u.uid AS "uid", u.login AS "login", u.name AS "name", u.email AS "email", u.status AS "status",
        o.name AS "groupName", o.status AS "groupStatus"
      FROM users u LEFT JOIN groups o ON o.id = u.group_id
      WHERE (${wanted} = '' OR u.uid = ${idOf(wanted)} OR u.login_key LIKE ${likeLogin} ESCAPE '!'
          OR lower(u.name) LIKE lower(${like}) ESCAPE '!' OR lower(u.email) LIKE lower(${like}) ESCAPE '!')
        AND (${status ?? ''} = '' OR (u.status = 'active') = (${status ?? ''} = 'active'))
        AND (${group ?? -1} = -1 OR u.group_id = ${group ?? -1})
    )
    SELECT found.*, (SELECT COUNT(*) FROM found) AS "total"
    FROM found ORDER BY "uid" LIMIT ${size} OFFSET ${offset}`;
  if (rows.length === 0 && page > 1) {
    return searchUsers(database, { text, status, group, page: 1, size });
  }
  const users = rows.map(({ total: _, ...user }) => user);
  return { users, total: Number(rows[0]?.total ?? 0), page };
}

export type UserDetails = FoundUser & {
  readonly groupId: number | null;
  /** As he chose it; null: not yet. */
  readonly username: string | null;
  /** His own, sorted; those of his group are not among them. */
  readonly roles: readonly string[];
  readonly profile: unknown;
  readonly hasPassword: boolean;
  readonly createdAt: Date;
};

/** The user with this uid. */
export async function userDetails(
  { prisma }: Database,
  uid: number,
): Promise<UserDetails | undefined> {
  const row = await prisma.user.findUnique({
    where: { uid },
    include: { group: true, roles: { select: { role: true } } },
  });
  if (!row) return undefined;
  const { login, name, email, status, username, group, groupId, profile, ...rest } = row;
  return {
    ...{ uid, login, name, email, status, username, groupId, profile },
    createdAt: rest.createdAt,
    roles: roleNames(rest.roles),
    groupName: group?.name ?? null,
    groupStatus: group?.status ?? null,
    hasPassword: rest.passwordHash !== null,
  };
}

export type FoundGroup = {
  readonly id: number;
  readonly name: string;
  readonly subject: string;
  readonly displayName: string;
  readonly status: string;
  /** Authlete service API keys. */
  readonly services: readonly string[];
  /** Sorted. */
  readonly roles: readonly string[];
  readonly users: number;
};

const withUsers = {
  _count: { select: { users: true } },
  roles: { select: { role: true } },
} as const;

type GroupRow = Omit<FoundGroup, 'users' | 'services' | 'roles'> & {
  services: unknown;
  roles: readonly { readonly role: string }[];
  _count: { users: number };
};

const foundGroup = ({ id, name, subject, displayName, status, ...rest }: GroupRow): FoundGroup => ({
  ...{ id, name, subject, displayName, status },
  roles: roleNames(rest.roles),
  services: rest.services as string[],
  users: rest._count.users,
});

/** In the order of their creation. */
export async function groupPage(
  { prisma }: Database,
  { page, size }: { readonly page: number; readonly size: number },
): Promise<{ groups: readonly FoundGroup[]; total: number }> {
  const [total, rows] = await Promise.all([
    prisma.group.count(),
    prisma.group.findMany({
      include: withUsers,
      orderBy: { id: 'asc' },
      skip: (page - 1) * size,
      take: size,
    }),
  ]);
  return { groups: rows.map(foundGroup), total };
}

export async function groupDetails(
  { prisma }: Database,
  id: number,
): Promise<FoundGroup | undefined> {
  const row = await prisma.group.findUnique({ where: { id }, include: withUsers });
  return row ? foundGroup(row) : undefined;
}

/** The names of groups, to choose from: the first `limit` of the alphabet. */
export const groupNames = async (
  { prisma }: Database,
  limit: number,
): Promise<readonly string[]> => {
  const rows = await prisma.group.findMany({
    select: { name: true },
    orderBy: { name: 'asc' },
    take: limit,
  });
  return rows.map(({ name }) => name);
};
