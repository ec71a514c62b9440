/** A flow as a sequence diagram: who said what to whom, from top to bottom. Here is where everything stands; views/diagram.eta draws it. */
import type { Party } from '../scenarios/exchange.ts';

export type Arrow = {
  /** From 1. */
  readonly number: number;
  readonly from: Party;
  readonly to: Party;
  /** given: handed over without a request. lost: what should have been the reply. */
  readonly kind: 'request' | 'reply' | 'given' | 'lost';
  /** As on the wire: a method and a path, or a status. */
  readonly title: string;
  /** In words. */
  readonly text: string;
  readonly href: string;
};

export type Sequence = {
  readonly parties: readonly {
    readonly party: Party;
    readonly title: string;
    readonly caption: string;
  }[];
  /** In their order. */
  readonly arrows: readonly Arrow[];
  readonly accepted: boolean;
  readonly outcome: string;
};

/** In px of a drawing that is scaled with the type size. */
const size = {
  head: 52,
  /** Between two lines of text. */
  line: 16,
  below: 17,
  bubble: 10,
  bar: 10,
} as const;

/** `narrow` is for phones. `room`: so wide what is said may be, also where its arrow is shorter. `above`: between the last line of text and the arrow. */
const shapes = {
  wide: { column: 238, margin: 82, headWidth: 148, ending: 100, room: 0, above: 7 },
  narrow: { column: 116, margin: 56, headWidth: 108, ending: 106, room: 162, above: 13 },
} as const;

export type Shape = keyof typeof shapes;

/** Characters to a px: the widths of our two kinds of type, on the safe side. */
const perPx = { title: 1 / 7.4, text: 1 / 6.7, outcome: 1 / 8.4 } as const;

const mostLines = 3;

/** What cannot be seen, or turns the direction of the text around it, does not belong into a label. */
export const visible = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\p{Cf}/gu, '')
    .trim();

/** Lines of so many characters at most. Broken where there is a space, or where a URL can be; the last ends in … when there is more. */
export function lines(text: string, width: number, most = mostLines): string[] {
  const pieces = visible(text).match(/[^\s/?&=]*[/?&=]?\s*/gu) ?? [];
  const broken: string[] = [];
  let line = '';
  for (const piece of pieces) {
    if ([...(line + piece).trimEnd()].length <= width) {
      line += piece;
      continue;
    }
    if (line !== '') broken.push(line);
    const characters = [...piece];
    while (characters.length > width) broken.push(characters.splice(0, width).join(''));
    line = characters.join('');
  }
  broken.push(line);
  const whole = broken.map((one) => one.trim()).filter((one) => one !== '');
  if (whole.length <= most) return whole;
  const last = [...(whole[most - 1] ?? '')].slice(0, width - 1).join('');
  return [...whole.slice(0, most - 1), `${last}…`];
}

/** While a party has a request to answer. Places are those of the arrows. */
function bars(arrows: readonly Arrow[]) {
  const open: { party: Party; from: number }[] = [];
  return arrows.flatMap(({ kind, from, to }, index) => {
    if (kind === 'request') open.push({ party: to, from: index });
    if (kind !== 'reply' && kind !== 'lost') return [];
    const begun = open.findLastIndex(({ party }) => party === from);
    const [one] = begun === -1 ? [] : open.splice(begun, 1);
    return one ? [{ ...one, to: index }] : [];
  });
}

export function drawing({ parties, arrows, accepted, outcome }: Sequence, shape: Shape) {
  const { head, line, below, bubble, bar } = size;
  const { column, margin, headWidth, ending: beside, room: least, above } = shapes[shape];
  const x = (party: Party) => margin + column * parties.findIndex((one) => one.party === party);
  const width = 2 * margin + column * Math.max(1, parties.length - 1);

  let y = head + 12;
  const drawn = arrows.map((arrow) => {
    const [begin, end] = [x(arrow.from), x(arrow.to)];
    const [left, right] = [Math.min(begin, end), Math.max(begin, end)];
    const room = Math.max(right - left - 2 * bubble - 14, least);
    const label = [
      ...lines(arrow.title, Math.floor(room * perPx.title)).map((text) => ({ text, wire: true })),
      ...lines(arrow.text, Math.floor(room * perPx.text)).map((text) => ({ text, wire: false })),
    ];
    const top = y + line;
    const at = top + line * (label.length - 1) + above;
    y = at + below;
    const way = Math.sign(end - begin);
    /** As near to the middle of the arrow as the edges allow. */
    const middle = (text: string, wire: boolean) => {
      const half = [...text].length / perPx[wire ? 'title' : 'text'] / 2;
      return Math.min(Math.max((begin + end) / 2 + way * 4, half + 8), width - half - 8);
    };
    return {
      ...arrow,
      y: at,
      from: begin,
      // The arrow begins behind the number, and ends before the bar.
      begin: begin + way * bubble,
      end: end - way * (bar / 2 + 1),
      way,
      label: label.map(({ text, wire }, index) => ({
        text,
        wire,
        x: middle(text, wire),
        y: top + line * index,
      })),
      box: {
        x: left + bar,
        y: top - line + 1,
        width: right - left - 2 * bar,
        height: at - top + line + bubble,
      },
      said: `${arrow.number}. ${nameOf(parties, arrow.from)} to ${nameOf(parties, arrow.to)}: ${[
        visible(arrow.title),
        visible(arrow.text),
      ]
        .filter((text) => text !== '')
        .join(', ')}`,
    };
  });

  const yOf = (index: number) => drawn[index]?.y ?? head;
  const endWidth = width - 2 * margin + beside;
  const ending = lines(outcome, Math.floor((endWidth - 62) * perPx.outcome));
  const endY = y + 16;
  const endHeight = ending.length * 18 + 18;
  return {
    shape,
    width,
    height: endY + endHeight + 6,
    heads: parties.map(({ party, title, caption }) => ({
      x: x(party),
      title: lines(title, Math.floor((headWidth - 8) / 8), 1)[0] ?? '',
      caption,
    })),
    headWidth,
    headHeight: head - 8,
    lifelines: { from: head - 8, to: endY },
    bars: bars(arrows).map(({ party, from, to }) => ({
      x: x(party) - bar / 2,
      y: yOf(from),
      height: yOf(to) - yOf(from),
      step: from + 1,
    })),
    bar,
    bubble,
    arrows: drawn,
    ending: {
      accepted,
      x: (width - endWidth) / 2,
      y: endY,
      width: endWidth,
      height: endHeight,
      lines: ending.map((text, index) => ({ text, y: endY + 24 + index * 18 })),
    },
  };
}

const nameOf = (parties: Sequence['parties'], party: Party) =>
  parties.find((one) => one.party === party)?.title ?? party;
