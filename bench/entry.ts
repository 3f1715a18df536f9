import type { Attributes, CaseInput, Operation } from '../lib/graph/operation.js';

/** One benchmark: an operation at a size that real nets have. */
export interface Entry {
  readonly operation: Operation;
  /** Name of the shape, to be used on the command line: `mynetDense1`. */
  readonly name: string;
  readonly inputs: readonly CaseInput[];
  readonly attributes: Attributes;
  /** Left out on slow devices unless it is asked for by name. */
  readonly isLarge?: boolean;
  /** A chain of operations in one kernel, for devices that fuse. */
  readonly isFused?: boolean;
}
