import type { SimdArgument, SimdCall, SimdKernel, SimdPhase } from '../../graph/simd.js';
import type { LinkedKernel } from './simd.js';

/** A call with its function and its addresses in place. */
export interface PlacedCall {
  readonly kernel: LinkedKernel;
  /** Addresses of scratch memory are those of the main thread. */
  readonly values: readonly number[];
  /** Bit i is set where value i lies in scratch memory. */
  readonly inScratch: number;
}

/** The calls of a task, in order. */
export type PlacedTask = readonly PlacedCall[];

/** Where the arguments of a step's calls lie. */
export interface Places {
  readonly inputs: readonly { readonly start: number }[];
  readonly outputs: readonly { readonly start: number }[];
  readonly scratch: number;
  readonly shared: number;
}

/** The tasks of a phase with everything in place, by kernels that were linked before. */
export function placeTasks(
  { tasks }: SimdPhase,
  places: Places,
  kernels: ReadonlyMap<SimdKernel, LinkedKernel>,
): readonly PlacedTask[] {
  const place = ({ kernel, arguments: given }: SimdCall): PlacedCall => {
    const linked = kernels.get(kernel);
    if (!linked) throw new Error(`the SIMD kernel ${kernel.entryPoint} was not loaded`);
    return {
      kernel: linked,
      values: given.map((argument) => valueOf(argument, places)),
      inScratch: given.reduce<number>((bits, argument, i) => bits | (isScratch(argument) ? 1 << i : 0), 0),
    };
  };
  return tasks.map((calls) => calls.map(place));
}

/** The task as a function for the main thread. */
export function taskFunction(calls: PlacedTask): () => void {
  const [first, ...others] = calls.map(({ kernel: { run }, values }) => () => {
    run(...values);
  });
  if (first && others.length === 0) return first;
  return () => {
    first?.();
    for (const call of others) call();
  };
}

/**
 * Tasks as workers read them (lib/device/cpu/worker.ts), in float64, which holds addresses and arguments alike: for each
 * task where it begins, then the tasks: number of calls, and for each call the record of its kernel, `inScratch`, the
 * number of its arguments, and these.
 */
export function taskTable(tasks: readonly PlacedTask[]): number[] {
  const table: number[] = tasks.map(() => 0);
  tasks.forEach((calls, i) => {
    table[i] = table.length;
    table.push(calls.length);
    for (const { kernel, values, inScratch } of calls) table.push(kernel.record, inScratch, values.length, ...values);
  });
  return table;
}

/** How many numbers {@link taskTable} gives for the tasks of a phase. */
export function taskTableLength(tasks: SimdPhase['tasks']): number {
  const callLength = ({ arguments: given }: SimdCall): number => 3 + given.length;
  return tasks.reduce((sum, calls) => sum + 2 + calls.reduce((own, call) => own + callLength(call), 0), 0);
}

function valueOf(argument: SimdArgument, { inputs, outputs, scratch, shared }: Places): number {
  if (typeof argument === 'number') return argument;
  const { offset = 0 } = argument;
  if ('scratch' in argument) return scratch + offset;
  if ('shared' in argument) return shared + offset;
  const array = 'input' in argument ? inputs[argument.input] : outputs[argument.output];
  if (!array) throw new Error('a SIMD call names a tensor that its operation does not have');
  return array.start + offset;
}

function isScratch(argument: SimdArgument): boolean {
  return typeof argument !== 'number' && 'scratch' in argument;
}
