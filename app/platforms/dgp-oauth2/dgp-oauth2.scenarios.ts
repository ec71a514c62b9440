import { anything } from '../../scenarios/anything.ts';
import { clientTokenOf, clientTokens, tokenOf } from '../../scenarios/cast.ts';
import {
  type Expect,
  type ExpectElsewhere,
  get,
  post,
  rule,
  type Scenario,
  type Send,
} from '../../scenarios/scenario.ts';

const readme = 'README of dgp-oauth2, https://pypi.org/project/dgp-oauth2/';
const source = 'https://github.com/dataspot/dgp-oauth2, auth/controllers.py';
const silent = 'the vendor is silent; see dgp-oauth2.ts';
const unsafe = `what the original does is not safe (${source})`;

const ourChoice = { mark: 'our choice', source: silent } as const;

const test1 = clientTokenOf('test1');
const kari = clientTokenOf('kari.nordmann@example.com');

const check = (jwt: string, query: Send['query'] = {}) => get('/auth/check', { jwt, ...query });
const authorize = (jwt: string, service = 'storage-service') =>
  get('/auth/authorize', { jwt, service });
const update = (jwt: string, username: string) =>
  post('/auth/update', { query: { jwt, username } });
const resolve = (username: string) => get('/auth/resolve', { username });
const getProfile = (username: string) => get('/auth/get_profile', { username });
const logout = (jwt: string) => post('/auth/logout', { query: { jwt } });
const login = (next: string) => get('/auth/login', { provider: 'local', next });

/** With the providers that are configured there. */
const signedOutElsewhere: ExpectElsewhere = {
  statuses: [200],
  atLeast: { authenticated: false, providers: {} },
};

const signedOut: Expect = {
  status: 200,
  headers: { 'cache-control': 'no-store' },
  json: {
    authenticated: false,
    providers: { local: { url: '{{*}}/auth/login?provider=local' } },
  },
  elsewhere: signedOutElsewhere,
};

/** Ids are as they are there: the original's are of the e-mail. */
const signedInElsewhere = (name: string, email: string): ExpectElsewhere => ({
  statuses: [200],
  atLeast: { authenticated: true, profile: { id: anything, name, email } },
});

/** Which permissions, the provider there says. */
const permittedElsewhere: ExpectElsewhere = {
  statuses: [200],
  atLeast: { token: anything, userid: anything, permissions: {}, service: 'storage-service' },
};

const signedIn: Expect = {
  status: 200,
  headers: { 'cache-control': 'no-store' },
  json: {
    authenticated: true,
    profile: {
      id: '1',
      provider_id: 'local:1',
      name: 'Test One',
      email: 'test1@example.com',
      avatar_url: null,
      idhash: 'fe06520fa88744babe40f0bc82b73745',
      join_date: '20{{*}}T{{*}}Z',
    },
  },
  elsewhere: signedInElsewhere('Test One', 'test1@example.com'),
};

const nothing: Expect = { status: 200, text: '{"permissions":{}}' };
const success: Expect = { status: 200, text: '{"success":true}' };
/** The words are for people. */
const failure = (error: string): Expect => ({
  status: 200,
  json: { success: false, error },
  elsewhere: { statuses: [200], atLeast: { success: false, error: anything } },
});

const malformedName = failure(
  'Username must have 1 to 64 letters (a-z), digits, dots, dashes or underscores, and begin with a letter or digit',
);

const html = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' };
const pageWith = (status: number, heading: string): Expect => ({
  status,
  headers: html,
  text: `{{*}}<h1>${heading}</h1>{{*}}`,
});
const refusedNext = pageWith(400, 'You cannot be sent there');

const notAllowed = (allow: string): Expect => ({
  status: 405,
  headers: { allow },
  json: { error: 'Method not allowed.', request_id: '{{request.id}}' },
});

/** What is no token, or none that is good, and why. */
const noSignIn = [
  { jwt: '', title: 'empty', because: 'no-credential' },
  {
    jwt: 'undefined',
    title: 'undefined, as a script sends what it has not',
    because: 'no-credential',
  },
  { jwt: 'null', title: 'null, as local storage answers', because: 'no-credential' },
  { jwt: 'not.a.jwt', title: 'no JWT', because: 'unknown' },
  { jwt: clientTokens.expired, title: 'expired', because: 'expired' },
  { jwt: clientTokens.revoked, title: 'revoked', because: 'revoked' },
  { jwt: clientTokens.anotherKey, title: 'signed with another key', because: 'unknown' },
  {
    jwt: clientTokens.anotherAlgorithm,
    title: 'signed with RS256 (the original: 500)',
    because: 'unknown',
  },
  {
    jwt: clientTokens.unknownAlgorithm,
    title: 'of an algorithm that does not exist',
    because: 'unknown',
  },
  { jwt: clientTokens.unsigned, title: 'alg none (the original: 500)', because: 'unknown' },
  {
    jwt: clientTokens.publicKeyForSecret,
    title: 'HS256 with the public key for a secret',
    because: 'unknown',
  },
  { jwt: clientTokens.permission, title: 'a permission token', because: 'unknown' },
  { jwt: tokenOf('test1'), title: 'an access token', because: 'unknown' },
  { jwt: clientTokens.userGone, title: 'the user has been deleted', because: 'user-gone' },
  { jwt: clientTokenOf('test4'), title: 'the user is suspended', because: 'user-suspended' },
  {
    jwt: clientTokenOf('in-suspended-group'),
    title: "the user's group is suspended",
    because: 'group-suspended',
  },
] as const;

const id = (number: number) => `dgp-oauth2-${String(number).padStart(2, '0')}`;

/** The same bad tokens, at one endpoint. */
const badTokens = (
  first: number,
  chosen: readonly (typeof noSignIn)[number][],
  send: (jwt: string) => Send,
  expect: Expect,
) =>
  chosen.map(({ jwt, title, because }, index) => ({
    id: id(first + index),
    title,
    because,
    send: send(jwt),
    expect,
  }));

export const scenarios: readonly Scenario[] = [
  ...rule(
    'check: who is signed in is told his profile; `username` only when he has chosen one.',
    'documented',
    `${readme}, Check an authentication token's validity`,
    { id: id(1), title: 'a user without a username', send: check(test1), expect: signedIn },
    {
      id: id(2),
      title: 'a user with a username and a picture',
      send: check(kari),
      expect: {
        status: 200,
        json: {
          authenticated: true,
          profile: {
            id: '34',
            provider_id: 'local:34',
            name: 'Kari Nordmann',
            email: 'kari@example.com',
            avatar_url: 'https://pictures.example/kari.png',
            idhash: 'f46dc6fd9abff4b2f9d3b34e8d77dc1e',
            username: 'Kari',
            join_date: '20{{*}}T{{*}}Z',
          },
        },
        elsewhere: signedInElsewhere('Kari Nordmann', 'kari@example.com'),
      },
    },
  ),

  ...rule(
    'check: who is not signed in is told where he can: always 200, only configured providers, and this backend itself.',
    'documented',
    `${readme}, Check an authentication token's validity; ${source}, authenticate`,
    {
      id: id(3),
      title: 'no token',
      because: 'no-credential',
      send: get('/auth/check'),
      expect: signedOut,
    },
    {
      id: id(4),
      title: 'no token, and where to go afterwards',
      because: 'no-credential',
      send: get('/auth/check', { next: 'http://localhost:3000/?a=1' }),
      expect: {
        status: 200,
        json: {
          authenticated: false,
          providers: {
            local: {
              url: '{{*}}/auth/login?provider=local&next=http%3A%2F%2Flocalhost%3A3000%2F%3Fa%3D1',
            },
          },
        },
        elsewhere: signedOutElsewhere,
      },
    },
    ...badTokens(5, noSignIn, (jwt) => check(jwt), signedOut),
  ),

  ...rule(
    'The token comes as `jwt`, or as the header `auth-token`, which goes first unless it is empty. Authorization: Bearer is not read.',
    'seen',
    source,
    {
      id: id(21),
      title: 'auth-token alone',
      send: get('/auth/check', {}, { headers: { 'auth-token': test1 } }),
      expect: signedIn,
    },
    {
      id: id(22),
      title: 'a good auth-token and a bad jwt',
      send: get('/auth/check', { jwt: 'bad' }, { headers: { 'auth-token': test1 } }),
      expect: signedIn,
    },
    {
      id: id(23),
      title: 'a bad auth-token and a good jwt',
      because: 'unknown',
      send: get('/auth/check', { jwt: test1 }, { headers: { 'auth-token': 'bad' } }),
      expect: signedOut,
    },
    {
      id: id(24),
      title: 'an empty auth-token and a good jwt',
      send: get('/auth/check', { jwt: test1 }, { headers: { 'auth-token': '' } }),
      expect: signedIn,
    },
    {
      id: id(25),
      title: 'Authorization: Bearer',
      because: 'no-credential',
      send: get('/auth/check', {}, { headers: { authorization: `Bearer ${test1}` } }),
      expect: signedOut,
    },
    {
      id: id(26),
      title: 'the same good jwt twice',
      because: 'no-credential',
      send: get('/auth/check', { jwt: [test1, test1] }),
      expect: signedOut,
    },
  ),

  ...rule(
    'authorize: a token for that service, with the permissions that its provider gives.',
    'documented',
    `${readme}, Get permission for a service; ALLOWED_SERVICES=storage-service:roles`,
    {
      id: id(27),
      title: 'a user with roles: those for every service, and those for this one',
      send: authorize(kari),
      expect: {
        status: 200,
        json: {
          token: 'eyJ{{*}}.{{*}}.{{*}}',
          userid: '34',
          permissions: { editor: true, read: true },
          service: 'storage-service',
        },
        elsewhere: permittedElsewhere,
      },
    },
    {
      id: id(28),
      title: 'a user without roles, the token in the header',
      send: get(
        '/auth/authorize',
        { service: 'storage-service' },
        { headers: { 'auth-token': test1 } },
      ),
      expect: {
        status: 200,
        json: {
          token: 'eyJ{{*}}.{{*}}.{{*}}',
          userid: '1',
          permissions: {},
          service: 'storage-service',
        },
        elsewhere: permittedElsewhere,
      },
    },
  ),

  ...rule(
    'authorize: without a good token, or a service that is allowed: no permissions, and no token.',
    'seen',
    `${source}, authorize; it signs for unknown users and services, which is not safe`,
    {
      id: id(29),
      title: 'no token',
      because: 'no-credential',
      send: get('/auth/authorize', { service: 'storage-service' }),
      expect: nothing,
    },
    ...badTokens(30, noSignIn.slice(3), (jwt) => authorize(jwt), nothing),
    {
      id: id(43),
      title: 'no service',
      because: 'malformed',
      send: get('/auth/authorize', { jwt: test1 }),
      expect: nothing,
    },
    {
      id: id(44),
      title: 'empty service',
      because: 'malformed',
      send: authorize(test1, ''),
      expect: nothing,
    },
    {
      id: id(45),
      ...ourChoice,
      title: 'a service that is not allowed',
      because: 'service-not-allowed',
      send: authorize(test1, 'another-service'),
      expect: nothing,
    },
    {
      id: id(46),
      ...ourChoice,
      title: 'two services',
      because: 'malformed',
      send: get('/auth/authorize', { jwt: test1, service: ['storage-service', 'another'] }),
      expect: nothing,
    },
  ),

  ...rule(
    'update: a username can be chosen, once; what hinders it is said in words. Other fields are ignored.',
    'documented',
    `${readme}, Change the username; ${source}, update`,
    {
      id: id(47),
      title: 'no token',
      because: 'no-credential',
      send: post('/auth/update', { query: { username: 'someone' } }),
      expect: failure('No token'),
    },
    {
      id: id(48),
      title: 'a bad token',
      because: 'unknown',
      send: update('not.a.jwt', 'someone'),
      expect: failure('Not authenticated'),
    },
    {
      id: id(49),
      title: 'the user is suspended',
      mutating: true,
      because: 'user-suspended',
      send: update(clientTokenOf('test4'), 'someone'),
      expect: failure('Not authenticated'),
    },
    {
      id: id(50),
      mark: 'seen',
      title: 'the user has been deleted',
      because: 'user-gone',
      send: update(clientTokens.userGone, 'someone'),
      expect: failure('Unknown User'),
    },
    {
      id: id(51),
      title: 'already set',
      mutating: true,
      send: update(kari, 'another-name'),
      expect: failure('Cannot modify username, already set'),
    },
    {
      id: id(52),
      ...ourChoice,
      title: 'already set, and malformed',
      mutating: true,
      send: update(kari, 'a b'),
      expect: failure('Cannot modify username, already set'),
    },
    {
      id: id(53),
      mark: 'seen',
      title: 'the username of another user, in another case',
      mutating: true,
      send: update(test1, 'KARI'),
      expect: failure('Username already taken'),
    },
    {
      id: id(54),
      ...ourChoice,
      title: 'the login of another user',
      mutating: true,
      send: update(test1, 'TEST2'),
      expect: failure('Username already taken'),
    },
    {
      id: id(55),
      title: 'another field only',
      mutating: true,
      send: post('/auth/update', { query: { jwt: test1, email: 'new@example.com' } }),
      expect: success,
    },
    {
      id: id(56),
      title: 'the first time, in a form',
      mutating: true,
      send: post('/auth/update', {
        form: { jwt: clientTokenOf('one-service-only'), username: 'olav' },
      }),
      expect: success,
    },
  ),

  ...rule(
    'update: a name that could not stand in a URL is refused.',
    'our choice',
    silent,
    {
      id: id(57),
      title: 'with a space',
      mutating: true,
      send: update(test1, 'a b'),
      expect: malformedName,
    },
    {
      id: id(58),
      title: 'empty',
      mutating: true,
      send: update(test1, ''),
      expect: malformedName,
    },
    {
      id: id(59),
      title: 'of 65 letters',
      mutating: true,
      send: update(test1, 'a'.repeat(65)),
      expect: malformedName,
    },
    {
      id: id(60),
      title: 'with a slash',
      mutating: true,
      send: update(test1, '../admin'),
      expect: malformedName,
    },
    {
      id: id(61),
      title: 'two names',
      mutating: true,
      send: post('/auth/update', { query: { jwt: test1, username: ['one', 'two'] } }),
      expect: malformedName,
    },
  ),

  ...rule(
    'public-key: the current key, PEM.',
    'documented',
    `${readme}, Receive authorization public key`,
    {
      id: id(62),
      title: 'the key',
      send: get('/auth/public-key'),
      expect: {
        status: 200,
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        text: '-----BEGIN PUBLIC KEY-----\n{{*}}\n-----END PUBLIC KEY-----\n',
        // The original calls it application/x-pem-file.
        elsewhere: {
          statuses: [200],
          text: '-----BEGIN PUBLIC KEY-----{{*}}-----END PUBLIC KEY-----{{*}}',
        },
      },
    },
  ),

  ...rule(
    'resolve: the id behind a username, in any case; who has not chosen one is found by his login.',
    'seen',
    `${source}, resolve_username`,
    {
      id: id(63),
      title: 'a chosen username, in another case',
      send: resolve('kari'),
      expect: { status: 200, text: '{"userid":"34"}' },
    },
    {
      id: id(64),
      title: 'the login of who has not chosen',
      send: resolve('test1'),
      expect: { status: 200, text: '{"userid":"1"}' },
    },
    {
      id: id(65),
      title: 'the login of who has chosen',
      send: resolve('kari.nordmann@example.com'),
      expect: { status: 200, text: '{"userid":null}' },
    },
    {
      id: id(66),
      title: 'nobody',
      send: resolve('nobody'),
      expect: { status: 200, text: '{"userid":null}' },
    },
    {
      id: id(67),
      title: 'what no username can be',
      send: resolve('\0'),
      expect: { status: 200, text: '{"userid":null}' },
    },
    {
      id: id(68),
      title: 'no username',
      send: get('/auth/resolve'),
      expect: { status: 200, text: '{"userid":null}' },
    },
  ),

  ...rule(
    'get_profile: what everybody may know of a user; no e-mail, nor what one could be guessed from.',
    'seen',
    `${source}, get_profile_by_username`,
    {
      id: id(69),
      title: 'a user',
      send: getProfile('KARI'),
      expect: {
        status: 200,
        json: {
          found: true,
          profile: {
            id: '34',
            name: 'Kari Nordmann',
            join_date: '20{{*}}T{{*}}Z',
            avatar_url: 'https://pictures.example/kari.png',
            gravatar: 'f46dc6fd9abff4b2f9d3b34e8d77dc1e',
          },
        },
      },
    },
    {
      id: id(70),
      title: 'a suspended user: what he has made still has an author',
      send: getProfile('test4'),
      expect: {
        status: 200,
        json: {
          found: true,
          profile: {
            id: '4',
            name: 'Test Four',
            join_date: '20{{*}}T{{*}}Z',
            avatar_url: null,
            gravatar: '{{*}}',
          },
        },
      },
    },
    {
      id: id(71),
      title: 'nobody',
      send: getProfile('nobody'),
      expect: { status: 200, text: '{"found":false,"profile":null}' },
    },
  ),

  ...rule(
    'logout: ends the token, and always succeeds.',
    'our choice',
    'RFC 7009 §2.2; the original has no such route, and its users ask for one',
    {
      id: id(72),
      title: 'a good token',
      mutating: true,
      send: logout(clientTokens.toRevoke),
      expect: success,
    },
    {
      id: id(73),
      title: 'a revoked token',
      because: 'revoked',
      send: logout(clientTokens.revoked),
      expect: success,
    },
    {
      id: id(74),
      title: 'no token',
      because: 'no-credential',
      send: post('/auth/logout', {}),
      expect: success,
    },
  ),

  ...rule(
    'A sign-in only begins when `next` is of a listed origin, in whatever way it is written.',
    'our choice',
    `${unsafe}: it redirects anywhere, with a token that is good for two weeks`,
    ...[
      { title: 'a foreign host', next: 'https://evil.example/' },
      { title: 'a foreign host without a scheme', next: '//evil.example/' },
      { title: 'a script', next: 'javascript:alert(1)' },
      {
        title: 'a host that begins like a listed one',
        next: 'http://localhost.evil.example:3000/',
      },
      { title: 'a listed host for a user name', next: 'http://localhost:3000@evil.example/' },
      { title: 'a user name at a listed host', next: 'http://me@localhost:3000/' },
      { title: 'a backslash', next: 'http://localhost:3000\\@evil.example/' },
      { title: 'a listed host with another scheme', next: 'https://localhost:3000/' },
      { title: 'a path', next: '/auth/check' },
    ].map(({ title, next }, index) => ({
      id: id(75 + index),
      title,
      send: login(next),
      expect: refusedNext,
    })),
    {
      id: id(84),
      title: 'two of them',
      send: get('/auth/login', {
        provider: 'local',
        next: ['http://localhost:3000/', 'https://evil.example/'],
      }),
      expect: refusedNext,
    },
  ),

  ...rule(
    'A sign-in begins at a provider that is configured: the browser is sent there.',
    'our choice',
    `${silent}; the original goes on with made-up keys when none are configured`,
    {
      id: id(85),
      title: 'this backend itself',
      send: login('http://localhost:3000/'),
      expect: { status: 303, headers: { location: '/login?return_to={{*}}' }, text: '' },
    },
    {
      id: id(86),
      title: 'without next',
      send: get('/auth/login', { provider: 'local' }),
      expect: { status: 303, headers: { location: '/login?return_to={{*}}' }, text: '' },
    },
    {
      id: id(87),
      title: 'a provider that there is not',
      send: get('/auth/login', { provider: 'myspace' }),
      expect: pageWith(404, 'Nobody can sign in there'),
    },
  ),

  ...rule(
    'A sign-in only ends in the browser that began it: once, and within ten minutes.',
    'our choice',
    `${unsafe}: its state is not bound to a browser, and can be used again`,
    {
      id: id(88),
      title: 'a state that nobody gave out',
      send: get('/auth/oauth_callback', { state: 'made-up', code: 'stolen' }),
      expect: pageWith(400, 'You are not signed in'),
    },
    {
      id: id(89),
      title: 'no state',
      send: get('/auth/oauth_callback', { error: 'access_denied' }),
      expect: pageWith(400, 'You are not signed in'),
    },
  ),

  ...rule(
    'Answers are JSON, whatever is asked: no JSONP, which any page could read.',
    'our choice',
    `${unsafe}: flask-jsonpify answers callback=… with a script`,
    {
      id: id(90),
      title: 'callback=steal',
      send: check(test1, { callback: 'steal' }),
      expect: signedIn,
    },
  ),

  ...rule(
    'Another method is told what is allowed, in JSON.',
    'our choice',
    'RFC 9110 §15.5.6; the original answers with an HTML page',
    {
      id: id(91),
      title: 'POST check',
      send: post('/auth/check', { form: { jwt: test1 } }),
      expect: notAllowed('GET, HEAD'),
    },
    {
      id: id(92),
      title: 'GET update',
      mutating: true,
      send: get('/auth/update', { jwt: test1, username: 'someone' }),
      expect: notAllowed('POST'),
    },
    {
      id: id(93),
      title: 'GET logout, as an image on a page would',
      mutating: true,
      send: get('/auth/logout', { jwt: test1 }),
      expect: notAllowed('POST'),
    },
    {
      id: id(94),
      title: 'DELETE authorize',
      mutating: true,
      send: { ...authorize(test1), method: 'DELETE' },
      expect: notAllowed('GET, HEAD'),
    },
    {
      id: id(95),
      title: 'HEAD check',
      send: { ...check(test1), method: 'HEAD' },
      expect: { status: 200, text: '' },
    },
    {
      id: id(96),
      title: 'a body that is no JSON',
      send: post('/auth/update', {
        headers: { 'content-type': 'application/json' },
        text: '{"jwt":',
      }),
      expect: {
        status: 400,
        json: { error: 'The body is not valid JSON.', request_id: '{{request.id}}' },
      },
    },
  ),
];
