import { IterableWeakSet } from '../iterable-weak-set.js';
import type { TensorSpec } from '../graph/operation.js';
import type { DeviceArray } from './device.js';

/** A buffer this many times as large as what is asked for is left to others: who takes it keeps it from being freed. */
const TOO_LARGE = 8;

/** A buffer that programs take turns in. */
class SharedBuffer<Own extends DeviceArray> {
  readonly bytes: number;
  users = 0;
  readonly #allocate: (spec: TensorSpec) => Own;
  #array: Own | undefined;

  constructor(bytes: number, allocate: (spec: TensorSpec) => Own) {
    this.bytes = bytes;
    this.#allocate = allocate;
  }

  /** Allocated when it is first asked for. */
  get array(): Own {
    return (this.#array ??= this.#allocate({ shape: [this.bytes], dtype: 'u8' }));
  }

  release(): void {
    if (--this.users === 0) this.#array?.dispose();
  }
}

/** The buffers that one program takes turns in with others. */
export class Lease<Own extends DeviceArray> {
  #buffers: readonly SharedBuffer<Own>[];

  /** @internal */
  constructor(buffers: readonly SharedBuffer<Own>[]) {
    this.#buffers = buffers;
    for (const buffer of buffers) buffer.users++;
  }

  /** In the order in which they were asked for. Throws DeviceMemoryError where one is refused. */
  arrays(): readonly Own[] {
    return this.#buffers.map(({ array }) => array);
  }

  /** Gives them back, unless that has been done. Each is freed by the last one who does. */
  release(): void {
    for (const buffer of this.#buffers) buffer.release();
    this.#buffers = [];
  }
}

/**
 * The buffers for what the programs of a device compute in between. A device does one replay after the other, and none
 * reads what was left by the one before: so programs take turns in the same buffers, and all of them together need no more
 * than the one with the largest.
 *
 * A buffer belongs to those who have leased it: it goes with the last of them, also where they were forgotten.
 */
export class SharedBuffers<Own extends DeviceArray> {
  readonly #allocate: (spec: TensorSpec) => Own;
  readonly #buffers = new IterableWeakSet<SharedBuffer<Own>>();

  constructor(allocate: (spec: TensorSpec) => Own) {
    this.#allocate = allocate;
  }

  /** Buffers of so many bytes at least for one program, all of them different. Nothing is allocated yet. */
  lease(sizes: readonly number[]): Lease<Own> {
    const make = (bytes: number): SharedBuffer<Own> => {
      const buffer = new SharedBuffer(bytes, this.#allocate);
      this.#buffers.add(buffer);
      return buffer;
    };
    return new Lease(choose(sizes, this.#inUse(), make));
  }

  /** Bytes of the buffers that would be made if programs leased buffers of these sizes, in this order. */
  missing(programs: readonly (readonly number[])[]): number {
    const buffers: { readonly bytes: number }[] = this.#inUse();
    let missing = 0;
    for (const sizes of programs) {
      choose(sizes, [...buffers], (bytes) => {
        buffers.push({ bytes });
        missing += bytes;
        return { bytes };
      });
    }
    return missing;
  }

  #inUse(): SharedBuffer<Own>[] {
    return [...this.#buffers].filter(({ users }) => users > 0);
  }
}

/** For each size, the largest first, the smallest of the buffers that holds it, or a new one. */
function choose<Buffer extends { readonly bytes: number }>(
  sizes: readonly number[],
  buffers: readonly Buffer[],
  make: (bytes: number) => Buffer,
): readonly Buffer[] {
  const free = [...buffers].sort((a, b) => a.bytes - b.bytes);
  const largestFirst = sizes.map((bytes, at) => ({ bytes, at })).sort((a, b) => b.bytes - a.bytes);
  const chosen = largestFirst.map(({ bytes, at }) => {
    const index = free.findIndex((buffer) => buffer.bytes >= bytes && buffer.bytes < TOO_LARGE * bytes);
    const [found] = index < 0 ? [] : free.splice(index, 1);
    return { at, buffer: found ?? make(bytes) };
  });
  return chosen.sort((a, b) => a.at - b.at).map(({ buffer }) => buffer);
}
