import {
  add,
  BatchNorm,
  compile,
  Conv2d,
  correctPredictions,
  DataError,
  Dense,
  DepthwiseConv2d,
  type Device,
  gather,
  GlobalAveragePool,
  GlobalMaxPool,
  gradient,
  loadState,
  MaxPool2d,
  AveragePool2d,
  Module,
  predict,
  ReLU,
  ReLU6,
  relu,
  type SafetensorsTensor,
  Sequential,
  softmaxCrossEntropy,
  stateOf,
  sum,
  tensor,
  type Tensor,
  Variable,
} from '../../lib/index.js';
import { elementAt } from '../../lib/element-at.js';
import type { Attributes } from './attributes.js';
import type { Comparison, Values } from './compare.js';
import { weightInFile } from './in-file.js';
import type { LoadedCase } from './loaded-case.js';
import { optimizerFrom } from './optimizer.js';
import { bytesOf, inputFrom } from './pictures.js';
import { batchesOf, euclideanNorm, Stack, valuesOf } from './rows.js';
import { valuesByRule } from './rule.js';
import { sibling } from './sibling.js';

/** relu(x + bn2(conv2(relu(bn1(conv1(x)))))) */
class Residual extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm;

  constructor(channels: number, layer: Attributes, norm: ConstructorParameters<typeof BatchNorm>[0]) {
    super();
    const padding = layer.number('padding', 0);
    this.conv1 = new Conv2d(channels, layer.number('kernel'), { padding, bias: false });
    this.bn1 = new BatchNorm(norm);
    this.conv2 = new Conv2d(channels, layer.number('kernel'), { padding, bias: false });
    this.bn2 = new BatchNorm(norm);
  }

  override forward(x: Tensor): Tensor {
    const inner = relu(this.bn1.forward(this.conv1.forward(x)));
    return relu(add(x, this.bn2.forward(this.conv2.forward(inner))));
  }
}

/** The net of a `convnet_data` case, by the attribute `layers`, with these first weights. */
function convnetOf(data: LoadedCase, initial: ReadonlyMap<string, SafetensorsTensor>): Module {
  const { attributes } = data;
  const norm = { epsilon: attributes.number('bn_eps', 1e-5), momentum: attributes.number('bn_momentum', 0.1) };
  const layers: Record<string, Module> = {};
  for (const [i, layer] of attributes.list('layers').entries()) {
    const name = layer.has('name') ? layer.text('name') : `layer${i}`;
    const bias = initial.has(`${name}.bias`);
    const window = () => ({ stride: layer.number('stride', 1), padding: layer.number('padding', 0), bias });
    const pool = () => ({ stride: layer.number('stride', layer.number('size')), padding: layer.number('padding', 0) });
    const makers: Readonly<Record<string, () => Module>> = {
      conv: () => {
        const groups = layer.number('groups', 1);
        return new Conv2d(layer.number('out'), layer.number('kernel'), { ...window(), groups });
      },
      depthwise: () => new DepthwiseConv2d(layer.number('kernel'), window()),
      batch_norm: () => new BatchNorm(norm),
      relu: () => new ReLU(),
      relu6: () => new ReLU6(),
      max_pool: () => new MaxPool2d(layer.number('size'), pool()),
      avg_pool: () => new AveragePool2d(layer.number('size'), pool()),
      global_avg_pool: () => new GlobalAveragePool(),
      global_max_pool: () => new GlobalMaxPool(),
      residual: () => {
        const weight = initial.get(`${name}.conv1.weight`);
        return new Residual(elementAt(weight?.shape ?? [], 0), layer, norm);
      },
      linear: () => new Dense(layer.number('out'), { bias }),
    };
    const make = makers[layer.text('layer')];
    if (!make) {
      throw new DataError(`there is no layer '${layer.text('layer')}': expected ${Object.keys(makers).join(', ')}`);
    }
    layers[name] = make();
  }
  const model = new Sequential(layers).build(bytesOf(data, 'train.u8').shape.slice(1));
  loadState(model, { tensors: initial });
  return model;
}

/** The first weights; from the second attempt on moved by one unit in the last place, up or down by chance. */
function initialState(data: LoadedCase, attempt = 0): Map<string, SafetensorsTensor> {
  const state = new Map<string, SafetensorsTensor>();
  for (const [saved, values] of data.tensors) {
    if (!saved.startsWith('init.')) continue;
    const name = saved.replace(/^init\./, '');
    const isMoved = attempt > 0 && values.dtype === 'F32';
    state.set(name, isMoved ? { ...values, data: nextTo(values.data, `${attempt}:${name}`) } : values);
  }
  return state;
}

function nextTo(values: Float32Array, key: string): Float32Array {
  const moved = Float32Array.from(values);
  const bits = new Int32Array(moved.buffer);
  const steps = valuesByRule('input', [values.length], key);
  for (const [i, step] of steps.entries()) if (moved[i] !== 0) bits[i] = elementAt(bits, i) + (step < 0.5 ? -1 : 1);
  return moved;
}

/** `convnet_data`: the net has the parameters it is said to have, and its first weights come back as they were. */
export async function runConvnetData(loaded: LoadedCase, device: Device): Promise<Comparison[]> {
  const model = convnetOf(loaded, initialState(loaded));
  const comparisons: Comparison[] = [];
  if (loaded.attributes.has('params')) {
    const [got, expected] = [model.parameterCount, loaded.attributes.number('params')].map((count) => ({
      shape: [],
      data: [count],
    }));
    if (expected) comparisons.push({ name: 'params', got, expected, rtol: 0, atol: 0 });
  }
  // Where they have been on the device.
  await predict(model, inputFrom(bytesOf(loaded, 'test.u8'), loaded.attributes), { device });
  for (const [name, { shape, data }] of await stateOf(model)) {
    const got = { shape, data: Float32Array.from(data, Number) };
    comparisons.push({ name, got, expected: loaded.values(`init.${name}`), rtol: 0, atol: 0 });
  }
  model.dispose();
  return comparisons;
}

/** `convnet_run`: trains the net with the given batches, and follows PyTorch step by step. */
export async function runConvnet(loaded: LoadedCase, device: Device, attempt: number): Promise<Comparison[]> {
  const data = await sibling(loaded, 'convnet_data', loaded.attributes.text('net'));
  const model = convnetOf(data, initialState(data, attempt));
  const parameters = [...model.namedParameters()];
  const photosOf = (part: string): Tensor => inputFrom(bytesOf(data, `${part}.u8`), data.attributes);
  const photos = new Variable('train.x', photosOf('train'));
  const labels = new Variable('train.labels', Int32Array.from(data.values('train.labels').data));
  const optimizer = optimizerFrom(loaded.attributes);
  const step = compile(
    (rows: Tensor) => {
      const target = gather(labels, rows);
      const logits = model.forward(gather(photos, rows));
      const loss = softmaxCrossEntropy(logits, target);
      const all = parameters.map(([, parameter]) => parameter);
      const gradients = gradient(loss, all);
      optimizer.apply(all, gradients);
      return [loss, sum(correctPredictions(logits, target)), logits, ...gradients];
    },
    { device },
  );
  const results = new Map<string, Values>();
  const remember = async (prefix: string, isMeant: (name: string) => boolean = () => true): Promise<void> => {
    for (const [name, { shape, data: values }] of await stateOf(model)) {
      if (isMeant(name)) results.set(`${prefix}.${name}`, { shape, data: Float32Array.from(values, Number) });
    }
  };
  const histories = new Map(
    ['loss', 'hits', ...parameters.map(([name]) => `grad_norm.${name}`)].map((name) => [name, new Stack([])]),
  );
  for (const [i, rows] of batchesOf(data.values('order')).entries()) {
    const [loss, hits, logits, ...gradients] = await Promise.all(
      (await step(tensor(Int32Array.from(rows)))).map(valuesOf),
    );
    if (!loss || !hits || !logits) throw new Error('a step has three results and the gradients');
    histories.get('loss')?.push(loss.data);
    histories.get('hits')?.push(hits.data);
    if (i === 0) results.set('first_logits', logits);
    for (const [p, [name, parameter]] of parameters.entries()) {
      const found = gradients[p];
      if (!found) continue;
      histories.get(`grad_norm.${name}`)?.push([euclideanNorm(found.data)]);
      if (i === 0) results.set(`first_grad.${name}`, weightInFile(parameter, Float32Array.from(found.data)));
    }
    if (i === 0) await remember('first_running', (name) => /\.running_(mean|var)$/.test(name));
    if (i === 9) await remember('step10');
  }
  await remember('final');
  for (const [name, history] of histories) results.set(name, history.values());
  for (const part of ['train', 'test']) {
    results.set(`logits_${part}`, await valuesOf(await predict(model, photosOf(part), { device })));
  }
  step.dispose();
  optimizer.dispose();
  for (const owned of [photos, labels, model]) owned.dispose();
  return loaded.comparisons(results);
}
