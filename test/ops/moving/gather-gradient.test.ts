/** The gradient of rows that are taken very often keeps its digits, whatever the size of the table. */
import test from 'tape';
import { compile, gather, gradient, multiply, run, sum, tensor } from '../../../lib/index.js';
import { gatherGradientLaunches } from '../../../lib/ops/moving/gather-gradient.js';
import { RandomStream } from '../../../lib/random.js';
import { differs } from '../../support/close.js';
import { testOnDevices } from '../../support/devices.js';

testOnDevices('one row that is taken a million times has a gradient of 100,000', async (t, device) => {
  const table = tensor(new Float32Array(1), { shape: [1, 1] });
  const indices = tensor(new Int32Array(1e6));
  const of = () => gradient(sum(multiply(gather(table, indices), 0.1)), [table]);
  const [slope] = await run(of, { device });
  const value = (await slope?.item()) ?? NaN;
  t.ok(Math.abs(value / 1e5 - 1) < 1e-6, `${value}`);
});

testOnDevices('many rows and columns, each taken as often as it is', async (t, device) => {
  for (const [R, D, I] of [
    [3, 19, 40_000],
    [1000, 2, 5000],
    [70, 1000, 300],
    [40_000, 4, 9000],
    [5, 3, 300_000],
  ] as const) {
    const rowOf = (i: number) => ((i * i) % (R + 2)) - 1; // among them -1 and R, which do not exist
    const factor = Float32Array.from({ length: I * D }, (_, i) => ((i * 7919) % 100) / 10);
    const expected = new Float64Array(R * D);
    for (let i = 0; i < I; i++) {
      const row = rowOf(i);
      for (let d = 0; row >= 0 && row < R && d < D; d++) {
        expected[row * D + d] = (expected[row * D + d] ?? NaN) + (factor[i * D + d] ?? NaN);
      }
    }
    const table = tensor(new Float32Array(R * D), { shape: [R, D] });
    const indices = tensor(Int32Array.from({ length: I }, (_, i) => rowOf(i)));
    const upstream = tensor(factor, { shape: [I, D] });
    const [slope] = await run(() => gradient(sum(multiply(gather(table, indices), upstream)), [table]), { device });
    const got = (await slope?.data()) ?? [];
    const worst = expected.reduce(
      (most, value, i) => Math.max(most, Math.abs((got[i] ?? NaN) - value) / (1 + Math.abs(value))),
      0,
    );
    t.ok(worst < 1e-6, `[${R}, ${D}] by ${I}: off by ${worst}`);
  }
});

test('its work grows in proportion to the rows taken and those of the table', (t) => {
  const invocations = (R: number, D: number, I: number): number => {
    const launches = gatherGradientLaunches({ R, D, I });
    return launches.reduce((sum, { workgroups: [x, y, z] }) => sum + 64 * x * y * z, 0);
  };
  // Of the table every vec4, of what is taken every 64th; sorting and searching are a few hundredths of it.
  t.ok(invocations(50_000, 256, 50_000) < 1.05 * (50_000 * 64 + (50_000 / 64) * 64), 'once through table and rows');
  t.ok(invocations(50_000, 256, 4096) < 1.05 * (50_000 * 64 + 4096), 'few rows of a large table');
  for (const [R, D, I] of [
    [50_000, 8, 50_000],
    [1_000_000, 1, 1_000_000],
    [10, 1, 1_000_000],
  ] as const) {
    t.ok(invocations(2 * R, D, 2 * I) <= 2.1 * invocations(R, D, I), `twice of [${R}, ${D}] by ${I}`);
  }
  // Who looks through all indices does it for few of them.
  for (const [R, D, I] of [
    [50_000, 256, 1000],
    [1, 1, 1025],
    [50_000, 1, 1024],
  ] as const) {
    t.ok(gatherGradientLaunches({ R, D, I }).length > 1, `[${R}, ${D}] by ${I} is sorted`);
  }
  t.equal(gatherGradientLaunches({ R: 100, D: 10, I: 32 }).length, 1, 'few are not');
  t.end();
});

testOnDevices('50,000 rows into a table of 50,000, the same numbers every time', async (t, device) => {
  const [R, D, I] = [50_000, 16, 50_000];
  const table = tensor(new Float32Array(R * D), { shape: [R, D] });
  const indices = tensor(Int32Array.from({ length: I }, (_, i) => ((i * 7919) % R) & ~3)); // each fourth row, four times
  const upstream = tensor(new RandomStream(1, 'upstream').normal(I * D), { shape: [I, D] });
  const step = compile(() => gradient(sum(multiply(gather(table, indices), upstream)), [table]), { device });
  const once = async () => {
    const [slope] = await step();
    return (await slope?.data()) ?? new Float32Array(0);
  };
  const [first, second] = [(await once()).slice(), await once()];
  t.deepEqual(first, second, 'again');
  const [rows, factors] = [await indices.data(), await upstream.data()];
  const expected = new Float64Array(R * D);
  rows.forEach((row, i) => {
    for (let d = 0; d < D; d++) expected[row * D + d] = (expected[row * D + d] ?? NaN) + (factors[i * D + d] ?? NaN);
  });
  t.equal(differs(first, expected, { absolute: 1e-6, relative: 1e-6 }), undefined);
});
