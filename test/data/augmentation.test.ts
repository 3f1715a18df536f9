import test from 'tape';
import {
  augmentation,
  type Augment,
  type AugmentationOptions,
  compile,
  Conv2d,
  DataError,
  DataLoader,
  Dense,
  type Device,
  evaluate,
  expandAsInArticle,
  fit,
  fromArrays,
  GlobalAveragePool,
  type LabelledData,
  OptionError,
  predict,
  predictViews,
  ReLU,
  Sequential,
  SGD,
  softmax,
  stateOf,
} from '../../lib/index.js';
import { largerShareQuantiles } from '../../lib/data/augmentation/beta-quantiles.js';
import { RandomStream } from '../../lib/random.js';
import { differs } from '../support/close.js';
import { simd, testOnDevices } from '../support/devices.js';
import { webgpu } from '../support/webgpu.js';
import { refuses, rejects } from '../support/errors.js';

/** Within the rounding of places in f32. */
const TOLERANCE = { absolute: 2e-5, relative: 1e-5 };

/** Pictures of a shape, three classes in turn. */
function pictures(count: number, shape: readonly number[]): LabelledData {
  const size = shape.reduce((product, axis) => product * axis, 1);
  const inputs = new RandomStream(3, 'pictures').uniform(count * size);
  return fromArrays(
    inputs,
    Int32Array.from({ length: count }, (_, row) => row % 3),
    { inputShape: shape },
  );
}

/** All of them at once. */
const EVERYTHING: AugmentationOptions = {
  ...{ horizontalFlip: 0.5, verticalFlip: 0.3, rotation: 180, scale: [0.8, 1.25], shift: 0.1 },
  ...{ perspective: { distortion: 0.4 }, contrast: 0.3, brightness: 0.3, channelGain: 0.1, hue: 0.1 },
  ...{ noise: { share: 0.1 }, cutOut: { size: 3 }, size: { width: 9, height: 7 } },
};

interface Order {
  readonly batchSize?: number;
  readonly shuffle?: boolean;
  readonly seed?: number;
  readonly epoch?: number;
}

/** The views of one epoch, those of each row together. */
async function viewsOf(data: LabelledData, augment: Augment, device: Device, order: Order = {}): Promise<Float32Array> {
  const count = data.labels.length;
  // The label of a row is its number, so that batches tell their rows.
  const labels = Int32Array.from({ length: count }, (_, row) => row);
  const numbered = { ...data, labels, classNames: Array.from(labels, String) };
  const { batchSize = count, shuffle = false, seed = 5, epoch = 0 } = order;
  const loader = new DataLoader(numbered, { batchSize, shuffle, seed, epoch, augment });
  let views = new Float32Array(0);
  for (let left = count; left > 0; left -= batchSize) {
    const size = Math.min(batchSize, left);
    const next = compile(
      () => {
        const batch = loader.next(size);
        return { inputs: batch.inputs, rows: batch.labels };
      },
      { device },
    );
    const { inputs, rows } = await next();
    const values = await inputs.data();
    const length = values.length / size;
    if (views.length === 0) views = new Float32Array(length * count);
    (await rows.data()).forEach((row, i) => {
      views.set(values.subarray(i * length, (i + 1) * length), row * length);
    });
    next.dispose();
  }
  loader.dispose();
  return views;
}

/** A grey picture of 4 x 5. */
const GREY = fromArrays(
  Float32Array.from({ length: 20 }, (_, i) => ((i * 7) % 20) / 20),
  [0],
  { inputShape: [4, 5] },
);

testOnDevices('a picture that is turned and enlarged has PyTorch’s values', async (t, device) => {
  // PyTorch 1.13: F.grid_sample of F.affine_grid, align_corners=False, in float64: 30 degrees, 1.25 times as large.
  const turned = { rotation: [30, 30], scale: [1.25, 1.25] } as const;
  const inside = [0.65232, 0.47127, 0.54601, 0.35117, 0.26227, 0.33912, 0.4816, 0.62409, 0.7394].concat([
    0.48829, 0.42447, 0.33768, 0.43586, 0.45337, 0.56647, 0.71271, 0.67088, 0.84973,
  ]);
  for (const [fill, first, last] of [
    [0, 0.28084, 0.2903], // padding_mode='zeros'
    ['edge', 0.42503, 0.43933], // 'border'
  ] as const) {
    const got = await viewsOf(GREY, augmentation({ ...turned, fill }), device);
    t.equal(differs(got, [first, ...inside, last], TOLERANCE), undefined, `fill ${fill}`);
  }
  const squeezed = [0.18611, 0.65833, 0.29722, 0.575, 0.325, 0.575, 0.40833, 0.825, 0.575];
  const got = await viewsOf(GREY, augmentation({ size: { width: 3, height: 3 } }), device);
  t.equal(differs(got, squeezed, TOLERANCE), undefined, 'squeezed to 3 x 3');
});

testOnDevices('contrast and brightness have the values of torchvision’s formulas', async (t, device) => {
  // Contrast 1.5 about the mean of 0.299 R + 0.587 G + 0.114 B, which is 0.47065, times 1.2, clamped.
  const planes = [0.1, 0.9, 0.4, 0.6, 0.3, 0.2, 0.8, 0.5, 0.7, 0.1, 0.2, 1];
  const expected = [0, 0.25761, 0.97761, 1, 0.07761, 0, 0.43761, 1, 0.07761, 0.79761, 0.61761, 1];
  const turnedToLast = (values: readonly number[]): number[] =>
    [0, 1, 2, 3].flatMap((i) => [0, 1, 2].map((c) => values[4 * c + i] ?? NaN));
  const augment = augmentation({ contrast: [1.5, 1.5], brightness: [1.2, 1.2], layout: 'channels-last' });
  const last = fromArrays(Float32Array.from(turnedToLast(planes)), [0], { inputShape: [2, 2, 3] });
  t.equal(differs(await viewsOf(last, augment, device), expected, TOLERANCE), undefined);
});

testOnDevices('hue by a third of a turn makes green of red, and leaves grey as it is', async (t, device) => {
  const colours = fromArrays(Float32Array.of(1, 0, 0, 0.5, 0.5, 0.5), [0], { inputShape: [1, 2, 3] });
  const got = await viewsOf(colours, augmentation({ hue: [1 / 3, 1 / 3], layout: 'channels-last' }), device);
  // W3C's hueRotate by 120 degrees: red becomes -0.365, 0.443, -0.362.
  const green = 0.213 + 0.5 * 0.213 + (Math.sqrt(3) / 2) * 0.143;
  t.equal(differs(got, [0, green, 0, 0.5, 0.5, 0.5], TOLERANCE), undefined);
});

testOnDevices('views do not depend on batches and order', async (t, device) => {
  const data = pictures(11, [8, 10, 3]);
  const augment = augmentation(EVERYTHING);
  const all = await viewsOf(data, augment, device);
  t.equal(all.length, 11 * 7 * 9 * 3);
  const orders: readonly Order[] = [{ batchSize: 4 }, { batchSize: 3, shuffle: true }, { batchSize: 1 }];
  for (const order of orders) t.deepEqual(await viewsOf(data, augment, device, order), all, JSON.stringify(order));
  t.notDeepEqual(await viewsOf(data, augment, device, { seed: 6 }), all, 'another seed');
  t.notDeepEqual(await viewsOf(data, augment, device, { epoch: 1 }), all, 'another epoch');
});

test('the devices draw the same views', async (t) => {
  const data = pictures(9, [8, 10, 3]);
  for (const options of [EVERYTHING, { horizontalFlip: 0.5, crop: { padding: 2 }, fill: 0.5 }] as const) {
    const [ours, theirs] = await Promise.all(
      [simd, await webgpu()].map((device) => viewsOf(data, augmentation(options), device)),
    );
    t.equal(differs(theirs ?? new Float32Array(0), ours ?? [], { absolute: 1e-4, relative: 1e-4 }), undefined);
  }
});

testOnDevices('bytes, and channels in front, are seen as other pictures are', async (t, device) => {
  const bytes = Uint8Array.from({ length: 3 * 6 * 5 * 3 }, (_, i) => (i * 89) % 256);
  const options = { ...EVERYTHING, size: { width: 5, height: 6 } };
  const shape = { inputShape: [6, 5, 3] };
  const ofBytes = fromArrays(bytes, [0, 1, 2], { ...shape, scale: 1 / 255 });
  const ofFloats = fromArrays(
    Float32Array.from(bytes, (byte) => byte / 255),
    [0, 1, 2],
    shape,
  );
  const floats = await viewsOf(ofFloats, augmentation(options), device);
  t.equal(differs(await viewsOf(ofBytes, augmentation(options), device), floats, TOLERANCE), undefined, 'bytes');
  const inFront = (values: Float32Array): Float32Array =>
    values.map((_, i) => values[90 * Math.floor(i / 90) + 3 * (i % 30) + (Math.floor(i / 30) % 3)] ?? NaN);
  const planes = fromArrays(inFront(ofFloats.inputs as Float32Array), [0, 1, 2], { inputShape: [3, 6, 5] });
  t.deepEqual(await viewsOf(planes, augmentation(options), device), inFront(floats), 'channels in front');
});

testOnDevices('windows and flips are the pixels themselves', async (t, device) => {
  const data = pictures(40, [5, 7]);
  const augment = augmentation({ crop: { padding: 1 }, size: { width: 4, height: 3 }, fill: 0, horizontalFlip: 0.5 });
  const views = await viewsOf(data, augment, device);
  const found = new Set<string>();
  for (let row = 0; row < 40; row++) {
    const at = (y: number, x: number): number =>
      y < 0 || y >= 5 || x < 0 || x >= 7 ? 0 : (data.inputs[row * 35 + y * 7 + x] ?? NaN);
    const view = Array.from(views.subarray(row * 12, row * 12 + 12));
    for (let top = -1; top <= 3; top++) {
      for (let left = -1; left <= 4; left++) {
        for (const mirrored of [false, true]) {
          const own = view.map((_, i) => at(top + Math.floor(i / 4), left + (mirrored ? 3 - (i % 4) : i % 4)));
          if (own.every((value, i) => value === view[i])) found.add(`${row}: ${top} ${left} ${mirrored}`);
        }
      }
    }
  }
  t.equal(found.size, 40, 'each view is one window');
  t.ok(new Set([...found].map((text) => text.split(': ')[1])).size > 15, 'and they are in many places');
});

testOnDevices('noise and the square that is cut out have their sizes', async (t, device) => {
  const grey = fromArrays(new Float32Array(30 * 20 * 20).fill(0.5), new Int32Array(30), { inputShape: [20, 20] });
  const noisy = await viewsOf(grey, augmentation({ noise: { share: 0.1, probability: 0.5 } }), device);
  const changed = Array.from({ length: 30 }, (_, row) => noisy.subarray(row * 400, row * 400 + 400)).map(
    (view) => view.filter((value) => value !== 0.5).length,
  );
  const touched = changed.filter((count) => count > 0);
  t.ok(touched.length > 5 && touched.length < 25, `${touched.length} of 30 have noise`);
  t.ok(
    touched.every((count) => count > 10 && count < 80),
    `of 400 pixels ${touched.join(', ')}`,
  );
  t.deepEqual([...new Set(noisy)].sort(), [0, 0.5, 1]);
  const cut = await viewsOf(grey, augmentation({ cutOut: { size: 6, probability: 1, fill: 0 } }), device);
  for (let row = 0; row < 30; row++)
    t.equal(cut.subarray(row * 400, row * 400 + 400).filter((v) => v === 0).length, 36);
});

testOnDevices('perspective moves each corner inward, by no more than was said', async (t, device) => {
  const white = fromArrays(new Float32Array(20 * 32 * 32).fill(1), new Int32Array(20), { inputShape: [32, 32] });
  const views = await viewsOf(
    white,
    augmentation({ perspective: { distortion: 0.5, probability: 1 }, fill: 0 }),
    device,
  );
  for (let row = 0; row < 20; row++) {
    const at = (y: number, x: number): number => views[row * 1024 + y * 32 + x] ?? NaN;
    t.ok(Math.min(at(15, 15), at(9, 9), at(22, 22)) > 0.999, 'the middle is in the picture');
    t.ok(at(0, 0) + at(0, 31) + at(31, 0) + at(31, 31) < 4, 'the corners are not all of them');
  }
});

testOnDevices('mixtures are of two examples, mainly of their own', async (t, device) => {
  const data = fromArrays(
    Float32Array.of(1, 2, 4).map((value) => value / 4),
    [0, 1, 2],
    { inputShape: [1, 1] },
  );
  const loader = new DataLoader(data, { batchSize: 3, shuffle: false, augment: augmentation({ mixup: 0.4 }) });
  const step = compile(
    () => {
      const { inputs, labels, probabilities } = loader.next();
      if (!probabilities) throw new Error('there are no probabilities');
      return { inputs, labels, probabilities };
    },
    { device },
  );
  let mixed = 0;
  for (let i = 0; i < 20; i++) {
    const { inputs, labels, probabilities } = await step();
    const [pixels, shares] = [await inputs.data(), await probabilities.data()];
    t.deepEqual([...(await labels.data())], [0, 1, 2]);
    for (let row = 0; row < 3; row++) {
      const own = Array.from(shares.subarray(3 * row, 3 * row + 3));
      t.ok(Math.abs(own.reduce((sum, share) => sum + share, 0) - 1) < 1e-6 && (own[row] ?? 0) >= 0.5 - 1e-6);
      const expected = own.reduce((sum, share, i) => sum + share * (data.inputs[i] ?? NaN), 0);
      t.ok(Math.abs((pixels[row] ?? NaN) - expected) < 1e-6, 'the picture is mixed as its classes are');
      mixed += Number((own[row] ?? 1) < 1);
    }
  }
  t.ok(mixed > 30, `${mixed} of 60 are mixtures`);
  step.dispose();
});

test('the larger share of a mixture has the quantiles of its distribution', (t) => {
  // Beta(1, 1) is uniform: the larger share is uniform from 1/2 to 1. Of Beta(2, 2), 6x(1 - x), its median solves 3x² - 2x³ = 3/4.
  t.equal(differs(largerShareQuantiles(1, 5), [0.5, 0.625, 0.75, 0.875, 1], TOLERANCE), undefined);
  t.ok(Math.abs((largerShareQuantiles(2, 3)[1] ?? NaN) - 0.6736482) < 1e-5);
  const narrow = largerShareQuantiles(0.2, 101);
  t.ok(
    narrow.every((share, i) => share >= (narrow[i - 1] ?? 0.5) - 1e-6 && share <= 1),
    'they rise',
  );
  t.end();
});

function smallNet(): Sequential {
  return new Sequential([new Conv2d(4, 3), new ReLU(), new GlobalAveragePool(), new Dense(3)]);
}

testOnDevices('an epoch and one more are two, and views may have another size than the pictures', async (t, device) => {
  const data = pictures(10, [9, 12, 3]);
  const validation = pictures(4, [9, 12, 3]);
  const augment = augmentation({ ...EVERYTHING, mixup: 0.3, size: { width: 6, height: 6 } });
  const trained = async (parts: readonly number[]): Promise<unknown> => {
    const [model, optimizer] = [smallNet(), new SGD({ learningRate: 0.1, momentum: 0.9 })];
    for (const epochs of parts) {
      await fit(model, data, { epochs, optimizer, batchSize: 4, augment, validation, seed: 2, device });
    }
    return [...(await stateOf(model)).values()].map((entry) => entry.data);
  };
  t.deepEqual(await trained([1, 1]), await trained([2]));
  const model = smallNet();
  const optimizer = new SGD({ learningRate: 0.1 });
  const { validationLoss } = await fit(model, data, { epochs: 1, optimizer, augment, validation, device });
  t.deepEqual(model.inputShape, [6, 6, 3]);
  const { loss } = await evaluate(model, validation, { augment, device });
  t.equal(validationLoss[0], loss, 'what fit validates is what evaluate sees: nothing is drawn');
});

testOnDevices(
  'predictViews means over eight views, and a quarter turn of the picture changes nothing',
  async (t, device) => {
    const data = pictures(5, [6, 6, 3]);
    const model = smallNet().build([6, 6, 3], { seed: 4 });
    const one = await softmax(await predict(model, data, { device })).data();
    const alone = await (await predictViews(model, data, { views: 1, device })).data();
    t.equal(differs(alone, Array.from(one), TOLERANCE), undefined, 'one view is the picture');
    const eight = await (await predictViews(model, data, { batchSize: 2, device })).data();
    t.ok(differs(eight, Array.from(one), TOLERANCE) !== undefined, 'eight are not');
    const turned = data.inputs.map((_, i) => {
      const [pixel, c] = [Math.floor((i % 108) / 3), i % 3];
      const [y, x] = [Math.floor(pixel / 6), pixel % 6];
      return data.inputs[108 * Math.floor(i / 108) + 3 * (6 * x + (5 - y)) + c] ?? NaN;
    });
    const ofTurned = await (await predictViews(model, { ...data, inputs: turned }, { device })).data();
    t.equal(differs(ofTurned, Array.from(eight), TOLERANCE), undefined);
  },
);

test('expandAsInArticle makes 48 of one', async (t) => {
  const data = fromArrays(
    Uint8Array.from({ length: 2 * 48 }, (_, i) => (i * 5) % 200),
    [0, 1],
    {
      ...{ inputShape: [3, 4, 4], scale: 1 / 255 },
    },
  );
  const layout = { layout: 'channels-first', device: simd } as const;
  const expanded = await expandAsInArticle(data, { ...layout, seed: 1 });
  t.equal(expanded.labels.length, 96);
  t.deepEqual(Array.from(expanded.labels.subarray(0, 4)), [0, 1, 0, 1]);
  t.deepEqual(expanded.inputs.subarray(0, 96), data.inputs, 'the first ones are those that there were');
  const own = Array.from({ length: 48 }, (_, way) => expanded.inputs.subarray(96 * way, 96 * way + 96));
  t.ok(new Set(own.map((way) => way.join())).size > 40, 'they differ');
  const isTimes = (way: ArrayLike<number>, factor: number): boolean =>
    Array.from(data.inputs).every((byte, i) => Math.abs((way[i] ?? NaN) - Math.min(255, factor * byte)) <= 0.51);
  for (const factor of [1.3, 0.7])
    t.equal(own.filter((way) => isTimes(way, factor)).length, 1, `one is ${factor} times as bright`);
  t.deepEqual((await expandAsInArticle(data, { ...layout, seed: 1 })).inputs, expanded.inputs, 'the same of a seed');
  t.notDeepEqual((await expandAsInArticle(data, { ...layout, seed: 2 })).inputs, expanded.inputs);
});

test('what cannot be augmented is refused', async (t) => {
  const refused: readonly (readonly [AugmentationOptions, string])[] = [
    [{ horizontalFlip: 2 }, 'augmentation: horizontalFlip must be a number of 0 or more and of 1 or less, found 2'],
    [{ rotation: [30, 10] }, 'rotation must be a number of degrees, or a list of two of them, from … to'],
    [{ scale: [0, 1] }, 'scale must be a list of two numbers above 0'],
    [{ perspective: { distortion: 1 } }, 'augmentation, perspective: distortion must be'],
    [{ mixup: 0 }, 'mixup must be a number above 0'],
    [{ hue: 0.7 }, 'hue must be'],
    [{ fill: 2 }, "fill must be 'mean', 'edge' or a number"],
  ];
  for (const [options, text] of refused) refuses(t, () => augmentation(options), OptionError, text);
  const misspelt: Readonly<Record<string, number>> = { horizontalFlop: 1 };
  refuses(t, () => augmentation(misspelt), OptionError, "unknown option 'horizontalFlop'", 'horizontalFlip');

  const grey = pictures(2, [6, 7]);
  const loading = (data: LabelledData, options: AugmentationOptions) => () =>
    new DataLoader(data, { augment: augmentation(options) });
  refuses(t, loading(pictures(2, [12]), {}), DataError, 'augmentation takes pictures', 'found [12]');
  refuses(t, loading(pictures(2, [3, 5, 3]), {}), DataError, 'where the channels of [3, 5, 3] are is not plain');
  refuses(t, loading(grey, { hue: 0.1 }), DataError, 'have 1 channels, and hue is of red, green and blue');
  refuses(t, loading(grey, { cutOut: { size: 7 } }), DataError, 'no square of 7 can be cut out');
  const large = { crop: { padding: 1 }, size: { width: 10, height: 8 } };
  refuses(t, loading(grey, large), DataError, 'with 1 pixels around have no window of 8 × 10');
  const bright = fromArrays(Float32Array.of(0, 255, 3, 4), [0], { inputShape: [2, 2] });
  refuses(t, loading(bright, { brightness: 0.1 }), DataError, 'picture 0 has 255', 'normalization');
  t.doesNotThrow(loading(bright, { horizontalFlip: 1 }), 'where no colour is changed, numbers may be any');
  const oneOutput = new Sequential([new Conv2d(1, 1), new GlobalAveragePool()]);
  const mixing = { epochs: 1, optimizer: new SGD({ learningRate: 0.1 }), augment: augmentation({ mixup: 1 }) };
  const loss = (output: { readonly size: number }) => output as never;
  await rejects(t, fit(oneOutput, pictures(4, [3, 3, 1]), { ...mixing, loss, device: simd }), Error);
});

testOnDevices('normalized pictures are augmented as their values are', async (t, device) => {
  const data = pictures(4, [6, 6, 3]);
  const normalization = { mean: [0.5, 0.4, 0.3], deviation: [0.25, 0.2, 0.5] };
  const normalized = (values: Float32Array): Float32Array =>
    values.map((value, i) => (value - (normalization.mean[i % 3] ?? NaN)) / (normalization.deviation[i % 3] ?? NaN));
  const options = { ...EVERYTHING, cutOut: { size: 2, fill: 0.2 }, fill: 0.7 };
  const plain = await viewsOf(data, augmentation(options), device);
  const own = { ...data, inputs: normalized(data.inputs as Float32Array) };
  const got = await viewsOf(own, augmentation({ ...options, normalization }), device);
  t.equal(differs(got, normalized(plain), { absolute: 1e-4, relative: 1e-4 }), undefined);
});
