import { elementAt } from '../../element-at.js';
import { at, defineOperation } from '../../graph/define.js';
import { apply, applyOne } from '../../graph/node.js';
import { f32 } from '../../graph/operands.js';
import { checkOptions, type OptionRules } from '../../options.js';
import type { Tensor, TensorLike } from '../../tensor.js';
import { rowParts } from '../simd-parts.js';
import { CLASS_LOSS_RULES, type ClassLossOptions, classRows, reduceRows, share } from './class-rows.js';
import { crossEntropyLoss, isSmallLoss } from './cross-entropy-loss.js';
import {
  CROSS_ENTROPY_INPUTS,
  crossEntropyCall,
  type CrossEntropyAttributes,
  crossEntropyCases,
  type CrossEntropyCase,
  CROSS_ENTROPY_BENCHMARKS,
  crossEntropyLaunch,
  gradientOfRow,
  lossOfRow,
  rowOf,
} from './cross-entropy-rows.js';

const crossEntropyGradient = defineOperation<CrossEntropyAttributes>()({
  name: 'softmaxCrossEntropyGradient',
  staysFloat32: true,
  inputs: { ...CROSS_ENTROPY_INPUTS, lossGradient: f32('N') },
  outputs: { gradient: f32('N', 'C') },
  reference({ lossGradient, gradient, ...rows }, { N, C }, attributes) {
    for (let i = 0; i < N; i++) {
      const row = rowOf(i, C, rows, attributes);
      gradientOfRow(row).forEach((value, c) => {
        gradient.set(i * C + c, row.isIgnored ? 0 : lossGradient.at(i) * value);
      });
    }
  },
  kernel: (call) => [
    {
      ...crossEntropyLaunch(call, 'gradient'),
      bindings: ['logits', 'target', 'weights', 'lossGradient', 'gradient'],
    },
  ],
  simd(call) {
    const { N, C } = call.sizes;
    const tasks = rowParts(N, C).map((part) => {
      const own = [at('lossGradient', 4 * part.start), at('gradient', 4 * part.start * C)];
      return [crossEntropyCall(call, 'gradient', part, own)];
    });
    return [{ tasks }];
  },
  gradient: { unwritten: 'second derivatives of the loss are not written' },
  tolerance: { absolute: 1e-5, relative: 2e-5 },
  cases: crossEntropyCases().map(withLossGradient),
  cost: ({ sizes: { N, C } }) => ({ flop: 6 * N * C }),
  benchmarks: {
    mynetLogits: withLossGradient(CROSS_ENTROPY_BENCHMARKS.mynetLogits),
    imagenet: withLossGradient(CROSS_ENTROPY_BENCHMARKS.imagenet),
    vocabulary: withLossGradient(CROSS_ENTROPY_BENCHMARKS.vocabulary),
  },
});

function withLossGradient({ inputs, attributes }: CrossEntropyCase) {
  return { inputs: { ...inputs, lossGradient: { shape: inputs.logits.shape.slice(0, 1) } }, attributes };
}

const crossEntropyOperation = defineOperation<CrossEntropyAttributes>()({
  name: 'softmaxCrossEntropy',
  staysFloat32: true,
  inputs: CROSS_ENTROPY_INPUTS,
  outputs: { loss: f32('N'), rowWeight: f32('N') },
  reference({ loss, rowWeight, ...rows }, { N, C }, attributes) {
    for (let i = 0; i < N; i++) {
      const row = lossOfRow(rowOf(i, C, rows, attributes));
      loss.set(i, row.loss);
      rowWeight.set(i, row.weight);
    }
  },
  kernel: (call) => [
    {
      ...crossEntropyLaunch(call, 'forward'),
      bindings: ['logits', 'target', 'weights', 'loss', 'rowWeight'],
    },
  ],
  simd(call) {
    const { N, C } = call.sizes;
    if (C === 0) return undefined;
    const tasks = rowParts(N, C).map((part) => {
      const own = [at('loss', 4 * part.start), at('rowWeight', 4 * part.start)];
      return [crossEntropyCall(call, 'forward', part, own)];
    });
    return [{ tasks }];
  },
  // The target and the weights are data; the weights of the rows do not depend on the logits.
  gradient: ({ inputs: { logits, target, weights }, outputGradients: { loss }, attributes }) => ({
    logits: loss && applyOne(crossEntropyGradient, [logits, target, weights, loss], attributes),
  }),
  tolerance: { absolute: 1e-5, relative: 2e-5 },
  cases: crossEntropyCases(),
  // maximum, subtraction, exponential, sum
  cost: ({ sizes: { N, C } }) => ({ flop: 4 * N * C }),
  benchmarks: CROSS_ENTROPY_BENCHMARKS,
});

/** Options of {@link softmaxCrossEntropy}. */
export interface CrossEntropyOptions extends ClassLossOptions {
  /** s: the target becomes (1 - s) · target + s / C. Default 0. */
  readonly labelSmoothing?: number;
}

const RULES: OptionRules<CrossEntropyOptions> = { ...CLASS_LOSS_RULES, labelSmoothing: share };

/**
 * Cross-entropy of softmax(logits) with the targets, in nats (PyTorch: `F.cross_entropy`; Keras:
 * `SparseCategoricalCrossentropy(from_logits=True)` and `CategoricalCrossentropy`).
 *
 *   loss[i] = -Σ_c weight[c] · q[i, c] · log softmax(logits[i])[c],   q the target, smoothed
 *
 * logits [N, C]; target i32 [N], classes, or f32 [N, C], probabilities; or logits [N, C, d1, ..] with target [N, d1, ..]
 * or [N, C, d1, ..]. Computed as logsumexp - logit, so logits of ±1e4 are safe. With class targets `mean` divides by
 * Σ_i weight[target[i]], also under smoothing, as PyTorch does; with probabilities by the number of rows. A class outside
 * of 0 … C - 1 gives NaN.
 *
 * Throws ShapeError where the shapes do not fit, OptionError for smoothing outside of [0, 1] or an unknown reduction.
 */
export function softmaxCrossEntropy(logits: TensorLike, target: TensorLike, options: CrossEntropyOptions = {}): Tensor {
  const name = 'softmaxCrossEntropy';
  checkOptions(name, options, RULES);
  const { reduction = 'mean', labelSmoothing = 0, classWeights, ignoreIndex = -100 } = options;
  const rows = classRows(name, [logits, target], classWeights, 'classes or probabilities');
  const inputs = [rows.scores, rows.target, rows.weights];
  const attributes = { labelSmoothing, ignoreIndex, weighted: rows.isWeighted };
  if (reduction !== 'none' && options.weights === undefined && isSmallLoss(rows.scores)) {
    return elementAt(apply(crossEntropyLoss, inputs, { ...attributes, mean: reduction === 'mean' }), 0);
  }
  const outputs = apply(crossEntropyOperation, inputs, attributes);
  return reduceRows(name, rows, [elementAt(outputs, 0), elementAt(outputs, 1)], options);
}

export const crossEntropyOperations = [crossEntropyOperation, crossEntropyGradient, crossEntropyLoss];
