import fc from 'fast-check';
import { type Tensor } from '../../../lib/index.js';
import { elementAt } from '../../../lib/element-at.js';
import { type Shape, sizeOf } from '../../../lib/shape.js';
import { type Change, randomChanges } from './change.js';
import { type Choice, type Scale, SIZES } from './choice.js';
import { ROW_NAMES, ROWS } from './rows/index.js';
import { type Differentiation, Session } from './session.js';
import type { World } from './world.js';

/** A function of some inputs, as the choices that it is made by. */
export interface RandomFunction {
  readonly inputs: readonly Shape[];
  readonly choices: readonly Choice[];
  readonly scale: Scale;
}

/** One call: of which function, and how. `repeat` is three replays in one. */
export interface Call {
  readonly caller: number;
  readonly how: 'compile' | 'run' | 'repeat';
  /** It does not wait for the call before, where that is one of the same compiled function. */
  readonly isBeside: boolean;
  /** Results of the call before take the place of inputs of their shape. */
  readonly isFed: boolean;
  /** What is done ahead of it, where it waits. */
  readonly changes: readonly Change[];
}

/** One or two functions on the same parameters, and how they are called in turn. */
export interface RandomProgram {
  readonly functions: readonly RandomFunction[];
  readonly calls: readonly Call[];
}

const latest = fc.oneof({ weight: 3, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.nat(30) });

const choices: fc.Arbitrary<Choice> = fc.record({
  row: fc.constantFrom(...ROW_NAMES),
  a: latest,
  b: latest,
  size: fc.nat(255),
  variant: fc.nat(255),
  isResult: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

const size = fc.constantFrom(...SIZES.small);
const shapes: fc.Arbitrary<Shape> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(size, size) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(1, 3, 4, 7), fc.constantFrom(1, 2, 5, 16)),
  },
  { weight: 1, arbitrary: fc.tuple(size) },
  { weight: 1, arbitrary: fc.constant([]) },
);

const largeSize = fc.constantFrom(...SIZES.large);
const largeShapes = fc
  .oneof({ weight: 4, arbitrary: fc.tuple(largeSize, largeSize) }, { weight: 1, arbitrary: fc.tuple(largeSize) })
  .filter((shape) => sizeOf(shape) <= 2 ** 16);

const functions: fc.Arbitrary<RandomFunction> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      inputs: fc.array(shapes, { minLength: 1, maxLength: 2 }),
      choices: fc.array(choices, { minLength: 1, maxLength: 30, size: 'max' }),
      scale: fc.constant<Scale>('small'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      inputs: fc.array(largeShapes, { minLength: 1, maxLength: 2 }),
      choices: fc.array(choices, { minLength: 1, maxLength: 4, size: 'max' }),
      scale: fc.constant<Scale>('large'),
    }),
  },
);

const laterCalls: fc.Arbitrary<Call> = fc.record({
  caller: fc.nat(1),
  how: fc.constantFrom<Call['how'][]>('compile', 'compile', 'run', 'repeat'),
  isBeside: fc.boolean(),
  isFed: fc.boolean(),
  changes: fc.array(randomChanges, { maxLength: 2 }),
});

/** It makes what other functions may use. */
const FIRST_CALL: Call = { caller: 0, how: 'compile', isBeside: false, isFed: false, changes: [] };

/** Random functions of up to 30 steps, called up to four times. */
export const randomPrograms: fc.Arbitrary<RandomProgram> = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: fc.tuple(functions) }, { weight: 1, arbitrary: fc.tuple(functions, functions) }),
    fc.array(laterCalls, { minLength: 1, maxLength: 4 }),
  )
  .map(([made, calls]) => ({
    functions: made,
    calls: [FIRST_CALL, ...calls.map((call) => ({ ...call, caller: call.caller % made.length }))],
  }));

/** Calls that begin at once, and the place of the first of them. */
export interface CallGroup {
  readonly first: number;
  readonly calls: readonly Call[];
}

/** Calls in the groups that begin at once: the first is waited for, since it makes what others use. */
export function groupsOf(calls: readonly Call[]): CallGroup[] {
  const groups: { first: number; calls: Call[] }[] = [];
  for (const [i, call] of calls.entries()) {
    const before = calls[i - 1];
    const isQueued = before?.caller === call.caller && before.how !== 'run' && call.how !== 'run';
    const group = i > 1 && call.isBeside && isQueued ? groups.at(-1) : undefined;
    if (group) group.calls.push(call);
    else groups.push({ first: i, calls: [call] });
  }
  return groups;
}

/** Programs with a call, a change, a choice or a result less. */
export function* smallerPrograms({ functions: made, calls }: RandomProgram): Generator<RandomProgram> {
  for (let i = 1; i < calls.length; i++) yield { functions: made, calls: calls.toSpliced(i, 1) };
  for (const [i, call] of calls.entries()) {
    const { isBeside, isFed, changes: own } = call;
    if (isBeside) yield { functions: made, calls: calls.with(i, { ...call, isBeside: false }) };
    if (isFed) yield { functions: made, calls: calls.with(i, { ...call, isFed: false }) };
    for (let k = 0; k < own.length; k++) {
      yield { functions: made, calls: calls.with(i, { ...call, changes: own.toSpliced(k, 1) }) };
    }
  }
  for (const [caller, { inputs, choices: steps, scale }] of made.entries()) {
    const withSteps = (changed: readonly Choice[]): RandomProgram => ({
      functions: made.with(caller, { inputs, choices: changed, scale }),
      calls,
    });
    for (let i = steps.length - 1; i >= 0; i--) yield withSteps(steps.toSpliced(i, 1));
    for (const [i, step] of steps.entries())
      if (step.isResult) yield withSteps(steps.with(i, { ...step, isResult: false }));
  }
}

/** What a recording of a function gives: its results, its code, and the gradients that were asked for. */
export interface Interpretation {
  readonly results: Readonly<Record<string, Tensor>>;
  readonly code: readonly string[];
  readonly differentiations: readonly Differentiation[];
}

/** Carries out a function on tensors that stand for its inputs, inside a recording. */
export function interpret(
  world: World,
  { functions: made }: RandomProgram,
  caller: number,
  inputs: readonly Tensor[],
): Interpretation {
  const { choices: steps, scale } = elementAt(made, caller);
  const session = new Session(world, caller, inputs, scale);
  for (const choice of steps) {
    ROWS[choice.row]?.(session, choice);
    if (choice.isResult) session.giveBack(session.pick(0, ({ variable }) => !variable));
  }
  session.giveBack(session.pick(0));
  return { results: session.results(), code: session.code, differentiations: session.differentiations };
}
