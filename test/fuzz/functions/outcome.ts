import type { Device } from '../../../lib/device/device.js';
import type { NumericArray } from '../../../lib/graph/operation.js';
import { compile, run, type Tensor, tensor } from '../../../lib/index.js';
import { sizeOf } from '../../../lib/shape.js';
import { numbers } from '../data.js';
import { type Arithmetic, callByDefinition } from './oracle.js';
import { interpret, type RandomProgram } from './program.js';
import { World } from './world.js';

/** What a program computes: the results of its calls, and its state behind them, by name. */
export type Outcome = ReadonlyMap<string, NumericArray>;

/** How often a function runs in the call `repeat`. */
export const REPLAYS = 3;

/** What a call is given: other numbers each time. */
export function inputsOf({ functions, calls }: RandomProgram, index: number): Tensor[] {
  const made = functions[calls[index]?.caller ?? 0];
  return (made?.inputs ?? []).map((shape, i) => tensor(numbers(sizeOf(shape), inputSeed(index, i)), { shape }));
}

export function inputSeed(call: number, input: number): number {
  return 100 + 10 * call + input;
}

/** A program on a device. */
export async function onDevice(program: RandomProgram, device: Device): Promise<Outcome> {
  const world = new World();
  const functions = program.functions.map((_, caller) => (...inputs: Tensor[]) => {
    return interpret(world, program, caller, inputs).results;
  });
  const compiled = functions.map((fn) => compile(fn, { device }));
  try {
    return await outcomeOf(program, world, async ({ caller, how }, inputs) => {
      const [fn, plan] = [functions[caller], compiled[caller]];
      if (!fn || !plan) throw new Error(`there is no function ${caller}`);
      if (how === 'run') return read(await run(() => fn(...inputs), { device }));
      return read(how === 'repeat' ? await plan.repeat(REPLAYS, inputs) : await plan(...inputs));
    });
  } finally {
    for (const plan of compiled) plan.dispose();
    world.dispose();
  }
}

/** A program by its definition. */
export async function byDefinition(program: RandomProgram, arithmetic: Arithmetic): Promise<Outcome> {
  const world = new World();
  return outcomeOf(program, world, async ({ caller, how }, inputs) => {
    let results = new Map<string, NumericArray>();
    for (let replay = 0; replay < (how === 'repeat' ? REPLAYS : 1); replay++) {
      const fn = (...given: Tensor[]) => interpret(world, program, caller, given).results;
      results = await callByDefinition(fn, inputs, arithmetic);
    }
    return results;
  });
}

async function outcomeOf(
  program: RandomProgram,
  world: World,
  call: (which: RandomProgram['calls'][number], inputs: readonly Tensor[]) => Promise<Map<string, NumericArray>>,
): Promise<Outcome> {
  const outcome = new Map<string, NumericArray>();
  for (const [index, which] of program.calls.entries()) {
    const results = await call(which, inputsOf(program, index));
    for (const [name, values] of results) outcome.set(`call ${index}: ${name}`, values);
  }
  for (const [code, values] of await world.state()) outcome.set(code, values);
  return outcome;
}

async function read(results: Readonly<Record<string, Tensor>>): Promise<Map<string, NumericArray>> {
  const entries = Object.entries(results).map(async ([name, result]) => [name, await result.data()] as const);
  return new Map(await Promise.all(entries));
}
