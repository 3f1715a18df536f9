import { ShapeError } from '../../errors.js';
import { number, type OptionRules, wholeNumber } from '../../options.js';
import { axisSize, formatShape, sameShape, type Shape, sizeOf } from '../../shape.js';
import { asTensor, tensor, type Tensor, type TensorLike } from '../../tensor.js';
import { reshape } from '../moving/reshape.js';
import { transpose } from '../moving/transpose.js';
import { divide, multiply } from '../pointwise/arithmetic.js';
import { sum } from '../reduce/sum.js';
import {
  exampleWeights,
  REDUCTION_RULES,
  type Reduction,
  reduceLosses,
  type ReductionOptions,
  weightedMean,
} from './reduction.js';

/** Options of losses whose targets are classes. Weights of examples and of their classes are multiplied. */
export interface ClassLossOptions extends ReductionOptions {
  /** Default `mean`, which divides by the weights of the rows that count, added up. */
  readonly reduction?: Reduction;
  /** How much each class counts, f32 `[C]`. Default 1 each. */
  readonly classWeights?: TensorLike;
  /** Rows of this class count neither in the sum nor in the mean. Default -100. */
  readonly ignoreIndex?: number;
}

/** @internal Rules of {@link ClassLossOptions}; the class weights are checked beside the number of classes. */
export const CLASS_LOSS_RULES: OptionRules<ClassLossOptions> = {
  ...REDUCTION_RULES,
  classWeights: { expected: 'a tensor', accepts: () => true },
  ignoreIndex: wholeNumber({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
};

/** @internal A number from 0 to 1. */
export const share = number({ min: 0, max: 1 });

/** Scores and targets as rows of classes. */
export interface ClassRows {
  /** f32 [rows, C] */
  readonly scores: Tensor;
  /** i32 [rows], or f32 [rows, C] */
  readonly target: Tensor;
  /** f32 [C], or one number that stands for no weights. */
  readonly weights: Tensor;
  readonly isWeighted: boolean;
  /** The shape of the losses. */
  readonly shape: Shape;
}

/**
 * @internal Scores [N, C, d1, ..] and their targets as rows of classes, one for each place.
 * Throws ShapeError where the shapes do not fit.
 *
 * @param kinds what the targets may be beside classes: probabilities
 */
export function classRows(
  name: string,
  [given, targets]: readonly [scores: TensorLike, target: TensorLike],
  classWeights: TensorLike | undefined,
  kinds: 'classes' | 'classes or probabilities',
): ClassRows {
  const [scores, target] = [asTensor(name, 'scores', given), asTensor(name, 'target', targets)];
  if (scores.rank < 2 || scores.dtype !== 'f32') {
    throw new ShapeError(
      `${name}: the first operand must be f32 [N, C] or [N, C, d1, ..], found ${scores.dtype} ${formatShape(scores.shape)}`,
    );
  }
  const C = axisSize(scores.shape, 1);
  const shape = scores.shape.filter((_, axis) => axis !== 1);
  const isClasses = target.dtype === 'i32' && sameShape(target.shape, shape);
  const isProbabilities = kinds !== 'classes' && target.dtype === 'f32' && sameShape(target.shape, scores.shape);
  if (!isClasses && !isProbabilities) {
    const more = kinds === 'classes' ? '' : ` or f32 ${formatShape(scores.shape)} (probabilities)`;
    throw new ShapeError(
      `${name}: for scores ${formatShape(scores.shape)} the target must be i32 ${formatShape(shape)} (classes)${more}, ` +
        `found ${target.dtype} ${formatShape(target.shape)}`,
    );
  }
  const weights = classWeights === undefined ? tensor([1]) : asTensor(name, 'classWeights', classWeights);
  if (classWeights !== undefined && (!sameShape(weights.shape, [C]) || weights.dtype !== 'f32')) {
    throw new ShapeError(
      `${name}: classWeights must be f32 [${C}], found ${weights.dtype} ${formatShape(weights.shape)}`,
    );
  }
  return {
    scores: classesLast(scores),
    target: isClasses ? reshape(target, [sizeOf(shape)]) : classesLast(target),
    weights,
    isWeighted: classWeights !== undefined,
    shape,
  };
}

/** [N, C, d1, ..] as [N · d1 · .., C]. */
function classesLast(value: Tensor): Tensor {
  if (value.rank === 2) return value;
  const order = [0, ...value.shape.keys()].filter((axis, i) => i === 0 || axis > 1);
  const C = axisSize(value.shape, 1);
  const rows = sizeOf(value.shape.filter((_, axis) => axis !== 1));
  return reshape(transpose(value, [...order, 1]), [rows, C]);
}

/** @internal The losses of rows, reduced; the mean divides by the rows' weights, and by those of the examples. */
export function reduceRows(
  name: string,
  { shape }: ClassRows,
  [losses, rowWeights]: readonly [losses: Tensor, rowWeights: Tensor],
  { reduction = 'mean', weights }: ReductionOptions,
): Tensor {
  if (reduction !== 'mean') return reduceLosses(name, reshape(losses, shape), { reduction, weights });
  if (weights === undefined) return divide(sum(losses), sum(rowWeights));
  const own = exampleWeights(name, reshape(losses, shape), weights);
  const weightedSum = (values: Tensor): Tensor => sum(multiply(reshape(values, shape), own));
  return weightedMean(weightedSum(losses), weightedSum(rowWeights));
}
