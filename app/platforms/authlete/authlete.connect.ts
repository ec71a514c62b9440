import { isObject } from '../../scenarios/json.ts';
import type { ConnectCard } from '../platform.ts';

type Settings = {
  readonly AUTHLETE_CALLBACK_PATH: string;
  readonly AUTHLETE_AUTHENTICATION_PATH: string;
};

/** https://kb.authlete.com/en/s/deployment/a/multiple-developer-accounts — Authlete service settings */
export const connect = (
  { AUTHLETE_CALLBACK_PATH, AUTHLETE_AUTHENTICATION_PATH }: Settings,
  baseUrl: string,
): ConnectCard => ({
  places: [
    {
      where: 'Service Owner Console: Edit of your service, tab Developer Authentication',
      values: [
        {
          label: 'Developer Authentication Callback Endpoint',
          value: `${baseUrl}${AUTHLETE_CALLBACK_PATH}`,
          note: 'AUTHLETE_CALLBACK_PATH',
        },
        { label: 'Developer Authentication Callback API Key', secret: 'AUTHLETE_API_KEY' },
        { label: 'Developer Authentication Callback API Secret', secret: 'AUTHLETE_API_SECRET' },
      ],
    },
    {
      where: 'The same, tab User Authentication: only if end users sign in through Authlete',
      values: [
        {
          label: 'Authentication Callback Endpoint',
          value: `${baseUrl}${AUTHLETE_AUTHENTICATION_PATH}`,
          note: 'AUTHLETE_AUTHENTICATION_PATH',
        },
        { label: 'Authentication Callback API Key', secret: 'AUTHLETE_API_KEY' },
        { label: 'Authentication Callback API Secret', secret: 'AUTHLETE_API_SECRET' },
      ],
    },
  ],
  notes: [
    'Authlete 2.x. It is deprecated in 3.0.',
    'Leave everything about SNS empty: with it the password means nothing, and it is refused here.',
    'Authlete knows developers by their group: a user without one is refused.',
  ],
  resolve: (answer) =>
    ['authenticated', 'subject', 'displayName'].map((name) => ({
      name,
      from: name,
      found: isObject(answer) ? answer[name] : undefined,
    })),
});
