import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { Chain } from '../fusion/chain.js';
import type { FoldCall, Fusion, JoinCall } from '../fusion/offers.js';
import type { Stage, StageUse } from '../fusion/stage.js';
import type { KernelTarget, KernelVariant, Launch } from './launch.js';
import type { SimdPhase } from './simd.js';

/**
 * Element types. On the host `f32` is Float32Array, `i32` Int32Array, `u32` Uint32Array. Two more are for storage, and are
 * read as f32: `f16`, of half the size on GPUs, is Float32Array as well, of numbers that are 16-bit floats (IEEE 754
 * binary16); `u8`, bytes, such as those of pictures, is Uint8Array.
 */
export type DType = 'f32' | 'f16' | 'i32' | 'u32' | 'u8';

/** Whether numbers of a type change in small steps, and so have gradients. */
export function isFloat(dtype: DType): boolean {
  return dtype === 'f32' || dtype === 'f16';
}

/** Shape and element type of a tensor. */
export interface TensorSpec {
  /** Sizes of the axes, outermost first. */
  readonly shape: Shape;
  /** Type of the elements. */
  readonly dtype: DType;
}

/** The arrays that hold the elements of a tensor on the host. */
export type NumericArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** A tensor's numbers as a reference sees them, row-major. */
export interface ArrayView {
  readonly data: NumericArray;
  readonly shape: Shape;
}

export type AttributeValue = number | string | boolean | null | readonly number[];
/** What of an operation is not a tensor: axes, slopes, reductions. Part of the structure of a graph, never uploaded. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** A text that is equal for equal attributes, and different for different ones. */
export function attributesText(attributes: Attributes): string {
  // JSON has no infinities, no NaN and no -0.
  const exact = (_key: string, value: unknown): unknown => {
    if (Object.is(value, -0)) return '-0';
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  };
  return JSON.stringify(attributes, exact);
}

export interface Call<A extends Attributes> {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly attributes: A;
}

export interface ReferenceCall<A extends Attributes> {
  readonly inputs: readonly ArrayView[];
  readonly outputs: readonly ArrayView[];
  readonly attributes: A;
}

export interface GradientCall<A extends Attributes> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: A;
  /** Which inputs' gradients are wanted. The others may be left out: nothing is computed for them. */
  readonly needs: readonly boolean[];
  /** Gradient of the differentiated scalar with respect to each output; undefined where an output is not used. */
  readonly outputGradients: readonly (Tensor | undefined)[];
}

/** Written as a method, so that rules of narrower attributes fit into a list of operations, as the other methods do. */
export type GradientRule<A extends Attributes> = {
  rule(call: GradientCall<A>): readonly (Tensor | undefined)[];
}['rule'];

/** One setting in which the harnesses run an operation: shapes of the inputs, attributes, and how to fill the inputs. */
export interface OperationCase<A extends Attributes> {
  readonly inputs: readonly CaseInput[];
  readonly attributes: A;
}

export interface CaseInput {
  readonly shape: Shape;
  readonly dtype?: DType;
  /**
   * How it is filled: `normal` (default); `zero`; `positive`, in [0.1, 3]; `unit`, in [0, 1]; `distinct`, no two closer than
   * a finite difference; `integers` in [0, below); `probabilities`, rows that sum to 1;
   * `batchMean` and `batchVariance`, the moments of the first input over all axes but the last; `state`, a generator's state; or the state of an optimizer at a step.
   */
  readonly fill?:
    | 'normal'
    | 'zero'
    | 'positive'
    | 'unit'
    | 'distinct'
    | 'probabilities'
    | 'batchMean'
    | 'batchVariance'
    | 'state'
    | { readonly below: number }
    | { readonly step: number };
}

/** What a call takes at the least, whatever kernel does it. */
export interface Cost {
  /** Floating-point operations; `exp` counts as `add` does. */
  readonly flop: number;
  /** Every tensor that is read or written, once; kernels may read more often, caches save some of it. */
  readonly bytes: number;
  /** Terms in the longest sum: rounding errors grow with it. */
  readonly terms: number;
  /** Of the flop, pairs of a product and a sum: of matrix products and convolutions, by which nets are compared. */
  readonly multiplyAdds: number;
}

/** A small call that stands for a large one, where the reference would take too long. */
export interface Sample<A extends Attributes> {
  readonly inputs: readonly ArrayView[];
  readonly attributes: A;
  /** For each element of output 0 of the small call, its place in that of the large one. */
  readonly places: readonly number[];
}

/** Elements that a reference has computed, of so many in what they belong to. */
export interface SampledElements {
  readonly of: number;
  readonly places: readonly number[];
}

/**
 * All that there is to know of an operation, written in one room (`lib/ops/<operation>.ts`).
 * Methods take their attributes typed; the graph holds operations of any attributes.
 */
export interface Operation<A extends Attributes = Attributes> {
  readonly name: string;
  /** The shape rule: specs of the outputs. Throws ShapeError naming the shapes that do not fit. */
  infer(inputs: readonly TensorSpec[], attributes: A): readonly TensorSpec[];
  /** Plain loops from the formula, accumulating in float64 and rounding once when storing: the oracle of the kernel. */
  reference(call: ReferenceCall<A>): void;
  /** Which kernels compute it for these sizes, in order. None at all makes the output an alias of input 0. */
  kernel(call: Call<A>, target: KernelTarget): readonly Launch[];
  /** All ways to compute it with kernels, that of `kernel` first: tuning takes the fastest. Left out: there is one. */
  variants?(call: Call<A>, target: KernelTarget): readonly KernelVariant[];
  /** How WebAssembly SIMD kernels compute it for these sizes, phase by phase; undefined, or left out: the reference runs. */
  simd?(call: Call<A>): readonly SimdPhase[] | undefined;
  /**
   * Gradients of the inputs, written with other operations; or why there is `none`: the output changes in steps, or not at
   * all, so that a gradient stops here; or why it is `unwritten`, so that asking for it is refused.
   */
  readonly gradient: GradientRule<A> | { readonly none: string } | { readonly unwritten: string };
  /** The operation as a stage of somebody else's kernel, where one of its inputs can be what that computes. */
  stage?(use: StageUse<A>): Stage | undefined;
  /** The operation as a chain that stages can be added to; undefined, or left out: its kernel carries none out. */
  chain?(call: Call<A>): Chain | undefined;
  /** Row i of the output is row `indices[i]` of the table: which inputs these are. */
  readonly selectsRows?: { readonly table: number; readonly indices: number };
  /** What takes the place of the operation where its kernel can read rows from a table itself: its outputs. */
  fold?(call: FoldCall): readonly Tensor[] | undefined;
  /** What takes the place of the operation and of another one, where its kernel can compute both. */
  join?(call: JoinCall): Fusion | undefined;
  /** Output 0 has the storage of input 0 (a reshape): nothing is computed. */
  readonly alias?: boolean;
  /** Output 0 is input 0, which is stored in fewer bits: kernels that can read it as it is do. */
  readonly widens?: boolean;
  /** Whether its kernels read 16-bit floats in place of f32, whichever input it is; of a chain, the host says so. Default false. */
  readonly readsFloat16?: boolean;
  /** Sums and statistics, which `autocast` does not store as 16-bit floats. */
  readonly staysFloat32?: boolean;
  /** Output i is written in place over input `writes[i]`, which must be the value of a Variable; undefined: it is not. */
  readonly writes?: readonly (number | undefined)[];
  /** How far a float32 kernel may be from the reference: absolute + relative * |reference|. */
  readonly tolerance: { readonly absolute: number; readonly relative: number };
  readonly cases: readonly OperationCase<A>[];
  /** What of the cost is not that of a function of single elements: a flop for each of the largest tensor, sums of one term, no products. */
  cost?(call: Omit<Call<A>, 'outputs'>): Partial<Cost>;
  /** What is timed: sizes that real nets have, by name; left out, the largest case. */
  readonly benchmarks?: Readonly<Record<string, OperationCase<A>>>;
  /** A sample of a call; left out, there is none. */
  sample?(call: Omit<ReferenceCall<A>, 'outputs'>): Sample<A>;
  /** The reference of an operation made of parts, by the sample of one of them; left out, there is none. */
  sampledReference?(call: ReferenceCall<A>): SampledElements;
}
