import { oneOf, type OptionRules } from '../../options.js';
import type { Tensor } from '../../tensor.js';
import { mean, sum } from '../reduce/sum.js';

/** What becomes of the losses of the rows: their mean, their sum, or each on its own. */
export type Reduction = 'mean' | 'sum' | 'none';

/** Options of losses of equal shapes. */
export interface ReductionOptions {
  /** Default `mean`, over all elements. */
  readonly reduction?: Reduction;
}

/** @internal Rules of {@link ReductionOptions}. */
export const REDUCTION_RULES: OptionRules<ReductionOptions> = { reduction: oneOf('mean', 'sum', 'none') };

/** @internal Applies a reduction whose mean divides by the number of losses. */
export function reduceLosses(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? sum(losses) : mean(losses);
}
