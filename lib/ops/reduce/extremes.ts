import { extremesWgsl } from '../../generated/wgsl.js';
import { applyOne } from '../../graph/node.js';
import type { Tensor, TensorLike } from '../../tensor.js';
import { divide, equal, multiply } from '../pointwise/arithmetic.js';
import { defineReduce, reduce, type ReduceGradient, type ReduceOptions } from './reduce.js';
import { sumOperation } from './sum.js';

/** The gradient goes to the extreme elements, in equal shares where there are several (PyTorch: amax, amin). */
const sharedAmongEqual: ReduceGradient = ({
  inputs: { input },
  outputs: { output },
  outputGradients,
  attributes: { axes },
}) => {
  const isExtreme = equal(input, output);
  const count = applyOne(sumOperation, [isExtreme], { axes, scale: 1 });
  return { input: multiply(isExtreme, divide(outputGradients.output, count)) };
};

const maxOperation = defineReduce({
  name: 'max',
  neutral: -Infinity,
  combine: Math.max,
  wgsl: {
    f32: { sources: [extremesWgsl], combine: 'largerOf(a, b)', neutral: '-infinity(any)' },
    i32: { combine: 'max(a, b)', neutral: 'i32(-2147483648)' },
    u32: { combine: 'max(a, b)', neutral: '0u' },
  },
  wat: { name: 'max' },
  gradient: sharedAmongEqual,
});

const minOperation = defineReduce({
  name: 'min',
  neutral: Infinity,
  combine: Math.min,
  wgsl: {
    f32: { sources: [extremesWgsl], combine: 'smallerOf(a, b)', neutral: 'infinity(any)' },
    i32: { combine: 'min(a, b)', neutral: '2147483647i' },
    u32: { combine: 'min(a, b)', neutral: '4294967295u' },
  },
  wat: { name: 'max', sign: -1 },
  gradient: sharedAmongEqual,
});

/**
 * Largest value over axes; NaN where any is NaN; over an empty axis -Infinity, of integers the smallest there is. The
 * gradient is divided equally among the largest elements (PyTorch: `amax`; `max(dim)` there picks one).
 */
export function max(input: TensorLike, options: ReduceOptions = {}): Tensor {
  return reduce(maxOperation, input, options);
}

/** Smallest value over axes; like {@link max}. */
export function min(input: TensorLike, options: ReduceOptions = {}): Tensor {
  return reduce(minOperation, input, options);
}

export const extremeOperations = [maxOperation, minOperation];
