import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { localProvider } from './oauth/browser-sign-in.ts';
import { createClientTokens } from './oauth/client-tokens.ts';
import type { Services as PlatformServices } from './platforms/platform.ts';
import type { Services } from './services.ts';
import { accountOf } from './store/accounts.ts';
import { createClientTokenStore } from './store/client-tokens.ts';
import { foldedLogins } from './store/login.ts';
import { rolesOf } from './store/roles.ts';
import { createUsernames } from './store/usernames.ts';

/** What the platforms may ask of the house, wired. */
export function platformServices(
  config: Config,
  issuer: string,
  { database, keys, now, users, verify }: Services,
  log: Pick<Logger, 'error'>,
): PlatformServices {
  return {
    verify,
    users,
    issuer,
    now,
    production: config.production,
    providers: [
      { id: localProvider, title: 'this backend' },
      ...config.upstreams.map(({ id, title }) => ({ id, title })),
    ],
    sign: keys.sign,
    publicKey: keys.publicKey,
    clientTokens: createClientTokens(
      { issuer, secret: config.CLIENT_TOKEN_SECRET },
      createClientTokenStore(database, now),
      users,
      now,
    ),
    usernames: createUsernames(database, foldedLogins(config.CONSOLE_ADMINS)),
    accountOf: (uid) => accountOf(database, uid),
    rolesOf: (uid) => rolesOf(database, uid),
    reportFault: (error, doing) => log.error({ err: error, doing }, 'fault'),
  };
}
