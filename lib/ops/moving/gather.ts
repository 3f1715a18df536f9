import { elementAt } from '../../element-at.js';
import { gatherWasm } from '../../generated/wasm.js';
import { commonWgsl, gatherWgsl } from '../../generated/wgsl.js';
import { at, defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { f32, i32, like, numbers, View } from '../../graph/operands.js';
import { checkOptions } from '../../options.js';
import { axisSize, type Shape, sizeOf } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { elementParts, rowParts } from '../simd-parts.js';
import { checkNoScale, gatherBytes, scaleRule } from './bytes.js';
import { gatherGradientLaunches } from './gather-gradient.js';

/** A quiet NaN: the element of a row that does not exist. */
const NAN_BITS = 0x7fc00000;

/** Elements of a row of a table. */
function rowSize(table: Shape): number {
  return sizeOf(table.slice(1));
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
  [[2, 17], [3000]],
  [[700, 8], [1500]],
  [[5, 4], [5000]],
];

function gatherCase([shape, indices]: readonly [table: Shape, indices: Shape]) {
  const rows = { shape: indices, dtype: 'i32' as const, fill: { below: elementAt(shape, 0) } };
  return { inputs: { table: { shape }, indices: rows }, attributes: {} };
}

function gradientCase([shape, indices]: readonly [table: Shape, indices: Shape]) {
  const { inputs } = gatherCase([shape, indices]);
  const outputGradient = { shape: [...indices, ...shape.slice(1)] };
  return { inputs: { outputGradient, indices: inputs.indices }, attributes: { shape } };
}

const gatherGradient = defineOperation<{ readonly shape: Shape }>()({
  name: 'gatherGradient',
  inputs: { outputGradient: f32('...taken'), indices: i32('...') },
  outputs: { tableGradient: f32('...table') },
  infer: ({ attributes: { shape } }) => ({ tableGradient: shape }),
  reference({ outputGradient, indices, tableGradient }, _, { shape }) {
    const [R, D] = [axisSize(shape, 0), rowSize(shape)];
    const sums = new View({ data: new Float64Array(R * D), shape });
    indices.data.forEach((row, i) => {
      if (row < 0 || row >= R) return;
      for (let d = 0; d < D; d++) sums.set(row * D + d, sums.at(row * D + d) + outputGradient.at(i * D + d));
    });
    tableGradient.data.set(sums.data);
  },
  kernel: ({ specs: { indices }, attributes: { shape } }) =>
    gatherGradientLaunches({ R: axisSize(shape, 0), D: rowSize(shape), I: sizeOf(indices.shape) }),
  simd({ specs: { indices }, attributes: { shape } }) {
    const [R, D, I] = [axisSize(shape, 0), rowSize(shape), sizeOf(indices.shape)];
    const kernel = { module: gatherWasm, entryPoint: 'scatterAdd' };
    const tasks = elementParts(D, R + I).map(({ start, count }) => {
      const tensors = [at('outputGradient', 4 * start), 'indices', at('tableGradient', 4 * start)] as const;
      return [{ kernel, arguments: [...tensors, R, D, I, count, { scratch: true as const }] }];
    });
    return [{ tasks, scratchBytes: 4 * (R + I) }];
  },
  gradient: ({ inputs: { indices }, outputGradients: { tableGradient } }) => ({
    outputGradient: gather(tableGradient, indices),
  }),
  tolerance: { absolute: 1e-4, relative: 1e-5 }, // sums of up to 1,500 normal numbers
  cases: CASES.map(gradientCase),
  cost: ({ specs: { outputGradient, indices } }) => ({
    flop: sizeOf(outputGradient.shape),
    terms: sizeOf(indices.shape),
  }),
  benchmarks: { embedding: gradientCase([[1000, 64], [512]]) },
});

const gatherOperation = defineOperation()({
  name: 'gather',
  inputs: { table: numbers('R', '...row'), indices: i32('...') },
  outputs: { output: like('table', '...', '...row') },
  reference({ table, indices, output }, { R }) {
    const D = rowSize(table.shape);
    const missing = output.data instanceof Int32Array ? -1 : output.data instanceof Uint32Array ? 0xffffffff : NaN;
    indices.data.forEach((row, i) => {
      const exists = row >= 0 && row < R;
      for (let d = 0; d < D; d++) output.set(i * D + d, exists ? table.at(row * D + d) : missing);
    });
  },
  kernel({ specs: { table, indices }, sizes: { R } }) {
    const [D, I] = [rowSize(table.shape), sizeOf(indices.shape)];
    return [
      {
        kernel: { name: 'gather', code: commonWgsl + gatherWgsl, entryPoint: 'gather' },
        bindings: ['table', 'indices', 'output'],
        uniforms: new Uniforms().u32(R, D, I).bytes(),
        workgroups: foldWorkgroups(ceilDivide(I * D, 64)),
      },
    ];
  },
  simd({ specs: { table, indices }, sizes: { R } }) {
    const [D, I] = [rowSize(table.shape), sizeOf(indices.shape)];
    const missing = table.dtype === 'f32' ? NAN_BITS : -1;
    const kernel = { module: gatherWasm, entryPoint: 'gather' };
    const tasks = rowParts(I, D).map(({ start, count }) => [
      {
        kernel,
        arguments: ['table', at('indices', 4 * start), at('output', 4 * start * D), R, D, count, missing] as const,
      },
    ]);
    return [{ tasks }];
  },
  gradient: ({ inputs: { table, indices }, outputGradients: { output } }) => ({
    table: applyOne(gatherGradient, [output, indices], { shape: table.shape }),
  }),
  selectsRows: { table: 'table', indices: 'indices' },
  tolerance: { absolute: 0, relative: 0 },
  cases: CASES.map(gatherCase),
  // Of the table only the rows that are taken.
  cost({ specs: { table, indices } }) {
    const taken = sizeOf(indices.shape);
    return { flop: 0, bytes: 8 * taken * rowSize(table.shape) + 4 * taken };
  },
  benchmarks: {
    mynetBatch: gatherCase([[440, 2352], [32]]),
    embedding: gatherCase([[50_257, 64], [4096]]),
  },
});

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
  const operands = [asTensor('gather', 'table', table), asTensor('gather', 'indices', indices)] as const;
  const { dtype } = operands[0];
  if (dtype === 'u8') return applyOne(gatherBytes, operands, { scale: options.scale ?? 1 });
  checkNoScale('gather', dtype, options.scale);
  return applyOne(gatherOperation, operands, {});
}

export const gatherOperations = [gatherOperation, gatherGradient];
