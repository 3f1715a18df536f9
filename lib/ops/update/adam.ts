import { adamWasm } from '../../generated/wasm.js';
import { adamWgsl } from '../../generated/wgsl.js';
import { defineUpdate, type UpdateDefinition } from './update.js';

export type AdamSettings = {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Weights decay beside the gradient (AdamW), not within it. */
  readonly decoupled: boolean;
};

const common: Pick<UpdateDefinition<AdamSettings>, 'kernelSettings' | 'simdSettings' | 'cases'> = {
  kernelSettings: ({ beta1, beta2, epsilon, weightDecay, decoupled }) => ({
    ...{ logBeta1: Math.log(beta1), logBeta2: Math.log(beta2), take1: 1 - beta1, take2: 1 - beta2 },
    ...{ epsilon, weightDecay, decoupled },
  }),
  simdSettings: ({ beta1, beta2, epsilon, weightDecay, decoupled }) => [
    ...[beta1, beta2, epsilon, weightDecay],
    Number(decoupled),
  ],
  cases: [true, false].map((decoupled) => ({
    ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
    decoupled,
  })),
};

/** What the moments, the sizes of a step and the decayed parameter are. */
function momentsOf(
  { p, gradient, mean, square }: Readonly<Record<'p' | 'gradient' | 'mean' | 'square', number>>,
  { step, rate }: { readonly step: number; readonly rate: number },
  { beta1, beta2, weightDecay, decoupled }: AdamSettings,
) {
  const g = decoupled ? gradient : gradient + weightDecay * p;
  return {
    decayed: decoupled ? p - rate * weightDecay * p : p,
    m: beta1 * mean + (1 - beta1) * g,
    v: beta2 * square + (1 - beta2) * g * g,
    stepSize: rate / (1 - beta1 ** (step + 1)),
    correction: Math.sqrt(1 - beta2 ** (step + 1)),
  };
}

/**
 * g = gradient + weightDecay · p (AdamW: p ← p - rate · weightDecay · p instead); m = beta1 · m + (1 - beta1) · g;
 * v = beta2 · v + (1 - beta2) · g²; p ← p - rate / (1 - beta1^t) · m / (√v / √(1 - beta2^t) + epsilon), t from 1.
 */
export const adamUpdate = defineUpdate<AdamSettings>({
  name: 'adamUpdate',
  slots: ['exp_avg', 'exp_avg_sq'],
  reference(p, gradient, [mean = NaN, square = NaN], at, settings) {
    const { decayed, m, v, stepSize, correction } = momentsOf({ p, gradient, mean, square }, at, settings);
    return [decayed - (stepSize * m) / (Math.sqrt(v) / correction + settings.epsilon), m, v];
  },
  wgsl: {
    source: adamWgsl,
    call: 'adam',
    prepare: { call: 'adamStep', type: 'AdamStep' },
    fields: ['parameter', 'mean', 'square'],
  },
  wat: { module: adamWasm, row: 'adam' },
  flop: 15,
  ...common,
});

/** The same with the largest v so far in the place of v. */
export const adamAmsgradUpdate = defineUpdate<AdamSettings>({
  name: 'adamAmsgradUpdate',
  slots: ['exp_avg', 'exp_avg_sq', 'max_exp_avg_sq'],
  reference(p, gradient, [mean = NaN, square = NaN, largest = NaN], at, settings) {
    const { decayed, m, v, stepSize, correction } = momentsOf({ p, gradient, mean, square }, at, settings);
    const most = Math.max(largest, v);
    return [decayed - (stepSize * m) / (Math.sqrt(most) / correction + settings.epsilon), m, v, most];
  },
  wgsl: {
    source: adamWgsl,
    call: 'adamAmsgrad',
    prepare: { call: 'adamStep', type: 'AdamStep' },
    fields: ['parameter', 'mean', 'square', 'largest'],
  },
  wat: { module: adamWasm, row: 'amsgrad' },
  flop: 16,
  ...common,
});

export const adamOperations = [adamUpdate.operation, adamAmsgradUpdate.operation];
