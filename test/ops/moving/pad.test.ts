import test from 'tape';
import { OptionError, pad, run, ShapeError, tensor } from '../../../lib/index.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';
import { hasValues, picture, upstream } from '../../support/pictures.js';

testOnDevices('pad puts a value around its input, and its gradient is the block', async (t, device) => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  await hasValues(
    t,
    device,
    [
      x,
      (input) =>
        pad(
          input,
          [
            [1, 0],
            [0, 2],
          ],
          { value: -1.5 },
        ),
    ],
    {
      output: [-1.5, -1.5, -1.5, -1.5, -1.5, 1, 2, 3, -1.5, -1.5, 4, 5, 6, -1.5, -1.5],
      gradient: [6, 7, 1, 4, 5, 6], // i mod 7 + 1 at 5, 6, 7 and 10, 11, 12
    },
  );
});

testOnDevices('pad of integers stays of integers', async (t, device) => {
  const [signed, unsigned] = await run(
    () => [
      pad(tensor(Int32Array.of(-3)), [[2, 1]], { value: -1 }),
      pad(tensor(Uint32Array.of(7)), [[1, 1]], { value: 2 ** 32 - 1 }),
    ],
    { device },
  );
  t.deepEqual(await signed.data(), Int32Array.of(-1, -1, -3, -1));
  t.deepEqual(await unsigned.data(), Uint32Array.of(2 ** 32 - 1, 7, 2 ** 32 - 1));
});

testOnDevices('pad of nothing, around nothing and by nothing', async (t, device) => {
  const [none, filled, scalar] = await run(
    () => [
      pad(tensor(new Float32Array(0), { shape: [0, 2] }), [
        [0, 0],
        [1, 1],
      ]),
      pad(
        tensor(new Float32Array(0), { shape: [0, 2] }),
        [
          [1, 0],
          [0, 1],
        ],
        { value: 3 },
      ),
      pad(tensor(5), []),
    ],
    { device },
  );
  t.deepEqual(none.shape, [0, 4]);
  t.deepEqual(
    [filled.shape, Array.from(await filled.data())],
    [
      [1, 3],
      [3, 3, 3],
    ],
  );
  t.deepEqual([scalar.shape, Array.from(await scalar.data())], [[], [5]]);
});

test('pad refuses other widths and values, naming them', (t) => {
  const x = picture(2, 3);
  refuses(t, () => pad(x, [[1, 1]]), ShapeError, 'pad', '[2, 3]', 'found 1');
  refuses(
    t,
    () =>
      pad(x, [
        [1, 1],
        [-1, 0],
      ]),
    OptionError,
    'pad',
    '[before, behind]',
    '0 or more',
  );
  refuses(
    t,
    () =>
      pad(x, [
        [1, 1],
        [0.5, 0],
      ]),
    OptionError,
    '[before, behind]',
  );
  refuses(t, () => pad(tensor(Int32Array.of(1)), [[1, 1]], { value: 0.5 }), OptionError, 'i32', '0.5');
  refuses(t, () => pad(tensor(Uint32Array.of(1)), [[1, 1]], { value: -1 }), OptionError, 'u32', '-1');
  refuses(
    t,
    () =>
      pad(
        x,
        [
          [1, 1],
          [0, 0],
        ],
        { value: NaN },
      ),
    OptionError,
    'value',
    'NaN',
  );
  t.deepEqual(
    pad(x, [
      [1, 1],
      [0, 2],
    ]).shape,
    [4, 5],
    'control',
  );
  t.deepEqual(upstream([3]).shape, [3]);
  t.end();
});
