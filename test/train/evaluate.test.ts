import test from 'tape';
import {
  DataError,
  evaluate,
  type LabelledData,
  mean,
  OptionError,
  predict,
  run,
  ShapeError,
  square,
  subtract,
  tensor,
} from '../../lib/index.js';
import { differs } from '../support/close.js';
import { cpu, testOnDevices } from '../support/devices.js';
import { rejects } from '../support/errors.js';
import { clouds, net } from './examples.js';

const TOLERANCE = { absolute: 1e-6, relative: 1e-5 };

testOnDevices('evaluate gives the same in batches with a remainder as in one', async (t, device) => {
  const data = clouds(11, 6);
  const model = net(8, 0.9).build([6]);
  const whole = await evaluate(model, data, { device });
  for (const batchSize of [1, 4, 10, 11, 12, 2 ** 40]) {
    const { loss, accuracy } = await evaluate(model, data, { device, batchSize });
    t.ok(Math.abs(loss / whole.loss - 1) < 1e-5, `loss ${loss} in batches of ${batchSize}, ${whole.loss} in one`);
    t.ok(Math.abs(accuracy - whole.accuracy) < 1e-6);
  }
  t.ok(model.training, 'the mode of the model is put back');
});

testOnDevices('evaluate finds loss and accuracy as they are defined', async (t, device) => {
  const data = clouds(7, 3);
  const model = net(4, 0).build([3]).eval();
  const logits = await (await run(() => model.forward(tensor(data.inputs, { shape: [7, 3] })), { device })).data();
  let [loss, hits] = [0, 0];
  for (const [row, label] of data.labels.entries()) {
    const [up = NaN, down = NaN] = logits.subarray(2 * row);
    loss += Math.log(Math.exp(up) + Math.exp(down)) - (label === 0 ? up : down);
    if (up > down === (label === 0)) hits++;
  }
  const found = await evaluate(model, data, { device });
  t.ok(Math.abs(found.loss / (loss / 7) - 1) < 1e-5, `${found.loss}, expected ${loss / 7}`);
  t.ok(Math.abs(found.accuracy - hits / 7) < 1e-6);
  const squared = await evaluate(model, data, { device, loss: (output) => mean(square(subtract(output, 1))) });
  const expected = Array.from(logits).reduce((total, value) => total + (value - 1) ** 2, 0) / 14;
  t.ok(Math.abs(squared.loss / expected - 1) < 1e-5, 'another loss may be given');
});

testOnDevices('predict gives a row for each input, in batches with a remainder', async (t, device) => {
  const data = clouds(11, 6);
  const model = net(8, 0.9).build([6]);
  const whole = await predict(model, data, { device });
  t.deepEqual(whole.shape, [11, 2]);
  const inputs = tensor(data.inputs, { shape: [11, 6] });
  for (const batchSize of [1, 4, 11, 100, 2 ** 40]) {
    const output = await predict(model, inputs, { device, batchSize });
    t.deepEqual(output.shape, [11, 2]);
    t.equal(differs(await output.data(), await whole.data(), TOLERANCE), undefined, `batches of ${batchSize}`);
  }
  t.equal(new Set(await whole.data()).size, 22, 'rows differ');
  t.ok(model.training, 'the mode of the model is put back');
});

testOnDevices('predictions and evaluations side by side are as one after the other', async (t, device) => {
  const model = net(8, 0.9).build([6]);
  model.layers.get('relu')?.eval();
  const data = clouds(400, 6);
  const one = tensor(data.inputs.subarray(0, 6), { shape: [1, 6] });
  const [first, all, evaluation] = [
    await (await predict(model, one, { device })).data(),
    await (await predict(model, data, { device })).data(),
    await evaluate(model, data, { device }),
  ];
  const sideBySide = await Promise.all([
    predict(model, one, { device }).then((output) => output.data()),
    predict(model, data, { batchSize: 20, device }).then((output) => output.data()),
    evaluate(model, data, { batchSize: 30, device }),
    predict(model, data, { device }).then((output) => output.data()),
  ]);
  t.equal(differs(sideBySide[0], first, TOLERANCE), undefined);
  for (const output of [sideBySide[1], sideBySide[3]]) t.equal(differs(output, all, TOLERANCE), undefined);
  t.ok(Math.abs(sideBySide[2].loss / evaluation.loss - 1) < 1e-5);
  t.deepEqual(
    [...model.layers.values()].map((layer) => layer.training),
    [true, false, true, true],
    'every part is in its own mode afterwards',
  );
});

testOnDevices('predict of no inputs is no rows', async (t, device) => {
  const model = net(8, 0).build([6]);
  const output = await predict(model, tensor(new Float32Array(0), { shape: [0, 6] }), { device });
  t.deepEqual(output.shape, [0, 2]);
  t.equal((await output.data()).length, 0);
});

test('predict and evaluate build a model that is not built', async (t) => {
  t.deepEqual((await predict(net(8, 0), clouds(3, 6))).shape, [3, 2]);
  t.ok((await evaluate(net(8, 0), clouds(3, 6))).loss > 0);
});

test('inputs that do not fit the model are refused, naming both shapes', async (t) => {
  const model = net(8, 0).build([6]);
  await rejects(t, predict(model, tensor([[1, 2, 3]])), ShapeError, '[1, 3]', '[N, 6]');
  await rejects(t, predict(model, tensor([1, 2, 3, 4, 5, 6])), ShapeError, '[6]', '[N, 6]');
  const ragged: Pick<LabelledData, 'inputs' | 'inputShape'> = { inputs: new Float32Array(8), inputShape: [6] };
  await rejects(t, predict(model, ragged), ShapeError, '8', '[6]');
  await rejects(t, evaluate(model, clouds(3, 5)), DataError, '[5]', '[6]');
  t.deepEqual((await predict(model, tensor([[1, 2, 3, 4, 5, 6]]))).shape, [1, 2], 'the control');
});

test('a batch size that is none, and an option with a typo, are refused', async (t) => {
  const model = net(8, 0).build([6]);
  const data = clouds(3, 6);
  for (const batchSize of [0, -1, 1.5, NaN]) {
    await rejects(t, predict(model, data, { batchSize }), OptionError, 'batchSize', String(batchSize));
    await rejects(t, evaluate(model, data, { batchSize }), OptionError, 'batchSize', String(batchSize));
  }
  const mistyped: object = { batchsize: 2 };
  await rejects(t, predict(model, data, mistyped), OptionError, "predict: unknown option 'batchsize'", "'batchSize'");
  await rejects(t, evaluate(model, data, mistyped), OptionError, "evaluate: unknown option 'batchsize'", "'batchSize'");
  t.ok(model.training);
  t.deepEqual((await predict(model, data, { batchSize: 2, device: cpu })).shape, [3, 2], 'the control');
});
