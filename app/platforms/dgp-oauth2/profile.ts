/** A user in dgp-oauth2's words. */
import { hash } from 'node:crypto';
import type { User } from '../../verification/verdict.ts';
import type { Services } from '../platform.ts';

/** What `check` answers, and what extensions are called with as `user_info`. */
export type UserInfo = {
  /** The uid, as text: the original's is text too. */
  readonly id: string;
  /** Where he came from first: `google:<his id there>`, or `local:<uid>`. */
  readonly provider_id: string;
  readonly name: string;
  readonly email: string | null;
  readonly avatar_url: string | null;
  /** 32 hexadecimal digits, of the id: the original's are of the e-mail, which can be guessed from them. */
  readonly idhash: string;
  /** Only when he has chosen one. */
  readonly username?: string;
  /** ISO 8601. Null where the user store does not say. */
  readonly join_date: string | null;
};

const idhash = (id: string) => hash('sha256', `dgp-oauth2 ${id}`, 'hex').slice(0, 32);

const avatarUrl = ({ profile: { picture } }: User) =>
  typeof picture === 'string' && picture !== '' ? picture : null;

type Sources = Pick<Services, 'usernames' | 'accountOf'>;

export async function userInfo(user: User, { usernames, accountOf }: Sources): Promise<UserInfo> {
  const id = String(user.uid);
  const [username, account] = await Promise.all([usernames.chosen(user.uid), accountOf(user.uid)]);
  return {
    id,
    provider_id: `${account?.identity?.provider ?? 'local'}:${account?.identity?.subject ?? id}`,
    name: user.name,
    email: user.email ?? null,
    avatar_url: avatarUrl(user),
    idhash: idhash(id),
    ...(username === undefined ? {} : { username }),
    join_date: account?.createdAt.toISOString() ?? null,
  };
}

/** What everybody may know of him. `gravatar` draws a pattern of his own, and leads to no e-mail. */
export async function publicProfile(user: User, { accountOf }: Pick<Services, 'accountOf'>) {
  const id = String(user.uid);
  const account = await accountOf(user.uid);
  return {
    id,
    name: user.name,
    join_date: account?.createdAt.toISOString() ?? null,
    avatar_url: avatarUrl(user),
    gravatar: idhash(id),
  };
}
