/** What a token can be good for. */
export const scopes = {
  /** Platforms may verify it: Pango, ConnectyCube. */
  verify: 'verify',
  /** OpenID Connect Core §5.4. */
  openid: 'openid',
  profile: 'profile',
  email: 'email',
  /** The user name `<prefix>:<local>@<domain>`, as Feide calls it: AURORA. */
  useridFeide: 'userid-feide',
} as const;

export const everyScope: readonly string[] = Object.values(scopes);

/** `scope` as RFC 6749 §3.3 writes it: names separated by single spaces; none twice. */
export const parseScope = (scope: string): string[] => [
  ...new Set(scope.split(' ').filter((name) => name !== '')),
];
