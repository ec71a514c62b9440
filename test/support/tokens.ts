import { type Minting, mintToken, ownBindings } from '../../app/scenarios/own-bindings.ts';
import type { Bindings } from '../../app/scenarios/scenario.ts';
import type { Backend } from './backend.ts';
import { secret } from './canaries.ts';

export { uidOf } from '../../app/scenarios/own-bindings.ts';

/** A good token of this user, with every scope and an hour to live. */
export const mint = async (backend: Backend, login: string, minting?: Minting): Promise<string> =>
  secret(await mintToken(backend.services, login, minting));

/** A value for every placeholder that the scenario tables use. */
export async function bindings(backend: Backend): Promise<Bindings> {
  const bound = await ownBindings(backend);
  for (const value of Object.values(bound)) secret(value);
  return bound;
}
