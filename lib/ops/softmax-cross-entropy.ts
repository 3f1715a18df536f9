import { OptionError, ShapeError } from '../errors.js';
import { commonWgsl, softmaxCrossEntropyWgsl } from '../generated/wgsl.js';
import { foldWorkgroups, Uniforms } from '../graph/launch.js';
import { apply, applyOne } from '../graph/node.js';
import {
  type ArrayView,
  type Call,
  defineOperation,
  type Operation,
  type OperationCase,
  type TensorSpec,
} from '../graph/operation.js';
import { formatShape } from '../shape.js';
import { asTensor, tensor, type Tensor, type TensorLike } from '../tensor.js';
import { divide } from './arithmetic.js';
import { sum } from './sum.js';
import { checkReduction, reduceLosses, type Reduction } from './reduction.js';

type CrossEntropyAttributes = {
  readonly labelSmoothing: number;
  readonly ignoreIndex: number;
  /** The third input holds class weights; otherwise it is a placeholder that is not read. */
  readonly weighted: boolean;
};

function checkTarget(logits: TensorSpec | undefined, target: TensorSpec | undefined): void {
  const [N, C] = logits?.shape ?? [];
  if (logits?.shape.length !== 2 || logits.dtype !== 'f32' || !target) {
    throw new ShapeError(
      `softmaxCrossEntropy: logits must be f32 [N, C], found ${logits?.dtype ?? ''} ${formatShape(logits?.shape ?? [])}`,
    );
  }
  const isClass = target.dtype === 'i32' && target.shape.length === 1 && target.shape[0] === N;
  const isProbability =
    target.dtype === 'f32' && target.shape.length === 2 && target.shape[0] === N && target.shape[1] === C;
  if (!isClass && !isProbability) {
    throw new ShapeError(
      `softmaxCrossEntropy: for logits ${formatShape(logits.shape)} the target must be i32 [${N}] (classes) or ` +
        `f32 [${N}, ${C}] (probabilities), found ${target.dtype} ${formatShape(target.shape)}`,
    );
  }
}

/** One row as the formulas of the kernel's head comment see it. */
interface Row {
  readonly logits: readonly number[];
  readonly weights: readonly number[];
  /** q[c]: the smoothed target. */
  readonly shares: readonly number[];
  readonly label: number;
  readonly isIgnored: boolean;
  readonly isValid: boolean;
}

function rowOf(
  row: number,
  [logits, target, weight]: readonly ArrayView[],
  { labelSmoothing, ignoreIndex, weighted }: CrossEntropyAttributes,
): Row {
  const C = logits?.shape[1] ?? 0;
  const isClass = target?.shape.length === 1;
  const label = isClass ? (target.data[row] ?? 0) : -1;
  const values = Array.from({ length: C }, (_, c) => logits?.data[row * C + c] ?? 0);
  return {
    logits: values,
    weights: values.map((_, c) => (weighted ? (weight?.data[c] ?? 1) : 1)),
    shares: values.map((_, c) => {
      const share = isClass ? Number(label === c) : (target?.data[row * C + c] ?? 0);
      return (1 - labelSmoothing) * share + labelSmoothing / C;
    }),
    label,
    isIgnored: isClass && label === ignoreIndex,
    isValid: (!isClass || (label >= 0 && label < C)) && Number.isFinite(Math.max(...values)),
  };
}

function logSumExp(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((total, value) => total + Math.exp(value - largest), 0));
}

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
      const total = row.shares.reduce((sofar, share, c) => sofar + share * (row.weights[c] ?? 1), 0);
      const normalizer = logSumExp(row.logits);
      row.logits.forEach((logit, c) => {
        const own = (row.weights[c] ?? 1) * (row.shares[c] ?? 0);
        const value = (inputs[3]?.data[i] ?? 0) * (Math.exp(logit - normalizer) * total - own);
        if (dLogits) dLogits.data[i * C + c] = row.isIgnored ? 0 : row.isValid ? value : NaN;
      });
    }
  },
  kernel: (call) => [
    {
      ...launchOf(call, 'gradient'),
      bindings: [{ input: 0 }, { input: 1 }, { input: 2 }, { input: 3 }, { output: 0 }],
    },
  ],
  gradient: { none: 'second derivatives of the loss are not written' },
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
      const row = rowOf(i, inputs, attributes);
      const normalizer = logSumExp(row.logits);
      const value = row.logits.reduce((total, logit, c) => {
        const share = (row.weights[c] ?? 1) * (row.shares[c] ?? 0);
        return share === 0 ? total : total + share * (normalizer - logit);
      }, 0);
      if (loss) loss.data[i] = row.isIgnored ? 0 : row.isValid ? value : NaN;
      if (rowWeight) rowWeight.data[i] = row.isIgnored ? 0 : (row.weights[row.label] ?? 1);
    }
  },
  kernel: (call) => [
    {
      ...launchOf(call, 'forward'),
      bindings: [{ input: 0 }, { input: 1 }, { input: 2 }, { output: 0 }, { output: 1 }],
    },
  ],
  // The target and the weights are data; the second output, the weights of the rows, does not depend on the logits.
  gradient: ({ inputs: [logits, target, weight], outputGradients: [dLoss], attributes }) =>
    logits && target && weight && dLoss
      ? [applyOne(crossEntropyGradient, [logits, target, weight, dLoss], attributes)]
      : [],
  tolerance: { absolute: 1e-5, relative: 2e-5 },
  cases: crossEntropyCases(false),
});

function launchOf({ inputs: [logits, target], attributes }: Call<CrossEntropyAttributes>, entryPoint: string) {
  const [N = 0, C = 0] = logits?.shape ?? [];
  return {
    kernel: { name: `softmaxCrossEntropy ${entryPoint}`, code: commonWgsl + softmaxCrossEntropyWgsl, entryPoint },
    constants: { PROBABILITIES: Number(target?.dtype === 'f32'), WEIGHTED: Number(attributes.weighted) },
    uniforms: new Uniforms().u32(N, C, attributes.ignoreIndex).f32(attributes.labelSmoothing).bytes(),
    workgroups: foldWorkgroups(N),
  };
}

function crossEntropyCases(isGradient: boolean): readonly OperationCase<CrossEntropyAttributes>[] {
  return [
    [1, 1],
    [7, 255],
    [3, 257],
    [33, 2],
    [8, 10],
    [0, 4],
  ].flatMap(([N = 0, C = 0]) =>
    [0, 1, 2, 3].map((bits) => {
      const weighted = (bits & 1) === 1;
      const target =
        bits === 2
          ? { shape: [N, C], fill: 'probabilities' as const }
          : { shape: [N], dtype: 'i32' as const, fill: { below: C } };
      const inputs = [{ shape: [N, C] }, target, { shape: [weighted ? C : 1], fill: 'positive' as const }];
      return {
        inputs: isGradient ? [...inputs, { shape: [N] }] : inputs,
        attributes: { labelSmoothing: bits > 1 ? 0.1 : 0, ignoreIndex: -100, weighted },
      };
    }),
  );
}

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
  const [losses, rowWeights] = apply(crossEntropyOperation, [values, asTensor(target), weights], attributes);
  if (!losses || !rowWeights) throw new Error('softmaxCrossEntropy has two outputs');
  return reduction === 'mean' ? divide(sum(losses), sum(rowWeights)) : reduceLosses(losses, reduction);
}

export const crossEntropyOperations = [crossEntropyOperation, crossEntropyGradient];
