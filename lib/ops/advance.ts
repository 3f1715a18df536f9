import { ShapeError } from '../errors.js';
import { advanceWgsl } from '../generated/wgsl.js';
import { Uniforms } from '../graph/launch.js';
import { defineOperation } from '../graph/operation.js';

/** state[word] += 1, in place (u32, wrapping around): the step of a random generator or an optimizer. */
export const advance = defineOperation<{ readonly word: number }>({
  name: 'advance',
  infer([state]) {
    if (state?.dtype !== 'u32')
      throw new ShapeError(`advance: the state must be u32, found ${state?.dtype ?? 'nothing'}`);
    return [{ shape: state.shape, dtype: 'u32' }];
  },
  reference({ outputs: [state], attributes: { word } }) {
    if (state) state.data[word] = (state.data[word] ?? 0) + 1;
  },
  kernel: ({ attributes: { word } }) => [
    {
      kernel: { name: 'advance', code: advanceWgsl, entryPoint: 'advance' },
      bindings: [{ output: 0 }],
      uniforms: new Uniforms().u32(word).bytes(),
      workgroups: [1, 1, 1],
    },
  ],
  writes: [0],
  gradient: { none: 'it changes state' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [{ inputs: [{ shape: [4], fill: 'state' }], attributes: { word: 2 } }],
});
