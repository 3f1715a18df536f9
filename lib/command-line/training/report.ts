import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Device, type PictureClassifier, viewsOf } from '../../index.js';
import { ARCHITECTURES } from '../../models/architectures.js';
import { readPicture } from '../../node/index.js';
import { mapLimited } from '../../node/pictures/map-limited.js';
import { MOST_SHOWN } from '../../report/contents.js';
import {
  mistakes,
  type Picture,
  type Prediction,
  reportContents,
  type TrainingHistory,
  writeReport,
} from '../../report/index.js';
import { loadVega } from '../../report/libraries.js';
import { atMost } from '../../report/picture.js';
import { plainViewsOf } from './augmentations.js';
import { scheduleOf } from './optimizers.js';
import type { TrainingOptions } from './options.js';
import type { TrainingPictures } from './pictures.js';

/** Throws KernelwrightError where what draws reports is not installed: ahead of a training rather than behind it. */
export async function prepareReport(): Promise<void> {
  await loadVega();
}

/**
 * Writes report.html: how the training went, by history.json, and what the net makes of the pictures for testing, or,
 * without these, of those that were held out.
 *
 * @returns its path
 */
export async function saveReport(
  model: PictureClassifier,
  { training, validation, test, folders }: TrainingPictures,
  options: TrainingOptions,
  device: Device,
): Promise<string> {
  const history = JSON.parse(await readFile(join(options.out, 'history.json'), 'utf8')) as TrainingHistory;
  const stepsPerEpoch = Math.ceil(training.labels.length / options.batchSize);
  const steps = options.epochs * stepsPerEpoch;
  const { classNames } = training;
  const shown = await plainViewsOf(test ?? { ...validation, classNames }, viewsOf(model), device);
  const contents = await reportContents(model, shown, {
    title: ARCHITECTURES[options.model].title,
    facts: {
      Pictures: `${training.labels.length} to train on, ${validation.labels.length} held out, ${test?.labels.length ?? 0} to test`,
      'Predicted pictures': `${test ? 'those to test' : 'those held out'}${model.description.storedSize ? ', by one view' : ''}`,
      Device: device.info.description,
      Seed: options.seed,
    },
    ...(history.loss.length > 0 && { history }), // no epoch is over where the first one was interrupted
    ...(options.schedule !== 'constant' && {
      schedule: { learningRate: scheduleOf(options, steps), steps, stepsPerEpoch },
    }),
    device,
  });
  const folder = (test ? folders.test : folders.validation) ?? folders.training;
  const { predictions = [], saliency = [] } = contents;
  const photos = await readPhotos(folder, [
    ...predictions.slice(0, MOST_SHOWN),
    ...mistakes(predictions).slice(0, MOST_SHOWN),
  ]);
  const withPhoto = <T extends Prediction>(prediction: T): T => {
    const picture = photos.get(prediction.file ?? '');
    return picture ? { ...prediction, picture } : prediction;
  };
  const [page = ''] = await writeReport(options.out, {
    ...contents,
    predictions: predictions.map(withPhoto),
    saliency: saliency.map(withPhoto),
  });
  return page;
}

/** Enough for a display of high density. */
const PHOTO_WIDTH = 336;

/** The photos as they are, not as the net sees them, by their files; small, because there may be many. */
async function readPhotos(folder: string, predictions: readonly Prediction[]): Promise<Map<string, Picture>> {
  const files = [...new Set(predictions.flatMap(({ file }) => file ?? []))];
  const photos = await mapLimited(files, async (file) => atMost(await readPicture(join(folder, file)), PHOTO_WIDTH));
  return new Map(
    files
      .map((file, i) => [file, photos[i]] as const)
      .filter((entry): entry is [string, Picture] => entry[1] !== undefined),
  );
}
