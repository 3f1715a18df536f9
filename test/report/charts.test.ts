import test from 'tape';
import { DataError, OptionError } from '../../lib/index.js';
import {
  confusedPairs,
  confusionMatrixOf,
  drawConfusedPairs,
  drawConfusionMatrix,
  drawGroups,
  drawLearningRates,
  drawSchedule,
} from '../../lib/report/index.js';
import { refuses, rejects } from '../support/errors.js';
import { marksOf, pointsOf, textsOf } from './svg.js';

const names = (count: number, name = 'class') => Array.from({ length: count }, (_, i) => `${name} ${i}`);
const matrix = (classNames: string[]) => ({
  classNames,
  counts: classNames.map((_, i) => classNames.map((_, j) => (i === j ? 20 + i : (i + 2 * j) % 5 === 0 ? 1 : 0))),
});

test('confusionMatrixOf counts what labelled predictions were taken for', (t) => {
  const classNames = ['a', 'b', 'c'];
  const guess = (label: string | undefined, ...probabilities: number[]) => ({
    ...{ classNames, probabilities },
    ...(label !== undefined && { label }),
  });
  const predictions = [guess('a', 0.5, 0.3, 0.2), guess('a', 0, 0, 1), guess('c', 0, 0, 1), guess(undefined, 1, 0, 0)];
  const counted = confusionMatrixOf(predictions);
  t.deepEqual(counted, {
    classNames,
    counts: [
      [1, 0, 1],
      [0, 0, 0],
      [0, 0, 1],
    ],
  });
  t.deepEqual(confusedPairs(counted), [{ label: 'a', predicted: 'c', count: 1, of: 2 }]);
  refuses(t, () => confusionMatrixOf([guess(undefined, 1, 0, 0)]), DataError, /no prediction has a label/);
  refuses(
    t,
    () => confusionMatrixOf([...predictions, { ...guess('a', 1, 0), classNames: ['a', 'b'] }]),
    DataError,
    /classes/,
  );
  t.end();
});

test('confusedPairs has the most frequent pairs first, then those with the larger share', (t) => {
  const pairs = confusedPairs({
    classNames: ['a', 'b', 'c'],
    counts: [
      [90, 4, 6],
      [4, 6, 0],
      [0, 0, 1],
    ],
  });
  t.deepEqual(
    pairs.map(({ label, predicted, count, of }) => [label, predicted, count, of]),
    [
      ['a', 'c', 6, 100],
      ['b', 'a', 4, 10],
      ['a', 'b', 4, 100],
    ],
  );
  t.end();
});

for (const count of [1, 2, 10, 100]) {
  test(`drawConfusionMatrix has a field for each pair of ${count} classes, and all names`, async (t) => {
    const svg = await drawConfusionMatrix(matrix(names(count)), { title: 'Confusion matrix' });
    t.equal(marksOf(svg, 'rect').length, count * count);
    const texts = textsOf(svg);
    t.equal(texts.filter((text) => text === `class ${count - 1}`).length, 2);
    for (const text of ['true class', 'predicted class', 'Confusion matrix']) t.ok(texts.includes(text), text);
    t.equal(texts.includes(String(19 + count)), count <= 10, 'numbers stand where they have room');
  });
}

test('drawConfusionMatrix shows the most mistaken of more than 100 classes, and says so', async (t) => {
  const classNames = names(120);
  const counts = classNames.map((_, i) => classNames.map((_, j) => Number(i === j || (i > 100 && j === 7))));
  const svg = await drawConfusionMatrix({ classNames, counts }, { title: 'Confusion matrix' });
  t.equal(marksOf(svg, 'rect').length, 50 * 50);
  t.ok(textsOf(svg).includes('the 50 of 120 classes with the most mistakes'));
  t.ok(textsOf(svg).includes('class 119') && textsOf(svg).includes('class 7'));
});

test('drawConfusionMatrix keeps long names apart that look alike when they are shortened, and escapes', async (t) => {
  const long = (n: number) => `A combination wrench with ${n} long handles of chrome vanadium steel`;
  const svg = await drawConfusionMatrix(matrix([long(1), long(2), '<script>x</script>', 'a\nb']));
  t.equal(marksOf(svg, 'rect').length, 16);
  t.equal(textsOf(svg).filter((text) => text.startsWith('A comb')).length, 4);
  t.notOk(svg.includes('<script'));
  t.equal(textsOf(svg).filter((text) => text === 'a\\u{a}b').length, 2);
});

test('a confusion matrix is a square of whole numbers', async (t) => {
  const bad = (counts: number[][], pattern: RegExp) =>
    rejects(t, drawConfusionMatrix({ classNames: ['a', 'b'], counts }), DataError, pattern);
  await bad([[1, 0]], /2 classes with rows of \[2\]/);
  await bad([[1, 0], [1]], /rows of \[2, 1\]/);
  await bad(
    [
      [1, 0],
      [0.5, 1],
    ],
    /0.5/,
  );
  await bad(
    [
      [1, 0],
      [-1, 1],
    ],
    /-1/,
  );
});

test('drawConfusedPairs has a bar for each pair, and says where there is none', async (t) => {
  const svg = await drawConfusedPairs(matrix(names(10)), { limit: 4, title: 'Pairs' });
  t.equal(marksOf(svg, 'rect').length, 4);
  t.ok(textsOf(svg).some((text) => /^class \d → class \d$/.test(text)));
  t.ok(textsOf(svg).some((text) => /^1 of \d+$/.test(text)));
  const none = await drawConfusedPairs(
    {
      classNames: ['a', 'b'],
      counts: [
        [1, 0],
        [0, 1],
      ],
    },
    { title: 'Pairs' },
  );
  t.ok(textsOf(none).includes('No class was taken for another one'));
  await rejects(t, drawConfusedPairs(matrix(names(2)), { limit: 0 }), OptionError, 'limit');
});

test('drawGroups has the accuracy of each group', async (t) => {
  const svg = await drawGroups([
    { group: 'wood, sun', count: 8, accuracy: 7 / 8 },
    { group: 'wood, lamp', count: 3, accuracy: 0 },
  ]);
  const texts = textsOf(svg);
  for (const text of ['wood, sun', '87.5\u00a0% of 8', '0.0\u00a0% of 3', 'accuracy', '100%'])
    t.ok(texts.includes(text), text);
  await rejects(t, drawGroups([{ group: 'none', count: 0, accuracy: 0 }]), DataError, /none has an accuracy of 0 in 0/);
  await rejects(t, drawGroups([{ group: 'more', count: 2, accuracy: 1.5 }]), DataError, /more has an accuracy of 1.5/);
});

test('drawLearningRates has both curves and the suggestion, without what lies far above the first loss', async (t) => {
  const rates = Array.from({ length: 100 }, (_, i) => 1e-5 * 10 ** (i / 16));
  const losses = rates.map((rate, i) => (rate > 1 ? 1e9 : 2 - Math.min(1, rate * 10) + 0.01 * (i % 3)));
  const svg = await drawLearningRates({ rates, losses, smoothedLosses: losses, suggestion: 0.0123456 });
  const [line = ''] = marksOf(svg, 'line');
  t.equal(pointsOf(line), losses.filter((loss) => loss < 1e9).length);
  t.equal(marksOf(svg, 'rule').length, 1);
  const texts = textsOf(svg);
  for (const text of ['learning rate', 'loss', 'smoothed', 'each step', 'suggested: 0.0123'])
    t.ok(texts.includes(text), text);
  const wrong = { rates, losses, smoothedLosses: [1], suggestion: 0.1 };
  await rejects(t, drawLearningRates(wrong), DataError, /100 learning rates, 100 losses, 1 /);
});

test('drawSchedule has the learning rate over steps or epochs', async (t) => {
  const rates: number[] = [];
  const falling = (step: number) => {
    rates.push(step);
    return 0.1 / (1 + step);
  };
  const svg = await drawSchedule(falling, { steps: 5000, stepsPerEpoch: 100 });
  t.deepEqual([rates[0], rates.at(-1), rates.length], [0, 4999, 1000]);
  t.ok(textsOf(svg).includes('epoch') && textsOf(svg).includes('learning rate'));
  const constant = await drawSchedule(0.1, { steps: 1 });
  t.equal(marksOf(constant, 'symbol').length, 1);
  t.ok(textsOf(constant).includes('step'));
  await rejects(
    t,
    drawSchedule(() => NaN, { steps: 3 }),
    DataError,
    /step 0 is NaN/,
  );
  await rejects(t, drawSchedule(0.1, { steps: 0 }), OptionError, 'steps');
});
