/** The console's style sheets and scripts, from our own origin: plain files, no build step. */
import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { type RequestHandler, Router } from 'express';
import { projectRoot } from '../project-root.ts';

const folder = join(projectRoot, 'app/console/assets');

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

type Asset = { readonly name: string; readonly type: string; readonly body: Buffer };

function readAssets(): Asset[] {
  return readdirSync(folder)
    .toSorted()
    .map((name) => {
      const type = contentTypes[extname(name)];
      if (type === undefined) throw new Error(`app/console/assets/${name} is of no known type`);
      return { name, type, body: readFileSync(join(folder, name)) };
    });
}

/** The look that other pages of this server share, to be put into their `<style>`. */
export const baseStyle = (): string => readFileSync(join(folder, 'base.css'), 'utf8');

/** Where they are: the path has the hash of them all, so a browser may keep them for ever, and modules import each other by `./name.js`. */
export function consoleAssets(base: string): { path: string; router: RequestHandler } {
  const assets = readAssets();
  const all = assets.map(({ name, body }) => `${name} ${hash('sha256', body)}`).join('\n');
  const path = `${base}/assets/${hash('sha256', all, 'base64url').slice(0, 16)}`;
  const router = Router({ caseSensitive: true, strict: true });
  for (const { name, type, body } of assets) {
    router.get(`${path}/${name}`, (_request, response) => {
      response.setHeader('Content-Type', type);
      response.setHeader('Content-Length', body.length);
      response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
      response.setHeader('X-Content-Type-Options', 'nosniff');
      response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
      response.end(body);
    });
  }
  return { path, router };
}
