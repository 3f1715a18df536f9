/** Metrics of fit and evaluate: any number of them, averaged over rows, under their names. */
import test from 'tape';
import {
  abs,
  accuracy,
  argmax,
  binaryCrossEntropyWithLogits,
  Dense,
  type EpochResult,
  evaluate,
  fit,
  fromArrays,
  mean,
  meanSquaredError,
  OptionError,
  Sequential,
  ShapeError,
  SGD,
  subtract,
  type Tensor,
} from '../../lib/index.js';
import { cpu, testOnDevices } from '../support/devices.js';
import { rejects } from '../support/errors.js';
import { clouds, net } from './examples.js';

const meanError = (output: Tensor, target: Tensor): Tensor => mean(abs(subtract(output, target)));

/** One weight, 1: its outputs are its inputs. */
function identity(): Sequential {
  const model = new Sequential({ fc: new Dense(1, { bias: false }) }).build([1]);
  model.namedParameters().get('fc.weight')?.set(Float32Array.of(1));
  return model;
}

testOnDevices('a metric is the mean over all rows, whatever the batches', async (t, device) => {
  // Errors 1, 2, 3, 4, 10, in batches of 2, 2 and 1: their mean is 4, the mean of the batches' means 5.
  const data = fromArrays([[1], [2], [3], [4], [10]], [[0], [0], [0], [0], [0]]);
  const options = { loss: meanSquaredError, metrics: { error: meanError }, batchSize: 2, device };
  const found = await evaluate(identity(), data, options);
  t.deepEqual(found, { loss: 26, error: 4 });
  const other = fromArrays([[7], [8], [12]], [[0], [0], [0]]);
  const results: EpochResult<{ error: typeof meanError }>[] = [];
  const history = await fit(identity(), data, {
    ...options,
    epochs: 2,
    optimizer: new SGD({ learningRate: 0 }),
    validation: other,
    onEpochEnd: (result) => void results.push(result),
  });
  t.deepEqual([history.error, history.validationError, history.loss], [[4, 4], [9, 9], [26, 26]]); // prettier-ignore
  t.deepEqual(Object.keys(history).sort(), ['error', 'loss', 'seconds', 'validationError', 'validationLoss']);
  t.deepEqual(
    results.map(({ epoch, error, validationError }) => [epoch, error, validationError]),
    [
      [1, 4, 9],
      [2, 4, 9],
    ],
  );
});

test('metrics that are given take the place of the accuracy; it is one of them where it is given', async (t) => {
  const data = clouds(10, 3);
  const options = { epochs: 1, optimizer: new SGD({ learningRate: 0.1 }), device: cpu };
  const none = await fit(net(4, 0), data, { ...options, metrics: {} });
  t.deepEqual(Object.keys(none).sort(), ['loss', 'seconds', 'validationLoss']);
  const both = await fit(net(4, 0), data, { ...options, metrics: { accuracy, again: accuracy }, validation: data });
  t.deepEqual(both.accuracy, both.again);
  t.deepEqual(both.validationAccuracy, both.validationAgain);
  // @ts-expect-error there is no accuracy where other metrics were asked for
  t.equal(none.accuracy, undefined);
  const plain = await fit(net(4, 0), data, options);
  t.deepEqual([plain.accuracy.length, plain.validationAccuracy.length], [1, 0], 'by default it is there');
  const bits = fromArrays([[1], [2]], [[0.5], [1]]);
  const inline = await fit(net(4, 0), data, {
    ...options,
    metrics: { largest: (output) => mean(output), hits: (output, target) => accuracy(output, target) },
    onEpochEnd: ({ largest, hits }) => {
      t.ok(Number.isFinite(largest) && hits >= 0 && hits <= 1);
    },
  });
  t.deepEqual([inline.largest.length, inline.hits.length], [1, 1]);
  const numbers = await evaluate(identity(), bits, { loss: binaryCrossEntropyWithLogits });
  t.equal(numbers.accuracy, undefined, 'one half is no bit');
});

test('a metric can be written in place, without types', async (t) => {
  const data = fromArrays([[1], [2]], [[0], [0]]);
  const errors: (number | undefined)[] = [];
  const history = await fit(identity(), data, {
    epochs: 1,
    optimizer: new SGD({ learningRate: 0 }),
    loss: meanSquaredError,
    metrics: { error: (output, target) => mean(abs(subtract(output, target))) },
    validation: data,
    onEpochEnd: ({ error, validationError }) => void errors.push(error, validationError),
    device: cpu,
  });
  t.deepEqual([history.error, history.validationError, errors], [[1.5], [1.5], [1.5, 1.5]]);
  const metrics = { output: (output: Tensor) => mean(output) };
  t.equal((await evaluate(identity(), data, { loss: meanSquaredError, metrics, device: cpu })).output, 1.5);
});

test('metrics of no use are refused, naming them', async (t) => {
  const data = clouds(6, 3);
  const attempt = (metrics: Readonly<Record<string, (output: Tensor, target: Tensor) => Tensor>>) =>
    fit(net(4, 0), data, { epochs: 1, optimizer: new SGD({ learningRate: 0.1 }), device: cpu, metrics });
  for (const name of ['loss', 'epoch', 'seconds', 'validationLoss', 'validationError', '']) {
    await rejects(t, attempt({ [name]: accuracy }), OptionError, 'fit: ', `'${name}'`);
    await rejects(t, evaluate(net(4, 0), data, { metrics: { [name]: accuracy } }), OptionError, 'evaluate: ');
  }
  await rejects(t, attempt({ guess: (output) => argmax(output) }), ShapeError, "metric 'guess'", 'i32 [6]');
  await rejects(t, attempt({ error: meanError }), ShapeError, "metric 'error'", 'f32 [6, 2]', 'i32 [6]');
  t.equal((await attempt({ largest: (output) => mean(output) }))['largest']?.length, 1, 'the control case');
});
