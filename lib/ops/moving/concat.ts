import { ShapeError } from '../../errors.js';
import { elementAt } from '../../element-at.js';
import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { like, numbers, rest } from '../../graph/operands.js';
import { checkArgument, checkOptions, list } from '../../options.js';
import { axisSize, formatShape, normalizeAxis, type Shape, sizeOf, stridesOf } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { type Move, moveElements, moveLaunch, movePhase } from './moving.js';
import { AXIS_RULES } from '../normalize/softmax.js';
import { slice } from './slice.js';

type ConcatAttributes = { readonly axis: number };

const BETWEEN = { from: 'parts', to: 'output' } as const;

const concatOperation = defineOperation<ConcatAttributes>()({
  name: 'concat',
  inputs: { parts: rest(numbers('...')) },
  outputs: { output: like('parts', '...output') },
  infer({ specs: { parts }, attributes: { axis } }) {
    const [first] = parts;
    if (!first) throw new ShapeError('concat: needs at least one tensor');
    let total = 0;
    for (const { dtype, shape } of parts) {
      const fits =
        dtype === first.dtype &&
        shape.length === first.shape.length &&
        shape.every((size, a) => a === axis || size === first.shape[a]);
      if (!fits) {
        throw new ShapeError(
          `concat: ${dtype} ${formatShape(shape)} does not fit ` +
            `${first.dtype} ${formatShape(first.shape)} along axis ${axis}`,
        );
      }
      total += axisSize(shape, axis);
    }
    return { output: first.shape.map((size, a) => (a === axis ? total : size)) };
  },
  reference({ parts, output }, _, { axis }) {
    movesOf(parts, output, axis).forEach(({ part, move }) => {
      moveElements(move, part, output);
    });
  },
  kernel: ({ specs: { parts, output }, attributes: { axis } }) =>
    movesOf(parts, output, axis).flatMap(({ move }, index) =>
      sizeOf(move.sizes) === 0 ? [] : [moveLaunch('concat', { ...BETWEEN, move, index })],
    ),
  simd: ({ specs: { parts, output }, attributes: { axis } }) =>
    movePhase(movesOf(parts, output, axis).map(({ move }, index) => ({ ...BETWEEN, move, index }))),
  gradient({ inputs: { parts }, outputGradients: { output }, attributes: { axis }, needs }) {
    let position = 0;
    const gradients = parts.map(({ shape }, i) => {
      const start = shape.map((_, a) => (a === axis ? position : 0));
      position += axisSize(shape, axis);
      const end = shape.map((size, a) => (a === axis ? position : size));
      return needs.parts[i] ? slice(output, start, end) : undefined;
    });
    return { parts: gradients };
  },
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { inputs: { parts: [{ shape: [2, 3] }, { shape: [4, 3] }] }, attributes: { axis: 0 } },
    { inputs: { parts: [{ shape: [2, 3, 4] }, { shape: [2, 5, 4] }] }, attributes: { axis: 1 } },
    { inputs: { parts: [{ shape: [3, 2] }, { shape: [3, 0] }, { shape: [3, 65] }] }, attributes: { axis: 1 } },
  ],
  cost: () => ({ flop: 0 }),
  benchmarks: {
    channels: { inputs: { parts: [{ shape: [3136, 256] }, { shape: [3136, 64] }] }, attributes: { axis: 1 } },
  },
});

/** Where each part goes. */
function movesOf<T extends { readonly shape: Shape }>(
  parts: readonly T[],
  { shape }: { readonly shape: Shape },
  axis: number,
) {
  const strides = stridesOf(shape);
  let position = 0;
  return parts.map((part) => {
    const start = position * elementAt(strides, axis);
    position += axisSize(part.shape, axis);
    const move: Move = {
      sizes: part.shape,
      from: { start: 0, strides: stridesOf(part.shape) },
      to: { start, strides },
    };
    return { part, move };
  });
}

/** Tensors one behind the other along an axis (default 0). Throws ShapeError where the other axes differ, naming both. */
export function concat(inputs: readonly TensorLike[], options: { readonly axis?: number } = {}): Tensor {
  checkArgument('concat', 'the first argument', inputs, list);
  checkOptions('concat', options, AXIS_RULES);
  const values = inputs.map((input, i) => asTensor('concat', `input ${i}`, input));
  const [first] = values;
  if (!first) throw new ShapeError('concat: needs at least one tensor');
  const { axis: given = 0 } = options;
  const axis = normalizeAxis('concat', given, first.shape);
  return applyOne(concatOperation, values, { axis });
}

export const concatOperations = [concatOperation];
