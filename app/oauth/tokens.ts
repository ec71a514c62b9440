import { type Answer, json } from '../http/answer.ts';
import type { Client, NewTokens } from './grants.ts';
import { newToken } from './secrets.ts';

/** In seconds. */
export type Lifetimes = {
  readonly accessToken: number;
  readonly refreshToken: number;
  readonly code: number;
  readonly deviceCode: number;
  /** How long after its use a refresh token may be used once more. 0: never. */
  readonly refreshGrace: number;
};

export const later = (now: Date, seconds: number): Date => new Date(now.getTime() + seconds * 1000);

/** A fresh set of tokens, to be stored before it is answered. A refresh token for those who may use one. */
export function prepareTokens(
  client: Client,
  scope: readonly string[],
  now: Date,
  lifetimes: Lifetimes,
  grantExpiresAt: Date | undefined = later(now, lifetimes.refreshToken),
): NewTokens {
  return {
    accessToken: newToken(),
    scope,
    accessExpiresAt: later(now, lifetimes.accessToken),
    refreshToken: client.grantTypes.includes('refresh_token') ? newToken() : undefined,
    grantExpiresAt,
  };
}

/** RFC 6749 §5.1. */
export const tokenAnswer = (
  { accessToken, scope, refreshToken }: NewTokens,
  lifetimes: Lifetimes,
): Answer => {
  const body = {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: lifetimes.accessToken,
    scope: scope.join(' '),
    refresh_token: refreshToken,
  };
  return json(200, body, { Pragma: 'no-cache' });
};
