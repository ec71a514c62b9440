/** The console's suite in a real browser: a run as it goes, the report, the keyboard, the looks, and what a policy lets through. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describeInBrowser } from '../support/browser.ts';
import { overflow, picture, violations, watchedPages } from '../support/pages.ts';
import { failing, type SuiteBackend, startSuite } from '../support/suite.ts';

describeInBrowser('the suite in Chromium', () => {
  let backend: SuiteBackend;
  let page: Page;
  const { open } = watchedPages(() => backend, {
    viewport: { width: 1280, height: 800 },
    // A run starts backends of its own.
    timeout: 60_000,
  });

  beforeAll(async () => {
    backend = await startSuite(failing);
  });

  beforeEach(async () => {
    page = await open();
  });

  afterAll(() => backend?.stop());

  const verdict = (text: string, on = page) =>
    on.getByRole('heading', { level: 1, name: text }).waitFor();
  const failed = 'Failed: 7 passed, 1 failed, 0 skipped';
  const box = (name: string, on = page) => on.getByRole('checkbox', { name });

  /** The next backends to be played on wait. @returns what lets them start */
  function close(): () => void {
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    backend.gate = () => gate;
    return go;
  }

  async function playAll(on = page) {
    backend.gate = async () => {};
    await on.goto(`${backend.url}/console/suite`);
    await on.getByRole('button', { name: 'Run' }).click();
    await verdict(failed, on);
  }

  test('a run as it goes: without reloading, the failure as soon as it is known, then the verdict', async () => {
    const go = close();
    await page.goto(`${backend.url}/console/suite`);
    await page.getByRole('button', { name: 'Run' }).click();
    await verdict('Starting a backend for it');
    expect(await violations(page)).toEqual([]);
    await page.evaluate('window.same = true');
    go();
    await page.getByRole('heading', { name: "pango-01 the vendor's example" }).waitFor();
    await verdict(failed);
    expect(await page.evaluate('window.same')).toBe(true);
    expect(await page.title()).toBe(`Suite: ${failed} – Console`);
    await page.locator('#said').getByText(failed).waitFor();
    const pango = page.locator('[data-platform="pango"]');
    await pango.getByText('4 of 4').waitFor();
    await pango.getByText('1 failed').waitFor();
    await page.locator('[data-platform="authlete"]').getByText('none failed').waitFor();
    expect(await page.locator('#suite-run li').count()).toBe(8);
    expect(await page.locator('.suite-failure').count()).toBe(1);
  });

  test('the report opens in a tab of its own, with its filter, and is saved as a file', async () => {
    await playAll();
    const [tab] = await Promise.all([
      page.waitForEvent('popup'),
      page.getByRole('link', { name: 'Report' }).click(),
    ]);
    await tab.getByRole('heading', { level: 1, name: failed }).waitFor();
    await tab.getByLabel('Status').selectOption('failed');
    await tab.getByText('1 of 8').waitFor();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(/^scenarios-\d{4}-\d\d-\d\dT\d{6}\.html$/);
    expect(readFileSync(await file.path(), 'utf8')).toContain(`<title>${failed}</title>`);
  });

  test('the report is a stranger’s page: it can read nothing of the console', async () => {
    await playAll();
    const href = await page.getByRole('link', { name: 'Report' }).getAttribute('href');
    await page.goto(`${backend.url}${href}`);
    expect(await page.evaluate('window.origin')).toBe('null');
  });

  test('cancelled, with the keyboard alone', async () => {
    const go = close();
    await page.goto(`${backend.url}/console/suite`);
    await box('Authlete').focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    expect(await box('Stories').isChecked()).toBe(true);
    await page.keyboard.press('Enter');
    await page.getByText('Authlete · stories · everything').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).focus();
    await page.keyboard.press('Enter');
    go();
    await verdict('Interrupted after 0 of 1: 0 passed, 0 failed, 0 skipped');
    await page.getByText('Cancelled. Its backend is gone.').waitFor();

    await page.getByRole('button', { name: 'Run again' }).focus();
    await page.keyboard.press('Enter');
    await verdict('Passed: 1 passed, 0 failed, 0 skipped');
  });

  test('f: the next failure', async () => {
    await playAll();
    await page.keyboard.press('f');
    const focused = page.locator('.suite-failure :focus');
    expect(await focused.getAttribute('aria-label')).toBe('pango-01, body: expected and came');
  });

  test('without scripts: the page reloads until there is a verdict', async () => {
    const other = await open({ javaScriptEnabled: false });
    await playAll(other);
    await other.getByText('npm run scenarios -- --id pango-01').waitFor();
  });

  type Sight = { name: string; see: () => Promise<unknown> };
  const sights: Sight[] = [
    { name: 'choose', see: () => page.goto(`${backend.url}/console/suite`) },
    {
      name: 'failed',
      see: async () => {
        await playAll();
        for (const one of await page.locator('#suite-run summary').all()) await one.click();
      },
    },
  ];

  test.each(
    sights.flatMap((sight) =>
      (['light', 'dark'] as const).map((theme) => [sight.name, theme, sight] as const),
    ),
  )(
    '%s, %s: axe finds nothing, and nothing is wider than a phone',
    async (name, colorScheme, { see }) => {
      await page.emulateMedia({ colorScheme });
      await see();
      for (const width of [1280, 360]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await overflow(page)).toBe(0);
        await picture(page, `suite-${name}-${colorScheme}-${width}`);
      }
      expect(await violations(page)).toEqual([]);
    },
  );
});
