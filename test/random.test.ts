import test from 'tape';
import { DataError, Dense, KernelwrightError, OptionError, RandomStream, shuffledIndices } from '../lib/index.js';
import { boxMuller, keyOfSeed, philox4x32, streamOf, unitFloat } from '../lib/random.js';
import { refuses } from './support/errors.js';
import { PHILOX_ANSWERS } from './support/philox.js';

test('philox4x32 gives the three known answers', (t) => {
  for (const { counter, key, words } of PHILOX_ANSWERS) t.deepEqual(philox4x32(counter, key), words);
  t.end();
});

test('the key of a seed is its low and its high word', (t) => {
  t.deepEqual(keyOfSeed(0), [0, 0]);
  t.deepEqual(keyOfSeed(2 ** 32 + 5), [5, 1]);
  t.deepEqual(keyOfSeed(Number.MAX_SAFE_INTEGER), [0xffffffff, 0x1fffff]);
  t.end();
});

test('the number of a stream is the FNV-1a hash of its name', (t) => {
  t.equal(streamOf(''), 0x811c9dc5);
  t.equal(streamOf('a'), 0xe40c292c); // the test vectors of draft-eastlake-fnv
  t.equal(streamOf('foobar'), 0xbf9cf968);
  t.end();
});

test('unitFloat lies in [0, 1), and boxMuller of its edges is finite', (t) => {
  t.deepEqual([unitFloat(0), unitFloat(0xff), unitFloat(0xffffffff)], [0, 0, 1 - 2 ** -24]);
  for (const u of [0, 1 - 2 ** -24]) for (const v of [0, 1 - 2 ** -24]) t.ok(boxMuller(u, v).every(Number.isFinite));
  t.ok(
    boxMuller(0, 0.3).every((x) => Math.abs(x) === 0),
    'u = 0 has radius 0',
  );
  t.end();
});

test('a stream draws other numbers at each call, and the same ones for the same seed and name', (t) => {
  const draws = (seed: number, name: string) => {
    const stream = new RandomStream(seed, name);
    return [stream.bits(5), stream.bits(5)].map((bits) => Array.from(bits));
  };
  const [first, second] = draws(1, 'a');
  t.deepEqual(draws(1, 'a'), [first, second]);
  t.notDeepEqual(first, second);
  t.notDeepEqual(draws(2, 'a')[0], first);
  t.notDeepEqual(draws(1, 'b')[0], first);
  t.notDeepEqual(draws(1 + 2 ** 32, 'a')[0], first);
  t.end();
});

test('uniform and normal numbers have the moments of their distributions', (t) => {
  const count = 100_000;
  const uniform = new RandomStream(1, 'u').uniform(count, -1, 3);
  const normal = new RandomStream(1, 'n').normal(count, 5, 2);
  t.ok(uniform.every((u) => u >= -1 && u < 3));
  // Bounds: four standard errors, σ/√n for the mean, about σ²√(2/n) for the variance.
  const [meanU, varianceU] = moments(uniform);
  t.ok(Math.abs(meanU - 1) < 4 * Math.sqrt(16 / 12 / count), `mean ${meanU}`);
  t.ok(Math.abs(varianceU - 16 / 12) < 0.02, `variance ${varianceU}`);
  const [meanN, varianceN] = moments(normal);
  t.ok(Math.abs(meanN - 5) < (4 * 2) / Math.sqrt(count), `mean ${meanN}`);
  t.ok(Math.abs(varianceN - 4) < 4 * 4 * Math.sqrt(2 / count), `variance ${varianceN}`);
  const within = normal.filter((x) => Math.abs(x - 5) < 2).length / count;
  t.ok(Math.abs(within - 0.6827) < 0.006, `${within} lie within one standard deviation`);
  t.equal(new RandomStream(1, 'n').normal(7).length, 7, 'an odd count');
  t.end();
});

test('shuffled indices are a permutation, drawn from seed and stream, every place equally likely', (t) => {
  for (const count of [0, 1, 2, 17, 1000]) {
    const order = Array.from(shuffledIndices(count, 3, 'epoch 0'));
    t.deepEqual(
      [...order].sort((a, b) => a - b),
      Array.from({ length: count }, (_, i) => i),
    );
  }
  t.deepEqual(shuffledIndices(50, 3, 'epoch 0'), shuffledIndices(50, 3, 'epoch 0'));
  t.notDeepEqual(shuffledIndices(50, 3, 'epoch 1'), shuffledIndices(50, 3, 'epoch 0'));
  const trials = 6000;
  const seen = new Map<string, number>();
  for (let seed = 0; seed < trials; seed++) {
    const order = shuffledIndices(3, seed, 's').join();
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  t.equal(seen.size, 6);
  // 1000 each; σ = √(6000 · 1/6 · 5/6) = 29
  for (const [order, times] of seen) t.ok(Math.abs(times - 1000) < 120, `${order}: ${times} times`);
  t.end();
});

function moments(values: ArrayLike<number>): [number, number] {
  const list = Array.from(values);
  const mean = list.reduce((sum, x) => sum + x, 0) / list.length;
  return [mean, list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / list.length];
}

test('more numbers than memory has room for are refused', (t) => {
  refuses(
    t,
    () => new RandomStream(1, 'a').uniform(2 ** 50),
    DataError,
    '1125899906842624 numbers do not fit into memory',
  );
  refuses(t, () => new Dense(2 ** 45).build([3]), KernelwrightError, 'do not fit into memory');
  t.end();
});

test('a seed that is none, and a count that is none, are refused', (t) => {
  for (const seed of [NaN, -1, 1.5, Infinity]) {
    refuses(
      t,
      () => new RandomStream(seed, 'a'),
      OptionError,
      `seed must be a whole number of 0 or more, found ${seed}`,
    );
    refuses(t, () => shuffledIndices(3, seed, 'a'), OptionError, 'seed');
  }
  for (const count of [NaN, -1, 1.5]) {
    refuses(t, () => new RandomStream(1, 'a').uniform(count), OptionError, `count must be a whole number`);
    refuses(t, () => new RandomStream(1, 'a').normal(count), OptionError, 'count');
    refuses(t, () => shuffledIndices(count, 1, 'a'), OptionError, 'count');
  }
  t.end();
});
