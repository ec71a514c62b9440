/** RFC 6749 §2.3: client_secret_basic, client_secret_post, none. */
import { digest } from '../../app/oauth/secrets.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { basic, partner, phoneApp, post, register } from '../support/oauth.ts';

const refused = '{"error":"invalid_client","error_description":"Client authentication failed."}';

let backend: Backend;
let issued: string;

/** A secret that form-encoding changes, from another server's database. */
const moved = { id: 'moved', secret: secret('p%41ss+wörd :x&=') };

beforeAll(async () => {
  backend = await startBackend();
  issued = await register(backend, partner);
  await register(backend, phoneApp);
  await register(backend, { ...partner, id: moved.id });
  await backend.services.database.prisma.client.update({
    where: { id: moved.id },
    data: { secretHash: digest(moved.secret) },
  });
});

afterAll(() => backend.stop());

const ask = (form: Record<string, string> | string, authorization?: string) =>
  post(
    backend,
    '/oauth/token',
    typeof form === 'string' ? form : { grant_type: 'client_credentials', ...form },
    authorization === undefined ? {} : { authorization },
  );

const formEncoded = (text: string) => new URLSearchParams({ x: text }).toString().slice(2);

describe('good', () => {
  test('client_secret_basic', async () => {
    expect((await ask({}, basic('partner', issued))).status).toBe(200);
    expect((await ask({}, basic('partner', issued).replace('Basic', 'bAsIc  '))).status).toBe(200);
    expect((await ask({ client_id: 'partner' }, basic('partner', issued))).status).toBe(200);
  });

  test('client_secret_basic, the halves form-encoded', async () => {
    const authorization = basic(formEncoded(moved.id), formEncoded(moved.secret));
    expect(authorization).not.toBe(basic(moved.id, moved.secret));
    expect((await ask({}, authorization)).status).toBe(200);
  });

  test('client_secret_basic by a client that does not encode', async () => {
    expect((await ask({}, basic(moved.id, moved.secret))).status).toBe(200);
  });

  test('client_secret_post', async () => {
    expect((await ask({ client_id: 'partner', client_secret: issued })).status).toBe(200);
    expect((await ask({ client_id: moved.id, client_secret: moved.secret })).status).toBe(200);
  });

  test('none: let in, and told that this grant is not for it', async () => {
    for (const client_secret of ['', undefined]) {
      const form = {
        client_id: 'phone-app',
        ...(client_secret === undefined ? {} : { client_secret }),
      };
      expect((await ask(form)).body['error']).toBe('unauthorized_client');
    }
  });
});

describe('a secret in the header and in the form', () => {
  test('is invalid_request, even when both are right', async () => {
    const { status, body } = await ask(
      { client_id: 'partner', client_secret: issued },
      basic('partner', issued),
    );
    expect([status, body['error']]).toEqual([400, 'invalid_request']);
  });

  test('is taken from a client that came before PKCE, when both are right', async () => {
    const given = await register(backend, { ...partner, id: 'twice', pkceRequired: false });
    const inForm = { client_id: 'twice', client_secret: given };
    expect((await ask(inForm, basic('twice', given))).status).toBe(200);
    const other = secret('not-the-secret-of-anybody');
    for (const [form, header] of [
      [{ ...inForm, client_secret: other }, basic('twice', given)],
      [inForm, basic('twice', other)],
    ] as const) {
      const { status, body } = await ask(form, header);
      expect([status, body['error']]).toEqual([400, 'invalid_request']);
    }
    const wrong = await ask({ ...inForm, client_secret: other }, basic('twice', other));
    expect([wrong.status, wrong.body['error']]).toEqual([401, 'invalid_client']);
  });
});

describe('refused, all with the same bytes', () => {
  const wrong = secret('not-the-secret-of-anybody');

  test.each<[string, Record<string, string>, (() => string)?]>([
    ['nothing', {}],
    ['unknown client, basic', {}, () => basic('nobody', wrong)],
    ['wrong secret, basic', {}, () => basic('partner', wrong)],
    ['no secret, basic', {}, () => basic('partner', '')],
    ['unknown client, post', { client_id: 'nobody', client_secret: wrong }],
    ['wrong secret, post', { client_id: 'partner', client_secret: wrong }],
    ['unknown client, none', { client_id: 'nobody' }],
    ['confidential client, none', { client_id: 'partner' }],
    ['confidential client, empty secret', { client_id: 'partner', client_secret: '' }],
    ['public client with a secret', { client_id: 'phone-app', client_secret: wrong }],
    ['public client with an empty secret, basic', {}, () => basic('phone-app', '')],
    ['another client_id in the form', { client_id: 'phone-app' }, () => basic('partner', issued)],
    ['the id in another case', {}, () => basic('PARTNER', issued)],
    ['the secret and more', {}, () => basic('partner', `${issued}:anything`)],
    ['the stored hash as the secret', {}, () => basic('partner', secret(digest(issued)))],
    ['a Bearer header', { client_id: 'phone-app' }, () => 'Bearer abcdefgh'],
    ['garbage: not Base64', {}, () => 'Basic %%%'],
    ['garbage: no colon', {}, () => `Basic ${Buffer.from('partner').toString('base64')}`],
    ['garbage: not UTF-8', {}, () => `Basic ${Buffer.from([0xff, 0x3a, 0xfe]).toString('base64')}`],
    ['garbage: empty', {}, () => 'Basic '],
    ['garbage: the scheme only', {}, () => 'Basic'],
    ['a NUL in the id', {}, () => basic('part\0ner', wrong)],
    ['an encoded NUL in the id', {}, () => basic('partner%00', wrong)],
    ['half an escape in the id', {}, () => basic('partner%', wrong)],
    ['a lone surrogate in the id', { client_id: 'x\ud800', client_secret: wrong }],
  ])('%s', async (_, form, ...[authorization]) => {
    const { status, text, headers } = await ask(form, authorization?.());
    expect(status).toBe(401);
    expect(text).toBe(refused);
    expect(headers.get('www-authenticate')).toBe('Basic realm="oauth", charset="UTF-8"');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  test('at every endpoint that clients call', async () => {
    for (const path of ['token', 'introspect', 'revoke', 'device_authorization']) {
      const answers = await Promise.all([
        post(backend, `/oauth/${path}`, { client_id: 'nobody', client_secret: wrong, token: 'x' }),
        post(backend, `/oauth/${path}`, { client_id: 'partner', client_secret: wrong, token: 'x' }),
      ]);
      for (const { status, text } of answers) expect([status, text]).toEqual([401, refused]);
    }
  });
});

test('requests at the same time do not answer for each other', async () => {
  const wrong = secret('not-the-secret-of-anybody-else');
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => [
      (await ask({ scope: 'verify' }, basic('partner', issued))).status,
      (await ask({ client_id: 'partner', client_secret: wrong })).status,
      (await ask({ client_id: 'phone-app' })).body['error'],
    ]).concat(
      Array.from({ length: 20 }, async () => [
        (await ask({ scope: 'verify' }, basic('partner', issued))).status,
        (await ask({}, basic('partner', wrong))).status,
        (await ask({ client_id: 'phone-app' })).body['error'],
      ]),
    ),
  );
  expect(answers).toEqual(Array(40).fill([200, 401, 'unauthorized_client']));
});
