import test from 'tape';
import { WebGpuDevice } from '../../lib/device/webgpu/device.js';
import {
  accuracy,
  Adam,
  batchIndices,
  compile,
  DataError,
  Dense,
  type Device,
  Dropout,
  evaluate,
  fit,
  type FitOptions,
  fromArrays,
  gather,
  type History,
  type LabelledData,
  loadState,
  Meter,
  Module,
  OptionError,
  predict,
  ReLU,
  Sequential,
  ShapeError,
  SGD,
  softmaxCrossEntropy,
  stateOf,
  type Tensor,
  TrainingError,
  tune,
  Variable,
} from '../../lib/index.js';
import { differs } from '../support/close.js';
import { cpu, testOnDevices } from '../support/devices.js';
import { refuses, rejects } from '../support/errors.js';
import { openWebGpu, webgpu } from '../support/webgpu.js';
import { clouds, net, weightsOf } from './examples.js';

const sgd = (learningRate = 0.1): SGD => new SGD({ learningRate, momentum: 0.9 });

/** A history without the times. */
const numbersOf = ({ loss, accuracy: hits, validationLoss, validationAccuracy }: History): (readonly number[])[] => [
  loss,
  hits,
  validationLoss,
  validationAccuracy,
];

test('a history has one number an epoch, and validation numbers only with validation data', async (t) => {
  const lengths = async (options: Partial<FitOptions>): Promise<number[]> => {
    const history = await fit(net(4, 0), clouds(10, 3), { epochs: 3, optimizer: sgd(), ...options });
    return [...numbersOf(history), history.seconds].map(({ length }) => length);
  };
  t.deepEqual(await lengths({}), [3, 3, 0, 0, 3]);
  t.deepEqual(await lengths({ validation: clouds(4, 3, 2) }), [3, 3, 3, 3, 3]);
  t.deepEqual(await lengths({ epochs: 0, validation: clouds(4, 3, 2) }), [0, 0, 0, 0, 0]);
});

testOnDevices('fit learns what can be learned', async (t, device) => {
  const history = await fit(net(8, 0), clouds(64, 20), { epochs: 10, optimizer: sgd(), device });
  const [first = 0, last = 1] = [history.loss[0], history.loss.at(-1)];
  t.ok(last < 0.3 * first, `loss ${first} -> ${last}`);
  t.ok((history.accuracy.at(-1) ?? 0) > 0.9, `accuracy ${history.accuracy.at(-1)}`);
});

testOnDevices('loss and accuracy are means over every row, the short last batch included', async (t, device) => {
  // Nothing is learned, so an epoch's numbers are those of the model as it is: 10 rows in batches of 4, 4 and 2.
  const data = clouds(10, 3);
  const model = net(4, 0).build([3]);
  const { loss, accuracy: hits } = await fit(model, data, { epochs: 1, batchSize: 4, optimizer: sgd(0), device });
  const whole = await evaluate(model, data, { device });
  t.ok(Math.abs((loss[0] ?? NaN) / whole.loss - 1) < 1e-5, `loss ${loss[0]}, over all rows ${whole.loss}`);
  t.ok(Math.abs((hits[0] ?? NaN) - whole.accuracy) < 1e-6, `accuracy ${hits[0]}, over all rows ${whole.accuracy}`);
  const tenths = (hits[0] ?? NaN) * 10;
  t.ok(Math.abs(tenths - Math.round(tenths)) < 1e-5, 'tenths');
});

interface OwnLoop {
  readonly seed: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: SGD;
  readonly device: Device;
  readonly shuffle?: boolean;
  /** Called before each step, counted from 1; `false` ends the loop. */
  readonly beforeStep?: (step: number) => boolean;
  readonly onLoss?: (loss: number, step: number) => void;
}

/** What a user writes who does not use fit: a loop over a compiled step. */
async function ownLoop(model: Sequential, data: LabelledData, options: OwnLoop): Promise<number[][]> {
  const { seed, epochs, batchSize, optimizer, device, shuffle = true, beforeStep, onLoss } = options;
  if (!model.isBuilt) model.build(data.inputShape, { seed });
  const inputs = new Variable('x', data.inputs, [data.labels.length, ...data.inputShape]);
  const labels = new Variable('labels', data.labels);
  const [lossMeter, hitMeter] = [new Meter(), new Meter()];
  const step = compile(
    (rows) => {
      const target = gather(labels, rows);
      const logits = model.forward(gather(inputs, rows));
      const loss = softmaxCrossEntropy(logits, target);
      optimizer.minimize(loss, model.parameters());
      lossMeter.update(loss, rows.size);
      hitMeter.update(accuracy(logits, target), rows.size);
      return loss;
    },
    { device },
  );
  const [losses, hits]: [number[], number[]] = [[], []];
  let steps = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    lossMeter.reset();
    hitMeter.reset();
    for (const rows of batchIndices(data.labels.length, batchSize, { seed, epoch, shuffle })) {
      if (beforeStep?.(steps + 1) === false) return [losses, hits];
      const loss = await step(rows);
      steps++;
      if (onLoss) onLoss(await loss.item(), steps);
    }
    losses.push((await lossMeter.read()).mean);
    hits.push((await hitMeter.read()).mean);
  }
  step.dispose();
  return [losses, hits];
}

testOnDevices('fit and a loop of your own over compile give the same numbers, bit for bit', async (t, device) => {
  const options = { seed: 3, epochs: 3, batchSize: 8, device };
  const data = clouds(20, 6);
  const [fitted, looped] = [net(8, 0.5), net(8, 0.5)];
  const { loss, accuracy: hits } = await fit(fitted, data, { ...options, optimizer: sgd() });
  t.deepEqual(await ownLoop(looped, data, { ...options, optimizer: sgd() }), [loss, hits]);
  t.deepEqual(await weightsOf(looped), await weightsOf(fitted));
});

test('without shuffling, every epoch has the order of the data; with it, an order of its own', async (t) => {
  const options = { seed: 3, epochs: 2, batchSize: 8, device: cpu };
  const data = clouds(20, 6);
  const losses = async (shuffle: boolean): Promise<number[]> => {
    const { loss } = await fit(net(8, 0), data, { ...options, shuffle, optimizer: sgd() });
    return [...loss];
  };
  const [looped] = await ownLoop(net(8, 0), data, { ...options, shuffle: false, optimizer: sgd() });
  t.deepEqual(await losses(false), looped);
  t.notDeepEqual(await losses(true), looped);
});

testOnDevices(
  'the same seed gives the same history and weights, bit for bit, another seed others',
  async (t, device) => {
    const train = async (seed: number): Promise<unknown[]> => {
      const model = net(8, 0.5);
      const options = { epochs: 2, batchSize: 8, optimizer: sgd(), validation: clouds(6, 6, 2), seed, device };
      return [numbersOf(await fit(model, clouds(20, 6), options)), await weightsOf(model)];
    };
    const [history, weights] = await train(7);
    t.deepEqual(await train(7), [history, weights]);
    const [otherHistory, otherWeights] = await train(8);
    t.notDeepEqual(otherHistory, history);
    t.notDeepEqual(otherWeights, weights);
  },
);

test('the seed decides the order of the examples beside the initial weights', async (t) => {
  const train = async (seed: number): Promise<readonly number[]> => {
    const model = net(8, 0).build([6], { seed: 1 });
    return (await fit(model, clouds(20, 6), { epochs: 2, batchSize: 8, optimizer: sgd(), seed })).loss;
  };
  t.notDeepEqual(await train(1), await train(2));
});

test('moving from the CPU to WebGPU changes no line: 100 losses agree within 1e-3', async (t) => {
  const train = async (device: Device): Promise<readonly number[]> => {
    const options = { epochs: 50, batchSize: 12, optimizer: sgd(0.02), seed: 2, device }; // 2 steps an epoch
    return (await fit(net(16, 0.5), clouds(24, 12), options)).loss;
  };
  const losses = await train(cpu);
  t.equal(differs(Float64Array.from(await train(await webgpu())), losses, { absolute: 0, relative: 1e-3 }), undefined);
  t.equal(losses.length, 50);
});

testOnDevices('validation runs in evaluation mode, over all its rows', async (t, device) => {
  // Nothing is learned, and the dropout is strong: in training mode, no two epochs would agree.
  const model = net(64, 0.9);
  const validation = clouds(11, 6, 2);
  const { validationLoss, validationAccuracy, loss } = await fit(model, clouds(20, 6), {
    epochs: 3,
    optimizer: sgd(0),
    validation,
    device,
  });
  t.equal(new Set(loss).size, 3, 'training losses differ by their masks');
  t.equal(new Set(validationLoss).size, 1);
  const alone = await evaluate(model, validation, { device });
  t.deepEqual([validationLoss[0], validationAccuracy[0]], [alone.loss, alone.accuracy]);
});

test('the model is in training mode while it is trained, and in its own mode afterwards', async (t) => {
  const model = net(4, 0.5).build([3]).eval();
  const modes: boolean[] = [];
  const options: FitOptions = {
    epochs: 2,
    optimizer: sgd(),
    validation: clouds(4, 3, 2),
    loss: (logits, labels) => {
      modes.push(model.training);
      return softmaxCrossEntropy(logits, labels);
    },
  };
  await fit(model, clouds(10, 3), options);
  t.deepEqual(modes, [true, false], 'one recording for training, one for validation');
  t.notOk(model.training, 'evaluation mode is put back');
  model.train();
  await fit(model, clouds(10, 3), options);
  t.ok(model.training, 'and so is training mode');
  model.eval();
  const failing = { ...options, onEpochEnd: () => Promise.reject(new Error('disk full')) };
  await rejects(t, fit(model, clouds(10, 3), failing), Error, 'disk full');
  t.notOk(model.training, 'also after an error');
});

testOnDevices('what looks at a model while it is trained disturbs neither side', async (t, device) => {
  const data = clouds(20, 6);
  const options = { epochs: 6, batchSize: 8, seed: 3, device };
  const alone = net(8, 0.5);
  const expected = await fit(alone, data, { ...options, optimizer: sgd() });
  const model = net(8, 0.5);
  const outputs: (readonly [unknown, unknown])[] = [];
  let looking: Promise<unknown> = Promise.resolve();
  const history = await fit(model, data, {
    ...options,
    optimizer: sgd(),
    // Some of it still runs when the next epoch is trained.
    onEpochEnd: async () => {
      t.ok(model.training);
      looking = predict(model, data, { device, batchSize: 3 });
      const [first, second] = await Promise.all([predict(model, data, { device }), evaluate(model, data, { device })]);
      const again = await evaluate(model, data, { device });
      t.deepEqual(second, again);
      outputs.push([await first.data(), await (await predict(model, data, { device })).data()]);
    },
  });
  await looking;
  t.deepEqual([history.loss, history.accuracy], [expected.loss, expected.accuracy]);
  t.deepEqual(await weightsOf(model), await weightsOf(alone));
  for (const [first, second] of outputs) t.deepEqual(first, second, 'predictions are without dropout');
  t.ok(model.training, 'and the mode is what it was');
});

test('a part that was put into evaluation mode on its own stays in it while the model is trained', async (t) => {
  const options = { epochs: 3, batchSize: 8, seed: 3, device: cpu };
  const train = async (model: Sequential): Promise<unknown> => {
    await fit(model, clouds(20, 6), { ...options, optimizer: sgd() });
    return weightsOf(model);
  };
  const plain = await train(net(8, 0));
  const held = net(8, 0.5);
  const dropout = held.layers.get('dropout');
  dropout?.eval();
  t.deepEqual(await train(held), plain, 'no dropout');
  t.deepEqual([held.training, dropout?.training], [true, false], 'modes are as before');

  const evaluated = net(8, 0.5);
  evaluated.layers.get('dropout')?.eval();
  evaluated.eval();
  t.deepEqual(await train(evaluated), plain, 'also where the whole model was put into evaluation mode later');
  t.notOk(evaluated.training);

  const dropping = await train(net(8, 0.5));
  t.notDeepEqual(dropping, plain);
  const back = net(8, 0.5);
  back.layers.get('dropout')?.eval();
  t.deepEqual(await train(back.train()), dropping, 'train() of the whole model takes all parts along');
  t.deepEqual(await train(net(8, 0.5).eval()), dropping, 'a model is trained whatever its own mode');
  const part = net(8, 0.5);
  new Sequential([part]).eval();
  t.deepEqual(await train(part), dropping, 'and whatever the mode of what it is a part of');
});

test('a teacher in evaluation mode stays in it in the loss of another model', async (t) => {
  const teacher = net(8, 0.5).build([6]).eval();
  const modes: (boolean | undefined)[] = [];
  await fit(net(8, 0.5), clouds(8, 6), {
    epochs: 1,
    optimizer: sgd(),
    loss: (logits, labels) => {
      modes.push(teacher.layers.get('dropout')?.training);
      return softmaxCrossEntropy(logits, labels);
    },
  });
  t.deepEqual(modes, [false]);
});

test('a part that is switched between epochs is trained in its new mode from the next one on', async (t) => {
  const model = net(8, 0.5);
  const dropout = model.layers.get('dropout');
  const modes: (boolean | undefined)[] = [];
  await fit(model, clouds(8, 6), {
    epochs: 3,
    optimizer: sgd(),
    loss: (logits, labels) => {
      modes.push(dropout?.training);
      return softmaxCrossEntropy(logits, labels);
    },
    onEpochEnd: ({ epoch }) => {
      if (epoch === 2) dropout?.eval();
    },
  });
  t.deepEqual(modes, [true, false]);
});

test('onEpochEnd is given each epoch in turn, and waited for', async (t) => {
  const events: string[] = [];
  const history = await fit(net(4, 0), clouds(10, 3), {
    epochs: 3,
    optimizer: new SGD({ learningRate: (step) => (events.push(`rate ${step}`), 0.1) }),
    validation: clouds(4, 3, 2),
    onEpochEnd: async (result) => {
      events.push(`begin ${result.epoch}`);
      await new Promise((resume) => setTimeout(resume, 20));
      events.push(`end ${result.epoch}`);
      t.ok(result.seconds >= 0 && result.loss > 0 && (result.validationLoss ?? 0) > 0);
    },
  });
  t.deepEqual(
    events.filter((event, i) => event !== events[i - 1]),
    ['rate 0', 'begin 1', 'end 1', 'rate 1', 'begin 2', 'end 2', 'rate 2', 'begin 3', 'end 3'],
  );
  t.equal(history.loss.length, 3);
});

testOnDevices(
  'an abort ends the training after the step at hand, with the whole epochs in the history',
  async (t, device) => {
    // 3 steps an epoch; the abort comes while step 5, counted from 1, is taken.
    const data = clouds(20, 6);
    const options = { seed: 3, epochs: 9, batchSize: 8, device };
    const abort = new AbortController();
    const optimizer = new SGD({
      learningRate: (step) => {
        if (step === 4) abort.abort();
        return 0.1;
      },
    });
    const model = net(8, 0.5);
    const epochs: number[] = [];
    const { loss } = await fit(model, data, {
      ...options,
      optimizer,
      signal: abort.signal,
      onEpochEnd: ({ epoch }) => void epochs.push(epoch),
    });
    t.deepEqual([loss.length, epochs, optimizer.step], [1, [1], 5]);
    const looped = net(8, 0.5);
    const plain = new SGD({ learningRate: 0.1 });
    const [losses] = await ownLoop(looped, data, { ...options, optimizer: plain, beforeStep: (step) => step <= 5 });
    t.deepEqual(losses, loss);
    t.deepEqual(await weightsOf(model), await weightsOf(looped), 'the weights are those after step 5');
  },
);

test('an abort in the last step of an epoch, or in onEpochEnd, keeps that epoch', async (t) => {
  for (const inStep of [true, false]) {
    const abort = new AbortController();
    const { loss } = await fit(net(4, 0), clouds(20, 3), {
      epochs: 5,
      batchSize: 10,
      optimizer: new SGD({
        learningRate: (step) => {
          if (inStep && step === 3) abort.abort();
          return 0.1;
        },
      }),
      signal: abort.signal,
      onEpochEnd: ({ epoch }) => {
        if (!inStep && epoch === 2) abort.abort();
      },
    });
    t.equal(loss.length, 2);
  }
});

test('a signal that was aborted before takes no step', async (t) => {
  const model = net(4, 0).build([3]);
  const before = await weightsOf(model);
  const optimizer = sgd();
  const { loss } = await fit(model, clouds(10, 3), { epochs: 3, optimizer, signal: AbortSignal.abort() });
  t.deepEqual([loss.length, optimizer.step], [0, 0]);
  t.deepEqual(await weightsOf(model), before);
});

testOnDevices('ten epochs are five and five, and ten times one, bit for bit', async (t, device) => {
  const train = async (...parts: readonly number[]): Promise<unknown> => {
    const model = net(8, 0.5);
    const optimizer = new SGD({ learningRate: (step) => 0.2 / (1 + step), momentum: 0.9, dampening: 0.1 });
    const histories: History[] = [];
    for (const epochs of parts) {
      // 20 rows in batches of 8, 8 and 4
      const options = { epochs, batchSize: 8, optimizer, validation: clouds(6, 6, 2), seed: 3, device };
      histories.push(await fit(model, clouds(20, 6), options));
    }
    const numbers = [0, 1, 2, 3].map((kind) => histories.flatMap((history) => numbersOf(history)[kind]));
    return [numbers, await weightsOf(model)];
  };
  const whole = await train(10);
  t.deepEqual(await train(5, 5), whole);
  t.deepEqual(await train(0, ...new Array<number>(10).fill(1)), whole);
});

test('epochs that go on have an order of their own, also behind one that was broken off', async (t) => {
  const data = clouds(20, 6);
  const options = { seed: 3, batchSize: 8, device: cpu };
  const model = net(8, 0);
  const abort = new AbortController();
  const optimizer = new SGD({
    learningRate: (step) => {
      if (step === 3) abort.abort(); // in the first step of epoch 1
      return 0.1;
    },
  });
  await fit(model, data, { ...options, epochs: 5, optimizer, signal: abort.signal });
  const broken = optimizer.step - 3;
  t.ok(broken === 1 || broken === 2, 'the last step was not taken');
  await fit(model, data, { ...options, epochs: 2, optimizer });
  // Epoch 0, some of epoch 1, and from its beginning epoch 1 again, and 2.
  const looped = net(8, 0).build([6], { seed: 3 });
  const plain = new SGD({ learningRate: 0.1 });
  const inputs = new Variable('x', data.inputs, [20, 6]);
  const labels = new Variable('labels', data.labels);
  const step = compile(
    (rows) => {
      const loss = softmaxCrossEntropy(looped.forward(gather(inputs, rows)), gather(labels, rows));
      plain.minimize(loss, looped.parameters());
    },
    { device: cpu },
  );
  const batchesOf = (epoch: number): Int32Array[] => batchIndices(20, 8, { seed: 3, epoch });
  const taken = [...batchesOf(0), ...batchesOf(1).slice(0, broken), ...batchesOf(1), ...batchesOf(2)];
  for (const rows of taken) await step(rows);
  t.deepEqual(await weightsOf(model), await weightsOf(looped));
});

test('a batch larger than the data is the data', async (t) => {
  const data = clouds(5, 6);
  const train = async (batchSize: number): Promise<unknown> => {
    const model = net(8, 0.5);
    const options = { epochs: 3, batchSize, optimizer: sgd(), validation: clouds(6, 6, 2), device: cpu };
    return [numbersOf(await fit(model, data, options)), await weightsOf(model)];
  };
  const expected = await train(5);
  for (const batchSize of [6, 1e7, 2 ** 40, Number.MAX_SAFE_INTEGER]) t.deepEqual(await train(batchSize), expected);
});

testOnDevices(
  'what is frozen stays bit for bit, and a part that is unfrozen between epochs is trained',
  async (t, device) => {
    const model = net(8, 0.5).build([6]).freeze('fc1');
    const [weight, bias, , headBias] = model.parameters();
    const seen: unknown[] = [];
    const values = async (): Promise<unknown> => [await weight?.data(), await bias?.data()];
    const before = await values();
    await fit(model, clouds(20, 6), {
      epochs: 3,
      batchSize: 8,
      optimizer: new SGD({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 }),
      device,
      onEpochEnd: async ({ epoch }) => {
        seen.push(await values());
        if (epoch === 2) model.unfreeze('fc1.weight');
      },
    });
    t.deepEqual(seen.slice(0, 2), [before, before]);
    t.notDeepEqual(await weight?.data(), (before as Float32Array[])[0]);
    t.deepEqual(await bias?.data(), (before as Float32Array[])[1]);
    t.ok((await headBias?.data())?.some((value) => value !== 0));
    model.freeze();
    const all = fit(model, clouds(20, 6), { epochs: 1, optimizer: sgd(), device });
    await rejects(t, all, OptionError, 'all parameters', 'frozen');
  },
);

test('a new head on a frozen body is trained alone', async (t) => {
  const model = new Headed();
  await fit(model, clouds(20, 6), { epochs: 2, optimizer: sgd(), seed: 2 });
  const body = await weightsOf(model.body);
  model.head = new Dense(2);
  model.freeze('body');
  const optimizer = sgd();
  const { loss } = await fit(model, clouds(20, 6), { epochs: 20, optimizer });
  t.ok((loss.at(-1) ?? 1) < 0.8 * (loss[0] ?? 0), loss.join());
  t.deepEqual(await weightsOf(model.body), body);
  t.deepEqual([...optimizer.namedVariables().keys()], ['head.weight.momentum_buffer', 'head.bias.momentum_buffer']);
  t.deepEqual([...(await stateOf(model)).keys()].slice(-2), ['head.weight', 'head.bias']);
});

class Headed extends Module {
  readonly body = new Sequential([new Dense(8), new ReLU(), new Dropout(0.1)]);
  head = new Dense(2);

  override forward(input: Tensor): Tensor {
    return this.head.forward(this.body.forward(input));
  }
}

test('a second fit on a model that is being trained is refused, and the first one goes on', async (t) => {
  const options = { epochs: 3, batchSize: 8, seed: 3 };
  const alone = net(8, 0.5);
  const expected = await fit(alone, clouds(20, 6), { ...options, optimizer: sgd() });
  const model = net(8, 0.5);
  const again = (on: Sequential, epochs = 1): Promise<History> =>
    fit(on, clouds(20, 6), { ...options, epochs, optimizer: sgd() });
  const words = ['being trained by another fit', 'fc1.weight'];
  const first = fit(model, clouds(20, 6), {
    ...options,
    optimizer: sgd(),
    onEpochEnd: () => rejects(t, again(model), OptionError, ...words),
  });
  await rejects(t, again(model), OptionError, ...words);
  await rejects(t, again(model, 0), OptionError, ...words);
  const around = new Sequential({ body: model, head: new Dense(2) });
  await rejects(t, again(around), OptionError, 'being trained by another fit', 'body.fc1.weight');
  const sharing = new Sequential([model.layers.get('fc1') ?? new Dense(8), new Dense(2)]);
  await rejects(t, again(sharing), OptionError, 'being trained by another fit', '0.weight');
  t.equal((await again(net(8, 0.5))).loss.length, 1, 'another model is trained meanwhile');
  const { loss } = await first;
  t.deepEqual(loss, expected.loss);
  t.deepEqual(await weightsOf(model), await weightsOf(alone));
  t.equal((await again(model)).loss.length, 1, 'afterwards it can be trained again');
});

test('an optimizer that another fit trains by is refused: both would take steps of its count', async (t) => {
  const options = { epochs: 3, batchSize: 8, seed: 3 };
  const [alone, optimizer] = [net(8, 0.5), new Adam()];
  const expected = await fit(alone, clouds(20, 6), { ...options, optimizer: new Adam() });
  const model = net(8, 0.5);
  const other = (): Promise<History> => fit(net(4, 0), clouds(20, 6), { ...options, optimizer });
  const words = ['another fit is training by this optimizer'];
  const first = fit(model, clouds(20, 6), {
    ...options,
    optimizer,
    onEpochEnd: () => rejects(t, other(), OptionError, ...words),
  });
  await rejects(t, other(), OptionError, ...words);
  t.deepEqual((await first).loss, expected.loss);
  t.deepEqual(await weightsOf(model), await weightsOf(alone));
  t.equal((await other()).loss.length, 3, 'afterwards it can be used again');
});

test('what is no model, or a part of one, is refused by that', async (t) => {
  const model = net(8, 0.5).build([6]);
  const data = clouds(20, 6);
  const calls: [name: string, call: (of: Module) => Promise<unknown>][] = [
    ['fit', (of) => fit(of, data, { epochs: 1, optimizer: sgd() })],
    ['evaluate', (of) => evaluate(of, data)],
    ['predict', (of) => predict(of, data)],
  ];
  const part = model.layers.get('fc1') ?? model;
  for (const [name, call] of calls) {
    await rejects(t, call(part), OptionError, `${name}: this Dense was built as a part of a model`);
    for (const wrong of [null, undefined, 'model', {}, Sequential, () => model]) {
      await rejects(t, call(wrong as never), OptionError, `${name}: the model must be a Module`);
    }
  }
  for (const wrong of [null, {}, [model]]) {
    await rejects(t, stateOf(wrong as never), OptionError, 'stateOf: the model must be a Module');
    refuses(t, () => loadState(wrong as never, { tensors: new Map() }), OptionError, 'loadState: the model must be');
  }
  refuses(t, () => model.summary('print' as never), OptionError, 'summary: print must be a function');
});

test('a model whose training failed, was refused or was broken off can be trained again', async (t) => {
  const model = net(8, 0);
  const data = clouds(20, 6);
  const train = (options: Partial<FitOptions>): Promise<History> =>
    fit(model, data, { epochs: 2, optimizer: sgd(), ...options });
  await rejects(t, train({ onEpochEnd: () => Promise.reject(new Error('disk full')) }), Error, 'disk full');
  await rejects(t, train({ loss: (logits) => logits }), ShapeError, 'scalar');
  await rejects(t, train({ validation: clouds(4, 3) }), DataError, 'validation data');
  await rejects(t, train({ optimizer: sgd(1e30) }), TrainingError, 'not finite');
  await train({ signal: AbortSignal.abort() });
  model.parameters().forEach((parameter) => parameter.set(new Float32Array(parameter.size)));
  t.equal((await train({})).loss.length, 2);
});

test('timers and signals get their turn while the CPU device computes', async (t) => {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 100);
  const { loss } = await fit(net(64, 0), clouds(400, 100), { epochs: 10_000, optimizer: sgd(0), signal: abort.signal });
  t.ok(loss.length < 5_000, `${loss.length} epochs`);
});

testOnDevices('a loss that is not finite stops the training, naming its step', async (t, device) => {
  // 3 steps an epoch. From step 7 on, the rate of 1e30 makes logits of 1e30 · 1e30: the first of epoch 3 is the last
  // that is taken from good weights, and step 8 is the first with a loss that is not finite.
  const data = clouds(20, 6);
  const schedule = (step: number): number => (step === 6 ? 1e30 : 0.1);
  const options = { seed: 3, epochs: 9, batchSize: 8, device };
  let first = 0;
  await ownLoop(net(8, 0), data, {
    ...options,
    optimizer: new SGD({ learningRate: schedule }),
    beforeStep: () => first === 0,
    onLoss: (loss, step) => {
      if (first === 0 && !Number.isFinite(loss)) first = step;
    },
  });
  t.equal(first, 8, 'so says a loop that looks at each loss');

  const model = net(8, 0);
  const saved: Awaited<ReturnType<typeof stateOf>>[] = [];
  const training = fit(model, data, {
    ...options,
    optimizer: new SGD({ learningRate: schedule }),
    onEpochEnd: async () => void saved.push(await stateOf(model)),
  });
  await rejects(t, training, TrainingError, 'not finite', 'step 8', 'step 2 of its epoch', 'learning rate');
  await training.catch((error: unknown) => t.equal(error instanceof TrainingError && error.step, 8));
  t.equal(saved.length, 2, 'the epochs before were saved');
  loadState(model, { tensors: saved.at(-1) ?? new Map() });
  t.ok(
    (await weightsOf(model)).every((values) => values.every(Number.isFinite)),
    'and what was saved is good',
  );
  t.ok((await evaluate(model, data, { device })).loss < 0.7);
});

testOnDevices(
  'weights that the last step of an epoch blew up are not handed to onEpochEnd as good',
  async (t, device) => {
    // 3 steps an epoch; the third one of epoch 2 blows up: its loss is still finite, that of the validation is not.
    const optimizer = new SGD({ learningRate: (step) => (step === 5 ? 1e30 : 0.1) });
    const epochs: number[] = [];
    const training = fit(net(8, 0), clouds(20, 6), {
      epochs: 9,
      batchSize: 8,
      optimizer,
      validation: clouds(8, 6, 2),
      device,
      onEpochEnd: ({ epoch }) => void epochs.push(epoch),
    });
    await rejects(t, training, TrainingError, 'validation loss', 'not finite', 'step 6');
    t.deepEqual(epochs, [1]);
  },
);

test('data that do not fit are refused before anything is trained', async (t) => {
  const good = clouds(4, 3);
  const train = (data: LabelledData, validation?: LabelledData): Promise<History> =>
    fit(net(4, 0).build([3]), data, { epochs: 1, optimizer: sgd(), ...(validation && { validation }) });
  t.equal((await train(good, good)).loss.length, 1, 'the control');
  const withInput = (value: number): LabelledData => ({ ...good, inputs: good.inputs.with(7, value) });
  const withLabel = (label: number): LabelledData => ({ ...good, labels: good.labels.with(1, label) });
  const files = ['a.png', 'b.png', 'c\x1b.png', 'd.png'];
  for (const [data, ...words] of [
    [withInput(NaN), 'NaN', 'row 2', 'element 1'],
    [{ ...withInput(-Infinity), files }, '-Infinity', 'row 2 (c\\u{1b}.png)'],
    [withLabel(2), 'label 2', 'row 1', '2 outputs', '0 to 1'],
    [withLabel(-1), 'label -1', 'row 1'],
    [clouds(4, 5), '[5]', 'built for [3]'],
    [{ ...good, labels: new Int32Array(3) }, '12 numbers', '3 labels', '[3]'],
    [{ ...good, inputs: new Float32Array(0), labels: new Int32Array(0) }, 'no examples'],
  ] as const) {
    await rejects(t, train(data), DataError, 'training data', ...words);
    await rejects(t, train(good, data), DataError, 'validation data', ...words);
  }
});

test('a model that is not built is built for the data, with the seed of fit', async (t) => {
  const model = net(4, 0);
  await fit(model, clouds(4, 3), { epochs: 0, optimizer: sgd(), seed: 6 });
  t.deepEqual(await weightsOf(model), await weightsOf(net(4, 0).build([3], { seed: 6 })));
});

test('options that cannot be used are refused, and a typo is answered with the right name', async (t) => {
  const model = net(4, 0).build([3]);
  const before = await weightsOf(model);
  const train = (options: object): Promise<History> =>
    fit(model, clouds(4, 3), { epochs: 1, optimizer: sgd(), ...options });
  for (const [options, ...words] of [
    [{ epoch: 3 }, "unknown option 'epoch'", "did you mean 'epochs'"],
    [{ batchsize: 3 }, "unknown option 'batchsize'", "did you mean 'batchSize'"],
    [{ colour: 3 }, "unknown option 'colour'"],
    [{ epochs: 1.5 }, 'epochs', '1.5'],
    [{ epochs: -1 }, 'epochs', '-1'],
    [{ epochs: NaN }, 'epochs', 'NaN'],
    [{ epochs: undefined }, 'epochs', 'undefined'],
    [{ batchSize: 0 }, 'batchSize', '0'],
    [{ batchSize: 2.5 }, 'batchSize', '2.5'],
    [{ seed: -1 }, 'seed', '-1'],
    [{ optimizer: undefined }, 'optimizer'],
  ] as const) {
    await rejects(t, train(options), OptionError, ...words);
  }
  t.deepEqual(await weightsOf(model), before);
  t.equal((await train({})).loss.length, 1, 'the control');
});

test('data from nested arrays train a model that is one layer', async (t) => {
  const inputs = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ];
  const data = fromArrays(inputs, [0, 0, 0, 1]);
  const history = await fit(new Sequential([new Dense(2)]), data, { epochs: 200, optimizer: sgd(0.5) });
  t.equal(history.accuracy.at(-1), 1, 'AND is learned');
});

test('fit with `tune` chooses kernels by measuring, and trains the same; on the CPU there is nothing to do', async (t) => {
  const opened = await openWebGpu();
  const device = new WebGpuDevice(opened.gpu, opened.info); // without a store: nothing is remembered
  const data = clouds(20, 6);
  const train = async (options: Partial<FitOptions>): Promise<readonly number[]> =>
    (await fit(net(8, 0.5), data, { epochs: 2, batchSize: 10, optimizer: sgd(), ...options })).loss;
  const expected = await train({ device: cpu });
  const losses = await train({ device, tune: true });
  t.equal(differs(Float64Array.from(losses), expected, { absolute: 0, relative: 1e-4 }), undefined);
  const { choices } = await tune(device);
  t.ok(
    choices.some(({ source, operation }) => source === 'measured' && operation.includes('relu')),
    choices.map(({ operation }) => operation).join('; '),
  );
  t.deepEqual(await train({ device: cpu, tune: true }), expected);
  opened.dispose();
});
