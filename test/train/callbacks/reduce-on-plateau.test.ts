import test from 'tape';
import {
  type Callback,
  DataError,
  OptionError,
  reduceOnPlateau,
  type ReduceOnPlateauOptions,
  SGD,
} from '../../../lib/index.js';
import { refuses } from '../../support/errors.js';
import { weightsOf, net } from '../examples.js';
import { fitScored } from './scored.js';

const SCORES = [1.0, 0.9, 0.95, 0.94, 0.93, 0.92, 0.91, 0.5, 0.6, 0.6, 0.6, 0.49995, 0.6, 0.6, 0.6, 0.6];

async function ratesWith(options: ReduceOnPlateauOptions, optimizer = new SGD({ learningRate: 0.1 })) {
  const rates: number[] = [];
  const watching: Callback = { onEpochEnd: ({ optimizer: own }) => void rates.push(own.learningRate) };
  const reducing = reduceOnPlateau({ monitor: 'score', mode: 'min', ...options });
  await fitScored(SCORES, { optimizer, callbacks: [reducing, watching] });
  return rates;
}

test('rates fall as those of torch.optim.lr_scheduler.ReduceLROnPlateau', async (t) => {
  // threshold_mode='abs', patience one less; min_lr 1e-3 of 0.1
  const cases: [ReduceOnPlateauOptions, readonly number[]][] = [
    [
      { patience: 2, factor: 0.5 },
      [
        ...[0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.025],
        ...[0.025, 0.0125, 0.0125, 0.00625, 0.00625, 0.003125, 0.003125, 0.0015625],
      ],
    ],
    [
      { patience: 2, factor: 0.5, cooldown: 2 },
      [...[0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.05], ...[0.05, 0.025, 0.025, 0.025, 0.025, 0.0125, 0.0125, 0.0125]],
    ],
    [{ patience: 1, cooldown: 1, minFactor: 0.01 }, [0.1, 0.1, 0.01, 0.01, ...Array.from({ length: 12 }, () => 0.001)]],
  ];
  for (const [options, expected] of cases) {
    const rates = await ratesWith(options);
    t.ok(
      rates.every((rate, i) => Math.abs(rate / (expected[i] ?? NaN) - 1) < 1e-12),
      rates.join(),
    );
  }
});

test('schedules are multiplied, and all that is trained is trained by the lower rates', async (t) => {
  const options = { patience: 1, factor: 0.5 };
  const rates = await ratesWith(options, new SGD({ learningRate: (step) => 1 / (1 + step) }));
  t.deepEqual(rates.slice(0, 4), [1 / 4, 1 / 7, 0.5 / 10, 0.25 / 13]);
  const reduced = net(4, 0);
  const reducing = reduceOnPlateau({ monitor: 'score', mode: 'min', ...options });
  await fitScored([1, 1, 1], { callbacks: [reducing] }, reduced);
  const scheduled = net(4, 0);
  const rateOf = (step: number): number => (step < 6 ? 0.1 : 0.05); // three steps an epoch
  await fitScored([1, 1, 1], { optimizer: new SGD({ learningRate: rateOf }) }, scheduled);
  t.deepEqual(await weightsOf(reduced), await weightsOf(scheduled));
});

test('the factor of an optimizer goes with its state', async (t) => {
  const optimizer = new SGD({ learningRate: 0.1, momentum: 0.9 });
  const model = net(4, 0);
  await fitScored([1], { optimizer }, model);
  t.notOk((await optimizer.state()).has('learning_rate_factor'), 'nothing is said where there is none');
  optimizer.learningRateFactor = 0.25;
  const tensors = await optimizer.state();
  const other = new SGD({ learningRate: 0.1, momentum: 0.9 });
  other.loadState(model.parameters(), { tensors });
  t.equal(other.learningRate, 0.025);
  tensors.delete('learning_rate_factor');
  other.loadState(model.parameters(), { tensors });
  t.equal(other.learningRate, 0.1);
  for (const factor of [-1, NaN, Infinity]) {
    tensors.set('learning_rate_factor', { dtype: 'F64', shape: [], data: Float64Array.of(factor) });
    refuses(t, () => other.loadState(model.parameters(), { tensors }), DataError, `learning_rate_factor is ${factor}`);
    refuses(t, () => (optimizer.learningRateFactor = factor), OptionError, 'learningRateFactor');
  }
  t.deepEqual([optimizer.learningRateFactor, other.learningRateFactor], [0.25, 1]);
});

test('options that cannot be used are refused', (t) => {
  for (const [options, ...words] of [
    [{ factor: 1 }, 'factor', 'below 1'],
    [{ factor: 0 }, 'factor'],
    [{ patience: 0 }, 'patience'],
    [{ cooldown: -1 }, 'cooldown'],
    [{ minFactor: 2 }, 'minFactor'],
    [{ monitor: 'score' }, 'mode'],
    [{ minLr: 1 }, "unknown option 'minLr'"],
  ] as const) {
    refuses(t, () => reduceOnPlateau(options as never), OptionError, ...words);
  }
  t.end();
});
