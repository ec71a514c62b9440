import type { Command } from 'commander';
import { accountProblems } from '../../app/platforms/aurora/aurora.accounts.ts';
import { uidsKnownElsewhere } from '../../app/store/identities.ts';
import type { Admin } from './backend.ts';
import { table } from './output.ts';

/** The exit code of a check that found something. */
const found = 5;

export function checkCommands(program: Command, { open, say }: Admin) {
  const check = program.command('check').description('accounts that a platform will not cope with');

  check
    .command('aurora')
    .description(
      'accounts that AURORA would mangle or refuse, and why; exit code 5 if there are any',
    )
    .action(async () => {
      const { directory, services } = await open();
      const users = await directory.users();
      const elsewhere = await uidsKnownElsewhere(services.database);
      const problems = accountProblems(
        users.map(({ uid, login, email }) => ({
          ...{ uid, login, email: email ?? undefined },
          fromElsewhere: elsewhere.has(uid),
        })),
      );
      if (problems.length === 0) {
        return say.result(problems, `AURORA can take all ${users.length} accounts.`);
      }
      process.exitCode = found;
      say.note(`AURORA would mangle or refuse ${problems.length} of ${users.length} accounts:`);
      const rows = problems.map((one) => [one.uid, one.login, one.email, one.problem]);
      say.result(problems, table([['UID', 'LOGIN', 'EMAIL', 'PROBLEM'], ...rows]));
    });
}
