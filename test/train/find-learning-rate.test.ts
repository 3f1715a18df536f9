/** findLearningRate: the curve, its suggestion, and a model that ends as it was. */
import test from 'tape';
import {
  Adam,
  augmentation,
  BatchNorm,
  DataError,
  Dense,
  Dropout,
  evaluate,
  findLearningRate,
  type FindLearningRateOptions,
  fit,
  Flatten,
  fromArrays,
  mean,
  meanSquaredError,
  multiply,
  OptionError,
  ReLU,
  Sequential,
  SGD,
  TrainingError,
} from '../../lib/index.js';
import { cpu, testOnDevices } from '../support/devices.js';
import { rejects } from '../support/errors.js';
import { clouds, net } from './examples.js';

const sgd: FindLearningRateOptions['optimizer'] = (learningRate) => new SGD({ learningRate, momentum: 0.9 });

/** With running statistics and dropout. */
function statefulNet(): Sequential {
  return new Sequential({
    fc1: new Dense(8),
    norm: new BatchNorm(),
    relu: new ReLU(),
    drop: new Dropout(0.5),
    fc2: new Dense(2),
  });
}

/** All that a model remembers, to the bit. */
async function memoryOf(model: Sequential): Promise<unknown[]> {
  const values = [...model.namedVariables()].map(async ([name, variable]) => {
    const data = await variable.data();
    return [name, [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]];
  });
  const generators = [...model.namedGenerators()].map(([name, generator]) => [name, generator.step]);
  return [...(await Promise.all(values)), ...generators];
}

testOnDevices('the curve has a rate and a loss a step, and ends where the loss explodes', async (t, device) => {
  const options = { optimizer: sgd, device, batchSize: 16, seed: 3 };
  const { rates, losses, smoothedLosses, suggestion } = await findLearningRate(net(8, 0), clouds(200, 3), {
    ...options,
    from: 1e-5,
    to: 1e5,
    steps: 61,
  });
  t.deepEqual([rates.length, smoothedLosses.length], [losses.length, losses.length]);
  t.ok(losses.length > 20 && losses.length < 61, `${losses.length} steps`);
  rates.forEach((rate, i) => {
    if (Math.abs(rate / 10 ** (i / 6 - 5) - 1) > 1e-9) t.fail(`rate ${rate} at step ${i}`);
  });
  let average = 0;
  losses.forEach((loss, i) => {
    average = 0.9 * average + 0.1 * loss;
    const smoothed = average / (1 - 0.9 ** (i + 1));
    if (Math.abs((smoothedLosses[i] ?? NaN) / smoothed - 1) > 1e-9) t.fail(`smoothed loss ${i}`);
  });
  const least = Math.min(...smoothedLosses.slice(10));
  t.equal(suggestion, (rates[smoothedLosses.indexOf(least)] ?? NaN) / 10);
  t.ok(suggestion > 1e-3 && suggestion < 1, `suggestion ${suggestion}`);
  const history = await fit(net(8, 0), clouds(200, 3), { ...options, epochs: 10, optimizer: sgd(suggestion) });
  t.ok((history.loss.at(-1) ?? 1) < 0.55, `it learns by it: loss ${history.loss.join(', ')}`);
  const whole = await findLearningRate(net(8, 0), clouds(200, 3), { ...options, to: 1e-3 });
  t.equal(whole.rates.length, 100);
  t.ok(Math.abs((whole.rates.at(-1) ?? 0) / 1e-3 - 1) < 1e-9, 'up to the last rate where nothing explodes');
});

testOnDevices('the model ends as it was, to the bit: weights, running statistics, generator', async (t, device) => {
  const data = clouds(40, 5);
  const model = statefulNet();
  const optimizer = new Adam();
  const options = { epochs: 2, optimizer, device, seed: 4 };
  await fit(model, data, options);
  const [before, steps] = [await memoryOf(model), optimizer.step];
  const state = await optimizer.state();
  const first = await findLearningRate(model, data, { optimizer: sgd, device });
  t.deepEqual(await memoryOf(model), before);
  const second = await findLearningRate(model, data, { optimizer: sgd, device });
  t.deepEqual(second, first, 'so that it finds the same again');
  t.deepEqual([await optimizer.state(), optimizer.step], [state, steps]);
  await fit(model, data, options);
  const undisturbed = statefulNet();
  const twin = { ...options, optimizer: new Adam() };
  await fit(undisturbed, data, twin);
  await fit(undisturbed, data, twin);
  t.deepEqual(await memoryOf(model), await memoryOf(undisturbed), 'and a training goes on as if nothing had been');
});

testOnDevices('the model ends as it was where the search fails, also in the middle', async (t, device) => {
  const data = clouds(40, 5);
  const model = statefulNet().build([5], { seed: 2 });
  await fit(model, data, { epochs: 1, optimizer: new SGD({ learningRate: 0.1 }), device });
  const before = await memoryOf(model);
  const failing = (learningRate: Parameters<typeof sgd>[0]): SGD =>
    new SGD({
      learningRate: (step) => (step < 5 ? 0.1 : typeof learningRate === 'function' ? learningRate(step) - 100 : NaN),
    });
  await rejects(
    t,
    findLearningRate(model, data, { optimizer: failing, device }),
    OptionError,
    'learning rate',
    'step 5',
  );
  t.deepEqual(await memoryOf(model), before);
  const nowhere = clouds(4, 5);
  const infinite = {
    optimizer: sgd,
    device,
    loss: (output: Parameters<typeof mean>[0]) => mean(multiply(output, Infinity)),
  };
  await rejects(t, findLearningRate(model, nowhere, infinite), TrainingError, 'not finite at step 1');
  t.deepEqual(await memoryOf(model), before);
  t.ok((await findLearningRate(model, data, { optimizer: sgd, device, steps: 3 })).losses.length > 0, 'the control');
  t.deepEqual(await memoryOf(model), before);
});

test('a model that is not built is built for it; weights and a loss of its own are taken', async (t) => {
  const data = fromArrays([[1], [2], [3]], [[2], [4], [6]], { weights: [1, 0, 2] });
  const model = new Sequential({ fc: new Dense(1) });
  const options = { optimizer: sgd, loss: meanSquaredError, batchSize: 100, device: cpu, seed: 1 };
  const { losses } = await findLearningRate(model, data, options);
  const { loss } = await evaluate(model, data, { loss: meanSquaredError, device: cpu });
  t.ok(Math.abs((losses[0] ?? NaN) / loss - 1) < 1e-6, 'the first loss is that of the model as it is, weighted');
  const other = new Sequential({ fc: new Dense(1) }).build([1], { seed: 1 });
  t.deepEqual(await memoryOf(model), await memoryOf(other));
});

test('augmented pictures are searched on as they are trained on', async (t) => {
  const inputs = Float32Array.from({ length: 6 * 108 }, (_, i) => (i % 7) / 7);
  const data = fromArrays(inputs, [0, 1, 0, 1, 0, 1], { inputShape: [6, 6, 3] });
  const model = new Sequential({ flat: new Flatten(), fc: new Dense(2) });
  const options = { optimizer: sgd, device: cpu, steps: 5, seed: 1 };
  const plain = await findLearningRate(model, data, options);
  const augmented = await findLearningRate(model, data, { ...options, augment: augmentation({ brightness: 0.5 }) });
  t.equal(augmented.losses.length, 5);
  t.notDeepEqual(augmented.losses, plain.losses);
});

test('what does not work out is refused, naming it', async (t) => {
  const [model, data] = [net(4, 0).build([3]), clouds(6, 3)];
  const attempt = (options: object): Promise<object> =>
    findLearningRate(model, data, { optimizer: sgd, device: cpu, ...options });
  await rejects(t, attempt({ from: 1, to: 0.1 }), OptionError, 'from 1 to 0.1');
  await rejects(t, attempt({ from: 0 }), OptionError, 'from');
  await rejects(t, attempt({ steps: 1 }), OptionError, 'steps');
  await rejects(t, attempt({ optimizer: undefined }), OptionError, 'optimizer');
  await rejects(t, attempt({ optimizer: () => 0.1 }), OptionError, 'must give an Optimizer', '0.1');
  await rejects(t, attempt({ epochs: 1 }), OptionError, "unknown option 'epochs'");
  await rejects(t, findLearningRate(model, clouds(6, 4), { optimizer: sgd }), DataError, '[4]', '[3]');
  const training = fit(model, data, { epochs: 50, optimizer: new SGD({ learningRate: 0.1 }), device: cpu });
  await rejects(t, attempt({}), OptionError, 'findLearningRate: the model', 'another fit');
  await training;
  t.equal(Object.keys(await attempt({})).length, 4, 'the control, after the training');
});
