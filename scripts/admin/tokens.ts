import type { Command } from 'commander';
import { scopes } from '../../app/oauth/scopes.ts';
import { type Client, ensureClient, findClient } from '../../app/store/clients.ts';
import { DirectoryError } from '../../app/store/directory.ts';
import { decideToken } from '../../app/verification/decide.ts';
import { demoClient } from '../../prisma/seed.ts';
import type { Admin, Backend } from './backend.ts';
import { knownScope, readSecret, wholeNumber } from './input.ts';
import { fields, moment } from './output.ts';
import { shutOut } from './users.ts';

/** 30 days, in seconds. */
const longestLife = 2_592_000;

/** The client asked for; outside production the demo app stands in. */
async function clientFor(
  { config, services: { database }, actor }: Backend,
  id: string | undefined,
): Promise<Client> {
  if (id === undefined && config.production) {
    throw new DirectoryError('invalid', 'In production, say which --client the token is for.');
  }
  if (id === undefined) await ensureClient(database, demoClient, actor);
  const client = await findClient(database, id ?? demoClient.id);
  if (!client) throw new DirectoryError('not_found', `There is no client ${JSON.stringify(id)}.`);
  return client;
}

/** What was asked for, as far as this client may; nothing asked for: all that it may. */
function scopeFor(client: Client, asked: readonly string[] = client.scope): readonly string[] {
  const refused = asked.find((name) => !client.scope.includes(name));
  if (refused === undefined) return asked;
  throw new DirectoryError(
    'invalid',
    `${client.id} may not ask for ${refused}, only for ${client.scope.join(', ')}.`,
  );
}

type Minting = { user: string; client?: string; scope?: readonly string[]; ttl?: number };

export function tokenCommands(program: Command, { open, say }: Admin) {
  const token = program.command('token').description('access tokens');

  token
    .command('mint')
    .description('a token of this user; prints it alone')
    .requiredOption('--user <login>')
    .option(
      '--client <id>',
      `the client it is for; outside production, by default ${demoClient.id}`,
    )
    .option(
      '--scope <names>',
      'separated by spaces; default: all that the client may ask for',
      knownScope,
    )
    .option('--ttl <seconds>', 'default: ACCESS_TOKEN_TTL', wholeNumber(1, longestLife))
    .action(async (options: Minting) => {
      const backend = await open();
      const { config, services, directory, actor } = backend;
      const user = await directory.user(options.user);
      const client = await clientFor(backend, options.client);
      const scope = scopeFor(client, options.scope);
      const ttl = options.ttl ?? config.ACCESS_TOKEN_TTL;
      const request = { clientId: client.id, uid: user.uid, scope, ttl, actor };
      const issued = await services.tokens.issue(request);

      const because = shutOut(user);
      if (because) say.warning(`the token will be refused: ${because}.`);
      say.result(
        {
          access_token: issued.token,
          token_type: 'Bearer',
          expires_in: ttl,
          expires_at: issued.expiresAt,
          scope: scope.join(' '),
          client_id: client.id,
          user: user.login,
        },
        issued.token,
      );
    });

  token
    .command('inspect')
    .description('what is known of the token on standard input, and whether platforms accept it')
    .action(async () => {
      const text = (await readSecret('token')).trim();
      const { services } = await open();
      const found = await services.tokens.findToken(text);
      if (!found) throw new DirectoryError('not_found', 'This token is not known.');
      const verdict = decideToken(
        found,
        // At its own resource, if it has one: where it is not good, that alone is why.
        { scope: scopes.verify, resource: found.resource },
        new Date(),
      );
      const user = found.subject?.user;
      const because = verdict.accepted ? null : verdict.because;
      say.result(
        {
          user: user?.login ?? null,
          uid: user?.uid ?? null,
          client_id: found.clientId,
          scope: found.scope.join(' '),
          resource: found.resource ?? null,
          created_at: found.issuedAt,
          expires_at: found.expiresAt,
          revoked_at: found.revokedAt ?? null,
          accepted: verdict.accepted,
          because,
        },
        fields({
          user: user ? `${user.login} (uid ${user.uid})` : 'none: of the client itself',
          client: found.clientId,
          scope: found.scope.join(' '),
          resource: found.resource ?? null,
          created: moment(found.issuedAt),
          expires: moment(found.expiresAt),
          revoked: found.revokedAt ? moment(found.revokedAt) : 'no',
          accepted: because === null ? 'yes' : `no: ${because}`,
        }),
      );
    });

  token
    .command('revoke')
    .description('ends the token on standard input, and what else came of the same grant')
    .action(async () => {
      const text = (await readSecret('token')).trim();
      const { services, actor } = await open();
      const found = await services.tokens.revoke(text, actor);
      if (!found) throw new DirectoryError('not_found', 'This token is not known.');
      say.result({ revoked: true }, 'The token is revoked.');
    });
}
