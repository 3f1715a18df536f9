import {
  type AbsorbCall,
  type FoldCall,
  type Fusion,
  type FusionTarget,
  isSameTensor,
  type JoinCall,
  type SelectedRows,
  variableOf,
} from '../../graph/fusion.js';
import { createNode, type GraphNode, storageOf } from '../../graph/node.js';
import type { Operation, TensorSpec } from '../../graph/operation.js';
import { sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { bindingsOf, type Chain, chainKey, chainOperation, type Link, outputPlaces, VALUE } from './matmul-chain.js';
import type { MatmulAttributes } from './matmul-sizes.js';
import { sumOperation } from '../reduce/sum.js';

/** The chains of the operations made here, and those operations, by what is in them. */
const chains = new WeakMap<Operation, Chain>();
const known = new Map<string, Operation<MatmulAttributes>>();

type FusionRules = Required<Pick<Operation<MatmulAttributes>, 'absorb' | 'fold' | 'join'>>;

/** How a matrix product, and the chains that begin with it, take other operations in. */
export function matmulFusion(product: () => Operation<MatmulAttributes>): FusionRules {
  const chainOf = ({ operation }: GraphNode): Chain => chains.get(operation) ?? { product: product(), stages: [] };
  const rules: FusionRules = {
    absorb: (call) =>
      isMain(call)
        ? absorbStage(chainOf(call.producer), call, rules)
        : absorbOnSums(chainOf(call.producer), call, rules),
    fold: (call) => foldRows(chainOf(call.node), call, rules),
    join: (call) => joinSums(chainOf(call.node), call, rules),
  };
  return rules;
}

/** Whether a stage works on the product, not on what the chain computes beside it. */
function isMain({ value }: AbsorbCall): boolean {
  return value.origin.kind === 'node' && value.origin.index === 0 && value.rank === 2;
}

/**
 * A stage behind a product without batch axes that nobody else uses. An activation may leave its input to others (its own
 * backward pass): it becomes an output of its own.
 */
function absorbStage(chain: Chain, call: AbsorbCall, rules: FusionRules): Fusion | undefined {
  const { stage, node, producer, value, isShared, target } = call;
  if (sizeOf(value.shape) === 0) return undefined;
  // SIMD kernels compute a vector's product transposed.
  if (target.kernels === 'simd' && (!stage.simd || value.shape.includes(1))) return undefined;
  if (chain.stages.some(({ stage: other }) => other.writesAt ?? other.code === stage.code)) return undefined;
  const { tap, sums } = outputPlaces(chain);
  if (isShared && (!stage.keepsInput || chain.tap !== undefined)) return undefined;
  if (stage.writesAt && chain.tap !== undefined) return undefined;
  if (writesWhatIsRead(call)) return undefined;

  const { link, more } = linkOf(call);
  const next: Chain = {
    ...chain,
    stages: [...chain.stages, link],
    ...(isShared && { tap: chain.stages.length }),
  };
  const specs = [
    ...node.specs,
    ...(chain.tap === undefined ? [] : producer.specs.slice(tap, sums)),
    ...(isShared ? [value] : []),
    ...(chain.sums ? producer.specs.slice(sums) : []),
  ];
  const outputs = make(next, producer, more, specs, node, target, rules);
  if (!outputs) return undefined;
  const places = outputPlaces(next);
  const kept: (Tensor | undefined)[] = producer.specs.map(() => undefined);
  if (isShared) kept[0] = outputs[places.tap];
  if (chain.tap !== undefined) kept[tap] = outputs[places.tap];
  outputs.slice(places.sums).forEach((output, i) => (kept[sums + i] = output));
  return { kept, outputs: outputs.slice(0, node.specs.length) };
}

/** The same update of a bias as of the weight whose gradient the product is. */
function absorbOnSums(chain: Chain, call: AbsorbCall, rules: FusionRules): Fusion | undefined {
  const { stage, node, inputs, producer, value, isShared, target } = call;
  const { sums } = outputPlaces(chain);
  const { origin } = storageOf(value);
  const last = chain.stages.at(-1);
  if (!chain.sums || chain.sums.link || origin.kind !== 'node' || origin.index !== sums) return undefined;
  if (isShared || !stage.sums || last?.operation !== node.operation || writesWhatIsRead(call)) return undefined;
  const isSameUpdate =
    JSON.stringify(last.attributes) === JSON.stringify(node.attributes) &&
    stage.reads.every(({ input }) => isSameTensor(inputs[input], producer.inputs[last.inputs[input] ?? -1]));
  if (!isSameUpdate) return undefined;

  const specs = [...producer.specs.slice(0, sums), ...node.specs];
  const { link, more } = linkOf(call);
  const outputs = make({ ...chain, sums: { link } }, producer, more, specs, node, target, rules);
  return outputs && { kept: outputs.slice(0, sums), outputs: outputs.slice(sums) };
}

/** The rows of a and b that are picked from tables are read from there. */
function foldRows(chain: Chain, { node, inputs, rowsOf, target }: FoldCall, rules: FusionRules): Tensor[] | undefined {
  const [a, b] = inputs;
  if (!a || !b || target.kernels !== 'wgsl') return undefined;
  const [rowsA, rowsB] = [a, b].map((matrix) => usableRows(matrix, rowsOf(matrix)));
  if (!rowsA && !rowsB) return undefined;
  const next: Chain = {
    ...chain,
    ...(rowsA && { rowsOfA: 2 }),
    ...(rowsB && { rowsOfB: rowsA ? 3 : 2 }),
  };
  const indices = [rowsA, rowsB].flatMap((rows) => (rows ? [rows.indices] : []));
  const producer = { ...node, inputs: [rowsA?.table ?? a, rowsB?.table ?? b] };
  return make(next, producer, indices, node.specs, node, target, rules);
}

/** Rows of a table of numbers that make a matrix. */
function usableRows(matrix: Tensor, rows: SelectedRows | undefined): SelectedRows | undefined {
  if (!rows || matrix.rank !== 2 || rows.table.shape[0] === 0) return undefined;
  return matrix.shape[0] === sizeOf(rows.indices.shape) ? rows : undefined;
}

/** The sums over the rows of a transposed a: the gradient of a bias beside that of its weight. */
function joinSums(chain: Chain, { node, other, inputs, target }: JoinCall, rules: FusionRules): Fusion | undefined {
  if (target.kernels !== 'wgsl' || other.operation !== (sumOperation as Operation)) return undefined;
  if (chain.stages.length > 0 || chain.sums) return undefined;
  const { axes, scale } = other.attributes;
  const [a, b] = node.inputs;
  const isSumOfA =
    node.attributes['transposeA'] === true &&
    chain.rowsOfA === undefined &&
    a?.rank === 2 &&
    (chain.rowsOfB !== undefined || b?.rank === 2) &&
    String(axes) === '0' &&
    scale === 1 &&
    isSameTensor(inputs[0], a);
  if (!isSumOfA || node.specs.some(({ shape }) => sizeOf(shape) === 0)) return undefined;
  const specs = [...node.specs, ...other.specs];
  const outputs = make({ ...chain, sums: {} }, node, [], specs, node, target, rules);
  return outputs && { kept: outputs.slice(0, node.specs.length), outputs: outputs.slice(node.specs.length) };
}

/** A node of a chain; undefined where its kernel would bind more than the target can. */
function make(
  chain: Chain,
  { inputs, attributes }: Pick<GraphNode, 'inputs' | 'attributes'>,
  more: readonly Tensor[],
  specs: readonly TensorSpec[],
  { trace }: GraphNode,
  { maxStorageBuffers }: FusionTarget,
  rules: FusionRules,
): Tensor[] | undefined {
  if (bindingsOf(chain) > maxStorageBuffers) return undefined;
  const key = chainKey(chain);
  const operation = known.get(key) ?? { ...chainOperation(chain), ...rules };
  known.set(key, operation);
  chains.set(operation, chain);
  return createNode({ operation, attributes, inputs: [...inputs, ...more], specs, trace });
}

/** A stage as a part of a chain: its inputs, but for the element, are put behind those of the chain, unless they are there. */
function linkOf({ stage, node, inputs, producer }: AbsorbCall): {
  readonly link: Link;
  readonly more: readonly Tensor[];
} {
  const more: Tensor[] = [];
  const places = inputs.map((input, i) => {
    if (i === stage.position) return VALUE;
    const known = producer.inputs.findIndex((other) => isSameTensor(other, input));
    return known >= 0 ? known : producer.inputs.length + more.push(input) - 1;
  });
  return { link: { stage, operation: node.operation, attributes: node.attributes, inputs: places }, more };
}

/** One dispatch may not read what it writes: an update of a weight that the product itself reads stays on its own. */
function writesWhatIsRead({ node, inputs, producer }: AbsorbCall): boolean {
  const read = new Set(producer.inputs.map(variableOf));
  return (node.operation.writes ?? []).some((index) => {
    const target = inputs[index ?? -1];
    const variable = target && variableOf(target);
    return variable !== undefined && read.has(variable);
  });
}
