import type { Database } from './database.ts';

/** What `accountOf` of app/platforms/platform.ts asks: of several identities, the first. */
export async function accountOf({ prisma }: Database, uid: number) {
  const user = await prisma.user.findUnique({
    where: { uid },
    select: {
      createdAt: true,
      identities: {
        select: { provider: true, subject: true },
        orderBy: [{ createdAt: 'asc' }, { provider: 'asc' }],
        take: 1,
      },
    },
  });
  return user ? { createdAt: user.createdAt, identity: user.identities[0] } : undefined;
}
