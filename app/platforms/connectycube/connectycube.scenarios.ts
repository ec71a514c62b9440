import { tokenOf, tokens } from '../../scenarios/cast.ts';
import {
  type Expect,
  type ExpectElsewhere,
  get,
  post,
  rule,
  type Scenario,
} from '../../scenarios/scenario.ts';

const guide =
  'External authentication via Custom Identity Provider, https://developers.connectycube.com/guides/custom-identity-provider';
const starterKit = 'https://github.com/ConnectyCube/custom-idp-starter-kit, app.js';
const silent = 'the vendor is silent; see README.md';

const path = '/user/verify';
const good = tokenOf('simon371');
/** The form with two values, which a dashboard uses or does not. */
const twoValues = { alternative: 'user_id' } as const;
const furtherThanTheGuide = { mark: 'our choice', source: silent } as const;
const bearer = { authorization: `Bearer ${good}` };
const json = { 'content-type': 'application/json' };

const ask = (token: string) => get(path, { token });

/** Only the uid is required: where it stands, and whether there is a login, is for the dashboard to say. */
const userElsewhere = (id: number, login: string): ExpectElsewhere => ({
  statuses: [200],
  atLeast: { user: { id } },
  ifThere: { user: { login } },
});

const simon: Expect = {
  status: 200,
  text: '{"user":{"id":2345,"login":"simon371","full_name":"Simon Davis","fill_name":"Simon Davis","email":"simon371@example.com"},"uid":2345,"login":"simon371","email":"simon371@example.com"}',
  elsewhere: userElsewhere(2345, 'simon371'),
};
const invalid: Expect = {
  status: 422,
  text: '{"error":"User token is invalid"}',
  // Of a refusal the guide says nothing; what is not a success is none.
  elsewhere: { statuses: [400, 401, 403, 404, 422] },
};

export const scenarios: readonly Scenario[] = [
  ...rule(
    'A good token is answered with the user: nested as in the guide, and flat as in the starter kit.',
    'documented',
    `${guide}, Example; ${starterKit}`,
    { id: 'connectycube-01', title: "the guide's example", send: ask(good), expect: simon },
    {
      id: 'connectycube-02',
      title: 'a user with a name beyond ASCII',
      send: ask(tokenOf('Åse.Bjørnå')),
      expect: {
        status: 200,
        json: {
          user: {
            id: 33,
            login: 'Åse.Bjørnå',
            full_name: 'Åse Bjørnå 🫐',
            fill_name: 'Åse Bjørnå 🫐',
            email: 'ase@example.com',
          },
          uid: 33,
          login: 'Åse.Bjørnå',
          email: 'ase@example.com',
        },
        elsewhere: userElsewhere(33, 'Åse.Bjørnå'),
      },
    },
  ),

  ...rule(
    'A token that does not verify is answered with 422 and one short text, which the app shows to its user.',
    'seen',
    starterKit,
    {
      id: 'connectycube-03',
      title: 'unknown token',
      because: 'unknown',
      send: ask(tokens.neverIssued),
      expect: invalid,
    },
    {
      id: 'connectycube-04',
      title: 'expired token',
      because: 'expired',
      send: ask(tokens.expired),
      expect: invalid,
    },
    {
      id: 'connectycube-05',
      title: 'revoked token',
      because: 'revoked',
      send: ask(tokens.revoked),
      expect: invalid,
    },
    {
      id: 'connectycube-06',
      title: 'suspended user',
      because: 'user-suspended',
      send: ask(tokenOf('test4')),
      expect: invalid,
    },
    {
      id: 'connectycube-07',
      title: 'active user of a suspended group',
      because: 'group-suspended',
      send: ask(tokenOf('in-suspended-group')),
      expect: invalid,
    },
    {
      id: 'connectycube-08',
      title: 'the token was issued for something else',
      because: 'insufficient-scope',
      send: ask(tokens.withoutVerifyScope),
      expect: invalid,
    },
    {
      id: 'connectycube-09',
      title: 'the token is of a client, not of a user',
      because: 'unknown',
      send: ask(tokens.ofAClient),
      expect: invalid,
    },
  ),

  ...rule(
    'A request without exactly one token, a string, is refused in the same words (the starter kit makes a user up).',
    'our choice',
    silent,
    {
      id: 'connectycube-10',
      title: 'no token',
      because: 'no-credential',
      send: get(path),
      expect: invalid,
    },
    {
      id: 'connectycube-11',
      title: 'empty token',
      because: 'no-credential',
      send: ask(''),
      expect: invalid,
    },
    {
      id: 'connectycube-12',
      title: 'the same good token twice',
      because: 'no-credential',
      send: get(path, { token: [good, good] }),
      expect: invalid,
    },
    {
      id: 'connectycube-13',
      title: 'good tokens under two names',
      because: 'no-credential',
      send: get(path, { token: good, access_token: good }),
      expect: invalid,
    },
    {
      id: 'connectycube-14',
      title: 'a good token in the query, another in the body',
      because: 'no-credential',
      send: post(path, { query: { token: good }, form: { token: tokenOf('test1') } }),
      expect: invalid,
    },
    {
      id: 'connectycube-15',
      title: 'a good token in the query, and the same in a header',
      because: 'no-credential',
      send: get(path, { token: good }, { headers: { 'idp-token': good } }),
      expect: invalid,
    },
    {
      id: 'connectycube-16',
      title: 'good tokens in both headers',
      because: 'no-credential',
      send: get(path, {}, { headers: { ...bearer, 'idp-token': good } }),
      expect: invalid,
    },
    {
      id: 'connectycube-17',
      title: 'the token in an array',
      because: 'no-credential',
      send: post(path, { json: { token: [good] } }),
      expect: invalid,
    },
    {
      id: 'connectycube-18',
      title: 'the token in an object',
      because: 'no-credential',
      send: post(path, { json: { token: { value: good } } }),
      expect: invalid,
    },
    {
      id: 'connectycube-19',
      title: 'a number for a token',
      because: 'no-credential',
      send: post(path, { json: { token: 2345 } }),
      expect: invalid,
    },
    {
      id: 'connectycube-20',
      title: 'JSON null for a token',
      because: 'no-credential',
      send: post(path, { json: { token: null } }),
      expect: invalid,
    },
    {
      id: 'connectycube-21',
      title: 'token[] instead of token, as some clients write a list',
      because: 'no-credential',
      send: get(path, { 'token[]': good }),
      expect: invalid,
    },
    {
      id: 'connectycube-22',
      title: 'a JSON array for a body',
      because: 'no-credential',
      send: post(path, { json: [good] }),
      expect: invalid,
    },
    {
      id: 'connectycube-23',
      title: 'POST without a body',
      because: 'no-credential',
      send: post(path, { headers: json }),
      expect: invalid,
    },
  ),

  ...rule(
    'The dashboard can be set to POST: a form and JSON give the same answer as GET.',
    'documented',
    `${guide}; ${starterKit}`,
    {
      id: 'connectycube-24',
      title: 'POST, form',
      send: post(path, { form: { token: good } }),
      expect: simon,
    },
    {
      id: 'connectycube-25',
      title: 'POST, JSON',
      send: post(path, { json: { token: good } }),
      expect: simon,
    },
    {
      id: 'connectycube-26',
      title: 'POST of an unknown token',
      because: 'unknown',
      send: post(path, { form: { token: tokens.neverIssued } }),
      expect: invalid,
    },
    {
      id: 'connectycube-27',
      ...furtherThanTheGuide,
      title: 'POST, with parameters beside the token',
      send: post(path, { json: { token: good, password: 'x', app: { id: 7 } } }),
      expect: simon,
    },
  ),

  ...rule(
    'The Content-Type does not matter: integrations fail on a 415 that nobody expected.',
    'reported',
    'https://github.com/ConnectyCube/connectycube-reactnative-samples/issues/91',
    {
      id: 'connectycube-28',
      title: 'GET with the Content-Type of some body',
      send: get(path, { token: good }, { headers: { 'content-type': 'application/xml' } }),
      expect: simon,
    },
    {
      id: 'connectycube-29',
      title: 'POST of a form without a Content-Type',
      send: post(path, { text: `token=${good}` }),
      expect: simon,
    },
    {
      id: 'connectycube-30',
      title: 'POST of JSON without a Content-Type',
      send: post(path, { text: `{"token":"${good}"}` }),
      expect: simon,
    },
    {
      id: 'connectycube-31',
      title: 'POST of JSON that is called text/plain',
      send: post(path, { headers: { 'content-type': 'text/plain' }, text: `{"token":"${good}"}` }),
      expect: simon,
    },
    {
      id: 'connectycube-32',
      title: 'POST of a form in ISO-8859-1',
      send: post(path, {
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=ISO-8859-1' },
        text: `token=${good}`,
      }),
      expect: simon,
    },
  ),

  ...rule(
    'The older guide sends user_id and access_token: the token must belong to that user.',
    'documented',
    `${guide}, older edition, step 3`,
    {
      id: 'connectycube-33',
      ...twoValues,
      title: 'user_id of the user whom the token belongs to',
      send: get(path, { user_id: '2345', access_token: good }),
      expect: simon,
    },
    {
      id: 'connectycube-34',
      ...twoValues,
      title: 'user_id of another user',
      because: 'another-user',
      send: get(path, { user_id: '1', access_token: good }),
      expect: invalid,
    },
    {
      id: 'connectycube-35',
      ...twoValues,
      ...furtherThanTheGuide,
      title: 'user_id with the newer token parameter, of another user',
      because: 'another-user',
      send: get(path, { user_id: '1', token: good }),
      expect: invalid,
    },
    {
      id: 'connectycube-36',
      ...twoValues,
      ...furtherThanTheGuide,
      title: 'user_id that is a number in JSON',
      send: post(path, { json: { user_id: 2345, access_token: good } }),
      expect: simon,
    },
    {
      id: 'connectycube-37',
      ...twoValues,
      ...furtherThanTheGuide,
      title: 'user_id of the user in the query, of another in the body',
      because: 'malformed',
      send: post(path, { query: { user_id: '2345' }, form: { user_id: '1', access_token: good } }),
      expect: invalid,
    },
    {
      id: 'connectycube-38',
      ...twoValues,
      title: 'user_id that only begins like the right one',
      because: 'another-user',
      send: get(path, { user_id: '2345 OR 1=1', access_token: good }),
      expect: invalid,
    },
    {
      id: 'connectycube-39',
      ...twoValues,
      ...furtherThanTheGuide,
      title: 'empty user_id',
      because: 'another-user',
      send: get(path, { user_id: '', access_token: good }),
      expect: invalid,
    },
    {
      id: 'connectycube-40',
      ...twoValues,
      title: 'the right user_id with an unknown token',
      because: 'unknown',
      send: get(path, { user_id: '2345', access_token: tokens.neverIssued }),
      expect: invalid,
    },
    {
      id: 'connectycube-41',
      ...twoValues,
      ...furtherThanTheGuide,
      title: 'user_id alone',
      because: 'no-credential',
      send: get(path, { user_id: '2345' }),
      expect: invalid,
    },
  ),

  ...rule(
    'Request headers can be set in the dashboard: the token may come as Authorization: Bearer, or as IdP-Token.',
    'our choice',
    silent,
    {
      id: 'connectycube-42',
      title: 'Authorization: Bearer',
      send: get(path, {}, { headers: bearer }),
      expect: simon,
    },
    {
      id: 'connectycube-43',
      title: 'the scheme in lower case',
      send: get(path, {}, { headers: { authorization: `bearer ${good}` } }),
      expect: simon,
    },
    {
      id: 'connectycube-44',
      title: 'IdP-Token',
      send: get(path, {}, { headers: { 'IdP-Token': good } }),
      expect: simon,
    },
    {
      id: 'connectycube-45',
      title: 'IdP-Token of a suspended user',
      because: 'user-suspended',
      send: get(path, {}, { headers: { 'IdP-Token': tokenOf('test4') } }),
      expect: invalid,
    },
    {
      id: 'connectycube-46',
      title: 'the token in Authorization: Basic',
      because: 'no-credential',
      send: get(path, {}, { basic: { user: 'simon371', password: good } }),
      expect: invalid,
    },
  ),

  ...rule(
    'A template that the dashboard left unfilled is no token.',
    'our choice',
    `${guide}, Request params: {"token":"#{login}"}`,
    {
      id: 'connectycube-47',
      title: '#{login} for a token',
      because: 'unknown',
      send: ask('#{login}'),
      expect: invalid,
    },
    {
      id: 'connectycube-48',
      title: 'Authorization: Bearer #{login}',
      because: 'no-credential',
      send: get(path, {}, { headers: { authorization: 'Bearer #{login}' } }),
      expect: invalid,
    },
    {
      id: 'connectycube-49',
      title: 'IdP-Token: #{login}',
      because: 'unknown',
      send: get(path, {}, { headers: { 'IdP-Token': '#{login}' } }),
      expect: invalid,
    },
    {
      id: 'connectycube-50',
      ...twoValues,
      title: '#{user_id} for a user_id',
      because: 'another-user',
      send: get(path, { user_id: '#{user_id}', access_token: good }),
      expect: invalid,
    },
  ),

  ...rule(
    'A body that cannot be parsed is a bad request: JSON with a short error.',
    'our choice',
    silent,
    {
      id: 'connectycube-51',
      title: 'JSON that ends too early',
      send: post(path, { headers: json, text: '{"token":' }),
      expect: {
        status: 400,
        json: { error: 'The body is not valid JSON.', request_id: '{{request.id}}' },
      },
    },
  ),

  ...rule(
    'HEAD is GET without the body; other methods are told what is allowed.',
    'our choice',
    'RFC 9110 §9.3.2 and §15.5.6',
    {
      id: 'connectycube-52',
      title: 'HEAD with a good token',
      send: { ...ask(good), method: 'HEAD' },
      expect: { status: 200, headers: { 'content-length': '183' }, text: '' },
    },
    {
      id: 'connectycube-53',
      title: 'HEAD with an unknown token',
      because: 'unknown',
      send: { ...ask(tokens.neverIssued), method: 'HEAD' },
      expect: { status: 422, headers: { 'content-length': '33' }, text: '' },
    },
    {
      id: 'connectycube-54',
      title: 'DELETE',
      mutating: true,
      send: { ...ask(good), method: 'DELETE' },
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
      id: 'connectycube-55',
      title: 'If-None-Match: *',
      send: get(path, { token: good }, { headers: { 'if-none-match': '*' } }),
      expect: simon,
    },
  ),
];
