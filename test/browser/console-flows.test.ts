/** Flows and matrix in a real browser: clicks, keys, the clipboard, narrow windows, both themes. */
import type { Page } from 'playwright-core';
import { platforms } from '../../app/platforms/index.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { describeInBrowser } from '../support/browser.ts';
import { overflow, violations, watchedPages } from '../support/pages.ts';

describeInBrowser('flows and matrix in Chromium', () => {
  let backend: Backend;
  let page: Page;
  const { open } = watchedPages(() => backend, {
    permissions: ['clipboard-read', 'clipboard-write'],
  });

  beforeAll(async () => {
    backend = await startBackend();
  });

  beforeEach(async () => {
    page = await open();
  });

  afterAll(() => backend?.stop());

  const to = (path: string, on = page) => on.goto(`${backend.url}/console${path}`);

  async function run(platform: string, user: string, on = page) {
    await to(`/flows/${platform}`, on);
    await on.locator(`button[value="${user}"]`).click();
    await on.waitForURL(/\/runs\/\d+/);
  }

  const clipboard = () => page.evaluate<string>('navigator.clipboard.readText()');

  /** Until no answer is awaited, and there are some. */
  const asked = (on = page) =>
    on.locator('#matrix:not([aria-busy]) [data-outcome="accepted"]').first().waitFor();

  const outcome = (login: string, platform: string) =>
    page.locator(`[data-who="${login}"][data-platform="${platform}"]`).getAttribute('data-outcome');

  test.each(platforms.flatMap(({ id, title, simulator }) => (simulator ? [[title, id]] : [])))(
    '%s: test1 is played with one click, and the last arrow opens its response',
    async (_, id = '') => {
      await run(id, 'test1');
      await page.getByRole('heading', { level: 1, name: /^Let in: / }).waitFor();
      const last = page.locator('.diagram.wide .arrow a').last();
      const target = (await last.getAttribute('href')) ?? '';
      expect(target).toMatch(/^#exchange-\d+-reply$/);
      expect(await page.locator(target).isVisible()).toBe(false);
      await last.click();
      await page.locator(target).waitFor({ state: 'visible' });
      expect(await page.locator(target).textContent()).toContain('HTTP/1.1 ');
      expect(await page.evaluate('document.activeElement.id')).toBe(target.slice(1));
    },
  );

  test('the Mermaid is copied', async () => {
    await run('connectycube', 'simon371');
    await page.getByRole('button', { name: 'Copy as Mermaid' }).click();
    await page.getByText('Copied.').waitFor();
    const text = await clipboard();
    expect(text.split('\n').slice(0, 5)).toEqual([
      'sequenceDiagram',
      '  autonumber',
      '  participant App as App',
      '  participant Platform as ConnectyCube',
      '  participant Backend as This backend',
    ]);
    expect(text).toContain('  Platform->>Backend: GET /user/verify?token=•••\n');
  });

  test('the curl of the platform’s request is copied, its secret a variable', async () => {
    await run('connectycube', 'simon371');
    await page.locator('.diagram.wide a[aria-label*="/user/verify"]').click();
    const opened = page.locator('details[open]');
    await opened.getByRole('button', { name: 'Copy as curl' }).click();
    await page.getByText('Copied.').waitFor();
    expect(await clipboard()).toMatch(/^curl -i "\$BASE_URL"'\/user\/verify\?token='"\$SECRET_1"/);
  });

  test('step by step, with the keyboard alone', async () => {
    await to('/flows/authlete');
    await page.getByRole('checkbox', { name: 'Tell it step by step' }).focus();
    await page.keyboard.press('Space');
    await page.locator('button[value="test4"]').focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/runs\/\d+\?steps/);
    const heading = page.getByRole('heading', { level: 1 });
    const status = page.locator('.stepper-text');
    const shown = () => page.locator('.diagram.wide .arrow a:visible').count();
    await status.getByText('1 of 4').waitFor();
    expect(await shown()).toBe(1);
    expect(await heading.isVisible()).toBe(false);

    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await status.innerText()).toBe(
      '3 of 4 This backend to Authlete: 200 OK, the developer is not authenticated',
    );
    expect(await shown()).toBe(3);
    await page.keyboard.press('ArrowLeft');
    expect(await shown()).toBe(2);
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight']) {
      await page.keyboard.press(key);
    }
    expect(await status.innerText()).toBe('The end Denied: Authlete denies the login');
    expect(await heading.isVisible()).toBe(true);
  });

  test('an arrow is reached and followed with the keyboard', async () => {
    await run('pango', 'test1');
    await page.locator('.diagram.wide .arrow a').nth(2).focus();
    await page.keyboard.press('Enter');
    await page.locator('#exchange-2-request').waitFor({ state: 'visible' });
    expect(await page.evaluate('document.activeElement.id')).toBe('exchange-2-request');
  });

  test('without JavaScript all of it is there', async () => {
    page = await open({ javaScriptEnabled: false });
    await run('authlete', 'test4');
    expect(await page.locator('.diagram.wide .arrow a:visible').count()).toBe(4);
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toContain(
      'Authlete denies the login',
    );
    await page.goto(`${page.url()}?steps`);
    expect(await page.locator('.diagram.wide .arrow a:visible').count()).toBe(4);

    await to('/matrix');
    await page.getByRole('button', { name: /^Ask/ }).click();
    await page.locator('[data-outcome="accepted"]').first().waitFor();
    await page.getByRole('button', { name: 'Activate test4' }).click();
    expect(await outcome('test4', 'Pango')).toBe('accepted');
    await page.getByRole('button', { name: 'Undo' }).click();
    expect(await outcome('test4', 'Pango')).toBe('refused');
  });

  test('the matrix asks when it is opened; test4 is switched, cells change, it is said, and undone', async () => {
    await to('/matrix');
    await asked();
    expect(await outcome('test4', 'ConnectyCube')).toBe('refused');
    const { url } = { url: page.url() };

    await page.getByRole('button', { name: 'Activate test4' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-who="test4"][data-outcome="accepted"]').first().waitFor();
    expect(page.url()).toBe(url);
    expect(await outcome('test4', 'Authlete')).toBe('accepted');
    const said = page.locator('#news');
    await said.getByText('test4 is active now, from the next request on.').waitFor();
    expect(await said.innerText()).toContain('test4 at Pango: accepted.');
    // The banner says it to those who see it: nothing covers the cells.
    expect(await page.locator('.toast', { hasText: 'test4' }).count()).toBe(0);
    // Whoever pressed the button still is where he was.
    expect(await page.evaluate('document.activeElement.dataset.key')).toBe('user-4');

    await page.keyboard.press('u');
    await page.locator('[data-who="test4"][data-outcome="refused"]').first().waitFor();
    expect(await outcome('test4', 'Pango')).toBe('refused');
  });

  test('why: when the cell has the focus, until Escape', async () => {
    await to('/matrix');
    await asked();
    const cell = page.locator('[data-who="test4"][data-platform="Pango"]');
    const why = cell.getByRole('tooltip');
    expect(await why.isVisible()).toBe(false);
    await cell.getByRole('link').focus();
    expect(await why.innerText()).toBe('The credential is good, but its user is suspended.');
    await page.keyboard.press('Escape');
    expect(await why.isVisible()).toBe(false);
  });

  test.each(['light', 'dark'] as const)(
    '%s: axe finds nothing, nothing is wider than the window',
    async (colorScheme) => {
      page = await open({ colorScheme });
      await run('pango', 'test4');
      const runPage = new URL(page.url()).pathname.replace('/console', '');
      for (const path of ['/flows', '/flows/pango', '/flows/authlete', runPage, '/matrix']) {
        await page.setViewportSize({ width: 1440, height: 900 });
        await to(path);
        if (path === '/matrix') await asked();
        for (const one of await page.locator('details').all()) {
          await one.evaluate((element) => element.setAttribute('open', ''));
        }
        expect({ path, found: await violations(page) }).toEqual({ path, found: [] });
        for (const width of [1024, 768, 360]) {
          await page.setViewportSize({ width, height: 800 });
          expect({ path, width, overflow: await overflow(page) }).toEqual({
            path,
            width,
            overflow: 0,
          });
        }
        if (colorScheme === 'light') {
          expect({ path, found: await violations(page) }).toEqual({ path, found: [] });
        }
      }
    },
  );

  test('on a phone the diagram is a narrow one, which fits', async () => {
    page = await open({ viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true });
    await run('connectycube', 'simon371');
    expect(await page.locator('.diagram.wide').isVisible()).toBe(false);
    const scroller = page.locator('.diagram-scroll');
    expect(await scroller.evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0);
    await page.locator('.diagram.narrow .arrow a').nth(1).tap();
    await page.locator('#exchange-1-request').waitFor({ state: 'visible' });
  });
});
