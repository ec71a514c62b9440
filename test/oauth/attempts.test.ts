/** Guessing passwords, at every door, and user codes. */
import { jest } from '@jest/globals';
import bcrypt from 'bcrypt';
import { network } from '../../app/oauth/attempts.ts';
import { createServices } from '../../app/services.ts';
import { apiKey, apiSecret, type Backend, startBackend } from '../support/backend.ts';
import { holdDatabase } from '../support/outage.ts';
import { formOf, visitor } from '../support/visitor.ts';

let backend: Backend;

beforeAll(async () => {
  backend = await startBackend({
    LOGIN_ATTEMPTS: '3',
    LOGIN_ATTEMPTS_PER_ADDRESS: '8',
    LOGIN_ATTEMPTS_WINDOW: '600',
    TRUST_PROXY: '1',
  });
});

afterEach(async () => {
  await backend.services.database.prisma.rateLimiterFlexible.deleteMany();
  await backend.services.database.prisma.auditEvent.deleteMany();
});

afterAll(() => backend.stop());

type Tried = { status: number; retryAfter: string | null; text: string };

const told = async (response: { status: number; headers: Headers; text: string }) => ({
  status: response.status,
  retryAfter: response.headers.get('retry-after'),
  text: response.text,
});

async function post(path: string, body: object, headers: Record<string, string>, to = backend) {
  const response = await fetch(`${to.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return told({
    status: response.status,
    headers: response.headers,
    text: await response.text(),
  });
}

const page = async (login: string, password: string, from: string): Promise<Tried> => {
  const one = visitor(backend);
  const form = formOf((await one.get('/login')).text, '/login');
  return told(await one.post('/login', { ...form, login, password }, { 'x-forwarded-for': from }));
};

const userLogin = (login: string, password: string, from: string, to = backend) =>
  post('/user/login', { login, password }, { 'x-forwarded-for': from }, to);

const authlete = (id: string, password: string, from: string) =>
  post(
    '/',
    { serviceApiKey: 1, id, password, expiresIn: 0 },
    {
      'x-forwarded-for': from,
      authorization: `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')}`,
    },
  );

const times = async (count: number, run: (index: number) => Promise<Tried>): Promise<Tried[]> => {
  const all: Tried[] = [];
  for (let index = 0; index < count; index++) all.push(await run(index));
  return all;
};

const here = '192.0.2.1';
const there = '192.0.2.2';

describe('after three wrong passwords', () => {
  test('the sign-in page refuses the right one too, and says when to come back', async () => {
    const before = await times(3, () => page('test1', 'wrong', here));
    expect(before.map(({ status }) => status)).toEqual([403, 403, 403]);
    const { status, retryAfter, text } = await page('test1', 'test1', here);
    expect([status, retryAfter]).toEqual([429, '600']);
    expect(text).toContain('Too many attempts. Please try again in 10 minutes.');
    expect(text).toContain('name="login" value="test1"');
  });

  test('POST /user/login refuses the right one too, and says when to come back', async () => {
    await times(3, () => userLogin('test1', 'wrong', here));
    expect(await userLogin('test1', 'test1', here)).toEqual({
      status: 429,
      retryAfter: '600',
      text: '{"error":"too_many_attempts","error_description":"Too many attempts. Try again later."}',
    });
  });

  test('Authlete is told what it is always told', async () => {
    await times(3, () => authlete('test1', 'wrong', here));
    const { status, retryAfter, text } = await authlete('test1', 'test1', here);
    expect([status, retryAfter, text]).toEqual([200, null, '{"authenticated":false}']);
    expect(backend.log.at(-1)?.['refused']).toBe('too-many-attempts');
  });

  test('of which each went to another door, all of them are shut', async () => {
    await page('test1', 'wrong', here);
    await userLogin('test1', 'wrong', here);
    await authlete('test1', 'wrong', here);
    expect((await page('test1', 'test1', here)).status).toBe(429);
    expect((await userLogin('test1', 'test1', here)).status).toBe(429);
    expect((await authlete('test1', 'test1', here)).text).toBe('{"authenticated":false}');
  });

  test('the login in other letters is the same login', async () => {
    await times(3, (index) => userLogin(['test1', 'TEST1', 'ｔest1'][index] ?? '', 'wrong', here));
    expect((await userLogin('Test1', 'test1', here)).status).toBe(429);
  });

  test('an unknown login and a suspended user are told the same', async () => {
    const pages = [];
    for (const login of ['test1', 'nobody', 'test4']) {
      await times(3, () => page(login, 'wrong', login === 'nobody' ? here : there));
      const { status, retryAfter, text } = await page(
        login,
        'wrong',
        login === 'nobody' ? here : there,
      );
      pages.push({
        status,
        retryAfter,
        text: text.replaceAll(/value="[0-9a-f]{64}"/g, '').replace(`value="${login}"`, ''),
      });
    }
    expect(pages[0]?.status).toBe(429);
    expect(pages[1]).toEqual(pages[0]);
    expect(pages[2]).toEqual(pages[0]);
  });

  test('from elsewhere he can still sign in, and at the same address others can', async () => {
    await times(4, () => userLogin('test1', 'wrong', here));
    expect((await userLogin('test1', 'test1', there)).status).toBe(200);
    expect((await userLogin('test2', 'test2', here)).status).toBe(200);
  });

  test('an address that the caller made up does not help him', async () => {
    const direct = await startBackend({ LOGIN_ATTEMPTS: '3' });
    const tried = await times(5, (index) =>
      userLogin('test1', 'wrong', `198.51.100.${index}`, direct),
    );
    expect(tried.map(({ status }) => status)).toEqual([401, 401, 401, 429, 429]);
    await direct.stop();
  });

  test('it opens again when the time is over, and the password was not looked at meanwhile', async () => {
    await times(3, () => userLogin('test1', 'wrong', here));
    const compare = jest.spyOn(bcrypt, 'compare');
    await times(3, () => userLogin('test1', 'test1', here));
    expect(compare).not.toHaveBeenCalled();
    compare.mockRestore();
    const { rateLimiterFlexible } = backend.services.database.prisma;
    await rateLimiterFlexible.updateMany({ data: { expire: new Date(Date.now() - 1) } });
    expect((await userLogin('test1', 'test1', here)).status).toBe(200);
  });

  test('the audit trail has it once, with the login; for an unknown one, without what was typed', async () => {
    await times(7, () => userLogin('test1', 'wrong', here));
    await times(7, () => userLogin('my-password-in-the-wrong-field', 'wrong', there));
    const { auditEvent } = backend.services.database.prisma;
    const events = await auditEvent.findMany({ where: { action: 'login.lockout' } });
    expect(events.map(({ actor, target, detail }) => ({ actor, target, detail }))).toEqual([
      { actor: 'system', target: 'user:test1', detail: { address: here, seconds: 600 } },
      { actor: 'system', target: 'user:(unknown)', detail: { address: there, seconds: 600 } },
    ]);
  });
});

test('a good sign-in makes two wrong ones forgotten', async () => {
  await times(2, () => userLogin('test1', 'wrong', here));
  expect((await userLogin('test1', 'test1', here)).status).toBe(200);
  const tried = await times(3, () => userLogin('test1', 'wrong', here));
  expect(tried.map(({ status }) => status)).toEqual([401, 401, 401]);
});

test('of twenty at the same moment three are looked at', async () => {
  const compare = jest.spyOn(bcrypt, 'compare');
  const all = await Promise.all(
    Array.from({ length: 20 }, () => userLogin('test1', 'wrong', here)),
  );
  expect(compare).toHaveBeenCalledTimes(3);
  compare.mockRestore();
  expect(all.filter(({ status }) => status === 401)).toHaveLength(3);
  expect(all.filter(({ status }) => status === 429)).toHaveLength(17);
});

test('another process counts along', async () => {
  const other = await createServices(backend.config);
  const from = { address: here, platform: false };
  const credential = { kind: 'password', login: 'test1', password: 'x', from } as const;
  for (let index = 0; index < 3; index++) await other.verify(credential);
  await other.close();
  expect((await userLogin('test1', 'test1', here)).status).toBe(429);
});

describe('after eight wrong passwords from one address', () => {
  const eight = () => times(8, (index) => userLogin(`somebody-${index}`, 'wrong', here));

  test('it has to wait, whatever the login; others need not', async () => {
    await eight();
    expect((await userLogin('test1', 'test1', here)).status).toBe(429);
    expect((await userLogin('test1', 'test1', there)).status).toBe(200);
  });

  test('a good sign-in of his own in between does not help him', async () => {
    await times(7, (index) => userLogin(`somebody-${index}`, 'wrong', here));
    expect((await userLogin('test1', 'test1', here)).status).toBe(200);
    expect((await userLogin('somebody-8', 'wrong', here)).status).toBe(401);
    expect((await userLogin('test1', 'test1', here)).status).toBe(429);
  });

  test('the audit trail has the address', async () => {
    await eight();
    await times(3, () => userLogin('test1', 'test1', here));
    const { auditEvent } = backend.services.database.prisma;
    const events = await auditEvent.findMany({ where: { action: 'login.lockout' } });
    expect(events.map(({ target }) => target)).toEqual(['address:192.0.2.1']);
  });

  test('a platform, whose address is everybody’s, goes on', async () => {
    await eight();
    await times(12, (index) => authlete(`somebody-${index}`, 'wrong', here));
    expect((await authlete('test1', 'test1', here)).text).toContain('"authenticated":true');
  });
});

test('no login, and nothing typed, stands in the counters', async () => {
  await userLogin('test1', 'wrong', here);
  const rows = await backend.services.database.prisma.rateLimiterFlexible.findMany();
  expect(rows.map(({ key }) => key)).toEqual([
    expect.stringMatching(/^login(-address)?:[A-Za-z0-9_-]{43}$/),
    expect.stringMatching(/^login(-address)?:[A-Za-z0-9_-]{43}$/),
  ]);
});

test('where nothing can be counted, nobody is let in: 503', async () => {
  const release = await holdDatabase(backend);
  const { status, text } = await userLogin('test1', 'test1', here).finally(release);
  expect(status).toBe(503);
  expect(text).toContain('"temporarily_unavailable"');
  expect((await userLogin('test1', 'test1', here)).status).toBe(200);
}, 20_000);

test('a fault of the comparison is nobody’s failure', async () => {
  const full = jest.spyOn(bcrypt, 'compare').mockImplementation(async () => {
    throw new Error('bcrypt broke');
  });
  const tried = await times(5, () => userLogin('test1', 'test1', here));
  full.mockRestore();
  expect(tried.map(({ status }) => status)).toEqual([500, 500, 500, 500, 500]);
  expect((await userLogin('test1', 'test1', here)).status).toBe(200);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:0001:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['192.0.2.1:4001', '192.0.2.1'],
  ['[2001:db8:1:2::9]:4001', '2001:db8:1:2::/64'],
  ['::ffff:192.0.2.1:4001', 'no address'],
  ['unknown', 'no address'],
  ['', 'no address'],
])('%s counts as %s', (address, expected) => {
  expect(network(address)).toBe(expected);
});
