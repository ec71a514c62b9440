import type { Db } from './database.ts';

/** Who changed what. Goes into the same transaction as the change; never holds a token, password or secret. */
export type Audit = {
  /** `admin:<system user>`, `user:<login>`, `system`. */
  readonly actor: string;
  /** `user.suspend`, `token.mint` … */
  readonly action: string;
  /** `user:test4`, `group:Dev 02` … */
  readonly target: string;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
};

export async function record(db: Db, { actor, action, target, detail = {} }: Audit): Promise<void> {
  await db.auditEvent.create({ data: { actor, action, target, detail } });
}
