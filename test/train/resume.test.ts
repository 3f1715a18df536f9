import { isDeepStrictEqual } from 'node:util';
import test from 'tape';
import {
  Adam,
  BatchNorm,
  type Callback,
  confusionMatrix,
  accuracy,
  DataError,
  decodeSafetensors,
  DeviceLostError,
  earlyStopping,
  loadState,
  decodeTrainingCheckpoint,
  Dense,
  Dropout,
  encodeSafetensors,
  fit,
  type FitOptions,
  Generator,
  Module,
  type Momentum,
  OptionError,
  randomNormal,
  reduceOnPlateau,
  add,
  mixedFloat16,
  multiply,
  relu,
  Sequential,
  SGD,
  softmaxCrossEntropy,
  stateOf,
  type Tensor,
  type TrainingCheckpoint,
  TrainingError,
  trainingCheckpointOf,
  type TrainingRun,
  Variable,
} from '../../lib/index.js';
import { testOnDevices } from '../support/devices.js';
import { refuses, rejects } from '../support/errors.js';
import { openWebGpu } from '../support/webgpu.js';
import { clouds } from './examples.js';

/** 20 rows in batches of 8, 8 and 4: three steps an epoch. */
const data = clouds(20, 6);
const validation = clouds(9, 6, 2);

/** A net with all that has a state: running statistics, dropout, and noise of a generator of its own. */
class Net extends Module {
  readonly fc1 = new Dense(8);
  readonly norm = new BatchNorm();
  readonly drop = new Dropout(0.5);
  readonly fc2 = new Dense(2);
  readonly noise = new Generator(11);

  override forward(input: Tensor): Tensor {
    const hidden = relu(this.norm.forward(this.fc1.forward(input)));
    const noisy = this.training ? add(hidden, multiply(randomNormal(hidden.shape, this.noise), 0.01)) : hidden;
    return this.fc2.forward(this.drop.forward(noisy));
  }
}

const usualRate = (step: number): number => 0.05 / (1 + 0.25 * step);
const usualBeta1 = (step: number): number => 0.8 + 0.02 * (step % 7);
const adam = (): Adam => new Adam({ learningRate: usualRate, beta1: usualBeta1 });

/** What a training is given that is like the one that is resumed. */
const usual = () => ({
  ...{ epochs: 3, batchSize: 8, seed: 3, optimizer: adam(), validation },
  metrics: { accuracy, confusion: confusionMatrix() },
});

interface Trained {
  readonly history: unknown;
  readonly state: unknown;
  readonly optimizer: unknown;
}

async function train(
  options: Partial<FitOptions<ReturnType<typeof usual>['metrics']>>,
  model: Module = new Net(),
): Promise<Trained> {
  const all = { ...usual(), ...options };
  const history = await fit(model, data, all);
  return {
    history: { ...history, seconds: history.seconds.length },
    state: await stateOf(model),
    optimizer: await all.optimizer.state(),
  };
}

/** Takes checkpoints behind some steps, through files. */
function taking(steps: readonly number[]): Callback & { readonly taken: Promise<TrainingCheckpoint>[] } {
  const taken: Promise<TrainingCheckpoint>[] = [];
  const take = async (run: TrainingRun) => decodeTrainingCheckpoint((await trainingCheckpointOf(run)).encode());
  return {
    taken,
    savesState: true,
    onStepEnd: (run) => {
      if (!steps.includes(run.step)) return;
      const checkpoint = take(run); // the training goes on meanwhile
      checkpoint.catch(() => undefined); // a test looks at it later
      taken.push(checkpoint);
    },
  };
}

/** The checkpoint behind a step of the usual training. */
async function checkpointAt(step: number, options: Parameters<typeof train>[0] = {}): Promise<TrainingCheckpoint> {
  const callback = taking([step]);
  await train({ ...options, callbacks: [...(options.callbacks ?? []), callback] });
  const [taken] = callback.taken;
  if (!taken) throw new Error(`there was no step ${step}`);
  return taken;
}

testOnDevices('a training goes on from any step as if nothing had come between, bit for bit', async (t, device) => {
  // In the middle of an epoch, behind its last step, and behind the last one of all.
  const all = device.info.kind === 'cpu' ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [2, 3, 9];
  const callback = taking(all);
  const whole = await train({ device, callbacks: [callback] });
  for (const [i, resume] of (await Promise.all(callback.taken)).entries()) {
    t.equal(resume.step, all[i]);
    t.ok(isDeepStrictEqual(await train({ device, resume }), whole), `from step ${all[i]}`);
  }
});

testOnDevices('mixed precision goes on with its loss scale, also where steps are left out', async (t, device) => {
  // Of the first steps some are left out, because gradients are not finite.
  const mixed = () => ({ dtypePolicy: mixedFloat16({ initial: 2 ** 24, interval: 2 }), epochs: 2, device });
  const callback = taking([2, 4]);
  const whole = await train({ ...mixed(), callbacks: [callback] });
  for (const resume of await Promise.all(callback.taken)) {
    t.ok(isDeepStrictEqual(await train({ ...mixed(), resume }), whole), `from step ${resume.step}`);
  }
});

test('weights of examples go on as well, and other ones are refused', async (t) => {
  const weights = Float32Array.from({ length: 20 }, (_, row) => 1 + (row % 3));
  const trained = async (own: Float32Array, options: Partial<FitOptions>) => {
    const { seconds, ...numbers } = await fit(new Net(), { ...data, weights: own }, { ...usual(), ...options });
    return [seconds.length, numbers];
  };
  const callback = taking([2]);
  const whole = await trained(weights, { callbacks: [callback] });
  const [resume] = await Promise.all(callback.taken);
  t.ok(isDeepStrictEqual(await trained(weights, { resume }), whole));
  const others = weights.map((weight) => weight + 1);
  await rejects(t, trained(others, { resume }), OptionError, 'the training data hold other numbers');
});

test('what is resumed can be resumed again, and with more epochs than before', async (t) => {
  const whole = await train({ epochs: 5 });
  const first = await checkpointAt(2, { epochs: 2 });
  const second = await checkpointAt(7, { epochs: 3, resume: first });
  t.ok(isDeepStrictEqual(await train({ epochs: 5, resume: second }), whole));
});

test('a model and an optimizer that were used go on from a checkpoint as new ones do', async (t) => {
  const whole = await train({});
  const resume = await checkpointAt(4);
  const [model, optimizer] = [new Net(), adam()];
  await train({ optimizer, resume }, model);
  t.ok(isDeepStrictEqual(await train({ optimizer, resume }, model), whole));
});

test('there is nothing to do where a training had ended: its history is there, and its weights', async (t) => {
  const whole = await train({});
  const resume = await checkpointAt(9);
  const events: string[] = [];
  const counting: Callback = {
    onTrainBegin: ({ step, results }) => void events.push(`begin ${step} ${results.length}`),
    onStepEnd: () => void events.push('step'),
    onTrainEnd: ({ step, results }) => void events.push(`end ${step} ${results.length}`),
  };
  // Its last step was taken, and what the last epoch came to was not read.
  t.ok(isDeepStrictEqual(await train({ resume, callbacks: [counting] }), whole));
  t.deepEqual(events, ['begin 9 2', 'end 9 3']);
  const ended = taking([]);
  const atEnd: Callback = { savesState: true, onTrainEnd: (run) => void ended.taken.push(trainingCheckpointOf(run)) };
  await train({ callbacks: [atEnd] });
  const [last] = await Promise.all(ended.taken);
  if (!last) throw new Error('nothing was taken');
  for (const epochs of [3, 2, 0]) {
    events.length = 0;
    t.ok(isDeepStrictEqual(await train({ epochs, resume: last, callbacks: [counting] }), whole), `of ${epochs} epochs`);
    t.deepEqual(events, ['begin 9 3', 'end 9 3']);
  }
});

test('seconds of an epoch in two parts are those of both', async (t) => {
  const [waiting, callback] = [{ onStepEnd: () => new Promise<void>((done) => setTimeout(done, 30)) }, taking([2])];
  await train({ epochs: 1, callbacks: [waiting, callback] });
  const [taken] = await Promise.all(callback.taken);
  if (!taken) throw new Error('nothing was taken');
  const { seconds } = await fit(new Net(), data, { ...usual(), epochs: 1, resume: taken });
  t.ok((seconds[0] ?? 0) > 0.055, `${seconds[0]} s`);
});

test('callbacks go on from their states, each from its own', async (t) => {
  const counter = (name: string, log: unknown[]): Callback => {
    let epochs: number[] = [];
    return {
      name,
      onTrainBegin: () => {
        epochs = [];
      },
      onEpochEnd: ({ epoch }) => {
        epochs.push(epoch);
        log.push([...epochs]);
      },
      state: () => ({ epochs: [...epochs], best: Float32Array.from(epochs) }),
      restore: (_run, state) => {
        log.push(state);
        if (Array.isArray(state['epochs'])) epochs = state['epochs'].map(Number);
      },
    };
  };
  const logs: unknown[][] = [[], [], []];
  const named = (): Callback[] => [
    counter('a', logs[0] ?? []),
    counter('b', logs[1] ?? []),
    counter('a', logs[2] ?? []),
  ];
  const resume = await checkpointAt(4, { callbacks: named() });
  for (const log of logs) log.length = 0;
  await train({ resume, callbacks: [{ onStepEnd: () => undefined }, ...named()] });
  const state = { epochs: [1], best: Float32Array.of(1) };
  for (const log of logs) t.deepEqual(log, [state, [1, 2], [1, 2, 3]]);
  await rejects(t, train({ resume, callbacks: named().slice(0, 2) }), OptionError, 'the callback a#2 is missing');
  await rejects(t, train({ callbacks: [{ state: () => ({}) }] }), OptionError, 'callbacks[0]', 'name');
});

test('early stopping and reduction on a plateau go on, and what had stopped stays so', async (t) => {
  // The rate is too high to be of use: the validation loss is best in the second epoch of many.
  const options = () => ({ ...usual(), epochs: 12, optimizer: new Adam({ learningRate: 0.3 }) });
  const trained = async (resume?: TrainingCheckpoint, more: Callback[] = []) => {
    const own = options();
    const watching = [reduceOnPlateau({ patience: 1, factor: 0.5 }), earlyStopping({ patience: 3 })];
    const model = new Net();
    const { seconds, ...numbers } = await fit(model, data, { ...own, resume, callbacks: [...more, ...watching] });
    return { numbers, epochs: seconds.length, state: await stateOf(model), optimizer: await own.optimizer.state() };
  };
  const callback = taking([2, 4, 6, 7, 9, 11, 12]);
  const ending: Callback = {
    savesState: true,
    onTrainEnd: (run) => void callback.taken.push(trainingCheckpointOf(run)),
  };
  const whole = await trained(undefined, [callback, ending]);
  t.ok(whole.epochs > 3 && whole.epochs < 12, `stopped after ${whole.epochs} epochs`);
  t.ok(whole.optimizer.has('learning_rate_factor'), 'the rates were reduced');
  for (const resume of await Promise.all(callback.taken)) {
    const through = decodeTrainingCheckpoint(resume.encode());
    t.ok(isDeepStrictEqual(await trained(through), whole), `from step ${resume.step}`);
  }
});

test('what saves the state is called behind the others, and at the end ahead of them', async (t) => {
  const events: string[] = [];
  const noting = (name: string, savesState: boolean): Callback => ({
    savesState,
    onTrainBegin: () => void events.push(`begin ${name}`),
    onEpochEnd: () => void events.push(`epoch ${name}`),
    onTrainEnd: () => void events.push(`end ${name}`),
  });
  await train({ epochs: 1, callbacks: [noting('saver', true), noting('other', false)] });
  t.deepEqual(events, ['begin other', 'begin saver', 'epoch other', 'epoch saver', 'end saver', 'end other']);
});

test('a training that is another one is refused, naming all in which it differs, and nothing is changed', async (t) => {
  const resume = await checkpointAt(4);
  const refused = async (options: Parameters<typeof train>[0], ...patterns: (string | RegExp)[]): Promise<void> => {
    await rejects(t, train({ resume, ...options }), OptionError, 'cannot go on', ...patterns);
  };
  await refused({ batchSize: 4, seed: 4 }, 'batchSize is 4, and was 8', 'seed is 4, and was 3');
  await refused({ shuffle: false }, 'shuffle is false, and was true');
  await refused({ validation: clouds(10, 6, 2) }, 'the validation data: examples is 10, and was 9');
  await refused({ validation: clouds(9, 6, 5) }, /: the validation data hold other numbers$/);
  await refused({ optimizer: new Adam({ learningRate: 0.05 }) }, 'the learning rate of step 1 is 0.05, and was 0.04');
  const ofBeta1 = (beta1: Momentum) => ({ optimizer: new Adam({ learningRate: usualRate, beta1 }) });
  await refused(ofBeta1(0.8), /: the momentum of step 1 is 0.8, and was 0.82/);
  await refused(
    ofBeta1((step) => usualBeta1(step) - (step === 4 ? 0.125 : 0)),
    'the momentum of step 4 is 0.755',
  );
  const otherBeta2 = new Adam({ learningRate: usualRate, beta1: usualBeta1, beta2: 0.8 });
  await refused({ optimizer: otherBeta2 }, 'adamUpdate', '0.8', '0.999');
  await refused({ optimizer: new SGD({ learningRate: usualRate }) }, 'sgdUpdate', 'adamUpdate');
  await refused(
    { loss: (output, target) => multiply(softmaxCrossEntropy(output, target), 2) },
    'a step computes',
    ':2',
  );
  const other = async (model: Module, ...patterns: string[]): Promise<void> => {
    model.build([6], { seed: 3 });
    const before = await stateOf(model);
    await rejects(t, train({ resume }, model), OptionError, 'cannot go on', ...patterns);
    t.deepEqual(await stateOf(model), before);
  };
  await other(
    new Sequential({ fc1: new Dense(9), fc2: new Dense(2) }),
    'fc1.weight is f32 [9, 6], and was f32 [8, 6]',
    'norm.weight is missing',
  );
  const tame = new Net();
  Reflect.set(tame, 'drop', new Dropout(0.25));
  await other(tame, '0.25', '0.5');
  await other(new Net().freeze('fc1'), 'fc1.weight is f32 [8, 6], frozen, and was f32 [8, 6]');
  const own = new Net();
  Reflect.set(own, 'noise', new Generator(12));
  await other(own, 'noise is 12, and was 11');
  const { inputs, labels } = data;
  const fitted = (changed: Partial<typeof data>) => fit(new Net(), { ...data, ...changed }, { ...usual(), resume });
  const moved = inputs.slice();
  moved[7] = 0.5;
  await rejects(t, fitted({ inputs: moved }), OptionError, /: the training data hold other numbers$/);
  await rejects(t, fitted({ labels: labels.map((label) => 1 - label) }), OptionError, 'the training data hold other');
  await rejects(t, fitted({ classNames: ['a', 'b'] }), OptionError, 'classes is a, b, and was up, down');
});

test('a step that changes what no checkpoint can hold is named when one is taken', async (t) => {
  const outside = new Variable('steps', Float32Array.of(0));
  const counting = (output: Tensor, target: Tensor): Tensor => {
    outside.assign(add(outside.value, 1));
    return softmaxCrossEntropy(output, target);
  };
  await rejects(t, checkpointAt(1, { loss: counting }), OptionError, 'changes steps', 'a field of a module');
  const noise = new Generator(1);
  const noisy = (output: Tensor, target: Tensor): Tensor =>
    softmaxCrossEntropy(add(output, randomNormal(output.shape, noise)), target);
  await rejects(t, checkpointAt(1, { loss: noisy }), OptionError, 'changes generator');
});

test('no checkpoint is taken of a training whose loss or weights are not finite', async (t) => {
  const callback = taking([3]);
  const options = { ...usual(), optimizer: new SGD({ learningRate: 1e30 }), callbacks: [callback] };
  await rejects(t, fit(new Net(), data, options), TrainingError);
  await rejects(t, Promise.all(callback.taken), TrainingError, 'not finite');
  const broken: Callback = {
    onStepEnd: ({ model }) => {
      model.parameters()[0]?.set(new Float32Array(48).fill(NaN));
    },
  };
  const atOnce = taking([2]);
  const training = fit(new Net(), data, { ...usual(), callbacks: [{ ...broken, everySteps: 2 }, atOnce] });
  await rejects(t, training, TrainingError);
  await rejects(t, Promise.all(atOnce.taken), TrainingError, 'fc1.weight is not finite after step 2');
});

test('another device may go on, and a lost one is replaced', async (t) => {
  const lost = await openWebGpu();
  const [model, optimizer] = [new Net(), adam()];
  const callback = taking([4]);
  const losing: Callback = {
    onStepEnd: async ({ step }) => {
      if (step !== 5) return;
      await Promise.all(callback.taken); // what is read of a device must come before it is lost
      lost.gpu.destroy();
    },
  };
  const training = train({ device: lost, optimizer, callbacks: [callback, losing] }, model);
  await rejects(t, training, DeviceLostError);
  const [resume] = await Promise.all(callback.taken);
  if (!resume) throw new Error('nothing was taken');
  t.deepEqual(resume.device, { kind: 'webgpu', description: lost.info.description });
  const device = await openWebGpu();
  const whole = await train({ device });
  t.ok(
    isDeepStrictEqual(await train({ device, optimizer, resume }, model), whole),
    'model and optimizer are the same objects',
  );
  const onCpu = await train({ resume });
  t.deepEqual(Object.keys(onCpu.history as object), Object.keys(whole.history as object));
  device.dispose();
});

test('what is no training checkpoint is refused, saying what it is', async (t) => {
  const { tensors, metadata } = decodeSafetensors((await checkpointAt(1)).encode());
  const refused = (meta: Record<string, string> | undefined, ...patterns: string[]): void => {
    const file = encodeSafetensors(tensors, meta);
    refuses(t, () => decodeTrainingCheckpoint(file, 'runs/x'), DataError, 'runs/x', ...patterns);
  };
  refused(undefined, 'no training checkpoint', 'loadState');
  refused({ ...metadata, version: '7' }, 'version "7"', 'reads 2');
  refused({ ...metadata, contents: '{' }, 'no JSON');
  refused({ ...metadata, contents: '{"step":1}' }, 'not that of a training checkpoint');
  refuses(t, () => decodeTrainingCheckpoint(new Uint8Array(3)), DataError, 'the training checkpoint');
  const resume: unknown = { step: 1 };
  const training = fit(new Net(), data, { ...usual(), resume: resume as TrainingCheckpoint });
  await rejects(t, training, OptionError, 'resume must be a training checkpoint');
});

test('the weights of a checkpoint load into a model, and its state into an optimizer', async (t) => {
  const taken = await checkpointAt(9);
  const [model, optimizer] = [new Net().build([6]), adam()];
  loadState(model, taken.model);
  optimizer.loadState(model.parameters(), taken.optimizer);
  const whole = await train({});
  t.deepEqual(await stateOf(model), whole.state);
  t.deepEqual(await optimizer.state(), whole.optimizer);
});
