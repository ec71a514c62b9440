/** Whether the tables are whole: a platform, a refusal or an endpoint that nobody wrote a row for is a red test here. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpointsOf } from '../app/app.ts';
import { isSecret } from '../app/config.ts';
import { json } from '../app/http/answer.ts';
import type { Endpoint } from '../app/http/endpoint.ts';
import { platforms } from '../app/platforms/index.ts';
import type { Platform, Services } from '../app/platforms/platform.ts';
import { projectRoot } from '../app/project-root.ts';
import type { Scenario } from '../app/scenarios/scenario.ts';
import type { Story } from '../app/scenarios/story.ts';
import { type Refusal, refusals } from '../app/verification/verdict.ts';
import { startBackend } from './support/backend.ts';
import { secret } from './support/canaries.ts';

/** The files in each folder of app/platforms. */
type Folders = Readonly<Record<string, readonly string[]>>;

const platformsFolder = join(projectRoot, 'app/platforms');

const folders: Folders = Object.fromEntries(
  readdirSync(platformsFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => [name, readdirSync(join(platformsFolder, name))]),
);

const secretsOf = ({ settings }: Platform) =>
  Object.keys(settings.shape).filter((name) => isSecret(settings.shape[name]));

/** The settings of a platform of which nothing but the secrets is set. */
const defaults = (platform: Platform) =>
  platform.settings.parse(
    Object.fromEntries(
      secretsOf(platform).map((name) => [name, secret('only for completeness.test.ts')]),
    ),
  );

/** Enough to list endpoints with: none of them is asked. */
const house = { issuer: 'http://127.0.0.1', providers: [] } as unknown as Services;

const endpoints = (platform: Platform): readonly Endpoint[] =>
  platform.endpoints(defaults(platform), house);

const twice = (values: readonly string[]) =>
  values.filter((value, index) => values.indexOf(value) < index);

/** What a single request cannot show: test/oauth/attempts.test.ts does. */
const shownElsewhere: readonly Refusal[] = ['too-many-attempts'];

/** Every platform must show that it asks for all of this. */
const shownByEach = ['unknown', 'user-suspended', 'group-suspended'] as const;

/** Everything that is missing, or there twice. */
function gaps(registry: readonly Platform[], files: Folders): string[] {
  const rows = registry.flatMap(({ scenarios }) => scenarios);
  const routes = registry
    .flatMap(endpoints)
    .flatMap(({ methods, path }) => methods.map((method) => `${method} ${path}`));
  return [
    ...registry.flatMap((platform) => gapsOf(platform, files[platform.id] ?? [])),
    ...Object.keys(files)
      .filter((folder) => !registry.some(({ id }) => id === folder))
      .map((folder) => `app/platforms/${folder} is not in the registry`),
    ...refusals
      .filter((refusal) => !shownElsewhere.includes(refusal))
      .filter((refusal) => !rows.some(({ because }) => because === refusal))
      .map((refusal) => `no row is refused because ${refusal}`),
    ...twice(rows.map(({ id }) => id)).map((id) => `two rows are called ${id}`),
    ...twice(registry.flatMap(({ stories = [] }) => stories).map(({ id }) => id)).map(
      (id) => `two stories are called ${id}`,
    ),
    ...twice(routes).map((route) => `two endpoints are on ${route}`),
  ];
}

function gapsOf(platform: Platform, files: readonly string[]): string[] {
  const { id, scenarios, simulator, stories = [] } = platform;
  const paths = endpoints(platform).map(({ path }): string => path);
  return [
    ...[`${id}.ts`, `${id}.scenarios.ts`, 'README.md']
      .filter((file) => !files.includes(file))
      .map((file) => `app/platforms/${id} has no ${file}`),
    ...(scenarios.length === 0 ? [`${id} has no rows`] : []),
    ...(simulator ? [] : [`${id} has no simulator`]),
    ...(stories.length === 0 ? [`${id} has no stories`] : []),
    ...stories
      .filter((story) => !new RegExp(`^${id}-story-\\d\\d$`).test(story.id))
      .map((story) => `${story.id} is not called ${id}-story- and two digits`),
    ...shownByEach
      .filter((refusal) => !scenarios.some(({ because }) => because === refusal))
      .map((refusal) => `${id} has no row that is refused because ${refusal}`),
    ...scenarios
      .filter(({ send }) => !paths.includes(send.path))
      .map((row) => `${row.id} asks ${row.send.path}, which ${id} does not serve`),
    ...paths
      .filter((path) => !scenarios.some(({ send }) => send.path === path))
      .map((path) => `${id} serves ${path}, which no row asks`),
    ...scenarios
      .filter((row) => !new RegExp(`^${id}-\\d\\d$`).test(row.id))
      .map((row) => `${row.id} is not called ${id}- and two digits`),
  ];
}

test('nothing is missing', () => {
  expect(gaps(platforms, folders)).toEqual([]);
});

describe('it is noticed when', () => {
  const [pango, connectycube, ...others] = platforms as readonly [
    Platform,
    Platform,
    ...Platform[],
  ];

  /** The registry with another Pango in it. */
  const withPango = (change: Partial<Platform>) => [
    { ...pango, ...change },
    connectycube,
    ...others,
  ];
  const without = (because: string) =>
    pango.scenarios.filter((row: Scenario) => row.because !== because);
  const [first] = pango.scenarios as readonly [Scenario];

  test('a platform has no rows', () => {
    expect(gaps(withPango({ scenarios: [] }), folders)).toEqual([
      'pango has no rows',
      'pango has no row that is refused because unknown',
      'pango has no row that is refused because user-suspended',
      'pango has no row that is refused because group-suspended',
      'pango serves /GetUserInfo, which no row asks',
    ]);
  });

  test('a platform has no simulator', () => {
    const { simulator: _without, ...others } = pango;
    expect(gaps([others, ...platforms.slice(1)], folders)).toEqual(['pango has no simulator']);
  });

  test('a platform has no stories', () => {
    expect(gaps(withPango({ stories: [] }), folders)).toEqual(['pango has no stories']);
  });

  test('two stories have one id, which is of another kind', () => {
    const [story] = pango.stories as readonly [Story];
    const odd = { ...story, id: 'pango-tale' };
    expect(gaps(withPango({ stories: [odd, odd] }), folders)).toEqual([
      'pango-tale is not called pango-story- and two digits',
      'pango-tale is not called pango-story- and two digits',
      'two stories are called pango-tale',
    ]);
  });

  test.each(['unknown', 'user-suspended', 'group-suspended'])(
    'a platform has no row that is refused because %s',
    (because) => {
      expect(gaps(withPango({ scenarios: without(because) }), folders)).toEqual([
        `pango has no row that is refused because ${because}`,
      ]);
    },
  );

  test('no row at all is refused for some reason', () => {
    const scenarios = connectycube.scenarios.filter(({ because }) => because !== 'another-user');
    expect(gaps([pango, { ...connectycube, scenarios }, ...others], folders)).toEqual([
      'no row is refused because another-user',
    ]);
  });

  test('two rows have one id', () => {
    expect(gaps(withPango({ scenarios: [...pango.scenarios, first] }), folders)).toEqual([
      'two rows are called pango-01',
    ]);
  });

  test('a row has an id of another kind', () => {
    const odd = { ...first, id: 'pango-first' };
    expect(gaps(withPango({ scenarios: [...pango.scenarios, odd] }), folders)).toEqual([
      'pango-first is not called pango- and two digits',
    ]);
  });

  test('a row asks what nobody serves', () => {
    const lost = { ...first, id: 'pango-99', send: { ...first.send, path: '/getuserinfo' } };
    expect(gaps(withPango({ scenarios: [...pango.scenarios, lost] }), folders)).toEqual([
      'pango-99 asks /getuserinfo, which pango does not serve',
    ]);
  });

  test('two endpoints are on one method and path', () => {
    const taken: Endpoint = {
      path: '/user/verify',
      methods: ['POST'],
      answer: () => json(200, {}),
    };
    const both: Platform['endpoints'] = (settings, services) => [
      ...pango.endpoints(settings, services),
      taken,
    ];
    expect(gaps(withPango({ endpoints: both }), folders)).toEqual([
      'pango serves /user/verify, which no row asks',
      'two endpoints are on POST /user/verify',
    ]);
  });

  test('a folder is not in the registry', () => {
    expect(gaps(platforms, { ...folders, telegraph: ['telegraph.ts'] })).toEqual([
      'app/platforms/telegraph is not in the registry',
    ]);
  });

  test('a folder lacks a file', () => {
    expect(gaps(platforms, { ...folders, pango: ['pango.ts'] })).toEqual([
      'app/platforms/pango has no pango.scenarios.ts',
      'app/platforms/pango has no README.md',
    ]);
  });
});

test('a configuration that puts two endpoints on one method and path does not start', async () => {
  const backend = await startBackend();
  try {
    const { services, lifecycle, config } = backend;
    const withPath = (PANGO_PATH: string) => {
      const changed = config.platforms.map(({ platform, settings }) =>
        platform.id === 'pango'
          ? { platform, settings: { ...settings, PANGO_PATH } }
          : { platform, settings },
      );
      const log = { error() {} };
      return endpointsOf({ ...config, platforms: changed }, backend.url, services, log, lifecycle);
    };
    expect(() => withPath('/GetUserInfo')).not.toThrow();
    expect(() => withPath('/user/verify')).toThrow(
      'two endpoints are on GET /user/verify: change a path',
    );
    expect(() => withPath('/')).toThrow('two endpoints are on POST /: change a path');
  } finally {
    await backend.stop();
  }
});

describe.each(platforms)('README.md of $title', (platform) => {
  const page = () => readFileSync(join(platformsFolder, platform.id, 'README.md'), 'utf8');

  test('names every setting with its default, and no other', () => {
    const named = [...page().matchAll(/^\| `([A-Z_]+)` \| `?([^|`]+)`? \|/gm)];
    const documented = Object.fromEntries(named.map(([, name, value]) => [name, value]));
    const secrets = secretsOf(platform).map((name) => [name, 'none']);
    const values = Object.entries({ ...defaults(platform), ...Object.fromEntries(secrets) });
    expect(documented).toEqual(
      Object.fromEntries(values.map(([name, value]) => [name, String(value) || 'empty'])),
    );
  });

  test('names only rows that there are, and every one', () => {
    const ids = platform.scenarios.map(({ id }) => Number(id.slice(-2)));
    const ranges = [...page().matchAll(new RegExp(`${platform.id}-(\\d\\d)(?:…(\\d\\d))?`, 'g'))];
    const named = ranges.flatMap(([, from, to = from]) =>
      ids.filter((id) => id >= Number(from) && id <= Number(to)),
    );
    expect([...new Set(named)].sort((a, b) => a - b)).toEqual(ids);
    const greatest = Math.max(...ranges.map(([, from, to = from]) => Number(to)));
    expect(greatest).toBe(Math.max(...ids));
  });
});
