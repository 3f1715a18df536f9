/** Sums of millions of numbers keep their digits: nothing is added up in one long chain of roundings. */
import test from 'tape';
import { argmax, max, mean, min, run, sum, tensor } from '../../../lib/index.js';
import { simd, testOnDevices } from '../../support/devices.js';
import { webgpu } from '../../support/webgpu.js';

const tenth = Math.fround(0.1);

testOnDevices('a million times 0.1 are 100,000, and 0.1 in the mean, within 1e-6', async (t, device) => {
  const x = tensor(new Float32Array(1e6).fill(0.1));
  const results = await run(() => [sum(x), mean(x)], { device });
  const [total = NaN, average = NaN] = await Promise.all(results.map((result) => result.item()));
  t.ok(Math.abs(total / (1e6 * tenth) - 1) < 1e-6, `sum ${total}`);
  t.ok(Math.abs(average / tenth - 1) < 1e-6, `mean ${average}`);
});

for (const [name, open] of [
  ['simd', () => Promise.resolve(simd)],
  ['webgpu', webgpu],
] as const) {
  test(`16 million numbers: sum, mean, extremes and where they stand on ${name}`, async (t) => {
    const values = new Float32Array(16e6).fill(0.1);
    values[9_999_999] = 0.2;
    values[12_345_678] = 0.05;
    const x = tensor(values);
    const results = await run(() => [sum(x), mean(x), max(x), min(x), argmax(x)], { device: await open() });
    const [total = NaN, average = NaN, ...others] = await Promise.all(results.map((result) => result.item()));
    const right = 16e6 * tenth + (Math.fround(0.2) - tenth) + (Math.fround(0.05) - tenth);
    t.ok(Math.abs(total / right - 1) < 1e-6, `sum ${total}`);
    t.ok(Math.abs(average / (right / 16e6) - 1) < 1e-6, `mean ${average}`);
    t.deepEqual(others, [Math.fround(0.2), Math.fround(0.05), 9_999_999]);
  });
}

testOnDevices('long sums over some of the axes, of numbers that differ', async (t, device) => {
  const [A, B, C] = [2, 200_001, 3];
  const values = Float32Array.from({ length: A * B * C }, (_, i) => ((i * 7919) % 1000) / 1000 + (i % C));
  const expected = new Float64Array(A * C);
  values.forEach((value, i) => {
    const place = Math.floor(i / (B * C)) * C + (i % C);
    expected[place] = (expected[place] ?? NaN) + value;
  });
  const x = tensor(values, { shape: [A, B, C] });
  const got = await (await run(() => sum(x, { axes: 1 }), { device })).data();
  expected.forEach((total, i) => t.ok(Math.abs((got[i] ?? NaN) / total - 1) < 1e-6, `${got[i]}, right ${total}`));
});

testOnDevices('a long maximum is found wherever it stands, and a NaN too', async (t, device) => {
  for (const place of [16_383, 16_384, 99_999]) {
    const values = new Float32Array(100_000).fill(-1);
    values[place] = 2;
    t.equal(await (await run(() => max(tensor(values)), { device })).item(), 2);
    t.equal(await (await run(() => argmax(tensor(values)), { device })).item(), place);
    values[99_999] = NaN;
    t.ok(Number.isNaN(await (await run(() => max(tensor(values)), { device })).item()), 'NaN');
  }
});
