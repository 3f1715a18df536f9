/** fit, evaluate and predict beyond classes: regression, sigmoid outputs, rows of probabilities, bytes, and metrics. */
import test from 'tape';
import {
  binaryAccuracy,
  binaryCrossEntropyWithLogits,
  DataError,
  Dense,
  evaluate,
  fit,
  fromArrays,
  mean,
  meanSquaredError,
  OptionError,
  predict,
  reshape,
  Sequential,
  ShapeError,
  SGD,
  sigmoid,
  softmax,
  softmaxCrossEntropy,
  square,
  subtract,
  Tanh,
  tensor,
  type Tensor,
  type TrainingData,
} from '../../lib/index.js';
import { cpu, testOnDevices } from '../support/devices.js';
import { rejects } from '../support/errors.js';
import { clouds, net, weightsOf } from './examples.js';

const CORNERS = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];

const sgd = (learningRate: number): SGD => new SGD({ learningRate, momentum: 0.9 });

function tanhNet(hidden: number, outputs: number): Sequential {
  return new Sequential({ fc1: new Dense(hidden), tanh: new Tanh(), fc2: new Dense(outputs) });
}

testOnDevices('XOR is learned with one sigmoid output', async (t, device) => {
  const data = fromArrays(CORNERS, [[0], [1], [1], [0]]);
  const model = tanhNet(8, 1);
  const { loss, accuracy, validationAccuracy } = await fit(model, data, {
    epochs: 150,
    batchSize: 4,
    optimizer: sgd(0.3),
    loss: binaryCrossEntropyWithLogits,
    validation: data,
    seed: 1,
    device,
  });
  t.ok((loss.at(-1) ?? 1) < 0.05, `loss ${loss[0]} -> ${loss.at(-1)}`);
  t.deepEqual([accuracy?.length, accuracy?.at(-1), validationAccuracy?.at(-1)], [150, 1, 1], 'accuracy of the bit');
  const probabilities = await sigmoid(await predict(model, data, { device })).data();
  t.deepEqual(Array.from(probabilities, Math.round), [0, 1, 1, 0], String([...probabilities]));
});

testOnDevices('sin x is learned by regression', async (t, device) => {
  const xs = Array.from({ length: 64 }, (_, i) => -Math.PI + (2 * Math.PI * i) / 63);
  const data = fromArrays(
    xs.map((x) => [x]),
    Float32Array.from(xs, Math.sin),
  );
  const model = tanhNet(16, 1);
  const options = { epochs: 200, batchSize: 16, optimizer: sgd(0.05), loss: meanSquaredError, seed: 2, device };
  const history = await fit(model, data, options);
  t.ok((history.loss.at(-1) ?? 1) < 0.005, `loss ${history.loss[0]} -> ${history.loss.at(-1)}`);
  t.notOk('accuracy' in history || 'validationAccuracy' in history, 'numbers have no accuracy');
  const found = await predict(model, tensor([[1], [-2]]), { device });
  for (const [i, value] of (await found.data()).entries()) {
    t.ok(Math.abs(value - Math.sin([1, -2][i] ?? NaN)) < 0.15, `${value}`);
  }
  t.deepEqual(Object.keys(await evaluate(model, data, { loss: meanSquaredError, device })), ['loss']);
});

testOnDevices('rows of probabilities are learned as PyTorch learns them', async (t, device) => {
  // Three inputs, one-hot: the logits of each can be anything, and the loss ends at the mean entropy of the targets.
  const targets = [
    [0.7, 0.2, 0.1],
    [0.1, 0.1, 0.8],
    [0.25, 0.5, 0.25],
  ];
  const data = fromArrays(
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    targets,
  );
  const entropy = -targets.flat().reduce((sum, p) => sum + p * Math.log(p), 0) / 3;
  for (const loss of [undefined, softmaxCrossEntropy]) {
    const model = new Sequential({ fc: new Dense(3) });
    const options = { epochs: 300, optimizer: sgd(0.2), seed: 3, device, ...(loss && { loss }) };
    const history = await fit(model, data, options);
    t.ok(Math.abs((history.loss.at(-1) ?? NaN) - entropy) < 1e-4, `loss ${history.loss.at(-1)}, entropy ${entropy}`);
    const found = await softmax(await predict(model, data, { device })).data();
    t.ok(
      targets.flat().every((p, i) => Math.abs(p - (found[i] ?? NaN)) < 5e-3),
      String([...found]),
    );
  }
});

testOnDevices('many sigmoid outputs, and targets of more axes', async (t, device) => {
  // Four bits of x ≥ 0.2, 0.4, 0.6, 0.8, once flat and once as [2, 2].
  const xs = Array.from({ length: 40 }, (_, i) => i / 40);
  const bits = xs.map((x) => [0.2, 0.4, 0.6, 0.8].map((edge) => Number(x >= edge)));
  const model = new Sequential({ fc: new Dense(4) });
  const data = fromArrays(
    xs.map((x) => [10 * x - 5]),
    bits,
  );
  const { hits } = await fit(model, data, {
    epochs: 150,
    optimizer: sgd(0.5),
    loss: binaryCrossEntropyWithLogits,
    metrics: { hits: binaryAccuracy },
    device,
  });
  t.ok((hits.at(-1) ?? 0) > 0.9, `hits ${hits.at(-1)}`);
  const square2 = fromArrays(
    xs.map((x) => [10 * x - 5]),
    bits.map(([a = 0, b = 0, c = 0, d = 0]) => [
      [a, b],
      [c, d],
    ]),
  );
  const flatLoss = (output: Tensor, target: Tensor): Tensor =>
    binaryCrossEntropyWithLogits(output, reshape(target, output.shape));
  const [flat, nested] = [
    await evaluate(model, data, { loss: binaryCrossEntropyWithLogits, device }),
    await evaluate(model, square2, { loss: flatLoss, device }),
  ];
  t.ok(Math.abs(flat.loss - nested.loss) < 1e-6);
});

testOnDevices('two classes are the bit of a model with one output', async (t, device) => {
  const train = async (outcomes: number[] | number[][]): Promise<unknown> => {
    const data = Array.isArray(outcomes[0])
      ? fromArrays(CORNERS, outcomes as number[][])
      : fromArrays(CORNERS, outcomes as number[]);
    const model = tanhNet(4, 1);
    const options = { epochs: 3, optimizer: sgd(0.1), loss: binaryCrossEntropyWithLogits, validation: data, device };
    const history = await fit(model, data, options);
    return [
      { ...history, seconds: [] },
      await weightsOf(model),
      await evaluate(model, data, { loss: meanSquaredError, device }),
    ];
  };
  t.deepEqual(await train([0, 1, 1, 0]), await train([[0], [1], [1], [0]]));
});

testOnDevices(
  'the accuracy of a bit goes by the loss: above 0 for logits, above one half for squares',
  async (t, device) => {
    const model = new Sequential({ fc: new Dense(1) }).build([1]);
    model.namedParameters().get('fc.weight')?.set(Float32Array.of(1));
    model.namedParameters().get('fc.bias')?.set(Float32Array.of(0));
    // The outputs are the inputs: -1, 0, 0.3, 0.7.
    const data = fromArrays([[-1], [0], [0.3], [0.7]], [[0], [0], [0], [1]]);
    const accuracyWith = async (loss: typeof meanSquaredError): Promise<number | undefined> =>
      (await evaluate(model, data, { loss, device })).accuracy;
    t.equal(await accuracyWith(binaryCrossEntropyWithLogits), 0.75, '0.3 is a logit that says 1');
    t.equal(await accuracyWith(meanSquaredError), 1);
    t.equal(
      await binaryAccuracy(tensor([NaN, 1, NaN]), tensor([0, 1, 1]))
        .item()
        .then((share) => Math.round(3 * share)),
      1,
    );
    t.equal(await binaryAccuracy(tensor([0.4, 0.6]), tensor([1, 1]), { threshold: 0.5 }).item(), 0.5);
    for (const threshold of [0, 0.5]) {
      const outputs = tensor([Infinity, -Infinity, threshold, Infinity]);
      t.equal(await binaryAccuracy(outputs, tensor([1, 0, 0, 0]), { threshold }).item(), 0.75, `around ${threshold}`);
    }
  },
);

testOnDevices(
  'bytes are trained on, evaluated and predicted bit for bit as the numbers that they stand for',
  async (t, device) => {
    const [count, columns] = [22, 13];
    const bytes = Uint8Array.from({ length: count * columns }, (_, i) => (i * i * 7) % 256);
    const labels = Array.from({ length: count }, (_, row) => row % 2);
    const train = async (inputs: Uint8Array | Float32Array, scale: object): Promise<unknown> => {
      const data = fromArrays(inputs, labels, { inputShape: [columns], ...scale });
      const model = net(8, 0.5);
      const history = await fit(model, data, {
        epochs: 3,
        batchSize: 8,
        optimizer: sgd(0.2),
        validation: data,
        device,
      });
      return [
        { ...history, seconds: [] },
        await weightsOf(model),
        await (await predict(model, data, { batchSize: 5, device })).data(),
      ];
    };
    t.deepEqual(
      await train(bytes, { scale: 1 / 255 }),
      await train(
        Float32Array.from(bytes, (byte) => byte / 255),
        {},
      ),
      'scaled',
    );
    t.deepEqual(await train(bytes, {}), await train(Float32Array.from(bytes), {}), 'as they are');
  },
);

test('model, data and loss that do not fit are told so, with shapes', async (t) => {
  const inputs = [[1], [2], [3]];
  const three = fromArrays(inputs, [
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ]);
  const attempt = (data: TrainingData, outputs: number, options: object = {}) =>
    fit(new Sequential({ fc: new Dense(outputs) }), data, { epochs: 1, optimizer: sgd(0.1), device: cpu, ...options });
  const loss = meanSquaredError;
  await rejects(t, attempt(three, 2, { loss }), ShapeError, 'fit: the loss', 'output f32 [3, 2]', 'target f32 [3, 3]');
  await rejects(t, attempt(three, 2), DataError, 'training data', '[3]', 'probabilities [2]', 'meanSquaredError');
  await rejects(t, attempt(three, 3), DataError, 'row 0', 'their sum is 6', 'option loss');
  const negative = fromArrays(inputs.slice(0, 2), [
    [0.5, 0.5],
    [-0.5, 1.5],
  ]);
  await rejects(t, attempt(negative, 2), DataError, 'row 1', '-0.5');
  const good = fromArrays(inputs, [[0.5, 0.5], [1, 0], [0, 1]]); // prettier-ignore
  await rejects(t, attempt(good, 2, { validation: negative }), DataError, 'validation data', 'row 1');
  const bits = fromArrays(inputs, [[0], [1], [1]]);
  await rejects(t, attempt(bits, 1), OptionError, 'one output', 'softmax', 'binaryCrossEntropyWithLogits');
  await rejects(t, attempt(bits, 1, { loss: softmaxCrossEntropy }), OptionError, 'softmax over one');
  await rejects(t, attempt(fromArrays(inputs, [0, 1, 2]), 1, { loss }), DataError, 'label 2', 'row 2', '0 to 1');
  await rejects(t, attempt(fromArrays(inputs, [0, 1, 1]), 2, { loss }), ShapeError, 'f32 [3, 2]', 'i32 [3]');
  const rows = (output: Tensor, target: Tensor): Tensor => square(subtract(output, target));
  await rejects(t, attempt(bits, 1, { loss: rows }), ShapeError, 'must be one number', 'f32 [3, 1]', 'mean()');
  await rejects(t, attempt(bits, 1, { loss: () => 3 }), ShapeError, 'must be one number', 'found 3');
  await rejects(t, attempt({ ...three, targetShape: [2] }, 2, { loss }), DataError, '9 numbers', '[2]');
  await rejects(t, attempt({ ...three, targets: three.targets.with(4, NaN) }, 3, { loss }), DataError, 'NaN', 'row 1');
  const model = new Sequential({ fc: new Dense(2) });
  await rejects(t, evaluate(model, three, { loss, device: cpu }), ShapeError, 'evaluate: the loss');
  const meanOfRows = (output: Tensor, target: Tensor): Tensor => mean(rows(output, target));
  t.equal((await attempt(bits, 1, { loss: meanOfRows })).loss.length, 1, 'the control case');
});

test('options with a typo or of another type are refused by name', async (t) => {
  const data = clouds(6, 3);
  const wrong: readonly [object, ...string[]][] = [
    [{ metric: {} }, "unknown option 'metric'", "'metrics'"],
    [{ metrics: [] }, 'metrics must be', 'by name'],
    [{ metrics: { error: 3 } }, 'metrics must be', 'by name'],
    [{ loss: 'mse' }, 'loss must be a function', '"mse"'],
    [{ epochs: 1.5 }, 'epochs', '1.5'],
    [{ epochs: undefined }, 'epochs'],
    [{ optimizer: {} }, 'an Optimizer', 'an object'],
    [{ shuffle: 1 }, 'shuffle must be true or false'],
    [{ seed: -1 }, 'seed', '-1'],
    [{ onEpochEnd: true }, 'onEpochEnd must be a function'],
    [{ signal: {} }, 'signal', 'AbortSignal'],
    [{ tune: 'yes' }, 'tune must be true or false'],
  ];
  for (const [options, ...words] of wrong) {
    const all = { epochs: 1, optimizer: sgd(0.1), ...options };
    await rejects(t, fit(net(4, 0), data, all), OptionError, 'fit: ', ...words);
  }
  for (const device of ['webgpu', {}, null]) {
    const options = { epochs: 1, optimizer: sgd(0.1), device: device as never };
    await rejects(t, fit(net(4, 0), data, options), OptionError, 'fit: device must be a device');
    await rejects(t, evaluate(net(4, 0), data, options), OptionError, 'evaluate: ');
    await rejects(t, predict(net(4, 0), data, { device: device as never }), OptionError, 'predict: device');
  }
  const loss: object = { loss: 3 };
  await rejects(t, evaluate(net(4, 0), data, loss), OptionError, 'evaluate: loss must be a function, found 3');
});

test('what is no data is refused, with what it is', async (t) => {
  const good = clouds(6, 3);
  const options = { epochs: 1, optimizer: sgd(0.1), device: cpu };
  const unlabelled = { inputs: good.inputs, inputShape: good.inputShape };
  const wrong: readonly [unknown, string][] = [
    [undefined, 'undefined'],
    [null, 'null'],
    ['data', '"data"'],
    [[1], 'an array of 1'],
    [{}, 'an object'],
    [unlabelled, 'inputs a Float32Array, inputShape an array of 1'],
    [{ ...good, labels: [0, 1] }, 'labels an array of 2'],
    [{ ...unlabelled, targets: new Float32Array(6) }, 'targets a Float32Array'],
  ];
  for (const [data, found] of wrong) {
    const given = data as TrainingData;
    await rejects(t, fit(net(4, 0), given, options), DataError, 'the training data must be inputs', found);
    await rejects(t, evaluate(net(4, 0), given), DataError, 'the data must be inputs', found);
    if (data === undefined) continue;
    await rejects(t, fit(net(4, 0), good, { ...options, validation: given }), DataError, 'validation data', found);
  }
  for (const [data, found] of wrong.slice(0, 5)) {
    await rejects(t, predict(net(4, 0), data as TrainingData), DataError, 'predict: inputs must be', found);
  }
  t.deepEqual((await predict(net(4, 0), unlabelled)).shape, [6, 2], 'inputs alone can be predicted of');
});
