import test from 'tape';
import {
  BatchNorm,
  Conv2d,
  Dense,
  Dropout,
  Flatten,
  predict,
  RandomStream,
  ReLU,
  saliency,
  Sequential,
  ShapeError,
  tensor,
} from '../../lib/index.js';
import { differs } from '../support/close.js';
import { cpu, testOnDevices } from '../support/devices.js';
import { rejects } from '../support/errors.js';

const normal = (name: string, count: number) => new RandomStream(1, name).normal(count);

testOnDevices('saliency of a linear classifier is the weights of the class that wins', async (t, device) => {
  const model = new Sequential([new Dense(3), new Dropout(0.5)]).build([4], { seed: 5 });
  const inputs = tensor(normal('inputs', 5 * 4), { shape: [5, 4] });
  const logits = (await (await predict(model, inputs, { device })).array()) as number[][];
  const weight = Array.from((await [...model.namedParameters().values()][0]?.data()) ?? []); // [3, 4]
  const winners = logits.map((row) => row.indexOf(Math.max(...row)));
  t.ok(new Set(winners).size > 1, `classes ${winners.join()}`);
  const found = await saliency(model, inputs, { device, batchSize: 2 });
  t.deepEqual(found.shape, [5, 4]);
  const expected = winners.flatMap((winner) => weight.slice(winner * 4, winner * 4 + 4));
  t.deepEqual(Array.from(await found.data()), expected);
});

testOnDevices('saliency of a convolutional net agrees with differences of its greatest logit', async (t, device) => {
  const shape = [5, 6, 3];
  const layers = [new Conv2d(4, 3), new BatchNorm(), new ReLU(), new Flatten(), new Dense(3)];
  const model = new Sequential(layers).build(shape, { seed: 2 });
  const picture = Float32Array.from(normal('picture', 90));
  const found = await (await saliency(model, tensor(picture, { shape: [1, ...shape] }), { device })).data();
  const step = 1e-2;
  const moved = Float32Array.from({ length: 180 * 90 }, (_, i) => {
    const [row, at] = [Math.floor(i / 90), i % 90];
    return (picture[at] ?? NaN) + (row >> 1 === at ? (row % 2 === 0 ? step : -step) : 0);
  });
  const logits = (await (
    await predict(model, tensor(moved, { shape: [180, ...shape] }), { device: cpu })
  ).array()) as number[][];
  const highest = logits.map((row) => Math.max(...row));
  const slopes = Float64Array.from(
    found,
    (_, i) => ((highest[2 * i] ?? NaN) - (highest[2 * i + 1] ?? NaN)) / (2 * step),
  );
  t.ok(slopes.some((slope) => Math.abs(slope) > 0.05));
  t.equal(differs(found, slopes, { absolute: 1e-3, relative: 1e-2 }), undefined);
});

test('saliency of bytes is with respect to the numbers that they stand for', async (t) => {
  const model = new Sequential([new Dense(2)]).build([3]);
  const bytes = Uint8Array.of(10, 200, 30, 99, 0, 255);
  const scale = 1 / 255;
  const ofBytes = await saliency(model, { inputs: bytes, inputShape: [3], scale }, { device: cpu });
  const numbers = Float32Array.from(bytes, (byte) => byte * scale);
  const ofNumbers = await saliency(model, { inputs: numbers, inputShape: [3] }, { device: cpu });
  t.deepEqual(await ofBytes.data(), await ofNumbers.data());
});

test('saliency refuses a model without one number a class, and inputs that do not fit', async (t) => {
  const pictures = new Sequential([new Conv2d(2, 1)]).build([2, 2, 3]);
  await rejects(
    t,
    saliency(pictures, { inputs: new Float32Array(12), inputShape: [2, 2, 3] }),
    ShapeError,
    /\[2, 2, 2\]/,
  );
  const model = new Sequential([new Dense(2)]).build([3]);
  await rejects(t, saliency(model, { inputs: new Float32Array(8), inputShape: [4] }), ShapeError, /^saliency: /);
});
