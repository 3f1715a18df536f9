import { join } from 'node:path';
import { type Device, expandAsInArticle, pictureClassifier } from '../../index.js';
import { type Architecture, ARCHITECTURES } from '../../models/architectures.js';
import { INTERRUPTED } from '../arguments.js';
import type { Output } from '../output.js';
import { augmentFor, storedSize } from './augmentations.js';
import { netOptions, type TrainingOptions } from './options.js';
import { readTrainingPictures } from './pictures.js';
import { describePrediction, predictPictures, savePredictions } from './predictions.js';
import { Interruption } from './interruption.js';
import { loadPretrained } from './pretrained.js';
import { RECIPES } from './recipes.js';
import { prepareReport, saveReport } from './report.js';
import { epochCount, train, writesCheckpoints } from './training.js';

/**
 * Trains a net on a folder of pictures, and predicts some others. It writes to `--out`: history.json (one number an epoch),
 * predictions.json, the models of the best and of the last epoch, and, where that is asked for, report.html.
 *
 * @returns the exit code
 */
export async function trainOnPictures(options: TrainingOptions, device: Device, output: Output): Promise<number> {
  if (options.report) await prepareReport();
  const { model: name, seed } = options;
  const { layout, head }: Architecture = ARCHITECTURES[name];
  const inputSize = options.inputSize ?? RECIPES[name][device.info.kind === 'cpu' ? 'inputSizeOnCpu' : 'inputSize'];
  const size = { width: inputSize, height: inputSize };
  const stored = storedSize(options.augment, size);
  const how = { size: stored, layout, onProgress: output.counter('pictures') };
  const read = await readTrainingPictures(options, how, (line) => output.progress(line));
  const { validation, test } = read;
  const isArticle = options.augment === 'article';
  const training = isArticle ? await expandAsInArticle(read.training, { seed, layout, device }) : read.training;
  output.progress(`device: ${device.info.description} (${device.info.reason})`);
  output.progress(
    `pictures: ${training.labels.length} to train on, ${validation.labels.length} held out, ${inputSize} × ${inputSize}\n`,
  );
  const { classNames } = training;
  const isRead = stored.width === size.width && stored.height === size.height;
  const model = pictureClassifier({
    ...{ architecture: name, classNames, size, options: netOptions(options) },
    ...(!isRead && { storedSize: stored }),
  });
  model.build(model.pictureShape, { seed });
  if (options.weights !== undefined) output.progress(`${await loadPretrained(model, head, options.weights)}\n`);
  if (options.freeze) model.freeze().unfreeze(head);
  model.summary((table) => output.progress(`${table}\n`));

  const augment = augmentFor(options.augment, size, layout);
  const interruption = new Interruption(() =>
    output.progress('interrupted: what was trained so far is being saved; Ctrl-C again ends it at once'),
  );
  const { signal } = interruption;
  const asked = { ...options, inputSize };
  const { results, step } = await train(model, { training, validation }, asked, augment, device, output, signal);
  if (!signal.aborted) interruption.end();
  const predictions = test ? await predictPictures(model, test, device, options.augment === 'recipe' ? 8 : 1) : [];
  await savePredictions(options.out, predictions);
  const lines = predictions.map((prediction) => describePrediction(prediction, classNames));
  output.progress(['', ...lines, ''].join('\n'));
  const report = options.report ? { report: await saveReport(model, { ...read, training }, options, device) } : {};
  const epochs = results.length;
  if (signal.aborted) output.progress(interruptedLine(options, epochs, step));
  output.result(`results are in ${options.out}`, {
    best: join(options.out, 'best.safetensors'),
    last: join(options.out, 'last.safetensors'),
    ...report,
    epochs,
    interrupted: signal.aborted,
    history: results,
    predictions,
  });
  return signal.aborted ? INTERRUPTED : 0;
}

function interruptedLine(options: TrainingOptions, epochs: number, step: number): string {
  const next = writesCheckpoints(options) ? '; --resume goes on from there' : '';
  return `interrupted after ${epochCount(epochs)}, at step ${step}: the last model is that of this step${next}`;
}
