import { Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';
import { createNode, type GraphNode, outputKey, storageOf } from './node.js';
import { nodesBefore } from './nodes.js';

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
  /** WGSL: an expression of `value`, `row` and `column`. */
  readonly expression: string;
  /** Values of the overrides in `code`. */
  readonly constants: Readonly<Record<string, number>>;
  /** Whether the element as it was may be kept for others (an activation's input, for its backward pass). */
  readonly keepsInput: boolean;
}

/** A stage that asks the node which computes its input to carry it out. */
export interface AbsorbCall {
  readonly stage: Stage;
  /** The node of the stage's operation, and its inputs, rewritten already. */
  readonly node: GraphNode;
  readonly inputs: readonly Tensor[];
  /** The node that is asked, and the output of it that the stage works on. */
  readonly producer: GraphNode;
  readonly value: Tensor;
  /** Whether anybody but the stage uses the value. */
  readonly isShared: boolean;
  /** Whether what the producer computes would be the same here: no variable that it reads has been written since. */
  readonly canMoveHere: boolean;
}

/** What takes the place of a node. */
export interface Fusion {
  readonly outputs: readonly Tensor[];
  /** Outputs of other nodes that the fused node computes as well: [before, now]. */
  readonly replaces?: readonly (readonly [Tensor, Tensor])[];
}

/** A graph's results and changes of state. */
export interface GraphRoots {
  readonly outputs: readonly Tensor[];
  readonly updates: readonly Tensor[];
}

/**
 * Rewrites a graph so that it takes fewer kernels, without changing what it computes: in the order of the nodes, each
 * operation that is a stage is offered to the node that computes its input.
 * All nodes are made anew, so that their ids are again in the order in which they run.
 */
export function fuse({ outputs, updates }: GraphRoots): GraphRoots {
  const nodes = nodesBefore([...outputs, ...updates]);
  const uses = countUses(nodes, [...outputs, ...updates]);
  const rewritten = new Map<string, Tensor>();
  const usesNow = new Map<string, number>();
  const lastWrites = new Map<Variable, number>();
  const resolve = (tensor: Tensor): Tensor => rewritten.get(keyOf(tensor)) ?? tensor;

  const absorb = (node: GraphNode, inputs: readonly Tensor[]): Fusion | undefined => {
    const stage = node.operation.stage?.({ inputs, attributes: node.attributes });
    const value = stage && inputs[stage.position];
    if (!stage || value?.origin.kind !== 'node') return undefined;
    const producer = value.origin.node;
    return producer.operation.absorb?.({
      stage,
      node,
      inputs,
      producer,
      value,
      isShared: (usesNow.get(keyOf(value)) ?? 0) > 1,
      canMoveHere: producer.inputs.every((input) => {
        const variable = variableOf(input);
        return !variable || (lastWrites.get(variable) ?? -1) < producer.id;
      }),
    });
  };

  for (const node of nodes) {
    const inputs = node.inputs.map(resolve);
    const fusion = absorb(node, inputs);
    const results = fusion?.outputs ?? createNode({ ...node, inputs });
    node.specs.forEach((_, index) => {
      const result = results[index];
      if (!result) throw new Error(`${node.operation.name} was fused into something without its output ${index}`);
      rewritten.set(outputKey(node, index), result);
      usesNow.set(keyOf(result), uses.get(outputKey(node, index)) ?? 0);
    });
    for (const [before, now] of fusion?.replaces ?? []) {
      usesNow.set(keyOf(now), usesNow.get(keyOf(before)) ?? 0);
      for (const [key, tensor] of rewritten) if (keyOf(tensor) === keyOf(before)) rewritten.set(key, now);
    }
    for (const source of node.operation.writes ?? []) {
      const variable = inputs[source] && variableOf(inputs[source]);
      const [first] = results;
      if (variable && first?.origin.kind === 'node') lastWrites.set(variable, first.origin.node.id);
    }
  }
  return { outputs: outputs.map(resolve), updates: updates.map(resolve) };
}

function countUses(nodes: readonly GraphNode[], roots: readonly Tensor[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const tensor of [...nodes.flatMap(({ inputs }) => inputs), ...roots]) {
    uses.set(keyOf(tensor), (uses.get(keyOf(tensor)) ?? 0) + 1);
  }
  return uses;
}

/** An output of a node, as a tensor. */
export function outputOf(node: GraphNode, index: number): Tensor {
  const spec = node.specs[index];
  if (!spec) throw new Error(`${node.operation.name} has no output ${index}`);
  return new Tensor(spec, { kind: 'node', node, index });
}

/** Equal for tensors that stand for the same output of a node; leaves are never rewritten. */
function keyOf({ origin }: Tensor): string {
  return origin.kind === 'node' ? outputKey(origin.node, origin.index) : '';
}

/** The variable whose storage a tensor lives in, through reshapes and updates in place. */
export function variableOf(tensor: Tensor): Variable | undefined {
  const { origin } = storageOf(tensor);
  if (origin.kind === 'variable') return origin.variable;
  const source =
    origin.kind === 'node' ? origin.node.inputs[origin.node.operation.writes?.[origin.index] ?? -1] : undefined;
  return source && variableOf(source);
}
