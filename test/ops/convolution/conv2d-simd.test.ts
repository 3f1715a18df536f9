/** Convolutions on the CPU's SIMD kernels: many sizes, stages on blocks, threads, long sums. */
import test from 'tape';
import {
  add,
  compile,
  conv2d,
  type Conv2dOptions,
  type Device,
  gradient,
  multiply,
  Parameter,
  relu,
  SGD,
  sum,
  tensor,
  type Tensor,
} from '../../../lib/index.js';
import { CpuDevice } from '../../../lib/device/cpu/device.js';
import { elementAt } from '../../../lib/element-at.js';
import { RandomStream } from '../../../lib/random.js';
import { sizeOf } from '../../../lib/shape.js';
import { differs } from '../../support/close.js';
import { cpu, simd } from '../../support/devices.js';
import { stepsOf } from '../../support/fusing.js';

const stream = new RandomStream(10, 'conv2d');
const normal = (...shape: number[]): Tensor => tensor(stream.normal(sizeOf(shape)), { shape });
const from = (least: number, most: number): number =>
  least + Math.floor(elementAt(stream.uniform(1), 0) * (most - least + 1));

interface Sizes {
  readonly picture: readonly [N: number, H: number, W: number, C: number];
  readonly weight: readonly [O: number, R: number, S: number, C: number];
  readonly options?: Conv2dOptions;
}

/** A convolution and both of its gradients. */
async function allThree(device: Device, { options }: Sizes, inputs: readonly Tensor[]) {
  const three = compile(
    (x, w, dy) => {
      const output = conv2d(x, w, options);
      return [output, ...gradient(sum(multiply(output, dy)), [x, w])];
    },
    { device },
  );
  const results = await three(elementAt(inputs, 0), elementAt(inputs, 1), elementAt(inputs, 2));
  return Promise.all(results.map((result) => result.data()));
}

function inputsOf({ picture, weight, options }: Sizes): Tensor[] {
  const [x, w] = [normal(...picture), normal(...weight)];
  return [x, w, normal(...conv2d(x, w, options).shape)];
}

/** Errors of float32 sums of that many products of normal numbers. */
function toleranceOf({ picture, weight }: Sizes) {
  const terms = Math.max(sizeOf(weight.slice(1)), sizeOf(weight.slice(0, 3)), 4 * sizeOf(picture.slice(0, 3)));
  return { absolute: 1e-6 * Math.sqrt(terms) + 2e-6, relative: 1e-5 };
}

async function check(t: test.Test, sizes: Sizes): Promise<void> {
  const inputs = inputsOf(sizes);
  const [expected, got] = [await allThree(cpu, sizes, inputs), await allThree(simd, sizes, inputs)];
  ['output', 'gradient of the picture', 'gradient of the weight'].forEach((name, i) => {
    const difference = differs(elementAt(got, i), elementAt(expected, i), toleranceOf(sizes));
    t.equal(difference, undefined, `${name} of ${JSON.stringify(sizes)}`);
  });
}

test('convolutions of many sizes are those of the reference', async (t) => {
  for (let i = 0; i < 40; i++) {
    const groups = i % 3 === 0 ? from(2, 3) : 1;
    const [c, o] = [from(1, i % 4 === 1 ? 70 : 9), from(1, i % 4 === 2 ? 70 : 9)];
    const [kernel, dilation] = [[from(1, 4), from(1, 4)] as const, [from(1, 2), from(1, 3)] as const];
    const least = (axis: 0 | 1): number => (kernel[axis] - 1) * dilation[axis] + 1;
    await check(t, {
      picture: [from(1, 4), from(least(0), 15), from(least(1), 15), c * groups],
      weight: [o * groups, ...kernel, c],
      options: {
        groups,
        dilation,
        stride: [from(1, 3), from(1, 3)],
        padding: [from(0, 3), from(0, 3), from(0, 3), from(0, 3)],
      },
    });
  }
});

test('blocks, runs and tiles of more than one part', async (t) => {
  for (const sizes of [
    { picture: [1, 37, 70, 17], weight: [41, 3, 3, 17], options: { padding: 1 } }, // blocks of rows
    { picture: [1, 3, 1500, 8], weight: [8, 3, 3, 8], options: { padding: 1 } }, // of parts of a row
    { picture: [9, 8, 8, 16], weight: [24, 3, 3, 16], options: { padding: 1, stride: 2 } }, // of pictures
    { picture: [2, 6, 6, 300], weight: [33, 1, 1, 300], options: { stride: 2 } }, // runs longer than a panel
    { picture: [2, 5, 5, 3], weight: [130, 7, 7, 3], options: { padding: 3, stride: 2 } }, // more channels than a tile
    { picture: [2, 4, 4, 96], weight: [72, 3, 3, 96], options: { padding: 1 } }, // tasks by channels
    { picture: [23, 5, 6, 16], weight: [20, 3, 3, 16], options: { padding: 1, stride: 2 } }, // positions of many pictures
    { picture: [7, 9, 40, 20], weight: [9, 3, 5, 20], options: { padding: [4, 1] } }, // windows beside the picture
    { picture: [1, 12, 12, 64], weight: [64, 3, 3, 32], options: { groups: 2, padding: 1 } }, // tasks by groups
    { picture: [3, 33, 31, 3], weight: [17, 3, 3, 3], options: { padding: 1 } }, // all taps in a line, in parts
    { picture: [2, 6, 5, 8], weight: [4, 2, 2, 8], options: {} }, // the longest line
    { picture: [1, 9, 300, 1], weight: [6, 3, 3, 1], options: { padding: 1, dilation: [2, 1] } }, // runs of three
    { picture: [2, 8, 9, 1], weight: [5, 5, 5, 1], options: { padding: 2 } }, // runs of five
  ] as const satisfies readonly Sizes[]) {
    await check(t, sizes);
  }
});

test('sums over many places are within 1e-6 of the sum of magnitudes', async (t) => {
  const [N, size] = [3, 256];
  const [x, dy] = [stream.uniform(N * size * size * 2), stream.uniform(N * size * size * 2)];
  const expected = new Float64Array(4);
  for (let place = 0; place < N * size * size; place++) {
    for (let i = 0; i < 4; i++) {
      expected[i] = elementAt(expected, i) + elementAt(dy, 2 * place + (i >> 1)) * elementAt(x, 2 * place + (i & 1));
    }
  }
  const ofWeight = compile(
    (picture, weight, scale) => gradient(sum(multiply(conv2d(picture, weight, { padding: 1 }), scale)), [weight]),
    { device: simd },
  );
  const shape = [N, size, size, 2];
  const [result] = await ofWeight(tensor(x, { shape }), normal(2, 3, 3, 2), tensor(dy, { shape }));
  const data = (await result?.data()) ?? [];
  // The middle of the window: all are positive, the sum is that of magnitudes.
  const got = [8, 9, 26, 27].map((place) => elementAt(data, place));
  const worst = Math.max(...got.map((value, i) => Math.abs(value / elementAt(expected, i) - 1)));
  t.ok(worst < 1e-6, String(worst));
});

test('bias, residual and ReLU are computed with the convolution, block by block', async (t) => {
  for (const { picture, weight, options } of [
    { picture: [3, 9, 11, 5], weight: [13, 3, 3, 5], options: { padding: 1 } },
    { picture: [2, 30, 31, 16], weight: [40, 3, 3, 16], options: { padding: 1, stride: 2 } },
    { picture: [4, 4, 4, 64], weight: [96, 3, 3, 32], options: { padding: 1, groups: 2 } },
    { picture: [8, 7, 6, 32], weight: [40, 3, 3, 32], options: { padding: 1 } }, // Winograd's tiles of whole pictures
    { picture: [2, 30, 31, 16], weight: [40, 3, 3, 16], options: { padding: 1 } }, // and of some rows
  ] as const satisfies readonly Sizes[]) {
    const [x, w, residual] = inputsOf({ picture, weight, options });
    const bias = normal(weight[0]);
    const onDevice = (device: Device) =>
      compile((a, b, c, d) => relu(add(conv2d(a, b, { ...options, bias: c }), d)), { device });
    const call = async (device: Device) => {
      const compiled = onDevice(device);
      const result = await compiled(x ?? [], w ?? [], bias, residual ?? []);
      return { steps: stepsOf(compiled), values: await result.data() };
    };
    const [expected, got] = [await call(cpu), await call(simd)];
    t.deepEqual(got.steps, ['conv2d + add + add + relu']);
    t.equal(differs(got.values, expected.values, { absolute: 2e-5, relative: 1e-5 }), undefined);
  }
});

test('what comes behind a gradient is computed with it: a mask on that of the picture, the update of the weight', async (t) => {
  for (const { picture, weight, options } of [
    { picture: [3, 9, 11, 5], weight: [13, 3, 3, 5], options: { padding: 1 } },
    { picture: [3, 33, 31, 3], weight: [17, 3, 3, 3], options: { padding: 1 } },
    { picture: [2, 14, 13, 40], weight: [70, 3, 3, 40], options: { padding: 1, stride: 2 } },
    { picture: [2, 8, 8, 16], weight: [24, 1, 1, 16], options: { stride: 2 } },
    { picture: [8, 6, 7, 24], weight: [32, 3, 3, 24], options: { padding: 1, stride: 2 } },
    { picture: [2, 30, 31, 16], weight: [72, 3, 3, 16], options: { padding: 1 } }, // Winograd's tiles
  ] as const satisfies readonly Sizes[]) {
    const [x, w, dy] = inputsOf({ picture, weight, options });
    const call = async (device: Device) => {
      const parameter = new Parameter('weight', await (w ?? tensor([])).data(), weight);
      const optimizer = new SGD({ learningRate: 0.01, momentum: 0.9 });
      const step = compile(
        (a, scale) => {
          const loss = sum(multiply(conv2d(relu(a), parameter, options), scale));
          const own = gradient(loss, [a]);
          optimizer.minimize(loss, [parameter]);
          return own;
        },
        { device },
      );
      for (let turn = 0; turn < 2; turn++) await step(x ?? [], dy ?? []);
      const [result] = await step(x ?? [], dy ?? []);
      return { steps: stepsOf(step), values: [(await result?.data()) ?? [], await parameter.value.data()] };
    };
    const [expected, got] = [await call(cpu), await call(simd)];
    t.ok(got.steps.includes('conv2dWeightGradient + sgdMomentumUpdate'), got.steps.join(', '));
    t.ok(
      got.steps.some((step) => step.startsWith('conv2dInputGradient + ')),
      got.steps.join(', '),
    );
    for (const [i, values] of expected.values.entries()) {
      const difference = differs(Float32Array.from(elementAt(got.values, i)), values, {
        absolute: 1e-4,
        relative: 1e-4,
      });
      t.equal(difference, undefined);
    }
  }
});

test('convolutions are the same, bit for bit, with 1, 2 and 3 threads', async (t) => {
  for (const sizes of [
    { picture: [2, 20, 19, 24], weight: [40, 3, 3, 24], options: { padding: 1 } }, // Winograd's tiles
    { picture: [1, 9, 9, 25], weight: [40, 3, 3, 25], options: { padding: 1 } },
    { picture: [8, 4, 4, 64], weight: [96, 3, 3, 64], options: { padding: 1, stride: 2 } },
    { picture: [2, 33, 33, 3], weight: [16, 7, 7, 3], options: { padding: 3, stride: 2 } },
    { picture: [3, 33, 31, 3], weight: [17, 3, 3, 3], options: { padding: 1 } },
  ] as const satisfies readonly Sizes[]) {
    const inputs = inputsOf(sizes);
    const results: (readonly unknown[])[] = [];
    for (const threads of [1, 2, 3]) {
      const device = new CpuDevice({ reason: 'test', path: 'simd', threads });
      for (let turn = 0; turn < 3; turn++) {
        results.push(await allThree(device, sizes, inputs));
        if (turn === 0) await new Promise((resume) => setTimeout(resume, 100)); // the workers come up
      }
      device.dispose();
    }
    for (const result of results) t.deepEqual(result, results[0]);
  }
});
