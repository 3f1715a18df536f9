import { minimum, multiply, divide, add } from '../ops/pointwise/arithmetic.js';
import { clamp, sqrt, square } from '../ops/pointwise/math.js';
import { sum } from '../ops/reduce/sum.js';
import { checkArgument, list, number } from '../options.js';
import { tensor, type Tensor } from '../tensor.js';

/** Keeps a norm of 0 from being divided by: PyTorch's. */
const EPSILON = 1e-6;

/** What {@link clipGradNorm} gives. */
export interface ClippedGradients {
  /** In the order in which they were given. */
  readonly gradients: Tensor[];
  /** Their norm before: a scalar. */
  readonly norm: Tensor;
}

/**
 * Scales gradients down together where their norm, the root of the sum of all their squares, is above `maxNorm`: by
 * min(1, maxNorm / (norm + 1e-6)) (PyTorch: `clip_grad_norm_`; Keras: `global_clipnorm`). Throws OptionError unless `maxNorm` is a number
 * above 0.
 */
export function clipGradNorm(gradients: readonly Tensor[], maxNorm: number): ClippedGradients {
  checkClipping('clipGradNorm', gradients, 'maxNorm', maxNorm);
  if (gradients.length === 0) return { gradients: [], norm: tensor(0) };
  const squares = gradients.map((own) => sum(square(own)));
  const norm = sqrt(squares.reduce((total, own) => add(total, own)));
  const factor = minimum(divide(maxNorm, add(norm, EPSILON)), 1);
  return { gradients: gradients.map((own) => multiply(own, factor)), norm };
}

/** Keeps each element of gradients within ± maxValue (PyTorch: `clip_grad_value_`; Keras: `clipvalue`). Throws OptionError unless it is a number above 0. */
export function clipGradValue(gradients: readonly Tensor[], maxValue: number): Tensor[] {
  checkClipping('clipGradValue', gradients, 'maxValue', maxValue);
  return gradients.map((own) => clamp(own, { min: -maxValue, max: maxValue }));
}

function checkClipping(caller: string, gradients: readonly Tensor[], name: string, limit: number): void {
  checkArgument(caller, 'the gradients', gradients, list);
  checkArgument(caller, name, limit, number({ above: 0 }));
}
