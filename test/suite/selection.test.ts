/** Which rows are chosen, and what is said when none is; and the file of expected failures. */
import { readExpectedFailures } from '../../app/scenarios/expected-failures.ts';
import { type Choice, select, tagsOf, UsageError } from '../../app/scenarios/selection.ts';
import { entries } from './playing.ts';

const all: Choice = { platforms: [], tags: [], ids: [], level: 'all' };

const chosen = (choice: Partial<Choice>) =>
  select(entries, { ...all, ...choice }).map(({ played }) => played.id);

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof UsageError) return error.message.split('\n');
    throw error;
  }
  throw new Error('nothing was wrong');
}

const problems = (choice: Partial<Choice>) => problemsOf(() => chosen(choice));

describe('chosen is', () => {
  test('everything, in the order of the registry, when nothing is said', () => {
    expect(chosen({})).toEqual(entries.map(({ played }) => played.id));
  });

  test('what is of any of these platforms', () => {
    const ids = chosen({ platforms: ['pango', 'authlete'] });
    expect(ids).toContain('pango-01');
    expect(ids).toContain('authlete-story-01');
    expect(ids.filter((id) => id.startsWith('connectycube'))).toEqual([]);
  });

  test('what has any of these tags, and is of this platform', () => {
    expect(chosen({ platforms: ['pango'], tags: ['story', 'reported'] })).toEqual([
      'pango-story-01',
      'pango-story-02',
      'pango-story-03',
      'pango-story-04',
      'pango-story-05',
    ]);
  });

  test('what has these ids, in the order of the registry', () => {
    expect(chosen({ ids: ['pango-03', 'pango-01'] })).toEqual(['pango-01', 'pango-03']);
  });

  test('whose title matches, whatever the case', () => {
    expect(chosen({ grep: '^SUSPENDED USER$', platforms: ['pango', 'connectycube'] })).toEqual([
      'pango-06',
      'connectycube-06',
    ]);
  });

  test('what the vendor documents', () => {
    const ids = chosen({ platforms: ['pango'], level: 'documented' });
    expect(ids).toContain('pango-09');
    expect(ids).not.toContain('pango-10');
  });
});

test('a row has its tags from what it says', () => {
  const tags = (id: string) =>
    entries.filter(({ played }) => played.id === id).map((entry) => tagsOf(entry));
  expect(tags('pango-01')).toEqual([['row', 'positive', 'documented']]);
  expect(tags('pango-10')).toEqual([['row', 'negative', 'our-choice']]);
  // Its caller is refused, which is not the user's refusal.
  expect(tags('authlete-39')).toEqual([['row', 'negative', 'seen']]);
  expect(tags('pango-story-01')).toEqual([['story', 'documented']]);
});

test('what a careless backend would change something at is marked, at every platform', () => {
  const good = /\{\{(token|jwt)\.|\{\{jwt:to-revoke|"password"/;
  const changes = /update|logout|sign-?out|revoke|delete|register|password|token$/;
  const careful = entries.flatMap((entry) => {
    if (entry.kind !== 'row') return [];
    const { id, send, mutating } = entry.played;
    const isChange = changes.test(send.path) || ['PUT', 'PATCH', 'DELETE'].includes(send.method);
    return isChange && good.test(JSON.stringify(send)) ? [{ id, mutating }] : [];
  });

  expect(careful.filter(({ mutating }) => !mutating)).toEqual([]);
  expect(careful.map(({ id }) => id)).toEqual([
    ...[
      'pango-40',
      'connectycube-54',
      'authlete-59',
      'aurora-26',
      'dgp-oauth2-49',
      'dgp-oauth2-51',
    ],
    ...['dgp-oauth2-52', 'dgp-oauth2-53', 'dgp-oauth2-54', 'dgp-oauth2-55', 'dgp-oauth2-56'],
    ...['dgp-oauth2-57', 'dgp-oauth2-58', 'dgp-oauth2-59', 'dgp-oauth2-60', 'dgp-oauth2-61'],
    ...['dgp-oauth2-72', 'dgp-oauth2-92', 'dgp-oauth2-93', 'dgp-oauth2-94'],
  ]);
});

describe('it is wrong to ask for', () => {
  test('what does not exist, each of it', () => {
    expect(problems({ platforms: ['pngo'], tags: ['fast'], ids: ['authlete-4'] })).toEqual([
      '--platform: there is no "pngo"; there are pango, connectycube, authlete, aurora, dgp-oauth2',
      '--tag: there is no "fast"; there are row, story, positive, negative, mutating, documented, seen, reported, our-choice',
      '--id: there is no "authlete-4"; did you mean authlete-04, authlete-14, authlete-24?',
    ]);
  });

  test('an expression that is none', () => {
    expect(problems({ grep: '(' })).toEqual([
      '--grep: Invalid regular expression: /(/iu: Unterminated group',
    ]);
  });

  test('what nothing matches', () => {
    expect(problems({ ids: ['pango-01'], tags: ['negative'] })).toEqual([
      'Nothing matches this selection: --list shows what there is.',
    ]);
  });

  test('what is beyond the level', () => {
    expect(problems({ ids: ['pango-12'], level: 'seen' })).toEqual([
      'Nothing of this selection is of the level seen: --level all plays our own choices, too.',
    ]);
  });
});

test('a file of expected failures is wrong in several lines', () => {
  const text = '# why\n\npango-01: bug 7\npango-02\npango-03:  \npango-01: again\n';
  expect(problemsOf(() => readExpectedFailures(text, 'known.txt'))).toEqual([
    'known.txt, line 4: must be <id>: <reason>',
    'known.txt, line 5: pango-03 needs a reason',
    'known.txt, line 6: pango-01 stands there twice',
  ]);
});
