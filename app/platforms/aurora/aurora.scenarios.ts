import { anything } from '../../scenarios/anything.ts';
import { tokenOf, tokens } from '../../scenarios/cast.ts';
import {
  type Expect,
  type ExpectElsewhere,
  get,
  post,
  rule,
  type Scenario,
  type Send,
} from '../../scenarios/scenario.ts';

const source = 'https://github.com/janfrodej/Aurora, server/lib/Authenticator/OAuthAccessToken.pm';
const rfc6750 = 'RFC 6750';
const rfc8707 = 'RFC 8707 §2';
const silent = 'the vendor is silent; see README.md';

const path = '/userinfo';
const good = tokenOf('test1');

const bearing = (authorization: string): Send =>
  get(
    path,
    {},
    { headers: { Connection: 'close', charset: 'UTF-8', Authorization: authorization } },
  );
const ask = (token: string) => bearing(`Bearer ${token}`);

/** What AURORA looks for. Whatever else is in the answer, and which client the token is of, is not its business. */
const userElsewhere = (name: string, email: string): ExpectElsewhere => ({
  statuses: [200],
  atLeast: {
    user: { userid_sec: [`${anything}:${anything}@${anything}`], name, email },
    audience: anything,
  },
});

/** Whatever the status, nothing that AURORA could take for a user. */
const refusalElsewhere: ExpectElsewhere = {
  statuses: [200, 400, 401, 403, 404, 405, 422],
  atLeast: {},
  never: { audience: anything },
};

const test1: Expect = {
  status: 200,
  text: '{"user":{"userid":"1","userid_sec":["feide:test1@users.invalid"],"name":"Test One","email":"test1@example.com","profilephoto":null},"audience":"demo-app"}',
  elsewhere: userElsewhere('Test One', 'test1@example.com'),
};

const realm = 'Bearer realm="partner-idp-kit"';
const invalid: Expect = {
  status: 401,
  headers: { 'www-authenticate': `${realm}, error="invalid_token"` },
  text: '{"error":"invalid_token"}',
  elsewhere: refusalElsewhere,
};
const none: Expect = { ...invalid, headers: { 'www-authenticate': realm } };
const badRequest: Expect = {
  status: 400,
  headers: { 'www-authenticate': `${realm}, error="invalid_request"` },
  text: '{"error":"invalid_request"}',
  elsewhere: refusalElsewhere,
};
const insufficient: Expect = {
  status: 403,
  headers: {
    'www-authenticate': `${realm}, error="insufficient_scope", scope="userid-feide"`,
  },
  text: '{"error":"insufficient_scope"}',
  elsewhere: refusalElsewhere,
};
const notAllowed: Expect = {
  status: 405,
  headers: { allow: 'GET, HEAD' },
  json: { error: 'Method not allowed.', request_id: '{{request.id}}' },
  elsewhere: refusalElsewhere,
};

export const scenarios: readonly Scenario[] = [
  ...rule(
    'A good token is answered with its user, nested one level, and with the client that it was issued to as `audience`.',
    'seen',
    source,
    { id: 'aurora-01', title: 'as AURORA asks', send: ask(good), expect: test1 },
    {
      id: 'aurora-02',
      title: 'a user with a long uid',
      send: ask(tokenOf('vpn-user')),
      expect: {
        status: 200,
        json: {
          user: {
            userid: '690109944',
            userid_sec: ['feide:vpn-user@users.invalid'],
            name: 'VPN User',
            email: 'vpn-user@example.com',
            profilephoto: null,
          },
          audience: 'demo-app',
        },
        elsewhere: userElsewhere('VPN User', 'vpn-user@example.com'),
      },
    },
    {
      id: 'aurora-03',
      title: 'the scheme in lower case',
      send: bearing(`bearer ${good}`),
      expect: test1,
    },
  ),

  ...rule(
    'The JSON is ASCII: AURORA drops raw UTF-8, so that everything beyond ASCII is written as \\uXXXX, and nothing else is.',
    'seen',
    `${source}; the login is one that AURORA would mangle, so that the uid is the user name`,
    {
      id: 'aurora-04',
      title: 'a name beyond ASCII, to the byte',
      send: ask(tokenOf('Åse.Bjørnå')),
      expect: {
        status: 200,
        headers: { 'content-length': '184' },
        text: String.raw`{"user":{"userid":"33","userid_sec":["feide:uid.33@users.invalid"],"name":"\u00c5se Bj\u00f8rn\u00e5 \ud83e\uded0","email":"ase@example.com","profilephoto":null},"audience":"demo-app"}`,
        // That no byte is lost on the way, aurora-story-09 shows.
        elsewhere: userElsewhere('Åse Bjørnå 🫐', 'ase@example.com'),
      },
    },
  ),

  ...rule(
    'What a token tells of its user is what its scope says.',
    'our choice',
    silent,
    {
      id: 'aurora-05',
      title: 'scope userid-feide alone: the user name',
      send: ask(tokens.useridOnly),
      expect: {
        status: 200,
        text: '{"user":{"userid":"1","userid_sec":["feide:test1@users.invalid"]},"audience":"demo-app"}',
        elsewhere: {
          statuses: [200],
          atLeast: { user: {}, audience: anything },
          never: { user: { email: anything } },
        },
      },
    },
    {
      id: 'aurora-06',
      title: 'without the scope userid-feide',
      because: 'insufficient-scope',
      send: ask(tokens.withoutVerifyScope),
      expect: insufficient,
    },
  ),

  ...rule(
    'AURORA ignores the status: a refusal is a JSON object without `user` and `audience`. All that is wrong with a token is one answer.',
    'seen',
    `${source}; ${rfc6750} §3.1`,
    {
      id: 'aurora-07',
      title: 'unknown token',
      because: 'unknown',
      send: ask(tokens.neverIssued),
      expect: invalid,
    },
    {
      id: 'aurora-08',
      title: 'expired token',
      because: 'expired',
      send: ask(tokens.expired),
      expect: invalid,
    },
    {
      id: 'aurora-09',
      title: 'revoked token',
      because: 'revoked',
      send: ask(tokens.revoked),
      expect: invalid,
    },
    {
      id: 'aurora-10',
      title: 'suspended user',
      because: 'user-suspended',
      send: ask(tokenOf('test4')),
      expect: invalid,
    },
    {
      id: 'aurora-11',
      title: 'active user of a suspended group',
      because: 'group-suspended',
      send: ask(tokenOf('in-suspended-group')),
      expect: invalid,
    },
  ),

  ...rule(
    'A token that was issued for a resource is good there, and nowhere else.',
    'our choice',
    rfc8707,
    {
      id: 'aurora-12',
      title: 'issued for another resource',
      because: 'wrong-audience',
      send: ask(tokens.forAnotherResource),
      expect: invalid,
    },
    {
      id: 'aurora-13',
      title: 'issued for this endpoint',
      send: ask(tokens.forAurora),
      expect: test1,
    },
  ),

  ...rule("A client's own token speaks for nobody.", 'our choice', silent, {
    id: 'aurora-14',
    title: 'the token is of a client, not of a user',
    because: 'unknown',
    send: ask(tokens.ofAClient),
    expect: invalid,
  }),

  ...rule(
    'The token is read from `Authorization: Bearer` alone, and must be well-formed.',
    'our choice',
    `${rfc6750} §2.1, §2.3 and §3.1`,
    {
      id: 'aurora-15',
      title: 'no credential',
      because: 'no-credential',
      send: get(path),
      expect: none,
    },
    {
      id: 'aurora-16',
      title: 'another scheme',
      because: 'no-credential',
      send: get(path, {}, { basic: { user: 'test1', password: good } }),
      expect: none,
    },
    {
      id: 'aurora-17',
      title: 'the scheme and no token',
      because: 'malformed',
      send: bearing('Bearer'),
      expect: badRequest,
    },
    {
      id: 'aurora-18',
      title: 'two tokens',
      because: 'malformed',
      send: bearing(`Bearer ${good} ${good}`),
      expect: badRequest,
    },
    {
      id: 'aurora-19',
      title: 'a good token in the query',
      because: 'malformed',
      send: get(path, { access_token: good }),
      expect: badRequest,
    },
    {
      id: 'aurora-20',
      title: 'a good token in the header, and in the query too',
      because: 'malformed',
      send: { ...ask(good), query: { access_token: good } },
      expect: badRequest,
    },
    {
      id: 'aurora-21',
      title: 'other parameters in the query',
      send: { ...ask(good), query: { token: 'x', lang: 'no' } },
      expect: test1,
    },
  ),

  ...rule(
    'HEAD is GET without the body; other methods are told what is allowed, in an object that AURORA cannot take for a user.',
    'our choice',
    'RFC 9110 §9.3.2 and §15.5.6',
    {
      id: 'aurora-22',
      title: 'HEAD with a good token',
      send: { ...ask(good), method: 'HEAD' },
      expect: { status: 200, headers: { 'content-length': '154' }, text: '' },
    },
    {
      id: 'aurora-23',
      title: 'HEAD with an unknown token',
      because: 'unknown',
      send: { ...ask(tokens.neverIssued), method: 'HEAD' },
      expect: {
        status: 401,
        headers: { 'content-length': '25' },
        text: '',
        elsewhere: { statuses: refusalElsewhere.statuses, text: '' },
      },
    },
    {
      id: 'aurora-24',
      title: 'POST',
      send: post(path, { headers: { Authorization: `Bearer ${good}` } }),
      expect: notAllowed,
    },
    {
      id: 'aurora-25',
      title: 'POST of a form with the token',
      send: post(path, { form: { access_token: good } }),
      expect: notAllowed,
    },
    {
      id: 'aurora-26',
      title: 'DELETE',
      mutating: true,
      send: { ...ask(good), method: 'DELETE' },
      expect: notAllowed,
    },
  ),

  ...rule(
    'Every call is answered afresh, as it stands: AURORA asks two or three times with one token, and cannot unpack anything.',
    'seen',
    source,
    {
      id: 'aurora-27',
      title: 'If-None-Match: *',
      send: get(path, {}, { headers: { Authorization: `Bearer ${good}`, 'If-None-Match': '*' } }),
      expect: test1,
    },
    {
      id: 'aurora-28',
      title: 'a caller that would take gzip',
      send: get(
        path,
        {},
        { headers: { Authorization: `Bearer ${good}`, 'Accept-Encoding': 'gzip' } },
      ),
      expect: { ...test1, headers: { 'content-length': '154' } },
    },
  ),
];
