import { join } from 'node:path';
import test from 'tape';
import { type EpochResult, pictureClassifier } from '../../lib/index.js';
import { saveModel } from '../../lib/node/index.js';
import { drawPictures, inFolder } from '../examples/program.js';
import { documentOf, kernelwright } from './program.js';

interface Trained {
  readonly last: string;
  readonly history: readonly EpochResult[];
  readonly predictions: readonly Prediction[];
}
interface Prediction {
  readonly file: string;
  readonly predicted: string;
  readonly probabilities: readonly number[];
}
interface Evaluated {
  readonly loss: number;
  readonly accuracy: number;
  readonly views: number;
  readonly confusion: readonly (readonly number[])[];
}

test('evaluate and predict see pictures as the training did, whose figures they give', async (t) => {
  await inFolder(async (folder) => {
    const data = join(folder, 'pictures');
    await drawPictures(join(data, 'train'), ['Light', 'Dark'], 8);
    const valid = await drawPictures(join(data, 'valid'), ['Light', 'Dark'], 5);
    const nets = [
      { model: 'convnet', options: ['--input-size', '17'], augment: 'recipe' },
      { model: 'mynet', options: ['--hidden', '8'], augment: 'none' },
    ];
    for (const { model, options, augment } of nets) {
      const out = join(folder, model, augment);
      const given = ['--model', model, ...options, '--augment', augment, '--epochs', '2', '--test', valid];
      const trained = documentOf(await kernelwright(['train', data, ...given, '--out', out, '--json'])) as Trained;
      const [one, several, predicted] = await Promise.all([
        kernelwright(['evaluate', trained.last, valid, '--json']),
        kernelwright(['evaluate', trained.last, valid, '--views', '8', '--json']),
        kernelwright(['predict', trained.last, valid, '--views', augment === 'recipe' ? '8' : '1', '--json']),
      ]);
      const { loss, accuracy } = documentOf(one) as Evaluated;
      const { validationLoss, validationAccuracy } = trained.history.at(-1) ?? {};
      t.deepEqual([loss, accuracy], [validationLoss, validationAccuracy], `${model}, ${augment}`);

      const answers = documentOf(predicted) as { readonly probabilities: Readonly<Record<string, number>> }[];
      const { predictions } = trained;
      t.deepEqual(
        answers.map(({ probabilities }) => Object.values(probabilities)),
        predictions.map(({ probabilities }) => probabilities),
        'and the answers are those at the end of the training',
      );
      const eight = documentOf(several) as Evaluated;
      t.ok(eight.views === 8 && eight.loss !== loss, 'eight views give other figures');
      if (augment === 'none') continue;
      const losses = predictions.map(({ file, probabilities: [dark = NaN, light = NaN] }) =>
        Math.log(file.startsWith('Dark') ? dark : light),
      );
      const mean = -losses.reduce((sum, own) => sum + own, 0) / losses.length;
      t.ok(Math.abs(eight.loss - mean) < 1e-6 * (1 + mean), `${eight.loss} is minus the mean logarithm ${mean}`);
      const right = predictions.filter(({ file, predicted: name }) => file.startsWith(name)).length;
      const counted = eight.confusion.flat().reduce((sum, own) => sum + own, 0);
      t.deepEqual([eight.accuracy, counted], [right / 10, 10]);
    }
  });
});

test('a net that is sure and wrong has a loss by eight views, as far as Keras lets a probability be from 0', async (t) => {
  await inFolder(async (folder) => {
    const pictures = await drawPictures(join(folder, 'valid'), ['Light', 'Dark'], 5);
    const size = { width: 6, height: 6 };
    const path = join(folder, 'model.safetensors');
    const evaluated = async (bias: readonly number[]) => {
      const model = pictureClassifier({ architecture: 'mynet', classNames: ['Dark', 'Light'], size });
      model.build([3 * size.width * size.height]);
      for (const parameter of model.parameters()) {
        if (parameter.name.endsWith('fc2.bias')) parameter.set(Float32Array.from(bias));
      }
      await saveModel(path, model);
      model.dispose();
      return kernelwright(['evaluate', path, pictures, '--views', '8', '--json']);
    };
    const { loss, accuracy, confusion } = documentOf(await evaluated([1000, -1000])) as Evaluated;
    t.ok(Math.abs(loss + Math.log(1e-7) / 2) < 1e-5, `loss ${loss}`);
    t.deepEqual([accuracy, confusion], [0.5, [[5, 0], [5, 0]]]); // prettier-ignore

    const { code, errors } = await evaluated([NaN, NaN]);
    t.equal(code, 1);
    t.match(errors, /The model's answer to Dark.*\.png is NaN/, 'a net that says nothing is no net to be measured');
  });
});
