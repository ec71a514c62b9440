/** The audit trail in pages, for the console. */
import type { AuditEvent, Detail } from './audit.ts';
import type { Database } from './database.ts';

export type TrailPage = {
  /** Newest first. */
  readonly events: readonly (AuditEvent & { readonly id: number })[];
  /** For `before`, to go on; undefined: these were the oldest. */
  readonly next: number | undefined;
};

export async function trailPage(
  { prisma }: Database,
  {
    target,
    before,
    limit,
  }: { readonly target?: string | undefined; readonly before?: number; readonly limit: number },
): Promise<TrailPage> {
  const rows = await prisma.auditEvent.findMany({
    where: {
      ...(target === undefined ? {} : { target }),
      ...(before === undefined ? {} : { id: { lt: before } }),
    },
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
  const events = rows.slice(0, limit).map(({ detail, ...event }) => ({
    ...event,
    detail: detail as Detail,
  }));
  return { events, next: rows.length > limit ? events.at(-1)?.id : undefined };
}
