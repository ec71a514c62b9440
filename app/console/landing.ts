import { join } from 'node:path';
import { Eta } from 'eta';
import type { ConfiguredPlatform } from '../config.ts';
import { page } from '../http/answer.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { projectRoot } from '../project-root.ts';
import { people } from '../scenarios/cast.ts';

// Escapes whatever it prints.
const eta = new Eta({ views: join(projectRoot, 'app/console/views'), cache: true });

export type Shown = {
  readonly platforms: readonly (ConfiguredPlatform & { endpoints: readonly Endpoint[] })[];
  readonly baseUrl: string | undefined;
  readonly production: boolean;
  readonly version: string;
};

/** `GET /`: what this is, what answers here, and whom the seed has. */
export function landingPage({ platforms, baseUrl = '', production, version }: Shown): Endpoint {
  const body = eta.render('landing', {
    version,
    users: production ? [] : people,
    app: production ? undefined : '/app',
    platforms: platforms.map(({ platform: { title, docs }, endpoints }) => ({
      title,
      docs,
      calls: endpoints.map(({ methods, path }) => `${methods.join(' or ')} ${baseUrl}${path}`),
    })),
  });
  return { path: '/', methods: ['GET'], answer: () => page(200, body) };
}
