import type { GraphNode } from '../graph/node.js';
import type { Tensor } from '../tensor.js';
import type { Head } from './chain.js';
import type { FusionTarget } from './stage.js';

/** A tensor whose rows are picked from a table. */
export interface SelectedRows {
  /** [R, ..] */
  readonly table: Tensor;
  /** i32, in any shape: row i is row `indices[i]` of the table. */
  readonly indices: Tensor;
  /** What picks them. */
  readonly node: GraphNode;
}

/** A tensor that nothing but stages computes, for one reader. */
export interface StagedValues {
  readonly head: Omit<Head, 'shape'>;
  /** What the stages read. */
  readonly inputs: readonly Tensor[];
}

/** A node that may read what its inputs are made of itself, in place of tensors: rows of a table, what stages compute. */
export interface FoldCall {
  readonly node: GraphNode;
  /** Rewritten already. */
  readonly inputs: readonly Tensor[];
  readonly rowsOf: (input: Tensor) => SelectedRows | undefined;
  readonly stagesOf: (input: Tensor) => StagedValues | undefined;
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

/** What takes the place of two nodes. */
export interface Fusion {
  /** In place of the outputs of the node that takes the other in; undefined where nobody needs it any more. */
  readonly kept: readonly (Tensor | undefined)[];
  /** In place of the outputs of the node that is taken in. */
  readonly outputs: readonly Tensor[];
}
