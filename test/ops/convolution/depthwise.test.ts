import test from 'tape';
import {
  add,
  compile,
  depthwiseConv2d,
  type Device,
  gradient,
  multiply,
  relu6,
  run,
  ShapeError,
  tensor,
  type Tensor,
  Variable,
} from '../../../lib/index.js';
import { CpuDevice } from '../../../lib/device/cpu/device.js';
import { RandomStream } from '../../../lib/random.js';
import { windowsIn } from '../../../lib/ops/convolution/window.js';
import { describeCase } from '../../support/cases.js';
import { differs } from '../../support/close.js';
import { cpu, simd, testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';
import { fusingCpu, stepsOf } from '../../support/fusing.js';
import { hardwareDifference } from '../../support/hardware-launches.js';
import { webgpu } from '../../support/webgpu.js';

const normal = (name: string, ...shape: number[]): Tensor =>
  tensor(new RandomStream(6, name).normal(shape.reduce((product, size) => product * size, 1)), { shape });

testOnDevices('windows of 2 x 2 in a picture of two channels, counted by hand', async (t, device) => {
  const picture = tensor([1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60], { shape: [1, 2, 3, 2] });
  const weight = tensor([1, 1, 0, 2, 0, 3, 10, 4], { shape: [2, 2, 2] });
  const result = (options?: Parameters<typeof depthwiseConv2d>[2]) =>
    run(() => depthwiseConv2d(picture, weight, options), { device });
  // Channel 0 takes the place above on the left and ten times that below on the right; channel 1 one, two, three, four.
  const plain = await result();
  t.deepEqual(plain.shape, [1, 1, 2, 2]);
  t.deepEqual([...(await plain.data())], [51, 10 + 40 + 120 + 200, 62, 20 + 60 + 150 + 240]);
  const withBias = await result({ bias: [0.5, -1], stride: [1, 2] });
  t.deepEqual([...(await withBias.data())], [51.5, 369]);
  const padded = await result({ padding: [1, 0, 1, 0], stride: 2 });
  t.deepEqual([...(await padded.data())], [10, 40, 30, 3 * 20 + 4 * 30]);
});

test("a weight's gradient by lanes of a workgroup, which hardware gets, agrees with the reference", async (t) => {
  for (const [shape, kernel, stride] of [
    [[1, 5, 4, 4], 1, 2],
    [[3, 65, 67, 4], 3, 1],
    [[1, 40, 41, 3], 3, 2],
    [[2, 16, 17, 132], 3, 1],
    [[1, 12, 9, 36], 5, 1],
  ] as const) {
    const window = { kernel: [kernel, kernel], stride: [stride, stride], dilation: [1, 1], padding: [1, 1, 1, 1] };
    const [N, , , C] = shape;
    const output = [N, ...windowsIn('test', shape.slice(1, 3), window), C];
    const setting = { inputs: [{ shape }, { shape: output }], attributes: window };
    t.equal(await hardwareDifference('depthwiseConv2dWeightGradient', setting), undefined, describeCase(setting));
  }
});

test('a bias, a norm and an activation behind it, and what follows its input gradient, are one step', async (t) => {
  for (const [C, stride] of [
    [8, 1],
    [8, 2],
    [5, 1],
  ] as const) {
    const [picture, weight] = [normal('picture', 2, 7, 9, C), normal('weight', 3, 3, C)];
    const [bias, scale] = [normal('bias', C), normal('scale', C)];
    const layer = (input: Tensor): Tensor =>
      relu6(add(multiply(depthwiseConv2d(input, weight, { stride, padding: 1 }), scale), bias));
    const onDevice = (device: Device) =>
      compile(
        (input: Tensor) => {
          const output = layer(multiply(input, 2));
          return [output, ...gradient(output, [input], normal('upstream', ...output.shape))];
        },
        { device },
      );
    const expected = await onDevice(cpu)(picture);
    for (const device of [fusingCpu(), await webgpu()]) {
      const step = onDevice(device);
      const got = await step(picture);
      for (const [i, result] of got.entries()) {
        const right = await expected[i]?.data();
        t.equal(right && differs(await result.data(), right, { absolute: 1e-5, relative: 1e-5 }), undefined);
      }
      const steps = stepsOf(step);
      t.ok(steps.includes('depthwiseConv2d + multiply + add + relu6'), steps.join(', '));
      t.ok(steps.includes('depthwiseConv2dInputGradient + multiply'), steps.join(', '));
    }
  }
});

testOnDevices('a picture with nothing in it, and windows beside the picture, give 0', async (t, device) => {
  const [weight, none] = [normal('weight', 3, 3, 4), tensor(new Float32Array(0), { shape: [0, 5, 5, 4] })];
  const [gradientOfWeight] = await run(
    () => gradient(depthwiseConv2d(none, weight), [weight], tensor(new Float32Array(0), { shape: [0, 3, 3, 4] })),
    { device },
  );
  t.deepEqual([...((await gradientOfWeight?.data()) ?? [])], new Array(36).fill(0));
  const narrow = tensor(new Float32Array(0), { shape: [1, 2, 0, 4] });
  const around = await run(() => depthwiseConv2d(narrow, weight, { padding: 2 }), { device });
  t.deepEqual([around.shape, ...(await around.data())], [[1, 4, 2, 4], ...new Array<number>(32).fill(0)]);
});

testOnDevices('NaN and infinity reach the windows that hold them', async (t, device) => {
  const picture = tensor([NaN, 1, 2, 3, Infinity, 5, 6], { shape: [1, 1, 7, 1] });
  const result = await run(() => depthwiseConv2d(picture, tensor([1, 1], { shape: [1, 2, 1] })), { device });
  t.deepEqual([...(await result.data())], [NaN, 3, 5, Infinity, Infinity, 11]);
});

test('what does not fit is refused, naming the sizes', (t) => {
  const zeros = (...shape: number[]) =>
    tensor(new Float32Array(shape.reduce((product, size) => product * size, 1)), { shape });
  const call = (input: Tensor, weight: Tensor, options = {}) => depthwiseConv2d(input, weight, options);
  refuses(t, () => call(zeros(1, 5, 5, 3), zeros(3, 3, 4)), ShapeError, 'depthwiseConv2d', '4 channels', 'has 3');
  refuses(t, () => call(zeros(1, 3, 8, 8), zeros(3, 3, 3)), ShapeError, 'transpose(picture, [0, 2, 3, 1])');
  refuses(t, () => call(zeros(5, 5, 3), zeros(3, 3, 3)), ShapeError, '[5, 5, 3]', 'channels');
  refuses(t, () => call(zeros(1, 5, 5, 3), zeros(3, 3, 3, 1)), ShapeError, '[3, 3, 3, 1]');
  refuses(t, () => call(zeros(1, 2, 5, 3), zeros(3, 3, 3)), ShapeError, 'height of 3', 'one of 2');
  refuses(t, () => call(zeros(1, 5, 5, 3), zeros(3, 3, 3), { bias: zeros(4) }), ShapeError, '[4]');
  t.end();
});

test('a step on variables runs twice', async (t) => {
  const weight = new Variable('weight', normal('weight', 3, 3, 4));
  const step = compile((input: Tensor) => depthwiseConv2d(input, weight.value, { padding: 1 }), { device: simd });
  const picture = normal('picture', 1, 5, 5, 4);
  const [first, second] = [await (await step(picture)).data(), await (await step(picture)).data()];
  t.deepEqual(first, second);
});

test('depthwise convolutions are the same, bit for bit, with 1, 2 and 3 threads', async (t) => {
  for (const stride of [1, 2]) {
    const [picture, weight] = [normal('picture', 3, 40, 41, 50), normal('weight', 3, 3, 50)];
    const results = await Promise.all(
      [1, 2, 3].map(async (threads) => {
        const device = new CpuDevice({ reason: 'test', path: 'simd', threads });
        const all = await run(
          () => {
            const output = depthwiseConv2d(picture, weight, { stride, padding: 1 });
            return [output, ...gradient(output, [picture, weight], normal('upstream', ...output.shape))];
          },
          { device },
        );
        const values = await Promise.all(all.map((each) => each.data()));
        device.dispose();
        return values;
      }),
    );
    t.deepEqual(results[1], results[0]);
    t.deepEqual(results[2], results[0]);
  }
});
