import type {
  Client,
  FoundCode,
  Grant,
  Grants,
  GrantType,
  NewGrant,
  NewTokens,
} from '../oauth/grants.ts';
import { digest, plainUserCode } from '../oauth/secrets.ts';
import { record } from './audit.ts';
import { isClientId } from './clients.ts';
import type { Database, Db } from './database.ts';
import { holdSignIn } from './sign-in-epoch.ts';
import { separated } from './tokens.ts';
import { isUniqueViolation } from './unique-violation.ts';

type ClientRow = NonNullable<Awaited<ReturnType<Database['prisma']['client']['findUnique']>>>;
type GrantRow = NonNullable<Awaited<ReturnType<Database['prisma']['grant']['findUnique']>>>;

const clientOf = (row: ClientRow): Client => ({
  id: row.id,
  name: row.name,
  secretHash: row.secretHash ?? undefined,
  redirectUris: row.redirectUris as string[],
  grantTypes: row.grantTypes as GrantType[],
  scope: separated(row.scope),
  pkceRequired: row.pkceRequired,
  firstParty: row.firstParty,
});

const grantOf = (row: GrantRow): Grant => ({
  id: row.id,
  clientId: row.clientId,
  uid: row.userUid ?? undefined,
  scope: separated(row.scope),
  resource: row.resource ?? undefined,
});

const grantData = ({ clientId, uid, scope, resource }: NewGrant) => ({
  clientId,
  userUid: uid ?? null,
  scope: scope.join(' '),
  resource: resource ?? null,
});

/** After its second use, in the grace period, a refresh token counts as used long ago. */
const longAgo = new Date(0);

const userCodeHash = (userCode: string) => digest(plainUserCode(userCode));

/** The authorization server's state in our own database. Single use is decided by a conditional update, never by a read. */
export function createGrants(database: Database, now: () => Date): Grants {
  const { prisma } = database;

  async function storeTokens(db: Db, grant: Grant, tokens: NewTokens) {
    const { clientId, uid } = grant;
    await db.accessToken.create({
      data: {
        tokenHash: digest(tokens.accessToken),
        grantId: grant.id,
        clientId,
        userUid: uid ?? null,
        scope: tokens.scope.join(' '),
        createdAt: now(),
        expiresAt: tokens.accessExpiresAt,
      },
    });
    if (tokens.refreshToken === undefined || tokens.grantExpiresAt === undefined) return;
    await db.refreshToken.create({
      data: {
        tokenHash: digest(tokens.refreshToken),
        grantId: grant.id,
        createdAt: now(),
        expiresAt: tokens.grantExpiresAt,
      },
    });
  }

  /** The first tokens of a grant also fix when it ends. */
  async function storeFirstTokens(db: Db, id: string, tokens: NewTokens) {
    const expiresAt = tokens.refreshToken === undefined ? null : (tokens.grantExpiresAt ?? null);
    const grant = await db.grant.update({ where: { id }, data: { expiresAt } });
    await storeTokens(db, grantOf(grant), tokens);
  }

  const createGrant = async (db: Db, grant: NewGrant): Promise<Grant> =>
    grantOf(await db.grant.create({ data: { ...grantData(grant), createdAt: now() } }));

  return {
    async findClient(id) {
      // No other id is ever given (app/store/clients.ts), and PostgreSQL would throw at a NUL.
      if (!isClientId(id)) return undefined;
      const row = await prisma.client.findUnique({ where: { id } });
      return row ? clientOf(row) : undefined;
    },

    async authorize(grant, { code, redirectUri, codeChallenge, expiresAt }) {
      await prisma.$transaction(async (db) => {
        await holdSignIn(database, db, grant);
        const { id } = await createGrant(db, grant);
        await db.authorizationCode.create({
          data: {
            codeHash: digest(code),
            grantId: id,
            clientId: grant.clientId,
            redirectUri: redirectUri ?? null,
            codeChallenge: codeChallenge ?? null,
            expiresAt,
          },
        });
        await record(db, {
          actor: `uid:${grant.uid}`,
          action: 'grant.allow',
          target: `client:${grant.clientId}`,
          detail: { scope: grant.scope.join(' ') },
        });
      });
    },

    async findCode(code) {
      const row = await prisma.authorizationCode.findUnique({
        where: { codeHash: digest(code) },
        include: { grant: true },
      });
      if (!row) return undefined;
      const found: FoundCode = {
        redirectUri: row.redirectUri ?? undefined,
        codeChallenge: row.codeChallenge ?? undefined,
        expiresAt: row.expiresAt,
        grant: grantOf(row.grant),
        used: row.usedAt !== null || row.grant.revokedAt !== null,
      };
      return found;
    },

    redeemCode: (code, tokens) =>
      prisma.$transaction(async (db) => {
        const codeHash = digest(code);
        const { count } = await db.authorizationCode.updateMany({
          where: { codeHash, usedAt: null, grant: { revokedAt: null } },
          data: { usedAt: now() },
        });
        if (count === 0) return false;
        const { grantId } = await db.authorizationCode.findUniqueOrThrow({ where: { codeHash } });
        await storeFirstTokens(db, grantId, tokens);
        return true;
      }),

    async findRefreshToken(token) {
      const row = await prisma.refreshToken.findUnique({
        where: { tokenHash: digest(token) },
        include: { grant: true },
      });
      return row
        ? {
            grant: grantOf(row.grant),
            expiresAt: row.expiresAt,
            usedAt: row.usedAt ?? undefined,
            grantRevoked: row.grant.revokedAt !== null,
          }
        : undefined;
    },

    rotate: (token, tokens, usedAt) =>
      prisma.$transaction(async (db) => {
        const tokenHash = digest(token);
        const { count } = await db.refreshToken.updateMany({
          where: { tokenHash, usedAt: usedAt ?? null, grant: { revokedAt: null } },
          data: { usedAt: usedAt === undefined ? now() : longAgo },
        });
        if (count === 0) return false;
        const { grant } = await db.refreshToken.findUniqueOrThrow({
          where: { tokenHash },
          include: { grant: true },
        });
        await storeTokens(db, grantOf(grant), tokens);
        return true;
      }),

    async grantAtOnce(grant, tokens) {
      await prisma.$transaction(async (db) =>
        storeTokens(db, await createGrant(db, grant), tokens),
      );
    },

    async startDevice({ deviceCode, userCode, clientId, scope, interval, expiresAt }) {
      const creation = prisma.deviceCode.create({
        data: {
          deviceCodeHash: digest(deviceCode),
          userCodeHash: userCodeHash(userCode),
          clientId,
          scope: scope.join(' '),
          interval,
          expiresAt,
        },
      });
      return creation.then(
        () => true,
        (error) => {
          if (isUniqueViolation(error)) return false;
          throw error;
        },
      );
    },

    async findDevice(by) {
      const row = await prisma.deviceCode.findUnique({
        where:
          'deviceCode' in by
            ? { deviceCodeHash: digest(by.deviceCode) }
            : { userCodeHash: userCodeHash(by.userCode) },
        include: { grant: true },
      });
      if (!row) return undefined;
      return {
        clientId: row.clientId,
        scope: separated(row.scope),
        grant: row.grant ? grantOf(row.grant) : undefined,
        denied: row.deniedAt !== null || (row.grant?.revokedAt ?? null) !== null,
        used: row.usedAt !== null,
        expiresAt: row.expiresAt,
        lastPolledAt: row.lastPolledAt ?? undefined,
        interval: row.interval,
      };
    },

    allowDevice: (userCode, grant) =>
      prisma.$transaction(async (db) => {
        await holdSignIn(database, db, grant);
        const { id } = await createGrant(db, grant);
        const { count } = await db.deviceCode.updateMany({
          where: {
            userCodeHash: userCodeHash(userCode),
            grantId: null,
            deniedAt: null,
            expiresAt: { gt: now() },
          },
          data: { grantId: id },
        });
        if (count === 0) await db.grant.delete({ where: { id } });
        return count === 1;
      }),

    async denyDevice(userCode) {
      const { count } = await prisma.deviceCode.updateMany({
        where: { userCodeHash: userCodeHash(userCode), grantId: null, deniedAt: null },
        data: { deniedAt: now() },
      });
      return count === 1;
    },

    async notePoll(deviceCode, lastPolledAt, interval) {
      const { count } = await prisma.deviceCode.updateMany({
        where: { deviceCodeHash: digest(deviceCode), lastPolledAt: lastPolledAt ?? null },
        data: { lastPolledAt: now(), interval },
      });
      return count === 1;
    },

    redeemDevice: (deviceCode, tokens) =>
      prisma.$transaction(async (db) => {
        const deviceCodeHash = digest(deviceCode);
        const { count } = await db.deviceCode.updateMany({
          where: { deviceCodeHash, usedAt: null, grant: { revokedAt: null } },
          data: { usedAt: now() },
        });
        if (count === 0) return false;
        const { grantId } = await db.deviceCode.findUniqueOrThrow({ where: { deviceCodeHash } });
        if (grantId === null) throw new Error('a device code was allowed without a grant');
        await storeFirstTokens(db, grantId, tokens);
        return true;
      }),

    async revokeAccessToken(token) {
      await prisma.accessToken.updateMany({
        where: { tokenHash: digest(token), revokedAt: null },
        data: { revokedAt: now() },
      });
    },

    async revokeGrant(id, because) {
      await prisma.$transaction(async (db) => {
        const { count } = await db.grant.updateMany({
          where: { id, revokedAt: null },
          data: { revokedAt: now() },
        });
        if (count === 0) return;
        const target = `grant:${id}`;
        await record(db, { actor: 'system', action: 'grant.revoke', target, detail: { because } });
      });
    },
  };
}
