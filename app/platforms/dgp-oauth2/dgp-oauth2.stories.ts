import type { Flow } from '../../scenarios/exchange.ts';
import { personOf, type Stage, type Story } from '../../scenarios/story.ts';
import { createDgpOauth2, type DgpOauth2Settings } from './dgp-oauth2.simulator.ts';

const readme = 'README of dgp-oauth2, https://pypi.org/project/dgp-oauth2/';

const begin = ({ backend, options, ...stage }: Stage, settings: DgpOauth2Settings = {}) =>
  createDgpOauth2(backend, { ...stage.settings, ...settings }, options);

/** The service that is asked for: another backend allows other ones than ours. */
const serviceOf = ({ settings }: Stage) => String(settings['service'] ?? 'storage-service');

/** Ids, and what a service lets somebody do, are as they are at the backend: only ours is held to them. */
const withoutDetails = (outcome: string) =>
  outcome.replace(/ \([^()]*\);/, ';').replace(/: may .*/, ': may …');

/** Checks that the App is signed in as this person, and what the service then says. */
function checkSignedIn(stage: Stage, what: string, { outcome }: Flow, login: string, said: string) {
  const person = personOf(stage, login);
  const signedIn = `the App is signed in as ${person.name}`;
  if (stage.own) stage.check(what, outcome, `${signedIn} (${person.uid}); ${said}`);
  else stage.check(what, withoutDetails(outcome), withoutDetails(`${signedIn}; ${said}`));
}

/** Who asked whom, in order; but for the pages that the browser came by, which every backend has of its own. */
const course = ({ exchanges }: Flow) =>
  exchanges
    .filter(({ from, to }) => from !== 'Browser' || to === 'App')
    .map(({ from, to, request }) => {
      const { pathname } = new URL(request.url);
      return `${from} → ${to}: ${request.method} ${pathname}`;
    });

/** The client token that came back to the App. */
const tokenIn = ({ exchanges }: Flow) =>
  /jwt=(.*)/.exec(exchanges.find(({ to }) => to === 'App')?.request.url ?? '')?.[1] ?? '';

export const stories: readonly Story[] = [
  {
    id: 'dgp-oauth2-story-01',
    title: 'a whole sign-in, from the command line to the service',
    requirement:
      'When the authentication flow is finished, the caller is redirected to next with jwt; services validate the permission token with the public key.',
    mark: 'documented',
    source: readme,
    needs: [],
    mutating: true,
    async play(stage) {
      const { check, show } = stage;
      const app = begin(stage);
      const simon = personOf(stage, 'simon371');
      const said = `${serviceOf(stage)}: may do nothing`;
      const first = show(await app.play(simon));
      check('who asks whom', course(first), [
        'App → Backend: GET /auth/check',
        'Browser → App: GET /',
        'App → Backend: GET /auth/check',
        'App → Backend: GET /auth/authorize',
        'App → Service: GET /service',
        'Service → Backend: GET /auth/public-key',
      ]);
      checkSignedIn(stage, 'what it comes to', first, 'simon371', said);

      const again = show(await app.play({ login: 'simon371', token: tokenIn(first) }));
      checkSignedIn(stage, 'with the token, later', again, 'simon371', said);
      check('and the service has its key', course(again), [
        'App → Backend: GET /auth/check',
        'App → Backend: GET /auth/authorize',
        'App → Service: GET /service',
      ]);
    },
  },
  {
    id: 'dgp-oauth2-story-02',
    title: 'roles are permissions at the service',
    requirement: 'A permission token has the permissions that the provider of the service gives.',
    mark: 'documented',
    source: `${readme}; ALLOWED_SERVICES=storage-service:roles`,
    needs: ['jwt.kari.nordmann@example.com'],
    async play(stage) {
      const login = 'kari.nordmann@example.com';
      const token = String(stage.bindings[`jwt.${login}`]);
      const use = async (service: string) =>
        stage.show(await begin(stage, { service }).play({ login, token }));
      const service = serviceOf(stage);
      const allowed = await use(service);
      const may = `${service}: may editor, read`;
      checkSignedIn(stage, 'a service that is allowed', allowed, login, may);
      // The original signs for services that nobody knows.
      if (stage.own) {
        const other = await use('another-service');
        const not = 'another-service gives this user no permission';
        checkSignedIn(stage, 'one that is not', other, login, not);
      }
    },
  },
  {
    id: 'dgp-oauth2-story-03',
    title: 'a suspended user, in the browser and with a token from before',
    requirement: 'Who is suspended is not signed in, whatever he holds.',
    mark: 'our choice',
    source: 'the vendor knows no suspended users',
    needs: ['jwt.test4', 'jwt.in-suspended-group'],
    async play(stage) {
      const { bindings, check, show } = stage;
      const app = begin(stage);
      check(
        'in the browser',
        show(await app.play(personOf(stage, 'test4'))).outcome,
        'the App is not signed in: the sign-in page lets nobody in',
      );
      for (const login of ['test4', 'in-suspended-group']) {
        const token = String(bindings[`jwt.${login}`]);
        check(
          `${login} with a token`,
          show(await app.play({ login, token })).outcome,
          'the App is not signed in: the token is not good',
        );
      }
    },
  },
  {
    id: 'dgp-oauth2-story-04',
    title: 'a logout ends this token, and no other',
    requirement: 'POST /auth/logout revokes the client token.',
    mark: 'our choice',
    source: 'the original has no such route, and its users ask for one',
    needs: [],
    mutating: true,
    async play(stage) {
      const { check, show } = stage;
      const app = begin(stage);
      const simon = personOf(stage, 'simon371');
      const [here, there] = [show(await app.play(simon)), show(await app.play(simon))];
      const later = async (flow: Flow) =>
        show(await app.play({ login: 'simon371', token: tokenIn(flow) })).accepted;

      check('logout', show(await app.logOut(tokenIn(here))).outcome, 'the App is signed out');
      check('the token is over', await later(here), false);
      check('the other is not', await later(there), true);
    },
  },
  {
    id: 'dgp-oauth2-story-05',
    title: 'an App at an address that is not listed gets nobody back',
    requirement: 'next must be of a listed origin.',
    mark: 'our choice',
    source: 'https://github.com/dataspot/dgp-oauth2 redirects anywhere, with a token',
    needs: [],
    async play(stage) {
      const { check, show } = stage;
      const app = begin(stage, { next: 'https://evil.example/' });
      const flow = show(await app.play(personOf(stage, 'simon371')));
      check('nothing comes to the App', course(flow), ['App → Backend: GET /auth/check']);
      check('the browser is shown one page', flow.exchanges.length, 2);
      check(
        'what it comes to',
        flow.outcome,
        'the App is not signed in: the sign-in page lets nobody in',
      );
    },
  },
];
