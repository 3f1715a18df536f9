import type { Tensor } from '../tensor.js';
import { type GraphNode, outputKey, storageOf } from './node.js';
import type { TensorSpec } from './operation.js';

/** A buffer of the pool. */
export interface PlannedSlot {
  /** Number of elements of f32 that it has room for. */
  readonly elements: number;
  /** Whether a result lies in it when a replay is over: what is in the others is nobody's concern then. */
  readonly isResult: boolean;
}

/** Which buffer of the pool holds each computed tensor. */
export interface MemoryPlan {
  readonly slots: readonly PlannedSlot[];
  slotOf(node: GraphNode, output: number): number;
}

/** Of the buffers so many are looked at, the smallest ones, so that a plan takes a time in proportion to the graph. */
const CANDIDATES = 512;

interface Lifetime {
  readonly elements: number;
  readonly first: number;
  last: number;
}

/**
 * Lays out what the nodes compute, by liveness: a buffer is taken again once nothing reads it any more. The pool holds
 * separate buffers, not one arena, because WebGPU forbids one buffer to be read and written in the same dispatch.
 * Outputs keep their buffer to the end. Aliases live in the storage of what they alias; updates in their variable's.
 *
 * The largest tensor comes first (greedy by size, Pisarchyk and Lee 2020): each takes the smallest buffer that nothing needs
 * in its time, so that what lives long does not hold on to a buffer that is too large for it.
 *
 * @param elementsOf how many elements of f32 have room in the buffer of a tensor
 */
export function planMemory(
  nodes: readonly GraphNode[],
  outputs: readonly Tensor[],
  elementsOf: (spec: TensorSpec) => number,
): MemoryPlan {
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
      lifetimes.set(outputKey(node, index), { elements: elementsOf(spec), first: step, last: step });
    });
  });
  for (const output of outputs) extend(output, Infinity);

  const slots: Slot[] = [];
  const assigned = new Map<string, number>();
  const bySize = [...lifetimes].sort(([, a], [, b]) => b.elements - a.elements || a.first - b.first);
  for (const [key, lifetime] of bySize) {
    let index = slots.length - 1;
    const end = Math.max(0, slots.length - CANDIDATES);
    while (index >= end && slots[index]?.isFree(lifetime) !== true) index--;
    if (index < end) index = slots.push(new Slot(lifetime.elements)) - 1;
    slots[index]?.take(lifetime);
    assigned.set(key, index);
  }
  return {
    slots: slots.map(({ elements, isResult }) => ({ elements, isResult })),
    slotOf(node, output) {
      const slot = assigned.get(outputKey(node, output));
      if (slot === undefined) throw new Error(`${node.operation.name} has no place in the memory plan`);
      return slot;
    },
  };
}

/** A buffer, and when it is needed. */
class Slot {
  readonly elements: number;
  /** In order of time; none overlap. */
  readonly #taken: Lifetime[] = [];

  constructor(elements: number) {
    this.elements = elements;
  }

  get isResult(): boolean {
    return this.#taken.at(-1)?.last === Infinity;
  }

  /** Whether nothing needs it in that time. */
  isFree({ first, last }: Lifetime): boolean {
    const before = this.#taken[this.#placeOf(first) - 1];
    const behind = this.#taken[this.#placeOf(first)];
    return (!before || before.last < first) && (!behind || behind.first > last);
  }

  take(lifetime: Lifetime): void {
    this.#taken.splice(this.#placeOf(lifetime.first), 0, lifetime);
  }

  /** How many lifetimes have begun before a step, or in it. */
  #placeOf(step: number): number {
    let [from, to] = [0, this.#taken.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#taken[middle]?.first ?? Infinity) <= step) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** The node output whose buffer a tensor lives in; undefined for leaves and for what lives in a variable. */
export function ownerOf(tensor: Tensor): string | undefined {
  const { origin } = storageOf(tensor);
  if (origin.kind !== 'node' || origin.node.operation.writes?.[origin.index] !== undefined) return undefined;
  return outputKey(origin.node, origin.index);
}
