/** The operator's own code: permission providers (ALLOWED_SERVICES) and extensions (INSTALLED_EXTENSIONS). */
import { existsSync, statSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { ConfigError } from '../../config-error.ts';
import { projectRoot } from '../../project-root.ts';
import { inTime, usualPatience } from './in-time.ts';
import { get_permissions } from './permissions.ts';
import type { UserInfo } from './profile.ts';

/** By name: whether the user may. */
export type Permissions = Readonly<Record<string, unknown>>;

/** What we know of the user at this moment. */
export type About = {
  readonly login: string;
  /** The name of his group. */
  readonly group: string | undefined;
  /** His roles and his group's. */
  readonly roles: readonly string[];
};

/**
 * A permission provider's one export. Called at every `authorize`.
 *
 * @param service the alias that it is listed under
 * @param userid the uid, as text
 * @returns the permissions, which go into the token; nothing: the service is not for this user. What it throws is a fault.
 */
export type GetPermissions = (
  service: string,
  userid: string,
  about: About,
) => Permissions | undefined | Promise<Permissions | undefined>;

export const hooks = ['on_new_user', 'on_user_login', 'on_user_logout'] as const;
export type Hook = (typeof hooks)[number];

/** What an extension exports: one of these, or more. */
export type Extension = Readonly<Partial<Record<Hook, (user_info: UserInfo) => unknown>>>;

export type NamedExtension = { readonly name: string; readonly extension: Extension };

type Module = Readonly<Record<string, unknown>>;

/** The provider that comes with us, by its name in ALLOWED_SERVICES. */
const shipped: ReadonlyMap<string, Module> = new Map([['roles', { get_permissions }]]);

const isFile = (path: string) => existsSync(path) && statSync(path).isFile();

/** The folder that `app/` is in: the project's, or `dist` in the build. */
const codeRoot = resolve(import.meta.dirname, '../../..');

/** The file of this name. In the build, a TypeScript file of the project is the one that was compiled from it. */
function fileOf(name: string): string | undefined {
  const source = resolve(projectRoot, name);
  const inProject = relative(projectRoot, source);
  const mayBeBuilt = codeRoot !== projectRoot && !inProject.startsWith('../');
  const built = mayBeBuilt ? [resolve(codeRoot, inProject.replace(/\.ts$/, '.js'))] : [];
  return [...built, source].find(isFile);
}

const isPath = (name: string) => /^\.{0,2}\//.test(name);

/** What to import for this name: a file, or else a package; undefined when there is neither. */
function specifierOf(name: string): string | undefined {
  const file = fileOf(name);
  if (file !== undefined) return pathToFileURL(file).href;
  if (isPath(name)) return undefined;
  try {
    return import.meta.resolve(name);
  } catch {
    return undefined;
  }
}

/** Anything may be thrown; and what Node says of an import is no `Error` where a loader runs in a thread of its own. */
function said(error: unknown): string {
  const { code, message, name } = Object(error) as Readonly<Record<string, unknown>>;
  if (typeof message !== 'string') return `it throws ${inspect(error)}`;
  const hint =
    'name a .js file; in the build, a .ts file must be below app/, scripts/ or examples/, and built';
  return code === 'ERR_UNKNOWN_FILE_EXTENSION' ? `${message}: ${hint}` : message || String(name);
}

/** The module with this name, or what is wrong with it. */
async function load(name: string): Promise<Module | string> {
  const specifier = specifierOf(name);
  if (specifier === undefined) {
    const hint = name.includes(',')
      ? 'what separates two is a semicolon'
      : 'name a file of the project, or a package';
    return `"${name}" cannot be found: ${hint}`;
  }
  try {
    return (await import(specifier)) as Module;
  } catch (error) {
    return `"${name}" cannot be loaded: ${said(error)}`;
  }
}

const entriesOf = (list: string) => list.split(';').flatMap((entry) => entry.trim() || []);

/** `[alias:]provider`. A file without an alias is called by its name, without the ending. */
function aliasAndName(entry: string) {
  const colon = entry.indexOf(':');
  if (colon !== -1) {
    return { alias: entry.slice(0, colon).trim(), name: entry.slice(colon + 1).trim() };
  }
  return { alias: basename(entry).replace(/\.[cm]?[jt]s$/, ''), name: entry };
}

const isAlias = (alias: string) => /^[\w.@-]{1,100}$/.test(alias);

/**
 * The providers in ALLOWED_SERVICES, by alias. One that takes longer than `patience`, in ms, is `Unavailable`.
 *
 * @throws {ConfigError} with all that is wrong with them
 */
export async function loadProviders(
  list: string,
  patience = usualPatience,
): Promise<ReadonlyMap<string, GetPermissions>> {
  const found = new Map<string, GetPermissions>();
  const problems: string[] = [];
  for (const { alias, name } of entriesOf(list).map(aliasAndName)) {
    const loaded = shipped.get(name) ?? (await load(name));
    if (!isAlias(alias)) problems.push(`"${alias}" is no alias: letters, digits and . _ @ -`);
    else if (found.has(alias)) problems.push(`two providers are called "${alias}"`);
    else if (typeof loaded === 'string') problems.push(loaded);
    else if (typeof loaded['get_permissions'] !== 'function') {
      problems.push(`"${name}" exports no function get_permissions(service, userid)`);
    } else {
      const provide = loaded['get_permissions'] as GetPermissions;
      found.set(alias, (...asked) =>
        inTime(provide(...asked), `the permission provider of ${alias}`, patience),
      );
    }
  }
  refuse('ALLOWED_SERVICES', problems);
  return found;
}

/** The extensions in INSTALLED_EXTENSIONS, in their order. @throws {ConfigError} with all that is wrong with them */
export async function loadExtensions(list: string): Promise<readonly NamedExtension[]> {
  const found: NamedExtension[] = [];
  const problems: string[] = [];
  for (const name of entriesOf(list)) {
    const loaded = await load(name);
    if (found.some((one) => one.name === name)) problems.push(`"${name}" is there twice`);
    else if (typeof loaded === 'string') problems.push(loaded);
    else if (!hooks.some((hook) => typeof loaded[hook] === 'function')) {
      problems.push(`"${name}" exports none of ${hooks.join(', ')}`);
    } else found.push({ name, extension: loaded as Extension });
  }
  refuse('INSTALLED_EXTENSIONS', problems);
  return found;
}

function refuse(variable: string, problems: readonly string[]) {
  if (problems.length > 0) throw new ConfigError(problems.map((text) => `${variable}: ${text}`));
}
