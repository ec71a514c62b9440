/** What the tests of the authorization server share: clients, requests as they stand on the wire, codes and tokens. */
import { deviceGrant } from '../../app/oauth/grants.ts';
import { newToken } from '../../app/oauth/secrets.ts';
import { createClient, type NewClient } from '../../app/store/clients.ts';
import type { Backend } from './backend.ts';
import { secret } from './canaries.ts';
import { uidOf } from './tokens.ts';

export { deviceGrant };

/** RFC 7636, Appendix B. */
export const pkce = {
  verifier: secret('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'),
  challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
};

export const redirectUri = 'https://partner.example/callback?tenant=1';

/** A partner's backend: a secret, and every grant. */
export const partner = {
  id: 'partner',
  name: 'Partner',
  scope: ['verify', 'profile'],
  confidential: true,
  redirectUris: [redirectUri],
  grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', deviceGrant],
} satisfies NewClient;

/** An app on a phone: no secret. */
export const phoneApp = {
  id: 'phone-app',
  name: 'Phone App',
  scope: ['verify', 'profile'],
  redirectUris: ['com.example.phone:/callback'],
  grantTypes: ['authorization_code', 'refresh_token', deviceGrant],
} satisfies NewClient;

/** A server that came before PKCE, as AURORA's CGI. */
export const oldServer = {
  id: 'old-server',
  name: 'Old Server',
  scope: ['profile', 'email'],
  confidential: true,
  redirectUris: ['https://old.example/cgi-bin/login'],
  grantTypes: ['authorization_code'],
  pkceRequired: false,
} satisfies NewClient;

/** Registers a client; its secret, empty for a public one. */
export async function register(backend: Backend, client: NewClient): Promise<string> {
  const { secret: issued } = await createClient(backend.services.database, client, 'test');
  return issued === undefined ? '' : secret(issued);
}

export type Received = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
};

export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

export async function receive(request: Promise<Response>): Promise<Received> {
  const response = await request;
  const text = await response.text();
  const body = text.startsWith('{') ? JSON.parse(text) : {};
  for (const name of ['access_token', 'refresh_token', 'device_code']) {
    if (typeof body[name] === 'string') secret(body[name]);
  }
  return { status: response.status, headers: response.headers, text, body };
}

type Form = Readonly<Record<string, string>> | readonly (readonly [string, string])[] | string;

/** A POST with a form. */
export const post = (
  { url }: Pick<Backend, 'url'>,
  path: string,
  form: Form,
  headers: Record<string, string> = {},
): Promise<Received> =>
  receive(
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body:
        typeof form === 'string'
          ? form
          : new URLSearchParams(form as Record<string, string>).toString(),
    }),
  );

/** `POST /oauth/token` of this client, its secret in the form. */
export const tokenRequest = (
  backend: Pick<Backend, 'url'>,
  { id, secret: given }: { id: string; secret: string },
  form: Readonly<Record<string, string>>,
): Promise<Received> =>
  post(backend, '/oauth/token', { client_id: id, client_secret: given, ...form });

type CodeOptions = {
  readonly client?: Pick<NewClient, 'id' | 'scope'>;
  readonly login?: string;
  readonly scope?: readonly string[];
  readonly redirectUri?: string | undefined;
  readonly codeChallenge?: string | undefined;
  readonly resource?: string;
};

/** An authorization code, as if this user had just allowed it. */
export async function allow(backend: Backend, options: CodeOptions = {}): Promise<string> {
  const { client = partner, login = 'test1', scope = client.scope, resource } = options;
  const { grants, lifetimes } = backend.services;
  const code = secret(newToken());
  await grants.authorize(
    { clientId: client.id, uid: uidOf(login), scope, resource },
    {
      code,
      redirectUri: 'redirectUri' in options ? options.redirectUri : redirectUri,
      codeChallenge: 'codeChallenge' in options ? options.codeChallenge : pkce.challenge,
      expiresAt: new Date(backend.clock.now.getTime() + lifetimes.code * 1000),
    },
  );
  return code;
}

/** The form that redeems it. */
export const redeeming = (code: string) => ({
  grant_type: 'authorization_code',
  code,
  redirect_uri: redirectUri,
  code_verifier: pkce.verifier,
});

export const refreshing = (token: unknown) => ({
  grant_type: 'refresh_token',
  refresh_token: String(token),
});

/** Whether the token is good for what platforms ask: ConnectyCube's endpoint says it with a status. */
export const isGood = async (backend: Backend, token: unknown): Promise<boolean> => {
  const verdict = await backend.services.verify({
    kind: 'token',
    token: String(token),
    scope: 'verify',
  });
  return verdict.accepted;
};

/** Moves the backend's clock. */
export const pass = (backend: Backend, seconds: number): void => {
  backend.clock.now = new Date(backend.clock.now.getTime() + seconds * 1000);
};
