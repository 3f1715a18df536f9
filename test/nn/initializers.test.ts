import test from 'tape';
import {
  constant,
  Dense,
  type DenseOptions,
  glorotUniform,
  heNormal,
  kaimingUniform,
  OptionError,
  RandomStream,
  Sequential,
  zeros,
} from '../../lib/index.js';
import { refuses } from '../support/errors.js';

const COUNT = 20_000;
const fans = { fanIn: 50, fanOut: 400 };
const stream = (): RandomStream => new RandomStream(11, 'weights');

/** Largest size and mean square of numbers. */
function describe(values: Float32Array): { largest: number; mean: number; meanSquare: number } {
  let [largest, sum, squares] = [0, 0, 0];
  for (const value of values) {
    largest = Math.max(largest, Math.abs(value));
    sum += value;
    squares += value * value;
  }
  return { largest, mean: sum / values.length, meanSquare: squares / values.length };
}

/** A uniform distribution in ±bound: filled to within 1 %, mean 0, variance bound² / 3. */
function checkUniform(t: test.Test, values: Float32Array, bound: number): void {
  const { largest, mean, meanSquare } = describe(values);
  t.ok(largest <= Math.fround(bound) && largest > 0.99 * bound, `largest ${largest}, bound ${bound}`);
  // Standard deviations of the sample's mean and mean square: bound √(1/3/n), bound² √(4/45/n); four of each.
  t.ok(Math.abs(mean) < 4 * bound * Math.sqrt(1 / 3 / COUNT), `mean ${mean}`);
  t.ok(Math.abs(meanSquare - bound ** 2 / 3) < 4 * bound ** 2 * Math.sqrt(4 / 45 / COUNT), `variance ${meanSquare}`);
}

test("kaimingUniform is uniform in ±1/√fanIn, as PyTorch's Linear has it", (t) => {
  checkUniform(t, kaimingUniform()([COUNT], fans, stream()), 1 / Math.sqrt(50));
  t.end();
});

test('kaimingUniform with a = 0 is uniform in ±√(6 / fanIn), as he_uniform of Keras', (t) => {
  checkUniform(t, kaimingUniform({ a: 0 })([COUNT], fans, stream()), Math.sqrt(6 / 50));
  t.end();
});

test('glorotUniform is uniform in ±√(6 / (fanIn + fanOut))', (t) => {
  checkUniform(t, glorotUniform()([COUNT], fans, stream()), Math.sqrt(6 / 450));
  t.end();
});

test('heNormal has the variance 2 / fanIn and the tails of a normal distribution', (t) => {
  const values = heNormal()([COUNT], fans, stream());
  const { largest, mean, meanSquare } = describe(values);
  const sigma = Math.sqrt(2 / 50);
  t.ok(Math.abs(mean) < (4 * sigma) / Math.sqrt(COUNT), `mean ${mean}`);
  t.ok(Math.abs(meanSquare - sigma ** 2) < 4 * sigma ** 2 * Math.sqrt(2 / COUNT), `variance ${meanSquare}`);
  const beyond = values.filter((value) => Math.abs(value) > 2 * sigma).length / COUNT;
  t.ok(Math.abs(beyond - 0.0455) < 0.006, `beyond two standard deviations: ${beyond}, expected 0.0455`);
  t.ok(largest < 5.5 * sigma);
  t.end();
});

test("heNormal goes by the other fan where it is told to, as torchvision's nets do", (t) => {
  const values = (fan?: 'fanIn' | 'fanOut') => heNormal(fan && { fan })([COUNT], fans, stream());
  const ratio = Math.sqrt(fans.fanIn / fans.fanOut);
  const [inner, outer] = [values('fanIn'), values('fanOut')];
  t.deepEqual(inner, values());
  t.ok(outer.every((value, i) => Math.abs(value - ratio * (inner[i] ?? NaN)) < 1e-6));
  refuses(t, () => heNormal({ fan: 'out' as never }), OptionError, "heNormal: fan must be 'fanIn' or 'fanOut'");
  t.end();
});

test('zeros and constant are the same number everywhere', (t) => {
  t.deepEqual(zeros()([2, 2], fans, stream()), new Float32Array(4));
  t.deepEqual(constant(0.25)([3], fans, stream()), Float32Array.of(0.25, 0.25, 0.25));
  t.deepEqual(constant(1)([0], fans, stream()), new Float32Array(0));
  t.end();
});

test("the default weights and bias of Dense are both uniform in ±1/√inputSize, the weight's fan-in", async (t) => {
  const layer = new Dense(COUNT / 2).build([2], { seed: 5 });
  const bound = 1 / Math.sqrt(2);
  checkUniform(t, Float32Array.from((await layer.weight?.data()) ?? []), bound);
  const { largest } = describe(Float32Array.from((await layer.bias?.data()) ?? []));
  t.ok(largest <= bound && largest > 0.99 * bound, `bias ${largest}`);
});

async function weightsOf(seed: number, options: DenseOptions = {}, first = 'fc1'): Promise<Float32Array[]> {
  const model = new Sequential({ [first]: new Dense(6, options), fc2: new Dense(6, options) }).build([6], { seed });
  return Promise.all(model.parameters().map(async (parameter) => Float32Array.from(await parameter.data())));
}

test('the same seed gives the same weights, another seed gives others', async (t) => {
  t.deepEqual(await weightsOf(3), await weightsOf(3));
  const [three, four] = [await weightsOf(3), await weightsOf(4)];
  three.forEach((values, i) => t.notDeepEqual(values, four[i]));
  t.notDeepEqual(await weightsOf(1), await weightsOf(1 + 2 ** 32), 'the high half of the seed counts');
  t.deepEqual(
    (await weightsOf(0)).map(({ length }) => length),
    [36, 6, 36, 6],
  );
});

test('weights depend on the name of the parameter, and on that alone', async (t) => {
  const [weight1, bias1, weight2, bias2] = await weightsOf(3);
  t.notDeepEqual(weight1, weight2, 'two layers of one shape differ');
  t.notDeepEqual(bias1, bias2);
  t.notDeepEqual(weight1?.subarray(0, 6), bias1, 'a bias is not the start of its weight');
  const [renamed, , kept, keptBias] = await weightsOf(3, {}, 'other');
  t.notDeepEqual(renamed, weight1, 'another name, other weights');
  t.deepEqual([kept, keptBias], [weight2, bias2], 'and the layers beside it keep theirs');
  const [withoutBias, next] = await weightsOf(3, { bias: false });
  t.deepEqual([withoutBias, next], [weight1, weight2], 'also where there are fewer parameters');
});

test('an option that an initializer does not have, or of another type, is refused', (t) => {
  refuses(t, () => kaimingUniform({ gain: 2 } as never), OptionError, "kaimingUniform: unknown option 'gain'");
  for (const a of [NaN, Infinity, '1'])
    refuses(t, () => kaimingUniform({ a } as never), OptionError, 'kaimingUniform: a');
  for (const value of [NaN, undefined, '1']) refuses(t, () => constant(value as never), OptionError, 'constant: value');
  t.deepEqual(constant(2)([2], { fanIn: 1, fanOut: 1 }, new RandomStream(0, '')), Float32Array.of(2, 2), 'the control');
  t.end();
});
