import { digest, newToken } from '../oauth/secrets.ts';
import type { TokenFacts } from '../verification/decide.ts';
import type { SignedIn } from '../verification/verdict.ts';
import type { TokenStore } from '../verification/verify.ts';
import { record } from './audit.ts';
import type { Database } from './database.ts';
import { holdSignIn } from './sign-in-epoch.ts';
import { factsOf, type UserRow, userColumns } from './users.ts';

export type Issued = {
  readonly token: string;
  readonly scope: readonly string[];
  readonly expiresAt: Date;
};

export type TokenRequest = SignedIn & {
  readonly clientId: string;
  readonly scope: readonly string[];
  /** Seconds. */
  readonly ttl: number;
  /** For the audit trail. */
  readonly actor: string;
};

/** Tokens in our own database. */
export type OwnTokens = TokenStore & {
  /**
   * A new grant with one access token. The token is returned once, and stored as its SHA-256. @throws {Unavailable} when the
   * sign-in that it comes of has ended
   */
  issue(request: TokenRequest): Promise<Issued>;
  /** How many of this user's tokens are neither expired nor revoked. */
  countLive(uid: number): Promise<number>;
  /** Ends the token and whatever else came of the same grant. False: there is no such token. */
  revoke(token: string, actor: string): Promise<boolean>;
};

export const separated = (scope: string): string[] => scope.split(' ').filter((one) => one !== '');

/**
 * One row, one look-up, nothing cached: a suspension or a revocation counts from the next request on, in every process.
 * A token whose grant is revoked is revoked.
 */
const lookUp = `
  SELECT t.expires_at, COALESCE(t.revoked_at, g.revoked_at), t.scope, t.client_id, t.created_at, g.resource,
    ${userColumns}
  FROM access_tokens t
  JOIN grants g ON g.id = t.grant_id
  LEFT JOIN users u ON u.uid = t.user_uid
  LEFT JOIN groups o ON o.id = u.group_id
  WHERE t.token_hash = $1`;

type TokenRow = readonly [
  expiresAt: string,
  revokedAt: string | null,
  scope: string,
  clientId: string,
  issuedAt: string,
  resource: string | null,
  ...user: UserRow,
];

const withLogin = { user: { select: { login: true } } } as const;

/** For the audit trail: whose token it is. One without a user is the client's own. */
const targetOf = ({ user, clientId }: { user: { login: string } | null; clientId: string }) =>
  user ? `user:${user.login}` : `client:${clientId}`;

export function createTokens(database: Database, now: () => Date): OwnTokens {
  const { prisma, prepareRead } = database;
  const read = prepareRead<TokenRow>(lookUp);

  const findToken = async (token: string): Promise<TokenFacts | undefined> => {
    const row = await read(digest(token));
    if (!row) return undefined;
    const [expiresAt, revokedAt, scope, clientId, issuedAt, resource, ...user] = row;
    return {
      expiresAt: new Date(expiresAt),
      revokedAt: revokedAt === null ? undefined : new Date(revokedAt),
      scope: separated(scope),
      clientId,
      issuedAt: new Date(issuedAt),
      resource: resource ?? undefined,
      subject: factsOf(user),
    };
  };

  return {
    findToken,

    countLive: (uid) =>
      prisma.accessToken.count({
        where: {
          userUid: uid,
          expiresAt: { gt: now() },
          revokedAt: null,
          grant: { revokedAt: null },
        },
      }),

    async issue({ clientId, uid, signInEpoch, scope, ttl, actor }) {
      const token = newToken();
      const issuedAt = now();
      const expiresAt = new Date(issuedAt.getTime() + ttl * 1000);
      await prisma.$transaction(async (db) => {
        await holdSignIn(database, db, { uid, signInEpoch });
        const grant = await db.grant.create({
          data: { clientId, userUid: uid, scope: scope.join(' ') },
          include: withLogin,
        });
        await db.accessToken.create({
          data: {
            tokenHash: digest(token),
            grantId: grant.id,
            clientId,
            userUid: uid,
            scope: scope.join(' '),
            createdAt: issuedAt,
            expiresAt,
          },
        });
        await record(db, {
          actor,
          action: 'token.issue',
          target: targetOf(grant),
          detail: { client: clientId, scope: scope.join(' ') },
        });
      });
      return { token, scope, expiresAt };
    },

    async revoke(token, actor) {
      return prisma.$transaction(async (db) => {
        const { count } = await db.grant.updateMany({
          where: { accessTokens: { some: { tokenHash: digest(token) } }, revokedAt: null },
          data: { revokedAt: now() },
        });
        const found = await db.accessToken.findUnique({
          where: { tokenHash: digest(token) },
          include: withLogin,
        });
        if (found && count > 0) {
          const detail = { client: found.clientId };
          await record(db, { actor, action: 'token.revoke', target: targetOf(found), detail });
        }
        return found !== null;
      });
    },
  };
}
