import { OptionError, ShapeError } from '../../errors.js';
import { apply, applyOne } from '../../graph/node.js';
import { defineOperation, type Operation, type TensorSpec } from '../../graph/operation.js';
import { formatShape } from '../../shape.js';
import { asTensor, tensor, type Tensor, type TensorLike } from '../../tensor.js';
import { divide } from '../pointwise/arithmetic.js';
import { crossEntropyLoss, isSmallLoss } from './cross-entropy-loss.js';
import {
  checkTarget,
  crossEntropyCall,
  type CrossEntropyAttributes,
  crossEntropyCases,
  crossEntropyLaunch,
  gradientOfRow,
  lossOfRow,
  rowOf,
} from './cross-entropy-rows.js';
import { checkReduction, reduceLosses, type Reduction } from './reduction.js';
import { rowParts } from '../simd-parts.js';
import { sum } from '../reduce/sum.js';

const crossEntropyGradient = defineOperation<CrossEntropyAttributes>({
  name: 'softmaxCrossEntropyGradient',
  infer([logits, target]) {
    checkTarget(logits, target);
    return logits ? [logits] : [];
  },
  reference({ inputs, outputs: [dLogits], attributes }) {
    const [N = 0, C = 0] = inputs[0]?.shape ?? [];
    for (let i = 0; i < N; i++) {
      const row = rowOf(i, inputs, attributes);
      gradientOfRow(row).forEach((value, c) => {
        if (dLogits) dLogits.data[i * C + c] = row.isIgnored ? 0 : (inputs[3]?.data[i] ?? 0) * value;
      });
    }
  },
  kernel: (call) => [
    {
      ...crossEntropyLaunch(call, 'gradient'),
      bindings: [{ input: 0 }, { input: 1 }, { input: 2 }, { input: 3 }, { output: 0 }],
    },
  ],
  simd(call) {
    const [N = 0, C = 0] = call.inputs[0]?.shape ?? [];
    const tasks = rowParts(N, C).map((part) => {
      const [dLoss, dLogits] = [
        { input: 3, offset: 4 * part.start },
        { output: 0, offset: 4 * part.start * C },
      ];
      return [crossEntropyCall(call, 'gradient', part, [dLoss, dLogits])];
    });
    return [{ tasks }];
  },
  gradient: { unwritten: 'second derivatives of the loss are not written' },
  tolerance: { absolute: 1e-5, relative: 2e-5 },
  cases: crossEntropyCases(true),
});

const crossEntropyOperation: Operation<CrossEntropyAttributes> = defineOperation<CrossEntropyAttributes>({
  name: 'softmaxCrossEntropy',
  infer([logits, target]) {
    checkTarget(logits, target);
    const rows: TensorSpec = { shape: [logits?.shape[0] ?? 0], dtype: 'f32' };
    return [rows, rows];
  },
  reference({ inputs, outputs: [loss, rowWeight], attributes }) {
    const [N = 0] = inputs[0]?.shape ?? [];
    for (let i = 0; i < N; i++) {
      const row = lossOfRow(rowOf(i, inputs, attributes));
      if (loss) loss.data[i] = row.loss;
      if (rowWeight) rowWeight.data[i] = row.weight;
    }
  },
  kernel: (call) => [
    {
      ...crossEntropyLaunch(call, 'forward'),
      bindings: [{ input: 0 }, { input: 1 }, { input: 2 }, { output: 0 }, { output: 1 }],
    },
  ],
  simd(call) {
    const [N = 0, C = 0] = call.inputs[0]?.shape ?? [];
    if (C === 0) return undefined;
    const tasks = rowParts(N, C).map((part) => {
      const outputs = [0, 1].map((output) => ({ output, offset: 4 * part.start }));
      return [crossEntropyCall(call, 'forward', part, outputs)];
    });
    return [{ tasks }];
  },
  // The target and the weights are data; the second output, the weights of the rows, does not depend on the logits.
  gradient: ({ inputs: [logits, target, weight], outputGradients: [dLoss], attributes }) =>
    logits && target && weight && dLoss
      ? [applyOne(crossEntropyGradient, [logits, target, weight, dLoss], attributes)]
      : [],
  tolerance: { absolute: 1e-5, relative: 2e-5 },
  cases: crossEntropyCases(false),
});

/** Options of {@link softmaxCrossEntropy}. */
export interface CrossEntropyOptions {
  /** Default `mean`. */
  readonly reduction?: Reduction;
  /** s: the target becomes (1 - s) · target + s / C. Default 0. */
  readonly labelSmoothing?: number;
  /** How much each class counts, f32 `[C]`. Default 1 each. */
  readonly classWeights?: TensorLike;
  /** Rows of this class count neither in the sum nor in the mean. Default -100. */
  readonly ignoreIndex?: number;
}

/**
 * Cross-entropy of softmax(logits) with the targets, in nats (PyTorch: `F.cross_entropy`; Keras:
 * `SparseCategoricalCrossentropy(from_logits=True)` and `CategoricalCrossentropy`).
 *
 *   loss[i] = -Σ_c weight[c] · q[i, c] · log softmax(logits[i])[c],   q the target, smoothed
 *
 * logits [N, C]; target i32 [N], classes, or f32 [N, C], probabilities. Computed as logsumexp - logit, so logits of
 * ±1e4 are safe. With class targets `mean` divides by Σ_i weight[target[i]], also under smoothing, as PyTorch does;
 * with probabilities by N. A class outside of 0 … C - 1 gives NaN.
 *
 * Throws ShapeError where the shapes do not fit, OptionError for smoothing outside of [0, 1] or an unknown reduction.
 */
export function softmaxCrossEntropy(logits: TensorLike, target: TensorLike, options: CrossEntropyOptions = {}): Tensor {
  const { labelSmoothing = 0, classWeights, ignoreIndex = -100 } = options;
  const reduction = checkReduction('softmaxCrossEntropy', options.reduction);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new OptionError(`softmaxCrossEntropy: labelSmoothing must lie in [0, 1], found ${labelSmoothing}`);
  }
  const values = asTensor(logits);
  const weights = classWeights === undefined ? tensor([1]) : asTensor(classWeights);
  const C = values.shape[1];
  if (classWeights !== undefined && (weights.rank !== 1 || weights.shape[0] !== C || weights.dtype !== 'f32')) {
    throw new ShapeError(
      `softmaxCrossEntropy: classWeights must be f32 [${C}], found ${weights.dtype} ${formatShape(weights.shape)}`,
    );
  }
  const attributes = { labelSmoothing, ignoreIndex, weighted: classWeights !== undefined };
  if (reduction !== 'none' && isSmallLoss(values)) {
    const [loss] = apply(crossEntropyLoss, [values, asTensor(target), weights], {
      ...attributes,
      mean: reduction === 'mean',
    });
    if (loss) return loss;
  }
  const [losses, rowWeights] = apply(crossEntropyOperation, [values, asTensor(target), weights], attributes);
  if (!losses || !rowWeights) throw new Error('softmaxCrossEntropy has two outputs');
  return reduction === 'mean' ? divide(sum(losses), sum(rowWeights)) : reduceLosses(losses, reduction);
}

export const crossEntropyOperations = [crossEntropyOperation, crossEntropyGradient, crossEntropyLoss];
