import test from 'tape';
import { averagePool2d, globalAveragePool, OptionError, run, ShapeError, tensor } from '../../../lib/index.js';
import { RandomStream } from '../../../lib/random.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';
import { hasGradientOfReference, hasValues, picture } from '../../support/pictures.js';

testOnDevices('averagePool2d has the values of PyTorch 1.13, with and without the padding', async (t, device) => {
  const options = { size: 3, stride: 2, padding: 1, ceilMode: true };
  await hasValues(t, device, [picture(1, 4, 4, 1), (x) => averagePool2d(x, options)], {
    output: [-0.333333, -0.083333, -0.604167, 1.166667, -0.430556, -0.708333, 0.4375, -0.083333, 0.0625],
    gradient: [
      ...[0.111111, 0.333333, 0.222222, 0.722222, 0.555556, 1.333333, 0.777778, 2.277778],
      ...[0.444444, 1, 0.555556, 1.555556, 1.611111, 2.333333, 0.722222, 2.222222],
    ],
  });
  await hasValues(t, device, [picture(1, 4, 4, 1), (x) => averagePool2d(x, { ...options, countIncludePad: false })], {
    output: [-0.75, -0.125, -1.8125, 1.75, -0.430556, -1.416667, 1.3125, -0.166667, 0.25],
    gradient: [
      ...[0.25, 0.583333, 0.333333, 1.833333, 0.916667, 1.805556, 0.888889, 4.388889],
      ...[0.666667, 1.222222, 0.555556, 2.555556, 4.166667, 5.055556, 0.888889, 4.888889],
    ],
  });
});

testOnDevices('what ceilMode adds beyond the picture does not count', async (t, device) => {
  await hasValues(t, device, [picture(1, 6, 7, 1), (x) => averagePool2d(x, { size: 2, stride: 3, ceilMode: true })], {
    output: [-0.125, -2.03125, 0.0625, -0.84375, 0.40625, 2.5],
    gradient: [
      ...[0.25, 0.25, 0, 0.5, 0.5, 0, 1.5, 0.25, 0.25, 0, 0.5, 0.5, 0, 1.5, 0, 0, 0, 0, 0, 0, 0],
      ...[1, 1, 0, 1.25, 1.25, 0, 3, 1, 1, 0, 1.25, 1.25, 0, 3, 0, 0, 0, 0, 0, 0, 0],
    ],
  });
});

testOnDevices("padding 'same' without counting it is Keras's", async (t, device) => {
  // 3 elements at stride 2: a zero behind them (Keras): the second window has one element.
  const x = tensor([1, 2, 4], { shape: [1, 1, 3, 1] });
  const pooled = (countIncludePad: boolean) =>
    averagePool2d(x, { size: [1, 2], stride: [1, 2], padding: 'same', countIncludePad });
  const [keras, pytorch] = await run(() => [pooled(false), pooled(true)], { device });
  t.deepEqual(Array.from(await keras.data()), [1.5, 4]);
  t.deepEqual(Array.from(await pytorch.data()), [1.5, 2]);
});

testOnDevices('averages have NaN and infinity where their windows do, and nowhere else', async (t, device) => {
  const x = tensor([NaN, 1, 2, 3, Infinity, 5, 6, 7, 8, 9, -Infinity, 11], { shape: [1, 3, 4, 1] });
  const output = await run(() => averagePool2d(x, { size: 2, stride: [1, 2], padding: [1, 0] }), { device });
  t.deepEqual(Array.from(await output.data()), [NaN, 1.25, NaN, 4.5, Infinity, -Infinity, 4.25, -Infinity]);
});

test('the parts of a large picture meet: averagePool2d', async (t) => {
  // Tasks of 65,536 elements end between lines; windows may reach over several of them.
  const x = tensor(new RandomStream(3, 'picture').normal(40 * 64 * 66), { shape: [1, 40, 64, 66] });
  for (const options of [
    { size: 3, stride: 2, padding: 1 },
    { size: [12, 3], stride: 1, padding: [6, 1] },
    { size: 2, stride: [5, 2] },
  ] as const) {
    await hasGradientOfReference(t, [x, (input) => averagePool2d(input, options)], JSON.stringify(options));
  }
});

testOnDevices('globalAveragePool is the mean of height and width', async (t, device) => {
  await hasValues(t, device, [picture(2, 2, 2, 2), globalAveragePool], {
    output: [-6.375 / 4, -0.5 / 4, 2.75 / 4, -4 / 4],
    gradient: [1, 2, 1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4, 3, 4].map((value) => value / 4),
  });
});

test('averagePool2d refuses what has no windows, and says why', (t) => {
  const x = picture(1, 4, 5, 2);
  refuses(t, () => averagePool2d(picture(4, 5), { size: 2 }), ShapeError, 'averagePool2d', '[4, 5]', '[N, H, W, C]');
  refuses(t, () => averagePool2d(x, { size: [5, 2] }), ShapeError, 'averagePool2d', 'height of 5', 'one of 4');
  refuses(t, () => averagePool2d(x, { size: 3, padding: 2 }), OptionError, 'averagePool2d', 'half', 'found 2');
  refuses(t, () => globalAveragePool(picture(4, 5)), ShapeError, 'globalAveragePool', '[4, 5]');
  // @ts-expect-error: means have no dilation
  refuses(t, () => averagePool2d(x, { size: 2, dilation: 2 }), OptionError, 'dilation');
  t.deepEqual(averagePool2d(x, { size: [4, 5] }).shape, [1, 1, 1, 2], 'control');
  t.end();
});
