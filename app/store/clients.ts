/** OAuth clients, for the admin CLI, the seed and the server's own apps. Each change is one transaction with its audit event. */
import { grantTypes as everyGrantType, type GrantType } from '../oauth/grants.ts';
import { digest, newToken } from '../oauth/secrets.ts';
import { record } from './audit.ts';
import type { Database } from './database.ts';
import { DirectoryError } from './directory.ts';
import { isUniqueViolation } from './unique-violation.ts';

export type Client = {
  readonly id: string;
  readonly name: string;
  /** What it may ask for. */
  readonly scope: readonly string[];
};

/** What a client is registered with. */
export type NewClient = Client & {
  /** With a secret, of which it is told once. */
  readonly confidential?: boolean;
  /** Compared exactly. */
  readonly redirectUris?: readonly string[];
  readonly grantTypes?: readonly GrantType[];
  /** True unless it is confidential and cannot do it. */
  readonly pkceRequired?: boolean;
  /** The customer's own: its users are not asked for consent. */
  readonly firstParty?: boolean;
};

export type ClientRecord = Required<NewClient> & { readonly createdAt: Date };

/** What a `client_id` is made of: nothing that form-encoding would change, a log line or a page could not show. */
export const isClientId = (id: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(id);

const loopback = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * What is wrong with a redirect URI, or undefined. https; http on the loopback interface (RFC 8252 §7.3); a private-use scheme
 * with a dot in it (§7.1). Nothing that a browser would read otherwise than we compare it: no fragment, wildcard or user.
 */
export function redirectUriProblem(uri: string): string | undefined {
  const is = JSON.stringify(uri.slice(0, 200));
  if (!/^[\x21-\x7e]{1,2000}$/.test(uri) || !URL.canParse(uri)) {
    return `${is} is not an absolute URI in ASCII.`;
  }
  const { protocol, hostname, username, password } = new URL(uri);
  if (uri.includes('#')) return `${is} has a fragment (#…).`;
  if (uri.includes('*')) return `${is} has a wildcard: redirect URIs are compared exactly.`;
  if (username !== '' || password !== '') return `${is} has a user name or password in it.`;
  if (/[\\"<>^`{|}]/.test(uri)) return `${is} has characters that a URI does not have.`;
  if (protocol === 'https:' || protocol === 'http:') {
    if (!/^https?:\/\/[^/?]/i.test(uri)) return `${is} has no host.`;
    if (protocol === 'http:' && !loopback.has(hostname)) {
      return `${is} is not https; plain http is for 127.0.0.1, [::1] and localhost.`;
    }
    return undefined;
  }
  return protocol.includes('.')
    ? undefined
    : `${is} must be https, or an app's own scheme with a dot in it: com.example.app:/callback`;
}

/** RFC 6749 §3.3. */
const isScopeName = (name: string) => /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(name);

function* problems(client: Required<NewClient>): Generator<string | undefined | false> {
  const { id, name, scope, confidential, redirectUris, grantTypes, pkceRequired } = client;
  const codeFlow = grantTypes.includes('authorization_code');
  yield !isClientId(id) && 'A client id has 1 to 100 letters, digits, dots, dashes or underscores.';
  // In an introspection's `sub`, one would be a uid (RFC 9068 §5).
  yield /^\d+$/.test(id) && 'A client id is not a number: users have those.';
  yield (name.trim() === '' || name.length > 255 || /\p{Cc}/u.test(name) || !name.isWellFormed()) &&
    'A client name has 1 to 255 characters, and no control characters.';
  yield scope.length === 0 && 'A client needs a scope that it may ask for.';
  yield !scope.every(isScopeName) && 'A scope has no spaces, quotes or backslashes.';
  yield* redirectUris.map(redirectUriProblem);
  yield !grantTypes.every((one) => everyGrantType.includes(one)) &&
    `The grant types are ${everyGrantType.join(', ')}.`;
  yield codeFlow && redirectUris.length === 0 && 'authorization_code needs a redirect URI.';
  yield !codeFlow && redirectUris.length > 0 && 'Redirect URIs are for authorization_code only.';
  yield grantTypes.includes('client_credentials') &&
    !confidential &&
    'client_credentials is for clients with a secret.';
  yield !pkceRequired && !confidential && 'A client without a secret must use PKCE.';
}

type Row = NonNullable<Awaited<ReturnType<Database['prisma']['client']['findUnique']>>>;

const recordOf = (row: Row): ClientRecord => ({
  id: row.id,
  name: row.name,
  scope: row.scope.split(' ').filter((one) => one !== ''),
  confidential: row.secretHash !== null,
  redirectUris: row.redirectUris as string[],
  grantTypes: row.grantTypes as GrantType[],
  pkceRequired: row.pkceRequired,
  firstParty: row.firstParty,
  createdAt: row.createdAt,
});

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

const withDefaults = (client: NewClient): Required<NewClient> => ({
  id: client.id,
  name: client.name,
  scope: unique(client.scope),
  confidential: client.confidential ?? false,
  redirectUris: unique(client.redirectUris ?? []),
  grantTypes: unique(client.grantTypes ?? []),
  pkceRequired: client.pkceRequired ?? true,
  firstParty: client.firstParty ?? false,
});

const noClient = (id: string) =>
  new DirectoryError('not_found', `There is no client ${JSON.stringify(id)}.`);

async function insert(
  { prisma }: Database,
  client: Required<NewClient>,
  secret: string | undefined,
  actor: string,
): Promise<ClientRecord> {
  const { scope, confidential, redirectUris, grantTypes, ...rest } = client;
  const row = await prisma.$transaction(async (db) => {
    const created = await db.client.create({
      data: {
        ...rest,
        scope: scope.join(' '),
        redirectUris: [...redirectUris],
        grantTypes: [...grantTypes],
        secretHash: secret === undefined ? null : digest(secret),
      },
    });
    const target = `client:${client.id}`;
    await record(db, { actor, action: 'client.create', target, detail: { confidential } });
    return created;
  });
  return recordOf(row);
}

/**
 * Registers a client. The secret of a confidential one, 256 random bits, is returned once and stored as its SHA-256.
 *
 * @throws {DirectoryError} invalid · conflict
 */
export async function createClient(
  database: Database,
  client: NewClient,
  actor: string,
): Promise<{ client: ClientRecord; secret: string | undefined }> {
  const complete = withDefaults(client);
  for (const problem of problems(complete)) {
    if (problem) throw new DirectoryError('invalid', problem);
  }
  const secret = complete.confidential ? newToken() : undefined;
  try {
    return { client: await insert(database, complete, secret, actor), secret };
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new DirectoryError('conflict', `There is a client ${JSON.stringify(client.id)} already.`);
  }
}

/** A new secret, returned once; the old one is refused from now on. @throws {DirectoryError} not_found · invalid */
export async function rotateSecret(
  { prisma }: Database,
  id: string,
  actor: string,
): Promise<string> {
  if (!isClientId(id)) throw noClient(id);
  const secret = newToken();
  await prisma.$transaction(async (db) => {
    const { count } = await db.client.updateMany({
      where: { id, secretHash: { not: null } },
      data: { secretHash: digest(secret) },
    });
    if (count === 0) {
      if ((await db.client.count({ where: { id } })) === 0) throw noClient(id);
      throw new DirectoryError('invalid', `${id} is a public client: it has no secret.`);
    }
    await record(db, { actor, action: 'client.rotate-secret', target: `client:${id}` });
  });
  return secret;
}

/** In the order of their ids. */
export async function listClients({ prisma }: Database): Promise<ClientRecord[]> {
  const rows = await prisma.client.findMany({ orderBy: { id: 'asc' } });
  return rows.map(recordOf);
}

/** With everything that was ever granted to it. @throws {DirectoryError} not_found */
export async function deleteClient({ prisma }: Database, id: string, actor: string): Promise<void> {
  if (!isClientId(id)) throw noClient(id);
  await prisma.$transaction(async (db) => {
    const { count } = await db.client.deleteMany({ where: { id } });
    if (count === 0) throw noClient(id);
    await record(db, { actor, action: 'client.delete', target: `client:${id}` });
  });
}

/**
 * For clients of our own: adds a public client unless there is one of that id. An existing one is left as it is, but gains
 * the redirect URIs and grant types that it lacks: the port of this server may be another one today.
 */
export async function ensureClient(
  database: Database,
  client: Omit<NewClient, 'confidential' | 'pkceRequired'>,
  actor = 'system',
): Promise<void> {
  const { prisma } = database;
  const complete = withDefaults(client);
  const { id } = complete;
  if ((await prisma.client.count({ where: { id } })) === 0) {
    // Another process that starts at the same moment may have added it by now.
    const added = await insert(database, complete, undefined, actor).catch((error) => {
      if (!isUniqueViolation(error)) throw error;
      return undefined;
    });
    if (added) return;
  }
  if (complete.redirectUris.length + complete.grantTypes.length === 0) return;
  await prisma.$transaction(async (db) => {
    // Changes nothing, but makes other processes wait before they read.
    await db.client.updateMany({ where: { id }, data: { id } });
    const there = recordOf(await db.client.findUniqueOrThrow({ where: { id } }));
    await db.client.update({
      where: { id },
      data: {
        redirectUris: unique([...there.redirectUris, ...complete.redirectUris]),
        grantTypes: unique([...there.grantTypes, ...complete.grantTypes]),
      },
    });
  });
}

export async function findClient({ prisma }: Database, id: string): Promise<Client | undefined> {
  const row = isClientId(id) ? await prisma.client.findUnique({ where: { id } }) : undefined;
  return row ? recordOf(row) : undefined;
}
