import { ShapeError } from '../../errors.js';
import { elementAt } from '../../element-at.js';
import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { like, numbers } from '../../graph/operands.js';
import { axisSize, formatShape, normalizeAxis, type Shape, stridesOf } from '../../shape.js';
import { checkArgument, list } from '../../options.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { type Move, moveElements, movePhase, transposeLaunch } from './moving.js';

const transposeOperation = defineOperation<{ readonly permutation: readonly number[] }>()({
  name: 'transpose',
  inputs: { input: numbers('...') },
  outputs: { output: like('input', '...output') },
  infer: ({ specs: { input }, attributes: { permutation } }) => ({
    output: permutation.map((axis) => axisSize(input.shape, axis)),
  }),
  reference({ input, output }, _, { permutation }) {
    moveElements(moveOf(input.shape, permutation), input, output);
  },
  kernel: ({ specs: { input }, attributes: { permutation } }, target) => [
    transposeLaunch('transpose', { move: moveOf(input.shape, permutation), from: 'input', to: 'output' }, target),
  ],
  simd: ({ specs: { input }, attributes: { permutation } }) =>
    movePhase([{ move: moveOf(input.shape, permutation), from: 'input', to: 'output' }]),
  gradient({ outputGradients: { output }, attributes: { permutation } }) {
    const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
    return { input: transpose(output, inverse) };
  },
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { inputs: { input: { shape: [3, 5] } }, attributes: { permutation: [1, 0] } },
    { inputs: { input: { shape: [65, 33] } }, attributes: { permutation: [1, 0] } },
    { inputs: { input: { shape: [2, 3, 4, 5] } }, attributes: { permutation: [0, 2, 3, 1] } },
    { inputs: { input: { shape: [2, 3, 4, 5] } }, attributes: { permutation: [3, 2, 1, 0] } },
    { inputs: { input: { shape: [2, 33, 3, 40] } }, attributes: { permutation: [0, 3, 2, 1] } },
    { inputs: { input: { shape: [16, 3, 64] } }, attributes: { permutation: [2, 0, 1] } },
    { inputs: { input: { shape: [15, 32] } }, attributes: { permutation: [1, 0] } },
    { inputs: { input: { shape: [0, 3] } }, attributes: { permutation: [1, 0] } },
  ],
  cost: () => ({ flop: 0 }),
  benchmarks: {
    matrix: { inputs: { input: { shape: [1024, 1024] } }, attributes: { permutation: [1, 0] } },
    imagesToChannelsLast: { inputs: { input: { shape: [8, 3, 224, 224] } }, attributes: { permutation: [0, 2, 3, 1] } },
  },
});

function moveOf(shape: Shape, permutation: readonly number[]): Move {
  const sizes = permutation.map((axis) => axisSize(shape, axis));
  const strides = stridesOf(shape);
  return {
    sizes,
    from: { start: 0, strides: permutation.map((axis) => elementAt(strides, axis)) },
    to: { start: 0, strides: stridesOf(sizes) },
  };
}

/**
 * Axes in another order: axis i of the output is axis permutation[i] of the input (PyTorch: `permute`). Default: the
 * reverse order. Throws ShapeError where the permutation does not name every axis once.
 */
export function transpose(input: TensorLike, permutation?: readonly number[]): Tensor {
  const value = asTensor('transpose', 'input', input);
  if (permutation !== undefined) checkArgument('transpose', 'the permutation', permutation, list);
  const order =
    permutation?.map((axis) => normalizeAxis('transpose', axis, value.shape)) ?? value.shape.map((_, a) => a).reverse();
  if (order.length !== value.rank || new Set(order).size !== value.rank) {
    throw new ShapeError(
      `transpose: the permutation [${order.join(', ')}] does not name every axis of ${formatShape(value.shape)} once`,
    );
  }
  return applyOne(transposeOperation, [value], { permutation: order });
}

export const transposeOperations = [transposeOperation];
