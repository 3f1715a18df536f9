import test from 'tape';
import {
  AveragePool2d,
  averagePool2d,
  GlobalAveragePool,
  globalAveragePool,
  GlobalMaxPool,
  globalMaxPool,
  MaxPool2d,
  maxPool2d,
  type Module,
  OptionError,
  pad,
  run,
  Sequential,
  type Tensor,
  Upsample,
  upsample,
  ZeroPadding2d,
} from '../../lib/index.js';
import { testOnDevices } from '../support/devices.js';
import { refuses } from '../support/errors.js';
import { picture } from '../support/pictures.js';

const LAYERS: readonly (readonly [layer: Module, same: (x: Tensor) => Tensor])[] = [
  [new MaxPool2d(2), (x) => maxPool2d(x, { size: 2 })],
  [new MaxPool2d(3, { stride: 2, padding: 'same' }), (x) => maxPool2d(x, { size: 3, stride: 2, padding: 'same' })],
  [new AveragePool2d(2), (x) => averagePool2d(x, { size: 2 })],
  [
    new AveragePool2d([2, 3], { padding: 1, countIncludePad: false }),
    (x) => averagePool2d(x, { size: [2, 3], padding: 1, countIncludePad: false }),
  ],
  [new GlobalAveragePool(), globalAveragePool],
  [new GlobalMaxPool(), globalMaxPool],
  [
    new ZeroPadding2d(1),
    (x) =>
      pad(x, [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ]),
  ],
  [
    new ZeroPadding2d([1, 2]),
    (x) =>
      pad(x, [
        [0, 0],
        [1, 1],
        [2, 2],
        [0, 0],
      ]),
  ],
  [
    new ZeroPadding2d([0, 1, 2, 3]),
    (x) =>
      pad(x, [
        [0, 0],
        [0, 1],
        [2, 3],
        [0, 0],
      ]),
  ],
  [new Upsample({ scale: 2 }), (x) => upsample(x, { scale: 2 })],
  [new Upsample({ size: [7, 5], mode: 'bilinear' }), (x) => upsample(x, { size: [7, 5], mode: 'bilinear' })],
];

testOnDevices('layers of pooling, padding and resizing compute their functions', async (t, device) => {
  const x = picture(2, 5, 6, 3);
  for (const [layer, same] of LAYERS) {
    const [got, expected] = await run(() => [layer.forward(x), same(x)], { device });
    t.deepEqual([got.shape, await got.data()], [expected.shape, await expected.data()], layer.constructor.name);
    t.deepEqual(layer.parameters(), []);
  }
});

test('they stand in a model, and are summed up', (t) => {
  const model = new Sequential([
    new ZeroPadding2d(1),
    new MaxPool2d(2),
    new Upsample({ scale: 2 }),
    new GlobalMaxPool(),
  ]);
  const { layers } = model.build([6, 8, 3]).summary(() => undefined);
  t.deepEqual(
    layers.map(({ outputShape }) => outputShape),
    [[8, 10, 3], [4, 5, 3], [8, 10, 3], [3]],
  );
  t.end();
});

test('they refuse bad sizes and options when they are made', (t) => {
  refuses(t, () => new MaxPool2d(0), OptionError, 'MaxPool2d', 'size', 'found 0');
  refuses(t, () => new MaxPool2d(2, { padding: -1 }), OptionError, 'MaxPool2d', 'padding', '-1');
  // @ts-expect-error: the size is no option
  refuses(t, () => new MaxPool2d(2, { size: 3 }), OptionError, 'size');
  // @ts-expect-error: means have no dilation
  refuses(t, () => new AveragePool2d(2, { dilation: 3 }), OptionError, 'dilation');
  refuses(t, () => new AveragePool2d([2, 0]), OptionError, 'AveragePool2d', 'size');
  // @ts-expect-error: that would depend on a window
  refuses(t, () => new ZeroPadding2d('same'), OptionError, 'ZeroPadding2d', 'same');
  refuses(t, () => new ZeroPadding2d(-1), OptionError, 'ZeroPadding2d', 'found -1');
  refuses(t, () => new Upsample({}), OptionError, 'Upsample', 'scale or size');
  t.end();
});
