/** Pango, played: against this backend, and against ones that answer badly. */

import { createPango, type PangoSettings } from '../../app/platforms/pango/pango.simulator.ts';
import type { CallOptions } from '../../app/scenarios/call.ts';
import { createRecorder } from '../../app/scenarios/exchange.ts';
import type { Bindings } from '../../app/scenarios/scenario.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { bindings, mint } from '../support/tokens.ts';
import { type Case, type FakeBackend, startFakeBackend, unusable } from './fake-backend.ts';
import { expectStory, holds, storiesOf, tell } from './stories.ts';

const form = {
  carrier_id: 'partner',
  device_id: 'phone',
  device_name: 'Phone',
  device_type: 'android',
  auth_method: 'partner',
  access_token: 'some-token',
};

const failed = { result: 'OAUTH_ERROR', error: 'failed login' };

describe('against this backend', () => {
  let backend: Backend;
  let bound: Bindings;

  beforeAll(async () => {
    backend = await startBackend({ PANGO_USER_DETAILS: 'true' });
    bound = await bindings(backend);
  });
  afterAll(() => backend.stop());

  test.each(storiesOf('pango'))('$id $title', async (story) => {
    await expectStory(story, backend.url, bound);
  });

  test('one flow, as it was said', async () => {
    const token = await mint(backend, 'vpn-user');
    const flow = await createPango(backend.url).play({ login: 'vpn-user', token });

    expect(flow.outcome).toBe(
      'Pango registers the user 690109944 and the device phone-of-vpn-user',
    );
    expect(flow.accepted).toBe(true);
    expect(flow.exchanges).toMatchObject([
      {
        from: 'App',
        to: 'Platform',
        request: {
          method: 'POST',
          url: 'https://backend.northghost.com/user/login',
          headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
          body: `carrier_id=partner&device_id=phone-of-vpn-user&device_name=Phone&device_type=android&auth_method=partner&access_token=${token}`,
        },
        concluded: 'the user is in',
        order: { request: 0, reply: 3 },
      },
      {
        from: 'Platform',
        to: 'Backend',
        request: {
          method: 'GET',
          url: `${backend.url}/GetUserInfo?oauth_token=${token}`,
          headers: { Accept: 'application/json' },
        },
        reply: { status: 200 },
        concluded: 'the token is of the user with uid 690109944',
        order: { request: 1, reply: 2 },
      },
    ]);
  });

  test('what the backend tells of the user is registered', async () => {
    const pango = createPango(backend.url);
    const answer = await pango.login({ ...form, access_token: await mint(backend, 'vpn-user') });

    expect(answer).toEqual({
      result: 'OK',
      access_token: expect.stringMatching(/^[0-9a-f]{40}$/),
      subscriber: {
        id: 1,
        name: 'VPN User',
        email: '',
        extref: '690109944',
        country: 'NO',
        carrier_id: 'partner',
        bundle: null,
        activated_devices: 1,
        active_sessions: 0,
      },
    });
    expect(pango.users()).toEqual([
      {
        id: 1,
        Extref: '690109944',
        Description: 'VPN User',
        Country: 'NO',
        Traffic: 1073741824,
        License: '2',
        Status: 'Active',
        devices: ['phone'],
      },
    ]);
  });

  test("the licence is the backend's: two devices, not the project's five", async () => {
    const pango = createPango(backend.url);
    const access_token = await mint(backend, 'vpn-user');
    const results = [];
    for (const device_id of ['phone', 'laptop', 'phone', 'tablet']) {
      results.push((await pango.login({ ...form, access_token, device_id })).result);
    }

    expect(results).toEqual(['OK', 'OK', 'OK', 'DEVICES_EXCEED']);
    expect(pango.users()[0]?.devices).toEqual(['phone', 'laptop']);
  });

  test.each(['query', 'form', 'json', 'bearer'] as const)('the token in a %s', async (place) => {
    const pango = createPango(backend.url, { place });

    expect(
      await pango.login({ ...form, access_token: await mint(backend, 'test1') }),
    ).toMatchObject({
      result: 'OK',
      subscriber: { extref: '1' },
    });
  });

  test('the user is disabled in the console, and enabled again', async () => {
    const pango = createPango(backend.url);
    const access_token = await mint(backend, 'test1');
    await pango.login({ ...form, access_token });

    pango.setStatus('1', 'Disabled');
    expect(await pango.login({ ...form, access_token })).toEqual({
      result: 'USER_SUSPENDED',
      error: 'user is suspended',
    });
    pango.setStatus('1', 'Active');
    expect(await pango.login({ ...form, access_token })).toMatchObject({ result: 'OK' });
  });
});

describe('against another backend', () => {
  let backend: FakeBackend;
  const pango = (settings: PangoSettings = {}, options: CallOptions = {}) =>
    createPango(backend.url, settings, options);

  beforeAll(async () => {
    backend = await startFakeBackend();
  });
  afterAll(() => backend.stop());

  test.each(storiesOf('pango'))('$id fails when every token is good', async (story) => {
    backend.says({ body: '{"result":"OK","user":{"uid":690109944}}' });
    const never = new Proxy({}, { get: () => 'any-token' });
    const { checks } = await tell(story, backend.url, never);

    expect(checks.every(holds)).toBe(false);
  });

  test.each<Case>([
    ...unusable,
    ['the words of the vendor', { body: '{"result":"Not found"}' }],
    ['OK in lower case', { body: '{"result":"ok","user":{"uid":1}}' }],
    ['OK without a user', { body: '{"result":"OK"}' }],
    ['OK without a uid', { body: '{"result":"OK","user":{"id":1}}' }],
    ['a uid that is null', { body: '{"result":"OK","user":{"uid":null}}' }],
    ['an empty uid', { body: '{"result":"OK","user":{"uid":""}}' }],
    ['a uid that would be rounded', { body: '{"result":"OK","user":{"uid":9007199254740993}}' }],
    ['404, though the body says OK', { status: 404, body: '{"result":"OK","user":{"uid":1}}' }],
    [
      'a redirect to what says OK',
      { status: 302, headers: { Location: '/' }, body: '{"result":"OK","user":{"uid":1}}' },
    ],
  ])('%s: OAUTH_ERROR', async (_title, said) => {
    const platform = pango();
    backend.says(said);

    expect(await platform.login(form)).toEqual(failed);
    expect(platform.users()).toEqual([]);
    expect(backend.asked).toHaveLength(1);
  });

  test('no answer in time: OAUTH_ERROR', async () => {
    backend.says('nothing');
    const flow = await pango({}, { timeout: 200 }).play({
      login: 'vpn-user',
      token: 'some-token',
    });

    expect(flow.accepted).toBe(false);
    expect(flow.outcome).toBe('Pango returns OAUTH_ERROR to the app');
    expect(flow.exchanges[0]?.reply?.text).toBe('{"result":"OAUTH_ERROR","error":"failed login"}');
    expect(flow.exchanges[1]).toMatchObject({
      reply: undefined,
      problem: 'No answer within 0.2 s.',
      concluded: 'no usable answer',
    });
  });

  test.each([
    ['an unknown carrier', { carrier_id: 'another' }, 'carrier_id is unknown'],
    ['no carrier', { carrier_id: '' }, 'carrier_id is unknown'],
    ['another plugin', { auth_method: 'facebook' }, 'auth_method is unknown'],
    ['no device', { device_id: '' }, 'device_id is missing'],
    ['no token', { access_token: '' }, 'access_token is missing'],
  ])('%s: BAD_REQUEST, and the backend is not asked', async (_title, changed, error) => {
    backend.says({ body: '{"result":"OK","user":{"uid":1}}' });

    expect(await pango().login({ ...form, ...changed })).toEqual({ result: 'BAD_REQUEST', error });
    expect(backend.asked).toEqual([]);
  });

  test('the name of the method and of the parameter can be changed', async () => {
    backend.says({ body: '{"result":"OK","user":{"uid":1}}' });
    await pango({ GetUserInfo: '/whois', parameter: 't' }).login(form);

    expect(backend.asked).toMatchObject([{ method: 'GET', url: '/whois?t=some-token', body: '' }]);
  });

  test.each([
    ['Disabled', 'USER_SUSPENDED'],
    ['disabled', 'USER_SUSPENDED'],
    ['Invited', 'OK'],
    ['a status that Pango does not have', 'OK'],
  ])('the backend sends the status %s: %s', async (status, result) => {
    backend.says({ body: JSON.stringify({ result: 'OK', user: { uid: 7, status } }) });

    expect(await pango().login(form)).toMatchObject({ result });
  });

  test.each([
    ['1', ['OK', 'DEVICES_EXCEED', 'DEVICES_EXCEED']],
    ['2 devices, 10 sessions', ['OK', 'OK', 'DEVICES_EXCEED']],
    ['unlimited', ['OK', 'OK', 'OK']],
    ['0', ['DEVICES_EXCEED', 'DEVICES_EXCEED', 'DEVICES_EXCEED']],
  ])('the licence %s', async (License, expected) => {
    backend.says({ body: '{"result":"OK","user":{"uid":7}}' });
    const platform = pango({ License });
    const results = [];
    for (const device_id of ['a', 'b', 'c']) {
      results.push((await platform.login({ ...form, device_id })).result);
    }

    expect(results).toEqual(expected);
  });

  test('the extref, the name and a licence that is a number', async () => {
    const user = { uid: 'u-7', extref: 'E7', name: 'Kari', license: 1, traffic: 5, country: 'SE' };
    backend.says({ body: JSON.stringify({ result: 'OK', user }) });
    const platform = pango();
    await platform.login(form);

    expect(platform.users()).toMatchObject([
      { Extref: 'E7', Description: 'Kari', License: '1', Traffic: 5, Country: 'SE' },
    ]);
  });

  test('a token goes nowhere but to the backend', async () => {
    backend.says({ status: 500 });
    const access_token = secret('token&of=the/test +');
    const recorder = createRecorder();
    const answer = await pango().login({ ...form, access_token }, recorder);

    expect(JSON.stringify(answer)).not.toContain('of=the');
    expect(backend.asked[0]?.url).toBe('/GetUserInfo?oauth_token=token%26of%3Dthe%2Ftest+%2B');
    expect(recorder.exchanges().map(({ concluded }) => concluded)).toEqual([
      'HTTP 500 is no answer to GetUserInfo',
    ]);
  });
});
