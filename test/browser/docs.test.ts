/** The API reference in a real browser: whether it renders under its policy, offline, and calls nobody but this server. */
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { type Backend, startBackend } from '../support/backend.ts';
import { describeInBrowser } from '../support/browser.ts';
import { secret } from '../support/canaries.ts';
import { overflow, violations, watchedPages } from '../support/pages.ts';
import { mint } from '../support/tokens.ts';
import { addClient } from '../support/visitor.ts';

describeInBrowser('the API reference in Chromium', () => {
  let backend: Backend;
  let page: Page;
  const pages = watchedPages(() => backend);

  beforeAll(async () => {
    backend = await startBackend();
  });

  afterAll(() => backend?.stop());

  async function open(options: BrowserContextOptions = {}) {
    page = await pages.open(options);
    await page.goto(`${backend.url}/docs`);
  }

  const shown = () => page.locator('.opblock').first().waitFor();
  const operation = (id: string): Locator => page.locator(`.opblock[id$="-${id}"]`);

  /** Opens it, and makes its fields writable. */
  async function tryOut(id: string): Promise<Locator> {
    const one = operation(id);
    await one.locator('.opblock-summary-control').click();
    await one.getByRole('button', { name: 'Try it out' }).click();
    return one;
  }

  /** The status and the body of what came back. */
  async function execute(one: Locator) {
    await one.getByRole('button', { name: 'Execute' }).click();
    const live = one.locator('.live-responses-table .response');
    const status = await live.locator('.response-col_status').innerText();
    return { status: status.trim(), body: await live.locator('pre').first().innerText() };
  }

  test('renders every operation, under a policy without unsafe-inline and unsafe-eval', async () => {
    await open();
    await shown();
    const response = await fetch(`${backend.url}/openapi.json`);
    const { paths } = (await response.json()) as { paths: Record<string, object> };
    const described = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const rendered = await page
      .locator('.opblock')
      .evaluateAll((all) =>
        all.map((one) =>
          ['.opblock-summary-method', '.opblock-summary-path']
            .map((part) => one.querySelector(part)?.textContent?.replaceAll('\u200b', ''))
            .join(' '),
        ),
      );
    expect(rendered.toSorted()).toEqual(described.toSorted());
    const policy = (await fetch(`${backend.url}/docs`)).headers.get('content-security-policy');
    expect(policy).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    );
  });

  test('an operation of every group can be opened', async () => {
    await open();
    await shown();
    const groups = await page.locator('.opblock-tag-section').all();
    expect(groups.length).toBe(backend.config.platforms.length + 3);
    for (const group of groups) {
      const first = group.locator('.opblock').first();
      await first.locator('.opblock-summary-control').click();
      await first.locator('.responses-wrapper').waitFor();
    }
    expect(await page.getByText(/unresolved|could not (render|resolve)/i).count()).toBe(0);
  });

  test('GET /healthz is tried out', async () => {
    await open();
    const { status, body } = await execute(await tryOut('get_healthz'));
    expect(status).toMatch(/^200/);
    expect(JSON.parse(body)).toEqual({ status: 'ok', version: backend.services.version });
  });

  test('a token that is pasted into a parameter is verified', async () => {
    await open();
    const verify = await tryOut('get_user_verify');
    const token = verify.getByPlaceholder('token', { exact: true });
    expect(await token.inputValue()).toBe('<token of simon371>');
    await token.fill(await mint(backend, 'simon371'));
    const { status, body } = await execute(verify);
    expect(status).toMatch(/^200/);
    expect(JSON.parse(body)).toMatchObject({ uid: 2345, login: 'simon371' });
  });

  test('an App signs in from here, and its token is sent along', async () => {
    await addClient(backend, {
      id: 'explorer',
      name: 'Explorer',
      redirectUris: [`${backend.url}/docs/assets/oauth2-redirect.html`],
      scope: 'openid profile',
      firstParty: true,
    });
    await open();
    await page.locator('.auth-wrapper .btn.authorize').click();
    await page.locator('#client_id_authorizationCode').fill('explorer');
    const flow = page.locator('.auth-container', { hasText: 'authorizationCode' });
    await flow.getByText('openid', { exact: true }).click();
    const popup = page.waitForEvent('popup');
    await flow.getByRole('button', { name: 'Authorize' }).click();
    const window = await popup;
    await window.getByRole('button', { name: 'Sign in as test1' }).click();
    await flow.getByText('Authorized', { exact: true }).waitFor();
    await page.locator('.close-modal').click();

    const { status, body } = await execute(await tryOut('get_openid_userinfo'));
    expect(status).toMatch(/^200/);
    expect(JSON.parse(body)).toEqual({ sub: '1' });
    const sent = await operation('get_openid_userinfo').locator('.curl').innerText();
    secret(/Bearer ([\w-]+)/.exec(sent)?.[1] ?? '');
    // Nothing of it is kept.
    expect(await page.evaluate('JSON.stringify({ ...localStorage })')).toBe('{}');
  });

  test.each(['light', 'dark'] as const)(
    '%s: axe finds nothing, folded, tried out, and where keys are asked for; the links lead back',
    async (colorScheme) => {
      await open({ colorScheme });
      await shown();
      expect(await violations(page)).toEqual([]);
      pages.foresee(/status of 422/);
      await execute(await tryOut('get_user_verify'));
      await tryOut('post_oauth_token');
      expect(await violations(page)).toEqual([]);
      await page.locator('.auth-wrapper .btn.authorize').click();
      await page.getByRole('dialog', { name: 'Authorizations' }).waitFor();
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.classList.contains('dark-mode')")).toBe(
        colorScheme === 'dark',
      );
      const links = page.getByRole('navigation', { name: 'This server' }).getByRole('link');
      expect(await links.evaluateAll((all) => all.map((one) => one.getAttribute('href')))).toEqual([
        '/',
        '/console',
        '/openapi.json',
      ]);
    },
  );

  test("the console's theme goes before the system's", async () => {
    await open({ colorScheme: 'light' });
    await page.evaluate("localStorage.setItem('console-theme', 'dark')");
    await page.reload();
    await shown();
    expect(await page.evaluate("document.documentElement.classList.contains('dark-mode')")).toBe(
      true,
    );
  });

  test('nothing is wider than a phone', async () => {
    await open({ viewport: { width: 360, height: 800 } });
    await shown();
    expect(await overflow(page)).toBe(0);
  });

  test('without JavaScript, it leads to the document', async () => {
    await open({ javaScriptEnabled: false });
    // Playwright sees no text in <noscript>.
    const link = page.locator('.docs-note a');
    expect(await link.isVisible()).toBe(true);
    expect(await link.getAttribute('href')).toBe('/openapi.json');
  });
});
