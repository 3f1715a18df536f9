import { createNode, type GraphNode, outputsOf, storageOf } from '../graph/node.js';
import type { Tensor } from '../tensor.js';
import { absorb } from './absorb.js';
import { chainOf } from './chain.js';
import type { Fusion } from './offers.js';
import { NodeOrder } from './order.js';
import { nodeOf, RewrittenGraph } from './rewritten.js';
import type { FusionTarget } from './stage.js';

/** A graph's results and changes of state. */
export interface GraphRoots {
  readonly outputs: readonly Tensor[];
  readonly updates: readonly Tensor[];
}

/**
 * Rewrites a graph so that it takes fewer kernels, without changing what it computes. In the order of the nodes,
 *
 *   - an operation that is a stage is offered to the nodes that compute its inputs (lib/fusion/absorb.ts),
 *   - an operation whose input is rows of a table is offered the table (`Operation.fold`),
 *   - an operation that can compute others beside itself is offered what comes later and could run at the same place, or
 *     is itself brought forward to what it can take in (`Operation.join`).
 *
 * All nodes are made anew, so that their ids are again the order in which they run. Nothing is moved over a write.
 */
export function fuse({ outputs, updates }: GraphRoots, target: FusionTarget): GraphRoots {
  const order = new NodeOrder([...outputs, ...updates]);
  const graph = new RewrittenGraph(order, target);
  new FusePass(order, graph, target).rewrite();
  return {
    outputs: outputs.map((root) => graph.resolveAs(root)),
    updates: updates.map((root) => graph.resolveAs(root)),
  };
}

class FusePass {
  readonly #order: NodeOrder;
  readonly #graph: RewrittenGraph;
  readonly #target: FusionTarget;
  /** What was done at the position that the pass is at. */
  #turn: GraphNode[] = [];

  constructor(order: NodeOrder, graph: RewrittenGraph, target: FusionTarget) {
    this.#order = order;
    this.#graph = graph;
    this.#target = target;
  }

  rewrite(): void {
    this.#order.nodes.forEach((node, position) => {
      if (this.#order.isDone(node)) return;
      this.#turn = [];
      if (!this.#isTakenByLaterNode(node, position)) {
        this.#rewriteHere(node);
        this.#takeLaterNodes(node, position);
      }
      this.#bringStagesForward(position);
      this.#bringWritesForward(position);
    });
  }

  #rewriteHere(node: GraphNode): void {
    const inputs = this.#graph.inputsOf(node);
    if (!this.#absorb(node, inputs)) this.#put(node, this.#fold(node, inputs));
  }

  /** Stages are carried out by what computes their value ahead of changes to what it was computed from. */
  #bringStagesForward(position: number): void {
    for (const node of this.#turn) {
      for (const stage of this.#order.readersOf(node)) {
        const { operation } = stage;
        if (!operation.stage || operation.writes || this.#order.isDone(stage)) continue;
        const made = this.#graph.nodeFor(node);
        if (made && this.#canComeForward(stage, position)) this.#absorb(stage, this.#graph.inputsOf(stage), made);
      }
    }
  }

  /**
   * What is written in place is written as soon as it can be: an optimizer's update beside the gradient, which is then
   * needed no longer, and neither is what the gradient is computed from where it is computed in the same place.
   */
  #bringWritesForward(position: number): void {
    for (const node of this.#turn) {
      for (const write of this.#order.writesBehind(node)) {
        if (!this.#order.isDone(write) && this.#canComeForward(write, position)) this.#rewriteHere(write);
      }
    }
  }

  /** A stage is carried out by a node that computes one of its inputs: the new node. @param by if it is this one */
  #absorb(node: GraphNode, inputs: readonly Tensor[], by?: GraphNode): GraphNode | undefined {
    const { operation, attributes } = node;
    if (!operation.stage) return undefined;
    for (const [position, value] of inputs.entries()) {
      const { origin } = storageOf(value);
      if (origin.kind !== 'node' || (by && origin.node !== by) || !this.#graph.canMoveHere(origin.node)) continue;
      const stage = operation.stage({ position, inputs, attributes });
      const chain = stage && chainOf(origin.node);
      if (!stage || !chain) continue;
      const { node: producer, index } = origin;
      const isShared = this.#graph.isShared(producer, index);
      const target = this.#target;
      const fusion = absorb({ node, inputs, position, stage, producer, chain, index, isShared, target });
      if (fusion) return this.#putFusion(producer, node, fusion);
    }
    return undefined;
  }

  #fold(node: GraphNode, inputs: readonly Tensor[]): readonly Tensor[] {
    const { rowsOf, stagesOf } = this.#graph;
    const folded = node.operation.fold?.({ node, inputs, rowsOf, stagesOf, target: this.#target });
    return folded ?? createNode({ ...node, inputs });
  }

  /** A later node that can take this one in, and that can run here already, runs here and takes it in. */
  #isTakenByLaterNode(node: GraphNode, position: number): boolean {
    for (const later of this.#order.neighbours(node.inputs, position)) {
      if (!later.operation.join || !this.#canComeForward(later, position)) continue;
      const taker = nodeOf(this.#fold(later, this.#graph.inputsOf(later)));
      const fusion = taker && this.#join(taker, node);
      if (!fusion) continue;
      this.#put(later, outputsOf(taker));
      this.#putFusion(taker, node, fusion);
      this.#takeLaterNodes(later, position);
      return true;
    }
    return false;
  }

  /** What comes later and can be computed beside a node that was just made anew, or behind it, is. */
  #takeLaterNodes(node: GraphNode, position: number): void {
    let taker = this.#graph.nodeFor(node);
    for (let before; taker?.operation.join && taker !== before;) {
      before = taker;
      const near = [...node.inputs, ...this.#graph.outputsTaken(taker)];
      for (const other of this.#order.neighbours(near, position)) {
        if (this.#canComeForward(other, position)) taker = this.#takenBy(taker, other) ?? taker;
      }
    }
  }

  /** The new node that computes what another one does as well, beside its own outputs or behind them. */
  #takenBy(taker: GraphNode, other: GraphNode): GraphNode | undefined {
    const fusion = this.#join(taker, other);
    return fusion ? this.#putFusion(taker, other, fusion) : this.#absorb(other, this.#graph.inputsOf(other), taker);
  }

  #join(taker: GraphNode, other: GraphNode): Fusion | undefined {
    if (!this.#graph.canMoveHere(taker)) return undefined;
    const [inputs, { rowsOf }] = [this.#graph.inputsOf(other), this.#graph];
    return taker.operation.join?.({ node: taker, other, inputs, rowsOf, target: this.#target });
  }

  /** Whether a later node could run at a position already. */
  #canComeForward(later: GraphNode, position: number): boolean {
    return (
      later.inputs.every((input) => this.#graph.isComputed(input)) && this.#order.isFreeToComeForward(later, position)
    );
  }

  /** Lets what two nodes were joined to stand for both: the new node. */
  #putFusion(producer: GraphNode, node: GraphNode, { kept, outputs }: Fusion): GraphNode | undefined {
    this.#graph.replace(producer, kept);
    this.#put(node, outputs);
    return nodeOf(outputs);
  }

  #put(node: GraphNode, outputs: readonly Tensor[]): void {
    this.#order.finish(node);
    this.#turn.push(node);
    this.#graph.put(node, outputs);
  }
}
