import { ShapeError } from '../../errors.js';
import { applyOne } from '../../graph/node.js';
import { defineOperation } from '../../graph/operation.js';
import { axisSize, formatShape, normalizeAxis, type Shape, sizeOf, stridesOf } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { type Move, moveElements, moveLaunch, movePhase } from './moving.js';
import { slice } from './slice.js';

type ConcatAttributes = { readonly axis: number };

const concatOperation = defineOperation<ConcatAttributes>({
  name: 'concat',
  infer(inputs, { axis }) {
    const [first] = inputs;
    if (!first) return [];
    let total = 0;
    for (const input of inputs) {
      const fits =
        input.dtype === first.dtype &&
        input.shape.length === first.shape.length &&
        input.shape.every((size, a) => a === axis || size === first.shape[a]);
      if (!fits) {
        throw new ShapeError(
          `concat: ${input.dtype} ${formatShape(input.shape)} does not fit ` +
            `${first.dtype} ${formatShape(first.shape)} along axis ${axis}`,
        );
      }
      total += axisSize(input.shape, axis);
    }
    return [{ shape: first.shape.map((size, a) => (a === axis ? total : size)), dtype: first.dtype }];
  },
  reference({ inputs, outputs: [output], attributes: { axis } }) {
    if (!output) return;
    movesOf(
      inputs.map((input) => input.shape),
      output.shape,
      axis,
    ).forEach((move, i) => {
      const input = inputs[i];
      if (input) moveElements(move, input, output);
    });
  },
  kernel: ({ inputs, outputs: [output], attributes: { axis } }) =>
    movesOf(
      inputs.map((input) => input.shape),
      output?.shape ?? [],
      axis,
    ).flatMap((move, i) => (sizeOf(move.sizes) === 0 ? [] : [moveLaunch('concat', move, i)])),
  simd: ({ inputs, outputs: [output], attributes: { axis } }) =>
    movePhase(
      movesOf(
        inputs.map((input) => input.shape),
        output?.shape ?? [],
        axis,
      ),
    ),
  gradient({ inputs, outputGradients: [dOutput], attributes: { axis }, needs }) {
    let position = 0;
    return inputs.map((input, i) => {
      const start = input.shape.map((_, a) => (a === axis ? position : 0));
      position += axisSize(input.shape, axis);
      return needs[i] && dOutput
        ? slice(
            dOutput,
            start,
            input.shape.map((size, a) => (start[a] ?? 0) + size),
          )
        : undefined;
    });
  },
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { inputs: [{ shape: [2, 3] }, { shape: [4, 3] }], attributes: { axis: 0 } },
    { inputs: [{ shape: [2, 3, 4] }, { shape: [2, 5, 4] }], attributes: { axis: 1 } },
    { inputs: [{ shape: [3, 2] }, { shape: [3, 0] }, { shape: [3, 65] }], attributes: { axis: 1 } },
  ],
});

function movesOf(inputs: readonly Shape[], output: Shape, axis: number): Move[] {
  const strides = stridesOf(output);
  let position = 0;
  return inputs.map((shape) => {
    const start = position * (strides[axis] ?? 0);
    position += axisSize(shape, axis);
    return { sizes: shape, from: { start: 0, strides: stridesOf(shape) }, to: { start, strides } };
  });
}

/** Tensors one behind the other along an axis (default 0). Throws ShapeError where the other axes differ, naming both. */
export function concat(inputs: readonly TensorLike[], options: { readonly axis?: number } = {}): Tensor {
  const values = inputs.map(asTensor);
  const [first] = values;
  if (!first) throw new ShapeError('concat: needs at least one tensor');
  const axis = normalizeAxis('concat', options.axis ?? 0, first.shape);
  return applyOne(concatOperation, values, { axis });
}

export const concatOperations = [concatOperation];
