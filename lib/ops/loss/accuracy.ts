import { ShapeError } from '../../errors.js';
import { argmaxWasm } from '../../generated/wasm.js';
import { commonWgsl, correctPredictionsWgsl, largestLogitWgsl } from '../../generated/wgsl.js';
import { at, defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, type Launch, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { bind, f32, i32, type View } from '../../graph/operands.js';
import { checkOptions, number } from '../../options.js';
import { axisSize, formatShape, sameShape } from '../../shape.js';
import { asTensor, tensor, type Tensor, type TensorLike } from '../../tensor.js';
import { reshape } from '../moving/reshape.js';
import { multiply, subtract } from '../pointwise/arithmetic.js';
import { cast } from '../pointwise/cast.js';
import { mean } from '../reduce/sum.js';
import { rowParts } from '../simd-parts.js';
import { largestAt } from './largest.js';

/** Up to so many rows, one workgroup adds up the hits. */
const MAX_ROWS = 4096;

const INPUTS = { logits: f32('N', 'C'), target: i32('N') };

/** Throws ShapeError for logits without classes. */
function needClasses({ C }: { readonly C: number }): object {
  if (C > 0) return {};
  throw new ShapeError('accuracy: needs logits [N, C] of at least one class, found none');
}

function isCorrect(logits: View, target: View, C: number, row: number): number {
  const predicted = largestAt(Array.from({ length: C }, (_, c) => logits.at(row * C + c)));
  return Number(predicted >= 0 && predicted === target.at(row));
}

function launchOf(
  entryPoint: string,
  { N, C }: { readonly N: number; readonly C: number },
  workgroups: Launch['workgroups'],
) {
  return {
    kernel: { name: entryPoint, code: commonWgsl + largestLogitWgsl + correctPredictionsWgsl, entryPoint },
    uniforms: new Uniforms().u32(N, C).bytes(),
    workgroups,
  };
}

const SIZES = [
  [1, 1],
  [7, 3],
  [65, 2],
  [257, 5],
  [3, 257],
] as const;

const caseOf = ([N, C]: readonly [number, number]) => ({
  inputs: { logits: { shape: [N, C] }, target: { shape: [N], dtype: 'i32' as const, fill: { below: C } } },
  attributes: {},
});

const correctPredictionsOperation = defineOperation()({
  name: 'correctPredictions',
  inputs: INPUTS,
  outputs: { correct: f32('N') },
  infer: ({ sizes }) => needClasses(sizes),
  reference({ logits, target, correct }, { N, C }) {
    for (let row = 0; row < N; row++) correct.set(row, isCorrect(logits, target, C, row));
  },
  kernel: ({ sizes }) => [
    {
      ...launchOf('correctPredictions', sizes, foldWorkgroups(ceilDivide(sizes.N, 64))),
      bindings: ['logits', 'target', 'correct'],
    },
  ],
  simd({ sizes: { N, C } }) {
    const kernel = { module: argmaxWasm, entryPoint: 'correctPredictions' };
    const tasks = rowParts(N, C).map(({ start, count }) => {
      const tensors = [at('logits', 4 * start * C), at('target', 4 * start), at('correct', 4 * start)];
      return [{ kernel, arguments: [...tensors, count, C] }];
    });
    return [{ tasks }];
  },
  gradient: { none: 'it is a step function' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [...SIZES.map(caseOf), caseOf([0, 4])],
  cost: () => ({ flop: 0 }),
  benchmarks: { imagenet: caseOf([256, 1000]) },
});

/** The mean of the hits of few rows, in one launch; a loss of the same logits may take it in (loss-host.ts). */
export const accuracyOperation = defineOperation()({
  name: 'accuracy',
  inputs: INPUTS,
  outputs: { share: f32() },
  infer: ({ sizes }) => needClasses(sizes),
  reference({ logits, target, share }, { N, C }) {
    let hits = 0;
    for (let row = 0; row < N; row++) hits += isCorrect(logits, target, C, row);
    share.set(0, hits / N);
  },
  kernel: ({ sizes }) => [{ ...launchOf('accuracy', sizes, [1, 1, 1]), bindings: ['logits', 'target', 'share'] }],
  simd({ sizes: { N, C } }) {
    const kernel = { module: argmaxWasm, entryPoint: 'accuracy' };
    return [{ tasks: [[{ kernel, arguments: ['logits', 'target', 'share', N, C] }]] }];
  },
  gradient: { none: 'it is a step function' },
  tolerance: { absolute: 0, relative: 1e-6 },
  cases: SIZES.map(caseOf),
  cost: ({ sizes: { N } }) => ({ flop: N }),
});

/** 1 for each row whose largest logit is that of its class, else 0: f32 [N]. */
export function hits(logits: Tensor, target: Tensor): Tensor {
  return applyOne(correctPredictionsOperation, [logits, target], {});
}

/** Share of the rows that are predicted correctly, in [0, 1]: the mean of {@link correctPredictions}. */
export function accuracy(logits: TensorLike, target: TensorLike): Tensor {
  const [values, classes] = [asTensor('accuracy', 'logits', logits), asTensor('accuracy', 'target', target)];
  bind('accuracy', INPUTS, [values, classes]);
  const N = axisSize(values.shape, 0);
  if (N === 0 || N > MAX_ROWS) return mean(hits(values, classes));
  return applyOne(accuracyOperation, [values, classes], {});
}

/** Options of {@link binaryAccuracy}. */
export interface BinaryAccuracyOptions {
  /** Above it an output says 1. Default 0, for logits: that is where their sigmoid is one half. */
  readonly threshold?: number;
}

/**
 * Share of the outputs that are on the side of the threshold that their target says, 1 above it and 0 below or at it, in
 * [0, 1] (Keras: `BinaryAccuracy`). For the logits of {@link binaryCrossEntropyWithLogits}, of one bit or of many; NaN is
 * right for neither. Throws ShapeError unless output and target, f32 or i32, have the same shape.
 */
export function binaryAccuracy(output: TensorLike, target: TensorLike, options: BinaryAccuracyOptions = {}): Tensor {
  checkOptions('binaryAccuracy', options, { threshold: number() });
  const { threshold = 0 } = options;
  const name = 'binaryAccuracy';
  const [values, bits] = [asTensor(name, 'output', output), asTensor(name, 'target', target)];
  if (!sameShape(values.shape, bits.shape)) {
    throw new ShapeError(
      `binaryAccuracy: output ${formatShape(values.shape)} and target ${formatShape(bits.shape)} differ in shape`,
    );
  }
  return accuracy(...twoClasses(values, bits, threshold));
}

/**
 * @internal Bits as two classes, with logits ∓ (output - threshold), of which the first one wins where they are equal: logits
 * [N, 2] and classes i32 [N] of outputs and targets of N numbers.
 */
export function twoClasses(output: Tensor, target: Tensor, threshold: number): [logits: Tensor, classes: Tensor] {
  const above = reshape(subtract(output, threshold), [output.size, 1]);
  return [multiply(above, tensor([-1, 1])), reshape(cast(target, 'i32'), [output.size])];
}

export const accuracyOperations = [correctPredictionsOperation, accuracyOperation];
