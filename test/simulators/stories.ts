/** Plays a platform's stories in a test. */
import { isDeepStrictEqual } from 'node:util';
import { platforms } from '../../app/platforms/index.ts';
import type { CallOptions } from '../../app/scenarios/call.ts';
import type { Flow } from '../../app/scenarios/exchange.ts';
import type { Bindings } from '../../app/scenarios/scenario.ts';
import type { Story } from '../../app/scenarios/story.ts';

export const storiesOf = (id: string): readonly Story[] =>
  platforms.find((platform) => platform.id === id)?.stories ?? [];

export type Checked = {
  readonly what: string;
  readonly actual: unknown;
  readonly expected: unknown;
};

export type Told = { readonly checks: readonly Checked[]; readonly flows: readonly Flow[] };

/** What the story showed and checked, against this backend. */
export async function tell(
  story: Story,
  backend: string,
  bindings: Bindings,
  options: CallOptions = {},
): Promise<Told> {
  const checks: Checked[] = [];
  const flows: Flow[] = [];
  await story.play({
    backend,
    own: true,
    bindings,
    settings: {},
    options,
    show(flow) {
      flows.push(flow);
      return flow;
    },
    check: (what, actual, expected) => checks.push({ what, actual, expected }),
  });
  return { checks, flows };
}

/** Tells the story where it has all that it needs, and says something; all of it must hold. */
export async function expectStory(
  story: Story,
  backend: string,
  bindings: Bindings,
): Promise<Told> {
  expect(Object.keys(bindings)).toEqual(expect.arrayContaining([...story.needs]));
  const told = await tell(story, backend, bindings);
  const { checks, flows } = told;
  // As Jest compares them.
  expect(checks.map(({ what, actual }) => ({ what, actual }))).toStrictEqual(
    checks.map(({ what, expected }) => ({ what, actual: expected })),
  );
  expect(checks.length).toBeGreaterThanOrEqual(1);
  expect(flows).not.toEqual([]);
  return told;
}

export const holds = ({ actual, expected }: Checked): boolean =>
  isDeepStrictEqual(actual, expected);
