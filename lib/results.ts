import { Tensor } from './tensor.js';

/** Gives results of compiled functions that have not been read yet arrays of their own, which no later call overwrites. */
export function keepResults(tensors: readonly Tensor[]): void {
  for (const tensor of tensors) tensor.origin = heldResult(tensor).origin;
}

/** The tensor, or, where it is a result of a compiled function, another one with its values, which no later call overwrites. */
export function heldResult(tensor: Tensor): Tensor {
  const { origin } = tensor;
  if (origin.kind !== 'stored' || !origin.isCurrent()) return tensor;
  return new Tensor(tensor, { kind: 'stored', array: origin.array.clone(), isCurrent: () => true });
}
