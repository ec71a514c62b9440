import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeKeys } from './keys.ts';

export default async function setUp() {
  process.env['TEST_CANARIES'] = mkdtempSync(join(tmpdir(), 'partner-idp-kit-canaries-'));
  await makeKeys();
}
