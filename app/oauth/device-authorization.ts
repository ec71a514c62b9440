/**
 * POST /oauth/device_authorization (RFC 8628 §3.1, §3.2), for apps that have no browser or no keyboard:
 *
 *   client_id=demo-tv&scope=verify
 *   200 {"device_code":"…","user_code":"WDJB-MJHT","verification_uri":"…/device",
 *        "verification_uri_complete":"…/device?user_code=WDJB-MJHT","expires_in":600,"interval":5}
 */
import { type Answer, json } from '../http/answer.ts';
import { OAuthError } from './errors.ts';
import { type Client, deviceGrant, type Grants } from './grants.ts';
import { grantedScope, type Parameters } from './parameters.ts';
import { newToken, newUserCode } from './secrets.ts';
import { type Lifetimes, later } from './tokens.ts';

export type DeviceServices = {
  readonly grants: Pick<Grants, 'startDevice'>;
  readonly lifetimes: Pick<Lifetimes, 'deviceCode'>;
  /** Where the user types the code. */
  readonly verificationUri: string;
  readonly now: () => Date;
};

/** Seconds between polls (RFC 8628 §3.2). */
const interval = 5;

export async function authorizeDevice(
  client: Client,
  parameters: Parameters,
  { grants, lifetimes, verificationUri, now }: DeviceServices,
): Promise<Answer> {
  if (!client.grantTypes.includes(deviceGrant)) {
    throw new OAuthError('unauthorized_client', 'This client may not use the device grant.');
  }
  if (parameters['resource'] !== undefined) {
    throw new OAuthError('invalid_target', 'The device grant has no resource.');
  }
  const scope = grantedScope(parameters['scope'], client.scope);
  const deviceCode = newToken();
  const expiresAt = later(now(), lifetimes.deviceCode);

  // Of 25 thousand million user codes, one that waits is hardly ever drawn again, and never twice in a row.
  let userCode: string;
  do userCode = newUserCode();
  while (
    !(await grants.startDevice({
      deviceCode,
      userCode,
      clientId: client.id,
      scope,
      interval,
      expiresAt,
    }))
  );

  const body = {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: verificationUri,
    verification_uri_complete: `${verificationUri}?user_code=${userCode}`,
    expires_in: lifetimes.deviceCode,
    interval,
  };
  return json(200, body, { Pragma: 'no-cache' });
}
