/** What a tester says of his own backend, and the rows with his people in them. */
import { parseEnv } from 'node:util';
import { people, tokenOf, tokens } from '../../app/scenarios/cast.ts';
import { readFixture } from '../../app/scenarios/fixture.ts';
import { fixtureTemplate } from '../../app/scenarios/fixture-template.ts';
import { type Recast, recast } from '../../app/scenarios/recast.ts';
import { type Expect, get, post, type Scenario, type Send } from '../../app/scenarios/scenario.ts';
import { UsageError } from '../../app/scenarios/selection.ts';
import { secret } from '../support/canaries.ts';
import { entries } from './playing.ts';

const read = (text: string, environment: Record<string, string> = {}) =>
  readFixture(entries, environment, { name: 'scenarios.env', text });

const withoutStories = (text: string, platform: string) => read(text).withoutStories.get(platform);

function problemsOf(text: string, environment: Record<string, string> = {}): readonly string[] {
  try {
    read(text, environment);
  } catch (error) {
    if (error instanceof UsageError) return error.message.split('\n');
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('the file', () => {
  test('that --init writes is good, and says nothing yet', () => {
    const text = fixtureTemplate(entries);
    expect(Object.values(parseEnv(text)).filter((value) => value !== '')).toEqual([]);
    expect(Object.keys(read(text).values)).toEqual(['SCENARIO_TOKEN_NEVER_ISSUED']);
    expect(text).toContain(
      [
        '# ---- Who plays test4: suspended, in a group that is active (dev02) ----',
        "# The user's number at your backend; in our cast 4.",
        'SCENARIO_TEST4_UID=',
      ].join('\n'),
    );
    expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
    // Nothing is left without words of its own.
    expect(text).not.toContain('A value for');
    expect(text).toContain(
      [
        '# A client token (the jwt of dgp-oauth2) that would be good, were the user not suspended: get it',
        '# first, then suspend the user.',
        'SCENARIO_JWT_TEST4=',
      ].join('\n'),
    );
  });

  test('that --init writes for one platform has what this one needs, the least of it first', () => {
    const text = fixtureTemplate(entries, ['connectycube']);
    expect(text).toContain(
      [
        '# For a first result, fill in:',
        '# ConnectyCube (connectycube-01): SCENARIO_TOKEN_SIMON371 SCENARIO_SIMON371_UID',
        '',
      ].join('\n'),
    );
    expect(text).toContain('SCENARIO_PATH_USER_VERIFY=');
    expect(text).not.toMatch(/AUTHLETE|JWT|VPN_USER|AURORA|PASSWORD/);
  });

  test.each([
    [
      'spaces',
      'SCENARIO_TEST1_NAME=Bob Two',
      'SCENARIO_TEST1_NAME: a shell reads this value in another way; put it in single quotes, without spaces around =',
    ],
    [
      'a sign',
      'SCENARIO_TOKEN_TEST1=a$b-123',
      'SCENARIO_TOKEN_TEST1: a shell reads this value in another way; put it in single quotes, without spaces around =',
    ],
    [
      'a sign in double quotes',
      'SCENARIO_TOKEN_TEST1="a$b-123"',
      'SCENARIO_TOKEN_TEST1: a shell reads this value in another way; put it in single quotes, without spaces around =',
    ],
    ['no value', 'Bob', 'must be NAME=value'],
  ])('is read by a shell, too: %s', (_, written, problem) => {
    expect(problemsOf(`# mine\n${written}`)).toEqual([`scenarios.env, line 2: ${problem}`]);
  });

  test('a path is said once: the stories have it from there', () => {
    expect(read('SCENARIO_PATH_USER_VERIFY=/chat/check')).toMatchObject({
      dashboards: { connectycube: { apiUrl: '/chat/check' } },
    });
    expect(withoutStories('SCENARIO_PATH_USER_VERIFY=/chat/check', 'connectycube')).toBeUndefined();
    expect(withoutStories('SCENARIO_PATH_USER_VERIFY=none', 'connectycube')).toBe(
      'not served there: SCENARIO_PATH_USER_VERIFY is none',
    );
  });

  test('what every backend has another of is said before the stories', () => {
    const audience = 'needs SCENARIO_AURORA_DASHBOARD, e.g. \'{"audience":"your-client-id"}\'';
    expect(withoutStories('', 'aurora')).toBe(audience);
    expect(withoutStories(`SCENARIO_AURORA_DASHBOARD='{"createuser":1}'`, 'aurora')).toBe(audience);
    const said = `SCENARIO_AURORA_DASHBOARD='{"audience":"my-app"}'`;
    expect(withoutStories(said, 'aurora')).toBeUndefined();

    expect(withoutStories('', 'dgp-oauth2')).toBe('needs SCENARIO_DGP_OAUTH2_SERVICE');
    const service = 'SCENARIO_DGP_OAUTH2_SERVICE=files';
    expect(withoutStories(service, 'dgp-oauth2')).toBeUndefined();
    expect(read(service).dashboards['dgp-oauth2']).toEqual({ service: 'files' });
    expect(problemsOf('SCENARIO_DGP_OAUTH2_DASHBOARD=\'{"service":"files"}\'')).toEqual([
      'scenarios.env: SCENARIO_DGP_OAUTH2_DASHBOARD: there is no "service" in it; there are provider, next',
    ]);
    const template = fixtureTemplate(entries);
    expect(template).toContain(
      '# A service that your backend allows (ALLOWED_SERVICES); in our tables storage-service.\nSCENARIO_DGP_OAUTH2_SERVICE=\n',
    );
    expect(template).toMatch(
      /stories need\s(# )?it: \{"audience":"your-client-id"\}\nSCENARIO_AURORA_DASHBOARD=\n/,
    );
  });

  test('of names that are other ones, the stories want the dashboard; of what is not there, they do not', () => {
    const stories = (value: string) =>
      withoutStories(`SCENARIO_CONNECTYCUBE_ANSWERS=${value}`, 'connectycube');
    expect(stories('user.login=none,user.id=user.id')).toBeUndefined();
    expect(stories('user.login=none,user.id=uid')).toMatch(
      /^needs SCENARIO_CONNECTYCUBE_DASHBOARD, because SCENARIO_CONNECTYCUBE_ANSWERS is set; e\.g\. /,
    );
  });

  test('has each variable once', () => {
    const names: string[] = fixtureTemplate(entries).match(/^SCENARIO_\w+/gm) ?? [];
    expect(names.filter((name, index) => names.indexOf(name) < index)).toEqual([]);
  });

  test('goes behind the environment', () => {
    const { bindings } = read('SCENARIO_TOKEN_TEST1=in-the-file\nSCENARIO_TOKEN_TEST4=there', {
      SCENARIO_TOKEN_TEST1: 'in-the-environment',
      SCENARIO_TOKEN_TEST4: ' ',
      SCENARIO_TARGET: 'http://127.0.0.1',
    });
    expect(bindings).toMatchObject({
      'token.test1': 'in-the-environment',
      'token.test4': 'there',
    });
  });

  test('is wrong in several places, which are named without their values', () => {
    const token = secret('the-same-token-twice');
    expect(
      problemsOf(
        [
          'SCENARIO_TEST1_UIDD=7',
          'SCENARIO_TEST1_UID=seven',
          'SCENARIO_PATH_USER_VERIFY=https://backend.example/verify',
          'SCENARIO_PANGO_PARAMETERS=oauth_token',
          'SCENARIO_PANGO_DASHBOARD=\'{"parametre":"t","place":"sky"}\'',
          'SCENARIO_AUTHLETE_DASHBOARD=[]',
          `SCENARIO_TOKEN_TEST1=${token}`,
          `SCENARIO_TOKEN_EXPIRED=${token}`,
          'SCENARIO_SIMON371_UID=11',
          'SCENARIO_VPN_USER_UID=11',
          'SCENARIO_TEST4_LOGIN=bob',
          'SCENARIO_TEST3_LOGIN=bob',
          'SCENARIO_GROUP_DEV01_SUBJECT=red',
          'SCENARIO_GROUP_DEV02_SUBJECT=red',
        ].join('\n'),
        { SCENARIO_TEST2_UID: '-1' },
      ),
    ).toEqual([
      'scenarios.env: SCENARIO_TEST1_UIDD: there is no such variable; did you mean SCENARIO_TEST1_UID, SCENARIO_TEST2_UID, SCENARIO_TEST3_UID?',
      'scenarios.env: SCENARIO_TEST1_UID: must be a whole number, as platforms take no other',
      'SCENARIO_TEST2_UID: must be a whole number, as platforms take no other',
      'scenarios.env: SCENARIO_PATH_USER_VERIFY: must be a path such as /cidp/verify, without a query; or none',
      'scenarios.env: SCENARIO_PANGO_PARAMETERS: must be ours=theirs, several separated by commas',
      'scenarios.env: SCENARIO_PANGO_DASHBOARD: there is no "parametre" in it; there are carrier_id, auth_method, GetUserInfo, parameter, place, License',
      'scenarios.env: SCENARIO_PANGO_DASHBOARD: place Invalid option: expected one of "query"|"form"|"json"|"bearer"',
      'scenarios.env: SCENARIO_AUTHLETE_DASHBOARD: must be a JSON object',
      'SCENARIO_TOKEN_EXPIRED and SCENARIO_TOKEN_TEST1 are the same token',
      'SCENARIO_SIMON371_UID and SCENARIO_VPN_USER_UID are the same uid: each is somebody else',
      'SCENARIO_TEST3_LOGIN and SCENARIO_TEST4_LOGIN are the same login: each is somebody else',
      'SCENARIO_GROUP_DEV01_SUBJECT and SCENARIO_GROUP_DEV02_SUBJECT are the same subject: each is another group',
    ]);
  });

  test('has secrets; a password that stands in cast.ts is none', () => {
    const { secrets } = read(
      [
        `SCENARIO_TEST1_PASSWORD='${secret('a password of mine')}'`,
        'SCENARIO_SIMON371_PASSWORD=simon371',
        'SCENARIO_SIMON371_NAME=Somebody',
      ].join('\n'),
    );
    expect(secrets.map(({ variable }) => variable).toSorted()).toEqual([
      'SCENARIO_TEST1_PASSWORD',
      'SCENARIO_TOKEN_NEVER_ISSUED',
    ]);
  });
});

describe('a row with other people in it', () => {
  const fixture = read(
    [
      'SCENARIO_TEST1_UID=7',
      'SCENARIO_TEST1_LOGIN=bob',
      'SCENARIO_TEST1_PASSWORD="bob\'s word"',
      'SCENARIO_TEST1_NAME=Bob',
      'SCENARIO_SIMON371_UID=11',
      'SCENARIO_SIMON371_LOGIN=ann',
      'SCENARIO_TOKEN_SIMON371=token-of-ann',
      'SCENARIO_ASE_BJ_RNA_LOGIN=Ómar',
      'SCENARIO_GROUP_DEV01_SUBJECT=red',
      "SCENARIO_GROUP_DEV01_DISPLAY_NAME='The Red Team'",
      'SCENARIO_PATH_USER_VERIFY=/chat/check',
      'SCENARIO_CONNECTYCUBE_PARAMETERS=token=ticket,IdP-Token=X-Ticket',
      'SCENARIO_CONNECTYCUBE_ANSWERS=user.id=data.uid',
      `SCENARIO_CONNECTYCUBE_DASHBOARD='{"method":"POST"}'`,
      'SCENARIO_DGP_OAUTH2_SERVICE=files',
    ].join('\n'),
  );

  const rowOf = (send: Send, expect: Expect = { status: 200 }): Scenario => ({
    id: 'row-01',
    title: 'a row',
    requirement: 'a rule',
    mark: 'documented',
    source: 'a page',
    send,
    expect,
  });

  function played(send: Send, expected?: Expect, platform = 'pango'): Scenario {
    const there: Recast = recast(rowOf(send, expected), platform, fixture);
    if ('unplayable' in there) throw new Error(there.unplayable);
    return there.row;
  }

  test('login and password that are the same word are told apart by where they stand', () => {
    const { send } = played(post('/', { json: { id: 'test1', password: 'test1' } }));
    expect(send.json).toEqual({ id: 'bob', password: "bob's word" });
  });

  test('a number is only a uid where a uid stands', () => {
    const { send } = played(get('/', { nocache: '1', user_id: '1' }));
    expect(send.query).toEqual({ nocache: '1', user_id: '7' });
    const { expect: expected } = played(get('/'), {
      status: 200,
      json: { user: { uid: 1, level: 1 }, sub: '1' },
    });
    expect(expected.json).toEqual({ user: { uid: 7, level: 1 }, sub: '7' });
  });

  test('JSON in a text keeps its order, its spaces and what is wrong with it', () => {
    const { send } = played(
      post('/', { text: '{ "password":"test1",  "serviceApiKey":9007199254740993, "id": "test1"' }),
    );
    expect(send.text).toBe(
      '{ "password":"bob\'s word",  "serviceApiKey":9007199254740993, "id": "bob"',
    );
  });

  test('escapes stay escapes, and JSON in JSON stays JSON', () => {
    const { send, expect: expected } = played(post('/', { text: '{"id":"\\u0074est1"}' }), {
      status: 200,
      text: '{"subject":"1","claims":"{\\"name\\":\\"Test One\\"}"}',
    });
    expect(send.text).toBe('{"id":"\\u0062\\u006f\\u0062"}');
    expect(expected.text).toBe('{"subject":"7","claims":"{\\"name\\":\\"Bob\\"}"}');
  });

  test('another spelling of a value is that spelling of the other one', () => {
    const spelt = (id: string) => played(post('/', { json: { id } })).send.json;
    expect(spelt('TEST1')).toEqual({ id: 'BOB' });
    expect(spelt('test1 ')).toEqual({ id: 'bob ' });
    expect(spelt('A\u030ase.Bjørna\u030a')).toEqual({ id: 'O\u0301mar' });
  });

  test('a spelling that makes no difference to the other one cannot be played', () => {
    const nfd = rowOf(post('/', { json: { id: 'Åse.Bjørnå'.normalize('NFD') } }));
    const plain = read('SCENARIO_ASE_BJ_RNA_LOGIN=ann');
    expect(recast(nfd, 'authlete', plain)).toEqual({
      unplayable: 'SCENARIO_ASE_BJ_RNA_LOGIN is the same in the other spelling of this row',
    });
  });

  test('groups, and who calls', () => {
    const { send, expect: expected } = played(
      post('/', { basic: { user: 'test1', password: 'test1' } }),
      { status: 200, json: { subject: 'dev01', displayName: 'Developer Group 01' } },
    );
    expect(send.basic).toEqual({ user: 'bob', password: "bob's word" });
    expect(expected.json).toEqual({ subject: 'red', displayName: 'The Red Team' });
  });

  test('path, parameters, headers and the places in the answer', () => {
    const user = { id: 2345, login: 'simon371' };
    const elsewhere = { statuses: [200], atLeast: { user }, never: { user: { id: 1 } } };
    const { send, expect: expected } = played(
      post('/user/verify', {
        headers: { 'IdP-Token': 'x' },
        query: { token: 'a' },
        form: { token: 'b', tokens: 'c' },
      }),
      { status: 200, elsewhere },
      'connectycube',
    );
    expect(send).toMatchObject({
      path: '/chat/check',
      headers: { 'X-Ticket': 'x' },
      query: { ticket: 'a' },
      form: { ticket: 'b', tokens: 'c' },
    });
    expect(expected.elsewhere?.atLeast).toEqual({ data: { uid: 11 }, user: { login: 'ann' } });
    expect(expected.elsewhere?.never).toEqual({ data: { uid: 7 } });
    const text = played(
      post('/user/verify', { text: 'token=a&x=token' }),
      undefined,
      'connectycube',
    );
    expect(text.send.text).toBe('ticket=a&x=token');
  });

  test('what another backend may leave out is compared as far as the fixture knows it', () => {
    const elsewhere = {
      statuses: [200],
      ifThere: { user: { id: 2345, login: 'simon371', full_name: 'Simon Davis' } },
    };
    const { expect: expected } = played(
      post('/user/verify', {}),
      { status: 200, elsewhere },
      'connectycube',
    );
    expect(expected.elsewhere?.ifThere).toEqual({ data: { uid: 11 }, user: { login: 'ann' } });
  });

  test('a service is the one that is allowed there, and another one is another', () => {
    const service = ['storage-service', 'another-service'];
    const { send, expect: expected } = played(get('/auth/authorize', { service }), {
      status: 200,
      elsewhere: { statuses: [200], atLeast: { service: 'storage-service' } },
    });
    expect(send.query).toEqual({ service: ['files', 'another-service'] });
    expect(expected.elsewhere?.atLeast).toEqual({ service: 'files' });
  });

  test('what the fixture does not have is named, all of it', () => {
    const row = rowOf(get('/', { token: tokens.expired, with: tokenOf('test4') }), {
      status: 200,
      json: { uid: 2, name: 'Test Two', email: 'test1@example.com' },
    });
    expect(recast(row, 'pango', fixture)).toEqual({
      unplayable:
        'needs SCENARIO_TOKEN_EXPIRED, SCENARIO_TOKEN_TEST4, SCENARIO_TEST2_UID, SCENARIO_TEST2_NAME, SCENARIO_TEST1_EMAIL',
    });
  });
});

test('whoever is played by himself changes no row', () => {
  const words = (value: unknown) => `'${String(value)}'`;
  const text = people
    .flatMap(({ login, uid, password, name, email }) => {
      const prefix = `SCENARIO_${login.toUpperCase().replace('-', '_')}`;
      return [
        `${prefix}_UID=${uid}`,
        `${prefix}_LOGIN=${words(login)}`,
        `${prefix}_PASSWORD=${words(password)}`,
        `${prefix}_NAME=${words(name)}`,
        `${prefix}_EMAIL=${words(email)}`,
      ];
    })
    .join('\n');
  const same = read(text);
  const sent = (id: string) => {
    const entry = entries.find(({ played }) => played.id === id);
    if (entry?.kind !== 'row') throw new Error(`${id} is no row`);
    const there = recast(entry.played, entry.platform.id, same);
    return 'row' in there ? [there.row.send, entry.played.send] : [there.unplayable];
  };
  for (const id of ['authlete-50', 'authlete-49', 'pango-22', 'connectycube-10']) {
    const [there, here] = sent(id);
    expect(there).toEqual(here);
  }
});
