/** The four grants, each as steps in the order in which they are checked. Nothing is used up until all of them passed. */
import { createHash } from 'node:crypto';
import type { Answer } from '../http/answer.ts';
import type { UserFacts } from '../verification/decide.ts';
import { sameSecret } from './basic.ts';
import { OAuthError } from './errors.ts';
import { type Client, deviceGrant, type Grants, type GrantType, grantTypes } from './grants.ts';
import { grantedScope, type Parameters, required, resourceIndicator } from './parameters.ts';
import { type Lifetimes, later, prepareTokens, tokenAnswer } from './tokens.ts';

export type TokenServices = {
  readonly grants: Grants;
  readonly findUser: (uid: number) => Promise<UserFacts | undefined>;
  readonly lifetimes: Lifetimes;
  readonly now: () => Date;
};

type GrantHandler = (
  client: Client,
  parameters: Parameters,
  services: TokenServices,
) => Promise<Answer>;

const invalidGrant = () =>
  new OAuthError(
    'invalid_grant',
    'The code or token is unknown, expired, revoked, used, or not yours.',
  );

/** RFC 7636 §4.6, S256. */
const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url');

function checkVerifier(challenge: string | undefined, verifier: string | undefined) {
  if (challenge === undefined) {
    // RFC 9700 §4.8.2: a verifier where no challenge was sent is a downgrade.
    if (verifier !== undefined) throw invalidGrant();
    return;
  }
  if (verifier === undefined || !/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) throw invalidGrant();
  if (!sameSecret(challengeOf(verifier), challenge)) throw invalidGrant();
}

/** RFC 8707: one resource at most, and only what was granted. */
function checkResource(asked: string | undefined, granted: string | undefined) {
  if (asked !== undefined && asked !== granted) {
    throw new OAuthError('invalid_target', 'The resource was not granted.');
  }
}

async function checkUser(uid: number | undefined, findUser: TokenServices['findUser']) {
  const found = uid === undefined ? undefined : await findUser(uid);
  if (!found?.userActive || !found.groupActive) throw invalidGrant();
}

const authorizationCode: GrantHandler = async (client, parameters, services) => {
  const { grants, lifetimes, now, findUser } = services;
  const code = required(parameters, 'code');
  const found = await grants.findCode(code);
  if (!found || found.grant.clientId !== client.id) throw invalidGrant();
  if (found.used) {
    // RFC 6749 §4.1.2: somebody has a copy of it.
    await grants.revokeGrant(found.grant.id, 'authorization code used twice');
    throw invalidGrant();
  }
  if (found.expiresAt <= now()) throw invalidGrant();
  if (found.redirectUri !== parameters['redirect_uri']) throw invalidGrant();
  checkVerifier(found.codeChallenge, parameters['code_verifier']);
  checkResource(parameters['resource'], found.grant.resource);
  await checkUser(found.grant.uid, findUser);

  const tokens = prepareTokens(client, found.grant.scope, now(), lifetimes);
  const redeemed = await grants.redeemCode(code, tokens);
  // Somebody was faster: look again.
  if (!redeemed) return authorizationCode(client, parameters, services);
  return tokenAnswer(tokens, lifetimes);
};

const refreshToken: GrantHandler = async (client, parameters, services) => {
  const { grants, lifetimes, now, findUser } = services;
  const token = required(parameters, 'refresh_token');
  const found = await grants.findRefreshToken(token);
  if (!found || found.grant.clientId !== client.id || found.grantRevoked) throw invalidGrant();
  const { usedAt } = found;
  const grace = lifetimes.refreshGrace;
  if (usedAt && (grace === 0 || later(usedAt, grace) <= now())) {
    // RFC 9700 §4.14.2: one of the two who have it is not the client.
    await grants.revokeGrant(found.grant.id, 'refresh token used twice');
    throw invalidGrant();
  }
  if (found.expiresAt <= now()) throw invalidGrant();
  const scope = grantedScope(parameters['scope'], found.grant.scope);
  checkResource(parameters['resource'], found.grant.resource);
  await checkUser(found.grant.uid, findUser);

  const tokens = prepareTokens(client, scope, now(), lifetimes, found.expiresAt);
  const rotated = await grants.rotate(token, tokens, usedAt);
  // Somebody was faster: look again.
  if (!rotated) return refreshToken(client, parameters, services);
  return tokenAnswer(tokens, lifetimes);
};

const clientCredentials: GrantHandler = async (client, parameters, { grants, lifetimes, now }) => {
  if (client.secretHash === undefined) {
    throw new OAuthError('unauthorized_client', 'A public client cannot act for itself.');
  }
  const scope = grantedScope(parameters['scope'], client.scope);
  const resource = resourceIndicator(parameters['resource']);
  // RFC 6749 §4.4.3: no refresh token.
  const tokens = prepareTokens({ ...client, grantTypes: [] }, scope, now(), lifetimes);
  const grant = { clientId: client.id, uid: undefined, scope, resource };
  await grants.grantAtOnce(grant, tokens);
  return tokenAnswer(tokens, lifetimes);
};

/** RFC 8628 §3.4, §3.5. */
const deviceCode: GrantHandler = async (client, parameters, services) => {
  const { grants, lifetimes, now, findUser } = services;
  const code = required(parameters, 'device_code');
  const found = await grants.findDevice({ deviceCode: code });
  if (!found || found.clientId !== client.id) throw invalidGrant();
  if (found.used) {
    if (found.grant) await grants.revokeGrant(found.grant.id, 'device code used twice');
    throw invalidGrant();
  }
  if (found.expiresAt <= now()) {
    throw new OAuthError('expired_token', 'The device code has expired.');
  }
  if (found.denied) throw new OAuthError('access_denied', 'The user has denied it.');

  const tooSoon = found.lastPolledAt && later(found.lastPolledAt, found.interval) > now();
  const interval = tooSoon ? found.interval + 5 : found.interval;
  const noted = await grants.notePoll(code, found.lastPolledAt, interval);
  if (tooSoon || !noted) throw new OAuthError('slow_down', `Ask every ${interval} seconds.`);
  if (!found.grant) throw new OAuthError('authorization_pending', 'The user has not answered yet.');
  await checkUser(found.grant.uid, findUser);

  const tokens = prepareTokens(client, found.grant.scope, now(), lifetimes);
  const redeemed = await grants.redeemDevice(code, tokens);
  // Somebody was faster: look again.
  if (!redeemed) return deviceCode(client, parameters, services);
  return tokenAnswer(tokens, lifetimes);
};

const handlers: Record<GrantType, GrantHandler> = {
  authorization_code: authorizationCode,
  refresh_token: refreshToken,
  client_credentials: clientCredentials,
  [deviceGrant]: deviceCode,
};

/** `POST /oauth/token` for a client that is authenticated. @throws {OAuthError} */
export async function token(
  client: Client,
  parameters: Parameters,
  services: TokenServices,
): Promise<Answer> {
  const asked = required(parameters, 'grant_type');
  const grantType = grantTypes.find((known) => known === asked);
  if (!grantType) {
    throw new OAuthError('unsupported_grant_type', `There are: ${grantTypes.join(', ')}.`);
  }
  if (!client.grantTypes.includes(grantType)) {
    throw new OAuthError('unauthorized_client', 'This client may not use this grant type.');
  }
  return handlers[grantType](client, parameters, services);
}
