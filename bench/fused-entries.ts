import { fuse } from '../lib/fusion/pass.js';
import type { GraphNode } from '../lib/graph/node.js';
import { nodesBefore } from '../lib/graph/nodes.js';
import type { CaseInput } from '../lib/graph/operation.js';
import { record } from '../lib/graph/trace.js';
import { myNet, SGD, softmaxCrossEntropy } from '../lib/index.js';
import { Tensor } from '../lib/tensor.js';
import type { Entry } from './entry.js';
import { BATCH, CLASSES, DROPOUT, HIDDEN, INPUTS, LEARNING_RATE, MOMENTUM } from './step/workload.js';

/** What the fuse pass makes of MyNet's training step: its layers, their backward passes and their updates. */
export function fusedEntries(): readonly Entry[] {
  const model = myNet({ hidden: HIDDEN, classes: CLASSES, dropout: DROPOUT }).build([INPUTS]);
  model.train();
  const optimizer = new SGD({ learningRate: LEARNING_RATE, momentum: MOMENTUM });
  const inputs = new Tensor({ shape: [BATCH, INPUTS], dtype: 'f32' }, { kind: 'input', position: 0 });
  const labels = new Tensor({ shape: [BATCH], dtype: 'i32' }, { kind: 'input', position: 1 });
  const { trace } = record(() => {
    optimizer.minimize(softmaxCrossEntropy(model.forward(inputs), labels), model.parameters());
  });
  const { updates } = fuse(
    { outputs: [], updates: [...trace.updates.values()] },
    { kernels: 'wgsl', maxStorageBuffers: 8 },
  );
  return nodesBefore(updates)
    .filter(({ operation }) => operation.name.includes(' + '))
    .map(entryOf);
}

function entryOf(node: GraphNode): Entry {
  const { operation, attributes, specs } = node;
  return {
    operation: { ...operation, infer: () => [...specs] }, // a fused operation has no shape rule of its own
    name: nameOf(node),
    inputs: node.inputs.map(caseOf),
    attributes,
    isFused: true,
  };
}

/** States of generators and optimizers are no numbers of any kind. */
function caseOf({ shape, dtype, origin }: Tensor): CaseInput {
  if (dtype !== 'u32') return { shape, dtype, fill: 'normal' };
  const isOptimizer = origin.kind === 'variable' && origin.variable.name.startsWith('optimizer');
  return { shape, dtype, fill: isOptimizer ? { step: 3 } : 'state' };
}

/** `mynetFc1Forward`, `mynetFc2Gradient` (with respect to the layer's input) or `mynetFc1Update`. */
function nameOf({ operation, inputs, attributes }: GraphNode): string {
  const variables = inputs.map(({ origin }) => (origin.kind === 'variable' ? origin.variable.name : ''));
  const layer = variables.find((name) => name.startsWith('fc'))?.replace(/^f(\w+)\..*/, 'F$1') ?? '';
  const role = operation.writes ? 'Update' : attributes['transposeB'] === true ? 'Forward' : 'Gradient';
  return `mynet${layer}${role}`;
}
