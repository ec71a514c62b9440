import { page } from '../http/answer.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { people } from '../scenarios/cast.ts';
import { baseStyle } from './assets.ts';
import { type AnsweredPlatform, base } from './page.ts';
import { views } from './views.ts';

export type Shown = {
  readonly platforms: readonly AnsweredPlatform[];
  readonly baseUrl: string | undefined;
  readonly production: boolean;
  /** Whether there is one, and the API reference with it. */
  readonly console: boolean;
  readonly version: string;
};

/** `GET /`: what this is, what answers here, and whom the seed has. */
export function landingPage({
  platforms,
  baseUrl = '',
  production,
  console,
  version,
}: Shown): Endpoint {
  const doors = [
    ...(console
      ? [
          {
            href: base,
            title: 'Console',
            text: 'See every call as it arrives, why it was refused, and send it again.',
          },
          {
            href: '/docs',
            title: 'API docs',
            text: 'Every endpoint, generated from the code that answers.',
          },
        ]
      : []),
    ...(production
      ? []
      : [
          {
            href: '/app',
            title: 'Customer App',
            text: 'Signs a user in here, and gets the token that platforms ask about.',
          },
        ]),
  ];
  const body = views.render('landing', {
    version,
    style: baseStyle(),
    doors,
    users: production ? [] : people,
    platforms: platforms.map(({ platform: { title, docs }, endpoints }) => ({
      title,
      docs,
      calls: endpoints.map(({ methods, path }) => `${methods.join(' or ')} ${baseUrl}${path}`),
    })),
  });
  return {
    path: '/',
    methods: ['GET'],
    answer: () => page(200, body),
    reference: {
      summary: 'The start page',
      answers: { 200: { text: 'What this is, and what answers here.', type: 'text/html' } },
    },
  };
}
