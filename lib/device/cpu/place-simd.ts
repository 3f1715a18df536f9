import type { Attributes, Operation } from '../../graph/operation.js';
import type { SimdPhase } from '../../graph/simd.js';
import { sizeOf } from '../../shape.js';
import type { CpuArray } from './array.js';
import type { CpuDevice } from './device.js';
import { type PlacedTask, placeTasks, taskFunction, taskTable } from './tasks.js';

/** A step with its tensors in place. */
export interface PlacedStep {
  readonly operation: Operation;
  readonly attributes: Attributes;
  readonly inputs: readonly CpuArray[];
  readonly outputs: readonly CpuArray[];
}

/** Scratch memories of two threads share no cache line, nor a pair that is fetched together. */
const SCRATCH_ALIGNMENT = 128;

/** What the steps of a program do on SIMD kernels. */
export interface PlacedSimd {
  /** The phases of each step, in order; undefined where its reference must run. */
  readonly work: readonly (readonly (() => void)[] | undefined)[];
  /** Blocks of the heap that go with the program. */
  readonly owned: readonly CpuArray[];
}

/** Links the kernels of all steps and puts their tasks in place: as functions, and as a table for the workers. */
export async function placeSimd(device: CpuDevice, steps: readonly PlacedStep[]): Promise<PlacedSimd> {
  const { pool } = device;
  const phases = steps.map((step) => (device.usesSimd ? phasesOf(step) : undefined));
  const used = phases.flatMap((own) => own ?? []);
  const calls = used.flatMap(({ tasks }) => tasks.flat());
  const kernels = new Map(
    await Promise.all(calls.map(async ({ kernel }) => [kernel, await device.simd.get(kernel)] as const)),
  );

  if (used.some(({ tasks }) => tasks.length > 1)) await pool.start();
  const scratchBytes = used.reduce((most, phase) => Math.max(most, phase.scratchBytes ?? 0), 0);
  const scratchStride = Math.ceil(scratchBytes / SCRATCH_ALIGNMENT) * SCRATCH_ALIGNMENT;
  const scratch = device.allocate({ shape: [(scratchStride / 4) * pool.threads], dtype: 'u32' });
  const placed = steps.map(({ inputs, outputs }, i) =>
    phases[i]?.map((phase) => placeTasks(phase, { inputs, outputs, scratch: scratch.start }, kernels)),
  );
  const { tables, block } = writeTables(device, pool.threads > 1 ? placed.flatMap((own) => own ?? []) : []);
  const work = placed.map((own) =>
    own?.map((tasks) => {
      const phase = { tasks: tasks.map(taskFunction), table: tables.get(tasks) ?? 0, scratchStride };
      return () => {
        pool.run(phase);
      };
    }),
  );
  return { work, owned: [scratch, block] };
}

/** The phases of a step; undefined where its operation has none for these sizes. */
function phasesOf(step: PlacedStep): readonly SimdPhase[] | undefined {
  if (step.outputs.every(({ shape }) => sizeOf(shape) === 0)) return [];
  return step.operation.simd?.(step);
}

type Phase = readonly PlacedTask[];

/** Writes the tables of all phases that several threads can work at, into one block; addresses by phase. */
function writeTables(device: CpuDevice, phases: readonly Phase[]) {
  const divided = phases.filter((tasks) => tasks.length > 1).map((tasks) => ({ tasks, table: taskTable(tasks) }));
  const numbers = Float64Array.from(divided.flatMap(({ table }) => table));
  const block = device.allocate({ shape: [2 * numbers.length], dtype: 'u32' });
  new Float64Array(device.heap.memory.buffer, block.start, numbers.length).set(numbers);
  const tables = new Map<Phase, number>();
  let at = block.start;
  for (const { tasks, table } of divided) {
    tables.set(tasks, at);
    at += 8 * table.length;
  }
  return { tables, block };
}
