import { rmspropWasm } from '../generated/wasm.js';
import { rmspropWgsl } from '../generated/wgsl.js';
import { defineUpdate, type Update } from '../ops/update/update.js';
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

/** Options of a group of {@link RMSprop}, and of all its parameters. */
export interface RMSpropSettings {
  /** Step size, or a function of the step (from 0). Default 0.01. */
  readonly learningRate?: LearningRate;
  /** How much of the mean of squares is kept, in [0, 1). Default 0.99 (Keras: `rho`, 0.9). */
  readonly alpha?: number;
  /** Is added to the root of that mean. Default 1e-8. */
  readonly epsilon?: number;
  /** A number of 0 or more, or a function of the step, in [0, 1). Default 0: none. */
  readonly momentum?: Momentum;
  /** Whether the mean of gradients is taken off: squares become variances (Graves 2013). Default false. */
  readonly centered?: boolean;
  /** L2 penalty: weightDecay · parameter is added to the gradient. Default 0. */
  readonly weightDecay?: number;
}

/** Options of {@link RMSprop}. */
export type RMSpropOptions = GroupedOptions<RMSpropSettings>;

const RULES: OptionRules<RMSpropSettings> = {
  learningRate: anything,
  alpha: number({ min: 0, below: 1 }),
  epsilon: number({ min: 0 }),
  momentum: momentumRule(),
  centered: boolean,
  weightDecay: number({ min: 0 }),
};

/** What the rules are set to. */
type RuleSettings = {
  readonly alpha: number;
  readonly epsilon: number;
  readonly weightDecay: number;
};

function defineRmsprop(name: string, hasMomentum: boolean, isCentered: boolean): Update<RuleSettings> {
  const row = isCentered ? (hasMomentum ? 'centeredMomentum' : 'centered') : hasMomentum ? 'momentum' : 'plain';
  const call = row === 'plain' ? 'rmsprop' : `rmsprop${row.charAt(0).toUpperCase()}${row.slice(1)}`;
  return defineUpdate<RuleSettings>({
    name,
    slots: ['square_avg', ...(hasMomentum ? ['momentum_buffer'] : []), ...(isCentered ? ['grad_avg'] : [])],
    reference(p, gradient, [square = NaN, ...rest], { rate, momentum }, { alpha, epsilon, weightDecay }) {
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
      prepare: { call: 'rmspropStep', type: 'RmspropStep' },
      fields: ['parameter', 'square', ...(hasMomentum ? ['velocity'] : []), ...(isCentered ? ['mean'] : [])],
    },
    wat: { module: rmspropWasm, row },
    kernelSettings: ({ alpha, epsilon, weightDecay }) => ({ take: 1 - alpha, epsilon, weightDecay }),
    flop: 11 + (hasMomentum ? 2 : 0) + (isCentered ? 5 : 0),
    cases: [{ alpha: 0.99, epsilon: 1e-8, weightDecay: 0.01 }],
    // Of any other numbers v - a² might be negative.
    ...(isCentered && { caseSlots: 'zero' }),
  });
}

const rmspropUpdate = defineRmsprop('rmspropUpdate', false, false);
const rmspropMomentumUpdate = defineRmsprop('rmspropMomentumUpdate', true, false);
const rmspropCenteredUpdate = defineRmsprop('rmspropCenteredUpdate', false, true);
const rmspropCenteredMomentumUpdate = defineRmsprop('rmspropCenteredMomentumUpdate', true, true);

/**
 * RMSprop (Tieleman & Hinton 2012) by PyTorch's definitions (`torch.optim.RMSprop`):
 *
 *   g = gradient + weightDecay · p
 *   v = alpha · v + (1 - alpha) · g²;   centered: a = alpha · a + (1 - alpha) · g, and v - a² in the place of v
 *   b = momentum · b + g / (√v + epsilon)
 *   p ← p - learningRate · b
 *
 * State: `square_avg`, `momentum_buffer`, `grad_avg`.
 */
export class RMSprop extends Optimizer {
  /** Throws OptionError for an unknown option, or one out of its range. */
  constructor(options: RMSpropOptions = {}) {
    super(...partsOf<RMSpropSettings>('RMSprop', options, RULES, ruleOf));
  }
}

function ruleOf(options: RMSpropSettings): UpdateRule {
  const { learningRate = 0.01, alpha = 0.99, epsilon = 1e-8, weightDecay = 0 } = options;
  const { momentum = 0, centered = false } = options;
  const [plain, withMomentum] = centered
    ? [rmspropCenteredUpdate, rmspropCenteredMomentumUpdate]
    : [rmspropUpdate, rmspropMomentumUpdate];
  const update = momentum === 0 ? plain : withMomentum;
  return { learningRate, momentum, update: update.with({ alpha, epsilon, weightDecay }) };
}

export const rmspropOperations = [
  rmspropUpdate.operation,
  rmspropMomentumUpdate.operation,
  rmspropCenteredUpdate.operation,
  rmspropCenteredMomentumUpdate.operation,
];
