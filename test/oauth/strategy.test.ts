/** One strategy, several requests at the same time. */
import type { Request, Response } from 'express';
import passport from 'passport';
import { authenticate, strategy } from '../../app/oauth/strategy.ts';

type Guest = { readonly name: string };

const passes: Record<string, () => void> = {};

/** Finds whoever the request names, when it is told to go on. */
const byName = strategy<Guest>('by-name', async ({ headers: { from } }) => {
  await new Promise<void>((goOn) => {
    passes[String(from)] = goOn;
  });
  if (from === 'faulty') throw new Error('out of order');
  return from === 'nobody' ? { challenge: 'Name' } : { principal: { name: String(from) } };
});

test('each is answered for itself, in whatever order they end', async () => {
  const authenticator = new passport.Passport();
  const ask = (from: string) =>
    authenticate<Guest>(authenticator, byName, { headers: { from } } as Request, {} as Response);
  const answers = Promise.allSettled([ask('one'), ask('nobody'), ask('faulty'), ask('two')]);
  for (const name of ['two', 'one', 'faulty', 'nobody']) passes[name]?.();
  expect(await answers).toEqual([
    { status: 'fulfilled', value: { principal: { name: 'one' } } },
    { status: 'fulfilled', value: { challenge: 'Name' } },
    { status: 'rejected', reason: new Error('out of order') },
    { status: 'fulfilled', value: { principal: { name: 'two' } } },
  ]);
});
