/** Pages of a backend in Chromium, and what goes for all of them: no request goes to another host, no browser complains. */
import { jest } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { axe, launch } from './browser.ts';

type Options = BrowserContextOptions & {
  /** Other hosts that pages may go to: a URL of each. */
  readonly besides?: () => readonly string[];
  /** How long a page is waited for, in milliseconds: 30,000 unless told. */
  readonly timeout?: number;
};

export type Pages = {
  /** A new page, in a context of its own, which is closed after the test. */
  readonly open: (options?: BrowserContextOptions) => Promise<Page>;
  /** The browser may complain of this until the test is over. */
  readonly foresee: (complaint: RegExp) => void;
};

/**
 * To be called in a `describe`, before its own hooks: starts Chromium for its tests, and fails each that has a page which
 * asks another host for something, or which the browser complains about: a policy that stopped something, for one.
 */
export function watchedPages(
  backend: () => { readonly url: string },
  { besides = () => [], timeout = 30_000, ...usual }: Options = {},
): Pages {
  // A browser on a busy machine.
  jest.setTimeout(120_000);
  let browser: Browser;
  const strayed: string[] = [];
  const complaints: string[] = [];
  const foreseen: RegExp[] = [];

  beforeAll(async () => {
    browser = await launch();
  });

  beforeEach(() => {
    strayed.length = 0;
    complaints.length = 0;
    foreseen.length = 0;
  });

  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    const unforeseen = complaints.filter((said) => !foreseen.some((one) => one.test(said)));
    expect({ strayed, complaints: unforeseen }).toEqual({ strayed: [], complaints: [] });
  });

  afterAll(() => browser?.close());

  return {
    async open(options = {}) {
      const context = await browser.newContext({
        locale: 'en',
        reducedMotion: 'reduce',
        ...usual,
        ...options,
      });
      context.setDefaultTimeout(timeout);
      const origins = [backend().url, ...besides()].map((url) => new URL(url).origin);
      context.on('request', (request) => {
        if (!origins.includes(new URL(request.url()).origin)) strayed.push(request.url());
      });
      context.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      context.on('weberror', (error) => complaints.push(String(error.error())));
      return context.newPage();
    },
    foresee: (complaint) => {
      foreseen.push(complaint);
    },
  };
}

/** What axe finds in a page, of whatever impact: the rule, and the elements that break it. */
export async function violations(
  page: Page,
  { except = [] }: { readonly except?: readonly string[] } = {},
): Promise<readonly (readonly [rule: string, elements: readonly string[]])[]> {
  // Through DevTools: the policy of the page lets no script in.
  await page.evaluate(axe);
  return page.evaluate(
    `axe.run({ exclude: ${JSON.stringify(except)} }).then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))`,
  );
}

/** By how many pixels a page is wider than its window. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** Kept for people to look at, when SCREENSHOTS names a folder. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS'];
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
