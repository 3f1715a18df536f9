import test from 'tape';
import { add, DataError, reshape, ShapeError, tensor } from '../lib/index.js';
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
  refuses(t, () => tensor([[1, 2], [3]]), DataError, 'ragged', 'an array of 1 at [1]', 'an array of 2');
  refuses(t, () => tensor([[1], 2]), DataError, 'a number at [1]');
  refuses(t, () => tensor([1, [2]]), DataError, 'an array of 1 at [1]', 'expected a number');
  t.end();
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
