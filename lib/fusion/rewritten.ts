import { elementAt } from '../element-at.js';
import { createNode, type GraphNode, outputKey, storageOf } from '../graph/node.js';
import type { Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';
import { chainOf, outputsOfChain } from './chain.js';
import { narrowOf, readsFloat16, sourceOf, widened } from './float16-storage.js';
import type { Fusion, SelectedRows, StagedValues } from './offers.js';
import type { NodeOrder } from './order.js';
import type { FusionTarget } from './stage.js';
import { keyOf, variablesAmong, variablesWritten } from '../graph/tensors.js';

/** The new nodes: what stands for each output of the graph as it was, and what may still be done to them. */
export class RewrittenGraph {
  readonly #order: NodeOrder;
  readonly #target: FusionTarget;
  /** What stands for each output of the graph as it was. */
  readonly #rewritten = new Map<string, Tensor>();
  /** The outputs of the graph as it was that an output of a new node stands for. */
  readonly #standsFor = new Map<string, string[]>();
  /** How many operations of the graph as it was use what an output of a new node stands for. */
  readonly #uses = new Map<string, number>();
  /** Outputs of new nodes that other new nodes read. */
  readonly #read = new Set<string>();
  /** The new node that wrote over a variable last. */
  readonly #lastWrites = new Map<Variable, number>();

  constructor(order: NodeOrder, target: FusionTarget) {
    this.#order = order;
    this.#target = target;
  }

  /** What stands for a tensor of the graph as it was, in the element type that it had. */
  resolveAs(tensor: Tensor): Tensor {
    const now = this.#resolve(tensor);
    return now.dtype === tensor.dtype ? now : widened(tensor, now, this.#target);
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
    return elementAt(createNode({ ...node, inputs: [now], specs }), index);
  }

  /** What stands for the inputs of a node of the graph as it was: 16-bit floats where its kernels can read them. */
  inputsOf(node: GraphNode): Tensor[] {
    const inputs = node.inputs.map((input) => this.#resolve(input));
    return inputs.map((input, i) => {
      const before = elementAt(node.inputs, i);
      if (input.dtype === before.dtype || readsFloat16(node, inputs, this.#target)) return input;
      return widened(before, input, this.#target);
    });
  }

  isComputed(tensor: Tensor): boolean {
    const source = sourceOf(tensor);
    return source.origin.kind !== 'node' || this.#rewritten.has(keyOf(source));
  }

  /** The new node that computes what is left of the outputs of a node of the graph as it was. */
  nodeFor(node: GraphNode): GraphNode | undefined {
    return nodeOf(node.specs.flatMap((_, index) => this.#rewritten.get(outputKey(node, index)) ?? []));
  }

  /** The keys of the outputs of the graph as it was that a new node computes. */
  outputsTaken(taker: GraphNode): readonly string[] {
    return taker.specs.flatMap((_, index) => this.#standsFor.get(outputKey(taker, index)) ?? []);
  }

  isShared(node: GraphNode, index: number): boolean {
    return (this.#uses.get(outputKey(node, index)) ?? 0) > 1;
  }

  /** Whether a new node would compute the same here, and nobody has used it where it is. */
  canMoveHere(producer: GraphNode): boolean {
    if (producer.specs.some((_, index) => this.#read.has(outputKey(producer, index)))) return false;
    return [...variablesAmong(producer.inputs)].every(
      (variable) => (this.#lastWrites.get(variable) ?? -1) <= producer.id,
    );
  }

  /** The table and the indices of a tensor that is rows of it, where neither has been written over since. */
  readonly rowsOf = (tensor: Tensor): SelectedRows | undefined => {
    const { origin } = storageOf(tensor);
    const { selectsRows } = origin.kind === 'node' ? origin.node.operation : {};
    if (origin.kind !== 'node' || !selectsRows) return undefined;
    const [table, indices] = [origin.node.inputs[selectsRows.table], origin.node.inputs[selectsRows.indices]];
    if (!table || !indices) return undefined;
    return this.#isAsItWas([table, indices], origin.node) ? { table, indices, node: origin.node } : undefined;
  };

  /** The stages that compute a tensor that nobody else reads, where nothing they read has been written over since. */
  readonly stagesOf = (tensor: Tensor): StagedValues | undefined => {
    const { origin } = storageOf(tensor);
    const chain = origin.kind === 'node' ? chainOf(origin.node) : undefined;
    if (origin.kind !== 'node' || chain?.from === undefined) return undefined;
    const { node, index } = origin;
    const isAlone = outputsOfChain(chain).length === 1 && !this.isShared(node, index);
    if (!isAlone || node.operation.writes || !this.#isAsItWas(node.inputs, node)) return undefined;
    return { head: { from: chain.from, links: elementAt(chain.sites, 0) }, inputs: node.inputs };
  };

  /** Whether nothing that a new node reads has been written over since. */
  #isAsItWas(inputs: readonly Tensor[], node: GraphNode): boolean {
    return [...variablesAmong(inputs)].every((variable) => (this.#lastWrites.get(variable) ?? -1) < node.id);
  }

  /** Lets tensors stand for the outputs of a node of the graph as it was. */
  put(node: GraphNode, outputs: readonly Tensor[]): void {
    node.specs.forEach((_, index) => {
      const output = outputs[index];
      if (!output) throw new Error(`${node.operation.name} was rewritten into something without its output ${index}`);
      const [before, now] = [outputKey(node, index), keyOf(output)];
      this.#rewritten.set(before, output);
      this.#standsFor.set(now, [...(this.#standsFor.get(now) ?? []), before]);
      this.#uses.set(now, this.#order.usesOf(node, index));
    });
    const made = nodeOf(outputs);
    if (!made) return;
    for (const input of made.inputs) {
      this.#read.add(keyOf(storageOf(input)));
      this.#read.add(keyOf(sourceOf(input)));
    }
    for (const variable of variablesWritten(made)) this.#lastWrites.set(variable, made.id);
  }

  /** Lets tensors stand for the outputs of a new node that took another one in: those that are left. */
  replace(producer: GraphNode, kept: Fusion['kept']): void {
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
      this.#uses.set(keyOf(tensor), this.#uses.get(before) ?? 0);
    });
  }
}

/** The node that tensors are outputs of. */
export function nodeOf([tensor]: readonly Tensor[]): GraphNode | undefined {
  return tensor?.origin.kind === 'node' ? tensor.origin.node : undefined;
}
