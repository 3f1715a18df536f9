import { OptionError } from '../errors.js';
import { apply, applyOne } from '../graph/node.js';
import { sgdMomentumUpdate, sgdUpdate } from '../ops/update/sgd.js';
import { checkOptionNames } from '../suggest.js';
import type { Tensor } from '../tensor.js';
import { type Parameter, Variable } from '../variable.js';
import { type LearningRate, namesOf, Optimizer } from './optimizer.js';

/** Options of {@link SGD}. */
export interface SGDOptions {
  /** Step size, or a function of the step (from 0). Keras's default is 0.01; here, as in PyTorch, it must be given. */
  readonly learningRate: LearningRate;
  /** Default 0: none. */
  readonly momentum?: number;
  /** How much of a gradient is kept out of the velocity. Default 0. */
  readonly dampening?: number;
  /** L2 penalty: weightDecay · parameter is added to the gradient. Default 0. */
  readonly weightDecay?: number;
  /** Nesterov's momentum. Needs momentum and no dampening. Default false. */
  readonly nesterov?: boolean;
}

const OPTION_NAMES = ['learningRate', 'momentum', 'dampening', 'weightDecay', 'nesterov'];

/**
 * Stochastic gradient descent by PyTorch's definitions (`torch.optim.SGD`):
 *
 *   g = gradient + weightDecay · p
 *   v = g in the first step, momentum · v + (1 - dampening) · g after it
 *   p ← p - learningRate · (nesterov ? g + momentum · v : v);   without momentum p ← p - learningRate · g
 *
 * Keras multiplies the learning rate into its velocity: the same for a constant rate.
 */
export class SGD extends Optimizer {
  /** As given to the constructor, defaults filled in. */
  readonly options: Required<Omit<SGDOptions, 'learningRate'>>;
  readonly #velocities = new Map<Parameter, Variable>();

  /**
   * Throws OptionError for an unknown option, a negative or non-finite number, or nesterov without momentum or with
   * dampening.
   */
  constructor(options: SGDOptions) {
    checkOptionNames('SGD', options, OPTION_NAMES);
    super(options.learningRate);
    const { momentum = 0, dampening = 0, weightDecay = 0, nesterov = false } = options;
    for (const [name, value] of Object.entries({ momentum, dampening, weightDecay })) {
      if (!Number.isFinite(value) || value < 0) throw new OptionError(`SGD: ${name} must be 0 or more, found ${value}`);
    }
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new OptionError('SGD: nesterov needs a momentum and no dampening');
    }
    this.options = { momentum, dampening, weightDecay, nesterov };
  }

  override namedVariables(): Map<string, Variable> {
    const state = new Map<string, Variable>();
    for (const [name, parameter] of namesOf(this.#velocities.keys())) {
      state.set(`${name}.momentum_buffer`, this.#velocityOf(parameter));
    }
    return state;
  }

  /** The velocity of a parameter (PyTorch: momentum_buffer); undefined without momentum or before the first use. */
  velocity(parameter: Parameter): Variable | undefined {
    return this.#velocities.get(parameter);
  }

  protected override update(parameter: Parameter, gradient: Tensor): void {
    const { momentum, weightDecay } = this.options;
    if (momentum === 0) {
      parameter.update(applyOne(sgdUpdate, [parameter.value, gradient, this.state], { weightDecay }));
      return;
    }
    const velocity = this.#velocityOf(parameter);
    const inputs = [parameter.value, velocity.value, gradient, this.state];
    const [nextParameter, nextVelocity] = apply(sgdMomentumUpdate, inputs, this.options);
    if (!nextParameter || !nextVelocity) throw new Error('sgdMomentumUpdate has two outputs');
    parameter.update(nextParameter);
    velocity.update(nextVelocity);
  }

  #velocityOf(parameter: Parameter): Variable {
    const known = this.#velocities.get(parameter);
    if (known) return known;
    const zeros = new Float32Array(parameter.size);
    const velocity = new Variable(`${parameter.name}.momentum_buffer`, zeros, parameter.shape);
    this.#velocities.set(parameter, velocity);
    return velocity;
  }
}
