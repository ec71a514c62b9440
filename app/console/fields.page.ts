import { parse, stringify } from 'lossless-json';
import {
  type Example,
  exampleOf,
  type Fact,
  facts,
  guessMapping,
  type Mapping,
  parsedUser,
  readUser,
} from './fields.ts';
import type { House, Page, Visit } from './page.ts';
import { refusalWords } from './why.ts';

/** Of nobody, and named as nobody here would name it. */
const example = `{
  "user_id": 48151,
  "username": "ada",
  "displayName": "Ada Lovelace",
  "mail": "ada@example.com",
  "org": { "id": "acme-01", "name": "Acme Ltd." },
  "avatarUrl": "https://acme.example/ada.png"
}
`;

/** In a mapping: this fact is nowhere, whatever its name. */
const nowhere = '-';

const names = Object.keys(facts) as Fact[];

/** With line breaks, unless that would undo how something is escaped. */
function laidOut(body: string): string {
  try {
    return body.includes('\\') ? body : (stringify(parse(body), undefined, 2) ?? body);
  } catch {
    return body;
  }
}

const shownExample = ({ platform, method, path, answer }: Example) => ({
  ...{ platform, method, path },
  status: answer?.status,
  body: answer && laidOut(answer.body),
  refused: answer?.verdict?.accepted === false ? refusalWords[answer.verdict.because] : undefined,
});

/** `/console/fields`: what platforms would be told of the users of another store. Nothing of it is kept. */
export function fieldPages({ platforms, services, issuer }: House): Page[] {
  async function show(visit: Visit, text: string) {
    const typed = (fact: Fact) => (visit.form[fact] ?? '').trim();
    const parsed = parsedUser(text);
    const it = { text, tab: 'fields', facts: names.map((name) => [name, facts[name]]) };
    const values = Object.fromEntries(names.map((fact) => [fact, typed(fact)]));
    if ('problem' in parsed) {
      const failed = {
        ...it,
        values,
        guessed: {},
        problem: parsed.problem,
        findings: [],
        examples: [],
      };
      return visit.render('fields', failed, { status: 422 });
    }
    const guessed = guessMapping(parsed.json);
    const entries = names.map((fact) => {
      const path = typed(fact);
      return [fact, path === nowhere ? '' : path || guessed[fact]];
    });
    const { user, findings } = readUser(parsed.json, Object.fromEntries(entries) as Mapping);
    const examples = await Promise.all(
      platforms.map((one) => exampleOf(one, { user, issuer, now: services.now })),
    );
    return visit.render('fields', {
      ...it,
      values,
      guessed,
      problem: undefined,
      findings: findings.map((one) => ({ ...one, title: facts[one.fact] })),
      examples: examples.map(shownExample),
    });
  }

  return [
    {
      path: '/fields',
      get: (visit) => show(visit, example),
      // It only shows: there is nothing that a reload could do twice, and nothing is kept to redirect to.
      post: (visit) => show(visit, visit.form['json'] ?? ''),
    },
  ];
}
