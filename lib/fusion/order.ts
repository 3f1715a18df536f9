import { elementAt } from '../element-at.js';
import { type GraphNode, outputKey } from '../graph/node.js';
import { nodesBefore } from '../graph/nodes.js';
import type { Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';
import { isView, sourceOf } from './float16-storage.js';
import { keyOf, variablesAmong, variablesWritten } from '../graph/tensors.js';

/**
 * Of all that reads the same tensor as a node, so many of what comes next are looked at, so that the pass takes a time
 * in proportion to the graph.
 */
const NEIGHBOURS = 32;

/** Where a variable is used, in the order of the nodes. */
interface Access {
  readonly position: number;
  readonly node: GraphNode;
  readonly writes: boolean;
}

/** A graph as it was, in the order of its nodes: who reads what, and what could run earlier than it stands. */
export class NodeOrder {
  /** All that something is computed for. */
  readonly nodes: readonly GraphNode[];
  readonly #positions = new Map<GraphNode, number>();
  readonly #done = new Set<GraphNode>();
  /** How many operations use each output, through reshapes, and roots. */
  readonly #uses = new Map<string, number>();
  /** The nodes that read a tensor, through reshapes, in their order. */
  readonly #readers = new Map<unknown, GraphNode[]>();
  readonly #accesses = new Map<Variable, Access[]>();

  constructor(roots: readonly Tensor[]) {
    this.nodes = nodesBefore(roots).filter((node) => !isView(node));
    this.nodes.forEach((node, position) => {
      this.#positions.set(node, position);
      for (const input of new Set(node.inputs.map((own) => identityOf(sourceOf(own))))) {
        push(this.#readers, input, node);
      }
      for (const input of node.inputs) this.#countUse(input);
      const written = variablesWritten(node);
      for (const variable of variablesAmong(node.inputs)) {
        push(this.#accesses, variable, { position, node, writes: written.has(variable) });
      }
    });
    for (const root of roots) this.#countUse(root);
  }

  #countUse(tensor: Tensor): void {
    const key = keyOf(sourceOf(tensor));
    this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1);
  }

  usesOf(node: GraphNode, index: number): number {
    return this.#uses.get(outputKey(node, index)) ?? 0;
  }

  /** Notes that a node runs at the position that the pass is at. */
  finish(node: GraphNode): void {
    this.#done.add(node);
  }

  isDone(node: GraphNode): boolean {
    return this.#done.has(node);
  }

  readersOf(node: GraphNode): readonly GraphNode[] {
    return node.specs.flatMap((_, index) => this.#readers.get(outputKey(node, index)) ?? []);
  }

  /** The nodes that write over a variable, and had to wait for this one: they read what it computes, or it reads that variable. */
  writesBehind(node: GraphNode): GraphNode[] {
    const overwriting = [...variablesAmong(node.inputs)].map((variable) => {
      const accesses = this.#accesses.get(variable) ?? [];
      const behind = firstWhere(accesses, (access) => access.position > this.#positionOf(node));
      return accesses.slice(behind).find(({ writes }) => writes)?.node;
    });
    return [...this.readersOf(node), ...overwriting.filter((writer) => writer !== undefined)].filter(
      ({ operation }) => operation.writes,
    );
  }

  /** What reads one of some tensors, or outputs by their keys, behind a position, in order: what comes next. */
  neighbours(tensors: readonly (Tensor | string)[], position: number): GraphNode[] {
    const found = new Set<GraphNode>();
    for (const tensor of tensors) {
      const readers = this.#readers.get(typeof tensor === 'string' ? tensor : identityOf(sourceOf(tensor))) ?? [];
      const first = firstWhere(readers, (reader) => this.#positionOf(reader) > position);
      for (const reader of readers.slice(first, first + NEIGHBOURS)) if (!this.#done.has(reader)) found.add(reader);
    }
    return [...found].sort((a, b) => this.#positionOf(a) - this.#positionOf(b));
  }

  /**
   * Whether nothing keeps a later node, whose inputs have been computed, from running at a position already: nothing in
   * between writes a variable that it uses, or uses one that it writes. What is computed again stays behind what came before
   * that.
   */
  isFreeToComeForward(later: GraphNode, position: number): boolean {
    const { firstId = 0 } = later.recomputation ?? {};
    if (elementAt(this.nodes, position).id < firstId) return false;
    const [end, written] = [this.#positionOf(later), variablesWritten(later)];
    return [...variablesAmong(later.inputs)].every((variable) => {
      const accesses = this.#accesses.get(variable) ?? [];
      for (let i = firstWhere(accesses, (own) => own.position >= position); i < accesses.length; i++) {
        const access = accesses[i];
        if (!access || access.position >= end) return true;
        if ((access.writes || written.has(variable)) && !this.#done.has(access.node)) return false;
      }
      return true;
    });
  }

  #positionOf(node: GraphNode): number {
    return this.#positions.get(node) ?? -1;
  }
}

/** Equal for tensors that are the same leaf or stand for the same output. */
function identityOf(tensor: Tensor): Tensor | string {
  return keyOf(tensor) || tensor;
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** The first place in an ordered list from which on a condition holds. */
function firstWhere<T>(list: readonly T[], holds: (item: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = list[middle];
    if (item !== undefined && holds(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
