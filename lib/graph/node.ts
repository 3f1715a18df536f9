import { TraceError } from '../errors.js';
import { Tensor } from '../tensor.js';
import type { Attributes, Operation, TensorSpec } from './operation.js';
import { activeTrace, type Trace } from './trace.js';

let nodesMade = 0;

/** A part of a graph of which only the results are kept for the backward pass ({@link checkpoint}). */
export interface Checkpoint {
  /** Keys of the outputs that are kept. */
  readonly kept: Set<string>;
}

/** A part of a graph that is computed again. None of it may run earlier, which would keep its values as long as the first ones. */
export interface Recomputation {
  /** Its nodes run behind all that were made before this one. */
  readonly firstId: number;
}

/** A part of a graph whose values are stored as 16-bit floats ({@link autocast}). */
export interface Autocast {
  /** What stands for a value that has been stored so, and read again. */
  readonly stored: (value: Tensor) => Tensor;
  /** The same of values that were, by their keys. */
  readonly known: Map<string, Tensor>;
}

let checkpointNow: Checkpoint | undefined;
let autocastNow: Autocast | undefined;
let isRoundingNow = true;

/** Runs `fn`: the nodes that it makes belong to a checkpoint, unless they belong to one already. */
export function inCheckpoint<T>(own: Checkpoint, fn: () => T): T {
  const outer = checkpointNow;
  checkpointNow = outer ?? own;
  try {
    return fn();
  } finally {
    checkpointNow = outer;
  }
}

/** Runs `fn`: what the nodes that it makes compute is stored as 16-bit floats; or, where nothing is rounded in it, is not. */
export function inAutocast<T>(own: Autocast | undefined, fn: () => T, isRounding = true): T {
  const outer = [autocastNow, isRoundingNow] as const;
  [autocastNow, isRoundingNow] = [own, isRounding];
  try {
    return fn();
  } finally {
    [autocastNow, isRoundingNow] = outer;
  }
}

/** Runs `fn`, which computes one thing by several operations: its result is stored as 16-bit floats, where any is, and nothing in between. */
export function roundedOnce(fn: () => Tensor): Tensor {
  const result = inAutocast(autocastNow, fn, false);
  return seen(result);
}

/** One use of an operation in a graph. Ids rise in the order of creation, which is therefore a topological order. */
export interface GraphNode {
  readonly id: number;
  readonly operation: Operation;
  readonly attributes: Attributes;
  readonly inputs: readonly Tensor[];
  readonly specs: readonly TensorSpec[];
  readonly trace: Trace | undefined;
  /** Of an alias: the tensor in whose storage its output lives, which is no alias. */
  readonly storage: Tensor | undefined;
  /** What it was recorded in. */
  readonly checkpoint?: Checkpoint | undefined;
  /** What of its outputs is stored as 16-bit floats. */
  readonly autocast?: Autocast | undefined;
  /** Of a node that does again what another one did: what it is a part of. */
  readonly recomputation?: Recomputation | undefined;
}

/** A node before it is put into a graph. */
export type NodeParts = Omit<GraphNode, 'id' | 'storage'>;

/** Adds a node to the graph: checks the shapes at once and computes nothing. Returns the node's outputs. */
export function apply<A extends Attributes>(
  operation: Operation<A>,
  inputs: readonly Tensor[],
  attributes: A,
): Tensor[] {
  const specs = operation.infer(inputs, attributes);
  const trace = activeTrace();
  if (operation.writes && !trace) {
    throw new TraceError(`${operation.name} changes state: call it inside a function given to compile() or run()`);
  }
  const outputs = createNode({
    ...{ operation, attributes, inputs, specs, trace },
    ...{ checkpoint: checkpointNow, autocast: autocastNow },
  });
  return operation.alias === true || operation.writes || operation.staysFloat32 === true ? outputs : outputs.map(seen);
}

/**
 * What is stored of a value that has just been computed: under autocast a 16-bit float, of what belongs to single examples, not
 * of statistics over all of them, nor of scalars.
 */
function seen(value: Tensor): Tensor {
  const own = autocastNow;
  const { dtype, rank, origin } = value;
  if (!own || !isRoundingNow || dtype !== 'f32' || rank < 2 || origin.kind !== 'node') return value;
  const key = outputKey(origin.node, origin.index);
  const known = own.known.get(key) ?? inAutocast(own, () => own.stored(value), false);
  own.known.set(key, known);
  return known;
}

/** The outputs of a node as others see them: those that are stored as 16-bit floats as they are then. */
export function seenOutputsOf(node: GraphNode): Tensor[] {
  return outputsOf(node).map((output, index) => node.autocast?.known.get(outputKey(node, index)) ?? output);
}

/** The id of the node that is made next. */
export function nextNodeId(): number {
  return nodesMade;
}

/** A node as it is given, unchecked; its id is the next one. Returns its outputs. */
export function createNode(parts: NodeParts): Tensor[] {
  const source = parts.operation.alias ? parts.inputs[0] : undefined;
  return outputsOf({ ...parts, id: nodesMade++, storage: source && storageOf(source) });
}

/** The outputs of a node, as tensors. */
export function outputsOf(node: GraphNode): Tensor[] {
  return node.specs.map((spec, index) => new Tensor(spec, { kind: 'node', node, index }));
}

/** A text that is equal for tensors that stand for the same output of a node. */
export function outputKey(node: Pick<GraphNode, 'id'>, index: number): string {
  return `${node.id}.${index}`;
}

/** The tensor in whose storage this one lives: itself, or what a chain of aliases (reshapes) starts from. */
export function storageOf(tensor: Tensor): Tensor {
  const { origin } = tensor;
  return (origin.kind === 'node' ? origin.node.storage : undefined) ?? tensor;
}

/** `apply` for an operation with one output. */
export function applyOne<A extends Attributes>(
  operation: Operation<A>,
  inputs: readonly Tensor[],
  attributes: A,
): Tensor {
  const [output] = apply(operation, inputs, attributes);
  if (!output) throw new Error(`${operation.name} declares no output`);
  return output;
}
