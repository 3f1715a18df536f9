import { ShapeError } from '../../errors.js';
import { argmaxWasm } from '../../generated/wasm.js';
import { commonWgsl, correctPredictionsWgsl, largestLogitWgsl } from '../../generated/wgsl.js';
import { ceilDivide, foldWorkgroups, type Launch, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { type ArrayView, defineOperation, type OperationCase, type TensorSpec } from '../../graph/operation.js';
import { checkOptions, number } from '../../options.js';
import { formatShape, sameShape } from '../../shape.js';
import { asTensor, tensor, type Tensor, type TensorLike } from '../../tensor.js';
import { concat } from '../moving/concat.js';
import { reshape } from '../moving/reshape.js';
import { cast } from '../pointwise/cast.js';
import type { NoAttributes } from '../pointwise/binary.js';
import { rowParts } from '../simd-parts.js';
import { mean } from '../reduce/sum.js';

/** Up to so many rows, one workgroup adds up the hits. */
const MAX_ROWS = 4096;

/** Throws ShapeError unless there are logits [N, C] and a class for each row. Returns N and C. */
function checkClasses(logits: TensorSpec | undefined, target: TensorSpec | undefined): readonly [number, number] {
  const [N = 0, C = 0] = logits?.shape ?? [];
  if (
    logits?.shape.length !== 2 ||
    logits.dtype !== 'f32' ||
    C === 0 ||
    target?.dtype !== 'i32' ||
    target.shape.length !== 1 ||
    target.shape[0] !== N
  ) {
    throw new ShapeError(
      `accuracy: needs logits f32 [N, C] and classes i32 [N], found ` +
        `${logits?.dtype ?? ''} ${formatShape(logits?.shape ?? [])} and ${target?.dtype ?? ''} ${formatShape(target?.shape ?? [])}`,
    );
  }
  return [N, C];
}

function isCorrect(logits: ArrayView, target: ArrayView, row: number): number {
  const [, C = 0] = logits.shape;
  const values = Array.from(logits.data.subarray(row * C, (row + 1) * C));
  // Math.max is NaN where any value is, and then nothing is found: -1, which is no hit for a label of -1 either.
  const predicted = values.indexOf(Math.max(...values));
  return Number(predicted >= 0 && predicted === target.data[row]);
}

function launchOf(entryPoint: string, logits: TensorSpec | undefined, workgroups: Launch['workgroups']): Launch {
  const [N = 0, C = 0] = logits?.shape ?? [];
  return {
    kernel: { name: entryPoint, code: commonWgsl + largestLogitWgsl + correctPredictionsWgsl, entryPoint },
    bindings: [{ input: 0 }, { input: 1 }, { output: 0 }],
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

const caseOf = ([N, C]: readonly [number, number]): OperationCase<NoAttributes> => ({
  inputs: [{ shape: [N, C] }, { shape: [N], dtype: 'i32', fill: { below: C } }],
  attributes: {},
});

const correctPredictionsOperation = defineOperation<NoAttributes>({
  name: 'correctPredictions',
  infer: ([logits, target]) => [{ shape: [checkClasses(logits, target)[0]], dtype: 'f32' }],
  reference({ inputs: [logits, target], outputs: [correct] }) {
    if (!logits || !target || !correct) return;
    for (let row = 0; row < correct.data.length; row++) correct.data[row] = isCorrect(logits, target, row);
  },
  kernel: ({ inputs: [logits] }) => [
    launchOf('correctPredictions', logits, foldWorkgroups(ceilDivide(logits?.shape[0] ?? 0, 64))),
  ],
  simd({ inputs: [logits] }) {
    const [N = 0, C = 0] = logits?.shape ?? [];
    const kernel = { module: argmaxWasm, entryPoint: 'correctPredictions' };
    const tasks = rowParts(N, C).map(({ start, count }) => {
      const rows = [
        { input: 0, offset: 4 * start * C },
        { input: 1, offset: 4 * start },
      ];
      return [{ kernel, arguments: [...rows, { output: 0, offset: 4 * start }, count, C] }];
    });
    return [{ tasks }];
  },
  gradient: { none: 'it is a step function' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [...SIZES.map(caseOf), caseOf([0, 4])],
});

/** The mean of the hits of few rows, in one launch; a loss of the same logits may take it in (fused-loss.ts). */
export const accuracyOperation = defineOperation<NoAttributes>({
  name: 'accuracy',
  infer([logits, target]) {
    checkClasses(logits, target);
    return [{ shape: [], dtype: 'f32' }];
  },
  reference({ inputs: [logits, target], outputs: [share] }) {
    if (!logits || !target || !share) return;
    const N = target.data.length;
    share.data[0] =
      Array.from({ length: N }, (_, row) => isCorrect(logits, target, row)).reduce((a, b) => a + b, 0) / N;
  },
  kernel: ({ inputs: [logits] }) => [launchOf('accuracy', logits, [1, 1, 1])],
  simd({ inputs: [logits] }) {
    const [N = 0, C = 0] = logits?.shape ?? [];
    const kernel = { module: argmaxWasm, entryPoint: 'accuracy' };
    return [{ tasks: [[{ kernel, arguments: [{ input: 0 }, { input: 1 }, { output: 0 }, N, C] }]] }];
  },
  gradient: { none: 'it is a step function' },
  tolerance: { absolute: 0, relative: 1e-6 },
  cases: SIZES.map(caseOf),
});

/** 1 for each row of logits [N, C] whose largest logit is that of its class (target i32 [N]), else 0: f32 [N]. */
export function correctPredictions(logits: TensorLike, target: TensorLike): Tensor {
  return applyOne(correctPredictionsOperation, [asTensor(logits), asTensor(target)], {});
}

/** Share of the rows that are predicted correctly, in [0, 1]: the mean of {@link correctPredictions}. */
export function accuracy(logits: TensorLike, target: TensorLike): Tensor {
  const [values, classes] = [asTensor(logits), asTensor(target)];
  const rows = values.shape[0] ?? 0;
  if (rows === 0 || rows > MAX_ROWS) return mean(correctPredictions(values, classes));
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
  const [values, bits] = [asTensor(output), asTensor(target)];
  if (!sameShape(values.shape, bits.shape)) {
    throw new ShapeError(
      `binaryAccuracy: output ${formatShape(values.shape)} and target ${formatShape(bits.shape)} differ in shape`,
    );
  }
  // A bit is two classes, with logits threshold and output, of which the first one wins where they are equal.
  const ofZero = tensor(new Float32Array(values.size).fill(options.threshold ?? 0), { shape: [values.size, 1] });
  const classes = reshape(cast(bits, 'i32'), [values.size]);
  return accuracy(concat([ofZero, reshape(values, [values.size, 1])], { axis: 1 }), classes);
}

export const accuracyOperations = [correctPredictionsOperation, accuracyOperation];
