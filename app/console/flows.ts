/**
 * A platform's flow, played against this very server over real HTTP, and kept as it went: redacted at once, as calls are. What
 * the simulators know (Authlete's apps, Pango's devices) lives as long as the process, or until they are reset.
 */
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { demoClient } from '../../prisma/seed.ts';
import { newToken } from '../oauth/secrets.ts';
import type { Preset } from '../oauth/sign-in.ts';
import { headerOf } from '../scenarios/call.ts';
import { people } from '../scenarios/cast.ts';
import type { Exchange, Flow } from '../scenarios/exchange.ts';
import { type PlayedPlatform, setUp } from '../scenarios/platforms-server.ts';
import type { Beginning, Visitor } from '../scenarios/simulator.ts';
import { findClient } from '../store/clients.ts';
import { decideUser } from '../verification/decide.ts';
import type { Refusal } from '../verification/verdict.ts';
import { type Body, bodyOf, type Call, type CallLog, playedRequestId } from './calls.ts';
import type { AnsweredPlatform, House } from './page.ts';
import { type Headers, type Hidden, redact } from './redaction.ts';
import { ownOrigin } from './replay.ts';

/** Runs that are kept. */
export const mostRuns = 50;

/** How long a token for a visitor is good, in seconds: as long as a platform may take to ask. */
export const tokenLifetime = 60;

/** For a call to be in the log once it is answered, in ms. */
const patience = 500;

// ── What the visitor brings

/** The order in which they are offered; the first is what happens every day. */
const variantWords = {
  password: {
    good: 'the right password',
    wrong: 'a wrong password',
    none: 'no password',
  },
  token: {
    good: 'a good token',
    none: 'no token',
    unknown: 'an unknown token',
    expired: 'an expired token',
    revoked: 'a revoked token',
    typed: 'a token you paste',
  },
} as const;

export type Variant = keyof typeof variantWords.password | keyof typeof variantWords.token;

export type NamedVariant = { readonly name: Variant; readonly words: string };

/** Those that the console issues. */
const issued: readonly Variant[] = ['good', 'expired', 'revoked'];

/** Whether tokens that we issue are those that are verified here. */
export const issuesTokens = ({ config }: Pick<House, 'config'>): boolean =>
  config.TOKEN_SOURCE === 'local';

/** What somebody can bring to a flow that begins so. */
export function variantsOf(house: Pick<House, 'config'>, begins: Beginning): NamedVariant[] {
  const all = Object.entries(variantWords[begins.with]).map(([name, words]) => ({
    name: name as Variant,
    words,
  }));
  if (begins.with === 'password' || issuesTokens(house)) return all;
  return all.filter(({ name }) => !issued.includes(name)).toReversed();
}

/** As a form has it. */
export type Asked = {
  readonly login: string;
  readonly variant: Variant;
  /** Typed in; empty where none was. */
  readonly password: string;
  readonly token: string;
};

/** A token that was handed to the App without asking anybody. */
export type Given = { readonly scope: readonly string[]; readonly variant: Variant };

export type Brought =
  | { readonly visitor: Visitor; readonly given?: Given }
  /** Why there is nothing to bring. */
  | { readonly problem: string };

export async function issueToken(
  { services }: Pick<House, 'services'>,
  {
    login,
    scope,
    ttl,
    actor,
  }: { login: string; scope: readonly string[]; ttl: number; actor: string },
): Promise<{ token: string } | { problem: string }> {
  const found = await services.users.findUserByLogin(login);
  if (!found) return { problem: `There is no user ${login}: nobody issues a token to him.` };
  const clientId = demoClient.id;
  if (!(await findClient(services.database, clientId))) {
    return { problem: `Tokens are issued to the client ${clientId}, and this database has none.` };
  }
  const { uid } = found.user;
  return services.tokens.issue({ clientId, uid, scope, ttl, actor });
}

/** @param actor for the audit trail, which has every token */
export async function bring(
  house: Pick<House, 'services'>,
  begins: Beginning,
  { login, variant, password, token }: Asked,
  presets: readonly Preset[],
  actor: string,
): Promise<Brought> {
  if (begins.with === 'password') {
    if (variant === 'none') return { visitor: { login } };
    if (variant === 'wrong') return { visitor: { login, password: `not-${newToken()}` } };
    const known = presets.find((one) => one.login === login)?.password ?? '';
    return { visitor: { login, password: password || known } };
  }
  if (variant === 'none') return { visitor: { login } };
  if (variant === 'unknown') return { visitor: { login, token: newToken() } };
  if (variant === 'typed') {
    return token === ''
      ? { problem: 'Paste a token, or choose something else to bring.' }
      : { visitor: { login, token } };
  }
  const { scope } = begins;
  const ttl = variant === 'expired' ? -1 : tokenLifetime;
  const got = await issueToken(house, { login, scope, ttl, actor });
  if ('problem' in got) return got;
  if (variant === 'revoked') await house.services.tokens.revoke(got.token, actor);
  return { visitor: { login, token: got.token }, given: { scope, variant } };
}

/** Whoever of the seed is here. */
export async function seeded({
  services: { users },
}: Pick<House, 'services'>): Promise<Omit<Preset, 'password'>[]> {
  const found = await Promise.all(people.map(({ login }) => users.findUserByLogin(login)));
  return found.flatMap((facts) =>
    facts
      ? [
          {
            login: facts.user.login,
            name: facts.user.name,
            suspended: !decideUser(facts).accepted,
          },
        ]
      : [],
  );
}

// ── The platforms, played

/** A platform of this configuration that has a simulator. */
export type Playable = AnsweredPlatform & {
  readonly simulator: NonNullable<AnsweredPlatform['platform']['simulator']>;
};

export const playable = (platforms: readonly AnsweredPlatform[]): Playable[] =>
  platforms.flatMap((one) =>
    one.platform.simulator ? [{ ...one, simulator: one.platform.simulator }] : [],
  );

/**
 * The platform as new.
 *
 * @param backend whom it asks: this server, by one of its addresses
 * @throws {ConfigError} when it cannot be set up
 */
export function newlyPlayed(
  { platform, settings }: AnsweredPlatform,
  backend: string,
): PlayedPlatform {
  const { id, simulator } = platform;
  const [played] = setUp([platform], {
    backend,
    variables: settings,
    file: { [id]: simulator?.demonstration ?? {} },
    options: { requestId: playedRequestId },
  });
  if (!played) throw new Error(`${id} has no simulator`);
  return played;
}

/** The platforms as they are played in this process: each remembers what went on. */
export type Stages = {
  readonly of: (platform: AnsweredPlatform, socket: Socket) => PlayedPlatform;
  readonly reset: (id: string) => void;
};

export function createStages(): Stages {
  const stages = new Map<string, PlayedPlatform>();
  return {
    of(platform, socket) {
      const { id } = platform.platform;
      const stage = stages.get(id) ?? newlyPlayed(platform, ownOrigin(socket));
      stages.set(id, stage);
      return stage;
    },
    reset(id) {
      stages.delete(id);
    },
  };
}

const requestIdOf = ({ to, reply }: Exchange) =>
  to === 'Backend' && reply ? headerOf(reply, 'X-Request-Id') : undefined;

/** A flow, and what the log has of it. */
export type Watched = {
  readonly flow: Flow;
  readonly callOf: (exchange: Exchange) => Call | undefined;
  /** Why a page of ours let nobody in. */
  readonly becauseOf: (exchange: Exchange) => Refusal | undefined;
};

export async function watched(log: CallLog, play: () => Promise<Flow>): Promise<Watched> {
  const arrived = new Map<string, Call>();
  const pages = new Map<string, Refusal | undefined>();
  let look = () => {};
  const end = log.listen((event) => {
    if ('call' in event) arrived.set(event.call.requestId, event.call);
    if ('page' in event) pages.set(event.page.requestId, event.page.because);
    look();
  });
  try {
    const flow = await play();
    const ids = flow.exchanges.flatMap((one) => requestIdOf(one) ?? []);
    // A call is in the log when its connection is done with it, a little after the answer.
    const all = new Promise<void>((resolve) => {
      look = () => {
        if (ids.every((id) => arrived.has(id) || pages.has(id))) resolve();
      };
      look();
    });
    await Promise.race([all, pause(patience, undefined, { ref: false })]);
    const callOf = (exchange: Exchange) => arrived.get(requestIdOf(exchange) ?? '');
    const becauseOf = (exchange: Exchange) => pages.get(requestIdOf(exchange) ?? '');
    return { flow, callOf, becauseOf };
  } finally {
    end();
  }
}

/** A request to this backend, and how the log has it. */
type AskedBackend = Pick<Exchange, 'to' | 'order'> & { readonly call: Call | undefined };

/**
 * What the platform's decision rests on: where it let the user in, the last answer that accepted; where it did not, whatever
 * went wrong on our side, else the last answer. Undefined: it decided without us.
 */
export function decisive<One extends AskedBackend>(
  exchanges: readonly One[],
  accepted: boolean,
): One | undefined {
  const asked = exchanges
    .filter(({ to }) => to === 'Backend')
    .toSorted((a, b) => a.order.reply - b.order.reply);
  const telling = accepted
    ? asked.findLast(({ call }) => call?.outcome === 'accepted')
    : asked.find(({ call }) => call?.chaos || call?.outcome === 'fault');
  return telling ?? asked.at(-1);
}

// ── Runs

/** An exchange without its secrets. */
export type KeptExchange = Omit<Exchange, 'request' | 'reply'> & {
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Headers;
    readonly body: Body;
  };
  readonly reply:
    | {
        readonly status: number;
        readonly headers: Headers;
        readonly body: Body;
        readonly ms: number;
      }
    | undefined;
  readonly hidden: readonly Hidden[];
  /** As the log had it. */
  readonly call: Call | undefined;
  /** Of a page of ours, which the log has not. */
  readonly because: Refusal | undefined;
};

export type Run = {
  readonly id: number;
  readonly at: Date;
  readonly platform: { readonly id: string; readonly title: string };
  readonly login: string;
  readonly variant: Variant;
  /** What the console had to be told to play it: it cannot be played again without. */
  readonly typed: boolean;
  readonly given: Given | undefined;
  readonly exchanges: readonly KeptExchange[];
  readonly accepted: boolean;
  readonly outcome: string;
};

/** @param token the visitor's, which is taken out wherever it stands */
export function keepExchange(
  exchange: Exchange,
  call: Call | undefined,
  token: string | undefined,
  because?: Refusal,
): KeptExchange {
  const { request, reply } = exchange;
  const body = bodyOf(request.body);
  const replied = bodyOf(reply?.text);
  const { wire, hidden } = redact(
    {
      url: request.url,
      requestHeaders: Object.entries(request.headers),
      requestBody: body.text,
      responseHeaders: reply?.headers ?? [],
      responseBody: replied.text,
    },
    { values: token ? [token] : [] },
  );
  return {
    ...exchange,
    request: {
      method: request.method,
      url: wire.url,
      headers: wire.requestHeaders,
      body: { ...body, text: wire.requestBody },
    },
    reply: reply && {
      status: reply.status,
      headers: wire.responseHeaders,
      body: { ...replied, text: wire.responseBody },
      ms: reply.ms,
    },
    hidden,
    call,
    because,
  };
}

export type Runs = {
  readonly add: (run: Omit<Run, 'id'>) => Run;
  readonly find: (platform: string, id: number) => Run | undefined;
  /** Newest first. */
  readonly all: () => readonly Run[];
};

export function createRuns(): Runs {
  /** Oldest first. */
  const runs: Run[] = [];
  let lastId = 0;
  return {
    add(run) {
      lastId += 1;
      const kept = { ...run, id: lastId };
      runs.push(kept);
      if (runs.length > mostRuns) runs.shift();
      return kept;
    },
    find: (platform, id) => runs.find((run) => run.id === id && run.platform.id === platform),
    all: () => runs.toReversed(),
  };
}
