/** The element type u8: bytes stay bytes wherever they are kept, and are read as numbers. */
import test from 'tape';
import { CpuDevice } from '../../../lib/device/cpu/device.js';
import {
  add,
  argmax,
  cast,
  compile,
  concat,
  gather,
  gradient,
  matmul,
  OptionError,
  reshape,
  run,
  ShapeError,
  sum,
  tensor,
  transpose,
  Variable,
} from '../../../lib/index.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';
import { webgpu } from '../../support/webgpu.js';

const ALL = Uint8Array.from({ length: 256 }, (_, byte) => byte);

testOnDevices('every byte times a scale is what the host rounds it to, bit for bit', async (t, device) => {
  for (const scale of [1 / 255, 1 / 256, 1 / 127.5, 1 / 128, 1, 0.017, -2]) {
    const { whole, rows } = await run(
      () => ({
        whole: cast(tensor(ALL), 'f32', { scale }),
        rows: gather(tensor(ALL, { shape: [256, 1] }), tensor(Int32Array.from(ALL)), { scale }),
      }),
      { device },
    );
    const expected = Float32Array.from(ALL, (byte) => byte * scale);
    t.deepEqual(await whole.data(), expected, `cast, scale ${scale}`);
    t.deepEqual(await rows.data(), expected, `gather, scale ${scale}`);
  }
  t.deepEqual(
    await (await run(() => cast(tensor(ALL), 'f32', { scale: 1 / 255 }), { device })).data(),
    Float32Array.from(ALL, (byte) => byte / 255),
    'byte / 255, as imageFolder computes it',
  );
});

testOnDevices('rows of bytes begin at any byte; one that does not exist is NaN', async (t, device) => {
  for (const columns of [1, 3, 4, 5, 70]) {
    const table = Uint8Array.from({ length: 9 * columns }, (_, i) => (i * 37) % 256);
    const indices = [8, 0, 9, -1, 3, 3];
    const picked = await run(
      () => gather(tensor(table, { shape: [9, columns] }), tensor(Int32Array.from(indices)), { scale: 0.5 }),
      { device },
    );
    const expected = indices.flatMap((row) =>
      Array.from({ length: columns }, (_, d) => (row < 0 ? NaN : (table[row * columns + d] ?? NaN) * 0.5)),
    );
    t.deepEqual([...(await picked.data())], expected, `${columns} columns`);
  }
});

testOnDevices('a variable of bytes is kept, copied, reshaped, assigned and set as bytes', async (t, device) => {
  const variable = new Variable('bytes', tensor(Uint8Array.of(1, 2, 3, 250, 255), { shape: [5] }));
  const result = await run(() => [variable.value, reshape(variable.value, [5, 1]), cast(variable, 'i32')], { device });
  for (const each of result) t.deepEqual([...(await each.data())], [1, 2, 3, 250, 255], each.dtype);
  t.deepEqual(
    result.map(({ dtype }) => dtype),
    ['u8', 'u8', 'i32'],
  );
  t.equal(device.bytesOf({ shape: [257], dtype: 'u8' }), device.info.kind === 'webgpu' ? 272 : 320, 'a byte each');
  const replace = compile((next) => variable.assign(next), { device });
  await replace(Uint8Array.of(9, 8, 7, 6, 5));
  t.deepEqual(await variable.data(), Uint8Array.of(9, 8, 7, 6, 5), 'assigned');
  variable.set(Uint8Array.of(0, 1, 0, 1, 254));
  t.deepEqual(await variable.data(), Uint8Array.of(0, 1, 0, 1, 254), 'set');
});

test('bytes move between devices', async (t) => {
  const variable = new Variable('bytes', tensor(ALL.subarray(0, 7)));
  for (const device of [new CpuDevice({ reason: 'test' }), await webgpu(), new CpuDevice({ reason: 'test' })]) {
    const half = await run(() => cast(variable, 'f16', { scale: 0.25 }), { device });
    t.deepEqual([...(await half.data())], [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5], device.info.description);
  }
  t.deepEqual(await variable.data(), ALL.slice(0, 7));
});

test('what does not read bytes refuses them, and a scale is for bytes', (t) => {
  const bytes = tensor(Uint8Array.of(1, 2, 3, 4), { shape: [2, 2] });
  t.equal(bytes.dtype, 'u8');
  t.deepEqual([tensor([1, 2], { dtype: 'u8' }).dtype, cast(bytes, 'f32').dtype], ['u8', 'f32'], 'the control cases');
  const refused: Readonly<Record<string, () => unknown>> = {
    add: () => add(bytes, 1),
    matmul: () => matmul(bytes, tensor([[1], [2]])),
    sum: () => sum(bytes),
    argmax: () => argmax(bytes),
    transpose: () => transpose(bytes),
    concat: () => concat([bytes, bytes]),
  };
  for (const [name, call] of Object.entries(refused)) refuses(t, call, ShapeError, name, 'u8', `cast(x, 'f32')`);
  refuses(t, () => gather(bytes, tensor([1])), ShapeError, 'gather', 'f32');
  refuses(t, () => cast(tensor([1]), 'f32', { scale: 2 }), OptionError, 'cast', 'scale', 'f32');
  refuses(t, () => gather(tensor([1]), tensor(Int32Array.of(0)), { scale: 2 }), OptionError, 'gather', 'scale', 'f32');
  refuses(t, () => cast(bytes, 'f32', { scale: NaN }), OptionError, 'scale', 'NaN');
  // @ts-expect-error nothing is cast to bytes
  refuses(t, () => cast(tensor([1]), 'u8'), OptionError, 'cast', 'u8');
  // @ts-expect-error an unknown type
  refuses(t, () => cast(tensor([1]), 'float'), OptionError, 'cast', 'float');
  t.end();
});

test('the gradient of what bytes were part of is that of the rest', async (t) => {
  const x = tensor([1, 2]);
  const [slope] = gradient(sum(add(x, cast(tensor(Uint8Array.of(3, 4)), 'f32'))), [x]);
  t.deepEqual(await slope?.array(), [1, 1]);
});
