/** How the console and the start page look: presenter size, narrow windows, and that everybody can read them. */
import type { Page } from 'playwright-core';
import { createDirectory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { describeInBrowser } from '../support/browser.ts';
import { secret } from '../support/canaries.ts';
import { act } from '../support/console.ts';
import { overflow, picture, violations, watchedPages } from '../support/pages.ts';
import { mint } from '../support/tokens.ts';

type Box = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

describeInBrowser('looks in Chromium', () => {
  let backend: Backend;
  /** One whose console is for Ada alone. */
  let adas: Backend;
  let page: Page;
  /** Of flows that were played: Pango, Authlete, dgp-oauth2, AURORA. */
  const runs: string[] = [];
  const password = secret('the-password-of-ada');
  const { open } = watchedPages(() => backend, {
    viewport: { width: 1440, height: 900 },
    besides: () => [adas.url],
  });

  beforeAll(async () => {
    backend = await startBackend();
    for (const [platform, user] of [
      ['pango', 'vpn-user'],
      ['authlete', 'test4'],
      ['dgp-oauth2', 'test1'],
      ['aurora', 'simon371'],
    ]) {
      const path = `/console/flows/${platform}`;
      const { location = '' } = await act(backend, path, path, {
        user: user ?? '',
        variant: 'good',
      });
      runs.push(location);
    }
    await fetch(`${backend.url}/user/verify?token=${await mint(backend, 'simon371')}`);

    adas = await startBackend({ CONSOLE_ENABLED: 'true', CONSOLE_ADMINS: 'ada' });
    const { database, passwords } = adas.services;
    const ada = { login: 'ada', name: 'Ada', password };
    await createDirectory(database, passwords, 'test').createUser(ada);
  });

  afterAll(() => Promise.all([backend?.stop(), adas?.stop()]));

  const to = (path: string, on = page) => on.goto(`${backend.url}${path}`);

  async function box(selector: string, on = page): Promise<Box> {
    const found = await on.locator(selector).first().boundingBox();
    if (!found) throw new Error(`${selector} is not to be seen`);
    return found;
  }

  const middle = ({ y, height }: Box) => y + height / 2;

  async function presenter(width: number) {
    page = await open({ viewport: { width, height: 900 } });
    await to('/console');
    await page.keyboard.press('p');
    await page.locator('[data-size="presenter"]').waitFor();
  }

  const everyPage = () => [
    '/',
    '/console',
    '/console/flows',
    '/console/flows/pango',
    ...runs,
    '/console/matrix',
    '/console/log',
    '/console/latest',
    '/console/calls/1/edit',
    '/console/suite',
    '/console/chaos',
    '/console/users',
    '/console/users/1',
    '/console/groups',
    '/console/groups/1',
    '/console/fields',
    '/console/audit',
    '/console/connect',
    '/console/connect/aurora',
  ];

  describe('presenter size', () => {
    test('a run: the diagram above what was sent, where the usual size has them side by side', async () => {
      page = await open();
      await to(runs[0] ?? '');
      expect((await box('.exchanges')).x).toBeGreaterThan((await box('.diagram-card')).x);
      await page.keyboard.press('p');
      const [diagram, exchanges] = [await box('.diagram-card'), await box('.exchanges')];
      expect(exchanges.x).toBe(diagram.x);
      expect(exchanges.y).toBeGreaterThanOrEqual(diagram.y + diagram.height);
      await picture(page, 'presenter-run');
    });

    test('the log: a card for each call; opened, it has a page of its own', async () => {
      await presenter(1440);
      await to('/console/log');
      await page.locator('#live[data-state="on"]').waitFor();
      const [what, verdict] = [await box('#rows .what'), await box('#rows .verdict')];
      expect(verdict.y).toBeGreaterThanOrEqual(what.y + what.height);
      await picture(page, 'presenter-log');
      await page.locator('#rows .what a').first().click();
      await page.waitForURL(/\/calls\/\d+$/);
    });

    test('nothing is wider than the window', async () => {
      await presenter(1440);
      for (const path of everyPage()) {
        await to(path);
        for (const width of [390, 820, 1440]) {
          await page.setViewportSize({ width, height: 900 });
          expect([path, width, await overflow(page)]).toEqual([path, width, 0]);
        }
      }
    });
  });

  test.each(['light', 'dark'] as const)(
    '%s: axe finds nothing, and nothing is wider than the window',
    async (colorScheme) => {
      page = await open({ colorScheme });
      for (const path of [
        '/',
        '/console',
        '/console/chaos',
        '/console/latest',
        '/console/calls/1/edit',
      ]) {
        await to(path);
        for (const width of [1440, 820, 390]) {
          await page.setViewportSize({ width, height: 900 });
          expect([path, width, await overflow(page)]).toEqual([path, width, 0]);
          expect([path, width, await violations(page)]).toEqual([path, width, []]);
        }
      }
    },
  );

  test('the other pages, and the way out, are in reach at every width', async () => {
    page = await open();
    await page.goto(`${adas.url}/console`);
    await page.locator('#login').fill('ada');
    await page.locator('#password').fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.waitForURL(/\/console/);
    for (const width of [1440, 820, 390]) {
      await page.setViewportSize({ width, height: 800 });
      for (const name of ['Start page', 'Customer App', 'API docs']) {
        expect(await page.getByRole('link', { name }).isVisible()).toBe(true);
      }
      expect(await page.getByRole('button', { name: 'Sign out' }).isVisible()).toBe(true);
      expect([width, await overflow(page)]).toEqual([width, 0]);
    }
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL((url) => !url.pathname.startsWith('/console'));
  });

  describe('a diagram', () => {
    /** How far each text goes beyond its arrow, in columns; and beyond the box, that of the outcome. */
    const overhang = () =>
      page.evaluate(`(() => {
        const drawing = [...document.querySelectorAll('.diagram')].find((one) => one.checkVisibility());
        const heads = [...drawing.querySelectorAll('.head')].map((one) => one.getBBox());
        const column = heads[1].x - heads[0].x;
        const beyond = (text, box) =>
          Math.max(box.x - text.x, text.x + text.width - box.x - box.width, 0);
        const arrows = [...drawing.querySelectorAll('.arrow')].flatMap((arrow) => {
          const line = arrow.querySelector('.arrow-line').getBBox();
          return [...arrow.querySelectorAll('.on-wire, .in-words')].map(
            (text) => beyond(text.getBBox(), line) / column,
          );
        });
        const ending = drawing.querySelector('.ending rect').getBBox();
        const outcome = [...drawing.querySelectorAll('.ending text')].map((text) =>
          beyond(text.getBBox(), ending),
        );
        return { arrows: Math.max(...arrows), outcome: Math.max(...outcome) };
      })()`) as Promise<{ arrows: number; outcome: number }>;

    test.each([1440, 390])('%i wide: what is said stays with its arrow', async (width) => {
      page = await open({ viewport: { width, height: 900 } });
      for (const run of runs) {
        await to(run);
        const { arrows, outcome } = await overhang();
        expect([run, outcome]).toEqual([run, 0]);
        expect(arrows).toBeLessThan(width === 390 ? 0.35 : 0.05);
        await picture(page, `diagram-${width}-${run.split('/').at(-1)}`);
      }
    });
  });

  test('start page on a phone: whole calls, and who is suspended', async () => {
    page = await open({ viewport: { width: 390, height: 844 } });
    await to('/');
    const cut = page.locator('.scroll');
    expect(
      await cut.evaluateAll((all) => all.map((one) => one.scrollWidth - one.clientWidth)),
    ).toEqual([0, 0]);
    expect(await page.getByText('suspended', { exact: true }).isVisible()).toBe(true);
  });

  test.each([1440, 390])('%i wide: the overview is in line', async (width) => {
    page = await open({ viewport: { width, height: 900 } });
    await to('/console');
    const label = middle(await box('.facts dt'));
    expect(Math.abs(middle(await box('#base-url')) - label)).toBeLessThan(4);
    expect(Math.abs(middle(await box('.facts button')) - label)).toBeLessThan(4);
    const cards = await page.locator('.platform').evaluateAll((all) =>
      all.map((card) => {
        const last = card.querySelector('.last')?.getBoundingClientRect().bottom ?? 0;
        return Math.round(card.getBoundingClientRect().bottom - last);
      }),
    );
    expect(new Set(cards).size).toBe(1);
    const pango = page.getByRole('region', { name: 'Pango', exact: true });
    expect(await pango.locator('.badge').innerText()).toBe('last: accepted');
  });

  test('a tablet: no action of the audit trail is broken in two', async () => {
    page = await open({ viewport: { width: 820, height: 900 } });
    await to('/console/audit');
    const lines = await page
      .locator('.trail .what code')
      .evaluateAll((all) => all.map((one) => one.getClientRects().length));
    expect(lines.length).toBeGreaterThan(0);
    expect(Math.max(...lines)).toBe(1);
    const frame = page.locator('.scroll');
    expect(await frame.evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0);
  });

  test('a check: each answer is folded away, and can be opened', async () => {
    page = await open();
    await to('/console/connect/dgp-oauth2');
    await page.getByRole('button', { name: 'Check' }).click();
    const calls = page.locator('#check details');
    await calls.first().waitFor();
    const form = calls.filter({ hasText: 'a form for login and password' });
    expect(await form.innerText()).toMatch(
      /^GET \/login\?return_to=.*\s+Answered 200, \d+ ms\s+a form for login and password$/,
    );
    expect(await page.locator('#check pre:visible').count()).toBe(0);
    await form.locator('summary').click();
    await form.getByText('<!doctype html>').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize({ width: 390, height: 900 });
    expect(await overflow(page)).toBe(0);
  });

  test('a cell of the matrix says whose it is, and where', async () => {
    page = await open();
    await to('/console/matrix');
    await page.getByRole('link', { name: 'accepted test1 at Pango' }).waitFor();
    const more = page.locator('[data-who="test4"][data-platform="Pango"] .cell-more');
    expect(await more.innerText()).toMatch(/^user suspended\s+[\d.]+ ms$/);
  });

  test('without JavaScript no time is announced that does not come', async () => {
    page = await open({ javaScriptEnabled: false });
    await to('/console/calls/1');
    expect(await page.locator('.facts dd').nth(1).innerText()).toMatch(/^[\d-]+T[\d:.]+Z$/);
  });
});
