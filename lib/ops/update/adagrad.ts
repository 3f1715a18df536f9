import { adagradWasm } from '../../generated/wasm.js';
import { adagradWgsl } from '../../generated/wgsl.js';
import { defineUpdate } from './update.js';

export type AdagradSettings = {
  readonly learningRateDecay: number;
  readonly epsilon: number;
  readonly weightDecay: number;
};

/** g = gradient + weightDecay · p; s = s + g²; p ← p - rate / (1 + t · learningRateDecay) · g / (√s + epsilon), t from 0. */
export const adagradUpdate = defineUpdate<AdagradSettings>({
  name: 'adagradUpdate',
  slots: ['sum'],
  reference(p, gradient, [sum = NaN], { step, rate }, { learningRateDecay, epsilon, weightDecay }) {
    const g = gradient + weightDecay * p;
    const s = sum + g * g;
    return [p - ((rate / (1 + step * learningRateDecay)) * g) / (Math.sqrt(s) + epsilon), s];
  },
  wgsl: {
    source: adagradWgsl,
    call: 'adagrad',
    prepare: { call: 'adagradRate', type: 'f32' },
    fields: ['parameter', 'sum'],
  },
  wat: { module: adagradWasm, row: 'adagrad' },
  kernelSettings: ({ learningRateDecay, epsilon, weightDecay }) => ({ learningRateDecay, epsilon, weightDecay }),
  flop: 9,
  cases: [{ learningRateDecay: 0.1, epsilon: 1e-10, weightDecay: 0.01 }],
});

export const adagradOperations = [adagradUpdate.operation];
