/** .env.example is made from the declarations, complete, and works as it stands. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { houseSettings, readConfig } from '../app/config.ts';
import { platforms } from '../app/platforms/index.ts';
import { projectRoot } from '../app/project-root.ts';
import { envExample } from '../scripts/env-example.ts';

const text = readFileSync(join(projectRoot, '.env.example'), 'utf8');
const example = parseEnv(text);
const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-env-'));
const SECRETS_FILE = join(folder, 'secrets.env');

afterAll(() => rmSync(folder, { recursive: true }));

test('is what npm run env-example makes', () => {
  expect(text).toBe(envExample());
});

test('has every variable of the house and of each platform, once, and no other', () => {
  const declared = [houseSettings, ...platforms.map(({ settings }) => settings)].flatMap(
    ({ shape }) => Object.keys(shape),
  );
  const written = [...text.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);

  expect(written).toEqual(declared);
  expect(new Set(written).size).toBe(written.length);
});

test('has a comment above every variable', () => {
  const lines = text.split('\n');
  const bare = lines.filter(
    (line, at) => /^[A-Z_]+=/.test(line) && !/^# \S/.test(lines[at - 1] ?? ''),
  );

  expect(bare).toEqual([]);
});

test('works as it stands, and differs from the defaults in FIRST_PARTY_LOGIN only', () => {
  const usual = readConfig({ SECRETS_FILE }, platforms);
  const configured = readConfig({ ...example, SECRETS_FILE }, platforms);

  expect(configured.FIRST_PARTY_LOGIN).toBe(true);
  expect(configured).toEqual({ ...usual, FIRST_PARTY_LOGIN: true });
});

test('has no secret in it', () => {
  expect(example['AUTHLETE_API_KEY']).toBe('');
  expect(example['AUTHLETE_API_SECRET']).toBe('');
});
