/**
 * Signed tokens that an App keeps for its user: JWT, HS256, `userid` (text), `iss`, `aud`, `iat`, `exp`, `jti`. The signature
 * tells ours from others'; whether one is still good is read from the database on every request, as of any other token
 * (docs/decisions/0009-client-tokens-are-signed-and-stored.md).
 */
import { hash, randomUUID } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { ClientTokens } from '../platforms/platform.ts';
import type { ClientTokenStore } from '../store/client-tokens.ts';
import { decideUser, tokenEnded } from '../verification/decide.ts';
import { type Refusal, refused } from '../verification/verdict.ts';
import type { UserStore } from '../verification/verify.ts';

/** Of another length none was issued. In characters. */
const longest = 4096;

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

type Settings = {
  readonly issuer: string;
  /** CLIENT_TOKEN_SECRET. */
  readonly secret: string;
};

export function createClientTokens(
  { issuer, secret }: Settings,
  store: ClientTokenStore,
  { findUser }: Pick<UserStore, 'findUser'>,
  now: () => Date,
): ClientTokens {
  const key = hash('sha256', `client token ${secret}`, 'buffer');

  /** The `jti` of a token that we signed and that has not expired, or why it is none. */
  async function idIn(token: string): Promise<{ id: string } | Refusal> {
    if (token.length > longest) return 'unknown';
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['HS256'],
        issuer,
        audience: issuer,
        requiredClaims: ['exp', 'jti', 'userid'],
        currentDate: now(),
      });
      return uuid.test(String(payload.jti)) ? { id: String(payload.jti) } : 'unknown';
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'expired';
      if (error instanceof errors.JOSEError) return 'unknown';
      throw error;
    }
  }

  return {
    async issue(uid, ttl, signInEpoch) {
      const issuedAt = Math.floor(now().getTime() / 1000);
      const id = randomUUID();
      const token = await new SignJWT({ userid: String(uid) })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(issuer)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + ttl)
        .setJti(id)
        .sign(key);
      await store.add(id, { uid, signInEpoch, expiresAt: new Date((issuedAt + ttl) * 1000) });
      return token;
    },

    async verify(token) {
      const ours = await idIn(token);
      if (typeof ours === 'string') return refused(ours);
      const found = await store.find(ours.id);
      // With a user, all of his tokens go.
      if (!found) return refused('user-gone');
      const subject = await findUser(found.uid);
      const ended = tokenEnded(found, now());
      if (ended) return refused(ended, subject?.user);
      return subject ? decideUser(subject) : refused('user-gone');
    },

    async revoke(token) {
      const ours = await idIn(token);
      if (typeof ours === 'object') await store.revoke(ours.id);
    },
  };
}
