import { isObject } from '../../scenarios/json.ts';
import type { ConnectCard } from '../platform.ts';

type Settings = { readonly EXTERNAL_ADDRESS: string };

/** https://pypi.org/project/dgp-oauth2/ */
export const connect = ({ EXTERNAL_ADDRESS }: Settings, baseUrl: string): ConnectCard => {
  const address = EXTERNAL_ADDRESS || baseUrl;
  return {
    places: [
      {
        where: 'The Apps and services that speak to a dgp-oauth2 server',
        values: [
          {
            label: 'Address of the auth server',
            value: address,
            note: 'They add /auth/… themselves.',
          },
          {
            label: 'Public key of the permission tokens',
            value: `${address}/auth/public-key`,
            note: 'PEM. After a new key, services must fetch it again.',
          },
        ],
      },
      {
        where: 'This server’s settings',
        values: [
          {
            label: 'EXTERNAL_ADDRESS',
            value: address,
            note: 'Only needed where the world finds /auth elsewhere than at BASE_URL; the same host.',
          },
          {
            label: 'DGP_NEXT_ORIGINS',
            value: 'https://<your App>',
            note: 'The origin of every App that users come back to.',
          },
          {
            label: 'DGP_CORS_ORIGINS',
            value: 'https://<your App>',
            note: 'The origin of every App that calls from a browser.',
          },
          {
            label: 'ALLOWED_SERVICES',
            value: '<service>:roles',
            note: 'Services that may be asked for.',
          },
        ],
      },
      {
        where: 'Google’s console: Credentials, your OAuth client, Authorized redirect URIs',
        values: [
          { label: 'For Apps', value: `${address}/auth/oauth_callback` },
          { label: 'For the sign-in page', value: `${baseUrl}/login/google/callback` },
        ],
      },
      {
        where: 'GitHub: Developer settings, your OAuth App',
        values: [
          {
            label: 'Authorization callback URL',
            value: `${address}/`,
            note: 'There is one: GitHub goes to what is beneath it, /auth/oauth_callback for Apps and /login/github/callback for the sign-in page.',
          },
        ],
      },
    ],
    notes: [
      'Google and GitHub give you a client id and a secret in return: GOOGLE_KEY and GOOGLE_SECRET, GITHUB_KEY and GITHUB_SECRET.',
      'Nothing is shared with services but the public key: they never ask again.',
    ],
    resolve: (answer) => {
      const of = (name: string) => (isObject(answer) ? answer[name] : undefined);
      const profile = of('profile');
      return [
        { name: 'authenticated', from: 'authenticated', found: of('authenticated') },
        {
          name: 'profile',
          from: 'profile.id',
          found: isObject(profile) ? profile['id'] : undefined,
        },
      ];
    },
  };
};
