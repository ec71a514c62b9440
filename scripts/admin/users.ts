import { type Command, Option } from 'commander';
import { DirectoryError, type Status, type UserRecord } from '../../app/store/directory.ts';
import { generatePassword } from '../../app/store/generated-password.ts';
import type { Profile } from '../../app/verification/verdict.ts';
import type { Admin } from './backend.ts';
import { profileEntry, readSecret, wholeNumber } from './input.ts';
import { fields, moment, pairs, table } from './output.ts';

/** Why a platform would refuse this user whatever he brings, or undefined. */
export function shutOut({ login, status, group, groupStatus }: UserRecord): string | undefined {
  if (status !== 'active') return `${login} is ${status}`;
  if (group !== null && groupStatus !== 'active') return `the group ${group} is ${groupStatus}`;
  return undefined;
}

const groupOf = ({ group, groupStatus }: UserRecord) =>
  group !== null && groupStatus !== 'active' ? `${group} (${groupStatus})` : group;

export const rolesOf = ({ roles }: Pick<UserRecord, 'roles'>) =>
  roles.length === 0 ? 'no roles' : `the roles ${roles.join(', ')}`;

type Creation = {
  login: string;
  name: string;
  email?: string;
  group?: string;
  uid?: number;
  profile?: Profile;
  passwordStdin?: true;
  generatePassword?: true;
};

export function userCommands(program: Command, { open, say }: Admin) {
  const user = program.command('user').description('people whom the platforms ask about');

  const passwordStdin = () =>
    new Option('--password-stdin', 'read the password from standard input');

  /** The new password, where a generated one is the only answer on standard output. */
  function withPassword(record: UserRecord, done: string, generated: string | undefined) {
    if (generated === undefined) return say.result(record, done);
    say.note(`${done} The password is shown this once:`);
    say.result({ ...record, password: generated }, generated);
  }

  user
    .command('create')
    .description('a new user; without a password he cannot sign in with one')
    .requiredOption('--login <login>', 'never changes, and does not differ by case')
    .requiredOption('--name <name>', 'full name')
    .option('--email <address>')
    .option('--group <name>')
    .option('--uid <number>', 'default: the next one', wholeNumber(1, 2_147_483_647))
    .option(
      '--profile <key=value...>',
      'key=text, or key:=json for a number, true, false',
      profileEntry,
    )
    .addOption(passwordStdin().conflicts('generatePassword'))
    .option('--generate-password', 'make a password, and print it alone')
    .action(async ({ passwordStdin, generatePassword: generate, ...creation }: Creation) => {
      const generated = generate && generatePassword();
      const password = passwordStdin ? await readSecret('password') : generated;
      const { directory } = await open();
      const record = await directory.createUser({
        ...creation,
        ...(password === undefined ? {} : { password }),
      });
      withPassword(record, `Created ${record.login}, uid ${record.uid}.`, generated);
    });

  user
    .command('list')
    .description('everybody, in the order of the uids')
    .option('--group <name>')
    .addOption(new Option('--status <status>').choices(['active', 'suspended']))
    .action(async (filter: { group?: string; status?: Status }) => {
      const { directory } = await open();
      const users = await directory.users(filter);
      const rows = users.map((one) => [one.uid, one.login, one.status, groupOf(one), one.name]);
      say.result(users, table([['UID', 'LOGIN', 'STATUS', 'GROUP', 'NAME'], ...rows]));
    });

  user
    .command('show')
    .description('one user')
    .argument('<login>')
    .action(async (login: string) => {
      const { directory, services } = await open();
      const record = await directory.user(login);
      const liveTokens = await services.tokens.countLive(record.uid);
      say.result(
        { ...record, liveTokens },
        fields({
          login: record.login,
          username: record.username,
          uid: record.uid,
          name: record.name,
          email: record.email,
          status: record.status,
          group: groupOf(record),
          roles: record.roles.join(', '),
          profile: pairs(record.profile as Profile),
          'live tokens': liveTokens,
          created: moment(record.createdAt),
        }),
      );
    });

  user
    .command('suspend')
    .description('every platform refuses him, from its next request on')
    .argument('<login>')
    .option('--reason <text>', 'for the audit trail')
    .action(async (login: string, { reason }: { reason?: string }) => {
      const { directory } = await open();
      const record = await directory.setUserStatus(login, 'suspended', reason);
      say.result(record, `${record.login} is suspended.`);
    });

  user
    .command('activate')
    .description('ends a suspension')
    .argument('<login>')
    .option('--reason <text>', 'for the audit trail')
    .action(async (login: string, { reason }: { reason?: string }) => {
      const { directory } = await open();
      const record = await directory.setUserStatus(login, 'active', reason);
      const because = shutOut(record);
      if (because) say.warning(`${record.login} is still refused: ${because}.`);
      say.result(record, `${record.login} is active.`);
    });

  user
    .command('set-password')
    .description('another password; ends the sessions and tokens of the user')
    .argument('<login>')
    .addOption(passwordStdin().conflicts('generate'))
    .option('--generate', 'make one, and print it alone')
    .action(async (login: string, options: { passwordStdin?: true; generate?: true }) => {
      if (!options.passwordStdin && !options.generate) {
        throw new DirectoryError('invalid', 'Give --password-stdin or --generate.');
      }
      const generated = options.generate && generatePassword();
      const password = generated ?? (await readSecret('password'));
      const { directory } = await open();
      const record = await directory.setPassword(login, password);
      withPassword(record, `${record.login} has a new password.`, generated);
    });

  user
    .command('move')
    .description('into a group, or out of any')
    .argument('<login>')
    .option('--group <name>')
    .option('--no-group')
    .action(async (login: string, { group }: { group?: string | false }) => {
      if (group === undefined) {
        throw new DirectoryError('invalid', 'Give --group NAME or --no-group.');
      }
      const { directory } = await open();
      const record = await directory.moveUser(login, group === false ? null : group);
      const where = record.group === null ? 'in no group' : `in the group ${record.group}`;
      say.result(record, `${record.login} is ${where}.`);
    });

  for (const [name, change, description] of [
    ['add-role', 'addUserRole', 'what he may do, for platforms that ask'],
    ['remove-role', 'removeUserRole', 'takes it away; one that his group gives him stays'],
  ] as const) {
    user
      .command(name)
      .description(description)
      .argument('<login>')
      .argument('<role>')
      .action(async (login: string, role: string) => {
        const { directory } = await open();
        const record = await directory[change](login, role);
        say.result(record, `${record.login} has ${rolesOf(record)}.`);
      });
  }
}
