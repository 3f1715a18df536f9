import { sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';
import { type GraphNode, outputKey, storageOf } from './node.js';
import type { SimdArgument, SimdCall } from './simd.js';

/** For what kind of kernels operations are joined. */
export interface FusionTarget {
  readonly kernels: 'wgsl' | 'simd';
  /** Buffers that a kernel may bind at most. */
  readonly maxStorageBuffers: number;
}

/** Elements in memory: where they begin, and bytes from one row to the next. */
export interface Rows {
  readonly argument: Exclude<SimdArgument, number>;
  readonly pitch: number;
}

/** A block of a product on its way through the stages, for SIMD kernels. */
export interface StageBlock {
  /** Place of its first element in the product. */
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
  /** Where the elements are, and where they go, unless the stage writes in place. */
  readonly from: Rows;
  readonly to: Rows;
  /** The same block of another input, or of an output, of the stage's operation that has the product's shape. */
  readonly blockOf: (operand: { readonly input: number } | { readonly output: number }) => Rows;
  /** An input of the stage's operation, from element `start` on. */
  readonly input: (input: number, start?: number) => SimdArgument;
}

/** How many elements a stage works on at once: those that its kernel stores at once. */
export type StageWidth = 1 | 4;

/**
 * An operation as something that is done to each element of another one's result before it is stored, so that one
 * kernel can do both. Pointwise operations describe themselves so (`Operation.stage`); what can carry stages out, such as
 * a matrix product, takes them in (`Operation.absorb`).
 */
export interface Stage {
  /** Which of the operation's inputs is the element. */
  readonly position: number;
  /** The operation's other inputs that the kernel reads, and the numbers of their bindings. */
  readonly reads: readonly { readonly input: number; readonly at: number }[];
  /** Numbers of the bindings of the operation's outputs where they are written in place. Such a stage is the last one. */
  readonly writesAt?: readonly number[];
  /** WGSL: what the expression needs, bindings and overrides included. Two stages of one text do not go together. */
  readonly code: string;
  /** WGSL: a statement that each invocation carries out once, before its first element. */
  readonly begin?: string;
  /**
   * WGSL: statements that change `value` at `row` and `column`. It is of the type Element: one number where `width` is 1,
   * a vec4f of four in a row where it is 4; `column` is a multiple of 4 then.
   */
  readonly statements: (width: StageWidth) => string;
  /** Values of the overrides in `code`. */
  readonly constants: Readonly<Record<string, number>>;
  /** Whether the element as it was may be kept for others (an activation's input, for its backward pass). */
  readonly keepsInput: boolean;
  /** The stage on a block, by a SIMD kernel; left out where there is none. */
  readonly simd?: (block: StageBlock) => SimdCall;
  /** The same for the sums over rows that go with a product, behind the product's own last stage, whose code it uses. */
  readonly sums?: {
    readonly writesAt: readonly number[];
    readonly code: string;
    /** WGSL: an expression of `value` and `row`. */
    readonly expression: string;
  };
}

/** A stage that asks the node which computes its input to carry it out. */
export interface AbsorbCall {
  readonly stage: Stage;
  /** The node of the stage's operation, and its inputs, rewritten already. */
  readonly node: GraphNode;
  readonly inputs: readonly Tensor[];
  /** The node that is asked, and the output of it that the stage works on, perhaps in another shape. */
  readonly producer: GraphNode;
  readonly value: Tensor;
  /** Whether anybody but the stage uses the value. */
  readonly isShared: boolean;
  readonly target: FusionTarget;
}

/** A tensor whose rows are picked from a table. */
export interface SelectedRows {
  /** [R, ..] */
  readonly table: Tensor;
  /** i32, in any shape: row i is row `indices[i]` of the table. */
  readonly indices: Tensor;
}

/** A node that may read rows from a table itself, in place of a tensor that they were copied to. */
export interface FoldCall {
  readonly node: GraphNode;
  /** Rewritten already. */
  readonly inputs: readonly Tensor[];
  readonly rowsOf: (input: Tensor) => SelectedRows | undefined;
  readonly target: FusionTarget;
}

/** A node that is offered another one that could be computed in the same place. */
export interface JoinCall {
  readonly node: GraphNode;
  readonly other: GraphNode;
  /** Of the other one, rewritten already. */
  readonly inputs: readonly Tensor[];
  readonly rowsOf: (input: Tensor) => SelectedRows | undefined;
  readonly target: FusionTarget;
}

/** What takes the place of two nodes, or of a node and a stage behind it. */
export interface Fusion {
  /** In place of the outputs of the node that was asked; undefined where nobody needs it any more. */
  readonly kept: readonly (Tensor | undefined)[];
  /** In place of the outputs of the node that was taken in. */
  readonly outputs: readonly Tensor[];
}

/** Equal for tensors that stand for the same output of a node; empty for leaves, which are never rewritten. */
export function keyOf(tensor: Tensor): string {
  const { origin } = tensor;
  return origin.kind === 'node' ? outputKey(origin.node, origin.index) : '';
}

/** Whether two tensors have the same shape and are the same leaf or the same output, perhaps reshaped. */
export function isSameTensor(a: Tensor | undefined, b: Tensor | undefined): boolean {
  if (!a || !b || !sameShape(a.shape, b.shape)) return false;
  const [first, second] = [storageOf(a), storageOf(b)];
  return first === second || (keyOf(first) !== '' && keyOf(first) === keyOf(second));
}

/** The variable whose storage a tensor lives in, through reshapes and updates in place. */
export function variableOf(tensor: Tensor): Variable | undefined {
  const { origin } = storageOf(tensor);
  if (origin.kind === 'variable') return origin.variable;
  const source =
    origin.kind === 'node' ? origin.node.inputs[origin.node.operation.writes?.[origin.index] ?? -1] : undefined;
  return source && variableOf(source);
}

/** The variables that a node writes over. */
export function variablesWritten({ operation, inputs }: GraphNode): Set<Variable> {
  return variablesAmong((operation.writes ?? []).map((source) => inputs[source ?? -1]));
}

/** The variables that tensors live in. */
export function variablesAmong(tensors: readonly (Tensor | undefined)[]): Set<Variable> {
  return new Set(tensors.map((tensor) => tensor && variableOf(tensor)).filter((variable) => variable !== undefined));
}
