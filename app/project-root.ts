import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

function nearestPackage(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('partner-idp-kit: no package.json above this file');
  return nearestPackage(parent);
}

/** The folder of package.json: the same from `app/` (tsx) and from `dist/app/` (built). */
export const projectRoot = nearestPackage(import.meta.dirname);
