import { type Config, houseSettings } from './config.ts';
import { people } from './scenarios/cast.ts';

/** The admin command that works on this server's files; a URL with a password in it is not repeated. */
function adminCommand({ DATABASE_URL, SECRETS_FILE }: Config): string {
  const { shape } = houseSettings;
  const unusual = {
    DATABASE_URL:
      DATABASE_URL.startsWith('file:') && DATABASE_URL !== shape.DATABASE_URL.parse(undefined),
    SECRETS_FILE: SECRETS_FILE !== shape.SECRETS_FILE.parse(undefined),
  };
  return [
    ...(unusual.DATABASE_URL ? [`DATABASE_URL='${DATABASE_URL}'`] : []),
    ...(unusual.SECRETS_FILE ? [`SECRETS_FILE='${SECRETS_FILE}'`] : []),
    'npm run -s admin --',
  ].join(' ');
}

/** A line to paste for each platform, of which the secret or token is asked for when it runs. */
function tryOut(config: Config, url: string): string[] {
  const admin = adminCommand(config);
  const lines: Readonly<Record<string, (settings: Record<string, unknown>) => string>> = {
    authlete: ({ AUTHLETE_CALLBACK_PATH }) =>
      `curl -s -u "$(${admin} caller authlete)" -H 'Content-Type: application/json' -d '{"serviceApiKey":1,"id":"test1","password":"test1","expiresIn":0}' ${url}${AUTHLETE_CALLBACK_PATH}`,
    aurora: ({ AURORA_PATH }) =>
      `curl -s -H "Authorization: Bearer $(${admin} token mint --user simon371)" ${url}${AURORA_PATH}`,
    connectycube: () => `curl -s "${url}/user/verify?token=$(${admin} token mint --user simon371)"`,
    'dgp-oauth2': () => `curl -s "${url}/auth/check?next=http://localhost:5000/"`,
    pango: ({ PANGO_PATH, PANGO_TOKEN_PARAMETER }) =>
      `curl -s "${url}${PANGO_PATH}?${PANGO_TOKEN_PARAMETER}=$(${admin} token mint --user vpn-user)"`,
  };
  return config.platforms.flatMap(({ platform, settings }) => lines[platform.id]?.(settings) ?? []);
}

/** What a new user needs to see on his terminal; nothing in production. */
export function welcome(config: Config, url: string): string {
  if (config.production) return '';
  const users = people.map(
    ({ login, uid, group, status }) =>
      `  ${login.padEnd(10)} uid ${String(uid).padEnd(10)} ${(group ?? '').padEnd(7)} ${status}`,
  );
  const loopback = /^(127\.|::1$|localhost$)/.test(config.HOST);
  const warning = loopback
    ? ''
    : `
WARNING: on ${config.HOST}, other machines can reach this server, and everybody knows the passwords of its users.
Where that is more than a demonstration, set NODE_ENV=production.
`;
  return `${warning}
partner-idp-kit: ${config.platforms.map(({ platform }) => platform.title).join(', ')}

Users of the seed (each one's password is the login):
${users.join('\n')}

Try it, from this folder:
${tryOut(config, url)
  .map((line) => `  ${line}`)
  .join('\n')}

See every flow in a browser: ${url}/console
An App of your own, to sign in: ${url}/app

`;
}
