/**
 * ConnectyCube Custom Identity Provider (CIdP). QuickBlox has the same feature.
 *
 *   GET /user/verify?token=…
 *   200 {"user":{"id":2345,"login":"simon371","full_name":"Simon Davis","fill_name":"Simon Davis","email":"…"},
 *        "uid":2345,"login":"simon371","email":"…"}
 *   422 {"error":"User token is invalid"}
 *
 * https://developers.connectycube.com/guides/custom-identity-provider
 *
 * Where the vendor is silent, or says two things, we chose:
 * - Nested `user` (the guide) and flat `uid`, `login`, `email` (the starter kit) in one answer: both mappings resolve.
 * - `fill_name` is the guide's misspelling of `full_name`; both are sent, so that a dashboard set up by the letter works.
 * - 422 for every refusal, as in the starter kit. ConnectyCube passes the text of `error` on to the app's user.
 * - The dashboard can be set to POST, with headers of its own: a form, a JSON body, `Authorization: Bearer` and `IdP-Token`
 *   are read as well. More than one token in a request is refused.
 * - The older guide's `?user_id=…&access_token=…`: the token must belong to that user.
 */
import { z } from 'zod';
import { json } from '../../http/answer.ts';
import { onlyToken, platform, textPlace, verification } from '../platform.ts';
import { connect } from './connectycube.connect.ts';
import { scenarios } from './connectycube.scenarios.ts';
import { connectycubeSimulator } from './connectycube.simulator.ts';
import { stories } from './connectycube.stories.ts';

const request = z.object({
  parameters: z.object({
    token: textPlace('The token that the app gave to ConnectyCube.'),
    access_token: textPlace('The same, as the older guide calls it.'),
    user_id: z
      .union([z.string(), z.int(), z.bigint()])
      .optional()
      .describe('Two-value form: the user whom the token must belong to.'),
  }),
  headers: z.object({
    'idp-token': z.string().optional().describe('The token, where the dashboard sends headers.'),
  }),
  bearer: z.string().optional(),
});

const accepted = z.object({
  user: z.object({
    id: z.int(),
    login: z.string(),
    full_name: z.string(),
    fill_name: z.string().describe('full_name again, as the guide misspells it.'),
    email: z.string().optional(),
  }),
  uid: z.int(),
  login: z.string(),
  email: z.string().optional(),
});

export const connectycube = platform({
  id: 'connectycube',
  title: 'ConnectyCube',
  docs: 'https://developers.connectycube.com/guides/custom-identity-provider',
  settings: z.object({}),
  scenarios,
  simulator: connectycubeSimulator,
  stories,
  connect,
  endpoints: (_settings, services) => [
    verification(services, {
      path: '/user/verify',
      methods: ['GET', 'POST'],
      accepts: 'any',
      request,
      reference: {
        summary: 'Whose token is this?',
        text: 'One token in one place. A mapping in the dashboard can take `user.id` or `uid`: both are there.',
        security: [{}, { bearer: [] }, { oauth2: ['verify'] }],
        answers: {
          200: { text: 'The token is good: the user.', body: accepted },
          422: {
            text: 'Every refusal. ConnectyCube shows `error` to the user of the app.',
            body: z.object({ error: z.string() }),
          },
        },
      },
      credential: ({ parameters, headers, bearer }) =>
        onlyToken(
          [parameters.token, parameters.access_token, headers['idp-token'], bearer],
          'verify',
        ),
      objection: ({ uid }, { parameters: { user_id } }) =>
        user_id !== undefined && String(user_id) !== String(uid) ? 'another-user' : undefined,
      accept: ({ uid, login, name, email }) =>
        json(200, {
          user: { id: uid, login, full_name: name, fill_name: name, email },
          uid,
          login,
          email,
        }),
      refuse: () => json(422, { error: 'User token is invalid' }),
    }),
  ],
});
