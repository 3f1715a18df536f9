import type { Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';
import {
  type Fusion,
  type FusionTarget,
  isSameTensor,
  keyOf,
  type SelectedRows,
  variablesAmong,
  variablesWritten,
} from './fusion.js';
import { createNode, type GraphNode, outputKey, outputsOf, storageOf } from './node.js';
import { nodesBefore } from './nodes.js';

/** A graph's results and changes of state. */
export interface GraphRoots {
  readonly outputs: readonly Tensor[];
  readonly updates: readonly Tensor[];
}

/**
 * Rewrites a graph so that it takes fewer kernels, without changing what it computes. In the order of the nodes,
 *
 *   - an operation that is a stage is offered to the node that computes its input (`Operation.absorb`),
 *   - an operation whose input is rows of a table is offered the table (`Operation.fold`),
 *   - an operation that can compute others beside itself is offered what comes later and could run at the same place, or
 *     is itself brought forward to what it can take in (`Operation.join`).
 *
 * All nodes are made anew, so that their ids are again the order in which they run.
 */
export function fuse(roots: GraphRoots, target: FusionTarget): GraphRoots {
  const pass = new FusePass(roots, target);
  pass.rewrite();
  return {
    outputs: roots.outputs.map((root) => pass.resolve(root)),
    updates: roots.updates.map((root) => pass.resolve(root)),
  };
}

class FusePass {
  readonly #target: FusionTarget;
  readonly #nodes: readonly GraphNode[];
  readonly #done = new Set<GraphNode>();
  /** What stands for each output of the graph as it was. */
  readonly #rewritten = new Map<string, Tensor>();
  /** How many operations use each output of the graph as it was, through reshapes, and roots. */
  readonly #uses = new Map<string, number>();
  /** The same of the outputs of new nodes that stand for them. */
  readonly #usesNow = new Map<string, number>();
  /** Outputs of new nodes that other new nodes read. */
  readonly #read = new Set<string>();
  /** The new node that wrote over a variable last. */
  readonly #lastWrites = new Map<Variable, number>();

  constructor({ outputs, updates }: GraphRoots, target: FusionTarget) {
    this.#target = target;
    this.#nodes = nodesBefore([...outputs, ...updates]);
    const used = this.#nodes.filter(({ operation }) => !operation.alias).flatMap(({ inputs }) => inputs);
    for (const tensor of [...used, ...outputs, ...updates]) {
      const key = keyOf(storageOf(tensor));
      this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1);
    }
  }

  rewrite(): void {
    this.#nodes.forEach((node, position) => {
      if (this.#done.has(node) || node.operation.alias) return;
      if (this.#isTakenByLaterNode(node, position)) return;
      const inputs = node.inputs.map((input) => this.resolve(input));
      if (!this.#absorb(node, inputs)) this.#put(node, this.#fold(node, inputs));
      this.#takeLaterNodes(node, position);
    });
  }

  /** What stands for a tensor of the graph as it was. Reshapes are made anew, since what they reshape may change. */
  resolve(tensor: Tensor): Tensor {
    const { origin } = tensor;
    if (origin.kind !== 'node') return tensor;
    const { node, index } = origin;
    if (!node.operation.alias) return this.#rewritten.get(keyOf(tensor)) ?? tensor;
    return outputAt(createNode({ ...node, inputs: node.inputs.map((input) => this.resolve(input)) }), index);
  }

  #absorb(node: GraphNode, inputs: readonly Tensor[]): boolean {
    const stage = node.operation.stage?.({ inputs, attributes: node.attributes });
    const value = stage && inputs[stage.position];
    const origin = value && storageOf(value).origin;
    if (!stage || !value || origin?.kind !== 'node') return false;
    const producer = origin.node;
    if (!this.#canMoveHere(producer)) return false;
    const isShared = (this.#usesNow.get(keyOf(storageOf(value))) ?? 0) > 1;
    const fusion = producer.operation.absorb?.({
      stage,
      node,
      inputs,
      producer,
      value,
      isShared,
      target: this.#target,
    });
    if (fusion) this.#putFusion(producer, node, fusion);
    return fusion !== undefined;
  }

  /** Whether a new node would compute the same here, and nobody has used it where it is. */
  #canMoveHere(producer: GraphNode): boolean {
    if (producer.specs.some((_, index) => this.#read.has(outputKey(producer, index)))) return false;
    return [...variablesAmong(producer.inputs)].every(
      (variable) => (this.#lastWrites.get(variable) ?? -1) <= producer.id,
    );
  }

  #fold(node: GraphNode, inputs: readonly Tensor[]): readonly Tensor[] {
    const folded = node.operation.fold?.({ node, inputs, rowsOf: this.#rowsOf, target: this.#target });
    return folded ?? createNode({ ...node, inputs });
  }

  /** The table and the indices of a tensor that is rows of it, where neither has been written over since. */
  readonly #rowsOf = (tensor: Tensor): SelectedRows | undefined => {
    const { origin } = storageOf(tensor);
    const { selectsRows } = origin.kind === 'node' ? origin.node.operation : {};
    if (origin.kind !== 'node' || !selectsRows) return undefined;
    const [table, indices] = [origin.node.inputs[selectsRows.table], origin.node.inputs[selectsRows.indices]];
    if (!table || !indices) return undefined;
    const isAsItWas = [...variablesAmong([table, indices])].every(
      (variable) => (this.#lastWrites.get(variable) ?? -1) < origin.node.id,
    );
    return isAsItWas ? { table, indices } : undefined;
  };

  /** A later node that can take this one in, and that can run here already, runs here and takes it in. */
  #isTakenByLaterNode(node: GraphNode, position: number): boolean {
    for (const later of this.#movableAfter(position - 1)) {
      if (later === node || !later.operation.join || !shareInput(later, node)) continue;
      const inputs = later.inputs.map((input) => this.resolve(input));
      const taker = nodeOf(this.#fold(later, inputs));
      const fusion = taker && this.#join(taker, node);
      if (!fusion) continue;
      this.#put(later, outputsOf(taker));
      this.#putFusion(taker, node, fusion);
      this.#takeLaterNodes(later, position);
      return true;
    }
    return false;
  }

  /** What comes later and can be computed beside a node that was just made anew is. */
  #takeLaterNodes(node: GraphNode, position: number): void {
    for (const other of this.#movableAfter(position)) {
      const [first] = node.specs.map((_, index) => this.#rewritten.get(outputKey(node, index)));
      const taker = first && nodeOf([first]);
      if (!taker?.operation.join) return;
      const fusion = this.#join(taker, other);
      if (fusion) this.#putFusion(taker, other, fusion);
    }
  }

  #join(taker: GraphNode, other: GraphNode): Fusion | undefined {
    if (!this.#canMoveHere(taker)) return undefined;
    const inputs = other.inputs.map((input) => this.resolve(input));
    return taker.operation.join?.({ node: taker, other, inputs, rowsOf: this.#rowsOf, target: this.#target });
  }

  /**
   * The nodes behind a position that could run there already: all their inputs have been computed, and nothing in between
   * writes a variable that they use, or uses one that they write.
   */
  *#movableAfter(position: number): Generator<GraphNode> {
    const [used, written] = [new Set<Variable>(), new Set<Variable>()];
    for (const node of this.#nodes.slice(position + 1)) {
      if (this.#done.has(node) || node.operation.alias) continue;
      const [uses, writes] = [variablesAmong(node.inputs), variablesWritten(node)];
      const isFree =
        ![...uses].some((variable) => written.has(variable)) && ![...writes].some((variable) => used.has(variable));
      if (isFree && node.inputs.every((input) => this.#isComputed(input))) yield node;
      if (this.#done.has(node)) continue;
      for (const variable of uses) used.add(variable);
      for (const variable of writes) written.add(variable);
    }
  }

  #isComputed(tensor: Tensor): boolean {
    const storage = storageOf(tensor);
    return storage.origin.kind !== 'node' || this.#rewritten.has(keyOf(storage));
  }

  #putFusion(producer: GraphNode, node: GraphNode, { kept, outputs }: Fusion): void {
    kept.forEach((tensor, index) => {
      const before = outputKey(producer, index);
      for (const [key, now] of this.#rewritten) {
        if (tensor && keyOf(now) === before) this.#rewritten.set(key, tensor);
      }
      if (tensor) this.#usesNow.set(keyOf(tensor), this.#usesNow.get(before) ?? 0);
    });
    this.#put(node, outputs);
  }

  /** Lets tensors stand for the outputs of a node of the graph as it was. */
  #put(node: GraphNode, outputs: readonly Tensor[]): void {
    this.#done.add(node);
    node.specs.forEach((_, index) => {
      const output = outputAt(outputs, index);
      this.#rewritten.set(outputKey(node, index), output);
      this.#usesNow.set(keyOf(output), this.#uses.get(outputKey(node, index)) ?? 0);
    });
    const made = nodeOf(outputs);
    if (!made) return;
    for (const input of made.inputs) this.#read.add(keyOf(storageOf(input)));
    for (const variable of variablesWritten(made)) this.#lastWrites.set(variable, made.id);
  }
}

function shareInput(a: GraphNode, b: GraphNode): boolean {
  return a.inputs.some((input) => b.inputs.some((other) => isSameTensor(input, other)));
}

/** The node that tensors are outputs of. */
function nodeOf([tensor]: readonly Tensor[]): GraphNode | undefined {
  return tensor?.origin.kind === 'node' ? tensor.origin.node : undefined;
}

function outputAt(outputs: readonly Tensor[], index: number): Tensor {
  const output = outputs[index];
  if (!output) throw new Error(`an operation was rewritten into something without its output ${index}`);
  return output;
}
