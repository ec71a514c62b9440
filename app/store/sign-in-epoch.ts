import { Unavailable } from '../verification/unavailable.ts';
import type { SignedIn } from '../verification/verdict.ts';
import type { Database, Db } from './database.ts';
import { endSessionsOf } from './sessions.ts';

/** What a browser session is stamped with is looked at whenever it is used; its row is of no more use. */
export async function endSignInsOf(db: Db, uid: number): Promise<{ signInEpoch: object }> {
  await endSessionsOf(db, uid);
  return { signInEpoch: { increment: 1 } };
}

/**
 * For what is issued after a sign-in: between its password, which takes 50 ms to compare, and now, it may have ended. His row
 * is held, so that nothing ends it before this transaction is over, and all that it wrote is seen by whoever does. Before
 * any other lock.
 *
 * @throws {Unavailable} when it has ended: asked again, the same is a refusal
 */
export async function holdSignIn(
  { provider }: Pick<Database, 'provider'>,
  db: Db,
  { uid, signInEpoch }: SignedIn,
): Promise<void> {
  if (signInEpoch === undefined) return;
  const found =
    provider === 'sqlite'
      ? // It has one writer, and this is it.
        await db.user.findMany({ where: { uid, signInEpoch }, select: { uid: true } })
      : await db.$queryRaw<unknown[]>`
          SELECT uid FROM users WHERE uid = ${uid} AND sign_in_epoch = ${signInEpoch} FOR SHARE`;
  if (found.length === 0) throw new Unavailable('the sign-in ended while something came of it');
}
