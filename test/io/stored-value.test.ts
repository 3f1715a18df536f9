import { isDeepStrictEqual } from 'node:util';
import test from 'tape';
import { DataError } from '../../lib/errors.js';
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.js';
import { packValue, type StoredValue, unpackValue } from '../../lib/io/stored-value.js';
import { refuses } from '../support/errors.js';

/** Through a file and back. */
function stored(value: StoredValue): StoredValue {
  const { text, tensors } = packValue(value);
  const file = decodeSafetensors(encodeSafetensors(tensors, { value: text }));
  return unpackValue(file.metadata['value'] ?? '', file.tensors, 'the file');
}

test('a value comes back from a file bit for bit', (t) => {
  const value = {
    nothing: null,
    flags: [true, false],
    text: 'µ "quoted"\n\u{1f527}',
    numbers: [0, -0, 0.1, 1 / 3, 5e-324, 2 ** 53, NaN, Infinity, -Infinity],
    nested: [[], {}, [{ deep: [1] }]],
    $number: 'a field of this name',
    $$: { $array: 1 },
    arrays: {
      f32: Float32Array.of(0.1, NaN, -0),
      f64: Float64Array.of(1 / 3),
      i32: Int32Array.of(-1),
      u32: Uint32Array.of(2 ** 32 - 1),
      u8: Uint8Array.of(255),
      i64: BigInt64Array.of(-(2n ** 63n)),
      none: new Float32Array(0),
    },
    tensor: { dtype: 'F32', shape: [2, 1], data: Float32Array.of(1, 2) },
  } as const;
  t.ok(isDeepStrictEqual(stored(value), value)); // by Object.is: 0 is not -0, and NaN is NaN
  for (const single of [1, 'x', null, [], NaN, Float32Array.of(1)]) t.deepEqual(stored(single), single);
  t.deepEqual(stored({ a: 1, b: undefined }), { a: 1 }, 'what is undefined is left out');
  t.end();
});

test('tensors are named by where they stand, also where two places are called the same', (t) => {
  const [a, b] = [Float32Array.of(1), Float32Array.of(2)];
  const { tensors } = packValue({ 'fc1.weight': a, fc1: { weight: b }, list: [a] });
  t.deepEqual([...tensors.keys()], ['fc1.weight', 'fc1.weight#2', 'list.0']);
  t.equal(tensors.get('list.0')?.data, a, 'it is no copy');
  t.deepEqual(stored({ 'fc1.weight': a, fc1: { weight: b } }), { 'fc1.weight': a, fc1: { weight: b } });
  t.end();
});

test('what cannot be stored is refused by its place, and so is what no value was packed to', (t) => {
  const of = (value: unknown) => value as StoredValue;
  refuses(t, () => packValue(of({ best: { when: new Date() } })), DataError, 'best.when is a Date');
  refuses(t, () => packValue(of([() => 1])), DataError, '0 is a function');
  refuses(t, () => packValue(of(undefined)), DataError, 'the value is undefined');
  refuses(t, () => unpackValue('{"a":', new Map(), 'runs/x'), DataError, 'runs/x', 'no JSON');
  refuses(t, () => unpackValue('{"$array":"w"}', new Map(), 'runs/x'), DataError, 'runs/x', '"w" is missing');
  refuses(t, () => unpackValue('{"$tensor":3}', new Map(), 'runs/x'), DataError, 'runs/x', '3 is missing');
  t.end();
});
