/**
 * Everyone the scenarios talk about. `people` and `groups` are the vendors' documented ones, to the letter, and what
 * prisma/seed.ts puts into an empty database. `understudies` are only ever in throw-away databases: they play what the
 * vendors describe without naming anybody.
 */

export type CastGroup = {
  readonly name: string;
  readonly subject: string;
  readonly displayName: string;
  readonly status: 'active' | 'suspended';
  readonly services?: readonly string[];
};

export type CastPerson = {
  readonly uid: number;
  readonly login: string;
  /** Public, therefore refused in production. */
  readonly password: string;
  readonly name: string;
  readonly email: string;
  readonly status: 'active' | 'suspended';
  readonly group?: string;
  readonly profile?: Readonly<Record<string, string | number>>;
  /** As he chose it, once. */
  readonly username?: string;
  readonly roles?: readonly string[];
};

/** https://kb.authlete.com/en/s/deployment/a/multiple-developer-accounts — Examples, the two tables. */
export const groups: readonly CastGroup[] = [
  { name: 'Dev 01', subject: 'dev01', displayName: 'Developer Group 01', status: 'active' },
  { name: 'Dev 02', subject: 'dev02', displayName: 'Developer Group 02', status: 'active' },
];

export const people: readonly CastPerson[] = [
  // Authlete's four.
  {
    uid: 1,
    login: 'test1',
    password: 'test1',
    name: 'Test One',
    email: 'test1@example.com',
    status: 'active',
    group: 'Dev 01',
  },
  {
    uid: 2,
    login: 'test2',
    password: 'test2',
    name: 'Test Two',
    email: 'test2@example.com',
    status: 'active',
    group: 'Dev 01',
  },
  {
    uid: 3,
    login: 'test3',
    password: 'test3',
    name: 'Test Three',
    email: 'test3@example.com',
    status: 'active',
    group: 'Dev 02',
  },
  {
    uid: 4,
    login: 'test4',
    password: 'test4',
    name: 'Test Four',
    email: 'test4@example.com',
    status: 'suspended',
    group: 'Dev 02',
  },
  // ConnectyCube's {"user": {"id": 2345, "login": "simon371", "fill_name": "Simon Davis"}}.
  {
    uid: 2345,
    login: 'simon371',
    password: 'simon371',
    name: 'Simon Davis',
    email: 'simon371@example.com',
    status: 'active',
  },
  // Pango's {"result": "OK", "user": {"uid": 690109944}}.
  {
    uid: 690109944,
    login: 'vpn-user',
    password: 'vpn-user',
    name: 'VPN User',
    email: 'vpn-user@example.com',
    status: 'active',
    profile: { country: 'NO', license: '2', traffic: 1_073_741_824 },
  },
];

export const understudyGroups: readonly CastGroup[] = [
  { name: 'Dev 03', subject: 'dev03', displayName: 'Developer Group 03', status: 'suspended' },
  {
    name: 'Dev 04',
    subject: 'dev04',
    displayName: 'Developer Group 04',
    status: 'active',
    services: ['9007199254740993'],
  },
];

export const understudies: readonly CastPerson[] = [
  {
    uid: 31,
    login: 'in-suspended-group',
    password: 'a group can be suspended',
    name: 'Gro Suspended',
    email: 'gro@example.com',
    status: 'active',
    group: 'Dev 03',
  },
  {
    uid: 32,
    login: 'one-service-only',
    password: 'only one service',
    name: 'Olav Service',
    email: 'olav@example.com',
    status: 'active',
    group: 'Dev 04',
  },
  {
    uid: 33,
    login: 'Åse.Bjørnå',
    password: 'blåbærsyltetøy 🫐',
    name: 'Åse Bjørnå 🫐',
    email: 'ase@example.com',
    status: 'active',
    group: 'Dev 01',
  },
  {
    uid: 34,
    login: 'kari.nordmann@example.com',
    password: 'roles and a username',
    name: 'Kari Nordmann',
    email: 'kari@example.com',
    status: 'active',
    group: 'Dev 01',
    profile: { picture: 'https://pictures.example/kari.png' },
    username: 'Kari',
    roles: ['editor', 'storage-service:read', 'billing:pay'],
  },
];

/** Neither he nor his group is suspended. */
export const isActive = ({ status, group }: CastPerson): boolean =>
  status === 'active' &&
  [...groups, ...understudyGroups].every((one) => one.name !== group || one.status === 'active');

/**
 * Tokens that rows send. A placeholder, bound to a real token when the row is played: `token.<login>` is a good one of
 * that user, with every scope; the others are what they are called.
 */
export const tokenOf = (login: string): string => `{{token.${login}}}`;

export const tokens = {
  neverIssued: '{{token:never-issued}}',
  expired: '{{token:expired}}',
  revoked: '{{token:revoked}}',
  /** Good, but not for verification: its scope is `profile`. */
  withoutVerifyScope: '{{token:without-verify-scope}}',
  /** Good, but of a client, not of a user (client credentials). */
  ofAClient: '{{token:of-a-client}}',
  /** Good, but issued for a resource that is not this backend (RFC 8707). */
  forAnotherResource: '{{token:for-another-resource}}',
  /** A good one of test1, issued for the URL of AURORA's endpoint. */
  forAurora: '{{token:for-aurora}}',
  /** A good one of test1 that tells AURORA his user name, and nothing else: its scope is `userid-feide`. */
  useridOnly: '{{token:userid-only}}',
} as const;

/** dgp-oauth2's `jwt`: a good one of this user. */
export const clientTokenOf = (login: string): string => `{{jwt.${login}}}`;

export const clientTokens = {
  expired: '{{jwt:expired}}',
  revoked: '{{jwt:revoked}}',
  /** A good one of test1 that a row may revoke. */
  toRevoke: '{{jwt:to-revoke}}',
  /** Of a user who has been deleted since. */
  userGone: '{{jwt:user-gone}}',
  /** A good one but for its signature: of another key, with another algorithm, or without any. */
  anotherKey: '{{jwt:another-key}}',
  anotherAlgorithm: '{{jwt:another-algorithm}}',
  unknownAlgorithm: '{{jwt:unknown-algorithm}}',
  unsigned: '{{jwt:unsigned}}',
  /** HS256 with the text of our public key for a secret. */
  publicKeyForSecret: '{{jwt:public-key-for-secret}}',
  /** A permission token, which is for services. */
  permission: '{{jwt:permission}}',
} as const;

/** The key and secret that the calling platform holds. */
export const callers = {
  authlete: { user: '{{authlete.apiKey}}', password: '{{authlete.apiSecret}}' },
} as const;
