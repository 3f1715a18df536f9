import { moveOnceAtEnd } from '../counters.js';
import { OptionError } from '../errors.js';
import { gradientsWhereReached } from '../graph/gradient.js';
import { MAX_REPLAYS, requireTrace } from '../graph/trace.js';
import { broadcastTo } from '../ops/moving/broadcast-to.js';
import { learningRateOf, optimizerState, STEP_WORD } from '../ops/update/optimizer-state.js';
import type { Tensor } from '../tensor.js';
import { type Parameter, Variable } from '../variable.js';

/** A learning rate, or one for each step, counted from 0. */
export type LearningRate = number | ((step: number) => number);

/**
 * Changes parameters by their gradients, inside a traced function. Step count and learning rate live on the device: a
 * constant rate is uploaded once, those of a schedule together for all steps that are queued at once.
 */
export abstract class Optimizer {
  readonly #schedule: (step: number) => number;
  /** Step and rates, as lib/ops/update/optimizer-state.ts lays them out; the host counts the steps beside it. */
  readonly #state: Variable;
  readonly #rates: Float32Array;
  #step = 0;

  protected constructor(learningRate: LearningRate) {
    const isSchedule = typeof learningRate === 'function';
    this.#schedule = isSchedule ? learningRate : () => learningRate;
    this.#rates = new Float32Array(isSchedule ? MAX_REPLAYS : 1).fill(this.#rateAt(0));
    this.#state = new Variable('optimizer.state', optimizerState(0, this.#rates));
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

  /** Records one update of a parameter. The learning rate is a scalar on the device. */
  protected abstract update(parameter: Parameter, gradient: Tensor, learningRate: Tensor): void;

  /** @internal Step and learning rates, for operations that carry out an update in one kernel. */
  protected get state(): Tensor {
    return this.#state.value;
  }

  /**
   * Records the gradients of `loss` and one step with them. A parameter that is frozen, or that the loss does not depend
   * on, stays as it is, whatever the weight decay; one that is listed twice takes one step. Returns the gradients, in the
   * order of `parameters`: 0 for those that stay.
   *
   * Throws OptionError where there are no parameters or all are frozen, TraceError outside of a traced function.
   */
  minimize(loss: Tensor, parameters: readonly Parameter[]): Tensor[] {
    const trained = trainableOf(parameters);
    const found = gradientsWhereReached(loss, trained);
    const gradients = new Map<Parameter, Tensor>();
    trained.forEach((parameter, i) => {
      const own = found[i];
      if (own) gradients.set(parameter, own);
    });
    this.#recordStep(gradients);
    return parameters.map((parameter) => gradients.get(parameter) ?? broadcastTo(0, parameter.shape));
  }

  /**
   * Records one step with given gradients, for clipping them or adding them up first. Parameters that are frozen stay.
   * Throws OptionError where the numbers differ, a parameter is listed twice, there are none or all are frozen, TraceError
   * outside of a traced function.
   */
  apply(parameters: readonly Parameter[], gradients: readonly Tensor[]): void {
    const trained = new Set(trainableOf(parameters));
    if (gradients.length !== parameters.length) {
      throw new OptionError(
        `the optimizer was given ${gradients.length} gradients for ${parameters.length} parameters`,
      );
    }
    const steps = new Map<Parameter, Tensor>();
    parameters.forEach((parameter, i) => {
      if (steps.has(parameter)) {
        throw new OptionError(`the optimizer was given ${parameter.name} twice: add up its gradients and list it once`);
      }
      const own = gradients[i];
      if (own && trained.has(parameter)) steps.set(parameter, own);
    });
    this.#recordStep(steps);
  }

  #recordStep(gradients: ReadonlyMap<Parameter, Tensor>): void {
    const trace = requireTrace('an optimizer');
    trace.beforeReplay(this.#prepareSteps);
    moveOnceAtEnd({ state: this.#state, word: STEP_WORD });
    const learningRate = learningRateOf(this.#state.value);
    for (const [parameter, own] of gradients) this.update(parameter, own, learningRate);
  }

  /** Frees the optimizer's buffers. */
  dispose(): void {
    for (const variable of [this.#state, ...this.namedVariables().values()]) variable.dispose();
  }

  /** Before `steps` replays are queued: their rates must be on the device. */
  readonly #prepareSteps = (steps: number): void => {
    const count = this.#rates.length;
    const end = this.#step + Math.min(steps, count);
    const rates = Array.from({ length: end - this.#step }, (_, i) => Math.fround(this.#rateAt(this.#step + i)));
    if (rates.some((rate, i) => rate !== this.#rates[(this.#step + i) % count])) {
      // The steps that come later may well keep the last rate: then nothing needs to be sent for them.
      this.#rates.fill(rates.at(-1) ?? NaN);
      rates.forEach((rate, i) => (this.#rates[(this.#step + i) % count] = rate));
      this.#state.set(optimizerState(this.#step, this.#rates));
    }
    this.#step += steps;
  };

  #rateAt(step: number): number {
    const rate = this.#schedule(step);
    if (!Number.isFinite(rate) || rate < 0) {
      throw new OptionError(`the learning rate must be a number of 0 or more, found ${rate} at step ${step}`);
    }
    return rate;
  }
}

/** Those that are not frozen, each once. Throws OptionError where there is none. */
function trainableOf(parameters: readonly Parameter[]): Parameter[] {
  if (parameters.length === 0) {
    throw new OptionError('the optimizer was given no parameters: build the model first (model.build)');
  }
  const trainable = [...new Set(parameters)].filter((parameter) => parameter.isTrainable);
  if (trainable.length === 0) throw new OptionError('all parameters of the optimizer are frozen: unfreeze one of them');
  return trainable;
}

/**
 * Parameters by the names that their state goes by: their own, and `name#2`, `name#3` … for those of other models that are
 * called the same, in the order given.
 */
export function namesOf(parameters: Iterable<Parameter>): Map<string, Parameter> {
  const names = new Map<string, Parameter>();
  for (const parameter of parameters) {
    let name = parameter.name;
    for (let i = 2; names.has(name); i++) name = `${parameter.name}#${i}`;
    names.set(name, parameter);
  }
  return names;
}
