import { applyOne } from '../../graph/node.js';
import { defineOperation } from '../../graph/operation.js';
import { wordsOf } from '../../graph/launch.js';
import { heapWords } from '../../graph/simd.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import type { NoAttributes } from '../pointwise/binary.js';
import { moveElements, moveLaunch, movePhase, wholeMove } from './moving.js';

/** output = input, in a buffer of its own: for results that would live in a variable or an input. */
export const copyOperation = defineOperation<NoAttributes>({
  name: 'copy',
  infer: ([input]) => (input ? [{ shape: input.shape, dtype: input.dtype }] : []),
  reference({ inputs: [input], outputs: [output] }) {
    if (input && output) moveElements(wholeMove(input.data.length), input, output);
  },
  kernel: ({ inputs: [input] }) => [moveLaunch('copy', wholeMove(input ? wordsOf(input) : 0))],
  simd: ({ inputs: [input] }) => movePhase([wholeMove(input ? heapWords(input) : 0)]),
  gradient: ({ outputGradients }) => outputGradients,
  takesFloat16: true,
  takesBytes: true,
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { inputs: [{ shape: [] }], attributes: {} },
    { inputs: [{ shape: [3, 65] }], attributes: {} },
    { inputs: [{ shape: [0] }], attributes: {} },
    { inputs: [{ shape: [3, 65], dtype: 'f16' }], attributes: {} },
    { inputs: [{ shape: [3, 65], dtype: 'u8', fill: { below: 256 } }], attributes: {} },
  ],
});

/** @internal */
export function copy(input: TensorLike): Tensor {
  return applyOne(copyOperation, [asTensor(input)], {});
}
