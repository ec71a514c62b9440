/** A dump of all tables shows no token, code, secret or password, in clear or in another writing of it. */
import { newToken } from '../../app/oauth/secrets.ts';
import { platformServices } from '../../app/platform-services.ts';
import { rotateSecret } from '../../app/store/clients.ts';
import { createDirectory } from '../../app/store/directory.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { provider } from '../support/databases.ts';
import {
  allow,
  deviceGrant,
  partner,
  pkce,
  post,
  redeeming,
  refreshing,
  register,
  tokenRequest,
} from '../support/oauth.ts';
import { mint } from '../support/tokens.ts';

let backend: Backend;

beforeAll(async () => {
  backend = await startBackend();
});

afterAll(() => backend.stop());

const query = (sql: string) =>
  backend.services.database.prisma.$queryRawUnsafe<Record<string, unknown>[]>(sql);

/** Every row of every table, as text. */
async function dump(): Promise<{ tables: string[]; text: string }> {
  const rows = await query(
    provider === 'sqlite'
      ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
      : "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public'",
  );
  const tables = rows.map(({ name }) => String(name)).sort();
  const texts = await Promise.all(tables.map(async (name) => query(`SELECT * FROM "${name}"`)));
  const text = JSON.stringify(texts, (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return { tables, text };
}

const writings = (value: string) => [
  value,
  encodeURIComponent(value),
  Buffer.from(value).toString('base64').replace(/=+$/, ''),
  Buffer.from(value).toString('base64url'),
  Buffer.from(value).toString('hex'),
];

test('after everything was used', async () => {
  const handedOut: string[] = [];
  const note = (value: unknown) => {
    expect(value).toEqual(expect.any(String));
    handedOut.push(secret(String(value)));
    return String(value);
  };
  const noteTokens = (body: Record<string, unknown>) => {
    note(body['access_token']);
    return note(body['refresh_token']);
  };

  const us = { id: partner.id, secret: note(await register(backend, partner)) };
  us.secret = note(await rotateSecret(backend.services.database, partner.id, 'test'));
  const code = note(await allow(backend));
  const first = noteTokens((await tokenRequest(backend, us, redeeming(code))).body);
  noteTokens((await tokenRequest(backend, us, refreshing(first))).body);
  note(await allow(backend));
  const own = { grant_type: 'client_credentials' };
  note((await tokenRequest(backend, us, own)).body['access_token']);

  const asUs = { client_id: us.id, client_secret: us.secret };
  const started = await post(backend, '/oauth/device_authorization', asUs);
  const deviceCode = note(started.body['device_code']);
  const userCode = note(started.body['user_code']);
  handedOut.push(userCode.replace('-', ''));
  const grant = { clientId: us.id, uid: 1, scope: ['verify'], resource: undefined };
  await backend.services.grants.allowDevice(userCode, grant);
  const device = { grant_type: deviceGrant, device_code: deviceCode };
  noteTokens((await tokenRequest(backend, us, device)).body);

  const { database, passwords } = backend.services;
  const password = note('a password that is not the login');
  const directory = createDirectory(database, passwords, 'test');
  await directory.createUser({ login: 'dumped', name: 'Dumped', password });
  const signedIn = await post(backend, '/user/login', { login: 'dumped', password });
  note(signedIn.body['access_token']);
  const another = note('another password than that one');
  await directory.setPassword('dumped', another);
  await post(backend, '/user/login', { login: 'dumped', password: note('a wrong password 123') });
  note(await mint(backend, 'test1'));
  const { config, services, url } = backend;
  const house = platformServices(config, url, services, { error() {} });
  const clientToken = note(await house.clientTokens.issue(1, 60));
  // Whoever has the signature has the token: the rest can be made from a dump.
  note(clientToken.split('.')[2]);
  note(await house.sign({ userid: '1' }));
  note(pkce.verifier);
  handedOut.push(config.SESSION_SECRET, config.CLIENT_TOKEN_SECRET);

  const { tables, text } = await dump();
  expect(tables).toEqual(
    expect.arrayContaining([
      ...['access_tokens', 'audit_events', 'authorization_codes', 'client_tokens', 'clients'],
      ...['device_codes', 'grants', 'group_roles', 'groups', 'identities', 'user_roles'],
      ...['rate_limits', 'refresh_tokens', 'sessions', 'used_states', 'users'],
    ]),
  );
  expect(handedOut.length).toBeGreaterThan(22);
  for (const value of handedOut) {
    for (const written of writings(value)) expect(text.includes(written)).toBe(false);
  }
  // The dump is one: what is no secret is in it.
  for (const there of ['partner', 'dumped', pkce.challenge]) expect(text).toContain(there);
});

test('the search would find one', async () => {
  const planted = secret(newToken());
  await backend.services.database.prisma.client.update({
    where: { id: partner.id },
    data: { name: planted },
  });
  expect((await dump()).text).toContain(planted);
});
