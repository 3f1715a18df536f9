import { ShapeError } from '../../errors.js';
import { defineOperation } from '../../graph/operation.js';
import { wordsOf } from '../../graph/launch.js';
import { heapWords } from '../../graph/simd.js';
import { formatShape, sameShape } from '../../shape.js';
import type { NoAttributes } from '../pointwise/binary.js';
import { moveElements, moveLaunch, movePhase, wholeMove } from '../moving/moving.js';

/** variable ← value, in place. Inputs: the variable's value, the new value. `Variable.assign` is its public form. */
export const assign = defineOperation<NoAttributes>({
  name: 'assign',
  infer([variable, value]) {
    if (!variable || !value || variable.dtype !== value.dtype || !sameShape(variable.shape, value.shape)) {
      throw new ShapeError(
        `assign: a value of ${value?.dtype ?? ''} ${formatShape(value?.shape ?? [])} for a variable of ` +
          `${variable?.dtype ?? ''} ${formatShape(variable?.shape ?? [])}`,
      );
    }
    return [{ shape: variable.shape, dtype: variable.dtype }];
  },
  reference({ inputs: [, value], outputs: [variable] }) {
    if (value && variable) moveElements(wholeMove(value.data.length), value, variable);
  },
  kernel: ({ inputs: [, value] }) => [moveLaunch('assign', wholeMove(value ? wordsOf(value) : 0), 1)],
  simd: ({ inputs: [, value] }) => movePhase([wholeMove(value ? heapWords(value) : 0)], 1),
  writes: [0],
  takesFloat16: true,
  takesBytes: true,
  gradient: { none: 'it changes state' },
  tolerance: { absolute: 0, relative: 0 },
  cases: (['f32', 'f16'] as const).map((dtype) => ({
    inputs: [
      { shape: [3, 65], dtype },
      { shape: [3, 65], dtype },
    ],
    attributes: {},
  })),
});
