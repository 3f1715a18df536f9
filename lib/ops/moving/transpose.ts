import { ShapeError } from '../../errors.js';
import { applyOne } from '../../graph/node.js';
import { defineOperation } from '../../graph/operation.js';
import { formatShape, normalizeAxis, type Shape, stridesOf } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { type Move, moveElements, moveLaunch, movePhase } from './moving.js';

const transposeOperation = defineOperation<{ readonly permutation: readonly number[] }>({
  name: 'transpose',
  infer: ([input], { permutation }) => [
    { shape: permutation.map((axis) => input?.shape[axis] ?? 0), dtype: input?.dtype ?? 'f32' },
  ],
  reference({ inputs: [input], outputs: [output], attributes }) {
    if (input && output) moveElements(moveOf(input.shape, attributes.permutation), input, output);
  },
  kernel: ({ inputs: [input], attributes }) => [
    moveLaunch('transpose', moveOf(input?.shape ?? [], attributes.permutation)),
  ],
  simd: ({ inputs: [input], attributes }) => movePhase([moveOf(input?.shape ?? [], attributes.permutation)]),
  gradient: ({ outputGradients: [dOutput], attributes: { permutation } }) =>
    dOutput
      ? [
          transpose(
            dOutput,
            permutation.map((_, axis) => permutation.indexOf(axis)),
          ),
        ]
      : [],
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { inputs: [{ shape: [3, 5] }], attributes: { permutation: [1, 0] } },
    { inputs: [{ shape: [65, 33] }], attributes: { permutation: [1, 0] } },
    { inputs: [{ shape: [2, 3, 4, 5] }], attributes: { permutation: [0, 2, 3, 1] } },
    { inputs: [{ shape: [2, 3, 4, 5] }], attributes: { permutation: [3, 2, 1, 0] } },
    { inputs: [{ shape: [0, 3] }], attributes: { permutation: [1, 0] } },
  ],
});

function moveOf(shape: Shape, permutation: readonly number[]): Move {
  const sizes = permutation.map((axis) => shape[axis] ?? 0);
  const strides = stridesOf(shape);
  return {
    sizes,
    from: { start: 0, strides: permutation.map((axis) => strides[axis] ?? 0) },
    to: { start: 0, strides: stridesOf(sizes) },
  };
}

/**
 * Axes in another order: axis i of the output is axis permutation[i] of the input (PyTorch: `permute`). Default: the
 * reverse order. Throws ShapeError where the permutation does not name every axis once.
 */
export function transpose(input: TensorLike, permutation?: readonly number[]): Tensor {
  const value = asTensor(input);
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
