import { defineOperation } from '../../graph/define.js';
import { wordsOf } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { like, stored } from '../../graph/operands.js';
import { heapWords } from '../../graph/simd.js';
import type { Tensor } from '../../tensor.js';
import { moveElements, moveLaunch, movePhase, wholeMove } from './moving.js';

/** output = input, in a buffer of its own: for results that would live in a variable or an input. */
export const copyOperation = defineOperation()({
  name: 'copy',
  inputs: { input: stored('...') },
  outputs: { output: like('input', '...') },
  reference({ input, output }) {
    moveElements(wholeMove(input.size), input, output);
  },
  kernel: ({ specs: { input } }) => [
    moveLaunch('copy', { move: wholeMove(wordsOf(input)), from: 'input', to: 'output' }),
  ],
  simd: ({ specs: { input } }) => movePhase([{ move: wholeMove(heapWords(input)), from: 'input', to: 'output' }]),
  gradient: ({ outputGradients: { output } }) => ({ input: output }),
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { inputs: { input: { shape: [] } }, attributes: {} },
    { inputs: { input: { shape: [3, 65] } }, attributes: {} },
    { inputs: { input: { shape: [0] } }, attributes: {} },
    { inputs: { input: { shape: [3, 65], dtype: 'f16' } }, attributes: {} },
    { inputs: { input: { shape: [3, 65], dtype: 'u8', fill: { below: 256 } } }, attributes: {} },
  ],
  cost: () => ({ flop: 0 }),
  benchmarks: { vector: { inputs: { input: { shape: [2 ** 20] } }, attributes: {} } },
});

/** @internal */
export function copy(input: Tensor): Tensor {
  return applyOne(copyOperation, [input], {});
}
