import fc from 'fast-check';
import test from 'tape';
import { fromArrays } from '../../lib/data/arrays.js';
import { type LabelledData } from '../../lib/data/training-data.js';
import { splitByClass, type SplitOptions } from '../../lib/data/split.js';
import { OptionError } from '../../lib/errors.js';
import { refuses } from '../support/errors.js';

/** Examples of the given labels; input and file of an example tell its index. */
function examples(labels: readonly number[], classNames: readonly string[] = ['a', 'b', 'c']): LabelledData {
  const data = fromArrays(
    labels.map((label, i) => [i, label]),
    labels,
    { classNames },
  );
  return { ...data, files: labels.map((_, i) => `${i}.png`) };
}

function countOf(data: LabelledData, label: number): number {
  return data.labels.filter((value) => value === label).length;
}

test('a fifth of each class is held out', (t) => {
  const labels = [...Array<number>(62).fill(0), ...Array<number>(20).fill(1), ...Array<number>(1).fill(2)];
  const { training, validation } = splitByClass(examples(labels), { validation: 0.2, seed: 1 });
  t.deepEqual(
    [0, 1, 2].map((label) => countOf(validation, label)),
    [12, 4, 0],
  ); // 12.4, 4, 0.2 rounded
  t.deepEqual(
    [0, 1, 2].map((label) => countOf(training, label)),
    [50, 16, 1],
  );
  t.end();
});

test('every example lands in exactly one of the two sets with its input, label and file, in the order of the data', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(2), { minLength: 1, maxLength: 40 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.nat(1000),
      (labels, validation, seed) => {
        const data = examples(labels);
        const split = splitByClass(data, { validation, seed });
        const indices = [split.training, split.validation].map((set) => {
          const found = [...set.labels.keys()].map((i) => set.inputs[2 * i] ?? -1);
          for (const [i, index] of found.entries()) {
            if (set.inputs[2 * i + 1] !== labels[index]) return [];
            if (set.labels[i] !== labels[index] || set.files?.[i] !== `${index}.png`) return [];
          }
          return found.every((index, i) => i === 0 || index > (found[i - 1] ?? Infinity)) ? found : [];
        });
        const everyone = indices.flat().sort((a, b) => a - b);
        if (everyone.length !== labels.length || everyone.some((index, i) => index !== i)) return false;
        return [0, 1, 2].every((label) => countOf(data, label) === 0 || countOf(split.training, label) > 0);
      },
    ),
    { numRuns: 300 },
  );
  t.pass('300 splits');
  t.end();
});

test('the seed decides the split', (t) => {
  const data = examples(Array.from({ length: 60 }, (_, i) => i % 3));
  const held = (seed: number): string[] => [...(splitByClass(data, { validation: 0.25, seed }).validation.files ?? [])];
  t.deepEqual(held(3), held(3), 'the same seed, the same examples');
  t.notDeepEqual(held(3), held(4), 'another seed, other examples');
  t.notDeepEqual(
    held(3)
      .map((file) => Math.floor(parseInt(file) / 3))
      .slice(0, 5),
    [0, 1, 2, 3, 4],
    'not simply the first ones',
  );
  t.end();
});

test('one example of each class is always left to train on', (t) => {
  const { training, validation } = splitByClass(examples([0, 0, 1, 1, 2]), { validation: 0.99, seed: 5 });
  t.deepEqual([...training.labels], [0, 1, 2]);
  t.deepEqual([...validation.labels], [0, 1]);
  t.end();
});

test('a share of 0 holds nothing out, and data without files stay without', (t) => {
  const data = fromArrays([[1], [2]], [0, 1]);
  const { training, validation } = splitByClass(data, { validation: 0, seed: 1 });
  t.deepEqual(training.inputs, data.inputs);
  t.equal(validation.labels.length, 0);
  t.notOk('files' in training || 'files' in validation);
  training.inputs[0] = 9;
  t.equal(data.inputs[0], 1, 'the data are copied');
  t.end();
});

test('a share outside of 0 to 1 is refused', (t) => {
  for (const validation of [-0.1, 1, 20, NaN]) {
    t.throws(() => splitByClass(examples([0, 1]), { validation, seed: 1 }), OptionError, `${validation}`);
  }
  t.end();
});

test('data without classes are refused', (t) => {
  const numbers = fromArrays([[1], [2]], [[0.5], [1.5]]) as never;
  refuses(t, () => splitByClass(numbers, { validation: 0.2, seed: 1 }), OptionError, 'data must be data with labels');
  t.end();
});

test('a seed that is none, and a misspelt option, are refused', (t) => {
  const split = (options: object) => () => splitByClass(examples([0, 1]), options as SplitOptions);
  for (const seed of [NaN, -1, 1.5, 2 ** 53, '1', undefined]) {
    refuses(t, split({ validation: 0.2, seed }), OptionError, 'splitByClass: seed must be a whole number of 0 or more');
  }
  refuses(
    t,
    split({ validaton: 0.2, seed: 1 }),
    OptionError,
    "unknown option 'validaton' (did you mean 'validation'?)",
  );
  refuses(t, split({ seed: 1 }), OptionError, 'validation must be a number of 0 or more and below 1, found undefined');
  t.end();
});

test('bytes stay bytes with their scale in both sets', (t) => {
  const data = fromArrays(Uint8Array.of(1, 2, 3, 4, 5, 6), [0, 0, 1, 1, 0, 1], { inputShape: [1], scale: 0.5 });
  const { training, validation } = splitByClass(data, { validation: 0.3, seed: 1 });
  t.deepEqual([training.scale, validation.scale], [0.5, 0.5]);
  t.ok(training.inputs instanceof Uint8Array && validation.inputs instanceof Uint8Array);
  t.deepEqual([...training.inputs, ...validation.inputs].sort(), [1, 2, 3, 4, 5, 6]);
  t.end();
});
