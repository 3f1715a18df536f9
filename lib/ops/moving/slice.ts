import { ShapeError } from '../../errors.js';
import { elementAt } from '../../element-at.js';
import { commonWgsl, elementFourWgsl, elementOneWgsl, padWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { like, numbers } from '../../graph/operands.js';
import type { DType } from '../../graph/operation.js';
import { formatShape, type Shape, sizeOf, stridesOf } from '../../shape.js';
import { checkArgument, list } from '../../options.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { fillTasks, type Move, moveElements, moveLaunch, movePhase, type Region } from './moving.js';

// Slices and pads share a file: each is the gradient of the other.

type SliceAttributes = { readonly start: readonly number[]; readonly end: readonly number[] };

const sliceOperation = defineOperation<SliceAttributes>()({
  name: 'slice',
  inputs: { input: numbers('...') },
  outputs: { output: like('input', '...output') },
  infer: ({ attributes: { start, end } }) => ({ output: end.map((stop, axis) => stop - elementAt(start, axis)) }),
  reference({ input, output }, _, { start }) {
    moveElements(cutOut(input.shape, output.shape, start), input, output);
  },
  kernel: ({ specs: { input, output }, attributes: { start } }) => [
    moveLaunch('slice', { move: cutOut(input.shape, output.shape, start), from: 'input', to: 'output' }),
  ],
  simd: ({ specs: { input, output }, attributes: { start } }) =>
    movePhase([{ move: cutOut(input.shape, output.shape, start), from: 'input', to: 'output' }]),
  gradient: ({ inputs: { input }, outputGradients: { output }, attributes: { start } }) => ({
    input: applyOne(padOperation, [output], { start, shape: input.shape, value: 0 }),
  }),
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { inputs: { input: { shape: [5, 7] } }, attributes: { start: [1, 2], end: [4, 7] } },
    { inputs: { input: { shape: [2, 3, 4, 5] } }, attributes: { start: [0, 1, 0, 2], end: [2, 3, 4, 5] } },
    { inputs: { input: { shape: [7] } }, attributes: { start: [3], end: [3] } },
    { inputs: { input: { shape: [129, 3] } }, attributes: { start: [1, 0], end: [129, 3] } },
  ],
  cost: ({ attributes: { start, end } }) => ({
    flop: 0,
    bytes: 8 * sizeOf(end.map((stop, axis) => stop - elementAt(start, axis))),
  }),
  benchmarks: {
    crop: { inputs: { input: { shape: [1024, 1024] } }, attributes: { start: [64, 64], end: [960, 960] } },
  },
});

type PadAttributes = { readonly start: readonly number[]; readonly shape: Shape; readonly value: number };

/** A block in a larger shape, with one value around it; of 0 it is the gradient of a slice. `pad` is its public form. */
export const padOperation = defineOperation<PadAttributes>()({
  name: 'pad',
  inputs: { block: numbers('...') },
  outputs: { output: like('block', '...output') },
  infer: ({ attributes: { shape } }) => ({ output: shape }),
  reference({ block, output }, _, { start, value }) {
    output.data.fill(value);
    moveElements(putBack(block.shape, output.shape, start), block, output);
  },
  kernel({ specs: { block }, attributes: { start, shape, value } }) {
    const axes = mergedAxes(block.shape, shape, start);
    const [last] = axes.slice(-1);
    const isOfFours = last !== undefined && Object.values(last).every((size) => size % 4 === 0);
    const width = isOfFours ? 4 : 1;
    const along = (part: keyof Axis) => axes.map((axis) => (axis === last ? axis[part] / width : axis[part]));
    const count = sizeOf(shape) / width;
    return [
      {
        kernel: {
          name: 'pad',
          code: commonWgsl + (isOfFours ? elementFourWgsl : elementOneWgsl) + padWgsl,
          entryPoint: 'pad',
        },
        bindings: ['block', 'output'],
        uniforms: new Uniforms()
          .u32(count, axes.length, bitsOf(value, block.dtype))
          .axes(along('size'), 1)
          .axes(along('before'), 0)
          .axes(along('block'), 1)
          .bytes(),
        workgroups: foldWorkgroups(ceilDivide(count, 64)),
      },
    ];
  },
  simd({ specs: { block }, attributes: { start, shape, value } }) {
    const moves = movePhase([{ move: putBack(block.shape, shape, start), from: 'block', to: 'output' }]);
    const bits = bitsOf(value, block.dtype);
    const fills = bordersOf(block.shape, shape, start).map((border) => fillTasks('output', border, bits));
    if (!moves || !fills.every((tasks) => tasks !== undefined)) return undefined;
    return [{ tasks: [...fills, ...moves.map(({ tasks }) => tasks)].flat() }];
  },
  gradient({ inputs: { block }, outputGradients: { output }, attributes: { start } }) {
    const end = block.shape.map((size, axis) => size + elementAt(start, axis));
    return { block: slice(output, start, end) };
  },
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { inputs: { block: { shape: [3, 5] } }, attributes: { start: [1, 2], shape: [5, 7], value: 0 } },
    { inputs: { block: { shape: [0, 5] } }, attributes: { start: [1, 2], shape: [5, 7], value: 1.5 } },
    { inputs: { block: { shape: [2, 3, 4, 8] } }, attributes: { start: [0, 1, 2, 0], shape: [2, 5, 6, 8], value: -2 } },
    { inputs: { block: { shape: [2, 3, 1, 3] } }, attributes: { start: [0, 0, 1, 0], shape: [2, 4, 3, 3], value: 0 } },
    { inputs: { block: { shape: [3, 2, 5] } }, attributes: { start: [1, 0, 4], shape: [5, 2, 12], value: 7 } },
    { inputs: { block: { shape: [2, 8] } }, attributes: { start: [0, 4], shape: [2, 16], value: 1 } },
    { inputs: { block: { shape: [3, 4] } }, attributes: { start: [0, 0], shape: [3, 4], value: 1 } },
    { inputs: { block: { shape: [] } }, attributes: { start: [], shape: [], value: 1 } },
    {
      inputs: { block: { shape: [3, 130], dtype: 'i32', fill: { below: 9 } } },
      attributes: { start: [1, 64], shape: [4, 259], value: -1 },
    },
  ],
  cost: () => ({ flop: 0 }),
  benchmarks: {
    crop: { inputs: { block: { shape: [896, 896] } }, attributes: { start: [64, 64], shape: [1024, 1024], value: 0 } },
  },
});

/** The bits of a value of a type. */
function bitsOf(value: number, dtype: DType): number {
  return dtype === 'f32' ? elementAt(new Uint32Array(Float32Array.of(value).buffer), 0) : value >>> 0;
}

/** An axis of a padded shape: its size, how much of it lies before the block, and the block's size. */
type Axis = Readonly<Record<'size' | 'before' | 'block', number>>;

/** The axes of a padded shape; one without padding is part of the one before it. */
function mergedAxes(block: Shape, shape: Shape, start: readonly number[]): readonly Axis[] {
  const merged: Axis[] = [];
  shape.forEach((size, axis) => {
    const own = { size, before: elementAt(start, axis), block: elementAt(block, axis) };
    const outer = own.block === size ? merged.pop() : undefined;
    merged.push(outer ? { size: outer.size * size, before: outer.before * size, block: outer.block * size } : own);
  });
  return merged;
}

/** What of a padded shape is not the block: along each axis what lies before and behind it, where the axes before it are inside. */
function bordersOf(block: Shape, shape: Shape, start: readonly number[]): readonly Region[] {
  const strides = stridesOf(shape);
  return shape.flatMap((size, axis) => {
    const end = elementAt(start, axis) + elementAt(block, axis);
    const inside = startOf(
      shape,
      start.map((first, a) => (a < axis ? first : 0)),
    );
    const region = (first: number, count: number): Region => ({
      start: inside + first * elementAt(strides, axis),
      sizes: shape.map((whole, a) => (a < axis ? elementAt(block, a) : a === axis ? count : whole)),
      strides,
    });
    const sides = [region(0, elementAt(start, axis)), region(end, size - end)];
    return sides.filter(({ sizes }) => sizeOf(sizes) > 0);
  });
}

function startOf(shape: Shape, start: readonly number[]): number {
  return stridesOf(shape).reduce((offset, stride, axis) => offset + stride * elementAt(start, axis), 0);
}

function cutOut(input: Shape, block: Shape, start: readonly number[]): Move {
  return {
    sizes: block,
    from: { start: startOf(input, start), strides: stridesOf(input) },
    to: { start: 0, strides: stridesOf(block) },
  };
}

function putBack(block: Shape, output: Shape, start: readonly number[]): Move {
  const { sizes, from, to } = cutOut(output, block, start);
  return { sizes, from: to, to: from };
}

/**
 * The block from `start` (included) to `end` (excluded), axis by axis; axes that are not named are taken whole, and
 * negative positions count from the end. Throws ShapeError where the block reaches beyond the input.
 */
export function slice(input: TensorLike, start: readonly number[], end: readonly number[] = []): Tensor {
  const value = asTensor('slice', 'input', input);
  checkArgument('slice', 'start', start, list);
  checkArgument('slice', 'end', end, list);
  const resolve = (position: number | undefined, otherwise: number, size: number): number =>
    position === undefined ? otherwise : position < 0 ? position + size : position;
  const from = value.shape.map((size, axis) => resolve(start[axis], 0, size));
  const to = value.shape.map((size, axis) => resolve(end[axis], size, size));
  const fits = value.shape.every((size, axis) => {
    const [a, b] = [elementAt(from, axis), elementAt(to, axis)];
    return Number.isInteger(a) && Number.isInteger(b) && a >= 0 && a <= b && b <= size;
  });
  if (!fits || start.length > value.rank || end.length > value.rank) {
    throw new ShapeError(
      `slice: [${start.join(', ')}] to [${end.join(', ')}] is no block of ${formatShape(value.shape)}`,
    );
  }
  return applyOne(sliceOperation, [value], { start: from, end: to });
}

export const sliceOperations = [sliceOperation, padOperation];
