import { anything } from '../../scenarios/anything.ts';
import { tokenOf, tokens } from '../../scenarios/cast.ts';
import { type Expect, get, post, rule, type Scenario } from '../../scenarios/scenario.ts';

const requirements =
  'Auth Plugin requirements, https://pango.gitbook.io/paas/console-details/project-settings/user-authentification-methods/auth-plugin-requirements';
const sdk = "the vendor's SDKs for its own API";
const silent = 'the vendor is silent; see README.md';

const path = '/GetUserInfo';
const good = tokenOf('vpn-user');
const bearer = { authorization: `Bearer ${good}` };
const json = { 'content-type': 'application/json' };

const ask = (token: string) => get(path, { oauth_token: token });

const okFor = (uid: number): Expect => ({
  status: 200,
  text: `{"result":"OK","user":{"uid":${uid}}}`,
  // Further user information is allowed.
  elsewhere: { statuses: [200], atLeast: { result: 'OK', user: { uid } } },
});
const ok = okFor(690109944);
const notFound: Expect = {
  status: 200,
  text: '{"result":"Not found"}',
  // "or any similar response"; of the status the vendor says nothing.
  elsewhere: {
    statuses: [200, 400, 401, 403, 404, 422],
    atLeast: { result: anything },
    never: { result: 'OK' },
  },
};

export const scenarios: readonly Scenario[] = [
  ...rule(
    'A good token is answered with result OK and the uid of the user on your side, a number.',
    'documented',
    `${requirements}, step 6`,
    { id: 'pango-01', title: "the vendor's example", send: ask(good), expect: ok },
    {
      id: 'pango-02',
      title: 'the user is in an active group',
      send: ask(tokenOf('test1')),
      expect: okFor(1),
    },
  ),

  ...rule(
    'A token that does not verify is answered with {"result": "Not found"}.',
    'documented',
    `${requirements}, step 6`,
    {
      id: 'pango-03',
      title: 'unknown token',
      because: 'unknown',
      send: ask(tokens.neverIssued),
      expect: notFound,
    },
    {
      id: 'pango-04',
      title: 'expired token',
      because: 'expired',
      send: ask(tokens.expired),
      expect: notFound,
    },
    {
      id: 'pango-05',
      title: 'revoked token',
      because: 'revoked',
      send: ask(tokens.revoked),
      expect: notFound,
    },
    {
      id: 'pango-06',
      title: 'suspended user',
      because: 'user-suspended',
      send: ask(tokenOf('test4')),
      expect: notFound,
    },
    {
      id: 'pango-07',
      title: 'active user of a suspended group',
      because: 'group-suspended',
      send: ask(tokenOf('in-suspended-group')),
      expect: notFound,
    },
    {
      id: 'pango-08',
      title: 'the token was issued for something else',
      because: 'insufficient-scope',
      send: ask(tokens.withoutVerifyScope),
      expect: notFound,
    },
    {
      id: 'pango-09',
      title: 'the token is of a client, not of a user',
      because: 'unknown',
      send: ask(tokens.ofAClient),
      expect: notFound,
    },
  ),

  ...rule(
    'A request without exactly one token, a string, is refused in the same words.',
    'our choice',
    silent,
    {
      id: 'pango-10',
      title: 'no token',
      because: 'no-credential',
      send: get(path),
      expect: notFound,
    },
    {
      id: 'pango-11',
      title: 'empty token',
      because: 'no-credential',
      send: ask(''),
      expect: notFound,
    },
    {
      id: 'pango-12',
      title: 'the same good token twice',
      because: 'no-credential',
      send: get(path, { oauth_token: [good, good] }),
      expect: notFound,
    },
    {
      id: 'pango-13',
      title: 'good tokens under two names',
      because: 'no-credential',
      send: get(path, { oauth_token: good, access_token: good }),
      expect: notFound,
    },
    {
      id: 'pango-14',
      title: 'a good token in the query, another in the body',
      because: 'no-credential',
      send: post(path, { query: { oauth_token: good }, form: { oauth_token: tokenOf('test1') } }),
      expect: notFound,
    },
    {
      id: 'pango-15',
      title: 'a good token in the query, and the same in the header',
      because: 'no-credential',
      send: get(path, { oauth_token: good }, { headers: bearer }),
      expect: notFound,
    },
    {
      id: 'pango-16',
      title: 'the token in an array',
      because: 'no-credential',
      send: post(path, { json: { oauth_token: [good] } }),
      expect: notFound,
    },
    {
      id: 'pango-17',
      title: 'the token in an object',
      because: 'no-credential',
      send: post(path, { json: { oauth_token: { value: good } } }),
      expect: notFound,
    },
    {
      id: 'pango-18',
      title: 'a number for a token',
      because: 'no-credential',
      send: post(path, { json: { oauth_token: 690109944 } }),
      expect: notFound,
    },
    {
      id: 'pango-19',
      title: 'JSON null for a token',
      because: 'no-credential',
      send: post(path, { json: { oauth_token: null } }),
      expect: notFound,
    },
    {
      id: 'pango-20',
      title: 'a JSON array for a body',
      because: 'no-credential',
      send: post(path, { json: [good] }),
      expect: notFound,
    },
    {
      id: 'pango-21',
      title: 'POST without a body',
      because: 'no-credential',
      send: post(path, { headers: json }),
      expect: notFound,
    },
    {
      id: 'pango-22',
      title: 'a user named in the request, and no token',
      because: 'no-credential',
      send: get(path, { uid: '690109944', login: 'vpn-user', password: 'vpn-user' }),
      expect: notFound,
    },
  ),

  ...rule(
    'Method and place of the token are not documented: a query, a form, JSON and a Bearer header are read.',
    'our choice',
    silent,
    {
      id: 'pango-23',
      title: 'POST, form',
      send: post(path, { form: { oauth_token: good } }),
      expect: ok,
    },
    {
      id: 'pango-24',
      title: 'POST, JSON',
      send: post(path, { json: { oauth_token: good } }),
      expect: ok,
    },
    {
      id: 'pango-25',
      title: 'POST, the token in the query',
      send: post(path, { query: { oauth_token: good } }),
      expect: ok,
    },
    {
      id: 'pango-26',
      title: 'Authorization: Bearer',
      send: get(path, {}, { headers: bearer }),
      expect: ok,
    },
    {
      id: 'pango-27',
      title: 'Authorization: Bearer, of an unknown token',
      because: 'unknown',
      send: get(path, {}, { headers: { authorization: `Bearer ${tokens.neverIssued}` } }),
      expect: notFound,
    },
    {
      id: 'pango-28',
      title: 'POST of a form without a Content-Type',
      send: post(path, { text: `oauth_token=${good}` }),
      expect: ok,
    },
    {
      id: 'pango-29',
      title: 'POST of JSON that is called text/plain',
      send: post(path, {
        headers: { 'content-type': 'text/plain' },
        text: `{"oauth_token":"${good}"}`,
      }),
      expect: ok,
    },
    {
      id: 'pango-30',
      title: 'GET with the Content-Type of some body',
      send: get(path, { oauth_token: good }, { headers: { 'content-type': 'application/xml' } }),
      expect: ok,
    },
    {
      id: 'pango-31',
      title: 'the parameter is called access_token',
      send: get(path, { access_token: good }),
      expect: ok,
    },
    {
      id: 'pango-32',
      title: 'the parameter is called token',
      send: post(path, { form: { token: good } }),
      expect: ok,
    },
    {
      id: 'pango-33',
      title: 'the parameter in another case',
      because: 'no-credential',
      send: get(path, { OAuth_Token: good }),
      expect: notFound,
    },
    {
      id: 'pango-34',
      title: 'an empty place beside the one with the token',
      send: get(path, { oauth_token: good, access_token: '' }),
      expect: ok,
    },
  ),

  ...rule(
    'Parameters that we do not know are ignored.',
    'seen',
    `${sdk} add them to every call`,
    {
      id: 'pango-35',
      title: 'nocache and device_id in the query',
      send: get(path, {
        oauth_token: good,
        nocache: '1',
        device_id: 'f2a1',
        device_type: 'android',
      }),
      expect: ok,
    },
    {
      id: 'pango-36',
      title: 'device_id in JSON',
      send: post(path, { json: { nocache: 1, oauth_token: good, device: { id: 'f2a1' } } }),
      expect: ok,
    },
  ),

  ...rule(
    'A body that cannot be parsed is a bad request, with a result that is not OK.',
    'our choice',
    silent,
    {
      id: 'pango-37',
      title: 'JSON that ends too early',
      send: post(path, { headers: json, text: '{"oauth_token":' }),
      expect: { status: 400, text: '{"result":"The body is not valid JSON."}' },
    },
    {
      id: 'pango-38',
      title: 'a form in a charset that nobody knows',
      send: post(path, {
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=klingon' },
        text: `oauth_token=${good}`,
      }),
      expect: { status: 415, text: '{"result":"The charset is not supported."}' },
    },
  ),

  ...rule(
    'HEAD is GET without the body; other methods are told what is allowed.',
    'our choice',
    'RFC 9110 §9.3.2 and §15.5.6',
    {
      id: 'pango-39',
      title: 'HEAD',
      send: { ...ask(good), method: 'HEAD' },
      expect: { status: 200, headers: { 'content-length': '40' }, text: '' },
    },
    {
      id: 'pango-40',
      title: 'PUT',
      mutating: true,
      send: { ...ask(good), method: 'PUT' },
      expect: {
        status: 405,
        headers: { allow: 'GET, HEAD, POST' },
        json: { error: 'Method not allowed.', request_id: '{{request.id}}' },
      },
    },
  ),

  ...rule(
    'Every call is answered afresh, whatever the caller has cached.',
    'our choice',
    'RFC 9110 §13.1.2',
    {
      id: 'pango-41',
      title: 'If-None-Match: *',
      send: get(path, { oauth_token: good }, { headers: { 'if-none-match': '*' } }),
      expect: ok,
    },
  ),
];
