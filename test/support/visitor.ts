/** A browser as far as HTTP goes: keeps cookies, follows nothing, sends the forms that it was shown. */
import type { Prisma } from '../../app/store/generated/sqlite/client.ts';
import type { Backend } from './backend.ts';
import { secret } from './canaries.ts';

export type Seen = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly location: string | undefined;
};

const decoded = (html: string) =>
  html
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

const attribute = (tag: string, name: string) =>
  decoded(new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? '');

/** The form of a page that goes there, with what it is filled with: hidden fields and others. */
export function formOf(html: string, action: string, index = 0): Record<string, string> {
  const forms = html.match(/<form\b.*?<\/form>/gs) ?? [];
  const found = forms.filter((form) => attribute(form, 'action') === action)[index];
  if (found === undefined) throw new Error(`there is no form to ${action} on this page:\n${html}`);
  const inputs = found.match(/<input\b[^>]*>/g) ?? [];
  return Object.fromEntries(inputs.map((tag) => [attribute(tag, 'name'), attribute(tag, 'value')]));
}

export type Visitor = {
  readonly cookies: Map<string, string>;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Seen>;
  readonly post: (
    path: string,
    fields: Record<string, string> | string,
    headers?: Record<string, string>,
  ) => Promise<Seen>;
  /** Opens /login and signs in; the session is signed in when it resolves. */
  readonly signIn: (login: string, password?: string) => Promise<void>;
};

export function visitor(backend: Backend): Visitor {
  const cookies = new Map<string, string>();

  async function send(path: string, init: RequestInit, extra: Record<string, string>) {
    const headers = new Headers(extra);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    if (cookie) headers.set('cookie', cookie);
    const response = await fetch(`${backend.url}${path}`, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name);
      else cookies.set(name, secret(value));
    }
    const location = response.headers.get('location') ?? undefined;
    const code = location && /[?&]code=([^&]+)/.exec(location)?.[1];
    if (code) secret(code);
    const { status } = response;
    return { status, headers: response.headers, text: await response.text(), location };
  }

  const get: Visitor['get'] = (path, headers = {}) => send(path, {}, headers);
  const post: Visitor['post'] = (path, fields, headers = {}) =>
    send(
      path,
      { method: 'POST', body: new URLSearchParams(fields).toString() },
      { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    );

  return {
    cookies,
    get,
    post,
    async signIn(login, password = login) {
      const { text } = await get('/login');
      const seen = await post('/login', { ...formOf(text, '/login'), login, password });
      if (seen.status !== 303) throw new Error(`${login} was not signed in: ${seen.status}`);
    },
  };
}

/** A client as it would be registered: public, with PKCE and consent, unless told otherwise. */
export async function addClient(
  { services: { database } }: Backend,
  client: Partial<Prisma.ClientUncheckedCreateInput> = {},
) {
  return database.prisma.client.create({
    data: {
      id: 'shop',
      name: 'The Shop',
      redirectUris: ['https://shop.example/callback'],
      grantTypes: ['authorization_code'],
      scope: 'verify profile',
      ...client,
    },
  });
}

/** RFC 7636, appendix B. */
export const pkce = {
  verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
};

/** An authorization request of that client that is as it should be. */
export const askFor = (changes: Record<string, string | undefined> = {}): string => {
  const parameters = {
    response_type: 'code',
    client_id: 'shop',
    redirect_uri: 'https://shop.example/callback',
    scope: 'verify',
    state: 'af0ifjsldkj',
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
    ...changes,
  };
  const given = Object.entries(parameters).filter(
    (one): one is [string, string] => one[1] !== undefined,
  );
  return `/oauth/authorize?${new URLSearchParams(given)}`;
};
