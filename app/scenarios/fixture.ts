/**
 * What the runner must know of a backend that is not ours: who plays the people of cast.ts there, their tokens, the secrets
 * of the callers, and where it names paths, parameters or answers in another way.
 *
 * All of it are `SCENARIO_…` variables, in the environment or in a file of the same form as `.env`: `. ./scenarios.env` in a
 * shell, and the curl lines of a report run. None is ever an argument of a command: others can read those.
 */
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { isSecret } from '../config.ts';
import {
  type CastGroup,
  type CastPerson,
  callers,
  clientTokenOf,
  clientTokens,
  groups,
  isActive,
  people,
  tokenOf,
  tokens,
  understudies,
  understudyGroups,
} from './cast.ts';
import { isObject, jsonIn } from './json.ts';
import type { Secret } from './report.ts';
import type { Bindings } from './scenario.ts';
import { type Entry, nearest, needsOf, UsageError } from './selection.ts';
import type { SimulatorDefinition } from './simulator.ts';

const everyone: readonly CastPerson[] = [...people, ...understudies];
const everyGroup: readonly CastGroup[] = [...groups, ...understudyGroups];

/** `authlete.apiKey` is AUTHLETE_API_KEY, `Åse.Bjørnå` is ASE_BJ_RNA. */
const inCapitals = (text: string) =>
  text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_|_$/g, '')
    .toUpperCase();

const placeholderVariable = (name: string): string => `SCENARIO_${inCapitals(name)}`;
export const personVariable = (login: string, field: string): string =>
  `SCENARIO_${inCapitals(login)}_${inCapitals(field)}`;
export const groupVariable = (subject: string, field: string): string =>
  `SCENARIO_GROUP_${inCapitals(subject)}_${inCapitals(field)}`;
export const pathVariable = (path: string): string => `SCENARIO_PATH_${inCapitals(path) || 'ROOT'}`;
export const parametersVariable = (platform: string): string =>
  `SCENARIO_${inCapitals(platform)}_PARAMETERS`;
export const answersVariable = (platform: string): string =>
  `SCENARIO_${inCapitals(platform)}_ANSWERS`;
export const dashboardVariable = (platform: string): string =>
  `SCENARIO_${inCapitals(platform)}_DASHBOARD`;

/**
 * What rows say of the backend itself, which is another one at each. Stories have it as this setting of the simulator, so that
 * the dashboard does not say it.
 */
export const factsOfBackends = [
  {
    platform: 'dgp-oauth2',
    setting: 'service',
    ours: 'storage-service',
    variable: 'SCENARIO_DGP_OAUTH2_SERVICE',
    about: 'A service that your backend allows (ALLOWED_SERVICES); in our tables storage-service.',
  },
] as const;

const factsOfBackend = (id: string) => factsOfBackends.filter(({ platform }) => platform === id);

/** What a row can say of a person: the cast's own values, by field. */
export const fieldsOf = (person: CastPerson) => {
  const { uid, login, password, name, email, profile = {}, username } = person;
  const chosen = username === undefined ? {} : { username };
  return { uid, login, password, name, email, ...chosen, ...profile };
};

/** The facts of a person that stories go by (`personOf`), as placeholders. */
const factsOf = (person: CastPerson) =>
  [...Object.keys(fieldsOf(person)), 'subject'].map((fact) => `${person.login}.${fact}`);

/** What stories may ask of somebody: without a value in the fixture, there is no answer. */
export const facts: ReadonlySet<string> = new Set(
  everyone.flatMap((person) =>
    factsOf(person).filter((name) => person.group || name !== `${person.login}.subject`),
  ),
);

/** The variable that has the value of this placeholder. Whose group has which subject is said of the group. */
export function variableFor(name: string): string {
  const person = everyone.find(({ login }) => name === `${login}.subject`);
  const group = everyGroup.find((one) => one.name === person?.group);
  return group ? groupVariable(group.subject, 'subject') : placeholderVariable(name);
}

export type Variable = {
  readonly name: string;
  readonly about: string;
  readonly schema: z.ZodType<string>;
  readonly secret: boolean;
};

export type Section = { readonly title: string; readonly variables: readonly Variable[] };

const text = z.string();
const uid = text.regex(/^\d{1,15}$/, 'must be a whole number, as platforms take no other');
/** In place of a path, or of a place in an answer: the backend has nothing of the kind. */
export const notServed = 'none';
const path = text.regex(
  /^(\/[^?#\s]*|none)$/,
  'must be a path such as /cidp/verify, without a query; or none',
);
const pairs = text.regex(
  /^[^=,\s]+=[^=,\s]+(,[^=,\s]+=[^=,\s]+)*$/,
  'must be ours=theirs, several separated by commas',
);

type Simulated = { readonly id: string; readonly simulator: SimulatorDefinition };

/** The settings of a simulator that no other variable says: secrets are the callers'. */
const dashboardSettings = ({ id, simulator: { settings } }: Simulated): readonly string[] =>
  Object.keys(settings.shape).filter(
    (name) =>
      !isSecret(settings.shape[name]) &&
      factsOfBackend(id).every(({ setting }) => setting !== name),
  );

/** What a setting is when the dashboard does not say. */
const defaultOf = ({ simulator: { settings } }: Simulated, name: string): unknown =>
  (settings.shape[name] as z.ZodType | undefined)?.safeParse(undefined).data;

/** The settings for which no default can fit another backend, each with an example. */
const settingsToSay = ({ settings }: SimulatorDefinition): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(settings.shape as Record<string, z.ZodType>).flatMap(([name, setting]) => {
      const example = setting.meta()?.['example'];
      return typeof example === 'string' ? [[name, example]] : [];
    }),
  );

/** Its defaults, but for what the fixture's paths say. */
const exampleDashboard = (
  platform: Simulated,
  said: Readonly<Record<string, unknown>> = {},
): string =>
  JSON.stringify(
    Object.fromEntries(
      dashboardSettings(platform).map((name) => [name, said[name] ?? defaultOf(platform, name)]),
    ),
  );

/** JSON of them, as the vendor's dashboard has them. */
const dashboard = (platform: Simulated) =>
  text.superRefine((value, context) => {
    const given = jsonIn(value);
    if (!isObject(given)) {
      context.addIssue('must be a JSON object');
      return;
    }
    const known = dashboardSettings(platform);
    const shape = platform.simulator.settings.partial().shape;
    for (const [name, setting] of Object.entries(given)) {
      if (!known.includes(name)) {
        context.addIssue(`there is no "${name}" in it; ${nearest(name, known)}`);
        continue;
      }
      for (const { message } of shape[name]?.safeParse(setting).error?.issues ?? []) {
        context.addIssue(`${name} ${message}`);
      }
    }
  });

const open = (name: string, about: string, schema: z.ZodType<string> = text): Variable => ({
  name,
  about,
  schema,
  secret: false,
});
const hidden = (name: string, about: string): Variable => ({
  name,
  about,
  schema: text,
  secret: true,
});

const nameIn = (placeholder: string) => placeholder.slice(2, -2);

const aboutFields: Readonly<Record<string, string>> = {
  uid: "The user's number at your backend",
  login: 'The name the user signs in with',
  name: 'The full name, as your backend answers it',
  email: 'The e-mail address, as your backend answers it',
};

const aboutField = (field: string, value: unknown) =>
  `${aboutFields[field] ?? `The ${field} of the profile`}; in our cast ${value}.`;

/** @param wanted the placeholders that some row or story uses */
function personSection(person: CastPerson, wanted: ReadonlySet<string>): Section {
  const { login, status } = person;
  const suspended = status === 'active' ? 'group' : 'user';
  const good = (token: string) =>
    isActive(person)
      ? `A good ${token}: sign in as this user, as your app does, and copy what it gets.`
      : `A ${token} that would be good, were the ${suspended} not suspended: get it first, then suspend the ${suspended}.`;
  const credentials = [
    [nameIn(tokenOf(login)), good('token for verification')],
    [nameIn(clientTokenOf(login)), good('client token (the jwt of dgp-oauth2)')],
  ] as const;
  const group = everyGroup.find(({ name }) => name === person.group);
  const place = group ? `in a group that is ${group.status} (${group.subject})` : 'in no group';
  return {
    title: `Who plays ${login}: ${status}, ${place}`,
    variables: [
      ...Object.entries(fieldsOf(person)).map(([field, value]) =>
        field === 'password'
          ? hidden(personVariable(login, field), 'The password this user signs in with.')
          : open(
              personVariable(login, field),
              aboutField(field, value),
              field === 'uid' ? uid : text,
            ),
      ),
      ...credentials
        .filter(([name]) => wanted.has(name))
        .map(([name, about]) => hidden(placeholderVariable(name), about)),
    ],
  };
}

const groupSection = ({ subject, displayName, status }: CastGroup): Section => ({
  title: `Which group plays ${subject}: ${status}`,
  variables: [
    open(
      groupVariable(subject, 'subject'),
      `The group's id, as your backend answers it; in our cast ${subject}.`,
    ),
    open(
      groupVariable(subject, 'displayName'),
      `The group's name, as your backend answers it; in our cast ${displayName}.`,
    ),
  ],
});

const aboutOthers: Readonly<Record<string, string>> = {
  [nameIn(tokens.neverIssued)]:
    'A token that was never issued, of the form of yours. Empty: one is made up.',
  [nameIn(tokens.expired)]:
    'A token that was good and has expired: issue one with a lifetime of a second, or keep an old one.',
  [nameIn(tokens.revoked)]:
    'A token that was good and was revoked: issue one, then sign its user out or revoke it.',
  [nameIn(tokens.withoutVerifyScope)]:
    'A good token, but issued for something else than verification: with another scope.',
  [nameIn(tokens.ofAClient)]:
    'A good token that belongs to no user: by client credentials (OAuth 2.0).',
  [nameIn(tokens.forAnotherResource)]:
    'A good token of test1, but issued for another resource than this backend (RFC 8707).',
  [nameIn(tokens.forAurora)]:
    "A good token of test1, issued for the URL of AURORA's endpoint (RFC 8707).",
  [nameIn(tokens.useridOnly)]:
    'A good token of test1 that tells AURORA his user name, and nothing else: of a smaller scope.',
  [nameIn(clientTokens.expired)]:
    'A client token (the jwt of dgp-oauth2) that was good and has expired.',
  [nameIn(clientTokens.revoked)]: 'A client token that was good, and was revoked by a logout.',
  [nameIn(clientTokens.toRevoke)]: 'A good client token of test1, to be used up: it is revoked.',
  [nameIn(clientTokens.userGone)]: 'A client token of a user who has been deleted since.',
  [nameIn(clientTokens.anotherKey)]:
    'A client token of test1, good but for its signature: with another key.',
  [nameIn(clientTokens.anotherAlgorithm)]:
    'A client token of test1, good but for its signature: RS256 with a key of your own.',
  [nameIn(clientTokens.unknownAlgorithm)]:
    'A client token of test1, good but for its header: of an algorithm that does not exist.',
  [nameIn(clientTokens.unsigned)]: 'A client token of test1, with alg none and no signature.',
  [nameIn(clientTokens.publicKeyForSecret)]:
    'A client token of test1, signed HS256 with the text of the public key for a secret.',
  [nameIn(clientTokens.permission)]:
    'A permission token of test1: what /auth/authorize answers as `token`.',
  [nameIn(callers.authlete.user)]:
    'The Developer Authentication Callback API Key, with which Authlete calls your backend.',
  [nameIn(callers.authlete.password)]:
    'The Developer Authentication Callback API Secret that belongs to it.',
};

/** What the other forms of the platform's request are played with. */
function aboutAlternatives(entries: readonly Entry[], id: string): string {
  const names = entries.flatMap((entry) =>
    entry.kind === 'row' && entry.platform.id === id ? (entry.played.alternative ?? []) : [],
  );
  const pairs = [...new Set(names)].map((name) => `${name}=${name}`);
  return pairs.length > 0
    ? ` Another form of the request is only played with ${pairs.join(',')}, or your name for it.`
    : '';
}

const aboutSettingsToSay = (simulator: SimulatorDefinition): string => {
  const examples = settingsToSay(simulator);
  return Object.keys(examples).length > 0
    ? ` The stories need it: ${JSON.stringify(examples)}`
    : '';
};

/** Every variable there is for these rows and stories. */
export function sectionsOf(entries: readonly Entry[]): readonly Section[] {
  const wanted = new Set(entries.flatMap(needsOf));
  const cast = [
    ...everyone.map((person) => personSection(person, wanted)),
    ...everyGroup.map(groupSection),
  ];
  const said = new Set(cast.flatMap(({ variables }) => variables.map(({ name }) => name)));
  const placeholders = [...wanted].filter((name) => !said.has(placeholderVariable(name)));
  const paths = new Set(
    entries.flatMap((entry) => (entry.kind === 'row' ? [entry.played.send.path] : [])),
  );
  const platforms = new Map(entries.map(({ platform }) => [platform.id, platform]));
  return [
    ...cast,
    {
      title: 'Other tokens, and the secrets of the callers',
      variables: placeholders.map((name) =>
        hidden(placeholderVariable(name), aboutOthers[name] ?? `A value for ${name}.`),
      ),
    },
    {
      title: 'Where your backend names things in another way',
      variables: [
        ...[...paths].map((one) =>
          open(
            pathVariable(one),
            `Your path in place of ${one}, if it is another one; none when you do not serve it.`,
            path,
          ),
        ),
        ...factsOfBackends
          .filter(({ platform }) => platforms.has(platform))
          .map(({ variable, about }) => open(variable, about)),
        ...[...platforms.values()].flatMap(({ id, title, simulator }) => [
          open(
            parametersVariable(id),
            `${title}: parameters and headers of the request that you call otherwise: ours=yours, separated by commas, e.g. token=ticket; none for one that you do not read.${aboutAlternatives(entries, id)}`,
            pairs,
          ),
          open(
            answersVariable(id),
            `${title}: where yours stands in the answer, if elsewhere: ours=yours, separated by commas, e.g. user.id=data.uid; user.login=none when you do not answer that.`,
            pairs,
          ),
          ...(simulator
            ? [
                open(
                  dashboardVariable(id),
                  `${title}: what its dashboard says of your backend; JSON in single quotes, only what differs from the defaults of ${dashboardSettings({ id, simulator }).join(', ')}. npm run platforms -- --settings explains them.${aboutSettingsToSay(simulator)}`,
                  dashboard({ id, simulator }),
                ),
              ]
            : []),
        ]),
      ],
    },
  ];
}

export type Fixture = {
  /** By variable; only those that are set. */
  readonly values: Readonly<Record<string, string>>;
  /** By placeholder. */
  readonly bindings: Bindings;
  readonly secrets: readonly Secret[];
  /** By platform: the settings of its simulator. */
  readonly dashboards: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** By platform: the method that its dashboard is set to, where it can be. */
  readonly methods: Readonly<Record<string, string>>;
  /** By platform: why its stories cannot be played there, where they cannot. */
  readonly withoutStories: ReadonlyMap<string, string>;
};

/** `ours=theirs,…` as it is set. */
export const pairsIn = (value: string | undefined): ReadonlyMap<string, string> =>
  new Map(
    value?.split(',').map((pair) => pair.split('=', 2) as [ours: string, theirs: string]) ?? [],
  );

/** Shorter values would be found by chance, in a word or a number. */
const shortestSecret = 6;

const publicValues = new Set(everyone.flatMap(({ login, password }) => [login, password]));

/** Values that no report may show; those that stand in cast.ts are no secret. */
export const secretsAmong = (secrets: readonly Secret[]): readonly Secret[] =>
  secrets.filter(({ value }) => value.length >= shortestSecret && !publicValues.has(value));

export type FixtureFile = { readonly name: string; readonly text: string };

/** What no two variables may have in common. */
const ownToEach: readonly { readonly names: readonly string[]; readonly problem: string }[] = [
  ...['uid', 'login'].map((field) => ({
    names: everyone.map(({ login }) => personVariable(login, field)),
    problem: `are the same ${field}: each is somebody else`,
  })),
  {
    names: everyGroup.map(({ subject }) => groupVariable(subject, 'subject')),
    problem: 'are the same subject: each is another group',
  },
];

/** What is said twice: the platform could not tell an expired token from a good one, or test1 from test2, either. */
function saidTwice(values: Readonly<Record<string, string>>): string[] {
  const tokens = {
    names: Object.keys(values).filter((name) => /^SCENARIO_(TOKEN|JWT)_/.test(name)),
    problem: 'are the same token',
  };
  return [tokens, ...ownToEach].flatMap(({ names, problem }) =>
    names.flatMap((name, index) =>
      names
        .slice(index + 1)
        .filter((other) => values[name] !== undefined && values[other] === values[name])
        .map((other) => `${name} and ${other} ${problem}`),
    ),
  );
}

/**
 * @param entries all there are, not only those that were selected
 * @param file its name, for the problems, and its text
 * @param environment goes before the file
 * @throws {UsageError} with all problems at once. Names variables, never their values.
 */
export function readFixture(
  entries: readonly Entry[],
  environment: Readonly<Record<string, string | undefined>>,
  file?: FixtureFile,
): Fixture {
  const variables = sectionsOf(entries).flatMap((section) => section.variables);
  const names = variables.map(({ name }) => name);
  const isOurs = ([name, value]: readonly [string, string | undefined]) =>
    name.startsWith('SCENARIO_') && name !== 'SCENARIO_TARGET' && value?.trim();
  const inFile = file ? parseEnv(file.text) : {};
  const given = Object.fromEntries(
    [...Object.entries(inFile), ...Object.entries(environment)].filter(isOurs),
  ) as Record<string, string>;
  const where = (name: string) =>
    file && !environment[name]?.trim() ? `${file.name}: ${name}` : name;

  const { error } = z
    .object(Object.fromEntries(variables.map(({ name, schema }) => [name, schema.optional()])))
    .safeParse(given);
  const problems = [
    ...(file ? shellProblems(file) : []),
    ...Object.keys(given)
      .filter((name) => !names.includes(name))
      .map((name) => `${where(name)}: there is no such variable; ${nearest(name, names)}`),
    ...(error?.issues ?? []).map(
      ({ path: [name = ''], message }) => `${where(String(name))}: ${message}`,
    ),
    ...saidTwice(given),
  ];
  if (problems.length > 0) throw new UsageError(problems);

  const unknown = nameIn(tokens.neverIssued);
  const madeUp = { [placeholderVariable(unknown)]: crypto.randomUUID() };
  const values: Readonly<Record<string, string>> = { ...madeUp, ...given };
  return {
    values,
    ...dashboardsIn(entries, values),
    bindings: Object.fromEntries(
      [...entries.flatMap(needsOf), ...everyone.flatMap(factsOf)].flatMap((name) => {
        const value = values[variableFor(name)];
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    secrets: secretsAmong(
      variables.flatMap(({ name, secret }) => {
        const value = values[name];
        return secret && value !== undefined ? [{ variable: name, value }] : [];
      }),
    ),
  };
}

type Values = Readonly<Record<string, string>>;

/** The settings that name a path of the backend's, where the fixture says another one. */
function pathsInDashboard(platform: Simulated, paths: ReadonlySet<string>, values: Values) {
  const found = dashboardSettings(platform).flatMap((name) => {
    const path = defaultOf(platform, name);
    const theirs = typeof path === 'string' && paths.has(path) && values[pathVariable(path)];
    return typeof path === 'string' && theirs ? [{ name, path, theirs }] : [];
  });
  return {
    said: Object.fromEntries(found.map(({ name, theirs }) => [name, theirs])),
    paths: new Set(found.map(({ path }) => path)),
  };
}

/** Whether names are other ones there: what is not there at all needs no other name. */
const renames = (value: string | undefined) =>
  [...pairsIn(value)].some(([ours, theirs]) => theirs !== ours && theirs !== notServed);

/** How the stories are to call it, or why they cannot. */
function dashboardsIn(entries: readonly Entry[], values: Values) {
  const dashboards: Record<string, Readonly<Record<string, unknown>>> = {};
  const methods: Record<string, string> = {};
  const withoutStories = new Map<string, string>();
  const platforms = new Map(entries.map(({ platform }) => [platform.id, platform]));
  for (const { id, simulator } of platforms.values()) {
    if (!simulator) continue;
    const platform = { id, simulator };
    const paths = new Set(
      entries.flatMap((entry) =>
        entry.kind === 'row' && entry.platform.id === id ? [entry.played.send.path] : [],
      ),
    );
    const known = pathsInDashboard(platform, paths, values);
    const facts = factsOfBackend(id).flatMap(({ setting, variable }) =>
      values[variable] === undefined ? [] : [[setting, values[variable]]],
    );
    const given = jsonIn(values[dashboardVariable(id)] ?? '');
    const said: Readonly<Record<string, unknown>> = {
      ...known.said,
      ...Object.fromEntries(facts),
      ...(isObject(given) ? given : {}),
    };
    dashboards[id] = said;
    const method = said['method'] ?? defaultOf(platform, 'method');
    if (typeof method === 'string') methods[id] = method;
    const reason = reasonAgainstStories(platform, { paths, known, said, values });
    if (reason !== undefined) withoutStories.set(id, reason);
  }
  return { dashboards, methods, withoutStories };
}

/** What the fixture says of one platform. */
type Told = {
  readonly paths: ReadonlySet<string>;
  readonly known: ReturnType<typeof pathsInDashboard>;
  /** By setting. */
  readonly said: Readonly<Record<string, unknown>>;
  readonly values: Values;
};

function reasonAgainstStories(
  platform: Simulated,
  { paths, known, said, values }: Told,
): string | undefined {
  const { id, simulator } = platform;
  const dashboard = dashboardVariable(id);
  const away = [...known.paths].map(pathVariable).find((name) => values[name] === notServed);
  if (away && values[dashboard] === undefined) return `not served there: ${away} is none`;
  const fact = factsOfBackend(id).find(({ setting }) => said[setting] === undefined);
  if (fact) return `needs ${fact.variable}`;
  const examples = Object.entries(settingsToSay(simulator));
  const toSay = examples.filter(([name]) => said[name] === undefined);
  if (toSay.length > 0) {
    return `needs ${dashboard}, e.g. '${JSON.stringify(Object.fromEntries(toSay))}'`;
  }
  if (values[dashboard] !== undefined) return undefined;
  const unsaid = [
    ...[parametersVariable(id), answersVariable(id)].filter((name) => renames(values[name])),
    ...[...paths]
      .filter((path) => !known.paths.has(path))
      .map(pathVariable)
      .filter((name) => values[name] !== undefined && values[name] !== notServed),
  ];
  return unsaid.length > 0
    ? `needs ${dashboard}, because ${unsaid.join(', ')} is set; e.g. '${exampleDashboard(platform, known.said)}'`
    : undefined;
}

const line = /^\s*(?:export\s+)?(\w+)(\s*)=(.*)$/;

/** Read alike by Node and by a shell: in single quotes, in double ones without what these let through, or plain. */
const isSafe = (value: string) =>
  [/^'[^']*'\s*(#.*)?$/, /^"[^"$`\\]*"\s*(#.*)?$/, /^[^\s&;|<>()$`"'\\#~!]*(\s+#.*)?\s*$/].some(
    (form) => form.test(value),
  );

/** The file is read by a shell, too (`. ./scenarios.env`): what that would understand in another way. */
const shellProblems = ({ name, text }: FixtureFile): string[] =>
  text.split(/\r?\n/).flatMap((written, index) => {
    if (/^\s*(#|$)/.test(written)) return [];
    const place = `${name}, line ${index + 1}`;
    const [, variable, space, value = ''] = line.exec(written) ?? [];
    if (variable === undefined) return [`${place}: must be NAME=value`];
    return space === '' && isSafe(value)
      ? []
      : [
          `${place}: ${variable}: a shell reads this value in another way; put it in single quotes, without spaces around =`,
        ];
  });
