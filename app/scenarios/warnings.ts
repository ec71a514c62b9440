/** What makes a pass mean less than it seems. The report says it first. */
import type { Refusal } from '../verification/verdict.ts';
import type { Reply } from './call.ts';
import { isObject, jsonIn } from './json.ts';
import type { Result, RunHeader, Warning } from './report.ts';
import { type Entry, mustRefuse } from './selection.ts';

/** A row or a story, and what came of it. */
type Played = {
  readonly result: Result;
  /** A row: whether somebody must be refused. A story: whether it passed without anybody being let in. */
  readonly refuses: boolean;
  /** Of a row; undefined when it was skipped, or nothing came. */
  readonly reply: Reply | undefined;
};

/** What kind of JSON it is: names and types, no values but true and false. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (isObject(value)) {
    const names = Object.keys(value).toSorted();
    return Object.fromEntries(names.map((name) => [name, shapeOf(value[name])]));
  }
  return typeof value === 'boolean' ? value : typeof value;
}

/** Two answers that a platform would take in the same way have the same kind. */
const kindOf = ({ status, text }: Reply) =>
  `${status} ${JSON.stringify(shapeOf(jsonIn(text)) ?? text)}`;

const idsOf = (played: readonly Played[]) => played.map(({ result }) => result.id);

const situations: Readonly<Record<string, string>> = {
  malformed: 'a request of another form than is documented',
  'no-credential': 'a request without a credential',
  unknown: 'a token or login that nobody knows',
  'user-gone': 'a token of a user who was deleted',
  'wrong-password': 'a wrong password',
  'too-many-attempts': 'too many wrong passwords',
  expired: 'an expired token',
  revoked: 'a revoked token',
  'wrong-audience': 'a token for another resource',
  'insufficient-scope': 'a token for something else (its scope)',
  'user-suspended': 'a suspended user',
  'group-suspended': 'a user of a suspended group',
  'another-user': 'a token of another user than the request names',
  'no-group': 'a user without a group',
  'service-not-allowed': 'a service that is not for this user',
  'unsupported-credential': 'a kind of credential that is not taken',
} satisfies Record<Refusal, string>;

const inWords = (list: readonly string[]) =>
  list.length < 2 ? list.join() : `${list.slice(0, -1).join(', ')} and/or ${list.at(-1)}`;

/** Of one platform's rows. */
function aboutAnswers(title: string, rows: readonly Played[]): Warning[] {
  const answered = rows.filter(({ reply }) => reply !== undefined);
  const good = answered.filter(({ refuses }) => !refuses);
  const bad = answered.filter(({ refuses }) => refuses);
  const passed = ({ result }: Played) => result.status === 'passed' && !result.expectedFailure;
  const kindsOf = (some: readonly Played[]) =>
    new Set(some.flatMap(({ reply }) => (reply ? [kindOf(reply)] : [])));
  const refusals = kindsOf(bad.filter(passed));
  if (good.length > 0 && [...kindsOf(good)].every((kind) => refusals.has(kind))) {
    return [
      {
        text: `${title}: everything was refused, good requests too. That ${bad.filter(passed).length} were refused as they should be means nothing.`,
        ids: idsOf(bad.filter(passed)),
      },
    ];
  }
  // When no good one came through, whatever is called a success will have been meant as one.
  const met = good.some(passed)
    ? good.filter(passed)
    : good.filter(({ reply }) => reply && reply.status < 300);
  const welcome = kindsOf(met);
  const letIn = bad.filter((one) => !passed(one) && one.reply && welcome.has(kindOf(one.reply)));
  const reasons = new Set(letIn.flatMap(({ result }) => situations[result.because ?? ''] ?? []));
  if (reasons.size === 0) return [];
  return [
    {
      text: `${title}: the same kind of answer as for a good credential is given for ${inWords([...reasons])}. The backend does not look at this, or the fixture names the wrong ones.`,
      ids: idsOf(letIn),
    },
  ];
}

/** Of which one side was not played at all. */
function aboutSkipped(title: string, played: readonly Played[]): Warning[] {
  const skippedAll = (refuses: boolean) => {
    const side = played.filter((one) => one.refuses === refuses);
    const other = played.filter((one) => one.refuses !== refuses);
    const isSkipped = ({ result }: Played) => result.status === 'skipped';
    return side.length > 0 && side.every(isSkipped) && !other.every(isSkipped) ? side : undefined;
  };
  const refused = skippedAll(true);
  const accepted = skippedAll(false);
  return [
    ...(refused
      ? [
          {
            text: `${title}: nothing was played in which somebody must be refused. A backend that lets everybody in would pass, too.`,
            ids: idsOf(refused),
          },
        ]
      : []),
    ...(accepted
      ? [
          {
            text: `${title}: nothing was played in which somebody must be let in. A backend that refuses everybody would pass, too.`,
            ids: idsOf(accepted),
          },
        ]
      : []),
  ];
}

/** A platform that was chosen, and not looked at. */
function aboutNothing(title: string, results: readonly Result[]): Warning[] {
  const nothing = results.length > 0 && results.every(({ status }) => status === 'skipped');
  return nothing
    ? [
        {
          text: `${title}: nothing was played, everything was skipped.`,
          ids: results.map(({ id }) => id),
        },
      ]
    : [];
}

/** Beyond this, in seconds, tokens are over too early or too late. */
const muchSkew = 30;

function aboutTarget(
  { preflight, target }: RunHeader,
  results: readonly Result[],
): readonly Warning[] {
  const { clockSkew = 0, tls = false } = preflight ?? {};
  const asked = results.some(({ calls }) => calls.length > 0);
  return [
    ...(Math.abs(clockSkew) > muchSkew
      ? [
          {
            text: `The clock of the backend is ${Math.abs(clockSkew)} s ${clockSkew > 0 ? 'ahead of' : 'behind'} ours: what is said of expired tokens may be wrong.`,
            ids: [],
          },
        ]
      : []),
    ...(asked && !tls && !isLoopback(target)
      ? [{ text: 'Tokens and passwords went over plain HTTP.', ids: [] }]
      : []),
  ];
}

/** What nobody looks at, because of the level. */
const aboutLevel = ({ level, leftOut }: RunHeader): Warning[] =>
  leftOut.unchecked.map(({ platformTitle, refusals }) => ({
    text: `${platformTitle}: not checked at this level (${level}): ${refusals.map((one) => situations[one] ?? one).join(', ')}.`,
    ids: [],
  }));

/** This machine itself. */
export const isLoopback = (url: string): boolean =>
  /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);

export function warningsOf(
  header: RunHeader,
  entries: readonly Entry[],
  results: readonly Result[],
): readonly Warning[] {
  const refusing = new Set(
    entries.flatMap((entry) =>
      entry.kind === 'row' && mustRefuse(entry.played) ? [entry.played.id] : [],
    ),
  );
  const refuses = ({ id, kind, status, expectedFailure, flows }: Result) =>
    kind === 'row'
      ? refusing.has(id)
      : status === 'passed' && !expectedFailure && !flows.some(({ accepted }) => accepted);
  const titles = new Map(results.map(({ platform, platformTitle }) => [platform, platformTitle]));
  return [
    ...aboutTarget(header, results),
    ...aboutLevel(header),
    ...[...titles].flatMap(([id, title]) => {
      const own = results.filter(({ platform }) => platform === id);
      const selected = entries.filter(({ platform }) => platform.id === id);
      const played = own.map((result) => ({
        result,
        refuses: refuses(result),
        reply: result.calls[0]?.reply,
      }));
      const rows = played.filter(({ result }) => result.kind === 'row');
      return [
        ...aboutAnswers(title, rows),
        // Of a run that ended early nobody knows what would have been skipped.
        ...(own.length === selected.length
          ? [...aboutNothing(title, own), ...aboutSkipped(title, played)]
          : []),
      ];
    }),
  ];
}
