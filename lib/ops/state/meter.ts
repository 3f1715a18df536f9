import { ShapeError } from '../../errors.js';
import { commonWgsl, meteredWgsl, meterWgsl } from '../../generated/wgsl.js';
import { Uniforms } from '../../graph/launch.js';
import { defineOperation } from '../../graph/operation.js';
import { formatShape, sizeOf } from '../../shape.js';

/** Adds a scalar to a running mean, in place. Inputs: the meter's state, the value. The class Meter is its public form. */
export const meterUpdate = defineOperation<{ readonly weight: number }>({
  name: 'meterUpdate',
  infer([state, value]) {
    if (!state || !value || sizeOf(value.shape) !== 1 || value.dtype !== 'f32') {
      throw new ShapeError(`meter: the value must be one number, found ${formatShape(value?.shape ?? [])}`);
    }
    return [{ shape: state.shape, dtype: 'f32' }];
  },
  reference({ inputs: [, value], outputs: [state], attributes: { weight } }) {
    if (!value || !state) return;
    const [total = 0, weights = 0, updates = 0, nonFinite = 0] = state.data;
    const added = value.data[0] ?? 0;
    state.data[3] = nonFinite === 0 && !Number.isFinite(added) ? updates + 1 : nonFinite;
    state.data[0] = total + weight * added;
    state.data[1] = weights + weight;
    state.data[2] = updates + 1;
  },
  kernel: ({ attributes: { weight } }) => [
    {
      kernel: { name: 'meter', code: commonWgsl + meteredWgsl + meterWgsl, entryPoint: 'meter' },
      bindings: [{ output: 0 }, { input: 1 }],
      uniforms: new Uniforms().f32(weight).bytes(),
      workgroups: [1, 1, 1],
    },
  ],
  writes: [0],
  stage: ({ position, attributes: { weight } }) =>
    position === 1
      ? {
          wgsl: {
            sources: [meteredWgsl],
            call: (a, b, c, d, value, own) => `metered(vec4f(${[a, b, c, d].join(', ')}), ${value}, ${own})`,
            on: 'number',
            fields: ['x', 'y', 'z', 'w'],
          },
          parts: { 0: 4 },
          settings: { weight },
          keepsInput: true,
        }
      : undefined,
  gradient: { none: 'it changes state' },
  tolerance: { absolute: 1e-6, relative: 1e-6 },
  cases: [{ inputs: [{ shape: [4] }, { shape: [] }], attributes: { weight: 32 } }],
});
