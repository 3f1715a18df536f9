import { elementAt } from '../../element-at.js';
import { softmaxCrossEntropyWasm } from '../../generated/wasm.js';
import { commonWgsl, softmaxCrossEntropyWgsl } from '../../generated/wgsl.js';
import { at } from '../../graph/define.js';
import type { NamedArgument, NamedCall } from '../../graph/definition.js';
import { foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { any, f32, type View } from '../../graph/operands.js';
import type { CaseInput, TensorSpec } from '../../graph/operation.js';
import type { Part } from '../simd-parts.js';
import { largestOf } from './largest.js';

/** What of a cross-entropy is not a tensor. */
export type CrossEntropyAttributes = {
  readonly labelSmoothing: number;
  readonly ignoreIndex: number;
  /** The class weights are there; otherwise they are a placeholder that is not read. */
  readonly weighted: boolean;
};

/** The target is i32 [N], classes, or f32 [N, C], probabilities. */
export const CROSS_ENTROPY_INPUTS = {
  logits: f32('N', 'C'),
  target: any('i32', 'f32')('N', '...classes'),
  weights: f32('W'),
};

/** What the formulas read. */
interface RowsOf {
  readonly logits: View;
  readonly target: View;
  readonly weights: View;
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
  C: number,
  { logits, target, weights }: RowsOf,
  { labelSmoothing, ignoreIndex, weighted }: CrossEntropyAttributes,
): Row {
  const isClass = target.shape.length === 1;
  const label = isClass ? target.at(row) : -1;
  const values = Array.from({ length: C }, (_, c) => logits.at(row * C + c));
  return {
    logits: values,
    weights: values.map((_, c) => (weighted ? weights.at(c) : 1)),
    shares: values.map((_, c) => {
      const share = isClass ? Number(label === c) : target.at(row * C + c);
      return (1 - labelSmoothing) * share + labelSmoothing / C;
    }),
    label,
    isIgnored: isClass && label === ignoreIndex,
    isValid: (!isClass || (label >= 0 && label < C)) && Number.isFinite(largestOf(values)),
  };
}

function logSumExp(values: readonly number[]): number {
  const largest = largestOf(values);
  return largest + Math.log(values.reduce((total, value) => total + Math.exp(value - largest), 0));
}

/** weight[c] · q[c] */
function shareAt({ weights, shares }: Row, c: number): number {
  return elementAt(weights, c) * elementAt(shares, c);
}

/** Loss and weight of a row. */
export function lossOfRow(row: Row): { readonly loss: number; readonly weight: number } {
  if (row.isIgnored) return { loss: 0, weight: 0 };
  const normalizer = logSumExp(row.logits);
  const loss = row.logits.reduce((total, logit, c) => {
    const share = shareAt(row, c);
    return share === 0 ? total : total + share * (normalizer - logit);
  }, 0);
  const isClass = row.label >= 0 && row.label < row.weights.length;
  return { loss: row.isValid ? loss : NaN, weight: isClass ? elementAt(row.weights, row.label) : 1 };
}

/** ∂loss/∂logit of a row. */
export function gradientOfRow(row: Row): number[] {
  if (row.isIgnored) return row.logits.map(() => 0);
  const total = row.logits.reduce((sum, _, c) => sum + shareAt(row, c), 0);
  const normalizer = logSumExp(row.logits);
  return row.logits.map((logit, c) => (row.isValid ? Math.exp(logit - normalizer) * total - shareAt(row, c) : NaN));
}

/** A use of one of the operations. */
interface CrossEntropyUse {
  readonly sizes: { readonly N: number; readonly C: number };
  readonly specs: { readonly target: TensorSpec };
  readonly attributes: CrossEntropyAttributes;
}

/** The launch of an entry point of kernels/loss/softmax_cross_entropy.wgsl over the rows, but for what it binds. */
export function crossEntropyLaunch(
  { sizes: { N, C }, specs: { target }, attributes }: CrossEntropyUse,
  entryPoint: 'forward' | 'gradient',
) {
  return {
    kernel: { name: `softmaxCrossEntropy ${entryPoint}`, code: commonWgsl + softmaxCrossEntropyWgsl, entryPoint },
    constants: { PROBABILITIES: Number(target.dtype === 'f32'), WEIGHTED: Number(attributes.weighted) },
    uniforms: new Uniforms().u32(N, C, attributes.ignoreIndex).f32(attributes.labelSmoothing).u32(0, 0, 0, 0).bytes(),
    workgroups: foldWorkgroups(N),
  };
}

/** The call of an entry point of kernels/loss/softmax_cross_entropy.wat over some of the rows; `own` is what follows for it. */
export function crossEntropyCall<Own extends string>(
  { sizes: { C }, specs: { target }, attributes: { ignoreIndex, weighted, labelSmoothing } }: CrossEntropyUse,
  entryPoint: string,
  { start, count }: Part,
  own: readonly NamedArgument<Own>[],
): NamedCall<Own | keyof typeof CROSS_ENTROPY_INPUTS> {
  const isProbability = target.dtype === 'f32';
  return {
    kernel: { module: softmaxCrossEntropyWasm, entryPoint },
    arguments: [
      at('logits', 4 * start * C),
      at('target', 4 * start * (isProbability ? C : 1)),
      'weights',
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

/** A case of one of the operations. */
export interface CrossEntropyCase {
  readonly inputs: Readonly<Record<keyof typeof CROSS_ENTROPY_INPUTS, CaseInput>>;
  readonly attributes: CrossEntropyAttributes;
}

/** What is timed: logits of MyNet, of ImageNet's classes, and of eight tokens over GPT-2's vocabulary. */
export const CROSS_ENTROPY_BENCHMARKS = {
  mynetLogits: benchmarkOf(32, 2),
  imagenet: benchmarkOf(256, 1000),
  vocabulary: benchmarkOf(8, 50_257),
};

/** Rows of classes, without weights or smoothing. */
export function benchmarkOf(N: number, C: number): CrossEntropyCase {
  return {
    inputs: {
      logits: { shape: [N, C] },
      target: { shape: [N], dtype: 'i32' as const, fill: { below: C } },
      weights: { shape: [1], fill: 'positive' as const },
    },
    attributes: { labelSmoothing: 0, ignoreIndex: -100, weighted: false },
  };
}

/** Cases with and without weights and smoothing, for classes and for probabilities. */
export function crossEntropyCases(): CrossEntropyCase[] {
  return (
    [
      [1, 1],
      [7, 255],
      [3, 257],
      [33, 2],
      [8, 10],
      [0, 4],
    ] as const
  ).flatMap(([N, C]) =>
    [0, 1, 2, 3].map((bits) => {
      const weighted = (bits & 1) === 1;
      const target =
        bits === 2
          ? { shape: [N, C], fill: 'probabilities' as const }
          : { shape: [N], dtype: 'i32' as const, fill: { below: C } };
      return {
        inputs: {
          logits: { shape: [N, C] },
          target,
          weights: { shape: [weighted ? C : 1], fill: 'positive' as const },
        },
        attributes: { labelSmoothing: bits > 1 ? 0.1 : 0, ignoreIndex: -100, weighted },
      };
    }),
  );
}
