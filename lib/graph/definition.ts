import type { Host } from '../fusion/chain.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { KernelTarget, KernelVariant, Launch } from './launch.js';
import type { Each, Inputs, Outputs, Per, Sizes, View } from './operands.js';
import type { Attributes, CaseInput, Cost, DType, Operation, TensorSpec } from './operation.js';
import type { SimdCall, SimdPhase } from './simd.js';

/** The attributes of an operation without any. */
export type NoAttributes = Readonly<Record<string, never>>;

/** A tensor of an operation, by its name; `index` is its place in an operand that stands for many. */
export type OperandName<Names extends string> = Names | { readonly operand: Names; readonly index: number };

/** {@link Binding} by name. */
export type NamedBinding<Names extends string> =
  | Names
  | { readonly operand: Names; readonly index?: number; readonly at?: number }
  | { readonly scratch: 'read' | 'write'; readonly at?: number };

/** {@link Launch} whose buffers have names. */
export interface NamedLaunch<Names extends string> extends Omit<Launch, 'bindings'> {
  readonly bindings: readonly NamedBinding<Names>[];
}

/** {@link KernelVariant} whose buffers have names. */
export interface NamedVariant<Names extends string> extends Omit<KernelVariant, 'launches'> {
  readonly launches: readonly NamedLaunch<Names>[];
}

/** {@link SimdArgument} by name: an address in a tensor, `offset` bytes from its start, or in scratch or shared memory; or a number. */
export type NamedArgument<Names extends string> =
  | Names
  | { readonly operand: Names; readonly index?: number; readonly offset?: number }
  | { readonly scratch: true; readonly offset?: number }
  | { readonly shared: true; readonly offset?: number }
  | number;

/** {@link SimdCall} whose tensors have names. */
export interface NamedCall<Names extends string> extends Omit<SimdCall, 'arguments'> {
  readonly arguments: readonly NamedArgument<Names>[];
}

/** {@link SimdPhase} whose tensors have names. */
export interface NamedPhase<Names extends string> extends Omit<SimdPhase, 'tasks'> {
  readonly tasks: readonly (readonly NamedCall<Names>[])[];
}

type Names<I, O> = Extract<keyof I | keyof O, string>;
type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;

/** What a kernel is chosen for. */
export interface NamedKernelCall<A, I, O> {
  readonly sizes: Sizes<I, O>;
  readonly specs: Each<I, O, TensorSpec>;
  readonly attributes: A;
}

/** What a gradient rule is given. Inputs that it leaves out, or gives undefined for, have no gradient. */
export interface NamedGradientCall<A, I, O> {
  readonly inputs: { readonly [K in keyof I]: Per<I[K], Tensor> };
  readonly outputs: { readonly [K in keyof O]: Tensor };
  /** Undefined, of several outputs, for one that is not used. */
  readonly outputGradients: {
    readonly [K in keyof O]: IsUnion<keyof O> extends true ? Tensor | undefined : Tensor;
  };
  readonly sizes: Sizes<I, O>;
  readonly attributes: A;
  /** Which inputs' gradients are wanted: nothing needs to be computed for the others. */
  readonly needs: { readonly [K in keyof I]: Per<I[K], boolean> };
}

export type NamedGradients<I> = { readonly [K in keyof I]?: Per<I[K], Tensor | undefined> | undefined };

/** Why there is no rule; see {@link Operation}. */
export type NoGradient = { readonly none: string } | { readonly unwritten: string };

/** What goes by places: how an operation takes part in fusion, and what stands for a large call. */
export type Placed<A extends Attributes> = Pick<Operation<A>, 'stage' | 'chain' | 'fold' | 'join' | 'sample'>;

/** What an operation is given. */
interface NamedUse<A, I> {
  readonly specs: { readonly [K in keyof I]: Per<I[K], TensorSpec> };
  readonly sizes: Sizes<I, object>;
  readonly attributes: A;
}

/** {@link OperationCase} with inputs by name. */
interface NamedCase<A, I> {
  readonly inputs: { readonly [K in keyof I]: Per<I[K], CaseInput> };
  readonly attributes: A;
}

/** An operation as its room states it: operands by name, with element types and axes. See {@link Operation}. */
export interface Definition<A extends Attributes, I extends Inputs, O extends Outputs> extends Placed<A> {
  readonly name: string;
  readonly inputs: I;
  /** An output with the name of an input is written over it, in place: the input must be the value of a Variable. */
  readonly outputs: O;
  /** Shapes of the outputs whose axes are not all among those of the inputs; further rules: throws ShapeError. */
  infer?(call: NamedUse<A, I>): { readonly [K in keyof O]?: Shape };
  /** Element types of the outputs that take several. */
  types?(attributes: A): { readonly [K in keyof O]?: DType };
  /** Plain loops from the formula, accumulating in float64 and rounding once when storing: the oracle of the kernels. */
  reference(views: Each<I, O, View>, sizes: Sizes<I, O>, attributes: A): void;
  kernel?(call: NamedKernelCall<A, I, O>, target: KernelTarget): readonly NamedLaunch<Names<I, O>>[];
  /** In place of `kernel`, `variants` and `simd` where the operation is a chain (`chain`): what has those of it. */
  readonly host?: Host;
  variants?(call: NamedKernelCall<A, I, O>, target: KernelTarget): readonly NamedVariant<Names<I, O>>[];
  simd?(call: NamedKernelCall<A, I, O>): readonly NamedPhase<Names<I, O>>[] | undefined;
  readonly gradient: { rule(call: NamedGradientCall<A, I, O>): NamedGradients<I> }['rule'] | NoGradient;
  readonly selectsRows?: { readonly table: Extract<keyof I, string>; readonly indices: Extract<keyof I, string> };
  readonly alias?: boolean;
  readonly widens?: boolean;
  readonly readsFloat16?: boolean;
  readonly staysFloat32?: boolean;
  readonly tolerance: Operation['tolerance'];
  readonly cases: readonly NamedCase<A, I>[];
  cost?(call: NamedUse<A, I>): Partial<Cost>;
  readonly benchmarks?: Readonly<Record<string, NamedCase<A, I>>>;
}
