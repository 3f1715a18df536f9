import type { Attributes, TensorSpec } from '../graph/operation.js';

/**
 * A number that a stage is set to: an f32, or a u32 where it says so; or an f32 that varies from use to use (1 / n), for
 * which there is not to be a pipeline each.
 */
export type Setting = number | { readonly u32: number } | { readonly varies: number };

/**
 * An operation as a pure function of values, which a kernel that computes something else can call on each element before
 * it stores it. The function stands in a file of kernels/; what surrounds the call (bindings, loads, stores) is printed
 * for each kernel (lib/fusion/glue.ts). So a stage knows no binding, no size and no kernel, and may occur twice.
 *
 * Its arguments are the operation's inputs in their order, the value among them; what was prepared; the element's place;
 * and the settings.
 */
export interface Stage {
  readonly wgsl: {
    /** Texts that hold the function and what it needs; each stands in a kernel once. */
    readonly sources: readonly string[];
    /** The function's name, or how it is called with such arguments. */
    readonly call: string | ((...values: readonly string[]) => string);
    /**
     * `number`: it takes single numbers. `Element`: as many as a kernel stores at once, one or four, the first of which
     * is element `index` (kernels/common/element_one.wgsl, element_four.wgsl).
     */
    readonly on: 'number' | 'Element';
    /** A function of the words and the settings, called once an invocation; its result is the same for all elements. */
    readonly prepare?: { readonly call: string; readonly type: string };
    /** Fields of what it returns, for each output and each of its parts; left out, it returns the value. */
    readonly fields?: readonly string[];
  };
  /**
   * The WebAssembly function, on a block of rows. Parameters: for each operand an address, and bytes from one row to the
   * next (and, where it is strided, whether it goes on along a row); the same of where the value goes, unless it is
   * written in place; rows, columns; where it takes the index, that of the first element, and its step from one row to
   * the next; the address of the words; settings; an address of scratch memory.
   */
  readonly simd?: {
    readonly module: string;
    readonly entryPoint: string;
    readonly strided?: boolean;
    readonly settings: readonly number[];
    readonly scratchBytes?: number;
  };
  /** The input that is the same for all elements: words of u32, of which `count` from `from` on are read. */
  readonly words?: { readonly input: number; readonly from: number; readonly count: number };
  /** Where the first of the words is this number, nothing is written. */
  readonly skipsAt?: number;
  /** Inputs that hold several numbers for each element, part after part: how many. */
  readonly parts?: Readonly<Record<number, number>>;
  readonly settings?: Readonly<Record<string, Setting>>;
  /** Whether the function takes the place of the element in its tensor, counted row-major. Default false. */
  readonly takesIndex?: boolean;
  /** What comes out is stored as 16-bit floats, which it is rounded to; left out, as f32. */
  readonly stores?: 'f16';
  /** Whether the value may be kept as it was for others (what a backward pass needs of it). Default false. */
  readonly keepsInput?: boolean;
}

/** A use of an operation that is asked for its stage. */
export interface StageUse<A extends Attributes> {
  /** Which of the inputs is the value that comes from elsewhere; it has the shape of the output. */
  readonly position: number;
  readonly inputs: readonly TensorSpec[];
  readonly attributes: A;
}

/** For what kind of kernels operations are joined. */
export interface FusionTarget {
  readonly kernels: 'wgsl' | 'simd';
  /** Buffers that a kernel may bind at most. */
  readonly maxStorageBuffers: number;
}
