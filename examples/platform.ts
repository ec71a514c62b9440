/**
 * Acme Chat, a platform that does not exist. A folder of its own under app/platforms would hold this file, its table of
 * scenarios and its README. See docs/add-a-platform.md.
 *
 *   POST /acme/session
 *   {"session":"…"}
 *   200 {"ok":true,"id":"2345","nick":"Simon Davis"}
 *   200 {"ok":false}
 *
 * Where the vendor is silent, we chose: one answer for every refusal.
 */
import { z } from 'zod';
import { json } from '../app/http/answer.ts';
import { onlyToken, path, platform, verification } from '../app/platforms/platform.ts';
import { tokenOf, tokens } from '../app/scenarios/cast.ts';
import { post, rule, type Scenario } from '../app/scenarios/scenario.ts';

const settings = z.object({
  ACME_PATH: path('/acme/session').describe('Path that Acme Chat calls.'),
});

const source = 'https://example.com/acme-chat';

const scenarios: readonly Scenario[] = [
  ...rule('A good session is answered with the id, as a string.', 'documented', source, {
    id: 'acme-01',
    title: 'the token of an active user',
    send: post('/acme/session', { json: { session: tokenOf('simon371') } }),
    expect: { status: 200, text: '{"ok":true,"id":"2345","nick":"Simon Davis"}' },
  }),
  ...rule('Every refusal is the same.', 'our choice', source, {
    id: 'acme-02',
    title: 'a token that was never issued',
    because: 'unknown',
    send: post('/acme/session', { json: { session: tokens.neverIssued } }),
    expect: { status: 200, text: '{"ok":false}' },
  }),
];

export const acme = platform({
  id: 'acme',
  title: 'Acme Chat',
  docs: 'https://example.com/acme-chat',
  settings,
  scenarios,
  endpoints: ({ ACME_PATH }, services) => [
    verification(services, {
      path: ACME_PATH,
      methods: ['POST'],
      accepts: 'json',
      request: z.object({ parameters: z.object({ session: z.unknown() }) }),
      credential: ({ parameters }) => onlyToken([parameters.session], 'verify'),
      accept: ({ uid, name }) => json(200, { ok: true, id: String(uid), nick: name }),
      refuse: () => json(200, { ok: false }),
    }),
  ],
});
