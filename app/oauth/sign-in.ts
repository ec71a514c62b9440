/** Who is signed in, and how one gets there: Passport's `local`, on the same verify() as every other door. */
import type { Request, Response } from 'express';
import type passport from 'passport';
import { publicPasswords } from '../../prisma/seed.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { people } from '../scenarios/cast.ts';
import type { Database } from '../store/database.ts';
import type { Passwords } from '../store/passwords.ts';
import { decideUser } from '../verification/decide.ts';
import type { User, Verdict } from '../verification/verdict.ts';
import type { UserStore, Verify } from '../verification/verify.ts';
import type { FormRequest } from './client-authentication.ts';
import { authenticate, strategy } from './strategy.ts';

/**
 * Where to go after signing in: one of our own pages that ask for it, an endpoint with the state of a sign-in that waits for
 * it, or undefined. Anything that a browser could take for another host, scheme or path does not begin like these.
 */
export type ReturnTo = (value: string | undefined) => string | undefined;

/** An address of the first kind. */
const ours = /^\/(oauth\/authorize|device|console(\/[\w-]+)*)(\?[!$-[\]-~]*)?$/;

/** Of the second. */
const callback = /^(\/[^?]*)\?state=([\w-]{43})$/;

/** The state of the sign-in that waits there. */
export const stateIn = (to: string | undefined): string | undefined =>
  to === undefined ? undefined : callback.exec(to)?.[2];

export function createReturnTo(endpoints: readonly Pick<Endpoint, 'path' | 'methods'>[]): ReturnTo {
  const callbacks = new Set<string>(
    endpoints.filter(({ methods }) => methods.includes('GET')).map(({ path }) => path),
  );
  return (value) => {
    if (value === undefined) return undefined;
    if (ours.test(value)) return value;
    return callbacks.has(callback.exec(value)?.[1] ?? '') ? value : undefined;
  };
}

/** The page of this request, as a value for `return_to`: what cannot stand in a URL is encoded, all else as it came. */
export const here = ({ originalUrl }: Pick<Request, 'originalUrl'>): string =>
  originalUrl.toWellFormed().replace(/[^!$-[\]-~]/gu, (character) => encodeURIComponent(character));

/**
 * The credentials of the form; those that are missing count as empty, and cost as much time. The verdict is left for the
 * page.
 */
const local = (verify: Verify, tell: (verdict: Verdict) => void) =>
  strategy<User>('local', async (request) => {
    const { login = '', password = '' } = (request as FormRequest).form;
    const from = { address: request.ip ?? '', platform: false };
    const verdict = await verify({ kind: 'password', login, password, from });
    tell(verdict);
    return verdict.accepted ? { principal: verdict.user } : { challenge: 'Form' };
  });

/** Whether the form's login and password let somebody in, and whom. */
export async function checkSignIn(
  authenticator: passport.Authenticator,
  verify: Verify,
  request: Request,
  response: Response,
): Promise<Verdict> {
  let verdict: Verdict | undefined;
  const by = local(verify, (said) => {
    verdict = said;
  });
  await authenticate<User>(authenticator, by, request, response);
  if (!verdict) throw new Error('the strategy gave no verdict');
  return verdict;
}

/** The user whose session this is; undefined when there is none, it has ended, or he is not let in any more. */
export async function signedIn(
  { session: { uid, signInEpoch } }: Request,
  findUser: UserStore['findUser'],
): Promise<User | undefined> {
  const found = uid === undefined ? undefined : await findUser(uid);
  const verdict = found?.signInEpoch === signInEpoch ? found && decideUser(found) : undefined;
  return verdict?.accepted ? verdict.user : undefined;
}

/** A button that signs in with a password everybody knows. */
export type Preset = {
  readonly login: string;
  readonly password: string;
  readonly name: string;
  readonly suspended: boolean;
};

/** The people of the seed who are in this database with the password of the seed. bcrypt is asked once per hash. */
export function createPresets(
  database: Database,
  passwords: Passwords,
  findUser: UserStore['findUser'],
): () => Promise<readonly Preset[]> {
  const known = new Map<string, Promise<boolean>>();
  function matches(password: string, hash: string | null | undefined): Promise<boolean> {
    if (!hash) return Promise.resolve(false);
    const key = `${hash} ${password}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const asked = passwords.matches(password, hash);
    known.set(key, asked);
    asked.catch(() => known.delete(key));
    return asked;
  }

  return async () => {
    const logins = await publicPasswords(database, { ...passwords, matches });
    return Promise.all(
      people
        .filter(({ login }) => logins.includes(login))
        .map(async ({ uid, login, password, name }) => {
          const found = await findUser(uid);
          return { login, password, name, suspended: !found || !decideUser(found).accepted };
        }),
    );
  };
}
