/** A user's access tokens, for the console. The tokens themselves are stored nowhere: they are told apart by their digests. */
import { tokenEnded } from '../verification/decide.ts';
import { record } from './audit.ts';
import type { Database } from './database.ts';
import { separated } from './tokens.ts';

export type TokenOfUser = {
  /** SHA-256 of the token, base64url: of no use to anybody but `expireToken`. */
  readonly digest: string;
  readonly clientId: string;
  readonly grantId: string;
  readonly scope: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly state: 'live' | 'expired' | 'revoked';
};

/** Newest first. */
export async function tokensOf(
  { prisma }: Database,
  { uid, limit }: { readonly uid: number; readonly limit: number },
  now: Date,
): Promise<TokenOfUser[]> {
  const rows = await prisma.accessToken.findMany({
    where: { userUid: uid },
    include: { grant: { select: { revokedAt: true } } },
    orderBy: [{ createdAt: 'desc' }, { tokenHash: 'asc' }],
    take: limit,
  });
  return rows.map(({ tokenHash, grantId, clientId, scope, createdAt, expiresAt, ...row }) => {
    const revokedAt = row.revokedAt ?? row.grant.revokedAt ?? undefined;
    return {
      ...{ digest: tokenHash, grantId, clientId, scope: separated(scope), createdAt, expiresAt },
      state: tokenEnded({ revokedAt, expiresAt }, now) ?? 'live',
    };
  });
}

/**
 * Lets a token of this user, or all of them, be over from now on, as if their time had come: a refresh token of the same grant
 * still works. How many were live.
 */
export const expireTokens = (
  { prisma }: Database,
  { uid, login }: { readonly uid: number; readonly login: string },
  /** Undefined: all of them. */
  digest: string | undefined,
  actor: string,
  now: Date,
): Promise<number> =>
  prisma.$transaction(async (db) => {
    const { count } = await db.accessToken.updateMany({
      where: {
        userUid: uid,
        expiresAt: { gt: now },
        revokedAt: null,
        grant: { revokedAt: null },
        ...(digest === undefined ? {} : { tokenHash: digest }),
      },
      data: { expiresAt: now },
    });
    if (count > 0) {
      const target = `user:${login}`;
      await record(db, { actor, action: 'token.expire', target, detail: { tokens: count } });
    }
    return count;
  });
