import { adamWasm } from '../generated/wasm.js';
import { adamWgsl } from '../generated/wgsl.js';
import { defineUpdate, type StepState, type UpdateDefinition } from '../ops/update/update.js';
import { anything, boolean, number, type OptionRules } from '../options.js';
import {
  type GroupedOptions,
  type LearningRate,
  type Momentum,
  momentumRule,
  partsOf,
  type UpdateRule,
} from './groups.js';
import { Optimizer } from './optimizer.js';

/** Options of a group of {@link Adam} or {@link AdamW}, and of all its parameters. */
export interface AdamSettings {
  /** Step size, or a function of the step (from 0). Default 0.001. */
  readonly learningRate?: LearningRate;
  /** How much of the mean of gradients is kept, in [0, 1), or a function of the step. Default 0.9 (PyTorch: `betas[0]`). */
  readonly beta1?: Momentum;
  /** The same of the mean of their squares. Default 0.999 (PyTorch: `betas[1]`). */
  readonly beta2?: number;
  /** Is added to the root of that mean. Default 1e-8 (PyTorch: `eps`; Keras's is 1e-7). */
  readonly epsilon?: number;
  /** Adam: an L2 penalty, weightDecay · p is added to the gradient; default 0. AdamW: p shrinks by rate · weightDecay; default 0.01. */
  readonly weightDecay?: number;
  /** The largest mean of squares so far stands in the place of the mean (Reddi, Kale, Kumar 2018). Default false. */
  readonly amsgrad?: boolean;
}

/** Options of {@link Adam} and {@link AdamW}. */
export type AdamOptions = GroupedOptions<AdamSettings>;

const RULES: OptionRules<AdamSettings> = {
  learningRate: anything,
  beta1: momentumRule({ below: 1 }),
  beta2: number({ min: 0, below: 1 }),
  epsilon: number({ min: 0 }),
  weightDecay: number({ min: 0 }),
  amsgrad: boolean,
};

/** What the rules are set to. */
type RuleSettings = {
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Weights decay beside the gradient (AdamW), not within it. */
  readonly decoupled: boolean;
};

const common: Pick<UpdateDefinition<RuleSettings>, 'kernelSettings' | 'simdSettings' | 'cases'> = {
  kernelSettings: ({ beta2, epsilon, weightDecay, decoupled }) => ({
    ...{ logBeta2: Math.log(beta2), take2: 1 - beta2 },
    ...{ epsilon, weightDecay, decoupled },
  }),
  simdSettings: ({ beta2, epsilon, weightDecay, decoupled }) => [beta2, epsilon, weightDecay, Number(decoupled)],
  cases: [true, false].map((decoupled) => ({ beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, decoupled })),
};

/** What the moments, the sizes of a step and the decayed parameter are. */
function momentsOf(
  { p, gradient, mean, square }: Readonly<Record<'p' | 'gradient' | 'mean' | 'square', number>>,
  { step, rate, momentum: beta1 }: StepState,
  { beta2, weightDecay, decoupled }: RuleSettings,
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

const adamUpdate = defineUpdate<RuleSettings>({
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

const adamAmsgradUpdate = defineUpdate<RuleSettings>({
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

/**
 * Adam (Kingma & Ba 2015) by PyTorch's definitions (`torch.optim.Adam`), t counted from 1 for each parameter:
 *
 *   g = gradient + weightDecay · p
 *   m = beta1 · m + (1 - beta1) · g,   v = beta2 · v + (1 - beta2) · g²
 *   p ← p - learningRate / (1 - beta1^t) · m / (√v / √(1 - beta2^t) + epsilon)
 *
 * Where beta1 is a function, it is that of the step, in beta1^t as well.
 * With amsgrad the largest v so far stands in the place of v. State: `exp_avg`, `exp_avg_sq`, `max_exp_avg_sq`.
 */
export class Adam extends Optimizer {
  /** Throws OptionError for an unknown option, or one out of its range. */
  constructor(options: AdamOptions = {}) {
    super(...partsOf<AdamSettings>('Adam', options, RULES, (own) => ruleOf(own, 0, false)));
  }
}

/**
 * Adam with weights that decay beside the gradient (Loshchilov & Hutter 2019; `torch.optim.AdamW`): p ← p - learningRate ·
 * weightDecay · p, and then {@link Adam}'s step with g = gradient.
 */
export class AdamW extends Optimizer {
  /** Throws OptionError for an unknown option, or one out of its range. */
  constructor(options: AdamOptions = {}) {
    super(...partsOf<AdamSettings>('AdamW', options, RULES, (own) => ruleOf(own, 0.01, true)));
  }
}

function ruleOf(options: AdamSettings, usualDecay: number, decoupled: boolean): UpdateRule {
  const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, amsgrad = false } = options;
  const { weightDecay = usualDecay } = options;
  const update = amsgrad ? adamAmsgradUpdate : adamUpdate;
  return { learningRate, momentum: beta1, update: update.with({ beta2, epsilon, weightDecay, decoupled }) };
}

export const adamOperations = [adamUpdate.operation, adamAmsgradUpdate.operation];
