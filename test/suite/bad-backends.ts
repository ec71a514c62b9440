/**
 * A backend that is not ours, with its own people, paths and names, as a customer may have written it: it holds to what the
 * vendors document, and to nothing else. Or it has one fault.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { secret } from '../support/canaries.ts';

export const faults = [
  'lets in whoever has some token',
  'makes a user up without a token',
  'does not look at suspension',
  'does not look at expiry',
  'does not look at revocation',
  'believes the user_id of the request',
  'says the uid as a string',
  'calls its JSON a web page',
  'shows a stack trace',
  'repeats the token in its error',
  'breaks on a token that it does not know',
  'breaks on JSON that ends too early',
  'lets answers be cached',
  'asks no caller for his secret',
  'looks at the secret of the caller, but not at his key',
  'does not look at passwords',
  'authenticates whatever the method',
  'names the group as it likes',
  'leaves the audience out',
  'names the audience in a refusal',
  'refuses everybody',
] as const;

export type Fault = (typeof faults)[number];

type Account = {
  readonly uid: number;
  readonly login: string;
  readonly name: string;
  readonly password: string;
  readonly token: string;
  readonly team?: { readonly subject: string; readonly name: string };
  readonly suspended?: true;
};

const red = { subject: 'red-team', name: 'The Red Team' };
const blue = { subject: 'blue-team', name: 'The Blue Team' };

const accounts: readonly Account[] = [
  {
    uid: 7,
    login: 'bob',
    name: 'Bob',
    password: 'the password of bob',
    token: 'tok-bob-5f2c91',
    team: red,
  },
  {
    uid: 8,
    login: 'eve',
    name: 'Eve',
    password: 'the password of eve',
    token: 'tok-eve-77d0aa',
    team: red,
  },
  {
    uid: 9,
    login: 'kim',
    name: 'Kim Blå',
    password: 'the password of kim',
    token: 'tok-kim-01b3ce',
    team: blue,
  },
  {
    uid: 10,
    login: 'sam',
    name: 'Sam',
    password: 'the password of sam',
    token: 'tok-sam-e2f817',
    team: blue,
    suspended: true,
  },
  { uid: 11, login: 'ann', name: 'Ann', password: 'the password of ann', token: 'tok-ann-93ac44' },
  { uid: 12, login: 'dan', name: 'Dan', password: 'the password of dan', token: 'tok-dan-b81e60' },
];

const emailOf = ({ login }: Account) => `${login}@people.example`;

const over = { expired: 'tok-exp-4d11f0', revoked: 'tok-rev-c0ffee' };
const caller = { key: 'key-of-the-console', secret: 'secret-of-the-console' };

for (const { password, token } of accounts) {
  secret(password);
  secret(token);
}
for (const value of [over.expired, over.revoked, caller.secret]) secret(value);

/** Who plays whom, as a tester would write it down. */
export const fixtureText = `
SCENARIO_TEST1_UID=7
SCENARIO_TEST1_NAME=Bob
SCENARIO_TEST1_EMAIL=bob@people.example
SCENARIO_TEST1_LOGIN=bob
SCENARIO_TEST1_PASSWORD='the password of bob'
SCENARIO_TOKEN_TEST1=tok-bob-5f2c91
SCENARIO_TEST2_LOGIN=eve
SCENARIO_TEST2_NAME=Eve
SCENARIO_TEST2_EMAIL=eve@people.example
SCENARIO_TOKEN_TEST2=tok-eve-77d0aa
SCENARIO_TEST2_PASSWORD='the password of eve'
SCENARIO_TEST3_LOGIN=kim
SCENARIO_TEST3_PASSWORD='the password of kim'
SCENARIO_TEST4_LOGIN=sam
SCENARIO_TEST4_PASSWORD='the password of sam'
SCENARIO_TOKEN_TEST4=tok-sam-e2f817
SCENARIO_SIMON371_UID=11
SCENARIO_SIMON371_LOGIN=ann
SCENARIO_SIMON371_PASSWORD='the password of ann'
SCENARIO_TOKEN_SIMON371=tok-ann-93ac44
SCENARIO_VPN_USER_UID=12
SCENARIO_TOKEN_VPN_USER=tok-dan-b81e60
SCENARIO_GROUP_DEV01_SUBJECT=red-team
SCENARIO_GROUP_DEV01_DISPLAY_NAME='The Red Team'
SCENARIO_GROUP_DEV02_SUBJECT=blue-team
SCENARIO_GROUP_DEV02_DISPLAY_NAME='The Blue Team'
SCENARIO_TOKEN_EXPIRED=tok-exp-4d11f0
SCENARIO_TOKEN_REVOKED=tok-rev-c0ffee
SCENARIO_AUTHLETE_API_KEY=key-of-the-console
SCENARIO_AUTHLETE_API_SECRET=secret-of-the-console
SCENARIO_PATH_GET_USER_INFO=/vpn/who
SCENARIO_PATH_USER_VERIFY=/chat/check
SCENARIO_PATH_ROOT=/console/login
SCENARIO_PATH_AUTHLETE_AUTHENTICATION=none
SCENARIO_PATH_USERINFO=/aurora/me
SCENARIO_PANGO_PARAMETERS=oauth_token=ticket
SCENARIO_CONNECTYCUBE_PARAMETERS=token=ticket,user_id=user_id
SCENARIO_CONNECTYCUBE_ANSWERS=user.id=uid,user.login=name.short
SCENARIO_AURORA_DASHBOARD='{"endpoint":"/aurora/me","audience":"the-aurora-app"}'
SCENARIO_PANGO_DASHBOARD='{"GetUserInfo":"/vpn/who","parameter":"ticket"}'
SCENARIO_AUTHLETE_DASHBOARD='{"developerAuthenticationCallbackEndpoint":"/console/login"}'
SCENARIO_CONNECTYCUBE_DASHBOARD='{"apiUrl":"/chat/check","requestParams":{"ticket":"#{login}"},"responseParams":{"uid":"#{uid}","login":"#{name.short}","full_name":"#{name.full}","email":"#{email}","external_user_id":"#{uid}"}}'
`;

type Asked = {
  readonly method: string;
  readonly path: string;
  /** Of the query, the form or the JSON. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly notJson: boolean;
  readonly authorization: string;
};

type Said = { readonly status: number; readonly body: unknown; readonly headers?: object };

async function asked(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const query = Object.fromEntries(url.searchParams);
  const isJson = text.startsWith('{') || text.startsWith('[');
  let json: unknown = {};
  let notJson = false;
  try {
    if (isJson) json = JSON.parse(text);
  } catch {
    notJson = true;
  }
  const form = isJson ? {} : Object.fromEntries(new URLSearchParams(text));
  return {
    method: request.method ?? '',
    path: url.pathname,
    values: { ...query, ...form, ...(json as object) },
    notJson,
    authorization: request.headers.authorization ?? '',
  };
}

/** The backend with this fault, as a function of what it is asked. */
function backendWith(fault: Fault | undefined): (request: Asked) => Said {
  const has = (one: Fault) => fault === one;
  const uidOf = ({ uid }: Account) => (has('says the uid as a string') ? String(uid) : uid);
  const [bob] = accounts as readonly [Account];

  function holderOf(token: unknown): Account | undefined {
    if (has('refuses everybody')) return undefined;
    if (has('makes a user up without a token') && token === undefined) return bob;
    if (typeof token !== 'string' || token === '') return undefined;
    if (has('lets in whoever has some token')) return bob;
    if (has('does not look at expiry') && token === over.expired) return bob;
    if (has('does not look at revocation') && token === over.revoked) return bob;
    const account = accounts.find((one) => one.token === token);
    if (!account && has('breaks on a token that it does not know')) {
      throw new Error('Cannot read properties of undefined');
    }
    return account?.suspended && !has('does not look at suspension') ? undefined : account;
  }

  const refusal = (token: unknown) => ({
    ...(has('repeats the token in its error') ? { asked: token } : {}),
    ...(has('shows a stack trace') ? { trace: new Error('refused').stack } : {}),
  });

  function pango({ values }: Asked): Said {
    const account = holderOf(values['ticket']);
    return account
      ? { status: 200, body: { result: 'OK', user: { uid: uidOf(account), plan: 'gold' } } }
      : { status: 200, body: { result: 'DENIED', ...refusal(values['ticket']) } };
  }

  function connectycube({ values, notJson }: Asked): Said {
    if (notJson) return { status: 400, body: { message: 'no JSON' } };
    const token = values['ticket'] ?? values['access_token'];
    const account = holderOf(token);
    const other =
      'user_id' in values &&
      String(values['user_id']) !== String(account?.uid) &&
      !has('believes the user_id of the request');
    return account && !other
      ? {
          status: 200,
          body: {
            uid: uidOf(account),
            name: { short: account.login, full: account.name },
            email: emailOf(account),
            avatar: null,
          },
        }
      : { status: 401, body: { message: 'who are you?', ...refusal(token) } };
  }

  /** Whoever has no good token gets one answer, as AURORA does not look at the status. */
  function aurora({ method, values, authorization }: Asked): Said {
    const token = /^bearer (\S+)$/i.exec(authorization)?.[1];
    const usual = ['GET', 'HEAD'].includes(method) && !('access_token' in values);
    const account = usual ? holderOf(token) : undefined;
    const audience = 'the-aurora-app';
    if (!account) {
      const named = has('names the audience in a refusal') ? { audience } : {};
      return { status: 200, body: { error: 'nobody', ...named, ...refusal(token) } };
    }
    const { login, name } = account;
    const userid_sec = [`login:${login}@logins.example`];
    const user = { userid_sec, name, email: emailOf(account), language: 'nb' };
    return {
      status: 200,
      body: { user, ...(has('leaves the audience out') ? {} : { audience }) },
    };
  }

  function authlete({ method, values, notJson, authorization }: Asked): Said {
    const [key, ...rest] = Buffer.from(authorization.replace(/^basic /i, ''), 'base64')
      .toString()
      .split(':');
    const rightKey =
      key === caller.key || has('looks at the secret of the caller, but not at his key');
    const trusted = /^basic /i.test(authorization) && rightKey && rest.join(':') === caller.secret;
    if (!trusted && !has('asks no caller for his secret')) {
      return {
        status: 401,
        body: 'Unauthorized',
        headers: { 'WWW-Authenticate': 'Basic realm="console"' },
      };
    }
    if (method !== 'POST' && !has('authenticates whatever the method')) {
      return { status: 404, body: 'Cannot' };
    }
    if (notJson) return { status: 400, body: { message: 'no JSON' } };
    const { id, password, sns, serviceApiKey } = values;
    const service = Number.isInteger(serviceApiKey ?? 0);
    const account = accounts.find(({ login }) => login === id);
    const right = account?.password === password || has('does not look at passwords');
    const suspended = account?.suspended && !has('does not look at suspension');
    const team = account?.team;
    if (!account || !right || suspended || !team || has('refuses everybody') || sns || !service) {
      return { status: 200, body: { authenticated: false, ...refusal(password) } };
    }
    const { subject, name } = has('names the group as it likes') ? blue : team;
    return { status: 200, body: { authenticated: true, subject, displayName: name, roles: [] } };
  }

  const routes: Readonly<Record<string, (request: Asked) => Said>> = {
    '/vpn/who': pango,
    '/aurora/me': aurora,
    '/chat/check': connectycube,
    '/console/login': authlete,
  };
  return (request) => {
    if (request.notJson && has('breaks on JSON that ends too early')) throw new Error('JSON');
    return routes[request.path]?.(request) ?? { status: 404, body: { message: 'nothing here' } };
  };
}

export type Listening = { readonly url: string; readonly close: () => Promise<void> };

/** On a free port of this machine. */
export async function listenWith(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Listening> {
  const server = createServer(answer);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

export function startBadBackend(fault?: Fault): Promise<Listening> {
  const answer = backendWith(fault);
  return listenWith((request, response) => {
    void asked(request)
      .then(answer)
      .catch((): Said => ({ status: 500, body: { message: 'Internal Server Error' } }))
      .then(({ status, body, headers = {} }) => {
        const isText = typeof body === 'string';
        const type =
          isText || fault === 'calls its JSON a web page' ? 'text/html' : 'application/json';
        response.writeHead(status, {
          'Content-Type': type,
          ...(fault === 'lets answers be cached' ? {} : { 'Cache-Control': 'no-store' }),
          ...headers,
        });
        response.end(isText ? body : JSON.stringify(body));
      });
  });
}
