import { elementAt } from '../../element-at.js';
import { ShapeError } from '../../errors.js';
import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { like, numbers } from '../../graph/operands.js';
import { checkArgument, list } from '../../options.js';
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
import { type Move, moveElements, moveLaunch, movePhase } from '../moving/moving.js';
import { reshape } from '../moving/reshape.js';
import { defineReduce, reduce, type ReduceOptions } from './reduce.js';

// Sums and repetitions share a file: each is the gradient of the other.

export const sumOperation = defineReduce({
  name: 'sum',
  neutral: 0,
  combine: (a, b) => a + b,
  wgsl: {
    f32: { combine: 'a + b', neutral: '0.0' },
    i32: { combine: 'a + b', neutral: '0i' },
    u32: { combine: 'a + b', neutral: '0u' },
  },
  wat: { name: 'sum' },
  gradient: ({ inputs: { input }, outputGradients: { output }, attributes: { scale } }) => ({
    input: broadcastTo(scaled(output, scale), input.shape),
  }),
});

/** A sum over no axes at all scales: scale · value. */
function scaled(value: Tensor, scale: number): Tensor {
  return scale === 1 ? value : applyOne(sumOperation, [value], { axes: [], scale });
}

/**
 * Sum over axes; 0 over an empty axis. Of integers (i32, u32) an integer of the same type, which wraps around beyond its
 * limits (PyTorch's is of 64 bits); `cast` to f32 first where it may be that large.
 */
export function sum(input: TensorLike, options: ReduceOptions = {}): Tensor {
  return reduce(sumOperation, input, options);
}

/** Mean over axes; NaN over an empty axis. Throws ShapeError for integers, as PyTorch does: `cast` them first. */
export function mean(input: TensorLike, options: ReduceOptions = {}): Tensor {
  return reduce(sumOperation, input, options, 'mean');
}

/** Sums a gradient over what was broadcast, to the shape before it. */
export function sumTo(value: Tensor, shape: Shape): Tensor {
  if (sameShape(value.shape, shape)) return value;
  const missing = value.rank - shape.length;
  const axes = value.shape.flatMap((size, axis) =>
    axis < missing || (elementAt(shape, axis - missing) === 1 && size !== 1) ? [axis] : [],
  );
  return reshape(applyOne(sumOperation, [value], { axes, scale: 1 }), shape);
}

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
  cost: () => ({ flop: 0 }),
  benchmarks: { rows: { inputs: { input: { shape: [1024] } }, attributes: { shape: [1024, 1024] } } },
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

export const sumOperations = [sumOperation, broadcastOperation];
