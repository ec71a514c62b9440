import { deviceGrant } from '../app/oauth/grants.ts';
import { everyScope } from '../app/oauth/scopes.ts';
import { type CastGroup, type CastPerson, groups, people } from '../app/scenarios/cast.ts';
import { ensureClient, type NewClient } from '../app/store/clients.ts';
import type { Database } from '../app/store/database.ts';
import { createDirectory } from '../app/store/directory.ts';
import type { Passwords } from '../app/store/passwords.ts';

/** The customer's own App: a public client. Tokens that are minted by hand are its, too. */
export const demoClient = {
  id: 'demo-app',
  name: 'Demo App',
  scope: everyScope,
  grantTypes: ['authorization_code', 'refresh_token', deviceGrant],
  firstParty: true,
} satisfies NewClient;

/** Where the App under /app wants its users back: to be registered with `ensureClient` once the port is known. */
export const demoRedirectUri = (issuer: string): string => `${issuer}/app/callback`;

/** Adds those of these people and groups who are not there yet; touches nobody who is. */
export async function addCast(
  database: Database,
  passwords: Passwords,
  cast: { groups: readonly CastGroup[]; people: readonly CastPerson[] },
): Promise<void> {
  const directory = createDirectory(database, passwords, 'system');
  const unlessThere = async (creation: Promise<unknown>) => {
    await creation.catch((error) => {
      if ((error as { code?: unknown }).code !== 'conflict') throw error;
    });
  };
  await ensureClient(database, demoClient);
  for (const group of cast.groups) await unlessThere(directory.createGroup(group));
  // Together: the passwords are hashed on all cores.
  await Promise.all(cast.people.map((person) => unlessThere(directory.createUser(person))));
}

/** The vendors' documented people, into a database that has no user. False when it has one. */
export async function seed(database: Database, passwords: Passwords): Promise<boolean> {
  if ((await database.prisma.user.count()) > 0) return false;
  await addCast(database, passwords, { groups, people });
  return true;
}

/** Those of the seed who are in this database with the password that everybody can read in cast.ts. */
export async function publicPasswords(
  { prisma }: Database,
  passwords: Passwords,
): Promise<readonly string[]> {
  const rows = await prisma.user.findMany({
    where: { login: { in: people.map(({ login }) => login) } },
    select: { login: true, passwordHash: true },
  });
  const found: string[] = [];
  for (const { login, passwordHash } of rows) {
    const known = people.find((person) => person.login === login)?.password ?? '';
    if (await passwords.matches(known, passwordHash)) found.push(login);
  }
  return found;
}
