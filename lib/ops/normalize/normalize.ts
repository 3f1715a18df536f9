import type { Tensor, TensorLike } from '../../tensor.js';
import { add, multiply, subtract } from '../pointwise/arithmetic.js';
import { reciprocal, sqrt } from '../pointwise/math.js';

/** What values are normalized by, each broadcast to them. */
export interface NormalizedBy {
  readonly mean: TensorLike;
  readonly variance: TensorLike;
  readonly weight: TensorLike;
  readonly bias: TensorLike;
  readonly epsilon: number;
}

/** (input - mean) / √(variance + epsilon) · weight + bias. */
export function normalize(input: Tensor, { mean, variance, weight, bias, epsilon }: NormalizedBy): Tensor {
  const inverse = reciprocal(sqrt(add(variance, epsilon)));
  return add(multiply(multiply(subtract(input, mean), inverse), weight), bias);
}
