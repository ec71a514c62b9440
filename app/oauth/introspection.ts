import { type Answer, json } from '../http/answer.ts';
import type { TokenFacts } from '../verification/decide.ts';
import { decideUser, tokenEnded } from '../verification/decide.ts';
import type { Client, Grants } from './grants.ts';
import { type Parameters, required } from './parameters.ts';

export type TokenDesk = {
  readonly grants: Grants;
  readonly findToken: (token: string) => Promise<TokenFacts | undefined>;
  readonly issuer: string;
  readonly now: () => Date;
};

const seconds = (date: Date) => Math.floor(date.getTime() / 1000);

/** An access token is active while it, its grant, its user and his group are. */
function isActive(found: TokenFacts, now: Date): boolean {
  if (tokenEnded(found, now)) return false;
  return found.subject === undefined || decideUser(found.subject).accepted;
}

/**
 * RFC 7662. A confidential client may ask of any access token: a resource server is one. Of a token that is not active, nothing else is said.
 */
export async function introspect(
  parameters: Parameters,
  { findToken, issuer, now }: TokenDesk,
): Promise<Answer> {
  const found = await findToken(required(parameters, 'token'));
  if (!found || !isActive(found, now())) return json(200, { active: false });
  const user = found.subject?.user;
  return json(200, {
    active: true,
    scope: found.scope.join(' '),
    client_id: found.clientId,
    username: user?.login,
    sub: user ? String(user.uid) : found.clientId,
    token_type: 'Bearer',
    exp: seconds(found.expiresAt),
    iat: seconds(found.issuedAt),
    iss: issuer,
    aud: found.resource,
  });
}

/** RFC 7009. Only the client's own; 200 also for what is not there. A refresh token takes its whole grant along. */
export async function revoke(
  client: Client,
  parameters: Parameters,
  { grants, findToken }: TokenDesk,
): Promise<Answer> {
  const token = required(parameters, 'token');
  const refresh = await grants.findRefreshToken(token);
  if (refresh?.grant.clientId === client.id) {
    await grants.revokeGrant(refresh.grant.id, 'refresh token revoked by its client');
  }
  const access = await findToken(token);
  if (access?.clientId === client.id) await grants.revokeAccessToken(token);
  return json(200, {});
}
