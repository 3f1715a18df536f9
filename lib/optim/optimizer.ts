import { moveStepsAtEnd } from '../counters.js';
import { elementAt } from '../element-at.js';
import { OptionError } from '../errors.js';
import { gradientsWhereReached } from '../graph/gradient.js';
import { requireTrace, type Trace } from '../graph/trace.js';
import type { Safetensors } from '../io/safetensors.js';
import { type SafetensorsTensor, stateRule } from '../io/safetensors-types.js';
import { broadcastTo } from '../ops/reduce/sum.js';
import { copy } from '../ops/moving/copy.js';
import { variableOf } from '../graph/tensors.js';
import { slotsShape } from '../ops/update/update.js';
import {
  anything,
  checkArgument,
  checkOptions,
  number,
  type OptionRule,
  type OptionRules,
  required,
} from '../options.js';
import { sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { Parameter, Variable } from '../variable.js';
import { clipGradNorm, clipGradValue } from './clip.js';
import { type ClippingOptions, momentumRule, type RuledParameters, type UpdateRule } from './groups.js';
import type { LossScale, LossScaleState } from './loss-scale.js';
import {
  bySchedules,
  type Members,
  momentumAt,
  newMembers,
  pairsOf,
  type Position,
  rateAt,
  send,
  type TrackedParameter,
} from './members.js';
import { packedState, unpackedState } from './state.js';

/** Options of {@link Optimizer.minimize}. */
export interface MinimizeOptions {
  /** Dynamic loss scaling, for what {@link autocast} stores as 16-bit floats. Default: there is none. */
  readonly lossScale?: LossScale | undefined;
}

/**
 * Changes parameters by their gradients, inside a traced function. Steps, learning rates and momenta live on the device:
 * constant ones are uploaded once, those of a schedule together for all steps that are queued at once. Steps are counted for
 * each parameter, as in PyTorch.
 *
 * An optimizer of your own is a class that gives its rule, made by `defineUpdate`, to this constructor.
 */
export abstract class Optimizer {
  readonly #rule: UpdateRule;
  readonly #groups: readonly RuledParameters[];
  readonly #clipping: ClippingOptions;
  readonly #tracked = new Map<Parameter, TrackedParameter>();
  readonly #stepsIn = new WeakMap<Trace, Map<Members, Uint32Array>>();
  #step = 0;
  #factor = 1;
  #lossScale: LossScale | undefined;
  /** That of a state which was loaded before the loss scale was met. */
  #lossScaleState: LossScaleState | undefined;

  /**
   * Throws OptionError for what is no rule.
   *
   * @param rule how parameters are changed
   * @param groups parameters that have a rule of their own
   */
  protected constructor(rule: UpdateRule, groups: readonly RuledParameters[] = [], clipping: ClippingOptions = {}) {
    checkOptions('the rule of an optimizer', rule, RULE);
    this.#rule = rule;
    this.#groups = groups;
    this.#clipping = clipping;
    this.schedulesAt(0);
  }

  /** Steps taken so far: how often functions with this optimizer have run. */
  get step(): number {
    return this.#step;
  }

  /** The learning rate of the next step. */
  get learningRate(): number {
    return this.#factor * rateAt(this.#rule.learningRate, this.#step);
  }

  /**
   * What all learning rates are multiplied by, those of schedules and of groups included; default 1. It is a part of the
   * state. Throws OptionError where it is set to what is no number of 0 or more.
   */
  get learningRateFactor(): number {
    return this.#factor;
  }

  /** From the next step on. */
  set learningRateFactor(factor: number) {
    checkArgument('the optimizer', 'learningRateFactor', factor, number({ min: 0 }));
    this.#factor = factor;
  }

  /**
   * What the optimizer remembers, by the names of PyTorch's state with the parameters' names in front
   * (`fc1.weight.exp_avg`), how many steps each parameter has taken (`fc1.weight.step`), {@link Optimizer.step | its own}
   * (`step`), by which a schedule goes, and {@link learningRateFactor} (`learning_rate_factor`) where it is not 1: one moment of it, for a .safetensors file.
   *
   * @param parameters default: all that it has met
   */
  async state(parameters: Iterable<Parameter> = this.#tracked.keys()): Promise<Map<string, SafetensorsTensor>> {
    const named = [...namesOf(parameters)].flatMap(([name, parameter]) => {
      const tracked = this.#tracked.get(parameter);
      return tracked ? [{ name, parameter, tracked, steps: tracked.own.steps }] : [];
    });
    return packedState(named, this.#step, this.#factor, this.#lossScale?.state());
  }

  /**
   * Goes on from what {@link Optimizer.state | state} gave, for these parameters, perhaps of another process. One that had taken no step, such
   * as a frozen one, is not in the state and begins anew. Where `step` is not in it, as in PyTorch's, a schedule goes on from
   * the most steps that a parameter has taken. All or nothing: throws DataError naming what is missing, unknown or
   * of another shape, OptionError for what is no list of parameters or no state.
   */
  loadState(parameters: readonly Parameter[], state: Pick<Safetensors, 'tensors'>): void {
    checkArgument('loadState', 'the parameters', parameters, listOfParameters);
    checkArgument('loadState', 'the state', state, stateRule);
    this.#meet(parameters);
    const named = [...namesOf(parameters)].flatMap(([name, parameter]) => {
      const tracked = this.#tracked.get(parameter);
      return tracked ? [{ name, parameter, tracked }] : [];
    });
    const { found, step, factor, lossScale } = unpackedState(named, state.tensors);
    const all = new Set(named.map(({ tracked }) => tracked.members));
    const moved = Array.from(all, (members) => ({ members, pairs: pairsOf(members, 1, { step, factor }) }));
    this.#step = step;
    this.#factor = factor;
    this.#lossScaleState = lossScale;
    if (lossScale) this.#lossScale?.loadState(lossScale);
    for (const { tracked, values, steps } of found) {
      tracked.buffer?.set(values);
      tracked.own.steps = steps;
    }
    for (const { members, pairs } of moved) send(members, pairs, true);
  }

  /**
   * Records the gradients of `loss` and one step with them. A parameter that is frozen, or that the loss does not depend
   * on, stays as it is, whatever the weight decay; one that is listed twice takes one step. Returns the gradients, in the
   * order of `parameters`: 0 for those that stay.
   *
   * Throws OptionError where there are no parameters or all are frozen and for a bad option, TraceError outside of a traced
   * function.
   */
  minimize(loss: Tensor, parameters: readonly Parameter[], options: MinimizeOptions = {}): Tensor[] {
    checkOptions('minimize', options, { lossScale: anything });
    const { lossScale } = options;
    const trained = trainableOf(parameters);
    const found = gradientsWhereReached(loss, trained, lossScale?.value);
    const reached = trained.filter((_, i) => found[i] !== undefined);
    const scaled = found.filter((own) => own !== undefined);
    const own = lossScale && scaled.length > 0 ? this.#unscaled(lossScale, reached, scaled) : scaled;
    const gradients = new Map(reached.map((parameter, i) => [parameter, elementAt(own, i)]));
    this.#recordStep(gradients);
    return parameters.map((parameter) => gradients.get(parameter) ?? broadcastTo(0, parameter.shape));
  }

  /** Gradients as they are without a loss scale; the step is skipped unless they are finite. */
  #unscaled(lossScale: LossScale, parameters: readonly Parameter[], gradients: readonly Tensor[]): Tensor[] {
    if (this.#lossScale !== lossScale && this.#lossScaleState) lossScale.loadState(this.#lossScaleState);
    this.#lossScale = lossScale;
    this.#lossScaleState = undefined;
    this.#meet(parameters);
    const states = new Set(parameters.flatMap((parameter) => this.#tracked.get(parameter)?.members ?? []));
    return lossScale.unscaled(
      gradients,
      Array.from(states, ({ state, list }) => ({ state, members: list.length })),
    );
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
    const parameters = [...gradients.keys()];
    this.#meet(parameters);
    const clipped = this.#clip([...gradients.values()]);
    parameters.forEach((parameter, i) => {
      const [own, tracked] = [clipped[i], this.#tracked.get(parameter)];
      if (own && tracked) this.#update(trace, parameter, tracked, own);
    });
  }

  #update(trace: Trace, parameter: Parameter, { rule, members, member, buffer }: TrackedParameter, own: Tensor): void {
    const steps = this.#stepsOf(trace, members);
    const ahead = steps[member] ?? NaN;
    steps[member] = ahead + 1;
    // WebGPU forbids a buffer to be read and written in one dispatch.
    const source = variableOf(own);
    const gradient = source && (source === parameter || source === buffer) ? copy(own) : own;
    const next = rule.update.apply({
      ...{ parameter: parameter.value, gradient, buffer: buffer?.value },
      ...{ state: members.state.value, member, ahead },
    });
    parameter.update(next.parameter);
    if (next.buffer) buffer?.update(next.buffer);
  }

  /** The steps that parameters take in each replay of a trace, as far as it is recorded. */
  #stepsOf(trace: Trace, members: Members): Uint32Array {
    let all = this.#stepsIn.get(trace);
    if (!all) {
      const taken = (all = new Map<Members, Uint32Array>());
      this.#stepsIn.set(trace, taken);
      trace.beforeReplay((replays) => {
        this.#prepareReplays(replays, taken);
      });
    }
    const steps = all.get(members) ?? new Uint32Array(members.list.length);
    all.set(members, steps);
    moveStepsAtEnd(members.state, steps);
    return steps;
  }

  #clip(gradients: readonly Tensor[]): readonly Tensor[] {
    const { clipGradNorm: norm, clipGradValue: value } = this.#clipping;
    const within = value === undefined ? gradients : clipGradValue(gradients, value);
    return norm === undefined ? within : clipGradNorm(within, norm).gradients;
  }

  /** Takes in parameters that it has not met yet: those of one schedule get a state together. */
  #meet(parameters: readonly Parameter[]): void {
    const met = parameters
      .filter((parameter) => !this.#tracked.has(parameter))
      .map((parameter) => {
        const { rule } = this.#groups.find(({ has }) => has(parameter)) ?? { rule: this.#rule };
        return { parameter, rule };
      });
    for (const all of bySchedules(met)) {
      const members = newMembers(
        all.map(({ rule }) => rule),
        this.#position,
      );
      all.forEach(({ parameter, rule }, member) => {
        const own = elementAt(members.list, member);
        this.#tracked.set(parameter, { rule, members, member, own, buffer: bufferOf(parameter, rule) });
      });
    }
  }

  /** @internal The slots of a parameter in their buffer; undefined before its first step, and where there are none. */
  protected bufferOf(parameter: Parameter): Variable | undefined {
    return this.#tracked.get(parameter)?.buffer;
  }

  /** @internal The learning rates and the momenta of a step, its own and those of its groups. */
  schedulesAt(step: number): { readonly rates: readonly number[]; readonly momenta: readonly number[] } {
    const rules = [this.#rule, ...this.#groups.map(({ rule }) => rule)];
    return {
      rates: rules.map(({ learningRate }) => rateAt(learningRate, step)),
      momenta: rules.map(({ momentum }) => momentumAt(momentum, step)),
    };
  }

  /** @internal Whether it keeps something there. */
  owns(variable: Variable): boolean {
    if (this.#lossScale?.owns(variable)) return true;
    return [...this.#tracked.values()].some(({ buffer, members }) => variable === buffer || variable === members.state);
  }

  /** @internal All that it has on the device, by name. */
  namedVariables(): Map<string, Variable> {
    const variables = new Map<string, Variable>();
    for (const [name, parameter] of namesOf(this.#tracked.keys())) {
      const { buffer, rule } = this.#tracked.get(parameter) ?? {};
      if (buffer && rule) variables.set(`${name}.${rule.update.slots.join('+')}`, buffer);
    }
    return variables;
  }

  /** Frees the optimizer's buffers. */
  dispose(): void {
    for (const { buffer, members } of this.#tracked.values()) {
      buffer?.dispose();
      members.state.dispose();
    }
  }

  get #position(): Position {
    return { step: this.#step, factor: this.#factor };
  }

  /** Before replays are queued: their rates and momenta must be on the device. */
  #prepareReplays(replays: number, taken: ReadonlyMap<Members, Uint32Array>): void {
    const planned = [...taken].map(([members, steps]) => {
      return { members, steps, pairs: pairsOf(members, replays, this.#position) };
    });
    for (const { members, steps, pairs } of planned) {
      send(members, pairs);
      members.replays += replays;
      members.list.forEach((own, member) => (own.steps += elementAt(steps, member) * replays));
    }
    this.#step += replays;
  }
}

const RULE: OptionRules<UpdateRule> = {
  learningRate: anything,
  update: required({
    expected: 'a rule of defineUpdate with its settings',
    accepts: (value) => typeof value === 'object' && value !== null && 'apply' in value && 'slots' in value,
  }),
  momentum: momentumRule(),
  initial: number(),
};

function bufferOf(parameter: Parameter, { update: { slots }, initial = 0 }: UpdateRule): Variable | undefined {
  if (slots.length === 0) return undefined;
  const shape = slotsShape(parameter.shape, slots.length);
  return new Variable(`${parameter.name}.${slots.join('+')}`, new Float32Array(sizeOf(shape)).fill(initial), shape);
}

const listOfParameters: OptionRule = {
  expected: 'an array of parameters, such as model.parameters()',
  accepts: (value) => Array.isArray(value) && value.every((item) => item instanceof Parameter),
};

/** Those that are not frozen, each once. Throws OptionError where there is none. */
function trainableOf(parameters: readonly Parameter[]): Parameter[] {
  checkArgument('the optimizer', 'what it trains', parameters, listOfParameters);
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
function namesOf(parameters: Iterable<Parameter>): Map<string, Parameter> {
  const names = new Map<string, Parameter>();
  for (const parameter of parameters) {
    let name = parameter.name;
    for (let i = 2; names.has(name); i++) name = `${parameter.name}#${i}`;
    names.set(name, parameter);
  }
  return names;
}
