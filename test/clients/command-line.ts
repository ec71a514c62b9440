/**
 * Signs in from a command line, as datahub-client does: asks where, has a browser open that address, and waits on a port of its
 * own for the browser to come back.
 *
 *   https://github.com/datopian/datahub-client, lib/login.js
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

type Check = {
  readonly authenticated: boolean;
  readonly providers?: Readonly<Record<string, { readonly url: string }>>;
  readonly profile?: Readonly<Record<string, unknown>>;
};

/** The original sends what it has, an empty or undefined token too, and does not encode. */
const check = async (api: string, token: string, port: number): Promise<Check> => {
  const response = await fetch(`${api}/auth/check?jwt=${token}&next=http://localhost:${port}`);
  return (await response.json()) as Check;
};

export type SignedIn = { readonly token: string; readonly profile: Check['profile'] };

/** @param open what opens an address in the browser of who sits here */
export async function login(
  api: string,
  provider: string,
  open: (url: string) => Promise<void>,
): Promise<SignedIn> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening));
  const { port } = server.address() as AddressInfo;
  const arrived = new Promise<string>((resolve) => {
    server.on('request', (request, response) => {
      response.end('Thank you for logging in. You can now close this window.');
      if (request.url?.match(/\?jwt=/)) resolve(request.url);
    });
  });
  try {
    const { providers } = await check(api, '', port);
    await open(String(providers?.[provider]?.url));
    // Everything behind it, to the end: there must be nothing more.
    const token = (await arrived).match(/jwt=(.*)/)?.[1] ?? '';
    return { token, profile: (await check(api, token, port)).profile };
  } finally {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
}
