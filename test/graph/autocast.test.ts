import test from 'tape';
import { openNullDevice } from '../../bench/host/null-device.js';
import { placedBytes } from '../../lib/device/places.js';
import { roundToFloat16 } from '../../lib/float16.js';
import {
  autocast,
  AveragePool2d,
  BatchNorm,
  checkpoint,
  compile,
  Conv2d,
  Dense,
  DepthwiseConv2d,
  type Device,
  GlobalAveragePool,
  gradient,
  LayerNorm,
  MaxPool2d,
  multiply,
  OptionError,
  ReLU,
  relu,
  resnet18,
  run,
  Sequential,
  SGD,
  softmaxCrossEntropy,
  square,
  sum,
  tanh,
  type Tensor,
  tensor,
} from '../../lib/index.js';
import { RandomStream } from '../../lib/random.js';
import { cpu, simd, testOnDevices } from '../support/devices.js';
import { refuses } from '../support/errors.js';
import { fusingCpu, stepsOf } from '../support/fusing.js';
import { webgpu } from '../support/webgpu.js';

function normal(count: number, seed: number): Float32Array {
  return new RandomStream(seed, 'autocast').normal(count);
}

testOnDevices(
  'autocast rounds what operations compute, and the gradients of it, but not its result',
  async (t, device) => {
    const [a, b] = [normal(35, 1), normal(35, 2)];
    const [result, ...slopes] = await run(
      () => {
        const [x, y] = [tensor(a, { shape: [5, 7] }), tensor(b, { shape: [5, 7] })];
        const output = autocast(() => square(multiply(x, y)));
        return [output, ...gradient(sum(output), [x, y])];
      },
      { device },
    );
    const product = a.map((value, i) => roundToFloat16(Math.fround(value * (b[i] ?? NaN))));
    t.deepEqual(
      await result.data(),
      product.map((value) => value * value),
      'of a product that is a 16-bit float',
    );
    const expected = [b, a].map((other) => product.map((value, i) => roundToFloat16(2 * value) * (other[i] ?? NaN)));
    for (const [i, slope] of slopes.entries()) t.deepEqual(await slope.data(), expected[i]);
  },
);

testOnDevices('autocast leaves sums, statistics and vectors as they are', async (t, device) => {
  const values = normal(1000, 3);
  const [inside, outside] = await run(
    () => {
      const total = (): Tensor => multiply(sum(tensor(values, { shape: [10, 100] }), { axes: [1] }), 1.5);
      return [autocast(() => multiply(total(), 1)), multiply(total(), 1)];
    },
    { device },
  );
  t.deepEqual(await inside.data(), await outside.data());
});

/** Some steps of training a small net: the losses, the parameters in the end, and the names of the steps. */
async function trained(
  device: Device,
  {
    steps,
    half,
    checkpoints = false,
  }: { readonly steps: number; readonly half: boolean; readonly checkpoints?: boolean },
) {
  const body = new Sequential([new Conv2d(8, 3), new BatchNorm(), new ReLU(), new MaxPool2d(2)]);
  const rest = new Sequential([
    new Conv2d(12, 3, { bias: false }),
    new LayerNorm(),
    new GlobalAveragePool(),
    new Dense(3),
  ]);
  const model = new Sequential([body, rest]);
  model.build([10, 9, 4], { seed: 5 });
  const optimizer = new SGD({ learningRate: 0.1, momentum: 0.9 });
  const step = compile(
    (pictures, classes) => {
      const forward = (): Tensor => {
        const features = (): Tensor => body.forward(pictures);
        return rest.forward(checkpoints ? checkpoint(features) : features());
      };
      const loss = softmaxCrossEntropy(half ? autocast(forward) : forward(), classes);
      optimizer.minimize(loss, model.parameters());
      return loss;
    },
    { device },
  );
  const pictures = tensor(normal(6 * 10 * 9 * 4, 4), { shape: [6, 10, 9, 4] });
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) losses.push(await (await step(pictures, Int32Array.of(0, 1, 2, 2, 1, 0))).item());
  const parameters = await Promise.all(model.parameters().map((parameter) => parameter.data()));
  return { losses, names: stepsOf(step), parameters: parameters.flatMap((values) => Array.from(values)) };
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0);
}

test('a training step under autocast is the same on all devices, up to the rounding of single numbers', async (t) => {
  const expected = await trained(cpu, { steps: 3, half: true });
  for (const [name, device] of Object.entries({ simd, fusing: fusingCpu(), webgpu: await webgpu() })) {
    const { losses, parameters, names } = await trained(device, { steps: 3, half: true });
    t.ok(
      largestDifference(losses, expected.losses) < 1e-3,
      `${name}: losses ${losses.join()}, ${expected.losses.join()}`,
    );
    const most = largestDifference(parameters, expected.parameters);
    t.ok(most < 1e-3, `${name}: parameters differ by ${most} at most`);
    t.ok(
      names.some((own) => own.startsWith('conv2d + add + storeFloat16')),
      `${name}: a convolution stores 16-bit floats`,
    );
    t.ok(
      names.some((own) => own.startsWith('normalizeBatchInputGradient + storeFloat16')),
      `${name}: a gradient`,
    );
  }
});

test('training under autocast stays within a percent of the loss in f32', async (t) => {
  const [half, whole] = [
    await trained(simd, { steps: 20, half: true }),
    await trained(simd, { steps: 20, half: false }),
  ];
  t.notDeepEqual(half.losses, whole.losses);
  half.losses.forEach((loss, i) => {
    const wanted = whole.losses[i] ?? NaN;
    t.ok(Math.abs(loss - wanted) < 0.01 * wanted + 1e-3, `step ${i}: ${loss}, in f32 ${wanted}`);
  });
});

test('under autocast, too, what a checkpoint computes again is the same, bit for bit', async (t) => {
  const [kept, again] = [
    await trained(simd, { steps: 3, half: true }),
    await trained(simd, { steps: 3, half: true, checkpoints: true }),
  ];
  t.deepEqual(again.losses, kept.losses);
  t.deepEqual(again.parameters, kept.parameters);
});

test('a step of a net takes little more than half the memory under autocast on WebGPU, with checkpoints, too', async (t) => {
  const device = await openNullDevice();
  const bytesOf = (half: boolean, checkpoints: boolean): number => {
    const model = resnet18({ classes: 2, checkpoint: checkpoints });
    model.build([64, 64, 3]);
    const optimizer = new SGD({ learningRate: 0.01 });
    const step = compile(
      (inputs, labels) => {
        const forward = (): Tensor => model.forward(inputs);
        optimizer.minimize(softmaxCrossEntropy(half ? autocast(forward) : forward(), labels), model.parameters());
      },
      { device },
    );
    const specs = [
      { shape: [16, 64, 64, 3], dtype: 'f32' },
      { shape: [16], dtype: 'i32' },
    ] as const;
    return placedBytes(device, step.prepare(...specs).program).slots;
  };
  for (const checkpoints of [false, true]) {
    const [half, whole] = [bytesOf(true, checkpoints), bytesOf(false, checkpoints)];
    t.ok(half < (checkpoints ? 0.75 : 0.6) * whole, `${half} of ${whole} bytes`);
  }
  device.dispose();
});

test('depthwise kernels and those of pooling read and store 16-bit floats under autocast', async (t) => {
  const device = await openNullDevice();
  const stepOf = (half: boolean) => {
    const body = new Sequential([
      new Conv2d(8, 3, { bias: false }),
      new DepthwiseConv2d(3, { padding: 1, bias: false }),
      new BatchNorm(),
      new MaxPool2d(2),
      new Conv2d(8, 3, { bias: false }),
      new AveragePool2d(2),
      new GlobalAveragePool(),
      new Dense(3),
    ]);
    const optimizer = new SGD({ learningRate: 0.1 });
    body.build([16, 16, 3]);
    return compile(
      (pictures, classes) => {
        const forward = (): Tensor => body.forward(pictures);
        optimizer.minimize(softmaxCrossEntropy(half ? autocast(forward) : forward(), classes), body.parameters());
      },
      { device },
    );
  };
  const [half, whole] = [stepOf(true), stepOf(false)];
  for (const step of [half, whole]) {
    await step(tensor(normal(6 * 16 * 16 * 3, 4), { shape: [6, 16, 16, 3] }), Int32Array.of(0, 1, 2, 2, 1, 0));
  }
  const names = stepsOf(half);
  t.deepEqual(
    names.filter((name) => name === 'readFloat16'),
    [],
    'nothing is widened on its own',
  );
  t.ok(names.includes('depthwiseConv2d + storeFloat16'), names.join());
  t.ok(names.includes('depthwiseConv2dInputGradient + storeFloat16'), names.join());
  device.dispose();
});

testOnDevices(
  '16-bit floats have room in a slot of any size, and come out of it as they went in',
  async (t, device) => {
    for (const size of [1, 3, 4, 5, 127, 1025]) {
      const values = normal(size, size);
      const [first, second] = await run(
        () => {
          const [wide, other] = autocast(() => {
            const x = multiply(tensor(values, { shape: [1, size] }), 3);
            return [tanh(x), multiply(relu(x), sum(x))];
          });
          return [wide, other] as [Tensor, Tensor];
        },
        { device },
      );
      const tripled = values.map((value) => roundToFloat16(Math.fround(value * 3)));
      const got = await first.data();
      t.ok(largestDifference([...got], [...tripled.map(Math.tanh)]) < 1e-6, `tanh of ${size}`);
      const total = tripled.reduce((all, value) => all + value, 0);
      const expected = tripled.map((value) => roundToFloat16(Math.max(value, 0)) * total);
      t.ok(largestDifference([...(await second.data())], [...expected]) < 1e-3 * (1 + Math.abs(total)), `of ${size}`);
    }
  },
);

testOnDevices('each number is rounded as on the host, special ones, too', async (t, device) => {
  const special = [
    0,
    -0,
    2049,
    2051,
    65_504,
    65_519.99,
    65_520,
    1e30,
    -1e30,
    2 ** -24,
    2 ** -25,
    3 * 2 ** -25,
    NaN,
    Infinity,
  ];
  const values = Float32Array.of(
    ...special,
    ...special.map((value) => -value),
    ...normal(1000, 7).map((v, i) => v * 2 ** ((i % 60) - 40)),
  );
  const result = await run(
    () => autocast(() => multiply(multiply(tensor(values, { shape: [1, values.length] }), 1), 1)),
    { device },
  );
  t.deepEqual([...(await result.data())], Array.from(values, roundToFloat16));
});

test('autocast takes a function', (t) => {
  refuses(t, () => autocast('relu' as never), OptionError, 'autocast');
  t.end();
});
