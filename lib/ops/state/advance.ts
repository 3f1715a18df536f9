import { ShapeError } from '../../errors.js';
import { advanceRatesWgsl, advanceRowsWgsl, advanceWgsl, permutationWgsl, philoxWgsl } from '../../generated/wgsl.js';
import { type Binding, fillBlock, Uniforms } from '../../graph/launch.js';
import { defineOperation } from '../../graph/operation.js';
import { PERMUTATION_STREAM } from '../../random.js';
import { sizeOf } from '../../shape.js';
import { advanceState, pairPlace } from '../update/optimizer-state.js';
import { writeRows } from './batch-rows.js';

/** States that one operation moves on, at most. */
export const MAX_STATES = 4;

/** Numbers of bindings in kernels/state: advance_rows.wgsl, advance_rates.wgsl. */
const ROWS_AT = 5;
const OPTIMIZER_AT = 6;
const STEPS_AT = 7;

type AdvanceAttributes = {
  /** For each state: which word, by how much, and where it starts again (0: it does not, and wraps around at 2^32). */
  readonly words: readonly number[];
  readonly by: readonly number[];
  readonly limits: readonly number[];
  /** The input behind them is no counter but the rows of the next batch of the data loader whose state the first one is. */
  readonly rows: 'none' | 'shuffled' | 'inOrder';
  /**
   * For so many parameters the last two inputs are an optimizer's state (lib/ops/update/optimizer-state.ts) and the steps
   * (u32) that each of them has taken; 0: there are none.
   */
  readonly members: number;
};

/**
 * state[word] += by, in place, of up to four states (u32): counters such as the step of a generator. Beyond
 * `limit` - 1 a counter starts again, and the word before it counts the rounds: position and epoch of a data loader,
 * whose next rows (i32) are drawn at the same time. The state of an optimizer moves on beside them.
 */
export const advance = defineOperation<AdvanceAttributes>({
  name: 'advance',
  infer(inputs, { words, rows, members }) {
    const states = inputs.slice(0, words.length);
    const count = words.length + Number(rows !== 'none') + (members > 0 ? 2 : 0);
    if (inputs.length !== count || states.some(({ dtype }) => dtype !== 'u32')) {
      throw new ShapeError(
        `advance: needs ${words.length} states of type u32, found ${inputs.map(({ dtype }) => dtype).join()}`,
      );
    }
    return inputs.slice(0, members > 0 ? -1 : undefined).map(({ shape, dtype }) => ({ shape, dtype }));
  },
  reference({ inputs, outputs, attributes: { words, by, limits, rows, members } }) {
    const drawn = rows === 'none' ? undefined : outputs[words.length];
    const [first] = outputs;
    if (drawn && first) {
      writeRows(drawn.data, first.data, by[0] ?? 0, { count: limits[0] ?? 1, shuffle: rows === 'shuffled' });
    }
    words.forEach((word, i) => {
      const data = outputs[i]?.data;
      const [step = 0, limit = 0] = [by[i], limits[i]];
      if (!data) return;
      const next = (data[word] ?? 0) + step;
      data[word] = limit > 0 ? next % limit : next;
      if (limit > 0) data[word - 1] = (data[word - 1] ?? 0) + Math.floor(next / limit);
    });
    const [optimizer, steps] = [outputs.at(-1), inputs.at(-1)];
    if (members > 0 && optimizer && steps) advanceState(optimizer.data, steps.data);
  },
  kernel({ inputs, attributes: { words, by, limits, rows, members } }) {
    const draws = rows !== 'none';
    const size = draws ? sizeOf(inputs[words.length]?.shape ?? []) : 0;
    const uniforms = new Uniforms();
    words.forEach((word, i) => uniforms.u32(word, by[i] ?? 0, limits[i] ?? 0, i === 0 ? size : 0));
    const withRows = draws
      ? philoxWgsl + permutationWgsl + fillBlock(advanceWgsl, 'rows', advanceRowsWgsl)
      : advanceWgsl;
    const optimizer = words.length + Number(draws);
    return [
      {
        kernel: {
          name: 'advance',
          code: members > 0 ? fillBlock(withRows, 'rates', advanceRatesWgsl) : withRows,
          entryPoint: `advance${words.length}`,
        },
        constants: {
          ...(draws && { SHUFFLE: Number(rows === 'shuffled'), PERMUTATION_STREAM }),
          ...(members > 0 && { MEMBERS: members, RATES: sizeOf(inputs[optimizer]?.shape ?? []) - pairPlace(members) }),
        },
        bindings: [
          ...words.map((_, output): Binding => ({ output, at: output })),
          ...(draws ? [{ output: words.length, at: ROWS_AT }] : []),
          ...(members > 0
            ? [
                { output: optimizer, at: OPTIMIZER_AT },
                { input: optimizer + 1, at: STEPS_AT },
              ]
            : []),
        ],
        uniforms: uniforms.u32(...(words.length === 0 ? [members] : [])).bytes(),
        uniformsAt: words.length,
        workgroups: [1, 1, 1],
      },
    ];
  },
  writes: [0, 1, 2, 3, 4, 5],
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
  ].map(({ limits, rows, size, members }) => ({
    inputs: [
      ...limits.map(() => ({ shape: [4], dtype: 'u32' as const, fill: { below: 9 } })),
      ...(size > 0 ? [{ shape: [size], dtype: 'i32' as const, fill: { below: 9 } }] : []),
      ...(members > 0
        ? [
            { shape: [2 * members + 6], dtype: 'u32' as const, fill: { below: 9 } },
            { shape: [members], dtype: 'u32' as const, fill: { below: 3 } },
          ]
        : []),
    ],
    attributes: {
      ...{ words: limits.map((_, i) => (i === 0 ? 3 : i)), by: limits.map((_, i) => 2 * i + 1) },
      ...{ limits, rows, members },
    },
  })),
});
