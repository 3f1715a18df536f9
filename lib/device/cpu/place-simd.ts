import type { SimdPhase } from '../../graph/simd.js';
import type { Program, Step } from '../../graph/program.js';
import { sizeOf } from '../../shape.js';
import type { CpuArray } from './array.js';
import type { CpuDevice } from './device.js';
import { type PlacedTask, placeTasks, taskFunction, taskTable, taskTableLength } from './tasks.js';

/** What the steps of a program do on SIMD kernels. */
export interface SimdProgram {
  /** The phases of each step, in order; undefined where its reference must run. */
  readonly phases: readonly (readonly SimdPhase[] | undefined)[];
  /** Bytes of the scratch memory that each thread has; 0 where none needs any. */
  readonly scratchStride: number;
  /** Bytes of the memory that the tasks of a step share, one step after the other. */
  readonly sharedBytes: number;
  /** Numbers in the tables of all phases that several threads can work at. */
  readonly tableLength: number;
}

/** Scratch memories of two threads share no cache line, nor a pair that is fetched together. */
const SCRATCH_ALIGNMENT = 128;

/** Asks the operations of a program for their SIMD kernels, where the device has such. */
export function simdProgram({ usesSimd }: CpuDevice, { steps }: Program): SimdProgram {
  const phases = steps.map((step) => (usesSimd ? phasesOf(step) : undefined));
  const used = phases.flatMap((own) => own ?? []);
  const most = (of: (phase: SimdPhase) => number | undefined): number =>
    used.reduce((bytes, phase) => Math.max(bytes, of(phase) ?? 0), 0);
  const scratchBytes = most((phase) => phase.scratchBytes);
  return {
    phases,
    scratchStride: Math.ceil(scratchBytes / SCRATCH_ALIGNMENT) * SCRATCH_ALIGNMENT,
    sharedBytes: 4 * Math.ceil(most((phase) => phase.sharedBytes) / 4),
    tableLength: used.reduce((sum, { tasks }) => sum + (isDivided(tasks) ? taskTableLength(tasks) : 0), 0),
  };
}

/** The phases of a step; undefined where its operation has none for these sizes. */
function phasesOf(step: Step): readonly SimdPhase[] | undefined {
  if (step.outputs.every(({ shape }) => sizeOf(shape) === 0)) return [];
  return step.operation.simd?.(step);
}

function isDivided(tasks: readonly unknown[]): boolean {
  return tasks.length > 1;
}

/** The tensors of a step in place. */
export interface PlacedTensors {
  readonly inputs: readonly CpuArray[];
  readonly outputs: readonly CpuArray[];
}

/** SIMD kernels with everything in place. */
export interface PlacedSimd {
  /** The phases of each step, in order; undefined where its reference must run. */
  readonly work: readonly (readonly (() => void)[] | undefined)[];
  /** Blocks of the heap that go with the program. */
  readonly owned: readonly CpuArray[];
}

/**
 * Links the kernels of all steps and puts their tasks in place: as functions, and as a table for the workers.
 *
 * @param scratch where the scratch memory of the threads begins
 * @param shared where the memory begins that the tasks of a step share
 */
export async function placeSimd(
  device: CpuDevice,
  { phases, scratchStride, tableLength }: SimdProgram,
  steps: readonly PlacedTensors[],
  scratch: number,
  shared: number,
): Promise<PlacedSimd> {
  const { pool } = device;
  const used = phases.flatMap((own) => own ?? []);
  const calls = used.flatMap(({ tasks }) => tasks.flat());
  const kernels = new Map(
    await Promise.all(calls.map(async ({ kernel }) => [kernel, await device.simd.get(kernel)] as const)),
  );

  if (used.some(({ tasks }) => isDivided(tasks))) await pool.start();
  const placed = steps.map(({ inputs, outputs }, i) =>
    phases[i]?.map((phase) => placeTasks(phase, { inputs, outputs, scratch, shared }, kernels)),
  );
  const table =
    pool.threads > 1 && tableLength > 0 ? device.allocate({ shape: [2 * tableLength], dtype: 'u32' }) : undefined;
  const tables = table
    ? writeTables(
        device,
        placed.flatMap((own) => own ?? []),
        table.start,
      )
    : new Map<Phase, number>();
  const work = placed.map((own) =>
    own?.map((tasks) => {
      const phase = { tasks: tasks.map(taskFunction), table: tables.get(tasks) ?? 0, scratchStride };
      return () => {
        pool.run(phase);
      };
    }),
  );
  return { work, owned: table ? [table] : [] };
}

type Phase = readonly PlacedTask[];

/** Writes the tables of all phases that several threads can work at, from an address on; addresses by phase. */
function writeTables(device: CpuDevice, phases: readonly Phase[], start: number): ReadonlyMap<Phase, number> {
  const divided = phases.filter(isDivided).map((tasks) => ({ tasks, table: taskTable(tasks) }));
  const numbers = Float64Array.from(divided.flatMap(({ table }) => table));
  new Float64Array(device.heap.memory.buffer, start, numbers.length).set(numbers);
  const tables = new Map<Phase, number>();
  let at = start;
  for (const { tasks, table } of divided) {
    tables.set(tasks, at);
    at += 8 * table.length;
  }
  return tables;
}
