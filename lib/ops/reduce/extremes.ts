import { applyOne } from '../../graph/node.js';
import type { GradientCall } from '../../graph/operation.js';
import type { Tensor, TensorLike } from '../../tensor.js';
import { divide, equal, multiply } from '../pointwise/arithmetic.js';
import { defineReduce, reduce, type ReduceAttributes, type ReduceOptions } from './reduce.js';
import { sumOperation } from './sum.js';

const maxOperation = defineReduce({
  name: 'max',
  neutral: -Infinity,
  combine: Math.max,
  wgsl: 'fn combine(a: f32, b: f32) -> f32 { return maximumOf(a, b); }\nfn neutral(any: f32) -> f32 { return -infinity(any); }',
  gradient: sharedAmongEqual,
});

const minOperation = defineReduce({
  name: 'min',
  neutral: Infinity,
  combine: Math.min,
  wgsl: 'fn combine(a: f32, b: f32) -> f32 { return minimumOf(a, b); }\nfn neutral(any: f32) -> f32 { return infinity(any); }',
  gradient: sharedAmongEqual,
});

/** The gradient goes to the extreme elements, in equal shares where there are several (PyTorch: amax, amin). */
function sharedAmongEqual({
  inputs: [input],
  outputs: [output],
  outputGradients: [dOutput],
  attributes: { axes },
}: GradientCall<ReduceAttributes>): readonly Tensor[] {
  if (!input || !output || !dOutput) return [];
  const isExtreme = equal(input, output);
  const count = applyOne(sumOperation, [isExtreme], { axes, scale: 1 });
  return [multiply(isExtreme, divide(dOutput, count))];
}

/**
 * Largest value over axes; NaN where any is NaN, -Infinity over an empty axis. The gradient is divided equally among
 * the largest elements (PyTorch: `amax`; `max(dim)` there picks one).
 */
export function max(input: TensorLike, options: ReduceOptions = {}): Tensor {
  return reduce(maxOperation, input, options);
}

/** Smallest value over axes; like {@link max}. */
export function min(input: TensorLike, options: ReduceOptions = {}): Tensor {
  return reduce(minOperation, input, options);
}

export const extremeOperations = [maxOperation, minOperation];
