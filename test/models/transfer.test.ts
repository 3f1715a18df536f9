/** A trained net gets a new head: loaded, frozen by prefix, trained, unfrozen. */
import test from 'tape';
import {
  Adam,
  Dense,
  fit,
  fromArrays,
  loadState,
  mobileNetV1,
  type Module,
  resnet8,
  type SafetensorsTensor,
  SGD,
  stateOf,
} from '../../lib/index.js';
import { simd } from '../support/devices.js';

const SIZE = 16;

/** Pictures whose left or right half is bright: 8 of each class. */
function halves() {
  const pictures = Array.from({ length: 16 }, (_, i) =>
    Float32Array.from({ length: SIZE * SIZE * 3 }, (_, place) => {
      const column = Math.floor(place / 3) % SIZE;
      const isBright = column < SIZE / 2 === (i % 2 === 0);
      return (isBright ? 0.8 : 0.2) + 0.1 * Math.sin(place * (i + 1));
    }),
  );
  const inputs = new Float32Array(pictures.flatMap((picture) => Array.from(picture)));
  return fromArrays(
    inputs,
    pictures.map((_, i) => i % 2),
    { inputShape: [SIZE, SIZE, 3] },
  );
}

type State = ReadonlyMap<string, SafetensorsTensor>;

/** The variables that differ. */
function changed(before: State, after: State): string[] {
  return [...after].flatMap(([name, { data }]) => {
    const old = before.get(name);
    return old && data.every((value, i) => value === old.data[i]) ? [] : [name];
  });
}

const BODY = ['conv1', 'bn1', 'layer1', 'layer2', 'layer3'];

test('a head is trained on a frozen ResNet-8, then all of it', async (t) => {
  const trained = resnet8().build([SIZE, SIZE, 3], { seed: 4 });
  const model = resnet8({ dropout: 0.5 }).build([SIZE, SIZE, 3], { seed: 5 });
  loadState(model, { tensors: await stateOf(trained) });
  model.fc = new Dense(2);
  for (const part of BODY) model.freeze(part);
  const before = await stateOf(model);
  const data = halves();
  const options = { epochs: 8, batchSize: 8, seed: 1, device: simd };
  const { loss } = await fit(model, data, { ...options, optimizer: new Adam({ learningRate: 0.02 }) });
  const [first = NaN, last = NaN] = [loss[0], loss.at(-1)];
  t.ok(last < 0.7 * first, `the loss falls: ${first} to ${last}`);
  const after = await stateOf(model);
  t.deepEqual(changed(before, after), ['fc.weight', 'fc.bias'], 'no running mean has moved either');

  for (const part of BODY) model.unfreeze(part);
  await fit(model, data, { ...options, epochs: 1, optimizer: new SGD({ learningRate: 0.001 }) });
  const names = changed(after, await stateOf(model));
  for (const name of ['conv1.weight', 'bn1.running_mean', 'layer3.0.downsample.weight', 'fc.weight']) {
    t.ok(names.includes(name), `${name} is trained again`);
  }
});

test('a net of which the features are frozen as one has its head trainable', (t) => {
  const model = mobileNetV1({ classes: 2, width: 0.25 }).build([32, 32, 3]);
  model.features.freeze();
  const trainable = (net: Module) =>
    [...net.namedParameters()].filter(([, { isTrainable }]) => isTrainable).map(([name]) => name);
  t.deepEqual(trainable(model), ['fc.weight', 'fc.bias']);
  model.unfreeze('conv_pw_13');
  t.deepEqual(trainable(model), ['conv_pw_13.weight', 'fc.weight', 'fc.bias']);
  const { trainable: moving, frozen } = model.summary(() => undefined);
  t.deepEqual([moving, frozen], [256 * 256 + 514, model.parameterCount - 256 * 256 - 514]);
  t.end();
});
