import { ShapeError } from '../../errors.js';
import { commonWgsl, fillWgsl } from '../../generated/wgsl.js';
import { ceilDivide, foldWorkgroups, type Launch, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { defineOperation } from '../../graph/operation.js';
import { formatShape, type Shape, sizeOf, stridesOf } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { clearPhase, type Move, moveElements, moveLaunch, movePhase } from './moving.js';

type SliceAttributes = { readonly start: readonly number[]; readonly end: readonly number[] };

const sliceOperation = defineOperation<SliceAttributes>({
  name: 'slice',
  infer: ([input], { start, end }) => [
    { shape: end.map((stop, axis) => stop - (start[axis] ?? 0)), dtype: input?.dtype ?? 'f32' },
  ],
  reference({ inputs: [input], outputs: [output], attributes: { start } }) {
    if (input && output) moveElements(cutOut(input.shape, output.shape, start), input, output);
  },
  kernel: ({ inputs: [input], outputs: [output], attributes: { start } }) => [
    moveLaunch('slice', cutOut(input?.shape ?? [], output?.shape ?? [], start)),
  ],
  simd: ({ inputs: [input], outputs: [output], attributes: { start } }) =>
    movePhase([cutOut(input?.shape ?? [], output?.shape ?? [], start)]),
  gradient: ({ inputs: [input], outputGradients: [dOutput], attributes: { start } }) =>
    input && dOutput ? [applyOne(padOperation, [dOutput], { start, shape: input.shape })] : [],
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { inputs: [{ shape: [5, 7] }], attributes: { start: [1, 2], end: [4, 7] } },
    { inputs: [{ shape: [2, 3, 4, 5] }], attributes: { start: [0, 1, 0, 2], end: [2, 3, 4, 5] } },
    { inputs: [{ shape: [7] }], attributes: { start: [3], end: [3] } },
    { inputs: [{ shape: [129, 3] }], attributes: { start: [1, 0], end: [129, 3] } },
  ],
});

/** Gradient of a slice: zeros in the shape of its input, with the block put back where it was cut out. */
const padOperation = defineOperation<{ readonly start: readonly number[]; readonly shape: Shape }>({
  name: 'sliceGradient',
  infer: ([block], { shape }) => [{ shape, dtype: block?.dtype ?? 'f32' }],
  reference({ inputs: [block], outputs: [output], attributes: { start } }) {
    if (!block || !output) return;
    output.data.fill(0);
    moveElements(putBack(block.shape, output.shape, start), block, output);
  },
  kernel({ inputs: [block], attributes: { start, shape } }): readonly Launch[] {
    const count = sizeOf(shape);
    const clear: Launch = {
      kernel: { name: 'sliceGradient fill', code: commonWgsl + fillWgsl, entryPoint: 'fillWithZero' },
      bindings: [{ output: 0 }],
      uniforms: new Uniforms().u32(count).bytes(),
      workgroups: foldWorkgroups(ceilDivide(count, 64)),
    };
    const blockShape = block?.shape ?? [];
    return sizeOf(blockShape) === 0 ? [clear] : [clear, moveLaunch('sliceGradient', putBack(blockShape, shape, start))];
  },
  simd({ inputs: [block], attributes: { start, shape } }) {
    const moves = movePhase([putBack(block?.shape ?? [], shape, start)]);
    return moves && [clearPhase(sizeOf(shape)), ...moves];
  },
  gradient: ({ inputs: [block], outputGradients: [dOutput], attributes: { start } }) =>
    block && dOutput
      ? [
          slice(
            dOutput,
            start,
            start.map((from, axis) => from + (block.shape[axis] ?? 0)),
          ),
        ]
      : [],
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { inputs: [{ shape: [3, 5] }], attributes: { start: [1, 2], shape: [5, 7] } },
    { inputs: [{ shape: [0, 5] }], attributes: { start: [1, 2], shape: [5, 7] } },
  ],
});

function startOf(shape: Shape, start: readonly number[]): number {
  return stridesOf(shape).reduce((offset, stride, axis) => offset + stride * (start[axis] ?? 0), 0);
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
  const value = asTensor(input);
  const resolve = (position: number | undefined, otherwise: number, size: number): number =>
    position === undefined ? otherwise : position < 0 ? position + size : position;
  const from = value.shape.map((size, axis) => resolve(start[axis], 0, size));
  const to = value.shape.map((size, axis) => resolve(end[axis], size, size));
  const fits = value.shape.every((size, axis) => {
    const [a = 0, b = 0] = [from[axis], to[axis]];
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
