/** Reductions of integers, as PyTorch's, but for their sum: it stays of 32 bits and wraps around. */
import test from 'tape';
import { argmax, max, mean, min, run, ShapeError, sum, tensor, variance } from '../../../lib/index.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';

const rows = tensor(Int32Array.of(3, -7, 5, -2147483648, 2147483647, 16777217), { shape: [2, 3] });
const positive = tensor(Uint32Array.of(3, 7, 4294967295, 0, 2147483648, 16777217), { shape: [2, 3] });

testOnDevices('sum, max, min and argmax of integers are exact integers', async (t, device) => {
  for (const [input, sums, most, least, places] of [
    [rows, [1, 16777216], [5, 2147483647], [-7, -2147483648], [2, 1]],
    [positive, [9, 2164260865], [4294967295, 2147483648], [3, 0], [2, 1]],
  ] as const) {
    const results = await run(
      () => [
        sum(input, { axes: 1 }),
        max(input, { axes: 1 }),
        min(input, { axes: -1, keepDims: true }),
        argmax(input, { axis: 1 }),
        argmax(input, { axis: 1, keepDims: true }),
      ],
      { device },
    );
    t.deepEqual(
      results.map(({ dtype, shape }) => [dtype, ...shape]),
      [
        [input.dtype, 2],
        [input.dtype, 2],
        [input.dtype, 2, 1],
        ['i32', 2],
        ['i32', 2, 1],
      ],
    );
    const [sumsOf, mostOf, leastOf, placesOf, kept] = await Promise.all(results.map((result) => result.data()));
    t.deepEqual(Array.from(sumsOf ?? []), sums);
    t.deepEqual(Array.from(mostOf ?? []), most);
    t.deepEqual(Array.from(leastOf ?? []), least);
    t.deepEqual([Array.from(placesOf ?? []), Array.from(kept ?? [])], [places, places]);
  }
});

testOnDevices('sums of integers wrap around at 32 bits, long ones as well', async (t, device) => {
  const long = new Int32Array(100_000).fill(2147483647);
  const results = await run(
    () => [
      sum(tensor(Int32Array.of(2147483647, 1))),
      sum(tensor(Uint32Array.of(4294967295, 2))),
      sum(tensor(long)),
      sum(tensor(Int32Array.of())),
      max(tensor(Int32Array.of())),
      min(tensor(Uint32Array.of())),
    ],
    { device },
  );
  const values = await Promise.all(results.map((result) => result.item()));
  t.deepEqual(values, [-2147483648, 1, Number(BigInt.asIntN(32, 2147483647n * 100_000n)), 0, -2147483648, 4294967295]);
});

test('the mean and the variance of integers are refused with the word to cast', (t) => {
  refuses(t, () => mean(rows), ShapeError, 'mean', 'i32', "cast(x, 'f32')");
  refuses(t, () => mean(positive, { axes: 1 }), ShapeError, 'mean', 'u32', "cast(x, 'f32')");
  refuses(t, () => variance(rows), ShapeError, 'i32', "cast(x, 'f32')");
  t.end();
});
