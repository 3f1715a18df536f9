import type { Device } from '../../../lib/device/device.js';
import { elementAt } from '../../../lib/element-at.js';
import type { NumericArray, TensorSpec } from '../../../lib/graph/operation.js';
import { compile, run, Tensor, tensor } from '../../../lib/index.js';
import { sameShape, sizeOf } from '../../../lib/shape.js';
import { numbers } from '../data.js';
import { type Arithmetic, callByDefinition } from './oracle.js';
import { type Change, change, reload } from './change.js';
import { type Call, groupsOf, interpret, type RandomProgram } from './program.js';
import { World } from './world.js';

/** What a program computes: the results of its calls, and its state behind them, by name. */
export type Outcome = ReadonlyMap<string, NumericArray>;

/** How often a function runs in the call `repeat`. */
export const REPLAYS = 3;

type Results = Readonly<Record<string, Tensor>>;

/** How the parts of a program are carried out. */
interface Way {
  /** Calls that begin at once. */
  readonly callAll: (
    calls: readonly Call[],
    inputs: readonly (readonly Tensor[])[],
    group: number,
  ) => Promise<Results[]>;
  /** Carries out what must change nothing. */
  readonly changeNothing: (change: Change) => Promise<void>;
}

/** What a call is given: other numbers each time, or results of the call before. */
export function inputsOf({ functions, calls }: RandomProgram, index: number, before: Results): Tensor[] {
  const call = elementAt(calls, index);
  const fed = feedsOf(functions, call, before);
  return elementAt(functions, call.caller).inputs.map((shape, i) => {
    return before[fed[i] ?? ''] ?? tensor(numbers(sizeOf(shape), inputSeed(index, i)), { shape });
  });
}

/** For each input of a call the name of the result, of the call before, that takes its place. Those of a plan go with it. */
export function feedsOf(
  functions: RandomProgram['functions'],
  call: Call,
  before: Readonly<Record<string, TensorSpec>>,
): (string | undefined)[] {
  const isFed = call.isFed && !call.changes.some(({ kind }) => kind === 'dispose');
  const results = isFed ? Object.entries(before).filter(([, { dtype }]) => dtype === 'f32') : [];
  return elementAt(functions, call.caller).inputs.map(
    (shape) => results.find(([, result]) => sameShape(result.shape, shape))?.[0],
  );
}

export function inputSeed(call: number, input: number): number {
  return 100 + 10 * call + input;
}

/** A program on devices: its calls are on one after the other in turn. */
export async function onDevices(program: RandomProgram, devices: readonly Device[]): Promise<Outcome> {
  const world = new World();
  const functions = program.functions.map((_, caller) => (...inputs: Tensor[]) => {
    return interpret(world, program, caller, inputs).results;
  });
  const compiled = functions.map((fn) => devices.map((device) => compile(fn, { device })));
  const start = async ({ caller, how }: Call, inputs: readonly Tensor[], place: number): Promise<Results> => {
    const [fn, plan] = [elementAt(functions, caller), elementAt(elementAt(compiled, caller), place)];
    if (how === 'run') return run(() => fn(...inputs), { device: elementAt(devices, place) });
    return how === 'repeat' ? plan.repeat(REPLAYS, inputs) : plan(...inputs);
  };
  try {
    return await outcomeOf(program, world, {
      callAll: (calls, inputs, group) =>
        Promise.all(calls.map((call, i) => start(call, elementAt(inputs, i), group % devices.length))),
      async changeNothing({ kind, choice }) {
        if (kind === 'reload') await reload(world);
        if (kind === 'dispose') elementAt(compiled.flat(), choice % compiled.flat().length).dispose();
      },
    });
  } finally {
    for (const plan of compiled.flat()) plan.dispose();
    world.dispose();
  }
}

/** A program by its definition. */
export async function byDefinition(program: RandomProgram, arithmetic: Arithmetic): Promise<Outcome> {
  const world = new World();
  const call = async ({ caller, how }: Call, inputs: readonly Tensor[]): Promise<Results> => {
    let results: Results = {};
    for (let replay = 0; replay < (how === 'repeat' ? REPLAYS : 1); replay++) {
      const fn = (...given: Tensor[]) => interpret(world, program, caller, given).results;
      results = await callByDefinition(fn, inputs, arithmetic);
    }
    return results;
  };
  return outcomeOf(program, world, {
    async callAll(calls, inputs) {
      const results: Results[] = [];
      for (const [i, own] of calls.entries()) results.push(await call(own, elementAt(inputs, i)));
      return results;
    },
    changeNothing: () => Promise.resolve(),
  });
}

async function outcomeOf(program: RandomProgram, world: World, way: Way): Promise<Outcome> {
  const outcome = new Map<string, NumericArray>();
  let before: Results = {};
  for (const [number, group] of groupsOf(program.calls).entries()) {
    for (const own of elementAt(group.calls, 0).changes) {
      await way.changeNothing(own);
      const taken = await change(world, own);
      if (taken) outcome.set(`taken ahead of call ${group.first}`, taken);
    }
    // A result is good until the next call.
    const inputs = group.calls.map((_, i) => inputsOf(program, group.first + i, i === 0 ? before : {}));
    const all = await way.callAll(group.calls, inputs, number);
    // Reading a result makes a constant of it.
    before = Object.fromEntries(
      Object.entries(elementAt(all, -1)).map(([name, own]) => [name, new Tensor(own, own.origin)]),
    );
    for (const [i, results] of all.entries()) {
      for (const [name, result] of Object.entries(results)) {
        outcome.set(`call ${group.first + i}: ${name}`, await result.data());
      }
    }
  }
  for (const [code, values] of await world.state()) outcome.set(code, values);
  return outcome;
}
