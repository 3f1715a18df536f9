import { normalizeAxes } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { multiply, subtract } from '../pointwise/arithmetic.js';
import { square } from '../pointwise/math.js';
import type { ReduceOptions } from './reduce.js';
import { mean } from './sum.js';

/**
 * Variance over axes: mean((x - mean(x))²), in two passes, so that a large mean does not cost the digits.
 * `unbiased` divides by n - 1 in place of n (PyTorch's default; the default here is false, as in Keras and NumPy).
 */
export function variance(input: TensorLike, options: ReduceOptions & { readonly unbiased?: boolean } = {}): Tensor {
  const value = asTensor(input);
  const axes = normalizeAxes('variance', options.axes, value.shape);
  const deviations = square(subtract(value, mean(value, { axes, keepDims: true })));
  const biased = mean(deviations, { ...options, axes });
  if (!options.unbiased) return biased;
  const count = axes.reduce((product, axis) => product * (value.shape[axis] ?? 1), 1);
  return multiply(biased, count / (count - 1));
}
