import { OptionError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { mean, sum } from '../reduce/sum.js';

/** What becomes of the losses of the rows: their mean, their sum, or each on its own. */
export type Reduction = 'mean' | 'sum' | 'none';

/** @internal Throws OptionError for another word. */
export function checkReduction(operation: string, reduction: string = 'mean'): Reduction {
  if (reduction !== 'mean' && reduction !== 'sum' && reduction !== 'none') {
    throw new OptionError(`${operation}: reduction is 'mean', 'sum' or 'none', not '${reduction}'`);
  }
  return reduction;
}

/** @internal Applies a reduction whose mean divides by the number of losses. */
export function reduceLosses(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? sum(losses) : mean(losses);
}
