import { type Command, Option } from 'commander';
import { type GrantType, grantTypes } from '../../app/oauth/grants.ts';
import { scopes } from '../../app/oauth/scopes.ts';
import {
  type ClientRecord,
  createClient,
  deleteClient,
  listClients,
  rotateSecret,
} from '../../app/store/clients.ts';
import type { Admin } from './backend.ts';
import { knownScope } from './input.ts';
import { table } from './output.ts';

type Creation = {
  id: string;
  name: string;
  redirectUri?: string[];
  grantType?: GrantType[];
  scope: readonly string[];
  confidential?: true;
  pkce: boolean;
  firstParty?: true;
};

/** What a client with a redirect URI is for, unless it is said. */
const codeFlow: readonly GrantType[] = ['authorization_code', 'refresh_token'];

const kindOf = ({ confidential, firstParty }: ClientRecord) =>
  `${confidential ? 'confidential' : 'public'}${firstParty ? ', first party' : ''}`;

export function clientCommands(program: Command, { open, say }: Admin) {
  const client = program.command('client').description('apps and servers that may ask for tokens');

  client
    .command('create')
    .description('a new client; prints the secret of a confidential one alone')
    .requiredOption('--id <id>', 'its client_id, which never changes')
    .requiredOption('--name <name>', 'what its users are shown')
    .option('--redirect-uri <uri...>', 'compared exactly')
    .addOption(
      new Option(
        '--grant-type <type...>',
        `default: ${codeFlow.join(' and ')} with a redirect URI, else none`,
      ).choices(grantTypes),
    )
    .option('--scope <names>', 'what it may ask for, separated by spaces', knownScope, [
      scopes.verify,
    ])
    .option('--confidential', 'it can keep a secret: a server, not an app')
    .option('--no-pkce', 'only for a confidential client that cannot do it')
    .option('--first-party', 'your own: its users are not asked for consent')
    .action(async ({ redirectUri = [], grantType, pkce, ...creation }: Creation) => {
      const { services, actor } = await open();
      const { client: record, secret } = await createClient(
        services.database,
        {
          ...creation,
          redirectUris: redirectUri,
          grantTypes: grantType ?? (redirectUri.length > 0 ? codeFlow : []),
          pkceRequired: pkce,
        },
        actor,
      );
      const done = `Created the client ${record.id}.`;
      if (secret === undefined) return say.result(record, done);
      say.note(`${done} The secret is shown this once:`);
      say.result({ ...record, secret }, secret);
    });

  client
    .command('list')
    .description('every client, never a secret')
    .action(async () => {
      const { services } = await open();
      const clients = await listClients(services.database);
      const rows = clients.map((one) => [
        ...[one.id, kindOf(one), one.pkceRequired ? 'required' : 'no', one.scope.join(' ')],
        ...[one.grantTypes.join(' '), one.redirectUris.join(' '), one.name],
      ]);
      const names = ['ID', 'KIND', 'PKCE', 'SCOPE', 'GRANT TYPES', 'REDIRECT URIS', 'NAME'];
      say.result(clients, table([names, ...rows]));
    });

  client
    .command('rotate-secret')
    .description('a new secret, printed alone; the old one is refused from now on')
    .argument('<id>')
    .action(async (id: string) => {
      const { services, actor } = await open();
      const secret = await rotateSecret(services.database, id, actor);
      say.note(`${id} has a new secret. It is shown this once:`);
      say.result({ id, secret }, secret);
    });

  client
    .command('delete')
    .description('the client, with every grant and token that it has')
    .argument('<id>')
    .action(async (id: string) => {
      const { services, actor } = await open();
      await deleteClient(services.database, id, actor);
      say.result({ id, deleted: true }, `Deleted the client ${id}.`);
    });
}
