/**
 * Who may open the console. It shows what platforms and users sent, and can act on it.
 *
 * - CONSOLE_ENABLED=true: those in CONSOLE_ADMINS, from anywhere, signed in at /login. Nobody else, on this machine neither.
 * - Else, outside production and without TRUST_PROXY: anybody on this machine. That is four things at once: the connection comes
 *   from a loopback address; the browser addressed us by a loopback name (else any web page could, by DNS rebinding); it speaks
 *   HTTP/1.1 (nginx speaks 1.0); and no proxy said that it passed it on (a tunnel connects from loopback, too, with the world
 *   behind it). One that says nothing, and writes the Host anew, cannot be told from a browser: docs/console.md.
 * - Else nobody: there is no console at all, and its paths are 404 like any other.
 */
import type { IncomingMessage } from 'node:http';
import type { Config } from '../config.ts';
import { foldedLogins, loginKey } from '../store/login.ts';
import type { User } from '../verification/verdict.ts';

export type Rules = {
  /** Whether those on this machine need not sign in. */
  readonly local: boolean;
  /** Logins, as they are compared. */
  readonly admins: readonly string[];
};

/** Undefined: there is no console. */
export function consoleRules({
  production,
  CONSOLE_ENABLED,
  CONSOLE_ADMINS,
  TRUST_PROXY,
  withoutConsole,
}: Pick<
  Config,
  'production' | 'CONSOLE_ENABLED' | 'CONSOLE_ADMINS' | 'TRUST_PROXY' | 'withoutConsole'
>): Rules | undefined {
  if (withoutConsole) return undefined;
  if (CONSOLE_ENABLED) return { local: false, admins: foldedLogins(CONSOLE_ADMINS) };
  return production || TRUST_PROXY !== 0 ? undefined : { local: true, admins: [] };
}

const loopbackAddress = /^(127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/;
const loopbackName = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/** What proxies and tunnels add. */
const passedOn =
  /^(forwarded|via|cdn-loop|(true|fastly)-client-ip|x-(real|client|cluster-client|proxyuser)-ip|x-(forwarded|original|envoy|azure|arr|devtunnel)-.*|x-amzn-trace-id|(cf|fly|ngrok|tailscale)-.*)$/;

/** Whether the browser runs on this machine, as far as a server can tell. */
export const isLocal = ({
  socket,
  headers,
  httpVersion,
}: {
  readonly socket: Pick<IncomingMessage['socket'], 'remoteAddress'>;
  readonly headers: IncomingMessage['headers'];
  readonly httpVersion: string;
}): boolean =>
  loopbackAddress.test(socket.remoteAddress ?? '') &&
  loopbackName.test(headers.host ?? '') &&
  httpVersion === '1.1' &&
  !Object.keys(headers).some((name) => passedOn.test(name));

export type Access =
  | { readonly open: true; readonly user: User | undefined }
  | {
      readonly open: false;
      readonly because:
        | 'not-here'
        | 'signed-out'
        | 'not-an-admin'
        | 'public-password'
        | 'no-password';
      readonly user: User | undefined;
    };

/**
 * @param user who is signed in
 * @param publicLogins users with a password that stands in the documentation: they are nobody in particular
 * @param isOnlyKnownElsewhere whether another server alone says who he is: who runs that, would be admin here
 */
export async function access(
  { local, admins }: Rules,
  request: IncomingMessage,
  user: User | undefined,
  publicLogins: () => Promise<readonly string[]>,
  isOnlyKnownElsewhere: (user: Pick<User, 'uid'>) => Promise<boolean>,
): Promise<Access> {
  const no = (because: Extract<Access, { open: false }>['because']): Access => ({
    open: false,
    because,
    user,
  });
  if (local && isLocal(request)) return { open: true, user };
  if (admins.length === 0) return no('not-here');
  if (!user) return no('signed-out');
  if (!admins.includes(loginKey(user.login) ?? '')) return no('not-an-admin');
  if ((await publicLogins()).includes(user.login)) return no('public-password');
  if (await isOnlyKnownElsewhere(user)) return no('no-password');
  return { open: true, user };
}

/**
 * Whether a page of another site made the browser send this (Fetch Metadata; `Origin` where a browser has none). Not a
 * proof for those who are no browsers: for them there is the secret in the form.
 */
export function isFromElsewhere({ headers, method }: IncomingMessage, issuer: string): boolean {
  const site = headers['sec-fetch-site'];
  const navigated = headers['sec-fetch-mode'] === 'navigate' && method !== 'POST';
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !navigated) return true;
  const { origin, host } = headers;
  if (method !== 'POST' || origin === undefined) return false;
  return origin !== new URL(issuer).origin && !isOriginOf(origin, host);
}

const isOriginOf = (origin: string, host: string | undefined) =>
  origin === `http://${host}` || origin === `https://${host}`;
