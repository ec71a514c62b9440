import { hash, randomBytes, randomInt } from 'node:crypto';

/** 256 random bits, base64url: 43 characters, all of them allowed in a bearer token (RFC 6750 §2.1). */
export const newToken = (): string => randomBytes(32).toString('base64url');

/** How a token, code or secret of so many random bits is kept: SHA-256, base64url. It needs no salt and no slow hash. */
export const digest = (secret: string): string => hash('sha256', secret, 'base64url');

/** RFC 8628 §6.1: no vowels, so no words; nothing that looks like something else. */
const alphabet = 'BCDFGHJKLMNPQRSTVWXZ';

/** What a user types: 34 random bits, as `WDJB-MJHT`. Good for ten minutes and behind a rate limit. */
export function newUserCode(): string {
  const letters = Array.from({ length: 8 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

/** A user code without what people add or leave out: case, dashes, spaces. What is kept is the digest of this. */
export const plainUserCode = (typed: string): string =>
  typed.toUpperCase().replace(/[^BCDFGHJKLMNPQRSTVWXZ]/g, '');
