/** What a failure probably comes from, as far as one can tell from outside. A hint, in plain words; not part of the verdict. */
import { headerOf, type Outgoing, type Reply } from './call.ts';
import {
  answersVariable,
  dashboardVariable,
  type Fixture,
  pairsIn,
  parametersVariable,
} from './fixture.ts';
import { isObject, jsonIn } from './json.ts';
import type { Result, Secret } from './report.ts';

/** Before anything is taken out of it: what differs may be a secret. */
export type Failure = Pick<
  Result,
  'platform' | 'calls' | 'differences' | 'because' | 'checks' | 'flows'
>;

/** What is known of the backend. */
export type Known = {
  readonly secrets: readonly Secret[];
  /** Undefined: it is our own. */
  readonly fixture: Pick<Fixture, 'values'> | undefined;
};

/** One of the same run, played before or after. */
export type Other = Pick<Result, 'id' | 'platform' | 'kind' | 'status' | 'because' | 'calls'>;

type Look = Pick<Failure, 'platform' | 'because' | 'differences'> & {
  readonly known: Known;
  readonly request: Outgoing;
  readonly reply: Reply;
  /** Rows of the same platform that were answered. */
  readonly others: readonly Answered[];
};

type Answered = Other & { readonly request: Outgoing; readonly reply: Reply };

/** Undefined: it is not this one. */
type Guess = (look: Look) => string | undefined;

const byProblem: readonly (readonly [problem: RegExp, cause: string])[] = [
  [/^Nobody answers/, 'Is the backend running, and is this its port?'],
  [/cannot be resolved/, 'Is the name of the target spelt right, and public?'],
  [/^TLS/, 'Is the certificate of this host, not expired, and sent with its whole chain?'],
  [
    /^No answer within/,
    'The backend hangs, or is too slow for a platform: they give up after seconds.',
  ],
  [/^The answer is longer/, 'Is this a web page or a download instead of the backend?'],
  [/broke the connection off/, 'Did the backend crash on this request? Look at its log.'],
];

const isTo = (request: Outgoing, location: string, change: (url: URL) => void): boolean => {
  const url = new URL(request.url);
  change(url);
  return URL.canParse(location, request.url) && new URL(location, request.url).href === url.href;
};

const redirected: Guess = ({ request, reply, differences }) => {
  if (reply.status < 300 || reply.status > 399) return undefined;
  if (!differences.some(({ where }) => where === 'status')) return undefined;
  const location = headerOf(reply, 'location') ?? '';
  if (
    isTo(request, location, (url) => {
      url.protocol = 'https:';
    })
  ) {
    return 'http is redirected to https, and platforms follow no redirect: give the https address.';
  }
  if (
    isTo(request, location, (url) => {
      url.pathname += '/';
    })
  ) {
    return 'The path is redirected to itself with a slash behind it; platforms follow no redirect.';
  }
  return 'It is redirected, to a sign-in page or another host? Platforms follow no redirect.';
};

const isHtml = (reply: Reply) =>
  /html/i.test(headerOf(reply, 'content-type') ?? '') || /^\s*<(!doctype|html)/i.test(reply.text);

const html: Guess = ({ reply, differences }) => {
  if (!isHtml(reply) || differences.length === 0) return undefined;
  if (/ngrok|cloudflare|loca\.lt|localtunnel/i.test(reply.text)) {
    return "HTML came, of a tunnel: is this its warning page, or is the tunnel's other end not running?";
  }
  if (reply.status < 300) {
    return 'HTML came: is there a sign-in page or a tunnel in front of the backend, or is this the web site?';
  }
  return undefined;
};

const authorizationOf = ({ headers }: Outgoing) =>
  Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? '';

/** What came where something else had to. */
const wrongStatus = ({ reply, differences }: Look): number | undefined =>
  differences.some(({ where }) => where === 'status') ? reply.status : undefined;

/** What the request says, by name: parameters, the members of JSON, and what an Authorization is of. */
function saidIn({ url, headers, body = '' }: Outgoing): readonly (readonly [string, string])[] {
  const leaves = (name: string, value: unknown): [string, string][] => {
    if (Array.isArray(value)) return value.flatMap((inner) => leaves(name, inner));
    return isObject(value)
      ? Object.entries(value).flatMap(([key, inner]) => leaves(key, inner))
      : [[name, String(value)]];
  };
  const parsed = jsonIn(body);
  return [
    ...new URL(url).searchParams,
    ...(isObject(parsed) ? leaves('', parsed) : new URLSearchParams(body)),
    ...Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      /^(authorization|.*token.*)$/i.test(name) ? [[name, value.replace(/^\w+ +/, '')]] : [],
    ),
  ];
}

/** The user's tokens and passwords in it. The platform's own key and secret come as Basic, and tell nothing of him. */
const credentialsIn = (request: Outgoing, { secrets }: Known): ReadonlySet<string> =>
  new Set(
    saidIn(request)
      .map(([, said]) => said)
      .filter((said) => secrets.some(({ value }) => value === said)),
  );

const share = (one: ReadonlySet<string>, other: ReadonlySet<string>) =>
  [...one].some((value) => other.has(value));

const contentTypeOf = ({ headers }: Outgoing) =>
  Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1];

/** In plain words, what this request has and the other one has not. */
function unlike(request: Outgoing, other: Outgoing): readonly string[] {
  const names = new Set(saidIn(other).map(([name]) => name.toLowerCase()));
  const more = [...new Set(saidIn(request).map(([name]) => name))].filter(
    (name) => name !== '' && !names.has(name.toLowerCase()),
  );
  const type = contentTypeOf(request);
  return [
    ...(request.method === other.method ? [] : [`the method ${request.method}`]),
    ...more.map((name) => `the parameter ${name}`),
    ...(type === contentTypeOf(other) ? [] : [`the Content-Type ${type ?? '(there is none)'}`]),
  ];
}

/** One with the same credential that was let in; the most similar. */
function acceptedWithTheSame({ request, others, known }: Look): Answered | undefined {
  const credentials = credentialsIn(request, known);
  return others
    .filter(
      (one) =>
        one.status === 'passed' &&
        one.because === undefined &&
        one.reply.status < 300 &&
        share(credentials, credentialsIn(one.request, known)),
    )
    .toSorted((a, b) => unlike(request, a.request).length - unlike(request, b.request).length)[0];
}

const refusedHere: Guess = (look) => {
  const { request, reply, because, differences } = look;
  if (because !== undefined || reply.status >= 500 || reply.status === 404) return undefined;
  const saysNo = reply.status >= 400 || refusal.test(reply.text);
  const other = saysNo && differences.length > 0 ? acceptedWithTheSame(look) : undefined;
  if (!other) return undefined;
  const unlikeIt = unlike(request, other.request);
  if (unlikeIt.length === 0) return undefined;
  const isParameter = unlikeIt.some((one) => one.startsWith('the parameter '));
  const mend = isParameter
    ? ` If yours is called otherwise, ${parametersVariable(other.platform)} can say so.`
    : '';
  return `The same credential was accepted in ${other.id}; what differs here is ${unlikeIt.join(', ')}.${mend}`;
};

/** Those that got the very same answer. */
const alikeAmong = (others: readonly Answered[], { status, text }: Reply) =>
  others.filter(({ reply }) => reply.status === status && reply.text === text);

/** Whether this is how the backend says no, as far as the other rows tell. */
const isRefusal = (reply: Reply, others: readonly Answered[]) =>
  alikeAmong(others, reply).some((one) => one.because !== undefined && one.status === 'passed');

/** A good request that is answered with somebody else. */
const everybodyTheSame: Guess = ({ request, reply, because, differences, others, known }) => {
  if (because !== undefined || reply.status >= 300 || reply.text === '') return undefined;
  if (!differences.some(({ where }) => where.startsWith('body'))) return undefined;
  const credentials = credentialsIn(request, known);
  if (credentials.size === 0 || isRefusal(reply, others)) return undefined;
  const alike = alikeAmong(others, reply).filter((one) => {
    const theirs = credentialsIn(one.request, known);
    return theirs.size > 0 && !share(credentials, theirs);
  });
  return alike.length > 0
    ? `Requests with other credentials got the very same answer (${alike
        .slice(0, 3)
        .map(({ id }) => id)
        .join(', ')}): is everybody answered alike?`
    : undefined;
};

const unauthorized: Guess = (look) => {
  if (wrongStatus(look) !== 401) return undefined;
  const authorization = authorizationOf(look.request);
  const same = look.others.find(
    (one) =>
      one.status === 'passed' &&
      one.reply.status < 300 &&
      authorization !== '' &&
      authorizationOf(one.request) === authorization,
  );
  if (same)
    return `The same Authorization was accepted in ${same.id}: something else is refused here.`;
  if (/^basic /i.test(authorization)) {
    return "Is it the right pair of API key and secret? The key is the user name, the secret the password; are they swapped, or another service's?";
  }
  if (/^bearer /i.test(authorization)) {
    return 'Is the token of the fixture still good, and issued for this backend?';
  }
  return 'Does something in front of the backend ask for credentials that the platform does not have?';
};

const byStatus: Readonly<Record<number, string>> = {
  403: 'A firewall, an allow-list of addresses, or a CSRF check that a platform cannot pass?',
  404: 'Is there a prefix before this path, as /api? A SCENARIO_PATH_… variable of the fixture can say so; none when it is not served.',
  405: 'Is the route there for another method only?',
  406: 'Platforms send no Accept, or one of their own: it must not matter.',
  411: 'Something in front of the backend wants a length where there is no body.',
  415: 'The body is refused for its Content-Type: is only JSON, or only a form, parsed?',
  429: 'Too many requests: pause between them with --delay, or let the platform have more.',
  502: 'A proxy answers: is the backend behind it running?',
  503: 'The backend, or the proxy before it, is not ready: is its database there?',
  504: 'A proxy answers: is the backend behind it too slow?',
};

const status: Guess = (look) => {
  const came = wrongStatus(look);
  if (came === undefined) return undefined;
  const known = byStatus[came];
  if (known) return known;
  return came >= 500
    ? 'An error was thrown where an answer was meant: look at the log of the backend.'
    : undefined;
};

const letIn =
  /"(authenticated|success)"\s*:\s*true|"result"\s*:\s*"OK"|"(user|uid|userid|user_id|subject|audience)"\s*:\s*["{\d]/i;

const overlooked: Readonly<Record<string, string>> = {
  unknown: 'A credential that nobody issued is answered like a good one: is it looked up at all?',
  expired: 'Its expiry is not looked at.',
  revoked: 'Whether it was revoked is not looked at.',
  'user-suspended': "The user's status is not looked at: active and suspended are answered alike.",
  'group-suspended': "The status of the user's group is not looked at.",
  'insufficient-scope': 'What the token was issued for (its scope) is not looked at.',
  'wrong-audience': 'For whom the token was issued (its audience) is not looked at.',
  'wrong-password': 'The password is not looked at.',
  'another-user': 'Whether the token belongs to the user in the request is not looked at.',
  'service-not-allowed': 'Which services the group may use is not looked at.',
  'no-credential': 'An answer is made up without exactly one credential in the request.',
};

const accepted: Guess = ({ because, reply, differences }) =>
  because !== undefined && differences.length > 0 && reply.status < 300 && letIn.test(reply.text)
    ? (overlooked[because] ?? 'Who had to be refused is let in.')
    : undefined;

const isNumberIn = (one: unknown, other: unknown) =>
  typeof one === 'number' && typeof other === 'string' && String(one) === other;

const wrongType: Guess = ({ differences }) => {
  const asText = differences.find(({ expected, actual }) => isNumberIn(expected, actual));
  if (asText) return `${asText.where} is a string where the platform wants a number.`;
  const asNumber = differences.find(({ expected, actual }) => isNumberIn(actual, expected));
  return asNumber && `${asNumber.where} is a number where the platform wants a string.`;
};

/** A body that is compared byte for byte. */
const sameJson: Guess = ({ differences }) => {
  const body = differences.find(({ where }) => where === 'body');
  if (typeof body?.expected !== 'string' || typeof body.actual !== 'string') return undefined;
  const [expected, actual] = [body.expected, body.actual].map(jsonIn);
  if (expected === undefined || actual === undefined) return undefined;
  if (JSON.stringify(expected) === JSON.stringify(actual)) {
    return 'The same JSON with other white space.';
  }
  const unquoted = (text: string) => text.replace(/"(-?\d+)"/g, '$1').replace(/\s/g, '');
  return unquoted(body.expected) === unquoted(body.actual)
    ? 'A number is a string in it, or the other way round.'
    : undefined;
};

const plain = (where: string) => where.toLowerCase().replace(/[^a-z.]/g, '');

const otherCase: Guess = ({ differences }) => {
  const missing = differences.filter(({ actual }) => actual === undefined);
  const surplus = differences.filter(({ expected }) => expected === undefined);
  for (const { where } of missing) {
    const other = surplus.find((one) => plain(one.where) === plain(where));
    if (other) return `${other.where} has to be spelt ${where.split('.').at(-1)}.`;
  }
  return undefined;
};

/** The scalars in JSON by their dotted paths; a list is one of them. */
const placesIn = (value: unknown, path: readonly string[] = []): [string, unknown][] =>
  isObject(value)
    ? Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]))
    : [[path.join('.'), value]];

/** What must be there stands in another place, and in one only. */
const elsewhere: Guess = ({ platform, reply, because, differences, known: { fixture } }) => {
  if (!fixture || because !== undefined) return undefined;
  const places = placesIn(jsonIn(reply.text));
  const found = differences
    .filter(({ where, actual }) => where.startsWith('body.') && actual === undefined)
    .flatMap(({ where, expected }) => placesIn(expected, [where.slice('body.'.length)]))
    .flatMap(([name, expected]) => {
      const there = places.filter(([, value]) => value === expected).map(([place]) => place);
      const [place = ''] = there;
      const isFact = ['number', 'string'].includes(typeof expected);
      const canBeSaid = [name, place].every((one) => /^[\w.-]+$/.test(one));
      return there.length === 1 && isFact && canBeSaid ? [{ name, expected, place }] : [];
    });
  if (found.length === 0) return undefined;
  const variable = answersVariable(platform);
  const said = [...pairsIn(fixture.values[variable])];
  const ours = (name: string) => said.find(([, theirs]) => theirs === name)?.[0] ?? name;
  const all = new Map([...said, ...found.map(({ name, place }) => [ours(name), place] as const)]);
  const pairs = [...all].map((pair) => pair.join('='));
  const stands = found.map(({ expected, place }) => `${expected} stands at body.${place}`);
  return `${stands.join(', ')}: ${variable}=${pairs.join(',')} can say so, if the platform is set to look there.`;
};

const body: Guess = ({ request, reply, differences }) => {
  if (!differences.some(({ where }) => where.startsWith('body'))) return undefined;
  const encoding = headerOf(reply, 'content-encoding');
  if (encoding && encoding !== 'identity') {
    return `The answer is compressed (${encoding}), though nobody asked for that.`;
  }
  if (reply.text.startsWith('\uFEFF')) return 'There is a byte order mark before the JSON.';
  if (reply.text === '' && request.method !== 'HEAD') return 'The answer has no body.';
  return undefined;
};

const caching: Guess = ({ differences }) =>
  differences.length === 1 && differences[0]?.where === 'header cache-control'
    ? 'The answer is right, but may be cached on its way. That it may not be is our choice: --level seen does not ask for it.'
    : undefined;

const contentType: Guess = ({ differences }) =>
  differences.length === 1 && differences[0]?.where === 'header content-type'
    ? 'The body is right, but is not called JSON.'
    : undefined;

const refusal = /"authenticated"\s*:\s*false|"result"\s*:\s*"Not found"|invalid|expired|denied/i;

const refused: Guess = ({ because, reply, differences, others }) =>
  because === undefined &&
  differences.some(({ where }) => where === 'status' || where.startsWith('body')) &&
  (reply.status === 400 ||
    reply.status === 422 ||
    refusal.test(reply.text) ||
    isRefusal(reply, others))
    ? 'A good credential is refused: is that of the fixture still good, and do the clocks agree?'
    : undefined;

/** The first that fits is told. */
const guesses: readonly Guess[] = [
  redirected,
  html,
  refusedHere,
  everybodyTheSame,
  unauthorized,
  status,
  accepted,
  wrongType,
  sameJson,
  otherCase,
  elsewhere,
  body,
  contentType,
  caching,
  refused,
];

const answeredIn = (others: readonly Other[]): readonly Answered[] =>
  others.flatMap((one) => {
    const [first] = one.calls;
    return one.kind === 'row' && first?.reply
      ? [{ ...one, request: first.request, reply: first.reply }]
      : [];
  });

const firstOf = (some: readonly Guess[], look: Look): string | undefined => {
  for (const guess of some) {
    const cause = guess(look);
    if (cause) return cause;
  }
  return undefined;
};

/** What no platform is answered on purpose. */
const inAnyStory: readonly Guess[] = [redirected, html, status];

/** Of a story: by the answer that came last before the first statement that does not hold. */
function causeInStory(
  { platform, checks: [check], flows }: Failure,
  others: readonly Other[],
  known: Known,
): string | undefined {
  const flow = check && flows[check.flow];
  const last = flow?.exchanges.findLast(({ to }) => to === 'Backend');
  // What a browser is shown, every backend has of its own.
  if (!flow || !last?.reply || last.from === 'Browser') return undefined;
  const { request, reply, concluded } = last;
  const saysNo =
    [400, 401, 403, 422].includes(reply.status) || isRefusal(reply, answeredIn(others));
  const differences = [{ where: 'status', expected: 200, actual: reply.status }];
  const look = { platform, request, reply, because: undefined, differences, others: [], known };
  const strange = saysNo ? undefined : firstOf(inAnyStory, look);
  if (strange) return strange;
  const rows = others.filter((one) => one.kind === 'row' && one.status === 'failed');
  if (rows.length > 0) {
    const ids = rows.slice(0, 3).map(({ id }) => id);
    return `Rows of this platform fail, too: begin with ${ids.join(', ')}.`;
  }
  if (flow.accepted) return check.actual === true ? 'Who had to be refused is let in.' : undefined;
  if (saysNo || refusal.test(reply.text)) {
    return 'The backend refuses. If it should not: is that credential of the fixture still good, and do the clocks agree?';
  }
  return known.fixture
    ? `The backend does not refuse, but what the platform makes of it is: ${concluded}. What it looks at is set in its dashboard; ${dashboardVariable(platform)} can say how yours is set.`
    : undefined;
}

/**
 * Undefined: nothing comes to mind.
 *
 * @param others of the same platform and run
 */
export function likelyCauseOf(
  failure: Failure,
  others: readonly Other[],
  known: Known,
): string | undefined {
  const { platform, calls, differences, because } = failure;
  const unanswered = calls.find(({ problem }) => problem !== undefined);
  if (unanswered?.problem !== undefined) {
    const { problem } = unanswered;
    return byProblem.find(([pattern]) => pattern.test(problem))?.[1];
  }
  if (failure.checks.length > 0) return causeInStory(failure, others, known);
  const last = calls.at(-1);
  if (!last?.reply) return undefined;
  const { request, reply } = last;
  const look = {
    platform,
    request,
    reply,
    because,
    differences,
    others: answeredIn(others),
    known,
  };
  return firstOf(guesses, look);
}
