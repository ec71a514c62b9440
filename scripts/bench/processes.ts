import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { extname, join } from 'node:path';

/** A child of this process that answers each message with one. What it writes to stdout goes to the null device. */
export type Process = {
  /** Its first message, sent when it is ready. */
  readonly hello: unknown;
  readonly ask: (message: object) => Promise<unknown>;
  readonly stop: () => Promise<void>;
};

/** Runs a program of this folder, `.ts` under tsx or `.js` of the build, with these arguments, in production mode. */
export async function startProcess(
  program: string,
  options: readonly string[] = [],
  nodeOptions: readonly string[] = [],
): Promise<Process> {
  const sink = openSync(devNull, 'w');
  const file = join(import.meta.dirname, `${program}${extname(import.meta.filename)}`);
  const child: ChildProcess = fork(file, options, {
    env: { ...process.env, NODE_ENV: 'production' },
    execArgv: [...process.execArgv, ...nodeOptions],
    stdio: ['ignore', sink, 'inherit', 'ipc'],
  });
  closeSync(sink);
  const ended = once(child, 'exit');

  async function reply(): Promise<unknown> {
    const [message] = await Promise.race([once(child, 'message'), ended.then(() => [])]);
    if (message === undefined) throw new Error(`${[program, ...options].join(' ')} has ended.`);
    return message;
  }

  return {
    hello: await reply(),
    async ask(message) {
      const answer = reply();
      if (child.connected) child.send(message);
      return answer;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/** In such a child: says hello, answers, and ends when the parent does or wants it to. */
export function serveParent(hello: object, answer: (message: never) => object | Promise<object>) {
  // Ctrl-C reaches the whole process group; the parent is the one to end us.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit());
  process.on('message', async (message) => process.send?.(await answer(message as never)));
  process.send?.(hello);
}
