import test from 'tape';
import { fromArrays } from '../../lib/data/arrays.js';
import { DataError, OptionError, ShapeError } from '../../lib/errors.js';
import { tensor } from '../../lib/tensor.js';
import { refuses } from '../support/errors.js';

test('nested arrays become rows of float32 with the shape of their nesting', (t) => {
  const data = fromArrays(
    [
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [
        [7, 8, 9],
        [0.1, 11, 12],
      ],
    ],
    [1, 0],
  );
  t.deepEqual(data.inputs, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 0.1, 11, 12));
  t.deepEqual(data.inputShape, [2, 3]);
  t.deepEqual(data.labels, Int32Array.of(1, 0));
  t.deepEqual(data.classNames, ['0', '1']);
  t.notOk('files' in data, 'no files are made up');
  t.end();
});

test('flat numbers take their shape from the option', (t) => {
  const values = Float32Array.of(1, 2, 3, 4);
  const data = fromArrays(values, Int32Array.of(0, 1), { inputShape: [2, 1], classNames: ['hook', 'spanner', 'none'] });
  t.equal(data.inputs, values, 'a Float32Array is not copied');
  t.deepEqual(data.inputShape, [2, 1]);
  t.deepEqual(data.classNames, ['hook', 'spanner', 'none']);
  t.deepEqual(fromArrays([1, 2, 3, 4], [0, 1], { inputShape: [2] }).inputs, values);
  t.deepEqual(
    fromArrays(
      [
        [1, 2],
        [3, 4],
      ],
      [0, 0],
      { inputShape: [1, 2, 1] },
    ).inputShape,
    [1, 2, 1],
  );
  t.end();
});

test('arrays that cannot be used are refused with the place', (t) => {
  const control = fromArrays(
    [
      [1, 2],
      [3, 4],
    ],
    [0, 1],
  );
  t.equal(control.labels.length, 2, 'the control case is read');
  const cases: [string, () => unknown, typeof DataError | typeof ShapeError, RegExp][] = [
    ['no inputs', () => fromArrays([], []), DataError, /no inputs/],
    ['no numbers', () => fromArrays([[], []], [0, 1]), DataError, /inputs\[0\] is empty/],
    ['more labels', () => fromArrays([[1], [2]], [0, 1, 0]), DataError, /2 inputs, but 3 labels/],
    [
      'part of an input',
      () => fromArrays(new Float32Array(5), [0, 1], { inputShape: [2] }),
      DataError,
      /5 numbers.*\[2\]/,
    ],
    [
      'a short row',
      () => fromArrays([[1, 2], [3]], [0, 1]),
      DataError,
      /inputs\[1\] is an array of 1; expected 2 entries, as in inputs\[0\]/,
    ],
    [
      'a long inner row',
      () =>
        fromArrays(
          [
            [[1], [2]],
            [[3], [4, 5]],
          ],
          [0, 1],
        ),
      DataError,
      /inputs\[1\]\[1\] is an array of 2; expected 1/,
    ],
    [
      'a number for a row',
      () => fromArrays([[1], 2], [0, 1]),
      DataError,
      /inputs\[1\] is number 2; expected 1 entries/,
    ],
    [
      'a row for a number',
      () => fromArrays([[1], [[2]]], [0, 1]),
      DataError,
      /inputs\[1\]\[0\] is an array of 1; expected a number/,
    ],
    [
      'NaN',
      () =>
        fromArrays(
          [
            [1, 2],
            [3, NaN],
          ],
          [0, 1],
        ),
      DataError,
      /row 1, column 1 is NaN/,
    ],
    [
      'infinity in float32',
      () =>
        fromArrays(
          [
            [1, 2],
            [1e39, 4],
          ],
          [0, 1],
        ),
      DataError,
      /row 1, column 0 is Infinity/,
    ],
    [
      'NaN in flat numbers',
      () => fromArrays(Float32Array.of(1, 2, 3, NaN, 5, 6), [0, 1], { inputShape: [3] }),
      DataError,
      /row 1, column 0/,
    ],
    [
      'a negative label',
      () => fromArrays([[1], [2]], [0, -1]),
      DataError,
      /row 1 is -1; expected a whole number from 0 to 0/,
    ],
    ['a fractional label', () => fromArrays([[1], [2]], [0.5, 1]), DataError, /row 0 is 0.5/],
    ['a NaN label', () => fromArrays([[1], [2]], [0, NaN]), DataError, /row 1 is NaN/],
    [
      'a label beyond the classes',
      () => fromArrays([[1], [2]], [0, 2], { classNames: ['a', 'b'] }),
      DataError,
      /row 1 is 2; expected a whole number from 0 to 1/,
    ],
    ['an absurd label', () => fromArrays([[1], [2]], [0, 1e9]), DataError, /1000000000/],
    ['flat numbers without a shape', () => fromArrays(new Float32Array(4), [0, 1]), ShapeError, /inputShape/],
    [
      'a fractional size',
      () => fromArrays(new Float32Array(4), [0, 1], { inputShape: [0.5, 4] }),
      ShapeError,
      /holds 0.5/,
    ],
    ['a size of 0', () => fromArrays(new Float32Array(4), [0, 1], { inputShape: [0] }), ShapeError, /holds 0/],
    [
      'another shape',
      () =>
        fromArrays(
          [
            [1, 2],
            [3, 4],
          ],
          [0, 1],
          { inputShape: [3] },
        ),
      ShapeError,
      /\[3\] does not fit.*\[2\]/,
    ],
  ];
  for (const [what, action, type, reason] of cases) {
    try {
      action();
      t.fail(`${what} is refused`);
    } catch (error) {
      t.ok(error instanceof type, `${what}: ${String(error)}`);
      t.match(String(error), reason);
    }
  }
  t.end();
});

test('holes and texts among the numbers are refused', (t) => {
  // @ts-expect-error A text is no number; JavaScript lets it through.
  t.throws(() => fromArrays([[1, '2']], [0]), /inputs\[0\]\[1\] is string 2; expected a number/);
  const holed: number[] = [1, , 3] as number[];
  t.throws(() => fromArrays([holed], [0]), /inputs\[0\]\[1\] is undefined/);
  t.end();
});

test('numbers to be predicted keep the shape of their nesting', (t) => {
  const inputs = [[1], [2], [3]];
  const bits = fromArrays(inputs, [[0], [1], [1]]);
  t.deepEqual([bits.targets, bits.targetShape], [Float32Array.of(0, 1, 1), [1]]);
  t.notOk('labels' in bits || 'classNames' in bits, 'numbers are no classes');
  const boxes = fromArrays(inputs.slice(1), [
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [
      [7, 8, 9],
      [10, 11, 0.5],
    ],
  ]);
  t.deepEqual(boxes.targetShape, [2, 3]);
  t.equal(boxes.targets[11], 0.5);
  const flat = Float32Array.of(0.5, -1, 2e3);
  const single = fromArrays(inputs, flat);
  t.equal(single.targets, flat, 'a Float32Array is not copied');
  t.deepEqual(single.targetShape, [1], 'N flat numbers are one an example');
  t.deepEqual(fromArrays(inputs, flat, { targetShape: [] }).targetShape, [], 'or a number without an axis');
  t.deepEqual(fromArrays(inputs, new Float32Array(12), { targetShape: [2, 2] }).targetShape, [2, 2]);
  t.deepEqual(fromArrays(inputs, Uint8Array.of(0, 1, 1)).labels, Int32Array.of(0, 1, 1), 'bytes are classes');
  t.end();
});

test('inputs of bytes are kept, with their scale', (t) => {
  const pixels = Uint8Array.of(0, 255, 7, 9);
  const data = fromArrays(pixels, [0, 1], { inputShape: [2], scale: 1 / 255 });
  t.equal(data.inputs, pixels, 'not copied');
  t.equal(data.scale, 1 / 255);
  t.notOk('scale' in fromArrays(pixels, [0, 1], { inputShape: [2] }));
  t.end();
});

test('shapes, names and labels that are none are refused', (t) => {
  const values = new Float32Array(4);
  const read =
    (options: object, labels: unknown = [0, 1]) =>
    () =>
      fromArrays(values, labels as never, options);
  for (const inputShape of [2, '2', null, Int32Array.of(2), {}]) {
    refuses(t, read({ inputShape }), OptionError, 'fromArrays: inputShape must be an array, found');
  }
  for (const classNames of ['ab', ['a', 1], [1, 2], [, 'b'], null]) {
    refuses(t, read({ inputShape: [2], classNames }), OptionError, 'classNames must be an array of texts, found');
  }
  refuses(t, read({ inputshape: [2] }), OptionError, "unknown option 'inputshape' (did you mean 'inputShape'?)");
  for (const labels of [null, 'ab', { 0: 1 }, BigInt64Array.of(0n, 1n), new DataView(values.buffer)]) {
    refuses(t, read({ inputShape: [2] }, labels), DataError, 'The labels are', 'expected an array of numbers');
  }
  refuses(t, read({ inputShape: [2] }, ['0', '1']), DataError, 'The label in row 0 is "0"; expected a whole number');
  refuses(t, read({ inputShape: [2] }, [0n, 1n]), DataError, 'The label in row 0 is 0n');
  refuses(t, read({ inputShape: [2] }, [0, , 1]), DataError, '3 labels');
  t.end();
});

test('targets and options that do not fit are refused', (t) => {
  const inputs = [[1], [2]];
  t.equal(fromArrays(inputs, [[1], [2]], {}).targets.length, 2, 'the control case');
  refuses(t, () => fromArrays(inputs, [[1], [2], [3]]), DataError, '2 inputs', '3 targets of shape [1]');
  refuses(t, () => fromArrays(inputs, [[1], [2, 3]]), DataError, 'targets[1]', 'expected 1 entries');
  refuses(t, () => fromArrays(inputs, [[1], [NaN]]), DataError, 'target in row 1, column 0 is NaN');
  refuses(t, () => fromArrays(inputs, Float32Array.of(1, 2, 3, Infinity), { targetShape: [2] }), DataError, 'row 1');
  refuses(t, () => fromArrays(inputs, new Float32Array(6)), ShapeError, '6 flat targets', 'targetShape');
  refuses(t, () => fromArrays(inputs, [[1], [2]], { targetShape: [2] }), ShapeError, 'targetShape [2]', '[1]');
  refuses(t, () => fromArrays(inputs, [[1], [2]], { targetShape: [0] }), ShapeError, 'targetShape [0] holds 0');
  refuses(t, () => fromArrays(inputs, [0.5, 1]), DataError, 'row 0 is 0.5', '[[0.5], …]');
  refuses(t, () => fromArrays(inputs, [[1], [2]], { classNames: ['a'] }), OptionError, 'classNames');
  refuses(t, () => fromArrays(inputs, [0, 1], { targetShape: [1] }), OptionError, 'targetShape');
  refuses(t, () => fromArrays(inputs, [0, 1], { scale: 2 }), OptionError, 'scale', 'Uint8Array');
  refuses(t, () => fromArrays(new Uint8Array(2), [0, 1], { inputShape: [1], scale: NaN }), OptionError, 'scale', 'NaN');
  for (const nothing of [undefined, null, {}, tensor([0, 1])]) {
    refuses(t, () => fromArrays(inputs, nothing as number[]), DataError, 'The labels are', 'expected an array');
  }
  // @ts-expect-error an unknown option
  refuses(t, () => fromArrays(inputs, [0, 1], { shape: [1] }), OptionError, "'shape'");
  // @ts-expect-error other typed arrays
  const other: Float32Array = new Float64Array(2);
  refuses(t, () => fromArrays(other, [0, 1], { inputShape: [1] }), DataError, 'Float64Array', 'Uint8Array');
  t.end();
});
