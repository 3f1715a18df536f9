/** Misspelt options, unknown words and values of other kinds are refused, with the right name. */
import test from 'tape';
import * as kernelwright from '../../lib/index.js';
import { refuses } from '../support/errors.js';

const { Generator, OptionError, tensor } = kernelwright;
const x = tensor([
  [1, 2],
  [3, 4],
]);
const picture = tensor([[[[1]]]]);
const labels = tensor(Int32Array.of(0, 1));

const isPlain = (options: object | null) => options !== null && !Array.isArray(options);

/** What takes which options. */
const FUNCTIONS: Readonly<Record<string, (options: never) => unknown>> = {
  'sum axes keepDims': (options) => kernelwright.sum(x, options),
  'mean axes keepDims': (options) => kernelwright.mean(x, options),
  'max axes keepDims': (options) => kernelwright.max(x, options),
  'min axes keepDims': (options) => kernelwright.min(x, options),
  'variance axes keepDims unbiased': (options) => kernelwright.variance(x, options),
  'argmax axis keepDims': (options) => kernelwright.argmax(x, options),
  'softmax axis': (options) => kernelwright.softmax(x, options),
  'logSoftmax axis': (options) => kernelwright.logSoftmax(x, options),
  'concat axis': (options) => kernelwright.concat([x, x], options),
  'flatten startAxis': (options) => kernelwright.flatten(x, options),
  'gather scale': (options) => kernelwright.gather(x, labels, options),
  'cast scale': (options) => kernelwright.cast(x, 'i32', options),
  'matmul transposeA transposeB': (options) => kernelwright.matmul(x, x, options),
  'conv2d stride padding dilation groups': (options) => kernelwright.conv2d(picture, picture, options),
  'convTranspose2d stride padding dilation groups outputPadding': (options) =>
    kernelwright.convTranspose2d(picture, picture, options),
  'meanSquaredError reduction': (options) => kernelwright.meanSquaredError(x, x, options),
  'binaryCrossEntropyWithLogits reduction': (options) => kernelwright.binaryCrossEntropyWithLogits(x, x, options),
  'negativeLogLikelihood reduction ignoreIndex': (options) => kernelwright.negativeLogLikelihood(x, labels, options),
  'softmaxCrossEntropy reduction ignoreIndex labelSmoothing': (options) =>
    kernelwright.softmaxCrossEntropy(x, labels, options),
  'binaryAccuracy threshold': (options) => kernelwright.binaryAccuracy(x, x, options),
  'clamp min max': (options) => kernelwright.clamp(x, options),
  'elu alpha': (options) => kernelwright.elu(x, options),
  'leakyRelu negativeSlope': (options) => kernelwright.leakyRelu(x, options),
  'gelu approximate': (options) => kernelwright.gelu(x, options),
  'dropout generator stream': (options: object | null) =>
    kernelwright.dropout(x, (isPlain(options) ? { probability: 0.5, ...options } : options) as never),
  'tensor dtype': (options) => tensor([1], options),
};

for (const [names, use] of Object.entries(FUNCTIONS)) {
  const [name = '', ...options] = names.split(' ');
  test(`${name} refuses options that it does not know, and values of other kinds`, (t) => {
    for (const option of options) {
      const misspelt = `${option}s`;
      refuses(t, () => use({ [misspelt]: 1 } as never), OptionError, `${name}: unknown option '${misspelt}'`, option);
      refuses(t, () => use({ [option]: {} } as never), OptionError, `${name}: ${option} must be`, 'an object');
      refuses(
        t,
        () => use({ [option]: 'y' } as never),
        OptionError,
        ...(option === 'stream' ? [] : [`${option} must be`]),
      );
    }
    refuses(t, () => use(null as never), OptionError, `${name}: options must be an object, found null`);
    refuses(t, () => use([1] as never), OptionError, name, 'an array of 1');
    t.end();
  });
}

test('arguments that are no options are checked as well', (t) => {
  refuses(t, () => kernelwright.cast(x, 'float' as never), OptionError, 'cast: dtype', '"float"', "'f32'");
  refuses(t, () => kernelwright.reshape(x, 4 as never), OptionError, 'reshape: the shape', '4');
  refuses(t, () => kernelwright.broadcastTo(x, 'ab' as never), OptionError, 'broadcastTo: the shape', '"ab"');
  refuses(t, () => kernelwright.transpose(x, 1 as never), OptionError, 'transpose: the permutation', '1');
  refuses(t, () => kernelwright.slice(x, 1 as never), OptionError, 'slice: start', '1');
  refuses(t, () => kernelwright.slice(x, [0], {} as never), OptionError, 'slice: end', 'an object');
  refuses(t, () => kernelwright.concat(x as never), OptionError, 'concat: the first argument', 'a Tensor');
  refuses(t, () => kernelwright.clamp(x, { min: NaN }), OptionError, 'clamp: min', 'NaN');
  const { randomNormal } = kernelwright;
  refuses(t, () => randomNormal(3 as never, new Generator(1)), OptionError, 'randomNormal: the shape', '3');
  refuses(t, () => randomNormal([3], 1 as never), OptionError, 'randomNormal: the generator', '1');
  refuses(t, () => kernelwright.dropout(x, { probability: 0.5 } as never), OptionError, 'dropout: generator');
  refuses(t, () => kernelwright.dropout(x, {} as never), OptionError, 'dropout: probability');
  t.end();
});
