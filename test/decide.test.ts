/** The policy, as a table. No store, no clock, no network. */
import {
  decidePassword,
  decideToken,
  type TokenFacts,
  type UserFacts,
} from '../app/verification/decide.ts';
import type { User } from '../app/verification/verdict.ts';

const now = new Date('2026-03-01T12:00:00.000Z');
const oneMsLater = new Date('2026-03-01T12:00:00.001Z');
const oneMsAgo = new Date('2026-03-01T11:59:59.999Z');

const user: User = {
  uid: 2345,
  login: 'simon371',
  name: 'Simon Davis',
  email: undefined,
  group: undefined,
  profile: {},
};
const active: UserFacts = { user, userActive: true, groupActive: true };
const suspended: UserFacts = { ...active, userActive: false };
const inSuspendedGroup: UserFacts = { ...active, groupActive: false };
const suspendedBoth: UserFacts = { user, userActive: false, groupActive: false };

const good: TokenFacts = {
  expiresAt: oneMsLater,
  revokedAt: undefined,
  scope: ['profile', 'verify'],
  clientId: 'demo-app',
  issuedAt: oneMsAgo,
  resource: undefined,
  subject: active,
};

describe('a token', () => {
  test.each<[situation: string, found: TokenFacts | undefined, because: string | undefined]>([
    ['good for one ms more', good, undefined],
    ['expires exactly now', { ...good, expiresAt: now }, 'expired'],
    ['expired one ms ago', { ...good, expiresAt: oneMsAgo }, 'expired'],
    ['without a date that can be read', { ...good, expiresAt: new Date('?') }, 'expired'],
    ['never issued', undefined, 'unknown'],
    ['revoked', { ...good, revokedAt: oneMsAgo }, 'revoked'],
    ['revoked just now', { ...good, revokedAt: now }, 'revoked'],
    ['revoked, and expired since', { ...good, revokedAt: oneMsAgo, expiresAt: now }, 'revoked'],
    ['issued for something else', { ...good, scope: ['profile'] }, 'insufficient-scope'],
    ['issued for nothing', { ...good, scope: [] }, 'insufficient-scope'],
    [
      'of a scope whose name contains the asked one',
      { ...good, scope: ['verify:all', 'VERIFY'] },
      'insufficient-scope',
    ],
    ['expired, of another scope', { ...good, expiresAt: now, scope: [] }, 'expired'],
    ['of a client, not of a user', { ...good, subject: undefined }, 'unknown'],
    ['of a suspended user', { ...good, subject: suspended }, 'user-suspended'],
    ['of a user in a suspended group', { ...good, subject: inSuspendedGroup }, 'group-suspended'],
    ['of a suspended user in such a group', { ...good, subject: suspendedBoth }, 'user-suspended'],
    [
      'expired, of a suspended user',
      { ...good, expiresAt: oneMsAgo, subject: suspended },
      'expired',
    ],
    [
      'of another scope, of a suspended user',
      { ...good, scope: [], subject: suspended },
      'insufficient-scope',
    ],
  ])('%s', (_situation, found, because) => {
    expect(decideToken(found, 'verify', now)).toEqual(
      because === undefined ? { accepted: true, user } : { accepted: false, because },
    );
  });
});

describe('a login and password', () => {
  test.each<[situation: string, Parameters<typeof decidePassword>[0], because: string | undefined]>(
    [
      ['that match', { passwordMatches: true, subject: active }, undefined],
      ['of a login that nobody has', undefined, 'unknown'],
      ['that do not match', { passwordMatches: false, subject: active }, 'wrong-password'],
      ['of a suspended user', { passwordMatches: true, subject: suspended }, 'user-suspended'],
      [
        'of a user in a suspended group',
        { passwordMatches: true, subject: inSuspendedGroup },
        'group-suspended',
      ],
      [
        'that do not match, of a suspended user',
        { passwordMatches: false, subject: suspended },
        'wrong-password',
      ],
    ],
  )('%s', (_situation, found, because) => {
    expect(decidePassword(found)).toEqual(
      because === undefined ? { accepted: true, user } : { accepted: false, because },
    );
  });
});
