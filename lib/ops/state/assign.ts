import { defineOperation } from '../../graph/define.js';
import { wordsOf } from '../../graph/launch.js';
import { like, stored } from '../../graph/operands.js';
import { heapWords } from '../../graph/simd.js';
import { moveElements, moveLaunch, movePhase, wholeMove } from '../moving/moving.js';

/** variable ← value, in place. Inputs: the variable's value, the new value. `Variable.assign` is its public form. */
export const assign = defineOperation()({
  name: 'assign',
  inputs: { variable: stored('...'), value: like('variable', '...') },
  outputs: { variable: like('variable', '...') },
  reference({ value, variable }) {
    moveElements(wholeMove(value.size), value, variable);
  },
  kernel: ({ specs: { value } }) => [
    moveLaunch('assign', { move: wholeMove(wordsOf(value)), from: 'value', to: 'variable' }),
  ],
  simd: ({ specs: { value } }) => movePhase([{ move: wholeMove(heapWords(value)), from: 'value', to: 'variable' }]),
  gradient: { none: 'it changes state' },
  tolerance: { absolute: 0, relative: 0 },
  cases: (['f32', 'f16'] as const).map((dtype) => ({
    inputs: { variable: { shape: [3, 65], dtype }, value: { shape: [3, 65], dtype } },
    attributes: {},
  })),
  cost: () => ({ flop: 0 }),
  benchmarks: {
    vector: { inputs: { variable: { shape: [2 ** 20] }, value: { shape: [2 ** 20] } }, attributes: {} },
  },
});
