import { ShapeError } from '../../errors.js';
import { argmaxWasm } from '../../generated/wasm.js';
import { argmaxWgsl, commonWgsl } from '../../generated/wgsl.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { defineOperation } from '../../graph/operation.js';
import { formatShape, normalizeAxis, rowsAlong } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { rowParts } from '../simd-parts.js';
import type { AxisOptions } from '../normalize/softmax.js';

const argmaxOperation = defineOperation<{ readonly axis: number }>({
  name: 'argmax',
  infer([input], { axis }) {
    const shape = input?.shape ?? [];
    if (input?.dtype !== 'f32') throw new ShapeError(`argmax: expected f32, found ${input?.dtype ?? 'nothing'}`);
    if (shape[axis] === 0) throw new ShapeError(`argmax: axis ${axis} of ${formatShape(shape)} is empty`);
    return [{ shape: shape.filter((_, a) => a !== axis), dtype: 'i32' }];
  },
  reference({ inputs: [input], outputs: [output], attributes: { axis } }) {
    if (!input || !output) return;
    const { C, inner, rows } = rowsAlong(input.shape, axis);
    for (let row = 0; row < rows; row++) {
      const value = (i: number): number =>
        input.data[Math.floor(row / inner) * C * inner + (row % inner) + i * inner] ?? 0;
      let best = 0;
      for (let i = 1; i < C && !Number.isNaN(value(best)); i++) {
        if (Number.isNaN(value(i)) || value(i) > value(best)) best = i;
      }
      output.data[row] = best;
    }
  },
  kernel({ inputs: [input], attributes: { axis } }) {
    const { C, inner, rows } = rowsAlong(input?.shape ?? [], axis);
    return [
      {
        kernel: { name: 'argmax', code: commonWgsl + argmaxWgsl, entryPoint: 'argmax' },
        bindings: [{ input: 0 }, { output: 0 }],
        uniforms: new Uniforms().u32(rows, C, inner).bytes(),
        workgroups: foldWorkgroups(ceilDivide(rows, 64)),
      },
    ];
  },
  simd({ inputs: [input], attributes: { axis } }) {
    const { rows, C, inner } = rowsAlong(input?.shape ?? [], axis);
    if (inner !== 1) return undefined; // the kernel wants a row's elements side by side
    const kernel = { module: argmaxWasm, entryPoint: 'argmax' };
    const tasks = rowParts(rows, C).map(({ start, count }) => {
      const [from, to] = [
        { input: 0, offset: 4 * start * C },
        { output: 0, offset: 4 * start },
      ];
      return [{ kernel, arguments: [from, to, count, C] }];
    });
    return [{ tasks }];
  },
  gradient: { none: 'a position does not change by small steps' },
  tolerance: { absolute: 0, relative: 0 },
  cases: (
    [
      [[5], 0],
      [[3, 10], 1],
      [[2, 3, 4], 1],
      [[65, 2], 1],
      [[0, 3], 1],
    ] as const
  ).map(([shape, axis]) => ({ inputs: [{ shape }], attributes: { axis } })),
});

/**
 * Position (i32) of the largest element along an axis; the first one where there are several; the first NaN where
 * there is any. Throws ShapeError for an empty axis.
 */
export function argmax(input: TensorLike, options: AxisOptions = {}): Tensor {
  const value = asTensor(input);
  return applyOne(argmaxOperation, [value], { axis: normalizeAxis('argmax', options.axis ?? -1, value.shape) });
}

export const argmaxOperations = [argmaxOperation];
