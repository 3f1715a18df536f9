import test from 'tape';
import {
  BatchNorm,
  Dense,
  Dropout,
  evaluate,
  fit,
  type FitOptions,
  type LabelledData,
  OptionError,
  ReLU,
  Sequential,
  SGD,
  type StreamedData,
  softmaxCrossEntropy,
} from '../../lib/index.js';
import { testOnDevices } from '../support/devices.js';
import { rejects } from '../support/errors.js';
import { clouds, net, weightsOf } from './examples.js';

const options = { epochs: 4, batchSize: 4, seed: 3 };
const sgd = (): SGD => new SGD({ learningRate: 0.1, momentum: 0.9 });

/** Rows of a data set. */
function rows(data: LabelledData, chosen: readonly number[]): LabelledData {
  const [columns = 1] = data.inputShape;
  const inputs = chosen.flatMap((row) => [...data.inputs.subarray(row * columns, (row + 1) * columns)]);
  return {
    ...data,
    inputs: Float32Array.from(inputs),
    labels: Int32Array.from(chosen, (row) => data.labels[row] ?? -1),
  };
}

testOnDevices(
  'overfit trains and validates on the same examples, at equal distances, without dropout',
  async (t, device) => {
    const data = clouds(20, 6);
    const few = rows(data, [0, 2, 5, 8, 11, 14, 17]); // 7 of 20
    const expectedModel = net(8, 0);
    const expected = await fit(expectedModel, few, { ...options, optimizer: sgd(), validation: few, device });
    const model = net(8, 0.9);
    const other = clouds(5, 6, 9);
    const history = await fit(model, data, { ...options, optimizer: sgd(), overfit: 7, validation: other, device });
    t.deepEqual({ ...history, seconds: [] }, { ...expected, seconds: [] });
    t.deepEqual(await weightsOf(model), await weightsOf(expectedModel));
    t.ok(model.training, 'its mode is as it was');
    const after = await fit(model, data, { ...options, epochs: 2, optimizer: sgd(), device });
    const plain = await fit(expectedModel, data, { ...options, epochs: 2, optimizer: sgd(), device });
    t.notDeepEqual(after.loss, plain.loss, 'and afterwards it drops again');
  },
);

test('data in the order of their classes give some of each', async (t) => {
  const data = clouds(20, 6);
  const order = Array.from({ length: 20 }, (_, i) => i).sort((a, b) => (a % 2) - (b % 2));
  const sorted = rows(data, order);
  const model = net(16, 0.5);
  const { accuracy, validationAccuracy } = await fit(model, sorted, {
    ...options,
    epochs: 60,
    optimizer: sgd(),
    overfit: 4,
  });
  t.deepEqual([accuracy.at(-1), validationAccuracy.at(-1)], [1, 1]);
  const chosen = rows(sorted, [0, 5, 10, 15]);
  t.deepEqual([...chosen.labels], [0, 0, 1, 1]);
  t.equal((await evaluate(model, chosen)).accuracy, 1);
});

test('data that are read while they are used are taken the same way', async (t) => {
  const data = clouds(20, 6);
  const { inputs, ...rest } = data;
  const read: number[] = [];
  const streamed: StreamedData = {
    ...{ ...rest, dtype: 'f32' },
    read: (row) => {
      read.push(row);
      return Promise.resolve(inputs.slice(6 * row, 6 * (row + 1)) as Float32Array);
    },
  };
  const train = async (given: typeof data | StreamedData) =>
    (await fit(net(8, 0.5), given, { ...options, optimizer: sgd(), overfit: 7 })).loss;
  t.deepEqual(await train(streamed), await train(data));
  t.deepEqual(
    [...new Set(read)].sort((a, b) => a - b),
    [0, 2, 5, 8, 11, 14, 17],
  );
});

test('batch normalization is trained, and more examples than there are are all', async (t) => {
  const model = new Sequential([new Dense(8), new BatchNorm(), new ReLU(), new Dropout(0.5), new Dense(2)]);
  const { validationLoss } = await fit(model, clouds(10, 20), {
    ...options,
    epochs: 80,
    optimizer: sgd(),
    overfit: 99,
  });
  t.ok((validationLoss.at(-1) ?? 1) < 0.1, validationLoss.join());
  for (const overfit of [0, 1.5, NaN]) {
    await rejects(t, fit(model, clouds(10, 20), { ...options, optimizer: sgd(), overfit }), OptionError, 'overfit');
  }
});

testOnDevices('a first loss far from that of a guess is remarked on', async (t, device) => {
  const warningsOf = async (data: LabelledData, more: Partial<FitOptions> = {}, model = net(8, 0)) => {
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    const history = await fit(model, data, {
      ...options,
      optimizer: new SGD({ learningRate: 1e-9 }),
      device,
      onWarning,
      ...more,
    });
    return { warnings, history };
  };
  const data = clouds(20, 6);
  const large = { ...data, inputs: data.inputs.map((value: number) => 1000 * value) };
  t.deepEqual((await warningsOf(data)).warnings, []);
  const { warnings, history } = await warningsOf(large);
  t.equal(warnings.length, 1);
  t.ok(/^fit: the loss of the first step is [\d.]+, and that of a guess among 2 classes 0\.693: the inputs may be too large/.test(warnings[0] ?? ''), warnings[0]); // prettier-ignore
  const silent = await warningsOf(large, { loss: (output, target) => softmaxCrossEntropy(output, target) });
  t.deepEqual([silent.warnings, silent.history.loss], [[], history.loss], 'looking changes nothing');
  const trained = new SGD({ learningRate: 1e-9 });
  const model = net(8, 0);
  await warningsOf(data, { optimizer: trained, epochs: 1 }, model);
  t.deepEqual(
    (await warningsOf(large, { optimizer: trained }, model)).warnings,
    [],
    'a training that goes on is not looked at',
  );
  t.deepEqual((await warningsOf(large, { epochs: 0 })).warnings, []);

  // A net whose input is its answer: the last layer's weights are large.
  const told = {
    ...data,
    inputs: Float32Array.from({ length: 40 }, (_, i) => (data.labels[i >> 1] === i % 2 ? 30 : -30)),
    inputShape: [2],
  };
  const knowing = (): Sequential =>
    new Sequential([new Dense(2, { weightInitializer: () => Float32Array.of(1, 0, 0, 1) })]);
  const knows = await warningsOf(told, {}, knowing());
  t.ok(knows.warnings[0]?.includes('do its inputs hold the answer?'), knows.warnings.join());
  t.deepEqual(
    (await warningsOf(told, {}, knowing().build([2]))).warnings,
    [],
    'a model that was built may have learned',
  );
});
