import type { KeyObject } from 'node:crypto';
import type { Command } from 'commander';
import type { Config } from '../../app/config.ts';
import {
  generateKey,
  publicHalfOf,
  readKeys,
  rotateKey,
  type SigningKey,
} from '../../app/oauth/keys.ts';
import { DirectoryError } from '../../app/store/directory.ts';
import { type Admin, settings } from './backend.ts';
import { wholeNumber } from './input.ts';
import { moment, table } from './output.ts';

/** Never a key itself, nor its public half: that is published. */
const shown = ({ kid, alg, iat }: SigningKey, current: boolean) => ({
  kid,
  alg,
  createdAt: new Date(iat * 1000),
  current,
});

/** The first is the current one, unless PRIVATE_KEY is. */
const listed = (keys: readonly SigningKey[], { PRIVATE_KEY }: Config) =>
  keys.map((key, place) => shown(key, place === 0 && !PRIVATE_KEY));

/** Of the configuration: when it was made, it does not say. */
const configured = async (key: KeyObject, current: boolean) => {
  const { kid, alg } = await publicHalfOf(key);
  return { kid, alg, createdAt: null, current };
};

/** They are in a file, not in the database: these commands work without one, and leave no trail. */
export function keyCommands(program: Command, { say }: Admin) {
  /** What a change of the file does not change. */
  function remark({ PRIVATE_KEY }: Config) {
    if (PRIVATE_KEY) say.warning('PRIVATE_KEY is set: that key signs, not one of KEYS_FILE.');
  }

  const key = program
    .command('key')
    .description('keys to sign with, in KEYS_FILE; the server sees a change on its next request');

  key
    .command('generate')
    .description('the first key')
    .action(async () => {
      const config = settings();
      const { KEYS_FILE } = config;
      const made = await generateKey(KEYS_FILE, new Date());
      if (!made) {
        const message = `There is a ${KEYS_FILE} already; for another key: key rotate.`;
        throw new DirectoryError('conflict', message);
      }
      remark(config);
      say.result(shown(made, !config.PRIVATE_KEY), `Made the key ${made.kid}.`);
    });

  key
    .command('rotate')
    .description(
      'a new current key; the former ones are kept for as long as what they signed lives',
    )
    .option(
      '--keep <number>',
      'keys in all, the new one included, whatever the former signed; 1 drops them at once',
      wholeNumber(1, 10),
    )
    .action(async ({ keep }: { keep?: number }) => {
      const config = settings();
      const { KEYS_FILE } = config;
      const rotation = await rotateKey(KEYS_FILE, keep, new Date());
      if (!rotation) {
        const message = `There is no ${KEYS_FILE} yet; for the first key: key generate.`;
        throw new DirectoryError('not_found', message);
      }
      remark(config);
      for (const { kid, until } of rotation.cutShort) {
        say.warning(
          `The key ${kid} is dropped: what it signed may live until ${moment(until)}, and is not good from now on.`,
        );
      }
      const list = listed(rotation.keys, config);
      say.result(list, `The new key is ${list[0]?.kid}; keys in all: ${list.length}.`);
    });

  key
    .command('list')
    .description('their ids, the current key first')
    .action(async () => {
      const config = settings();
      const inFile = listed(await readKeys(config.KEYS_FILE), config);
      const { PRIVATE_KEY, FORMER_PUBLIC_KEYS } = config;
      const list = [
        ...(PRIVATE_KEY ? [await configured(PRIVATE_KEY, true)] : []),
        ...inFile,
        ...(await Promise.all(FORMER_PUBLIC_KEYS.map((one) => configured(one, false)))),
      ];
      const rows = list.map((one) => [
        ...[
          one.kid,
          one.alg,
          one.createdAt && moment(one.createdAt),
          one.current ? 'current' : 'former',
        ],
      ]);
      say.result(list, table([['KID', 'ALG', 'CREATED', 'USE'], ...rows]));
    });
}
