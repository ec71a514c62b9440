/**
 * A page that keeps its token in the browser and asks with it from another origin, as dgp-oauth2-ng does; with as much of a
 * browser around it as it needs.
 *
 *   https://www.npmjs.com/package/dgp-oauth2-ng, AuthService and AuthComponent
 */

type User = {
  readonly authenticated: boolean;
  readonly providers?: Readonly<Record<string, { readonly url: string }>>;
  readonly profile?: Readonly<Record<string, unknown>>;
};

export type SinglePageApp = {
  /** Where the browser is: what the page sees of its own address. */
  readonly location: () => string;
  /** The browser comes (back) to the page. */
  readonly open: (href: string) => Promise<User>;
  /** Where the log-in button leads. */
  readonly loginHref: () => string | undefined;
  readonly permission: (service: string) => Promise<Readonly<Record<string, unknown>>>;
  readonly logout: () => Promise<User>;
};

const param = 'jwt';

export function singlePageApp(authServerUrl: string, start: string): SinglePageApp {
  const localStorage = new Map<string, string>();
  let href = start;
  let user: User | undefined;

  /** What a page may see: with CORS, or not at all. */
  async function get(url: string): Promise<unknown> {
    const { origin } = new URL(href);
    const response = await fetch(url, { headers: { origin } });
    if (response.headers.get('access-control-allow-origin') !== origin) {
      throw new TypeError('Failed to fetch');
    }
    return response.json();
  }

  function resolveToken(): string | undefined {
    const url = new URL(href);
    const jwt = url.searchParams.get(param);
    if (!jwt) return localStorage.get(param);
    url.searchParams.delete(param);
    href = `${href.split('?')[0]}?${url.searchParams}`;
    return jwt;
  }

  async function check(): Promise<User> {
    const next = href;
    const jwt = resolveToken();
    if (jwt) localStorage.set(param, jwt);
    const asked = `/auth/check?jwt=${jwt ?? ''}&next=${encodeURIComponent(next)}`;
    user = (await get(authServerUrl + asked)) as User;
    return user;
  }

  return {
    location: () => href,
    open(to) {
      href = to;
      return check();
    },
    loginHref: () => (user?.providers?.['google'] ?? user?.providers?.['github'])?.url,
    async permission(service) {
      const asked = `/auth/authorize?service=${service}&jwt=${localStorage.get(param)}`;
      return (await get(authServerUrl + asked)) as Record<string, unknown>;
    },
    logout() {
      localStorage.delete(param);
      return check();
    },
  };
}
