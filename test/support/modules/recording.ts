/** An extension that remembers what it was told. */
import type { UserInfo } from '../../../app/platforms/dgp-oauth2/profile.ts';

export const told: (readonly [hook: string, user_info: UserInfo])[] = [];

export const on_new_user = (user_info: UserInfo) => {
  told.push(['on_new_user', user_info]);
};
export const on_user_login = async (user_info: UserInfo) => {
  told.push(['on_user_login', user_info]);
};
export const on_user_logout = (user_info: UserInfo) => {
  told.push(['on_user_logout', user_info]);
};
