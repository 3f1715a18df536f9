import { TraceError } from '../errors.js';
import { sizeOf } from '../shape.js';
import { STALE, type Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';
import type { VariableStorage } from '../variable-storage.js';
import { fuse, type GraphRoots } from '../fusion/pass.js';
import type { FusionTarget } from '../fusion/stage.js';
import { planMemory, type MemoryPlan } from './memory.js';
import { type GraphNode, type Recomputation, storageOf } from './node.js';
import { nodesBefore } from './nodes.js';
import { type Attributes, attributesText, type NumericArray, type Operation, type TensorSpec } from './operation.js';
import type { Trace } from './trace.js';

/** Where a tensor of a program is stored. */
export type Place =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'constant'; readonly index: number }
  | { readonly kind: 'variable'; readonly index: number }
  | { readonly kind: 'slot'; readonly index: number };

/** A tensor of a program: what it is and where. */
export interface Placed extends TensorSpec {
  readonly place: Place;
}

/** One operation of a program, on stored tensors. */
export interface Step {
  readonly operation: Operation;
  readonly attributes: Attributes;
  readonly inputs: readonly Placed[];
  readonly outputs: readonly Placed[];
}

/** A graph made flat: operations in order, every tensor with its place. What a device loads. */
export interface Program {
  readonly steps: readonly Step[];
  /** What each run is given. */
  readonly inputs: readonly TensorSpec[];
  /** Values that are the same in every run. */
  readonly constants: readonly (TensorSpec & { readonly data: NumericArray })[];
  readonly variables: readonly VariableStorage[];
  readonly outputs: readonly Placed[];
  /** The pool of buffers for what is computed: results, and what is computed in between. */
  readonly slots: MemoryPlan['slots'];
  /** It is replayed often: kernels that are made for it alone are worth compiling. */
  readonly isRepeated: boolean;
}

/** What a program is built for. */
export interface BuildOptions {
  /** What operations are joined for; left out, they are not. */
  readonly fusion?: FusionTarget | undefined;
  readonly isRepeated?: boolean;
  /** How many elements of f32 have room in the buffer of a tensor. Default: as many as it has. */
  readonly elementsOf?: (spec: TensorSpec) => number;
}

const OUTSIDE = 'a tensor is used outside of the traced function whose input it is, or depends on';

/** The nodes of `outputs` and of the trace's updates. Throws TraceError where another trace's update is among them. */
function nodesOf({ outputs, updates }: GraphRoots, trace: Trace | undefined): GraphNode[] {
  const nodes = nodesBefore([...outputs, ...updates]);
  for (const node of nodes) {
    if (node.operation.writes && node.trace !== trace) {
      throw new TraceError(
        `${node.operation.name} changes state whenever its traced function runs: what depends on it cannot be used outside`,
      );
    }
  }
  return nodes;
}

/**
 * Flattens the graph of `results` and of the trace's updates.
 *
 * @param inputs placeholders and other leaves that each run is given; every other constant is fixed in the program
 */
export function buildProgram(
  results: readonly Tensor[],
  inputs: readonly Tensor[],
  trace: Trace | undefined,
  { fusion, isRepeated = false, elementsOf = storedElements }: BuildOptions = {},
): Program {
  const roots = { outputs: results, updates: [...(trace?.updates.values() ?? [])] };
  checkOrder(nodesOf(roots, trace));
  const { outputs, updates } = fusion ? fuse(roots, fusion) : roots;
  const nodes = nodesBefore([...outputs, ...updates]);

  const constants: (TensorSpec & { readonly data: NumericArray })[] = [];
  const variables: VariableStorage[] = [];
  const leaves = new Map<Tensor, Place>(inputs.map((input, index) => [input, { kind: 'input', index }]));
  const variablePlaces = new Map<Variable, Place>();
  const leafPlace = (leaf: Tensor): Place => {
    const { origin } = leaf;
    const known = origin.kind === 'variable' ? variablePlaces.get(origin.variable) : leaves.get(leaf);
    if (known) return known;
    let place: Place;
    if (origin.kind === 'variable') {
      place = { kind: 'variable', index: variables.push(origin.variable.storage) - 1 };
      variablePlaces.set(origin.variable, place);
    } else if (origin.kind === 'constant') {
      place = {
        kind: 'constant',
        index: constants.push({ shape: leaf.shape, dtype: leaf.dtype, data: origin.data }) - 1,
      };
      leaves.set(leaf, place);
    } else {
      throw new TraceError(
        origin.kind === 'stored'
          ? 'a result of a compiled function is used inside another traced function: pass it in as an input'
          : OUTSIDE,
      );
    }
    return place;
  };

  const memory = planMemory(nodes, outputs, elementsOf);
  /** Where the outputs of the nodes so far are: an update is where what it writes over is. */
  const computed = new Map<GraphNode, readonly Place[]>();
  const place = (tensor: Tensor): Place => {
    const storage = storageOf(tensor);
    const { origin } = storage;
    if (origin.kind !== 'node') return leafPlace(storage);
    const known = computed.get(origin.node)?.[origin.index];
    if (!known) throw new Error(`${origin.node.operation.name} has no place in the program`);
    return known;
  };
  const placed = (tensor: Tensor): Placed => ({ shape: tensor.shape, dtype: tensor.dtype, place: place(tensor) });
  const steps = nodes
    .filter((node) => !node.operation.alias)
    .map((node): Step => {
      const { operation, attributes, specs } = node;
      const from = node.inputs.map(placed);
      const to = specs.map((spec, index): Placed => {
        const target = from[operation.writes?.[index] ?? -1];
        return { ...spec, place: target?.place ?? { kind: 'slot', index: memory.slotOf(node, index) } };
      });
      computed.set(
        node,
        to.map((output) => output.place),
      );
      return { operation, attributes, inputs: from, outputs: to };
    });
  return {
    steps,
    inputs: inputs.map(({ shape, dtype }) => ({ shape, dtype })),
    constants,
    variables,
    outputs: outputs.map(placed),
    slots: memory.slots,
    isRepeated,
  };
}

/**
 * An update in place destroys the old value, so everything that reads the old value must have been created before it.
 * Throws TraceError naming the operation that comes too late.
 */
function checkOrder(nodes: readonly GraphNode[]): void {
  const overwritten = new Map<Tensor, GraphNode>();
  for (const node of nodes) {
    for (const input of node.inputs) {
      const writer = overwritten.get(storageOf(input));
      if (writer) throw lateRead(node, writer);
    }
    for (const source of node.operation.writes ?? []) {
      const target = node.inputs[source ?? -1];
      if (target) overwritten.set(storageOf(target), node);
    }
  }
}

function lateRead(node: GraphNode, writer: GraphNode): TraceError {
  // Plans copy a result that lives in a variable: to the user there is no such operation.
  const reader = node.operation.name === 'copy' ? 'the result' : node.operation.name;
  return new TraceError(
    `${reader} reads a variable's value from before ${writer.operation.name} changed it in place: ` +
      'use variable.value after the update, or compute what you need of the old value before it',
  );
}

/**
 * A text that is equal for graphs of equal structure: same operations, attributes, shapes and sharing, whatever the
 * values of the constants. With it, evaluating such a graph again finds its plan.
 */
export function structureOf(outputs: readonly Tensor[], trace: Trace | undefined): { key: string; leaves: Tensor[] } {
  const leaves: Tensor[] = [];
  const names = new Map<Tensor, string>();
  const nameLeaf = (leaf: Tensor): string => {
    if (leaf.origin.kind === 'variable') return `v${variableId(leaf.origin.variable)}`;
    if (leaf.origin.kind === 'stored' && !leaf.origin.isCurrent()) throw new TraceError(STALE);
    if (leaf.origin.kind === 'input') throw new TraceError(OUTSIDE);
    const known = names.get(leaf);
    if (known) return known;
    const name = `i${leaves.push(leaf) - 1}${leaf.dtype}[${leaf.shape.join(',')}]`;
    names.set(leaf, name);
    return name;
  };
  return { key: linesOf(outputs, trace, nameLeaf).join('\n'), leaves };
}

/** A line for each operation before the outputs and the trace's updates. */
export function linesOf(
  outputs: readonly Tensor[],
  trace: Trace | undefined,
  nameLeaf: (leaf: Tensor) => string,
): string[] {
  const names = new Map<GraphNode, string>();
  const nameOf = (tensor: Tensor): string =>
    tensor.origin.kind === 'node' ? `${names.get(tensor.origin.node) ?? '?'}.${tensor.origin.index}` : nameLeaf(tensor);
  const lines: string[] = [];
  const recomputations = new Map<Recomputation, number>();
  const nameOfRecomputation = (own: Recomputation): string => {
    const index = recomputations.get(own) ?? recomputations.size;
    recomputations.set(own, index);
    return ` again ${index}`;
  };
  for (const node of nodesOf({ outputs, updates: [...(trace?.updates.values() ?? [])] }, trace)) {
    names.set(node, `n${lines.length}`);
    const again = node.recomputation ? nameOfRecomputation(node.recomputation) : '';
    lines.push(
      `${node.operation.name}(${node.inputs.map(nameOf).join(' ')})${attributesText(node.attributes)}${again}`,
    );
  }
  return [...lines, `-> ${outputs.map(nameOf).join(' ')}`];
}

const ids = new WeakMap<Variable, number>();
let variablesSeen = 0;
function variableId(variable: Variable): number {
  const id = ids.get(variable) ?? variablesSeen++;
  ids.set(variable, id);
  return id;
}

/** Number of elements of a tensor, at least 1: an empty tensor still has a buffer that can be bound. */
export function storedElements(spec: TensorSpec): number {
  return Math.max(1, sizeOf(spec.shape));
}
