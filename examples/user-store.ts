/**
 * Users in a directory of your own that speaks HTTP. An LDAP store looks the same: `findUser` is a search, `checkPassword`
 * a search and a bind. See docs/replace-the-user-store.md.
 *
 *   GET  /users/2345                                  200 {"uid":2345,"login":"simon371", …} · 404
 *   GET  /users?login=simon371                        200 {"uid":2345, …} · 404
 *   POST /password {"login":"…","password":"…"}       200 {"matches":true,"user":{…}} · 404
 */
import { z } from 'zod';
import type { UserFacts } from '../app/verification/decide.ts';
import { Unavailable } from '../app/verification/unavailable.ts';
import type { TokenStore, UserStore } from '../app/verification/verify.ts';

const person = z.object({
  uid: z.int().positive(),
  login: z.string(),
  name: z.string(),
  email: z.string().optional(),
  status: z.string(),
});
const passwordCheck = z.object({ matches: z.boolean(), user: person });

const factsOf = ({ uid, login, name, email, status }: z.output<typeof person>): UserFacts => ({
  user: { uid, login, name, email, group: undefined, profile: {} },
  userActive: status === 'active',
  groupActive: true,
});

/** @param url of the directory, without a slash at its end */
export function createHttpUsers(url: string): UserStore {
  /** What the directory says, undefined when it knows nobody; throws when it says nothing that we understand. */
  async function ask<Said>(path: string, said: z.ZodType<Said>, body?: object) {
    const response = await fetch(`${url}${path}`, {
      signal: AbortSignal.timeout(2000),
      redirect: 'error',
      ...(body && {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    }).catch((cause) => {
      throw new Unavailable('the user directory does not answer', { cause });
    });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Unavailable(`the user directory answered ${response.status}`);
    return said.parse(await response.json());
  }

  return {
    async findUser(uid) {
      const found = await ask(`/users/${uid}`, person);
      return found && factsOf(found);
    },

    async findUserByLogin(login) {
      const found = await ask(`/users?login=${encodeURIComponent(login)}`, person);
      return found && factsOf(found);
    },

    async checkPassword(login, password) {
      const found = await ask('/password', passwordCheck, { login, password });
      return found && { passwordMatches: found.matches, subject: factsOf(found.user) };
    },
  };
}

/** Tokens of ours for users of yours: whom a token speaks for is asked of your store, each time. */
export const tokensForUsersOf = (users: UserStore, tokens: TokenStore): TokenStore => ({
  async findToken(token) {
    const found = await tokens.findToken(token);
    if (!found?.subject) return found;
    return { ...found, subject: await users.findUser(found.subject.user.uid) };
  },
});
