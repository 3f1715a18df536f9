import test from 'tape';
import {
  constant,
  Dense,
  OptionError,
  Parameter,
  run,
  Sequential,
  ShapeError,
  tensor,
  zeros,
} from '../../lib/index.js';
import { testOnDevices } from '../support/devices.js';
import { refuses, rejects } from '../support/errors.js';

testOnDevices('Dense is input · weightᵀ + bias over the last axis', async (t, device) => {
  const layer = new Dense(2).build([3]);
  layer.weight?.set(Float32Array.of(1, 2, 3, -1, 0, 1));
  layer.bias?.set(Float32Array.of(10, 20));
  const rows = await run(
    () =>
      layer.forward(
        tensor([
          [1, 1, 1],
          [0, 2, 4],
        ]),
      ),
    { device },
  );
  // 1 + 2 + 3 + 10, -1 + 1 + 20; 4 + 12 + 10, 4 + 20
  t.deepEqual(await rows.array(), [
    [16, 20],
    [26, 24],
  ]);
  const deeper = await run(() => layer.forward(tensor([[[1, 1, 1]], [[0, 2, 4]]])), { device });
  t.deepEqual(await deeper.array(), [[[16, 20]], [[26, 24]]], 'leading axes are kept');
});

testOnDevices('Dense may have a weight of 16-bit floats', async (t, device) => {
  const layer = new Dense(2).build([3]);
  layer.weight = new Parameter(
    'weight',
    tensor(
      [
        [1.0001, 2, 3],
        [-1, 0, 1],
      ],
      { dtype: 'f16' },
    ),
  ); // 1.0001 becomes 1
  layer.bias?.set(Float32Array.of(10, 20));
  const rows = await run(() => layer.forward(tensor([[1, 1, 1]])), { device });
  t.deepEqual(await rows.array(), [[16, 20]]);
});

test('Dense without a bias has a weight alone', async (t) => {
  const layer = new Dense(2, { bias: false, weightInitializer: constant(0.5) }).build([3]);
  t.deepEqual([...layer.namedParameters().keys()], ['weight']);
  t.deepEqual(await (await run(() => layer.forward(tensor([[1, 2, 3]])))).array(), [[3, 3]]);
});

test('Dense learns its input size from its first input, or is told it', (t) => {
  t.deepEqual(new Dense(2).build([3]).weight?.shape, [2, 3]);
  t.deepEqual(new Dense(2, { inputSize: 3 }).build([3]).weight?.shape, [2, 3]);
  t.deepEqual(new Dense(2).build([5, 3]).weight?.shape, [2, 3], 'the last axis counts');
  t.end();
});

test('an input of another size than the layer was built for is refused, naming the layer and both shapes', async (t) => {
  const model = new Sequential({ fc1: new Dense(4), fc2: new Dense(2) }).build([3]);
  await rejects(
    t,
    run(() => model.forward(tensor([[1, 2, 3, 4, 5]]))),
    ShapeError,
    'Dense fc1',
    '[1, 5]',
    '[4, 3]',
  );
  refuses(
    t,
    () => new Sequential({ fc1: new Dense(4), fc2: new Dense(2, { inputSize: 5 }) }).build([3]),
    ShapeError,
    'Dense fc2',
    '[1, 4]',
    '[2, 5]',
  );
  refuses(t, () => new Dense(2).build([3]).forward(tensor(1)), ShapeError, 'at least one axis', 'scalar');
});

test('sizes that are no sizes, and initializers that give the wrong count, are refused', (t) => {
  for (const units of [0, -1, 1.5, NaN, Infinity]) {
    refuses(t, () => new Dense(units), OptionError, 'units', String(units));
    refuses(t, () => new Dense(1, { inputSize: units }), OptionError, 'inputSize', String(units));
  }
  t.ok(new Dense(1, { inputSize: 1, biasInitializer: zeros() }), 'the control');
  refuses(
    t,
    () => new Sequential([new Dense(2, { biasInitializer: () => new Float32Array(3) })]).build([4]),
    OptionError,
    '0.bias',
    '3 values',
    '[2]',
  );
  t.end();
});

test('an option that Dense does not have, or of another type, is refused', (t) => {
  for (const [options, ...words] of [
    [{ bais: false }, "unknown option 'bais'", "did you mean 'bias'"],
    [{ activation: 'relu' }, "unknown option 'activation'", 'it takes'],
    [{ bias: 'no' }, 'bias must be true or false, found "no"'],
    [{ bias: 0 }, 'bias must be true or false, found 0'],
    [{ inputSize: '3' }, 'inputSize', '"3"'],
    [{ weightInitializer: 'zeros' }, 'weightInitializer must be a function, found "zeros"'],
    [{ biasInitializer: 0 }, 'biasInitializer must be a function, found 0'],
    [4, 'options must be an object, found 4'],
    [null, 'options must be an object, found null'],
  ] as const) {
    refuses(t, () => new Dense(3, options as never), OptionError, 'Dense', ...words);
  }
  refuses(t, () => new Dense('3' as never), OptionError, 'Dense: units must be a whole number of 1 or more, found "3"');
  t.ok(new Dense(3, { bias: false, inputSize: 2 }), 'the control');
  t.end();
});
