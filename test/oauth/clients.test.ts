/** Clients: registered, listed, given another secret, deleted. */
import { digest } from '../../app/oauth/secrets.ts';
import {
  createClient,
  deleteClient,
  ensureClient,
  findClient,
  listClients,
  type NewClient,
  redirectUriProblem,
  rotateSecret,
} from '../../app/store/clients.ts';
import { demoRedirectUri } from '../../prisma/seed.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { allow, isGood, partner, phoneApp, redeeming, tokenRequest } from '../support/oauth.ts';

let backend: Backend;

beforeAll(async () => {
  backend = await startBackend();
});

afterAll(() => backend.stop());

const database = () => backend.services.database;
const create = (client: NewClient) => createClient(database(), client, 'admin:ola');
const asks = async (id: string, given: string) =>
  (await tokenRequest(backend, { id, secret: given }, { grant_type: 'client_credentials' })).status;

test('a confidential client: its secret is shown once, and kept as a hash', async () => {
  const { client, secret: issued } = await create(partner);
  expect(secret(String(issued))).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(client).toEqual({
    id: 'partner',
    name: 'Partner',
    scope: ['verify', 'profile'],
    confidential: true,
    redirectUris: ['https://partner.example/callback?tenant=1'],
    grantTypes: [
      'authorization_code',
      'refresh_token',
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:device_code',
    ],
    pkceRequired: true,
    firstParty: false,
    createdAt: expect.any(Date),
  });
  const row = await database().prisma.client.findUniqueOrThrow({ where: { id: 'partner' } });
  expect(row.secretHash).toBe(digest(String(issued)));
  expect(JSON.stringify(await listClients(database()))).not.toContain(row.secretHash);
  expect(await asks('partner', String(issued))).toBe(200);
});

test('a public client has no secret', async () => {
  const { client, secret: issued } = await create(phoneApp);
  expect(issued).toBeUndefined();
  expect(client).toMatchObject({ confidential: false, pkceRequired: true });
});

test('one id, one client', async () => {
  await create({ ...phoneApp, id: 'twice' });
  await expect(create({ ...phoneApp, id: 'twice', name: 'Another' })).rejects.toMatchObject({
    code: 'conflict',
    message: 'There is a client "twice" already.',
  });
});

test('another secret: the old one is refused from the next request on', async () => {
  const { secret: first } = await create({ ...partner, id: 'rotating' });
  const second = secret(await rotateSecret(database(), 'rotating', 'admin:ola'));
  expect(await asks('rotating', secret(String(first)))).toBe(401);
  expect(await asks('rotating', second)).toBe(200);
  await create({ ...phoneApp, id: 'no-secret' });
  await expect(rotateSecret(database(), 'no-secret', 'x')).rejects.toMatchObject({
    code: 'invalid',
  });
  await expect(rotateSecret(database(), 'nobody', 'x')).rejects.toMatchObject({
    code: 'not_found',
  });
  await expect(rotateSecret(database(), 'a\0', 'x')).rejects.toMatchObject({ code: 'not_found' });
});

test('deleted, with everything that was granted to it', async () => {
  const { secret: issued } = await create({ ...partner, id: 'going' });
  const us = { id: 'going', secret: secret(String(issued)) };
  const code = await allow(backend, { client: us as never, scope: ['verify'] });
  const { body } = await tokenRequest(backend, us, redeeming(code));
  expect(await isGood(backend, body['access_token'])).toBe(true);
  await deleteClient(database(), 'going', 'admin:ola');
  expect(await isGood(backend, body['access_token'])).toBe(false);
  expect(await asks('going', us.secret)).toBe(401);
  expect(await findClient(database(), 'going')).toBeUndefined();
  expect(await database().prisma.grant.count({ where: { clientId: 'going' } })).toBe(0);
  await expect(deleteClient(database(), 'going', 'x')).rejects.toMatchObject({ code: 'not_found' });
});

test('the audit trail tells who did what, and no secret', async () => {
  const { secret: issued } = await create({ ...partner, id: 'audited' });
  secret(String(issued));
  secret(await rotateSecret(database(), 'audited', 'admin:kari'));
  await deleteClient(database(), 'audited', 'admin:per');
  const events = await database().prisma.auditEvent.findMany({
    where: { target: 'client:audited' },
    orderBy: { id: 'asc' },
    select: { actor: true, action: true, detail: true },
  });
  expect(events).toEqual([
    { actor: 'admin:ola', action: 'client.create', detail: { confidential: true } },
    { actor: 'admin:kari', action: 'client.rotate-secret', detail: {} },
    { actor: 'admin:per', action: 'client.delete', detail: {} },
  ]);
});

test.each<[string, Partial<NewClient>]>([
  ['an empty id', { id: '' }],
  ['an id that could be a uid', { id: '2345' }],
  ['an id with a colon', { id: 'a:b' }],
  ['an id with a space', { id: 'a b' }],
  ['an id with a NUL', { id: 'a\0' }],
  ['an id that is too long', { id: 'x'.repeat(101) }],
  ['an empty name', { name: ' ' }],
  ['a name with a line break', { name: 'a\nb' }],
  ['no scope', { scope: [] }],
  ['a scope with a space', { scope: ['verify profile'] }],
  ['a scope with a quote', { scope: ['a"b'] }],
  ['the password grant', { grantTypes: ['password' as never] }],
  ['the code grant without a redirect URI', { redirectUris: [] }],
  ['a redirect URI without the code grant', { grantTypes: ['client_credentials'] }],
  ['a bad redirect URI among good ones', { redirectUris: ['https://a.example/', '/callback'] }],
  ['client credentials without a secret', { confidential: false }],
  [
    'no PKCE without a secret',
    { confidential: false, grantTypes: ['authorization_code'], pkceRequired: false },
  ],
])('refused: %s', async (_, changed) => {
  const before = (await listClients(database())).length;
  const client = { ...partner, id: 'refused', ...changed };
  await expect(create(client)).rejects.toMatchObject({ name: 'DirectoryError', code: 'invalid' });
  expect(await listClients(database())).toHaveLength(before);
});

test.each([
  'https://app.example/callback',
  'https://app.example/callback?tenant=1&x=%20',
  'https://app.example:8443/',
  'https://app.example',
  'http://127.0.0.1:3000/app/callback',
  'http://[::1]:3000/app/callback',
  'http://localhost/callback',
  'com.example.app:/callback',
  'com.example.app://callback',
])('a redirect URI may be %s', (uri) => {
  expect(redirectUriProblem(uri)).toBeUndefined();
});

test.each([
  '',
  '/callback',
  '//app.example/callback',
  'app.example/callback',
  'https://app.example/callback#fragment',
  'https://app.example/callback#',
  'https://*.example/callback',
  'https://app.example/*',
  'https://user@app.example/',
  'https://user:password@app.example/',
  'https://app.example\\@evil.example/',
  'https:app.example/callback',
  'https:///callback',
  'https://app.example/call back',
  'https://app.example/call\nback',
  'https://bücher.example/',
  'http://app.example/callback',
  'http://127.0.0.1.evil.example/',
  'http://localhost.evil.example/',
  'http://10.0.0.1/',
  'javascript:alert(1)',
  'data:text/html,x',
  'file:///etc/passwd',
  'myapp:/callback',
  'ftp://app.example/',
])('a redirect URI may not be %j', (uri) => {
  expect(redirectUriProblem(uri)).toEqual(expect.any(String));
});

describe('clients of our own', () => {
  test('the demo app of the seed: public, first party, with PKCE', async () => {
    const demo = (await listClients(database())).find(({ id }) => id === 'demo-app');
    expect(demo).toMatchObject({
      name: 'Demo App',
      confidential: false,
      pkceRequired: true,
      firstParty: true,
      scope: ['verify', 'openid', 'profile', 'email', 'userid-feide'],
    });
    expect(demoRedirectUri('http://127.0.0.1:3000')).toBe('http://127.0.0.1:3000/app/callback');
  });

  test('are there once, and gain what they lack', async () => {
    const own = { id: 'own', name: 'Own', scope: ['verify'] };
    const at = (port: number) => ({
      ...own,
      grantTypes: ['authorization_code'] as const,
      redirectUris: [`http://127.0.0.1:${port}/app/callback`],
    });
    await ensureClient(database(), own);
    await ensureClient(database(), { ...at(3000), name: 'Another name', scope: ['profile'] });
    await ensureClient(database(), at(3001));
    await ensureClient(database(), at(3000));
    const found = (await listClients(database())).find(({ id }) => id === 'own');
    expect(found).toMatchObject({
      name: 'Own',
      scope: ['verify'],
      grantTypes: ['authorization_code'],
      redirectUris: ['http://127.0.0.1:3000/app/callback', 'http://127.0.0.1:3001/app/callback'],
    });
  });

  test('processes that start at the same moment', async () => {
    const at = (port: number) => ({
      id: 'rushed',
      name: 'Rushed',
      scope: ['verify'],
      grantTypes: ['authorization_code'] as const,
      redirectUris: [`http://127.0.0.1:${port}/`],
    });
    await Promise.all([1, 2, 3, 4, 5].map((port) => ensureClient(database(), at(port))));
    const found = (await listClients(database())).find(({ id }) => id === 'rushed');
    expect([...(found?.redirectUris ?? [])].sort()).toEqual([
      'http://127.0.0.1:1/',
      'http://127.0.0.1:2/',
      'http://127.0.0.1:3/',
      'http://127.0.0.1:4/',
      'http://127.0.0.1:5/',
    ]);
  });
});
