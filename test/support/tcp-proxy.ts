import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Something between us and a database that can fail in the ways that networks do. */
export type TcpProxy = {
  /** The URL given, by way of the proxy. */
  readonly url: string;
  /** Connections are reset, new ones refused. */
  cut(): Promise<void>;
  /** Connections stay, and new ones are accepted, but nothing comes through any more. */
  hang(): void;
  /** All is well again, but for what was swallowed. */
  back(): Promise<void>;
  close(): Promise<void>;
};

export async function startTcpProxy(to: string): Promise<TcpProxy> {
  const target = new URL(to);
  const sockets = new Set<Socket>();
  let hanging = false;

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };

  const server: Server = createServer((fromUs) => {
    keep(fromUs);
    const onward = keep(connect(Number(target.port || 5432), target.hostname));
    const pass = (from: Socket, into: Socket) => {
      from.on('data', (bytes) => {
        if (!hanging) into.write(bytes);
      });
      from.on('close', () => into.destroy());
    };
    pass(fromUs, onward);
    pass(onward, fromUs);
  });

  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const drop = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      drop();
    });

  await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = new URL(to);
  url.hostname = '127.0.0.1';
  url.port = String(port);

  return {
    url: url.href,
    cut: stop,
    hang() {
      hanging = true;
    },
    async back() {
      hanging = false;
      if (!server.listening) await listen(port);
    },
    close: stop,
  };
}
