import {
  decidePassword,
  decideToken,
  type PasswordFacts,
  type TokenFacts,
  type UserFacts,
} from './decide.ts';
import type { Credential, Origin, Verdict } from './verdict.ts';

/**
 * Where your users live. This is what a partner replaces: see docs/replace-the-user-store.md.
 *
 * "Not found" is `undefined`. A store that cannot answer throws, and the platform gets a 5xx: a fault must never look
 * like a refusal.
 */
export type UserStore = {
  /** The user with this uid. */
  findUser(uid: number): Promise<UserFacts | undefined>;
  /** The user with this login, in whatever case. */
  findUserByLogin(login: string): Promise<UserFacts | undefined>;
  /**
   * The user with this login, and whether the password is his. Takes the same time whether or not the login exists.
   * Says nothing of the user's status: that is for `decide`.
   */
  checkPassword(login: string, password: string): Promise<PasswordFacts | undefined>;
};

/** Where issued access tokens live, with what is known of the user they speak for. Reads afresh on every call. */
export type TokenStore = {
  findToken(token: string): Promise<TokenFacts | undefined>;
};

/**
 * Limits guessing: does `check`, unless too many were refused before it. One for all doors that a password can be tried at.
 * What cannot be counted is not let through: it throws.
 */
export type LimitAttempts = (
  attempt: { readonly login: string; readonly from: Origin },
  check: () => Promise<Verdict>,
) => Promise<Verdict>;

/** The one question. Never consumes a token: platforms retry, and verify the same token again and again. */
export type Verify = (credential: Credential) => Promise<Verdict>;

export const createVerify =
  (
    users: Pick<UserStore, 'checkPassword'>,
    tokens: Pick<TokenStore, 'findToken'>,
    limitAttempts: LimitAttempts,
    now: () => Date,
  ): Verify =>
  async (credential) => {
    switch (credential.kind) {
      case 'token':
        return decideToken(
          await tokens.findToken(credential.token),
          { scope: credential.scope, resource: credential.resource },
          now(),
        );
      case 'password':
        return limitAttempts(credential, async () =>
          decidePassword(await users.checkPassword(credential.login, credential.password)),
        );
    }
  };
