import { pickingRows, replaced } from '../../fusion/absorb.js';
import { type Chain, type Host, outputsOfChain } from '../../fusion/chain.js';
import { type Glue, glueOf, type Spot } from '../../fusion/glue.js';
import type { FoldCall, Fusion, JoinCall, SelectedRows } from '../../fusion/offers.js';
import { isSameTensor } from '../../graph/tensors.js';
import type { Attributes, Call, Operation } from '../../graph/operation.js';
import { elementAt } from '../../element-at.js';
import { axisSize, sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { accuracyOperation } from './accuracy.js';
import {
  crossEntropyLossBindings,
  crossEntropyLossLaunch,
  type LossAttributes,
  type LossParts,
  STAGES_AT,
  WORDS,
} from './cross-entropy-launch.js';

/** The outputs of the loss: itself, its gradient, and the share of hits where it is counted beside it. */
const [LOSS, GRADIENT, HITS] = [0, 1, 2];
/** Which input is the classes. */
const TARGET = 1;

/** How a loss in one launch carries out stages (meters), reads its classes from a table, and counts hits. */
export function lossHost(loss: () => Operation<LossAttributes>) {
  const host: Host = {
    get operation() {
      return loss() as Operation;
    },
    beside: ({ sites }) => (sites.length > HITS ? [accuracyOperation] : []),
    accepts: (_chain, site, _use, { kernels }) => kernels === 'wgsl' && site !== GRADIENT,
    bindings: ({ rows }, { weighted }) => 2 + Number(weighted) + rows.filter(Boolean).length,
    reference(chain, { inputs, attributes }) {
      const [logits, labels] = [elementAt(inputs, 0), elementAt(inputs, TARGET)];
      const [total, share] = [
        { data: new Float32Array(1), shape: [] },
        { data: new Float32Array(1), shape: [] },
      ];
      const { shape } = logits;
      const dLogits = { data: new Float32Array(sizeOf(shape)), shape };
      host.operation?.reference({ inputs: inputs.slice(0, 3), outputs: [total, dLogits], attributes });
      if (chain.sites.length <= HITS) return [total, dLogits];
      accuracyOperation.reference({ inputs: [logits, labels], outputs: [share], attributes: {} });
      return [total, dLogits, share];
    },
    kernel(chain, call) {
      const attributes = lossAttributes(call.attributes);
      const parts = partsOf(chain, call);
      const { shape } = elementAt(call.inputs, 0);
      const use = { N: axisSize(shape, 0), C: axisSize(shape, 1), target: elementAt(call.inputs, TARGET), attributes };
      return [{ ...crossEntropyLossLaunch(use, parts), bindings: crossEntropyLossBindings(attributes, parts) }];
    },
  };
  return {
    chain: (): Chain => ({ host, rows: [], sites: [[], []] }),
    fold: (call: FoldCall): readonly Tensor[] | undefined => foldLabels(call),
    join: (call: JoinCall): Fusion | undefined => joinHits(call),
  };
}

function lossAttributes({ weighted, mean, ignoreIndex, labelSmoothing }: Attributes): LossAttributes {
  const own = { weighted: weighted === true, mean: mean === true };
  return { ...own, ignoreIndex: Number(ignoreIndex), labelSmoothing: Number(labelSmoothing) };
}

function partsOf(chain: Chain, { inputs }: Call<Attributes>): LossParts & { readonly stages: Glue } {
  const hits = chain.sites.length > HITS;
  const loss: Spot = { site: LOSS, put: 'putLoss(given: f32)', index: '0u', count: 1 };
  const share: Spot = { site: HITS, put: 'putHits(given: f32)', index: '0u', count: 1 };
  const printed = glueOf(chain, inputs, hits ? [loss, share] : [loss], {
    width: 1,
    firstBinding: STAGES_AT,
    words: WORDS,
  });
  const stages: Glue = hits ? printed : { ...printed, code: `${printed.code}\nfn putHits(given: f32) {\n}` };
  const labelRows = chain.rows[TARGET]?.indices;
  const dLogits = outputsOfChain(chain).findIndex(({ site }) => site === GRADIENT);
  return { hits, stages, dLogits, ...(labelRows !== undefined && { labelRows }) };
}

/** Classes that are picked from a table are read from there. */
function foldLabels(call: FoldCall): Tensor[] | undefined {
  const { node, inputs, rowsOf, target } = call;
  if (target.kernels !== 'wgsl') return undefined;
  const usable = (labels: Tensor): SelectedRows | undefined => {
    const rows = labels.dtype === 'i32' ? rowsOf(labels) : undefined;
    return rows?.table.rank === 1 && sizeOf(rows.table.shape) > 0 ? rows : undefined;
  };
  return pickingRows(
    call,
    node,
    inputs.map((input, i) => (i === TARGET ? usable(input) : undefined)),
  );
}

/** The share of hits of the same logits and classes. */
function joinHits(call: JoinCall): Fusion | undefined {
  const { node, other, target } = call;
  const chain = node.operation.chain?.({ inputs: node.inputs, outputs: node.specs, attributes: node.attributes });
  if (!chain || target.kernels !== 'wgsl' || other.operation !== (accuracyOperation as Operation)) return undefined;
  if (chain.sites.length > HITS || !hasSameRows(call, chain)) return undefined;
  const next = { ...chain, sites: [...chain.sites, []] };
  return replaced({ producer: node, chain, next, more: [], from: other, site: HITS, renamed: new Map(), target });
}

/** Whether the accuracy that is offered is that of the loss's logits and classes. */
function hasSameRows({ node, inputs: [logits, labels], rowsOf }: JoinCall, chain: Chain): boolean {
  const picked = chain.rows[TARGET];
  if (!labels || !isSameTensor(logits, node.inputs[0])) return false;
  if (!picked) return isSameTensor(labels, node.inputs[TARGET]);
  const rows = rowsOf(labels);
  return isSameTensor(rows?.table, node.inputs[TARGET]) && isSameTensor(rows?.indices, node.inputs[picked.indices]);
}
