/** The server's own database and settings, for one command. */
import { userInfo } from 'node:os';
import { type Config, environment, readConfig } from '../../app/config.ts';
import { platforms } from '../../app/platforms/index.ts';
import { createServices, type Services } from '../../app/services.ts';
import { createDirectory, type Directory } from '../../app/store/directory.ts';
import type { Output } from './output.ts';

export type Backend = {
  readonly config: Config;
  readonly services: Services;
  readonly directory: Directory;
  /** For the audit trail. */
  readonly actor: string;
};

/** What every command is made of. */
export type Admin = {
  /** Only when it is needed: what is wrong with a command line can be said without a database. */
  readonly open: () => Promise<Backend>;
  readonly say: Output;
};

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number that has no name.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

/** For what needs no database. */
export const settings = (): Config => readConfig(environment(), platforms);

export async function openBackend(): Promise<Backend> {
  const config = settings();
  const services = await createServices(config);
  const actor = `admin:${systemUser()}`;
  const directory = createDirectory(services.database, services.passwords, actor);
  return { config, services, directory, actor };
}
