import type { ConnectCard } from '../platform.ts';
import { requestParams, resolved, responseParams } from './connectycube.simulator.ts';

/** https://developers.connectycube.com/guides/custom-identity-provider */
export const connect = (_settings: object, baseUrl: string): ConnectCard => ({
  places: [
    {
      where: 'ConnectyCube’s dashboard: your app, Overview, Custom Identity Provider',
      values: [
        { label: 'API URL', value: `${baseUrl}/user/verify` },
        { label: 'Method', value: 'GET', note: 'POST works as well.' },
        { label: 'Request headers', value: '{}' },
        {
          label: 'Request params',
          value: JSON.stringify(requestParams),
          note: 'ConnectyCube fills in #{login}, #{password} and #{email}, and no other.',
        },
        {
          label: 'Response params',
          value: JSON.stringify(responseParams),
          note: 'At least uid: without it every login fails with “uid is required”.',
        },
        {
          label: 'Allow reuse ConnectyCube user',
          value: 'off',
          note: 'On merges accounts with an equal login. Only for an app that has users made in the ordinary way.',
        },
      ],
    },
    {
      where: 'Your app, when it calls POST /login of ConnectyCube',
      values: [
        { label: 'login', value: '<the token of your user>', note: 'With the scope verify.' },
        { label: 'password', value: 'any', note: 'Whatever it is, but not blank.' },
      ],
    },
  ],
  notes: [
    'There is no key or secret between ConnectyCube and you: the token is all that is checked.',
    'ConnectyCube shows your “error” text to the app’s user. Why it was refused stands in the log here only.',
  ],
  resolve: (answer) =>
    Object.entries(responseParams).map(([name, from]) => ({
      name,
      from,
      found: resolved(from, answer),
    })),
});
