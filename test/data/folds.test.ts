import fc from 'fast-check';
import test from 'tape';
import { foldsOf } from '../../lib/data/folds.js';
import { DataError, fromArrays, type LabelledData } from '../../lib/index.js';
import { refuses } from '../support/errors.js';

function labelled(labels: readonly number[], classes = 2): LabelledData {
  const classNames = Array.from({ length: classes }, (_, i) => `class ${i}`);
  return fromArrays(
    labels.map((label) => [label]),
    labels,
    { classNames },
  );
}

test('each example is in one fold, each group in one, and no fold is empty', (t) => {
  const sets = fc.record({
    examples: fc.array(fc.record({ label: fc.nat(2), group: fc.nat(6) }), { minLength: 12, maxLength: 40 }),
    folds: fc.integer({ min: 2, max: 5 }),
    seed: fc.nat(1000),
  });
  fc.assert(
    fc.property(sets, ({ examples, folds, seed }) => {
      const groups = examples.map(({ group }) => `group ${group}`);
      fc.pre(new Set(groups).size >= folds);
      const data = labelled(
        examples.map(({ label }) => label),
        3,
      );
      const found = foldsOf(data, folds, seed, groups);
      const foldsOfGroups = new Map(groups.map((group, row) => [group, found[row]]));
      return (
        groups.every((group, row) => foldsOfGroups.get(group) === found[row]) &&
        new Set(found).size === folds &&
        found.every((fold) => fold >= 0 && fold < folds)
      );
    }),
  );
  t.end();
});

test('without groups the classes are spread evenly', (t) => {
  const labels = Array.from({ length: 103 }, (_, row) => (row % 3 === 0 ? 1 : 0));
  const found = foldsOf(labelled(labels), 5, 7, undefined);
  for (let fold = 0; fold < 5; fold++) {
    const ones = labels.filter((label, row) => label === 1 && found[row] === fold).length;
    const zeros = labels.filter((label, row) => label === 0 && found[row] === fold).length;
    t.ok(ones === 7 || ones === 6 || ones === 8, `fold ${fold} has ${ones} of 35 of class 1`);
    t.ok(zeros >= 13 && zeros <= 14, `and ${zeros} of 68 of class 0`);
  }
  t.notDeepEqual(found, foldsOf(labelled(labels), 5, 8, undefined), 'another seed, another partition');
  t.deepEqual(found, foldsOf(labelled(labels), 5, 7, undefined), 'the same seed, the same');
  t.end();
});

test('what cannot be divided is refused', (t) => {
  refuses(t, () => foldsOf(labelled([0, 1, 0]), 4, 0, undefined), DataError, '3 examples', '4 folds');
  refuses(t, () => foldsOf(labelled([0, 1, 0]), 3, 0, ['a', 'a', 'b']), DataError, '2 groups', '3 folds');
  refuses(t, () => foldsOf(labelled([0, 1, 0]), 2, 0, ['a', 'b']), DataError, '2 groups for 3 examples');
  t.end();
});
