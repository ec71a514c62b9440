/** Somebody else's server, where people sign in: OAuth 2.0 with PKCE, and the answers of OpenID Connect and of GitHub. */
import { hash } from 'node:crypto';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { newToken } from '../../app/oauth/secrets.ts';
import { secret } from './canaries.ts';

export type Listening = { readonly url: string; readonly stop: () => Promise<void> };

export async function listen(listener: RequestListener): Promise<Listening> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** What it answers, by path. */
export type Facts = Readonly<Record<string, unknown>>;

/** An answer that is not what it should be; the last never comes. */
export type Broken =
  | { readonly status: number; readonly type: string; readonly text: string }
  | 'silence';

export type Provider = Listening & {
  /** The settings of `UPSTREAM_<NAME>_…`. */
  readonly named: (name: string) => Record<string, string>;
  /** Those of Google and GitHub. */
  readonly google: () => Record<string, string>;
  readonly github: () => Record<string, string>;
  /** The person says yes to this request: the path and query at our server that the browser is sent to. */
  readonly approve: (location: string | undefined, facts: Facts) => string;
  /** Or no. */
  readonly deny: (location: string | undefined) => string;
  /** Answers to come, by path. */
  readonly broken: Map<string, Broken>;
};

type Issued = { readonly asked: URLSearchParams; readonly facts: Facts };

export async function startProvider(): Promise<Provider> {
  const codes = new Map<string, Issued>();
  const tokens = new Map<string, Facts>();
  const broken = new Map<string, Broken>();

  const send = (response: ServerResponse, status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

  /** RFC 6749 §4.1.3, RFC 7636 §4.6: everything must fit, and a code is good once. */
  function redeem(form: URLSearchParams): string | undefined {
    const code = String(form.get('code'));
    const issued = codes.get(code);
    codes.delete(code);
    if (!issued) return undefined;
    const { asked, facts } = issued;
    const challenge = hash('sha256', String(form.get('code_verifier')), 'base64url');
    if (challenge !== asked.get('code_challenge')) return undefined;
    if (form.get('redirect_uri') !== asked.get('redirect_uri')) return undefined;
    if (form.get('client_id') !== asked.get('client_id')) return undefined;
    const token = secret(newToken());
    tokens.set(token, facts);
    return token;
  }

  const { url, stop } = await listen(async (request, response) => {
    const path = String(request.url);
    const instead = broken.get(path);
    if (instead === 'silence') return;
    if (instead) {
      response.writeHead(instead.status, { 'content-type': instead.type }).end(instead.text);
    } else if (path === '/token') {
      const access_token = redeem(new URLSearchParams(await text(request)));
      if (access_token) send(response, 200, { access_token, token_type: 'Bearer' });
      else send(response, 400, { error: 'invalid_grant' });
    } else {
      const facts = tokens.get(String(request.headers.authorization?.replace(/^Bearer /, '')));
      if (facts) send(response, 200, facts[path]);
      else send(response, 401, { error: 'invalid_token' });
    }
  });

  const endpoints = (prefix: string) => ({
    [`${prefix}_KEY`]: `key-of-${prefix}`,
    [`${prefix}_SECRET`]: secret(`secret-of-${prefix}-at-the-provider`),
    [`${prefix}_AUTHORIZATION_URL`]: `${url}/authorize`,
    [`${prefix}_TOKEN_URL`]: `${url}/token`,
  });
  const userinfo = (prefix: string) => ({
    ...endpoints(prefix),
    [`${prefix}_USERINFO_URL`]: `${url}/userinfo`,
  });

  function back(asked: URLSearchParams, answer: Record<string, string>): string {
    const { pathname } = new URL(String(asked.get('redirect_uri')));
    const state = secret(String(asked.get('state')));
    return `${pathname}?${new URLSearchParams({ ...answer, state })}`;
  }
  const askedIn = (location: string | undefined) => new URL(String(location)).searchParams;

  return {
    url,
    stop,
    broken,
    named: (name) => userinfo(`UPSTREAM_${name}`),
    google: () => userinfo('GOOGLE'),
    github: () => ({ ...endpoints('GITHUB'), GITHUB_API_URL: url }),
    approve(location, facts) {
      const asked = askedIn(location);
      const code = secret(newToken());
      codes.set(code, { asked, facts });
      return back(asked, { code });
    },
    deny: (location) => back(askedIn(location), { error: 'access_denied' }),
  };
}
