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
): Promise<void> {
  await prisma.client.upsert({
    where: { id },
    create: { id, name, scope: scope.join(' '), redirectUris: [], grantTypes: [] },
    update: {},
  });
}

export async function findClient({ prisma }: Database, id: string): Promise<Client | undefined> {
  const row = await prisma.client.findUnique({ where: { id } });
  return row ? { id: row.id, name: row.name, scope: row.scope.split(' ') } : undefined;
}
