import { connect, type Socket } from 'node:net';

/** A connection on which to say what no HTTP client would. */
export const rawConnection = (url: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => resolve(socket));
    socket.on('error', reject);
  });

/** Sends these bytes, and returns all that comes until the server closes the connection. */
export async function exchange(url: string, bytes: string): Promise<string> {
  const socket = await rawConnection(url);
  return new Promise((resolve) => {
    let received = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      received += text;
    });
    socket.on('close', () => resolve(received));
    // A server that has read enough may reset the connection: what came before is the answer.
    socket.on('error', () => {});
    socket.write(bytes);
  });
}
