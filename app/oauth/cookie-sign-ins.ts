/**
 * Sign-ins that a browser has begun, each in a cookie of its own: nothing to store for people who are not known yet, and two
 * tabs do not meet. Encrypted, as the PKCE verifier is in it; bound to the browser, as it is a cookie. Ten minutes, and once:
 * a browser forgets a cookie that was taken, and of a copy the database knows that its state was used.
 */
import { hash } from 'node:crypto';
import type { Request, Response } from 'express';
import { EncryptJWT, jwtDecrypt } from 'jose';
import { signInLifetime } from '../client-app/sign-ins.ts';
import type { Kept } from '../http/endpoint.ts';

export type Begun = {
  readonly provider: string;
  /** The path to come back to; at no other it is worth anything. */
  readonly callback: string;
  /** RFC 7636 `code_verifier`; none where the provider is this server. */
  readonly verifier?: string;
  readonly kept: Kept;
  /** Where the callback leads on to, as a policy names it; none: it stays here. */
  readonly formAction?: string;
};

export type CookieSignIns = {
  /** The cookie goes out with whatever answers this request. */
  readonly keep: (request: Request, state: string, begun: Begun) => Promise<void>;
  /** What this browser began under this state. Undefined: nothing, or too long ago. */
  readonly find: (request: Request, state: string) => Promise<Begun | undefined>;
  /** The same, once, however many bring it. */
  readonly take: (request: Request, state: string) => Promise<Begun | undefined>;
};

/** Whether this state is used for the first time; from then on, and until `expiresAt`, it is not. */
export type UseState = (state: string, expiresAt: Date) => Promise<boolean>;

/** Bytes for all of them: a server takes 16 KB of headers, and a browser sends them with every request. */
const room = 8000;

const cookiesOf = ({ headers }: Request): [name: string, value: string][] =>
  (headers.cookie ?? '').split(/; */).map((pair) => {
    const equals = pair.indexOf('=');
    return [pair.slice(0, equals), pair.slice(equals + 1)];
  });

/** @param secret SESSION_SECRET; the key is only for this */
export function cookieSignIns(
  { secret, https }: { secret: string; https: boolean },
  useState: UseState,
  now: () => Date,
): CookieSignIns {
  const key = hash('sha256', `browser sign-in ${secret}`, 'buffer');
  const prefix = `${https ? '__Host-' : ''}idp_sign_in_`;
  const nameOf = (state: string) => `${prefix}${hash('sha256', state, 'hex').slice(0, 16)}`;
  const options = { httpOnly: true, sameSite: 'lax', secure: https, path: '/' } as const;
  const expiry = () => new Date(now().getTime() + signInLifetime);
  const responseOf = (request: Request) => request.res as Response;

  const find: CookieSignIns['find'] = async (request, state) => {
    const value = cookiesOf(request).find(([name]) => name === nameOf(state))?.[1];
    if (value === undefined) return undefined;
    try {
      const { payload } = await jwtDecrypt<Begun & { state: string }>(value, key, {
        currentDate: now(),
        requiredClaims: ['exp'],
      });
      return payload.state === state ? payload : undefined;
    } catch {
      // Too old, or not of our making.
      return undefined;
    }
  };

  return {
    async keep(request, state, begun) {
      const value = await new EncryptJWT({ state, ...begun })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setExpirationTime(expiry())
        .encrypt(key);
      let left = room - value.length;
      // The latest comes last (RFC 6265 §5.4).
      for (const [name, other] of cookiesOf(request).reverse()) {
        if (!name.startsWith(prefix)) continue;
        left -= other.length;
        if (left < 0) responseOf(request).clearCookie(name, options);
      }
      responseOf(request).cookie(nameOf(state), value, { ...options, maxAge: signInLifetime });
    },

    find,

    async take(request, state) {
      const begun = await find(request, state);
      if (!begun) return undefined;
      const first = await useState(state, expiry());
      responseOf(request).clearCookie(nameOf(state), options);
      return first ? begun : undefined;
    },
  };
}
