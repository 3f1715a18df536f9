import { ShapeError } from '../../errors.js';
import { softmaxCrossEntropyWasm } from '../../generated/wasm.js';
import { commonWgsl, softmaxCrossEntropyWgsl } from '../../generated/wgsl.js';
import { foldWorkgroups, Uniforms } from '../../graph/launch.js';
import type { ArrayView, Call, OperationCase, TensorSpec } from '../../graph/operation.js';
import type { SimdArgument, SimdCall } from '../../graph/simd.js';
import { formatShape } from '../../shape.js';
import type { Part } from '../simd-parts.js';

/** What of a cross-entropy is not a tensor. */
export type CrossEntropyAttributes = {
  readonly labelSmoothing: number;
  readonly ignoreIndex: number;
  /** The third input holds class weights; otherwise it is a placeholder that is not read. */
  readonly weighted: boolean;
};

/** Throws ShapeError unless the target fits the logits. */
export function checkTarget(logits: TensorSpec | undefined, target: TensorSpec | undefined): void {
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
export interface Row {
  readonly logits: readonly number[];
  readonly weights: readonly number[];
  /** q[c]: the smoothed target. */
  readonly shares: readonly number[];
  readonly label: number;
  readonly isIgnored: boolean;
  readonly isValid: boolean;
}

export function rowOf(
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

/** Loss and weight of a row. */
export function lossOfRow(row: Row): { readonly loss: number; readonly weight: number } {
  if (row.isIgnored) return { loss: 0, weight: 0 };
  const normalizer = logSumExp(row.logits);
  const loss = row.logits.reduce((total, logit, c) => {
    const share = (row.weights[c] ?? 1) * (row.shares[c] ?? 0);
    return share === 0 ? total : total + share * (normalizer - logit);
  }, 0);
  return { loss: row.isValid ? loss : NaN, weight: row.weights[row.label] ?? 1 };
}

/** ∂loss/∂logit of a row. */
export function gradientOfRow(row: Row): number[] {
  if (row.isIgnored) return row.logits.map(() => 0);
  const total = row.shares.reduce((sum, share, c) => sum + share * (row.weights[c] ?? 1), 0);
  const normalizer = logSumExp(row.logits);
  return row.logits.map((logit, c) => {
    const own = (row.weights[c] ?? 1) * (row.shares[c] ?? 0);
    return row.isValid ? Math.exp(logit - normalizer) * total - own : NaN;
  });
}

/** The launch of an entry point of kernels/loss/softmax_cross_entropy.wgsl over the rows. */
export function crossEntropyLaunch(
  { inputs: [logits, target], attributes }: Call<CrossEntropyAttributes>,
  entryPoint: 'forward' | 'gradient',
) {
  const [N = 0, C = 0] = logits?.shape ?? [];
  return {
    kernel: { name: `softmaxCrossEntropy ${entryPoint}`, code: commonWgsl + softmaxCrossEntropyWgsl, entryPoint },
    constants: { PROBABILITIES: Number(target?.dtype === 'f32'), WEIGHTED: Number(attributes.weighted) },
    uniforms: new Uniforms().u32(N, C, attributes.ignoreIndex).f32(attributes.labelSmoothing).bytes(),
    workgroups: foldWorkgroups(N),
  };
}

/** The call of an entry point of kernels/loss/softmax_cross_entropy.wat over some of the rows; `own` is what follows for it. */
export function crossEntropyCall(
  { inputs: [logits, target], attributes: { ignoreIndex, weighted, labelSmoothing } }: Call<CrossEntropyAttributes>,
  entryPoint: string,
  { start, count }: Part,
  own: readonly SimdArgument[],
): SimdCall {
  const C = logits?.shape[1] ?? 0;
  const isProbability = target?.dtype === 'f32';
  return {
    kernel: { module: softmaxCrossEntropyWasm, entryPoint },
    arguments: [
      { input: 0, offset: 4 * start * C },
      { input: 1, offset: 4 * start * (isProbability ? C : 1) },
      { input: 2 },
      count,
      C,
      ignoreIndex,
      Number(isProbability),
      Number(weighted),
      labelSmoothing,
      ...own,
    ],
  };
}

/** Cases with and without weights and smoothing, for classes and for probabilities. */
export function crossEntropyCases(isGradient: boolean): readonly OperationCase<CrossEntropyAttributes>[] {
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
