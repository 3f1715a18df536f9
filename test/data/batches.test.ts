import fc from 'fast-check';
import test from 'tape';
import { batchIndices } from '../../lib/data/batches.js';
import { OptionError } from '../../lib/errors.js';

test('each epoch has every example once, in full batches and a last short one', (t) => {
  fc.assert(
    fc.property(fc.nat(70), fc.integer({ min: 1, max: 80 }), fc.nat(), fc.nat(5), (count, batchSize, seed, epoch) => {
      const batches = batchIndices(count, batchSize, { seed, epoch });
      const indices = batches.flatMap((batch) => [...batch]).sort((a, b) => a - b);
      return (
        batches.length === Math.ceil(count / batchSize) &&
        batches.slice(0, -1).every((batch) => batch.length === batchSize) &&
        indices.length === count &&
        indices.every((index, i) => index === i)
      );
    }),
  );
  t.deepEqual(
    batchIndices(124, 32, { seed: 1, epoch: 0 }).map((batch) => batch.length),
    [32, 32, 32, 28],
  );
  t.end();
});

test('the order is a function of seed and epoch', (t) => {
  const order = (seed: number, epoch: number): number[] => batchIndices(50, 50, { seed, epoch }).flatMap((b) => [...b]);
  t.deepEqual(order(7, 3), order(7, 3));
  t.notDeepEqual(order(7, 3), order(7, 4), 'another epoch, another order');
  t.notDeepEqual(order(7, 3), order(8, 3), 'another seed, another order');
  const whole = batchIndices(50, 8, { seed: 7, epoch: 3 }).flatMap((b) => [...b]);
  t.deepEqual(whole, order(7, 3), 'the batch size cuts the same order');
  t.end();
});

test('without shuffling the examples come in order', (t) => {
  const batches = batchIndices(5, 2, { seed: 7, epoch: 3, shuffle: false });
  t.deepEqual(batches, [Int32Array.of(0, 1), Int32Array.of(2, 3), Int32Array.of(4)]);
  t.end();
});

test('counts that are no counts are refused', (t) => {
  t.deepEqual(batchIndices(0, 4, { seed: 1, epoch: 0 }), [], 'the control case: no examples, no batches');
  for (const bad of [-1, 1.5, NaN, Infinity]) {
    t.throws(() => batchIndices(bad, 4, { seed: 1, epoch: 0 }), OptionError, `count ${bad}`);
    t.throws(() => batchIndices(4, bad, { seed: 1, epoch: 0 }), OptionError, `batchSize ${bad}`);
    t.throws(() => batchIndices(4, 4, { seed: 1, epoch: bad }), OptionError, `epoch ${bad}`);
  }
  for (const bad of [-1, 1.5, NaN]) {
    t.throws(() => batchIndices(4, 4, { seed: bad, epoch: 0 }), /seed must be a whole number of 0 or more, found/);
  }
  // @ts-expect-error An unknown option.
  t.throws(() => batchIndices(4, 4, { seed: 1, epoch: 0, shufle: false }), /did you mean 'shuffle'/);
  t.throws(() => batchIndices(4, 0, { seed: 1, epoch: 0 }), /batchSize must be a whole number of 1 or more, found 0/);
  t.end();
});
