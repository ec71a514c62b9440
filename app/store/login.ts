/** Longest login, in characters: as long as an e-mail address may be, and more. */
const longest = 255;

/** Neither PostgreSQL nor UTF-8 can hold these: NUL, and halves of a surrogate pair. */
const storable = (text: string) => !text.includes('\0') && text.isWellFormed();

/**
 * The form in which logins are compared: Unicode NFKC, lower case. The same on both databases, as neither does the
 * comparing. Undefined for what cannot be a login.
 */
export function loginKey(login: string): string | undefined {
  if (login === '' || login.length > longest || !storable(login)) return undefined;
  // Lower case can take apart what was composed: U+01F0.
  return login.normalize('NFKC').toLowerCase().normalize('NFKC');
}

/** Those of these that can be logins, in that form. */
export const foldedLogins = (logins: readonly string[]): string[] =>
  logins.flatMap((login) => loginKey(login) ?? []);

/** What is wrong with a login for a new user, or undefined. Control characters and white space are. */
export const loginProblem = (login: string): string | undefined =>
  loginKey(login) === undefined || /[\p{C}\p{Z}]/u.test(login)
    ? `A login has 1 to ${longest} characters, and no spaces or control characters.`
    : undefined;
