/** Keys to sign with that all backends under test share: making one takes a while. */
import { join } from 'node:path';
import { generateKey } from '../../app/oauth/keys.ts';
import { secret } from './canaries.ts';

const folder = () => process.env['TEST_CANARIES'] as string;

/** In the folder of this run, which goes when all tests are through. */
export const keysFile = (): string => join(folder(), 'keys.json');

/** Once, before all tests. */
export async function makeKeys(): Promise<void> {
  const key = await generateKey(keysFile(), new Date());
  if (!key) throw new Error('the folder of this run is not new');
  for (const member of [key.d, key.p, key.q, key.dp, key.dq, key.qi]) secret(member);
}
