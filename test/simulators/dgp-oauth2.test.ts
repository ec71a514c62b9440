/** dgp-oauth2's Apps and services, played: what they put on the wire, and their stories against a whole backend. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Incoming } from '../../app/http/endpoint.ts';
import {
  createDgpOauth2,
  dgpOauth2Simulator,
} from '../../app/platforms/dgp-oauth2/dgp-oauth2.simulator.ts';
import { clientTokenOf, clientTokens } from '../../app/scenarios/cast.ts';
import type { Flow } from '../../app/scenarios/exchange.ts';
import type { Bindings } from '../../app/scenarios/scenario.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { secret } from '../support/canaries.ts';
import { claimsOf, houseOf, nameIn } from '../support/client-tokens.ts';
import { bindings } from '../support/tokens.ts';
import { expectStory, storiesOf } from './stories.ts';

/** What came in a flow that no log may have. */
function keepSecret(flow: Flow): Flow {
  for (const { request, reply } of flow.exchanges) {
    const heard = `${request.url} ${request.headers['Cookie'] ?? ''} ${reply?.text ?? ''}`;
    for (const [token] of heard.matchAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g)) secret(token);
    for (const [, value] of heard.matchAll(/idp_\w+=([^;\s]{8,})/g)) secret(String(value));
  }
  return flow;
}

describe('a whole backend', () => {
  let backend: Backend;
  let bound: Bindings;

  const jwtOf = (login: string) => String(bound[nameIn(clientTokenOf(login))]);

  beforeAll(async () => {
    backend = await startBackend();
    bound = await bindings(backend);
  });

  afterAll(() => backend.stop());

  test.each(storiesOf('dgp-oauth2'))('$id $title', async (story) => {
    const { flows } = await expectStory(story, backend.url, bound);
    flows.forEach(keepSecret);
  });

  test('a sign-in in the browser, from page to page', async () => {
    const flow = keepSecret(await createDgpOauth2(backend.url).play({ login: 'simon371' }));

    const pages = flow.exchanges.filter(({ from }) => from === 'Browser');
    expect(pages.map(({ request: { method, url } }) => [method, new URL(url).pathname])).toEqual([
      ['GET', '/auth/login'],
      ['GET', '/login'],
      ['POST', '/login'],
      ['GET', '/auth/oauth_callback'],
      ['GET', '/'],
    ]);
  });

  test('a wrong password is tried once, and the App hears nothing', async () => {
    const app = createDgpOauth2(backend.url);
    const flow = keepSecret(await app.play({ login: 'test1', password: secret('not-his-own') }));

    expect(flow.outcome).toBe('the App is not signed in: the sign-in page lets nobody in');
    expect(flow.exchanges.filter(({ request }) => request.method === 'POST')).toHaveLength(1);
    expect(flow.exchanges.some(({ to }) => to === 'App')).toBe(false);
  });

  test('a provider that there is not', async () => {
    const app = createDgpOauth2(backend.url, { provider: 'myspace' });

    expect((await app.play({ login: 'test1' })).outcome).toBe(
      'the App is not signed in: there is no provider myspace',
    );
  });

  test('what is said stands in the record: the state cookie goes along', async () => {
    const app = createDgpOauth2(backend.url);
    const { exchanges } = keepSecret(await app.play({ login: 'test1' }));
    const back = exchanges.find(({ request }) => request.url.includes('/auth/oauth_callback'));

    expect(back?.request.headers['Cookie']).toMatch(/idp_sign_in_\w+=/);
    expect(back?.reply?.status).toBe(302);
    expect(back?.concluded).toBe('goes on to http://localhost:3000/');
  });

  test.each([
    ['no token', '', 'this is no permission token'],
    ['a client token', clientTokens.toRevoke, 'this is no permission token'],
  ])('the service takes %s for what it is', async (_what, placeholder, error) => {
    const token = String(bound[nameIn(placeholder)] ?? '');

    expect(await createDgpOauth2(backend.url).permitted(token)).toEqual({ error });
  });

  test('the service takes none that is over, for another service, or of another key', async () => {
    const { sign } = houseOf(backend);
    const { userid } = claimsOf(jwtOf('test1'));
    const signed = async (service: string, exp: number) =>
      secret(await sign({ userid, permissions: { read: true }, service, exp }));
    const soon = Math.floor(Date.now() / 1000) + 60;
    const { permitted } = createDgpOauth2(backend.url);
    const good = await signed('storage-service', soon);
    const [header, payload] = good.split('.');

    expect(await permitted(good)).toEqual({ userid: '1', permissions: { read: true } });
    expect(await permitted(await signed('storage-service', soon - 120))).toEqual({
      error: 'the token is over',
    });
    expect(await permitted(await signed('another-service', soon))).toEqual({
      error: 'the token is for another service',
    });
    expect(await permitted(`${header}.${payload}.AAAA`)).toEqual({
      error: 'somebody else has signed the token',
    });
  });

  test('the service as others call it', async () => {
    const [endpoint] = dgpOauth2Simulator.create(
      backend.url,
      dgpOauth2Simulator.settings.parse({}),
    ).endpoints;
    const { sign } = houseOf(backend);
    const exp = Math.floor(Date.now() / 1000) + 60;
    const jwt = secret(
      await sign({ userid: '1', permissions: {}, service: 'storage-service', exp }),
    );
    const ask = async (parameters: Incoming['parameters']) =>
      endpoint?.answer({ parameters } as Incoming);

    expect(endpoint).toMatchObject({ path: '/service', methods: ['GET'] });
    expect(await ask({ jwt })).toMatchObject({
      status: 200,
      body: '{"userid":"1","permissions":{}}',
    });
    expect(await ask({})).toMatchObject({
      status: 403,
      body: '{"error":"this is no permission token"}',
    });
  });
});

describe('a backend that is out of order', () => {
  const servers: Server[] = [];

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  afterAll(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
  });

  test('is not there', async () => {
    const flow = await createDgpOauth2('http://127.0.0.1:1').play({ login: 'test1' });

    expect(flow.outcome).toBe('the App is not signed in: the backend cannot be reached');
    expect(flow.exchanges).toHaveLength(1);
    expect(flow.exchanges[0]?.problem).toBe('Nobody answers at 127.0.0.1:1 (ECONNREFUSED).');
  });

  test('answers with something else', async () => {
    const url = await serve((_request, response) => response.end('<h1>It works!</h1>'));

    expect((await createDgpOauth2(url).play({ login: 'test1' })).outcome).toBe(
      'the App is not signed in: there is no provider local',
    );
    expect((await createDgpOauth2(url).logOut('x')).outcome).toBe('the App could not sign out');
  });

  test('sends the browser round and round', async () => {
    const url = await serve((request, response) => {
      if (request.url?.startsWith('/auth/check')) {
        const providers = { local: { url: `http://${request.headers.host}/auth/login` } };
        response.end(JSON.stringify({ authenticated: false, providers }));
      } else response.writeHead(302, { location: '/auth/login' }).end();
    });
    const flow = await createDgpOauth2(url).play({ login: 'test1' });

    expect(flow.outcome).toBe('the App is not signed in: the sign-in page lets nobody in');
    expect(flow.exchanges).toHaveLength(11);
  });
});
