import { elementAt } from '../../element-at.js';
import { applyOne } from '../../graph/node.js';
import { sameShape, type Shape } from '../../shape.js';
import type { Tensor, TensorLike } from '../../tensor.js';
import { broadcastTo } from '../moving/broadcast-to.js';
import { defineReduce, reduce, type ReduceOptions } from './reduce.js';
import { reshape } from '../moving/reshape.js';

export const sumOperation = defineReduce({
  name: 'sum',
  neutral: 0,
  combine: (a, b) => a + b,
  wgsl: {
    f32: { combine: 'a + b', neutral: '0.0' },
    i32: { combine: 'a + b', neutral: '0i' },
    u32: { combine: 'a + b', neutral: '0u' },
  },
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

export const sumOperations = [sumOperation];
