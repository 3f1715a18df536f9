import { TraceError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';

/** How many replays of a plan are queued at once, at most. */
export const MAX_REPLAYS = 1024;

/** The mode that a recording is made in: whoever trains or evaluates a model says so here, and touches no model. */
export interface Mode {
  readonly training: boolean;
  /** The model whose mode it is: it stands over the model's own, but not over that of a part switched on its own. */
  readonly model: object;
  /** Whether its Dropout layers drop anything where they are trained. Default true. */
  readonly dropout?: boolean;
}

/**
 * What is recorded while a function runs once with placeholders: the changes of state that it asks for, what of the
 * surroundings it read (guards), and what the host must do before each replay.
 */
export class Trace {
  /** Undefined where the recording does not say: each module has its own, then. */
  readonly mode: Mode | undefined;
  /** The value of each variable that the function has changed so far. */
  readonly updates = new Map<Variable, Tensor>();
  readonly #guards: { readonly read: () => unknown; readonly seen: unknown }[] = [];
  readonly #beforeReplay = new Set<(replays: number) => void>();
  readonly #endings = new Map<object, () => void>();
  readonly #uses = new Map<string, number>();

  constructor(mode: Mode | undefined) {
    this.mode = mode;
  }

  /** The recording is valid only as long as `read` gives what it gives now (a layer's training mode). */
  guard<T>(read: () => T): T {
    const seen = read();
    this.#guards.push({ read, seen });
    return seen;
  }

  guardsHold(): boolean {
    return this.#guards.every(({ read, seen }) => read() === seen);
  }

  /**
   * Host work ahead of replays, such as sending learning rates; it is told how many are to be queued, at most
   * {@link MAX_REPLAYS}. The same function is kept once.
   */
  beforeReplay(work: (replays: number) => void): void {
    this.#beforeReplay.add(work);
  }

  runBeforeReplay(replays: number): void {
    for (const work of this.#beforeReplay) work(replays);
  }

  /** State changes that must come after all else, once for each `key` (the random counter's step). */
  atEnd(key: object, work: () => void): void {
    if (!this.#endings.has(key)) this.#endings.set(key, work);
  }

  finish(): void {
    for (const work of this.#endings.values()) work();
  }

  /** Counts the uses of `key` in this trace: 0, 1, 2 … */
  nextUse(key: string): number {
    const use = this.#uses.get(key) ?? 0;
    this.#uses.set(key, use + 1);
    return use;
  }
}

let active: Trace | undefined;

/** The trace that operations are being recorded in, if any. */
export function activeTrace(): Trace | undefined {
  return active;
}

/** What `read` gives, guarded while tracing: the recording is valid only as long as it gives the same. */
export function guarded<T>(read: () => T): T {
  return active ? active.guard(read) : read();
}

/** Like {@link activeTrace}, for what makes sense only while tracing: throws TraceError naming `what` otherwise. */
export function requireTrace(what: string): Trace {
  if (!active) throw new TraceError(`${what} changes state: call it inside a function given to compile() or run()`);
  return active;
}

/** Throws TraceError while a function is being traced: there are no values yet. */
export function refuseWhileTracing(): void {
  if (!active) return;
  throw new TraceError(
    'a value was read inside a function that is being traced. It runs once to record its operations, before there ' +
      'are values: return the tensor and read it from the result, or compute the decision with operations',
  );
}

/** Throws TraceError, too, where a compiled function is called, or another one traced, inside a traced function. */
export function refuseNesting(): void {
  if (active)
    throw new TraceError('a compiled function cannot be called, or another one traced, inside a traced function');
}

/** Runs `fn` once, recording. The function must be synchronous: an async one throws TraceError. */
export function record<T>(fn: () => T, mode?: Mode): { trace: Trace; result: T } {
  refuseNesting();
  const trace = new Trace(mode);
  active = trace;
  try {
    const result = fn();
    if (result instanceof Promise) {
      result.catch(() => undefined);
      throw new TraceError('a function that is traced must not be async: it cannot wait for values');
    }
    trace.finish();
    return { trace, result };
  } finally {
    active = undefined;
  }
}
