/** `GET|POST /oauth/authorize`: what an authorization request must be (RFC 6749 §4.1.1, RFC 7636, RFC 9700). */
import { parametersOf } from '../http/body.ts';
import { OAuthError, type OAuthErrorCode } from './errors.ts';
import type { Client, Grants } from './grants.ts';
import {
  grantedScope,
  type Parameters,
  resourceIndicator,
  singleParameters,
} from './parameters.ts';

/** Where the answer goes. Known before anything else is looked at: without it, an error stays on our own page. */
export type Destination = {
  readonly client: Client;
  readonly redirectUri: string;
  /** As the client wrote it, still encoded; undefined without one. */
  readonly state: string | undefined;
};

export type AuthorizationRequest = Destination & {
  /** As it stood in the request: the token request must repeat it. */
  readonly givenRedirectUri: string | undefined;
  readonly scope: readonly string[];
  readonly codeChallenge: string | undefined;
  readonly resource: string | undefined;
};

/**
 * The one `state` of the query, byte for byte: clients compare it as text, and not all of them write a space as `+`. None,
 * an empty one, or two: undefined.
 */
function stateOf(query: string): string | undefined {
  const values = query.split('&').flatMap((pair) => /^state=(.+)$/s.exec(pair)?.[1] ?? []);
  const [state] = values;
  if (state === undefined || values.length > 1) return undefined;
  return /^[!$-~]+$/.test(state) ? state : encodeURIComponent(state.toWellFormed());
}

/**
 * The client and the redirect URI, compared exactly with those registered (RFC 9700 §4.1.3). Undefined: tell the user, and
 * redirect nowhere.
 */
export async function destination(
  query: string,
  findClient: Grants['findClient'],
): Promise<Destination | undefined> {
  const { client_id: id, redirect_uri: uri } = parametersOf(query);
  if (typeof id !== 'string') return undefined;
  const client = await findClient(id);
  if (!client) return undefined;
  const only = client.redirectUris.length === 1 ? client.redirectUris[0] : undefined;
  const redirectUri = uri === undefined || uri === '' ? only : uri;
  if (typeof redirectUri !== 'string') return undefined;
  if (!client.redirectUris.includes(redirectUri)) return undefined;
  return { client, redirectUri, state: stateOf(query) };
}

/** RFC 7636 §4.3; `plain`, also as the default that it is there, is not offered. */
function codeChallenge(client: Client, parameters: Parameters): string | undefined {
  const { code_challenge: challenge, code_challenge_method: method } = parameters;
  if (challenge === undefined) {
    if (method !== undefined || client.pkceRequired || client.secretHash === undefined) {
      throw new OAuthError('invalid_request', 'code_challenge is missing (PKCE, S256).');
    }
    return undefined;
  }
  if (method !== 'S256') {
    throw new OAuthError('invalid_request', 'code_challenge_method must be S256.');
  }
  if (!/^[A-Za-z0-9_-]{43}$/.test(challenge)) {
    throw new OAuthError('invalid_request', 'code_challenge must be a SHA-256 in base64url.');
  }
  return challenge;
}

/** The rest of the request, for a destination that is known. @throws {OAuthError} to be told to the client */
export function authorizationRequest(to: Destination, query: string): AuthorizationRequest {
  const parameters = singleParameters(parametersOf(query));
  const { response_type: responseType, response_mode: responseMode } = parameters;
  if (responseType === undefined) {
    throw new OAuthError('invalid_request', 'response_type is missing.');
  }
  if (responseType !== 'code') {
    throw new OAuthError('unsupported_response_type', 'response_type must be code.');
  }
  if (responseMode !== undefined && responseMode !== 'query') {
    throw new OAuthError('invalid_request', 'response_mode must be query.');
  }
  if (!to.client.grantTypes.includes('authorization_code')) {
    throw new OAuthError('unauthorized_client', 'This client may not use authorization_code.');
  }
  return {
    ...to,
    givenRedirectUri: parameters['redirect_uri'],
    scope: grantedScope(parameters['scope'], to.client.scope),
    codeChallenge: codeChallenge(to.client, parameters),
    resource: resourceIndicator(parameters['resource']),
  };
}

/** RFC 6749 §4.1.2: the answer's parameters added to the redirect URI, with `state` as it came and `iss` (RFC 9207). */
export function redirectTo(
  { redirectUri, state }: Destination,
  issuer: string,
  answer: { code: string } | { error: OAuthErrorCode; error_description: string },
): string {
  const query = new URLSearchParams({ ...answer, iss: issuer });
  const separator = redirectUri.includes('?') ? '&' : '?';
  return `${redirectUri}${separator}${query}${state === undefined ? '' : `&state=${state}`}`;
}

/**
 * The redirect URI as a source of `Content-Security-Policy: form-action`, which Chromium also applies to the redirects
 * that follow a form: its origin or, where the policy cannot name that (an app's own scheme, IPv6), its scheme.
 */
export function formActionSource(redirectUri: string): string {
  const { protocol, hostname, origin } = new URL(redirectUri);
  return /^https?:$/.test(protocol) && /^[a-z0-9.-]+$/.test(hostname) ? origin : protocol;
}
