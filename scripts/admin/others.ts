import type { Command } from 'commander';
import { platformServices } from '../../app/platform-services.ts';
import { trail } from '../../app/store/audit.ts';
import { DirectoryError } from '../../app/store/directory.ts';
import type { Admin, Backend } from './backend.ts';
import { wholeNumber } from './input.ts';
import { moment, pairs, table } from './output.ts';

/** The platforms of this configuration that call with a key and secret. */
const callers = ({ config, services }: Backend) => {
  // Its endpoints are only looked at here, never asked.
  const house = platformServices(config, config.BASE_URL ?? '', services, { error() {} });
  return config.platforms.flatMap(({ platform, settings }) => {
    const endpoints = platform.endpoints(settings, house);
    const caller = endpoints.find((endpoint) => endpoint.caller)?.caller;
    return caller ? [{ platform: platform.id, key: caller.key, secret: caller.secret }] : [];
  });
};

/** A user's login in any case, as the trail has it. */
async function targetOf({ directory }: Backend, target: string): Promise<string> {
  const login = /^user:(.+)$/s.exec(target)?.[1];
  if (login === undefined) return target;
  try {
    return `user:${(await directory.user(login)).login}`;
  } catch (error) {
    // The trail of a user outlives him.
    if (error instanceof DirectoryError) return target;
    throw error;
  }
}

export function otherCommands(program: Command, { open, say }: Admin) {
  program
    .command('caller')
    .description('key:secret that this platform calls with, for curl -u')
    .argument('<platform>')
    .action(async (id: string) => {
      const known = callers(await open());
      const found = known.find(({ platform }) => platform === id);
      if (!found) {
        const list = known.map(({ platform }) => platform).join(', ') || 'none';
        throw new DirectoryError(
          'not_found',
          `No platform ${JSON.stringify(id)} calls with a key and secret; those that do: ${list}.`,
        );
      }
      say.result(found, `${found.key}:${found.secret}`);
    });

  program
    .command('audit')
    .description('who changed what')
    .command('list')
    .description('the trail, newest first')
    .option('--target <target>', 'user:LOGIN, group:NAME or client:ID')
    .option('--limit <number>', 'how many', wholeNumber(1, 10_000), 50)
    .action(async ({ target, limit }: { target?: string; limit: number }) => {
      const backend = await open();
      const events = await trail(backend.services.database, {
        limit,
        ...(target === undefined ? {} : { target: await targetOf(backend, target) }),
      });
      const rows = events.map((one) => [
        ...[moment(one.at), one.actor, one.action, one.target, pairs(one.detail)],
      ]);
      say.result(events, table([['AT', 'ACTOR', 'ACTION', 'TARGET', 'DETAIL'], ...rows]));
    });
}
