/**
 * Pango (Aura, AnchorFree) auth plugin. Legacy: Pango tells new integrations to use Pango Auth instead.
 *
 *   GET /GetUserInfo?oauth_token=…
 *   200 {"result":"OK","user":{"uid":690109944}}
 *   200 {"result":"Not found"}
 *
 * https://pango.gitbook.io/paas/console-details/project-settings/user-authentification-methods/auth-plugin-requirements
 *
 * Where the vendor is silent, we chose:
 * - Method and place of the token are not documented: GET query, POST form, POST JSON and `Authorization: Bearer` are read.
 *   `access_token` and `token` are taken as other names of the parameter. More than one token in a request is refused.
 * - The path and the parameter's name can be set, as the vendor says that the method's "name can be changed".
 * - A refusal is HTTP 200, as the vendor's own API answers business errors, and the same bytes whatever the reason.
 * - Further user information beside `uid` is allowed, but off unless PANGO_USER_DETAILS is true; the names are those of the
 *   vendor's User page.
 */
import { z } from 'zod';
import { json } from '../../http/answer.ts';
import type { User } from '../../verification/verdict.ts';
import { onlyToken, path, platform, textPlace, verification } from '../platform.ts';
import { connect } from './pango.connect.ts';
import { scenarios } from './pango.scenarios.ts';
import { pangoSimulator } from './pango.simulator.ts';
import { stories } from './pango.stories.ts';

const settings = z.object({
  PANGO_PATH: path('/GetUserInfo').describe('Path of GetUserInfo; its name can be changed.'),
  PANGO_TOKEN_PARAMETER: z
    .string()
    .regex(/^[\w.-]+$/, 'must be a parameter name: letters, digits, dot, dash, underscore')
    .default('oauth_token')
    .describe('Name of the parameter that carries the token; access_token and token are read too.'),
  PANGO_NOT_FOUND_TEXT: z
    .string()
    .refine((text) => text !== 'OK', 'must not be OK, which means success')
    .default('Not found')
    .describe('What `result` says when the token is refused. Anything but OK.'),
  PANGO_USER_DETAILS: z
    .stringbool()
    .default(false)
    .describe('true: send extref, description, country, traffic, license and status beside uid.'),
});

const request = (names: readonly string[]) =>
  z.object({
    parameters: z.object(
      Object.fromEntries(names.map((name) => [name, textPlace('The token; one name of it.')])),
    ),
    bearer: z.string().optional(),
  });

const accepted = z.object({
  result: z.literal('OK'),
  user: z.object({
    uid: z.int(),
    extref: z.unknown().optional().describe('From here on: only with PANGO_USER_DETAILS.'),
    description: z.unknown().optional(),
    country: z.unknown().optional(),
    traffic: z.unknown().optional(),
    license: z.unknown().optional(),
    status: z.unknown().optional(),
  }),
});

/** As on the vendor's User page; what the user's profile says goes before what we can tell ourselves. */
const details = ({ uid, name, profile }: User) => ({
  extref: profile['extref'] ?? String(uid),
  description: profile['description'] ?? name,
  country: profile['country'],
  traffic: profile['traffic'],
  license: profile['license'],
  status: profile['status'],
});

export const pango = platform({
  id: 'pango',
  title: 'Pango',
  docs: 'https://pango.gitbook.io/paas/console-details/project-settings/user-authentification-methods/auth-plugin-requirements',
  settings,
  scenarios,
  simulator: pangoSimulator,
  stories,
  connect,
  endpoints: (
    { PANGO_PATH, PANGO_TOKEN_PARAMETER, PANGO_NOT_FOUND_TEXT, PANGO_USER_DETAILS },
    services,
  ) => {
    const names = [...new Set([PANGO_TOKEN_PARAMETER, 'oauth_token', 'access_token', 'token'])];
    const notFound = json(200, { result: PANGO_NOT_FOUND_TEXT });
    return [
      verification(services, {
        path: PANGO_PATH,
        methods: ['GET', 'POST'],
        accepts: 'any',
        request: request(names),
        credential: ({ parameters, bearer }) =>
          onlyToken([...names.map((name) => parameters[name]), bearer], 'verify'),
        reference: {
          summary: 'GetUserInfo',
          text: 'One token in one place. A refusal is HTTP 200, too: Pango looks at `result`.',
          security: [{}, { bearer: [] }, { oauth2: ['verify'] }],
          answers: {
            200: {
              text: 'The user, or that the token is refused.',
              body: z.union([accepted, z.object({ result: z.literal(PANGO_NOT_FOUND_TEXT) })]),
            },
          },
        },
        accept: (user) =>
          json(200, {
            result: 'OK',
            user: PANGO_USER_DETAILS ? { uid: user.uid, ...details(user) } : { uid: user.uid },
          }),
        refuse: () => notFound,
        badRequest: ({ status, error }) => json(status, { result: error }),
      }),
    ];
  },
});
