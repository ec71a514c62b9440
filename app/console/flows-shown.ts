/** A run as the pages show it. */
import { STATUS_CODES } from 'node:http';
import type { Party } from '../scenarios/exchange.ts';
import { type Arrow, drawing, type Sequence } from './diagram.ts';
import {
  decisive,
  type Given,
  type KeptExchange,
  type NamedVariant,
  type Run,
  tokenLifetime,
} from './flows.ts';
import { mermaid } from './mermaid.ts';
import { base } from './page.ts';
import { type Hidden, splitAtPlaceholders } from './redaction.ts';
import { curlOf, headerText, partsOf, shownBody } from './shown-call.ts';
import { outcomeClass, outcomeIcon, outcomeLabel, refusalWords, why } from './why.ts';

/** From left to right. */
const order: readonly Party[] = ['Browser', 'App', 'Service', 'Platform', 'Backend'];

const captions: Readonly<Record<Party, string>> = {
  Browser: 'the user’s',
  App: 'the customer’s',
  Service: 'asked by the App',
  Platform: 'played here',
  Backend: 'really called',
};

/** As a sentence begins. */
const capital = (text: string) => text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());

/** For people: what is encoded as it was before. */
const legible = (path: string) =>
  path.replace(/(%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded;
    }
  });

/** In a label, a secret is a few dots. */
const dotted = (text: string, hidden: readonly Hidden[]): string => {
  const known = new Set(hidden.map(({ placeholder }) => placeholder));
  return splitAtPlaceholders(text)
    .map((piece) => (known.has(piece) ? '•••' : piece))
    .join('');
};

const originAndPath = (url: string) => {
  const [, origin = '', path = ''] = /^(\w+:\/\/[^/?#]*)(.*)$/s.exec(url) ?? [];
  return { origin, path: path.startsWith('/') ? path : `/${path}` };
};

const statusLine = (status: number) => `${status} ${STATUS_CODES[status] ?? ''}`.trim();

const givenWords: Readonly<Record<string, string>> = {
  good: 'issued by this console, without a request',
  expired: 'issued by this console, and over already',
  revoked: 'issued by this console, and revoked at once',
};

const anchor = (index: number, part: 'request' | 'reply') => `#exchange-${index + 1}-${part}`;

/** Requests and replies in the order in which they were said, after what was handed over. */
function arrowsOf(exchanges: readonly KeptExchange[], given: Given | undefined): Arrow[] {
  const said = exchanges.flatMap((exchange, index) => {
    const { from, to, request, reply, problem, concluded, hidden } = exchange;
    const { path } = originAndPath(request.url);
    const asked = {
      at: exchange.order.request,
      from,
      to,
      kind: 'request',
      title: `${request.method} ${legible(dotted(path, hidden))}`,
      text: '',
      href: anchor(index, 'request'),
    } as const;
    const answered = {
      at: exchange.order.reply,
      from: to,
      to: from,
      kind: reply ? 'reply' : 'lost',
      title: reply ? statusLine(reply.status) : 'no answer',
      text: reply ? concluded : (problem ?? concluded),
      href: anchor(index, 'reply'),
    } as const;
    return [asked, answered];
  });
  const first = exchanges[0]?.from ?? 'App';
  const handed =
    given &&
    ({
      from: 'Backend',
      to: first,
      kind: 'given',
      title: 'a token',
      text: givenWords[given.variant] ?? '',
      href: '#given',
    } as const);
  return [...(handed ? [handed] : []), ...said.toSorted((a, b) => a.at - b.at)].map(
    ({ from, to, kind, title, text, href }, index) => ({
      number: index + 1,
      from,
      to,
      kind,
      title,
      text,
      href,
    }),
  );
}

export function sequenceOf({ exchanges, given, platform, accepted, outcome }: Run): Sequence {
  const arrows = arrowsOf(exchanges, given);
  const titles: Readonly<Record<Party, string>> = {
    Browser: 'Browser',
    App: 'App',
    Service: 'Service',
    Platform: platform.title,
    Backend: 'This backend',
  };
  const parties = order
    .filter((party) => arrows.some(({ from, to }) => from === party || to === party))
    .map((party) => ({ party, title: titles[party], caption: captions[party] }));
  return { parties, arrows, accepted, outcome: capital(outcome) };
}

function shownExchange(exchange: KeptExchange, index: number, sequence: Sequence) {
  const { from, to, request, reply, problem, concluded, hidden, call } = exchange;
  const { origin, path } = originAndPath(request.url);
  const titleOf = (party: Party) =>
    sequence.parties.find((one) => one.party === party)?.title ?? party;
  const numberOf = (part: 'request' | 'reply') =>
    sequence.arrows.find(({ href }) => href === anchor(index, part))?.number;
  return {
    id: `exchange-${index + 1}`,
    from: titleOf(from),
    to: titleOf(to),
    /** Of its arrows. */
    numbers: { request: numberOf('request'), reply: numberOf('reply') },
    method: request.method,
    path: partsOf(path, hidden),
    status: reply ? statusLine(reply.status) : 'no answer',
    lost: reply === undefined,
    concluded: reply ? concluded : (problem ?? concluded),
    ms: reply && (reply.ms < 10 ? reply.ms.toFixed(1) : reply.ms.toFixed(0)),
    really: to === 'Backend',
    request: {
      line: partsOf(`${request.method} ${request.url} HTTP/1.1`, hidden),
      headers: partsOf(headerText(request.headers), hidden),
      body: shownBody(request.body, hidden),
    },
    reply: reply && {
      line: statusLine(reply.status),
      headers: partsOf(headerText(reply.headers), hidden),
      body: shownBody(reply.body, hidden),
    },
    hidden,
    curl: curlOf(
      { request: { ...request, url: path }, hidden },
      to === 'Backend' ? undefined : `'${origin.replaceAll("'", "'\\''")}'`,
    ),
    call: call && {
      href: `${base}/calls/${call.id}`,
      label: outcomeLabel(call),
      icon: outcomeIcon[call.outcome],
      tone: outcomeClass[call.outcome],
      why: why(call),
    },
  };
}

/** What a line of a list needs. */
export const runRow = (run: Run) => ({
  id: run.id,
  href: `${base}/flows/${run.platform.id}/runs/${run.id}`,
  at: run.at.toISOString(),
  time: run.at.toLocaleTimeString('en-GB'),
  platform: run.platform.title,
  login: run.login,
  variant: run.variant,
  accepted: run.accepted,
  outcome: capital(run.outcome),
});

/** The side of the story that the platform is not told. */
function ourSide({ accepted, exchanges }: Run): { text: string; href?: string } | undefined {
  const { call, because } = decisive(exchanges, accepted) ?? {};
  if (because) return { text: `${refusalWords[because]} The sign-in page does not say why.` };
  if (!call) return undefined;
  const text = why(call);
  const untold = call.outcome === 'refused' && !accepted ? ' The platform is not told why.' : '';
  return { text: `${text}${untold}`, href: `${base}/calls/${call.id}` };
}

export function shownRun(run: Run, variants: readonly NamedVariant[]) {
  const sequence = sequenceOf(run);
  const setup = new URLSearchParams({ user: run.login, variant: run.variant });
  return {
    ...runRow(run),
    words: variants.find(({ name }) => name === run.variant)?.words ?? run.variant,
    typed: run.typed,
    ourSide: ourSide(run),
    given: run.given && {
      scope: run.given.scope.join(' '),
      seconds: tokenLifetime,
      variant: run.given.variant,
    },
    sequence,
    drawings: [drawing(sequence, 'wide'), drawing(sequence, 'narrow')],
    mermaid: mermaid(sequence),
    exchanges: run.exchanges.map((one, index) => shownExchange(one, index, sequence)),
    setup: `${base}/flows/${run.platform.id}?${setup}`,
  };
}
