/** A browser as far as HTTP goes, for several servers on one host: cookies ignore ports, redirects are followed. */
import { secret } from '../support/canaries.ts';
import { formOf } from '../support/visitor.ts';

export type Page = {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Every address on the way, the last one included. */
  readonly visited: readonly string[];
};

export type Browser = {
  readonly cookies: Map<string, string>;
  /** With the path or URL of the page to be opened; `until` stops before an address that contains it. */
  readonly open: (url: string, until?: string) => Promise<Page>;
  /** Sends a form of the page to where it goes, with these fields filled in. */
  readonly submit: (page: Page, action: string, fields?: Record<string, string>) => Promise<Page>;
};

export function browser(): Browser {
  const cookies = new Map<string, string>();

  async function step(url: string, init: RequestInit) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name);
      else cookies.set(name, secret(value));
    }
    return response;
  }

  async function go(start: string, init: RequestInit, until?: string): Promise<Page> {
    const visited = [start];
    let response = await step(start, init);
    for (;;) {
      const url = String(visited.at(-1));
      const location = response.headers.get('location');
      if (!location || visited.length > 10) {
        const { status, headers } = response;
        return { url, status, headers, text: await response.text(), visited };
      }
      const next = new URL(location, url);
      for (const name of ['code', 'state']) secret(next.searchParams.get(name) ?? '');
      visited.push(next.href);
      if (until && next.href.includes(until)) {
        return { url: next.href, status: 0, headers: new Headers(), text: '', visited };
      }
      response = await step(next.href, {});
    }
  }

  return {
    cookies,
    open: (url, until) => go(url, {}, until),
    submit(page, action, fields = {}) {
      const body = new URLSearchParams({ ...formOf(page.text, action), ...fields });
      return go(new URL(action, page.url).href, { method: 'POST', body });
    },
  };
}
