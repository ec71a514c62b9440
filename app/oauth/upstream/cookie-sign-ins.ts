/**
 * Sign-ins at a provider that a browser has begun, each in a cookie of its own: nothing to store for people who are not known
 * yet, and two tabs do not meet. Encrypted, as the PKCE verifier is in it; bound to the browser, as it is a cookie.
 */
import { hash } from 'node:crypto';
import type { Request, Response } from 'express';
import { EncryptJWT, jwtDecrypt } from 'jose';
import { type SignIn, type SignIns, signInLifetime } from '../../client-app/sign-ins.ts';

/** More are not needed, and a request's headers have a limit. */
const most = 5;

const cookiesOf = ({ headers }: Request): [name: string, value: string][] =>
  (headers.cookie ?? '').split(/; */).map((pair) => {
    const equals = pair.indexOf('=');
    return [pair.slice(0, equals), pair.slice(equals + 1)];
  });

/** @param secret SESSION_SECRET; the key is only for this */
export function cookieSignIns(
  provider: string,
  { secret, https }: { secret: string; https: boolean },
  now: () => Date,
): SignIns {
  const key = hash('sha256', `upstream sign-in ${secret}`, 'buffer');
  const prefix = `${https ? '__Host-' : ''}idp_upstream_`;
  const nameOf = (state: string) => `${prefix}${hash('sha256', state, 'hex').slice(0, 16)}`;
  const options = { httpOnly: true, sameSite: 'lax', secure: https, path: '/' } as const;
  const responseOf = (request: Request) => request.res as Response;

  return {
    async keep(request, state, { verifier, kept }) {
      const others = cookiesOf(request).filter(([name]) => name.startsWith(prefix));
      for (const [name] of others.slice(0, Math.max(0, others.length + 1 - most))) {
        responseOf(request).clearCookie(name, options);
      }
      const value = await new EncryptJWT({ state, verifier, kept })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setAudience(provider)
        .setExpirationTime(new Date(now().getTime() + signInLifetime))
        .encrypt(key);
      responseOf(request).cookie(nameOf(state), value, { ...options, maxAge: signInLifetime });
    },

    async take(request, state) {
      const value = cookiesOf(request).find(([name]) => name === nameOf(state))?.[1];
      if (value === undefined) return undefined;
      responseOf(request).clearCookie(nameOf(state), options);
      try {
        const { payload } = await jwtDecrypt<SignIn & { state: string }>(value, key, {
          audience: provider,
          currentDate: now(),
          requiredClaims: ['exp'],
        });
        return payload.state === state ? payload : undefined;
      } catch {
        // Too old, of another provider, or not of our making.
        return undefined;
      }
    },
  };
}
