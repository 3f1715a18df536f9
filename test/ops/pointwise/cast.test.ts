/** Element types: what casts give at the edges, and where tensors of 16-bit floats may go. */
import test from 'tape';
import { widenFloat16 } from '../../../lib/float16.js';
import {
  add,
  argmax,
  broadcastTo,
  cast,
  compile,
  concat,
  dropout,
  type NumberType,
  flatten,
  gather,
  gradient,
  meanSquaredError,
  multiply,
  relu,
  reshape,
  run,
  ShapeError,
  slice,
  softmax,
  sum,
  tensor,
  transpose,
  Variable,
} from '../../../lib/index.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';

const F16_MIDDLES = [2049, 2051, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25, 65_519.99, 65_520];
const SPECIAL = [NaN, Infinity, -Infinity, 0, -0, 3.4e38, -3.4e38, 2 ** -24, 2 ** -14 - 2 ** -26, 6e-39];

testOnDevices('cast to f16 rounds to the nearest, in the middle to the even one', async (t, device) => {
  const values = [...F16_MIDDLES, ...F16_MIDDLES.map((value) => -value), ...SPECIAL];
  const got = await (await run(() => cast(tensor(values), 'f16'), { device })).data();
  const expected = [2048, 2052, 1, 1 + 2 ** -9, 0, 2 ** -23, 65_504, Infinity];
  const special = [NaN, Infinity, -Infinity, 0, -0, Infinity, -Infinity, 2 ** -24, 2 ** -14, 0];
  t.deepEqual([...got], [...expected, ...expected.map((value) => -value), ...special]);
});

testOnDevices('every 16-bit float comes back from the device as it was', async (t, device) => {
  const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const all = tensor(widenFloat16(bits), { dtype: 'f16' });
  const there = await run(() => [reshape(all, [65_536]), cast(all, 'f32'), cast(cast(all, 'f32'), 'f16')], { device });
  for (const result of there) t.deepEqual([...(await result.data())], [...(await all.data())]);
});

testOnDevices('cast to integers leaves out what is behind the point and ends at the limits', async (t, device) => {
  const values = [1.9, -1.9, NaN, Infinity, -Infinity, 3e9, -3e9, 2 ** 31, -(2 ** 31), 5e9];
  const castTo = async (from: number[] | Int32Array, dtype: NumberType) =>
    Array.from(await (await run(() => cast(tensor(from), dtype), { device })).data());
  const [least, most] = [-(2 ** 31), 2 ** 31 - 1];
  t.deepEqual(await castTo(values, 'i32'), [1, -1, 0, most, least, most, least, most, least, most]);
  t.deepEqual(await castTo(values, 'u32'), [1, 0, 0, 2 ** 32 - 1, 0, 3e9, 0, 2 ** 31, 0, 2 ** 32 - 1]);
  t.deepEqual(await castTo(Int32Array.of(-1, 7), 'u32'), [2 ** 32 - 1, 7]);
  t.deepEqual(await castTo(Int32Array.of(-1, 70_000), 'f16'), [-1, Infinity]);
});

testOnDevices('tensors of f16 live in variables, inputs, constants and results', async (t, device) => {
  const given = [1.0001, -2, 3.14159];
  const rounded = [1, -2, 3.140625];
  const half = tensor(given, { dtype: 'f16' });
  t.deepEqual(await half.array(), rounded);
  const variable = new Variable('half', half);
  const other = new Variable('other', tensor([0, 0, 0], { dtype: 'f16' }));
  const step = compile(
    (input) => {
      other.assign(variable);
      return [input, variable.value, cast(input, 'f32'), other.value];
    },
    { device },
  );
  for (const result of await step(half)) {
    t.deepEqual(await result.array(), rounded, result.dtype);
  }
  variable.set(Float32Array.of(5.0001, 6, 7));
  const [, second, , fourth] = await step(half);
  t.deepEqual(await second?.array(), [5, 6, 7], 'set() rounds');
  t.deepEqual(await fourth?.array(), [5, 6, 7]);
  t.deepEqual(await variable.take(), Float32Array.of(5, 6, 7));
  t.deepEqual(await variable.data(), Float32Array.of(0, 0, 0));
  for (const each of [variable, other]) each.dispose();
});

test('the gradient of a cast between floats is passed on; integers have none', async (t) => {
  const x = tensor([1.0001, 2]);
  const loss = sum(multiply(cast(cast(x, 'f16'), 'f32'), tensor([3, 4])));
  t.deepEqual(await gradient(loss, [x])[0]?.array(), [3, 4]);
  const whole = tensor(Int32Array.of(1, 2));
  t.throws(() => gradient(sum(cast(whole, 'f32')), [whole]), /integers have no gradient/);
  t.end();
});

test('cast to the type that a tensor has is the tensor', (t) => {
  const x = tensor([1]);
  t.equal(cast(x, 'f32'), x);
  t.equal(cast(3, 'f16').dtype, 'f16');
  t.deepEqual(cast(tensor([[1, 2]]), 'i32').shape, [1, 2]);
  t.end();
});

test('what does not compute with f16 refuses it, naming operation and type, and says to cast', (t) => {
  const half = tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { dtype: 'f16' },
  );
  const rows = tensor(Int32Array.of(0));
  const refused: Readonly<Record<string, () => unknown>> = {
    add: () => add(half, 1),
    relu: () => relu(half),
    sum: () => sum(half),
    softmax: () => softmax(half),
    argmax: () => argmax(half),
    transpose: () => transpose(half),
    concat: () => concat([half, half]),
    slice: () => slice(half, [0], [1]),
    broadcastTo: () => broadcastTo(half, [3, 2, 2]),
    gather: () => gather(half, rows),
    dropout: () => dropout(half, { probability: 0, mask: 1 }),
    squaredError: () => meanSquaredError(half, half),
  };
  for (const [name, call] of Object.entries(refused)) refuses(t, call, ShapeError, name, 'f16', `cast(x, 'f32')`);
  t.deepEqual(flatten(half).shape, [2, 2], 'a reshape moves nothing');
  t.end();
});
