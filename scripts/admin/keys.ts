import type { Command } from 'commander';
import { generateKey, readKeys, rotateKey, type SigningKey } from '../../app/oauth/keys.ts';
import { DirectoryError } from '../../app/store/directory.ts';
import { type Admin, settings } from './backend.ts';
import { wholeNumber } from './input.ts';
import { moment, table } from './output.ts';

/** Never a key itself, nor its public half: that is published. */
const shown = ({ kid, alg, iat }: SigningKey, place: number) => ({
  kid,
  alg,
  createdAt: new Date(iat * 1000),
  current: place === 0,
});

/** They are in a file, not in the database: these commands work without one, and leave no trail. */
export function keyCommands(program: Command, { say }: Admin) {
  const key = program
    .command('key')
    .description('keys to sign with, in KEYS_FILE; the server sees a change on its next request');

  key
    .command('generate')
    .description('the first key')
    .action(async () => {
      const { KEYS_FILE } = settings();
      const made = await generateKey(KEYS_FILE, new Date());
      if (!made) {
        const message = `There is a ${KEYS_FILE} already; for another key: key rotate.`;
        throw new DirectoryError('conflict', message);
      }
      say.result(shown(made, 0), `Made the key ${made.kid}.`);
    });

  key
    .command('rotate')
    .description('a new current key; what the former ones signed stays good while they are kept')
    .option(
      '--keep <number>',
      'keys in all, the new one included; 1 drops the former at once',
      wholeNumber(1, 10),
      2,
    )
    .action(async ({ keep }: { keep: number }) => {
      const { KEYS_FILE } = settings();
      const keys = await rotateKey(KEYS_FILE, keep, new Date());
      if (!keys) {
        const message = `There is no ${KEYS_FILE} yet; for the first key: key generate.`;
        throw new DirectoryError('not_found', message);
      }
      const list = keys.map(shown);
      say.result(list, `The current key is ${list[0]?.kid}; keys in all: ${list.length}.`);
    });

  key
    .command('list')
    .description('their ids, the current key first')
    .action(async () => {
      const list = (await readKeys(settings().KEYS_FILE)).map(shown);
      const rows = list.map((one) => [
        ...[one.kid, one.alg, moment(one.createdAt), one.current ? 'current' : 'former'],
      ]);
      say.result(list, table([['KID', 'ALG', 'CREATED', 'USE'], ...rows]));
    });
}
