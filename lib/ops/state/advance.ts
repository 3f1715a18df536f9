import { elementAt } from '../../element-at.js';
import { advanceRatesWgsl, advanceRowsWgsl, advanceWgsl, permutationWgsl, philoxWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { fillBlock, Uniforms } from '../../graph/launch.js';
import { any, rest, u32 } from '../../graph/operands.js';
import { PERMUTATION_STREAM } from '../../random.js';
import { sizeOf } from '../../shape.js';
import { advanceState, memberPlace } from '../update/optimizer-state.js';
import { rowsFrom } from './batch-rows.js';

/** States that one operation moves on, at most. */
export const MAX_STATES = 4;

/** Numbers of bindings in kernels/state: advance_rows.wgsl, advance_rates.wgsl. */
const ROWS_AT = 5;
const OPTIMIZER_AT = 6;
const STEPS_AT = 7;

type AdvanceAttributes = {
  /** For each counter: which word, by how much, and where it starts again (0: it does not, and wraps around at 2^32). */
  readonly words: readonly number[];
  readonly by: readonly number[];
  readonly limits: readonly number[];
  /** Behind the counters stand the rows (i32) of the next batch of the data loader whose state the first one is. */
  readonly rows: 'none' | 'shuffled' | 'inOrder';
};

/** What stands at which place of the states: counters, rows, the state of an optimizer that has members. */
function placesOf({ words, rows }: AdvanceAttributes) {
  const draws = rows !== 'none';
  return { draws, rowsAt: words.length, optimizerAt: words.length + Number(draws) };
}

/**
 * state[word] += by, in place, of up to four counters (u32), such as the step of a generator. Beyond `limit` - 1 a counter
 * starts again, and the word before it counts the rounds: position and epoch of a data loader, whose next rows are drawn
 * at the same time. The last state is that of an optimizer (lib/ops/update/optimizer-state.ts) where there are `steps`:
 * its parameters have taken so many.
 */
export const advance = defineOperation<AdvanceAttributes>()({
  name: 'advance',
  inputs: { steps: u32('members'), states: rest(any('u32', 'i32')('...')) },
  outputs: { states: rest(any('u32', 'i32')('...')) },
  reference({ steps, states }, { members }, attributes) {
    const { words, by, limits, rows } = attributes;
    const { draws, rowsAt, optimizerAt } = placesOf(attributes);
    if (draws) {
      const drawn = elementAt(states, rowsAt);
      const order = { count: elementAt(limits, 0), shuffle: rows === 'shuffled' };
      drawn.data.set(rowsFrom(elementAt(states, 0).data, elementAt(by, 0), drawn.size, order));
    }
    words.forEach((word, i) => {
      const [state, limit] = [elementAt(states, i), elementAt(limits, i)];
      const next = state.at(word) + elementAt(by, i);
      state.set(word, limit > 0 ? next % limit : next);
      if (limit > 0) state.set(word - 1, state.at(word - 1) + Math.floor(next / limit));
    });
    if (members > 0) advanceState(elementAt(states, optimizerAt).data, steps.data);
  },
  kernel({ specs: { states }, sizes: { members }, attributes }) {
    const { words, by, limits, rows } = attributes;
    const { draws, rowsAt, optimizerAt } = placesOf(attributes);
    const sizeAt = (place: number): number => sizeOf(elementAt(states, place).shape);
    const drawn = draws ? sizeAt(rowsAt) : 0;
    const uniforms = new Uniforms();
    words.forEach((word, i) => uniforms.u32(word, elementAt(by, i), elementAt(limits, i), i === 0 ? drawn : 0));
    const withRows = draws
      ? philoxWgsl + permutationWgsl + fillBlock(advanceWgsl, 'rows', advanceRowsWgsl)
      : advanceWgsl;
    return [
      {
        kernel: {
          name: 'advance',
          code: members > 0 ? fillBlock(withRows, 'rates', advanceRatesWgsl) : withRows,
          entryPoint: `advance${words.length}`,
        },
        constants: {
          ...(draws && { SHUFFLE: Number(rows === 'shuffled'), PERMUTATION_STREAM }),
          ...(members > 0 && { MEMBERS: members, PAIRS: (sizeAt(optimizerAt) - memberPlace(members)) / 2 }),
        },
        bindings: [
          ...words.map((_, index) => ({ operand: 'states', index, at: index }) as const),
          ...(draws ? [{ operand: 'states', index: rowsAt, at: ROWS_AT } as const] : []),
          ...(members > 0
            ? [
                { operand: 'states', index: optimizerAt, at: OPTIMIZER_AT } as const,
                { operand: 'steps', at: STEPS_AT } as const,
              ]
            : []),
        ],
        uniforms: uniforms.u32(...(words.length === 0 ? [members] : [])).bytes(),
        uniformsAt: words.length,
        workgroups: [1, 1, 1],
      },
    ];
  },
  gradient: { none: 'it changes state' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { limits: [0], rows: 'none' as const, size: 0, members: 0 },
    { limits: [7, 0], rows: 'none' as const, size: 0, members: 0 },
    { limits: [0, 1, 1000], rows: 'none' as const, size: 0, members: 2 },
    { limits: [5, 0, 3, 0], rows: 'none' as const, size: 0, members: 0 },
    { limits: [], rows: 'none' as const, size: 0, members: 70 },
    { limits: [13], rows: 'shuffled' as const, size: 5, members: 0 },
    { limits: [1000, 0], rows: 'shuffled' as const, size: 65, members: 1 },
    { limits: [9, 0, 0, 4], rows: 'inOrder' as const, size: 20, members: 3 },
  ].map(({ limits, rows, size, members }) => {
    const words = (count: number, below = 9) => ({ shape: [count], dtype: 'u32' as const, fill: { below } });
    return {
      inputs: {
        steps: words(members, 3),
        states: [
          ...limits.map(() => words(4)),
          ...(size > 0 ? [{ ...words(size), dtype: 'i32' as const }] : []),
          ...(members > 0 ? [words(memberPlace(members) + 10)] : []),
        ],
      },
      attributes: {
        words: limits.map((_, i) => (i === 0 ? 3 : i)),
        by: limits.map((_, i) => 2 * i + 1),
        limits,
        rows,
      },
    };
  }),
  cost: () => ({ flop: 0 }),
});
