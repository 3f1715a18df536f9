import { elementAt } from '../element-at.js';
import { isSameTensor, variableOf } from './tensors.js';
import { callback, checkArgument } from '../options.js';
import type { Tensor } from '../tensor.js';
import { flattenTree, type TensorTree } from '../tree.js';
import {
  type Checkpoint,
  createNode,
  type GraphNode,
  inCheckpoint,
  nextNodeId,
  outputKey,
  outputsOf,
  seenOutputsOf,
  storageOf,
} from './node.js';

/**
 * What `fn` gives, with less memory: what it computes in between is not kept for the backward pass but computed there again
 * (gradient checkpointing, Chen et al. 2016; PyTorch: `torch.utils.checkpoint`). Around each block of a deep net,
 *
 *     forward(input: Tensor): Tensor {
 *       return this.blocks.reduce((x, block) => checkpoint(() => block.forward(x)), input);
 *     }
 *
 * a training step keeps what goes from block to block, and of one block at a time what is inside, and takes about a third
 * longer. Results are the same, bit for bit: random numbers are drawn again as they were, and changes of state, such as
 * running statistics, are made once. (On WebGPU, where other operations share a kernel then, an adapter that makes one
 * rounding of a product and a sum may do so in other places.) What reads a variable that was changed since is kept after
 * all. Inside another checkpoint it does nothing of its own.
 *
 * Throws OptionError for what is no function.
 */
export function checkpoint<Out extends TensorTree>(fn: () => Out): Out {
  checkArgument('checkpoint', 'what it is given', fn, callback);
  const own: Checkpoint = { kept: new Set() };
  const result = inCheckpoint(own, fn);
  for (const tensor of flattenTree(result)) {
    const { origin } = storageOf(tensor);
    if (origin.kind === 'node') own.kept.add(outputKey(origin.node, origin.index));
  }
  return result;
}

/** Computes again, for one backward pass, what checkpoints have not kept. */
export class Recomputing {
  /** The node that computes the same again. */
  readonly #again = new Map<GraphNode, GraphNode>();

  /** The inputs and outputs of a node, for its gradient rule. */
  valuesOf(node: GraphNode): { readonly inputs: readonly Tensor[]; readonly outputs: readonly Tensor[] } {
    const { checkpoint: own, inputs } = node;
    const outputs = seenOutputsOf(node);
    if (!own) return { inputs, outputs };
    this.#compute([...inputs, ...outputs], own);
    return { inputs: inputs.map(this.#valueOf), outputs: outputs.map(this.#valueOf) };
  }

  #compute(wanted: readonly Tensor[], own: Checkpoint): void {
    const missing = new Set<GraphNode>();
    const pending = [...wanted];
    for (let tensor = pending.pop(); tensor; tensor = pending.pop()) {
      const { origin } = tensor;
      if (origin.kind !== 'node' || own.kept.has(outputKey(origin.node, origin.index))) continue;
      const { node } = origin;
      if (node.checkpoint !== own || this.#again.has(node) || missing.has(node) || isBoundToItsTime(node)) continue;
      missing.add(node);
      pending.push(...node.inputs);
    }
    const recomputation = { firstId: nextNodeId() };
    for (const node of [...missing].sort((a, b) => a.id - b.id)) {
      const inputs = node.inputs.map(this.#valueOf);
      const [output] = createNode({ ...node, inputs, checkpoint: undefined, recomputation });
      if (output?.origin.kind === 'node') this.#again.set(node, output.origin.node);
    }
  }

  readonly #valueOf = (tensor: Tensor): Tensor => {
    const { origin } = tensor;
    if (origin.kind !== 'node' || origin.node.checkpoint?.kept.has(outputKey(origin.node, origin.index))) return tensor;
    const again = this.#again.get(origin.node);
    return again ? elementAt(outputsOf(again), origin.index) : tensor;
  };
}

/** Whether it changes a variable, or reads one that has been changed since: it cannot be done again. */
function isBoundToItsTime({ operation, inputs }: GraphNode): boolean {
  if (operation.writes) return true;
  return inputs.some((input) => {
    const variable = variableOf(input);
    return variable !== undefined && !isSameTensor(storageOf(input), variable.value);
  });
}
