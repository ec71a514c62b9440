/** What users have allowed, for the admin CLI. Each change is one transaction with its audit event. */
import { record } from './audit.ts';
import type { Database } from './database.ts';
import { DirectoryError } from './directory.ts';
import { separated } from './tokens.ts';

export type GrantRecord = {
  readonly id: string;
  readonly clientId: string;
  readonly scope: readonly string[];
  readonly createdAt: Date;
  /** Null: it has no refresh token, and lasts as long as its access token. */
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
};

/** Of one user, newest first. */
export async function listGrants(
  { prisma }: Database,
  userUid: number,
  { limit }: { readonly limit?: number } = {},
): Promise<GrantRecord[]> {
  const rows = await prisma.grant.findMany({
    where: { userUid },
    orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
    ...(limit === undefined ? {} : { take: limit }),
  });
  return rows.map(({ id, clientId, scope, createdAt, expiresAt, revokedAt }) => ({
    ...{ id, clientId, scope: separated(scope), createdAt, expiresAt, revokedAt },
  }));
}

/** Ends the grant with its code and tokens; one that has ended stays as it is. @throws {DirectoryError} not_found */
export async function revokeOne(
  { prisma }: Database,
  id: string,
  actor: string,
  now: Date,
): Promise<void> {
  await prisma.$transaction(async (db) => {
    const { count } = await db.grant.updateMany({
      where: { id, revokedAt: null },
      data: { revokedAt: now },
    });
    const found = await db.grant.findUnique({
      where: { id },
      include: { user: { select: { login: true } } },
    });
    if (!found) {
      throw new DirectoryError('not_found', `There is no grant ${JSON.stringify(id)}.`);
    }
    if (count === 0) return;
    const { user, clientId } = found;
    const target = user ? `user:${user.login}` : `client:${clientId}`;
    const detail = { grant: id, client: clientId };
    await record(db, { actor, action: 'grant.revoke', target, detail });
  });
}

/** Ends every grant of this user, whatever client it is for. How many they were. */
export const revokeAllOf = (
  { prisma }: Database,
  { uid, login }: { readonly uid: number; readonly login: string },
  actor: string,
  now: Date,
): Promise<number> =>
  prisma.$transaction(async (db) => {
    const { count } = await db.grant.updateMany({
      where: { userUid: uid, revokedAt: null },
      data: { revokedAt: now },
    });
    if (count > 0) {
      const target = `user:${login}`;
      await record(db, { actor, action: 'grant.revoke-all', target, detail: { grants: count } });
    }
    return count;
  });
