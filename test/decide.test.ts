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

/** Where the tokens are shown. */
const here = 'https://idp.example/user/verify';

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
      'for another resource, of another scope',
      { ...good, resource: 'https://elsewhere.example/', scope: [] },
      'wrong-audience',
    ],
    [
      'revoked, for another resource',
      { ...good, resource: 'https://elsewhere.example/', revokedAt: now },
      'revoked',
    ],
    [
      'of another scope, of a suspended user',
      { ...good, scope: [], subject: suspended },
      'insufficient-scope',
    ],
  ])('%s', (_situation, found, because) => {
    expect(decideToken(found, { scope: 'verify', resource: here }, now)).toEqual(
      because === undefined
        ? { accepted: true, user, issued: { clientId: 'demo-app', scope: ['profile', 'verify'] } }
        : found?.subject
          ? { accepted: false, because, about: { uid: 2345, login: 'simon371' } }
          : { accepted: false, because },
    );
  });

  test.each<[situation: string, resource: string, shownAt: string | undefined, good: boolean]>([
    ['this very URL', here, here, true],
    ['it in other letters', 'HTTPS://IDP.example:443/user/verify', here, true],
    ['the root, with and without its slash', 'https://idp.example', 'https://idp.example/', true],
    ['another path', 'https://idp.example/userinfo', here, false],
    ['a path that begins like it', 'https://idp.example/user/verify/all', here, false],
    ['the path in another case', 'https://idp.example/User/Verify', here, false],
    ['the server as a whole', 'https://idp.example/', here, false],
    ['another host', 'https://idp.example.evil.example/user/verify', here, false],
    ['http instead of https', 'http://idp.example/user/verify', here, false],
    ['it with a query', 'https://idp.example/user/verify?a=1', here, false],
    ['what is no URL', 'user/verify', here, false],
    ['any URL, when nobody says where it is shown', here, undefined, false],
    ['what is no URL, shown at the same', 'user/verify', 'user/verify', false],
  ])('issued for %s', (_situation, resource, shownAt, isGood) => {
    const verdict = decideToken({ ...good, resource }, { scope: 'verify', resource: shownAt }, now);
    expect(verdict.accepted || verdict.because).toBe(isGood || 'wrong-audience');
  });

  test('issued for no resource in particular is good wherever it is shown', () => {
    expect(decideToken(good, { scope: 'verify', resource: undefined }, now).accepted).toBe(true);
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
      because === undefined
        ? { accepted: true, user }
        : found
          ? { accepted: false, because, about: { uid: 2345, login: 'simon371' } }
          : { accepted: false, because },
    );
  });
});
