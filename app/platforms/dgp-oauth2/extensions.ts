/** Telling the operator's extensions who came and went. */
import type { Services } from '../platform.ts';
import { inTime, usualPatience } from './in-time.ts';
import type { Hook, NamedExtension } from './modules.ts';
import type { UserInfo } from './profile.ts';

/** Calls this hook of every extension that has it, all at once. Their errors are reported, and change nothing. */
export async function tell(
  extensions: readonly NamedExtension[],
  hook: Hook,
  user_info: UserInfo,
  reportFault: Services['reportFault'],
  patience = usualPatience,
): Promise<void> {
  const calls = extensions.map(async ({ name, extension }) => {
    try {
      await inTime(extension[hook]?.(user_info), name, patience);
    } catch (error) {
      reportFault(error, `${hook} of ${name}`);
    }
  });
  await Promise.all(calls);
}
