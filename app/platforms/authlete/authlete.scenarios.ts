import { anything } from '../../scenarios/anything.ts';
import { callers } from '../../scenarios/cast.ts';
import { type Expect, post, rule, type Scenario, type Send } from '../../scenarios/scenario.ts';

const accounts =
  'Enabling multiple accounts for Developer Console, https://kb.authlete.com/en/s/deployment/a/multiple-developer-accounts';
const callback =
  'Developer Authentication Callback, https://www.authlete.com/documents/definitive_guide/developer_authentication_callback';
const endUserCallback =
  'Authentication Callback, https://www.authlete.com/documents/definitive_guide/authentication_callback';
const dto =
  'https://github.com/authlete/authlete-java-common, DeveloperAuthenticationCallbackRequest';
const gem = 'https://github.com/authlete/authlete-ruby-gem, authentication server';
const silent = 'the vendor is silent; see README.md';
const ourChoice = { mark: 'our choice', source: silent } as const;

const basic = callers.authlete;
const json = { 'content-type': 'application/json' };

/** As in the vendor's examples, which leave the service API key to the reader. */
const login = (id: unknown, password: unknown) => ({
  expiresIn: 0,
  id,
  password,
  serviceApiKey: 21653835348762,
});

const ask = (id: unknown, password: unknown, rest: object = {}) =>
  post('/', { basic, json: { ...login(id, password), ...rest } });

/** A body to the letter: JavaScript would round a `serviceApiKey` beyond 2^53. */
const say = (text: string, rest: Partial<Send> = {}) =>
  post('/', { basic, headers: json, text, ...rest });

const askUser = (id: string, password: string, rest: object = {}) =>
  post('/authlete/authentication', { basic, json: { ...login(id, password), ...rest } });

/** The vendor's parser ignores what it does not know. */
const developer = (subject: string, displayName: string): Expect => ({
  status: 200,
  text: JSON.stringify({ authenticated: true, subject, displayName }),
  elsewhere: { statuses: [200], atLeast: { authenticated: true, subject, displayName } },
});
const dev01 = developer('dev01', 'Developer Group 01');
const dev02 = developer('dev02', 'Developer Group 02');
const dev04 = developer('dev04', 'Developer Group 04');
const endUser = (subject: string, claims: string): Expect => ({
  status: 200,
  text: JSON.stringify({ authenticated: true, subject, claims }),
  elsewhere: { statuses: [200], atLeast: { authenticated: true, subject, claims } },
});
const denied: Expect = {
  status: 200,
  text: '{"authenticated":false}',
  elsewhere: { statuses: [200], atLeast: { authenticated: false } },
};
const unauthorized: Expect = {
  status: 401,
  headers: { 'www-authenticate': 'Basic realm="authlete", charset="UTF-8"' },
  text: '{"error":"unauthorized"}',
  elsewhere: { statuses: [401], headers: { 'www-authenticate': `Basic ${anything}` } },
};
const bad = (status: number, error: string): Expect => ({
  status,
  json: { error, request_id: '{{request.id}}' },
  elsewhere: { statuses: [status], never: { authenticated: true } },
});
const methodNotAllowed = (allow: string): Expect => ({
  ...bad(405, 'Method not allowed.'),
  headers: { allow },
  elsewhere: { statuses: [400, 401, 403, 404, 405, 501], never: { authenticated: true } },
});
const notAsSent: Expect = {
  status: 400,
  text: '{"error":"The body must be a JSON object as Authlete sends it."}',
  elsewhere: { statuses: [200, 400], never: { authenticated: true } },
};

const oneService = '"id":"one-service-only","password":"only one service"';

export const scenarios: readonly Scenario[] = [
  ...rule(
    "The vendor's four attempts: test1 and test2 are Developer Group 01, test3 is 02, test4 is suspended.",
    'documented',
    `${accounts}, Examples`,
    { id: 'authlete-01', title: 'test1 logs in', send: ask('test1', 'test1'), expect: dev01 },
    { id: 'authlete-02', title: 'test2 logs in', send: ask('test2', 'test2'), expect: dev01 },
    { id: 'authlete-03', title: 'test3 logs in', send: ask('test3', 'test3'), expect: dev02 },
    {
      id: 'authlete-04',
      title: 'test4 is suspended',
      because: 'user-suspended',
      send: ask('test4', 'test4'),
      expect: denied,
    },
  ),

  ...rule(
    'Whoever cannot be authenticated gets authenticated: false, and the same bytes whatever the reason.',
    'documented',
    callback,
    {
      id: 'authlete-05',
      title: 'wrong password',
      because: 'wrong-password',
      send: ask('test1', 'test2'),
      expect: denied,
    },
    {
      id: 'authlete-06',
      title: 'unknown id',
      because: 'unknown',
      send: ask('test5', 'test5'),
      expect: denied,
    },
    {
      id: 'authlete-07',
      title: 'wrong password of a suspended user',
      because: 'wrong-password',
      send: ask('test4', 'test1'),
      expect: denied,
    },
    {
      id: 'authlete-08',
      title: 'active user of a suspended group',
      because: 'group-suspended',
      send: ask('in-suspended-group', 'a group can be suspended'),
      expect: denied,
    },
    {
      id: 'authlete-09',
      ...ourChoice,
      title: 'user without a group, who would have no subject',
      because: 'no-group',
      send: ask('simon371', 'simon371'),
      expect: denied,
    },
    {
      id: 'authlete-10',
      title: 'the password in another case',
      because: 'wrong-password',
      send: ask('test1', 'TEST1'),
      expect: denied,
    },
    {
      id: 'authlete-11',
      title: 'the password with a space behind it',
      because: 'wrong-password',
      send: ask('test1', 'test1 '),
      expect: denied,
    },
  ),

  ...rule(
    'Logins and passwords are UTF-8; a login is found whatever its case.',
    'our choice',
    silent,
    {
      id: 'authlete-12',
      title: 'login and password beyond ASCII',
      send: ask('Åse.Bjørnå', 'blåbærsyltetøy 🫐'),
      expect: dev01,
    },
    {
      id: 'authlete-13',
      title: 'the login in another case',
      send: ask('ÅSE.BJØRNÅ', 'blåbærsyltetøy 🫐'),
      expect: dev01,
    },
    {
      id: 'authlete-14',
      title: 'the login with its letters and rings apart (Unicode NFD)',
      send: ask('A\u030ase.Bjørna\u030a', 'blåbærsyltetøy 🫐'),
      expect: dev01,
    },
    {
      id: 'authlete-15',
      title: 'escapes in the JSON',
      send: say(
        '{"id":"\\u00c5se.Bj\\u00f8rn\\u00e5","password":"bl\\u00e5b\\u00e6rsyltet\\u00f8y \\ud83e\\uded0"}',
      ),
      expect: dev01,
    },
  ),

  ...rule(
    'Keys come in any order, unknown and absent ones do not matter, null is as good as absent.',
    'seen',
    dto,
    {
      id: 'authlete-16',
      title: 'the keys in another order, and one we do not know',
      send: say(
        '{"serviceApiKey":21653835348762,"password":"test1","tenant":{"id":[1]},"id":"test1","expiresIn":0}',
      ),
      expect: dev01,
    },
    {
      id: 'authlete-17',
      title: 'every key of the request, with null',
      send: ask('test1', 'test1', {
        serviceApiKey: null,
        sns: null,
        accessToken: null,
        refreshToken: null,
        rawTokenResponse: null,
      }),
      expect: dev01,
    },
    {
      id: 'authlete-18',
      title: 'nothing but id and password',
      send: say('{"id":"test1","password":"test1"}'),
      expect: dev01,
    },
    {
      id: 'authlete-19',
      title: 'Content-Type with a charset',
      send: say('{"id":"test1","password":"test1"}', {
        headers: { 'content-type': 'Application/JSON; charset="UTF-8"' },
      }),
      expect: dev01,
    },
  ),

  ...rule(
    'Without an id and a password that are strings, nobody is authenticated.',
    'our choice',
    silent,
    {
      id: 'authlete-20',
      title: 'no id',
      because: 'no-credential',
      send: say('{"password":"test1"}'),
      expect: denied,
    },
    {
      id: 'authlete-21',
      title: 'no password',
      because: 'no-credential',
      send: say('{"id":"test1"}'),
      expect: denied,
    },
    {
      id: 'authlete-22',
      title: 'id null',
      because: 'no-credential',
      send: ask(null, 'test1'),
      expect: denied,
    },
    {
      id: 'authlete-23',
      title: 'password null',
      because: 'no-credential',
      send: ask('test1', null),
      expect: denied,
    },
    {
      id: 'authlete-24',
      title: 'id a number',
      because: 'no-credential',
      send: ask(1, 'test1'),
      expect: denied,
    },
    {
      id: 'authlete-25',
      title: 'password true',
      because: 'no-credential',
      send: ask('test1', true),
      expect: denied,
    },
    {
      id: 'authlete-26',
      title: 'id in an array',
      because: 'no-credential',
      send: ask(['test1'], 'test1'),
      expect: denied,
    },
    {
      id: 'authlete-27',
      title: 'password an object',
      because: 'no-credential',
      send: ask('test1', { $ne: '' }),
      expect: denied,
    },
    {
      id: 'authlete-28',
      title: 'empty id',
      because: 'no-credential',
      send: ask('', 'test1'),
      expect: denied,
    },
    {
      id: 'authlete-29',
      title: 'empty password',
      because: 'wrong-password',
      send: ask('test1', ''),
      expect: denied,
    },
    {
      id: 'authlete-30',
      title: 'id and password in the query only',
      because: 'no-credential',
      send: post('/', { basic, query: { id: 'test1', password: 'test1' }, json: {} }),
      expect: denied,
    },
    {
      id: 'authlete-31',
      title: 'ID and Password: keys are case-sensitive',
      because: 'no-credential',
      send: say('{"ID":"test1","Password":"test1"}'),
      expect: denied,
    },
  ),

  ...rule(
    'SNS login is deprecated and not available; with sns, the password means nothing.',
    'documented',
    `${accounts}; ${callback}`,
    {
      id: 'authlete-32',
      title: 'sns, with the right id and password',
      because: 'unsupported-credential',
      send: ask('test1', 'test1', { sns: 'FACEBOOK', accessToken: 'of-facebook' }),
      expect: denied,
    },
  ),

  ...rule(
    'Access to the requested service is confirmed; its API key is a Java long, and never rounded.',
    'documented',
    `${accounts}, Implementing an Web API`,
    {
      id: 'authlete-33',
      title: 'the one service that the group may use, 2^53 + 1',
      send: say(`{${oneService},"serviceApiKey":9007199254740993}`),
      expect: dev04,
    },
    {
      id: 'authlete-34',
      title: 'the service beside it, 2^53, which a double cannot tell apart',
      because: 'service-not-allowed',
      send: say(`{${oneService},"serviceApiKey":9007199254740992}`),
      expect: denied,
    },
    {
      id: 'authlete-35',
      title: 'another service',
      because: 'service-not-allowed',
      send: say(`{${oneService},"serviceApiKey":1}`),
      expect: denied,
    },
    {
      id: 'authlete-36',
      ...ourChoice,
      title: 'no service named',
      because: 'service-not-allowed',
      send: say(`{${oneService}}`),
      expect: denied,
    },
    {
      id: 'authlete-37',
      title: 'the greatest long, of a group that may use any service',
      send: say('{"id":"test1","password":"test1","serviceApiKey":9223372036854775807}'),
      expect: dev01,
    },
    {
      id: 'authlete-38',
      ...ourChoice,
      title: 'a service API key that is not a whole number',
      because: 'malformed',
      send: say('{"id":"test1","password":"test1","serviceApiKey":1.5}'),
      expect: notAsSent,
    },
  ),

  ...rule(
    'Authlete authenticates with the API key and secret set in the console; others learn nothing.',
    'seen',
    `${accounts}, Authlete service settings; ${gem}; RFC 7617`,
    {
      id: 'authlete-39',
      title: 'no Authorization',
      send: post('/', { json: login('test1', 'test1') }),
      expect: unauthorized,
    },
    {
      id: 'authlete-40',
      title: 'wrong key',
      send: {
        ...ask('test1', 'test1'),
        basic: { user: 'not-the-key', password: basic.password },
      },
      expect: unauthorized,
    },
    {
      id: 'authlete-41',
      title: 'wrong secret',
      send: { ...ask('test1', 'test1'), basic: { user: basic.user, password: 'not-the-secret' } },
      expect: unauthorized,
    },
    {
      id: 'authlete-42',
      title: 'key and secret swapped',
      send: {
        ...ask('test1', 'test1'),
        basic: { user: basic.password, password: basic.user },
      },
      expect: unauthorized,
    },
    {
      id: 'authlete-43',
      title: 'empty key and secret',
      send: { ...ask('test1', 'test1'), basic: { user: '', password: '' } },
      expect: unauthorized,
    },
    {
      id: 'authlete-44',
      title: 'a colon too many: split at the first',
      send: {
        ...ask('test1', 'test1'),
        basic: { user: `${basic.user}:`, password: basic.password },
      },
      expect: unauthorized,
    },
    {
      id: 'authlete-45',
      mark: 'our choice',
      source: 'RFC 7617 §2',
      title: 'the scheme in another case',
      send: { ...ask('test1', 'test1'), basic: { ...basic, scheme: 'bAsIc' } },
      expect: dev01,
    },
    {
      id: 'authlete-46',
      title: 'another scheme',
      send: { ...ask('test1', 'test1'), basic: { ...basic, scheme: 'Bearer' } },
      expect: unauthorized,
    },
    {
      id: 'authlete-47',
      title: 'not Base64',
      send: post('/', { headers: { authorization: 'Basic %%%' }, json: login('test1', 'test1') }),
      expect: unauthorized,
    },
    {
      id: 'authlete-48',
      title: 'the user himself for the caller',
      send: { ...ask('test1', 'test1'), basic: { user: 'test1', password: 'test1' } },
      expect: unauthorized,
    },
  ),

  ...rule(
    'The caller is authenticated before the body is looked at.',
    'seen',
    gem,
    {
      id: 'authlete-49',
      title: 'malformed JSON from a stranger',
      send: post('/', { headers: json, text: '{"id":' }),
      expect: unauthorized,
    },
    {
      id: 'authlete-50',
      title: 'a form from a stranger',
      send: post('/', { form: { id: 'test1', password: 'test1' } }),
      expect: unauthorized,
    },
  ),

  ...rule(
    'A body that is not JSON, or not an object, is a bad request.',
    'seen',
    gem,
    {
      id: 'authlete-51',
      title: 'JSON that ends too early',
      send: say('{"id":"test1","password":'),
      expect: bad(400, 'The body is not valid JSON.'),
    },
    {
      id: 'authlete-52',
      title: 'a JSON array',
      because: 'malformed',
      send: say('[{"id":"test1","password":"test1"}]'),
      expect: notAsSent,
    },
    {
      id: 'authlete-53',
      title: 'a JSON string',
      because: 'malformed',
      send: say('"test1"'),
      expect: notAsSent,
    },
    {
      id: 'authlete-54',
      title: 'JSON null',
      because: 'malformed',
      send: say('null'),
      expect: notAsSent,
    },
    {
      id: 'authlete-55',
      title: 'no body',
      because: 'malformed',
      send: say(''),
      expect: notAsSent,
    },
  ),

  ...rule(
    'The body is application/json; another Content-Type is 415.',
    'our choice',
    `${callback}: application/json; what else to say is not told`,
    {
      id: 'authlete-56',
      title: 'a form',
      send: post('/', { basic, form: { id: 'test1', password: 'test1' } }),
      expect: bad(415, 'The Content-Type must be application/json.'),
    },
    {
      id: 'authlete-57',
      title: 'text/plain',
      send: say('{"id":"test1","password":"test1"}', { headers: { 'content-type': 'text/plain' } }),
      expect: bad(415, 'The Content-Type must be application/json.'),
    },
    {
      id: 'authlete-58',
      title: 'no Content-Type',
      send: post('/', { basic, text: '{"id":"test1","password":"test1"}' }),
      expect: bad(415, 'The Content-Type must be application/json.'),
    },
  ),

  ...rule(
    'Nothing but POST ever authenticates.',
    'our choice',
    `${callback}: POST; what else to say is not told`,
    {
      id: 'authlete-59',
      title: 'PUT',
      mutating: true,
      send: { ...ask('test1', 'test1'), method: 'PUT' },
      expect: methodNotAllowed('POST, GET, HEAD'),
    },
    {
      id: 'authlete-60',
      title: 'GET of the end-user callback',
      send: { method: 'GET', path: '/authlete/authentication', basic },
      expect: methodNotAllowed('POST'),
    },
  ),

  ...rule(
    'The end-user callback authenticates the user himself; claims is a string that holds JSON.',
    'seen',
    `${endUserCallback}; https://github.com/authlete/authlete-java-common, AuthenticationCallbackResponse`,
    {
      id: 'authlete-61',
      title: 'end user, with claims',
      send: askUser('test1', 'test1', {
        clientId: 5008706718,
        claims: ['name', 'email'],
        claimsLocales: null,
      }),
      expect: endUser('1', '{"name":"Test One","email":"test1@example.com"}'),
    },
    {
      id: 'authlete-62',
      title: 'end user, a claim with a language',
      send: askUser('Åse.Bjørnå', 'blåbærsyltetøy 🫐', {
        claims: ['name#ja'],
        claimsLocales: ['ja', 'nb'],
      }),
      expect: endUser('33', '{"name":"Åse Bjørnå 🫐"}'),
    },
    {
      id: 'authlete-63',
      ...ourChoice,
      title: 'end user, claims that we do not know',
      send: askUser('test1', 'test1', {
        claims: ['zoneinfo', '', '#', '__proto__', 'constructor', 'preferred_username'],
      }),
      expect: endUser('1', '{"preferred_username":"test1"}'),
    },
    {
      id: 'authlete-64',
      ...ourChoice,
      title: 'end user, a claim from the profile',
      send: askUser('vpn-user', 'vpn-user', { claims: ['country'] }),
      expect: endUser('690109944', '{"country":"NO"}'),
    },
    {
      id: 'authlete-65',
      ...ourChoice,
      title: 'end user without a group, no claims asked for',
      send: askUser('simon371', 'simon371'),
      expect: endUser('2345', '{}'),
    },
    {
      id: 'authlete-66',
      title: 'end user, wrong password',
      because: 'wrong-password',
      send: askUser('test1', 'test2', { claims: ['name'] }),
      expect: denied,
    },
    {
      id: 'authlete-67',
      title: 'end user, unknown id',
      because: 'unknown',
      send: askUser('test5', 'test5'),
      expect: denied,
    },
    {
      id: 'authlete-68',
      title: 'end user, suspended',
      because: 'user-suspended',
      send: askUser('test4', 'test4'),
      expect: denied,
    },
    {
      id: 'authlete-69',
      title: 'end user of a suspended group',
      because: 'group-suspended',
      send: askUser('in-suspended-group', 'a group can be suspended'),
      expect: denied,
    },
    {
      id: 'authlete-70',
      ...ourChoice,
      title: 'end user, with sns',
      because: 'unsupported-credential',
      send: askUser('test1', 'test1', { sns: 'TWITTER' }),
      expect: denied,
    },
    {
      id: 'authlete-71',
      ...ourChoice,
      title: 'end user, a service that his group may not use',
      because: 'service-not-allowed',
      send: askUser('one-service-only', 'only one service'),
      expect: denied,
    },
    {
      id: 'authlete-72',
      ...ourChoice,
      title: 'end user, claims that are not a list',
      because: 'malformed',
      send: askUser('test1', 'test1', { claims: 'name' }),
      expect: notAsSent,
    },
    {
      id: 'authlete-73',
      title: 'end user, wrong secret',
      send: {
        ...askUser('test1', 'test1'),
        basic: { user: basic.user, password: 'not-the-secret' },
      },
      expect: unauthorized,
    },
  ),

  ...rule(
    'Every call is answered afresh, whatever the caller has cached.',
    'our choice',
    'RFC 9110 §13.1.2',
    {
      id: 'authlete-74',
      title: 'If-None-Match: *',
      send: { ...ask('test1', 'test1'), headers: { 'if-none-match': '*' } },
      expect: dev01,
    },
  ),
];
