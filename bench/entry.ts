import type { KernelTarget, KernelVariant } from '../lib/graph/launch.js';
import type { Attributes, CaseInput, Operation, TensorSpec } from '../lib/graph/operation.js';

/** One benchmark: an operation at a size that real nets have. */
export interface Entry {
  readonly operation: Operation;
  /** Name of the shape, to be used on the command line: `mynetDense1`. */
  readonly name: string;
  readonly inputs: readonly CaseInput[];
  readonly attributes: Attributes;
  /** A chain of operations in one kernel, for devices that fuse. */
  readonly isFused?: boolean;
}

/** The specs of its inputs. */
export function specsOf({ inputs }: Entry): TensorSpec[] {
  return inputs.map(({ shape, dtype = 'f32' }) => ({ shape, dtype }));
}

/** The kernels that can compute it; those as well that an adapter on the CPU would not try. */
export function variantsOf(entry: Entry, target: KernelTarget): readonly KernelVariant[] {
  const { operation, attributes } = entry;
  const inputs = specsOf(entry);
  const call = { inputs, outputs: operation.infer(inputs, attributes), attributes };
  return operation.variants?.(call, { ...target, isSoftware: false }) ?? [];
}
