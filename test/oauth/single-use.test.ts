/**
 * Of 20 who redeem the same code or token at the same moment, at most one gets tokens. On PostgreSQL at two servers. SQLite
 * has one writer, for whom a process waits as a whole: two servers cannot share a process there.
 */
import { newToken } from '../../app/oauth/secrets.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { provider } from '../support/databases.ts';
import {
  allow,
  deviceGrant,
  isGood,
  partner,
  redeeming,
  refreshing,
  register,
  tokenRequest,
} from '../support/oauth.ts';
import { visitor } from '../support/visitor.ts';

let one: Backend;
let other: Backend;
const us = { id: partner.id, secret: '' };

beforeAll(async () => {
  one = await startBackend();
  other =
    provider === 'sqlite' ? one : await startBackend({ DATABASE_URL: one.config.DATABASE_URL });
  us.secret = await register(one, partner);
});

afterAll(async () => {
  if (other !== one) await other.stop();
  await one.stop();
});

/** The answers of 20 equal requests at once. */
const twenty = (form: Record<string, string>) =>
  Promise.all(
    Array.from({ length: 20 }, (_, n) => tokenRequest(n % 2 === 0 ? one : other, us, form)),
  );

const statuses = (answers: readonly { status: number }[]) =>
  answers.map(({ status }) => status).sort();

const oneOf20 = [200, ...Array(19).fill(400)];

test('an authorization code: one, and then the family is dead', async () => {
  const answers = await twenty(redeeming(await allow(one)));
  expect(statuses(answers)).toEqual(oneOf20);
  const token = answers.find(({ status }) => status === 200)?.body['access_token'];
  expect(await isGood(one, token)).toBe(false);
});

test('a refresh token: one, and then the family is dead', async () => {
  const first = await tokenRequest(one, us, redeeming(await allow(one)));
  const answers = await twenty(refreshing(first.body['refresh_token']));
  expect(statuses(answers)).toEqual(oneOf20);
  const tokens = answers.find(({ status }) => status === 200)?.body;
  expect(await isGood(one, tokens?.['access_token'])).toBe(false);
  expect(await isGood(one, first.body['access_token'])).toBe(false);
  const next = await tokenRequest(one, us, refreshing(tokens?.['refresh_token']));
  expect(next.status).toBe(400);
});

test('a device code: one', async () => {
  const deviceCode = secret(newToken());
  const { grants } = one.services;
  await grants.startDevice({
    deviceCode,
    userCode: secret('WDJB-MJHT'),
    clientId: partner.id,
    scope: ['verify'],
    interval: 5,
    expiresAt: new Date(one.clock.now.getTime() + 600_000),
  });
  const grant = { clientId: partner.id, uid: 1, scope: ['verify'], resource: undefined };
  expect(await grants.allowDevice('WDJB-MJHT', grant)).toBe(true);
  const answers = await twenty({ grant_type: deviceGrant, device_code: deviceCode });
  expect(statuses(answers)).toEqual(oneOf20);
});

test('the state of a sign-in that comes back: one', async () => {
  const who = visitor(one);
  await who.signIn('test1');
  const next = 'http://localhost:3000';
  const begun = await who.get(`/auth/login?${new URLSearchParams({ provider: 'local', next })}`);
  const { location: back } = await who.get(String(begun.location));
  const cookie = [...who.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      fetch(`${(n % 2 === 0 ? one : other).url}${back}`, {
        headers: { cookie },
        redirect: 'manual',
      }),
    ),
  );
  expect(statuses(answers)).toEqual([302, ...Array(19).fill(400)]);
  for (const { headers } of answers) secret(headers.get('location')?.split('jwt=')[1] ?? '');
});

test('what the store says, without anybody looking first', async () => {
  const { grants } = one.services;
  const fresh = () => ({
    accessToken: secret(newToken()),
    scope: ['verify'],
    accessExpiresAt: new Date(one.clock.now.getTime() + 60_000),
    refreshToken: secret(newToken()),
    grantExpiresAt: new Date(one.clock.now.getTime() + 60_000),
  });
  const race = (redeem: (side: Backend['services']['grants']) => Promise<boolean>) =>
    Promise.all(
      Array.from({ length: 20 }, (_, n) => redeem((n % 2 === 0 ? one : other).services.grants)),
    );
  const won = (results: boolean[]) => results.filter(Boolean).length;

  const code = await allow(one);
  expect(won(await race((side) => side.redeemCode(code, fresh())))).toBe(1);

  const first = fresh();
  const second = await allow(one);
  await grants.redeemCode(second, first);
  const used = await race((side) => side.rotate(first.refreshToken, fresh(), undefined));
  expect(won(used)).toBe(1);
  const usedAt = (await grants.findRefreshToken(first.refreshToken))?.usedAt;
  expect(usedAt).toEqual(expect.any(Date));
  expect(won(await race((side) => side.rotate(first.refreshToken, fresh(), usedAt)))).toBe(1);

  const deviceCode = secret(newToken());
  await grants.startDevice({
    deviceCode,
    userCode: secret('BCDF-GHJK'),
    clientId: partner.id,
    scope: ['verify'],
    interval: 5,
    expiresAt: new Date(one.clock.now.getTime() + 600_000),
  });
  const grant = { clientId: partner.id, uid: 1, scope: ['verify'], resource: undefined };
  expect(won(await race((side) => side.allowDevice('BCDF-GHJK', grant)))).toBe(1);
  expect(won(await race((side) => side.redeemDevice(deviceCode, fresh())))).toBe(1);
});
