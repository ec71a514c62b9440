/**
 * The words every platform file speaks. Many wire dialects, one question: is this credential good, and whose is it?
 */

/** The user as a platform may learn of him. */
export type User = {
  /** Positive integer, the same for ever: what platforms store to know the user again. */
  readonly uid: number;
  /** Unique without regard to case; never changes. */
  readonly login: string;
  /** Full name, for people to read. */
  readonly name: string;
  readonly email: string | undefined;
  readonly group: Group | undefined;
  readonly profile: Profile;
};

export type Group = {
  readonly name: string;
  /** What a platform knows the group by: ASCII, 1-100 characters. */
  readonly subject: string;
  readonly displayName: string;
  /** Authlete service API keys (decimal) that the group may use; empty: any. */
  readonly services: readonly string[];
};

/** Further facts about a user that some platform may be told, by the names that platform uses. All optional. */
export type Profile = Readonly<Record<string, string | number | boolean>>;

/** What the request hands us to prove who the user is. */
export type Credential =
  | {
      readonly kind: 'token';
      readonly token: string;
      /** What the token must be good for, e.g. `verify`. */
      readonly scope: string;
      /** The URL that it is shown at. A token that was issued for another (RFC 8707) is refused; without a URL, any such. */
      readonly resource?: string;
    }
  | {
      readonly kind: 'password';
      readonly login: string;
      readonly password: string;
      readonly from: Origin;
    };

/** Where a password is tried from: guesses are counted by it. */
export type Origin = {
  /** The IP address of the other end, or of whom a trusted proxy names. */
  readonly address: string;
  /** True: an authenticated platform asks, from one address for everybody. */
  readonly platform: boolean;
};

/** Why we say no. For the operator: no platform is told which of these it was. */
export const refusals = [
  /** The request is not of the form the platform documents. */
  'malformed',
  /** No credential in it, or more than one. */
  'no-credential',
  /** No such token, or no such login. */
  'unknown',
  /** The token was good; its user has been deleted since. */
  'user-gone',
  'wrong-password',
  /** Too many tries at this login, or from this address; the password was not looked at. */
  'too-many-attempts',
  'expired',
  'revoked',
  /** The token was issued for another resource (RFC 8707). */
  'wrong-audience',
  /** The token was issued for something else. */
  'insufficient-scope',
  'user-suspended',
  'group-suspended',
  /** The credential is good, but belongs to another user than the request names. */
  'another-user',
  /** The user has no group, and the platform only knows groups. */
  'no-group',
  /** The user's group, or this backend, does not serve the calling service. */
  'service-not-allowed',
  /** The credential is of a kind that this backend does not accept (Authlete's `sns`). */
  'unsupported-credential',
] as const;

export type Refusal = (typeof refusals)[number];

/** What a good token was issued as. */
export type Issued = {
  /** The OAuth client that it was issued to. */
  readonly clientId: string;
  /** All that it is good for. */
  readonly scope: readonly string[];
};

/** Whose sign-in something comes of, and in which of his epochs (`UserFacts`) it was. */
export type SignedIn = {
  readonly uid: number;
  /** Undefined: of a store that has none, or not of a sign-in. */
  readonly signInEpoch?: number | undefined;
};

/** What the operator is told of the user whom a refusal is about. */
export type About = Pick<User, 'uid' | 'login'>;

export type Verdict =
  | {
      readonly accepted: true;
      readonly user: User;
      /** With a token of ours, or of the TOKEN_SOURCE; not with a password. */
      readonly issued?: Issued;
      /** With a password, for what is issued after it: the epoch in which it was his (`UserFacts`). */
      readonly signInEpoch?: number;
    }
  | {
      readonly accepted: false;
      readonly because: Refusal;
      /** Where the user is known: for the operator, like the reason. */
      readonly about?: About;
      /** Nobody was turned away: who brings no credential asks where to sign in. */
      readonly inquiry?: true;
      /** With `too-many-attempts`: when another try is worth it, in seconds. */
      readonly retryAfter?: number;
    };

export const accepted = (user: User, issued?: Issued): Verdict =>
  issued ? { accepted: true, user, issued } : { accepted: true, user };
export const refused = (because: Refusal, about?: About): Verdict =>
  about
    ? { accepted: false, because, about: { uid: about.uid, login: about.login } }
    : { accepted: false, because };
