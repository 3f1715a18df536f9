import { ShapeError } from '../../errors.js';
import { gatherWasm } from '../../generated/wasm.js';
import { commonWgsl, gatherWgsl } from '../../generated/wgsl.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { defineOperation, type Operation } from '../../graph/operation.js';
import { formatShape, type Shape, sizeOf } from '../../shape.js';
import { checkOptions } from '../../options.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import type { NoAttributes } from '../pointwise/binary.js';
import { elementParts, rowParts } from '../simd-parts.js';
import { checkNoScale, gatherBytes, scaleRule } from './bytes.js';

/** A quiet NaN: the element of a row that does not exist. */
const NAN_BITS = 0x7fc00000;

/** R rows of D elements, I indices. */
function sizesOf(table: Shape, indices: Shape) {
  return { R: table[0] ?? 0, D: sizeOf(table.slice(1)), I: sizeOf(indices) };
}

const CASES: readonly (readonly [Shape, Shape])[] = [
  [[7, 3], [5]],
  [
    [50, 16],
    [4, 9],
  ],
  [
    [3, 1],
    [2, 2, 2],
  ],
  [[5], [7]],
  [[3, 65], [0]],
  [[2, 3, 4], [3]],
];

const gatherGradient = defineOperation<{ readonly shape: Shape }>({
  name: 'gatherGradient',
  infer: (_inputs, { shape }) => [{ shape, dtype: 'f32' }],
  reference({ inputs: [dOutput, indices], outputs: [dTable] }) {
    if (!dOutput || !indices || !dTable) return;
    const { R, D } = sizesOf(dTable.shape, indices.shape);
    const sums = new Float64Array(R * D);
    indices.data.forEach((row, i) => {
      if (row < 0 || row >= R) return;
      for (let d = 0; d < D; d++) sums[row * D + d] = (sums[row * D + d] ?? 0) + (dOutput.data[i * D + d] ?? 0);
    });
    dTable.data.set(sums);
  },
  kernel({ inputs: [, indices], attributes: { shape } }) {
    const { R, D, I } = sizesOf(shape, indices?.shape ?? []);
    return [launchOf('gatherGradient', R, D, I, R * D)];
  },
  simd({ inputs: [, indices], attributes: { shape } }) {
    const { R, D, I } = sizesOf(shape, indices?.shape ?? []);
    const kernel = { module: gatherWasm, entryPoint: 'scatterAdd' };
    const tasks = elementParts(D, R + I).map(({ start, count }) => {
      const offset = 4 * start;
      return [{ kernel, arguments: [{ input: 0, offset }, { input: 1 }, { output: 0, offset }, R, D, I, count] }];
    });
    return [{ tasks }];
  },
  gradient: ({ inputs: [, indices], outputGradients: [dOutput] }) =>
    indices && dOutput ? [gather(dOutput, indices), undefined] : [],
  tolerance: { absolute: 1e-5, relative: 1e-5 },
  cases: CASES.map(([shape, indices]) => ({
    inputs: [
      { shape: [...indices, ...shape.slice(1)] },
      { shape: indices, dtype: 'i32', fill: { below: shape[0] ?? 0 } },
    ],
    attributes: { shape },
  })),
});

export const gatherOperation: Operation<NoAttributes> = defineOperation<NoAttributes>({
  name: 'gather',
  infer([table, indices]) {
    if (!table || table.shape.length === 0 || indices?.dtype !== 'i32') {
      throw new ShapeError(
        `gather: needs a table [rows, ..] and indices of type i32, found ${formatShape(table?.shape ?? [])} and ${indices?.dtype ?? 'nothing'}`,
      );
    }
    return [{ shape: [...indices.shape, ...table.shape.slice(1)], dtype: table.dtype }];
  },
  reference({ inputs: [table, indices], outputs: [output] }) {
    if (!table || !indices || !output) return;
    const { R, D } = sizesOf(table.shape, indices.shape);
    const missing = output.data instanceof Int32Array ? -1 : output.data instanceof Uint32Array ? 0xffffffff : NaN;
    indices.data.forEach((row, i) => {
      const exists = row >= 0 && row < R;
      for (let d = 0; d < D; d++) output.data[i * D + d] = exists ? (table.data[row * D + d] ?? 0) : missing;
    });
  },
  kernel({ inputs: [table, indices] }) {
    const { R, D, I } = sizesOf(table?.shape ?? [], indices?.shape ?? []);
    return [launchOf('gather', R, D, I, I * D)];
  },
  simd({ inputs: [table, indices] }) {
    const { R, D, I } = sizesOf(table?.shape ?? [], indices?.shape ?? []);
    const missing = table?.dtype === 'f32' ? NAN_BITS : -1;
    const kernel = { module: gatherWasm, entryPoint: 'gather' };
    const tasks = rowParts(I, D).map(({ start, count }) => {
      const rows = [{ input: 0 }, { input: 1, offset: 4 * start }, { output: 0, offset: 4 * start * D }];
      return [{ kernel, arguments: [...rows, R, D, count, missing] }];
    });
    return [{ tasks }];
  },
  gradient: ({ inputs: [table, indices], outputGradients: [dOutput] }) =>
    table && indices && dOutput
      ? [applyOne(gatherGradient, [dOutput, indices], { shape: table.shape }), undefined]
      : [],
  selectsRows: { table: 0, indices: 1 },
  tolerance: { absolute: 0, relative: 0 },
  cases: CASES.map(([shape, indices]) => ({
    inputs: [{ shape }, { shape: indices, dtype: 'i32', fill: { below: shape[0] ?? 0 } }],
    attributes: {},
  })),
});

function launchOf(entryPoint: string, R: number, D: number, I: number, elements: number) {
  return {
    kernel: { name: entryPoint, code: commonWgsl + gatherWgsl, entryPoint },
    bindings: [{ input: 0 }, { input: 1 }, { output: 0 }],
    uniforms: new Uniforms().u32(R, D, I).bytes(),
    workgroups: foldWorkgroups(ceilDivide(elements, 64)),
  };
}

/** Options of {@link gather}. */
export interface GatherOptions {
  /** Of a table of bytes (u8): what they are multiplied by where they are read. Default 1. */
  readonly scale?: number;
}

/**
 * Rows of a table [R, ..] by their numbers: output [...indices.shape, ..] (PyTorch: `F.embedding`, `table[indices]`;
 * Keras: `take`). indices are of type i32; a row that does not exist is NaN (-1 in integers). The gradient adds up the
 * rows that were taken several times, in a fixed order.
 *
 * Rows of a table of bytes (u8) are f32: byte · scale, rounded once, the same on all devices for scales such as 1 / 255
 * (kernels/moving/bytes.wgsl says where it may differ in the last place).
 *
 * Throws ShapeError for other types or a scalar table, OptionError for a scale with a table that is not of bytes.
 */
export function gather(table: TensorLike, indices: TensorLike, options: GatherOptions = {}): Tensor {
  checkOptions('gather', options, { scale: scaleRule });
  const operands = [asTensor(table), asTensor(indices)] as const;
  const { dtype } = operands[0];
  if (dtype === 'u8') return applyOne(gatherBytes, operands, { scale: options.scale ?? 1 });
  checkNoScale('gather', dtype, options.scale);
  return applyOne(gatherOperation, operands, {});
}

export const gatherOperations = [gatherOperation, gatherGradient];
