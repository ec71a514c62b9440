import { join } from 'node:path';
import { Eta } from 'eta';
import { projectRoot } from '../project-root.ts';

/** The authorization server's pages. Escapes whatever it prints. */
export const views = new Eta({ views: join(projectRoot, 'app/oauth/views'), cache: true });
