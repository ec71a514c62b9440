/** What was made from the tables is current, and what the documents say of the suite is so. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { platforms } from '../../app/platforms/index.ts';
import { projectRoot } from '../../app/project-root.ts';
import { reporters } from '../../app/scenarios/reporters/reporters.ts';
import { httpFile, httpFiles } from '../../scripts/http-files.ts';

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

describe('http/', () => {
  test('is what npm run http-files makes, a file for each platform and no other', () => {
    expect(readdirSync(join(projectRoot, 'http')).toSorted()).toEqual(
      platforms.map(({ id }) => `${id}.http`).toSorted(),
    );
    for (const [name, text] of httpFiles()) expect(read(`http/${name}`)).toBe(text);
  });

  test.each(platforms)('$title: every row by its id, every variable declared once', (platform) => {
    const text = httpFile(platform);
    const declared = [...text.matchAll(/^@(\w+) = \S+$/gm)].map(([, name]) => name);
    const used = [...text.matchAll(/^(?!#).*$/gm)].flatMap(([line]) =>
      [...line.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name),
    );

    expect([...text.matchAll(/^### (\S+)/gm)].map(([, id]) => id)).toEqual(
      platform.scenarios.map(({ id }) => id),
    );
    expect(new Set(declared).size).toBe(declared.length);
    expect(declared).toEqual(expect.arrayContaining(used));
  });

  test('a request is written as an editor sends it', () => {
    expect(
      httpFiles().get('pango.http'),
    ).toContain(`### pango-14 a good token in the query, another in the body
# A request without exactly one token, a string, is refused in the same words.
# our choice: the vendor is silent; see README.md
# Answer: 200 {"result":"Not found"}
# @name pango_14
POST {{baseUrl}}/GetUserInfo?oauth_token={{token_vpn_user}}
Content-Type: application/x-www-form-urlencoded

oauth_token={{token_test1}}
`);
    expect(httpFiles().get('authlete.http')).toContain(
      '\nAuthorization: Basic {{authlete_apiKey}} {{authlete_apiSecret}}\n',
    );
  });
});

describe('docs/scenario-suite.md', () => {
  const text = read('docs/scenario-suite.md');

  test('names every reporter, with its file', () => {
    const named = [...text.matchAll(/^\| `(\w+)` \| (\S+) \|/gm)].map(([, name, file]) => [
      name,
      file,
    ]);

    expect(named).toEqual(reporters.map(({ name, file }) => [name, file]));
  });

  test('every option in it is one that --help explains', () => {
    const command = read('scripts/scenarios.ts');

    const named = new Set([...text.matchAll(/--[a-z][a-z-]+/g)].map(([option]) => option));
    named.delete('--help');

    expect([...named].filter((option) => !command.includes(`'${option}`))).toEqual([]);
  });
});

const step = z.looseObject({ run: z.string().optional(), uses: z.string().optional() });

test('the GitHub workflow: by hand with a target, and by the clock; no input or secret in a script', () => {
  const workflow = z
    .object({
      name: z.string(),
      on: z.object({
        workflow_dispatch: z.object({ inputs: z.object({ target: z.looseObject({}) }) }),
        schedule: z.array(z.object({ cron: z.string() })).length(1),
      }),
      permissions: z.object({ contents: z.literal('read') }),
      concurrency: z.string(),
      jobs: z.object({ scenarios: z.looseObject({ steps: z.array(step) }) }),
    })
    .parse(parse(read('docs/ci/scenarios.github.yml')));
  const scripts = workflow.jobs.scenarios.steps.flatMap(({ run = [] }) => run);

  expect(scripts.join('\n')).not.toContain('${{');
  expect(scripts.at(-1)).toMatch(/npm run scenarios -- --fixture .+ --level seen /);
  // In another repository than this kit's, too.
  expect(workflow.jobs.scenarios.steps[0]).toMatchObject({
    with: { repository: expect.stringContaining('vars.PARTNER_IDP_KIT || github.repository') },
  });
});

test('the GitLab job: scheduled or by hand, with its JUnit report', () => {
  const { scenarios } = z
    .object({
      scenarios: z.looseObject({
        rules: z.array(z.object({ if: z.string() })),
        script: z.array(z.string()),
        artifacts: z.looseObject({ reports: z.object({ junit: z.string() }) }),
      }),
    })
    .parse(parse(read('docs/ci/scenarios.gitlab-ci.yml')));

  expect(scenarios.rules).toHaveLength(2);
  expect(scenarios.script[0]).toContain('$PARTNER_IDP_KIT.git');
  expect(scenarios.script.at(-1)).toMatch(
    /--level seen .+ --out "\$CI_PROJECT_DIR\/reports\/scenarios"$/,
  );
  expect(scenarios.artifacts.reports.junit).toBe('reports/scenarios/junit.xml');
});
