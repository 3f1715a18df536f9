import test from 'tape';
import {
  Adam,
  augmentation,
  batchIndices,
  type Callback,
  compile,
  DataError,
  DataLoader,
  type DataLoaderOptions,
  Dense,
  type Device,
  Dropout,
  evaluate,
  findLearningRate,
  fit,
  Flatten,
  type FitOptions,
  type LabelledData,
  type LearningRate,
  meanSquaredError,
  predict,
  ReLU,
  Sequential,
  SGD,
  type StreamedLabelledData,
  type StreamedTargetData,
  type TargetData,
  TraceError,
  type TrainingCheckpoint,
  trainingCheckpointOf,
} from '../../lib/index.js';
import { RandomStream } from '../../lib/random.js';
import { differs } from '../support/close.js';
import { rejects } from '../support/errors.js';
import { simd, testOnDevices } from '../support/devices.js';
import { weightsOf } from '../train/examples.js';

const COLUMNS = 6;

/** Bytes in three classes. */
function bytes(count: number, seed = 1): LabelledData {
  const words = new RandomStream(seed, 'bytes').bits(count * COLUMNS);
  return {
    inputs: Uint8Array.from(words, (word) => word & 0xff),
    inputShape: [COLUMNS],
    scale: 1 / 255,
    labels: Int32Array.from({ length: count }, (_, row) => row % 3),
    classNames: ['a', 'b', 'c'],
    files: Array.from({ length: count }, (_, row) => `${row}.png`),
  };
}

/** The same, read row by row, each after a pause of another length. */
function streamed(data: LabelledData, change: Partial<StreamedLabelledData> = {}): StreamedLabelledData {
  const { inputs, ...rest } = data;
  const read = async (row: number): Promise<Float32Array | Uint8Array> => {
    await new Promise((resume) => setTimeout(resume, (row * 7) % 3));
    return inputs.slice(row * COLUMNS, (row + 1) * COLUMNS);
  };
  return { ...rest, dtype: inputs instanceof Uint8Array ? 'u8' : 'f32', read, ...change };
}

async function train(data: LabelledData | StreamedLabelledData, options: Partial<FitOptions> = {}) {
  const model = new Sequential([new Dense(5), new ReLU(), new Dropout(0.5), new Dense(3)]);
  const optimizer = new SGD({ learningRate: 0.1, momentum: 0.9 });
  const history = await fit(model, data, { epochs: 3, batchSize: 8, seed: 3, optimizer, ...options });
  return { model, numbers: [{ ...history, seconds: [] }, await weightsOf(model)] };
}

/** All numbers in a value, in their order. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

/** Compares bit for bit; on a GPU within 1e-5, where compilers may fuse the multiplications and additions of another plan otherwise. */
function same(t: test.Test, device: Device, own: unknown, expected: unknown, message: string): void {
  if (device.info.kind === 'cpu') {
    t.deepEqual(own, expected, message);
    return;
  }
  const [numbers, others] = [Float32Array.from(numbersIn(own)), Float32Array.from(numbersIn(expected))];
  t.ok(numbers.length > 0, message);
  t.equal(differs(numbers, others, { absolute: 1e-5, relative: 1e-5 }), undefined, message);
}

testOnDevices('training on streamed data is, bit for bit on a CPU, training on data in memory', async (t, device) => {
  for (const count of [20, 5]) {
    const [data, validation] = [bytes(count), bytes(7, 2)];
    const inMemory = await train(data, { device, validation });
    const onStream = await train(streamed(data), { device, validation: streamed(validation) });
    same(t, device, onStream.numbers, inMemory.numbers, `${count} rows in batches of 8`);
  }
  const { inputs, scale = 1, ...rest } = bytes(20);
  const floats = { ...rest, inputs: Float32Array.from(inputs, (byte) => byte * scale) };
  const [own, expected] = [await train(streamed(floats), { device }), await train(floats, { device })];
  same(t, device, own.numbers, expected.numbers, 'floats');
});

testOnDevices('streamed pictures are augmented, bit for bit on a CPU, as pictures in memory', async (t, device) => {
  const shape = [6, 7, 3];
  const words = new RandomStream(2, 'pictures').bits(20 * 126);
  const data = { ...bytes(20), inputs: Uint8Array.from(words, (word) => word & 0xff), inputShape: shape };
  const read = (row: number): Promise<Uint8Array> => Promise.resolve(data.inputs.slice(row * 126, (row + 1) * 126));
  const augment = augmentation({
    ...{ horizontalFlip: 0.5, rotation: 20, contrast: 0.3, brightness: 0.2, size: { width: 5, height: 5 } },
    ...{ cutOut: { size: 2 }, noise: { share: 0.1 } },
  });
  const trained = async (own: LabelledData | StreamedLabelledData): Promise<unknown> => {
    const model = new Sequential([new Flatten(), new Dense(3)]);
    const optimizer = new SGD({ learningRate: 0.1 });
    const options = { epochs: 2, batchSize: 8, seed: 3, optimizer, device, augment, validation: own };
    const history = await fit(model, own, options);
    return [{ ...history, seconds: [] }, await weightsOf(model)];
  };
  same(t, device, await trained(streamed(data, { read })), await trained(data), 'history and weights');
  const mixing = { augment: augmentation({ mixup: 0.2 }), device };
  await rejects(t, train(streamed(data, { read }), mixing), DataError, 'mixup', 'streamed');
});

testOnDevices('streamed data are evaluated and predicted as data in memory', async (t, device) => {
  const data = bytes(20);
  const { model } = await train(data, { device });
  for (const batchSize of [8, 20, 256]) {
    const [onStream, inMemory] = [
      await evaluate(model, streamed(data), { device, batchSize }),
      await evaluate(model, data, { device, batchSize }),
    ];
    same(t, device, onStream, inMemory, `evaluated in batches of ${batchSize}`);
    const [own, other] = [
      await predict(model, streamed(data), { device, batchSize }),
      await predict(model, data, { device, batchSize }),
    ];
    t.deepEqual(own.shape, other.shape);
    same(t, device, await own.data(), await other.data(), `predicted in batches of ${batchSize}`);
  }
});

test('a learning rate is looked for on streamed data as on data in memory', async (t) => {
  for (const count of [20, 5]) {
    const data = bytes(count);
    const found = async (own: LabelledData | StreamedLabelledData) => {
      const model = new Sequential([new Dense(5), new ReLU(), new Dropout(0.5), new Dense(3)]);
      const optimizer = (learningRate: LearningRate) => new Adam({ learningRate });
      const curve = await findLearningRate(model, own, { optimizer, steps: 15, batchSize: 8, device: simd });
      return [curve, await weightsOf(model)];
    };
    t.deepEqual(await found(streamed(data)), await found(data), `${count} rows`);
  }
});

test('numbers are fitted to streamed inputs as to inputs in memory', async (t) => {
  const { inputs, inputShape, scale = 1, files = [] } = bytes(20);
  const targets = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i));
  const weights = Float32Array.from({ length: 20 }, (_, row) => 1 + (row % 3));
  const data: TargetData = { inputs, inputShape, scale, files, weights, targets, targetShape: [2] };
  const read = (row: number) => Promise.resolve(inputs.slice(row * COLUMNS, (row + 1) * COLUMNS));
  const stream: StreamedTargetData = {
    ...{ inputShape, scale, files, weights, targets, targetShape: [2] },
    ...{ dtype: 'u8', read },
  };
  const device = simd;
  const fitted = async (own: TargetData | StreamedTargetData, options: { overfit?: number } = {}) => {
    const model = new Sequential([new Dense(5), new ReLU(), new Dense(2)]);
    const optimizer = new SGD({ learningRate: 0.1 });
    const settings = { epochs: 2, batchSize: 8, seed: 3, optimizer, loss: meanSquaredError, device };
    const history = await fit(model, own, {
      ...settings,
      ...(options.overfit === undefined && { validation: own }),
      ...options,
    });
    const found = await evaluate(model, own, { loss: meanSquaredError, device });
    const outputs = await (await predict(model, own, { device })).data();
    return [{ ...history, seconds: [] }, await weightsOf(model), found, outputs];
  };
  t.deepEqual(await fitted(stream), await fitted(data));
  t.deepEqual(await fitted(stream, { overfit: 7 }), await fitted(data, { overfit: 7 }));
  await rejects(t, fitted({ ...stream, targets: [1] } as never), DataError, 'the training data must be inputs');
});

test('callbacks, a pause and a stop are the same on streamed data', async (t) => {
  const steps: number[] = [];
  const pausing: Callback = {
    onStepEnd: (run) => {
      steps.push(run.step);
      if (run.step !== 2) return;
      run.pause();
      setTimeout(() => {
        run.resume();
      }, 5);
    },
  };
  const stopping: Callback = {
    onStepEnd: (run) => {
      if (run.step === 5) run.stop();
    },
  };
  const data = bytes(20);
  const plain = await train(data, { device: simd, callbacks: [stopping] });
  const paused = await train(streamed(data), { device: simd, callbacks: [pausing, stopping] });
  t.deepEqual(paused.numbers, plain.numbers);
  t.deepEqual(steps, [1, 2, 3, 4, 5]);
  const controller = new AbortController();
  const aborting = streamed(data, {
    read: (row) => {
      if (row === 19) controller.abort();
      return Promise.resolve(new Uint8Array(COLUMNS));
    },
  });
  t.equal((await train(aborting, { device: simd, signal: controller.signal })).model.isBuilt, true, 'it ends');
});

test('a training on streamed data goes on from a checkpoint in the middle of an epoch', async (t) => {
  const data = bytes(20);
  const fitted = async (options: Partial<FitOptions>) => {
    const model = new Sequential([new Dense(5), new ReLU(), new Dropout(0.5), new Dense(3)]);
    const optimizer = new Adam({ learningRate: 0.01 });
    await fit(model, streamed(data), { epochs: 2, batchSize: 8, seed: 3, device: simd, optimizer, ...options });
    return weightsOf(model);
  };
  let checkpoint: TrainingCheckpoint | undefined;
  const saving: Callback = {
    onStepEnd: async (run) => {
      if (run.step !== 4) return;
      checkpoint = await trainingCheckpointOf(run);
      run.stop();
    },
  };
  const whole = await fitted({});
  await fitted({ callbacks: [saving] });
  if (!checkpoint) throw new Error('it was saved');
  t.deepEqual(await fitted({ resume: checkpoint }), whole);
});

test('inputs are read in the order of the epochs, and only so many ahead', async (t) => {
  const [order, prefetch] = [[] as number[], 5];
  let [reading, most, used] = [0, 0, 0];
  const data = streamed(bytes(20), {
    prefetch,
    read: async (row) => {
      order.push(row);
      most = Math.max(most, ++reading, order.length - used);
      await new Promise((resume) => setTimeout(resume, row % 3));
      reading--;
      return new Uint8Array(COLUMNS);
    },
  });
  const counting: Callback = {
    onStepEnd: () => {
      used += 4;
    },
  };
  await train(data, { device: simd, batchSize: 4, epochs: 2, seed: 9, callbacks: [counting] });
  const epoch = (number: number): number[] =>
    batchIndices(20, 4, { seed: 9, epoch: number }).flatMap((rows) => [...rows]);
  t.deepEqual(order.slice(0, 40), [...epoch(0), ...epoch(1)]);
  t.equal(order.length, 40 + prefetch);
  t.ok(most <= 4 + prefetch, `${most} at a time`);
});

test('a loader of streamed data begins at any place of any epoch', async (t) => {
  const data = bytes(10);
  const take = async (
    from: LabelledData | StreamedLabelledData,
    options: DataLoaderOptions,
    place: readonly [epoch: number, position?: number],
  ): Promise<number[][]> => {
    const loader = new DataLoader(from, { batchSize: 4, seed: 5, ...options });
    const step = compile(
      () => {
        const { inputs, labels } = loader.next();
        return { inputs, labels };
      },
      { device: simd },
    );
    const batches: number[][] = [];
    await loader.load();
    loader.seek(...place);
    for (let i = 0; i < 4; i++) {
      await loader.load();
      const { inputs, labels } = await step();
      batches.push([...(await inputs.data()), ...(await labels.data())]);
    }
    loader.dispose();
    return batches;
  };
  for (const options of [{}, { shuffle: false }]) {
    for (const place of [[0], [2, 3], [1, 9]] as const) {
      t.deepEqual(await take(streamed(data), options, place), await take(data, options, place), place.join());
    }
  }
});

test('an input that cannot be read ends the training with its reason, and is read anew by the next one', async (t) => {
  let isThere = false;
  const data = bytes(20);
  const { read, ...rest } = streamed(data);
  const vanishing: StreamedLabelledData = {
    ...rest,
    read: (row) => (row === 13 && !isThere ? Promise.reject(new DataError('13.png: gone')) : read(row)),
  };
  await rejects(t, train(vanishing, { device: simd }), DataError, '13.png: gone');
  isThere = true;
  t.deepEqual((await train(vanishing, { device: simd })).numbers, (await train(data, { device: simd })).numbers);
  const loader = new DataLoader({ ...vanishing, labels: data.labels.slice(0, 14) }, { batchSize: 14, shuffle: false });
  isThere = false;
  await rejects(t, loader.load(), DataError, '13.png: gone');
  isThere = true;
  await loader.load();
  t.pass('the same loader goes on where it was');
  loader.dispose();
});

test('what is read and does not fit is refused by name', async (t) => {
  const wrong = (input: Float32Array | Uint8Array, dtype: 'f32' | 'u8' = 'u8') =>
    train(streamed(bytes(9), { dtype, read: () => Promise.resolve(input) }), { device: simd });
  await rejects(
    t,
    wrong(new Uint8Array(5)),
    DataError,
    /input \d \(\d\.png\) was read as 5 numbers; expected \[6\] of u8/,
  );
  await rejects(t, wrong(new Float32Array(6)), DataError, 'expected [6] of u8');
  await rejects(t, wrong(new Float32Array(6).fill(NaN), 'f32'), DataError, 'expected [6] of f32, all finite');
  const none = { ...streamed(bytes(9)), labels: [0, 1] } as never;
  await rejects(t, train(none, { device: simd }), DataError, 'the training data must be inputs');
  await rejects(t, train({ ...streamed(bytes(9)), labels: Int32Array.of(7) }, { device: simd }), DataError, 'label 7');
});

test('a step over streamed data needs its batch', async (t) => {
  const loader = new DataLoader(streamed(bytes(20)), { batchSize: 8 });
  const step = compile(() => loader.next().inputs, { device: simd });
  await rejects(t, step(), TraceError, 'a step takes 8 rows', 'none are loaded: await load() before each step');
  await loader.load();
  await loader.load();
  await step();
  await rejects(t, step(), TraceError, 'none are loaded');
  await loader.load(4);
  await rejects(t, loader.load(), TraceError, 'a batch of 4 was loaded, and not used yet');
  await rejects(t, step(), TraceError, '4 are loaded');
  await rejects(t, step.repeat(2), TraceError, 'are loaded');
  const twice = compile(() => [loader.next().inputs, loader.next().inputs], { device: simd });
  await rejects(t, twice(), TraceError, 'a step takes one batch');
  loader.dispose();
  const inMemory = new DataLoader(bytes(20));
  await inMemory.load();
  t.notOk(inMemory.isStreamed);
  inMemory.dispose();
});
