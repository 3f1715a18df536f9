/** Arguments of another kind than a function takes: each is refused by the function's name, whatever type TypeScript was told. */
import test from 'tape';
import {
  clipGradNorm,
  clipGradValue,
  compile,
  DataError,
  DataLoader,
  Dense,
  Dropout,
  Generator,
  glorotUniform,
  gradient,
  OptionError,
  Parameter,
  predict,
  RandomStream,
  resizeBilinear,
  run,
  ShapeError,
  shuffledIndices,
  sum,
  tensor,
  Variable,
  zeros,
} from '../lib/index.js';
import { refuses, rejects } from './support/errors.js';

const x = tensor([1, 2]);
const picture = { width: 1, height: 1, channels: 1 };
const random = new RandomStream(0, 'test');

type Case = readonly [call: (wrong: never) => unknown, expected: new (message: string) => Error, words: string];

const CASES: readonly Case[] = [
  [(wrong) => gradient(sum(x), wrong), OptionError, 'gradient: the inputs must be an array'],
  [(wrong) => gradient(wrong, [x]), OptionError, 'gradient: the output must be a tensor'],
  [(wrong) => clipGradNorm(wrong, 1), OptionError, 'clipGradNorm: the gradients must be an array'],
  [(wrong) => clipGradNorm([x], wrong), OptionError, 'clipGradNorm: maxNorm must be a number above 0'],
  [(wrong) => clipGradValue(wrong, 1), OptionError, 'clipGradValue: the gradients must be an array'],
  [(wrong) => clipGradValue([x], wrong), OptionError, 'clipGradValue: maxValue must be a number above 0'],
  [(wrong) => new Variable('v', Float32Array.of(1), wrong), ShapeError, 'v: a shape must be an array'],
  [(wrong) => new Parameter('p', Float32Array.of(1), wrong), ShapeError, 'p: a shape must be an array'],
  [(wrong) => new DataLoader(wrong), DataError, 'DataLoader: data'],
  [(wrong) => new RandomStream(0, wrong), OptionError, 'RandomStream: name must be a text'],
  [(wrong) => random.uniform(2, wrong), OptionError, 'RandomStream: low must be a number'],
  [(wrong) => random.uniform(2, 0, wrong), OptionError, 'RandomStream: high must be a number'],
  [(wrong) => random.normal(2, wrong), OptionError, 'RandomStream: mean must be a number'],
  [(wrong) => random.normal(2, 0, wrong), OptionError, 'RandomStream: standardDeviation must be a number'],
  [(wrong) => shuffledIndices(2, 0, wrong), OptionError, 'name must be a text'],
  [(wrong) => new Generator(wrong), OptionError, 'Generator: seed must be a whole number'],
  [(wrong) => resizeBilinear(Uint8Array.of(1), wrong, picture), OptionError, 'resizeBilinear: the layout must be'],
  [(wrong) => resizeBilinear(Uint8Array.of(1), picture, wrong), OptionError, 'resizeBilinear: the target must be'],
  [(wrong) => new Dense(2).forward(wrong), OptionError, 'Dense: the input must be a tensor'],
];

test('an argument of another kind is refused by the name of what it was given to', async (t) => {
  for (const [call, expected, words] of CASES) {
    for (const wrong of [null, NaN, true, 1n, Symbol('wrong'), () => x]) {
      refuses(t, () => call(wrong as never), expected, words);
    }
  }
  for (const wrong of [null, x, 2, 'x']) {
    await rejects(t, Promise.resolve().then(() => compile(() => x).repeat(2, wrong as never)), OptionError, 'inputs must be'); // prettier-ignore
  }
  for (const size of [NaN, -1, 1.5, '2', 2n]) {
    const data = { inputs: new Float32Array(2), inputShape: [size] };
    await rejects(t, predict(new Dense(2), data as never), DataError, 'inputShape');
  }
});

test('what takes no options refuses them', (t) => {
  const calls: [name: string, call: (...given: never[]) => unknown][] = [
    ['glorotUniform', glorotUniform],
    ['zeros', zeros],
    ['Dropout', (...given) => new Dropout(0.5, ...given)],
  ];
  for (const [name, call] of calls) {
    t.ok(call(), name);
    refuses(t, () => call({ seed: 1 } as never), OptionError, `${name} takes no options`);
  }
  t.end();
});

test('there is nothing to clip where there are no gradients', async (t) => {
  t.deepEqual(clipGradValue([], 1), []);
  t.equal(await (await run(() => clipGradNorm([], 1).norm)).item(), 0);
  t.deepEqual(clipGradNorm([], 1).gradients, []);
});
