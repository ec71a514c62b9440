import type { UseState } from '../oauth/cookie-sign-ins.ts';
import { digest } from '../oauth/secrets.ts';
import type { Database } from './database.ts';
import { isUniqueViolation } from './unique-violation.ts';

/** Of several who bring the same state at once, whichever process they ask, the unique key lets one in. */
export const createUseState =
  ({ prisma }: Database): UseState =>
  async (state, expiresAt) => {
    try {
      await prisma.usedState.create({ data: { stateHash: digest(state), expiresAt } });
      return true;
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      return false;
    }
  };
