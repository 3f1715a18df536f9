import { boolean, checkOptions, type OptionRules } from '../../options.js';
import { normalizeAxes } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { multiply } from '../pointwise/arithmetic.js';
import { moments } from './moments.js';
import { countOf, REDUCE_RULES, type ReduceOptions } from './reduce.js';

/** Options of {@link variance}. */
export interface VarianceOptions extends ReduceOptions {
  /** Divide by n - 1 in place of n. Default false. */
  readonly unbiased?: boolean;
}

const RULES: OptionRules<VarianceOptions> = { ...REDUCE_RULES, unbiased: boolean };

/**
 * Variance over axes: mean((x - mean(x))²); see {@link moments}.
 * `unbiased` divides by n - 1 in place of n (PyTorch's default; the default here is false, as in Keras and NumPy).
 */
export function variance(input: TensorLike, options: VarianceOptions = {}): Tensor {
  checkOptions('variance', options, RULES);
  const { unbiased = false, keepDims = false } = options;
  const value = asTensor('variance', 'input', input);
  const axes = normalizeAxes('variance', options.axes, value.shape);
  const { variance: biased } = moments(value, { axes, keepDims });
  if (!unbiased) return biased;
  const count = countOf(value.shape, axes);
  return multiply(biased, count / (count - 1));
}
