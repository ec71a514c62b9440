import { forge as forged } from '../../app/scenarios/own-client-tokens.ts';
import { secret } from './canaries.ts';

export {
  claimsOf,
  clientTokenBindings,
  houseOf,
  nameIn,
} from '../../app/scenarios/own-client-tokens.ts';

export const forge = (...given: Parameters<typeof forged>): string => secret(forged(...given));
