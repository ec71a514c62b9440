import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';

/** How long a client may take, in ms. What platforms send is small; a slow one must not hold a connection for ever. */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  /** Longer than load balancers keep an idle connection (60 s), or they would send into one that we are closing. */
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
};

export type HttpServer = {
  readonly server: Server;
  /** Gives it the app, which may depend on where the server listens. Until then, nothing is answered. */
  readonly serve: (app: Express) => void;
};

/**
 * An HTTP server whose requests and responses are the app's from the start. Express changes the prototype of those that are
 * not, for every request, and up to Node 22 that alone costs more than all of our work on it (`npm run bench`;
 * https://github.com/expressjs/express/issues/5998).
 */
export function createHttpServer(options: Partial<typeof limits> = {}): HttpServer {
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  const own = { IncomingMessage: AppRequest, ServerResponse: AppResponse };
  const server = createServer({ ...limits, ...options, ...own });
  return {
    server,
    serve(app) {
      Object.setPrototypeOf(AppRequest.prototype, app.request);
      Object.setPrototypeOf(AppResponse.prototype, app.response);
      app.request = AppRequest.prototype as Express['request'];
      app.response = AppResponse.prototype as Express['response'];
      server.on('request', app);
    },
  };
}

/** Where a server listens, as a URL that this machine can open. */
export function listeningUrl({ address, port, family }: AddressInfo): string {
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : address;
  return `http://${family === 'IPv6' && host !== 'localhost' ? `[${host}]` : host}:${port}`;
}
