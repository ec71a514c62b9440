/** AURORA, played: its documented functions and settings, what it puts on the wire, and its stories against a whole backend. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Incoming } from '../../app/http/endpoint.ts';
import {
  type AuroraSettings,
  auroraSimulator,
  createAurora,
  domainAllowed,
  sortingLetter,
} from '../../app/platforms/aurora/aurora.simulator.ts';
import type { Bindings } from '../../app/scenarios/scenario.ts';
import { createDirectory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { bindings, mint } from '../support/tokens.ts';
import { expectStory, storiesOf } from './stories.ts';

describe('a whole backend', () => {
  let backend: Backend;
  let bound: Bindings;

  beforeAll(async () => {
    backend = await startBackend();
    bound = await bindings(backend);
  });

  afterAll(() => backend.stop());

  test.each(storiesOf('aurora'))('$id $title', async (story) => {
    await expectStory(story, backend.url, bound);
  });

  test('a user suspended between two logins is refused at the second', async () => {
    const { database, passwords } = backend.services;
    const directory = createDirectory(database, passwords, 'test');
    const aurora = createAurora(backend.url, { createuser: 1 });
    const visitor = { login: 'test3', token: await mint(backend, 'test3') };
    expect((await aurora.play(visitor)).accepted).toBe(true);
    await directory.setUserStatus('test3', 'suspended');
    expect(await aurora.play(visitor)).toMatchObject({
      accepted: false,
      outcome: 'AURORA refuses the login: the answer names no audience',
    });
    await directory.setUserStatus('test3', 'active');
    expect((await aurora.play(visitor)).accepted).toBe(true);
  });

  test('the record of a login: who said what to whom, and when', async () => {
    const token = await mint(backend, 'test1');
    const { exchanges } = await createAurora(backend.url, { createuser: 1 }).play({
      login: 'test1',
      token,
    });
    expect(exchanges.map(({ from, to, concluded, order }) => [from, to, concluded, order])).toEqual(
      [
        ['App', 'Platform', 'AURORA lets the user in: entity 2', { request: 0, reply: 5 }],
        ['Platform', 'Backend', 'the user is test1@users.invalid', { request: 1, reply: 2 }],
        ['Platform', 'Backend', 'the user is test1@users.invalid', { request: 3, reply: 4 }],
      ],
    );
    expect(exchanges.map(({ request: { method, url } }) => `${method} ${url}`)).toEqual([
      'POST https://aurora.invalid/doAuth',
      `GET ${backend.url}/userinfo`,
      `GET ${backend.url}/userinfo`,
    ]);
  });

  test('the definition, with its defaults, fits this backend: only that nobody is created', async () => {
    const settings = auroraSimulator.settings.parse({});
    expect(settings).toEqual({
      audience: 'demo-app',
      host: '',
      endpoint: '/userinfo',
      emailfield: ['user', 'email'],
      namefield: ['user', 'name'],
      userfield: ['user', 'userid_sec'],
      createuser: 0,
      createsorted: 0,
      userparent: 1,
      usergroup: 0,
      domains: [],
      released: false,
    });
    const visitor = { login: 'test1', token: await mint(backend, 'test1') };
    const { outcome } = await auroraSimulator.create(backend.url, settings).play(visitor);
    expect(outcome).toBe('AURORA refuses the login: no user matches');
  });

  test('POST /doAuth, as an App calls it', async () => {
    const [endpoint] = createAurora(backend.url, { createuser: 1 }).endpoints;
    const call = async (body: unknown) => {
      const answer = await endpoint?.answer({ body } as Incoming);
      return { ...JSON.parse(answer?.body ?? ''), status: answer?.status };
    };
    const times = { received: expect.any(Number), delivered: expect.any(Number), status: 200 };
    const authstr = await mint(backend, 'test1');
    expect(endpoint?.path).toBe('/doAuth');
    expect(await call({ authtype: 'OAuthAccessToken', authstr })).toEqual({
      ...times,
      err: 0,
      errstr: '',
      id: 2,
    });
    for (const [body, errstr] of [
      [{ authtype: 'OAuthAccessToken', authstr: 'x' }, 'the answer names no audience'],
      [{ authtype: 'AuroraID', authstr }, 'the authtype AuroraID is not played here'],
      [{ authtype: 'OAuthAccessToken' }, 'authtype and authstr are needed'],
      [undefined, 'authtype and authstr are needed'],
    ]) {
      expect(await call(body)).toEqual({ ...times, err: 1, errstr });
    }
  });
});

describe('against a backend of any answer', () => {
  let server: Server;
  let url: string;
  let body: string;
  let status: number;
  let asked: { method: string | undefined; url: string | undefined; headers: string[] }[];

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push({ method: request.method, url: request.url, headers: request.rawHeaders });
      response.writeHead(status, { Location: '/elsewhere' }).end(body);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  beforeEach(() => {
    asked = [];
    status = 200;
    body = JSON.stringify(ola);
  });

  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });

  const ola = {
    user: { userid_sec: ['feide:ola@ntnu.no'], name: 'Ola', email: 'ola@mail.ntnu.no' },
    audience: 'demo-app',
  };
  const token = secret('a-token-that-this-backend-likes');

  const validate = (settings: AuroraSettings = {}) =>
    createAurora(url, { createuser: 1, ...settings }).validate(token);
  const found = { id: 2, error: undefined };

  test('the request, to the letter', async () => {
    expect(await validate()).toEqual(found);
    expect(asked.map((one) => [one.method, one.url])).toEqual([['GET', '/userinfo']]);
    const headers = asked.flatMap((one) => one.headers);
    const pairs = headers.flatMap((name, at) => (at % 2 ? [] : [[name, headers[at + 1]]]));
    expect(pairs.sort()).toEqual([
      ['Authorization', `Bearer ${token}`],
      ['Connection', 'close'],
      ['Host', url.slice('http://'.length)],
      ['charset', 'UTF-8'],
    ]);
  });

  test('the status is not looked at, and no redirect followed', async () => {
    for (status of [401, 500, 302]) expect(await validate()).toEqual(found);
    expect(asked).toHaveLength(3);
  });

  test('host and endpoint', async () => {
    const settings = {
      host: url.slice('http://'.length),
      endpoint: '/v1/me?x=1',
      createuser: 1,
    } as const;
    expect(await createAurora('http://nobody.invalid', settings).validate(token)).toEqual(found);
    expect(asked[0]?.url).toBe('/v1/me?x=1');
  });

  test.each<[string, string, AuroraSettings, string]>([
    ['no JSON', '<html>', {}, 'the answer of the endpoint is not JSON'],
    ['nothing', '', {}, 'the answer of the endpoint is not JSON'],
    ['a list', '[]', {}, 'the answer of the endpoint is not a JSON object'],
    ['null', 'null', {}, 'the answer of the endpoint is not a JSON object'],
    ['an error', '{"error":"invalid_token"}', {}, 'the answer names no audience'],
    [
      'a list of audiences',
      JSON.stringify({ ...ola, audience: ['demo-app'] }),
      {},
      'the audience is not the one that is set',
    ],
    [
      'no audience, and none is set',
      JSON.stringify({ ...ola, audience: '' }),
      { audience: '' },
      'the audience is not the one that is set',
    ],
    [
      'no e-mail address',
      JSON.stringify({ ...ola, user: { ...ola.user, email: undefined } }),
      {},
      'the answer has no user.email',
    ],
    ['an empty emailfield', JSON.stringify(ola), { emailfield: [] }, 'the answer has no email'],
    [
      'an address that begins with a digit',
      JSON.stringify({ ...ola, user: { ...ola.user, email: '1@ntnu.no' } }),
      {},
      'the e-mail address is of no form that is known',
    ],
    [
      'an address at localhost',
      JSON.stringify({ ...ola, user: { ...ola.user, email: 'root@localhost' } }),
      {},
      'an e-mail address at localhost is reserved',
    ],
    [
      'a user name that is no address',
      JSON.stringify({ ...ola, user: { ...ola.user, userid_sec: ['feide:ola'] } }),
      {},
      'the user name is missing, or not of e-mail form',
    ],
    [
      'no user name',
      JSON.stringify({ ...ola, user: { ...ola.user, userid_sec: [] } }),
      {},
      'the user name is missing, or not of e-mail form',
    ],
    [
      'no name, where the user is new',
      JSON.stringify({ ...ola, user: { ...ola.user, name: '' } }),
      {},
      'the user cannot be created without a name',
    ],
    [
      'userparent is no group',
      JSON.stringify(ola),
      { userparent: 7 },
      'userparent is no group: no user is created',
    ],
    [
      'a domain that may not sign in',
      JSON.stringify(ola),
      { domains: ['*.ntnu.no', '!mail.ntnu.no'] },
      'the domain of the e-mail address may not sign in',
    ],
  ])('%s: undefined, with an error', async (_title, answer, settings, error) => {
    body = answer;
    expect(await validate(settings)).toEqual({ id: undefined, error });
    expect(await validate({ ...settings, released: true })).not.toHaveProperty('id', undefined);
  });

  test('nobody answers', async () => {
    const gone = createAurora('http://127.0.0.1:1');
    expect(await gone.validate(token)).toEqual({
      id: undefined,
      error: 'the endpoint cannot be reached',
    });
  });

  test('paths of any length; of one or three keys the published code gets nothing', async () => {
    const settings = {
      emailfield: ['a', 'b', 'email'],
      namefield: ['name'],
      userfield: ['a', 'name'],
    };
    body = JSON.stringify({
      audience: 'demo-app',
      name: 'Ola',
      a: { name: 'ola@ntnu.no', b: { email: 'ola@mail.ntnu.no' } },
    });
    expect(await validate(settings)).toEqual(found);
    expect(await validate({ ...settings, released: true })).toEqual({
      id: 0,
      error: 'the answer has no a.b.email',
    });
  });

  test('raw UTF-8 is dropped by the published code, escapes arrive', async () => {
    const nameOf = async (released: boolean) => {
      const aurora = createAurora(url, { createuser: 1, released });
      await aurora.validate(token);
      const user = aurora.entities()[1];
      return user?.type === 'USER' ? user.fullname : undefined;
    };
    body = JSON.stringify({ ...ola, user: { ...ola.user, name: 'Åse Bjørnå' } });
    expect([await nameOf(false), await nameOf(true)]).toEqual(['Åse Bjørnå', 'se Bjrn']);
    body = body.replace('Åse Bjørnå', String.raw`\u00c5se Bj\u00f8rn\u00e5 \ud83e\uded0`);
    expect([await nameOf(false), await nameOf(true)]).toEqual(['Åse Bjørnå 🫐', 'Åse Bjørnå 🫐']);
  });

  test('ASCII that is written as an escape breaks the published code, which reports no error', async () => {
    body = JSON.stringify(ola).replace('"Ola"', String.raw`"Ola \u0022O\u0022"`);
    expect(await validate()).toEqual(found);
    expect(await validate({ released: true })).toEqual({
      id: 0,
      error: 'the answer of the endpoint is not JSON',
    });
    const flow = await createAurora(url, { released: true }).play({ login: 'ola', token });
    expect([flow.accepted, flow.outcome]).toEqual([
      false,
      "AURORA's login page takes a failure for a success: the answer of the endpoint is not JSON",
    ]);
  });

  test('a user without an OAuth user name: the same by the documentation, a conflict in the published code', async () => {
    for (const [released, id] of [
      [false, 2],
      [true, 0],
    ] as const) {
      const aurora = createAurora(url, { released });
      aurora.addUser({ email: 'OLA@mail.ntnu.no', fullname: 'Ola' });
      expect((await aurora.validate(token)).id).toBe(id);
    }
  });

  test('two users with one e-mail address', async () => {
    const aurora = createAurora(url);
    for (const fullname of ['One', 'Two']) {
      aurora.addUser({ email: 'ola@mail.ntnu.no', fullname, oauthUser: 'ola@ntnu.no' });
    }
    expect(await aurora.validate(token)).toEqual({ id: undefined, error: 'several users match' });
  });

  test('usergroup that is no group, 0, and lower: the user is created all the same', async () => {
    for (const usergroup of [7, 0, -1]) expect(await validate({ usergroup })).toEqual(found);
  });
});

describe('generate()', () => {
  const { generate } = createAurora('http://127.0.0.1:1');

  test.each(['abc', 'A-Z.a_z~0+9/', 'abc=', 'abc=='])('%s is a token', (token) => {
    expect(generate(token)).toEqual({ token, error: undefined });
  });

  test.each(['', '=', 'a=b', 'a b', 'a\n', 'blåbær', '"a"', 'a,b'])('%j is none', (token) => {
    expect(generate(token)).toEqual({
      token: undefined,
      error: 'the token has characters that no access token has',
    });
  });

  test('is cut at 4096 characters', () => {
    expect(generate('x'.repeat(4096)).token).toHaveLength(4096);
    expect(generate('x'.repeat(4097)).token).toBe('x'.repeat(4096));
  });
});

describe("domains: ['*.ntnu.no', '!stud.ntnu.no'], the documentation's example", () => {
  test.each([
    ['item.ntnu.no', true],
    ['a.b.ntnu.no', true],
    ['stud.ntnu.no', false],
    ['STUD.ntnu.no', false],
    ['x.stud.ntnu.no', true],
    ['ntnu.no', false],
    ['ntnu.no.evil.example', false],
    ['xntnu.no', false],
    ['item.ntnuxno', false],
  ])('%s: %p', (domain, allowed) => {
    expect(domainAllowed(domain, ['*.ntnu.no', '!stud.ntnu.no'])).toBe(allowed);
    expect(domainAllowed(domain, ['!stud.ntnu.no', '*.ntnu.no'])).toBe(allowed);
  });
});

test.each([
  ['Ola', 'O'],
  ['åse', 'A'],
  ['Øystein', 'O'],
  ['Ægir', 'A'],
  ['éva', 'E'],
  ['Łukasz', 'L'],
  ['Þóra', 'T'],
  ['ßeta', 'S'],
  ['7of9', 'D'],
  ['李', 'E'],
])('%s is sorted below %s', (name, letter) => {
  expect(sortingLetter(name)).toBe(letter);
});
