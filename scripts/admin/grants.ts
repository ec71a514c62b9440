import type { Command } from 'commander';
import { DirectoryError } from '../../app/store/directory.ts';
import { listGrants, revokeAllOf, revokeOne } from '../../app/store/grant-list.ts';
import type { Admin } from './backend.ts';
import { moment, table } from './output.ts';

export function grantCommands(program: Command, { open, say }: Admin) {
  const grant = program.command('grant').description('what users have allowed clients');

  grant
    .command('list')
    .description('the grants of this user, newest first')
    .requiredOption('--user <login>')
    .action(async ({ user: login }: { user: string }) => {
      const { services, directory } = await open();
      const { uid } = await directory.user(login);
      const grants = await listGrants(services.database, uid);
      const rows = grants.map((one) => [
        ...[one.id, one.clientId, one.scope.join(' '), moment(one.createdAt)],
        ...[
          one.expiresAt ? moment(one.expiresAt) : '-',
          one.revokedAt ? moment(one.revokedAt) : 'no',
        ],
      ]);
      const names = ['ID', 'CLIENT', 'SCOPE', 'CREATED', 'EXPIRES', 'REVOKED'];
      say.result(grants, table([names, ...rows]));
    });

  grant
    .command('revoke')
    .description('ends a grant, or all of a user, with their codes and tokens')
    .argument('[id]')
    .option('--user <login>', 'all of this user')
    .action(async (id: string | undefined, { user: login }: { user?: string }) => {
      if ((id === undefined) === (login === undefined)) {
        throw new DirectoryError('invalid', 'Give the ID of a grant, or --user LOGIN.');
      }
      const { services, directory, actor } = await open();
      const { database, now } = services;
      if (id !== undefined) {
        await revokeOne(database, id, actor, now());
        return say.result({ id, revoked: true }, `The grant ${id} is revoked.`);
      }
      const user = await directory.user(login ?? '');
      const revoked = await revokeAllOf(database, user, actor, now());
      say.result({ user: user.login, revoked }, `Revoked ${revoked} grants of ${user.login}.`);
    });
}
