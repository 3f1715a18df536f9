import type { Tensor } from '../../tensor.js';
import type { Variable } from '../../variable.js';
import { add, multiply } from '../pointwise/arithmetic.js';

/** average = (1 - momentum) · average + momentum · scale · value, in place (PyTorch counts the momentum of batch norm so). */
export function moveAverage(
  average: Variable,
  value: Tensor,
  { momentum, scale = 1 }: { readonly momentum: number; readonly scale?: number },
): void {
  average.assign(add(multiply(average.value, 1 - momentum), multiply(value, momentum * scale)));
}
