import { accepted, type Issued, refused, type User, type Verdict } from './verdict.ts';

/** A user as the store knows him, with the two switches that can shut him out. */
export type UserFacts = {
  readonly user: User;
  readonly userActive: boolean;
  /** True for a user without a group. */
  readonly groupActive: boolean;
  /** Another number than before: what came of his earlier sign-ins is over. A store that has none of it leaves it out. */
  readonly signInEpoch?: number | undefined;
};

export type TokenFacts = {
  readonly expiresAt: Date;
  readonly revokedAt: Date | undefined;
  readonly scope: readonly string[];
  /** The OAuth client the token was issued to. */
  readonly clientId: string;
  readonly issuedAt: Date;
  /** RFC 8707 resource indicator that it was issued for, if any: it is good only there. */
  readonly resource: string | undefined;
  /** Undefined: the client's own token (RFC 6749 §4.4), which speaks for nobody. */
  readonly subject: UserFacts | undefined;
};

export type PasswordFacts = {
  readonly passwordMatches: boolean;
  readonly subject: UserFacts;
};

/** Whether a token is over: expired from `expiresAt` on, that instant included; so is one whose date cannot be read. */
export function tokenEnded(
  { revokedAt, expiresAt }: Pick<TokenFacts, 'revokedAt' | 'expiresAt'>,
  now: Date,
): 'revoked' | 'expired' | undefined {
  if (revokedAt) return 'revoked';
  return now < expiresAt ? undefined : 'expired';
}

/** What a token is to be good for, and at which URL it is shown. */
export type Asked = { readonly scope: string; readonly resource: string | undefined };

/** As URLs (RFC 3986 §6.2.2): the case of the host, a default port and the slash of a root make no difference. */
const sameResource = (one: string, other: string | undefined) =>
  other !== undefined &&
  URL.canParse(one) &&
  URL.canParse(other) &&
  new URL(one).href === new URL(other).href;

/** The order of these lines is the policy. */
export function decideToken(
  found: TokenFacts | undefined,
  { scope, resource }: Asked,
  now: Date,
): Verdict {
  if (!found) return refused('unknown');
  const about = found.subject?.user;
  const ended = tokenEnded(found, now);
  if (ended) return refused(ended, about);
  if (found.resource !== undefined && !sameResource(found.resource, resource)) {
    return refused('wrong-audience', about);
  }
  if (!found.scope.includes(scope)) return refused('insufficient-scope', about);
  if (!found.subject) return refused('unknown');
  return decideUser(found.subject, { clientId: found.clientId, scope: found.scope });
}

export function decidePassword(found: PasswordFacts | undefined): Verdict {
  if (!found) return refused('unknown');
  if (!found.passwordMatches) return refused('wrong-password', found.subject.user);
  const { signInEpoch } = found.subject;
  const verdict = decideUser(found.subject);
  return verdict.accepted && signInEpoch !== undefined ? { ...verdict, signInEpoch } : verdict;
}

export function decideUser({ user, userActive, groupActive }: UserFacts, issued?: Issued): Verdict {
  if (!userActive) return refused('user-suspended', user);
  if (!groupActive) return refused('group-suspended', user);
  return accepted(user, issued);
}
