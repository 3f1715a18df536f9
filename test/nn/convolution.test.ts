import test from 'tape';
import {
  Conv2d,
  ConvTranspose2d,
  DepthwiseConv2d,
  loadState,
  Module,
  multiply,
  OptionError,
  run,
  type SafetensorsTensor,
  Sequential,
  ShapeError,
  stateOf,
  tensor,
  type Tensor,
  zeros,
} from '../../lib/index.js';
import { testOnDevices } from '../support/devices.js';
import { refuses } from '../support/errors.js';

const counting = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => i);

/** One picture 1 high and 3 wide, with two channels: (1, 10), (2, 20), (3, 30). */
const strip = tensor([[[[1, 10], [2, 20], [3, 30]]]]); // prettier-ignore

testOnDevices('Conv2d computes with its weight and bias, and learns its channels', async (t, device) => {
  const layer = new Conv2d(1, [1, 2], { inputChannels: 2 }).build([1, 3, 2]);
  layer.weight?.set(Float32Array.of(1, 0, 0, 0.5)); // [1, 1, 2, 2]: the first channel here, half of the second one place on
  layer.bias?.set(Float32Array.of(100));
  const output = await run(() => layer.forward(strip), { device });
  t.deepEqual(output.shape, [1, 1, 2, 1]);
  t.deepEqual(await output.data(), Float32Array.of(100 + 1 + 10, 100 + 2 + 15));
  const pointwise = new Conv2d(2, 1, { bias: false }).build([1, 3, 2]);
  pointwise.weight?.set(Float32Array.of(1, 1, 0, 2)); // [2, 1, 1, 2]
  t.deepEqual(
    await (await run(() => pointwise.forward(strip), { device })).data(),
    Float32Array.of(11, 20, 22, 40, 33, 60),
  );
});

testOnDevices('DepthwiseConv2d gives each channel its own window, or several', async (t, device) => {
  const layer = new DepthwiseConv2d([1, 2]).build([1, 3, 2]);
  layer.weight?.set(Float32Array.of(1, 0, 0, 1)); // [1, 2, 2]: of channel 0 this place, of channel 1 the next one
  layer.bias?.set(Float32Array.of(0.5, 0));
  const output = await run(() => layer.forward(strip), { device });
  t.deepEqual(await output.data(), Float32Array.of(1.5, 20, 2.5, 30));

  const two = new DepthwiseConv2d(1, { depthMultiplier: 2, bias: false }).build([1, 3, 2]);
  two.weight?.set(Float32Array.of(1, 2, 3, 4)); // channels 0, 0, 1, 1
  const wide = await run(() => two.forward(strip), { device });
  t.deepEqual(wide.shape, [1, 1, 3, 4]);
  t.deepEqual(await wide.data(), Float32Array.of(1, 2, 30, 40, 2, 4, 60, 80, 3, 6, 90, 120));
});

testOnDevices('ConvTranspose2d spreads each place over a window', async (t, device) => {
  const layer = new ConvTranspose2d(1, [1, 2], { stride: [1, 2] }).build([1, 3, 2]);
  layer.weight?.set(Float32Array.of(1, 2, 0.1, 0.2)); // [2, 1, 2, 1]
  layer.bias?.set(Float32Array.of(0));
  const output = await run(() => layer.forward(strip), { device });
  t.deepEqual(output.shape, [1, 1, 6, 1]);
  t.deepEqual(
    (await output.data()).map((value) => Math.round(value * 1000)),
    Float32Array.of(2000, 4000, 4000, 8000, 6000, 12000),
  );
});

test('sizes of outputs: stride, padding by numbers and as Keras has it, dilation, groups', (t) => {
  for (const [layer, outputShape, weightShape] of [
    [new Conv2d(8, 3), [6, 7, 8], [8, 3, 3, 4]],
    [new Conv2d(8, [3, 5], { stride: 2, padding: 'same' }), [4, 5, 8], [8, 3, 5, 4]],
    [new Conv2d(8, 3, { padding: [0, 1, 2, 3], groups: 2 }), [7, 12, 8], [8, 3, 3, 2]],
    [new Conv2d(8, 3, { dilation: [2, 1], padding: 1 }), [6, 9, 8], [8, 3, 3, 4]],
    [new DepthwiseConv2d(3, { stride: 2, padding: 1 }), [4, 5, 4], [3, 3, 4]],
    [new DepthwiseConv2d(3, { depthMultiplier: 3, padding: 'same' }), [8, 9, 12], [12, 3, 3, 1]],
    [new ConvTranspose2d(6, 2, { stride: 2, groups: 2 }), [16, 18, 6], [4, 2, 2, 3]],
    [new ConvTranspose2d(6, 3, { stride: 2, padding: 1, outputPadding: 1 }), [16, 18, 6], [4, 3, 3, 6]],
  ] as const) {
    layer.build([8, 9, 4]);
    t.deepEqual(layer.outputShape(), outputShape);
    t.deepEqual(layer.weight?.shape, weightShape);
    t.deepEqual(layer.bias?.shape, outputShape.slice(-1));
  }
  t.end();
});

test("the default weights are PyTorch's, uniform in ±1/√fanIn", async (t) => {
  for (const [layer, fanIn] of [
    [new Conv2d(64, 3), 8 * 9],
    [new Conv2d(64, 3, { groups: 4 }), 2 * 9],
    [new DepthwiseConv2d(7, { depthMultiplier: 20 }), 49],
    [new DepthwiseConv2d(21), 441],
    [new ConvTranspose2d(64, 3, { groups: 2 }), 32 * 9], // PyTorch looks at the shape [in, out / groups, ..] alone
  ] as const) {
    layer.build([32, 32, 8]);
    const [weight = [], bias = []] = await Promise.all([layer.weight?.data(), layer.bias?.data()]);
    const bound = 1 / Math.sqrt(fanIn);
    const most = Math.max(...weight.map(Math.abs));
    t.ok(most <= bound && most > 0.98 * bound, `${layer.constructor.name}: ${most} of ${bound}`);
    t.ok(Math.max(...bias.map(Math.abs)) <= bound && bias.some((value) => value !== 0));
  }
  const fans: unknown[] = [];
  const ask = (shape: readonly number[], own: object) => (
    fans.push(own),
    zeros()(shape, own as never, undefined as never)
  );
  for (const layer of [
    new Conv2d(6, [3, 5], { groups: 2, weightInitializer: ask }),
    new DepthwiseConv2d([3, 5], { weightInitializer: ask }),
    new DepthwiseConv2d([3, 5], { depthMultiplier: 2, weightInitializer: ask }),
    new ConvTranspose2d(6, [3, 5], { weightInitializer: ask }),
  ]) {
    layer.build([9, 9, 8]);
  }
  t.deepEqual(fans, [
    { fanIn: 60, fanOut: 90 },
    { fanIn: 15, fanOut: 120 },
    { fanIn: 15, fanOut: 240 },
    { fanIn: 90, fanOut: 120 },
  ]);
});

test('weights lie in files as PyTorch and Keras have them', async (t) => {
  const net = () =>
    new Sequential({
      conv: new Conv2d(4, [2, 3], { groups: 2, weightInitializer: (shape) => counting(shape.reduce((a, b) => a * b)) }),
      depthwise: new DepthwiseConv2d([2, 3]),
      wide: new DepthwiseConv2d([2, 3], { depthMultiplier: 2 }),
      up: new ConvTranspose2d(2, [2, 3]),
    }).build([9, 9, 6]);
  const model = net();
  const state = await stateOf(model);
  const shapes = Object.fromEntries([...state].map(([name, { shape }]) => [name, shape]));
  t.deepEqual(shapes, {
    ...{ 'conv.weight': [4, 3, 2, 3], 'conv.bias': [4] },
    ...{ 'depthwise.weight': [4, 1, 2, 3], 'depthwise.bias': [4] },
    ...{ 'wide.weight': [8, 1, 2, 3], 'wide.bias': [8] },
    ...{ 'up.weight': [8, 2, 2, 3], 'up.bias': [2] },
  });
  // The first channel of the output: [2, 3, 3] here, whose last axis, the channels, comes first in the file.
  t.deepEqual(
    state.get('conv.weight')?.data.slice(0, 18),
    Float32Array.of(0, 3, 6, 9, 12, 15, 1, 4, 7, 10, 13, 16, 2, 5, 8, 11, 14, 17),
  );
  const copy = net();
  loadState(copy, { tensors: state });
  t.deepEqual(await stateOf(copy), state);

  const kernels: [string, number[]][] = [
    ['conv/kernel:0', [2, 3, 3, 4]],
    ['depthwise/depthwise_kernel:0', [2, 3, 4, 1]],
    ['wide/depthwise_kernel:0', [2, 3, 4, 2]],
    ['up/kernel:0', [2, 3, 2, 8]],
  ];
  const keras = new Map<string, SafetensorsTensor>(
    kernels.map(([name, shape]) => [name, { dtype: 'F32', shape, data: counting(shape.reduce((a, b) => a * b)) }]),
  );
  for (const [name, { shape }] of state) {
    if (name.endsWith('.bias'))
      keras.set(name.replace('.', '/'), { dtype: 'F32', shape, data: counting(shape[0] ?? 0) });
  }
  loadState(copy, { tensors: keras }, { layout: 'keras' });
  const loaded = await stateOf(copy);
  // Element [r, s, i, o] of Keras's kernel is element [o, i, r, s] in PyTorch's file.
  const at = (name: string, place: number) => loaded.get(name)?.data[place];
  t.equal(at('conv.weight', ((3 * 3 + 2) * 2 + 1) * 3 + 1), ((1 * 3 + 1) * 3 + 2) * 4 + 3);
  t.equal(at('depthwise.weight', (3 * 2 + 1) * 3 + 2), (1 * 3 + 2) * 4 + 3);
  t.equal(
    at('wide.weight', ((2 * 3 + 1) * 2 + 1) * 3 + 2),
    ((1 * 3 + 2) * 4 + 3) * 2 + 1,
    'channel 3, the second of its two',
  );
  t.equal(at('up.weight', ((5 * 2 + 1) * 2 + 1) * 3 + 2), ((1 * 3 + 2) * 2 + 1) * 8 + 5);
});

test('pictures that have their channels first are refused, with what to do', (t) => {
  class Scaled extends Module {
    readonly conv = new Conv2d(8, 3, { padding: 1 });

    override forward(input: Tensor): Tensor {
      return this.conv.forward(multiply(input, 1 / 255));
    }
  }
  const advice = ["layout 'channels-last'", 'transpose(input, [0, 2, 3, 1])', '[N, height, width, channels]'];
  for (const [model, shape] of [
    [new Sequential({ conv1: new Conv2d(8, 3, { padding: 1 }) }), [3, 64, 64]],
    [new Sequential({ conv1: new DepthwiseConv2d(3, { padding: 'same' }) }), [3, 36, 64]],
    [new Sequential({ conv1: new ConvTranspose2d(8, 3) }), [1, 28, 28]],
    [new Scaled(), [4, 10, 10]],
  ] as const) {
    refuses(
      t,
      () => model.build(shape),
      ShapeError,
      'conv',
      `[1, ${shape.join(', ')}]`,
      `inputChannels: ${shape[2]}`,
      ...advice,
    );
    model.build([shape[1], shape[2], shape[0]]);
    t.equal(model.isBuilt, true, 'the other order is taken afterwards');
  }
  // What may be meant so: small pictures, a row of values, features of another net, and what the layer is told.
  for (const [layer, shape] of [
    [new Conv2d(8, 3, { padding: 1 }), [3, 3, 256]],
    [new Conv2d(8, 3, { padding: 1 }), [7, 7, 512]],
    [new Conv2d(8, [1, 3]), [1, 100, 16]],
    [new Conv2d(8, 3, { padding: 1, inputChannels: 64 }), [3, 64, 64]],
  ] as const) {
    t.doesNotThrow(() => layer.build(shape), shape.join());
  }
  const inner = new Sequential([new Conv2d(64, [62, 1], { padding: 0 }), new Conv2d(8, 3, { padding: 1 })]);
  t.doesNotThrow(() => inner.build([64, 64, 3]), 'nobody guesses inside of a net: [3, 64, 64] there');
  const told = new Sequential({ stem: new Conv2d(8, 3, { inputChannels: 3 }) });
  refuses(t, () => told.build([3, 64, 64]), ShapeError, 'stem', '[N, height, width, channels]', 'transpose(picture');
  t.end();
});

test('what does not fit is refused, naming the layer', (t) => {
  const build = (layer: Module, shape: readonly number[]) => () => new Sequential({ stem: layer }).build(shape);
  refuses(t, build(new Conv2d(8, 7), [5, 9, 3]), ShapeError, 'Conv2d stem', 'a height of 7', 'one of 5');
  refuses(t, build(new DepthwiseConv2d(7), [9, 5, 3]), ShapeError, 'DepthwiseConv2d stem', 'a width of 7');
  refuses(t, build(new Conv2d(8, 3), [9, 9]), ShapeError, 'Conv2d stem', '[N, height, width, channels]', '[1, 9, 9]');
  refuses(t, build(new Conv2d(8, 3, { groups: 4 }), [9, 9, 6]), ShapeError, 'Conv2d stem', '6 channels', '4 groups');
  refuses(t, build(new ConvTranspose2d(8, 3, { groups: 4 }), [9, 9, 6]), ShapeError, 'stem', '6 channels', '4 groups');
  const layer = new Conv2d(8, 3).build([9, 9, 4]);
  refuses(
    t,
    () => layer.forward(tensor(new Float32Array(9 * 9 * 3), { shape: [1, 9, 9, 3] })),
    ShapeError,
    'Conv2d',
    '3',
    '4',
  );
  refuses(t, () => new Conv2d(0, 3), OptionError, 'Conv2d: outChannels must be a whole number of 1 or more, found 0');
  refuses(t, () => new Conv2d(8, [3, 0]), OptionError, 'Conv2d: kernelSize must be');
  refuses(t, () => new DepthwiseConv2d('3' as never), OptionError, 'DepthwiseConv2d: kernelSize must be', '"3"');
  refuses(t, () => new Conv2d(6, 3, { groups: 4 }), OptionError, '6 channels', '4 groups');
  refuses(t, () => new ConvTranspose2d(6, 3, { groups: 4 }), OptionError, '6 channels', '4 groups');
  refuses(t, () => new Conv2d(8, 3, { strides: 2 } as never), OptionError, "did you mean 'stride'?");
  refuses(t, () => new DepthwiseConv2d(3, { groups: 2 } as never), OptionError, "'groups'");
  refuses(t, () => new DepthwiseConv2d(3, { depthMultiplier: 0.5 }), OptionError, 'depthMultiplier', '0.5');
  refuses(t, () => new ConvTranspose2d(8, 3, { outputPadding: -1 }), OptionError, 'outputPadding', '-1');
  t.end();
});
