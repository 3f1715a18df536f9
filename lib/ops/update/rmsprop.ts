import { rmspropWasm } from '../../generated/wasm.js';
import { rmspropWgsl } from '../../generated/wgsl.js';
import { defineUpdate, type Update } from './update.js';

export type RmspropSettings = {
  readonly alpha: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly momentum: number;
};

/**
 * g = gradient + weightDecay · p; v = alpha · v + (1 - alpha) · g²; centered: a = alpha · a + (1 - alpha) · g, and v - a²
 * in the place of v; b = momentum · b + g / (√v + epsilon); p ← p - rate · b.
 */
function defineRmsprop(name: string, hasMomentum: boolean, isCentered: boolean): Update<RmspropSettings> {
  const row = isCentered ? (hasMomentum ? 'centeredMomentum' : 'centered') : hasMomentum ? 'momentum' : 'plain';
  const call = row === 'plain' ? 'rmsprop' : `rmsprop${row.charAt(0).toUpperCase()}${row.slice(1)}`;
  return defineUpdate<RmspropSettings>({
    name,
    slots: ['square_avg', ...(hasMomentum ? ['momentum_buffer'] : []), ...(isCentered ? ['grad_avg'] : [])],
    reference(p, gradient, [square = NaN, ...rest], { rate }, { alpha, epsilon, weightDecay, momentum }) {
      const [velocity = 0] = hasMomentum ? rest : [];
      const [mean = 0] = isCentered ? rest.slice(-1) : [];
      const g = gradient + weightDecay * p;
      const v = alpha * square + (1 - alpha) * g * g;
      const a = alpha * mean + (1 - alpha) * g;
      const step = g / (Math.sqrt(isCentered ? v - a * a : v) + epsilon);
      const b = momentum * velocity + step;
      const next = p - rate * (hasMomentum ? b : step);
      return [next, v, ...(hasMomentum ? [b] : []), ...(isCentered ? [a] : [])];
    },
    wgsl: {
      source: rmspropWgsl,
      call,
      prepare: { call: 'rmspropRate', type: 'f32' },
      fields: ['parameter', 'square', ...(hasMomentum ? ['velocity'] : []), ...(isCentered ? ['mean'] : [])],
    },
    wat: { module: rmspropWasm, row },
    kernelSettings: ({ alpha, epsilon, weightDecay, momentum }) => ({
      take: 1 - alpha,
      ...{ epsilon, weightDecay, momentum },
    }),
    flop: 11 + (hasMomentum ? 2 : 0) + (isCentered ? 5 : 0),
    cases: [{ alpha: 0.99, epsilon: 1e-8, weightDecay: 0.01, momentum: hasMomentum ? 0.9 : 0 }],
    // Of any other numbers v - a² might be negative.
    ...(isCentered && { caseSlots: 'zero' }),
  });
}

export const rmspropUpdate = defineRmsprop('rmspropUpdate', false, false);
export const rmspropMomentumUpdate = defineRmsprop('rmspropMomentumUpdate', true, false);
export const rmspropCenteredUpdate = defineRmsprop('rmspropCenteredUpdate', false, true);
export const rmspropCenteredMomentumUpdate = defineRmsprop('rmspropCenteredMomentumUpdate', true, true);

export const rmspropOperations = [
  rmspropUpdate.operation,
  rmspropMomentumUpdate.operation,
  rmspropCenteredUpdate.operation,
  rmspropCenteredMomentumUpdate.operation,
];
