import test from 'tape';
import {
  add,
  concat,
  DataError,
  matmul,
  OptionError,
  relu,
  reshape,
  ShapeError,
  softmaxCrossEntropy,
  sum,
  tensor,
} from '../lib/index.js';
import { refuses, rejects } from './support/errors.js';

test('a tensor is made of a number, nested arrays or a typed array', async (t) => {
  const describe = async (...given: Parameters<typeof tensor>) => {
    const value = tensor(...given);
    return [value.shape, value.dtype, Array.from(await value.data()), value.rank, value.size];
  };
  t.deepEqual(await describe(3), [[], 'f32', [3], 0, 1]);
  t.deepEqual(
    await describe([
      [1, 2, 3],
      [4, 5, 6],
    ]),
    [[2, 3], 'f32', [1, 2, 3, 4, 5, 6], 2, 6],
  );
  t.deepEqual(await describe([[], []]), [[2, 0], 'f32', [], 2, 0]);
  t.deepEqual(await describe(Int32Array.of(1, 2)), [[2], 'i32', [1, 2], 1, 2]);
  t.deepEqual(await describe(Uint32Array.of(1, 2), { shape: [2, 1] }), [[2, 1], 'u32', [1, 2], 2, 2]);
  t.deepEqual(await describe(Float64Array.of(1, 0.1)), [[2], 'f32', [1, Math.fround(0.1)], 1, 2]);
  t.deepEqual(await describe([1, 2], { dtype: 'i32' }), [[2], 'i32', [1, 2], 1, 2]);
  t.deepEqual(await describe(Float32Array.of(1, 2), { dtype: 'i32', shape: [1, 2] }), [[1, 2], 'i32', [1, 2], 2, 2]);
});

test('array() gives nested arrays back, item() the only value', async (t) => {
  t.deepEqual(
    await tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]).array(),
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  );
  t.equal(await tensor(7).array(), 7);
  t.deepEqual(await tensor([[], []]).array(), [[], []]);
  t.equal(await tensor([[8]]).item(), 8);
  await rejects(t, tensor([1, 2]).item(), ShapeError, '[2]');
  await rejects(t, tensor([]).item(), ShapeError, '[0]');
});

test('ragged arrays are refused, with the place', (t) => {
  refuses(t, () => tensor([[1, 2], [3]]), DataError, 'expected an array of 2 at [1], found an array of 1');
  refuses(t, () => tensor([[1], 2]), DataError, 'expected an array of 1 at [1], found 2');
  refuses(t, () => tensor([1, [2]]), DataError, 'expected a number at [1], found an array of 1');
  t.end();
});

test('what is no number is refused, with the place', (t) => {
  const wrong: readonly [value: unknown, shown: string][] = [
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [2n, '2n'],
    ['2', '"2"'],
    [{ valueOf: () => 2 }, 'an object'],
    [new Date(), 'a Date'],
    [tensor(2), 'a Tensor'],
  ];
  for (const [value, shown] of wrong) {
    refuses(t, () => tensor(value as never), DataError, `tensor: expected a number, found ${shown}`);
    refuses(t, () => tensor([1, value, 3] as never), DataError, `tensor: expected a number at [1], found ${shown}`);
    refuses(t, () => tensor([value, 3] as never, { dtype: 'i32' }), DataError, `at [0], found ${shown}`);
    const nested = [
      [1, 2],
      [3, value],
    ];
    refuses(t, () => tensor(nested as never), DataError, `at [1][1], found ${shown}`);
  }
  const holed = Object.assign(new Array<number>(3), [1]);
  holed[2] = 3;
  refuses(t, () => tensor(holed), DataError, 'tensor: expected a number at [1], found undefined');
  refuses(t, () => tensor(BigInt64Array.of(1n) as never), DataError, 'at [0], found 1n');
  t.end();
});

test('numbers that an integer type does not have are refused, with the place', (t) => {
  refuses(t, () => tensor([0, NaN], { dtype: 'i32' }), DataError, 'tensor: NaN at [1]', 'i32');
  refuses(t, () => tensor([[0], [2 ** 31]], { dtype: 'i32' }), DataError, '2147483648 at [1][0]', 'i32');
  refuses(t, () => tensor(-1, { dtype: 'u32' }), DataError, 'tensor: -1 is', 'u32');
  refuses(t, () => tensor(Float32Array.of(1, Infinity), { dtype: 'u8' }), DataError, 'Infinity at [1]', 'u8');
  refuses(t, () => tensor(Int32Array.of(256), { dtype: 'u8', shape: [1, 1] }), DataError, '256 at [0][0]');
  t.deepEqual(tensor([-(2 ** 31), 2 ** 31 - 1, -0.9], { dtype: 'i32' }).origin, {
    kind: 'constant',
    data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0),
  });
  t.end();
});

test('options of tensor are checked', (t) => {
  refuses(t, () => tensor([1], { type: 'i32' } as never), OptionError, "tensor: unknown option 'type'");
  refuses(t, () => tensor([1], { dtype: 'float' } as never), OptionError, 'dtype', '"float"', "'f32'");
  refuses(t, () => tensor([1], { shape: 1 } as never), OptionError, 'shape', 'found 1');
  t.end();
});

test('operations take numbers in arrays of any kind, and refuse what is none by the name of the operand', async (t) => {
  t.deepEqual(await add([1, 2], Float32Array.of(10, 20)).array(), [11, 22]);
  t.deepEqual(await add([[1], [2]], Float64Array.of(10, 20)).array(), [
    [11, 21],
    [12, 22],
  ]);
  t.equal(add(Int16Array.of(1) as never, 2).dtype, 'f32');
  const labels = Int32Array.of(0, 1);
  const scores = [
    [1, 2],
    [3, 4],
  ];
  const classWeights = Float32Array.of(1, 3);
  const loss = softmaxCrossEntropy(scores, labels, { classWeights });
  const same = softmaxCrossEntropy(tensor(scores), tensor(labels), { classWeights: tensor(classWeights) });
  t.equal(await loss.item(), await same.item());
  const wrong: readonly [value: unknown, shown: string][] = [
    [null, 'null'],
    [undefined, 'undefined'],
    ['x', '"x"'],
    [3n, '3n'],
    [{}, 'an object'],
    [new Map(), 'a Map'],
  ];
  for (const [given, shown] of wrong) {
    const value = given as never;
    refuses(t, () => add(1, value), DataError, `add: b must be a tensor, a variable or numbers, found ${shown}`);
    refuses(t, () => sum(value), DataError, 'sum: input', shown);
    refuses(t, () => relu(value), DataError, 'relu: input', shown);
    refuses(t, () => concat([[1], value]), DataError, 'concat: input 1', shown);
    refuses(t, () => matmul(value, value), DataError, 'matmul: a', shown);
    if (given === undefined) continue; // an option that is undefined is left out
    refuses(
      t,
      () => softmaxCrossEntropy(scores, labels, { classWeights: value }),
      DataError,
      'softmaxCrossEntropy: classWeights',
      shown,
    );
  }
  refuses(t, () => add([1, null] as never, 1), DataError, 'add: a: expected a number at [1], found null');
});

test('values that do not fill the shape, and sizes that are no sizes, are refused', (t) => {
  refuses(t, () => tensor(Float32Array.of(1, 2, 3), { shape: [2, 2] }), ShapeError, '3 values', '[2, 2]', '4');
  refuses(t, () => tensor(Float32Array.of(1, 2), { shape: [-1, -2] }), ShapeError, '-1');
  refuses(t, () => tensor(Float32Array.of(1, 2), { shape: [0.5, 4] }), ShapeError, '0.5');
  t.end();
});

test('operations compute nothing until a value is read, but check shapes at once', async (t) => {
  const sum = add(tensor([1, 2]), tensor([[10], [20]]));
  t.deepEqual(sum.shape, [2, 2]);
  refuses(t, () => add(sum, tensor([1, 2, 3])), ShapeError, '[2, 2]', '[3]');
  t.deepEqual(await reshape(sum, [4]).array(), [11, 12, 21, 22]);
});
