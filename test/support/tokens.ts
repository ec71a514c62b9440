import { everyScope } from '../../app/oauth/scopes.ts';
import { digest, newToken } from '../../app/oauth/secrets.ts';
import { people, tokenOf, tokens, understudies } from '../../app/scenarios/cast.ts';
import type { Bindings } from '../../app/scenarios/scenario.ts';
import { demoClient } from '../../prisma/seed.ts';
import { apiKey, apiSecret, type Backend } from './backend.ts';
import { secret } from './canaries.ts';

const everyone = [...people, ...understudies];

export const uidOf = (login: string): number => {
  const person = everyone.find((one) => one.login === login);
  if (!person) throw new Error(`${login} is not in the cast`);
  return person.uid;
};

type Minting = { scope?: readonly string[]; ttl?: number };

/** A good token of this user, with every scope and an hour to live. */
export async function mint(
  backend: Backend,
  login: string,
  { scope = everyScope, ttl = 3600 }: Minting = {},
) {
  const { token } = await backend.services.tokens.issue({
    clientId: demoClient.id,
    uid: uidOf(login),
    scope,
    ttl,
    actor: 'test',
  });
  return secret(token);
}

/** A token of the client itself, as of the client credentials grant. */
async function mintForClient({ services: { database } }: Backend) {
  const token = secret(newToken());
  const { id: clientId } = demoClient;
  const grant = await database.prisma.grant.create({ data: { clientId, scope: 'verify' } });
  await database.prisma.accessToken.create({
    data: {
      tokenHash: digest(token),
      grantId: grant.id,
      clientId,
      scope: 'verify',
      expiresAt: new Date(Date.now() + 3_600_000),
    },
  });
  return token;
}

const nameIn = (placeholder: string) => placeholder.slice(2, -2);

/** A value for every placeholder that the scenario tables use. */
export async function bindings(backend: Backend): Promise<Bindings> {
  const revoked = await mint(backend, 'test1');
  await backend.services.tokens.revoke(revoked, 'test');
  const bound: Record<string, string> = {
    [nameIn(tokens.neverIssued)]: secret(newToken()),
    [nameIn(tokens.expired)]: await mint(backend, 'test1', { ttl: -1 }),
    [nameIn(tokens.revoked)]: revoked,
    [nameIn(tokens.withoutVerifyScope)]: await mint(backend, 'test1', { scope: ['profile'] }),
    [nameIn(tokens.ofAClient)]: await mintForClient(backend),
    'authlete.apiKey': apiKey,
    'authlete.apiSecret': apiSecret,
  };
  for (const { login } of everyone) bound[nameIn(tokenOf(login))] = await mint(backend, login);
  return bound;
}
