import { CpuDevice } from '../../lib/device/cpu/device.js';
import type { DeviceArray, Executable } from '../../lib/device/device.js';
import { placeArrays } from '../../lib/device/places.js';
import type { NumericArray } from '../../lib/graph/operation.js';
import type { Placed, Program, Step } from '../../lib/graph/program.js';
import { costOf } from '../cost.js';
import { type Peaks, perSecond } from '../runner.js';
import { type Scale, ScaledStep } from '../scale/scaled-step.js';
import { formatNumber, formatTable } from './report.js';
import { millisecondsOf, type Summary, summarize } from './rounds.js';

/** What a step of a plan takes: in a whole replay, so that caches hold what the steps before have left there. */
export interface StepProfile {
  readonly name: string;
  readonly outputs: readonly (readonly number[])[];
  readonly milliseconds: Summary;
  readonly flop: number;
  readonly bytes: number;
}

/** Where the time of a training step goes. */
export interface Profile {
  readonly steps: readonly StepProfile[];
  /** Of the whole step, without clocks in between. */
  readonly milliseconds: Summary;
}

/** The roofs that steps are held against. */
export type Roofs = Omit<Peaks, 'floorMilliseconds'>;

/** Replays that are timed one by one, between as many rounds of whole steps as there are hundreds of them. */
const REPLAYS_A_ROUND = 100;
const WARM_UP_REPLAYS = 50;

/** Times the training step of a net like MyNet on the CPU device, and each step of its plan. */
export async function profileStep(scale: Scale, threads: number, rounds: number): Promise<Profile> {
  const device = new CpuDevice({ path: 'simd', threads, reason: 'profile' });
  const clocked = new ClockedDevice(threads);
  const [whole, parts] = [new ScaledStep(device, scale), new ScaledStep(clocked, scale)];
  for (const step of [whole, parts]) await step.run(WARM_UP_REPLAYS);
  clocked.forget();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    times.push((await millisecondsOf(() => whole.run(REPLAYS_A_ROUND))) / REPLAYS_A_ROUND);
    await parts.run(REPLAYS_A_ROUND);
  }
  for (const owned of [whole, parts, device, clocked]) owned.dispose();
  return { steps: clocked.profiles(), milliseconds: summarize(times) };
}

/** A row a step, and one for all of them. */
export function profileTable({ steps, milliseconds }: Profile, { gflops, gigabytesPerSecond }: Roofs): string {
  const total = steps.reduce((sum, step) => sum + step.milliseconds.median, 0);
  const least = ({ flop, bytes }: Pick<StepProfile, 'flop' | 'bytes'>): number =>
    Math.max(flop / gflops, bytes / gigabytesPerSecond) / 1e6;
  const row = (name: string, of: Pick<StepProfile, 'flop' | 'bytes' | 'milliseconds'>, bound: number): string[] => {
    const { median, smallest } = of.milliseconds;
    return [
      name,
      ...[1000 * median, 1000 * smallest, (100 * median) / total].map(formatNumber),
      ...[of.flop / 1e3, of.bytes / 1e3, perSecond(of.flop, median), perSecond(of.bytes, median)].map(formatNumber),
      formatNumber(1000 * bound),
    ];
  };
  const sum = (value: (step: StepProfile) => number): number => steps.reduce((all, step) => all + value(step), 0);
  const rows = steps.map((step) => row(`${step.name} → ${shapesText(step.outputs)}`, step, least(step)));
  const all = { flop: sum(({ flop }) => flop), bytes: sum(({ bytes }) => bytes), milliseconds };
  return formatTable(
    ['step', 'µs', 'smallest', '%', 'kflop', 'kB', 'GFLOP/s', 'GB/s', 'µs by the roofs'],
    [...rows, row('whole', all, sum(least))],
  );
}

function shapesText(shapes: readonly (readonly number[])[]): string {
  return shapes.map((shape) => `[${shape.join(', ')}]`).join(', ');
}

/** The SIMD path with a clock between the steps of a program: each is loaded as a program of its own. */
class ClockedDevice extends CpuDevice {
  #steps: { readonly step: Step; readonly milliseconds: number[] }[] = [];

  constructor(threads: number) {
    super({ path: 'simd', threads, reason: 'profile' });
  }

  /** What was measured so far. */
  profiles(): StepProfile[] {
    return this.#steps.map(({ step: { operation, attributes, inputs, outputs }, milliseconds }) => {
      const specs = outputs.map(({ shape, dtype }) => ({ shape, dtype }));
      const { flop, bytes } = costOf({
        operation: { ...operation, infer: () => specs }, // a fused operation has no shape rule of its own
        name: operation.name,
        inputs,
        attributes,
      });
      const shapes = outputs.map(({ shape }) => shape);
      return { name: operation.name, outputs: shapes, milliseconds: summarize(milliseconds), flop, bytes };
    });
  }

  /** Nothing was measured so far. */
  forget(): void {
    for (const { milliseconds } of this.#steps) milliseconds.length = 0;
  }

  override async load(program: Program, variables: () => readonly DeviceArray[]): Promise<Executable> {
    const { inputs, owned, at } = placeArrays(this, program, variables());
    const arrays = new Map<string, { readonly index: number; readonly array: DeviceArray }>();
    const asVariable = (placed: Placed): Placed => {
      const key = `${placed.place.kind} ${placed.place.index}`;
      const known = arrays.get(key) ?? { index: arrays.size, array: at(placed.place) };
      arrays.set(key, known);
      return { ...placed, place: { kind: 'variable', index: known.index } };
    };
    const programOf = (steps: readonly Step[], outputs: readonly Placed[]): Program => ({
      ...{ steps, inputs: [], constants: [], variables: [], slots: [], isRepeated: true },
      outputs: outputs.map(asVariable),
    });
    const programs = program.steps.map((step) =>
      programOf(
        [{ ...step, inputs: step.inputs.map(asVariable), outputs: step.outputs.map(asVariable) }],
        step.outputs,
      ),
    );
    const last = programOf([], program.outputs);
    const variablesOfAll = [...arrays.values()].map(({ array }) => array);
    const load = (each: Program): Promise<Executable> => super.load(each, () => variablesOfAll);
    const executables = await Promise.all(programs.map(load));
    const { outputs } = await load(last);
    this.#steps = program.steps.map((step) => ({ step, milliseconds: [] }));
    const steps = this.#steps;
    return {
      outputs,
      dispatches: executables.reduce((count, { dispatches }) => count + dispatches, 0),
      run: (values: readonly (NumericArray | DeviceArray)[], replays: number) => {
        values.forEach((value, i) => {
          inputs[i]?.write('device' in value ? this.own(value).view().data : value);
        });
        for (let replay = 0; replay < replays; replay++) {
          let before = performance.now();
          executables.forEach((executable, i) => {
            executable.run([], 1);
            const now = performance.now();
            steps[i]?.milliseconds.push(now - before);
            before = now;
          });
        }
      },
      dispose: () => {
        for (const each of [...executables, ...owned]) each.dispose();
      },
    };
  }
}
