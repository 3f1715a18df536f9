import { ShapeError } from '../errors.js';
import { advanceWgsl } from '../generated/wgsl.js';
import { Uniforms } from '../graph/launch.js';
import { defineOperation } from '../graph/operation.js';

/** States that one operation moves on, at most. */
export const MAX_STATES = 4;

/** For each state: which word, by how much, and where it starts again (0: it does not, and wraps around at 2^32). */
type AdvanceAttributes = {
  readonly words: readonly number[];
  readonly by: readonly number[];
  readonly limits: readonly number[];
};

/**
 * state[word] += by, in place, of one to four states (u32): counters such as the step of a generator. Beyond
 * `limit` - 1 a counter starts again, and the word before it counts the rounds: position and epoch of a data loader.
 */
export const advance = defineOperation<AdvanceAttributes>({
  name: 'advance',
  infer(states) {
    for (const { dtype } of states) {
      if (dtype !== 'u32') throw new ShapeError(`advance: the states must be u32, found ${dtype}`);
    }
    return states.map(({ shape }) => ({ shape, dtype: 'u32' }));
  },
  reference({ outputs: states, attributes: { words, by, limits } }) {
    states.forEach(({ data }, i) => {
      const [word = 0, step = 0, limit = 0] = [words[i], by[i], limits[i]];
      const next = (data[word] ?? 0) + step;
      data[word] = limit > 0 ? next % limit : next;
      if (limit > 0) data[word - 1] = (data[word - 1] ?? 0) + Math.floor(next / limit);
    });
  },
  kernel({ inputs: states, attributes: { words, by, limits } }) {
    const uniforms = new Uniforms();
    states.forEach((_, i) => uniforms.u32(words[i] ?? 0, by[i] ?? 0, limits[i] ?? 0).align());
    return [
      {
        kernel: { name: 'advance', code: advanceWgsl, entryPoint: `advance${states.length}` },
        bindings: states.map((_, output) => ({ output })),
        uniforms: uniforms.bytes(),
        workgroups: [1, 1, 1],
      },
    ];
  },
  writes: [0, 1, 2, 3],
  gradient: { none: 'it changes state' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    { states: 1, limits: [0] },
    { states: 2, limits: [7, 0] },
    { states: 3, limits: [0, 1, 1000] },
    { states: 4, limits: [5, 0, 3, 0] },
  ].map(({ states, limits }) => ({
    inputs: Array.from({ length: states }, () => ({ shape: [4], dtype: 'u32' as const, fill: { below: 9 } })),
    attributes: { words: limits.map((_, i) => (i % 3) + 1), by: limits.map((_, i) => 2 * i + 1), limits },
  })),
});
