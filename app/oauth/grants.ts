/**
 * What the authorization server keeps, as a port: app/store/grants.ts implements it on Prisma. Every string that is a
 * secret on the wire (code, token, device code, user code) is handed over in clear and kept as its SHA-256.
 */

/** RFC 8628 §3.4. */
export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

export const grantTypes = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  deviceGrant,
] as const;

import type { SignedIn } from '../verification/verdict.ts';

export type GrantType = (typeof grantTypes)[number];

/** RFC 6749 §2. */
export type Client = {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the secret, base64url; undefined: a public client. */
  readonly secretHash: string | undefined;
  readonly redirectUris: readonly string[];
  readonly grantTypes: readonly GrantType[];
  readonly scope: readonly string[];
  readonly pkceRequired: boolean;
  /** The customer's own: its users are not asked for consent. */
  readonly firstParty: boolean;
};

/** What was allowed: by a user to a client, or to a client for itself. */
export type NewGrant = {
  readonly clientId: string;
  readonly uid: number | undefined;
  readonly scope: readonly string[];
  readonly resource: string | undefined;
};

/** Of a user who is signed in: it throws `Unavailable` when that sign-in has ended. */
export type AllowedGrant = NewGrant & SignedIn;

export type Grant = NewGrant & { readonly id: string };

export type NewCode = {
  readonly code: string;
  readonly redirectUri: string | undefined;
  readonly codeChallenge: string | undefined;
  readonly expiresAt: Date;
};

export type FoundCode = Omit<NewCode, 'code'> & { readonly grant: Grant; readonly used: boolean };

export type FoundRefreshToken = {
  readonly grant: Grant;
  readonly expiresAt: Date;
  /** Its first use; long ago when it was used a second time. */
  readonly usedAt: Date | undefined;
  readonly grantRevoked: boolean;
};

/** Tokens to be stored. The scope may be less than the grant's. */
export type NewTokens = {
  readonly accessToken: string;
  readonly scope: readonly string[];
  readonly accessExpiresAt: Date;
  readonly refreshToken: string | undefined;
  /** When the grant as a whole ends; only used for the first tokens of a grant. */
  readonly grantExpiresAt: Date | undefined;
};

export type NewDevice = {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly clientId: string;
  readonly scope: readonly string[];
  /** Seconds. */
  readonly interval: number;
  readonly expiresAt: Date;
};

export type DeviceState = {
  readonly clientId: string;
  readonly scope: readonly string[];
  readonly grant: Grant | undefined;
  readonly denied: boolean;
  readonly used: boolean;
  readonly expiresAt: Date;
  readonly lastPolledAt: Date | undefined;
  /** Seconds. */
  readonly interval: number;
};

export type Grants = {
  findClient(id: string): Promise<Client | undefined>;

  /** A new grant and its authorization code. */
  authorize(grant: AllowedGrant, code: NewCode): Promise<void>;
  findCode(code: string): Promise<FoundCode | undefined>;
  /** Uses the code up and stores the tokens, both or neither. False: somebody else has used it. */
  redeemCode(code: string, tokens: NewTokens): Promise<boolean>;

  findRefreshToken(token: string): Promise<FoundRefreshToken | undefined>;
  /**
   * As `redeemCode`, for a token that was found with this `usedAt`: undefined, or its first use, after which it can be used
   * once more (the grace period). False: it has been used since.
   */
  rotate(token: string, tokens: NewTokens, usedAt: Date | undefined): Promise<boolean>;

  /** A new grant that has its tokens at once. */
  grantAtOnce(grant: NewGrant, tokens: NewTokens): Promise<void>;

  /** False: the user code is taken. */
  startDevice(device: NewDevice): Promise<boolean>;
  /** A user code may be handed over as it was typed: see `plainUserCode`. */
  findDevice(by: { deviceCode: string } | { userCode: string }): Promise<DeviceState | undefined>;
  /** The user's word. False: it had been given, or the code is gone. */
  allowDevice(userCode: string, grant: AllowedGrant): Promise<boolean>;
  denyDevice(userCode: string): Promise<boolean>;
  /** Notes a poll. False: another one came since `lastPolledAt`. */
  notePoll(deviceCode: string, lastPolledAt: Date | undefined, interval: number): Promise<boolean>;
  redeemDevice(deviceCode: string, tokens: NewTokens): Promise<boolean>;

  /** Ends one access token. */
  revokeAccessToken(token: string): Promise<void>;
  /** Ends a grant with everything that came of it. */
  revokeGrant(id: string, because: string): Promise<void>;
};
