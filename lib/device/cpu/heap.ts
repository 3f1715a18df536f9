import { DeviceMemoryError } from '../../errors.js';
import type { DType, NumericArray } from '../../graph/operation.js';

/** Start of every block: a cache line, so that vectors are aligned and panels do not share lines. */
const ALIGNMENT = 64;
const PAGE = 65_536;
/** WebAssembly addresses 4 GiB. */
const MAX_PAGES = 65_536;
export const MAX_HEAP_BYTES = MAX_PAGES * PAGE;

/** Bytes of the block for so many: whole lines, and one at least. */
export function blockBytes(bytes: number): number {
  return Math.ceil(Math.max(bytes, 1) / ALIGNMENT) * ALIGNMENT;
}

interface Block {
  readonly start: number;
  readonly bytes: number;
}

/**
 * The memory of a CPU device: one WebAssembly memory, so that kernels and TypeScript see the same bytes. Blocks are
 * given out first-fit; the memory grows when none is free. Growing replaces `memory.buffer`, which ends all views of
 * it: whoever keeps views compares `generation`. (Views of a shared memory stay, but do not see what was added.)
 */
export class Heap {
  readonly memory: WebAssembly.Memory;
  /** Whether worker threads can see it. */
  readonly isShared: boolean;
  #free: Block[];
  #pages = 16;
  /** Counts how often the memory has grown. */
  generation = 0;

  /** @param share asks for memory that threads can share; where the engine has no room for it, it is not shared */
  constructor(share = false) {
    const sizes = { initial: this.#pages, maximum: MAX_PAGES };
    const shared = share ? sharedMemory(sizes) : undefined;
    this.memory = shared ?? new WebAssembly.Memory(sizes);
    this.isShared = shared !== undefined;
    // The first line stays unused: no block starts at 0. So does the last one, into which vectors reach that begin in a block.
    this.#free = [{ start: ALIGNMENT, bytes: this.#pages * PAGE - 2 * ALIGNMENT }];
  }

  /** The start of a block of at least `bytes` zeros. Throws DeviceMemoryError where 4 GiB are used up. */
  allocate(bytes: number): number {
    const size = blockBytes(bytes);
    let index = this.#free.findIndex((block) => block.bytes >= size);
    if (index < 0) index = this.#grow(size);
    const block = this.#free[index];
    if (!block) throw new Error('the heap grew by too little');
    if (block.bytes === size) this.#free.splice(index, 1);
    else this.#free[index] = { start: block.start + size, bytes: block.bytes - size };
    new Uint8Array(this.memory.buffer, block.start, size).fill(0);
    return block.start;
  }

  /** The start of a new block with these bytes. */
  place(bytes: Uint8Array): number {
    const start = this.allocate(bytes.length);
    new Uint8Array(this.memory.buffer, start, bytes.length).set(bytes);
    return start;
  }

  /** Gives a block back, by the start and the size it was asked for. */
  release(start: number, bytes: number): void {
    this.#addFree({ start, bytes: blockBytes(bytes) });
  }

  #addFree(given: Block): void {
    const after = this.#free.findIndex((block) => block.start > given.start);
    const at = after < 0 ? this.#free.length : after;
    this.#free.splice(at, 0, given);
    this.#merge(at);
    if (at > 0) this.#merge(at - 1);
  }

  /** The numbers of a block; valid until the memory grows. */
  view(dtype: DType, start: number, elements: number, float64: boolean): NumericArray {
    const { buffer } = this.memory;
    if (dtype === 'i32') return new Int32Array(buffer, start, elements);
    if (dtype === 'u32') return new Uint32Array(buffer, start, elements);
    if (dtype === 'u8') return new Uint8Array(buffer, start, elements);
    return float64 ? new Float64Array(buffer, start, elements) : new Float32Array(buffer, start, elements);
  }

  /** Joins a free block with its neighbour where they touch. */
  #merge(index: number): void {
    const [block, next] = [this.#free[index], this.#free[index + 1]];
    if (!block || !next || block.start + block.bytes !== next.start) return;
    this.#free.splice(index, 2, { start: block.start, bytes: block.bytes + next.bytes });
  }

  /** Grows by half and more, so that growing stays rare, or by as much as it must; returns the index of the free block at the end. */
  #grow(bytes: number): number {
    const least = Math.ceil(bytes / PAGE);
    const wanted = Math.min(Math.max(least, Math.ceil(this.#pages / 2)), MAX_PAGES - this.#pages);
    const pages = [wanted, least].find((count) => count >= least && this.#hasGrown(count));
    if (pages === undefined) throw outOfMemory(bytes);
    this.generation++;
    this.#addFree({ start: this.#pages * PAGE - ALIGNMENT, bytes: pages * PAGE });
    this.#pages += pages;
    return this.#free.length - 1;
  }

  /** Whether the machine gives so many pages more. */
  #hasGrown(pages: number): boolean {
    try {
      this.memory.grow(pages);
      return true;
    } catch {
      return false;
    }
  }
}

/** Shared memory takes its maximum of addresses at once, which not every device has. */
function sharedMemory(sizes: { readonly initial: number; readonly maximum: number }): WebAssembly.Memory | undefined {
  try {
    return new WebAssembly.Memory({ ...sizes, shared: true });
  } catch {
    return undefined;
  }
}

function outOfMemory(bytes: number): DeviceMemoryError {
  return new DeviceMemoryError(`the CPU device has no ${bytes} bytes left: its WebAssembly memory ends at 4 GiB`);
}
