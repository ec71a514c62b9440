/** Our own backend, played as if it were somebody else's: the tables hold there, too, whatever else is configured. */
import { groups, people, understudies, understudyGroups } from '../../app/scenarios/cast.ts';
import {
  fieldsOf,
  groupVariable,
  personVariable,
  variableFor,
} from '../../app/scenarios/fixture.ts';
import { needsOf } from '../../app/scenarios/selection.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { startProvider } from '../support/provider.ts';
import { bindings } from '../support/tokens.ts';
import { entries, foreign, idsOf, play } from './playing.ts';

let backend: Backend;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const provider = await startProvider();
  stops.push(provider.stop);
  backend = await startBackend(provider.google());
  stops.push(backend.stop);
});

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** What its tester would write down: everybody plays himself, and the form with two values is read, too. */
async function fixtureText(): Promise<string> {
  const needed = new Set(entries.flatMap(needsOf));
  const values = [
    ...[...people, ...understudies].flatMap((person) =>
      Object.entries(fieldsOf(person)).map(([field, value]) => [
        personVariable(person.login, field),
        value,
      ]),
    ),
    ...[...groups, ...understudyGroups].flatMap(({ subject, displayName }) => [
      [groupVariable(subject, 'subject'), subject],
      [groupVariable(subject, 'displayName'), displayName],
    ]),
    ...Object.entries(await bindings(backend))
      .filter(([name]) => needed.has(name))
      .map(([name, value]) => [variableFor(name), value]),
    ['SCENARIO_DGP_OAUTH2_SERVICE', 'storage-service'],
    ['SCENARIO_AURORA_DASHBOARD', '{"audience":"demo-app"}'],
    ['SCENARIO_CONNECTYCUBE_PARAMETERS', 'user_id=user_id'],
  ];
  return values.map(([name, value]) => `${name}='${value}'`).join('\n');
}

test('every row and every story passes, with Google beside our own sign-in', async () => {
  const text = await fixtureText();
  const run = await play(foreign(backend.url, text));
  const post = `SCENARIO_CONNECTYCUBE_DASHBOARD='{"method":"POST"}'`;
  const byPost = await play(foreign(backend.url, `${text}\n${post}`), {
    platforms: ['connectycube'],
  });

  expect([...idsOf(run, 'failed'), ...idsOf(byPost, 'failed')]).toEqual([]);
  const passed = [...idsOf(run, 'passed'), ...idsOf(byPost, 'passed')];
  expect(entries.map(({ played }) => played.id).filter((id) => !passed.includes(id))).toEqual([
    // It asks no backend.
    'aurora-story-08',
  ]);
  expect([...run.warnings, ...byPost.warnings]).toEqual([]);
});

test('what dgp-oauth2 permits is not asked before a service is named', async () => {
  const text = (await fixtureText()).replace(/^SCENARIO_DGP_OAUTH2_SERVICE=.*$/m, '');
  const ids = ['dgp-oauth2-01', 'dgp-oauth2-27', 'dgp-oauth2-33', 'dgp-oauth2-story-01'];
  const run = await play(foreign(backend.url, text), { ids });

  expect(run.results.map(({ id, status, reason }) => [id, status, reason])).toEqual([
    ['dgp-oauth2-01', 'passed', undefined],
    ['dgp-oauth2-27', 'skipped', 'needs SCENARIO_DGP_OAUTH2_SERVICE'],
    ['dgp-oauth2-33', 'skipped', 'needs SCENARIO_DGP_OAUTH2_SERVICE'],
    ['dgp-oauth2-story-01', 'skipped', 'needs SCENARIO_DGP_OAUTH2_SERVICE'],
  ]);
});
