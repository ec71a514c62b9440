/** Users, fields and connecting in a real browser: the keyboard, the forms, copying, the looks, and what a policy lets through. */
import type { Page } from 'playwright-core';
import { createDirectory } from '../../app/store/directory.ts';
import { apiSecret, type Backend, startBackend } from '../support/backend.ts';
import { describeInBrowser } from '../support/browser.ts';
import { secret } from '../support/canaries.ts';
import { overflow, violations, watchedPages } from '../support/pages.ts';
import { mint } from '../support/tokens.ts';

describeInBrowser('users in Chromium', () => {
  let backend: Backend;
  let page: Page;
  const { open, foresee } = watchedPages(() => backend, { viewport: { width: 1440, height: 900 } });

  beforeAll(async () => {
    backend = await startBackend();
  });

  beforeEach(async () => {
    page = await open();
  });

  afterAll(() => backend?.stop());

  const go = (path: string, on = page) => on.goto(`${backend.url}/console${path}`);
  const heading = (name: string, on = page) =>
    on.getByRole('heading', { level: 1, name }).waitFor();
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const notice = (text: string) => page.getByRole('status').filter({ hasText: text }).waitFor();

  test('from the list to a user, by keyboard alone', async () => {
    await go('/users');
    await page.keyboard.press('/');
    await page.keyboard.type('davis');
    await page.keyboard.press('Enter');
    await page.waitForURL(/text=davis/);
    expect(await page.getByRole('table', { name: 'Users' }).getByRole('row').count()).toBe(2);
    await page.keyboard.press('/');
    expect(await page.evaluate('getSelection().toString()')).toBe('davis');
    await page.getByRole('link', { name: 'simon371' }).focus();
    await page.keyboard.press('Enter');
    await heading('simon371');
  });

  test('n is a new user; the help has both keys', async () => {
    await go('/users');
    await page.keyboard.press('?');
    expect(await page.locator('#help-keys').textContent()).toMatch(/\/Search.*nNew user/);
    await page.keyboard.press('Escape');
    await page.keyboard.press('n');
    await heading('New user');
  });

  test('a user is made: what is wrong is said at its field, which has the focus', async () => {
    await go('/users/new');
    expect(await page.getByLabel('The new password').isVisible()).toBe(false);
    foresee(/status of 422/);
    await page.getByLabel('Login').fill('with space');
    await page.getByLabel('Full name').fill('Rosa <b>Parks</b>');
    await button('Create').click();
    const login = page.getByLabel('Login');
    await page.getByText('A login has 1 to 255 characters').waitFor();
    expect(await login.getAttribute('aria-invalid')).toBe('true');
    expect(await page.locator('#login:focus').count()).toBe(1);
    expect(await page.getByLabel('Full name').inputValue()).toBe('Rosa <b>Parks</b>');

    await login.fill('rosa');
    await page.getByLabel('Type one').check();
    await page.getByLabel('The new password').fill(secret('typed-in-a-browser'));
    await button('Create').click();
    await heading('rosa');
    await notice('Created.');
    await page.getByText('Rosa <b>Parks</b>').waitFor();
  });

  test('a generated password is there once, to be copied', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await go('/users/new');
    await page.getByLabel('Login').fill('generated');
    await page.getByLabel('Full name').fill('Generated');
    await button('Create').click();
    await heading('Created');
    const password = secret((await page.locator('#password').textContent()) ?? '');
    expect(password).toMatch(/^[a-z2-9]{20}$/);
    await button('Copy').click();
    await page.getByText('Copied.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(password);
    await page.getByRole('link', { name: 'To generated' }).click();
    await heading('generated');
    expect(await page.content()).not.toContain(password);
  });

  test('suspended, and undone: a platform follows', async () => {
    const token = await mint(backend, 'simon371');
    const verified = async () => (await fetch(`${backend.url}/user/verify?token=${token}`)).status;
    await go('/users/2345');
    await page.getByLabel('Reason').fill('for the demonstration');
    await button('Suspend').click();
    await notice('Suspended: every platform refuses this user');
    expect(await verified()).toBe(422);
    await button('Undo').click();
    await notice('Active again.');
    expect(await verified()).toBe(200);
    await page.getByText('for the demonstration').waitFor();
  });

  test('his live tokens expire', async () => {
    await mint(backend, 'test2');
    await go('/users/2');
    await page.getByText('1 live token', { exact: true }).waitFor();
    await button('Expire now').click();
    await notice('Expired: the next platform that asks is told so.');
    await page.getByText('0 live tokens').waitFor();
  });

  test('a user of one’s own is pasted, and shown as each platform would be answered', async () => {
    await go('/fields');
    await page
      .getByLabel('Your user, as JSON')
      .fill('{"id":"77","email":"kim@example.com","name":"Kim"}');
    await button('Show the answers').click();
    await page.getByText('It is a text. Platforms are told a number').waitFor();
    const pango = page.getByLabel('What Pango is answered');
    expect(await pango.textContent()).toContain('"uid": 77');
  });

  test('a secret is shown once; the check says what the mapping resolves to', async () => {
    await go('/connect/authlete');
    expect(await page.content()).not.toContain(apiSecret);
    await page
      .getByRole('button', { name: 'Show once: Developer Authentication Callback API Secret' })
      .click();
    await page.getByText(apiSecret).first().waitFor();
    await page.getByRole('link', { name: 'Hide it' }).first().click();
    await page.waitForURL(/\/connect\/authlete$/);
    expect(await page.content()).not.toContain(apiSecret);

    await go('/connect/connectycube');
    await page.getByLabel('As the user').fill('simon371');
    await button('Check').click();
    await page.getByText('it works').waitFor();
    expect(await page.locator('.resolved li').first().textContent()).toMatch(
      /uid.*#\{user\.id\}.*resolves to.*2345/s,
    );
  });

  test('without JavaScript everything is there to be read, and to be done', async () => {
    const one = await open({ javaScriptEnabled: false });
    await go('/users?text=test3', one);
    await one.getByRole('link', { name: 'test3' }).click();
    await heading('test3', one);
    await one.getByRole('button', { name: 'Suspend' }).click();
    await one.getByRole('button', { name: 'Undo' }).click();
    await one.getByText('Active again.').waitFor();
    await go('/users/new', one);
    expect(await one.getByLabel('The new password').isVisible()).toBe(true);
  });

  const pages = [
    '/users',
    '/users?text=nobody-at-all',
    '/users/new',
    '/users/2345',
    '/groups',
    '/groups/1',
    '/fields',
    '/audit',
    '/connect',
    '/connect/authlete',
    '/connect/aurora',
  ];

  test.each([
    ['light', 1440],
    ['dark', 1440],
    ['light', 360],
    ['dark', 360],
  ] as const)(
    '%s, %i px: axe finds nothing, nothing is beside the edge',
    async (colorScheme, width) => {
      const { database, passwords } = backend.services;
      const login = `${'w'.repeat(60)}-${colorScheme}-${width}@${'long'.repeat(20)}.example`;
      await createDirectory(database, passwords, 'test').createUser({
        login,
        name: 'W'.repeat(200),
      });
      const one = await open({ colorScheme, viewport: { width, height: 800 } });
      for (const path of pages) {
        await go(path, one);
        expect([path, await overflow(one)]).toEqual([path, 0]);
        expect([path, await violations(one)]).toEqual([path, []]);
      }
    },
  );
});
