/**
 * The API reference: `GET /openapi.json`, and `GET /docs` for people. It is there where the console is, and says nothing
 * that is not for everybody: what a platform sends and gets, with the rows of the tables for examples.
 */
import { type RequestHandler, Router } from 'express';
import swaggerUi from 'swagger-ui-express';
import { z } from 'zod';
import { type Answer, json } from '../http/answer.ts';
import type { Described, Endpoint } from '../http/endpoint.ts';
import { oauthReference, pagesReference } from '../oauth/reference.ts';
import { userinfoReference } from '../openid/userinfo.ts';
import { consoleAssets } from './assets.ts';
import { type Group, openApi } from './openapi.ts';
import { type AnsweredPlatform, base } from './page.ts';
import { views } from './views.ts';

const paths = { document: '/openapi.json', page: '/docs', assets: '/docs/assets' } as const;

/** Swagger UI sets styles by script, which a policy does not stop; it has no inline script. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Of Swagger UI's many files those that the page loads, and the one that comes back from signing in. */
const files: readonly string[] = [
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'oauth2-redirect.html',
  'oauth2-redirect.js',
];

export function docsAssets(): Router {
  const ours: RequestHandler = (request, response, next) => {
    if (!files.includes(request.path.slice(1))) return next('router');
    response.setHeader('Content-Security-Policy', policy);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
    next();
  };
  const inner = Router({ caseSensitive: true, strict: true });
  inner.use(ours, swaggerUi.serveWithOptions({ redirect: false }));
  const router = Router({ caseSensitive: true, strict: true });
  router.use(paths.assets, inner);
  return router;
}

export type Answering = {
  /** How the world reaches this server, without a trailing slash. */
  readonly issuer: string;
  readonly version: string;
  readonly platforms: readonly AnsweredPlatform[];
  readonly upstreams: readonly { readonly id: string; readonly title: string }[];
  /** What is no platform's. */
  readonly house: readonly Endpoint[];
};

const groupsOf = (
  { platforms, upstreams, house }: Answering,
  own: readonly Described[],
): Group[] => [
  ...platforms.map(({ platform: { title, docs, scenarios }, endpoints }) => ({
    title,
    docs,
    routes: endpoints,
    scenarios,
  })),
  {
    title: 'Tokens',
    text: 'Where apps get them: OAuth 2.0',
    routes: [...oauthReference, userinfoReference],
  },
  {
    title: 'Pages',
    text: 'For people. Their forms are not for programs',
    routes: pagesReference(upstreams),
  },
  { title: 'This server', routes: [...house, ...own] },
];

/** Both endpoints. The document is made when it is first asked for. */
export function docsEndpoints(answering: Answering): Endpoint[] {
  const { issuer, version } = answering;
  let document: Answer | undefined;
  const page = views.render('docs', {
    console: base,
    own: consoleAssets(base).path,
    assets: paths.assets,
    document: paths.document,
  });

  const endpoints: Endpoint[] = [
    {
      path: paths.document,
      methods: ['GET'],
      answer() {
        document ??= json(
          200,
          openApi({ issuer, version, groups: groupsOf(answering, endpoints) }),
        );
        return document;
      },
      reference: {
        summary: 'This document',
        answers: { 200: { text: 'OpenAPI 3.1.', body: z.looseObject({ openapi: z.string() }) } },
      },
    },
    {
      path: paths.page,
      methods: ['GET'],
      answer: () => ({
        status: 200,
        headers: {
          'Content-Type': 'text/html; charset=utf-8',
          'Content-Security-Policy': policy,
          'Referrer-Policy': 'same-origin',
          // Signing in opens a window that reports back.
          'Cross-Origin-Opener-Policy': 'same-origin-allow-popups',
        },
        body: page,
      }),
      reference: {
        summary: 'This page',
        answers: { 200: { text: 'The same, to read and to try out.', type: 'text/html' } },
      },
    },
  ];
  return endpoints;
}
