import { createNode, type GraphNode, storageOf } from '../graph/node.js';
import type { TensorSpec } from '../graph/operation.js';
import { sameShape, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import {
  bindingsOf,
  type Chain,
  chainOf,
  chainOperation,
  type ChainOutput,
  outputName,
  outputsOfChain,
  VALUE,
} from './chain.js';
import type { FoldCall, Fusion, SelectedRows } from './offers.js';
import type { FusionTarget, Stage } from './stage.js';
import { isSameTensor, variablesAmong, variablesWritten } from '../graph/tensors.js';

/** A kernel of more stages takes long to compile, and a chain of thousands would never be done. */
const MOST_STAGES = 16;

/** An operation on single elements that asks the node which computes one of its inputs to carry it out. */
export interface AbsorbCall {
  readonly node: GraphNode;
  /** Its inputs, rewritten already. */
  readonly inputs: readonly Tensor[];
  /** Which of them is the value, and the operation as a stage of it. */
  readonly position: number;
  readonly stage: Stage;
  /** The node that is asked, as a chain, and which of its outputs is the value, perhaps in another shape. */
  readonly producer: GraphNode;
  readonly chain: Chain;
  readonly index: number;
  /** Whether anybody else uses the value. */
  readonly isShared: boolean;
  readonly target: FusionTarget;
}

/**
 * One node for a chain and a stage behind it. An activation may leave the value to others (its own backward pass): it
 * becomes an output of its own. Undefined where the kernel of the chain cannot carry out both.
 */
export function absorb(call: AbsorbCall): Fusion | undefined {
  const { node, inputs, position, stage, producer, chain, index, isShared, target } = call;
  const before = outputsOfChain(chain)[index];
  const links = chain.sites[before?.site ?? -1];
  if (before?.kind !== 'result' || !links || links.length >= MOST_STAGES) return undefined;
  if (sizeOf(node.specs[0]?.shape ?? []) === 0 || (isShared && stage.keepsInput !== true)) return undefined;
  if (target.kernels === 'simd' && !stage.simd) return undefined;
  const use = { inputs: producer.inputs, attributes: producer.attributes };
  const storesFloat16 = target.kernels === 'simd' || chain.host.storesFloat16?.(chain, before.site, use) === true;
  if (stage.stores === 'f16' && !storesFloat16) return undefined;
  const [value, result] = [inputs[position], node.specs[0]];
  if (!node.operation.writes && !sameShape(value?.shape ?? [], result?.shape ?? [])) return undefined;
  if (overwritesWhatIsRead(call)) return undefined;

  const more: Tensor[] = [];
  const places = inputs.map((input, i) => {
    if (i === position) return VALUE;
    const known = producer.inputs.findIndex((other) => isSameTensor(other, input));
    return known >= 0 ? known : producer.inputs.length + more.push(input) - 1;
  });
  const link = {
    stage,
    operation: node.operation,
    attributes: node.attributes,
    inputs: places,
    shape: inputs[position]?.shape ?? [],
    keepsInput: isShared,
  };
  const next = { ...chain, sites: chain.sites.map((own, site) => (site === before.site ? [...own, link] : own)) };
  const moved = outputName({ site: before.site, kind: 'kept', link: links.length });
  return replaced({
    ...{ producer, chain, next, more, target },
    from: node,
    site: before.site,
    renamed: new Map([[outputName(before), isShared ? moved : undefined]]),
  });
}

/** A node of a chain that is to take the place of another one and of a node that it takes in. */
export interface Replacement {
  readonly producer: GraphNode;
  readonly chain: Chain;
  readonly next: Chain;
  /** What is read beside the inputs of the producer. */
  readonly more: readonly Tensor[];
  /** The node that is taken in, and the site that its outputs are those of. */
  readonly from: GraphNode;
  readonly site: number;
  /** Outputs of the chain that have another name in the next one, or none any more. */
  readonly renamed: ReadonlyMap<string, string | undefined>;
  readonly target: FusionTarget;
}

/**
 * Undefined where a kernel would bind more than the target can, would read what it computes itself, or cannot carry out the
 * last stage.
 */
export function replaced(replacement: Replacement): Fusion | undefined {
  const { producer, chain, next, more, from, site, renamed, target } = replacement;
  const { attributes, trace } = producer;
  if (more.some((input) => isOutputOf(producer, input))) return undefined;
  const inputs = [...producer.inputs, ...more];
  if (bindingsOf(next, attributes) > target.maxStorageBuffers) return undefined;
  if (!next.host.accepts(next, site, { inputs, attributes }, target)) return undefined;

  const [before, after] = [outputsOfChain(chain).map(outputName), outputsOfChain(next)];
  const names = before.map((name) => (renamed.has(name) ? renamed.get(name) : name));
  const isOfFrom = (output: ChainOutput): boolean => output.site === site && output.kind !== 'kept';
  const rest = from.specs.slice();
  const specs = after.map((output): TensorSpec => {
    const spec = isOfFrom(output) ? rest.shift() : producer.specs[names.indexOf(outputName(output))];
    if (!spec) throw new Error(`${from.operation.name} was joined into something that lacks an output`);
    return spec;
  });
  const outputs = createNode({ operation: chainOperation(next), attributes, inputs, specs, trace });
  const places = after.map(outputName);
  return {
    kept: names.map((name) => (name === undefined ? undefined : outputs[places.indexOf(name)])),
    outputs: outputs.filter((_, i) => after.slice(i, i + 1).some(isOfFrom)),
  };
}

/**
 * The outputs of a node that reads picked rows of its inputs from their tables; undefined where it may not.
 *
 * @param picks for each of its inputs the rows that it is made of, where it may be read from their table
 */
export function pickingRows(
  { inputs, target }: FoldCall,
  node: GraphNode,
  picks: readonly (SelectedRows | undefined)[],
): Tensor[] | undefined {
  const chain = chainOf({ ...node, inputs });
  if (!chain || picks.every((picked) => picked === undefined)) return undefined;
  const more: Tensor[] = [];
  const rows = picks.map(
    (picked, i) =>
      picked && {
        indices: inputs.length + more.push(picked.indices) - 1,
        operation: picked.node.operation,
        attributes: picked.node.attributes,
        shape: inputs[i]?.shape ?? [],
      },
  );
  const next = { ...chain, rows };
  const { attributes, specs, trace } = node;
  if (bindingsOf(next, attributes) > target.maxStorageBuffers) return undefined;
  const tables = inputs.map((input, i) => picks[i]?.table ?? input);
  return createNode({ operation: chainOperation(next), attributes, inputs: [...tables, ...more], specs, trace });
}

function isOutputOf(node: GraphNode, tensor: Tensor): boolean {
  const { origin } = storageOf(tensor);
  return origin.kind === 'node' && origin.node === node;
}

/**
 * The outputs of a node that computes its first input itself, as stages do; undefined where nothing but stages computes it,
 * or they do not fit.
 */
export function takingStages({ node, inputs, stagesOf, target }: FoldCall): Tensor[] | undefined {
  const chain = chainOf({ ...node, inputs });
  const [input] = inputs;
  if (!chain || !input || inputs.length > 1) return undefined;
  const staged = stagesOf(input);
  if (!staged) return undefined;
  const head = { ...staged.head, shape: input.shape };
  const { attributes, specs, trace } = node;
  if (chain.host.takesHead?.(head, { inputs: staged.inputs, attributes }, target) !== true) return undefined;
  const next = { ...chain, heads: [head] };
  if (bindingsOf(next, attributes) > target.maxStorageBuffers) return undefined;
  return createNode({ operation: chainOperation(next), attributes, inputs: staged.inputs, specs, trace });
}

/** One dispatch may not read what it writes, nor write it twice: an update of what the chain itself reads stays alone. */
function overwritesWhatIsRead({ node, inputs, producer }: AbsorbCall): boolean {
  const { writes = [] } = node.operation;
  const targets = variablesAmong(writes.map((place) => inputs[place ?? -1]));
  const read = variablesAmong(producer.inputs);
  const others = variablesAmong(inputs.filter((_, i) => !writes.includes(i)));
  const overwritten = variablesWritten(producer);
  return (
    [...targets].some((variable) => read.has(variable)) || [...others].some((variable) => overwritten.has(variable))
  );
}
