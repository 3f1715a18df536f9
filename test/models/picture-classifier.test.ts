import test from 'tape';
import {
  DataError,
  decodeModel,
  encodeModel,
  encodeSafetensors,
  OptionError,
  pictureClassifier,
  predict,
  run,
  stateOf,
  tensor,
  TraceError,
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
    [fileOf({ version: 2 }), 'a later version of kernelwright', 'format 2'],
    [fileOf({ version: 'x' }), 'its format is "x"'],
    [fileOf({ architecture: 'mynet3' }), '"mynet3"', "did you mean 'mynet'"],
    [fileOf({ classNames: ['a'] }), 'the weights do not fit', 'fc2.weight'],
    [fileOf({ classNames: 'a' }), 'its classNames is "a"'],
    [fileOf({ size: { width: 0, height: 1 } }), 'its size'],
    [fileOf({ options: { hidden: 3 } }), 'the weights do not fit', 'fc1.weight'],
    [fileOf({ options: { hiden: 3 } }), "unknown option 'hiden'"],
    [fileOf({ layout: 'x' }), 'its layout is "x"'],
    [fileOf({ normalization: { mean: [1, 2], deviation: [1, 2] } }), 'its normalization'],
    [new Uint8Array(3), 'x.safetensors'],
  ];
  for (const [bytes, ...words] of cases) refuses(t, () => decodeModel(bytes, 'x.safetensors'), DataError, ...words);
});
