import { ShapeError } from '../../errors.js';
import { applyOne } from '../../graph/node.js';
import { defineOperation } from '../../graph/operation.js';
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  formatShape,
  sameShape,
  type Shape,
  stridesOf,
} from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { type Move, moveElements, moveLaunch, movePhase } from './moving.js';
import { sumTo } from '../reduce/sum.js';

const broadcastOperation = defineOperation<{ readonly shape: Shape }>({
  name: 'broadcastTo',
  infer([input], { shape }) {
    checkShape('broadcastTo', shape);
    if (!input || !sameShape(broadcastShapes('broadcastTo', input.shape, shape), shape)) {
      throw new ShapeError(
        `broadcastTo: ${formatShape(input?.shape ?? [])} cannot be repeated to ${formatShape(shape)}`,
      );
    }
    return [{ shape, dtype: input.dtype }];
  },
  reference({ inputs: [input], outputs: [output] }) {
    if (input && output) moveElements(moveOf(input.shape, output.shape), input, output);
  },
  kernel: ({ inputs: [input], attributes: { shape } }) => [
    moveLaunch('broadcastTo', moveOf(input?.shape ?? [], shape)),
  ],
  simd: ({ inputs: [input], attributes: { shape } }) => movePhase([moveOf(input?.shape ?? [], shape)]),
  gradient: ({ inputs: [input], outputGradients: [dOutput] }) =>
    input && dOutput ? [sumTo(dOutput, input.shape)] : [],
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { inputs: [{ shape: [] }], attributes: { shape: [3] } },
    { inputs: [{ shape: [3, 1] }], attributes: { shape: [2, 3, 4] } },
    { inputs: [{ shape: [5] }], attributes: { shape: [65, 5] } },
    { inputs: [{ shape: [1] }], attributes: { shape: [0] } },
  ],
});

function moveOf(from: Shape, to: Shape): Move {
  return {
    sizes: to,
    from: { start: 0, strides: broadcastStrides(from, to) },
    to: { start: 0, strides: stridesOf(to) },
  };
}

/** Repeats a tensor along new axes and axes of size 1 (PyTorch: `expand`). Throws ShapeError where that cannot be. */
export function broadcastTo(input: TensorLike, shape: Shape): Tensor {
  const value = asTensor(input);
  return sameShape(value.shape, shape) ? value : applyOne(broadcastOperation, [value], { shape });
}

export const broadcastOperations = [broadcastOperation];
