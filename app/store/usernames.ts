import { record } from './audit.ts';
import type { Database, Db } from './database.ts';
import { loginKey } from './login.ts';

/** What `Usernames` of app/platforms/platform.ts asks. */
export type Usernames = {
  /** As it was typed; undefined: not chosen yet. */
  chosen(uid: number): Promise<string | undefined>;
  /** Who chose it; else whose login it is, while he has not chosen. */
  find(username: string): Promise<number | undefined>;
  /** Once. `taken` is also what no login can be (app/store/login.ts), and what is reserved for another. */
  choose(uid: number, username: string): Promise<'chosen' | 'already-set' | 'taken'>;
};

/** Any number; with it, our advisory locks are no others'. */
const namesLock = 1_852_796_275;

/**
 * Until the transaction ends, nobody else gives this name to anybody: two unique indexes cannot see that one user's login
 * is another's username. SQLite has one writer anyway. Before any other lock: two orders would be a deadlock.
 *
 * @param key of the name (`loginKey`)
 */
export async function reserveName(
  { provider }: Pick<Database, 'provider'>,
  db: Db,
  key: string,
): Promise<void> {
  if (provider === 'sqlite') return;
  await db.$executeRaw`SELECT pg_advisory_xact_lock(${namesLock}::int, hashtext(${key}))`;
}

/** Whether somebody has chosen this name. @param key of the name, reserved */
export const isChosen = async (db: Db, key: string): Promise<boolean> =>
  (await db.user.count({ where: { usernameKey: key } })) > 0;

/** @param reserved logins, folded, that give a right to whoever has them: nobody else may seem to be him */
export function createUsernames(database: Database, reserved: readonly string[]): Usernames {
  const { prisma } = database;
  return {
    async chosen(uid) {
      const user = await prisma.user.findUnique({ where: { uid }, select: { username: true } });
      return user?.username ?? undefined;
    },

    async find(username) {
      const key = loginKey(username);
      if (key === undefined) return undefined;
      const user = await prisma.user.findFirst({
        where: { OR: [{ usernameKey: key }, { loginKey: key, usernameKey: null }] },
        select: { uid: true },
      });
      return user?.uid;
    },

    choose: (uid, username) =>
      prisma.$transaction(async (db) => {
        const key = loginKey(username);
        if (key !== undefined) await reserveName(database, db, key);
        const user = await db.user.findUniqueOrThrow({ where: { uid } });
        if (user.usernameKey !== null) return 'already-set';
        const others = {
          uid: { not: uid },
          OR: [{ usernameKey: key ?? '' }, { loginKey: key ?? '' }],
        };
        const isFree = key !== undefined && (key === user.loginKey || !reserved.includes(key));
        if (!isFree || (await db.user.count({ where: others })) > 0) return 'taken';
        const { count } = await db.user.updateMany({
          where: { uid, usernameKey: null },
          data: { username, usernameKey: key },
        });
        // Another request of his was faster, with another name.
        if (count === 0) return 'already-set';
        const who = `user:${user.login}`;
        const detail = { username };
        await record(db, { actor: who, action: 'user.choose-username', target: who, detail });
        return 'chosen';
      }),
  };
}
