import { accepted, refused, type User, type Verdict } from './verdict.ts';

/** A user as the store knows him, with the two switches that can shut him out. */
export type UserFacts = {
  readonly user: User;
  readonly userActive: boolean;
  /** True for a user without a group. */
  readonly groupActive: boolean;
};

export type TokenFacts = {
  readonly expiresAt: Date;
  readonly revokedAt: Date | undefined;
  readonly scope: readonly string[];
  /** The OAuth client the token was issued to. */
  readonly clientId: string;
  readonly issuedAt: Date;
  /** RFC 8707 resource indicator that it was issued for, if any. */
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
  { revokedAt, expiresAt }: TokenFacts,
  now: Date,
): 'revoked' | 'expired' | undefined {
  if (revokedAt) return 'revoked';
  return now < expiresAt ? undefined : 'expired';
}

/** The order of these lines is the policy. */
export function decideToken(found: TokenFacts | undefined, scope: string, now: Date): Verdict {
  if (!found) return refused('unknown');
  const ended = tokenEnded(found, now);
  if (ended) return refused(ended);
  if (!found.scope.includes(scope)) return refused('insufficient-scope');
  if (!found.subject) return refused('unknown');
  return decideUser(found.subject);
}

export function decidePassword(found: PasswordFacts | undefined): Verdict {
  if (!found) return refused('unknown');
  if (!found.passwordMatches) return refused('wrong-password');
  return decideUser(found.subject);
}

export function decideUser({ user, userActive, groupActive }: UserFacts): Verdict {
  if (!userActive) return refused('user-suspended');
  if (!groupActive) return refused('group-suspended');
  return accepted(user);
}
