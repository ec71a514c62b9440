import { rmSync } from 'node:fs';
import { leaks } from './canaries.ts';

export default function tearDown() {
  const path = process.env['TEST_CANARIES'] as string;
  const found = leaks(path);
  if (found.length > 0) {
    throw new Error(`A secret was logged in ${found.length} lines, the first:\n${found[0]}`);
  }
  rmSync(path, { recursive: true });
}
