import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Backend, ContestantId, Reply, Request } from './protocol.js';
import { PYTORCH_WORKLOAD, startPyTorch } from './pytorch/start.js';

/** A library's process, and the way to talk with it. Its first reply says that it stands ready. */
export interface Connection {
  readonly child: ChildProcess;
  send(request: Request): void;
  reply(signal: AbortSignal): Promise<Reply>;
}

/** How a library's process finds WebGPU. */
export interface Surroundings {
  readonly backend: Backend;
  /** Added to the environment: the adapter's driver. */
  readonly environment: Readonly<Record<string, string>>;
}

const worker = fileURLToPath(new URL('worker.ts', import.meta.url));

/** Starts a library. */
export function connect(id: ContestantId, surroundings: Surroundings): Connection {
  return id.library === 'pytorch' ? connectPython(id.threads) : connectNode(id, surroundings);
}

/** By Node's own channel. */
function connectNode(id: ContestantId, { backend, environment }: Surroundings): Connection {
  const child = fork(worker, [id.name, backend], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  return {
    child,
    send: (request) => void child.send(request),
    reply: async (signal) => {
      const [reply] = (await once(child, 'message', { signal })) as [Reply];
      return reply;
    },
  };
}

/** By lines of JSON on the standard streams. */
function connectPython(threads: number): Connection {
  const child = startPyTorch(threads);
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('Python has no standard streams');
  const lines = createInterface(stdout);
  const send = (message: object): void => void stdin.write(`${JSON.stringify(message)}\n`);
  send(PYTORCH_WORKLOAD);
  return {
    child,
    send,
    reply: async (signal) => {
      const [line] = (await once(lines, 'line', { signal })) as [string];
      return JSON.parse(line) as Reply;
    },
  };
}
