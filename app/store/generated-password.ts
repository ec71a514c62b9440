import { randomInt } from 'node:crypto';

/** 20 letters and digits that cannot be taken for one another: 99 random bits. */
export function generatePassword(): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
  return Array.from({ length: 20 }, () => alphabet[randomInt(alphabet.length)]).join('');
}
