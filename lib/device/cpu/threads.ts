import { DeviceError } from '../../errors.js';
import { CONTROL } from './control.js';
import type { Heap } from './heap.js';
import { startWorker, type WorkerThread } from './host.js';

/** A phase with everything in place. */
export interface PlacedPhase {
  /** The tasks, for the main thread. */
  readonly tasks: readonly (() => void)[];
  /** The same tasks, for workers: the address of their table. */
  readonly table: number;
  readonly scratchStride: number;
}

/** Waking a thread takes some microseconds; the next phase of a training step usually comes sooner than this. */
const SPIN_MILLISECONDS = 0.1;

/** A task that takes so long was claimed by a worker that is no more, where that does not show otherwise. */
const PATIENCE_MILLISECONDS = 60_000;

/** How long a worker that is ending may take to write what it was writing. */
const GRACE_MILLISECONDS = 100;

/** Workers of devices that were forgotten without `dispose()`. */
const forgotten = new FinalizationRegistry<WorkerThread[]>((workers) => {
  for (const worker of workers) worker.terminate();
});

/**
 * The main thread and its workers, over one shared memory. Where workers cannot be started, the main thread does
 * everything itself.
 */
export class ThreadPool {
  #threads: number;
  readonly #heap: Heap;
  readonly #control: Int32Array;
  readonly #controlStart: number;
  readonly #workers: WorkerThread[] = [];
  #starting: Promise<void> | undefined;

  constructor(heap: Heap, threads: number) {
    this.#threads = threads;
    this.#heap = heap;
    const length = CONTROL.shares + threads * CONTROL.shareStride;
    this.#controlStart = heap.allocate(4 * length);
    this.#control = new Int32Array(heap.memory.buffer, this.#controlStart, length);
  }

  /** How many threads compute: those that were asked for, and from the end of `start` on those that there are. */
  get threads(): number {
    return this.#threads;
  }

  /** Starts the workers, unless that has been done. Ends when they are up, in Node at once. */
  start(): Promise<void> {
    return (this.#starting ??= this.#start());
  }

  /** Runs the tasks of a phase. Throws what a task throws here, DeviceError where a worker failed. */
  run({ tasks, table, scratchStride }: PlacedPhase): void {
    if (this.#threads === 1 || tasks.length === 1) {
      for (const task of tasks) task();
      return;
    }
    for (const worker of this.#workers) worker.admit();
    const control = this.#control;
    Atomics.store(control, CONTROL.done, 0);
    Atomics.store(control, CONTROL.failed, 0);
    Atomics.store(control, CONTROL.count, tasks.length);
    Atomics.store(control, CONTROL.table, table);
    Atomics.store(control, CONTROL.scratchStride, scratchStride);
    Atomics.store(control, CONTROL.threads, this.#threads);
    for (let thread = 0; thread < this.threads; thread++) {
      const size = this.#shareEnd(tasks.length, thread) - this.#shareEnd(tasks.length, thread - 1);
      Atomics.store(control, shareOf(thread), size);
    }
    Atomics.add(control, CONTROL.phase, 1);
    Atomics.notify(control, CONTROL.phase, tasks.length - 1);
    try {
      for (let task = this.#claim(tasks); task; task = this.#claim(tasks)) {
        task();
        Atomics.add(control, CONTROL.done, 1);
      }
    } catch (error) {
      // Nobody begins anything more, but what was begun must end.
      let left = 0;
      for (let thread = 0; thread < this.threads; thread++) left += Atomics.exchange(control, shareOf(thread), 0);
      this.#waitFor(tasks.length - left - 1);
      throw error;
    }
    this.#waitFor(tasks.length);
    if (Atomics.load(control, CONTROL.failed) === 1) throw new DeviceError('a SIMD kernel failed on a worker thread');
  }

  /** Ends the workers; from now on the main thread works alone. */
  stop(): void {
    this.#threads = 1;
    forgotten.unregister(this);
    for (const worker of this.#workers.splice(0)) worker.terminate();
  }

  /** One after the other: where the first may not start, the others are not tried. */
  async #start(): Promise<void> {
    forgotten.register(this, this.#workers, this);
    const { threads } = this;
    const start = { memory: this.#heap.memory, control: this.#controlStart, words: CONTROL, threads };
    for (let thread = 1; thread < this.#threads; thread++) {
      const worker = startWorker({ ...start, thread, spinMilliseconds: SPIN_MILLISECONDS });
      if (worker) this.#workers.push(worker);
      if (await worker?.isUp) continue;
      this.#workers.splice(thread - 1).forEach((lost) => lost.terminate());
      this.#threads = Math.min(this.#threads, thread); // it may have been stopped meanwhile
    }
  }

  #claim(tasks: readonly (() => void)[]): (() => void) | undefined {
    for (let thread = 0; thread < this.threads; thread++) {
      const share = shareOf(thread);
      for (let left = Atomics.load(this.#control, share); left > 0; left = Atomics.load(this.#control, share)) {
        if (Atomics.compareExchange(this.#control, share, left, left - 1) !== left) continue;
        return tasks[this.#shareEnd(tasks.length, thread) - left];
      }
    }
    return undefined;
  }

  #shareEnd(count: number, thread: number): number {
    return Math.floor(((thread + 1) * count) / this.threads);
  }

  /** Waits until so many tasks are done: looking first, then asleep where this thread may sleep. */
  #waitFor(count: number): void {
    const control = this.#control;
    const start = performance.now();
    for (let turn = 1; ; turn++) {
      const done = Atomics.load(control, CONTROL.done);
      if (done >= count) return;
      if (turn % 100 !== 0) continue;
      const waited = performance.now() - start;
      if (waited <= SPIN_MILLISECONDS) continue;
      if (maySleep()) Atomics.wait(control, CONTROL.done, done, 10);
      if (waited > PATIENCE_MILLISECONDS || this.#isDeserted(count)) {
        this.stop();
        throw new DeviceError('a worker thread ended inside a task: from here on, one thread computes');
      }
    }
  }

  /** Whether tasks are left that nobody works at, because a worker has ended inside of one. */
  #isDeserted(count: number): boolean {
    if (!this.#workers.some((worker) => worker.isGone())) return false;
    const start = performance.now();
    const isOver = (): boolean => Atomics.load(this.#control, CONTROL.done) >= count;
    const isBusy = (worker: WorkerThread, i: number): boolean =>
      !worker.isGone() && Atomics.load(this.#control, shareOf(i + 1) + CONTROL.busy) === 1;
    while (!isOver() && (this.#workers.some(isBusy) || performance.now() - start < GRACE_MILLISECONDS)) {
      if (maySleep()) Atomics.wait(this.#control, CONTROL.done, Atomics.load(this.#control, CONTROL.done), 1);
    }
    return !isOver();
  }
}

function shareOf(thread: number): number {
  return CONTROL.shares + thread * CONTROL.shareStride;
}

let sleeps: boolean | undefined;

/** Whether this thread may sleep: the main thread of a browser may not. */
function maySleep(): boolean {
  if (sleeps !== undefined) return sleeps;
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    sleeps = true;
  } catch {
    sleeps = false;
  }
  return sleeps;
}
