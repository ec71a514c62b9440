/** What each address reads and answers. The endpoints are given nothing else of a request. */
import { z } from 'zod';
import type { Reference } from '../../http/endpoint.ts';
import { textPlace } from '../platform.ts';

/** What a request of an App is looked at for: a client token, and this. */
const asking = <Shape extends z.ZodRawShape>(parameters: Shape) =>
  z.object({
    headers: z.object({ 'auth-token': textPlace('The client token.') }),
    parameters: z.object({ jwt: textPlace('The client token.'), ...parameters }),
  });

/** What must have a client token. */
export type Asking = z.output<ReturnType<typeof asking<Record<never, never>>>>;

const username = textPlace('The name that the user chose, or chooses.');
const named = z.object({ parameters: z.object({ username }) });

const security = [{ authToken: [] }, { jwt: [] }] as const;

const nullable = z.string().nullable();

const user = z.object({
  id: z.string().describe('Our uid, as text.'),
  provider_id: z.string().describe('Where he came from first: `google:<his id there>`.'),
  name: z.string(),
  email: nullable,
  avatar_url: nullable,
  idhash: z.string().describe('32 hexadecimal digits, of the id.'),
  username: z.string().optional().describe('Only when he has chosen one.'),
  join_date: nullable.describe('ISO 8601.'),
});

const publicProfile = user
  .pick({ id: true, name: true, join_date: true, avatar_url: true })
  .extend({ gravatar: z.string().describe('32 hexadecimal digits that lead to no e-mail.') });

const json = (text: string, ...bodies: [z.ZodType, ...z.ZodType[]]) => ({
  200: { text, body: bodies.length === 1 ? bodies[0] : z.union(bodies) },
});

const page = (text: string) => ({ text, type: 'text/html' }) as const;

export const references = {
  check: {
    summary: 'Who is signed in?',
    request: asking({
      next: textPlace('Where the App wants its user back: of an origin in DGP_NEXT_ORIGINS.'),
    }),
    security: [{}, ...security],
    answers: json(
      'The user; or where he can sign in.',
      z.object({ authenticated: z.literal(true), profile: user }),
      z.object({
        authenticated: z.literal(false),
        providers: z.record(z.string(), z.object({ url: z.string() })),
      }),
    ),
  },
  authorize: {
    summary: 'What may the user do at this service?',
    text: '`token` is signed with the key of `/auth/public-key`, for the service to verify.',
    request: asking({ service: textPlace('One of ALLOWED_SERVICES.') }),
    security,
    answers: json(
      'His permissions; without a token when there are none.',
      z.object({
        token: z.string(),
        userid: z.string(),
        permissions: z.looseObject({}),
        service: z.string(),
      }),
      z.object({ permissions: z.strictObject({}) }),
    ),
  },
  update: {
    summary: 'Choose a name, once',
    request: asking({ username }),
    security,
    answers: json(
      'Whether it is done; else why not, in the words of the original.',
      z.object({ success: z.literal(true) }),
      z.object({ success: z.literal(false), error: z.string() }),
    ),
  },
  publicKey: {
    summary: 'The key that permission tokens are signed with',
    request: z.object({}),
    answers: { 200: { text: 'PEM (SPKI).', type: 'text/plain' } },
  },
  resolve: {
    summary: 'Whose name is this?',
    request: named,
    answers: json('His id, or null.', z.object({ userid: nullable })),
  },
  getProfile: {
    summary: 'What everybody may know of a user',
    request: named,
    answers: json(
      'His public profile, or null.',
      z.object({ found: z.boolean(), profile: publicProfile.nullable() }),
    ),
  },
  logout: {
    summary: 'Sign out: the client token is over',
    request: asking({}),
    security: [{}, ...security],
    answers: json('Always.', z.object({ success: z.literal(true) })),
  },
  login: {
    summary: 'Where a sign-in begins',
    text: 'For browsers: `check` has the address.',
    request: z.object({
      parameters: z.object({
        provider: textPlace('Where to sign in, as `check` names it.'),
        next: textPlace('Where to go from there, with `jwt` or `error` added.'),
      }),
    }),
    answers: {
      303: { text: 'To the sign-in.' },
      400: page('`next` is of no origin in DGP_NEXT_ORIGINS.'),
      404: page('There is no such provider.'),
    },
  },
  callback: {
    summary: 'Where it ends',
    text: 'For browsers that come back from signing in.',
    answers: {
      200: page('Signed in, and there was no `next`.'),
      302: { text: 'To `next`, with `jwt`, or with `error`.' },
      400: page('This browser has begun no sign-in.'),
      403: page('Cancelled, or refused.'),
      502: page('The provider gave no usable answer.'),
    },
  },
} as const satisfies Record<string, Reference>;

/** What an endpoint is given of a request. */
export type Asked<Name extends 'check' | 'authorize' | 'update' | 'resolve'> = z.output<
  (typeof references)[Name]['request']
>;
