/**
 * A user as some other store has him, read in this house's words, and what each platform would be answered about him: by the
 * platforms' own endpoints, which are handed a house where every credential is good, and his.
 */
import { parse, stringify } from 'lossless-json';
import type { Answer } from '../http/answer.ts';
import { parseNumber } from '../http/body.ts';
import type { Browser, Endpoint, Incoming } from '../http/endpoint.ts';
import { everyScope } from '../oauth/scopes.ts';
import type { Services } from '../platforms/platform.ts';
import { isObject } from '../scenarios/json.ts';
import { bind, placeholdersIn, type Scenario, type Send } from '../scenarios/scenario.ts';
import { loginProblem } from '../store/login.ts';
import type { UserFacts } from '../verification/decide.ts';
import { accepted, type User } from '../verification/verdict.ts';
import { createVerify } from '../verification/verify.ts';
import type { AnsweredPlatform } from './page.ts';

// ── Reading it

export const facts = {
  uid: 'uid',
  login: 'login',
  name: 'full name',
  email: 'e-mail',
  subject: 'group: subject',
  displayName: 'group: display name',
  picture: 'picture',
  country: 'country',
} as const;

export type Fact = keyof typeof facts;

/** For each fact where it stands: keys with dots between them. Several, with spaces between them, are put together. */
export type Mapping = Readonly<Record<Fact, string>>;

/** Usual names, the likeliest first, as `plain` has them; `user.id` is `userid` and `id`. */
const usual: Readonly<Record<Fact, readonly string[]>> = {
  uid: ['uid', 'userid', 'id', 'sub', 'accountid', 'customerid', 'memberid', 'externalid', 'pk'],
  login: [
    ...['login', 'username', 'preferredusername', 'userprincipalname', 'upn', 'samaccountname'],
    ...['handle', 'nickname', 'screenname', 'email', 'mail'],
  ],
  name: ['fullname', 'displayname', 'name', 'realname', 'commonname', 'cn'],
  email: ['email', 'mail', 'emailaddress', 'primaryemail', 'useremail', 'emails', 'emailsvalue'],
  subject: [
    ...['groupsubject', 'groupid', 'organizationid', 'organisationid', 'orgid', 'tenantid'],
    ...[
      'companyid',
      'teamid',
      'group',
      'organization',
      'org',
      'tenant',
      'company',
      'team',
      'groups',
    ],
  ],
  displayName: [
    ...['groupname', 'groupdisplayname', 'organizationname', 'organisationname', 'orgname'],
    ...['tenantname', 'companyname', 'teamname'],
  ],
  picture: ['picture', 'avatar', 'avatarurl', 'photo', 'photourl', 'profilephoto', 'image'],
  country: ['country', 'countrycode'],
};

const firstNames = ['firstname', 'givenname', 'namefirst', 'namegiven', 'namegivenname'];
const lastNames = ['lastname', 'familyname', 'surname', 'sn', 'namelast', 'namefamilyname'];

const plain = (key: string) => key.toLowerCase().replace(/[^a-z]/g, '');

type Leaf = { readonly keys: readonly string[]; readonly value: unknown };

/** Deeper, or more of them, is no user. */
const most = { depth: 6, leaves: 500 };

function leavesOf(value: unknown, keys: readonly string[] = []): Leaf[] {
  if ((isObject(value) || Array.isArray(value)) && keys.length < most.depth) {
    return Object.entries(value)
      .flatMap(([key, inner]) => leavesOf(inner, [...keys, key]))
      .slice(0, most.leaves);
  }
  return [{ keys, value }];
}

/** Nearest to the top first; among those, the likeliest name. */
function guess(leaves: readonly Leaf[], names: readonly string[]): string | undefined {
  const found = leaves.flatMap(({ keys, value }) => {
    const words = keys.map(plain).filter((word) => word !== '');
    const places = [words.at(-1) ?? '', words.slice(-2).join('')].map((one) => names.indexOf(one));
    const known = places.filter((place) => place !== -1);
    const isText =
      typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
    if (known.length === 0 || !isText) return [];
    return [{ path: keys.join('.'), depth: keys.length, place: Math.min(...known) }];
  });
  return found.toSorted((a, b) => a.depth - b.depth || a.place - b.place)[0]?.path;
}

/** Where the facts probably are. Empty: nowhere. */
export function guessMapping(user: unknown): Mapping {
  const leaves = leavesOf(user);
  const of = (fact: Fact) => guess(leaves, usual[fact]) ?? '';
  const [first, last] = [guess(leaves, firstNames), guess(leaves, lastNames)];
  const parts = first && last ? `${first} ${last}` : '';
  const login = of('login');
  // `name` of a group, say, is deeper than a first and a last name.
  const name = of('name');
  const isNearer = parts !== '' && name.split('.').length > (first ?? '').split('.').length;
  return {
    uid: of('uid'),
    login,
    name: name === '' || isNearer ? parts : name,
    email: of('email'),
    subject: of('subject'),
    displayName: of('displayName'),
    picture: of('picture'),
    country: of('country'),
  };
}

/** What stands at that path: keys of objects, indexes of arrays. */
const at = (path: string, value: unknown): unknown =>
  path
    .split('.')
    .reduce(
      (place: unknown, key) =>
        (isObject(place) || Array.isArray(place)) && Object.hasOwn(place, key)
          ? (place as Readonly<Record<string, unknown>>)[key]
          : undefined,
      value,
    );

/** One value; several as text. Undefined: there is none. */
function found(paths: string, user: unknown): unknown {
  const [path = '', ...more] = paths.split(/\s+/).filter((one) => one !== '');
  if (path === '') return undefined;
  if (more.length === 0) return at(path, user) ?? undefined;
  const parts = [path, ...more].map((one) => at(one, user) ?? '');
  return parts.filter((part) => part !== '').join(' ') || undefined;
}

/** In a sentence, and not too long. */
function quoted(value: unknown): string {
  const text = stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Text, or a number as text. */
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value).trim() || undefined
    : undefined;

/** One fact as it was found, and what is to be said of it. */
export type Finding = {
  readonly fact: Fact;
  readonly path: string;
  readonly shown: string;
  /** `odd`: it will do, but; `bad`: something else stands in for it. */
  readonly grade: 'good' | 'odd' | 'bad';
  readonly says: string;
};

type Read<Value> = Pick<Finding, 'grade' | 'says'> & { readonly value: Value };

const good = <Value>(value: Value): Read<Value> => ({ value, grade: 'good', says: '' });
const odd = <Value>(value: Value, says: string): Read<Value> => ({ value, grade: 'odd', says });
const bad = <Value>(value: Value, says: string): Read<Value> => ({ value, grade: 'bad', says });

/** Of our own database; a store of your own may go on to 2^53. */
const greatestUid = 2_147_483_647;

const standIn = 'In what follows 1 stands in.';

function readUid(value: unknown): Read<number> {
  if (value === undefined) {
    return bad(1, `Every platform needs one: a positive whole number, for ever. ${standIn}`);
  }
  if (typeof value === 'bigint') {
    return bad(1, `It is beyond 2^53: whoever reads the JSON would round it. ${standIn}`);
  }
  if (typeof value === 'string' && /^[1-9]\d{0,15}$/.test(value)) {
    const uid = Number(value);
    if (Number.isSafeInteger(uid)) {
      return odd(uid, 'It is a text. Platforms are told a number: your store turns it into one.');
    }
  }
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
    return bad(
      1,
      `A uid is a positive whole number, and this is not one: keep a number beside it, and never change it. ${standIn}`,
    );
  }
  return value > greatestUid
    ? odd(value, `A store of your own may have it; the database here ends at ${greatestUid}.`)
    : good(value);
}

function readLogin(value: unknown, uid: number): Read<string> {
  const login = textOf(value);
  const fallback = String(uid);
  if (login === undefined) return bad(fallback, 'It is missing, or no text. The uid stands in.');
  const problem = loginProblem(login);
  if (problem) return bad(fallback, `${problem} The uid stands in.`);
  return login.includes('@')
    ? odd(
        login,
        'An e-mail address will do, but it must never change, and never go to another user.',
      )
    : good(login);
}

function readName(value: unknown, login: string): Read<string> {
  const name = textOf(value);
  return name === undefined
    ? odd(login, 'It is missing, or no text. The login stands in.')
    : good(name);
}

function readEmail(value: unknown): Read<string | undefined> {
  const email = textOf(value);
  if (email === undefined) {
    return odd(undefined, 'There is none. AURORA lets nobody in without; the others do not mind.');
  }
  return /^[^\s@]+@[^\s@]+$/.test(email)
    ? good(email)
    : bad(undefined, 'It is not an e-mail address, and is left out.');
}

function readSubject(value: unknown): Read<string | undefined> {
  const subject = textOf(value);
  if (subject === undefined) {
    return odd(
      undefined,
      'There is no group. Authlete’s Developer Console lets in nobody without.',
    );
  }
  return /^[\x21-\x7e]{1,100}$/.test(subject)
    ? good(subject)
    : bad(undefined, 'A subject has 1 to 100 ASCII characters and no spaces. It is left out.');
}

const readText = (value: unknown): Read<string | undefined> =>
  value === undefined || textOf(value) !== undefined
    ? good(textOf(value))
    : bad(undefined, 'It is no text, and is left out.');

export type Reading = { readonly user: User; readonly findings: readonly Finding[] };

export function readUser(json: unknown, mapping: Mapping): Reading {
  const of = (fact: Fact) => found(mapping[fact], json);
  const uid = readUid(of('uid'));
  const login = readLogin(of('login'), uid.value);
  const name = readName(of('name'), login.value);
  const email = readEmail(of('email'));
  const subject = readSubject(of('subject'));
  const displayName = readText(of('displayName'));
  const picture = readText(of('picture'));
  const country = readText(of('country'));
  const reads: Record<Fact, Read<unknown>> = {
    ...{ uid, login, name, email, subject, displayName, picture, country },
  };
  const group = subject.value && {
    name: subject.value,
    subject: subject.value,
    displayName: displayName.value ?? subject.value,
    services: [],
  };
  const profile = Object.entries({ picture: picture.value, country: country.value });
  return {
    user: {
      uid: uid.value,
      login: login.value,
      name: name.value,
      email: email.value,
      group: group || undefined,
      profile: Object.fromEntries(
        profile.filter((one): one is [string, string] => one[1] !== undefined),
      ),
    },
    findings: (Object.keys(facts) as Fact[]).map((fact) => {
      const { grade, says } = reads[fact];
      const value = of(fact);
      const lost = mapping[fact] !== '' && value === undefined;
      return {
        fact,
        path: mapping[fact],
        shown: value === undefined ? '' : quoted(value),
        grade: lost && grade === 'good' ? 'odd' : grade,
        says: lost ? `Nothing stands there. ${says}`.trim() : says,
      };
    }),
  };
}

/** A JSON object; or what is wrong with the text. Integers beyond 2^53 are bigints. */
export function parsedUser(
  text: string,
): { readonly json: Readonly<Record<string, unknown>> } | { readonly problem: string } {
  try {
    const json = parse(text, undefined, parseNumber);
    if (isObject(json)) return { json };
    return { problem: 'It must be one JSON object: { … }.' };
  } catch (error) {
    const said = error instanceof Error ? error.message : '';
    return { problem: `It is not JSON: ${said.slice(0, 200)}` };
  }
}

// ── What is answered

const never = () => Promise.reject(new Error('there is no such thing in an example'));

const nobody: Browser = { signIn: never, arrival: never };

/** A house with one user, where every credential is good, and his. Nothing in it is real: it signs nothing and keeps nothing. */
function houseOf(user: User, issuer: string, now: () => Date): Services {
  const subject: UserFacts = { user, userActive: true, groupActive: true };
  const issuedAt = now();
  const token = {
    expiresAt: new Date(issuedAt.getTime() + 3_600_000),
    revokedAt: undefined,
    scope: everyScope,
    clientId: 'demo-app',
    issuedAt,
    resource: undefined,
    subject,
  };
  return {
    verify: createVerify(
      { checkPassword: async () => ({ passwordMatches: true, subject }) },
      { findToken: async () => token },
      (_attempt, check) => check(),
      now,
    ),
    users: { findUser: async () => subject, findUserByLogin: async () => subject },
    issuer,
    production: true,
    now,
    providers: [],
    accountOf: async () => undefined,
    sign: never,
    publicKey: never,
    clientTokens: { issue: never, verify: async () => accepted(user), revoke: never },
    usernames: { chosen: async () => undefined, find: never, choose: never },
    rolesOf: async () => [],
    reportFault: () => {},
  };
}

/** As an endpoint is handed the request of a row, whose placeholders stand for credentials. */
function incomingOf(row: Send): Incoming {
  const names = placeholdersIn(row);
  const send = bind(row, Object.fromEntries(names.map((name) => [name, 'credential'])));
  const { method, query = {}, headers = {}, form, json } = send;
  const body = form ?? json;
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return {
    method: method === 'POST' ? 'POST' : 'GET',
    parameters: { ...query, ...(isObject(body) ? body : {}) },
    body,
    headers: lower,
    bearer: /^Bearer (.+)$/.exec(lower['authorization'] ?? '')?.[1],
    address: '127.0.0.1',
    browser: nobody,
  };
}

const isAccepted = ({ because, expect }: Scenario) =>
  because === undefined && expect.status === 200;

/** A path of the table may have been set to another one here. */
const endpointFor = (endpoints: readonly Endpoint[], { method, path }: Send) => {
  const able = endpoints.filter(({ methods }) => (methods as readonly string[]).includes(method));
  return able.find((one) => one.path === path) ?? able[0];
};

export type Example = {
  readonly platform: { readonly id: string; readonly title: string };
  readonly method: string;
  readonly path: string;
  /** Undefined: this platform cannot be shown so. */
  readonly answer: Answer | undefined;
};

/** What this platform would be answered about such a user, by its own code. */
export async function exampleOf(
  { platform, settings }: AnsweredPlatform,
  { user, issuer, now }: { user: User; issuer: string; now: () => Date },
): Promise<Example> {
  const { id, title, scenarios } = platform;
  const row = scenarios.find(isAccepted);
  const shown = { platform: { id, title }, method: row?.send.method ?? '', path: '' };
  try {
    const endpoints = platform.endpoints(settings, houseOf(user, issuer, now));
    const endpoint = row && endpointFor(endpoints, row.send);
    if (!row || !endpoint) return { ...shown, answer: undefined };
    const answer = await endpoint.answer(incomingOf(row.send));
    return { ...shown, path: endpoint.path, answer };
  } catch {
    // A platform that needs more of the house than an example has.
    return { ...shown, answer: undefined };
  }
}
