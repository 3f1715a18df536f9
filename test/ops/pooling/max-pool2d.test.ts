import test from 'tape';
import {
  gradient,
  KernelwrightError,
  globalMaxPool,
  maxPool2d,
  OptionError,
  run,
  ShapeError,
  square,
  tensor,
} from '../../../lib/index.js';
import { RandomStream } from '../../../lib/random.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';
import { hasGradientOfReference, hasValues, picture, upstream } from '../../support/pictures.js';

const { NaN: nan, NEGATIVE_INFINITY: lowest } = Number;

testOnDevices('maxPool2d has the values of PyTorch 1.13: a window more in ceilMode', async (t, device) => {
  await hasValues(t, device, [picture(1, 6, 7, 1), (x) => maxPool2d(x, { size: 2, stride: 3, ceilMode: true })], {
    output: [5.75, 2.375, 3.625, 2.75, 4, 5.25],
    gradient: [
      ...[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 5, 0, 0, 6],
      ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ],
  });
  await hasValues(
    t,
    device,
    [picture(1, 4, 4, 1), (x) => maxPool2d(x, { size: 3, stride: 2, padding: 1, ceilMode: true })],
    {
      output: [4.5, 4.5, 1.125, 5.75, 4.5, 1.125, 3.625, 3.625, 0.25],
      gradient: [0, 0, 0, 0, 0, 8, 0, 9, 4, 0, 0, 0, 0, 8, 0, 2],
    },
  );
});

testOnDevices('maxPool2d has the values of PyTorch 1.13: dilated windows', async (t, device) => {
  await hasValues(
    t,
    device,
    [picture(1, 4, 5, 1), (x) => maxPool2d(x, { size: 2, stride: 1, padding: 1, dilation: 2 })],
    {
      output: [
        ...[-3.5, 4.5, 5.75, 1.125, 5.75, -1.375, 3.25, 3.625, 3.25, 3.625],
        ...[4.875, 4.5, 5.75, 6.125, 5.75, -5.625, 2.375, 3.625, -1, 3.625],
      ],
      gradient: [0, 6, 9, 0, 0, 7, 1, 4, 15, 0, 3, 2, 5, 14, 0, 0, 4, 0, 0, 7],
    },
  );
});

testOnDevices('of equal elements the first one in row order has the gradient, in each channel', async (t, device) => {
  for (const C of [1, 4, 5, 19]) {
    const same = tensor(new Float32Array(9 * C).fill(2), { shape: [1, 3, 3, C] });
    const first = Array.from({ length: 9 * C }, (_, i) => (i < C ? (i % 7) + 1 : 0));
    await hasValues(t, device, [same, (x) => maxPool2d(x, { size: 3 })], {
      output: new Array<number>(C).fill(2),
      gradient: first,
    });
  }
});

testOnDevices(
  '-Infinity wins over padding, in the first place that has it, and -0 over a 0 behind it',
  async (t, device) => {
    for (const C of [1, 4, 19]) {
      const low = tensor(new Float32Array(9 * C).fill(lowest), { shape: [1, 3, 3, C] });
      const winners = [0, 1, 3, 4]; // the first of each window that is in the picture
      await hasValues(t, device, [low, (x) => maxPool2d(x, { size: 3, stride: 2, padding: 1 })], {
        output: new Array<number>(4 * C).fill(lowest),
        gradient: Array.from({ length: 9 * C }, (_, i) => {
          const window = winners.indexOf(Math.floor(i / C));
          return window < 0 ? 0 : ((window * C + (i % C)) % 7) + 1;
        }),
      });
    }
    const zeros = tensor([-1, -0, 0, -2], { shape: [1, 2, 2, 1] });
    await hasValues(t, device, [zeros, (x) => maxPool2d(x, { size: 2 })], { output: [-0], gradient: [0, 1, 0, 0] });
  },
);

testOnDevices('NaN wins, wherever it stands in its window', async (t, device) => {
  for (const place of [0, 1, 2, 3]) {
    const values = [1, Infinity, -3, 4].map((value, i) => (i === place ? nan : value));
    const x = tensor([...values, 1, 2, 3, 4], { shape: [2, 2, 2, 1] });
    const output = await run(() => maxPool2d(x, { size: 2 }), { device });
    t.deepEqual(Array.from(await output.data()), [nan, 4], `place ${place}`);
    // Beside channels without.
    for (const C of [4, 19]) {
      const beside = tensor(
        values.flatMap((value, i) => Array.from({ length: C }, (_, c) => (c === 1 ? value : c % 2 === 0 ? i : 9 - i))),
        { shape: [1, 2, 2, C] },
      );
      await hasValues(t, device, [beside, (x) => maxPool2d(x, { size: 2 })], {
        output: Array.from({ length: C }, (_, c) => (c === 1 ? nan : c % 2 === 0 ? 3 : 9)),
        gradient: Array.from({ length: 4 * C }, (_, i) => {
          const c = i % C;
          const winner = c === 1 ? place : c % 2 === 0 ? 3 : 0;
          return winner === Math.floor(i / C) ? (c % 7) + 1 : 0;
        }),
      });
    }
  }
});

testOnDevices('a window of more than 256 places is pooled by rows and columns', async (t, device) => {
  // The largest element of the first window is 6.5, first at 30 (37 · 30 mod 101 = 100).
  const x = picture(1, 20, 40, 1);
  const firstAt = (from: number): number => {
    const columns = Array.from({ length: 20 * 20 }, (_, i) => Math.floor(i / 20) * 40 + (i % 20) + from);
    return columns.find((place) => (place * 37) % 101 === 100) ?? NaN;
  };
  await hasValues(t, device, [x, (input) => maxPool2d(input, { size: 20 })], {
    output: [6.5, 6.5],
    gradient: Array.from({ length: 800 }, (_, i) => (i === firstAt(0) ? 1 : i === firstAt(20) ? 2 : 0)),
  });
});

testOnDevices('globalMaxPool picks the first largest element of each channel', async (t, device) => {
  for (const [H, W] of [
    [1, 1],
    [3, 5],
    [20, 30],
    [2, 300],
    [300, 2],
  ] as const) {
    const x = picture(2, H, W, 3);
    const values = await x.data();
    const expected = Array.from({ length: 6 }, (_, i) => {
      const [n, c] = [Math.floor(i / 3), i % 3];
      let best = n * H * W * 3 + c;
      for (let p = 1; p < H * W; p++) {
        const place = (n * H * W + p) * 3 + c;
        if ((values[place] ?? NaN) > (values[best] ?? NaN)) best = place;
      }
      return { best, value: values[best] ?? NaN };
    });
    const slopes = new Array<number>(2 * H * W * 3).fill(0);
    expected.forEach(({ best }, i) => (slopes[best] = i + 1));
    await hasValues(t, device, [x, globalMaxPool], { output: expected.map(({ value }) => value), gradient: slopes });
  }
});

test('the parts of a large picture meet: maxPool2d', async (t) => {
  // Tasks of 65,536 elements end between lines; windows may reach over several of them.
  const x = tensor(new RandomStream(3, 'picture').normal(40 * 64 * 66), { shape: [1, 40, 64, 66] });
  for (const options of [
    { size: 3, stride: 2, padding: 1 },
    { size: [12, 3], stride: 1, padding: [6, 1] },
    { size: 2, stride: [5, 2] },
    { size: 3, stride: 1, padding: 3, dilation: 4 },
  ] as const) {
    await hasGradientOfReference(t, [x, (input) => maxPool2d(input, options)], JSON.stringify(options));
  }
});

testOnDevices('pooling of an empty batch, and of no channels, is empty', async (t, device) => {
  for (const shape of [
    [0, 4, 4, 8],
    [2, 4, 4, 0],
  ]) {
    const x = tensor(new Float32Array(0), { shape });
    const output = await run(() => maxPool2d(x, { size: 2 }), { device });
    t.deepEqual(output.shape, [shape[0], 2, 2, shape[3]]);
    t.equal((await output.data()).length, 0);
    t.deepEqual(globalMaxPool(x).shape, [shape[0], shape[3]]);
  }
});

test('maxPool2d refuses what has no windows, and says why', (t) => {
  const x = picture(1, 4, 5, 2);
  refuses(t, () => maxPool2d(picture(4, 5), { size: 2 }), ShapeError, 'maxPool2d', '[4, 5]', '[N, H, W, C]');
  refuses(t, () => maxPool2d(x, { size: [5, 2] }), ShapeError, 'maxPool2d', 'height of 5', 'one of 4');
  refuses(t, () => maxPool2d(x, { size: 2, dilation: [1, 5] }), ShapeError, 'width of 6', 'one of 5');
  refuses(t, () => maxPool2d(x, { size: [2, 3], padding: 2 }), OptionError, 'half', 'found 2', 'height is 2');
  refuses(t, () => maxPool2d(x, { size: 3, padding: [0, 0, 0, 2] }), OptionError, 'found 2', 'width is 3');
  refuses(t, () => maxPool2d(picture(1, 300, 2, 1), { size: [257, 1] }), OptionError, '256', '257 x 1');
  refuses(t, () => maxPool2d(x, { size: 0 }), OptionError, 'size', 'found 0');
  refuses(t, () => maxPool2d(x, { size: 2, stride: 1.5 }), OptionError, 'stride', '1.5');
  // @ts-expect-error: it is called stride
  refuses(t, () => maxPool2d(x, { size: 2, strides: 2 }), OptionError, 'strides', 'stride');
  refuses(t, () => globalMaxPool(tensor(new Float32Array(0), { shape: [2, 0, 3, 1] })), ShapeError, '[2, 0, 3, 1]');
  t.deepEqual(maxPool2d(x, { size: 3, padding: 'same', stride: 2 }).shape, [1, 2, 3, 2], 'control');
  t.end();
});

test('second derivatives of maxPool2d are refused', (t) => {
  const x = picture(1, 4, 4, 1);
  const second = (): unknown => {
    const y = square(maxPool2d(x, { size: 2 }));
    const [slopes] = gradient(y, [x], upstream(y.shape));
    return slopes && gradient(slopes, [x], upstream(x.shape));
  };
  refuses(t, second, KernelwrightError, 'second derivatives of maxPool2d');
  t.end();
});
