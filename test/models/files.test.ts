/** Files as torchvision and Keras write them, with weights by a rule and the logits that PyTorch computed with them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'tape';
import {
  DataError,
  mobileNetV1,
  mobileNetV2,
  type Module,
  resnet18,
  run,
  type SafetensorsTensor,
  stateOf,
  type Tensor,
} from '../../lib/index.js';
import type { NumericArray } from '../../lib/graph/operation.js';
import { elementAt } from '../../lib/element-at.js';
import { loadWeights, writeSafetensors } from '../../lib/node/index.js';
import { picturesFrom } from '../conformance/in-file.js';
import { valuesByRule } from '../conformance/rule.js';
import { differs } from '../support/close.js';
import { simd } from '../support/devices.js';
import { rejects } from '../support/errors.js';

type State = Map<string, SafetensorsTensor>;

/** Weights by the rule, with the number of batches beside running statistics, as PyTorch writes it. */
async function fileOf(model: Module): Promise<State> {
  const state: State = new Map();
  for (const [name, { shape }] of await stateOf(model)) {
    state.set(name, { dtype: 'F32', shape, data: valuesByRule(name, shape, '') });
    if (!name.endsWith('.running_var')) continue;
    const counts = name.replace('running_var', 'num_batches_tracked');
    state.set(counts, { dtype: 'I64', shape: [], data: BigInt64Array.of(3n) });
  }
  return state;
}

async function withFile(state: State, use: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kernelwright-models-'));
  try {
    const path = join(folder, 'net.safetensors');
    await writeSafetensors(path, state);
    await use(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const pictures = (height: number, width: number): Tensor =>
  picturesFrom({ shape: [2, 3, height, width], data: valuesByRule('input', [2, 3, height, width], '') });

async function logitsOf(model: Module, input: Tensor): Promise<NumericArray> {
  model.eval();
  return (await run(() => model.forward(input), { device: simd })).data();
}

/** Logits in float64, computed with PyTorch 1.13: two pictures. */
const nets = [
  {
    ...{ name: 'mobilenet_v2', make: () => mobileNetV2({ classes: 2 }), height: 64, width: 64, batchNorms: 52 },
    logits: [-1.796881167898631, -2.2339553406110655, -2.142252514806617, -2.155135781068264],
  },
  {
    ...{ name: 'resnet18', make: () => resnet18({ classes: 3 }), height: 33, width: 40, batchNorms: 20 },
    logits: [
      2.926168438357555, -1.0222128404299338, -4.25563101555837, 2.474127054703035, -2.0788289303481156,
      -4.321652516875595,
    ],
  },
];

for (const { name, make, height, width, batchNorms, logits } of nets) {
  test(`a file of torchvision's ${name} loads and gives its logits`, async (t) => {
    const model = make().build([height, width, 3], { seed: 1 });
    const before = await logitsOf(model, pictures(height, width));
    t.ok(differs(before, logits, { absolute: 1e-3, relative: 0 }), 'other weights give other ones');
    await withFile(await fileOf(model), async (path) => {
      const { loaded, missing, extra, misshapen, ignored } = await loadWeights(path, model);
      t.deepEqual([missing, extra, misshapen], [[], [], []]);
      t.equal(loaded.length, model.namedVariables().size);
      t.equal(ignored.length, batchNorms);
    });
    const found = await logitsOf(model, pictures(height, width));
    t.equal(differs(found, logits, { absolute: 1.2e-4, relative: 1e-5 }), undefined);
  });
}

test('a file of torchvision that lacks, has and bends a tensor gives one error with all three', async (t) => {
  const model = mobileNetV2({ classes: 2 }).build([32, 32, 3]);
  const state = await fileOf(model);
  state.delete('features.3.conv.1.1.running_mean');
  state.set('features.19.0.weight', { dtype: 'F32', shape: [1], data: new Float32Array(1) });
  state.set('classifier.1.weight', { dtype: 'F32', shape: [1000, 1280], data: new Float32Array(1_280_000) });
  await withFile(state, async (path) => {
    const before = await stateOf(model);
    await rejects(
      t,
      loadWeights(path, model),
      DataError,
      'features.3.conv.1.1.running_mean is missing',
      'features.19.0.weight is not in the model',
      'classifier.1.weight is [1000, 1280], the model has [2, 1280]',
    );
    t.deepEqual(await stateOf(model), before, 'nothing was set');
    const { missing, extra, misshapen } = await loadWeights(path, model, { strict: false });
    t.deepEqual(
      [missing, extra, misshapen],
      [['features.3.conv.1.1.running_mean'], ['features.19.0.weight'], ['classifier.1.weight']],
    );
  });
});

/** A variable of PyTorch's file as Keras has it: its name, and its numbers in its order. */
function asKeras(name: string, { shape, data: numbers }: SafetensorsTensor): [string, SafetensorsTensor] {
  const data = Float32Array.from(numbers, Number);
  const layer = name.slice(0, name.lastIndexOf('.'));
  const variable = name.slice(layer.length + 1);
  const isNorm = layer.endsWith('_bn');
  const isDepthwise = layer.startsWith('conv_dw') && !isNorm;
  const own =
    { running_mean: 'moving_mean', running_var: 'moving_variance', bias: isNorm ? 'beta' : 'bias' }[variable] ??
    (isNorm ? 'gamma' : isDepthwise ? 'depthwise_kernel' : 'kernel');
  // out, in, height, width → height, width, in, out; of a depthwise kernel the channels are `out`.
  const order = shape.length === 4 ? (isDepthwise ? [2, 3, 0, 1] : [2, 3, 1, 0]) : shape.length === 2 ? [1, 0] : [0];
  const sizes = order.map((axis) => elementAt(shape, axis));
  const moved = Float32Array.from(data, (_, place) => {
    let rest = place;
    const indices = shape.map(() => 0);
    for (const i of [...order.keys()].reverse()) {
      indices[elementAt(order, i)] = rest % elementAt(sizes, i);
      rest = Math.floor(rest / elementAt(sizes, i));
    }
    return elementAt(
      data,
      indices.reduce((sum, index, axis) => sum * elementAt(shape, axis) + index, 0),
    );
  });
  return [`${layer}/${own}:0`, { dtype: 'F32', shape: sizes, data: moved }];
}

test("a file of Keras's MobileNet loads and gives its logits", async (t) => {
  const model = mobileNetV1({ classes: 2, width: 0.25 }).build([50, 50, 3], { seed: 1 });
  const state = await fileOf(model);
  const ofKeras = [...state].filter(([name]) => !name.endsWith('num_batches_tracked'));
  const file = new Map(ofKeras.map(([name, saved]) => asKeras(name, saved)));
  t.deepEqual(file.get('conv_dw_2/depthwise_kernel:0')?.shape, [3, 3, 16, 1]);
  t.deepEqual(file.get('fc/kernel:0')?.shape, [256, 2]);
  await withFile(file, async (path) => {
    const { loaded } = await loadWeights(path, model, { layout: 'keras' });
    t.equal(loaded.length, model.namedVariables().size);
  });
  const logits = [-0.06815559553738261, 0.020697170800036024, -0.059096740924135485, 0.023268175980588585];
  t.equal(differs(await logitsOf(model, pictures(50, 50)), logits, { absolute: 2e-6, relative: 1e-5 }), undefined);
});
