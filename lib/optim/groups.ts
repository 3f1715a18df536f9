import { OptionError } from '../errors.js';
import type { BoundUpdate } from '../ops/update/update.js';
import { anything, type Bounds, checkOptions, number, type OptionRule, show } from '../options.js';
import { Parameter } from '../variable.js';

/** A number for each step of a training, counted from 0. */
export type Schedule = (step: number) => number;

/** A learning rate, or one for each step. */
export type LearningRate = number | Schedule;

/** A momentum (Adam: beta1), or one for each step. */
export type Momentum = number | Schedule;

/** How some parameters are changed. */
export interface UpdateRule {
  /** Step size. */
  readonly learningRate: LearningRate;
  /** Default 0. That of a function must be below 1. */
  readonly momentum?: Momentum;
  /** A rule of `defineUpdate` with its settings. */
  readonly update: BoundUpdate;
  /** What its slots hold before the first step. Default 0. */
  readonly initial?: number;
}

/** Limits of the gradients of a step. */
export interface ClippingOptions {
  /**
   * All gradients of a step are scaled down together so that their common norm is at most this (PyTorch:
   * `clip_grad_norm_`; Keras: `global_clipnorm`). Default: they are not.
   */
  readonly clipGradNorm?: number;
  /**
   * Each element of a gradient is kept within ± this, ahead of `clipGradNorm` (PyTorch: `clip_grad_value_`; Keras:
   * `clipvalue`). Default: it is not.
   */
  readonly clipGradValue?: number;
}

/** Parameters that have options of their own; what is left out is as the optimizer has it (PyTorch: `param_groups`). */
export type ParameterGroup<O> = Partial<O> & {
  /** Which ones, or whether one belongs to the group. A parameter belongs to the first group that has it. */
  readonly parameters: readonly Parameter[] | ((parameter: Parameter) => boolean);
};

/** The options of an optimizer whose own are O. */
export type GroupedOptions<O> = O &
  ClippingOptions & {
    /** Parameters with other options. Default: there are none. */
    readonly groups?: readonly ParameterGroup<O>[];
  };

/** A rule, and which parameters it is for. */
export interface RuledParameters {
  /** Whether a parameter is one of them. */
  readonly has: (parameter: Parameter) => boolean;
  /** How they are changed. */
  readonly rule: UpdateRule;
}

/** The rule for a momentum. That of a function is checked at its step. */
export function momentumRule(bounds: Bounds = {}): OptionRule {
  const { expected, accepts } = number({ min: 0, ...bounds });
  return {
    expected: `${expected}, or a function of the step`,
    accepts: (value) => typeof value === 'function' || accepts(value),
  };
}

const COMMON = {
  clipGradNorm: number({ above: 0 }),
  clipGradValue: number({ above: 0 }),
  groups: { expected: 'an array of groups', accepts: Array.isArray } satisfies OptionRule,
};

/** The parts of an optimizer, from its options and those of its groups. Throws OptionError naming what is wrong. */
export function partsOf<O extends object>(
  caller: string,
  options: GroupedOptions<O>,
  rules: Readonly<Record<keyof O, OptionRule>>,
  ruleOf: (options: O) => UpdateRule,
): readonly [rule: UpdateRule, groups: readonly RuledParameters[], clipping: ClippingOptions] {
  checkOptions<object>(caller, options, { ...rules, ...COMMON });
  const { groups = [], clipGradNorm, clipGradValue } = options;
  const ruled = groups.map((group, i): RuledParameters => {
    checkOptions<object>(`${caller}: group ${i}`, group, { ...rules, parameters: anything });
    return { has: membersOf(`${caller}: group ${i}`, group.parameters), rule: ruleOf({ ...options, ...group }) };
  });
  const clipping = {
    ...(clipGradNorm !== undefined && { clipGradNorm }),
    ...(clipGradValue !== undefined && { clipGradValue }),
  };
  return [ruleOf(options), ruled, clipping];
}

function membersOf(caller: string, parameters: ParameterGroup<object>['parameters']): RuledParameters['has'] {
  if (typeof parameters === 'function') return parameters;
  if (!Array.isArray(parameters) || !parameters.every((each) => each instanceof Parameter)) {
    throw new OptionError(`${caller}: parameters must be an array of them or a function, found ${show(parameters)}`);
  }
  const members = new Set(parameters);
  return (parameter) => members.has(parameter);
}
