/** Which rows and stories are played. */
import type { Platform } from '../platforms/platform.ts';
import { type Mark, placeholdersIn, type Scenario } from './scenario.ts';
import type { Story } from './story.ts';

/** A row or a story, and whose it is. */
export type Entry = { readonly platform: Pick<Platform, 'id' | 'title' | 'simulator'> } & (
  | { readonly kind: 'row'; readonly played: Scenario }
  | { readonly kind: 'story'; readonly played: Story }
);

/** Everything there is, in the order of the registry: a platform's rows, then its stories. */
export const entriesOf = (registry: readonly Platform[]): readonly Entry[] =>
  registry.flatMap((platform) => [
    ...platform.scenarios.map((played): Entry => ({ platform, kind: 'row', played })),
    ...(platform.stories ?? []).map((played): Entry => ({ platform, kind: 'story', played })),
  ]);

/** Whether the backend has to say no in it. */
export const mustRefuse = ({ because, expect }: Scenario): boolean =>
  because !== undefined || expect.status >= 400;

const isNegative = (entry: Entry) => entry.kind === 'row' && mustRefuse(entry.played);

/** The placeholders without which it cannot be played. */
export const needsOf = (entry: Entry): readonly string[] =>
  entry.kind === 'row' ? placeholdersIn(entry.played) : entry.played.needs;

/** What `--tag` can name; nobody has to write them down. */
const tags = {
  row: ({ kind }: Entry) => kind === 'row',
  story: ({ kind }: Entry) => kind === 'story',
  positive: (entry: Entry) => entry.kind === 'row' && !isNegative(entry),
  negative: isNegative,
  mutating: ({ played }: Entry) => played.mutating === true,
  documented: ({ played }: Entry) => played.mark === 'documented',
  seen: ({ played }: Entry) => played.mark === 'seen',
  reported: ({ played }: Entry) => played.mark === 'reported',
  'our-choice': ({ played }: Entry) => played.mark === 'our choice',
} satisfies Record<string, (entry: Entry) => boolean>;

type Tag = keyof typeof tags;

export const tagNames = Object.keys(tags) as readonly Tag[];

export const tagsOf = (entry: Entry): readonly Tag[] => tagNames.filter((tag) => tags[tag](entry));

/** How far from the vendors' own words a requirement may come: each level has what stands before it, too. */
const marksOf = {
  documented: ['documented'],
  seen: ['documented', 'seen', 'reported'],
  all: ['documented', 'seen', 'reported', 'our choice'],
} as const satisfies Record<string, readonly Mark[]>;

export type Level = keyof typeof marksOf;

export const levels = Object.keys(marksOf) as readonly Level[];

const isWithin = (level: Level, mark: Mark) => marksOf[level].some((one) => one === mark);

/** Within a list: any of them. Of several lists: all of them. An empty one does not choose. */
export type Choice = {
  readonly platforms: readonly string[];
  readonly tags: readonly string[];
  readonly ids: readonly string[];
  /** Of the id, the title and the requirement; whatever the case. */
  readonly grep?: string | undefined;
  readonly level: Level;
};

/** What is wrong with what was asked for: exit code 2. All problems at once. */
export class UsageError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'UsageError';
  }
}

/** How many letters have to be changed, added or taken away (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (const [j, opposite] of [...other].entries()) {
      next.push(
        Math.min(
          (row[j] ?? 0) + (letter === opposite ? 0 : 1),
          (row[j + 1] ?? 0) + 1,
          (next[j] ?? 0) + 1,
        ),
      );
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** The three nearest of them, or all when they are few. */
export function nearest(name: string, known: readonly string[]): string {
  const few = 12;
  if (known.length <= few) return `there are ${known.join(', ')}`;
  const near = known
    .map((one) => ({ one, away: distance(name.toLowerCase(), one.toLowerCase()) }))
    .toSorted((a, b) => a.away - b.away)
    .slice(0, 3)
    .map(({ one }) => one);
  return `did you mean ${near.join(', ')}?`;
}

/** What is asked for and does not exist, each with the nearest that do. */
export const unknown = (
  option: string,
  asked: readonly string[],
  known: readonly string[],
): string[] =>
  asked
    .filter((name) => !known.includes(name))
    .map((name) => `${option}: there is no "${name}"; ${nearest(name, known)}`);

function expression(grep: string | undefined): { matches: (text: string) => boolean } | string {
  if (grep === undefined) return { matches: () => true };
  try {
    const compiled = new RegExp(grep, 'iu');
    return { matches: (text) => compiled.test(text) };
  } catch (error) {
    return `--grep: ${(error as Error).message}`;
  }
}

/**
 * Those that were chosen, in their order.
 *
 * @throws {UsageError} when something that was asked for does not exist, and when nothing is left
 */
export function select(entries: readonly Entry[], choice: Choice): readonly Entry[] {
  const grep = expression(choice.grep);
  const platformIds = [...new Set(entries.map(({ platform }) => platform.id))];
  const problems = [
    ...unknown('--platform', choice.platforms, platformIds),
    ...unknown('--tag', choice.tags, tagNames),
    ...unknown(
      '--id',
      choice.ids,
      entries.map(({ played }) => played.id),
    ),
    ...(typeof grep === 'string' ? [grep] : []),
  ];
  if (problems.length > 0 || typeof grep === 'string') throw new UsageError(problems);

  const isOneOf = (list: readonly string[], value: string) =>
    list.length === 0 || list.includes(value);
  const atAnyLevel = entries.filter((entry) => {
    const { platform, played } = entry;
    return (
      isOneOf(choice.platforms, platform.id) &&
      isOneOf(choice.ids, played.id) &&
      (choice.tags.length === 0 || tagsOf(entry).some((tag) => choice.tags.includes(tag))) &&
      [played.id, played.title, played.requirement].some(grep.matches)
    );
  });
  if (atAnyLevel.length === 0) {
    throw new UsageError(['Nothing matches this selection: --list shows what there is.']);
  }
  const selected = atAnyLevel.filter(({ played }) => isWithin(choice.level, played.mark));
  if (selected.length === 0) {
    throw new UsageError([
      `Nothing of this selection is of the level ${choice.level}: --level all plays our own choices, too.`,
    ]);
  }
  return selected;
}

/** What the level keeps out of this choice. */
export type LeftOut = {
  /** Rows and stories. */
  readonly count: number;
  /** Refusals of which no other row of the platform is in the choice: nobody looks at them. */
  readonly unchecked: readonly {
    readonly platformTitle: string;
    readonly refusals: readonly string[];
  }[];
};

const refusalsOf = (entries: readonly Entry[], id: string): readonly string[] => [
  ...new Set(
    entries.flatMap((entry) =>
      entry.kind === 'row' && entry.platform.id === id ? (entry.played.because ?? []) : [],
    ),
  ),
];

/** @param selected what `select` made of the same choice */
export function leftOutOf(
  entries: readonly Entry[],
  choice: Choice,
  selected: readonly Entry[],
): LeftOut {
  const all = select(entries, { ...choice, level: 'all' });
  const out = all.filter((entry) => !selected.includes(entry));
  const platforms = new Map(out.map(({ platform }) => [platform.id, platform.title]));
  const unchecked = [...platforms].map(([id, platformTitle]) => {
    const checked = refusalsOf(selected, id);
    return {
      platformTitle,
      refusals: refusalsOf(out, id).filter((refusal) => !checked.includes(refusal)),
    };
  });
  return { count: out.length, unchecked: unchecked.filter(({ refusals }) => refusals.length > 0) };
}
