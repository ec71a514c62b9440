/** The option `--target` of the commands that call a backend. */

/**
 * What is wrong with it. Not for Commander's hands, which would print the whole of what it refuses: a password, maybe.
 */
export function targetProblems(target: string): string[] {
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    return ['--target: must be an http or https URL, e.g. https://backend.example'];
  }
  // Others can read the arguments of a process.
  return url.username || url.password || url.search || url.hash
    ? ['--target: must be a URL without user, query or fragment']
    : [];
}

/** A good one, without the trailing slash. */
export const targetUrl = (target: string): string => new URL(target).href.replace(/\/+$/, '');
