import { authlete } from './authlete/authlete.ts';
import { connectycube } from './connectycube/connectycube.ts';
import { pango } from './pango/pango.ts';
import type { Platform } from './platform.ts';

/** One line per platform. */
export const platforms: readonly Platform[] = [pango, connectycube, authlete];
