/** POST /oauth/device_authorization and the device_code grant (RFC 8628). */
import { plainUserCode } from '../../app/oauth/secrets.ts';
import { createDirectory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import {
  deviceGrant,
  isGood,
  oldServer,
  partner,
  pass,
  phoneApp,
  post,
  register,
} from '../support/oauth.ts';
import { uidOf } from '../support/tokens.ts';

let backend: Backend;
let partnersSecret: string;

beforeAll(async () => {
  backend = await startBackend();
  partnersSecret = await register(backend, partner);
  await register(backend, oldServer);
  await register(backend, phoneApp);
});

afterAll(() => backend.stop());

type Device = { readonly deviceCode: string; readonly userCode: string };

async function start(form: Record<string, string> = {}): Promise<Device> {
  const { body } = await post(backend, '/oauth/device_authorization', {
    client_id: 'phone-app',
    ...form,
  });
  return {
    deviceCode: String(body['device_code']),
    userCode: secret(String(body['user_code'])),
  };
}

const poll = ({ deviceCode }: Pick<Device, 'deviceCode'>, form: Record<string, string> = {}) =>
  post(backend, '/oauth/token', {
    grant_type: deviceGrant,
    client_id: 'phone-app',
    device_code: deviceCode,
    ...form,
  });

/** What the page does when the user agrees. */
const allow = ({ userCode }: Device, login = 'test1', scope = ['verify']) =>
  backend.services.grants.allowDevice(userCode, {
    clientId: 'phone-app',
    uid: uidOf(login),
    scope,
    resource: undefined,
  });

const errorOf = async (device: Pick<Device, 'deviceCode'>) => (await poll(device)).body['error'];

describe('device authorization', () => {
  test('the answer', async () => {
    const { status, headers, body } = await post(backend, '/oauth/device_authorization', {
      client_id: 'phone-app',
      scope: 'verify',
    });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      device_code: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${backend.url}/device`,
      verification_uri_complete: `${backend.url}/device?user_code=${body['user_code']}`,
      expires_in: 600,
      interval: 5,
    });
  });

  test('every letter is drawn, and no code twice', async () => {
    const codes: string[] = [];
    for (let n = 0; n < 100; n++) codes.push((await start()).userCode);
    expect(new Set(codes).size).toBe(100);
    expect([...new Set(codes.join('').replaceAll('-', ''))].sort().join('')).toBe(
      'BCDFGHJKLMNPQRSTVWXZ',
    );
  });

  test('a user code that is taken is not given out again', async () => {
    const { userCode } = await start();
    const taken = await backend.services.grants.startDevice({
      deviceCode: secret('another-device-code-0123456789'),
      userCode,
      clientId: 'phone-app',
      scope: ['verify'],
      interval: 5,
      expiresAt: new Date(backend.clock.now.getTime() + 1000),
    });
    expect(taken).toBe(false);
  });

  test('by a client with a secret', async () => {
    const form = { client_id: 'partner', client_secret: partnersSecret };
    const { status } = await post(backend, '/oauth/device_authorization', form);
    expect(status).toBe(200);
  });

  test.each([
    ['more scope than the client may have', { scope: 'verify email' }, 'invalid_scope'],
    ['a resource', { resource: 'https://api.example/' }, 'invalid_target'],
  ])('%s', async (_, form, error) => {
    const { status, body } = await post(backend, '/oauth/device_authorization', {
      client_id: 'phone-app',
      ...(form as unknown as Record<string, string>),
    });
    expect([status, body['error']]).toEqual([400, error]);
  });

  test('a client that is not registered for it', async () => {
    const { database } = backend.services;
    await database.prisma.client.create({
      data: { id: 'web', name: 'Web', scope: 'verify', redirectUris: [], grantTypes: [] },
    });
    const { status, body } = await post(backend, '/oauth/device_authorization', {
      client_id: 'web',
    });
    expect([status, body['error']]).toEqual([400, 'unauthorized_client']);
  });
});

describe('polling', () => {
  test('waits, is allowed, gets its tokens', async () => {
    const device = await start();
    expect(await errorOf(device)).toBe('authorization_pending');
    expect(await allow(device)).toBe(true);
    pass(backend, 5);
    const { status, headers, body } = await poll(device);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      access_token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'verify',
      refresh_token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    });
    expect(await isGood(backend, body['access_token'])).toBe(true);
  });

  test('too soon: slow_down, and 5 seconds more from then on', async () => {
    const device = await start();
    expect(await errorOf(device)).toBe('authorization_pending');
    pass(backend, 4.999);
    expect(await errorOf(device)).toBe('slow_down');
    pass(backend, 9.999);
    expect(await errorOf(device)).toBe('slow_down');
    pass(backend, 15);
    expect(await errorOf(device)).toBe('authorization_pending');
  });

  test('too soon after it was allowed: nothing is used up', async () => {
    const device = await start();
    expect(await errorOf(device)).toBe('authorization_pending');
    await allow(device);
    expect(await errorOf(device)).toBe('slow_down');
    pass(backend, 10);
    expect((await poll(device)).status).toBe(200);
  });

  test('denied', async () => {
    const device = await start();
    expect(await backend.services.grants.denyDevice(device.userCode)).toBe(true);
    expect(await errorOf(device)).toBe('access_denied');
    expect(await allow(device)).toBe(false);
  });

  test('expires exactly now', async () => {
    const device = await start();
    pass(backend, 599.999);
    expect(await errorOf(device)).toBe('authorization_pending');
    pass(backend, 0.001);
    expect(await errorOf(device)).toBe('expired_token');
    expect(await allow(device)).toBe(false);
  });

  test('used twice: refused, and everything that came of it ends', async () => {
    const device = await start();
    await allow(device);
    const { body } = await poll(device);
    expect(await isGood(backend, body['access_token'])).toBe(true);
    pass(backend, 5);
    expect(await errorOf(device)).toBe('invalid_grant');
    expect(await isGood(backend, body['access_token'])).toBe(false);
  });

  test("another client's device code", async () => {
    const device = await start();
    await allow(device);
    const theirs = { client_id: 'partner', client_secret: partnersSecret };
    expect((await poll(device, theirs)).body['error']).toBe('invalid_grant');
    expect((await poll(device)).status).toBe(200);
  });

  test('unknown', async () => {
    expect(await errorOf({ deviceCode: 'x'.repeat(43) })).toBe('invalid_grant');
    expect(await errorOf({ deviceCode: '' })).toBe('invalid_request');
  });

  test('a user who is suspended meanwhile', async () => {
    const { database, passwords } = backend.services;
    const directory = createDirectory(database, passwords, 'test');
    const device = await start();
    await allow(device, 'test2');
    await directory.setUserStatus('test2', 'suspended');
    expect(await errorOf(device)).toBe('invalid_grant');
    await directory.setUserStatus('test2', 'active');
    pass(backend, 5);
    await directory.setGroupStatus('Dev 01', 'suspended');
    expect(await errorOf(device)).toBe('invalid_grant');
    await directory.setGroupStatus('Dev 01', 'active');
    pass(backend, 5);
    expect((await poll(device)).status).toBe(200);
  });
});

describe("the user's word", () => {
  test('counts once', async () => {
    const device = await start();
    const answers = await Promise.all([
      allow(device, 'test1'),
      allow(device, 'test2'),
      backend.services.grants.denyDevice(device.userCode),
    ]);
    expect(answers.filter(Boolean)).toHaveLength(1);
  });

  test('for a code as people type it', async () => {
    expect(plainUserCode(' wdjb mjht ')).toBe('WDJBMJHT');
    const device = await start();
    const typed = ` ${device.userCode.toLowerCase().replace('-', ' ')} `;
    expect((await backend.services.grants.findDevice({ userCode: typed }))?.clientId).toBe(
      'phone-app',
    );
    expect(await allow({ ...device, userCode: typed })).toBe(true);
  });
});
