import type passport from 'passport';
import { json } from '../http/answer.ts';
import type { Caller } from '../http/endpoint.ts';
import type { AuthenticateCaller } from '../http/mount.ts';
import { parseBasic, sameSecret } from './basic.ts';
import { authenticate, strategy } from './strategy.ts';

/** RFC 7617 Basic with the key as user-id and the secret as password. Both are compared, always. */
const apiKey = ({ realm, key, secret }: Caller) =>
  strategy('api-key', ({ headers }) => {
    const given = parseBasic(headers.authorization);
    const keyMatches = sameSecret(given?.user ?? '', key);
    const secretMatches = sameSecret(given?.password ?? '', secret);
    return given && keyMatches && secretMatches
      ? { principal: { key } }
      : { challenge: `Basic realm="${realm}", charset="UTF-8"` };
  });

/** Authenticates calling platforms, through Passport. */
export const createAuthenticateCaller =
  (authenticator: passport.Authenticator): AuthenticateCaller =>
  async (caller, request, response) => {
    const found = await authenticate(authenticator, apiKey(caller), request, response);
    return 'challenge' in found
      ? json(401, { error: 'unauthorized' }, { 'WWW-Authenticate': found.challenge })
      : undefined;
  };
