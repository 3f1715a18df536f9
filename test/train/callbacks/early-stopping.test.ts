import test from 'tape';
import {
  BatchNorm,
  Dense,
  earlyStopping,
  type EarlyStoppingOptions,
  evaluate,
  fit,
  OptionError,
  Sequential,
  SGD,
  TrainingError,
  type TrainingRun,
} from '../../../lib/index.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses, rejects } from '../../support/errors.js';
import { clouds, net, weightsOf } from '../examples.js';
import { fitScored } from './scored.js';

const watch = { monitor: 'validationScore', mode: 'min', patience: 2 } as const;

test('a training stops after `patience` epochs in a row that are no better than the best', async (t) => {
  const epochs = async (scores: readonly number[], options: EarlyStoppingOptions): Promise<number> =>
    (await fitScored(scores, { callbacks: [earlyStopping({ ...watch, ...options })] })).loss.length;
  t.equal(await epochs([5, 4, 3, 3, 3, 1], {}), 5);
  t.equal(await epochs([5, 6, 4, 5, 3, 4, 2], {}), 7, 'not in a row');
  t.equal(await epochs([5, 4, 3, 3, 3, 1], { patience: 1 }), 4);
  t.equal(await epochs([5, 4, 3, 3, 3, 1], { patience: 4 }), 6);
  t.equal(await epochs([1, 2, 3, 3, 3, 9], { mode: 'max' }), 5);
  t.equal(await epochs([5, 4, 3, 3, 3, 1], { mode: 'max' }), 3);
  t.equal(await epochs([5, 4.5, 4, 3.5], { minDelta: 1 }), 3, '4 is better than 5 by no more than 1');
  t.equal(await epochs([5, 4.5, 3.9, 3.5, 3], { minDelta: 1 }), 5, 'and 3.9 by more, ahead of two that are not');
  t.equal(await epochs([NaN, 5, NaN, 4, NaN, NaN], {}), 6);
  t.equal(await epochs([NaN, NaN, 4], {}), 2);
});

testOnDevices('at the end the model has the weights and running statistics of its best epoch', async (t, device) => {
  const make = (): Sequential => new Sequential([new Dense(4), new BatchNorm(), new Dense(2)]);
  const after = async (count: number): Promise<unknown> => {
    const model = make();
    await fitScored([5, 3, 4, 4, 4].slice(0, count), { device }, model);
    return valuesOf(model);
  };
  const valuesOf = (model: Sequential): Promise<unknown> =>
    Promise.all([...model.namedVariables().values()].map(async (each) => [...(await each.data())]));
  const restored = async (scores: readonly number[], options: EarlyStoppingOptions = {}): Promise<unknown> => {
    const model = make();
    await fitScored(scores, { device, callbacks: [earlyStopping({ ...watch, ...options })] }, model);
    return valuesOf(model);
  };
  const [second, fourth] = [await after(2), await after(4)];
  t.notDeepEqual(second, fourth);
  t.deepEqual(await restored([5, 3, 4, 4, 4]), second);
  t.deepEqual(await restored([5, 3, 4]), second, 'also where the epochs come to an end');
  t.deepEqual(await restored([5, 3]), second, 'where the last one is the best');
  t.deepEqual(await restored([5, 3, 4, 4, 4], { restoreBest: false }), fourth);
  t.deepEqual(await restored([NaN, NaN]), second, 'where none is, the last weights stay');
});

test('also a training that was stopped in an epoch, or failed, gives back the best weights', async (t) => {
  const best = net(4, 0);
  await fitScored([3], {}, best);
  const stopped = net(4, 0);
  const stop = {
    onStepEnd: (run: TrainingRun) => {
      if (run.step === 5) run.stop();
    },
  };
  await fitScored([3, 2], { callbacks: [stop, earlyStopping(watch)] }, stopped);
  t.deepEqual(await weightsOf(stopped), await weightsOf(best));
  const failed = net(4, 0);
  const optimizer = new SGD({ learningRate: (step) => (step < 3 ? 0.1 : 1e30) });
  const training = fitScored([3, 2, 1], { optimizer, callbacks: [earlyStopping(watch)] }, failed);
  await rejects(t, training, TrainingError, 'not finite');
  t.deepEqual(await weightsOf(failed), await weightsOf(best));
});

test('an early stopping can be used again, and then begins anew', async (t) => {
  const stopping = earlyStopping(watch);
  for (const scores of [
    [1, 2, 2, 2],
    [8, 7, 8, 8, 8],
  ]) {
    const { loss } = await fitScored(scores, { callbacks: [stopping] });
    t.equal(loss.length, scores.length - 1);
  }
});

test('by default the validation loss is watched', async (t) => {
  const [data, validation] = [clouds(40, 20), clouds(40, 20, 2)];
  const model = net(32, 0);
  const optimizer = new SGD({ learningRate: 0.5, momentum: 0.9 });
  const stopping = earlyStopping({ patience: 3 });
  let reason: unknown;
  const { validationLoss } = await fit(model, data, {
    ...{ epochs: 500, optimizer, validation },
    callbacks: [stopping, { onTrainEnd: (run) => void (reason = run.stopReason) }],
  });
  const best = Math.min(...validationLoss);
  t.equal(validationLoss.length, validationLoss.indexOf(best) + 4);
  t.equal((await evaluate(model, validation)).loss, best);
  t.equal(reason, `validationLoss has not become better since epoch ${validationLoss.indexOf(best) + 1}`);
});

test('what cannot be watched is refused ahead of the first step', async (t) => {
  const optimizer = new SGD({ learningRate: 0.1 });
  const train = (options: EarlyStoppingOptions, more: object = {}): Promise<unknown> =>
    fit(net(4, 0), clouds(20, 6), { epochs: 2, optimizer, callbacks: [earlyStopping(options)], ...more });
  await rejects(t, train({}), OptionError, 'no "validationLoss"', 'give fit validation data', 'loss, accuracy');
  await rejects(t, train({ monitor: 'acuracy', mode: 'max' }), OptionError, 'no "acuracy"', 'loss, accuracy');
  t.equal(optimizer.step, 0);
  refuses(
    t,
    () => earlyStopping({ monitor: 'validationError' }),
    OptionError,
    "mode 'min' or 'max'",
    'validationError',
  );
  refuses(t, () => earlyStopping({ patience: 0 }), OptionError, 'patience');
  refuses(t, () => earlyStopping({ minDelta: -1 }), OptionError, 'minDelta');
  refuses(t, () => earlyStopping({ mode: 'less' as never }), OptionError, 'mode');
  refuses(t, () => earlyStopping({ patient: 3 } as never), OptionError, "did you mean 'patience'");
});
