import { ShapeError } from '../errors.js';
import { argmaxWasm } from '../generated/wasm.js';
import { commonWgsl, correctPredictionsWgsl } from '../generated/wgsl.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../graph/launch.js';
import { applyOne } from '../graph/node.js';
import { defineOperation } from '../graph/operation.js';
import { formatShape } from '../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../tensor.js';
import type { NoAttributes } from './binary.js';
import { rowParts } from './simd-parts.js';
import { mean } from './sum.js';

const correctPredictionsOperation = defineOperation<NoAttributes>({
  name: 'correctPredictions',
  infer([logits, target]) {
    const [N, C] = logits?.shape ?? [];
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
    return [{ shape: [N ?? 0], dtype: 'f32' }];
  },
  reference({ inputs: [logits, target], outputs: [correct] }) {
    if (!logits || !target || !correct) return;
    const [N = 0, C = 0] = logits.shape;
    for (let row = 0; row < N; row++) {
      const values = Array.from(logits.data.subarray(row * C, (row + 1) * C));
      // Math.max is NaN where any value is, and then nothing is found.
      correct.data[row] = Number(values.indexOf(Math.max(...values)) === target.data[row]);
    }
  },
  kernel({ inputs: [logits] }) {
    const [N = 0, C = 0] = logits?.shape ?? [];
    return [
      {
        kernel: {
          name: 'correctPredictions',
          code: commonWgsl + correctPredictionsWgsl,
          entryPoint: 'correctPredictions',
        },
        bindings: [{ input: 0 }, { input: 1 }, { output: 0 }],
        uniforms: new Uniforms().u32(N, C).bytes(),
        workgroups: foldWorkgroups(ceilDivide(N, 64)),
      },
    ];
  },
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
  cases: [
    [1, 1],
    [7, 3],
    [65, 2],
    [3, 257],
    [0, 4],
  ].map(([N = 0, C = 0]) => ({
    inputs: [{ shape: [N, C] }, { shape: [N], dtype: 'i32' as const, fill: { below: C } }],
    attributes: {},
  })),
});

/** 1 for each row of logits [N, C] whose largest logit is that of its class (target i32 [N]), else 0: f32 [N]. */
export function correctPredictions(logits: TensorLike, target: TensorLike): Tensor {
  return applyOne(correctPredictionsOperation, [asTensor(logits), asTensor(target)], {});
}

/** Share of the rows that are predicted correctly, in [0, 1]: the mean of {@link correctPredictions}. */
export function accuracy(logits: TensorLike, target: TensorLike): Tensor {
  return mean(correctPredictions(logits, target));
}

export const accuracyOperations = [correctPredictionsOperation];
