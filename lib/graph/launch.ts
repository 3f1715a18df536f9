import { ShapeError } from '../errors.js';
import { sizeOf } from '../shape.js';
import type { TensorSpec } from './operation.js';

/** A WGSL program: source text and entry point. Launches with the same text, entry and constants share a pipeline. */
export interface Kernel {
  /** For error messages and profiles: the operation's name and the variant. */
  readonly name: string;
  readonly code: string;
  readonly entryPoint: string;
}

/**
 * A buffer of the launch: by its place among the operation's inputs or outputs, or the scratch buffer, in which one launch
 * of an operation leaves something for the next. Outputs are bound read_write. `at` is the number of the binding in WGSL;
 * left out, it is the place in the list.
 */
export type Binding = (
  { readonly input: number } | { readonly output: number } | { readonly scratch: 'read' | 'write' }
) & { readonly at?: number };

/** One dispatch. Buffers are bound at group 0 in the order of `bindings`, the uniforms behind them. */
export interface Launch {
  readonly kernel: Kernel;
  readonly bindings: readonly Binding[];
  readonly uniforms: Uint8Array;
  /** Number of the uniforms' binding; left out, the one behind the buffers. */
  readonly uniformsAt?: number;
  /** Values of the WGSL `override`s. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Bytes of scratch that the launch writes, and that the launches behind it read; left out: none. */
  readonly scratchBytes?: number;
  readonly workgroups: readonly [number, number, number];
}

/** One way to compute an operation: a name that is unique among the ways, and the launches in order. */
export interface KernelVariant {
  readonly name: string;
  readonly launches: readonly Launch[];
}

/** Makers of GPUs whose hardware differs so much that other tiles pay; `unknown` is everything else, and who does not say. */
export const GPU_FAMILIES = ['apple', 'nvidia', 'amd', 'intel', 'arm', 'qualcomm', 'unknown'] as const;

/** One of {@link GPU_FAMILIES}. */
export type GpuFamily = (typeof GPU_FAMILIES)[number];

/** What the matrix units of an adapter multiply. */
export interface SubgroupMatrices {
  /** They multiply M x K by K x N. */
  readonly sizes: readonly (readonly [M: number, N: number, K: number])[];
  /** Invocations of a subgroup at most: a power of 2, 32 at least. */
  readonly subgroup: number;
}

/** The adapter that kernels are chosen for. */
export interface KernelTarget {
  readonly family: GpuFamily;
  /** It runs on the CPU (SwiftShader, lavapipe): no workgroup memory of its own, costly barriers. */
  readonly isSoftware: boolean;
  /** WebGPU features that the device was opened with. */
  readonly features: ReadonlySet<string>;
  /** Invocations of each subgroup; left out where the adapter does not say that all have as many. */
  readonly subgroupSize?: number;
  /** Matrix units for products of f16 with sums of f32; left out where there are none, or WebGPU does not offer them. */
  readonly subgroupMatrices?: SubgroupMatrices;
  readonly limits: {
    readonly maxStorageBuffersPerShaderStage: number;
    readonly maxComputeWorkgroupStorageSize: number;
    readonly maxComputeInvocationsPerWorkgroup: number;
  };
}

/**
 * Words of 32 bits that the elements of a tensor fill in a GPU buffer: one each, or one for two of type `f16`, or for four
 * of type `u8`.
 */
export function wordsOf({ shape, dtype }: TensorSpec): number {
  const elementsOfWord = dtype === 'f16' ? 2 : dtype === 'u8' ? 4 : 1;
  return Math.ceil(sizeOf(shape) / elementsOfWord);
}

/** WebGPU's limit on workgroups in each dimension, the same on every adapter. */
export const MAX_WORKGROUPS_PER_DIMENSION = 65_535;

/**
 * The dispatch for `count` workgroups. Over 65,535 it is folded into two dimensions; kernels count on with
 * `workgroupIndex` (kernels/common/common.wgsl) and leave the few surplus workgroups of the last row without work.
 */
export function foldWorkgroups(count: number): [number, number, number] {
  if (count <= MAX_WORKGROUPS_PER_DIMENSION) return [count, 1, 1];
  const rows = Math.ceil(count / MAX_WORKGROUPS_PER_DIMENSION);
  return [Math.ceil(count / rows), rows, 1];
}

/** Bytes of scratch that each of these launches finds enough: they follow one another, so they can share it. */
export function scratchBytesOf(launches: readonly Launch[]): number {
  return launches.reduce((most, { scratchBytes = 0 }) => Math.max(most, scratchBytes), 0);
}

export function ceilDivide(a: number, b: number): number {
  return Math.ceil(a / b);
}

/** Rank at most that strided kernels walk, after merging of axes (two vec4u of sizes). */
const MAX_WALK_RANK = 8;

/** Writes the uniform block of a launch field by field, as WGSL lays it out. */
export class Uniforms {
  readonly #words: number[] = [];

  u32(...values: readonly number[]): this {
    for (const value of values) this.#words.push(value >>> 0);
    return this;
  }

  f32(...values: readonly number[]): this {
    const bits = new Uint32Array(new Float32Array(values).buffer);
    for (const word of bits) this.#words.push(word);
    return this;
  }

  /** An `array<vec4u, 2>`, aligned to 16 bytes and filled up with `fill`. */
  axes(values: readonly number[], fill: number): this {
    if (values.length > MAX_WALK_RANK) {
      throw new ShapeError(
        `shapes whose ${values.length} axes merge into no fewer: a kernel walks over ${MAX_WALK_RANK} axes at most`,
      );
    }
    this.align();
    for (let axis = 0; axis < MAX_WALK_RANK; axis++) this.u32(values[axis] ?? fill);
    return this;
  }

  align(): this {
    while (this.#words.length % 4 !== 0) this.#words.push(0);
    return this;
  }

  bytes(): Uint8Array {
    this.align();
    return new Uint8Array(new Uint32Array(this.#words).buffer);
  }
}

/**
 * Fills the marked block of a WGSL file. A block is what stands between the lines `// begin NAME` and `// end NAME`;
 * the file is a working kernel with the block as written, and `code` stands in its place in a specialised one.
 */
export function fillBlock(source: string, name: string, code: string): string {
  const begin = source.indexOf(`// begin ${name}\n`);
  const end = source.indexOf(`// end ${name}\n`);
  if (begin < 0 || end < begin) throw new Error(`the kernel source has no block ${name}`);
  return source.slice(0, begin) + code + '\n' + source.slice(end);
}
