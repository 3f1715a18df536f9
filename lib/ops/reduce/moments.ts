import { checkOptions } from '../../options.js';
import { normalizeAxes } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { subtract } from '../pointwise/arithmetic.js';
import { square } from '../pointwise/math.js';
import { REDUCE_RULES, type ReduceOptions } from './reduce.js';
import { mean } from './sum.js';

/** Mean and variance of the same elements. */
export interface Moments {
  readonly mean: Tensor;
  /** Biased: divided by n. */
  readonly variance: Tensor;
}

/**
 * Mean and biased variance over axes: Σ x / n and Σ (x - mean)² / n (PyTorch: `var_mean` with `unbiased=False`; Keras:
 * `ops.moments`). Never E[x²] - E[x]², which a large mean would cost its digits. NaN over an empty axis.
 */
export function moments(input: TensorLike, options: ReduceOptions = {}): Moments {
  checkOptions('moments', options, REDUCE_RULES);
  const value = asTensor('moments', 'input', input);
  const axes = normalizeAxes('moments', options.axes, value.shape);
  const { keepDims = false } = options;
  const deviations = square(subtract(value, mean(value, { axes, keepDims: true })));
  return { mean: mean(value, { axes, keepDims }), variance: mean(deviations, { axes, keepDims }) };
}
