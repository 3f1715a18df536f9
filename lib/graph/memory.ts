import { sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { type GraphNode, outputKey, storageOf } from './node.js';

/** Which buffer of the pool holds each computed tensor. */
export interface MemoryPlan {
  /** Number of elements (of 4 bytes at most) of each buffer. */
  readonly slots: readonly { readonly elements: number }[];
  slotOf(node: GraphNode, output: number): number;
}

interface Lifetime {
  readonly elements: number;
  readonly first: number;
  last: number;
}

/**
 * Lays out what the nodes compute, by liveness: a buffer is taken again once nothing reads it any more. The pool holds
 * separate buffers, not one arena, because WebGPU forbids one buffer to be read and written in the same dispatch.
 * Best fit: a tensor takes the smallest free buffer that holds it, or grows the largest free one.
 * Outputs keep their buffer to the end. Aliases live in the storage of what they alias; updates in their variable's.
 */
export function planMemory(nodes: readonly GraphNode[], outputs: readonly Tensor[]): MemoryPlan {
  const lifetimes = new Map<string, Lifetime>();
  const extend = (tensor: Tensor, until: number): void => {
    const owner = ownerOf(tensor);
    const lifetime = owner && lifetimes.get(owner);
    if (lifetime) lifetime.last = Math.max(lifetime.last, until);
  };
  nodes.forEach((node, step) => {
    for (const input of node.inputs) extend(input, step);
    if (node.operation.alias) return;
    node.specs.forEach((spec, index) => {
      if (node.operation.writes?.[index] !== undefined) return;
      lifetimes.set(outputKey(node, index), { elements: Math.max(1, sizeOf(spec.shape)), first: step, last: step });
    });
  });
  for (const output of outputs) extend(output, Infinity);

  const pool = new Pool();
  const assigned = new Map<string, number>();
  const ending: number[][] = nodes.map(() => []);
  let step = 0;
  for (const [key, { elements, first, last }] of lifetimes) {
    for (; step < first; step++) ending[step]?.forEach((slot) => pool.release(slot));
    const slot = pool.take(elements);
    ending[last]?.push(slot);
    assigned.set(key, slot);
  }
  return {
    slots: pool.sizes.map((elements) => ({ elements })),
    slotOf(node, output) {
      const slot = assigned.get(outputKey(node, output));
      if (slot === undefined) throw new Error(`${node.operation.name} has no place in the memory plan`);
      return slot;
    },
  };
}

/** Slots, of which the free ones are kept in order of their size, and of their number where that is the same. */
class Pool {
  /** Number of elements of each slot. */
  readonly sizes: number[] = [];
  readonly #free: number[] = [];

  /** The smallest free slot that holds so many elements, else the largest one, which grows, else a new one. */
  take(elements: number): number {
    let at = this.#place(elements);
    if (at === this.#free.length) at = this.#place(this.#sizeOf(this.#free.at(-1)));
    const [slot = this.sizes.push(elements) - 1] = this.#free.splice(at, 1);
    this.sizes[slot] = Math.max(this.#sizeOf(slot), elements);
    return slot;
  }

  release(slot: number): void {
    this.#free.splice(this.#place(this.#sizeOf(slot), slot), 0, slot);
  }

  /** How many free slots come before one of that size and number. */
  #place(size: number, slot = -1): number {
    let [from, to] = [0, this.#free.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const [other, otherSize] = [this.#free[middle] ?? NaN, this.#sizeOf(this.#free[middle])];
      if (otherSize < size || (otherSize === size && other < slot)) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #sizeOf(slot: number | undefined): number {
    return this.sizes[slot ?? -1] ?? 0;
  }
}

/** The node output whose buffer a tensor lives in; undefined for leaves and for what lives in a variable. */
export function ownerOf(tensor: Tensor): string | undefined {
  const { origin } = storageOf(tensor);
  if (origin.kind !== 'node' || origin.node.operation.writes?.[origin.index] !== undefined) return undefined;
  return outputKey(origin.node, origin.index);
}
