import { isObject } from '../../scenarios/json.ts';
import type { ConnectCard } from '../platform.ts';

const scope = 'email userid-feide profile openid';

/** To be written over. Without a character that a shell or YAML would take for more than text. */
const redirectUri = 'https://aurora.example.org/feide.cgi';

const fields = {
  emailfield: ['user', 'email'],
  namefield: ['user', 'name'],
  userfield: ['user', 'userid_sec'],
} as const;

/** What stands there, key by key. */
const at = (keys: readonly string[], answer: unknown): unknown =>
  keys.reduce((place: unknown, key) => (isObject(place) ? place[key] : undefined), answer);

/** https://github.com/janfrodej/Aurora, server/lib/Authenticator/OAuthAccessToken.pm and the CGI's feide.yaml */
export const connect = (
  { AURORA_PATH }: { readonly AURORA_PATH: string },
  baseUrl: string,
): ConnectCard => {
  const { host, pathname } = new URL(`${baseUrl}${AURORA_PATH}`);
  const beneath = new URL(baseUrl).pathname.replace(/\/$/, '');
  const setting = (name: string) => `system.auth.oauthaccesstoken.${name}`;
  return {
    places: [
      {
        where: 'Here, in a terminal: registers AURORA, and prints its secret once',
        values: [
          {
            label: 'Command',
            value: `npm run admin -- client create --id aurora --name AURORA --confidential --no-pkce --grant-type authorization_code --redirect-uri ${redirectUri} --scope '${scope}'`,
            note: 'With AURORA’s own host.',
          },
        ],
      },
      {
        where: 'AURORA’s settings file',
        values: [
          {
            label: setting('audience'),
            value: 'aurora',
            note: 'The client id that its tokens are issued to.',
          },
          {
            label: setting('host'),
            value: host,
            note: 'Always asked by https, with a certificate that AURORA trusts.',
          },
          { label: setting('endpoint'), value: pathname, note: 'AURORA_PATH' },
          ...Object.entries(fields).map(([name, keys]) => ({
            label: setting(name),
            value: JSON.stringify(keys),
          })),
          { label: setting('createuser'), value: '1', note: 'If AURORA may make accounts.' },
          { label: 'system.auth.methods', value: 'OAuthAccessToken', note: 'Must be in its list.' },
        ],
      },
      {
        where: 'The CGI’s settings file, feide.yaml',
        values: [
          { label: 'oauth.clientid', value: 'aurora' },
          { label: 'oauth.clientsecret', value: '<as the command above printed it>' },
          { label: 'oauth.site', value: new URL(baseUrl).origin },
          { label: 'oauth.authorizepath', value: `${beneath}/oauth/authorize` },
          { label: 'oauth.tokenpath', value: `${beneath}/oauth/token` },
          { label: 'oauth.scope', value: scope },
          {
            label: 'oauth.redirecturi',
            value: redirectUri,
            note: 'With AURORA’s own host; to the letter as registered.',
          },
        ],
      },
    ],
    notes: [
      'Set AURORA_USERID_DOMAIN before the first user signs in, and never change it: AURORA knows people by it.',
      'A check from here brings a token of the demo app: the audience is demo-app then.',
      'npm run admin -- check aurora lists the accounts that AURORA would refuse, such as those without an e-mail address.',
    ],
    resolve: (answer) => [
      { name: 'audience', from: 'audience', found: at(['audience'], answer) },
      ...Object.entries(fields).map(([name, keys]) => ({
        name,
        from: JSON.stringify(keys),
        found: at(keys, answer),
      })),
    ],
  };
};
