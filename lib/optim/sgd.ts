import { OptionError } from '../errors.js';
import { sgdWasm } from '../generated/wasm.js';
import { sgdWgsl } from '../generated/wgsl.js';
import { defineUpdate } from '../ops/update/update.js';
import { anything, boolean, number, type OptionRules } from '../options.js';
import type { Parameter, Variable } from '../variable.js';
import {
  type GroupedOptions,
  type LearningRate,
  type Momentum,
  momentumRule,
  partsOf,
  type UpdateRule,
} from './groups.js';
import { Optimizer } from './optimizer.js';

/** Options of a group of {@link SGD}, and of all its parameters. */
export interface SGDSettings {
  /** Step size, or a function of the step (from 0). Keras's default is 0.01; here it must be given. */
  readonly learningRate: LearningRate;
  /** A number of 0 or more, or a function of the step, in [0, 1). Default 0: none. */
  readonly momentum?: Momentum;
  /** How much of a gradient is kept out of the velocity. Default 0. */
  readonly dampening?: number;
  /** L2 penalty: weightDecay · parameter is added to the gradient. Default 0. */
  readonly weightDecay?: number;
  /** Nesterov's momentum. Needs momentum and no dampening. Default false. */
  readonly nesterov?: boolean;
}

/** Options of {@link SGD}. */
export type SGDOptions = GroupedOptions<SGDSettings>;

const RULES: OptionRules<SGDSettings> = {
  learningRate: anything,
  momentum: momentumRule(),
  dampening: number({ min: 0 }),
  weightDecay: number({ min: 0 }),
  nesterov: boolean,
};

/** What the rules are set to. */
type RuleSettings = {
  readonly weightDecay: number;
  readonly dampening: number;
  readonly nesterov: boolean;
};

/** Without momentum. */
export const sgdUpdate = defineUpdate<Pick<RuleSettings, 'weightDecay'>>({
  name: 'sgdUpdate',
  slots: [],
  reference: (p, gradient, _slots, { rate }, { weightDecay }) => [p - rate * (gradient + weightDecay * p)],
  wgsl: { source: sgdWgsl, call: 'sgd', prepare: { call: 'sgdRate', type: 'f32' } },
  wat: { module: sgdWasm, row: 'plain' },
  kernelSettings: ({ weightDecay }) => ({ weightDecay }),
  flop: 4,
  cases: [{ weightDecay: 0 }, { weightDecay: 0.01 }],
});

const sgdMomentumUpdate = defineUpdate<RuleSettings>({
  name: 'sgdMomentumUpdate',
  slots: ['momentum_buffer'],
  reference(p, gradient, [velocity = NaN], { step, rate, momentum }, { weightDecay, dampening, nesterov }) {
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
  kernelSettings: ({ weightDecay, dampening, nesterov }) => ({ weightDecay, dampening, nesterov }),
  flop: 7,
  cases: [true, false].map((nesterov) => ({ weightDecay: 0.01, dampening: 0.5, nesterov })),
});

/**
 * Stochastic gradient descent by PyTorch's definitions (`torch.optim.SGD`):
 *
 *   g = gradient + weightDecay · p
 *   v = g in the first step, momentum · v + (1 - dampening) · g after it
 *   p ← p - learningRate · (nesterov ? g + momentum · v : v);   without momentum p ← p - learningRate · g
 *
 * Keras multiplies the learning rate into its velocity: the same for a constant rate. Where a function gives 0 for the
 * momentum of a step, the formula holds as well; PyTorch leaves v as it is then. State: `momentum_buffer`.
 */
export class SGD extends Optimizer {
  /** As given to the constructor, defaults filled in. */
  readonly options: Required<Omit<SGDSettings, 'learningRate'>>;

  /**
   * Throws OptionError for an unknown option, a negative or non-finite number, or nesterov without momentum or with
   * dampening.
   */
  constructor(options: SGDOptions) {
    super(...partsOf<SGDSettings>('SGD', options, RULES, ruleOf));
    this.options = settingsOf(options);
  }

  /** The velocity of a parameter (PyTorch: momentum_buffer); undefined without momentum or before the first use. */
  velocity(parameter: Parameter): Variable | undefined {
    return this.bufferOf(parameter);
  }
}

function settingsOf({ momentum = 0, dampening = 0, weightDecay = 0, nesterov = false }: Partial<SGDSettings>) {
  return { momentum, dampening, weightDecay, nesterov };
}

function ruleOf(options: SGDSettings): UpdateRule {
  const { momentum, ...settings } = settingsOf(options);
  const { dampening, weightDecay, nesterov } = settings;
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw new OptionError('SGD: nesterov needs a momentum and no dampening');
  }
  const update = momentum === 0 ? sgdUpdate.with({ weightDecay }) : sgdMomentumUpdate.with(settings);
  return { learningRate: options.learningRate, momentum, update };
}

export const sgdOperations = [sgdUpdate.operation, sgdMomentumUpdate.operation];
