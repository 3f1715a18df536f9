import { sizeOf } from '../shape.js';
import type { TensorSpec } from './operation.js';

/** A WebAssembly SIMD kernel: a module that imports `env.memory`, and the function that is called. */
export interface SimdKernel {
  /** The module's bytes as hexadecimal digits, inlined from kernels/*.wat. */
  readonly module: string;
  /** The same module with relaxed multiply-adds, for engines that have them. */
  readonly relaxed?: string;
  readonly entryPoint: string;
}

/**
 * An argument of a call: an address in a tensor, in the thread's scratch or in what the tasks of a step share, `offset` bytes
 * from its start; or a number.
 */
export type SimdArgument =
  | { readonly input: number; readonly offset?: number }
  | { readonly output: number; readonly offset?: number }
  | { readonly scratch: true; readonly offset?: number }
  | { readonly shared: true; readonly offset?: number }
  | number;

/** Words of 32 bits that the elements of a tensor fill in the heap: one each, or one for four of type `u8`. */
export function heapWords({ shape, dtype }: TensorSpec): number {
  return dtype === 'u8' ? Math.ceil(sizeOf(shape) / 4) : sizeOf(shape);
}

/** One call of a SIMD kernel. */
export interface SimdCall {
  readonly kernel: SimdKernel;
  readonly arguments: readonly SimdArgument[];
}

/** Calls that follow each other on one thread. */
export type SimdTask = readonly SimdCall[];

/**
 * Tasks that do not depend on each other: they run on any thread, in any order. What a task computes must not depend on
 * how many threads there are: the division into tasks follows from the sizes alone.
 */
export interface SimdPhase {
  readonly tasks: readonly SimdTask[];
  /** Bytes of scratch memory that a task needs; each thread has its own, shared by all tasks of a program. Default 0. */
  readonly scratchBytes?: number;
  /** Bytes of memory that all tasks of a step see, so that a phase finds what the one before has left there. Default 0. */
  readonly sharedBytes?: number;
}
