import { aurora } from './aurora/aurora.ts';
import { authlete } from './authlete/authlete.ts';
import { connectycube } from './connectycube/connectycube.ts';
import { dgpOauth2 } from './dgp-oauth2/dgp-oauth2.ts';
import { pango } from './pango/pango.ts';
import type { Platform } from './platform.ts';

/** One line per platform. */
export const platforms: readonly Platform[] = [pango, connectycube, authlete, aurora, dgpOauth2];
