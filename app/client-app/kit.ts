/** The app as this kit mounts it, next to the authorization server that it signs in at. Not for your own copy of the folder. */
import { join } from 'node:path';
import { Router } from 'express';
import type { Config } from '../config.ts';
import { everyScope } from '../oauth/scopes.ts';
import { projectRoot } from '../project-root.ts';
import { ensureClient } from '../store/clients.ts';
import type { Database } from '../store/database.ts';
import { createClientApp } from './client-app.ts';

export const customerAppId = 'customer-app';

/** What the app is registered as. */
export const customerApp = (issuer: string) => ({
  id: customerAppId,
  name: 'Customer App',
  scope: everyScope,
  redirectUris: [`${issuer}/app/callback`],
  grantTypes: ['authorization_code', 'refresh_token'] as const,
  firstParty: true,
});

type Settings = Config['platforms'][number]['settings'];

/** What platforms do with the token, by their ids. */
const calls: Readonly<Record<string, (issuer: string, settings: Settings) => string>> = {
  pango: (issuer, { PANGO_PATH, PANGO_TOKEN_PARAMETER }) =>
    `curl -s "${issuer}${PANGO_PATH}?${PANGO_TOKEN_PARAMETER}=$TOKEN"`,
  connectycube: (issuer) => `curl -s "${issuer}/user/verify?token=$TOKEN"`,
};

const commandsOf = ({ platforms }: Config, issuer: string) => [
  ...platforms.flatMap(({ platform: { id, title }, settings }) => {
    const command = calls[id]?.(issuer, settings);
    return command === undefined ? [] : [{ title, command }];
  }),
  {
    title: 'Your own app',
    command: `curl -s -H "Authorization: Bearer $TOKEN" ${issuer}/openid/userinfo`,
  },
];

/** `/app`, registered as a client before its first answer. In production nobody has this demo. */
export function clientAppRouter(config: Config, issuer: string, database: Database): Router {
  const router = Router({ caseSensitive: true });
  if (config.production) return router;

  let registered: Promise<void> | undefined;
  router.use('/app', async (_request, _response, next) => {
    registered ??= ensureClient(database, customerApp(issuer));
    try {
      await registered;
    } catch (error) {
      // The database was away: the next request tries again.
      registered = undefined;
      throw error;
    }
    next();
  });
  router.use(
    '/app',
    createClientApp({
      issuer,
      clientId: customerApp(issuer).id,
      callbackUrl: `${issuer}/app/callback`,
      commands: commandsOf(config, issuer),
      views: join(projectRoot, 'app/client-app/views'),
    }),
  );
  return router;
}
