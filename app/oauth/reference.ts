/** What the routes of the authorization server read and answer. They parse by hand; tests hold this to what they do. */
import { z } from 'zod';
import type { Described, DescribedAnswer, Reference } from '../http/endpoint.ts';
import { grantTypes } from './grants.ts';
import { pagePaths } from './pages.ts';
import { paths } from './router.ts';
import { everyScope } from './scopes.ts';

const text = z.string();
const scope = text.optional().describe(`Names with spaces between them: ${everyScope.join(', ')}.`);
const resource = text.optional().describe('Where alone the token is to be good (RFC 8707).');

/** Unless they stand in `Authorization: Basic`. */
const client = {
  client_id: text.optional(),
  client_secret: text.optional(),
};

const oauthError = z.object({ error: text, error_description: text });

const refused = {
  400: { text: 'Refused, in the words of RFC 6749 §5.2.', body: oauthError },
  401: { text: 'The client is not who it says.', body: oauthError },
  413: { text: 'The form is too large.', body: oauthError },
};

/** A route that a client calls with a form. */
const forClients = (
  path: Described['path'],
  summary: string,
  shape: z.ZodRawShape,
  answer: DescribedAnswer,
  rest: Pick<Reference, 'text'> = {},
): Described => ({
  path,
  methods: ['POST'],
  accepts: 'form',
  reference: {
    summary,
    ...rest,
    request: z.object({ parameters: z.object({ ...client, ...shape }) }),
    security: [{ client: [] }, {}],
    answers: { 200: answer, ...refused },
  },
});

const token = z.object({
  access_token: text,
  token_type: z.literal('Bearer'),
  expires_in: z.int().describe('Seconds.'),
  scope: text,
  refresh_token: text.optional(),
});

const introspection = z.union([
  z.object({ active: z.literal(false) }),
  z.object({
    active: z.literal(true),
    scope: text,
    client_id: text,
    username: text.optional().describe('The login; a token of a client has none.'),
    sub: text.describe("The uid; for a client's token, its id."),
    token_type: z.literal('Bearer'),
    exp: z.int(),
    iat: z.int(),
    iss: text,
    aud: text.optional(),
  }),
]);

export const oauthReference: readonly Described[] = [
  {
    path: paths.authorize,
    methods: ['GET'],
    reference: {
      summary: 'Authorization request (RFC 6749 §4.1.1)',
      text: 'For browsers. PKCE with S256 is demanded of every client but old ones with a secret.',
      request: z.object({
        parameters: z.object({
          response_type: z.literal('code'),
          client_id: text,
          redirect_uri: text.optional().describe('Exactly as registered.'),
          scope,
          state: text.optional(),
          code_challenge: text.optional().describe('43 characters, base64url (RFC 7636 §4.2).'),
          code_challenge_method: z.literal('S256').optional(),
          response_mode: z.literal('query').optional(),
          resource,
        }),
      }),
      answers: {
        200: { text: 'The page to sign in, or to consent.', type: 'text/html' },
        303: { text: 'To the redirect URI, with `code`, or with `error`; with `iss` and `state`.' },
        400: { text: 'Unknown client or redirect URI.', type: 'text/html' },
      },
    },
  },
  forClients(
    paths.token,
    'Tokens (RFC 6749 §3.2)',
    {
      grant_type: z.enum(grantTypes),
      code: text.optional().describe('authorization_code'),
      redirect_uri: text.optional().describe('authorization_code: as it was asked with.'),
      code_verifier: text.optional().describe('authorization_code: RFC 7636 §4.1.'),
      refresh_token: text.optional().describe('refresh_token: good once.'),
      device_code: text.optional().describe('device_code'),
      scope,
      resource,
    },
    { text: 'Tokens.', body: token },
  ),
  forClients(
    paths.introspect,
    'What is this token? (RFC 7662)',
    { token: text },
    { text: 'What it is; of one that is not good, nothing else.', body: introspection },
    { text: 'For resource servers: clients that have a secret.' },
  ),
  forClients(
    paths.revoke,
    'Revoke a token (RFC 7009)',
    { token: text, token_type_hint: text.optional().describe('Not needed.') },
    { text: 'Revoked, or not there.', body: z.object({}) },
  ),
  forClients(
    paths.deviceAuthorization,
    'Begin a sign-in on a device without a browser (RFC 8628 §3.1)',
    { scope },
    {
      text: 'The code for the user to type, and the one to ask with.',
      body: z.object({
        device_code: text,
        user_code: text,
        verification_uri: text,
        verification_uri_complete: text,
        expires_in: z.int().describe('Seconds.'),
        interval: z.int().describe('Seconds between two questions at the token endpoint.'),
      }),
    },
  ),
  {
    path: paths.metadata,
    methods: ['GET'],
    reference: {
      summary: 'Where all this is (RFC 8414)',
      answers: { 200: { text: 'Metadata.', body: z.looseObject({ issuer: text }) } },
    },
  },
  {
    path: paths.jwks,
    methods: ['GET'],
    reference: {
      summary: 'Our public keys (RFC 7517)',
      answers: {
        200: {
          text: 'Those that are in use, and those that were.',
          body: z.object({ keys: z.array(z.looseObject({ kty: text, kid: text })) }),
        },
      },
    },
  },
];

/** Forms are ours alone: each carries a secret of the session, and is sent from our own page. */
const page = (
  path: Described['path'],
  method: 'GET' | 'POST',
  summary: string,
  answers: Reference['answers'] = { 200: { text: 'The page.', type: 'text/html' } },
): Described => ({ path, methods: [method], accepts: 'form', reference: { summary, answers } });

const html = (text: string): DescribedAnswer => ({ text, type: 'text/html' });

const sent: Reference['answers'] = {
  303: { text: 'On to where it leads.' },
  403: html('The page was out of date, or the answer is no.'),
  415: html('It is no form.'),
};

/** @param upstreams where else people can sign in */
export const pagesReference = (
  upstreams: readonly { readonly id: string; readonly title: string }[],
): readonly Described[] => [
  page(pagePaths.login, 'GET', 'Sign in'),
  page(pagePaths.login, 'POST', 'Sign in: the form', { ...sent, 429: html('Too many attempts.') }),
  page(pagePaths.logout, 'POST', 'Sign out: the form', sent),
  page(paths.authorize, 'POST', 'Consent: the form', { ...sent, 400: html('Unknown client.') }),
  page(paths.device, 'GET', 'Type the code of a device'),
  page(paths.device, 'POST', 'Type the code of a device: the form', {
    200: html('Whether to connect it; or that it is.'),
    400: html('The code is wrong.'),
    ...sent,
    429: html('Too many wrong codes.'),
  }),
  ...upstreams.flatMap(({ id, title }) => [
    page(`/login/${id}`, 'GET', `Sign in with ${title}`, { 303: { text: `To ${title}.` } }),
    page(`/login/${id}/callback`, 'GET', `Back from ${title}`, {
      303: { text: 'Signed in: on.' },
      400: html('This browser has begun no sign-in.'),
      403: html('Cancelled, or refused.'),
      502: html('No usable answer.'),
    }),
  ]),
];
