/** Arithmetic of integers, as PyTorch's: it wraps around, division is that of floats, types are not mixed. */
import test from 'tape';
import {
  abs,
  add,
  clamp,
  divide,
  equal,
  maximum,
  minimum,
  multiply,
  negate,
  OptionError,
  relu,
  run,
  ShapeError,
  square,
  subtract,
  sum,
  tensor,
  type Tensor,
} from '../../../lib/index.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';

const [most, least] = [2147483647, -2147483648];
const i32 = tensor(Int32Array.of(5, -3, most, least, 123456789));
const other = tensor(Int32Array.of(2, 7, 1, -1, 987654321));
const u32 = tensor(Uint32Array.of(5, 0, 4294967295, 2147483648, 123456789));
const small = tensor(Uint32Array.of(6, 1, 2, 3, 987654321));

const product = (a: bigint, b: bigint) => a * b;
const CASES: readonly [name: string, of: () => Tensor, dtype: string, expected: readonly number[]][] = [
  ['i32 + i32', () => add(i32, other), 'i32', [7, 4, least, most, 1111111110]],
  ['i32 - i32', () => subtract(i32, other), 'i32', [3, -10, 2147483646, -2147483647, -864197532]],
  [
    'i32 · i32',
    () => multiply(i32, other),
    'i32',
    [10, -21, most, least, Number(BigInt.asIntN(32, product(123456789n, 987654321n)))],
  ],
  ['u32 + u32', () => add(u32, small), 'u32', [11, 1, 1, 2147483651, 1111111110]],
  ['u32 - u32', () => subtract(u32, small), 'u32', [4294967295, 4294967295, 4294967293, 2147483645, 3430769764]],
  [
    'u32 · u32',
    () => multiply(u32, small),
    'u32',
    [30, 0, 4294967294, 2147483648, Number(BigInt.asUintN(32, product(123456789n, 987654321n)))],
  ],
  ['i32 / i32', () => divide(i32, other), 'f32', [2.5, -3 / 7, most, -least, 123456789 / 987654321]],
  ['u32 / 2', () => divide(u32, 2), 'f32', [2.5, 0, 2147483647.5, 1073741824, 61728394.5]],
  ['maximum', () => maximum(i32, other), 'i32', [5, 7, most, -1, 987654321]],
  ['minimum of u32', () => minimum(u32, small), 'u32', [5, 0, 2, 3, 123456789]],
  ['equal', () => equal(i32, tensor(Int32Array.of(5, 3, most, 0, 123456788))), 'f32', [1, 0, 1, 0, 0]],
  ['equal to 5', () => equal(i32, 5), 'f32', [1, 0, 0, 0, 0]],
  [
    'neighbours beyond 2^24 differ',
    () => equal(tensor(Int32Array.of(16777216)), tensor(Int32Array.of(16777217))),
    'f32',
    [0],
  ],
  ['2 · x + 1', () => add(multiply(2, i32), 1), 'i32', [11, -5, -1, 1, 246913579]],
  ['negate', () => negate(i32), 'i32', [-5, 3, -most, least, -123456789]],
  ['negate u32', () => negate(u32), 'u32', [4294967291, 0, 1, 2147483648, 4171510507]],
  ['abs', () => abs(i32), 'i32', [5, 3, most, least, 123456789]],
  ['abs of u32', () => abs(u32), 'u32', [5, 0, 4294967295, 2147483648, 123456789]],
  ['square', () => square(i32), 'i32', [25, 9, 1, 0, Number(BigInt.asIntN(32, product(123456789n, 123456789n)))]],
  ['clamp', () => clamp(i32, { min: -2, max: 1000 }), 'i32', [5, -2, 1000, -2, 1000]],
  ['clamp without a bound', () => clamp(i32, { min: 0 }), 'i32', [5, 0, most, 0, 123456789]],
  [
    'clamp of u32 beyond its limits',
    () => clamp(u32, { min: -7, max: 2 ** 40 }),
    'u32',
    [5, 0, 4294967295, 2147483648, 123456789],
  ],
  [
    'broadcast',
    () => sum(add(tensor(Int32Array.of(1, 2), { shape: [2, 1] }), tensor(Int32Array.of(10, 20, 30))), { axes: 1 }),
    'i32',
    [63, 66],
  ],
];

testOnDevices('arithmetic of integers is exact, and wraps around at 32 bits', async (t, device) => {
  for (const [name, of, dtype, expected] of CASES) {
    const result = await run(of, { device });
    t.equal(result.dtype, dtype, name);
    const got = Array.from(await result.data());
    const right = dtype === 'f32' ? Array.from(Float32Array.from(expected)) : expected;
    const off = right.map((value, i) => Math.abs((got[i] ?? NaN) - value) / Math.max(Math.abs(value), 1));
    t.ok(
      got.length === right.length && off.every((own) => own <= (dtype === 'f32' ? 2e-7 : 0)),
      `${name}: ${got.join()}`,
    );
  }
});

test('types are not mixed: the word to cast is given', (t) => {
  const floats = tensor([1, 2, 3, 4, 5]);
  for (const f of [add, subtract, multiply, divide, maximum, minimum, equal]) {
    refuses(t, () => f(i32, floats), ShapeError, f.name, 'i32', 'f32', 'cast(x,');
    refuses(t, () => f(floats, u32), ShapeError, f.name, 'u32', "cast(x, 'f32')");
    refuses(t, () => f(i32, u32), ShapeError, f.name, 'i32', 'u32', 'cast(x,');
    refuses(t, () => f(i32, 0.5), ShapeError, f.name, 'f32 []');
  }
  refuses(t, () => relu(i32), ShapeError, 'relu', 'i32', "cast(x, 'f32')");
  refuses(t, () => clamp(i32, { min: 0.5 }), OptionError, 'clamp: min', '0.5', 'i32');
  t.end();
});
