import test from 'tape';
import { interquartileRange, measure, median } from '../../bench/measure.js';

test('median is the middle value, or the mean of the middle two, whatever the order', (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([10, 1, 2, 4]), 3);
  t.equal(median([7]), 7);
  t.ok(Number.isNaN(median([])), 'of nothing there is none');
  t.end();
});

test('interquartileRange is the width of the middle half, linear between neighbours as in NumPy', (t) => {
  t.equal(interquartileRange([1, 2, 3, 4, 5]), 2); // 4 - 2
  t.equal(interquartileRange([4, 1, 3, 2]), 1.5); // 3.25 - 1.75
  t.equal(interquartileRange([1, 2, 3, 4, 1000]), 2, 'one outlier does not count');
  t.equal(interquartileRange([5]), 0);
  t.end();
});

test('measure repeats what is short, and gives the time of one execution', async (t) => {
  const asked: number[] = [];
  const short = await measure((repeats) => {
    asked.push(repeats);
    return Promise.resolve(repeats * 0.25);
  });
  t.equal(short.medianMilliseconds, 0.25);
  t.equal(short.spread, 0);
  t.ok(short.repeats * 0.25 >= 10, `${short.repeats} repeats take 10 ms or more`);
  // The runs, of which the first was the better of two tries.
  t.equal(asked.filter((repeats) => repeats === short.repeats).length, short.runs + 1, 'every run has as many repeats');
});

test('measure makes three runs of one execution of what takes long, without one to warm up', async (t) => {
  const times = [900, 1000, 1400];
  let calls = 0;
  const long = await measure(() => Promise.resolve(times[calls++] ?? NaN));
  t.equal(calls, 3);
  t.deepEqual(long, { medianMilliseconds: 1000, fastestMilliseconds: 900, spread: 250, runs: 3, repeats: 1 }); // 1200 - 950
});
