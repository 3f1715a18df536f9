import { ShapeError } from '../../errors.js';
import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { like, stored } from '../../graph/operands.js';
import { checkArgument, checkOptions, list, wholeNumber } from '../../options.js';
import { checkShape, formatShape, normalizeAxis, sameShape, type Shape, sizeOf } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';

const reshapeOperation = defineOperation<{ readonly shape: Shape }>()({
  name: 'reshape',
  inputs: { input: stored('...') },
  outputs: { output: like('input', '...output') },
  infer({ specs: { input }, attributes: { shape } }) {
    if (sizeOf(input.shape) !== sizeOf(shape)) {
      throw new ShapeError(`reshape: ${formatShape(input.shape)} does not have the elements of ${formatShape(shape)}`);
    }
    return { output: shape };
  },
  reference() {
    // An alias: the output is the input's storage.
  },
  kernel: () => [],
  alias: true,
  gradient: ({ inputs: { input }, outputGradients: { output } }) => ({ input: reshape(output, input.shape) }),
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { inputs: { input: { shape: [2, 3, 4] } }, attributes: { shape: [6, 4] } },
    { inputs: { input: { shape: [1] } }, attributes: { shape: [] } },
    { inputs: { input: { shape: [0, 3] } }, attributes: { shape: [3, 0] } },
  ],
});

/**
 * The same elements in another shape, without moving any; one size may be -1 and follows from the others.
 * Throws ShapeError where the number of elements differs.
 */
export function reshape(input: TensorLike, shape: Shape): Tensor {
  const value = asTensor('reshape', 'input', input);
  checkArgument('reshape', 'the shape', shape, list);
  const target = inferSize(value, shape);
  checkShape('reshape', target);
  return sameShape(target, value.shape) ? value : applyOne(reshapeOperation, [value], { shape: target });
}

/** Options of {@link flatten}. */
export interface FlattenOptions {
  /** The first axis that is merged. Default 1. */
  readonly startAxis?: number;
}

/** Merges the axes from `startAxis` on into one. Default 1: everything but the batch axis. */
export function flatten(input: TensorLike, options: FlattenOptions = {}): Tensor {
  checkOptions('flatten', options, { startAxis: wholeNumber() });
  const value = asTensor('flatten', 'input', input);
  const startAxis = options.startAxis ?? 1;
  const start = startAxis === value.rank ? value.rank : normalizeAxis('flatten', startAxis, value.shape);
  return reshape(value, [...value.shape.slice(0, start), sizeOf(value.shape.slice(start))]);
}

function inferSize(value: Tensor, shape: Shape): Shape {
  const open = shape.filter((size) => size === -1).length;
  if (open === 0) return shape;
  const known = sizeOf(shape.filter((size) => size !== -1));
  if (open > 1 || known === 0 || value.size % known !== 0) {
    throw new ShapeError(
      `reshape: the size -1 in ${formatShape(shape)} cannot be found for ${formatShape(value.shape)}`,
    );
  }
  return shape.map((size) => (size === -1 ? value.size / known : size));
}

export const reshapeOperations = [reshapeOperation];
