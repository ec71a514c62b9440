/** Faults on demand: one for the next call of a platform, and then it is over. */
import { createChaos } from '../../app/console/chaos.ts';
import { json } from '../../app/http/answer.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { act, newest } from '../support/console.ts';
import { mint } from '../support/tokens.ts';
import { visitor } from '../support/visitor.ts';

let backend: Backend;
let token: string;

beforeAll(async () => {
  backend = await startBackend();
  token = await mint(backend, 'simon371');
});

afterAll(() => backend.stop());

const arm = (fault: string, platform = 'connectycube') =>
  act(backend, '/console/chaos', '/console/chaos', { platform, fault });

const verify = () => fetch(`${backend.url}/user/verify?token=${token}`);

const good =
  '{"user":{"id":2345,"login":"simon371","full_name":"Simon Davis","fill_name":"Simon Davis","email":"simon371@example.com"},"uid":2345,"login":"simon371","email":"simon371@example.com"}';

const isGood = async (response: Response) => {
  expect(response.status).toBe(200);
  expect(await response.text()).toBe(good);
};

test('500: once, then it answers again', async () => {
  await arm('server-error');
  const response = await verify();
  expect([response.status, await response.text()]).toEqual([500, '{"error":"server_error"}']);
  expect(await newest(backend)).toMatchObject({ chaos: 'server-error', outcome: 'fault' });
  await isGood(await verify());
});

test('429, with Retry-After', async () => {
  await arm('too-many');
  const response = await verify();
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '5']);
  await isGood(await verify());
});

test('half an answer', async () => {
  await arm('malformed');
  const response = await verify();
  const text = await response.text();
  expect([response.status, text]).toEqual([200, good.slice(0, Math.ceil(good.length / 2))]);
  expect(() => JSON.parse(text)).toThrow();
  await isGood(await verify());
});

test('the wrong Content-Type', async () => {
  await arm('wrong-type');
  const response = await verify();
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(response.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
  await isGood(response);
  expect((await verify()).headers.get('content-type')).toBe('application/json; charset=utf-8');
});

test('late: the answer waits until the time is over', async () => {
  let over = () => {};
  const time = new Promise<void>((resolve) => {
    over = resolve;
  });
  const chaos = createChaos(new Map([['pango', 'Pango']]), () => time);
  chaos.arm('pango', 'delay');
  let answered = false;
  const { answer } = chaos.meddle('pango', async () => {
    answered = true;
    return json(200, {});
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(answered).toBe(false);
  over();
  expect((await answer).status).toBe(200);
});

test('one platform’s is not another’s', async () => {
  await arm('server-error', 'pango');
  await isGood(await verify());
  expect((await fetch(`${backend.url}/GetUserInfo?oauth_token=none`)).status).toBe(500);
});

test('while it is armed every page says so, and lets it be disarmed', async () => {
  await arm('server-error');
  for (const page of ['/console', '/console/log', '/console/chaos']) {
    const { text } = await visitor(backend).get(page);
    expect(text).toContain(
      '<strong>Chaos is armed.</strong> The next call of ConnectyCube gets: 500, without being looked at.',
    );
  }
  await act(backend, '/console/log', '/console/chaos/disarm');
  expect((await visitor(backend).get('/console')).text).not.toContain('Chaos is armed');
  await isGood(await verify());
});

test.each([
  { platform: 'nobody', fault: 'server-error' },
  { platform: 'connectycube', fault: 'constructor' },
  { platform: 'connectycube', fault: '' },
  { platform: '__proto__', fault: 'delay' },
])('%j arms nothing', async (fields) => {
  await act(backend, '/console/chaos', '/console/chaos', fields);
  expect((await visitor(backend).get('/console')).text).not.toContain('Chaos is armed');
});
