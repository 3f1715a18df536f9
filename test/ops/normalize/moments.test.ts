/** Mean and variance keep their digits: large offsets, constants, outliers, millions of numbers. */
import test from 'tape';
import { type Device, gradient, moments, run, sum, type Tensor, tensor, variance } from '../../../lib/index.js';
import { describeCase } from '../../support/cases.js';
import { testOnDevices } from '../../support/devices.js';
import { hardwareDifference } from '../../support/hardware-launches.js';

async function read(device: Device, x: Tensor, axes: number) {
  const own = await run(() => moments(x, { axes }), { device });
  return [await own.mean.data(), await own.variance.data()] as const;
}

/** In float64, in two passes. */
function momentsOf(values: Float32Array): { readonly mean: number; readonly variance: number } {
  const meanOf = (of: (value: number) => number): number => {
    let total = 0;
    for (const value of values) total += of(value);
    return total / values.length;
  };
  const mean = meanOf((value) => value);
  return { mean, variance: meanOf((value) => (value - mean) ** 2) };
}

const noise = (i: number): number => Math.sin(i * 12.9898) * Math.cos(i * 78.233);

for (const [name, R, value] of [
  ['a mean of 1000 and a deviation of 0.001', 5000, (i: number) => 1000 + 2e-3 * noise(i)],
  ['a mean of -1e6 and a deviation of 1', 3001, (i: number) => -1e6 + 2 * noise(i)],
  ['a first element that is far from all others', 9000, (i: number) => (i < 8 ? 1e4 : noise(i))],
  ['one that is far from others that are all equal', 9000, (i: number) => (i < 8 ? 3 : 0.1)],
  ['100,000 a column', 100_000, (i: number) => 0.1 + noise(i)],
] as const) {
  testOnDevices(`moments of ${name}`, async (t, device) => {
    for (const C of [8, 3]) {
      const values = Float32Array.from({ length: R * C }, (_, i) => value(i));
      for (const [axis, shape, elements] of [
        [0, [R, C], (c: number) => values.filter((_, i) => i % C === c)],
        [1, [C, R], (c: number) => values.subarray(c * R, (c + 1) * R)],
      ] as const) {
        const [means, variances] = await read(device, tensor(values, { shape }), axis);
        for (let c = 0; c < C; c++) {
          const right = momentsOf(elements(c));
          // The largest of the numbers may be what they are told from.
          const allowed = 2e-7 * elements(c).reduce((most, each) => Math.max(most, Math.abs(each)), 0);
          t.ok(Math.abs((means[c] ?? NaN) - right.mean) <= allowed, `mean ${means[c]}, right ${right.mean}`);
          const error = Math.abs((variances[c] ?? NaN) - right.variance);
          // Of 256 numbers that are added up in float32, each may be rounded alike: 256 · 6e-8 · 2.
          t.ok(error <= 4e-5 * right.variance, `variance ${variances[c]}, right ${right.variance}`);
        }
      }
    }
  });
}

testOnDevices('the variance of equal numbers is exactly 0, also of a single one', async (t, device) => {
  for (const [shape, axis] of [
    [[4097, 5], 0],
    [[5, 4097], 1],
    [[1, 3], 0],
  ] as const) {
    const x = tensor(new Float32Array(shape[0] * shape[1]).fill(0.1), { shape });
    const [means, variances] = await read(device, x, axis);
    t.ok(
      means.every((mean) => mean === Math.fround(0.1)),
      means.join(),
    );
    t.ok(
      variances.every((own) => own === 0),
      variances.join(),
    );
  }
});

testOnDevices('an infinity gives an infinite mean and the variance NaN, a NaN both, nothing NaN', async (t, device) => {
  const inf = Infinity;
  const x = tensor([
    [1, NaN, inf, 2],
    [inf, 2, 1, 2],
    [3, 4, 2, 2],
    [3, 4, 2, 2],
  ]);
  const down = await read(device, x, 0);
  t.deepEqual([...down[0]], [inf, NaN, inf, 2]);
  t.deepEqual([...down[1]], [NaN, NaN, NaN, 0]);
  const along = await read(device, x, 1);
  t.deepEqual([...along[0]].slice(0, 2), [NaN, inf]);
  t.deepEqual([...along[1]].slice(0, 2), [NaN, NaN]);
  const nothing = await read(device, tensor(new Float32Array(0), { shape: [2, 0] }), 1);
  t.deepEqual([...nothing[0], ...nothing[1]], [NaN, NaN, NaN, NaN]);
});

testOnDevices('the gradient of a variance is 2 (x - mean) / n, of an unbiased one / (n - 1)', async (t, device) => {
  const x = tensor([1, 2, 6]);
  const [biased, unbiased] = await run(
    () => [...gradient(variance(x), [x]), ...gradient(sum(variance(x, { unbiased: true })), [x])],
    { device },
  );
  const slopes = [...((await biased?.data()) ?? []), ...((await unbiased?.data()) ?? [])];
  [-4 / 3, -2 / 3, 2, -2, -1, 3].forEach((slope, i) => t.ok(Math.abs((slopes[i] ?? NaN) - slope) < 1e-6));
});

test('moments by many lanes agree with the reference', async (t) => {
  for (const shape of [
    [1031, 7],
    [260, 1028],
    [3, 9, 64],
  ]) {
    const setting = { inputs: [{ shape }], attributes: { axes: [0] } };
    t.equal(await hardwareDifference('moments', setting), undefined, describeCase(setting));
  }
});

test('sums of channels by many lanes agree with the reference', async (t) => {
  for (const shape of [
    [1031, 7],
    [260, 1028],
    [40_000, 64],
    [4099, 1],
  ]) {
    const channels = { shape: shape.slice(-1) };
    const inputs = [{ shape }, { shape }, channels, { ...channels, fill: 'positive' as const }];
    const setting = { inputs, attributes: { epsilon: 1e-5 } };
    t.equal(await hardwareDifference('channelSums', setting), undefined, describeCase(setting));
  }
});
