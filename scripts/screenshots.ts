/**
 * npm run screenshots
 *
 * Takes the pictures of docs/screenshots anew: starts the server on a temporary database, plays a few flows so that the pages
 * have something to show, and looks at them with Chromium (CHROMIUM_PATH, else /usr/bin/chromium), light and dark. PORT: where
 * it listens meanwhile, 3000 unless told otherwise.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { projectRoot } from '../app/project-root.ts';
import { withPalette } from './screenshots/palette.ts';

const size = { width: 1280, height: 800 };

/** For one picture, in bytes: the README is to open at once. */
const largest = 120_000;

const folder = join(projectRoot, 'docs/screenshots');

type Server = { readonly url: string; readonly stop: () => Promise<void> };

/** As `npm start` does, but that it forgets everything. */
async function startServer(): Promise<Server> {
  const temporary = mkdtempSync(join(tmpdir(), 'partner-idp-kit-screenshots-'));
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', 'app/server.ts'], {
    cwd: projectRoot,
    env: {
      PATH: process.env['PATH'],
      TMPDIR: temporary,
      // It is in the pictures.
      PORT: process.env['PORT'] ?? '3000',
      DATABASE_URL: `file:${join(temporary, 'pictures.db')}`,
      SECRETS_FILE: join(temporary, 'secrets.env'),
      KEYS_FILE: join(temporary, 'keys.json'),
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(temporary, { recursive: true });
  };
  if (child.stdout) {
    for await (const line of createInterface(child.stdout)) {
      const url = /^listening on (\S+)$/.exec(line)?.[1];
      if (url) return { url, stop };
    }
  }
  await stop();
  throw new Error('The server did not start.');
}

type Picture = {
  readonly name: string;
  /** Leads to what is shown. */
  readonly open: (page: Page, url: string) => Promise<unknown>;
  /** In the eye of the page; the picture has the usual size. Where there is more to show side by side. */
  readonly width?: number;
};

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** Somebody’s flow, as a link of the console prepares it. */
async function play(page: Page, url: string, platform: string, user: string) {
  await page.goto(`${url}/console/flows/${platform}`);
  await page.locator(`button[name="user"][value="${user}"]`).click();
  await page.locator('#run').waitFor();
}

const pictures: readonly Picture[] = [
  { name: 'landing', open: (page, url) => page.goto(url) },
  { name: 'flow', open: (page, url) => play(page, url, 'authlete', 'test1') },
  {
    name: 'matrix',
    width: 1440,
    async open(page, url) {
      await page.goto(`${url}/console/matrix`);
      await page.getByText('Asked at').waitFor();
    },
  },
  {
    name: 'log',
    width: 1600,
    async open(page, url) {
      for (const [platform, user] of [
        ['connectycube', 'simon371'],
        ['pango', 'vpn-user'],
        ['authlete', 'test4'],
        ['connectycube', 'test4'],
        ['pango', 'test1'],
      ] as const) {
        await play(page, url, platform, user);
      }
      await page.goto(`${url}/console/log`);
      await page.locator('#live[data-state="on"]').waitFor();
      await page.locator('#rows a').first().click();
      await page.getByRole('complementary', { name: 'The call' }).locator('pre').first().waitFor();
    },
  },
  { name: 'users', open: (page, url) => page.goto(`${url}/console/users`) },
  {
    name: 'suite',
    async open(page, url) {
      await page.goto(`${url}/console/suite`);
      await button(page, 'Run').click();
      await page.locator('#report').waitFor({ timeout: 180_000 });
      await page.locator('[data-platform="aurora"] summary').click();
    },
  },
  {
    name: 'docs',
    async open(page, url) {
      await page.goto(`${url}/docs`);
      await page.locator('.opblock').first().waitFor();
    },
  },
];

async function take(
  { name, open, width = size.width }: Picture,
  context: BrowserContext,
  url: string,
) {
  const page = await context.newPage();
  const scale = width / size.width;
  await page.setViewportSize({ width, height: size.height * scale });
  await open(page, url);
  await page.mouse.move(0, 0);
  await page.locator('.toast').first().waitFor({ state: 'detached' });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate('document.fonts.ready');
    const file = `${name}-${colorScheme}.png`;
    const taken = await page.screenshot({ animations: 'disabled', caret: 'hide', scale: 'device' });
    const picture = withPalette(taken);
    if (picture.length > largest) {
      throw new Error(`${file} has ${picture.length} bytes; ${largest} are allowed`);
    }
    writeFileSync(join(folder, file), picture);
    process.stdout.write(`${file} ${picture.length}\n`);
  }
  await page.close();
}

const server = await startServer();
try {
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--force-color-profile=srgb',
      '--disable-lcd-text',
    ],
  });
  try {
    mkdirSync(folder, { recursive: true });
    for (const picture of pictures) {
      const context = await browser.newContext({
        locale: 'en-GB',
        timezoneId: 'UTC',
        reducedMotion: 'reduce',
        deviceScaleFactor: size.width / (picture.width ?? size.width),
      });
      context.setDefaultTimeout(60_000);
      await take(picture, context, server.url);
      await context.close();
    }
  } finally {
    await browser.close();
  }
} finally {
  await server.stop();
}
