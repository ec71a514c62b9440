import { createHash, timingSafeEqual } from 'node:crypto';

export type BasicCredentials = { readonly user: string; readonly password: string };

/**
 * `Authorization: Basic …` (RFC 7617): the scheme in any case, Base64 of UTF-8, split at the first colon. Undefined when
 * there is no such header or it is not of that form.
 */
export function parseBasic(authorization: string | undefined): BasicCredentials | undefined {
  const encoded = authorization && /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization)?.[1];
  if (!encoded) return undefined;
  let decoded: string;
  try {
    decoded = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined;
  }
  const colon = decoded.indexOf(':');
  if (colon === -1) return undefined;
  return { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** Whether two strings are equal, in a time that does not depend on where they differ, nor on their lengths. */
export function sameSecret(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
