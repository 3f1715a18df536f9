import {
  AdamW,
  crossValidate,
  type CrossValidation,
  type Device,
  evaluate,
  fit,
  oneCycle,
  oneCycleMomentum,
  pictureClassifier,
  predictViews,
} from 'kernelwright';
import { imageFolder } from 'kernelwright/node';
import { recipeAugmentation, storedSize } from '../../lib/command-line/training/augmentations.js';
import { readScenes } from './scenes.js';

const VIEW = { width: 64, height: 64 };

/** What learns the wrenches: a small convolutional net that never sees a photo twice in the same way. */
const RECIPE = { batchSize: 32, learningRate: 0.0015, weightDecay: 0.05, dropout: 0.2 };

/** How the recipe is judged. */
export interface JudgeOptions {
  readonly data: string;
  /** A file of scenes, each of which is held out as a whole. */
  readonly scenes?: string;
  readonly epochs: number;
  readonly seeds: readonly number[];
  readonly device: Device;
  /** Told of each training. */
  readonly onTrained: (line: string) => void;
}

/** What it came to. */
export interface Judgement {
  readonly validation: CrossValidation;
  /** Seconds of each training. */
  readonly seconds: readonly number[];
  readonly pictures: number;
}

/** Cross-validates the recipe, with one view of each picture held out, and with the mean over its eight ways round. */
export async function judge({ data, scenes, epochs, seeds, device, onTrained }: JudgeOptions): Promise<Judgement> {
  const pictures = await imageFolder(data, { size: storedSize('recipe', VIEW), layout: 'channels-last', dtype: 'u8' });
  const { classNames } = pictures;
  const groups = scenes === undefined ? undefined : await readScenes(scenes, pictures.files);
  const { batchSize, learningRate, weightDecay, dropout } = RECIPE;
  const augment = recipeAugmentation(VIEW, 'channels-last');
  const seconds: number[] = [];
  const validation = await crossValidate(pictures, {
    ...(groups && { groups }),
    seeds,
    async train({ training, heldOut, seed, fold }) {
      const cycle = { steps: epochs * Math.ceil(training.labels.length / batchSize), rise: 0.2 };
      const model = pictureClassifier({ architecture: 'convnet', classNames, size: VIEW, options: { dropout } });
      const start = performance.now();
      await fit(model, training, {
        ...{ epochs, batchSize, seed, device, augment },
        optimizer: new AdamW({
          learningRate: oneCycle(learningRate, cycle),
          beta1: oneCycleMomentum(cycle),
          weightDecay,
        }),
      });
      const took = (performance.now() - start) / 1000;
      seconds.push(took);
      const views = (count: 1 | 8) => predictViews(model, heldOut, { device, augment, views: count });
      const predictions = { 'one view': await views(1), 'eight views': await views(8) };
      const { accuracy } = await evaluate(model, training, { device, augment });
      model.dispose();
      onTrained(`seed ${seed}, fold ${fold + 1}: ${took.toFixed(1)} s`);
      return { predictions, measured: { training: accuracy } };
    },
  });
  return { validation, seconds, pictures: pictures.labels.length };
}
