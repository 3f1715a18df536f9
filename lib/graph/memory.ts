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

  const slots: { elements: number; freeFrom: number }[] = [];
  const assigned = new Map<string, number>();
  for (const [key, { elements, first, last }] of lifetimes) {
    let best: number | undefined;
    slots.forEach((slot, index) => {
      if (slot.freeFrom > first) return;
      const current = best === undefined ? undefined : slots[best];
      if (!current || fitsBetter(slot.elements, current.elements, elements)) best = index;
    });
    best ??= slots.push({ elements, freeFrom: 0 }) - 1;
    const slot = slots[best];
    if (slot) {
      slot.elements = Math.max(slot.elements, elements);
      slot.freeFrom = last + 1;
    }
    assigned.set(key, best);
  }
  return {
    slots: slots.map(({ elements }) => ({ elements })),
    slotOf(node, output) {
      const slot = assigned.get(outputKey(node, output));
      if (slot === undefined) throw new Error(`${node.operation.name} has no place in the memory plan`);
      return slot;
    },
  };
}

function fitsBetter(candidate: number, current: number, elements: number): boolean {
  const fits = candidate >= elements;
  if (fits !== current >= elements) return fits;
  return fits ? candidate < current : candidate > current;
}

/** The node output whose buffer a tensor lives in; undefined for leaves and for what lives in a variable. */
export function ownerOf(tensor: Tensor): string | undefined {
  const { origin } = storageOf(tensor);
  if (origin.kind !== 'node' || origin.node.operation.writes?.[origin.index] !== undefined) return undefined;
  return outputKey(origin.node, origin.index);
}
