import { join } from 'node:path';
import test from 'tape';
import type { EpochResult } from '../../lib/index.js';
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
      t.equal(eight.loss, -losses.reduce((sum, own) => sum + own, 0) / losses.length);
      const right = predictions.filter(({ file, predicted: name }) => file.startsWith(name)).length;
      const counted = eight.confusion.flat().reduce((sum, own) => sum + own, 0);
      t.deepEqual([eight.accuracy, counted], [right / 10, 10]);
    }
  });
});
