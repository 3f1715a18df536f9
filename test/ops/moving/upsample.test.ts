import test from 'tape';
import { OptionError, run, ShapeError, tensor, upsample, type UpsampleOptions } from '../../../lib/index.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';
import { hasValues, picture } from '../../support/pictures.js';

// F.interpolate of PyTorch 1.13.
const VALUES: readonly (readonly [options: UpsampleOptions, output: readonly number[], gradient: readonly number[]])[] =
  [
    [
      { size: [5, 4] },
      [
        -6, -6, -1.375, 3.25, -6, -6, -1.375, 3.25, -6, -6, -1.375, 3.25, -4.75, -4.75, -0.125, 4.5, -4.75, -4.75,
        -0.125, 4.5,
      ],
      [19, 14, 10, 20, 6, 8],
    ],
    [
      { scale: 2, mode: 'nearest' },
      [
        ...[-6, -6, -1.375, -1.375, 3.25, 3.25, -6, -6, -1.375, -1.375, 3.25, 3.25],
        ...[-4.75, -4.75, -0.125, -0.125, 4.5, 4.5, -4.75, -4.75, -0.125, -0.125, 4.5, 4.5],
      ],
      [11, 12, 20, 24, 11, 12],
    ],
    [
      { size: [5, 4], mode: 'bilinear' },
      [
        ...[-6, -3.109375, 0.359375, 3.25, -5.875, -2.984375, 0.484375, 3.375, -5.375, -2.484375],
        ...[0.984375, 3.875, -4.875, -1.984375, 1.484375, 4.375, -4.75, -1.859375, 1.609375, 4.5],
      ],
      [10.7, 13.125, 11.875, 14.55, 13.125, 13.625],
    ],
    [
      { scale: 2, mode: 'bilinear' },
      [
        ...[-6, -4.84375, -2.53125, -0.21875, 2.09375, 3.25, -5.6875, -4.53125, -2.21875, 0.09375, 2.40625, 3.5625],
        ...[-5.0625, -3.90625, -1.59375, 0.71875, 3.03125, 4.1875, -4.75, -3.59375, -1.28125, 1.03125, 3.34375, 4.5],
      ],
      [12.3125, 11.9375, 19, 21.9375, 12.8125, 12],
    ],
    [
      { size: [5, 4], mode: 'bilinear', alignCorners: true },
      [
        ...[-6, -2.916667, 0.166667, 3.25, -5.6875, -2.604167, 0.479167, 3.5625, -5.375, -2.291667],
        ...[0.791667, 3.875, -5.0625, -1.979167, 1.104167, 4.1875, -4.75, -1.666667, 1.416667, 4.5],
      ],
      [10.5, 13.5, 11.25, 13.833333, 14.5, 13.416667],
    ],
    [{ size: 2, mode: 'bilinear' }, [-4.84375, 2.09375, -3.59375, 3.34375], [0.75, 0.75, 1.5, 2.25, 1.75, 3]],
    [{ size: 1, mode: 'bilinear', alignCorners: true }, [-6], [1, 0, 0, 0, 0, 0]],
  ];

for (const [options, output, gradient] of VALUES) {
  testOnDevices(`upsample ${JSON.stringify(options)} has the values of PyTorch 1.13`, async (t, device) => {
    await hasValues(t, device, [picture(1, 2, 3, 1), (x) => upsample(x, options)], { output, gradient });
  });
}

testOnDevices('the nearest element is found in whole numbers', async (t, device) => {
  // 88 · 78 / 132 is 52, and less than that in float32.
  const x = tensor(
    Float32Array.from({ length: 78 }, (_, i) => i),
    { shape: [1, 1, 78, 1] },
  );
  const output = await run(() => upsample(x, { size: [1, 132] }), { device });
  t.deepEqual(
    Array.from(await output.data()),
    Array.from({ length: 132 }, (_, i) => Math.floor((i * 78) / 132)),
  );
});

testOnDevices('what has no share in an output does not make it NaN', async (t, device) => {
  const x = tensor([1, NaN, 3, Infinity], { shape: [1, 1, 4, 1] });
  const same = await run(() => upsample(x, { size: [1, 4], mode: 'bilinear' }), { device });
  t.deepEqual(Array.from(await same.data()), [1, NaN, 3, Infinity]);
  const twice = await run(() => upsample(x, { scale: [1, 2], mode: 'bilinear' }), { device });
  t.deepEqual(Array.from(await twice.data()), [1, NaN, NaN, NaN, NaN, Infinity, Infinity, Infinity]);
});

test('upsample refuses other options and shapes', (t) => {
  const x = picture(1, 2, 3, 1);
  refuses(t, () => upsample(x, {}), OptionError, 'upsample', 'scale or size', 'neither');
  refuses(t, () => upsample(x, { scale: 2, size: 4 }), OptionError, 'both');
  refuses(t, () => upsample(x, { scale: 1.5 }), OptionError, 'scale', '1.5');
  refuses(t, () => upsample(x, { scale: 2, alignCorners: true }), OptionError, 'alignCorners', 'bilinear');
  refuses(t, () => upsample(picture(2, 3), { scale: 2 }), ShapeError, 'upsample', '[2, 3]');
  refuses(
    t,
    () => upsample(tensor(new Float32Array(0), { shape: [1, 0, 3, 1] }), { size: 2 }),
    ShapeError,
    '[1, 0, 3, 1]',
  );
  refuses(t, () => upsample(picture(1, 1, 40_000, 1), { size: [1, 40_000] }), ShapeError, '40000', '32 bits');
  t.deepEqual(upsample(x, { scale: [2, 1] }).shape, [1, 4, 3, 1], 'control');
  t.end();
});
