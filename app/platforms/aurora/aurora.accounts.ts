/**
 * AURORA's rules for accounts, as its code has them: what it makes of an address, and which accounts it would mangle or
 * refuse. For `/userinfo`, for the simulator and for `npm run admin -- check aurora`.
 *
 * https://github.com/janfrodej/Aurora, server/lib/Schema.pm and server/lib/Authenticator/OAuthAccessToken.pm
 */
import type { User } from '../../verification/verdict.ts';

/** Of an address. AURORA cuts what is longer. In characters. */
const longest = 255;

/** An address as AURORA cleans it: cut, and without what it does not know. Undefined: the rest has not the form it wants. */
export function cleanAddress(text: string): string | undefined {
  const kept = text.slice(0, longest).replace(/[^\w.!#$%&'*+\-/=?^`{|}~@]/g, '');
  return /^[A-Za-z][\w.!#$%&'*+\-/=?^`{|}~]*@[A-Za-z0-9.-]+$/.test(kept) ? kept : undefined;
}

/** Reserved for AURORA's own accounts. */
export const isLocal = (address: string): boolean => /^[^@]+@localhost$/i.test(address);

/** What AURORA would do to this e-mail address; undefined: nothing. */
export function emailProblem(email: string | undefined): string | undefined {
  if (email === undefined) return 'no e-mail address: AURORA refuses the account';
  if (email.length > longest) return 'longer than 255 characters: AURORA would cut it';
  if (/[^\x20-\x7e]/.test(email)) return 'not ASCII: AURORA would take those characters out';
  if (/^\d/.test(email)) return 'begins with a digit: AURORA wants a letter';
  if (isLocal(email)) return 'ends in @localhost: AURORA keeps that for itself';
  if (cleanAddress(email) !== email) return 'not of the form that AURORA knows';
  return undefined;
}

/** `feide:simon371@users.invalid`: prefix and domain. Neither may change once AURORA knows somebody. */
export type UserIdSettings = { readonly prefix: string; readonly domain: string };

/**
 * The user names that AURORA knows a user again by, when his e-mail address has changed: `<prefix>:<local>@<domain>`, after
 * the login, which never changes. A login that AURORA would turn into another, or that looks like the name of somebody else
 * here, is replaced by the uid: two users must never have one name.
 */
export function userIds(
  { uid, login }: Pick<User, 'uid' | 'login'>,
  { prefix, domain }: UserIdSettings,
): readonly string[] {
  const here = `@${domain}`;
  const name = login.includes('@') ? login : `${login}${here}`;
  const ambiguous = login.toLowerCase().endsWith(here.toLowerCase()) || /^uid\.\d+$/i.test(login);
  const usable = !ambiguous && cleanAddress(name) === name;
  return [`${prefix}:${usable ? name : `uid.${uid}${here}`}`];
}

export type Account = Pick<User, 'uid' | 'login'> & {
  readonly email: string | undefined;
  /** Whether he signs in at another server, which may have told his login. */
  readonly fromElsewhere?: boolean;
};

export type AccountProblem = Omit<Account, 'fromElsewhere'> & { readonly problem: string };

/** Every account that AURORA would mangle or refuse, and why. In the order given. */
export function accountProblems(accounts: readonly Account[]): readonly AccountProblem[] {
  const firstWith = new Map<string, string>();
  return accounts.flatMap(({ fromElsewhere, ...account }) => {
    const { login, email } = account;
    const problem =
      emailProblem(email) ??
      (fromElsewhere && login.includes('@')
        ? 'signs in at another server, and his login is a user name of another domain: is he that person?'
        : undefined);
    if (problem !== undefined) return [{ ...account, problem }];
    const key = String(email).toLowerCase();
    const other = firstWith.get(key);
    if (other === undefined) {
      firstWith.set(key, login);
      return [];
    }
    return [{ ...account, problem: `the e-mail address of ${other}, too: a conflict for AURORA` }];
  });
}
