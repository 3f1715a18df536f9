import { DeviceError } from '../../errors.js';
import type { DType, NumericArray, TensorSpec } from '../../graph/operation.js';
import type { FusionTarget } from '../../fusion/stage.js';
import { type Program, storedElements } from '../../graph/program.js';
import { formatShape } from '../../shape.js';
import type { Device, DeviceArray, DeviceInfo, DeviceMemory, PreparedProgram } from '../device.js';
import { placedBytes, sharedSlotBytes } from '../places.js';
import { checkRoom } from '../room.js';
import { SharedBuffers } from '../shared-buffers.js';
import { CpuArray } from './array.js';
import { CpuExecutable } from './executable.js';
import { blockBytes, Heap, MAX_HEAP_BYTES } from './heap.js';
import { canShareMemory } from './host.js';
import { simdProgram } from './place-simd.js';
import { hasSimd, SimdKernels } from './simd.js';
import { ThreadPool } from './threads.js';

/**
 * What a CPU device computes with: `simd`, WebAssembly SIMD kernels where an operation has one and the engine has SIMD;
 * `reference`, plain TypeScript loops that accumulate in float64; `float64`, those with float64 storage in place of
 * float32, for checking gradients by finite differences.
 */
export type CpuPath = 'simd' | 'reference' | 'float64';

/** How a CPU device is made. */
export interface CpuDeviceOptions {
  /** Why this device was chosen, for `info`. */
  readonly reason: string;
  /** Default `reference`. */
  readonly path?: CpuPath;
  /** How many threads run SIMD kernels; one where memory cannot be shared. Default 1. */
  readonly threads?: number;
  /** How many bytes its buffers may take. Default: the 4 GiB that its memory can have. */
  readonly memoryLimit?: number | undefined;
}

const DESCRIPTIONS: Readonly<Record<CpuPath, string>> = {
  simd: 'CPU, WebAssembly SIMD',
  reference: 'CPU, TypeScript reference',
  float64: 'CPU, TypeScript reference in float64',
};

/** Runs operations on the CPU, one after the other, in memory of its own; the parts of one on several threads. */
export class CpuDevice implements Device {
  readonly heap: Heap;
  readonly simd: SimdKernels;
  readonly pool: ThreadPool;
  readonly #shared = new SharedBuffers<CpuArray>((spec) => this.allocate(spec));
  readonly #path: CpuPath;
  readonly #reason: string;
  readonly #memoryLimit: number;
  readonly #account = { used: 0 };

  constructor(options: CpuDeviceOptions) {
    const { path = 'reference', threads = 1, memoryLimit = Infinity } = options;
    this.#memoryLimit = Math.min(memoryLimit, MAX_HEAP_BYTES);
    this.#reason = options.reason;
    this.#path = path === 'simd' && !hasSimd() ? 'reference' : path;
    this.heap = new Heap(this.usesSimd && threads > 1 && canShareMemory());
    this.simd = new SimdKernels(this.heap);
    this.pool = new ThreadPool(this.heap, this.heap.isShared ? threads : 1);
  }

  /** The threads are those that were asked for, until it shows that workers may not start. */
  get info(): DeviceInfo {
    const { threads } = this.pool;
    const count = this.usesSimd ? `, ${threads} thread${threads > 1 ? 's' : ''}` : '';
    return {
      kind: 'cpu',
      description: DESCRIPTIONS[this.#path] + count,
      threads,
      software: false,
      reason: this.#reason,
    };
  }

  /** The memory stays as long as anything refers to it. */
  get isLost(): boolean {
    return false;
  }

  get fusion(): FusionTarget | undefined {
    return this.usesSimd ? { kernels: 'simd', maxStorageBuffers: Infinity } : undefined;
  }

  /** Whether operations run on their SIMD kernels where they have one. */
  get usesSimd(): boolean {
    return this.#path === 'simd';
  }

  get memory(): DeviceMemory {
    return { used: this.#account.used, limit: this.#memoryLimit };
  }

  elementsOf(spec: TensorSpec): number {
    return storedElements(spec);
  }

  bytesOf(spec: TensorSpec): number {
    return blockBytes(CpuArray.bytesOf(spec, this.#elementBytes(spec.dtype)));
  }

  #elementBytes(dtype: DType): number {
    if (dtype === 'u8') return 1;
    return this.#path === 'float64' ? 8 : 4;
  }

  missingBytes(shared: readonly (readonly number[])[]): number {
    return this.#shared.missing(shared);
  }

  allocate(spec: TensorSpec): CpuArray {
    const bytes = this.bytesOf(spec);
    checkRoom(this, bytes, `a tensor ${formatShape(spec.shape)}`);
    const { heap } = this;
    const start = heap.allocate(bytes);
    const account = this.#account;
    account.used += bytes;
    return new CpuArray(this, spec, start, () => {
      heap.release(start, bytes);
      account.used -= bytes;
    });
  }

  prepare(program: Program): PreparedProgram {
    const simd = simdProgram(this, program);
    const { threads } = this.pool;
    const bytes = (words: number): number => (words === 0 ? 0 : this.bytesOf({ shape: [words], dtype: 'u32' }));
    const blocks = {
      slots: sharedSlotBytes(this, program),
      scratch: bytes((simd.scratchStride / 4) * threads),
      shared: bytes(simd.sharedBytes / 4),
    };
    // One block of the heap: they lie in it one behind the other.
    const all = [...blocks.slots, blocks.scratch, blocks.shared].reduce((sum, own) => sum + own, 0);
    const shared = all === 0 ? [] : [all];
    return {
      memory: {
        ...placedBytes(this, program),
        scratch: blocks.scratch + blocks.shared,
        arguments: bytes(threads > 1 ? 2 * simd.tableLength : 0),
      },
      shared,
      load: async (variables) => {
        const lease = this.#shared.lease(shared);
        try {
          return await CpuExecutable.load(this, program, simd, variables(), { lease, ...blocks });
        } catch (error) {
          lease.release();
          throw error;
        }
      },
    };
  }

  enableTuning(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  finished(): Promise<void> {
    return Promise.resolve();
  }

  dispose(): void {
    // The heap goes when nothing refers to the device any more.
    this.pool.stop();
  }

  /** The elements at an address; valid until the heap grows. */
  elements(dtype: DType, start: number, count: number): NumericArray {
    return this.heap.view(dtype, start, count, this.#path === 'float64');
  }

  own(array: DeviceArray): CpuArray {
    if (array instanceof CpuArray && array.device === this) return array;
    throw new DeviceError('an array of another device was given to this CPU device');
  }
}
