import test from 'tape';
import {
  augmentation,
  DataError,
  decodeModel,
  decodeSafetensors,
  encodeModel,
  encodeSafetensors,
  OptionError,
  pictureClassifier,
  predict,
  predictViews,
  run,
  softmax,
  stateOf,
  tensor,
  TraceError,
  viewsOf,
} from '../../lib/index.js';
import { ARCHITECTURE_NAMES } from '../../lib/models/architectures.js';
import { refuses, rejects } from '../support/errors.js';

const SIZE = { width: 17, height: 16 };
const CONVNET = { architecture: 'convnet', classNames: ['a', 'b', 'c'], size: SIZE } as const;

test('a model comes back from its bytes: weights, net, classes, and what is done to pictures', async (t) => {
  for (const architecture of ['mynet', 'convnet'] as const) {
    const options = architecture === 'mynet' ? { hidden: 5, dropout: 0.25 } : { dropout: 0.25 };
    const model = pictureClassifier({ ...CONVNET, architecture, options });
    model.build(model.pictureShape, { seed: 3 });
    const again = decodeModel(await encodeModel(model));
    t.deepEqual(again.description, model.description);
    t.deepEqual(again.pictureShape, architecture === 'mynet' ? [3, 16, 17] : [16, 17, 3]);
    t.deepEqual(await stateOf(again), await stateOf(model), 'under the names of the net');
    const count = 3 * SIZE.width * SIZE.height;
    const pictures = {
      inputs: new Uint8Array(2 * count).map((_, i) => i),
      inputShape: model.pictureShape,
      scale: 1 / 255,
    };
    t.deepEqual(await (await predict(again, pictures)).data(), await (await predict(model, pictures)).data());
  }
});

test('a model knows the size that pictures have before views are taken of them', async (t) => {
  const storedSize = { width: 31, height: 23 };
  const model = pictureClassifier({ ...CONVNET, storedSize });
  model.build(model.pictureShape, { seed: 3 });
  t.deepEqual([model.pictureShape, model.storedShape], [[16, 17, 3], [23, 31, 3]]); // prettier-ignore
  const file = await encodeModel(model);
  const again = decodeModel(file);
  t.deepEqual(again.description, model.description);
  const pictures = {
    inputs: new Uint8Array(2 * 23 * 31 * 3).map((_, i) => i * i),
    inputShape: model.storedShape,
    scale: 1 / 255,
  };
  const augment = augmentation({ size: SIZE, rotation: 180, scale: [0.8, 1.25], shift: 0.05, horizontalFlip: 0.5 });
  for (const views of [1, 2] as const) {
    const [own, trained] = [
      await predictViews(again, pictures, { augment: viewsOf(again), views }),
      await predictViews(model, pictures, { augment, views }),
    ];
    t.deepEqual(await own.data(), await trained.data(), `${views} views as they were trained with`);
  }
  const metadataOf = (bytes: Uint8Array): unknown =>
    JSON.parse(decodeSafetensors(bytes).metadata['kernelwright.model'] ?? '');
  t.deepEqual(metadataOf(file), { version: 2, ...model.description });
  const plain = pictureClassifier(CONVNET);
  plain.build(plain.pictureShape);
  t.deepEqual(metadataOf(await encodeModel(plain)), { version: 1, ...plain.description }, 'else as it was before');
  t.deepEqual(plain.storedShape, plain.pictureShape);
});

test('pictures as large as the net sees them are seen as they are', async (t) => {
  for (const architecture of ['mynet', 'convnet'] as const) {
    const model = pictureClassifier({ ...CONVNET, architecture });
    model.build(model.pictureShape, { seed: 3 });
    const inputs = new Uint8Array(2 * 3 * SIZE.width * SIZE.height).map((_, i) => i * i);
    const pictures = { inputs, inputShape: model.pictureShape, scale: 1 / 255 };
    const views = await predictViews(model, pictures, { augment: viewsOf(model), views: 1 });
    t.deepEqual(await views.data(), await softmax(await predict(model, pictures)).data(), architecture);
  }
});

test('pictures are normalized channel by channel before the net sees them', async (t) => {
  const model = pictureClassifier({ ...CONVNET, architecture: 'mobilenet-v2', size: { width: 32, height: 32 } });
  t.deepEqual(model.description.normalization?.mean, [0.485, 0.456, 0.406]);
  model.net.forward = (input = tensor([0])) => input;
  const picture = tensor([[[[0.485, 1, 0]]]]);
  const values = await (await run(() => model.forward(picture))).data();
  const expected = [0, (1 - 0.456) / 0.224, -0.406 / 0.225];
  t.ok(
    expected.every((value, i) => Math.abs(value - (values[i] ?? NaN)) < 1e-6),
    String(values),
  );
});

test('every architecture builds at its smallest size, and refuses a smaller one', (t) => {
  for (const architecture of ARCHITECTURE_NAMES.filter((name) => !name.startsWith('resnet50'))) {
    const of = (edge: number) =>
      pictureClassifier({ architecture, classNames: ['a', 'b'], size: { width: edge, height: edge } });
    const smallest = { mynet: 1, mynet2: 1, convnet: 16, resnet8: 8 }[architecture as string] ?? 32;
    const model = of(smallest);
    t.deepEqual(model.build(model.pictureShape).outputShape(), [2], architecture);
    refuses(t, () => of(smallest - 1), OptionError, `size for ${architecture}: width must be`);
  }
  refuses(
    t,
    () => pictureClassifier({ ...CONVNET, architecture: 'vgg' as never }),
    OptionError,
    'architecture must be',
  );
  refuses(t, () => pictureClassifier({ ...CONVNET, classNames: [] }), OptionError, 'classNames must not be empty');
  refuses(
    t,
    () => pictureClassifier({ ...CONVNET, options: { hidden: 3 } }),
    OptionError,
    "convNet: unknown option 'hidden'",
  );
  t.end();
});

test('what is no model is refused with what it is', async (t) => {
  const model = pictureClassifier({ ...CONVNET, architecture: 'mynet', options: { hidden: 2 } });
  await rejects(t, encodeModel(model), TraceError, 'not built');
  model.build(model.pictureShape);
  const state = await stateOf(model);
  const fileOf = (changes: object) =>
    encodeSafetensors(state, {
      'kernelwright.model': JSON.stringify({ version: 1, ...model.description, ...changes }),
    });
  t.ok(decodeModel(fileOf({})).isBuilt, 'the control case');
  const cases: [Uint8Array, ...string[]][] = [
    [encodeSafetensors(state), 'x.safetensors: it is no model, but weights alone'],
    [encodeSafetensors(state, { 'kernelwright.model': '{' }), 'x.safetensors: its metadata', 'not JSON'],
    [fileOf({ version: 3 }), 'a later version of kernelwright', 'format 3'],
    [fileOf({ version: 'x' }), 'its format is "x"'],
    [fileOf({ architecture: 'mynet3' }), '"mynet3"', "did you mean 'mynet'"],
    [fileOf({ classNames: ['a'] }), 'the weights do not fit', 'fc2.weight'],
    [fileOf({ classNames: 'a' }), 'its classNames is "a"'],
    [fileOf({ size: { width: 0, height: 1 } }), 'its size'],
    [fileOf({ version: 2, storedSize: { width: 3 } }), 'its storedSize'],
    [fileOf({ options: { hidden: 3 } }), 'the weights do not fit', 'fc1.weight'],
    [fileOf({ options: { hiden: 3 } }), "unknown option 'hiden'"],
    [fileOf({ layout: 'x' }), 'its layout is "x"'],
    [fileOf({ normalization: { mean: [1, 2], deviation: [1, 2] } }), 'its normalization'],
    [new Uint8Array(3), 'x.safetensors'],
  ];
  for (const [bytes, ...words] of cases) refuses(t, () => decodeModel(bytes, 'x.safetensors'), DataError, ...words);
});
