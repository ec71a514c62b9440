/** Clients of dgp-oauth2, written as theirs are, against this backend. */
import { createDirectory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { describeInBrowser, launch } from '../support/browser.ts';
import { secret } from '../support/canaries.ts';
import { pass } from '../support/oauth.ts';
import { type Provider, startProvider } from '../support/provider.ts';
import { signInThrough } from '../support/sign-in.ts';
import { type Seen, visitor } from '../support/visitor.ts';
import { login } from './command-line.ts';
import { startService } from './service.ts';
import { singlePageApp } from './single-page-app.ts';

const app = 'https://app.example.com';

let provider: Provider;
let backend: Backend;

beforeAll(async () => {
  provider = await startProvider();
  backend = await startBackend({
    ...provider.google(),
    DGP_NEXT_ORIGINS: `${app}, http://localhost:*`,
    DGP_CORS_ORIGINS: app,
  });
  const { database, passwords } = backend.services;
  await createDirectory(database, passwords, 'test').addUserRole('test1', 'storage-service:read');
});

afterAll(async () => {
  await backend.stop();
  await provider.stop();
});

const pathOf = (url: string) => url.slice(backend.url.length);

/** What an address with a token in it is remembered by. */
function arrivedAt({ location }: Seen): string {
  secret(new URL(String(location)).searchParams.get('jwt') ?? '');
  return String(location);
}

/** A browser on this desk in which somebody signs in, and which then goes on to where it is sent. */
const openedBy = (user: string) => async (url: string) => {
  const seen = await signInThrough(visitor(backend), pathOf(url), user);
  await (await fetch(arrivedAt(seen))).text();
};

const authorize = async (jwt: string, service: string) => {
  const response = await fetch(`${backend.url}/auth/authorize?service=${service}&jwt=${jwt}`);
  const { token } = (await response.json()) as { token?: string };
  return secret(String(token));
};

describe('a command line', () => {
  test('gets the token that the browser brings, and knows who it is', async () => {
    const { token, profile } = await login(backend.url, 'local', openedBy('simon371'));

    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(profile).toMatchObject({ id: '2345', name: 'Simon Davis' });
  });

  test('at Google, too', async () => {
    const facts = { sub: '1', name: 'Ada', email: 'ada@example.org', email_verified: true };
    const { profile } = await login(backend.url, 'google', async (url) => {
      const who = visitor(backend);
      const begun = await who.get(pathOf(url));
      const seen = await who.get(provider.approve(begun.location, { '/userinfo': facts }));
      await (await fetch(arrivedAt(seen))).text();
    });

    expect(profile).toMatchObject({ provider_id: 'google:1', email: 'ada@example.org' });
  });
});

describeInBrowser('a command line, with Chromium on the desk', () => {
  test('gets the token: our form may lead to it', async () => {
    const browser = await launch();
    try {
      const { profile } = await login(backend.url, 'local', async (url) => {
        const page = await browser.newPage();
        await page.goto(url);
        await page.getByLabel('User name').fill('test2');
        await page.getByLabel('Password').fill('test2');
        await page.getByRole('button', { name: 'Sign in', exact: true }).click();
        await page.getByText('Thank you for logging in.').waitFor();
        secret(new URL(page.url()).searchParams.get('jwt') ?? '');
      });
      expect(profile).toMatchObject({ id: '2' });
    } finally {
      await browser.close();
    }
  }, 60_000);
});

describe('a single-page App of another origin', () => {
  const facts = { sub: '2', name: 'Bea', email: 'bea@example.org', email_verified: true };

  async function signedIn(start: string) {
    const page = singlePageApp(backend.url, start);
    expect(await page.open(start)).toMatchObject({ authenticated: false });
    const who = visitor(backend);
    const begun = await who.get(pathOf(String(page.loginHref())));
    const back = arrivedAt(await who.get(provider.approve(begun.location, { '/userinfo': facts })));
    return { page, back, user: await page.open(back) };
  }

  test('signs in, keeps the token, and asks with it', async () => {
    const { page, back, user } = await signedIn(`${app}/list?page=2`);

    expect(back).toMatch(/^https:\/\/app\.example\.com\/list\?page=2&jwt=/);
    expect(user).toMatchObject({ authenticated: true, profile: { name: 'Bea' } });
    expect(page.location()).toBe(`${app}/list?page=2`);
    expect(await page.open(`${app}/other`)).toMatchObject({ authenticated: true });
    const { token, ...permitted } = await page.permission('storage-service');
    secret(String(token));
    expect(permitted).toMatchObject({ permissions: {}, service: 'storage-service' });
  });

  test('that forgets its token is told where to sign in again', async () => {
    const { page } = await signedIn(`${app}/`);

    expect(await page.logout()).toMatchObject({ authenticated: false });
    expect(page.loginHref()).toContain(`/auth/login?provider=google&next=`);
  });

  test('of an origin that is not listed may not read anything', async () => {
    const page = singlePageApp(backend.url, 'https://evil.example/');

    await expect(page.open('https://evil.example/')).rejects.toThrow('Failed to fetch');
  });
});

describe('a service that verifies permission tokens by itself', () => {
  let jwt: string;
  let token: string;
  let permitted: Awaited<ReturnType<typeof startService>>;

  beforeAll(async () => {
    ({ token: jwt } = await login(backend.url, 'local', openedBy('test1')));
    token = await authorize(jwt, 'storage-service');
    permitted = await startService(backend.url, 'storage-service');
  });

  test('knows who may do what', () => {
    expect(permitted(token, backend.clock.now)).toEqual({
      userid: '1',
      permissions: { read: true },
    });
  });

  test('takes none that is over, for another service, or changed', async () => {
    const [header, payload, signature] = token.split('.');
    const more = Buffer.from(
      Buffer.from(String(payload), 'base64url').toString().replace('read', 'root'),
    ).toString('base64url');
    const other = await startService(backend.url, 'another-service');

    expect(other(token, backend.clock.now)).toBeUndefined();
    expect(permitted(`${header}.${more}.${signature}`, backend.clock.now)).toBeUndefined();
    pass(backend, 600);
    expect(permitted(token, backend.clock.now)).toBeUndefined();
  });

  test('takes no client token', () => {
    expect(permitted(jwt, backend.clock.now)).toBeUndefined();
  });
});
