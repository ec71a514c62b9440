import type { Database, Db } from './database.ts';

/** Who changed what. Goes into the same transaction as the change; never holds a token, password or secret. */
export type Audit = {
  /** `admin:<system user>`, `user:<login>`, `system`. */
  readonly actor: string;
  /** `user.suspend`, `token.issue` … */
  readonly action: string;
  /** `user:test4`, `group:Dev 02`, `client:demo-app`. */
  readonly target: string;
  readonly detail?: Detail;
};

export type Detail = Readonly<Record<string, string | number | boolean | null>>;

export async function record(db: Db, { actor, action, target, detail = {} }: Audit): Promise<void> {
  await db.auditEvent.create({ data: { actor, action, target, detail } });
}

export type AuditEvent = Required<Audit> & { readonly at: Date };

/** The trail, newest first: all of it, or that of one target. */
export async function trail(
  { prisma }: Database,
  { target, limit }: { target?: string; limit: number },
): Promise<AuditEvent[]> {
  const rows = await prisma.auditEvent.findMany({
    where: target === undefined ? {} : { target },
    orderBy: { id: 'desc' },
    take: limit,
  });
  return rows.map(({ at, actor, action, target, detail }) => ({
    at,
    actor,
    action,
    target,
    detail: detail as Detail,
  }));
}
