import { CpuDevice } from '../../lib/device/cpu/device.js';
import type { Device, DeviceArray, Executable, PreparedProgram } from '../../lib/device/device.js';
import { elementAt } from '../../lib/element-at.js';
import { placeArrays } from '../../lib/device/places.js';
import type { NumericArray } from '../../lib/graph/operation.js';
import type { Placed, Program, Step } from '../../lib/graph/program.js';
import { costOf } from '../cost.js';
import { cpuPeaks } from '../cpu-peaks.js';
import { CpuRunner } from '../cpu-runner.js';
import { type Peaks, perSecond } from '../runner.js';
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

/** Something that runs a training step. */
export interface ProfiledStep {
  run(steps: number): Promise<void>;
  dispose(): void;
}

/** How often a step is run. */
export interface ProfileOptions {
  readonly threads: number;
  readonly rounds: number;
  /** Replays of the one and then of the other way, in each round. */
  readonly replays: number;
  readonly warmUp: number;
}

/** Times a training step on the CPU device, and each step of its plan. */
export async function profileStep(
  make: (device: Device) => ProfiledStep,
  { threads, rounds, replays, warmUp }: ProfileOptions,
): Promise<Profile> {
  const [whole, parts] = [new ClockedDevice(threads, false), new ClockedDevice(threads, true)];
  const steps = [whole, parts].map(make);
  for (const step of steps) await step.run(warmUp);
  for (const device of [whole, parts]) device.forget();
  for (let round = 0; round < rounds; round++) for (const step of steps) await step.run(replays);
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
export function profileTable(profile: Profile, roofs: Roofs): string {
  const rows = profile.steps.map((step) => ({ ...step, name: `${step.name} → ${shapesText(step.outputs)}` }));
  return tableOf('step', rows, profile, roofs);
}

/** What all steps of one operation take together. */
interface OperationProfile extends Pick<StepProfile, 'name' | 'milliseconds' | 'flop' | 'bytes'> {
  readonly count: number;
}

/** A row an operation, the longest first, for plans of many steps. */
export function operationsTable(profile: Profile, roofs: Roofs): string {
  const groups = new Map<string, OperationProfile>();
  for (const step of profile.steps) {
    const { milliseconds, flop, bytes, count = 0 } = groups.get(step.name) ?? {};
    groups.set(step.name, {
      name: step.name,
      count: count + 1,
      milliseconds: plus(milliseconds, step.milliseconds),
      flop: (flop ?? 0) + step.flop,
      bytes: (bytes ?? 0) + step.bytes,
    });
  }
  const rows = [...groups.values()]
    .sort((a, b) => b.milliseconds.smallest - a.milliseconds.smallest)
    .map(({ name, count, ...group }) => ({ ...group, name: `${count} × ${name}` }));
  return tableOf('operation', rows, profile, roofs);
}

function plus(a: Summary | undefined, b: Summary): Summary {
  if (!a) return b;
  return { median: a.median + b.median, smallest: a.smallest + b.smallest, largest: a.largest + b.largest };
}

type Row = Pick<StepProfile, 'name' | 'milliseconds' | 'flop' | 'bytes'>;

function tableOf(
  title: string,
  rows: readonly Row[],
  { steps, milliseconds }: Profile,
  { gflops, gigabytesPerSecond }: Roofs,
): string {
  const sum = (value: (step: StepProfile) => number): number => steps.reduce((all, step) => all + value(step), 0);
  const total = sum((step) => step.milliseconds.median);
  const least = ({ flop, bytes }: Row): number => Math.max(flop / gflops, bytes / gigabytesPerSecond) / 1e6;
  const cells = (of: Row, bound: number): string[] => {
    const { median, smallest } = of.milliseconds;
    return [
      of.name,
      ...[1000 * median, 1000 * smallest].map(formatNumber),
      ((100 * median) / total).toFixed(1),
      ...[of.flop / 1e3, of.bytes / 1e3, perSecond(of.flop, median), perSecond(of.bytes, median)].map(formatNumber),
      formatNumber(1000 * bound),
    ];
  };
  const whole = { name: 'whole', flop: sum(({ flop }) => flop), bytes: sum(({ bytes }) => bytes), milliseconds };
  return formatTable(
    [title, 'µs', 'smallest', '%', 'kflop', 'kB', 'GFLOP/s', 'GB/s', 'µs by the roofs'],
    [...rows.map((row) => cells(row, least(row))), cells(whole, sum(least))],
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
    const slots = program.slots.map((slot) => ({ ...slot, isResult: true })); // none of them is shared
    return { memory, shared: [], load: (variables) => this.#load({ ...program, slots }, variables) };
  }

  async #load(program: Program, variables: () => readonly DeviceArray[]): Promise<Executable> {
    const { inputs, owned, at } = placeArrays(this, program, variables(), []);
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
