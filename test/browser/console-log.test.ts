/** The console's live log in a real browser: calls as they come, the keyboard, replay, the looks, and what a policy lets through. */
import type { Page } from 'playwright-core';
import { newToken } from '../../app/oauth/secrets.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { describeInBrowser } from '../support/browser.ts';
import { secret } from '../support/canaries.ts';
import { act, newest } from '../support/console.ts';
import { overflow, picture, violations, watchedPages } from '../support/pages.ts';
import { mint } from '../support/tokens.ts';

describeInBrowser('the live log in Chromium', () => {
  let backend: Backend;
  let page: Page;
  const { open, foresee } = watchedPages(() => backend, { viewport: { width: 1440, height: 900 } });

  beforeAll(async () => {
    backend = await startBackend();
  });

  beforeEach(async () => {
    await act(backend, '/console/log', '/console/log/clear');
    page = await open();
  });

  afterAll(() => backend?.stop());

  const call = (path: string, init?: RequestInit) => fetch(`${backend.url}${path}`, init);
  const rows = (on = page) => on.locator('#rows tr');
  const live = (on = page) => on.locator('#live[data-state="on"]').waitFor();
  const pane = () => page.getByRole('complementary', { name: 'The call' });

  async function openLog() {
    await page.goto(`${backend.url}/console/log`);
    await live();
  }

  test('a call is there at once, and its token is not', async () => {
    await openLog();
    await page.getByText('No calls yet').waitFor();
    const token = await mint(backend, 'simon371');
    await call(`/user/verify?token=${token}`);
    await rows().filter({ hasText: 'simon371' }).waitFor();
    expect(await rows().count()).toBe(1);
    expect(await rows().first().textContent()).toMatch(
      /ConnectyCube.*GET.*\/user\/verify\?token=.*200.*accepted.*simon371 2345/s,
    );
    expect(await page.content()).not.toContain(token);
    await call(`/user/verify?token=${secret(newToken())}`);
    await rows().filter({ hasText: 'unknown' }).waitFor();
    expect(await rows().first().textContent()).toContain('unknown');
  });

  test('a hostile call is text', async () => {
    await openLog();
    await call('/user/verify?x=<img/src=x/onerror=alert(1)>', {
      headers: { 'user-agent': '<script>alert(1)</script>' },
    });
    await rows().first().click();
    await pane().getByText('<script>alert(1)</script>').first().waitFor();
    expect(await page.locator('#rows img, #pane img, #pane script').count()).toBe(0);
  });

  test('filters as one types, and live', async () => {
    await call('/GetUserInfo?oauth_token=none');
    await call('/user/verify?token=none');
    await openLog();
    expect(await rows().count()).toBe(2);
    await page.getByLabel('Platform', { exact: true }).selectOption('pango');
    await expectRows(1);
    expect(page.url()).toBe(`${backend.url}/console/log?platform=pango`);
    await live();
    await call('/user/verify?token=none');
    await call('/GetUserInfo?oauth_token=other');
    await expectRows(2);
    await page.reload();
    await live();
    expect(await rows().count()).toBe(2);
    await page.getByLabel('Platform', { exact: true }).selectOption('');
    await expectRows(4);
    await page.getByRole('searchbox', { name: 'Text' }).fill('no such text');
    await page.getByText('No call is like that').waitFor();
  });

  async function expectRows(count: number) {
    await rows().nth(count).waitFor({ state: 'detached' });
    await rows()
      .nth(count - 1)
      .waitFor();
  }

  test('while a call is open nothing moves; then what came is shown', async () => {
    await call('/user/verify?token=none');
    await openLog();
    await rows().first().click();
    await pane().getByText('There is no such token, or no such login.').waitFor();
    await page.getByText('paused while a call is open').waitFor();
    await call('/user/verify?token=none');
    await call('/user/verify?token=none');
    await page.getByRole('button', { name: 'Show 2 new calls' }).waitFor();
    expect(await rows().count()).toBe(1);
    await page.keyboard.press('Escape');
    await expectRows(3);
    await live();
    expect(await pane().count()).toBe(0);
  });

  test('by keyboard alone: search, rows, open, replay, copy, help', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const token = await mint(backend, 'simon371');
    await call('/GetUserInfo?oauth_token=none');
    await call(`/user/verify?token=${token}`);
    await openLog();

    await page.keyboard.press('?');
    const help = page.getByRole('dialog', { name: 'Keyboard' });
    await help.getByText('Next call').waitFor();
    await page.keyboard.press('Escape');
    await help.waitFor({ state: 'hidden' });

    await page.keyboard.press('/');
    await page.keyboard.type('user/verify');
    await expectRows(1);
    await page.keyboard.press('Escape');

    await page.keyboard.press('j');
    const focused = () => page.evaluate('document.activeElement.closest("tr")?.textContent');
    expect(await focused()).toContain('simon371');
    await page.keyboard.press('Enter');
    await pane().getByText('The credential is good, and belongs to simon371.').waitFor();

    await page.keyboard.press('c');
    await page.getByText(/Call \d+ is copied as curl/).waitFor();
    const copied = await page.evaluate('navigator.clipboard.readText()');
    expect(copied).toContain(`curl -i "$BASE_URL"'/user/verify?token='"$SECRET_1"`);
    expect(copied).not.toContain(token);

    await page.keyboard.press('r');
    await page.getByText(/Sent again: call \d+/).waitFor();
    const again = await newest(backend);
    expect(again).toMatchObject({ outcome: 'accepted', replayOf: again.id - 1 });
    await pane().getByText('a replay of').waitFor();
    await page.keyboard.press('Escape');
    await expectRows(2);
    expect(await page.content()).not.toContain(token);
  });

  test('j and k go through the rows; the open call follows', async () => {
    for (const name of ['one', 'two', 'three']) await call(`/user/verify?x=${name}&token=none`);
    await openLog();
    const focused = () => page.evaluate('document.activeElement.textContent');
    await page.keyboard.press('j');
    expect(await focused()).toContain('x=three');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    expect(await focused()).toContain('x=one');
    await page.keyboard.press('k');
    expect(await focused()).toContain('x=two');
    await page.keyboard.press('Enter');
    await pane().getByText('x=two').first().waitFor();
    await page.keyboard.press('j');
    await pane().getByText('x=one').first().waitFor();
  });

  test('edit and replay', async () => {
    await call('/user/verify?token=none');
    await page.goto(`${backend.url}/console/latest`);
    await page.getByRole('link', { name: 'Edit and replay' }).click();
    const path = page.getByLabel('path and query');
    expect(await path.inputValue()).toBe('/user/verify?token=«secret 1»');
    await path.fill('//evil.example/');
    foresee(/status of 422/);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('alert').waitFor();
    await path.fill(`/user/verify?token=${await mint(backend, 'test1')}`);
    await page.getByLabel('Method').selectOption('POST');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('The credential is good, and belongs to test1.').waitFor();
    expect(page.url()).toMatch(/\/console\/calls\/\d+$/);
    expect((await newest(backend)).request.method).toBe('POST');
  });

  test('cleared with one key or click, and brought back', async () => {
    await call('/user/verify?token=none');
    await openLog();
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('The log is cleared.').waitFor();
    await page.getByText('No calls yet').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('The calls are back.').waitFor();
    expect(await rows().count()).toBe(1);
  });

  test('a fault is armed, seen and spent', async () => {
    await page.goto(`${backend.url}/console/chaos`);
    const card = page.getByRole('form', { name: 'ConnectyCube' });
    await card.getByLabel('The next call gets').selectOption('server-error');
    await card.getByRole('button', { name: 'Arm' }).click();
    await page.getByText('Chaos is armed.').waitFor();
    await openLog();
    expect((await call('/user/verify?token=none')).status).toBe(500);
    await rows().filter({ hasText: 'fault' }).waitFor();
    await page.getByText('Chaos is armed.').waitFor({ state: 'detached' });

    // In another tab.
    const armed = { platform: 'pango', fault: 'delay' };
    await act(backend, '/console/chaos', '/console/chaos', armed);
    await page.getByText('The next call of Pango gets: its answer 10 seconds late.').waitFor();
    await page.getByRole('button', { name: 'Disarm' }).click();
    await page.getByText('Disarmed.').waitFor();
  });

  test('theme and size are remembered', async () => {
    await openLog();
    const seen = () =>
      page.evaluate(
        '[document.documentElement.dataset.theme, document.documentElement.dataset.size, getComputedStyle(document.body).colorScheme]',
      );
    await page.keyboard.press('t');
    await page.keyboard.press('t');
    await page.keyboard.press('p');
    expect(await seen()).toEqual(['dark', 'presenter', 'dark']);
    await page.reload();
    expect(await seen()).toEqual(['dark', 'presenter', 'dark']);
  });

  test('after the connection broke, what was missed is there', async () => {
    await openLog();
    await call('/user/verify?token=none');
    await expectRows(1);
    foresee(/ERR_INTERNET_DISCONNECTED/);
    await page.context().setOffline(true);
    await call('/user/verify?token=none');
    await page.context().setOffline(false);
    await expectRows(2);
  });

  test('without JavaScript: a table, a filter, a link to reload, and replay', async () => {
    await call('/GetUserInfo?oauth_token=none');
    await call('/user/verify?token=none');
    const on = await open({ javaScriptEnabled: false });
    await on.goto(`${backend.url}/console/log`);
    expect(await rows(on).count()).toBe(2);
    await on.getByLabel('Platform', { exact: true }).selectOption('pango');
    await on.getByRole('button', { name: 'Filter' }).click();
    expect(await rows(on).count()).toBe(1);
    await on.getByRole('link', { name: 'Reload' }).click();
    expect(await rows(on).count()).toBe(2);
    expect(await on.getByRole('button', { name: /Theme|Copy/ }).count()).toBe(0);
    await on.getByRole('link', { name: /\/user\/verify/ }).click();
    await on.getByRole('button', { name: 'Replay' }).click();
    await on.getByText('a replay of').waitFor();
  });

  // ── Looks

  const sights: readonly { name: string; see: () => Promise<unknown> }[] = [
    { name: 'overview', see: () => page.goto(`${backend.url}/console`) },
    { name: 'log', see: openLog },
    {
      name: 'log-empty',
      see: async () => {
        await act(backend, '/console/log', '/console/log/clear');
        await openLog();
      },
    },
    {
      name: 'log-open',
      see: async () => {
        await page.setViewportSize({ width: 1440, height: 900 });
        await openLog();
        await rows().first().click();
        await pane().getByRole('heading', { name: 'Response' }).waitFor();
      },
    },
    { name: 'call', see: () => page.goto(`${backend.url}/console/latest`) },
    {
      name: 'edit',
      see: async () => {
        await page.goto(`${backend.url}/console/latest`);
        await page.getByRole('link', { name: 'Edit and replay' }).click();
      },
    },
    {
      name: 'chaos',
      see: async () => {
        await act(backend, '/console/chaos', '/console/chaos', {
          platform: 'pango',
          fault: 'delay',
        });
        await page.goto(`${backend.url}/console/chaos`);
        await act(backend, '/console', '/console/chaos/disarm');
      },
    },
    {
      name: 'help',
      see: async () => {
        await openLog();
        await page.keyboard.press('?');
      },
    },
    { name: 'start', see: () => page.goto(backend.url) },
  ];

  const themes = ['light', 'dark'] as const;
  const widths = [1440, 1024, 360];

  test.each(sights.flatMap((sight) => themes.map((theme) => [sight.name, theme, sight] as const)))(
    '%s, %s: axe finds nothing, and nothing is wider than a phone',
    async (name, colorScheme, { see }) => {
      await page.emulateMedia({ colorScheme });
      await call(`/user/verify?token=${await mint(backend, 'simon371')}`);
      await call(
        `/GetUserInfo?oauth_token=${secret(newToken())}&a-very-long-name=${'x'.repeat(300)}`,
      );
      await call('/user/verify', { method: 'POST', body: '{"token":"none","user_id":12}' });
      await see();
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 });
        expect([width, await overflow(page)]).toEqual([width, 0]);
        await picture(page, `${name}-${colorScheme}-${width}`);
        expect([width, await violations(page)]).toEqual([width, []]);
      }
    },
  );
});
