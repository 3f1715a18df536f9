import { ShapeError } from '../../errors.js';
import { advanceRowsWgsl, advanceWgsl, permutationWgsl, philoxWgsl } from '../../generated/wgsl.js';
import { type Binding, fillBlock, Uniforms } from '../../graph/launch.js';
import { defineOperation } from '../../graph/operation.js';
import { PERMUTATION_STREAM } from '../../random.js';
import { writeRows } from './batch-rows.js';

/** States that one operation moves on, at most. */
export const MAX_STATES = 4;

const ROWS_AT = 5;

type AdvanceAttributes = {
  /** For each state: which word, by how much, and where it starts again (0: it does not, and wraps around at 2^32). */
  readonly words: readonly number[];
  readonly by: readonly number[];
  readonly limits: readonly number[];
  /** The last input is no state but the rows of the next batch of the data loader whose state the first one is. */
  readonly rows: 'none' | 'shuffled' | 'inOrder';
};

/**
 * state[word] += by, in place, of one to four states (u32): counters such as the step of a generator. Beyond
 * `limit` - 1 a counter starts again, and the word before it counts the rounds: position and epoch of a data loader,
 * whose next rows (i32) are drawn at the same time.
 */
export const advance = defineOperation<AdvanceAttributes>({
  name: 'advance',
  infer(inputs, { words, rows }) {
    const states = inputs.slice(0, words.length);
    if (inputs.length !== words.length + Number(rows !== 'none') || states.some(({ dtype }) => dtype !== 'u32')) {
      throw new ShapeError(
        `advance: needs ${words.length} states of type u32, found ${inputs.map(({ dtype }) => dtype).join()}`,
      );
    }
    return inputs.map(({ shape, dtype }) => ({ shape, dtype }));
  },
  reference({ outputs, attributes: { words, by, limits, rows } }) {
    const drawn = rows === 'none' ? undefined : outputs.at(-1);
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
  },
  kernel({ inputs, attributes: { words, by, limits, rows } }) {
    const draws = rows !== 'none';
    const [size = 0] = (draws && inputs.at(-1)?.shape) || [];
    const uniforms = new Uniforms();
    words.forEach((word, i) => uniforms.u32(word, by[i] ?? 0, limits[i] ?? 0, i === 0 ? size : 0));
    const code = philoxWgsl + permutationWgsl + fillBlock(advanceWgsl, 'rows', advanceRowsWgsl);
    return [
      {
        kernel: { name: 'advance', code: draws ? code : advanceWgsl, entryPoint: `advance${words.length}` },
        ...(draws && { constants: { SHUFFLE: Number(rows === 'shuffled'), PERMUTATION_STREAM } }),
        bindings: inputs.map((_, output): Binding => (output < words.length ? { output } : { output, at: ROWS_AT })),
        uniforms: uniforms.bytes(),
        uniformsAt: words.length,
        workgroups: [1, 1, 1],
      },
    ];
  },
  writes: [0, 1, 2, 3, 4],
  gradient: { none: 'it changes state' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { limits: [0], rows: 'none' as const, size: 0 },
    { limits: [7, 0], rows: 'none' as const, size: 0 },
    { limits: [0, 1, 1000], rows: 'none' as const, size: 0 },
    { limits: [5, 0, 3, 0], rows: 'none' as const, size: 0 },
    { limits: [13], rows: 'shuffled' as const, size: 5 },
    { limits: [1000, 0], rows: 'shuffled' as const, size: 65 },
    { limits: [9, 0, 0, 4], rows: 'inOrder' as const, size: 20 },
  ].map(({ limits, rows, size }) => ({
    inputs: [
      ...limits.map(() => ({ shape: [4], dtype: 'u32' as const, fill: { below: 9 } })),
      ...(size > 0 ? [{ shape: [size], dtype: 'i32' as const, fill: { below: 9 } }] : []),
    ],
    attributes: { words: limits.map((_, i) => (i === 0 ? 3 : i)), by: limits.map((_, i) => 2 * i + 1), limits, rows },
  })),
});
