import { ShapeError } from '../../errors.js';
import { oneOf, type OptionRules } from '../../options.js';
import { axisSize, formatShape, sameShape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { reshape } from '../moving/reshape.js';
import { divide, maximum, multiply } from '../pointwise/arithmetic.js';
import { mean, sum } from '../reduce/sum.js';

/** What becomes of the losses of the rows: their mean, their sum, or each on its own. */
export type Reduction = 'mean' | 'sum' | 'none';

/** Options of losses of equal shapes. */
export interface ReductionOptions {
  /** Default `mean`, over all elements. */
  readonly reduction?: Reduction;
  /**
   * How much each example counts, f32 [N], numbers of 0 or more (Keras: `sample_weight`): a loss is multiplied by the weight of
   * its example, and `mean` is Σ weight · loss / Σ weight; 0 where all weights are. Keras divides by the number of examples
   * instead, whatever the weights.
   */
  readonly weights?: TensorLike | undefined;
}

/** @internal Rules of {@link ReductionOptions}; the weights are checked beside the number of examples. */
export const REDUCTION_RULES: OptionRules<ReductionOptions> = {
  reduction: oneOf('mean', 'sum', 'none'),
  weights: { expected: 'a tensor', accepts: () => true },
};

/** The least that a mean is divided by, so that it is 0 where all weights are. */
const TINY = 2 ** -100;

/** @internal Applies a reduction whose mean divides by the number of losses, or by the weights of the examples [N, ..]. */
export function reduceLosses(name: string, losses: Tensor, { reduction = 'mean', weights }: ReductionOptions): Tensor {
  if (weights !== undefined) return reduceWeighted(losses, exampleWeights(name, losses, weights), reduction);
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? sum(losses) : mean(losses);
}

function reduceWeighted(losses: Tensor, weights: Tensor, reduction: Reduction): Tensor {
  const weighted = multiply(losses, weights);
  if (reduction === 'none') return weighted;
  const total = sum(weighted);
  if (reduction === 'sum') return total;
  return weightedMean(total, multiply(sum(weights), losses.size / Math.max(weights.size, 1)));
}

/** @internal Σ weight · loss / Σ weight, of the sums; 0 where all weights are. */
export function weightedMean(losses: Tensor, weights: Tensor): Tensor {
  return divide(losses, maximum(weights, TINY));
}

/** @internal Weights of examples as [N, 1, ..], of as many axes as the losses have. Throws ShapeError unless they are f32 [N]. */
export function exampleWeights(name: string, losses: Tensor, given: TensorLike): Tensor {
  const weights = asTensor(name, 'weights', given);
  const N = losses.rank === 0 ? 1 : axisSize(losses.shape, 0);
  if (weights.dtype !== 'f32' || !sameShape(weights.shape, [N])) {
    throw new ShapeError(
      `${name}: weights must be f32 [${N}], one an example, found ${weights.dtype} ${formatShape(weights.shape)}`,
    );
  }
  return reshape(weights, [N, ...losses.shape.slice(1).map(() => 1)]);
}
