import test from 'tape';
import { recipeStep } from '../../bench/nets/recipe-step.js';
import { scaledStep } from '../../bench/scale/scaled-step.js';
import { operationsTable, profileStep, profileTable } from '../../bench/step/profile.js';

test('the profile of a step has a row for each step of its plan, in order, and the flop of its products', async (t) => {
  const profile = await profileStep((device) => scaledStep(device, { inputs: 12, batch: 4, hidden: 8, examples: 8 }), {
    threads: 1,
    rounds: 1,
    replays: 3,
    warmUp: 2,
  });
  const names = profile.steps.map(({ name }) => name);
  t.deepEqual(names.slice(0, 2), ['gather', 'gather'], 'pictures and labels come first');
  t.ok(names.includes('advance'), 'and the counters are among them');
  const products = profile.steps.filter(({ name }) => name.startsWith('matmul'));
  t.deepEqual(
    products.map(({ flop }) => flop),
    [4 * 8 * 12, 4 * 2 * 8, 4 * 8 * 2, 4 * 2 * 8, 4 * 8 * 12].map((madds) => 2 * madds),
    'two products forwards, three backwards',
  );
  t.ok(
    profile.steps.every(({ milliseconds }) => milliseconds.smallest > 0),
    'every step took its time',
  );
  t.equal(
    profileTable(profile, { gflops: 50, gigabytesPerSecond: 20 }).split('\n').length,
    2 + names.length + 1,
    'a head, a row a step, and the whole',
  );
  const byOperation = operationsTable(profile, { gflops: 50, gigabytesPerSecond: 20 }).split('\n');
  t.equal(byOperation.length, 2 + new Set(names).size + 1, 'by operation: a row for each name');
  t.ok(
    byOperation.some((line) => line.startsWith('| 2 × gather ')),
    'steps of one operation are counted together',
  );
});

test("the recipe's step computes no gradient of its pictures, and stores no normalized ones", async (t) => {
  const options = { threads: 1, rounds: 1, replays: 1, warmUp: 1 };
  const { steps } = await profileStep((device) => recipeStep(device), options);
  const countOf = (matches: (name: string) => boolean): number => steps.filter(({ name }) => matches(name)).length;
  t.equal(
    countOf((name) => name.startsWith('conv2dWeightGradient')),
    4,
  );
  t.equal(
    countOf((name) => name === 'conv2dInputGradient + reluGradient'),
    3,
  );
  t.equal(
    countOf((name) => name === 'normalizeBatch + maxPool2d + relu'),
    4,
  );
  t.equal(
    countOf((name) => /^(normalizeBatch|relu)$/.test(name)),
    0,
  );
});
