import { ShapeError } from '../../errors.js';
import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { like, numbers } from '../../graph/operands.js';
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  formatShape,
  sameShape,
  type Shape,
  stridesOf,
} from '../../shape.js';
import { checkArgument, list } from '../../options.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { type Move, moveElements, moveLaunch, movePhase } from './moving.js';
import { sumTo } from '../reduce/sum.js';

const broadcastOperation = defineOperation<{ readonly shape: Shape }>()({
  name: 'broadcastTo',
  inputs: { input: numbers('...') },
  outputs: { output: like('input', '...output') },
  infer({ specs: { input }, attributes: { shape } }) {
    checkShape('broadcastTo', shape);
    if (!sameShape(broadcastShapes('broadcastTo', input.shape, shape), shape)) {
      throw new ShapeError(`broadcastTo: ${formatShape(input.shape)} cannot be repeated to ${formatShape(shape)}`);
    }
    return { output: shape };
  },
  reference({ input, output }) {
    moveElements(moveOf(input.shape, output.shape), input, output);
  },
  kernel: ({ specs: { input }, attributes: { shape } }) => [
    moveLaunch('broadcastTo', { move: moveOf(input.shape, shape), from: 'input', to: 'output' }),
  ],
  simd: ({ specs: { input }, attributes: { shape } }) =>
    movePhase([{ move: moveOf(input.shape, shape), from: 'input', to: 'output' }]),
  gradient: ({ inputs: { input }, outputGradients: { output } }) => ({ input: sumTo(output, input.shape) }),
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { inputs: { input: { shape: [] } }, attributes: { shape: [3] } },
    { inputs: { input: { shape: [3, 1] } }, attributes: { shape: [2, 3, 4] } },
    { inputs: { input: { shape: [5] } }, attributes: { shape: [65, 5] } },
    { inputs: { input: { shape: [1] } }, attributes: { shape: [0] } },
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
  const value = asTensor('broadcastTo', 'input', input);
  checkArgument('broadcastTo', 'the shape', shape, list);
  return sameShape(value.shape, shape) ? value : applyOne(broadcastOperation, [value], { shape });
}

export const broadcastOperations = [broadcastOperation];
