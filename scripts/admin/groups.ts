import type { Command } from 'commander';
import type { GroupRecord, NewGroup } from '../../app/store/directory.ts';
import type { Admin } from './backend.ts';
import { table } from './output.ts';
import { rolesOf } from './users.ts';

const servicesOf = ({ services }: GroupRecord) => (services as string[]).join(', ') || 'any';

type Creation = { name: string; subject: string; displayName: string; service?: string[] };

export function groupCommands(program: Command, { open, say }: Admin) {
  const group = program
    .command('group')
    .description('users who share one subject at a platform, and one switch');

  group
    .command('create')
    .description('a new group, without users')
    .requiredOption('--name <name>')
    .requiredOption('--subject <id>', 'what platforms know the group by: ASCII, no spaces')
    .requiredOption('--display-name <name>')
    .option('--service <key...>', 'Authlete service API keys it may use; default: any')
    .action(async ({ service = [], ...creation }: Creation) => {
      const { directory } = await open();
      const added: NewGroup = { ...creation, services: service };
      const record = await directory.createGroup(added);
      say.result(record, `Created the group ${record.name}, subject ${record.subject}.`);
    });

  group
    .command('list')
    .description('every group')
    .action(async () => {
      const { directory } = await open();
      const groups = await directory.groups();
      const rows = groups.map((one) => [
        ...[one.name, one.subject, one.status, one.users, servicesOf(one), one.roles.join(', ')],
        one.displayName,
      ]);
      const names = ['NAME', 'SUBJECT', 'STATUS', 'USERS', 'SERVICES', 'ROLES', 'DISPLAY NAME'];
      say.result(groups, table([names, ...rows]));
    });

  for (const [name, status, description] of [
    ['suspend', 'suspended', 'every platform refuses all its users, from the next request on'],
    ['activate', 'active', 'ends a suspension'],
  ] as const) {
    group
      .command(name)
      .description(description)
      .argument('<name>')
      .option('--reason <text>', 'for the audit trail')
      .action(async (groupName: string, { reason }: { reason?: string }) => {
        const { directory } = await open();
        const record = await directory.setGroupStatus(groupName, status, reason);
        say.result(record, `The group ${record.name} is ${status}.`);
      });
  }

  for (const [name, change, description] of [
    ['add-role', 'addGroupRole', 'what its users may do, for platforms that ask'],
    ['remove-role', 'removeGroupRole', 'takes it away; one that a user has himself stays'],
  ] as const) {
    group
      .command(name)
      .description(description)
      .argument('<name>')
      .argument('<role>')
      .action(async (groupName: string, role: string) => {
        const { directory } = await open();
        const record = await directory[change](groupName, role);
        say.result(record, `The group ${record.name} has ${rolesOf(record)}.`);
      });
  }
}
