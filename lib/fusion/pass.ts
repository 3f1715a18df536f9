import { elementAt } from '../element-at.js';
import { createNode, type GraphNode, outputKey, outputsOf, storageOf } from '../graph/node.js';
import { nodesBefore } from '../graph/nodes.js';
import type { Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';
import { absorb, chainOf, type Fusion } from './absorb.js';
import { type Head, outputsOfChain } from './chain.js';
import type { FusionTarget } from './stage.js';
import { keyOf, narrowOf, sourceOf, variablesAmong, variablesWritten } from './tensors.js';

/** A graph's results and changes of state. */
export interface GraphRoots {
  readonly outputs: readonly Tensor[];
  readonly updates: readonly Tensor[];
}

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

/**
 * Of all that reads the same tensor as a node, so many of what comes next are looked at, so that the pass takes a time
 * in proportion to the graph.
 */
const NEIGHBOURS = 32;

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
export function fuse(roots: GraphRoots, target: FusionTarget): GraphRoots {
  const pass = new FusePass(roots, target);
  pass.rewrite();
  return {
    outputs: roots.outputs.map((root) => pass.resolveAs(root)),
    updates: roots.updates.map((root) => pass.resolveAs(root)),
  };
}

/** Where a variable is used, in the order of the nodes. */
interface Access {
  readonly position: number;
  readonly node: GraphNode;
  readonly writes: boolean;
}

class FusePass {
  readonly #target: FusionTarget;
  readonly #nodes: readonly GraphNode[];
  readonly #positions = new Map<GraphNode, number>();
  readonly #done = new Set<GraphNode>();
  /** Of these, what was done at the position that the pass is at. */
  #turn: GraphNode[] = [];
  /** What stands for each output of the graph as it was. */
  readonly #rewritten = new Map<string, Tensor>();
  /** The outputs of the graph as it was that an output of a new node stands for. */
  readonly #standsFor = new Map<string, string[]>();
  /** How many operations use each output of the graph as it was, through reshapes, and roots. */
  readonly #uses = new Map<string, number>();
  /** The same of the outputs of new nodes that stand for them. */
  readonly #usesNow = new Map<string, number>();
  /** The nodes that read a tensor of the graph as it was, through reshapes, in their order. */
  readonly #readers = new Map<unknown, GraphNode[]>();
  readonly #accesses = new Map<Variable, Access[]>();
  /** Outputs of new nodes that other new nodes read. */
  readonly #read = new Set<string>();
  /** The new node that wrote over a variable last. */
  readonly #lastWrites = new Map<Variable, number>();

  constructor({ outputs, updates }: GraphRoots, target: FusionTarget) {
    this.#target = target;
    this.#nodes = nodesBefore([...outputs, ...updates]).filter((node) => !isView(node));
    this.#nodes.forEach((node, position) => {
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
    for (const root of [...outputs, ...updates]) this.#countUse(root);
  }

  #countUse(tensor: Tensor): void {
    const key = keyOf(sourceOf(tensor));
    this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1);
  }

  rewrite(): void {
    this.#nodes.forEach((node, position) => {
      if (this.#done.has(node)) return;
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
    const inputs = this.#inputsOf(node);
    if (!this.#absorb(node, inputs)) this.#put(node, this.#fold(node, inputs));
  }

  /** Stages are carried out by what computes their value ahead of changes to what it was computed from. */
  #bringStagesForward(position: number): void {
    for (const node of this.#turn) {
      for (const stage of node.specs.flatMap((_, index) => this.#readers.get(outputKey(node, index)) ?? [])) {
        const { operation } = stage;
        if (!operation.stage || operation.writes || this.#done.has(stage)) continue;
        const made = nodeOf(node.specs.flatMap((_, index) => this.#rewritten.get(outputKey(node, index)) ?? []));
        if (made && this.#canComeForward(stage, position)) this.#absorb(stage, this.#inputsOf(stage), made);
      }
    }
  }

  /**
   * What is written in place is written as soon as it can be: an optimizer's update beside the gradient, which is then
   * needed no longer, and neither is what the gradient is computed from where it is computed in the same place.
   */
  #bringWritesForward(position: number): void {
    for (const node of this.#turn) {
      for (const write of this.#writesBehind(node)) {
        if (!this.#done.has(write) && this.#canComeForward(write, position)) this.#rewriteHere(write);
      }
    }
  }

  /** The nodes that write over a variable, and had to wait for this one: they read what it computes, or it reads that variable. */
  #writesBehind(node: GraphNode): GraphNode[] {
    const readers = node.specs.flatMap((_, index) => this.#readers.get(outputKey(node, index)) ?? []);
    const overwriting = [...variablesAmong(node.inputs)].map((variable) => {
      const accesses = this.#accesses.get(variable) ?? [];
      const behind = firstWhere(accesses, (access) => access.position > this.#positionOf(node));
      return accesses.slice(behind).find(({ writes }) => writes)?.node;
    });
    return [...readers, ...overwriting.filter((writer) => writer !== undefined)].filter(
      ({ operation }) => operation.writes,
    );
  }

  /** What stands for a tensor of the graph as it was, in the element type that it had. */
  resolveAs(tensor: Tensor): Tensor {
    const now = this.#resolve(tensor);
    return now.dtype === tensor.dtype ? now : this.#widened(tensor, now);
  }

  /**
   * What stands for a tensor of the graph as it was: perhaps as the 16-bit floats that it was read from. Reshapes are made anew,
   * since what they reshape may change.
   */
  #resolve(tensor: Tensor): Tensor {
    const narrow = narrowOf(tensor);
    if (narrow) return this.#resolve(narrow);
    const source = sourceOf(tensor);
    const now = this.#rewritten.get(keyOf(source)) ?? source;
    if (storageOf(tensor) === tensor || tensor.origin.kind !== 'node') return now;
    const { node, index } = tensor.origin;
    const specs = [{ shape: tensor.shape, dtype: now.dtype }];
    return outputAt(createNode({ ...node, inputs: [now], specs }), index);
  }

  /** What stands for the inputs of a node of the graph as it was: 16-bit floats where its kernels can read them. */
  #inputsOf(node: GraphNode): Tensor[] {
    const inputs = node.inputs.map((input) => this.#resolve(input));
    return inputs.map((input, i) => {
      const before = elementAt(node.inputs, i);
      return input.dtype === before.dtype || this.#readsFloat16(node, inputs) ? input : this.#widened(before, input);
    });
  }

  #readsFloat16(node: GraphNode, inputs: readonly Tensor[]): boolean {
    return this.#target.kernels === 'wgsl' && chainOf({ ...node, inputs })?.host.readsFloat16 === true;
  }

  /** 16-bit floats that stand for a tensor of f32, as such a tensor; the CPU stores them as wider ones. */
  #widened(before: Tensor, now: Tensor): Tensor {
    const { origin } = storageOf(before);
    if (origin.kind !== 'node') throw new Error(`a ${now.dtype} stands for a ${before.dtype}`);
    const { operation } = origin.node;
    const reading = this.#target.kernels === 'simd' ? { ...operation, alias: true } : operation;
    const specs = [{ shape: now.shape, dtype: before.dtype }];
    return outputAt(createNode({ ...origin.node, operation: reading, inputs: [now], specs }), 0);
  }

  /** A stage is carried out by a node that computes one of its inputs: the new node. @param by if it is this one */
  #absorb(node: GraphNode, inputs: readonly Tensor[], by?: GraphNode): GraphNode | undefined {
    const { operation, attributes } = node;
    if (!operation.stage) return undefined;
    for (const [position, value] of inputs.entries()) {
      const { origin } = storageOf(value);
      if (origin.kind !== 'node' || (by && origin.node !== by) || !this.#canMoveHere(origin.node)) continue;
      const stage = operation.stage({ position, inputs, attributes });
      const chain = stage && chainOf(origin.node);
      if (!stage || !chain) continue;
      const isShared = (this.#usesNow.get(outputKey(origin.node, origin.index)) ?? 0) > 1;
      const { node: producer, index } = origin;
      const target = this.#target;
      const fusion = absorb({ node, inputs, position, stage, producer, chain, index, isShared, target });
      if (!fusion) continue;
      this.#putFusion(producer, node, fusion);
      return nodeOf(fusion.outputs);
    }
    return undefined;
  }

  /** Whether a new node would compute the same here, and nobody has used it where it is. */
  #canMoveHere(producer: GraphNode): boolean {
    if (producer.specs.some((_, index) => this.#read.has(outputKey(producer, index)))) return false;
    return [...variablesAmong(producer.inputs)].every(
      (variable) => (this.#lastWrites.get(variable) ?? -1) <= producer.id,
    );
  }

  #fold(node: GraphNode, inputs: readonly Tensor[]): readonly Tensor[] {
    const [rowsOf, stagesOf] = [this.#rowsOf, this.#stagesOf];
    const folded = node.operation.fold?.({ node, inputs, rowsOf, stagesOf, target: this.#target });
    return folded ?? createNode({ ...node, inputs });
  }

  /** The table and the indices of a tensor that is rows of it, where neither has been written over since. */
  readonly #rowsOf = (tensor: Tensor): SelectedRows | undefined => {
    const { origin } = storageOf(tensor);
    const { selectsRows } = origin.kind === 'node' ? origin.node.operation : {};
    if (origin.kind !== 'node' || !selectsRows) return undefined;
    const [table, indices] = [origin.node.inputs[selectsRows.table], origin.node.inputs[selectsRows.indices]];
    if (!table || !indices) return undefined;
    return this.#isAsItWas([table, indices], origin.node) ? { table, indices, node: origin.node } : undefined;
  };

  /** The stages that compute a tensor that nobody else reads, where nothing they read has been written over since. */
  readonly #stagesOf = (tensor: Tensor): StagedValues | undefined => {
    const { origin } = storageOf(tensor);
    const chain = origin.kind === 'node' ? chainOf(origin.node) : undefined;
    if (origin.kind !== 'node' || chain?.from === undefined) return undefined;
    const { node, index } = origin;
    const isAlone = outputsOfChain(chain).length === 1 && (this.#usesNow.get(outputKey(node, index)) ?? 0) <= 1;
    if (!isAlone || node.operation.writes || !this.#isAsItWas(node.inputs, node)) return undefined;
    return { head: { from: chain.from, links: elementAt(chain.sites, 0) }, inputs: node.inputs };
  };

  /** Whether nothing that a new node reads has been written over since. */
  #isAsItWas(inputs: readonly Tensor[], node: GraphNode): boolean {
    return [...variablesAmong(inputs)].every((variable) => (this.#lastWrites.get(variable) ?? -1) < node.id);
  }

  /** A later node that can take this one in, and that can run here already, runs here and takes it in. */
  #isTakenByLaterNode(node: GraphNode, position: number): boolean {
    for (const later of this.#neighbours(node.inputs, position)) {
      if (!later.operation.join || !this.#canComeForward(later, position)) continue;
      const inputs = this.#inputsOf(later);
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

  /** What comes later and can be computed beside a node that was just made anew, or behind it, is. */
  #takeLaterNodes(node: GraphNode, position: number): void {
    const made = node.specs.map((_, index) => this.#rewritten.get(outputKey(node, index)));
    let taker = nodeOf(made.filter((output) => output !== undefined));
    for (let before; taker?.operation.join && taker !== before;) {
      before = taker;
      for (const other of this.#neighbours([...node.inputs, ...this.#outputsTaken(taker)], position)) {
        if (!this.#canComeForward(other, position)) continue;
        taker = this.#takenBy(taker, other) ?? taker;
      }
    }
  }

  /** The new node that computes what another one does as well, beside its own outputs or behind them. */
  #takenBy(taker: GraphNode, other: GraphNode): GraphNode | undefined {
    const fusion = this.#join(taker, other);
    if (fusion) this.#putFusion(taker, other, fusion);
    if (fusion) return nodeOf(fusion.outputs);
    const inputs = this.#inputsOf(other);
    return this.#absorb(other, inputs, taker);
  }

  /** The outputs of the graph as it was that a new node computes. */
  #outputsTaken(taker: GraphNode): readonly string[] {
    return taker.specs.flatMap((_, index) => this.#standsFor.get(outputKey(taker, index)) ?? []);
  }

  /** What reads one of some tensors behind a position, in order: what comes next. */
  #neighbours(tensors: readonly (Tensor | string)[], position: number): GraphNode[] {
    const found = new Set<GraphNode>();
    for (const tensor of tensors) {
      const readers = this.#readers.get(typeof tensor === 'string' ? tensor : identityOf(sourceOf(tensor))) ?? [];
      const first = firstWhere(readers, (reader) => this.#positionOf(reader) > position);
      for (const reader of readers.slice(first, first + NEIGHBOURS)) if (!this.#done.has(reader)) found.add(reader);
    }
    return [...found].sort((a, b) => this.#positionOf(a) - this.#positionOf(b));
  }

  #positionOf(node: GraphNode): number {
    return this.#positions.get(node) ?? -1;
  }

  #join(taker: GraphNode, other: GraphNode): Fusion | undefined {
    if (!this.#canMoveHere(taker)) return undefined;
    const inputs = this.#inputsOf(other);
    return taker.operation.join?.({ node: taker, other, inputs, rowsOf: this.#rowsOf, target: this.#target });
  }

  /**
   * Whether a later node could run at a position already: all its inputs have been computed, and nothing in between
   * writes a variable that it uses, or uses one that it writes. What is computed again stays behind what came before that.
   */
  #canComeForward(later: GraphNode, position: number): boolean {
    const { firstId = 0 } = later.recomputation ?? {};
    if (elementAt(this.#nodes, position).id < firstId) return false;
    if (!later.inputs.every((input) => this.#isComputed(input))) return false;
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

  #isComputed(tensor: Tensor): boolean {
    const source = sourceOf(tensor);
    return source.origin.kind !== 'node' || this.#rewritten.has(keyOf(source));
  }

  #putFusion(producer: GraphNode, node: GraphNode, { kept, outputs }: Fusion): void {
    kept.forEach((tensor, index) => {
      const before = outputKey(producer, index);
      const stoodFor = this.#standsFor.get(before) ?? [];
      this.#standsFor.delete(before);
      for (const key of stoodFor) {
        if (tensor) this.#rewritten.set(key, tensor);
        else this.#rewritten.delete(key);
      }
      if (!tensor) return;
      this.#standsFor.set(keyOf(tensor), stoodFor);
      this.#usesNow.set(keyOf(tensor), this.#usesNow.get(before) ?? 0);
    });
    this.#put(node, outputs);
  }

  /** Lets tensors stand for the outputs of a node of the graph as it was. */
  #put(node: GraphNode, outputs: readonly Tensor[]): void {
    this.#done.add(node);
    this.#turn.push(node);
    node.specs.forEach((_, index) => {
      const output = outputAt(outputs, index);
      this.#rewritten.set(outputKey(node, index), output);
      push(this.#standsFor, keyOf(output), outputKey(node, index));
      this.#usesNow.set(keyOf(output), this.#uses.get(outputKey(node, index)) ?? 0);
    });
    const made = nodeOf(outputs);
    if (!made) return;
    for (const input of made.inputs) {
      this.#read.add(keyOf(storageOf(input)));
      this.#read.add(keyOf(sourceOf(input)));
    }
    for (const variable of variablesWritten(made)) this.#lastWrites.set(variable, made.id);
  }
}

/** Whether nothing is computed for a node: its output is read where its input is. */
function isView(node: GraphNode): boolean {
  return node.operation.alias === true || outputsOf(node).some((output) => narrowOf(output) !== undefined);
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

/** The node that tensors are outputs of. */
function nodeOf([tensor]: readonly Tensor[]): GraphNode | undefined {
  return tensor?.origin.kind === 'node' ? tensor.origin.node : undefined;
}

function outputAt(outputs: readonly Tensor[], index: number): Tensor {
  const output = outputs[index];
  if (!output) throw new Error(`an operation was rewritten into something without its output ${index}`);
  return output;
}
