import { workerProgram } from '../../generated/worker.js';
import type { WorkerStart } from './control.js';

/** A worker thread of Node or of a browser. */
export interface WorkerThread {
  /** Whether it has come up; false where it turned out that it may not. Never rejects. */
  readonly isUp: Promise<boolean>;
  /** Has it begin to claim tasks, unless it has or is not ready yet: to be called ahead of each phase. */
  admit(): void;
  /** Whether it has ended, as far as can be known without giving the event loop a turn. */
  isGone(): boolean;
  terminate(): unknown;
}

/** What is used of `node:worker_threads`. */
interface NodeThreads {
  readonly Worker: new (
    program: string,
    options: { readonly eval: true; readonly execArgv: readonly string[] },
  ) => {
    postMessage(message: WorkerStart): void;
    terminate(): unknown;
    unref(): void;
    on(event: 'error' | 'exit', listener: () => void): unknown;
    readonly performance: { eventLoopUtilization(): { readonly idle: number; readonly active: number } };
  };
}

/** What is used of the global object, in Node and in browsers: each part may be missing. */
interface Host {
  readonly process?: {
    getBuiltinModule?(id: 'worker_threads'): NodeThreads | undefined;
    getBuiltinModule?(id: 'os'): { availableParallelism(): number } | undefined;
  };
  readonly crossOriginIsolated?: boolean;
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly Worker?: new (url: string) => Worker;
}

const host: Host = globalThis;

/** A worker of a page that has given no sign for so long, also on a busy machine, will not come up. */
const PATIENCE_MILLISECONDS = 20_000;

/** Whether memory can be shared with worker threads: in Node from 20.16 on, and in pages that are cross-origin isolated. */
export function canShareMemory(): boolean {
  return nodeThreads() !== undefined || (host.crossOriginIsolated === true && host.Worker !== undefined);
}

/**
 * Whether only trying shows that workers can be had: the Content-Security-Policy of a page may forbid them. Nor do they
 * come up in a page before its script has made a pause.
 */
export function mustTryWorkers(): boolean {
  return nodeThreads() === undefined;
}

/** How many threads this machine runs at the same time; 1 where that is not known. */
export function machineThreads(): number {
  const os = host.process?.getBuiltinModule?.('os');
  return os?.availableParallelism() ?? host.navigator?.hardwareConcurrency ?? 1;
}

/** As many threads as this machine runs at the same time, at most 8. */
export function defaultThreads(): number {
  return Math.min(machineThreads(), 8);
}

/**
 * Starts a worker, which does not keep Node alive. Undefined where it shows at once that this is not allowed. A worker
 * that ends with an error later on says so to nobody: until it claims a task, nobody waits for it.
 */
export function startWorker(start: WorkerStart): WorkerThread | undefined {
  try {
    return nodeWorker(start) ?? browserWorker(start);
  } catch {
    return undefined;
  }
}

function nodeThreads(): NodeThreads | undefined {
  return host.process?.getBuiltinModule?.('worker_threads');
}

function nodeWorker(start: WorkerStart): WorkerThread | undefined {
  const threads = nodeThreads();
  if (!threads) return undefined;
  // Flags of this process, such as loaders, are no concern of the worker.
  const worker = new threads.Worker(workerProgram, { eval: true, execArgv: [] });
  worker.on('error', () => undefined);
  let hasEnded = false;
  worker.on('exit', () => {
    hasEnded = true;
  });
  worker.unref();
  let isAdmitted = false;
  return {
    isUp: Promise.resolve(true),
    // The event needs a turn of the event loop, which a thread that waits for this worker does not give it. The idle time
    // is asked of the worker's own loop, and is -1 once that is gone; but always 0 where nobody has asked while the loop
    // was running. So a worker begins when it has been seen to run.
    isGone: () => hasEnded || worker.performance.eventLoopUtilization().idle < 0,
    admit: () => {
      if (isAdmitted || hasEnded || worker.performance.eventLoopUtilization().active <= 0) return;
      isAdmitted = true;
      worker.postMessage(start);
    },
    terminate: () => worker.terminate(),
  };
}

function browserWorker(start: WorkerStart): WorkerThread | undefined {
  if (!host.Worker) return undefined;
  const url = URL.createObjectURL(new Blob([workerProgram], { type: 'text/javascript' }));
  const worker = new host.Worker(url);
  worker.postMessage(start);
  const isUp = new Promise<boolean>((resolve) => {
    worker.onmessage = () => resolve(true);
    worker.onerror = (event) => {
      event.preventDefault();
      resolve(false);
    };
    setTimeout(() => resolve(false), PATIENCE_MILLISECONDS);
  });
  void isUp.then(() => URL.revokeObjectURL(url));
  return { isUp, isGone: () => false, admit: () => undefined, terminate: () => worker.terminate() };
}
