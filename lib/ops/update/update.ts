import type { Stage, StageUse } from '../../fusion/stage.js';
import { OptionError } from '../../errors.js';
import { defineOperation } from '../../graph/define.js';
import { apply } from '../../graph/node.js';
import { f32, u32, type View } from '../../graph/operands.js';
import type { Operation, TensorSpec } from '../../graph/operation.js';
import {
  callback,
  checkArgument,
  checkOptions,
  list,
  number,
  oneOf,
  type OptionRule,
  required,
  text,
  texts,
} from '../../options.js';
import { type Shape, sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { elementwiseHost } from '../pointwise/elementwise.js';
import { isSkipped, MEMBER_WORDS, memberPlace, readMember, SKIPPED } from './optimizer-state.js';

/** What a rule is set to: numbers, and flags. */
export type UpdateSettings = Readonly<Record<string, number | boolean>>;

/** An optimizer's rule: how one step changes an element of a parameter, and what is remembered of it. */
export interface UpdateDefinition<S extends UpdateSettings> {
  /** E.g. `adamUpdate`. */
  readonly name: string;
  /** Names of what is remembered for each element, as PyTorch's optimizers have them in their state. */
  readonly slots: readonly string[];
  /**
   * p and the slots after a step, from the formula, in float64: the oracle of both kernels. Steps of the parameter are
   * counted from 0; rate and momentum are those of the step.
   */
  readonly reference: (
    p: number,
    gradient: number,
    slots: readonly number[],
    at: StepState,
    settings: S,
  ) => readonly [parameter: number, ...slots: readonly number[]];
  /** The rule in WGSL. */
  readonly wgsl: {
    /** A file of kernels/update. */
    readonly source: string;
    /** Its function of p, the slots, the gradient, what `prepare` made, ahead, and the settings. */
    readonly call: string;
    /** What is computed once for all elements. */
    readonly prepare: {
      /** A function of the rate's bits, the step, the bits of 1 - momentum, ahead, and the settings. */
      readonly call: string;
      /** What it returns. */
      readonly type: string;
    };
    /** Of what `call` returns, where there are slots: p, and each slot. */
    readonly fields?: readonly string[];
  };
  /** The rule in WebAssembly; left out, the reference runs. */
  readonly wat?: {
    /** Tables and kernels/update/update_N.wat, N the number of slots, assembled. */
    readonly module: string;
    /** Which row of the table. */
    readonly row: string;
  };
  /** What the kernels are given of the settings, in the order of their parameters; flags as 0 and 1. */
  readonly kernelSettings: (settings: S) => UpdateSettings;
  /** The same for the WebAssembly function. Default: those of `kernelSettings`. */
  readonly simdSettings?: (settings: S) => readonly number[];
  /** For the tests. */
  readonly cases: readonly S[];
  /** How slots are filled for them. Default `positive`. */
  readonly caseSlots?: 'positive' | 'zero';
  /** Floating-point operations an element, for the benchmarks. Default 1. */
  readonly flop?: number;
}

/** Where a parameter is. */
export interface StepState {
  /** How many steps it has taken. */
  readonly step: number;
  /** The learning rate of this step. */
  readonly rate: number;
  /** The momentum of this step; Adam's beta1. */
  readonly momentum: number;
}

/** The rule's attributes: its settings, which parameter of the optimizer's state it is for, and its turn in a replay. */
type UpdateAttributes<S> = S & { readonly member: number; readonly ahead: number };

/** The operation of a rule. */
export interface Update<S extends UpdateSettings> {
  /** @internal What a room exports for lib/ops/rooms.ts. */
  readonly operation: Operation;
  /** The rule with its settings, as an optimizer applies it. Throws OptionError unless they are numbers and flags. */
  with(settings: S): BoundUpdate;
}

/** A rule with its settings. */
export interface BoundUpdate {
  /** Names of what is remembered for each element. */
  readonly slots: readonly string[];
  /** Records a step. Returns the parameter and the buffer of its slots, after it. */
  apply(use: StepUse): Pick<StepUse, 'parameter' | 'buffer'>;
}

/** What a step is taken with. */
export interface StepUse {
  /** f32 of any shape. */
  readonly parameter: Tensor;
  /** Of the same shape. */
  readonly gradient: Tensor;
  /** All slots, one after the other; undefined where there are none. */
  readonly buffer: Tensor | undefined;
  /** Steps and rates, as the optimizer keeps them. */
  readonly state: Tensor;
  /** Which of the optimizer's parameters it is. */
  readonly member: number;
  /** How many steps of it come before in the same replay. */
  readonly ahead: number;
}

/** Settings that every function of kernels/update/update_N.wat has. */
const WAT_SETTINGS = 7;

/** Elements of one slot of a parameter in their common buffer: whole vec4s, unless it has a buffer of its own. */
export function slotStride(shape: Shape, slots: number): number {
  return slots > 1 ? 4 * Math.ceil(sizeOf(shape) / 4) : sizeOf(shape);
}

/** The shape of the buffer of all slots of a parameter. */
export function slotsShape(shape: Shape, slots: number): Shape {
  return slots > 1 ? [slots * slotStride(shape, slots)] : shape;
}

const object: OptionRule = { expected: 'an object', accepts: (value) => typeof value === 'object' && value !== null };

const settings: OptionRule = {
  expected: 'an object of numbers and flags',
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((own) => typeof own === 'number' || typeof own === 'boolean'),
};

/** Throws OptionError for what is no rule, naming what is wrong with it. */
function checkRule<S extends UpdateSettings>(rule: UpdateDefinition<S>): void {
  checkOptions('defineUpdate', rule, {
    ...{ name: required(text), slots: required(texts), reference: required(callback), wgsl: required(object) },
    ...{ wat: object, kernelSettings: required(callback), simdSettings: callback, cases: required(list) },
    ...{ caseSlots: oneOf('positive', 'zero'), flop: number({ min: 0 }) },
  });
  const { name, slots, wgsl, wat } = rule;
  checkOptions(`${name}: wgsl`, wgsl, {
    ...{ source: required(text), call: required(text), prepare: required(object), fields: texts },
  });
  checkOptions(`${name}: wgsl.prepare`, wgsl.prepare, { call: required(text), type: required(text) });
  if (wat) checkOptions(`${name}: wat`, wat, { module: required(text), row: required(text) });
  const fields = wgsl.fields?.length ?? 0;
  if (slots.length > 0 && fields !== 1 + slots.length) {
    throw new OptionError(
      `${name}: wgsl.fields must name the parameter and ${slots.length} slots, found ${fields} names`,
    );
  }
}

/**
 * Makes the operation of a rule: inputs parameter, slots (where there are any), gradient, optimizer state. Throws OptionError
 * for what is no rule, naming what is wrong with it.
 */
export function defineUpdate<S extends UpdateSettings>(rule: UpdateDefinition<S>): Update<S> {
  checkRule(rule);
  const { name, slots } = rule;
  const gradientAt = slots.length > 0 ? 2 : 1;
  const common = {
    ...elementwiseHost(() => operation, gradientAt),
    stage: ({ position, attributes }: StageUse<UpdateAttributes<S>>) =>
      position === gradientAt ? stageOf(rule, gradientAt, attributes) : undefined,
    gradient: { none: 'it changes state' },
    tolerance: { absolute: 1e-6, relative: 1e-6 },
  };
  const [parameter, gradient, state] = [f32('...'), f32('...'), u32('...state')];
  // Between slots that share a buffer there is room up to a whole vec4, whose numbers mean nothing.
  const shapes = slots.length > 1 ? [[4], [5, 8], [260], [0]] : [[1], [5, 7], [257], [0]];
  const caseOf = (settings: S, step: number, shape: Shape) => ({
    inputs: {
      parameter: { shape },
      slots: { shape: slotsShape(shape, slots.length), fill: rule.caseSlots ?? 'positive' },
      gradient: { shape },
      state: { shape: [memberPlace(2) + 2], dtype: 'u32' as const, fill: { step } },
    },
    attributes: { ...settings, member: 1, ahead: 0 },
  });
  const [usual] = rule.cases;
  const measured = {
    cases: rule.cases.flatMap((settings) =>
      [0, 6].flatMap((step) => shapes.map((shape) => caseOf(settings, step, shape))),
    ),
    cost: ({ specs }: { readonly specs: { readonly parameter: TensorSpec } }) => ({
      flop: (rule.flop ?? 1) * sizeOf(specs.parameter.shape),
    }),
    ...(usual && { benchmarks: { mynetDense1: caseOf(usual, 6, [200, 2352]) } }),
  };
  const operation: Operation<UpdateAttributes<S>> =
    slots.length > 0
      ? defineOperation<UpdateAttributes<S>>()({
          name,
          inputs: { parameter, slots: f32('...slots'), gradient, state },
          outputs: { parameter, slots: f32('...slots') },
          reference(views, _, attributes) {
            stepByReference(rule, views, views.slots, attributes);
          },
          ...measured,
          ...common,
        })
      : defineOperation<UpdateAttributes<S>>()({
          name,
          inputs: { parameter, gradient, state },
          outputs: { parameter },
          reference(views, _, attributes) {
            stepByReference(rule, views, undefined, attributes);
          },
          ...measured,
          ...common,
        });
  return {
    operation,
    with(given) {
      checkArgument(name, 'the settings', given, settings);
      return {
        slots,
        apply({ parameter: value, gradient: slope, buffer, state: own, member, ahead }) {
          const inputs = [value, ...(buffer ? [buffer] : []), slope, own];
          const [next, after] = apply(operation, inputs, { ...given, member, ahead });
          if (!next) throw new Error(`${name} has no output`);
          return { parameter: next, buffer: after };
        },
      };
    },
  };
}

/** A step of the rule, element by element, in place. */
function stepByReference<S extends UpdateSettings>(
  rule: UpdateDefinition<S>,
  { parameter, gradient, state }: { readonly parameter: View; readonly gradient: View; readonly state: View },
  buffer: View | undefined,
  attributes: UpdateAttributes<S>,
): void {
  if (isSkipped(state.data, attributes.member)) return;
  const { step, ...own } = readMember(state.data, attributes.member);
  const stride = slotStride(parameter.shape, rule.slots.length);
  const at = { step: step + attributes.ahead, ...own };
  for (let i = 0; i < gradient.size; i++) {
    const remembered = buffer ? rule.slots.map((_, slot) => buffer.at(slot * stride + i)) : [];
    const [next, ...rest] = rule.reference(parameter.at(i), gradient.at(i), remembered, at, attributes);
    parameter.set(i, next);
    rest.forEach((value, slot) => buffer?.set(slot * stride + i, value));
  }
}

/** The rule as a stage behind what computes the gradient. */
function stageOf<S extends UpdateSettings>(
  { slots, wgsl, wat, kernelSettings, simdSettings }: UpdateDefinition<S>,
  gradientAt: number,
  attributes: UpdateAttributes<S>,
): Stage {
  const { ahead, member } = attributes;
  const given = Object.entries(kernelSettings(attributes));
  const inSimd = simdSettings?.(attributes) ?? given.map(([, value]) => Number(value));
  const unused = Array.from({ length: WAT_SETTINGS - inSimd.length }, () => 0);
  return {
    wgsl: {
      sources: [wgsl.source],
      call: wgsl.call,
      on: 'Element',
      prepare: wgsl.prepare,
      ...(wgsl.fields && { fields: wgsl.fields }),
    },
    ...(wat && { simd: { module: wat.module, entryPoint: wat.row, settings: [ahead, ...inSimd, ...unused] } }),
    words: { input: gradientAt + 1, from: memberPlace(member), count: MEMBER_WORDS },
    skipsAt: SKIPPED,
    ...(slots.length > 1 && { parts: { 1: slots.length } }),
    settings: {
      ahead: { u32: ahead },
      ...Object.fromEntries(
        given.map(([key, value]) => [key, typeof value === 'boolean' ? { u32: Number(value) } : value]),
      ),
    },
  };
}
