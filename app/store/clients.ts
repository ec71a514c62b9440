import { record } from './audit.ts';
import type { Database } from './database.ts';

export type Client = {
  readonly id: string;
  readonly name: string;
  /** What it may ask for. */
  readonly scope: readonly string[];
};

/** Adds a public client unless there is one of that id; an existing one is left as it is. */
export async function ensureClient(
  { prisma }: Database,
  { id, name, scope }: Client,
  actor = 'system',
): Promise<void> {
  if ((await prisma.client.count({ where: { id } })) > 0) return;
  const creation = prisma.$transaction(async (db) => {
    await db.client.create({
      data: { id, name, scope: scope.join(' '), redirectUris: [], grantTypes: [] },
    });
    await record(db, { actor, action: 'client.create', target: `client:${id}` });
  });
  // P2002: another process that starts at the same moment has added it.
  await creation.catch((error) => {
    if ((error as { code?: unknown }).code !== 'P2002') throw error;
  });
}

export async function findClient({ prisma }: Database, id: string): Promise<Client | undefined> {
  const row = await prisma.client.findUnique({ where: { id } });
  return row
    ? { id: row.id, name: row.name, scope: row.scope.split(' ').filter(Boolean) }
    : undefined;
}
