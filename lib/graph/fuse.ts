import { Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';
import { createNode, type GraphNode, storageOf } from './node.js';
import type { Attributes } from './operation.js';
import { nodesBefore } from './nodes.js';

/** A node as its operation's `fuse` sees it: its inputs are rewritten already. */
export interface FusionCall<A extends Attributes> {
  readonly node: GraphNode;
  readonly inputs: readonly Tensor[];
  readonly attributes: A;
  /** How many nodes and results use a tensor. */
  uses(tensor: Tensor): number;
  /** An output of a node, as a tensor. */
  output(node: GraphNode, index: number): Tensor;
  /** Whether what a node computes would be the same here: no variable that it reads has been written since. */
  canMoveHere(node: GraphNode): boolean;
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
 * operation is asked whether it can be carried out together with the node that computes its input (`Operation.fuse`).
 * All nodes are made anew, so that their ids are again in the order in which they run.
 */
export function fuse({ outputs, updates }: GraphRoots): GraphRoots {
  const nodes = nodesBefore([...outputs, ...updates]);
  const uses = countUses(nodes, [...outputs, ...updates]);
  const rewritten = new Map<string, Tensor>();
  const usesNow = new Map<string, number>();
  const lastWrites = new Map<Variable, number>();
  const resolve = (tensor: Tensor): Tensor => rewritten.get(keyOf(tensor)) ?? tensor;

  for (const node of nodes) {
    const inputs = node.inputs.map(resolve);
    const fusion = node.operation.fuse?.({
      node,
      inputs,
      attributes: node.attributes,
      uses: (tensor) => usesNow.get(keyOf(tensor)) ?? 0,
      output: outputOf,
      canMoveHere: ({ id, inputs: read }) =>
        read.every((input) => {
          const variable = variableOf(input);
          return !variable || (lastWrites.get(variable) ?? -1) < id;
        }),
    });
    const results = fusion?.outputs ?? createNode({ ...node, inputs });
    node.specs.forEach((_, index) => {
      const result = results[index];
      if (!result) throw new Error(`${node.operation.name} was fused into something without its output ${index}`);
      rewritten.set(`${node.id}.${index}`, result);
      usesNow.set(keyOf(result), uses.get(`${node.id}.${index}`) ?? 0);
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

function outputOf(node: GraphNode, index: number): Tensor {
  const spec = node.specs[index];
  if (!spec) throw new Error(`${node.operation.name} has no output ${index}`);
  return new Tensor(spec, { kind: 'node', node, index });
}

/** Equal for tensors that stand for the same output of a node; leaves are never rewritten. */
function keyOf({ origin }: Tensor): string {
  return origin.kind === 'node' ? `${origin.node.id}.${origin.index}` : '';
}

/** The variable whose storage a tensor lives in, through reshapes and updates in place. */
export function variableOf(tensor: Tensor): Variable | undefined {
  const { origin } = storageOf(tensor);
  if (origin.kind === 'variable') return origin.variable;
  const source =
    origin.kind === 'node' ? origin.node.inputs[origin.node.operation.writes?.[origin.index] ?? -1] : undefined;
  return source && variableOf(source);
}
