/** dgp-oauth2's tokens at a backend of ours: good ones, and those that an attacker would make. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { platformServices } from '../platform-services.ts';
import type { Services } from '../platforms/platform.ts';
import { createDirectory } from '../store/directory.ts';
import { clientTokenOf, clientTokens, people, understudies } from './cast.ts';
import type { OwnBackend } from './own-backend.ts';
import type { Bindings } from './scenario.ts';

export const nameIn = (placeholder: string): string => placeholder.slice(2, -2);

type Own = Pick<OwnBackend, 'config' | 'url' | 'services'>;

/** What the platforms of this backend ask the house. */
export const houseOf = ({ config, url, services }: Own): Services =>
  platformServices(config, config.BASE_URL ?? url, services, { error() {} });

const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

type Part = Readonly<Record<string, unknown>>;

/** The claims of a JWT, unchecked. */
export const claimsOf = (token: string): Part =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

type Signing = (signed: string) => Buffer;

const hmac =
  (algorithm: string, key: string): Signing =>
  (signed) =>
    createHmac(algorithm, key).update(signed).digest();

/** Made by hand, as no library makes what is to be refused. */
export function forge(header: Part, claims: Part, signing: Signing): string {
  const signed = `${encoded(header)}.${encoded(claims)}`;
  return `${signed}.${signing(signed).toString('base64url')}`;
}

/** Whoever the cast says has chosen a name, and has roles. */
async function playCast(backend: Own) {
  const { database, passwords } = backend.services;
  const { usernames } = houseOf(backend);
  const directory = createDirectory(database, passwords, 'test');
  for (const { uid, login, username, roles = [] } of understudies) {
    if (username !== undefined) await usernames.choose(uid, username);
    for (const role of roles) await directory.addUserRole(login, role);
  }
}

export async function clientTokenBindings(backend: Own): Promise<Bindings> {
  const house = houseOf(backend);
  const { prisma } = backend.services.database;
  const issue = (uid: number, ttl = 3600) => house.clientTokens.issue(uid, ttl);
  await playCast(backend);

  const good = await issue(1);
  const claims = claimsOf(good);
  const typ = 'JWT';
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const rs256: Signing = (signed) => sign('sha256', Buffer.from(signed), privateKey);

  const revoked = await issue(1);
  await house.clientTokens.revoke(revoked);
  const gone = await prisma.user.create({
    data: { uid: 41, login: 'gone', loginKey: 'gone', name: 'Gone', profile: {} },
  });
  const userGone = await issue(gone.uid);
  await prisma.user.delete({ where: { uid: gone.uid } });

  const bound: Record<string, string> = {
    [nameIn(clientTokens.expired)]: await issue(1, -1),
    [nameIn(clientTokens.revoked)]: revoked,
    [nameIn(clientTokens.toRevoke)]: await issue(1),
    [nameIn(clientTokens.userGone)]: userGone,
    [nameIn(clientTokens.anotherKey)]: forge(
      { alg: 'HS256', typ },
      claims,
      hmac('sha256', 'another key'),
    ),
    [nameIn(clientTokens.anotherAlgorithm)]: forge({ alg: 'RS256', typ }, claims, rs256),
    [nameIn(clientTokens.unknownAlgorithm)]: forge({ alg: 'XS999', typ }, claims, rs256),
    [nameIn(clientTokens.unsigned)]: forge({ alg: 'none', typ }, claims, () => Buffer.alloc(0)),
    [nameIn(clientTokens.publicKeyForSecret)]: forge(
      { alg: 'HS256', typ },
      claims,
      hmac('sha256', await house.publicKey()),
    ),
    [nameIn(clientTokens.permission)]: await house.sign({
      ...claims,
      permissions: { read: true },
      service: 'storage-service',
    }),
  };
  for (const { uid, login } of [...people, ...understudies]) {
    bound[nameIn(clientTokenOf(login))] = await issue(uid);
  }
  return bound;
}
