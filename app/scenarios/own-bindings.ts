/** What the placeholders of the tables stand for at a backend of ours whose database holds the whole cast. */
import { demoClient } from '../../prisma/seed.ts';
import type { Config } from '../config.ts';
import { everyScope } from '../oauth/scopes.ts';
import { digest, newToken } from '../oauth/secrets.ts';
import type { Services } from '../services.ts';
import { people, tokenOf, tokens, understudies } from './cast.ts';
import type { OwnBackend } from './own-backend.ts';
import { clientTokenBindings, nameIn } from './own-client-tokens.ts';
import type { Bindings } from './scenario.ts';

const everyone = [...people, ...understudies];

export const uidOf = (login: string): number => {
  const person = everyone.find((one) => one.login === login);
  if (!person) throw new Error(`${login} is not in the cast`);
  return person.uid;
};

export type Minting = {
  readonly scope?: readonly string[];
  /** Seconds. */
  readonly ttl?: number;
};

type Minted = Pick<Services, 'database' | 'tokens'>;

/** A token of this user: by default a good one, with every scope and an hour to live. */
export async function mintToken(
  { tokens: ours }: Pick<Services, 'tokens'>,
  login: string,
  { scope = everyScope, ttl = 3600 }: Minting = {},
): Promise<string> {
  const clientId = demoClient.id;
  const { token } = await ours.issue({
    clientId,
    uid: uidOf(login),
    scope,
    ttl,
    actor: 'scenarios',
  });
  return token;
}

/** A good token of this user, issued for this resource only (RFC 8707). */
async function mintForResource(services: Minted, login: string, resource: string) {
  const token = await mintToken(services, login);
  const { accessToken, grant } = services.database.prisma;
  const { grantId } = await accessToken.findUniqueOrThrow({ where: { tokenHash: digest(token) } });
  await grant.update({ where: { id: grantId }, data: { resource } });
  return token;
}

/** A token of the client itself, as of the client credentials grant. */
async function mintForClient({ database }: Pick<Services, 'database'>) {
  const token = newToken();
  const { id: clientId } = demoClient;
  const scope = everyScope.join(' ');
  const grant = await database.prisma.grant.create({ data: { clientId, scope } });
  await database.prisma.accessToken.create({
    data: {
      tokenHash: digest(token),
      grantId: grant.id,
      clientId,
      scope,
      expiresAt: new Date(Date.now() + 3_600_000),
    },
  });
  return token;
}

/** What the platforms' own settings say: the keys and secrets of those that call us. */
function callersOf({ platforms }: Pick<Config, 'platforms'>): Bindings {
  const setting = (id: string, name: string) =>
    String(platforms.find(({ platform }) => platform.id === id)?.settings[name]);
  return {
    'authlete.apiKey': setting('authlete', 'AUTHLETE_API_KEY'),
    'authlete.apiSecret': setting('authlete', 'AUTHLETE_API_SECRET'),
  };
}

/** A value for every placeholder that the tables use: a secret, each of them. */
export async function ownBindings({ config, url, services }: OwnBackend): Promise<Bindings> {
  const revoked = await mintToken(services, 'test1');
  await services.tokens.revoke(revoked, 'scenarios');
  const elsewhere = 'https://elsewhere.example/userinfo';
  const bound: Record<string, string> = {
    [nameIn(tokens.neverIssued)]: newToken(),
    [nameIn(tokens.expired)]: await mintToken(services, 'test1', { ttl: -1 }),
    [nameIn(tokens.revoked)]: revoked,
    [nameIn(tokens.withoutVerifyScope)]: await mintToken(services, 'test1', { scope: ['profile'] }),
    [nameIn(tokens.ofAClient)]: await mintForClient(services),
    [nameIn(tokens.forAnotherResource)]: await mintForResource(services, 'test1', elsewhere),
    [nameIn(tokens.forAurora)]: await mintForResource(services, 'test1', `${url}/userinfo`),
    [nameIn(tokens.useridOnly)]: await mintToken(services, 'test1', { scope: ['userid-feide'] }),
    ...(await clientTokenBindings({ config, url, services })),
    ...callersOf(config),
  };
  for (const { login } of everyone) {
    bound[nameIn(tokenOf(login))] = await mintToken(services, login);
  }
  return bound;
}
