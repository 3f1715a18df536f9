import { elementAt } from '../../element-at.js';
import { ShapeError } from '../../errors.js';
import { commonWgsl, meteredWgsl, meterWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { Uniforms } from '../../graph/launch.js';
import { f32, type View } from '../../graph/operands.js';
import { formatShape, sizeOf } from '../../shape.js';

/** What a meter's state is, number by number (kernels/state/metered.wgsl): sums, what rounding left out of them, and more. */
const FIELDS = [
  ...['sums.x', 'sums.y', 'sums.z'], // Σ weight · value, Σ weight, updates
  ...['rests.x', 'rests.y', 'rests.z'],
  ...['first.x', 'first.y'], // which update, counted from 1, was the first that is not finite; 0: none
  'zero',
];
/** Numbers of a meter's state. */
export const METER_SIZE = FIELDS.length;

/** What a meter has added up. */
export function meterTotals(state: ArrayLike<number>) {
  const [total, weights, updates] = [pairAt(state, 0), pairAt(state, 1), pairAt(state, 2)];
  return { total, weights, updates, first: pairAt(state, 6, 7) };
}

function pairAt(state: ArrayLike<number>, place: number, restAt = place + 3): number {
  const [sum, rest] = [elementAt(state, place), elementAt(state, restAt)];
  return Number.isFinite(sum) ? sum + rest : sum;
}

/** Adds a scalar to a running mean, in place. The class Meter is its public form. */
export const meterUpdate = defineOperation<{ readonly weight: number }>()({
  name: 'meterUpdate',
  inputs: { state: f32(METER_SIZE), value: f32('...') },
  outputs: { state: f32(METER_SIZE) },
  infer({ specs: { value } }) {
    if (sizeOf(value.shape) === 1) return {};
    throw new ShapeError(`meter: the value must be one number, found ${formatShape(value.shape)}`);
  },
  reference({ state, value }, _, { weight }) {
    const number = value.at(0);
    const { updates, first } = meterTotals(state.data);
    [weight * number, weight, 1].forEach((added, place) => {
      setPair(state, [place, place + 3], pairAt(state.data, place) + added);
    });
    if (first === 0 && !Number.isFinite(number)) setPair(state, [6, 7], updates + 1);
  },
  kernel: ({ attributes: { weight } }) => [
    {
      kernel: { name: 'meter', code: commonWgsl + meteredWgsl + meterWgsl, entryPoint: 'meter' },
      bindings: ['state', 'value'],
      uniforms: new Uniforms().f32(weight).bytes(),
      workgroups: [1, 1, 1],
    },
  ],
  stage: ({ position, attributes: { weight } }) =>
    position === 1
      ? {
          wgsl: {
            sources: [meteredWgsl],
            call: (...values) => {
              const [a, b, c, d, e, f, g, h, zero, value, own] = values;
              const state = `Meter(vec3f(${a}, ${b}, ${c}), vec3f(${d}, ${e}, ${f}), vec2f(${g}, ${h}), ${zero})`;
              return `metered(${state}, ${value}, ${own})`;
            },
            on: 'number',
            fields: FIELDS,
          },
          parts: { 0: METER_SIZE },
          settings: { weight },
          keepsInput: true,
        }
      : undefined,
  gradient: { none: 'it changes state' },
  tolerance: { absolute: 1e-6, relative: 1e-6 },
  cases: [
    {
      inputs: { state: { shape: [METER_SIZE], dtype: 'f32', fill: { below: 1 } }, value: { shape: [] } },
      attributes: { weight: 32 },
    },
  ],
});

/** A number as two floats. */
function setPair(state: View, [at, restAt]: readonly [number, number], value: number): void {
  state.set(at, Math.fround(value));
  state.set(restAt, Number.isFinite(value) ? value - Math.fround(value) : 0);
}
