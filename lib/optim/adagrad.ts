import { adagradWasm } from '../generated/wasm.js';
import { adagradWgsl } from '../generated/wgsl.js';
import { defineUpdate } from '../ops/update/update.js';
import { anything, number, type OptionRules } from '../options.js';
import { type GroupedOptions, type LearningRate, partsOf, type UpdateRule } from './groups.js';
import { Optimizer } from './optimizer.js';

/** Options of a group of {@link Adagrad}, and of all its parameters. */
export interface AdagradSettings {
  /** Step size, or a function of the step (from 0). Default 0.01. */
  readonly learningRate?: LearningRate;
  /** The rate of step t, counted from 0, is divided by 1 + t · this. Default 0 (PyTorch: `lr_decay`). */
  readonly learningRateDecay?: number;
  /** What the sum of squares begins with. Default 0 (Keras: 0.1). */
  readonly initialAccumulatorValue?: number;
  /** Is added to the root of that sum. Default 1e-10. */
  readonly epsilon?: number;
  /** L2 penalty: weightDecay · parameter is added to the gradient. Default 0. */
  readonly weightDecay?: number;
}

/** Options of {@link Adagrad}. */
export type AdagradOptions = GroupedOptions<AdagradSettings>;

const RULES: OptionRules<AdagradSettings> = {
  learningRate: anything,
  learningRateDecay: number({ min: 0 }),
  initialAccumulatorValue: number({ min: 0 }),
  epsilon: number({ min: 0 }),
  weightDecay: number({ min: 0 }),
};

/** What the rule is set to. */
type RuleSettings = {
  readonly learningRateDecay: number;
  readonly epsilon: number;
  readonly weightDecay: number;
};

const adagradUpdate = defineUpdate<RuleSettings>({
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

/**
 * Adagrad (Duchi, Hazan, Singer 2011) by PyTorch's definitions (`torch.optim.Adagrad`), t counted from 0 for each parameter:
 *
 *   g = gradient + weightDecay · p,   s = s + g²
 *   p ← p - learningRate / (1 + t · learningRateDecay) · g / (√s + epsilon)
 *
 * State: `sum`.
 */
export class Adagrad extends Optimizer {
  /** Throws OptionError for an unknown option, or one out of its range. */
  constructor(options: AdagradOptions = {}) {
    super(...partsOf<AdagradSettings>('Adagrad', options, RULES, ruleOf));
  }
}

function ruleOf(options: AdagradSettings): UpdateRule {
  const { learningRate = 0.01, learningRateDecay = 0, epsilon = 1e-10, weightDecay = 0 } = options;
  const { initialAccumulatorValue: initial = 0 } = options;
  return { learningRate, update: adagradUpdate.with({ learningRateDecay, epsilon, weightDecay }), initial };
}

export const adagradOperations = [adagradUpdate.operation];
