/** What only a real browser can tell: the policies, the cookies, the keyboard, the looks. */
import type { Page } from 'playwright-core';
import { newToken, newUserCode } from '../../app/oauth/secrets.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { type Callback, describeInBrowser, startCallback } from '../support/browser.ts';
import { secret } from '../support/canaries.ts';
import { overflow, picture, violations, watchedPages } from '../support/pages.ts';
import { addClient, askFor } from '../support/visitor.ts';

describeInBrowser('in Chromium', () => {
  let backend: Backend;
  let app: Callback;
  let page: Page;
  const { open, foresee } = watchedPages(() => backend, { besides: () => [app.url] });

  beforeAll(async () => {
    backend = await startBackend();
    app = await startCallback();
    await addClient(backend, { redirectUris: [app.url], scope: 'verify profile email' });
    await addClient(backend, {
      id: 'own',
      name: 'Our App',
      redirectUris: [app.url],
      firstParty: true,
    });
  });

  beforeEach(async () => {
    app.arrived.length = 0;
    page = await open();
  });

  afterAll(async () => {
    await app?.close();
    await backend?.stop();
  });

  const ask = (changes: Record<string, string> = {}) =>
    `${backend.url}${askFor({ redirect_uri: app.url, ...changes })}`;

  async function signIn(login: string, password = login, on = page) {
    await on.getByLabel('User name').fill(login);
    await on.getByLabel('Password').fill(password);
    await on.getByRole('button', { name: 'Sign in', exact: true }).click();
  }

  const backInTheApp = (on = page) =>
    on.getByRole('heading', { name: 'Back in the app' }).waitFor();

  test('test1 signs in and allows: the code arrives at the app', async () => {
    await page.goto(ask());
    await signIn('test1');
    await page.getByRole('heading', { name: 'Allow The Shop?' }).waitFor();
    await page.getByRole('button', { name: 'Allow' }).click();
    await backInTheApp();
    expect(app.arrived).toEqual([
      { code: expect.stringMatching(/^[\w-]{43}$/), iss: backend.url, state: 'af0ifjsldkj' },
    ]);
    secret(app.arrived[0]?.['code'] ?? '');
  });

  test('test1 denies: the app is told', async () => {
    await page.goto(ask());
    await signIn('test1');
    await page.getByRole('button', { name: 'Deny' }).click();
    await backInTheApp();
    expect(app.arrived).toEqual([
      {
        error: 'access_denied',
        error_description: 'The user has denied it.',
        iss: backend.url,
        state: 'af0ifjsldkj',
      },
    ]);
  });

  test('test4 is suspended: the same words as for a wrong password, and the login is kept', async () => {
    await page.goto(ask());
    foresee(/status of 403/);
    for (const password of ['test4', 'wrong']) {
      await signIn('test4', password);
      await page.getByRole('alert').waitFor();
      expect(await page.getByRole('alert').textContent()).toBe(
        'The user name or the password is wrong.',
      );
      expect(await page.title()).toBe('Error: Sign in to The Shop');
      expect(await page.getByLabel('User name').inputValue()).toBe('test4');
      expect(await page.getByLabel('Password').inputValue()).toBe('');
    }
    await signIn('test1');
    await page.getByRole('heading', { name: 'Allow The Shop?' }).waitFor();
  });

  test('a preset signs in with one click, into our own app without a question', async () => {
    await page.goto(ask({ client_id: 'own' }));
    await page.getByRole('button', { name: 'Sign in as simon371' }).click();
    await backInTheApp();
    expect(app.arrived).toEqual([
      { code: expect.any(String), iss: backend.url, state: 'af0ifjsldkj' },
    ]);
  });

  test('the preset of the suspended one says so, and is refused', async () => {
    await page.goto(ask());
    foresee(/status of 403/);
    await page.getByRole('button', { name: 'Sign in as test4 suspended' }).click();
    await page.getByRole('alert').waitFor();
    expect(app.arrived).toEqual([]);
  });

  test('by keyboard alone', async () => {
    await page.goto(ask());
    // The page gives it the focus; what is typed before that goes nowhere.
    await page.getByLabel('User name').and(page.locator(':focus')).waitFor();
    await page.keyboard.type('test1');
    await page.keyboard.press('Tab');
    await page.keyboard.type('test1');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Allow The Shop?' }).waitFor();
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(`(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return [document.activeElement.textContent, outlineStyle, outlineWidth];
    })()`);
    expect(focused).toEqual(['Allow', 'solid', '3px']);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await backInTheApp();
    expect(app.arrived[0]?.['error']).toBe('access_denied');
  });

  test('without JavaScript', async () => {
    const on = await open({ javaScriptEnabled: false });
    await on.goto(ask());
    await signIn('test1', 'test1', on);
    await on.getByRole('button', { name: 'Allow' }).click();
    await backInTheApp(on);
    expect(app.arrived).toHaveLength(1);
  });

  test('two tabs, each of its own request, do not disturb each other', async () => {
    const other = await page.context().newPage();
    await page.goto(ask({ state: 'first' }));
    await other.goto(ask({ state: 'second' }));
    await signIn('test1');
    await page.getByRole('heading', { name: 'Allow The Shop?' }).waitFor();
    await signIn('test1', 'test1', other);
    await other.getByRole('button', { name: 'Allow' }).click();
    await backInTheApp(other);
    await page.getByRole('button', { name: 'Allow' }).click();
    await backInTheApp();
    expect(app.arrived.map(({ state }) => state)).toEqual(['second', 'first']);
  });

  test('another account: signed out, and back at the same request', async () => {
    await page.goto(ask());
    await signIn('test1');
    await page.getByRole('button', { name: 'Use another account' }).click();
    await page.getByRole('heading', { name: 'Sign in to The Shop' }).waitFor();
    await signIn('test2');
    await page.getByText('You are signed in as Test Two (test2).').waitFor();
    await page.getByRole('button', { name: 'Allow' }).click();
    await backInTheApp();
  });

  test('signing out', async () => {
    await page.goto(`${backend.url}/login`);
    await signIn('test1');
    await page.getByRole('heading', { name: 'You are signed in' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await page.goto(ask());
    await page.getByRole('heading', { name: 'Sign in to The Shop' }).waitFor();
  });

  test('a page of somebody else cannot frame it', async () => {
    await page.goto(new URL('/', app.url).href);
    foresee(/frame-ancestors/);
    const stopped = page.waitForEvent('console', (message) =>
      message.text().includes('frame-ancestors'),
    );
    await page.setContent(`<iframe src="${backend.url}/login"></iframe>`);
    await stopped;
    expect(await page.frameLocator('iframe').getByLabel('User name').count()).toBe(0);
  });

  test('a form planted in a page of ours could not send the password elsewhere', async () => {
    await page.goto(`${backend.url}/login`);
    await page.evaluate(`document.forms[0].setAttribute('action', ${JSON.stringify(app.url)})`);
    foresee(/form-action/);
    const stopped = page.waitForEvent('console', (message) =>
      message.text().includes('form-action'),
    );
    await page.evaluate('document.forms[0].submit()');
    await stopped;
    expect(app.arrived).toEqual([]);
  });

  // ── Connecting a device

  async function startDevice() {
    const userCode = secret(newUserCode());
    const deviceCode = secret(newToken());
    const now = Date.now();
    await backend.services.grants.startDevice({
      deviceCode,
      userCode,
      clientId: 'shop',
      scope: ['verify', 'profile'],
      interval: 5,
      expiresAt: new Date(now + 600_000),
    });
    return { userCode, deviceCode };
  }

  test('a device: the code, typed in small letters without the dash', async () => {
    const { userCode, deviceCode } = await startDevice();
    await page.goto(`${backend.url}/device`);
    await signIn('test1');
    foresee(/status of 400/);
    await page.getByLabel('Code').fill('bcdf ghjk');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Code').fill(userCode.toLowerCase().replace('-', ''));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Allow The Shop?' }).waitFor();
    await page.getByText(userCode).waitFor();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Your device is connected' }).waitFor();
    const found = await backend.services.grants.findDevice({ deviceCode });
    expect(found?.grant).toMatchObject({ uid: 1, clientId: 'shop', scope: ['verify', 'profile'] });
  });

  // ── Looks

  type Sight = { name: string; see: () => Promise<unknown> };
  const consent = async () => {
    await page.goto(ask({ scope: 'verify profile email' }));
    await signIn('test1');
    await page.getByRole('heading', { name: 'Allow The Shop?' }).waitFor();
  };
  const sights: Sight[] = [
    { name: 'sign-in', see: () => page.goto(ask()) },
    {
      name: 'sign-in-refused',
      see: async () => {
        await page.goto(ask());
        foresee(/status of 403/);
        await signIn('test1', 'wrong');
        await page.getByRole('alert').waitFor();
      },
    },
    { name: 'consent', see: consent },
    {
      name: 'signed-in',
      see: async () => {
        await page.goto(`${backend.url}/login`);
        await signIn('test1');
        await page.getByRole('heading', { name: 'You are signed in' }).waitFor();
      },
    },
    {
      name: 'signed-out',
      see: () => page.goto(`${backend.url}/login?signed_out=1`),
    },
    {
      name: 'device',
      see: async () => {
        await page.goto(`${backend.url}/device?user_code=BCDF-GHJK`);
        await signIn('test1');
        foresee(/status of 400/);
        await page.getByRole('button', { name: 'Continue' }).click();
        await page.getByRole('alert').waitFor();
      },
    },
    {
      name: 'device-consent',
      see: async () => {
        const { userCode } = await startDevice();
        await page.goto(`${backend.url}/device?user_code=${userCode}`);
        await signIn('test1');
        await page.getByRole('button', { name: 'Continue' }).click();
        await page.getByRole('heading', { name: 'Allow The Shop?' }).waitFor();
      },
    },
    {
      name: 'unknown-app',
      see: () => {
        foresee(/status of 400/);
        return page.goto(ask({ client_id: 'nobody' }));
      },
    },
  ];

  const themes = ['light', 'dark'] as const;
  const widths = [1280, 390, 320];

  test.each(sights.flatMap((sight) => themes.map((theme) => [sight.name, theme, sight] as const)))(
    '%s, %s: axe finds nothing, and nothing is wider than a phone',
    async (name, colorScheme, { see }) => {
      await page.emulateMedia({ colorScheme });
      await see();
      for (const width of widths) {
        await page.setViewportSize({ width, height: 800 });
        expect(await overflow(page)).toBe(0);
        await picture(page, `${name}-${colorScheme}-${width}`);
      }
      expect(await violations(page)).toEqual([]);
    },
  );
});
