/**
 * POST /user/login — the simple call that the mobile app of a small customer makes. JSON or form:
 *
 *   {"login":"test1","password":"…","scope":"verify"}
 *   200 {"access_token":"…","token_type":"Bearer","expires_in":3600,"scope":"verify"}
 *   401 {"error":"invalid_grant","error_description":"The login or the password is wrong."}
 *
 * Only for the customer's own app, and off unless FIRST_PARTY_LOGIN=true. It is not the OAuth password grant. The token is
 * good for `verify` unless more is asked for. Unknown login, wrong password and suspension are one answer; after too many
 * of them it is 429 with Retry-After.
 */
import { z } from 'zod';
import { json } from '../http/answer.ts';
import type { Endpoint, Incoming } from '../http/endpoint.ts';
import { type Refusal, refused } from '../verification/verdict.ts';
import type { Verify } from '../verification/verify.ts';
import { everyScope, parseScope, scopes } from './scopes.ts';

/** The OAuth client that these tokens belong to. */
export const firstPartyClient = {
  id: 'first-party',
  name: 'First-party login',
  scope: everyScope,
};

export type IssueToken = (request: {
  clientId: string;
  uid: number;
  signInEpoch: number | undefined;
  scope: readonly string[];
  ttl: number;
  actor: string;
}) => Promise<{ token: string }>;

const request = z.object({
  parameters: z.object({
    login: z.string(),
    password: z.string(),
    scope: z
      .string()
      .optional()
      .catch(undefined)
      .describe(`Of ${everyScope.join(', ')}; without it, ${scopes.verify}.`),
  }),
});

const refusal = z.object({ error: z.string(), error_description: z.string() });

export const firstPartyLogin = (verify: Verify, issue: IssueToken, ttl: number): Endpoint => ({
  path: '/user/login',
  methods: ['POST'],
  accepts: 'any',
  reference: {
    summary: "A token for the customer's own app",
    text: 'Only with FIRST_PARTY_LOGIN=true.',
    request,
    answers: {
      200: {
        text: 'A token.',
        body: z.object({
          access_token: z.string(),
          token_type: z.literal('Bearer'),
          expires_in: z.int().describe('Seconds.'),
          scope: z.string(),
        }),
      },
      400: { text: 'Something is missing, or no scope of ours.', body: refusal },
      401: { text: 'The login or the password is wrong.', body: refusal },
      429: { text: 'Too many attempts: see `Retry-After`.', body: refusal },
    },
  },
  async answer(incoming: Incoming) {
    const error = (status: number, code: string, error_description: string, headers = {}) =>
      json(status, { error: code, error_description }, headers);
    const no = (because: Refusal) => ({
      ...error(401, 'invalid_grant', 'The login or the password is wrong.', {
        'WWW-Authenticate': 'Bearer realm="partner-idp-kit"',
      }),
      verdict: refused(because),
    });

    const asked = request.safeParse(incoming);
    if (!asked.success) {
      return error(400, 'invalid_request', 'Send login and password, each once.');
    }
    const { login, password, scope: wanted = scopes.verify } = asked.data.parameters;
    const scope = parseScope(wanted);
    if (scope.length === 0 || !scope.every((name) => everyScope.includes(name))) {
      return error(400, 'invalid_scope', `The scopes are ${everyScope.join(', ')}.`);
    }

    const from = { address: incoming.address, platform: false };
    const verdict = await verify({ kind: 'password', login, password, from });
    if (!verdict.accepted && verdict.because === 'too-many-attempts') {
      const headers = { 'Retry-After': String(verdict.retryAfter) };
      return {
        ...error(429, 'too_many_attempts', 'Too many attempts. Try again later.', headers),
        verdict,
      };
    }
    if (!verdict.accepted) return no(verdict.because);

    const { uid } = verdict.user;
    const { token } = await issue({
      clientId: firstPartyClient.id,
      uid,
      signInEpoch: verdict.signInEpoch,
      scope,
      ttl,
      actor: `uid:${uid}`,
    });
    const body = {
      access_token: token,
      token_type: 'Bearer',
      expires_in: ttl,
      scope: scope.join(' '),
    };
    return { ...json(200, body), verdict };
  },
});
