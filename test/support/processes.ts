import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { projectRoot } from '../../app/project-root.ts';
import { logFile } from './canaries.ts';

export type Ended = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** A process of our own code, as `npm start` and the like make it. What it says is searched for secrets like any log. */
export type Started = {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** The first match in what it prints on stdout; rejects when it ends without. */
  said(text: RegExp): Promise<RegExpExecArray>;
};

const running = new Set<ChildProcess>();

/** Runs Node with nothing of our own environment but what finds programs. */
function startNode(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd: string,
): Started {
  const child = spawn(process.execPath, argv, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running.add(child);

  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  const heard = (text: string) => {
    appendFileSync(logFile(), text);
    for (const listener of listeners) listener();
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard(text);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard(text);
  });

  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });

  const said = (text: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const listen = () => {
        const match = text.exec(stdout);
        if (!match) return;
        listeners.delete(listen);
        resolve(match);
      };
      listeners.add(listen);
      listen();
      void ended.then(() => reject(new Error(`ended without ${text}:\n${stdout}${stderr}`)));
    });

  return { child, ended, said };
}

/** Runs a TypeScript file of this project. */
export const startProcess = (
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  nodeOptions: readonly string[] = [],
): Started => startNode(['--import', 'tsx', ...nodeOptions, ...argv], environment, projectRoot);

export type StartedServer = Started & { readonly url: Promise<string> };

function server(started: Started): StartedServer {
  const url = started.said(/^listening on (http:\/\/\S+)$/m).then((match) => match[1] as string);
  // Who does not ask where it listens does not care that it did not.
  url.catch(() => {});
  return { ...started, url };
}

/** The server's process: `npm start` without npm, which would stand between us and its signals. */
export const startServer = (
  environment: Readonly<Record<string, string>>,
  nodeOptions: readonly string[] = [],
): StartedServer =>
  server(startProcess(['app/server.ts'], { PORT: '0', ...environment }, nodeOptions));

/** The same of the build in this folder. */
export const startBuiltServer = (
  folder: string,
  environment: Readonly<Record<string, string>>,
): StartedServer =>
  server(startNode(['dist/app/server.js'], { PORT: '0', ...environment }, folder));

/** For `afterEach`: whatever a failed test left running. */
export async function endProcesses(): Promise<void> {
  const gone = [...running].map((child) => new Promise((resolve) => child.on('close', resolve)));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(gone);
}
