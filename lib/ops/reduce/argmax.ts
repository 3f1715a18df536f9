import { ShapeError } from '../../errors.js';
import { argmaxWasm } from '../../generated/wasm.js';
import { argmaxWgsl, commonWgsl } from '../../generated/wgsl.js';
import { at, defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { f32, i32 } from '../../graph/operands.js';
import { checkOptions } from '../../options.js';
import { formatShape, normalizeAxis, rowsAlong } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { type AxisOptions, AXIS_RULES } from '../normalize/softmax.js';
import { rowParts } from '../simd-parts.js';

const argmaxOperation = defineOperation<{ readonly axis: number }>()({
  name: 'argmax',
  inputs: { input: f32('...') },
  outputs: { output: i32('...rows') },
  infer({ specs: { input }, attributes: { axis } }) {
    const { shape } = input;
    if (shape[axis] === 0) throw new ShapeError(`argmax: axis ${axis} of ${formatShape(shape)} is empty`);
    return { output: shape.filter((_, a) => a !== axis) };
  },
  reference({ input, output }, _, { axis }) {
    const { C, inner, rows } = rowsAlong(input.shape, axis);
    for (let row = 0; row < rows; row++) {
      const value = (i: number): number => input.at(Math.floor(row / inner) * C * inner + (row % inner) + i * inner);
      let best = 0;
      for (let i = 1; i < C && !Number.isNaN(value(best)); i++) {
        if (Number.isNaN(value(i)) || value(i) > value(best)) best = i;
      }
      output.set(row, best);
    }
  },
  kernel({ specs: { input }, attributes: { axis } }) {
    const { C, inner, rows } = rowsAlong(input.shape, axis);
    return [
      {
        kernel: { name: 'argmax', code: commonWgsl + argmaxWgsl, entryPoint: 'argmax' },
        bindings: ['input', 'output'],
        uniforms: new Uniforms().u32(rows, C, inner).bytes(),
        workgroups: foldWorkgroups(ceilDivide(rows, 64)),
      },
    ];
  },
  simd({ specs: { input }, attributes: { axis } }) {
    const { rows, C, inner } = rowsAlong(input.shape, axis);
    if (inner !== 1) return undefined; // the kernel wants a row's elements side by side
    const kernel = { module: argmaxWasm, entryPoint: 'argmax' };
    const tasks = rowParts(rows, C).map(({ start, count }) => [
      { kernel, arguments: [at('input', 4 * start * C), at('output', 4 * start), count, C] },
    ]);
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
  ).map(([shape, axis]) => ({ inputs: { input: { shape } }, attributes: { axis } })),
});

/**
 * Position (i32) of the largest element along an axis; the first one where there are several; the first NaN where
 * there is any. Throws ShapeError for an empty axis.
 */
export function argmax(input: TensorLike, options: AxisOptions = {}): Tensor {
  checkOptions('argmax', options, AXIS_RULES);
  const value = asTensor(input);
  return applyOne(argmaxOperation, [value], { axis: normalizeAxis('argmax', options.axis ?? -1, value.shape) });
}

export const argmaxOperations = [argmaxOperation];
