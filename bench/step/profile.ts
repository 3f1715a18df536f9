import { CpuDevice } from '../../lib/device/cpu/device.js';
import type { DeviceArray, Executable, PreparedProgram } from '../../lib/device/device.js';
import { elementAt } from '../../lib/element-at.js';
import { placeArrays } from '../../lib/device/places.js';
import type { NumericArray } from '../../lib/graph/operation.js';
import type { Placed, Program, Step } from '../../lib/graph/program.js';
import { costOf } from '../cost.js';
import { cpuPeaks } from '../cpu-peaks.js';
import { CpuRunner } from '../cpu-runner.js';
import { type Peaks, perSecond } from '../runner.js';
import { type Scale, ScaledStep } from '../scale/scaled-step.js';
import { formatNumber, formatTable } from './report.js';
import { type Summary, summarize } from './rounds.js';

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
  /** Of the whole step, without a clock in between. */
  readonly milliseconds: Summary;
}

/** The roofs that steps are held against. */
export type Roofs = Omit<Peaks, 'floorMilliseconds'>;

/** Replays of the one and then of the other way. */
const REPLAYS_A_ROUND = 20;
const WARM_UP_REPLAYS = 50;

/** Times the training step of a net like MyNet on the CPU device, and each step of its plan. */
export async function profileStep(scale: Scale, threads: number, rounds: number): Promise<Profile> {
  const [whole, parts] = [new ClockedDevice(threads, false), new ClockedDevice(threads, true)];
  const steps = [whole, parts].map((device) => new ScaledStep(device, scale));
  for (const step of steps) await step.run(WARM_UP_REPLAYS);
  for (const device of [whole, parts]) device.forget();
  for (let round = 0; round < rounds; round++) for (const step of steps) await step.run(REPLAYS_A_ROUND);
  const milliseconds = elementAt(whole.times(), 0);
  const profile = { steps: parts.profiles(), milliseconds };
  for (const owned of [...steps, whole, parts]) owned.dispose();
  return profile;
}

/** Runs of a roof: short ones, as the steps are, so that some of them have the machine for themselves. */
const ROOF_RUNS = 200;

/** The roofs of so many threads. */
export async function roofsOf(threads: number): Promise<Roofs> {
  const runner = new CpuRunner('cpu', threads);
  const roofs = await cpuPeaks(threads, async (entry) => {
    const job = await runner.prepare(entry, []);
    let fastest = Infinity;
    for (let run = 0; run < ROOF_RUNS; run++) fastest = Math.min(fastest, await job.run(1));
    job.dispose();
    return fastest;
  });
  runner.dispose();
  return roofs;
}

/** A row a step, and one for all of them. */
export function profileTable({ steps, milliseconds }: Profile, { gflops, gigabytesPerSecond }: Roofs): string {
  const sum = (value: (step: StepProfile) => number): number => steps.reduce((all, step) => all + value(step), 0);
  const total = sum((step) => step.milliseconds.median);
  const least = ({ flop, bytes }: Pick<StepProfile, 'flop' | 'bytes'>): number =>
    Math.max(flop / gflops, bytes / gigabytesPerSecond) / 1e6;
  const row = (name: string, of: Pick<StepProfile, 'flop' | 'bytes' | 'milliseconds'>, bound: number): string[] => {
    const { median, smallest } = of.milliseconds;
    return [
      name,
      ...[1000 * median, 1000 * smallest].map(formatNumber),
      ((100 * median) / total).toFixed(1),
      ...[of.flop / 1e3, of.bytes / 1e3, perSecond(of.flop, median), perSecond(of.bytes, median)].map(formatNumber),
      formatNumber(1000 * bound),
    ];
  };
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

/** The SIMD path with a clock behind each program, or, in `parts`, between its steps: each is a program of its own then. */
class ClockedDevice extends CpuDevice {
  readonly #inParts: boolean;
  #steps: readonly Step[] = [];
  #milliseconds: readonly number[][] = [];

  constructor(threads: number, inParts: boolean) {
    super({ path: 'simd', threads, reason: 'profile' });
    this.#inParts = inParts;
  }

  /** What was measured of each part so far. */
  times(): Summary[] {
    return this.#milliseconds.map(summarize);
  }

  /** The same, with what the steps are. */
  profiles(): StepProfile[] {
    const times = this.times();
    return this.#steps.map(({ operation, attributes, inputs, outputs }, i) => {
      const specs = outputs.map(({ shape, dtype }) => ({ shape, dtype }));
      const { flop, bytes } = costOf({
        operation: { ...operation, infer: () => specs }, // a fused operation has no shape rule of its own
        name: operation.name,
        inputs,
        attributes,
      });
      const shapes = outputs.map(({ shape }) => shape);
      return { name: operation.name, outputs: shapes, milliseconds: elementAt(times, i), flop, bytes };
    });
  }

  /** Nothing was measured so far. */
  forget(): void {
    for (const milliseconds of this.#milliseconds) milliseconds.length = 0;
  }

  override prepare(program: Program): PreparedProgram {
    const { memory } = super.prepare(program);
    return { memory, load: (variables) => this.#load(program, variables) };
  }

  async #load(program: Program, variables: () => readonly DeviceArray[]): Promise<Executable> {
    const { inputs, owned, at } = placeArrays(this, program, variables());
    const arrays = new Map<string, { readonly index: number; readonly array: DeviceArray }>();
    const asVariable = (placed: Placed): Placed => {
      const key = `${placed.place.kind} ${placed.place.index}`;
      const known = arrays.get(key) ?? { index: arrays.size, array: at(placed.place) };
      arrays.set(key, known);
      return { ...placed, place: { kind: 'variable', index: known.index } };
    };
    const steps = program.steps.map((step) => ({
      ...step,
      inputs: step.inputs.map(asVariable),
      outputs: step.outputs.map(asVariable),
    }));
    const outputs = program.outputs.map(asVariable);
    const parts = this.#inParts ? steps.map((step) => [step]) : [steps];
    const load = (each: readonly Step[]): Promise<Executable> =>
      super
        .prepare({ ...program, ...{ steps: each, outputs, inputs: [], constants: [], slots: [] } })
        .load(() => [...arrays.values()].map(({ array }) => array));
    const executables = await Promise.all(parts.map(load));
    const clocked = executables.map((executable) => ({ executable, milliseconds: [] as number[] }));
    this.#steps = program.steps;
    this.#milliseconds = clocked.map(({ milliseconds }) => milliseconds);
    return {
      outputs: elementAt(executables, 0).outputs,
      dispatches: executables.reduce((count, { dispatches }) => count + dispatches, 0),
      run: (values: readonly (NumericArray | DeviceArray)[], replays: number) => {
        values.forEach((value, i) => {
          inputs[i]?.write('device' in value ? this.own(value).view().data : value);
        });
        for (let replay = 0; replay < replays; replay++) {
          let before = performance.now();
          for (const { executable, milliseconds } of clocked) {
            executable.run([], 1);
            const now = performance.now();
            milliseconds.push(now - before);
            before = now;
          }
        }
      },
      dispose: () => {
        for (const each of [...executables, ...owned]) each.dispose();
      },
    };
  }
}
