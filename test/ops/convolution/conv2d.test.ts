import test from 'tape';
import {
  conv2d,
  convTranspose2d,
  gradient,
  OptionError,
  run,
  ShapeError,
  tensor,
  type Tensor,
} from '../../../lib/index.js';
import { elementAt } from '../../../lib/element-at.js';
import { RandomStream } from '../../../lib/random.js';
import { type Shape, sizeOf } from '../../../lib/shape.js';
import { differs } from '../../support/close.js';
import { cpu, testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';

const normal = (name: string, ...shape: number[]): Tensor =>
  tensor(new RandomStream(3, name).normal(sizeOf(shape)), { shape });
const zeros = (...shape: number[]): Tensor => tensor(new Float32Array(sizeOf(shape)), { shape });
const counted = (...shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => i + 1),
    { shape },
  );

testOnDevices('conv2d sums the products under each window', async (t, device) => {
  // 1 2 3        1 2
  // 4 5 6   with 3 4, zeros below and on the right
  // 7 8 9
  const result = await run(() => conv2d(counted(1, 3, 3, 1), counted(1, 2, 2, 1), { padding: 'same' }), { device });
  t.deepEqual(result.shape, [1, 3, 3, 1]);
  t.deepEqual([...(await result.data())], [37, 47, 21, 67, 77, 33, 23, 26, 9]);
});

testOnDevices('conv2d of one place is a product, with the bias of each channel', async (t, device) => {
  const result = await run(
    () => conv2d(counted(1, 1, 2, 2), tensor([[[[1, 10]]], [[[2, 20]]], [[[0, 0]]]]), { bias: [100, 200, 300] }),
    { device },
  );
  t.deepEqual(result.shape, [1, 1, 2, 3]);
  t.deepEqual([...(await result.data())], [121, 242, 300, 143, 286, 300]);
});

testOnDevices('convTranspose2d spreads each element over a window', async (t, device) => {
  const spread = await run(() => convTranspose2d(tensor([[[[1], [10]]]]), counted(1, 1, 3, 1), { stride: 2 }), {
    device,
  });
  t.deepEqual(spread.shape, [1, 1, 5, 1]);
  t.deepEqual([...(await spread.data())], [1, 2, 13, 20, 30]);
});

test('convTranspose2d gives back the size of a picture', (t) => {
  const shapeOf = (...[size, options]: [Shape, Parameters<typeof convTranspose2d>[2]]): Shape =>
    convTranspose2d(zeros(2, elementAt(size, 0), elementAt(size, 1), 6), zeros(6, 3, 2, 2), options).shape;
  t.deepEqual(shapeOf([4, 5], {}), [2, 6, 6, 2]);
  t.deepEqual(shapeOf([4, 5], { stride: 2, padding: 1 }), [2, 7, 8, 2]);
  t.deepEqual(shapeOf([4, 5], { stride: 2, padding: 1, outputPadding: [1, 0] }), [2, 8, 8, 2]);
  t.deepEqual(shapeOf([4, 5], { stride: [3, 4], padding: 'same' }), [2, 12, 20, 2]);
  t.deepEqual(shapeOf([4, 5], { dilation: 2, groups: 3 }), [2, 8, 7, 6]);
  t.deepEqual(shapeOf([1, 6], { padding: [0, 0, 1, 0] }), [2, 3, 6, 2]);
  t.end();
});

test('convTranspose2d is the input gradient of conv2d', async (t) => {
  const [picture, weight] = [normal('picture', 2, 7, 6, 4), normal('weight', 6, 3, 3, 2)];
  const options = { stride: 2, padding: [1, 0], dilation: 1, groups: 2 } as const;
  const { expected, got } = await run(
    () => {
      const output = conv2d(picture, weight, options);
      const upstream = normal('upstream', ...output.shape);
      const inputs = gradient(output, [picture], upstream);
      return {
        expected: elementAt(inputs, 0),
        got: convTranspose2d(upstream, weight, { ...options, outputPadding: [0, 1] }),
      };
    },
    { device: cpu },
  );
  t.deepEqual(got.shape, picture.shape);
  t.equal(differs(await got.data(), await expected.data(), { absolute: 0, relative: 0 }), undefined);
});

test('pictures without any place of their own are convolved', async (t) => {
  const empty = conv2d(zeros(0, 5, 5, 3), zeros(4, 3, 3, 3), { bias: [1, 2, 3, 4] });
  t.deepEqual(empty.shape, [0, 3, 3, 4]);
  const padding = await run(() => conv2d(zeros(1, 1, 1, 1), zeros(1, 3, 3, 1), { padding: 2, bias: [5] }), {
    device: cpu,
  });
  t.deepEqual([...(await padding.data())], new Array(9).fill(5));
});

test('a NaN reaches the windows that it lies under, and no other', async (t) => {
  const values = new Float32Array(25);
  values[6] = NaN;
  const picture = tensor(values, { shape: [1, 5, 5, 1] });
  const result = await run(() => conv2d(picture, counted(1, 2, 2, 1)), { device: cpu });
  t.deepEqual(
    [...(await result.data())].flatMap((value, i) => (Number.isNaN(value) ? [i] : [])),
    [0, 1, 4, 5],
  );
});

test('convolutions name the sizes that do not fit', (t) => {
  const weight = zeros(16, 3, 3, 4);
  refuses(
    t,
    () => conv2d(zeros(8, 8, 4), weight),
    ShapeError,
    'conv2d: the input must be [N, height, width, channels]',
    '[8, 8, 4]',
  );
  refuses(
    t,
    () => conv2d(zeros(1, 8, 8, 4), zeros(3, 3)),
    ShapeError,
    'the weight must be [out, height, width, in / groups]',
  );
  refuses(t, () => conv2d(zeros(1, 8, 8, 3), weight), ShapeError, 'takes 4 channels, the picture [1, 8, 8, 3] has 3');
  refuses(t, () => conv2d(zeros(1, 4, 8, 8), weight), ShapeError, 'transpose(picture, [0, 2, 3, 1])');
  refuses(t, () => conv2d(zeros(1, 4, 8, 8), zeros(16, 1, 1, 4)), ShapeError, 'transpose(picture, [0, 2, 3, 1])');
  refuses(
    t,
    () => conv2d(zeros(1, 8, 8, 12), weight, { groups: 3 }),
    ShapeError,
    '16 channels of the weight do not divide into 3 groups',
  );
  refuses(t, () => conv2d(zeros(1, 2, 8, 4), weight), ShapeError, 'the window has a height of 3, the picture one of 2');
  refuses(t, () => conv2d(zeros(1, 8, 8, 4), weight, { bias: [1, 2] }), ShapeError, 'the bias must be [16], found [2]');
  refuses(
    t,
    () => conv2d(zeros(1, 8, 8, 4), weight, { stride: 0 }),
    OptionError,
    'stride must be a whole number of 1 or more',
  );
  refuses(
    t,
    () => convTranspose2d(zeros(1, 8, 8, 4), weight),
    ShapeError,
    'convTranspose2d: the weight',
    'takes 16 channels',
  );
  refuses(
    t,
    () => convTranspose2d(zeros(1, 8, 8, 16), weight, { groups: 3 }),
    ShapeError,
    'do not divide into 3 groups',
  );
  refuses(t, () => convTranspose2d(zeros(1, 1, 8, 16), weight, { padding: 2 }), ShapeError, 'leaves -1 x 6 places');
  refuses(
    t,
    () => convTranspose2d(zeros(1, 8, 8, 16), weight, { outputPadding: 1 }),
    OptionError,
    'less than the stride',
  );
  t.end();
});
