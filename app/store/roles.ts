import type { Database } from './database.ts';

/** Compared as they are: what may stand in a URL or a list without a second thought. */
export const roleProblem = (role: string): string | undefined =>
  /^[A-Za-z0-9][\w.:/-]{0,99}$/.test(role)
    ? undefined
    : 'A role has 1 to 100 ASCII letters, digits and . : / _ -, and begins with a letter or digit.';

export const roleNames = (rows: readonly { readonly role: string }[]): string[] =>
  [...new Set(rows.map(({ role }) => role))].sort();

const withRoles = { roles: { select: { role: true } } } as const;

/** The user's roles and those of his group, each once, sorted. */
export async function rolesOf({ prisma }: Database, uid: number): Promise<readonly string[]> {
  const user = await prisma.user.findUnique({
    where: { uid },
    select: { ...withRoles, group: { select: withRoles } },
  });
  return roleNames([...(user?.roles ?? []), ...(user?.group?.roles ?? [])]);
}
