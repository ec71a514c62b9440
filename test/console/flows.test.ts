/** Flows that the console plays: what came of them, how they are drawn, and that no secret is left in them. */
import { lines } from '../../app/console/diagram.ts';
import { createRuns, mostRuns, type Run } from '../../app/console/flows.ts';
import { mermaid } from '../../app/console/mermaid.ts';
import { platforms } from '../../app/platforms/index.ts';
import { trail } from '../../app/store/audit.ts';
import { createDirectory } from '../../app/store/directory.ts';
import { apiKey, apiSecret, type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { act } from '../support/console.ts';
import { mint } from '../support/tokens.ts';
import { formOf, visitor } from '../support/visitor.ts';

let backend: Backend;

beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const page = async (path: string) => {
  const response = await fetch(`${backend.url}${path}`);
  return { status: response.status, text: await response.text() };
};

const decoded = (html: string) =>
  html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ')
    .trim();

const inside = (html: string, pattern: RegExp) => decoded(pattern.exec(html)?.[1] ?? '');

type Told = {
  readonly path: string;
  readonly html: string;
  readonly outcome: string;
  readonly ourSide: string;
  /** What the arrows say, from top to bottom. */
  readonly arrows: readonly string[];
  readonly mermaid: string;
};

/** The form of a platform's page, with nothing chosen but this. */
async function choose(platform: string, fields: Record<string, string>) {
  const path = `/console/flows/${platform}`;
  const one = visitor(backend);
  const filled = formOf((await one.get(path)).text, path);
  const hidden = Object.fromEntries(Object.entries(filled).filter(([name]) => /csrf/.test(name)));
  return one.post(path, { ...hidden, variant: 'good', ...fields });
}

/** Plays a flow, and reads the page that shows it. */
async function play(platform: string, fields: Record<string, string>): Promise<Told> {
  const path = `/console/flows/${platform}`;
  const { status, location = '' } = await choose(platform, fields);
  expect(status).toBe(303);
  expect(location).toMatch(new RegExp(`^${path}/runs/\\d+$`));
  const { text: html } = await page(location);
  const [wide = ''] = html.match(/<svg class="diagram wide".*?<\/svg>/s) ?? [];
  return {
    path: location,
    html,
    outcome: inside(html, /<h1 class="outcome[^>]*>(.*?)<\/h1>/s),
    ourSide: inside(html, /<p class="our-side"[^>]*>(.*?)<\/p>/s),
    arrows: [...wide.matchAll(/<a href="[^"]*" aria-label="([^"]*)"/g)].map(([, said = '']) =>
      decoded(said),
    ),
    mermaid: /<pre id="mermaid"[^>]*>(.*?)<\/pre>/s.exec(html)?.[1] ?? '',
  };
}

/** What looks like a token of ours, but for the forms' own secret. */
const tokensIn = (html: string) =>
  html.replaceAll(/<input type="hidden" name="csrf[^>]*>/g, '').match(/[\w-]{43,}/g) ?? [];

describe('what came of it', () => {
  test('Pango, test1: every message in its order, from the actual exchange', async () => {
    const { outcome, ourSide, arrows } = await play('pango', { user: 'test1', variant: 'good' });
    expect(outcome).toBe('Let in: Pango registers the user 1 and the device phone-of-test1');
    expect(ourSide).toBe('This backend: The credential is good, and belongs to test1. The call');
    expect(arrows).toEqual([
      '1. This backend to App: a token, issued by this console, without a request',
      '2. App to Pango: POST /user/login',
      '3. Pango to This backend: GET /GetUserInfo?oauth_token=•••',
      '4. This backend to Pango: 200 OK, the token is of the user with uid 1',
      '5. Pango to App: 200 OK, the user is in',
    ]);
  });

  test('Authlete, test4: denied, and the page says why, which the platform is not told', async () => {
    const { outcome, ourSide, arrows, html } = await play('authlete', { user: 'test4' });
    expect(outcome).toBe('Denied: Authlete denies the login');
    expect(ourSide).toBe(
      'This backend: The credential is good, but its user is suspended. The platform is not told why. The call',
    );
    expect(arrows).toEqual([
      '1. Browser to Authlete: POST /21653835348762/login',
      '2. Authlete to This backend: POST /',
      '3. This backend to Authlete: 200 OK, the developer is not authenticated',
      '4. Authlete to Browser: 403 Forbidden, the login page again',
    ]);
    const call = /href="(\/console\/calls\/\d+)">The call</.exec(html)?.[1] ?? '';
    const { text } = await page(call);
    expect(inside(text, /<p class="why">(.*?)<\/p>/s)).toBe(
      'The credential is good, but its user is suspended.',
    );
  });

  test.each([
    ['none', 'There is no credential in it, or more than one.'],
    ['unknown', 'There is no such token, or no such login.'],
    ['expired', 'The token was good, and is over.'],
    ['revoked', 'The token was revoked.'],
  ])('ConnectyCube, %s token', async (variant, why) => {
    const { outcome, ourSide } = await play('connectycube', { user: 'simon371', variant });
    expect(outcome).toBe('Denied: ConnectyCube refuses the login');
    // Without a login ConnectyCube does not ask us at all.
    expect(ourSide).toBe(
      variant === 'none' ? '' : `This backend: ${why} The platform is not told why. The call`,
    );
  });

  test('a wrong password', async () => {
    const { outcome, ourSide } = await play('authlete', { user: 'test1', variant: 'wrong' });
    expect(outcome).toBe('Denied: Authlete denies the login');
    expect(ourSide).toMatch(/^This backend: The login exists; the password is another one\./);
  });

  test.each([
    ['test1', 'wrong', 'The login exists; the password is another one.'],
    ['test4', 'good', 'The credential is good, but its user is suspended.'],
  ])(
    'dgp-oauth2, %s with a %s password: why the sign-in page let him not in',
    async (user, variant, why) => {
      const { outcome, ourSide } = await play('dgp-oauth2', { user, variant });
      expect(outcome).toBe('Denied: The App is not signed in: the sign-in page lets nobody in');
      expect(ourSide).toBe(`This backend: ${why} The sign-in page does not say why.`);
    },
  );

  test('a fault: the platform gets a 500, and the page says whose doing it was', async () => {
    await act(backend, '/console/chaos', '/console/chaos', {
      platform: 'pango',
      fault: 'server-error',
    });
    const { outcome, ourSide, arrows } = await play('pango', { user: 'test2' });
    expect(outcome).toBe('Denied: Pango returns OAUTH_ERROR to the app');
    expect(ourSide).toBe(
      'This backend: Chaos was armed: it got 500, without being looked at. The call',
    );
    expect(arrows[3]).toBe(
      '4. This backend to Pango: 500 Internal Server Error, HTTP 500 is no answer to GetUserInfo',
    );
  });

  test.each(platforms.flatMap(({ id, simulator }) => (simulator ? [id] : [])))(
    '%s: test1 is let in, test4 is not, and each arrow leads to what was sent',
    async (id) => {
      const good = await play(id, { user: 'test1' });
      expect(good.outcome).toMatch(/^Let in: /);
      const targets = [...good.html.matchAll(/<a href="#([\w-]+)" aria-label=/g)];
      expect(targets.length).toBeGreaterThan(2);
      for (const [, target] of targets) expect(good.html).toContain(` id="${target}"`);
      expect((await play(id, { user: 'test4' })).outcome).toMatch(/^Denied: /);
    },
  );

  test('the platform remembers its users until it is reset', async () => {
    await play('pango', { user: 'vpn-user' });
    expect((await play('pango', { user: 'vpn-user' })).outcome).toBe(
      'Let in: Pango lets the user 690109944 in; the device phone-of-vpn-user was registered before',
    );
    const { location } = await act(backend, '/console/flows/pango', '/console/flows/pango/reset');
    expect(location).toBe('/console/flows/pango?done=platform-reset');
    expect((await play('pango', { user: 'vpn-user' })).outcome).toBe(
      'Let in: Pango registers the user 690109944 and the device phone-of-vpn-user',
    );
  });
});

describe('who and with what', () => {
  test('a link chooses user and variant, and plays nothing', async () => {
    const { text } = await page('/console/flows/pango?user=test4&variant=expired');
    expect(text).toMatch(/value="test4" class="person chosen"/);
    expect(text).toMatch(/value="expired" checked/);
  });

  test('a link with somebody whom the seed does not know: the login is filled in, escaped', async () => {
    const { text } = await page('/console/flows/authlete?user=%22%3E%3Cb%3E');
    expect(text).toContain('id="login" name="login" value="&quot;&gt;&lt;b&gt;"');
  });

  test('another password than the seed’s: only flows that begin with one lose the button', async () => {
    const other = await startBackend();
    const { database, passwords } = other.services;
    const button = async (platform: string) =>
      (await visitor(other).get(`/console/flows/${platform}`)).text.includes(
        'name="user" value="test3"',
      );
    expect([await button('pango'), await button('authlete')]).toEqual([true, true]);
    const password = secret('another password of test3');
    await createDirectory(database, passwords, 'test').setPassword('test3', password);
    expect([await button('pango'), await button('authlete')]).toEqual([true, false]);
    await other.stop();
  });

  test('somebody else, with the password that was typed', async () => {
    const password = secret('a group can be suspended');
    const told = await play('authlete', { login: 'in-suspended-group', password });
    expect(told.ourSide).toMatch(/its user’s group is suspended/);
    expect(told.html).not.toContain(password);
    expect(told.html).not.toContain('Play again');
  });

  test('a token that was pasted is asked about, and shown nowhere', async () => {
    const token = await mint(backend, 'test3');
    const told = await play('pango', { login: 'whoever', variant: 'typed', token });
    expect(told.outcome).toMatch(/^Let in: Pango registers the user 3 /);
    expect(told.html).not.toContain(token);
    expect(told.arrows).toHaveLength(4);
  });

  test.each([
    ['nobody', {}, 'Say whose flow it is.'],
    ['an unknown user', { login: 'nobody-here' }, 'There is no user nobody-here'],
    ['no token pasted', { user: 'test1', variant: 'typed' }, 'Paste a token'],
  ])('%s: is said, and nothing is played', async (_, fields, problem) => {
    const { status, text } = await choose('pango', fields as Record<string, string>);
    expect(status).toBe(422);
    expect(text).toContain(problem);
  });

  test('what is not there', async () => {
    expect((await page('/console/flows/nothing')).status).toBe(404);
    expect((await page('/console/flows/pango/runs/999999')).status).toBe(404);
    const { path } = await play('pango', { user: 'test1' });
    expect((await page(path.replace('pango', 'authlete'))).status).toBe(404);
  });

  test('a form of another page is refused', async () => {
    const { status } = await visitor(backend).post('/console/flows/pango', { user: 'test1' });
    expect(status).toBe(403);
  });

  test('who played it stands in the audit trail, with the token that was issued', async () => {
    await play('connectycube', { user: 'test2' });
    const [issued, flow] = await trail(backend.services.database, { limit: 2 });
    expect(flow).toMatchObject({
      actor: 'console',
      action: 'console.flow',
      target: 'platform:connectycube',
      detail: { user: 'test2', with: 'good' },
    });
    expect(issued).toMatchObject({
      actor: 'console',
      action: 'token.issue',
      target: 'user:test2',
      detail: { client: 'demo-app', scope: 'verify' },
    });
  });
});

describe('what must not be seen', () => {
  test('no token, key or secret on any of the pages', async () => {
    const told = await play('connectycube', { user: 'simon371' });
    const others = await Promise.all(
      platforms.map(async ({ id }) => (await play(id, { user: 'test1' })).html),
    );
    const { text: choose } = await page('/console/flows/authlete');
    const { text: all } = await page('/console/flows');
    const { text: log } = await page('/console/log');
    for (const html of [told.html, ...others, choose, all, log]) {
      expect(tokensIn(html)).toEqual([]);
      expect(html).not.toContain(apiKey);
      expect(html).not.toContain(apiSecret);
      expect(html).not.toContain(Buffer.from(`${apiKey}:${apiSecret}`).toString('base64'));
    }
    expect(told.html).toMatch(/<span class="secret" title="A secret of 43 characters/);
    expect(choose).toContain('<span class="secret">••• not shown</span>');
  });

  test('the curl of a request has variables where the secrets were', async () => {
    const { html } = await play('pango', { user: 'test1' });
    const [toPango, toUs] = [
      ...html.matchAll(/<pre id="exchange-\d+-curl"[^>]*>(.*?)<\/pre>/gs),
    ].map(([, text = '']) => text);
    expect(toPango).toContain(
      'curl -i -X POST &#39;https://backend.northghost.com&#39;&#39;/user/login&#39;',
    );
    expect(toPango).toContain('access_token=&#39;&quot;$SECRET_1&quot;');
    expect(toUs).toContain(
      'curl -i &quot;$BASE_URL&quot;&#39;/GetUserInfo?oauth_token=&#39;&quot;$SECRET_1&quot;',
    );
  });

  test('a hostile login is text in the page, in the diagram and in the Mermaid', async () => {
    const login = '"><script>alert(1)</script>;end#42;%%{init}';
    const directory = createDirectory(
      backend.services.database,
      backend.services.passwords,
      'test',
    );
    await directory.createUser({ login, name: login });
    const { html, outcome, mermaid: text } = await play('pango', { login });
    expect(html).not.toContain('<script>alert');
    expect(outcome).toContain(`the device phone-of-${login}`);
    expect(text).toContain(
      'phone-of-#34;#62;#60;script#62;alert(1)#60;/script#62;#59;end#35;42#59;#37;#37;#123;init#125;',
    );
    expect(text.split('\n').filter((line) => line.includes('script'))).toHaveLength(1);
  });
});

test('a hostile display name is text beside its arrow', async () => {
  const { database, passwords } = backend.services;
  const directory = createDirectory(database, passwords, 'test');
  const password = secret('password of a hostile group');
  const displayName = '<script>alert(2)</script>';
  await directory.createGroup({ name: 'Hostile', subject: 'hostile', displayName });
  await directory.createUser({ login: 'member', name: 'Member', password, group: 'Hostile' });
  const { html, arrows } = await play('authlete', { login: 'member', password });
  expect(arrows[2]).toBe(
    `3. This backend to Authlete: 200 OK, the developer is ${displayName} (hostile)`,
  );
  expect(html).toContain('>&lt;script&gt;alert(2)&lt;/');
  expect(html).not.toContain('<script>alert');
});

describe('the texts of a diagram', () => {
  test('Mermaid: one line an arrow, whatever is in it', () => {
    const text = mermaid({
      parties: [
        { party: 'App', title: 'App', caption: '' },
        { party: 'Backend', title: 'Back; end\n  App->>App: forged', caption: '' },
      ],
      arrows: [
        {
          number: 1,
          from: 'App',
          to: 'Backend',
          kind: 'request',
          title: 'GET /?a=1&b=2',
          text: '',
          href: '#x',
        },
        {
          number: 2,
          from: 'Backend',
          to: 'App',
          kind: 'lost',
          title: 'no answer',
          text: 'broke off:\u202Etxt',
          href: '#x',
        },
      ],
      accepted: false,
      outcome: 'denied',
    });
    expect(text).toBe(
      [
        'sequenceDiagram',
        '  autonumber',
        '  participant App as App',
        '  participant Backend as Back#59; end   App-#62;#62;App#58; forged',
        '  App->>Backend: GET /?a=1#38;b=2',
        '  Backend--xApp: no answer<br/>broke off#58;txt',
        '  Note over App,Backend: denied',
        '',
      ].join('\n'),
    );
  });

  test.each([
    ['all of it', ['all of it']],
    ['one word, two words', ['one word,', 'two words']],
    ['GET /user/verify?token=•••', ['GET /user/', 'verify?', 'token=•••']],
    ['unbreakable-and-long', ['unbreakable', '-and-long']],
    [
      'a b c d e f g h i j k l m n o p q r s t u v w',
      ['a b c d e f', 'g h i j k l', 'm n o p q …'],
    ],
    ['tab\tand\nbreak', ['tab and', 'break']],
    ['', []],
  ])('%j in lines of 11', (text, broken) => {
    expect(lines(text, 11)).toEqual(broken);
  });
});

test('as many runs are kept as are promised, the oldest goes first', () => {
  const runs = createRuns();
  const run = { platform: { id: 'pango', title: 'Pango' } } as Run;
  for (let count = 0; count <= mostRuns; count++) runs.add(run);
  expect(runs.all()).toHaveLength(50);
  expect(runs.find('pango', 1)).toBeUndefined();
  expect(runs.find('pango', 2)?.id).toBe(2);
  expect(runs.find('authlete', 2)).toBeUndefined();
});

test('where tokens come from another server, none is issued here', async () => {
  const other = await startBackend({
    TOKEN_SOURCE: 'jwt',
    JWT_ISSUER: 'https://issuer.example',
    PLATFORMS: 'pango',
  });
  try {
    const text = await (await fetch(`${other.url}/console/flows/pango`)).text();
    const offered = [...text.matchAll(/name="variant" value="(\w+)"/g)].map(([, name]) => name);
    expect(offered).toEqual(['typed', 'unknown', 'none']);
    expect(text).toContain('come from another server');
  } finally {
    await other.stop();
  }
});
