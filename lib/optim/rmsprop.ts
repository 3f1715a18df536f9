import {
  rmspropCenteredMomentumUpdate,
  rmspropCenteredUpdate,
  rmspropMomentumUpdate,
  rmspropUpdate,
} from '../ops/update/rmsprop.js';
import { anything, boolean, number, type OptionRules } from '../options.js';
import { type GroupedOptions, type LearningRate, partsOf, type UpdateRule } from './groups.js';
import { Optimizer } from './optimizer.js';

/** Options of a group of {@link RMSprop}, and of all its parameters. */
export interface RMSpropSettings {
  /** Step size, or a function of the step (from 0). Default 0.01. */
  readonly learningRate?: LearningRate;
  /** How much of the mean of squares is kept, in [0, 1). Default 0.99 (Keras: `rho`, 0.9). */
  readonly alpha?: number;
  /** Is added to the root of that mean. Default 1e-8. */
  readonly epsilon?: number;
  /** Default 0: none. */
  readonly momentum?: number;
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
  momentum: number({ min: 0 }),
  centered: boolean,
  weightDecay: number({ min: 0 }),
};

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
  const update = momentum > 0 ? withMomentum : plain;
  return { learningRate, update: update.with({ alpha, epsilon, weightDecay, momentum }) };
}
