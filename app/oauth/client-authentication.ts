import type { Request } from 'express';
import { parseBasic, sameSecret } from './basic.ts';
import { OAuthError } from './errors.ts';
import type { Client, Grants } from './grants.ts';
import type { Parameters } from './parameters.ts';
import { digest } from './secrets.ts';
import { strategy } from './strategy.ts';

/** A request whose form has been read. */
export type FormRequest = Request & { form: Parameters };

/** RFC 6749 §2.3.1: the halves are form-encoded. Clients that do not encode send what decoding leaves alone, or breaks. */
function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

type Presented = {
  readonly id: string;
  readonly secrets: readonly string[];
  /** In the header and in the form, and the same in both. */
  readonly twice: boolean;
};

const twice = () => new OAuthError('invalid_request', 'Authenticate in the header or in the form.');

/**
 * What the client says it is: by `client_secret_basic`, `client_secret_post`, or `none`. @throws {OAuthError} invalid_request
 * for two secrets
 */
function presented({ headers, form }: FormRequest): Presented | undefined {
  const { client_id: idInForm, client_secret: secretInForm } = form;
  if (headers.authorization !== undefined) {
    const basic = parseBasic(headers.authorization);
    if (!basic) return undefined;
    const id = formDecoded(basic.user);
    if (idInForm !== undefined && idInForm !== id) return undefined;
    const secrets = [formDecoded(basic.password), basic.password];
    if (secretInForm === undefined) return { id, secrets, twice: false };
    if (!secrets.includes(secretInForm)) throw twice();
    return { id, secrets: [secretInForm], twice: true };
  }
  if (idInForm === undefined) return undefined;
  const secrets = secretInForm === undefined ? [] : [secretInForm];
  return { id: idInForm, secrets, twice: false };
}

/** Compared in constant time, also for a client that does not exist or has no secret. */
const matches = (secrets: readonly string[], hash: string | undefined) =>
  secrets.map((secret) => sameSecret(digest(secret), hash ?? '')).includes(true);

/**
 * Client authentication (RFC 6749 §2.3). An unknown client and a wrong secret are one challenge. A client with a secret must
 * show it; one without must not, and is let in only where `publicClients` are: anybody can claim to be it. A secret in both
 * places is invalid_request (§5.2), but from clients that came before PKCE: Perl's Net::OAuth2, as in AURORA's CGI, cannot do
 * otherwise.
 */
export const clientAuthentication = (
  findClient: Grants['findClient'],
  { publicClients }: { publicClients: boolean },
) =>
  strategy<Client>('oauth-client', async (request) => {
    const challenge = 'Basic realm="oauth", charset="UTF-8"';
    const shown = presented(request as FormRequest);
    if (!shown) return { challenge };
    const client = await findClient(shown.id);
    if (shown.twice && client?.pkceRequired !== false) throw twice();
    const secretMatches = matches(shown.secrets, client?.secretHash);
    if (!client) return { challenge };
    const authenticated =
      client.secretHash === undefined ? publicClients && shown.secrets.length === 0 : secretMatches;
    return authenticated ? { principal: client } : { challenge };
  });
