/** What has expired is deleted, in batches; what is still needed is not. */
import { newToken } from '../../app/oauth/secrets.ts';
import { platformServices } from '../../app/platform-services.ts';
import { type Purged, purge, schedulePurge } from '../../app/store/purge.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import {
  allow,
  isGood,
  partner,
  pass,
  phoneApp,
  post,
  redeeming,
  refreshing,
  register,
  tokenRequest,
} from '../support/oauth.ts';

let backend: Backend;
const us = { id: partner.id, secret: '' };

const hour = 3600;
const day = 24 * hour;

beforeEach(async () => {
  backend = await startBackend({ REFRESH_TOKEN_TTL: String(30 * day) });
  us.secret = await register(backend, partner);
  await register(backend, phoneApp);
});

afterEach(() => backend.stop());

const run = (options = {}): Promise<Purged> =>
  purge(backend.services.database, backend.clock.now, options);

const start = async () => {
  const code = await allow(backend);
  return { code, tokens: (await tokenRequest(backend, us, redeeming(code))).body };
};

const rows = async () => {
  const { prisma } = backend.services.database;
  return {
    codes: await prisma.authorizationCode.count(),
    access: await prisma.accessToken.count(),
    refresh: await prisma.refreshToken.count(),
    devices: await prisma.deviceCode.count(),
    grants: await prisma.grant.count(),
  };
};

test('nothing has expired: nothing goes', async () => {
  await start();
  await allow(backend);
  expect(await run()).toEqual({});
  expect(await rows()).toEqual({ codes: 2, access: 1, refresh: 1, devices: 0, grants: 2 });
});

test('an hour after they expired, codes and access tokens go; the grant lives on', async () => {
  const { tokens } = await start();
  await allow(backend);
  pass(backend, hour + 60);
  expect(await run()).toEqual({});
  pass(backend, 0.001);
  // The code that nobody redeemed takes its grant along.
  expect(await run()).toEqual({ authorization_codes: 2, grants: 1 });
  pass(backend, hour);
  expect(await run()).toEqual({ access_tokens: 1 });
  expect(await rows()).toEqual({ codes: 0, access: 0, refresh: 1, devices: 0, grants: 1 });
  const next = await tokenRequest(backend, us, refreshing(tokens['refresh_token']));
  expect(next.status).toBe(200);
});

test('a used refresh token stays until the grant ends: its reuse is noticed', async () => {
  const { tokens } = await start();
  const first = tokens['refresh_token'];
  const second = (await tokenRequest(backend, us, refreshing(first))).body;
  pass(backend, 29 * day);
  await run();
  const third = (await tokenRequest(backend, us, refreshing(second['refresh_token']))).body;
  expect(await isGood(backend, third['access_token'])).toBe(true);
  expect((await tokenRequest(backend, us, refreshing(first))).status).toBe(400);
  expect(await isGood(backend, third['access_token'])).toBe(false);
});

test('a used code stays until it has expired: its reuse is noticed', async () => {
  const { code, tokens } = await start();
  pass(backend, 60 + 59 * 60);
  await run();
  pass(backend, -59 * 60);
  expect((await tokenRequest(backend, us, redeeming(code))).status).toBe(400);
  expect(await isGood(backend, tokens['access_token'])).toBe(false);
});

test('when the grant has ended, everything goes', async () => {
  const { tokens } = await start();
  await tokenRequest(backend, us, refreshing(tokens['refresh_token']));
  pass(backend, 30 * day + hour + 0.001);
  expect(await run()).toEqual({
    authorization_codes: 1,
    access_tokens: 2,
    refresh_tokens: 2,
    grants: 1,
  });
  expect(await rows()).toEqual({ codes: 0, access: 0, refresh: 0, devices: 0, grants: 0 });
  expect(await backend.services.database.prisma.client.count({ where: { id: 'partner' } })).toBe(1);
});

test('device codes; one that asks too late is told so for an hour', async () => {
  const { body } = await post(backend, '/oauth/device_authorization', { client_id: 'phone-app' });
  const poll = async () =>
    (
      await post(backend, '/oauth/token', {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        client_id: 'phone-app',
        device_code: String(body['device_code']),
      })
    ).body['error'];
  pass(backend, 600 + hour);
  expect(await run()).toEqual({});
  expect(await poll()).toBe('expired_token');
  pass(backend, 0.001);
  expect(await run()).toEqual({ device_codes: 1 });
  expect(await poll()).toBe('invalid_grant');
});

test('sessions, used states and rate limits', async () => {
  const { prisma } = backend.services.database;
  const at = (seconds: number) => new Date(backend.clock.now.getTime() + seconds * 1000);
  for (const [name, seconds] of [
    ['old', -hour - 1],
    ['new', 1],
  ] as const) {
    await prisma.session.create({ data: { idHash: name, data: '{}', expiresAt: at(seconds) } });
    await prisma.usedState.create({ data: { stateHash: name, expiresAt: at(seconds) } });
    await prisma.rateLimiterFlexible.create({
      data: { key: name, points: 1, expire: at(seconds) },
    });
  }
  await prisma.rateLimiterFlexible.create({ data: { key: 'for ever', points: 1 } });
  expect(await run()).toEqual({ sessions: 1, used_states: 1, rate_limits: 1 });
  expect(await prisma.session.findMany({ select: { idHash: true } })).toEqual([{ idHash: 'new' }]);
  expect(await prisma.usedState.findMany()).toMatchObject([{ stateHash: 'new' }]);
  expect(
    (await prisma.rateLimiterFlexible.findMany({ orderBy: { key: 'asc' } })).map(({ key }) => key),
  ).toEqual(['for ever', 'new']);
});

test('client tokens: revoked or not, an hour after they expired', async () => {
  const { config, services, url } = backend;
  const house = platformServices(config, url, services, { error() {} });
  const issue = async (ttl: number) => secret(await house.clientTokens.issue(1, ttl));
  const [, revoked, lasting] = [await issue(60), await issue(60), await issue(day)];
  await house.clientTokens.revoke(revoked);
  const left = () => services.database.prisma.clientToken.count();
  pass(backend, hour + 59);
  expect(await run()).toEqual({});
  pass(backend, 2);
  expect(await run()).toEqual({ client_tokens: 2 });
  expect(await left()).toBe(1);
  expect(await house.clientTokens.verify(lasting)).toMatchObject({ accepted: true });
  pass(backend, day);
  expect(await run()).toEqual({ client_tokens: 1 });
  expect(await left()).toBe(0);
});

/** So many expired tokens of clients, each with its grant. */
async function expired(count: number) {
  const { grants } = backend.services;
  const ago = new Date(backend.clock.now.getTime() - 2 * hour * 1000);
  for (let n = 0; n < count; n++) {
    await grants.grantAtOnce(
      { clientId: 'partner', uid: undefined, scope: ['verify'], resource: undefined },
      {
        accessToken: secret(newToken()),
        scope: ['verify'],
        accessExpiresAt: ago,
        refreshToken: undefined,
        grantExpiresAt: undefined,
      },
    );
  }
}

test('in batches, and it stops between two of them', async () => {
  await expired(25);
  let asked = 0;
  const left = async () => (await rows()).access;
  const purged = await run({
    batch: 10,
    stopped: () => {
      asked += 1;
      // Codes first: one question; then two batches of tokens.
      return asked > 3;
    },
  });
  expect(purged).toEqual({ access_tokens: 20, grants: 20 });
  expect(await left()).toBe(5);
  expect(await run({ batch: 10 })).toEqual({ access_tokens: 5, grants: 5 });
  expect(await left()).toBe(0);
});

test('on time, with a line in the log; an error is logged, and the next round goes well', async () => {
  await expired(3);
  const { database } = backend.services;
  const lines: unknown[] = [];
  let enough = () => {};
  const done = new Promise<void>((resolve) => {
    enough = resolve;
  });
  let faults = 1;
  const log = {
    info: (line: unknown) => {
      lines.push(line);
      enough();
    },
    error: (line: { err: Error }) => lines.push(line.err.message),
  };
  const now = () => {
    if (faults-- > 0) throw new Error('away');
    return backend.clock.now;
  };
  const stop = schedulePurge(database, now, log as never, { first: 1, every: 1 });
  await done;
  await stop();
  expect(lines).toEqual(['away', { purged: { access_tokens: 3, grants: 3 } }]);
});

test('stopped, it does nothing any more', async () => {
  await expired(1);
  let rounds = 0;
  const now = () => {
    rounds += 1;
    return backend.clock.now;
  };
  const { database } = backend.services;
  const log = { info() {}, error() {} } as never;
  const stop = schedulePurge(database, now, log, { first: 1, every: 1 });
  await stop();
  // Another one, whose turn comes later.
  let stopOther = async () => {};
  await new Promise<void>((turn) => {
    const itsNow = () => {
      turn();
      return backend.clock.now;
    };
    stopOther = schedulePurge(database, itsNow, log, { first: 10, every: 1 });
  });
  await stopOther();
  expect(rounds).toBe(0);
});
