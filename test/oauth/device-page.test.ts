/** /device: what a user does with the code that his device shows (RFC 8628 §3.3). The device's side is in device.test.ts. */
import { newToken, newUserCode } from '../../app/oauth/secrets.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { addClient, formOf, type Visitor, visitor } from '../support/visitor.ts';

let backend: Backend;

beforeAll(async () => {
  backend = await startBackend({ TRUST_PROXY: '1' });
  // The customer's own: somebody may still have been sent the code by another person, so that he is asked.
  await addClient(backend, { id: 'tv', name: 'The TV', firstParty: true });
});

afterEach(async () => {
  await backend.services.database.prisma.rateLimiterFlexible.deleteMany();
});

afterAll(() => backend.stop());

async function start(seconds = 600) {
  const userCode = secret(newUserCode());
  const deviceCode = secret(newToken());
  await backend.services.grants.startDevice({
    deviceCode,
    userCode,
    clientId: 'tv',
    scope: ['verify'],
    interval: 5,
    expiresAt: new Date(backend.clock.now.getTime() + seconds * 1000),
  });
  const state = () => backend.services.grants.findDevice({ deviceCode });
  return { userCode, state };
}

const signedIn = async (login = 'test1') => {
  const one = visitor(backend);
  await one.signIn(login);
  return one;
};

/** Types a code into the page, and gets what comes next. */
const enter = async (one: Visitor, user_code: string, from = '192.0.2.1') =>
  one.post(
    '/device',
    { ...formOf((await one.get('/device')).text, '/device'), user_code },
    { 'x-forwarded-for': from },
  );

const wrongCode = 'This code is wrong, used, or too old. Look at your device again.';

test('somebody who is not signed in does that first, and keeps the code', async () => {
  const one = visitor(backend);
  const { status, text } = await one.get('/device?user_code=WDJB-MJHT');
  expect(status).toBe(200);
  expect(text).toContain('<h1>Sign in</h1>');
  const form = { ...formOf(text, '/login'), login: 'test1', password: 'test1' };
  const { location } = await one.post('/login', form);
  expect(location).toBe('/device?user_code=WDJB-MJHT');
});

test('a code in the link is filled in, and nothing more', async () => {
  const { userCode, state } = await start();
  const one = await signedIn();
  const { text } = await one.get(`/device?user_code=${userCode}`);
  expect(formOf(text, '/device')['user_code']).toBe(userCode);
  expect(text).not.toContain('The TV');
  expect((await state())?.grant).toBeUndefined();
});

test.each([
  ['as shown', (code: string) => code],
  ['in small letters', (code: string) => code.toLowerCase()],
  ['without the dash', (code: string) => code.replace('-', '')],
  ['with spaces', (code: string) => ` ${code.replace('-', ' ')} `],
])('a code %s is found; he sees who asks for what, and allows it', async (_, typed) => {
  const { userCode, state } = await start();
  const one = await signedIn();
  const asked = await enter(one, typed(userCode));
  expect(asked.status).toBe(200);
  expect(asked.text).toContain('<h1>Allow The TV?</h1>');
  expect(asked.text).toContain('Sign you in at the services it works with');
  expect(asked.text).toContain(userCode);
  expect((await state())?.grant).toBeUndefined();

  const form = { ...formOf(asked.text, '/device'), decision: 'allow' };
  expect((await one.post('/device', form)).text).toContain('Your device is connected');
  expect((await state())?.grant).toMatchObject({ clientId: 'tv', uid: 1, scope: ['verify'] });
  const again = await one.post('/device', form);
  expect(again.status).toBe(400);
  expect(again.text).toContain(wrongCode);
});

test('he denies it', async () => {
  const { userCode, state } = await start();
  const one = await signedIn();
  const form = formOf((await enter(one, userCode)).text, '/device');
  const { text } = await one.post('/device', { ...form, decision: 'deny' });
  expect(text).toContain('Your device is not connected');
  expect(await state()).toMatchObject({ denied: true, grant: undefined });
  const changed = await one.post('/device', { ...form, decision: 'allow' });
  expect(changed.text).toContain(wrongCode);
  expect((await state())?.grant).toBeUndefined();
});

test('another answer than allow or deny allows nothing', async () => {
  const { userCode, state } = await start();
  const one = await signedIn();
  const form = formOf((await enter(one, userCode)).text, '/device');
  await one.post('/device', { ...form, decision: 'ALLOW' });
  expect((await state())?.grant).toBeUndefined();
});

test('a code that expires exactly now is as wrong as one that never was', async () => {
  const { userCode } = await start(0);
  const one = await signedIn();
  for (const code of [userCode, 'BCDF-GHJK', '', 'x'.repeat(1000)]) {
    const { status, text } = await enter(one, code);
    expect(status).toBe(400);
    expect(text).toContain(wrongCode);
  }
});

test('nothing is allowed without the token of the form, or after the session is over', async () => {
  const { userCode, state } = await start();
  const one = await signedIn();
  const form = { ...formOf((await enter(one, userCode)).text, '/device'), decision: 'allow' };
  expect((await one.post('/device', { ...form, csrf: '' })).status).toBe(403);
  one.cookies.clear();
  expect((await one.post('/device', form)).text).toContain('<h1>Sign in</h1>');
  expect((await state())?.grant).toBeUndefined();
});

test('after ten wrong codes the right one is not looked at, in a new session neither; others go on', async () => {
  const { userCode } = await start();
  const one = await signedIn();
  for (let index = 0; index < 10; index++) {
    expect((await enter(one, 'BCDF-GHJK', `192.0.2.${index}`)).status).toBe(400);
  }
  for (const again of [one, await signedIn()]) {
    const { status, headers, text } = await enter(again, userCode, '198.51.100.1');
    expect(status).toBe(429);
    expect(headers.get('retry-after')).toBe('900');
    expect(text).toContain('Too many wrong codes. Please try again in 15 minutes.');
  }
  expect((await enter(await signedIn('test2'), userCode)).text).toContain('Allow The TV?');
});

test('right codes do not count', async () => {
  const one = await signedIn();
  for (let index = 0; index < 12; index++) {
    const { userCode } = await start();
    expect((await enter(one, userCode)).status).toBe(200);
  }
});
