/** The file of `--init`: the variables of fixture.ts, empty, each with what it is. */
import { isActive, people, understudies } from './cast.ts';
import {
  answersVariable,
  dashboardVariable,
  fieldsOf,
  parametersVariable,
  pathVariable,
  personVariable,
  type Section,
  sectionsOf,
  variableFor,
} from './fixture.ts';
import { wantedBy } from './recast.ts';
import { type Entry, mustRefuse, needsOf } from './selection.ts';

/** Lines of at most 100 characters, cut at spaces. */
const comment = (text: string) =>
  (text.match(/\S.{0,96}(?=\s|$)|\S+/g) ?? []).map((part) => `# ${part}`).join('\n');

/** What it takes to play this one. A story asks for its people while it is played. */
const variablesOf = (entry: Entry): readonly string[] =>
  entry.kind === 'row' ? wantedBy(entry.played) : needsOf(entry).map(variableFor);

/** Those a platform's rows and stories need, and those with which it is told where names are other ones. */
function variablesOfPlatform(entries: readonly Entry[], id: string): ReadonlySet<string> {
  const own = entries.filter(({ platform }) => platform.id === id);
  const wanted = new Set(own.flatMap(variablesOf));
  const told = own.flatMap((entry) =>
    entry.kind === 'row' ? [pathVariable(entry.played.send.path)] : [],
  );
  const facts = own.some(({ kind }) => kind === 'story')
    ? [...people, ...understudies].filter(isActive).flatMap((person) => {
        const names = Object.keys(fieldsOf(person)).map((field) =>
          personVariable(person.login, field),
        );
        const tokens = [`token.${person.login}`, `jwt.${person.login}`].map(variableFor);
        const isThere = [...names, ...tokens].some((name) => wanted.has(name));
        const asked = ['uid', 'login', 'name', 'email'];
        return isThere ? asked.map((field) => personVariable(person.login, field)) : [];
      })
    : [];
  return new Set([
    ...wanted,
    ...facts,
    ...told,
    ...[parametersVariable, answersVariable, dashboardVariable].map((variable) => variable(id)),
  ]);
}

/** The first request that must be accepted, and what it takes. */
function firstOf(
  entries: readonly Entry[],
  id: string,
): { id: string; variables: string } | undefined {
  const found = entries.find(
    (entry) => entry.platform.id === id && entry.kind === 'row' && !mustRefuse(entry.played),
  );
  return found && { id: found.played.id, variables: variablesOf(found).join(' ') };
}

const sectionText = ({ title, variables }: Section): string =>
  [
    `# ---- ${title} ----`,
    ...variables.map(({ name, about }) => `${comment(about)}\n${name}=`),
  ].join('\n');

/**
 * What only one platform needs stands beneath it, what several need before them.
 *
 * @param entries all there are
 * @param chosen ids of the platforms to write it for; none: all
 */
export function fixtureTemplate(entries: readonly Entry[], chosen: readonly string[] = []): string {
  const platforms = new Map(
    entries
      .filter(({ platform }) => chosen.length === 0 || chosen.includes(platform.id))
      .map(({ platform }) => [platform.id, platform.title]),
  );
  const wanted = new Map([...platforms.keys()].map((id) => [id, variablesOfPlatform(entries, id)]));
  const usersOf = (name: string) => [...wanted].filter(([, names]) => names.has(name));
  const sections = sectionsOf(entries);
  const those = (belongs: (name: string) => boolean): string[] =>
    sections
      .map(({ title, variables }) => ({
        title,
        variables: variables.filter(({ name }) => belongs(name)),
      }))
      .filter(({ variables }) => variables.length > 0)
      .map(sectionText);
  const part = (title: string, texts: readonly string[]) =>
    texts.length > 0 ? [`# ======== ${title} ========`, ...texts] : [];
  const first = [...platforms].flatMap(([id, title]) => {
    const row = firstOf(entries, id);
    return row ? comment(`${title} (${row.id}): ${row.variables}`) : [];
  });
  return `${[
    [
      '# What the scenarios must know of your backend:',
      '#   npm run scenarios -- --target https://your.backend --fixture scenarios.env',
      '# Fill in what you have. What needs a variable that is empty is skipped, by name.',
      '# The environment goes before this file. It holds secrets: keep it out of version control.',
      '# A shell reads it, too: put values with spaces or signs in single quotes. For the curl lines of',
      '# a report: set -a; . ./scenarios.env; set +a',
    ].join('\n'),
    ['# For a first result, fill in:', ...first].join('\n'),
    ...part(
      'Several platforms',
      those((name) => usersOf(name).length > 1),
    ),
    ...[...platforms].flatMap(([id, title]) =>
      part(
        title,
        those((name) => usersOf(name).length === 1 && usersOf(name)[0]?.[0] === id),
      ),
    ),
  ].join('\n\n')}\n`;
}
