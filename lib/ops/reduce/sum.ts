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
  wgsl: 'fn combine(a: f32, b: f32) -> f32 { return a + b; }\nfn neutral(any: f32) -> f32 { return 0.0; }',
  gradient: ({ inputs: [input], outputGradients: [dOutput], attributes: { scale } }) =>
    input && dOutput ? [broadcastTo(scaled(dOutput, scale), input.shape)] : [],
});

/** A sum over no axes at all scales: scale · value. */
function scaled(value: Tensor, scale: number): Tensor {
  return scale === 1 ? value : applyOne(sumOperation, [value], { axes: [], scale });
}

/** Sum over axes; 0 over an empty axis. */
export function sum(input: TensorLike, options: ReduceOptions = {}): Tensor {
  return reduce(sumOperation, input, options);
}

/** Mean over axes; NaN over an empty axis. */
export function mean(input: TensorLike, options: ReduceOptions = {}): Tensor {
  return reduce(sumOperation, input, options, true);
}

/** Sums a gradient over what was broadcast, to the shape before it. */
export function sumTo(value: Tensor, shape: Shape): Tensor {
  if (sameShape(value.shape, shape)) return value;
  const missing = value.rank - shape.length;
  const axes = value.shape.flatMap((size, axis) =>
    axis < missing || (shape[axis - missing] === 1 && size !== 1) ? [axis] : [],
  );
  return reshape(applyOne(sumOperation, [value], { axes, scale: 1 }), shape);
}

export const sumOperations = [sumOperation];
