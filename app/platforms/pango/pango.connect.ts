import { isObject } from '../../scenarios/json.ts';
import type { ConnectCard } from '../platform.ts';

type Settings = { readonly PANGO_PATH: string; readonly PANGO_TOKEN_PARAMETER: string };

/** https://pango.gitbook.io/paas/console-details/project-settings/user-authentification-methods/auth-plugin-requirements */
export const connect = (
  { PANGO_PATH, PANGO_TOKEN_PARAMETER }: Settings,
  baseUrl: string,
): ConnectCard => ({
  places: [
    {
      where: 'To Pango, who make the plugin for your project',
      values: [
        { label: 'URL of GetUserInfo', value: `${baseUrl}${PANGO_PATH}`, note: 'PANGO_PATH' },
        {
          label: 'Parameter with the token',
          value: PANGO_TOKEN_PARAMETER,
          note: 'PANGO_TOKEN_PARAMETER. In a query, a form, JSON, or Authorization: Bearer.',
        },
        { label: 'Method', value: 'GET', note: 'POST works as well.' },
      ],
    },
    {
      where: 'Your app, when it logs in to Pango',
      values: [
        { label: 'auth_method', value: '<name of your plugin>', note: 'Pango tells you.' },
        {
          label: 'access_token',
          value: '<the token of your user>',
          note: 'With the scope verify.',
        },
      ],
    },
  ],
  notes: [
    'Legacy: Pango tells new integrations to use Pango Auth, and supports the plugin for existing partners only.',
    'There is no dashboard field and no secret for it: Pango enters these values for you.',
  ],
  resolve: (answer) => {
    const user = isObject(answer) ? answer['user'] : undefined;
    return [
      { name: 'result', from: 'result', found: isObject(answer) ? answer['result'] : undefined },
      { name: 'user', from: 'user.uid', found: isObject(user) ? user['uid'] : undefined },
    ];
  },
});
