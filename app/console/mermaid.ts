/**
 * A flow as text for Mermaid, which GitHub and many wikis draw.
 *
 * https://mermaid.js.org/syntax/sequenceDiagram.html — `#` and a code stand for a character: `#59;`
 */
import { type Sequence, visible } from './diagram.ts';

/** Letters, digits, and what means nothing to Mermaid or HTML anywhere in a line. All else is written as its code. */
const escaped = (text: string): string =>
  visible(text).replace(
    /[^\p{L}\p{N} .,/?=_()'•…–-]/gu,
    (character) => `#${character.codePointAt(0)};`,
  );

const arrowOf = { request: '->>', reply: '-->>', given: '-->>', lost: '--x' } as const;

export function mermaid({ parties, arrows, outcome }: Sequence): string {
  const ids = parties.map(({ party }) => party);
  const all = ids.length > 1 ? `${ids.at(0)},${ids.at(-1)}` : ids.join();
  return [
    'sequenceDiagram',
    '  autonumber',
    ...parties.map(({ party, title }) => `  participant ${party} as ${escaped(title)}`),
    ...arrows.map(({ kind, from, to, title, text }) => {
      const said = [title, text].filter((one) => visible(one) !== '').map(escaped);
      return `  ${from}${arrowOf[kind]}${to}: ${said.join('<br/>')}`;
    }),
    `  Note over ${all}: ${escaped(outcome)}`,
    '',
  ].join('\n');
}
