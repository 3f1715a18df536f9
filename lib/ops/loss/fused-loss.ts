import { lossBesideWgsl, lossLabelRowsWgsl, meteredWgsl } from '../../generated/wgsl.js';
import { type FoldCall, type Fusion, type FusionTarget, isSameTensor, type JoinCall } from '../../graph/fusion.js';
import { type Binding, fillBlock } from '../../graph/launch.js';
import { createNode, type GraphNode, outputsOf } from '../../graph/node.js';
import {
  type ArrayView,
  type Attributes,
  attributesText,
  type Operation,
  type TensorSpec,
} from '../../graph/operation.js';
import { formatShape, sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { accuracyOperation } from './accuracy.js';
import { crossEntropyLoss, crossEntropyLossLaunch, type LossAttributes } from './cross-entropy-loss.js';
import { gatherOperation } from '../moving/gather.js';
import { meterUpdate } from '../state/meter.js';

/** An operation that goes with the loss: its attributes, and where its state stands among the inputs. */
interface Part {
  readonly attributes: Attributes;
  readonly state: number;
}

/**
 * A loss with what its kernel does beside it. Inputs: logits, target, class weights, then what the parts need.
 * Outputs: loss, dLogits, then those of `hits`, `lossMeter` and `hitsMeter`, in this order, where they are there.
 */
interface LossChain {
  /** Place of the input that picks the labels from a table, which the target then is. */
  readonly labelRows?: number;
  /** The share of rows that are predicted correctly is an output. */
  readonly hits?: true;
  readonly lossMeter?: Part;
  readonly hitsMeter?: Part;
}

const chains = new WeakMap<Operation, LossChain>();
const known = new Map<string, Operation<LossAttributes>>();

const chainOf = ({ operation }: GraphNode): LossChain => chains.get(operation) ?? {};

/** Classes that are picked from a table are read from there. */
export function foldLabels({ node, inputs, rowsOf, target }: FoldCall): Tensor[] | undefined {
  if (target.kernels !== 'wgsl') return undefined;
  const [logits, labels, weights] = inputs;
  const rows = labels && rowsOf(labels);
  if (!logits || !weights || !rows || labels.dtype !== 'i32' || rows.table.rank !== 1 || sizeOf(rows.table.shape) === 0)
    return undefined;
  return make({ labelRows: 3 }, node, [logits, rows.table, weights, rows.indices], node.specs, target);
}

/** The share of hits of the same logits and classes, and running means of loss and hits. */
export function joinLoss(call: JoinCall): Fusion | undefined {
  const { node, other, inputs, target } = call;
  if (target.kernels !== 'wgsl') return undefined;
  const chain = chainOf(node);
  const places = placesOf(chain);
  const outputAt = (place: number | undefined): Tensor | undefined => outputsOf(node)[place ?? -1];
  if (other.operation === (accuracyOperation as Operation)) {
    if (chain.hits || !hasSameRows(call)) return undefined;
    return joined({ ...chain, hits: true }, node, [], other, target);
  }
  if (other.operation !== (meterUpdate as Operation)) return undefined;
  const [state, value] = inputs;
  if (!state) return undefined;
  const part = { attributes: other.attributes, state: node.inputs.length };
  if (!chain.lossMeter && isSameTensor(value, outputAt(0))) {
    return joined({ ...chain, lossMeter: part }, node, [state], other, target);
  }
  if (!chain.hitsMeter && isSameTensor(value, outputAt(places.hits))) {
    return joined({ ...chain, hitsMeter: part }, node, [state], other, target);
  }
  return undefined;
}

/** Whether the accuracy that is offered is that of the loss's logits and classes. */
function hasSameRows({ node, inputs: [logits, labels], rowsOf }: JoinCall): boolean {
  const { labelRows } = chainOf(node);
  if (!labels || !isSameTensor(logits, node.inputs[0])) return false;
  if (labelRows === undefined) return isSameTensor(labels, node.inputs[1]);
  const rows = rowsOf(labels);
  return isSameTensor(rows?.table, node.inputs[1]) && isSameTensor(rows?.indices, node.inputs[labelRows]);
}

function joined(
  chain: LossChain,
  node: GraphNode,
  more: readonly Tensor[],
  other: GraphNode,
  target: FusionTarget,
): Fusion | undefined {
  const [before, now] = [placesOf(chainOf(node)), placesOf(chain)];
  const specs = Array.from({ length: now.count }, (_, place): TensorSpec => {
    const part = PARTS.find((name) => now[name] === place);
    const spec = part === undefined || before[part] === undefined ? undefined : node.specs[before[part]];
    return (place < 2 ? node.specs[place] : spec) ?? other.specs[0] ?? { shape: [], dtype: 'f32' };
  });
  const outputs = make(chain, node, [...node.inputs, ...more], specs, target);
  if (!outputs) return undefined;
  const kept: (Tensor | undefined)[] = outputs.slice(0, 2);
  for (const part of PARTS) {
    const [from, to] = [before[part], now[part]];
    if (from !== undefined && to !== undefined) kept[from] = outputs[to];
  }
  const added = PARTS.find((part) => before[part] === undefined && now[part] !== undefined);
  const output = outputs[(added && now[added]) ?? -1];
  return output && { kept, outputs: [output] };
}

const PARTS = ['hits', 'lossMeter', 'hitsMeter'] as const;

/** Where the outputs of the parts stand. */
function placesOf(chain: LossChain) {
  const places: { count: number } & Partial<Record<(typeof PARTS)[number], number>> = { count: 2 };
  for (const part of PARTS) if (chain[part]) places[part] = places.count++;
  return places;
}

/** A node of a chain; undefined where its kernel would bind more than the target can. */
function make(
  chain: LossChain,
  { attributes, trace }: GraphNode,
  inputs: readonly Tensor[],
  specs: readonly TensorSpec[],
  { maxStorageBuffers }: FusionTarget,
): Tensor[] | undefined {
  const bindings = 4 + Number(attributes['weighted']) + bindingsOf(chain).length;
  if (bindings > maxStorageBuffers) return undefined;
  const { labelRows, hits, lossMeter, hitsMeter } = chain;
  const partText = (part: Part | undefined): string => (part ? `${part.state} ${attributesText(part.attributes)}` : '');
  const key = [labelRows, hits, partText(lossMeter), partText(hitsMeter)].map(String).join('\n');
  const operation = known.get(key) ?? lossOperation(chain);
  known.set(key, operation);
  chains.set(operation, chain);
  return createNode({ operation, attributes, inputs, specs, trace });
}

/** The room of a chain. Its reference runs the references of its parts, one after the other. */
function lossOperation(chain: LossChain): Operation<LossAttributes> {
  const { labelRows, hits, lossMeter, hitsMeter } = chain;
  const places = placesOf(chain);
  const writes: (number | undefined)[] = [undefined, undefined];
  if (places.lossMeter !== undefined) writes[places.lossMeter] = lossMeter?.state;
  if (places.hitsMeter !== undefined) writes[places.hitsMeter] = hitsMeter?.state;
  const parts = [
    ...(labelRows === undefined ? [] : ['gather']),
    crossEntropyLoss.name,
    ...(hits ? [accuracyOperation.name] : []),
    ...[lossMeter, hitsMeter].flatMap((part) => (part ? [meterUpdate.name] : [])),
  ];
  return {
    name: parts.join(' + '),
    infer([logits]) {
      throw new Error(`a fused loss of ${formatShape(logits?.shape ?? [])} is made of parts`);
    },
    reference({ inputs, outputs, attributes }) {
      const [logits, table, weights] = inputs;
      const [loss] = outputs;
      if (!logits || !table || !weights || !loss) return;
      const labels = labelRows === undefined ? table : pickedLabels(table, inputs[labelRows]);
      crossEntropyLoss.reference({ inputs: [logits, labels, weights], outputs: outputs.slice(0, 2), attributes });
      const share = outputs[places.hits ?? -1];
      if (share) accuracyOperation.reference({ inputs: [logits, labels], outputs: [share], attributes: {} });
      const add = (part: Part | undefined, place: number | undefined, value: ArrayView | undefined): void => {
        const state = outputs[place ?? -1];
        if (!part || !state || !value) return;
        const { weight } = part.attributes;
        meterUpdate.reference({ inputs: [state, value], outputs: [state], attributes: { weight: Number(weight) } });
      };
      add(lossMeter, places.lossMeter, loss);
      add(hitsMeter, places.hitsMeter, share);
    },
    kernel: (call) => [
      crossEntropyLossLaunch(call, {
        ...(labelRows !== undefined && { labels: lossLabelRowsWgsl }),
        beside: besideCode(chain),
        bindings: bindingsOf(chain),
        constants: {
          ...(labelRows !== undefined && { LABELS: sizeOf(call.inputs[1]?.shape ?? []) }),
          ...(hits && { HITS: 1 }),
          ...(lossMeter && { LOSS_WEIGHT: Number(lossMeter.attributes['weight']) }),
          ...(hitsMeter && { HITS_WEIGHT: Number(hitsMeter.attributes['weight']) }),
        },
      }),
    ],
    gradient: { unwritten: 'fused operations come after differentiation' },
    writes,
    join: joinLoss,
    tolerance: crossEntropyLoss.tolerance,
    cases: [],
  };
}

function pickedLabels(table: ArrayView, rows: ArrayView | undefined): ArrayView {
  if (!rows) throw new Error('labels that are picked need row numbers');
  const labels = { data: new Int32Array(rows.data.length), shape: [rows.data.length] };
  gatherOperation.reference({ inputs: [table, rows], outputs: [labels], attributes: {} });
  return labels;
}

function bindingsOf(chain: LossChain): Binding[] {
  const { lossMeter, hits, hitsMeter } = placesOf(chain);
  return [
    ...(chain.labelRows === undefined ? [] : [{ input: chain.labelRows, at: 6 }]),
    ...(lossMeter === undefined ? [] : [{ output: lossMeter, at: 7 }]),
    ...(hits === undefined ? [] : [{ output: hits, at: 8 }]),
    ...(hitsMeter === undefined ? [] : [{ output: hitsMeter, at: 9 }]),
  ];
}

/** kernels/loss/loss_beside.wgsl without what is not asked for. */
function besideCode({ lossMeter, hits, hitsMeter }: LossChain): string {
  const nothing = (name: string): string => `fn ${name}(value: f32) {\n}`;
  let code = lossBesideWgsl;
  if (!lossMeter) code = fillBlock(code, 'loss meter', nothing('meterLoss'));
  if (!hits) code = fillBlock(code, 'hits', nothing('storeHits'));
  if (!hitsMeter) code = fillBlock(code, 'hits meter', nothing('meterHits'));
  return meteredWgsl + code;
}
