import { createPasswords, passwordProblem } from '../app/store/passwords.ts';
import { createUsers } from '../app/store/users.ts';
import { Unavailable } from '../app/verification/unavailable.ts';
import { apiKey, apiSecret, type Backend, startBackend } from './support/backend.ts';
import { secret } from './support/canaries.ts';
import { mint } from './support/tokens.ts';

const syrup = secret('blåbærsyltetøy');
/** Of `syrup`, made by libxcrypt: another implementation than the one under test. */
const foreign = {
  $2a$: '$2a$04$abcdefghijklmnopqrstuOj3L2kuLWjRvhTrkxrs8EKVd.JV0Ih5.',
  $2b$: '$2b$04$abcdefghijklmnopqrstuOj3L2kuLWjRvhTrkxrs8EKVd.JV0Ih5.',
  $2y$: '$2y$04$abcdefghijklmnopqrstuOj3L2kuLWjRvhTrkxrs8EKVd.JV0Ih5.',
};
/** Of "taken". Comparing with it takes a place for as long as a test needs: cost 10, 50 ms; cost 14, 800 ms. */
const slow = {
  10: '$2b$10$abcdefghijklmnopqrstuOoMyXi3W1C7rO3qiRotLcWrQC.QY1lSC',
  14: '$2b$14$abcdefghijklmnopqrstuOisjEvkL.kIUopSOE0mxcZxmrQc7kigy',
};

const create = (settings = {}) =>
  createPasswords({ cost: 4, concurrency: 2, queue: 100, ...settings });

const ascii72 = secret('0123456789'.repeat(7).concat('ab'));
/** 24 characters of three bytes each. */
const wide72 = secret('€'.repeat(24));

describe('a new password', () => {
  test.each([
    ['of 72 bytes', ascii72],
    ['of 24 characters and 72 bytes', wide72],
    ['of one character', 'a'],
    ['of spaces', '   '],
  ])('%s is hashed, and matches', async (_situation, password) => {
    const passwords = create();
    expect(passwordProblem(password)).toBeUndefined();
    const hash = await passwords.hash(password);
    expect(hash).toMatch(/^\$2b\$04\$.{53}$/);
    expect(await passwords.matches(password, hash)).toBe(true);
    expect(await passwords.matches(password.slice(0, -1), hash)).toBe(false);
  });

  test.each([
    ['of 73 bytes', `${ascii72}c`, /longer than 72 bytes/],
    ['of 25 characters and 73 bytes', `${wide72}c`, /longer than 72 bytes/],
    ['with a NUL', 'before\0after', /NUL/],
    ['of half a surrogate pair', 'x\ud83e', /Unicode/],
    ['that is empty', '', /empty/],
  ])('%s is refused', async (_situation, password, problem) => {
    expect(passwordProblem(password)).toMatch(problem);
    await expect(create().hash(password)).rejects.toThrow(problem);
  });

  test('is salted', async () => {
    const passwords = create();
    expect(await passwords.hash(syrup)).not.toBe(await passwords.hash(syrup));
  });
});

describe('a password', () => {
  test.each([
    ['73 bytes, of which the first 72 are right', `${ascii72}c`, ascii72],
    ['73 bytes in 25 characters, likewise', `${wide72}c`, wide72],
    ['right up to a NUL', `${syrup}\0more`, syrup],
    ['right, and then half a surrogate pair', `${syrup}\ud83e`, syrup],
    ['empty', '', syrup],
    ['in another case', syrup.toUpperCase(), syrup],
    ['with a space at the end', `${syrup} `, syrup],
  ])('%s: does not match', async (_situation, tried, right) => {
    const passwords = create();
    expect(await passwords.matches(tried, await passwords.hash(right))).toBe(false);
  });

  test.each(Object.entries(foreign))('matches a hash that begins with %s', async (_kind, hash) => {
    expect(await create().matches(syrup, hash)).toBe(true);
    expect(await create().matches('something else', hash)).toBe(false);
  });

  const notHashes = [
    ['none', null],
    ['an empty one', ''],
    ['one in plain text', syrup],
    ['MD5-crypt', '$1$abcdefgh$G//4keteveJp0qb8z2DxG/'],
    ['bcrypt, cut off', foreign.$2b$.slice(0, -1)],
    ['bcrypt of an impossible cost', foreign.$2b$.replace('$04$', '$99$')],
    ['bcrypt of an unknown kind', foreign.$2b$.replace('$2b$', '$2x$')],
    ['the hash of a NUL, which stands in for nobody', foreign.$2b$.replace('$2b$', '\0')],
  ] as const;

  test.each(notHashes)('never matches a hash that is no hash: %s', async (_situation, hash) => {
    for (const password of [syrup, '', '\0', hash ?? 'null']) {
      expect(await create().matches(password, hash)).toBe(false);
    }
  });

  test.each<[situation: string, password: string, hash: string | null]>([
    ['wrong password', 'wrong', foreign.$2b$],
    ['empty password', '', foreign.$2b$],
    ['empty password for a login that nobody has', '', null],
    ['over-long password', `${ascii72}c`, foreign.$2b$],
    ['password with a NUL', 'a\0b', foreign.$2b$],
    ...notHashes.map(
      ([kind, hash]) => [`hash: ${kind}`, syrup, hash] as [string, string, typeof hash],
    ),
  ])('%s: bcrypt works all the same', async (_situation, password, hash) => {
    const passwords = create({ concurrency: 1, queue: 0 });
    expect(await passwords.matches(password, hash)).toBe(false);

    // Whoever computes needs a place. The only one is taken.
    const taken = passwords.matches('taken', slow[10]);
    await expect(passwords.matches(password, hash)).rejects.toThrow(Unavailable);
    expect(await taken).toBe(true);
  });
});

test('what is no hash costs as much as a hash: the cheap one that is asked for next is done first', async () => {
  const passwords = create({ cost: 10 });
  await passwords.matches(syrup, null);
  const order: string[] = [];
  await Promise.all([
    passwords.matches(syrup, 'not a hash').then(() => order.push('not a hash')),
    passwords.matches(syrup, foreign.$2b$).then(() => order.push('cost 4')),
  ]);
  expect(order).toEqual(['cost 4', 'not a hash']);
});

describe('too many passwords at once', () => {
  test('the place and the queue are taken: come again, with a time', async () => {
    const passwords = create({ concurrency: 1, queue: 2 });
    const inTime = [1, 2, 3].map(() => passwords.matches(syrup, foreign.$2y$));
    const tooMany = [
      passwords.matches(syrup, foreign.$2y$),
      passwords.matches('wrong', foreign.$2y$),
    ];
    for (const refused of await Promise.allSettled(tooMany)) {
      expect(refused).toMatchObject({
        status: 'rejected',
        reason: { name: 'Unavailable', retryAfter: 2 },
      });
    }
    expect(await Promise.all(inTime)).toEqual([true, true, true]);
    expect(await passwords.matches(syrup, foreign.$2y$)).toBe(true);
  });

  test('a hash that an operator asks for is made all the same, and next', async () => {
    const passwords = create({ concurrency: 1, queue: 1 });
    const order: string[] = [];
    const note = (what: string) => () => order.push(what);
    await Promise.all([
      passwords.matches(syrup, foreign.$2b$).then(note('first comparison')),
      passwords.matches(syrup, foreign.$2b$).then(note('second comparison')),
      passwords.hash(syrup).then(note('hash')),
      expect(passwords.matches(syrup, foreign.$2b$)).rejects.toThrow(Unavailable),
    ]);
    expect(order).toEqual(['first comparison', 'hash', 'second comparison']);
  });

  test('nobody is turned away while there is a place', async () => {
    const passwords = create({ concurrency: 2, queue: 0 });
    const two = [passwords.matches(syrup, foreign.$2b$), passwords.matches(syrup, foreign.$2a$)];
    expect(await Promise.all(two)).toEqual([true, true]);
  });
});

test('a hash is outdated when new ones cost more', () => {
  const { isOutdated } = create({ cost: 10 });
  expect(isOutdated(foreign.$2y$)).toBe(true);
  expect(isOutdated(slow[10])).toBe(false);
  expect(isOutdated(slow[14])).toBe(false);
});

describe('over HTTP', () => {
  let backend: Backend;

  beforeAll(async () => {
    backend = await startBackend({ PASSWORD_CONCURRENCY: '1', PASSWORD_QUEUE: '0' });
  });

  afterAll(() => backend.stop());

  const login = (password: string, name = 'test1') =>
    fetch(`${backend.url}/user/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ login: name, password }),
    });

  const authlete = (password: string) =>
    fetch(`${backend.url}/`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')}`,
      },
      body: JSON.stringify({ serviceApiKey: 1, id: 'test1', password, expiresIn: 0 }),
    });

  const setHash = (name: string, passwordHash: string) =>
    backend.services.database.prisma.user.update({
      where: { loginKey: name },
      data: { passwordHash },
    });

  test('too many logins: 503 with Retry-After, while tokens are verified as ever', async () => {
    const token = await mint(backend, 'simon371');
    const taken = backend.services.passwords.matches('taken', slow[14]);
    let compared = false;
    void taken.then(() => {
      compared = true;
    });

    for (const answer of [await login('test1'), await login(''), await authlete('test1')]) {
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('2');
      expect(await answer.json()).toEqual({
        error: 'temporarily_unavailable',
        request_id: answer.headers.get('x-request-id'),
      });
    }
    const verified = await fetch(`${backend.url}/user/verify?token=${token}`);
    expect(verified.status).toBe(200);
    expect(compared).toBe(false);

    expect(await taken).toBe(true);
    expect((await login('test1')).status).toBe(200);
  });

  test.each(['$2y$', '$2a$'] as const)(
    'a %s hash from elsewhere lets its user in',
    async (kind) => {
      await setHash('test2', foreign[kind]);
      expect((await login(syrup, 'test2')).status).toBe(200);
      expect((await login('test2', 'test2')).status).toBe(401);
    },
  );

  test('a garbage hash lets nobody in, and is no fault', async () => {
    await setHash('test3', 'not a hash');
    expect((await login('test3', 'test3')).status).toBe(401);
    expect((await login('not a hash', 'test3')).status).toBe(401);
  });
});

describe('a hash of a lower cost than new ones', () => {
  let backend: Backend;

  beforeAll(async () => {
    backend = await startBackend();
  });

  afterAll(() => backend.stop());

  /** The store of a server whose new hashes cost 5. */
  const costlier = () => createUsers(backend.services.database, create({ cost: 5 }));

  const hashOf = async (login: string) => {
    const { prisma } = backend.services.database;
    return (await prisma.user.findUniqueOrThrow({ where: { loginKey: login } })).passwordHash;
  };

  test('stays at a bad login', async () => {
    const users = costlier();
    const before = await hashOf('test1');
    expect(await users.checkPassword('test1', 'wrong')).toMatchObject({ passwordMatches: false });
    expect(await hashOf('test1')).toBe(before);
  });

  test('is replaced at a good login, and matches ever after', async () => {
    const users = costlier();
    expect(await hashOf('test1')).toMatch(/^\$2b\$04\$/);
    expect(await users.checkPassword('test1', 'test1')).toMatchObject({ passwordMatches: true });
    const renewed = await hashOf('test1');
    expect(renewed).toMatch(/^\$2b\$05\$/);
    expect(await users.checkPassword('test1', 'test1')).toMatchObject({ passwordMatches: true });
    expect(await hashOf('test1')).toBe(renewed);
  });
});
