/**
 * Authlete developer authentication callback, and its end-user twin. Authlete 2.x; deprecated in 3.0.
 *
 *   POST /
 *   Authorization: Basic base64(<API key>:<API secret>)
 *   Content-Type: application/json
 *   {"serviceApiKey":21653835348762,"id":"test1","password":"test1","expiresIn":0}
 *
 *   200 {"authenticated":true,"subject":"dev01","displayName":"Developer Group 01"}
 *   200 {"authenticated":false}
 *
 * https://www.authlete.com/documents/definitive_guide/developer_authentication_callback
 * https://www.authlete.com/documents/definitive_guide/authentication_callback — the twin
 * https://kb.authlete.com/en/s/deployment/a/multiple-developer-accounts — test1 to test4
 *
 * Where the vendor is silent, we chose:
 * - One answer for wrong password, unknown id, suspended user, suspended group and a service that is not allowed; the
 *   password is compared in every one of them, so that the time tells nothing either.
 * - `sns` set: refused before anything is looked up. SNS login is deprecated, and with it `password` means nothing.
 * - The body must be a JSON object: 400. Another Content-Type: 415.
 * - `Content-Length` is the true one (the vendor's page prints 70 and 24 beside bodies of 77 and 23 bytes).
 * - The twin answers only claims we know, asked for by name; a language tag (`name#ja`) is dropped, we have one language.
 */
import { z } from 'zod';
import { json } from '../../http/answer.ts';
import type { Caller } from '../../http/endpoint.ts';
import type { Credential, Origin, Refusal, User } from '../../verification/verdict.ts';
import { path, platform, secret, textPlace, verification } from '../platform.ts';
import { connect } from './authlete.connect.ts';
import { scenarios } from './authlete.scenarios.ts';
import { authleteSimulator } from './authlete.simulator.ts';
import { stories } from './authlete.stories.ts';

const settings = z.object({
  AUTHLETE_API_KEY: secret()
    .regex(/^[^:]+$/, 'must not contain a colon (RFC 7617)')
    .describe('API key that Authlete sends (Developer Authentication Callback API Key).'),
  AUTHLETE_API_SECRET: secret().describe(
    'API secret that Authlete sends (Developer Authentication Callback API Secret).',
  ),
  AUTHLETE_CALLBACK_PATH: path('/').describe('Path of the developer authentication callback.'),
  AUTHLETE_AUTHENTICATION_PATH: path('/authlete/authentication').describe(
    'Path of the end-user twin, the Authentication Callback.',
  ),
  AUTHLETE_SERVICE_API_KEYS: z
    .string()
    .default('')
    .transform((list) => list.split(',').flatMap((key) => key.trim() || []))
    .refine(
      (keys) => keys.every((key) => /^\d+$/.test(key)),
      'must be numbers, separated by commas',
    )
    .describe('Service API keys that may use this backend, separated by commas. Empty: any.'),
});

/** A Java long in the vendor's DTO: an integer of up to 19 digits, never rounded. */
const serviceApiKey = z
  .union([z.int(), z.bigint(), z.string()])
  .nullish()
  .describe('The service that asks.');

const login = z.looseObject({
  serviceApiKey,
  id: textPlace('The login.'),
  password: textPlace('The password.'),
  sns: z
    .unknown()
    .optional()
    .meta({ type: ['string', 'null'], description: 'Refused when set.' }),
});
const developerRequest = z.object({ body: login });
const endUserRequest = z.object({
  body: login.extend({
    claims: z.array(z.string()).nullish().describe('Names of the claims to be told.'),
  }),
});

const denied = z.object({ authenticated: z.literal(false) });

const answers = (accepted: z.ZodType) => ({
  200: { text: 'The user, or that he is refused.', body: z.union([accepted, denied]) },
  400: {
    text: 'The body is not a JSON object as Authlete sends it.',
    body: z.object({ error: z.string(), request_id: z.string().optional() }),
  },
});

function credential(
  { body: { id, password, sns } }: z.output<typeof developerRequest>,
  from: Origin,
): Credential | Refusal {
  if (sns !== undefined && sns !== null) return 'unsupported-credential';
  if (typeof id !== 'string' || id === '' || typeof password !== 'string') return 'no-credential';
  return { kind: 'password', login: id, password, from };
}

/** The claims asked for that we know of the user (OpenID Connect Core §5.1), by their plain names. */
function claimsOf(
  { name, login: preferred_username, email, profile }: User,
  asked: readonly string[],
) {
  const known: Record<string, unknown> = { ...profile, name, preferred_username, email };
  const names = new Set(asked.map((claim) => claim.split('#', 1)[0] ?? claim));
  return Object.fromEntries(
    [...names].flatMap((claim) =>
      Object.hasOwn(known, claim) && known[claim] !== undefined ? [[claim, known[claim]]] : [],
    ),
  );
}

export const authlete = platform({
  id: 'authlete',
  title: 'Authlete',
  docs: 'https://www.authlete.com/documents/definitive_guide/developer_authentication_callback',
  settings,
  scenarios,
  simulator: authleteSimulator,
  stories,
  connect,
  endpoints: (configured, services) => {
    const caller: Caller = {
      realm: 'authlete',
      key: configured.AUTHLETE_API_KEY,
      secret: configured.AUTHLETE_API_SECRET,
    };

    /** Whether the service that asks may be served at all, and this group by it. */
    const serviceObjection = (
      { group }: User,
      { body }: z.output<typeof developerRequest>,
    ): Refusal | undefined => {
      const service = String(body.serviceApiKey ?? '');
      const lists = [configured.AUTHLETE_SERVICE_API_KEYS, group?.services ?? []];
      const allowed = lists.every((list) => list.length === 0 || list.includes(service));
      return allowed ? undefined : 'service-not-allowed';
    };

    const refuse = (because: Refusal) =>
      because === 'malformed'
        ? json(400, { error: 'The body must be a JSON object as Authlete sends it.' })
        : json(200, { authenticated: false });

    const callback = { methods: ['POST'], accepts: 'json', caller, credential, refuse } as const;

    return [
      verification(services, {
        ...callback,
        path: configured.AUTHLETE_CALLBACK_PATH,
        request: developerRequest,
        reference: {
          summary: 'Developer authentication callback',
          answers: answers(
            z.object({
              authenticated: z.literal(true),
              subject: z.string().describe("The group's: its members share the services."),
              displayName: z.string(),
            }),
          ),
        },
        objection: (user, request) => (user.group ? serviceObjection(user, request) : 'no-group'),
        accept: ({ group }) =>
          json(200, {
            authenticated: true,
            subject: group?.subject,
            displayName: group?.displayName,
          }),
      }),
      verification(services, {
        ...callback,
        path: configured.AUTHLETE_AUTHENTICATION_PATH,
        request: endUserRequest,
        reference: {
          summary: 'Authentication callback: the end user',
          answers: answers(
            z.object({
              authenticated: z.literal(true),
              subject: z.string().describe('Our uid.'),
              claims: z.string().describe('JSON of the claims that were asked for.'),
            }),
          ),
        },
        objection: serviceObjection,
        accept: (user, { body }) =>
          json(200, {
            authenticated: true,
            subject: String(user.uid),
            claims: JSON.stringify(claimsOf(user, body.claims ?? [])),
          }),
      }),
    ];
  },
});
