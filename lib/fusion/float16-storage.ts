import { elementAt } from '../element-at.js';
import { createNode, type GraphNode, outputsOf, storageOf } from '../graph/node.js';
import type { Tensor } from '../tensor.js';
import { chainOf } from './chain.js';
import type { FusionTarget } from './stage.js';
import { variableOf } from '../graph/tensors.js';

/** What a tensor is read from that is nothing but a wider form of it. */
export function narrowOf({ origin }: Tensor): Tensor | undefined {
  if (origin.kind !== 'node' || origin.node.operation.widens !== true) return undefined;
  const [input] = origin.node.inputs;
  return input && variableOf(input) === undefined ? input : undefined;
}

/**
 * The tensor whose storage a kernel reads that can read what lies there: through reshapes, and through 16-bit floats read as
 * f32. Not those of a variable, which may be another one by then.
 */
export function sourceOf(tensor: Tensor): Tensor {
  const storage = storageOf(tensor);
  const narrow = narrowOf(storage);
  return narrow ? sourceOf(narrow) : storage;
}

/** Whether nothing is computed for a node: its output is read where its input is. */
export function isView(node: GraphNode): boolean {
  return node.operation.alias === true || outputsOf(node).some((output) => narrowOf(output) !== undefined);
}

/** Whether the kernels of a node read such inputs as they are, 16-bit floats among them. */
export function readsFloat16(node: GraphNode, inputs: readonly Tensor[], target: FusionTarget): boolean {
  if (target.kernels !== 'wgsl') return false;
  return node.operation.readsFloat16 === true || chainOf({ ...node, inputs })?.host.readsFloat16 === true;
}

/** 16-bit floats that stand for a tensor of f32, as such a tensor; the CPU stores them as wider ones. */
export function widened(before: Tensor, now: Tensor, target: FusionTarget): Tensor {
  const { origin } = storageOf(before);
  if (origin.kind !== 'node') throw new Error(`a ${now.dtype} stands for a ${before.dtype}`);
  const { operation } = origin.node;
  const reading = target.kernels === 'simd' ? { ...operation, alias: true } : operation;
  const specs = [{ shape: now.shape, dtype: before.dtype }];
  return elementAt(createNode({ ...origin.node, operation: reading, inputs: [now], specs }), 0);
}
