import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default function setUp() {
  process.env['TEST_CANARIES'] = mkdtempSync(join(tmpdir(), 'partner-idp-kit-canaries-'));
}
