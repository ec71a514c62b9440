import type { SignedIn } from '../verification/verdict.ts';
import { record } from './audit.ts';
import type { Database, Db } from './database.ts';
import { holdSignIn } from './sign-in-epoch.ts';

export type ClientTokenRow = {
  readonly uid: number;
  readonly expiresAt: Date;
  readonly revokedAt: Date | undefined;
};

/** The signed tokens that were issued, by their `jti`. Read afresh on every call. */
export type ClientTokenStore = {
  /** @throws {Unavailable} when the sign-in that it comes of has ended */
  add(id: string, token: SignedIn & { readonly expiresAt: Date }): Promise<void>;
  find(id: string): Promise<ClientTokenRow | undefined>;
  /** One that is revoked, or not there, stays as it is. */
  revoke(id: string): Promise<void>;
};

const withLogin = { user: { select: { login: true } } } as const;

/** The user's own doing: nobody else holds the token. */
const trace = (action: string, { user }: { readonly user: { readonly login: string } }) =>
  ({ actor: `user:${user.login}`, action, target: `user:${user.login}` }) as const;

const lookUp = 'SELECT t.user_uid, t.expires_at, t.revoked_at FROM client_tokens t WHERE t.id = $1';

type Row = readonly [uid: number, expiresAt: string, revokedAt: string | null];

export function createClientTokenStore(database: Database, now: () => Date): ClientTokenStore {
  const { prisma, prepareRead } = database;
  const read = prepareRead<Row>(lookUp);
  return {
    async add(id, { uid, signInEpoch, expiresAt }) {
      await prisma.$transaction(async (db) => {
        await holdSignIn(database, db, { uid, signInEpoch });
        const made = await db.clientToken.create({
          data: { id, userUid: uid, createdAt: now(), expiresAt },
          include: withLogin,
        });
        await record(db, trace('client-token.issue', made));
      });
    },

    async find(id) {
      const row = await read(id);
      if (!row) return undefined;
      const [uid, expiresAt, revokedAt] = row;
      return {
        uid,
        expiresAt: new Date(expiresAt),
        revokedAt: revokedAt === null ? undefined : new Date(revokedAt),
      };
    },

    async revoke(id) {
      await prisma.$transaction(async (db) => {
        const { count } = await db.clientToken.updateMany({
          where: { id, revokedAt: null },
          data: { revokedAt: now() },
        });
        if (count === 0) return;
        const revoked = await db.clientToken.findUniqueOrThrow({
          where: { id },
          include: withLogin,
        });
        await record(db, trace('client-token.revoke', revoked));
      });
    },
  };
}

/** Ends every client token of this user, for good. */
export async function endClientTokensOf(db: Db, uid: number): Promise<void> {
  await db.clientToken.updateMany({
    where: { userUid: uid, revokedAt: null },
    data: { revokedAt: new Date() },
  });
}
