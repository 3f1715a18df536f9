import { OptionError } from '../errors.js';
import { gradient } from '../graph/gradient.js';
import { applyOne } from '../graph/node.js';
import { requireTrace } from '../graph/trace.js';
import { advance } from '../ops/advance.js';
import type { Tensor } from '../tensor.js';
import { type Parameter, Variable } from '../variable.js';

/** A learning rate, or one for each step, counted from 0. */
export type LearningRate = number | ((step: number) => number);

/**
 * Changes parameters by their gradients, inside a traced function. Its step count and learning rate live in buffers on
 * the device: a constant rate is uploaded once, a schedule's whenever it changes.
 */
export abstract class Optimizer {
  /** Steps recorded on the device (u32 [1]); the host counts beside it for the schedule. */
  protected readonly stepCount = new Variable('optimizer.step', Uint32Array.of(0));
  readonly #schedule: (step: number) => number;
  readonly #rate: Variable;
  #uploadedRate: number;
  #step = 0;

  protected constructor(learningRate: LearningRate) {
    this.#schedule = typeof learningRate === 'function' ? learningRate : () => learningRate;
    this.#uploadedRate = this.#rateAt(0);
    this.#rate = new Variable('optimizer.learningRate', Float32Array.of(this.#uploadedRate), []);
  }

  /** Steps taken so far. */
  get step(): number {
    return this.#step;
  }

  /** The learning rate of the next step. */
  get learningRate(): number {
    return this.#rateAt(this.#step);
  }

  /** State by name, as PyTorch names it, with the parameters' names in front: `fc1.weight.momentum_buffer`. */
  abstract namedVariables(): Map<string, Variable>;

  /** Records one update of a parameter. */
  protected abstract update(parameter: Parameter, gradient: Tensor, learningRate: Tensor): void;

  /** Records the gradients of `loss` and one step with them. Returns the gradients, in the order of `parameters`. */
  minimize(loss: Tensor, parameters: readonly Parameter[]): Tensor[] {
    const gradients = gradient(loss, parameters);
    this.apply(parameters, gradients);
    return gradients;
  }

  /**
   * Records one step with given gradients, for clipping them or adding them up first.
   * Throws OptionError where their number differs, TraceError outside of a traced function.
   */
  apply(parameters: readonly Parameter[], gradients: readonly Tensor[]): void {
    const trace = requireTrace('an optimizer');
    if (parameters.length === 0) {
      throw new OptionError('the optimizer was given no parameters: build the model first (model.build)');
    }
    if (gradients.length !== parameters.length) {
      throw new OptionError(
        `the optimizer was given ${gradients.length} gradients for ${parameters.length} parameters`,
      );
    }
    trace.beforeReplay(this.#refresh);
    parameters.forEach((parameter, i) => {
      const own = gradients[i];
      if (own) this.update(parameter, own, this.#rate.value);
    });
  }

  /** Frees the optimizer's buffers. */
  dispose(): void {
    for (const variable of [this.stepCount, this.#rate, ...this.namedVariables().values()]) variable.dispose();
  }

  /** The step count as the update reads it; it moves on when everything else in the trace has run. */
  protected currentStep(): Tensor {
    requireTrace('an optimizer').atEnd(this, () => {
      this.stepCount.update(applyOne(advance, [this.stepCount.value], { word: 0 }));
    });
    return this.stepCount.value;
  }

  readonly #refresh = (): void => {
    const rate = this.#rateAt(this.#step);
    this.#step++;
    if (rate === this.#uploadedRate) return;
    this.#uploadedRate = rate;
    this.#rate.set(Float32Array.of(rate));
  };

  #rateAt(step: number): number {
    const rate = this.#schedule(step);
    if (!Number.isFinite(rate) || rate < 0) {
      throw new OptionError(`the learning rate must be a number of 0 or more, found ${rate} at step ${step}`);
    }
    return rate;
  }
}
