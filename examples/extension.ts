/**
 * An extension of dgp-oauth2: told of new users, logins and logouts.
 *
 *   INSTALLED_EXTENSIONS=./examples/extension.ts
 *
 * A sign-in waits for what these return, 5 s at most; what they throw is logged. `user_info` has the e-mail: mind where
 * you send it.
 */
import type { UserInfo } from '../app/platforms/dgp-oauth2/profile.ts';

/** Who has signed in since the start, and when, by id. */
export const lastSeen = new Map<string, Date>();

export const on_user_login = ({ id }: UserInfo): void => {
  lastSeen.set(id, new Date());
};

export const on_user_logout = ({ id }: UserInfo): void => {
  lastSeen.delete(id);
};
