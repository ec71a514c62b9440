/** Every user at every platform, as the console asks. */
import { trail } from '../../app/store/audit.ts';
import { createDirectory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { act, captured } from '../support/console.ts';
import { visitor } from '../support/visitor.ts';

let backend: Backend;

beforeEach(async () => {
  backend = await startBackend({ PLATFORMS: 'pango,connectycube,authlete' });
});
afterEach(() => backend.stop());

const page = async (query = '') => (await fetch(`${backend.url}/console/matrix${query}`)).text();

const textIn = (html: string) =>
  html
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll(/\s+/g, ' ')
    .trim();

type Row = Readonly<Record<string, string>>;

/** What the cells say, by login and platform. */
function cellsIn(html: string): Record<string, Row> {
  const rows: Record<string, Record<string, string>> = {};
  for (const [, outcome = '', login = '', platform = ''] of html.matchAll(
    /data-outcome="([^"]*)" data-who="([^"]*)" data-platform="([^"]*)"/g,
  )) {
    rows[login] = { ...rows[login], [platform]: outcome };
  }
  return rows;
}

/** Why, of one cell. */
const whyOf = (html: string, uid: number, platform: string) =>
  textIn(new RegExp(`id="why-${uid}-${platform}">(.*?)</span>`, 's').exec(html)?.[1] ?? '');

const ask = async (fields: Record<string, string> = {}) => {
  const { status, location = '' } = await act(
    backend,
    '/console/matrix',
    '/console/matrix/ask',
    fields,
  );
  expect(status).toBe(303);
  return (await fetch(`${backend.url}${location}`)).text();
};

const flip = async (kind: string, name: string, to: string) => {
  const one = visitor(backend);
  const { text } = await one.get('/console/matrix');
  const csrf = /name="(csrf\w*)" value="([^"]*)"/.exec(text);
  const { status, location = '' } = await one.post('/console/matrix/status', {
    [csrf?.[1] ?? '']: csrf?.[2] ?? '',
    kind,
    name,
    to,
    search: '',
    page: '1',
  });
  return { status, location, text: await page(location.replace('/console/matrix', '')) };
};

const everywhere = (outcome: string) => ({
  Pango: outcome,
  ConnectyCube: outcome,
  Authlete: outcome,
});

test('looking asks nobody', async () => {
  const html = await page();
  expect(cellsIn(html)['test1']).toEqual(everywhere('not asked'));
  expect(await captured(backend)).toEqual([]);
  expect((await trail(backend.services.database, { limit: 1 }))[0]?.actor).not.toBe('console');
});

test('everybody is asked about at every platform, over HTTP', async () => {
  const html = await ask();
  const cells = cellsIn(html);
  expect(cells['test1']).toEqual(everywhere('accepted'));
  expect(cells['test2']).toEqual(everywhere('accepted'));
  expect(cells['test3']).toEqual(everywhere('accepted'));
  expect(cells['test4']).toEqual(everywhere('refused'));
  expect(cells['simon371']).toEqual({
    Pango: 'accepted',
    ConnectyCube: 'accepted',
    Authlete: 'refused',
  });
  // His password is not public: nobody knows what Authlete would be answered.
  expect(cells['in-suspended-group']).toEqual({
    Pango: 'refused',
    ConnectyCube: 'refused',
    Authlete: 'not asked',
  });
  expect(whyOf(html, 4, 'pango')).toBe('The credential is good, but its user is suspended.');
  expect(whyOf(html, 2345, 'authlete')).toBe(
    'The user has no group, and this platform only knows groups.',
  );
  expect(whyOf(html, 31, 'connectycube')).toBe(
    'The credential is good, but its user’s group is suspended.',
  );
  expect(whyOf(html, 31, 'authlete')).toBe(
    'Not asked: only the user knows the password, and it cannot be read here.',
  );
});

test('who is kept out by the sign-in page is told why, as by an endpoint', async () => {
  const other = await startBackend({ PLATFORMS: 'dgp-oauth2' });
  const { location = '' } = await act(other, '/console/matrix', '/console/matrix/ask', {
    search: 'test4',
  });
  const html = await (await fetch(`${other.url}${location}`)).text();
  expect(cellsIn(html)['test4']).toEqual({ 'dgp-oauth2': 'refused' });
  expect(whyOf(html, 4, 'dgp-oauth2')).toBe('The credential is good, but its user is suspended.');
  expect(textIn(html)).toContain('user suspended');
  await other.stop();
});

test('what is asked is no call of a vendor’s', async () => {
  await ask({ search: 'test1' });
  expect(await captured(backend)).toHaveLength(3);
  expect(await captured(backend, '?from=others')).toEqual([]);
});

test('each cell that was asked leads to its call', async () => {
  const html = await ask({ search: 'test4' });
  const link = /data-cell="4-pango".*?href="(\/console\/calls\/\d+)"/s.exec(html)?.[1] ?? '';
  const call = await (await fetch(`${backend.url}${link}`)).text();
  expect(textIn(/<p class="why">(.*?)<\/p>/s.exec(call)?.[1] ?? '')).toBe(
    'The credential is good, but its user is suspended.',
  );
  expect(await captured(backend)).toHaveLength(3);
});

test('test4 is activated: asked again at once, and back by undo', async () => {
  await ask();
  const { status, location, text } = await flip('user', 'test4', 'active');
  expect(status).toBe(303);
  expect(location).toBe('/console/matrix?changed=user%3Atest4');
  expect(cellsIn(text)['test4']).toEqual(everywhere('accepted'));
  expect(textIn(/id="changed">(.*?)<form/s.exec(text)?.[1] ?? '')).toBe(
    'test4 is active now, from the next request on.',
  );

  const undo = /id="changed">.*?name="to" value="(\w+)"/s.exec(text)?.[1] ?? '';
  expect(undo).toBe('suspended');
  const back = await flip('user', 'test4', undo);
  expect(cellsIn(back.text)['test4']).toEqual(everywhere('refused'));
});

test('however often is asked, nobody is locked out by it', async () => {
  for (let times = 0; times < 12; times++) await ask({ search: 'test4' });
  const { text } = await flip('user', 'test4', 'active');
  expect(cellsIn(text)['test4']).toEqual(everywhere('accepted'));
});

test('a group is suspended: all who are in it, and nobody else', async () => {
  await ask();
  const { text } = await flip('group', 'Dev 01', 'suspended');
  const cells = cellsIn(text);
  expect(cells['test1']).toEqual(everywhere('refused'));
  expect(cells['test2']).toEqual(everywhere('refused'));
  expect(cells['test3']).toEqual(everywhere('accepted'));
  expect(whyOf(text, 1, 'authlete')).toBe(
    'The credential is good, but its user’s group is suspended.',
  );
});

test('who switched it stands in the audit trail', async () => {
  await flip('group', 'Dev 02', 'suspended');
  const [found] = await trail(backend.services.database, { target: 'group:Dev 02', limit: 1 });
  expect(found).toMatchObject({ actor: 'console', action: 'group.suspend' });
});

test.each([
  ['user', 'nobody', 'active', 404],
  ['group', 'nobody', 'active', 404],
  ['house', 'test1', 'active', 400],
  ['user', 'test1', 'deleted', 400],
])('%s %s to %s: is refused', async (kind, name, to, status) => {
  expect((await flip(kind, name, to)).status).toBe(status);
});

test('a form of another page switches nobody', async () => {
  const { status } = await visitor(backend).post('/console/matrix/status', {
    kind: 'user',
    name: 'test4',
    to: 'active',
  });
  expect(status).toBe(403);
  const user = await backend.services.users.findUserByLogin('test4');
  expect(user?.userActive).toBe(false);
});

test('a fault on our side is none of the user', async () => {
  await act(backend, '/console/chaos', '/console/chaos', {
    platform: 'connectycube',
    fault: 'server-error',
  });
  const html = await ask({ search: 'test1' });
  expect(cellsIn(html)['test1']).toEqual({
    Pango: 'accepted',
    ConnectyCube: 'fault',
    Authlete: 'accepted',
  });
  expect(whyOf(html, 1, 'connectycube')).toBe(
    'Chaos was armed: it got 500, without being looked at.',
  );
});

test('a page has 25 users, the rest is on the next; a search finds logins and groups', async () => {
  const { database, passwords } = backend.services;
  const directory = createDirectory(database, passwords, 'test');
  for (let number = 0; number < 30; number++) {
    await directory.createUser({
      uid: 5000 + number,
      login: `many-${number}`,
      name: 'One of many',
    });
  }
  expect(Object.keys(cellsIn(await page('?search=MANY')))).toHaveLength(25);
  expect(Object.keys(cellsIn(await page('?search=many&page=2')))).toEqual([
    'many-25',
    'many-26',
    'many-27',
    'many-28',
    'many-29',
  ]);
  expect(Object.keys(cellsIn(await page('?search=Dev+02')))).toEqual(['test3', 'test4']);
  expect(textIn(await page('?search=%3Cscript%3E'))).toContain('Nobody is called like that');
  expect(await page('?search=%3Cscript%3E')).not.toContain('value="<script>');
});

test('a hostile login is text', async () => {
  const { database, passwords } = backend.services;
  const login = '"><img/src=x/onerror=alert(1)>';
  await createDirectory(database, passwords, 'test').createUser({ login, name: login });
  const html = await ask({ search: 'img/src' });
  expect(html).not.toContain('<img');
  expect(cellsIn(html)).toEqual({
    '&quot;&gt;&lt;img/src=x/onerror=alert(1)&gt;': {
      Pango: 'accepted',
      ConnectyCube: 'accepted',
      Authlete: 'not asked',
    },
  });
});

test('no token is on the page', async () => {
  const html = (await ask()).replaceAll(/<input type="hidden" name="csrf[^>]*>/g, '');
  expect(html.match(/[\w-]{43,}/g)).toBeNull();
});
