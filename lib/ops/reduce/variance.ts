import { boolean, checkOptions, type OptionRules } from '../../options.js';
import { normalizeAxes } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { multiply, subtract } from '../pointwise/arithmetic.js';
import { square } from '../pointwise/math.js';
import { countOf, REDUCE_RULES, type ReduceOptions } from './reduce.js';
import { mean } from './sum.js';

/** Options of {@link variance}. */
export interface VarianceOptions extends ReduceOptions {
  /** Divide by n - 1 in place of n. Default false. */
  readonly unbiased?: boolean;
}

const RULES: OptionRules<VarianceOptions> = { ...REDUCE_RULES, unbiased: boolean };

/**
 * Variance over axes: mean((x - mean(x))²), in two passes, so that a large mean does not cost the digits.
 * `unbiased` divides by n - 1 in place of n (PyTorch's default; the default here is false, as in Keras and NumPy).
 */
export function variance(input: TensorLike, options: VarianceOptions = {}): Tensor {
  checkOptions('variance', options, RULES);
  const { unbiased = false, keepDims = false } = options;
  const value = asTensor('variance', 'input', input);
  const axes = normalizeAxes('variance', options.axes, value.shape);
  const deviations = square(subtract(value, mean(value, { axes, keepDims: true })));
  const biased = mean(deviations, { axes, keepDims });
  if (!unbiased) return biased;
  const count = countOf(value.shape, axes);
  return multiply(biased, count / (count - 1));
}
