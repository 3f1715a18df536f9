/**
 * The program of a worker thread: it claims tasks of the phase that is under way, until it is ended from outside.
 *
 * tools/inline-kernels.ts inlines it as text, and lib/device/cpu/host.ts runs that text as a script of its own, in
 * Node and in browsers. Therefore it imports nothing but types.
 */
import type { WorkerStart } from './control.js';

/** The way to the thread that started this one. */
interface Port {
  onmessage: ((message: { readonly data: WorkerStart }) => void) | null;
  postMessage(message: 'up'): void;
}

/** Node's way to the port, where there is one. */
declare const process: { getBuiltinModule?(id: 'worker_threads'): { readonly parentPort: Port } } | undefined;
/** In browsers the global object is the port itself. */
declare const self: Port;

/** A kernel's exported function. */
type Kernel = (...values: readonly number[]) => void;

const node = typeof process === 'undefined' ? undefined : process;
const port = node?.getBuiltinModule?.('worker_threads').parentPort ?? self;
port.onmessage = ({ data }) => {
  port.postMessage('up');
  work(data);
};

function work({ memory, control: at, words, thread, threads, spinMilliseconds }: WorkerStart): void {
  const control = new Int32Array(memory.buffer, at, words.shares + threads * words.shareStride);
  const word = (index: number): number => Atomics.load(control, index) >>> 0;
  const busy = words.shares + thread * words.shareStride + words.busy;
  const kernels = new Map<number, Kernel>();
  let numbers = new Float64Array(memory.buffer);

  for (;;) {
    const phase = Atomics.load(control, words.phase);
    Atomics.store(control, busy, 1);
    for (let task = claim(); task !== undefined; task = claim()) {
      const count = word(words.count);
      try {
        runTask(task);
      } catch {
        Atomics.store(control, words.failed, 1);
      }
      if (Atomics.add(control, words.done, 1) === count - 1) Atomics.notify(control, words.done);
    }
    Atomics.store(control, busy, 0);
    waitForNext(phase);
  }

  /** The number of a task that is this thread's from here on: of its own share, else of another one. */
  function claim(): number | undefined {
    for (let i = 0; i < threads; i++) {
      const owner = (thread + i) % threads;
      const share = words.shares + owner * words.shareStride;
      for (let left = Atomics.load(control, share); left > 0; left = Atomics.load(control, share)) {
        if (Atomics.compareExchange(control, share, left, left - 1) !== left) continue;
        return Math.floor(((owner + 1) * word(words.count)) / word(words.threads)) - left;
      }
    }
    return undefined;
  }

  function waitForNext(phase: number): void {
    const end = performance.now() + spinMilliseconds;
    while (performance.now() < end) {
      for (let turn = 0; turn < 100; turn++) {
        if (Atomics.load(control, words.phase) !== phase) return;
      }
    }
    Atomics.wait(control, words.phase, phase);
  }

  /** A table as lib/device/cpu/tasks.ts writes it. */
  function runTask(index: number): void {
    const table = word(words.table) / 8;
    if (table >= numbers.length) seeAllMemory();
    const scratch = thread * word(words.scratchStride);
    let next = table + numberAt(table + index);
    for (let calls = numberAt(next++); calls > 0; calls--) {
      const kernel = kernelAt(numberAt(next++));
      const inScratch = numberAt(next++);
      const values: number[] = [];
      for (let left = numberAt(next++), bit = 1; left > 0; left--, bit *= 2) {
        values.push(numberAt(next++) + (inScratch & bit ? scratch : 0));
      }
      kernel(...values);
    }
  }

  function numberAt(index: number): number {
    return numbers[index] ?? NaN;
  }

  /** The kernel of a record [start of its module, bytes of it, index of the export]. */
  function kernelAt(record: number): Kernel {
    const known = kernels.get(record);
    if (known) return known;
    seeAllMemory();
    const [start = 0, bytes = 0, index = 0] = new Uint32Array(memory.buffer, record, 3);
    const module = new WebAssembly.Module(new Uint8Array(memory.buffer, start, bytes).slice());
    const { name = '' } = WebAssembly.Module.exports(module)[index] ?? {};
    const kernel = new WebAssembly.Instance(module, { env: { memory } }).exports[name] as Kernel;
    kernels.set(record, kernel);
    return kernel;
  }

  /** Another thread may have let the memory grow: growing it by nothing makes this one notice. */
  function seeAllMemory(): void {
    memory.grow(0);
    numbers = new Float64Array(memory.buffer);
  }
}
