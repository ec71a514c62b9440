/**
 * npm run admin -- COMMAND
 *
 * Users, groups, clients, grants, tokens and keys, from a terminal or a script: see --help. Works on the database of the server's own
 * configuration, also while the server runs.
 */
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../app/config-error.ts';
import { DirectoryError } from '../app/store/directory.ts';
import { isOutage } from '../app/store/outage.ts';
import { type Backend, openBackend } from './admin/backend.ts';
import { checkCommands } from './admin/check.ts';
import { clientCommands } from './admin/clients.ts';
import { grantCommands } from './admin/grants.ts';
import { groupCommands } from './admin/groups.ts';
import { keyCommands } from './admin/keys.ts';
import { otherCommands } from './admin/others.ts';
import { createOutput } from './admin/output.ts';
import { tokenCommands } from './admin/tokens.ts';
import { userCommands } from './admin/users.ts';

const exitCodes = { fault: 1, invalid: 2, not_found: 3, conflict: 4 } as const;

const help = `
Examples:
  npm run admin -- user list --status suspended
  npm run admin -- user create --login ola --name 'Ola Nordmann' --group 'Dev 01' --generate-password
  npm run admin -- user suspend test1 --reason 'left the company'
  npm run admin -- user set-password test1 --password-stdin < password.txt
  npm run admin -- user add-role simon371 datasets:write
  npm run admin -- user show -- -login-that-begins-with-a-dash
  curl -s "http://127.0.0.1:3000/user/verify?token=$(npm run -s admin -- token mint --user simon371)"
  curl -s -u "$(npm run -s admin -- caller authlete)" --json '…' http://127.0.0.1:3000/
  npm run admin -- client create --id partner --name Partner --confidential --redirect-uri https://partner.example/callback
  npm run admin -- grant revoke --user simon371
  npm run admin -- key rotate
  npm run admin -- token inspect < token.txt
  npm run admin -- check aurora
  npm run admin -- audit list --target user:test1

Passwords and tokens are read from standard input, never from the command line.

Exit codes: 0 done, 1 fault (the database is away …), 2 wrong usage or input, 3 not found, 4 conflict, 5 a check found something.`;

const program = new Command('npm run admin --');
const isJson = () => program.opts<{ json?: true }>().json === true;
const say = createOutput(isJson);

program
  .description(
    'Users, groups, clients, grants, tokens and keys of this backend, also while the server runs.',
  )
  .option('--json', 'answer in JSON; errors too, on standard error')
  .configureHelp({ showGlobalOptions: true })
  .configureOutput({
    writeErr: (text) => void (isJson() || process.stderr.write(text)),
    // Reported below, as every other problem is.
    outputError: () => {},
  })
  .exitOverride()
  .addHelpText('after', help);

let opened: Promise<Backend> | undefined;
function open() {
  opened ??= openBackend();
  return opened;
}

for (const add of [
  userCommands,
  groupCommands,
  clientCommands,
  grantCommands,
  tokenCommands,
  keyCommands,
  checkCommands,
  otherCommands,
]) {
  add(program, { open, say });
}

const oneLine = (text: string) => text.trim().replace(/\s*\n\s*/g, ' ');

function problemOf(error: unknown): { code: keyof typeof exitCodes; message: string } {
  if (error instanceof DirectoryError) return error;
  if (error instanceof CommanderError) {
    const message = error.code === 'commander.help' ? 'A command is missing.' : error.message;
    return { code: 'invalid', message: oneLine(message.replace(/^error: /, '')) };
  }
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof ConfigError) return { code: 'invalid', message: oneLine(text) };
  // Prisma begins with the call that failed; the reason stands last.
  const reason = text.trim().split('\n').at(-1) || String((error as { code?: unknown }).code);
  return {
    code: 'fault',
    message: isOutage(error) ? `The database does not answer: ${reason}` : reason,
  };
}

/** Whoever reads our output may stop early: `… | head -1`. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

try {
  await program.parseAsync();
} catch (error) {
  const helpWasAskedFor = error instanceof CommanderError && error.exitCode === 0;
  if (!helpWasAskedFor) {
    const { code, message } = problemOf(error);
    say.error(code, message);
    process.exitCode = exitCodes[code];
  }
}
const backend = await opened?.catch(() => undefined);
await backend?.services.close().catch(() => {});
// A database that went away may leave a timer or a socket behind.
if (process.exitCode === exitCodes.fault) process.exit();
