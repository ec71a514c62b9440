/**
 * A service that is handed permission tokens: fetches the public key once, and asks nobody any more. Nothing but Node.
 *
 *   https://pypi.org/project/dgp-oauth2/, Receive authorization public key
 */
import { createPublicKey, verify } from 'node:crypto';

export type Permitted = {
  readonly userid: string;
  readonly permissions: Readonly<Record<string, unknown>>;
};

const decoded = (part: string | undefined): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString());

/** What the bearer of a token may do at this service; undefined: the token is not for it, or not good. */
export async function startService(api: string, name: string) {
  const response = await fetch(`${api}/auth/public-key`);
  const key = createPublicKey(await response.text());

  return (token: string, now: Date): Permitted | undefined => {
    const [header, payload, signature] = token.split('.');
    if (decoded(header)['alg'] !== 'RS256') return undefined;
    const signed = Buffer.from(`${header}.${payload}`);
    if (!verify('sha256', signed, key, Buffer.from(signature ?? '', 'base64url'))) return undefined;
    const { userid, permissions, service, exp } = decoded(payload);
    if (service !== name || Number(exp) * 1000 <= now.getTime()) return undefined;
    return { userid: String(userid), permissions: permissions as Permitted['permissions'] };
  };
}
