import { csrfSync } from 'csrf-sync';
import type { Request } from 'express';
import type { FormRequest } from './client-authentication.ts';

/** The name of the form field. */
export const csrfField = 'csrf';

/**
 * The synchroniser token pattern: a secret in the session, repeated by every form of ours. A page of somebody else's cannot
 * read it, and SameSite=Lax does not even send the session along with its POST.
 */
const protection = csrfSync({
  size: 32,
  getTokenFromRequest: (request) => (request as FormRequest).form[csrfField],
});

/** For a form of this browser: makes a token unless its session has one. */
export const csrfToken = (request: Request): string => String(protection.generateToken(request));

/** Whether the form that was sent is one of ours. */
export const isOurForm = (request: Request): boolean => protection.isRequestValid(request);
