/**
 * AURORA's side, played: the REST-server's authenticator `OAuthAccessToken`, with its tree of groups and users in memory.
 *
 *   POST /doAuth
 *   {"authtype":"OAuthAccessToken","authstr":"<token>"}
 *   {"received":1593585453.396,"delivered":1593585453.443,"err":0,"errstr":"","id":12}
 *
 * By the documentation of `generate()`, `validate()` and their settings; with `released`, what the published code can do. Known
 * from that code, and the same in both: what is sent to the backend, how often, and in which order an answer is looked at.
 *
 * https://github.com/janfrodej/Aurora, server/bin/restsrvc.pl and server/lib/Authenticator/OAuthAccessToken.pm
 *
 * Where the documentation is silent, we chose:
 * - Of all the methods of the REST-server there is doAuth, which does nothing but authenticate. It answers 200, `err` is 1
 *   for every failure, and the error texts are our own.
 * - `domains` are compared with the domain of the e-mail address: at the vendor's own university the user names of students and
 *   of staff have the same one. Where all entries begin with `!`, every other domain is allowed.
 * - A user who is found by e-mail, and who has no OAuth user name yet, is that user.
 */
import { z } from 'zod';
import { type Answer, json } from '../../http/answer.ts';
import type { Endpoint } from '../../http/endpoint.ts';
import type { CallOptions, Reply } from '../../scenarios/call.ts';
import {
  ask,
  askPlayed,
  createRecorder,
  type Flow,
  type Recorder,
} from '../../scenarios/exchange.ts';
import { isObject, jsonIn } from '../../scenarios/json.ts';
import { type Simulator, simulator, type Visitor } from '../../scenarios/simulator.ts';
import { cleanAddress, isLocal } from './aurora.accounts.ts';

const list = z.array(z.string());
const off = z.union([z.literal(0), z.literal(1)]).default(0);

/** `system.auth.oauthaccesstoken.*`, by the vendor's names. The defaults fit this backend; the vendor's own are in brackets. */
const settings = z.object({
  audience: z
    .string()
    .default('demo-app')
    .describe('What `audience` must say: the client id that tokens are issued to.')
    .meta({ example: 'your-client-id' }),
  host: z.string().default('').describe("Host of the endpoint, [none]. Empty: the backend's."),
  endpoint: z
    .string()
    .startsWith('/')
    .default('/userinfo')
    .describe('Path of the user information, [none].'),
  emailfield: list
    .default(['user', 'email'])
    .describe(
      'Where the e-mail address is, key by key. [["email"]], which an empty list means too.',
    ),
  namefield: list.default(['user', 'name']).describe('Where the full name is, [none].'),
  userfield: list.default(['user', 'userid_sec']).describe('Where the user name is, [none].'),
  createuser: off.describe('1: a user who is not found is created. [0]'),
  createsorted: off.describe("1: below a group of his name's first letter. [0]"),
  userparent: z.int().default(1).describe('The group below which users are created. [1, the root]'),
  usergroup: z
    .int()
    .default(0)
    .describe('The group that created users are made members of; 0 or lower: none. [none]'),
  domains: list
    .default([])
    .describe(
      'Domains that may sign in, with * anywhere, or may not, with ! before. Empty: all. [[]]',
    ),
  released: z
    .boolean()
    .default(false)
    .describe("true: only what the published code can do. Not one of the vendor's settings."),
});

export type AuroraSettings = z.input<typeof settings>;

export type AuroraGroup = {
  readonly type: 'GROUP';
  readonly id: number;
  /** The root is its own. */
  readonly parent: number;
  readonly name: string;
  readonly members: readonly number[];
};

export type AuroraUser = {
  readonly type: 'USER';
  readonly id: number;
  readonly parent: number;
  readonly email: string;
  readonly fullname: string;
  readonly oauthUser: string | undefined;
};

export type AuroraEntity = AuroraGroup | AuroraUser;

/** What `validate()` says. */
export type Validated = {
  /** The user's entity id. 0: not found, or any failure of the released code. Undefined: a failure. */
  readonly id: number | undefined;
  /** Undefined when the user was found. */
  readonly error: string | undefined;
};

export type Aurora = Simulator & {
  /** The cleaned token; undefined, with an error, when it has other characters. */
  readonly generate: (token: string) => {
    readonly token: string | undefined;
    readonly error: string | undefined;
  };
  readonly validate: (token: string) => Promise<Validated>;
  readonly entities: () => readonly AuroraEntity[];
  /** @returns its id. `parent` is the root by default */
  readonly addGroup: (name: string, parent?: number) => number;
  /** @returns his id */
  readonly addUser: (user: {
    readonly email: string;
    readonly fullname: string;
    readonly oauthUser?: string;
    readonly parent?: number;
  }) => number;
};

const root = 1;

/** Entities by id, counted from 1. */
function createTree() {
  const entities: AuroraEntity[] = [
    { type: 'GROUP', id: root, parent: root, name: 'ROOT', members: [] },
  ];
  const groups = () => entities.filter((one) => one.type === 'GROUP');
  const put = (entity: AuroraEntity): number => {
    entities[entity.id - 1] = entity;
    return entity.id;
  };
  const newId = () => entities.length + 1;
  return {
    entities: () => [...entities],
    groups,
    users: () => entities.filter((one) => one.type === 'USER'),
    group: (id: number) => groups().find((one) => one.id === id),
    put,
    addGroup: (name: string, parent = root) =>
      put({ type: 'GROUP', id: newId(), parent, name, members: [] }),
    addUser: ({ parent = root, oauthUser, ...user }: Parameters<Aurora['addUser']>[0]) =>
      put({ type: 'USER', id: newId(), parent, oauthUser, ...user }),
  };
}

/** Cut there. In characters. */
const longestToken = 4096;

function generate(token: string): ReturnType<Aurora['generate']> {
  return /^[A-Za-z0-9\-._~+/]+=*$/.test(token)
    ? { token: token.slice(0, longestToken), error: undefined }
    : { token: undefined, error: 'the token has characters that no access token has' };
}

/** Whether a domain may sign in: no `!` entry matches it, and one of the others does, if there are any. */
export function domainAllowed(domain: string, patterns: readonly string[]): boolean {
  const matches = (pattern: string) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`, 'i').test(domain);
  };
  const isDenial = (pattern: string) => pattern.startsWith('!');
  const denied = patterns.filter(isDenial).some((pattern) => matches(pattern.slice(1)));
  const allowing = patterns.filter((pattern) => !isDenial(pattern));
  return !denied && (allowing.length === 0 || allowing.some(matches));
}

/** Letters of no decomposition, by the first letter of their name in Unicode: LATIN CAPITAL LETTER O WITH STROKE. */
const latin: Readonly<Record<string, string>> = {
  ...{ Æ: 'A', Ø: 'O', Œ: 'O', Đ: 'D', Ð: 'E', Þ: 'T', Ł: 'L' },
};

/** The name of the group that a user is sorted into: A to Z, whatever his name begins with. */
export function sortingLetter(name: string): string {
  const [first = ''] = name.normalize('NFD').toUpperCase();
  const letter = latin[first] ?? first;
  if (/^[A-Z]$/.test(letter)) return letter;
  return String.fromCharCode(65 + ((name.codePointAt(0) ?? 0) % 26));
}

/** Who the backend says it is. */
type Identity = {
  readonly email: string;
  readonly name: string | undefined;
  readonly oauthUser: string;
};

/** Why it does not work out, in words; and what doAuth says as `err`. */
type Failure = { readonly error: string; readonly err: 0 | 1 };

const failure = (error: string, err: Failure['err'] = 1): Failure => ({ error, err });

/** The published code drops raw UTF-8, and undoes escapes before it reads the JSON. */
const asReleased = (text: string) =>
  text
    .replace(/[\u0080-\uffff]/g, '')
    .replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );

/** Of a whole authentication. */
type Outcome = Failure & { readonly id: number | undefined };

function inWords({ id, error, err }: Outcome): string {
  if (id) return `AURORA lets the user in: entity ${id}`;
  if (err === 0) return `AURORA's login page takes a failure for a success: ${error}`;
  return `AURORA refuses the login: ${error}`;
}

type Said = { readonly object: Readonly<Record<string, unknown>> } | Failure;

function decode(text: string, released: boolean): Said {
  const parsed = jsonIn(released ? asReleased(text) : text);
  if (parsed === undefined) {
    // The published code has no number for this error, so that its login page sees none.
    return failure('the answer of the endpoint is not JSON', released ? 0 : 1);
  }
  return isObject(parsed)
    ? { object: parsed }
    : failure(
        `the answer of the endpoint is not a JSON object${released ? ': AURORA crashes' : ''}`,
      );
}

/** @param backend without a trailing slash */
export function createAurora(
  backend: string,
  given: AuroraSettings = {},
  options: CallOptions = {},
): Aurora {
  const set = settings.parse(given);
  const tree = createTree();
  const url = set.host
    ? `${new URL(backend).protocol}//${set.host}${set.endpoint}`
    : `${backend}${set.endpoint}`;

  /** The published code can follow two keys only. */
  function valueAt(object: unknown, path: readonly string[]): unknown {
    if (set.released && path.length !== 2) return undefined;
    return path.reduce((value, key) => (isObject(value) ? value[key] : undefined), object);
  }

  function identityIn({ text }: Reply): Identity | Failure {
    const said = decode(text, set.released);
    if ('error' in said) return said;
    const { audience } = said.object;
    if (audience === undefined) return failure('the answer names no audience');
    if (set.audience === '' || audience !== set.audience) {
      return failure('the audience is not the one that is set');
    }
    const emailfield = set.emailfield.length === 0 ? ['email'] : set.emailfield;
    const address = valueAt(said.object, emailfield);
    if (address === undefined) return failure(`the answer has no ${emailfield.join('.')}`);
    const email = cleanAddress(String(address));
    if (email === undefined) return failure('the e-mail address is of no form that is known');
    if (isLocal(email)) return failure('an e-mail address at localhost is reserved');
    if (!set.released && !domainAllowed(email.slice(email.indexOf('@') + 1), set.domains)) {
      return failure('the domain of the e-mail address may not sign in');
    }
    const [userName = ''] = [valueAt(said.object, set.userfield)].flat();
    const oauthUser = cleanAddress(String(userName).replace(/^[^:]+:+/, ''));
    if (oauthUser === undefined) return failure('the user name is missing, or not of e-mail form');
    const name = valueAt(said.object, set.namefield);
    return { email, oauthUser, name: typeof name === 'string' ? name : undefined };
  }

  /** One request: the headers are all that AURORA sends. */
  async function look(token: string, recorder: Recorder): Promise<Identity | Failure> {
    const headers = {
      Connection: 'close',
      Host: new URL(url).host,
      charset: 'UTF-8',
      Authorization: `Bearer ${token}`,
    };
    const request = { method: 'GET', url, headers };
    const conclude = (reply: Reply) => {
      const value = identityIn(reply);
      return {
        value,
        concluded: 'error' in value ? value.error : `the user is ${value.oauthUser}`,
      };
    };
    const saying = { from: 'Platform', to: 'Backend', request } as const;
    const looked = await ask(recorder, saying, conclude, options);
    return looked ?? failure('the endpoint cannot be reached');
  }

  function create({ email, name, oauthUser }: Identity): number | Failure {
    if (!name) return failure('the user cannot be created without a name');
    if (!tree.group(set.userparent)) return failure('userparent is no group: no user is created');
    let parent = set.userparent;
    if (set.createsorted === 1) {
      const letter = sortingLetter(name);
      const there = tree.groups().find((one) => one.parent === parent && one.name === letter);
      parent = there?.id ?? tree.addGroup(letter, parent);
    }
    const id = tree.addUser({ email, fullname: name, oauthUser, parent });
    const group = tree.group(set.usergroup);
    if (group) tree.put({ ...group, members: [...group.members, id] });
    return id;
  }

  /** The user in the tree; 0: there is none. */
  function find(identity: Identity): number | Failure {
    const { email, oauthUser, name } = identity;
    const key = email.toLowerCase();
    const byEmail = tree.users().filter((one) => one.email.toLowerCase() === key);
    const byUser = tree.users().filter((one) => one.oauthUser === oauthUser);
    const [user, ...more] = byEmail.length > 0 ? byEmail : byUser;
    if (!user) return set.createuser === 1 ? create(identity) : 0;
    if (more.length > 0) return failure('several users match');
    const isSame = user.oauthUser === oauthUser || (user.oauthUser === undefined && !set.released);
    if (!isSame)
      return failure('conflict: the user with this e-mail address has another user name');
    return tree.put({ ...user, email, fullname: name ?? user.fullname });
  }

  async function validating(token: string, recorder: Recorder): Promise<Outcome> {
    const failed = (why: Failure) => ({ id: set.released ? 0 : undefined, ...why });
    const generated = generate(token);
    if (generated.token === undefined) return failed(failure(String(generated.error)));
    const identity = await look(generated.token, recorder);
    if ('error' in identity) return failed(identity);
    const found = find(identity);
    if (typeof found !== 'number') return failed(found);
    if (found === 0) return { id: 0, ...failure('no user matches') };
    return { id: found, error: '', err: 0 };
  }

  /** As the REST-server: who could not be validated is looked up once more, and everybody's address is, for its log. */
  async function authenticate(token: string, recorder: Recorder): Promise<Outcome> {
    const outcome = await validating(token, recorder);
    const generated = generate(token).token;
    const again = outcome.id ? 1 : 2;
    for (let time = 1; generated !== undefined && time <= again; time++) {
      await look(generated, recorder);
    }
    return outcome;
  }

  async function doAuth(body: unknown, recorder: Recorder): Promise<Outcome> {
    const { authtype, authstr } = isObject(body) ? body : {};
    if (typeof authtype !== 'string' || typeof authstr !== 'string') {
      return { id: undefined, ...failure('authtype and authstr are needed') };
    }
    if (authtype !== 'OAuthAccessToken') {
      return { id: undefined, ...failure(`the authtype ${authtype} is not played here`) };
    }
    return authenticate(authstr, recorder);
  }

  async function answering(body: unknown, recorder: Recorder): Promise<[Answer, Outcome]> {
    const received = Date.now() / 1000;
    const outcome = await doAuth(body, recorder);
    const { id, error: errstr, err } = outcome;
    const delivered = Date.now() / 1000;
    return [json(200, { received, delivered, err, errstr, id: id || undefined }), outcome];
  }

  const endpoints: readonly Endpoint[] = [
    {
      path: '/doAuth',
      methods: ['POST'],
      accepts: 'any',
      badRequest: ({ error }) => json(200, { err: 1, errstr: error }),
      answer: async ({ body }) => (await answering(body, createRecorder()))[0],
    },
  ];

  async function play({ token = '' }: Visitor): Promise<Flow> {
    const recorder = createRecorder();
    const body = JSON.stringify({ authtype: 'OAuthAccessToken', authstr: token });
    const headers = {
      'User-Agent': 'AURORA restcmd',
      'Content-Type': 'application/json; charset=utf-8',
      Accept: 'application/json',
    };
    const request = { method: 'POST', url: 'https://aurora.invalid/doAuth', headers, body };
    const saying = { from: 'App', to: 'Platform', request } as const;
    const answer = await askPlayed(recorder, saying, async () => {
      const [played, outcome] = await answering(JSON.parse(body), recorder);
      return { answer: played, concluded: inWords(outcome) };
    });
    const { id, err, errstr: error } = JSON.parse(answer.body);
    return {
      exchanges: recorder.exchanges(),
      accepted: id !== undefined,
      outcome: inWords({ id, err, error }),
    };
  }

  return {
    generate,
    async validate(token) {
      const { id, error } = await validating(token, createRecorder());
      return { id, error: id ? undefined : error };
    },
    entities: tree.entities,
    addGroup: tree.addGroup,
    addUser: tree.addUser,
    endpoints,
    play,
  };
}

export const auroraSimulator = simulator({
  settings,
  begins: { with: 'token', scope: ['email', 'openid', 'profile', 'userid-feide'] },
  demonstration: { createuser: 1 },
  create: createAurora,
});
