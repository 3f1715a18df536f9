/** The gradient of rows that are taken very often keeps its digits, whatever the size of the table. */
import { gather, gradient, multiply, run, sum, tensor } from '../../../lib/index.js';
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
