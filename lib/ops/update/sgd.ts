import { sgdWasm } from '../../generated/wasm.js';
import { sgdWgsl } from '../../generated/wgsl.js';
import { defineUpdate } from './update.js';

export type SgdSettings = {
  readonly weightDecay: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly nesterov: boolean;
};

/** p ← p - rate · (gradient + weightDecay · p). */
export const sgdUpdate = defineUpdate<Pick<SgdSettings, 'weightDecay'>>({
  name: 'sgdUpdate',
  slots: [],
  reference: (p, gradient, _slots, { rate }, { weightDecay }) => [p - rate * (gradient + weightDecay * p)],
  wgsl: { source: sgdWgsl, call: 'sgd', prepare: { call: 'sgdRate', type: 'f32' } },
  wat: { module: sgdWasm, row: 'plain' },
  kernelSettings: ({ weightDecay }) => ({ weightDecay }),
  flop: 4,
  cases: [{ weightDecay: 0 }, { weightDecay: 0.01 }],
});

/**
 * g = gradient + weightDecay · p; v ← g in the step 0, momentum · v + (1 - dampening) · g after it;
 * p ← p - rate · (nesterov ? g + momentum · v : v).
 */
export const sgdMomentumUpdate = defineUpdate<SgdSettings>({
  name: 'sgdMomentumUpdate',
  slots: ['momentum_buffer'],
  reference(p, gradient, [velocity = NaN], { step, rate }, { weightDecay, momentum, dampening, nesterov }) {
    const g = gradient + weightDecay * p;
    const v = step === 0 ? g : momentum * velocity + (1 - dampening) * g;
    return [p - rate * (nesterov ? g + momentum * v : v), v];
  },
  wgsl: {
    source: sgdWgsl,
    call: 'sgdMomentum',
    prepare: { call: 'sgdStep', type: 'SgdStep' },
    fields: ['parameter', 'velocity'],
  },
  wat: { module: sgdWasm, row: 'momentum' },
  kernelSettings: ({ weightDecay, momentum, dampening, nesterov }) => ({ weightDecay, momentum, dampening, nesterov }),
  flop: 7,
  cases: [true, false].map((nesterov) => ({ weightDecay: 0.01, momentum: 0.9, dampening: 0.5, nesterov })),
});

export const sgdOperations = [sgdUpdate.operation, sgdMomentumUpdate.operation];
